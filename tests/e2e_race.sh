#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A race end to end: killed and resumed, it gives what it gives in one go; its table, CSV and figure; two at once, a full disk,
# signals, and plans that cannot be.
set -u
. "$(dirname "$0")/batch.sh"
TRIES=600 SAN_TRIES=6000
. "$(dirname "$0")/until.sh"
plans=$(cd "$(dirname "$0")/../sessions/races" && pwd) || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/bitscape-race-XXXXXX") || exit 1
pid=
finish() {
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1
export XDG_STATE_HOME="$work/state"

# refused WORDS ARGUMENT...: status 1, one line, which says the words, and nothing left behind.
refused() {
	words=$1
	shift
	expect 1 "$@"
	says "$words" err
	[ "$(wc -l <err)" -eq 1 ] || fail "more than a line: $*"
}
over() { ! kill -0 "$pid" 2>/dev/null; }
results() { find "$1.race" -name '*.json' 2>/dev/null | wc -l; }
some() { [ "$(results "$1")" -ge "$2" ]; }
running() { # WORD: a process has it in its command line; not the one that looks
	echo "$1" >pattern
	grep -qF -f pattern /proc/[0-9]*/cmdline 2>/dev/null
}
idle() { ! running "$1.race"; }
untimed() { sed 's/\(,[0-9.e+-]*\)\{5\}$//' "$1.race/race.csv"; } # the last five columns are times and memory

small='data=glyphs:12 train=512 heldout=256 batch=16 calibration=32 threads=1'
cat >plan <<EOF
# a baseline, two searchers, and the choice of one trained alone
$small steps=40	net=resnet8 widths=0.25,0.5
formats=int2,int8 targets=int4 seeds=1-2 # both
searchers=reinforce,ends
entrant again alone=reinforce
EOF

# ---- in one go
expect 0 race whole plan
says '^20/20 ' out
says '^whole.race: 20 of 20 runs are finished; cost: bops, bit ops per image' out
says '^uniform  *resnet8:width=0.25  *int2  *2  *1.01 M bit ops .*on the hull' out
says '^reinforce on resnet8: its hull against that of the baselines' out
grep -q 'at equal cost' out && fail 'formats that never cost the same stand beside each other'
expect 0 race table whole term=size
says '^whole.race: 20 of 20 runs are finished; cost: size, B' out
says '^uniform  *resnet8:width=0.25  *int2  *2  *[0-9.]* kB ' out
refused 'term=weight: no run has such a cost' race table whole term=weight
refused 'size: is not term=TERM' race table whole size
expect 0 race csv whole
[ "$(wc -l <whole.race/race.csv)" -eq 21 ] || fail 'the CSV has not a line for each run'
grep '^uniform-.*,int8,' whole.race/race.csv | grep -q ',int8 int8 int8' || fail 'a baseline of another format'
expect 0 race csv whole there.csv
cmp -s there.csv whole.race/race.csv || fail 'another CSV in another place'
# What is trained alone has the choice that was found.
choice() { sed -n "s/^$1-.*-0.5-int4-seed-2-.*,[0-9a-f]\{24\},\(int[^,]*\),.*/\1/p" whole.race/race.csv; }
[ -n "$(choice reinforce)" ] && [ "$(choice reinforce)" = "$(choice again)" ] || fail 'another choice was trained alone'
# A result is a policy that a session takes.
printf 'paste %s\ndraft commit\nprint modal.stem\n' "$(echo "$PWD"/whole.race/ends-*-0.5-int4-seed-1-*)" >paste
# shellcheck disable=SC2086
expect 0 new ./pasted $small net=resnet8:width=0.5 --batch paste
says '^modal.stem int8' out
if command -v gnuplot >/dev/null; then
	expect 0 race plot whole
	[ -s whole.race/race.svg ] || fail 'no figure'
fi

# ---- formats at equal cost
# shellcheck disable=SC2086
expect 0 race four $small steps=5 net=resnet8:width=0.25 formats=int4,mxfp4 seeds=1-2
says '^uniform on resnet8:width=0.25 at equal cost, 4.039 M bit ops, by lines over widths: int4 [0-9.]* ±[0-9.]*, mxfp4 [0-9.]* ±' out

# ---- over an architecture, beside networks of which it is fixed: one hull over all
cat >open.plan <<EOF
$small steps=40 net=resnet-nas:width=0.25 formats=int4 targets=1M seeds=1-2
baseline uniform net=resnet8 widths=0.25,0.5
entrant live
entrant random searcher=random
entrant alone-at-int4 space=int4
entrant formats-only net=resnet8 widths=0.25,0.5
entrant again alone=live
EOF
expect 0 race open open.plan
says '^open.race: 16 of 16 runs' out
[ "$(grep -c 'on the hull$' out)" -eq 1 ] || [ "$(grep -c 'on the hull$' out)" -eq 2 ] || fail 'more than one hull'
expect 0 race csv open
column() { # NAME: of this run
	awk -F, -v name="$1" -v run="^$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i } $1 ~ run { print $c }' open.race/race.csv
}
column architecture 'live-.*-seed-2-' >found
grep -q '^[a-z0-9.]*=[a-z0-9.]* [a-z0-9.]*=' found || fail 'no architecture was found'
grep -q ' -' found && fail 'what rests is among the architecture'
column architecture 'again-.*-seed-2-' | cmp -s - found || fail 'another architecture was trained alone'
[ "$(column choice 'live-.*-seed-2-')" = "$(column choice 'again-.*-seed-2-')" ] || fail 'other formats were trained alone'
[ "$(column bops 'live-.*-seed-2-')" = "$(column bops 'again-.*-seed-2-')" ] || fail 'it costs something else alone'
[ "$(column digest 'live-.*-seed-2-')" = "$(column digest 'again-.*-seed-2-')" ] && fail 'it was not trained alone'
[ -z "$(column architecture 'formats-only-.*-0.25-.*-seed-1-')" ] || fail 'an architecture where none is to be chosen'
column choice 'alone-at-int4.*-seed-1-' | grep -q 'int[235678]' && fail 'other formats than int4'
# Its result is a policy too, and the network that it makes costs the same.
printf 'paste %s\ndraft commit\nexpect result.cost.bops = %s\n' "$(echo "$PWD"/open.race/random-*-seed-1-*.json)" "$(column bops 'random-.*-seed-1-')" >paste
# shellcheck disable=SC2086
expect 0 new ./pasted-open $small net=resnet-nas:width=0.25 --batch paste

# ---- paths of one cost, with shared weights and alone
cat >ranks.plan <<EOF
$small steps=30 net=resnet-nas:width=0.25 targets=8M seeds=1-2
entrant live
entrant shared space=int4 warmup=1 warmup-path=fair paths=4
entrant again alone=shared
EOF
expect 0 race ranks ranks.plan
says '^ranks.race: 12 of 12 runs' out
grep -q '^again ' out && fail 'a path has a row of the table'
expect 0 race rank ranks
says '^shared  *again  *resnet-nas:width=0.25  *8M  *2  *4 of 4 ' out
says '^8M, seed 1: [0-9]* random paths\{0,1\} trains\{0,1\} in the time of live, which has ' out
expect 0 race csv ranks
awk -F, 'NR > 1 && $2 == "again" { print $(NF - 6) }' ranks.race/race.csv | sort | uniq -d | grep -q . && fail 'a path was drawn twice'
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "bops") c = i }
	NR > 1 && $2 == "again" && ($c < 7.8e6 || $c > 8.2e6) { exit 1 }' ranks.race/race.csv || fail 'a path costs something else'
