#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A slice chip by chip and the racks day by day, in the workbench: by the reports' commands, by keys, and back to the search.
. "$(dirname "$0")/tui.sh"

start 80 24 "$bin --explore resnet8"
see 'Layers'
keys : 'slice 4x4x8 twisted on tpu_v4' Enter
see '73.333 on the fullest link' # the report, in its box
keys Escape
see 'Slice 4x4x8 twisted on tpu_v4: hops'
see 'x- → z+4: 3,0,4'
see 'Chip 0,0,0'
keys K # over the wrap of x, to where it lands
see 'Chip 3,0,4'
keys v l j
see 'Chip 3,1,5 to 3,0,4'
see '2 hops, 2 shortest paths'
keys c
see 'links, all shortest paths'
keys '~'
see 'Slice 4x4x8 on tpu_v4: hops'
keys Escape
see 'Layers'
keys S
see 'Slice 4x4x8 on tpu_v4'
keys q # leaves the view, not the program
see 'Layers'
keys : 'explore slice 512 on h100_cluster' Enter
see 'a switched network joins its chips'
keys : 'explore slice 4x4x9' Enter
see 'the nearest that is one is 4x4x8'
keys : 'view racks' Enter
see 'racks: has nothing to show now'

keys : 'goodput slice=8x8x8 availability=99 hours=200 seed=4' Enter
see 'tpu_v4: 64 blocks of 16 hosts'
keys Escape
see 'Racks of tpu_v4'
see 'day 0'
see 'hosts up 99 %'
keys .
see 'day 1'
keys Space # days pass by themselves
until_true 'days that pass' shows 'day [4-9]\|day [1-9][0-9]'
keys Space
keys ']'
see 'hosts up 99.3 %'
see 'availability is 99.3; undo takes it back' # a change like any other
keys +
see 'held back 1'
keys b
see 'jobs: 8x8x16'
keys u u
see 'held back 0'
see 'jobs: 8x8x8'
see 'hosts up 99.3 %'
keys : 'set jobs 4x4x5' Enter
see 'the nearest that is one is 4x4x4'
keys : 'set jobs 4x4x4:3,8x8x8:1' Enter
see 'jobs: 2 sizes'
keys + b
see 'jobs: 4x4x4'
see 'held back 1'
keys -
see 'held back 0'
keys -
see 'spares: none is held back'
keys 0
see 'day 0'
keys Escape
see 'Layers'
keys q
left 0

# The days are in the journal: a session that is opened again is where it was, and what is taken back brings a day back.
start 80 24 "$bin new ./days pod=tpu_v4 chips=256 steps=100"
see 'pipeline'
keys Space R
see 'day 0'
keys . .
see 'day 2'
keys ]
see 'hosts up 99.7 %'
keys . .
see 'day 4'
keys Space
until_true 'days that pass' shows 'day [6-9]\|day [1-9][0-9]'
keys : quit Enter # while they pass
left 0
grep -q 'set day 2 ' days.bitscape/journal && grep -q 'set availability 99.7' days.bitscape/journal || fail 'the days are not in the journal'
last=$(sed -n 's/^[0-9]* set day \([0-9]*\).*/\1/p' days.bitscape/journal | tail -n 1)
[ "$last" -ge 6 ] || fail "the last day in the journal is $last"
"$bin" --replay ./days >log 2>&1 || fail 'days are replayed'
start 80 24 "$bin ./days"
see 'pipeline'
keys R
see "day $last"
see 'hosts up 99.7 %'
keys u
see 'day 4'
keys : 'set day 1' Enter
see 'day 1,\|day 1 '
keys Escape
see 'pipeline'
keys Space
see 'The search is finished' # the card of a machine speaks of no images and no uniform choice
shows 'y  export it' || fail 'the card is not whole'
shows_not 'score it once\|uniform choice' || fail 'the card of a machine speaks of images'
keys Escape
gone 'The search is finished'
keys q
left 0

printf 'explore slice 4x4x8\n' >batch
"$bin" new batch steps=5 --batch batch >log 2>&1 && fail 'a batch explores'
grep -q 'needs the screen' log || fail "batch: $(cat log)"
exit 0
