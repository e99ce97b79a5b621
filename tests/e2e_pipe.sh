#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Quality from a command, through the program itself: the example runs, a killed run goes on with what was answered, a replay starts
# nothing, and no command of a stranger's session or script runs unasked, in a batch or on the screen.
TRIES=300 SAN_TRIES=3000
. "$(dirname "$0")/tui.sh"
if command -v python3 >/dev/null; then
	python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$OLDPWD/sessions/examples/torch_quality.py" ||
		fail "the example is not Python"
fi
cp "$OLDPWD/sessions/examples/bits_quality.sh" bits.sh
small='space=int-s steps=60 front-every=20 target.bops=int4'

# ---- the small example; its result is that of a run that was killed, and of a replay
printf 'wait finished\nfront\ndigest\n' >whole
# shellcheck disable=SC2086
"$bin" new ./whole $small 'quality=pipe:sh bits.sh' --batch whole >out 2>err </dev/null || fail "$(cat err)"
grep -q 'int8' out || fail "no front: $(cat out)"
digest=$(sed -n 's/^step 60: digest //p' out)
[ -n "$digest" ] || fail "no digest"

sed 's/while read/while sleep 0.03; read/' bits.sh >slow.sh
# shellcheck disable=SC2086
"$bin" new ./killed $small 'quality=pipe:sh slow.sh' --batch whole >out 2>err </dev/null &
pid=$!
answered() { [ "$(grep -s '^# answer' killed.bitscape/journal | wc -l)" -gt 5 ]; }
until_true 'some answers' answered
kill -KILL $pid
wait $pid 2>/dev/null
cp -r killed.bitscape asked.bitscape
"$bin" ./killed --run-commands --batch whole >out 2>err </dev/null || fail "$(cat err)"
grep -q "^step 60: digest $digest\$" out || fail "another result after a kill: $(cat out)"
"$bin" --replay ./killed >out 2>err </dev/null || fail "$(cat err)"
grep -q "$digest" out || fail "another result of the replay: $(cat out)"

# ---- nobody allowed it: it is said, and nothing runs
printf 'touch ran\n' >slow.sh
echo 'run 100' >ask
"$bin" ./asked --batch ask >out 2>err </dev/null && fail "it ran unasked"
grep -q 'nobody here has allowed: sh slow.sh; .*--run-commands' err || fail "$(cat err)"
printf 'allow\nrun 100\n' >ask
"$bin" ./asked --batch ask >out 2>err </dev/null && fail "a script allowed it"
grep -q 'needs the screen' err || fail "$(cat err)"
"$bin" --replay ./killed >out 2>err </dev/null || fail "$(cat err)"
[ ! -e ran ] || fail "the command ran unasked"

# ---- on the screen: a question, an answer
start 100 30 "'$bin' ./asked"
see 'May this command run'
see 'sh slow.sh'
keys Escape
gone 'May this command run'
keys Space
see 'nobody here has allowed'
[ ! -e ran ] || fail "the command ran unasked on the screen"
cp bits.sh slow.sh
keys ':allow' Enter
see 'step *60/60'
see 'The search is finished'
keys q
gone 'The search is finished'
keys q
until_true 'the end' shows 'status 0'

# ---- a child that hangs does not hold the screen
printf 'read h; echo hello 1 accuracy; sleep 600\n' >hang.sh
start 100 30 "'$bin' new ./hangs $small 'quality=pipe:sh hang.sh'"
see 'silent for'
keys Space
see 'paused'
keys q
until_true 'the end' shows 'status 0'
