# SPDX-License-Identifier: GPL-3.0-or-later
# Read in by tests that wait for something. fail MESSAGE is theirs.

# until_true WHAT COMMAND...: repeats the command ten times a second until it succeeds; the test fails after TRIES times, with
# sanitizers SAN_TRIES.
until_true() {
	what=$1
	shift
	tries=${SAN:+$SAN_TRIES}
	tries=${tries:-$TRIES}
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || fail "waited in vain for: $what"
		sleep 0.1
	done
}
