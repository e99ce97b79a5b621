#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The campaign of faults (tests/campaign.c): some of each kind, or with LONG all of it. Its counts are in the log.
set -u
OUT=${OUT:-build}
[ -x "$OUT/tests/campaign" ] || { echo "$OUT/tests/campaign is not built"; exit 1; }
if [ -n "${LONG:-}" ]; then
	"$OUT/tests/campaign" --long
else
	"$OUT/tests/campaign" --seconds 15
fi
