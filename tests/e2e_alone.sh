#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A point of the front trained alone: by a process of its own, as the same choice in a race is; the search is untouched; it is known again; what
# is in the way is said, and no process stays behind.
set -u
. "$(dirname "$0")/batch.sh"
TRIES=600 SAN_TRIES=6000
. "$(dirname "$0")/until.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/bitscape-alone-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export XDG_STATE_HOME="$work/state"
small='data=glyphs:12 train=512 heldout=256 batch=16 calibration=32 threads=1'

# shellcheck disable=SC2086
make_search() { expect 0 new "./$1" $small net=resnet8:width=0.5 steps=80 front-every=20 --batch "$2"; }
printf 'run 60\ndigest\n' >plain
make_search plain plain
plain=$(sed -n 's/.*digest //p' out)
[ -n "$plain" ] || fail 'no digest'

printf 'run 60\npoint 2 train 20\ndigest\npoint 2 train 20\n' >train
make_search tried train
says 'point 2 is trained alone, from nothing, for 20 steps' out
[ "$(grep -c '^point 2, trained alone from nothing for 20 steps: .* on the held-out images, .* on the test images' out)" -eq 2 ] ||
	fail 'it was not told, or not known again'
says "digest $plain" out
[ "$(find tried.bitscape -name 'alone-*.race' | wc -l)" -eq 1 ] || fail 'it was trained twice'
folder=$(find tried.bitscape -name 'alone-*.race')
told=$(sed -n 's/^point 2, .*: \([0-9.]*\) % on the held-out.*/\1/p' out | tail -1)

# The same choice in a race elsewhere ends in the same digest of the weights.
first=$(sed -n 's/.*"digest": "\([0-9a-f]*\)".*/\1/p' "$folder"/alone-*.json)
cp "$folder/choice.json" elsewhere.json
{ grep -v '^entrant' "$folder/plan"; echo 'entrant mine choice=elsewhere.json'; } >plan
mkdir sub
expect 0 race sub/again plan
says '^1/1 mine resnet8:width=0.5 choice seed 1: test ' out
second=$(sed -n 's/.*"digest": "\([0-9a-f]*\)".*/\1/p' sub/again.race/mine-*.json)
[ -n "$first" ] && [ "$first" = "$second" ] || fail "digests $first and $second"
# Another choice in the file is another run.
sed 's/"format": "int[0-9]*"/"format": "int8"/' elsewhere.json >other.json
mv other.json elsewhere.json
expect 0 race resume sub/again
[ "$(find sub/again.race -name 'mine-*.json' | wc -l)" -eq 2 ] || fail 'a changed choice was not trained'
rm elsewhere.json
expect 1 race table sub/again
says 'elsewhere.json' err

# A session that was moved knows it still.
mv tried.bitscape moved.bitscape
printf 'point 2 train 20\n' >again
expect 0 ./moved --batch again
says "^point 2, trained alone from nothing for 20 steps: $told %" out
[ "$(find moved.bitscape -name 'alone-*.race' | wc -l)" -eq 1 ] || fail 'it was trained again'

# What is in the way.
printf 'point 1 train much\n' >slip
expect 1 ./moved --batch slip
says 'is not a number of steps' err
printf 'run 300\npoint 1 train\n' >table
expect 1 new ./table net=resnet18 data=none sensitivity=hawq weight.bops=1 target.bops=int4 --batch table
says 'nothing is trained in this search' err

# A session that ends takes the process along.
printf 'run 60\npoint 1 train 100000\n' >long
# shellcheck disable=SC2086
"$bitscape" new ./long $small net=resnet8:width=0.5 steps=80 front-every=20 --batch long >out 2>err &
pid=$!
racing() { grep -qsF 'long.bitscape/alone-' /proc/[0-9]*/cmdline; }
until_true 'the race of one to begin' racing
kill -TERM $pid
wait $pid
gone() { ! racing; }
until_true 'the race of one to end' gone
folder=$(find "$work/long.bitscape" -name 'alone-*.race')
says "point 1 was being trained alone, and is not finished: .bitscape race resume .*$(basename "$folder"). trains it" err

# It is said again when the session is opened, and what is said does it.
expect 0 ./long --batch /dev/null
says "a choice was being trained alone when the session was left: .bitscape race resume .*$(basename "$folder"). trains it" out
sed -i 's/^steps=.*/steps=20/; s/ steps=100000/ steps=20/' "$folder/plan"
expect 0 race resume "$folder"
expect 0 ./long --batch /dev/null
! grep -q 'was being trained alone' out || fail 'what was trained since is told as broken off'
