#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A race that is watched in the workbench: its table follows as runs finish, keeps its order, and goes when it is told to.
. "$(dirname "$0")/tui.sh"

"$bin" race tiny net=resnet8:width=0.25 data=glyphs:12 train=512 heldout=256 batch=16 calibration=32 threads=1 steps=20 \
	formats=int2,int8 targets=int4 seeds=1 searchers=uniform,ends >race.log 2>&1 || fail "no race: $(cat race.log)"
last=$(echo "$dir"/tiny.race/ends-*.json)
[ -s "$last" ] || fail 'no result'
mv "$last" kept

start 120 40 "$bin --set steps=100000"
see running
keys : "watch $dir/nothing" Enter
see 'nothing.race: there is no race here'
keys : "watch $dir/tiny" Enter
see 'Race tiny.race: 3 of 4 runs are finished'
keys : 'view race zoom' Enter
see 'to the hull'
keys : 'sort entrant' Enter
until_true 'sorted by entrant' shows '▸.*Race tiny'
cp kept "$dir/tiny.race/coming" && mv "$dir/tiny.race/coming" "$last"
see 'Race tiny.race: 4 of 4 runs are finished'
screen | sed -n 's/^│[ ▸]*\([a-z]*\) .*/\1/p' | grep -v -e '^entrant' -e '^$' >order
sort order | cmp -s - order || fail 'the order is lost as a run finishes'
[ "$(grep -c . order)" = 4 ] || fail 'not all rows are there'
keys : 'watch none' Enter
gone 'Race tiny'
see 'Layers'
keys : 'view race' Enter
see 'has nothing to show now'
keys q
left 0
printf 'watch tiny\n' >batch
"$bin" new batch steps=5 --batch batch >log 2>&1 && fail 'a batch watches a race'
grep -q 'needs the screen' log || fail "a batch: $(cat log)"
