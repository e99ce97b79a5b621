#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The workbench in a real terminal (tmux): what a person sees and presses, and how it leaves the terminal behind.
. "$(dirname "$0")/tui.sh"

# Turns a box's page until it shows something.
paged_to() {
	shows "$1" && return
	keys NPage
	sleep 0.2
	shows "$1"
}

# ---- without a terminal
"$bin" </dev/null >"$dir/log" 2>&1
[ $? = 3 ] || fail "no terminal: status 3 was due"
[ "$(wc -l <"$dir/log")" = 1 ] && grep -q -e --batch "$dir/log" || fail "no terminal: $(cat "$dir/log")"
"$bin" --no-such 2>/dev/null
[ $? = 2 ] || fail "an unknown option: status 2 was due"
"$bin" --help | grep -q -e --batch || fail "--help"
"$bin" --version | grep -q readline || fail "--version"

# ---- 80x24: looking and steering
start 80 24 "$bin --set steps=100000"
see running
t display-message -p '#{pane_title}' | grep -q '^bitscape: 20' || fail "the window's title"
first=$(step)
until_true "a step after ${first:-none}" moved_on "${first:-0}"
keys Space
see paused
keys j p
see 's1b1.conv1 is pinned to int'
see '▸■ s1b1.conv1'
keys u
until_true "the pin taken back" shows_not '▸■'
keys : 'pin * int4' Enter
see 's3b1.skip  .* int4'
keys +
see 'Enter commit'
see ' draft '
keys Escape
see 'Esc once more drops it'
keys Escape
gone 'Enter commit'
keys + # leaving says that it is not pinned; undo is the draft's
see 'Enter commit'
keys q
see 'draft: it is not pinned yet'
keys u
gone 'Enter commit'
see '▸■ s1b1.conv1'
keys k +
see '→int5'
keys Enter
see 'stem is pinned to int5'
gone 'Enter commit'
keys : 'pin st' Tab
see '^:pin stem'
keys int8 Enter
see 'stem is pinned to int8'
keys : 'decide split' Enter
see 'stem .* int8/int8'
keys : 'group s2* as stage2' Enter
see 's2b1.skip *stage2'
keys u u
gone 'stage2 '
gone 'int8/int8'
keys : 'pni stem int8' Enter
see "^ ! .*pin"
keys : Up
see '^:pni stem int8'
keys C-c
gone '^:pni'
keys : abc
see '^:abc'
keys Escape
gone '^:abc'
keys W
see 'the weight of bops is'
keys t
see '▸  bops-linear'
keys c
see '─ Cost ─'
keys : status Enter
see 'Esc closes'
keys Escape
gone 'Esc closes'
keys '?'
see '─ Help ─'
see 'hand pin'
keys G
see 'draw the whole screen again'
keys q
gone '─ Help ─'
keys : "screenshot $dir/shot" Enter
see 'the screen is in'
grep -q '─ Layers ' "$dir/shot" || fail "the screenshot"

t resize-window -x 120 -y 40
see '^╭─ Layers ─*╮╭─ Front ─*╮$'
t resize-window -x 50 -y 10
see 'needs 60x16, has 50x10'
t resize-window -x 80 -y 24
see 'Costs'
keys : 'wei'
t resize-window -x 100 -y 30
see '^:wei'
keys Escape
gone '^:wei'

keys C-z
see '[Ss]topped'
keys fg Enter
see '─ Layers '
keys Space
see running
keys q
left 0

# ---- 120x40: no colours; a crash
start 120 40 "env NO_COLOR=1 $bin --set steps=100000"
see running
t capture-pane -p -e | grep -q "$(printf '\033')\\[[0-9;]*[34][0-8]" && fail "colours in spite of NO_COLOR"
kill -SEGV "$(cat "$dir/pid")"
# A sanitizer reports the crash and ends the program its own way.
if [ -n "${SAN:-}" ]; then left '[1-9]'; else left 139; fi
see 'goes on from the last save'

# ---- 200x60: ASCII; SIGTERM
start 200 60 "$bin --ascii --set steps=100000"
see running
screen | LC_ALL=C grep -q '[^ -~]' && fail "not all is ASCII"
kill -TERM "$(cat "$dir/pid")"
left 143

# ---- colours, and a name that is opened again
start 80 24 "$bin new mine steps=100000"
see running
t capture-pane -p -e | grep -q "$(printf '\033')\\[[0-9;]*38;5;" || fail "no colours"
keys q
left 0
[ -d "$home/mine.bitscape" ] || fail "the session's folder is not there"
start 80 24 "$bin mine"
see 'mine is open'
keys q
left 0

# ---- a tour: to its end by Enter, left by Esc, by itself; one that is not there, one with a line that fails
cat >"$dir/short.tour" <<-'END'
	echo "the first part"

	# of two
	catalog resnet8
	echo "the second part"
END
printf 'echo "so far"\npni stem\necho "never"\n' >"$dir/bad.tour"
"$bin" --auto 2>/dev/null
[ $? = 2 ] || fail "--auto without a tour: status 2 was due"
start 80 24 "$bin --tour flops"
see '─ Tour, 1 of '
see paused
shows 'Enter goes on, Esc leaves' || fail "the box does not say how to go on"
parts=$(screen | sed -n 's/.* Tour, 1 of \([0-9]*\) .*/\1/p')
presses=0
while shows ' Tour, '; do
	before=$(screen)
	keys Enter
	presses=$((presses + 1))
	changed() { [ "$(screen)" != "$before" ]; }
	until_true "something new after Enter" changed
	screen | grep -q '.\{81\}' && fail "a line is wider than the screen"
