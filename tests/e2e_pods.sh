#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Reports run as commands of the shell, without a session, a terminal or a place to keep one.
set -u
program=$OUT/bitscape
work=$(mktemp -d "${TMPDIR:-/tmp}/bitscape-pods-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

fail() {
	echo "$1"
	cat out err 2>/dev/null
	exit 1
}
takes() { # WORDS... : works, says nothing on standard error
	"$program" "$@" >out 2>err || fail "bitscape $* failed"
	[ -s out ] && [ ! -s err ] || fail "bitscape $* is not silent on standard error, or says nothing"
}
refuses() { # TEXT WORDS...: one line on standard error that holds the text, status 1
	text=$1
	shift
	"$program" "$@" >out 2>err
	status=$?
	[ "$status" -eq 1 ] || fail "bitscape $*: status $status, not 1"
	[ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] && grep -qF -- "$text" err || fail "bitscape $*: not one line with \"$text\""
}

takes slice 4x4x8 twisted on tpu_v4
grep -qF '73.333 on the fullest link' out || fail 'the load of 4x4x8 twisted'
takes slice 4x4x8 twisted failed=x+0,0,0
grep -qF 'without the link x+ of 0,0,0: 82.576 on the fullest link' out || fail 'a failed link'
takes slice 4x4x8 axis=z
grep -qF 'a gather along z alone: 3.5 to 3.5' out || fail 'a gather on one axis'
if command -v gnuplot >/dev/null; then
	takes slice 4x4x8 plot=hops.svg loads=loads.svg
	takes goodput slice=8x8x8 availability=99 hours=500 plot=goodput.svg
	takes slice 4x4x8 split=z4 plot=links.svg
	takes slices 256 plot=slices.svg
	takes partition gpt3 512 plot=partition.svg
	takes partition gpt3:layers=48 256,512 plot=sizes.svg
	takes carbon gpt3 256,512 deadline=60 plot=carbon.svg
	takes embeddings dlrm_dcnv2 4x4x8 plot=embeddings.svg
	takes pods published plot=published.svg
	grep -q 'model / published' published.svg || fail 'the figure of published results'
	refuses 'is not drawn' pods plot=pods.svg
	for picture in hops loads goodput links slices partition sizes carbon embeddings published; do
		grep -q '<svg' $picture.svg || fail "$picture.svg"
	done
	refuses 'svg, png or pdf' slice 4x4x8 plot=hops.gif
fi
takes slices 512 csv=slices.csv
[ "$(wc -l <slices.csv)" -eq 4 ] && head -n 1 slices.csv | grep -q '^slice,twisted,links,' || fail 'slices.csv'
takes goodput slice=8x8x8 availability=99 hours=500 csv=goodput.csv
takes partition gpt3 512 top=3 csv=partition.csv
[ "$(wc -l <partition.csv)" -eq 4 ] || fail 'partition.csv'
takes embeddings dlrm_dcnv2 4x4x8 on tpu_v4 csv=embeddings.csv
takes carbon csv=carbon.csv
takes pods published csv=published.csv
head -n 1 published.csv | grep -q '^row,figure,with,published,model' || fail 'published.csv'
takes pods
cat >mine.json <<'JSON'
{"bitscape-pod": 1, "name": "mine", "device": "tpu_v4", "source": "me", "network": "fixed", "axes": [8, 8],
 "figures": {"host": 4, "memory": 32, "chips": 64, "link": 45, "hop": {"value": 1, "low": 0.5, "high": 2}}}
JSON
takes slice 4x8 on ./mine.json
takes pods mine.json

refuses 'the nearest that is one is 4x4x8' slice 4x4x9
refuses 'did you mean' slice 4x4x8 twistd
refuses 'usage: slice' slice
refuses 'paths, hops or dimension' slice 4x4x8 routing=shortest
refuses 'has one chip only' slice 1x2x2 axis=x
refuses 'write x+0,0,0' slice 4x4x8 failed=q
refuses 'the slice has 4 along x' slice 4x4x8 failed=x+4,0,0
refuses 'no such link' slice 1x2x2 failed=z-0,0,0
refuses 'no way around' slice 4x4x8 failed=z+0,0,0 routing=dimension
refuses 'no way around' slice 4x4x8 failed=z+0,0,0 axis=z
refuses 'islands' slice 512 on h100_cluster axis=x
refuses 'they multiply to 256' partition gpt3 8x8x8 spec=8,1,8,4
refuses 'will not do' goodput availability=200
refuses 'disk' slice 4x4x4 csv=/dev/full/disk
printf '%s' '{"bitscape-pod": 1, "name": "a\u001b[31mb", "device": "tpu_v4\u001b[31m", "source": "me", "network": "fixed", "figures": {}}' >bad.json
refuses 'there is no device' pods ./bad.json
grep -q "$(printf '\033')" err && fail 'an escape sequence got through'
"$program" slices 512 >/dev/full 2>err && fail 'a full disk was not noticed'
# A session that is called as a report is reached by its path.
printf 'status\n' | "$program" new ./slices steps=10 --batch - >out 2>err && [ -d slices.bitscape ] || fail 'a session called slices'
printf 'status\n' | "$program" ./slices --batch - >out 2>err && grep -q 'step 0' out || fail 'the session called slices again'
takes slices 512
exit 0