# What is trained alone is the path that was scored: slot by slot.
grep -o '"slot": "[^"]*", "option": "[^"]*"' ranks.race/again-*-path-2-seed-1-*.json >alone
tr '\n' ' ' <"$(echo ranks.race/shared-*-seed-1-*.json)" | sed 's/.*"paths": //; s/{ *"cost"/\n&/g' | sed -n 3p |
	grep -o '"slot": "[^"]*", "option": "[^"]*"' | cmp -s - alone || fail 'another path was trained alone'
refused 'no entrant of this race scores paths' race rank open

# ---- killed, and resumed: a run is lost at most, and the rest is what it would have been
"$bitscape" race parts plan >out 2>err </dev/null &
pid=$!
until_true 'three results' some parts 3
kill -KILL $pid
wait $pid 2>/dev/null
pid=
until_true 'the end of the run that was in hand' idle parts
before=$(results parts)
[ "$before" -lt 20 ] || fail 'it was finished before it was killed'
refused 'parts.race: there is a race of this name; `race resume` goes on with it' race parts plan
expect 0 race table parts
says "$before of 20 runs are finished" out
expect 0 race resume parts
says "20 runs, $before of them finished" out
expect 0 race csv parts
untimed whole >whole.txt
untimed parts >parts.txt
cmp -s whole.txt parts.txt || fail "in two parts it gives something else: $(diff whole.txt parts.txt)"
expect 0 race resume parts
says '20 runs, 20 of them finished' out
# A longer plan: what is there is kept.
sed -i 's/^seeds=.*/seeds=1-3/' parts.race/plan
expect 0 race resume parts
says '30 runs, 20 of them finished' out

