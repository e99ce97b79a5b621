#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Batch runs end to end: a script with every kind of line, save and open, replay, exit statuses, signals, a killed process,
# a full disk, two instances. The program is $OUT/bitscape.
set -u
. "$(dirname "$0")/batch.sh"
scripts=$(cd "$(dirname "$0")/../sessions" && pwd) || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/bitscape-batch-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
# Names without a slash lie in the state folder: the tests run there.
export XDG_STATE_HOME="$work"
mkdir "$work/bitscape" && cd "$work/bitscape" || exit 1

# The script that teaches the language does what it says.
# shellcheck disable=SC2086
expect 0 new first $small space=wide steps=210 --batch "$scripts/first.batch"
says 'stem is pinned to int8' out
for file in policy.json layers.csv history.csv front.csv manifest.json journal checkpoint-210.safetensors; do
	[ -s "first.bitscape/$file" ] || fail "first.bitscape/$file is missing"
done
[ "$(wc -l <first.bitscape/history.csv)" -eq 211 ] || fail 'history.csv has not a line for each step'

# One run; the same in two parts; the same by replay: the same bits, and the same output.
cat >part1 <<'EOF'
run 20
pin stem int8
group s2* as stage2
run 9
set gradients bf16
run 4
target bops 0.5x
decide split
EOF
cat >part2 <<'EOF'
run 7
undo
redo
weight bops 0.4
pin head.w int8 stage2.a int4
wait step 50
expect pinned.s2b1.skip = no/int4
decide tied
ungroup stage2
wait step 55
wait finished
EOF
cat part1 part2 >both
# shellcheck disable=SC2086
expect 0 new whole $small steps=60 threads=1 --batch both
cp out whole.out
# shellcheck disable=SC2086
expect 0 new parts $small steps=60 threads=2 --batch part1
cp out parts.out
expect 0 parts --batch part2
cat out >>parts.out
[ -n "$(digest whole)" ] && [ "$(digest whole)" = "$(digest parts)" ] || fail 'two parts end in another digest'
cmp -s whole.out parts.out || fail 'two parts say something else'
expect 0 --replay whole
says "$(digest whole)" out

# A failing line: its place, status 1, and what was done before stands.
printf 'run 5\npin stem int8\n\nexpect step > 1000 # no\necho never\n' >failing
# shellcheck disable=SC2086
expect 1 new failing $small steps=60 --batch failing
says 'failing:4: step: it is 5, expected > 1000' err
! grep -q never out || fail 'the run went on after a line that failed'
says '^5 pin stem int8' failing.bitscape/journal
expect 2 failing --batch no-such-file
printf 'run 3\nprint step\n' | "$bitscape" failing --batch - >out 2>err || fail 'a script from standard input'
says 'step 8' out

# A tour is a batch file: all that it tells is printed, and its commands before their answers; so it is by its name too.
tour=$scripts/tours/flops.tour
expect 0 --batch "$tour"
sed -n 's/^echo "\(..*\)"$/\1/p' "$tour" >told
[ "$(grep -cxFf told out)" -eq "$(wc -l <told)" ] || fail 'the tour does not tell all'
[ "$(grep -c '^:' out)" -eq "$(grep -vc -e '^echo ' -e '^#' -e '^$' "$tour")" ] || fail 'not every command is shown'
grep -q '.\{73\}' told && fail 'a line of the tour is too long for the box at 80 columns'
cp out flops.out
expect 0 --tour flops
cmp -s out flops.out || fail 'the tour by its name says something else'
mkdir -p there/bin there/share/bitscape/tours
cp "$bitscape" there/bin
printf '# own\necho "one"\n\n \necho "two" # not told\ndevices t4\n' >there/share/bitscape/tours/own.tour
there/bin/bitscape --tour own --auto >out 2>err </dev/null || fail 'an installed tour'
head -n 5 out | tr '\n' '/' | grep -q '^one//two//:devices t4/$' || fail 'the parts of a tour'
# A tour that is not there, a line of it that fails: one line each.
expect 2 --tour no-such
says 'no-such: no tour has this name; these are: ' err
[ "$(wc -l <err)" -eq 1 ] || fail 'more than a line'
expect 2 --tour ./no-such.tour
says 'no-such.tour: ' err
printf 'echo one\n\nlatency no-such-net\necho two\n' >bad.tour
expect 1 --tour bad.tour
says 'bad.tour:3: no-such-net: no such network' err
[ "$(wc -l <err)" -eq 1 ] || fail 'more than a line'
! grep -q two out || fail 'the tour went on after a line that failed'

