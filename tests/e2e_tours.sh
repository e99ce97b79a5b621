#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Tours that drive the screen, without a terminal: each runs on a screen that nobody sees, does its acts, and checks what it claims; so that a
# tour whose lesson is no longer true fails here, with its line.
set -u
bin=$OUT/bitscape
tours=$(pwd)/sessions/tours
dir=$(mktemp -d "$TMPDIR/tours-XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
fail() {
	failed=1
	printf '%s\n' "$*"
}
count=0
for tour in "$tours"/*.tour; do
	grep -q '^lesson ' "$tour" || continue
	name=$(basename "$tour" .tour)
	count=$((count + 1))
	grep -q -e '^expect ' -e '^says ' -e '^until ' "$tour" || fail "$name claims nothing"
	"$bin" --tour "$name" >out 2>err </dev/null || fail "$name: $(tail -n 1 err)"
	sed -n 's/^echo "\(.*\)"$/\1/p' "$tour" >told
	grep -cxFf told out | grep -qx "$(wc -l <told)" || fail "$name does not tell all"
	grep -q '^:\(light\|hold\|until\|notes\|press\)' out && fail "$name shows what is about the screen alone"
done
[ "$count" -ge 12 ] || fail "there are $count tours"

# Recorded, it is played to its end: a page after the other, each for as long as it takes to read, and whole lines of JSON.
"$bin" record tour pin pin.cast size=80x24 >out 2>err </dev/null || fail "record tour pin: $(cat err)"
grep -q '^pin.cast: [0-9]* frames, [0-9]* s, 80x24$' out || fail "record tour pin says $(cat out)"
head -n 1 pin.cast | grep -q '"width": *80' || fail 'the recording has no head'
pages=$(grep -c '^$' "$tours/pin.tour")
last=$(tail -n 1 pin.cast | sed 's/^\[\([0-9]*\).*/\1/')
[ "$last" -ge $((2 * pages)) ] || fail "a recording of $pages pages ends at $last s"
[ "$(grep -c '^\[' pin.cast)" -gt $((3 * pages)) ] || fail 'the recording has few frames'
"$bin" record tour flops flops.cast >out 2>err </dev/null && fail 'a tour that is a text is recorded'
grep -q 'is a text, and drives no screen' err || fail "record tour flops: $(cat err)"
[ -e flops.cast ] && fail 'a recording that failed left a file'
begin='lesson "Own" net=resnet8:width=0.25 data=glyphs:12 batch=8 threads=1 steps=20'
printf '%s\n\necho "one"\nact view front\nuntil screen.focus = layers\n' "$begin" >never.tour
sed -i 's/until .*/until step = 7/' never.tour
"$bin" record tour ./never.tour never.cast >out 2>err </dev/null && fail 'a tour that never ends is recorded'
grep -q 'does not bring about what it should' err || fail "never: $(cat err)"

# A claim that does not hold, an act that does not bring about what it should, a key that means nothing: one line each, with its place.
begin='lesson "Own" net=resnet8:width=0.25 data=glyphs:12 batch=8 threads=1 steps=20'
wrong() { # LINE SAYS
	printf '%s\n\necho "one"\nhold 4\n%s\necho "never"\n' "$begin" "$1" >own.tour
	"$bin" --tour ./own.tour >out 2>err </dev/null
	[ $? = 1 ] || fail "not refused: $1"
	grep -q "own.tour:5: .*$2" err || fail "$1: $(cat err)"
	grep -q never out && fail "it goes on behind: $1"
}
wrong 'expect pinned.stem = int4' 'it is no, expected = int4'
wrong 'until screen.focus = front' 'it is layers, expected = front'
wrong 'says "no such answer"' 'is not in the answer'
wrong 'press f9' 'means nothing here'
wrong 'light nowhere' 'is no view'
wrong 'act pni stem int4' 'pni'
# It is of the session that it was made for.
"$bin" new other net=resnet8:width=0.25 data=glyphs:12 --batch "$tours/look.tour" >out 2>err </dev/null && fail 'a tour in another session'
"$bin" --pace 2 >out 2>err && fail '--pace without a tour'
"$bin" --tour look --pace x >out 2>err && fail '--pace x'
exit $failed