# ---- signals
for signal in TERM:143 INT:130; do
	name=sig${signal%:*}
	# shellcheck disable=SC2086
	"$bitscape" race $name $small steps=100000 targets=int4 >out 2>err </dev/null &
	pid=$!
	until_true "$name: its run" running "$name.race"
	until_true "$name: its first line" grep -q '1 runs, 0 of them finished' out
	refused "$name.race: process $pid is running this race" race resume $name 2>/dev/null
	kill -"${signal%:*}" $pid
	until_true "$name: the end" over
	wait $pid
	got=$?
	pid=
	[ $got -eq "${signal#*:}" ] || fail "$name: status $got"
	until_true "$name: the end of its run" idle $name
done

# ---- a disk that takes no result
( ulimit -f 1 && exec "$bitscape" race full plan >out 2>err </dev/null ) && fail 'a full disk is success'
says 'File too large' err
says 'the run could not be made, for the reason given above; then `race resume` goes on' err
[ "$(results full)" -eq 0 ] || fail 'a result was written by half'

# ---- equal time: as many steps as the first search's time allows
# shellcheck disable=SC2086
expect 0 race timed $small steps=60 net=resnet8:width=0.25 formats=int8 searchers=reinforce times=0.5 targets=int4
expect 0 race csv timed
steps() { sed -n "s/^$1-.*,$2,1,\([0-9]*\),.*/\1/p" timed.race/race.csv; }
[ "$(steps reinforce images)" -eq 60 ] && [ "$(steps reinforce 0.5)" -eq 30 ] || fail 'half the time is not half the steps'
[ "$(steps uniform 0.5)" -gt 5 ] || fail 'no steps for a baseline at equal time'

# ---- a search that goes wrong has a result that says so, and the others are made
# shellcheck disable=SC2086
expect 0 race wrong $small steps=30 net=resnet8:width=0.25 rate=10 clip=0 rate-warmup=0 momentum=0.99 decay=1 formats=int8 targets=int4 searchers=reinforce
says '^2/2 reinforce .* failed: training: ' out
says '2 of 2 runs are finished' out
expect 0 race resume wrong
says '2 runs, 2 of them finished' out