# What a person, a shell or a scheduler ends a run with: saved, 128 + n.
for signal in TERM:143 INT:130 QUIT:131 USR1:138 ALRM:142 XCPU:152; do
	name=sig${signal%:*}
	echo 'wait finished' >long
	# shellcheck disable=SC2086
	"$bitscape" new "$name" $small steps=1000000 --batch long >out 2>err </dev/null &
	pid=$!
	until grep -q '"closed"' "$name.bitscape/manifest.json" 2>/dev/null; do
		kill -0 $pid 2>/dev/null || fail "$name: it did not begin"
		sleep 0.1
	done
	sleep 0.5
	kill -"${signal%:*}" $pid
	wait $pid
	got=$?
	[ $got -eq "${signal#*:}" ] || fail "$name: status $got"
	says saved err
	ls "$name.bitscape"/checkpoint-*.safetensors >/dev/null || fail "$name: no checkpoint"
	echo 'print step' >ask
	expect 0 "$name" --batch ask
done

# Killed: nothing that was acknowledged is lost, and it ends in the same bits as without.
cat part1 >killed
echo 'run 10000000' >>killed
# shellcheck disable=SC2086
"$bitscape" new dead $small steps=1000000 --batch killed >out 2>err </dev/null &
pid=$!
until grep -q '^33 decide' dead.bitscape/journal 2>/dev/null; do
	kill -0 $pid 2>/dev/null || fail 'dead: it did not come so far'
	sleep 0.1
done
kill -9 $pid
wait $pid 2>/dev/null
printf 'expect step = 33\nexpect changes = 5\ndigest\n' >ask
expect 0 dead --batch ask
says 'caught up with the journal: 5 changes' out
expect 0 --replay dead

# Two at once: the second one only reads.
# shellcheck disable=SC2086
"$bitscape" new both2 $small steps=1000000 --batch long >/dev/null 2>&1 </dev/null &
pid=$!
until [ -s both2.bitscape/manifest.json ]; do sleep 0.1; done
printf 'status\npin stem int8\n' >ask
expect 1 both2 --batch ask
says 'reading only: another bitscape has it' out
grep -q '^[0-9]' both2.bitscape/journal && fail 'the second one wrote into the journal'
says 'ask:2:' err
kill -TERM $pid
wait $pid

# A network as C: what compiles, and what cannot be written leaves no file.
printf 'run 6\nexport c net.h\n' >ask
# shellcheck disable=SC2086
expect 0 new inc $small steps=6 space=int-s --batch ask
says 'wrote net.h' out
grep -q 'static inline void net_run(const float \*image' net.h || fail 'net.h has no inference'
rm net.h
printf 'run 6\nexport c net.h\n' >ask
# shellcheck disable=SC2086
expect 1 new inc2 $small steps=6 space=fp-s --batch ask
says 'C is written for integer formats of up to 8 bits' err
printf 'run 6\nexport qdq net.onnx\n' >ask
# shellcheck disable=SC2086
expect 1 new blocks-qdq $small space=nvfp4 steps=6 --batch ask
says 'stem: nvfp4, the format of its inputs, has scales that every image finds anew, which are not written; .*pin stem.a to e4m3' err
printf 'run 6\nexport qonnx net.onnx\n' >ask
# shellcheck disable=SC2086
expect 1 new blocks-qonnx $small space=nvfp4 steps=6 --batch ask
says 'has scales by blocks, which are not written; pin it to e2m1' err
[ ! -e net.onnx ] || fail 'a refused export left a file'
# Weights in blocks leave; the search over them, and what was done to it, is made again to the bit.
printf 'run 3\npin *.a int8 stem.w mxint8 head.w mxfp4\nset block-scale search\nrun 3\nset block-scale up\nrun\nexport qdq net.onnx\n' >ask
# shellcheck disable=SC2086
expect 0 new blocks-out $small space=int8,nvfp4,mxfp4,mxint8 decide=split wide-start=0 steps=9 --batch ask
[ -s net.onnx ] || fail 'weights in blocks were not written'
rm net.onnx net.onnx.md
expect 0 --replay blocks-out
says "$(digest blocks-out)" out
printf 'run 6\nfront\nexport qdq net.onnx\nexport qdq wide.onnx reach=qonnx\nexport qdq fold.onnx reach=openvino norms=fold\nexport qonnx q.onnx\nexport aimet a.encodings\nexport qdq point.onnx point=1\nexport qdq lane.onnx lane=1\n' >ask
# shellcheck disable=SC2086
expect 0 new onnx $small steps=6 front-every=2 space=int-s --batch ask
for file in net.onnx wide.onnx fold.onnx q.onnx a.encodings point.onnx lane.onnx; do
	[ -s $file ] || fail "$file was not written"
	[ -s $file.md ] || fail "nothing says how $file is opened"
	rm -f $file $file.md
