#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A search over a machine as a session: the walk of README, journal, undo, drafts, replay, exports, and what is refused.
set -u
program=$OUT/bitscape
top=$(pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/bitscape-podsearch-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

fail() {
	echo "$1"
	cat out err 2>/dev/null
	exit 1
}
refuses() { # TEXT WORDS...: one line on standard error that holds the text; the commands on standard input fail, or do not begin
	text=$1
	shift
	"$program" "$@" >out 2>err && fail "bitscape $* should have been refused"
	[ "$(wc -l <err)" -eq 1 ] && grep -qF -- "$text" err || fail "bitscape $*: not one line with \"$text\""
}

# The walk, as its first lines say it is called.
line=$(sed -n 's/^#	bitscape //p' "$top/sessions/examples/served.batch" | sed 's/ --batch.*//')
# shellcheck disable=SC2086
"$program" $line --batch "$top/sessions/examples/served.batch" >out 2>err || fail 'the walk'
"$program" --replay served >out 2>err || fail 'the walk is replayed'
grep -q 'is the one recorded' out || fail 'the replay says nothing of its digest'

# A session: pins, undo, a draft, and what it exports.
printf '%s\n' 'pin topology 8x8x8' 'restrict pipeline 1,4,8' 'pin weights.format int8' 'undo' 'expect pinned.weights.format = no' \
	'run 100' 'note here' 'run 200' 'export policy policy.json' 'slots' 'status' 'front' 'save' >commands
"$program" new ./one pod=tpu_v4 work=gpt3 chips=512 steps=400 --batch commands >out 2>err || fail 'a session'
grep -q '"topology"' policy.json && grep -q '8x8x8' policy.json || fail 'policy.json has no topology'
printf '%s\n' 'expect step = 300' 'set draft-nothing 1' >commands
refuses 'draft-nothing' ./one --batch commands
printf '%s\n' 'draft data 512' 'draft drop' >commands
"$program" ./one --batch commands >out 2>err || fail 'a draft'
grep -q 'it cannot be: its parts multiply to' out || fail 'the draft does not say what is missing'
printf 'layers\n' >commands
refuses 'there are no layers' ./one --batch commands
printf 'export network net.txt\n' >commands
refuses 'there is no network' ./one --batch commands
[ -e net.txt ] && fail 'a network was written'
for question in roofline why 'price int4' 'plot roofline' latency; do
	printf '%s\n' "$question" >commands
	"$program" ./one --batch commands >out 2>err
	[ $? -lt 100 ] || fail "$question ended the program"
done
printf 'paste %s\n' "$work/policy.json" >commands
"$program" ./one --batch commands >out 2>err
[ $? -lt 100 ] || fail 'paste ended the program'
"$program" --replay ./one >out 2>err || fail 'the session is replayed'

# Two sites, tried while it runs: the cost moves at once, undo brings it back, a replay holds it all.
printf '%s\n' 'run 100' 'set site oklahoma' 'print cost.carbon' 'undo' 'print cost.carbon' 'target carbon@oklahoma 0.5x' \
	'weight carbon@oklahoma 1' 'set site 1.2/0.4/0.1' 'run 200' 'export policy two.json' 'export history two.csv' >commands
"$program" new ./sites pod=tpu_v4 chips=256 steps=200 site=iowa weight.carbon=1 target.carbon=0.5x --batch commands >out 2>err ||
	fail 'two sites'
grep -q '^cost.carbon [0-9.]* t CO2e per run at oklahoma' out && grep -q '^cost.carbon [0-9.]* t CO2e per run at iowa' out ||
	fail 'costs do not name their site'
grep -q '"site": "1.2/0.4/0.1"' two.json && grep -q '"site": "oklahoma"' two.json || fail 'two.json names no sites'
head -n 1 two.csv | grep -q 'at the site of the step' || fail 'two.csv takes the last site for that of all steps'
grep -q '^100 set site oklahoma # back set site iowa' sites.bitscape/journal || fail 'the site is not in the journal'
"$program" --replay ./sites >out 2>err || fail 'two sites are replayed'
refuses 'no such site' new ./none pod=tpu_v4 chips=256 site=atlantis --batch commands

# What moves the racks is journaled, taken back and replayed, and the search does not feel it.
printf '%s\n' 'run 50' 'set availability 99.7 spares 2' 'set jobs 4x4x4:3,8x8x8:1' 'run 100' 'undo' 'knobs' 'run 200' 'digest' >commands
"$program" new ./racks pod=tpu_v4 chips=256 steps=200 --batch commands >out 2>err || fail 'settings of racks'
grep -q '^\* availability  *99.7' out && grep -q '^\* spares  *2' out && grep -q '^\* jobs  *mix' out || fail 'they are not as they were set'
grep -q '^50 set jobs 4x4x4:3,8x8x8:1 # back set jobs mix' racks.bitscape/journal || fail 'they are not in the journal'
grep digest out >with
"$program" --replay ./racks >out 2>err || fail 'settings of racks are replayed'
printf '%s\n' 'run 200' 'digest' >commands
"$program" new ./plain pod=tpu_v4 chips=256 steps=200 --batch commands >out 2>err || fail 'no settings of racks'
grep digest out | cmp -s - with || fail 'the search feels the racks'
printf 'set jobs 4x4x5\n' >commands
refuses 'the nearest that is one is 4x4x4' ./plain --batch commands
printf 'set spares 64\n' >commands
refuses 'has 64 blocks in all' ./plain --batch commands
refuses 'is no slice of tpu_v4' new ./none jobs=5x5x5 --batch commands

# Opened to look at: priced, and idle until it is run.
printf 'status\nexpect step = 0\nexpect state = paused\nprint cost.chips\n' >commands
"$program" --explore pod:tpu_v4 chips=256 --batch commands >out 2>err || fail 'explore'
grep -q '^cost.chips 256' out || fail 'explore prices nothing'

refuses 'did you mean' new pod=tpu_v44 --batch commands
refuses 'the nearest are' new pod=tpu_v4 chips=500 --batch commands
refuses 'nothing fits' new pod=tpu_v4 work=palm_540b task=serve chips=1 --batch commands
refuses 'no such cost' new pod=tpu_v4 weight.bops=1 target.bops=1G --batch commands
exit 0