# ---- damage, and other settings
for file in whole.race/uniform-*-int2-seed-1-*.json; do
	cp "$file" kept
	echo '{' >"$file"
	refused "$file: line " race table whole
	sed 's/"entropy": "[^"]*"/"entropy": "7"/' kept >"$file"
	refused 'its entropy was 7, and would be 0.02 now; it is of another build' race resume whole
	cp kept "$file"
done

# ---- what cannot be
refused 'a race needs a plan' race x
refused 'is not a word of a plan' race x 'steps='
refused 'no such setting' race x targets=int4 frob=1
refused 'no such plan: No such file' race x 'no such plan'
refused 'it has no runs' race x steps=10
refused 'a search has no target' race x searchers=reinforce formats=int4
refused '"reinfarce" is not one of' race x searchers=reinfarce targets=int4
refused 'has one twice' race x targets=int4,int4
refused '"0" is not a number from' race x widths=0 targets=int4
refused '"5-1" cannot be read' race x seeds=5-1 targets=int4
refused 'seeds=' race x seed=3 targets=int4
refused 'between: ' race x between=3 targets=int4
refused 'there is no search whose time' race x formats=int4 times=1
refused "cannot be a race's name" race a=b targets=int4
refused 'there is no race here' race resume nothing
refused 'there is no race here' race table nothing
refused 'it takes the name of a race' race resume
printf 'targets=int4\nentrant a alone=b\n' >bad
refused 'a: alone=b is not an entrant that finds a choice' race x bad
printf 'targets=int4\nentrant a searcher=reinforce\nentrant a\n' >bad
refused 'bad:3: a: there are two of this name' race x bad
printf 'targets=int4\nentrant a\nentrant b alone=a net=resnet8\n' >bad
refused 'b: it trains the networks of a; leave out its own' race x bad
printf 'targets=int4\nentrant a paths=2\n' >bad
refused 'bad:2: paths: "2" is not a whole number from 3' race x bad
printf 'targets=int4 formats=int4\nbaseline a paths=5\n' >bad
refused 'bad:2: paths: a baseline has one path' race x bad
printf 'targets=int4\nentrant a\nentrant b alone=a paths=5\n' >bad
refused 'b: it trains what a found, and scores no paths' race x bad
printf 'targets=int4\nentrant a net=resnet8 net=resnet8\n' >bad
refused 'bad:2: net=resnet8: is there twice' race x bad
refused 'uniform: resnet-nas has an architecture to choose, and a baseline is one network; give it one' race x net=resnet-nas formats=int4
# shellcheck disable=SC2086
expect 1 race ends $small steps=5 net=resnet-nas searchers=ends targets=1M
says 'searcher: ends chooses formats only, and this network has an architecture to choose; choose one that does: annealed, reinforce, ' err
[ ! -e x.race ] || fail 'a race that cannot be has a folder'
mkdir taken.race && touch taken.race/mine
refused 'taken.race: something of this name is there that is not a race' race taken targets=int4
# shellcheck disable=SC2086
expect 1 race nodata $small data=cifar10:./nowhere targets=int4
says 'nowhere' err
# In a session races are only told of.
printf 'race table whole\nrace x targets=int4\n' >inside
# shellcheck disable=SC2086
expect 1 new ./inside $small --batch inside
says '20 of 20 runs are finished' out
says 'inside:2: race: a race takes the machine for hours, beside this session' err

# The plans that come along can be: as many runs as they say, and how long they take.
for file in "$plans"/*.race; do
	grep -q '^# Budget: .* runs\. About .* hours on two free cores' "$file" || fail "$file does not say how long it takes"
	runs=$(sed -n 's/^# Budget: .* \([0-9]*\) runs\. .*/\1/p' "$file")
	CIFAR10_DIR=$work/nowhere "$bitscape" race come-along "$file" >out 2>err </dev/null && fail "$file without its images"
	says "^come-along.race: $runs runs, 0 of them finished" out
	says 'nowhere' err
	rm -r come-along.race
done
exit 0