done
[ -s a.onnx ] || fail 'the network of the encodings was not written'
rm -f a.onnx
says 'wrote a.encodings and a.onnx; read again, it has every layer' out
says 'wrote point.onnx: point 1 of the front, with the weights of now; read again' out
says 'wrote lane.onnx: the result of lane 1; read again' out
# For whom the search is: what they do not run is not in the space.
printf 'status\nrun 6\nexport qdq net.onnx\n' >ask
# shellcheck disable=SC2086
expect 0 new reach $small steps=6 space=int4,int8,e4m3 reach=openvino --batch ask
says 'for reach=openvino the space is without e4m3' out
grep -q 'for OpenVINO' net.onnx.md || fail 'the file is not for whom the search is'
rm net.onnx net.onnx.md
# shellcheck disable=SC2086
expect 1 new reach2 $small steps=6 space=fp-s reach=c --batch ask
says 'a C99 compiler runs none of its formats' err
expect 1 new reach2 pod=tpu_v4 reach=ort --batch ask
says 'with pod= no network is searched that could leave' err
for words in 'qdq x.onnx point=1000' 'qdq x.onnx lane=2' 'qdq x.onnx lane=1 point=1' 'qdq x.onnx point=x' 'aimet x.onnx' \
	'qdq x.onnx reach=tflite' 'qdq x.onnx widths=8' 'c x.h norms=fold' 'qonnx x.onnx norms=fold'; do
	echo "export $words" >ask
	expect 1 onnx --batch ask
done
says 'batch norms stay by themselves in this form' err
ls x.* 2>/dev/null && fail 'a refused export left a file'
printf 'export c net.h\n' >ask
expect 1 new inc3 net=resnet18 data=none --batch ask
says 'there are no weights here' err
[ -e net.h ] && fail 'a file was left of a network that cannot be written'

# A full disk while saving, and folders that cannot be written: said, and nothing is left by half.
echo 'export layers /dev/full/x' >ask
expect 1 whole --batch ask
# shellcheck disable=SC2086
expect 1 new /no/such/place/demo $small steps=10 --batch ask
if [ "$(id -u)" -ne 0 ]; then
	mkdir shut && chmod 500 shut
	# shellcheck disable=SC2086
	expect 1 new shut/demo $small steps=10 --batch ask
	says shut err
