#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Finds a Python that has PyTorch and prints the command that times a step with it, for PEER of tests/bench_steps.c: what `make bench-peer`
# installed, else the first python3 on the path, else Debian's. Says on standard error what it took. Prints nothing where there is none.
here=$(cd "${0%/*}" && pwd) || exit 1
old=$IFS
IFS=:
set -f
for folder in "${OUT:-build}/peer/bin" $PATH /usr/bin; do
	python=${folder:-.}/python3
	[ -x "$python" ] || continue
	version=$("$python" -c 'import torch; print(torch.__version__)' 2>/dev/null) || continue
	echo "peer: PyTorch $version of $python" >&2
	echo "'$python' '$here/peer_step.py'"
	break
done
IFS=$old
