#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# `scale` end to end: the table, its CSV and figure; candidates trained, killed and resumed; the family as files that train; and what
# cannot be.
set -u
. "$(dirname "$0")/batch.sh"
TRIES=600 SAN_TRIES=6000
. "$(dirname "$0")/until.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/bitscape-scale-XXXXXX") || exit 1
pid=
finish() {
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1
export XDG_STATE_HOME="$work/state"
refused() { # WORDS ARGUMENT...
	words=$1
	shift
	expect 1 "$@"
	says "$words" err
	[ "$(wc -l <err)" -eq 1 ] || fail "more than a line: $*"
}
results() { find "$1.race" -name '*.json' 2>/dev/null | wc -l; }
some() { [ "$(results "$1")" -ge "$2" ]; }
running() { # WORD: a process has it in its command line; not the one that looks
	echo "$1" >pattern
	grep -qF -f pattern /proc/[0-9]*/cmdline 2>/dev/null
}
idle() { ! running "$1.race"; }

# ---- without training
expect 0 scale resnet20:res=16 device=tpu_v4 levels=2,4 csv=scale.csv
says '^level 2: 12 candidates of ' out
says '^level 4: 12 candidates of ' out
[ "$(wc -l <scale.csv)" -eq 26 ] || fail 'the CSV has not a line for the base and for each candidate'
if command -v gnuplot >/dev/null; then
	expect 0 scale resnet20:res=16 device=tpu_v4 levels=2 plot=scale.svg
	[ -s scale.svg ] || fail 'no figure'
fi
printf 'scale resnet20:res=16 device=tpu_v4 levels=2\nscale resnet20 steps=10 race=x\n' >inside
# shellcheck disable=SC2086
expect 1 new ./inside $small --batch inside
says '^level 2: 12 candidates of ' out
says 'inside:2: race: a race takes the machine for hours' err

# ---- trained: in one go, and killed and resumed
asked='resnet8:res=8,width=0.25 device=tpu_v4 levels=2,4 points=2 largest=12'
settings='steps=4 seeds=1-2 data=glyphs:12 train=256 heldout=128 batch=16 calibration=16 threads=1'
# shellcheck disable=SC2086
expect 0 scale $asked race=whole $settings
says '^whole.race: 20 runs, 0 of them finished' out
says '^whole.race: 20 of 20 runs are finished' out
says '^level 4: rank correlation of accuracies, short and long: ' out
says '^long: multiple = latency^exponent, fitted to the best of each level: depth ' out
grep -q -e '^no conclusion: ' -e '^conclusion: ' out || fail 'neither a conclusion nor a refusal'
says '^scale resnet8:res=8,width=0.25 device=tpu_v4 levels=2,4 points=2 largest=12$' whole.race/plan
grep -q '^net=' whole.race/plan && fail 'candidates are written as networks'
# shellcheck disable=SC2086
"$bitscape" scale $asked race=halves $settings >out 2>err </dev/null &
pid=$!
until_true 'three results' some halves 3
kill -KILL $pid
wait $pid 2>/dev/null
pid=
until_true 'the end of the run that was in hand' idle halves
expect 0 scale halves.race
says '^no conclusion: [0-9]* of 16 trainings of candidates have no result' out
expect 0 race resume halves
says '^halves.race: 20 of 20 runs are finished' out
expect 0 scale whole.race csv=whole.csv out=family
grep -v wrote out >whole.txt
expect 0 scale halves.race csv=halves.csv
grep -v -e wrote out >halves.txt
cmp -s whole.csv halves.csv || fail "in two parts it gives something else: $(diff whole.csv halves.csv)"
sed 's/^halves/whole/' halves.txt | cmp -s - whole.txt || fail 'in two parts it concludes something else'

# ---- the family
for level in 1 2 4; do
	file=family/resnet8-res-8-width-0.25-l$level.net
	says '^input [0-9]*x[0-9]*x3 resize$' "$file"
	printf 'run\nevaluate test\n' >script
	expect 0 new "./l$level" net="$file" steps=4 data=glyphs:12 train=256 heldout=128 batch=16 calibration=16 threads=1 --batch script
	says 'test' out
done

# ---- what cannot be
refused 'levls=2: no such word; did you mean' scale resnet20 levls=2
refused 'it takes no depth=' scale inception
refused 'which candidates make a family' scale resnet20 out=x
refused 'the trainings need a folder' scale resnet20 steps=10
refused 'how long to train is not said' scale resnet20 race=x
refused '"many" is not a number of steps' scale resnet20 steps=many race=x
refused 'no such setting' scale resnet8 points=1 levels=2 steps=10 race=x frob=1
refused 'halves.race: there is a race of this name' scale resnet8 points=1 levels=2 steps=10 race=halves
refused 'its plan says what was asked already' scale whole.race levels=2
refused 'there is no race here' scale nothing.race
mkdir bare.race && printf 'formats=int4\ndata=glyphs:12\n' >bare.race/plan
refused 'its plan has no `scale` line' scale bare.race
printf 'scale\nformats=int8\n' >bad
refused 'bad:1: scale: which network is not said' race x bad
printf 'scale resnet8\nscale resnet8\n' >bad
refused 'bad:2: scale: there are two such lines' race x bad
printf 'scale resnet8 level=2\n' >bad
refused 'bad:1: level=2: no such word' race x bad
[ ! -e x.race ] || fail 'a race that cannot be has a folder'
exit 0
