#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The smallest command that scores bitscape's choices: a made-up accuracy that falls with the bits of each slot. Write your own in any
# language; the dialogue is described in engine/search/sources/pipe.c.
#
#	bitscape new toy space=int-s "quality=pipe:sh bits_quality.sh"
read -r hello
echo "$hello" | grep -q '"protocol": *1' || { echo "this speaks protocol 1" >&2; exit 1; }
echo 'hello 1 accuracy'
while read -r verb id choice; do
	[ "$verb" = eval ] || continue
	slots=0 sum=0
	for format in $choice; do
		bits=${format#int}
		sum=$((sum + 10000 - 10000 / (bits * bits)))
		slots=$((slots + 1))
	done
	printf '%s ok quality=0.%04d\n' "$id" $((sum / slots))
done
