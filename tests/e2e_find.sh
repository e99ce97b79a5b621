#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Sessions are found again, as a person does it: `bitscape`, some steps, q, `bitscape`, one key; names, the list, several starts at
# once, kills in the first moments, and a second workbench on the same session. In a real terminal (tmux).
set -u
cd "$(dirname "$0")/.." || exit 1
command -v tmux >/dev/null || { echo "tmux is missing"; exit 77; }
OUT=${OUT:-build}
case $OUT in /*) ;; *) OUT=$PWD/$OUT ;; esac
bin=$OUT/bitscape
[ -x "$bin" ] || { echo "$bin is not built"; exit 1; }
TRIES=600 SAN_TRIES=3000
. tests/until.sh

dir=$(mktemp -d "${TMPDIR:-/tmp}/bitscape-find-XXXXXX") || exit 1
socket=bitscape-find-$$
t() { TMUX_TMPDIR=$dir tmux -L "$socket" -f /dev/null "$@" 2>>"$dir/tmux.log"; }
alone() { ! kill -0 "$1" 2>/dev/null; }
finish() {
	t kill-server # the program hears it as SIGHUP, saves and leaves
	tries=100
	while [ "$tries" -gt 0 ]; do
		busy=
		for file in "$dir"/pid*; do
			[ -s "$file" ] && ! alone "$(cat "$file")" && busy=1
		done
		[ -n "$busy" ] || break
		tries=$((tries - 1))
		sleep 0.1
	done
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 143' INT TERM
export HOME="$dir" XDG_STATE_HOME="$dir/state" INPUTRC=/dev/null LC_ALL=C.UTF-8 PS1='$ '
unset NO_COLOR ENV
cd "$dir" || exit 1
home=$dir/state/bitscape
small='net=resnet8 data=glyphs:12 train=512 heldout=256 batch=16 space=int-s front-every=0 calibration=32'

at=0 # the window
screen() { t capture-pane -p -t ":$at"; }
keys() { t send-keys -t ":$at" "$@"; }
fail() {
	echo "FAILED: $*"
	screen
	[ ! -f err ] || sed 's/^/  err: /' err
	exit 1
}
shows() { screen | grep -q -e "$1"; }
sh_not() { ! "$@"; }
see() { until_true "$1" shows "$1"; }
begin() { # COMMAND: in the window's shell
	keys C-l
	rm -f "$dir/pid$at" "$dir/left$at"
	printf 'echo $$ >%s; exec %s\n' "$dir/pid$at" "$1" >"$dir/go$at"
	keys "clear; sh ./go$at; echo status \$?" Enter
}
left() { see '^status 0'; }
step() { screen | sed -n 's/^ step *\([0-9]*\)\/.*/\1/p'; }
at_least() { now=$(step) && [ -n "$now" ] && [ "$now" -ge "$1" ]; }
expect() { # STATUS ARGUMENT...
	want=$1
	shift
	"$bin" "$@" >out 2>err </dev/null
	got=$?
	[ "$got" -eq "$want" ] || fail "status $got, not $want: bitscape $*"
}
says() { grep -q -e "$1" "$2" || fail "'$1' is not in $2: $(cat "$2")"; }
unnamed() { ls -d "$home"/2*.bitscape 2>/dev/null | wc -l; }

# ---- names, without a terminal
expect 0 sessions
says 'there are no sessions yet' out
expect 1 demo --batch /dev/null
says 'demo: there is no session of this name; `bitscape new demo` makes one' err
expect 1 resnet20 --batch /dev/null
says 'it is the name of a network; `bitscape new net=resnet20` begins a search on it' err
expect 1 new resnet20 --batch /dev/null
says 'resnet20: is taken: it is the name of a network' err
expect 1 new sessions --batch /dev/null
[ ! -e demo.bitscape ] && [ ! -e resnet20.bitscape ] && [ ! -e "$home/resnet20.bitscape" ] || fail 'a refused name made a session'
printf 'run 3\n' >steps
# shellcheck disable=SC2086
expect 0 new demo $small --batch steps
[ -s "$home/demo.bitscape/summary.json" ] || fail 'no summary'
expect 0 demo --batch steps
expect 1 demp --batch steps
says "did you mean 'demo'" err
# shellcheck disable=SC2086
expect 0 new ./here $small --batch steps
[ -d here.bitscape ] || fail 'a path is a path'
mkdir other && cd other || exit 1
expect 0 here --batch ../steps
says 'here lies in ' out
cd "$dir" || exit 1
expect 0 sessions
says '^demo  *just now  *6/1500 .* resnet8  *glyphs:12$' out
says '/here .* resnet8 ' out
expect 0 --replay demo

