#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A batch run that is told to end, whose output goes nowhere, or that prints foreign text: saved, said, harmless.
set -u
. "$(dirname "$0")/batch.sh"
TRIES=600 SAN_TRIES=6000
. "$(dirname "$0")/until.sh"
devices=$(cd "$(dirname "$0")/../sessions" && pwd) || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/bitscape-signals-XXXXXX") || exit 1
pid=
finish() {
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1
export XDG_STATE_HOME="$work/state"

over() { ! kill -0 "$pid" 2>/dev/null; }
saved() { ls "$1".bitscape/checkpoint-*.safetensors >/dev/null 2>&1; }
small="$small steps=1000000"

# ---- every signal that ends a program, a scheduler's among them
printf 'run 3\nprint step\nwait finished\n' >long
for signal in TERM:143 INT:130 HUP:129 QUIT:131 USR1:138 USR2:140 XCPU:152 ALRM:142 PIPE:141; do
	name=sig${signal%:*}
	: >out # not the one before: what it says would be taken for this one's
	# shellcheck disable=SC2086
	"$bitscape" new "./$name" $small --batch long >out 2>err </dev/null &
	pid=$!
	until_true "$name: three steps" grep -q 'step 3' out
	kill -"${signal%:*}" $pid
	until_true "$name: the end" over
	wait $pid
	got=$?
	pid=
	[ $got -eq "${signal#*:}" ] || fail "$name: status $got"
	grep -q "saved in .*$name.bitscape" err || fail "$name: it does not say that it saved"
	saved "$name" || fail "$name: no checkpoint"
	echo 'print step' >ask
	"$bitscape" "./$name" --batch ask >out 2>err </dev/null || fail "$name: it does not open again"
done

# While it waits for a line of the script.
mkfifo lines
# shellcheck disable=SC2086
"$bitscape" new ./waits $small --batch - >out 2>err <lines &
pid=$!
exec 9>lines
printf 'run 3\nprint step\n' >&9
until_true 'three steps' grep -q 'step 3' out
kill -TERM $pid
until_true 'the end of a run that waits for a line' over
wait $pid
got=$?
pid=
exec 9>&-
[ $got -eq 143 ] || fail "waits: status $got"
saved waits || fail 'waits: no checkpoint'

# ---- output that goes nowhere
{ echo 'run 3' && yes 'print step' | head -n 100000; } >talk
# shellcheck disable=SC2086
{ "$bitscape" new ./pipe $small --batch talk 2>err </dev/null; echo $? >status; } | head -n 1 >out
[ "$(cat status)" -eq 141 ] || fail "a closed pipe: status $(cat status)"
grep -q 'saved in .*pipe.bitscape' err || fail 'a closed pipe: it does not say that it saved'
saved pipe || fail 'a closed pipe: no checkpoint'
for to in full shut; do
	# shellcheck disable=SC2086
	case $to in
	full) "$bitscape" new ./$to $small --batch talk >/dev/full 2>err </dev/null ;;
	shut) "$bitscape" new ./$to $small --batch talk >&- 2>err </dev/null ;;
	esac
	got=$?
	[ $got -eq 1 ] || fail "output to $to: status $got"
	[ "$(wc -l <err)" -eq 1 ] && grep -q 'talk:2: standard output: cannot be written' err || fail "output to $to: what it says"
	saved $to || fail "output to $to: no checkpoint"
	grep -q '^step' $to.bitscape/* && fail "output to $to: it went into a file of the session"
done
for option in --help --version; do
	"$bitscape" $option >/dev/full 2>err && fail "$option to a full device: no error"
	grep -q 'standard output: cannot be written' err || fail "$option to a full device: what it says"
done

# ---- text from a file: no control character of it is printed
sed 's/"name": *"[^"]*"/"name": "x\\u001b[31m\\u009b2J\\u0007"/; s/"source": *"[^"]*"/"source": "\\u001b]0;pwned\\u0007"/' \
	"$devices/tpu_v4_no_cmem.json" >foreign.json
grep -q u001b foreign.json || fail 'the device file has no name'
printf 'devices ./foreign.json\nlatency resnet18 device=./foreign.json\n' >ask
"$bitscape" new ./foreign $small --batch ask >out 2>err </dev/null
cat out err | LC_ALL=C tr -d '\n\t' | LC_ALL=C grep -q "$(printf '[\001-\037\177]')" && fail 'a control character is printed'
LC_ALL=C grep -q "$(printf '\302\233')" out && fail 'a control character of 8 bits is printed'
grep -q 'x?' out err || fail 'the name is not shown'
exit 0