done
[ "$presses" -ge "$parts" ] || fail "$presses times Enter for $parts parts"
see 'the tour is over'
see '─ Layers '
keys : 'tour flops' Enter
see '─ Tour, 1 of '
keys Enter
see '─ Tour, 2 of '
keys Escape
gone ' Tour, '
see '─ Costs '
keys : 'tour no-such' Enter
see '^ ! no-such: no tour has this name; these are: '
keys : "tour $dir/bad.tour" Enter
see 'bad.tour:2: pni: '
see 'so far'
shows never && fail "the tour went on after a line that failed"
keys Enter
gone 'so far'
keys Space
see running
keys q
left 0
start 60 16 "$bin --tour flops"
see ' Tour, 1 of .'
keys Enter Enter
see 'Enter goes on, Esc leaves'
keys q
gone ' Tour, '
keys q
left 0
start 80 24 "$bin --tour $dir/bad.tour"
see 'bad.tour:2: pni: '
keys q q
left 0
start 80 24 "$bin --tour $dir/short.tour --auto"
see 'Tour, 1 of 2'
see 'Tour, 2 of 2'
left 0

# ---- a person's own keys and looks: read at the start, mistakes named with their line, nothing of it in the journal
mkdir -p "$dir/config/bitscape"
cat >"$dir/config/bitscape/bitscaperc" <<-'END'
	# what I am used to
	bind f5 pin {layer} int4   # and no more
	bind ctrl-r note "it works"
	unbind everywhere z
	set theme light
	view front hide
	sort share
	source more
END
start 80 24 "$bin new keyed steps=100000"
see 'bitscaperc:8: .*more'
see 'Layers.* by share'
shows '─ Front' && fail "the hidden view is there"
shows 'z zoom' && fail "a hint of a key that does nothing"
keys Space
see paused
keys F5
see 'is pinned to int4'
keys C-r
until_true "the note" grep -q 'note "it works"' "$home/keyed.bitscape/journal"
keys '?'
see '─ Help ─'
until_true "F5 in the help" paged_to 'F5  *pin {layer} int4'
keys Escape
gone '─ Help ─'
keys : bind Enter
see 'bind search f5 pin {layer} int4 *│'
keys Escape
gone '─ bind ─'
printf 'bind f7 run\npin stem int8\nbind f8 rum\nbind f99 run\ntheme green\nbind {\nbind box x close\n' >"$dir/more"
keys : "source $dir/more" Enter
see '5 lines of .*more are'
keys m
see 'more:2: pin: '
see 'more:3: .*rum.*'
see 'more:4: .*f99'
see 'more:5: .*green'
keys Escape
gone 'more:5'
keys F7
see running
keys q
left 0
grep -q -e bind -e theme -e view -e sort -e source -e int8 "$home/keyed.bitscape/journal" && fail "the journal holds keys and looks: $(cat "$home/keyed.bitscape/journal")"
"$bin" --replay keyed >"$dir/log" 2>&1 || fail "the replay differs: $(cat "$dir/log")"
printf 'source %s\n' "$dir/round" >"$dir/round"
start 80 24 "$bin"
see running
keys : "source $dir/round" Enter
see 'round:1: .*round'
see 'files run'
keys q
left 0
rm -r "$dir/config"

# ---- choices of the architecture: the keys that edit layers act on them, once a person is in their table
cat >"$dir/choices.net" <<-'END'
	input 16x16x3
	classes 10
	stem conv out=8|16 kernel=3
	block b1 depth=off|on
	b1.width conv out=16|24 kernel=3|5
	end
	pooled pool
	head linear out=classes
END
start 80 24 "$bin new choices net=$dir/choices.net data=none space=int4,int8"
see '─ Architecture'
keys a
see '▸ Architecture'
keys j -
see '▸  b1.depth .*on *→off'
see 'b1.width.width *rests'
keys j
see '▸  b1.width.width  *rests'
keys k Enter
see 'b1.depth is pinned to off'
see '▸■ b1.depth'
keys x
see 'b1.depth is free again'
keys j p
see 'b1.width.width is pinned to 24'
keys a j p
see 'b1.width is pinned to int8'
see '▸■ b1.width'
keys q
left 0
"$bin" --replay choices >"$dir/log" 2>&1 || fail "the replay differs: $(cat "$dir/log")"

# ---- what was steered by hand on the screen, at steps that nobody chose, is the same search without a screen
start 80 24 "$bin new steered data=glyphs:12 train=1024 heldout=256 batch=16 steps=400 front-every=0"
see running
until_true "a step" moved_on 5
keys j p
see 'pinned to int'
keys : 'target bops 0.3x' Enter
see 'target .*0.3x'
keys - Enter
until_true "the horizon" shows finished
see 'The search is finished, step 400'
see 'No uniform choice was scored to hold it against' # front-every=0
keys q
gone 'The search is finished'
keys q
left 0
journal=$home/steered.bitscape/journal
grep -q '# digest' "$journal" || fail "the journal has no digest: $(cat "$journal")"
"$bin" --replay steered >"$dir/log" 2>&1 || fail "the replay differs: $(cat "$dir/log")"
echo ok
