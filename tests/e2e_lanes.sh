#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Several lanes in one search, end to end: added, spoken to, dropped and brought back by a script; the same bits in two parts, on
# other threads and by replay; what is written out names the lane. The program is $OUT/bitscape.
set -u
. "$(dirname "$0")/batch.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/bitscape-lanes-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME="$work"
mkdir "$work/bitscape" && cd "$work/bitscape" || exit 1

cat >part1 <<'EOF'
run 20
lane add bops 0.6x
lane add bops 0.4x
lane 2 pin stem int8
lane 3 target bops int6
run 12
lane drop 2
lane focus 3
target bops 0.3x
pin head int8
EOF
# Which lane is shown is not kept.
cat >part2 <<'EOF'
lane focus 3
run 7
undo
lane back 2
run 10
lane 2 weight bops 3
lane add size 0.7x
run 5
undo
run 2
redo
wait finished
lane list
EOF
cat part1 part2 >both
# shellcheck disable=SC2086
expect 0 new whole $small steps=70 threads=1 --batch both
cp out whole.out
# shellcheck disable=SC2086
expect 0 new parts $small steps=70 threads=2 --batch part1
cp out parts.out
expect 0 parts --batch part2
cat out >>parts.out
[ -n "$(digest whole)" ] && [ "$(digest whole)" = "$(digest parts)" ] || fail 'two parts end in another digest'
cmp -s whole.out parts.out || fail 'two parts say something else'
expect 0 --replay whole
says "$(digest whole)" out
# What is said of one lane says which; of the first, it is what it was before there were others.
says '^20 lane add bops 0.6x # back lane drop 2 ' whole.bitscape/journal
says '^20 lane 2 pin stem int8 # back lane 2 unpin stem ' whole.bitscape/journal
says '^32 lane 3 target bops 0.3x # back lane 3 target bops int6 ' whole.bitscape/journal
says '^32 pin head int8 # back unpin head ' whole.bitscape/journal
says '^56 lane back 4 # redo ' whole.bitscape/journal
grep -q 'lane 1' whole.bitscape/journal && fail 'the first lane is called by its number'
[ "$(grep -c '^[1234] ' whole.out)" -eq 4 ] || fail 'the list has not a row for each lane'

# Files name the lane of a step and of a point.
printf 'export history\nexport front\nplot front svg lanes.svg keep\n' >files
expect 0 whole --batch files
head -n 1 whole.bitscape/history.csv | grep -q '^step,lane,loss' || fail 'history.csv names no lane'
for lane in 1 2 3 4; do
	cut -d, -f2 whole.bitscape/history.csv | grep -qx $lane || fail "history.csv has no step of lane $lane"
done
head -n 1 whole.bitscape/front.csv | grep -q '^origin,label,lane,step' || fail 'front.csv names no lane'
grep -q '^modal,modal,4,' whole.bitscape/front.csv || fail 'front.csv has no point of lane 4'
if command -v gnuplot >/dev/null; then
	[ -s lanes.svg ] || fail 'no picture of the front'
	says 'lane 4: bops .*, size 0.7x' lanes.gp
fi

# A search with one lane says nothing of lanes.
printf 'run 10\nlane list\nexport history\nstatus\n' >one
# shellcheck disable=SC2086
expect 0 new one $small steps=20 --batch one
[ "$(grep -c '^1 ' out)" -eq 1 ] || fail 'the list has not one row'
head -n 1 one.bitscape/history.csv | grep -q lane && fail 'history.csv names a lane'
grep -aq 'lanes' one.bitscape/checkpoint-10.safetensors && fail 'the checkpoint says something of lanes'

# A polish: told when it is done, in every readout that shows it, and taken back; the search is what it is without one.
cat >polish <<'EOF'
run 20
lane add bops 0.4x
run 10
lane polish 6
lane 2 polish 9 rate=0.01
undo
lane 2 polish 8
lane list
status
front all
export front
EOF
printf 'run 20\nlane add bops 0.4x\nrun 10\nrun 20\n' >plain
# shellcheck disable=SC2086
expect 0 new polished $small steps=50 --batch polish
says '^lane 1, polished for 6 steps: [0-9.]* % on the front.s held-out images, [0-9.]* % on the test images$' out
says '^lane 2, polished for 9 steps' out
says '^step 30: a copy of the weights trains on its result for 6 steps; undo takes it back' out
says '^polished on copies of the weights: 23 steps in [0-9]* s, beside those of the search' out
says '^lane 2 at step 30, trained for 8 steps: ' out
grep -q '^lane 2 at step 30, trained for 9 steps: ' out && fail 'undo leaves what was trained'
says 'trained 6' out
[ "$(grep -c '^trained: ' out)" -eq 1 ] || fail 'the list does not say what is trained'
head -n 1 polished.bitscape/front.csv | grep -q '^origin,label,lane,step,trained,test_accuracy,dominated' ||
	fail 'front.csv does not say what was trained'
[ "$(cut -d, -f5 polished.bitscape/front.csv | grep -c '^[1-9]')" -eq 2 ] || fail 'front.csv has not two trained points'
says '^30 lane polish 6 # back lane polish drop ' polished.bitscape/journal
says '^30 lane 2 lane polish 9 rate=0.01 # back lane 2 lane polish drop ' polished.bitscape/journal
printf 'wait finished\nfront all\n' >rest
expect 0 polished --batch rest
[ "$(grep -c 'trained [68]' out)" -eq 2 ] || fail 'trained points do not come back'
# shellcheck disable=SC2086
expect 0 new plain $small steps=50 --batch plain
[ -n "$(digest plain)" ] && [ "$(digest plain)" = "$(digest polished)" ] || fail 'a polish leaves a trace in the search'
expect 0 --replay polished
printf 'lane polish 5\nfront all\n' >late
expect 0 plain --batch late
says 'trained 5' out

# One clear line each, and nothing is changed.
before=$(cksum <whole.bitscape/journal)
while read -r line; do
	echo "$line" >bad
	expect 1 whole --batch bad
	[ "$(wc -l <err)" -eq 1 ] || fail "$line: more than a line"
	says 'bad:1: .*; ' err
done <<'EOF'
lane
lane 2
lane 9 target bops 0.5x
lane 0 pin stem int8
lane 2 status
lane 2 run
lane 2 lane 3 pin stem int8
lane 2 set rate 0.1
lane 2 extend 10
lane 2 group s2* as x
lane drop
lane drop 9
lane drop x
lane back 1
lane focus
lane focus 9
lane list all
lane add
lane add bops
lane add bops none
lane add bopz 0.5x
lane add bops lots
lane ad bops 0.5x
lane polish
lane polish 0
lane polish lots
lane polish 10 20
lane polish 10 rate=0
lane polish 10 rate=0.1 x=1
lane polish drop
lane 9 polish 10
lane 99999999999 pin stem int8
EOF
[ "$before" = "$(cksum <whole.bitscape/journal)" ] || fail 'a bad line changed the journal'
