# SPDX-License-Identifier: GPL-3.0-or-later
# Read in by tests that run the program without a terminal, in a folder of their own: $bitscape, and what is said of a run.
bitscape=${OUT:-build}/bitscape
case $bitscape in /*) ;; *) bitscape=$(pwd)/$bitscape ;; esac

fail() {
	echo "$*"
	[ ! -f out ] || sed 's/^/  out: /' out
	[ ! -f err ] || sed 's/^/  err: /' err
	exit 1
}
# expect STATUS ARGUMENT...: runs the program; what it prints is in out and err.
expect() {
	want=$1
	shift
	"$bitscape" "$@" >out 2>err </dev/null
	got=$?
	[ "$got" -eq "$want" ] || fail "status $got, not $want: bitscape $*"
}
says() { grep -q -- "$1" "$2" || fail "'$1' is not in $2"; }
digest() { sed -n 's/^# digest [0-9]* \([0-9a-f]*\) .*/\1/p' "$1.bitscape/journal" | tail -n 1; }
# A search of a second or two; a test says its steps.
small='net=resnet8 data=glyphs:12 train=512 heldout=256 batch=16 space=int-s front-every=20 front-images=64 calibration=32'
