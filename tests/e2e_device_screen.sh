#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A measurement of this machine in the workbench: beside the screen, while the search stands still; cancelled, and gone on with.
. "$(dirname "$0")/tui.sh"

line() { keys ":$1" Enter; }
start 120 36 "$bin new net=resnet8 data=glyphs:12 steps=1000000 threads=1"
see 'running'
# What computes gives way to what answers keys: the first thread is the workbench's, of the others some have a lower priority.
nice_of() { sed 's/.*) //' "$1" | cut -d' ' -f17; }
lower() { for t in /proc/"$(cat "$dir/pid")"/task/*; do nice_of "$t/stat"; done | grep -qx "$(($(nice_of "/proc/$(cat "$dir/pid")/stat") + 5))"; }
until_true 'threads that give way' lower
line 'device measure . rounds=1000'
see 'the search takes the processors'
keys Space
see 'paused'
line 'device measure . rounds=1000 threads=1'
see 'device cancel'
see 'measuring resnet8: [0-9]* %'
keys j # the screen answers meanwhile
line 'device measure .'
see 'a measurement is going on'
line 'run 5'
see 'the machine is being measured'
line 'device cancel'
see 'cut off: [0-9]* of 1000 rounds of resnet8 are saved'
line 'device cancel'
see 'nothing is being measured'
line 'device measure . rounds=2 threads=1 device=mine'
see 'set device mine'
line 'set device mine'
see 'device is mine'
line 'measured . on mine'
see 'measured us'
keys Escape
gone 'measured us'
line 'device measure . rounds=1000 threads=1'
see 'device cancel'
line 'quit' # while it is measured
left 0
[ -s "$home/devices/host.json" ] || fail 'what was measured is not kept'
