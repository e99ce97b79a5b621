#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# This machine as a device: measured at the shell, cut off and killed on the way, and in a batch; then latency is priced by it.
set -u
. "$(dirname "$0")/batch.sh"
TRIES=600 SAN_TRIES=6000
. "$(dirname "$0")/until.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/bitscape-device-XXXXXX") || exit 1
pid=
finish() {
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1
export XDG_STATE_HOME="$work/state"
host=$XDG_STATE_HOME/bitscape/devices/host.json
net=resnet8:width=0.75
samples() { sed -n 's/.*"samples": //p' "$host" | wc -l; }

# Before it is measured there is no such device, and it is said what makes one.
expect 1 latency $net int8 device=host
says 'device measure NETWORK' err
expect 1 device measure
expect 1 device measure nonet
expect 1 device measure $net rounds=0
says 'rounds=0' err
expect 1 device measure $net color=red
says 'not one of its words' err
[ ! -e "$host" ] || fail 'a refused measurement left a file'

expect 0 device measure $net rounds=4 batch=8 threads=1
says '10 layers in 2 formats, batch 8, 1 thread, kernels [a-z0-9]*: 4 of 4 rounds' out
[ "$(samples)" -eq 20 ] || fail 'the file has not a row for each layer and format'
expect 0 latency $net int4 int8 fp32 device=host
says 'host  *8 ' out
expect 0 measured $net csv=layers.csv
says 'operators without weights' out
says 'mean |ln|' out
[ "$(wc -l <layers.csv)" -eq 21 ] || fail 'not a line for each layer and format'
expect 0 devices host
says 'measured on this machine' out
says '20 times of layers, for 8 images at once' out
expect 0 latency resnet50 int8 device=host batch=8
says 'was not measured on host' out
expect 0 latency resnet50 int8 device=host:modelled

# Cut off by a signal it says how far it came; killed it keeps what it had saved; both go on.
"$bitscape" device measure $net rounds=1000 batch=8 threads=1 >out 2>err </dev/null &
pid=$!
saved() { [ -n "$(find "$host" -newer mark 2>/dev/null)" ]; }
: >mark
until_true 'rounds are saved' saved
kill -TERM $pid
wait $pid
got=$?
pid=
[ $got -eq 143 ] || fail "a signal: status $got"
says 'rounds are saved' err
first=$(sed -n 's/.*cut off: \([0-9]*\) of 1000.*/\1/p' err)
[ "$first" -gt 4 ] || fail 'the four rounds from before are lost'
: >mark
"$bitscape" device measure $net rounds=1000 batch=8 threads=1 >out 2>err </dev/null &
pid=$!
until_true 'rounds are saved again' saved
kill -KILL $pid
wait $pid 2>/dev/null
pid=
expect 0 device measure $net rounds=1 batch=8 threads=1
kept=$(sed -n 's/.* \([0-9]*\) of [0-9]* rounds.*/\1/p' out)
[ "$kept" -gt "$first" ] || fail "killed, it has $kept rounds, and $first before"
expect 0 device measure $net rounds="$((kept + 1))" batch=8 threads=1
says "$((kept + 1)) of $((kept + 1)) rounds, $kept of them measured before" out
expect 1 device measure $net rounds=5 threads=2
says 'again' err

# A search is priced by it, and so is a batch's own network.
printf 'device measure . rounds=2 batch=4 threads=1 device=own\nset device own\nrun 3\nexpect step = 3\nmeasured . int8 on own\nplot measured m.svg\nstatus\nlatency . device=own\n' >script
# shellcheck disable=SC2086
expect 1 new ./priced $small steps=40 device=host weight.latency=1 target.latency=1x --batch script
says 'conv 3x3/1 12x12x1 to 12x12x16 was not measured on host, for 8 images at once' err
# shellcheck disable=SC2086
expect 0 new ./priced $small steps=40 weight.latency=1 target.latency=1x --batch script
says 'ms per 4 images on own' out
[ -s m.svg ] || fail 'no picture of the measured layers'
says 'Layers on own, batch 4' m.svg

# Times from elsewhere.
printf 'kind,m,k,n,dtype,us,spread\nproduct,1536,2048,2048,bf16,52.5,0.5\n' >k.csv
expect 0 measured k.csv on tpu_v4 warm
says 'compute' out
expect 1 measured k.csv
expect 0 measured
says 'GPT-2' out
