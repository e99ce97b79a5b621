# SPDX-License-Identifier: GPL-3.0-or-later
# Read in by the tests that drive the workbench in a real terminal (tmux).
set -u
cd "$(dirname "$0")/.." || exit 1
command -v tmux >/dev/null || { echo "tmux is missing"; exit 77; }
OUT=${OUT:-build}
case $OUT in /*) ;; *) OUT=$PWD/$OUT ;; esac
bin=$OUT/bitscape
[ -x "$bin" ] || { echo "$bin is not built"; exit 1; }
TRIES=${TRIES:-200} SAN_TRIES=${SAN_TRIES:-2000}
. tests/until.sh

# A short path: messages that hold it must fit the narrowest screen.
dir=$(mktemp -d /tmp/tui-XXXXXX) || exit 1
socket=bitscape-$$
t() { TMUX_TMPDIR=$dir tmux -L "$socket" -f /dev/null "$@" 2>>"$dir/tmux.log"; }
finish() {
	t kill-server # the program hears it as SIGHUP, saves and leaves
	tries=50
	while [ -s "$dir/pid" ] && kill -0 "$(cat "$dir/pid")" 2>/dev/null && [ "$tries" -gt 0 ]; do
		tries=$((tries - 1))
		sleep 0.1
	done
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 143' INT TERM
export HOME="$dir" XDG_STATE_HOME="$dir/state" XDG_CONFIG_HOME="$dir/config" INPUTRC=/dev/null LC_ALL=C.UTF-8 PS1='$ '
home=$dir/state/bitscape # where sessions of a bare name lie
unset NO_COLOR ENV
cd "$dir" || exit 1

screen() { t capture-pane -p; }
keys() { t send-keys "$@"; }

fail() {
	echo "FAILED: $*"
	screen
	exit 1
}

shows() { screen | grep -q -e "$1"; }
shows_not() { ! shows "$1"; }
see() { until_true "$1" shows "$1"; }
gone() { until_true "no more '$1'" shows_not "$1"; }

# start WIDTH HEIGHT COMMAND: a shell of that size, and the command in it.
start() {
	t kill-server
	rm -f "$dir/pid" "$dir/before" "$dir/after"
	cat >"$dir/go" <<-END
		stty -g >"$dir/before"
		(echo \$(exec sh -c 'echo \$PPID') >"$dir/pid"; exec $3)
		echo "status \$?"
		stty -g >"$dir/after"
	END
	until_true "tmux" t new-session -d -x "$1" -y "$2" sh -i
	t set-option -g status off
	t set-option -g default-terminal xterm-256color
	see '\$'
	keys "clear; sh ./go" Enter
}

# left STATUS: the program has ended with it, and the terminal is as it was.
left() {
	until_true "end of the program" test -s "$dir/after"
	see "status $1"
	cmp -s "$dir/before" "$dir/after" || fail "the terminal's settings are not restored"
	[ "$(t display-message -p '#{alternate_on}')" = 0 ] || fail "the alternate screen is still on"
	[ "$(t display-message -p '#{cursor_flag}')" = 1 ] || fail "the cursor is hidden"
}

step() { screen | sed -n 's/^ step *\([0-9]*\)\/.*/\1/p'; }
moved_on() { now=$(step) && [ -n "$now" ] && [ "$now" -gt "$1" ]; }
