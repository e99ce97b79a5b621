#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A network from an ONNX file: described, refused in one line, and searched from the weights that the file holds.
set -u
. "$(dirname "$0")/batch.sh"
nets=$(cd "$(dirname "$0")/data/onnx" && pwd) || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/bitscape-onnx-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME="$work"
mkdir "$work/bitscape" && cd "$work/bitscape" || exit 1

echo "describe $nets/residual.dyn.onnx" >ask
expect 0 --batch ask
says 'down.0  conv ' out
says '22.97 k MACs for one image, 2.592 k weights, 2.646 k parameters' out
echo "describe $nets/attend.dyn.onnx net.net" >ask
expect 1 --batch ask
says 'a description has no words for its operator' err
LC_ALL=C sed 's/MaxPool/MaxWarp/' "$nets/residual.dyn.onnx" >warp.onnx
echo "describe ./warp.onnx" >ask
expect 0 --batch ask
says 'down.0  conv ' out
says 'not costed, but for what they read and write; the network cannot run or be searched:' out
says '^  MaxWarp ' out
head -c 5000 "$nets/residual.dyn.onnx" >cut.onnx
echo "describe ./cut.onnx" >ask
expect 1 --batch ask
says 'cut.onnx: no ONNX file, or one that was cut off; export it again' err
[ "$(wc -l <err)" -eq 1 ] || fail 'more than one line'

# Images such as CIFAR-10's, of the program's own bytes: larger than the network's, which makes them smaller.
mkdir images
for i in 0 1 2 3 4 5 6 7 8 9; do
	for label in 0 1 2 3 4 5 6 7 0 1; do # octal
		printf "\\00$label"
		tail -c +$((20000 * i + 3000 * label + 1)) "$bitscape" | head -c 3072
	done
done >images/data_batch_1.bin
cp images/data_batch_1.bin images/data_batch_2.bin
cp images/data_batch_1.bin images/test_batch.bin

expect 1 new warp net=./warp.onnx data=cifar10:images train=128 heldout=64 batch=8 --batch ask
says 'MaxWarp .*: this operator is not known' err
[ "$(wc -l <err)" -eq 1 ] || fail 'more than one line'

# Weights are the file's, whatever the seed: nothing is learnt at a rate of 0, and both exporters wrote the same network.
cat >run <<'EOT'
run
evaluate test
EOT
result() { # NET SEED: into $said
	expect 0 new "$1-$2" net="$nets/$1" data=cifar10:images train=128 heldout=64 batch=8 space=fp32 rate=0 steps=2 \
		calibration=16 front-images=16 threads=1 seed="$2" --batch run
	said=$(grep 'test images' out) || fail 'no result'
}
result residual.dyn.onnx 1
one=$said
result residual.dyn.onnx 2
two=$said
result residual.old.onnx 3
old=$said
[ "$one" = "$two" ] || fail "$one; with another seed $two"
[ "$one" = "$old" ] || fail "$one; by the other exporter $old"

# They train from there, through operators of every kind, and a search finds its formats.
for net in attend.dyn.onnx windows.old.onnx unusual.dyn.onnx; do
	expect 0 new "t-$net" net="$nets/$net" data=cifar10:images train=128 heldout=64 batch=8 space=int-s steps=6 \
		calibration=16 front-images=16 threads=1 --batch run
	says 'test images' out
done

# What left quantized comes back: its formats as a draft, which pins them, and written again the same (unit_quantized has the codes).
printf 'run\nexport qdq one.onnx\n' >leave
expect 0 new leaves net=resnet8:width=0.25 data=cifar10:images train=128 heldout=64 batch=8 space=int-s steps=6 \
	calibration=16 front-images=16 threads=1 --batch leave
printf 'apply file\ndraft commit\nrun\nexport qdq FILE\n' >again
again() { # FROM TO
	sed "s/FILE/$2/" again >lines
	expect 0 new "from-$1" net="./$1" data=cifar10:images train=128 heldout=64 batch=8 space=int-s rate=0 steps=2 \
		calibration=16 front-images=16 threads=1 --batch lines
	says "$1 is quantized: .apply file. drafts its formats, of 10 of 10 layers" out
}
again one.onnx two.onnx
again two.onnx three.onnx
echo 'describe ./two.onnx' >ask
expect 0 --batch ask
grep -E '^(stem|s[0-9].*|head) +(int[2-8]|fp32) +(their|the|a) ' out >told || fail 'no formats'
echo 'describe ./three.onnx' >ask
expect 0 --batch ask
grep -E '^(stem|s[0-9].*|head) +(int[2-8]|fp32) +(their|the|a) ' out | cmp -s - told || fail 'other formats'
echo 'apply file' >ask
expect 1 leaves --batch ask
says 'there are no formats in it' err