# ---- several at once, none of which dies of the others
printf 'run 2\nwait step 2\n' >two
pids=
for i in 1 2 3 4; do
	# shellcheck disable=SC2086
	"$bin" new $small --batch two >"out$i" 2>"err$i" </dev/null &
	pids="$pids $!"
done
for pid in $pids; do
	wait "$pid" || fail "one of several starts died: $(cat err1 err2 err3 err4)"
done
[ "$(unnamed)" -eq 4 ] || fail "$(unnamed) sessions of 4 starts"
rm -rf "$home"/2*.bitscape

# ---- killed at once, many times: its name is never blocked, and nothing is left over
i=0
while [ "$i" -lt 20 ]; do
	# shellcheck disable=SC2086
	"$bin" new killed $small --batch steps >/dev/null 2>&1 </dev/null &
	pid=$!
	sleep "0.0$((i % 10))"
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	if [ -e "$home/killed.bitscape/manifest.json" ]; then
		expect 0 killed --batch /dev/null
	else
		# shellcheck disable=SC2086
		expect 0 new killed $small --batch /dev/null
	fi
	ls "$home/killed.bitscape"/.bitscape-* 2>/dev/null && fail 'a temporary file was left'
	rm -rf "$home/killed.bitscape"
	i=$((i + 1))
done

# ---- `bitscape`, some steps, q, `bitscape`, O
until_true tmux t new-session -d -x 100 -y 30 sh -i
t set-option -g status off
see '\$'
rm -rf "$home" here.bitscape
begin "$bin --set steps=100000"
see running
until_true 'a first checkpoint by itself' sh -c "ls $home/*/checkpoint-*.safetensors >/dev/null 2>&1"
reached=$(step)
keys q
left
name=$(screen | sed -n 's/^\([0-9-]*\): step .*/\1/p')
[ -n "$name" ] && [ -d "$home/$name.bitscape" ] || fail 'leaving does not say the name'
shows "^\`bitscape $name\` goes on with it" || fail 'leaving does not say how to come back'
begin "$bin"
see running
see "O goes on with $name (step [0-9]* of 100000, "
[ "$(unnamed)" -eq 2 ] || fail 'no search was begun at once'
keys O
see "$name: press Space to run on"
until_true "step $reached" at_least "$reached"
one_left() { [ "$(unnamed)" -eq 1 ]; }
until_true 'the untouched session is not left behind' one_left
keys : "open $name" Enter
see "$name is the session in hand"
keys : 'open zzz' Enter
see ' ! zzz: there is no session of this name'
see '`new zzz` makes one'
keys : "open ${name%????}" Tab
see "^:open $name"
keys Escape
until_true 'the prompt closed' sh_not shows '^:open'
keys : sessions Enter
see 'session  *used'
see 'open ('
see '▸ .*open ('
keys : 'filter crashed' Enter
see 'with crashed'
keys : filter Enter
see 'Enter opens'
keys q
until_true 'the box closed' sh_not shows 'open ('
keys Space
see running
until_true 'more steps' at_least "$((reached + 3))"
keys q
left

# ---- the name opens it; left at once, nothing stays of a new one
begin "$bin $name"
see "$name is open"
at_least "$reached" || fail 'it did not go on from where it was'

# ---- a second workbench: it follows, and runs nothing
t new-window -d -t :1 sh -i
at=1
begin "$bin $name"
see 'open for reading only: another bitscape has it'
see read-only
shown=$(step)
keys Space
see 'open for reading only'
at=0
keys Space
see running
until_true 'steps of the owner' at_least "$((shown + 5))"
keys C-s
see 'saved in'
at=1
until_true 'what the owner saved' at_least "$((shown + 1))"
at=0
keys q
left
at=1
see "has left $name"
keys q
left
at=0

# ---- a crash is told, and O goes on
begin "$bin $name"
see "$name is open"
kill -9 "$(cat "$dir/pid0")"
see 'status 137'
t new-window -d -t :2 sh -i # the killed one could not put the terminal back
at=2
expect 0 sessions
says "^$name .*crashed" out
begin "$bin"
see "O goes on with $name (.*, ended by a crash)"
keys q
left
see 'nothing was done in it, so it is not kept\|goes on with it'
echo ok