fi
ls ./*.bitscape/*.tmp 2>/dev/null && fail 'a temporary file was left'

# Standard output that takes nothing, or is closed: one line says so, the status is not 0, and the session is saved.
# unwritten ARGUMENT...: as expect, to a full disk, to no output at all, and to a pipe that nobody reads.
unwritten() {
	"$bitscape" "$@" >/dev/full 2>err </dev/null && fail "a full disk is success: bitscape $*"
	says 'standard output: cannot be written: No space left on device; ' err
	[ "$(wc -l <err)" -eq 1 ] || fail "more than a line: bitscape $*"
	"$bitscape" "$@" >&- 2>err </dev/null && fail "a closed output is success: bitscape $*"
	says 'standard output: cannot be written: ' err
	mkfifo closed
	sleep 0 <closed & # reads nothing, and is gone before the first word
	reader=$!
	{
		wait $reader
		"$bitscape" "$@" 2>err </dev/null
		echo $? >status
	} >closed
	wait
	rm closed
	case $(cat status) in 1 | 141) ;; *) fail "a closed pipe has status $(cat status): bitscape $*" ;; esac
}
unwritten --help
unwritten roofline 1536x2048x2048 bf16 on tpu_v4
unwritten --version
unwritten --tour flops
unwritten --replay parts
# shellcheck disable=SC2086
expect 0 new unheard $small steps=60 --batch part1
echo status >ask
unwritten unheard --batch ask
printf 'run 2\nstatus\n' >ask
"$bitscape" unheard --batch ask >/dev/full 2>err </dev/null && fail 'an answer that was not written is success'
says 'ask:2: standard output: ' err
echo 'expect step = 35' >ask
expect 0 unheard --batch ask

# Questions that need no session are answered on the command line; one that is wrong is one line, and no session is made of it.
expect 0 roofline 1536x2048x2048 bf16 on tpu_v4
says '^1536x2048x2048 bf16 on tpu_v4: 5[0-9.]* us, bound by compute;' out
says '^measured  *52.5 us' out
expect 0 describe mobilenetv2-nas
says '^58 slots: 2.2e21 choices' out
expect 0 describe mobilenetv2-nas:filters=search
says '^67 slots: 8.7e28 choices' out
expect 0 describe resnet8
says '^10 layers' out
expect 0 latency resnet8 int8 device=a100
says '~ by assumed efficiencies' out
for question in 'roofline' 'roofline 1x2 bf16 on tpu_v4' 'roofline 8x8x8 int9 on tpu_v4' 'roofline 8x8x8 bf16 on tpu' 'latency .' 'describe nothing'; do
	# shellcheck disable=SC2086
	expect 1 $question
	[ -s out ] && fail "an answer to '$question'"
	[ "$(wc -l <err)" -eq 1 ] || fail "more than a line: $question"
	[ -e roofline.bitscape ] && fail 'a session called roofline'
done
# A session cannot be called as a question is.
# shellcheck disable=SC2086
expect 1 new catalog $small steps=1 --batch /dev/null
says 'catalog: is taken: it asks a question, as in `bitscape catalog`' err
for name in help '*' 'a?' '[x]' '~' '~me' ' ' int8 e4m3 tpu_v4 tpu_v4_pods resnet8; do
	# shellcheck disable=SC2086
	expect 1 new "$name" $small steps=1 --batch /dev/null
	[ "$(wc -l <err)" -eq 1 ] || fail "more than a line: $name"
	[ ! -e "$XDG_STATE_HOME/bitscape/$name.bitscape" ] || fail "a session called $name"
done
says 'resnet8: is taken: it is the name of a network; `new net=resnet8` searches with it; for a session of that name choose a path, ./resnet8' err

# Help at a shell.
expect 0 help
says 'bitscape QUESTION' out
expect 0 help slice
says '^slice AxBxC' out
expect 0 help print
says '^print ' out
expect 1 help frobnicate
says 'frobnicate: there is no such command' err
expect 1 help slice pods

# What the README shows can be done in its order, and can be met.
readme=$scripts/../README.md
{ echo 'pin stem int5'; sed -n 's/^:\([a-z].*\)/\1/p' "$readme" | sed 's/   .*//'; echo 'run 1'; echo status; } >steps
[ "$(wc -l <steps)" -gt 7 ] || fail 'the README shows no commands'
expect 0 new shown --batch steps
grep -q 'cannot be met\|no choice allowed' out && fail "the README's targets cannot be met"
{ grep -o '`:\(target\|weight\|set\) [^`]*`' "$readme" | tr -d '`:'; echo 'run 1'; echo status; } >steps
[ "$(wc -l <steps)" -gt 5 ] || fail 'the README shows no commands for a large network'
expect 0 --explore resnet50 --batch steps
grep -q 'cannot be met\|no choice allowed' out && fail "the README's targets for a large network cannot be met"

# A picture that cannot be drawn is said once, with its line, and hurts no line after it.
mkdir broken && printf '#!/bin/sh\nexit 1\n' >broken/gnuplot && chmod +x broken/gnuplot
printf 'plot bits a.svg\necho on\nplot front b.svg\necho end\n' >pictures
# shellcheck disable=SC2086
PATH=$PWD/broken:$PATH expect 1 new pictured $small steps=1 --batch pictures
says '^end$' out
says '^pictures:1: a.svg: gnuplot died' err
says '^pictures:3: b.svg: gnuplot died' err
says '^bitscape: pictures: not drawn: 2 pictures' err
[ "$(grep -c died err)" = 2 ] || fail "a picture that fails is said twice: $(cat err)"

# Damage is named.
printf 'x' | dd of=whole.bitscape/checkpoint-60.safetensors bs=1 seek=5000 conv=notrunc 2>/dev/null
echo 'expect step = 60' >ask
expect 0 whole --batch ask
says 'checkpoint-60.safetensors: damaged' err
expect 0 whole --batch ask
echo garbage >>whole.bitscape/journal
echo 'note no' >no
expect 1 whole --batch no
says 'whole.bitscape/journal:' err
says 'reading only' err
expect 0 whole --batch ask
exit 0
