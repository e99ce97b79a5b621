#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Input acts only as meant, in a real terminal (tmux): pastes, sequences that mean nothing, ^Z in the prompt, signals, and
# terminals that cannot be used.
. "$(dirname "$0")/tui.sh"

# What terminals send, as it is: a printf format.
send() { t send-keys -l "$(printf "$1")"; }
# Pastes a printf format, marked as a paste where the program asked for that.
paste() {
	printf "$1" >"$dir/clipboard"
	t load-buffer "$dir/clipboard"
	t paste-buffer -p
}
# A key that comes along with what it answers is left out: a person looks first.
look() { sleep 0.2; }
journal() { grep -v '^#' "$dir/$1.bitscape/journal"; }
# Whether the journal holds these changes and notes and no others, whatever their steps.
holds() { [ "$(journal "$1" | sed 's/^[0-9]* //; s/ #=[0-9a-f]*$//; s/ # back.*//' | tr '\n' ';')" = "$2" ]; }

# ---- what is pasted runs as commands, once it was seen and confirmed
start 80 24 "$bin new ./pasted steps=100000"
see running
keys Space
see paused
keys :
see '^:'
paste 'note one\nq\npin stem int8\n ppp\n'
see '─ Pasted: 4 commands ─'
see ':pin stem int8'
see 'Enter runs them, Esc drops them'
look
keys Escape
gone '─ Pasted'
holds pasted '' || fail "dropped, yet it ran: $(journal pasted)"
paste 'note one\r\nnote "two  blanks"\r\n\r\n\tnote three'
see '─ Pasted: 3 commands ─'
look
keys Enter
gone '─ Pasted'
until_true 'three notes' holds pasted 'note one;note "two  blanks";note three;'
# A line that fails ends it, and says what was not run.
paste 'note four\npni stem\nnote never\n'
see '─ Pasted: 3 commands ─'
look
keys Enter
see '─ Pasted: line 2 of 3 ─'
see '! pni: '
see '1 not run:'
see ':note never'
# A paste on top of a box is left out; so is one that never ends, and what comes with it.
paste 'pp\nqq\n'
see 'the paste is left out: close the box first'
look
keys Escape
gone '─ Pasted'
# One line goes into the prompt: never run by itself, not even with its end.
paste 'note five\n'
see '^:note five'
look
keys ' b' Enter
gone '^:note'
until_true 'five notes' holds pasted 'note one;note "two  blanks";note three;note four;note "five b";'
keys : 'note ' 
see '^:note'
paste '\033[A\003six\t\032'
see '^:note ?\[A?six ?'
look
keys Enter
gone '^:note'
until_true 'the note' sh -c "grep -qF '?[A?six ?' '$dir/pasted.bitscape/journal'"
send '\033[200~pin stem int8\rq\rpp'
see 'the paste broke off'
# Where the terminal does not mark pastes, the rest of one does not run as keys.
look
keys :
see '^:'
send 'note seven\rpppquxs\rq\r'
see 'came behind the line in one go is left out'
look
shows running || shows paused || fail 'it ended'
send '\033[200~note eight\nnote nine\n\033[201~\r'
see '─ Pasted: 2 commands ─'
look
keys Escape
gone '─ Pasted'
keys q
left 0
journal pasted | grep -q -e ' pin ' -e ' target ' -e never -e eight && fail "a paste steered: $(journal pasted)"

# ---- what terminals send and means nothing here
start 80 24 "$bin new ./unknown steps=100000"
see running
keys Space
see paused
keys M-p
see 'Alt-p means nothing here'
send '\033[1;5A'
see 'Ctrl-↑ means nothing here'
send '\033[25~'
see 'F13 means nothing here'
send '\033[?1;2c'
see '\^\[\[?1;2c means nothing here'
send '\033[I\033[O\033[M !!\033[<0;10;1M\033[<0;10;1m\033[32;5;1M'
send '\033[[A\033[7$\033[8^\033Op\033Nq\033]0;ppp\007\033P1$r0q\033\\\033_q\033\\'
send '\033[112;3u\033[57399u\033[201~\033(q\233?q\377\303('
for cut in '\033[1;5' '\033O' '\033]0;pq' '\033[M p' '\033[[' '\342\202'; do
	send "$cut"
	sleep 0.5 # longer than a sequence is waited for: it has broken off
done
# Keys in either form; an Esc is one at once.
keys Down
see '▸  s1b1.conv1'
send '\033OB'
see '▸  s1b1.conv2'
send '\033[A\033[1~'
see '▸  stem'
t send-keys -l -- -
see 'Enter commit'
keys Escape
see 'Esc once more drops it'
keys Escape
gone 'Enter commit'
keys j
see '▸  s1b1.conv1'
# The mouse takes a row in hand, the wheel moves; with Shift held down the terminal keeps it, and off is off.
send '\033[<0;10;10M\033[<0;10;10m'
see '▸  s2b1.conv2'
send '\033[<64;10;10M'
see '▸  s1b1.conv1'
mouse() { [ "$(t display-message -p '#{mouse_button_flag}#{mouse_sgr_flag}')" = "$1" ]; }
until_true 'the mouse is reported' mouse 11
keys : 'mouse off' Enter
until_true 'the mouse is not reported' mouse 00
keys : 'mouse maybe' Enter
see '! maybe: '
keys : 'mouse on' Enter
until_true 'the mouse is reported again' mouse 11
# The prompt takes what readline knows and nothing else.
keys : abc
see '^:abc'
send '\033[D\033OD\033[1;5P\033[?1;2c\033[I\033[M !!\033[25~\033q'
keys X
see '^:aXbc'
send '\033[H\033[3~'
see '^:Xbc'
send '\033[F\026\033[A'
keys Z
see '^:.*Z'
shows '^:.*\[A' && fail 'a key became text'
keys Escape
gone '^:'
keys C-c
keys q
left 0
holds unknown '' || fail "it steered: $(journal unknown)"

# ---- ^Z in the prompt: the terminal is the shell's; back, the line stands as it stood
start 80 24 "$bin new ./stopped steps=100000"
see running
keys : 'note kept'
see '^:note kept'
keys Left Left
keys C-z
see '[Ss]topped'
look
[ "$(t display-message -p '#{alternate_on}')" = 0 ] || fail 'stopped, the alternate screen is still on'
keys 'clear; stty -g >now; cat before now | uniq | wc -l' Enter
see '^ *1$'
t resize-window -x 100 -y 30
keys fg Enter
see '^:note kept'
see '^╭─ Layers ─.*╮$'
keys X
see '^:note keXpt'
keys C-r
see 'reverse-i-search'
keys C-z
see '[Ss]topped'
look
keys fg Enter
see 'reverse-i-search'
keys C-c
gone 'reverse-i-search'
keys : 'note whole' Enter
see ': noted' # not what the prompt has left, which may not be there yet: keys behind a line in one go are left out
keys q
left 0
holds stopped 'note whole;' || fail "what was typed: $(journal stopped)"

# ---- signals that end a program
for signal in USR1:138 PIPE:141 XCPU:152 ALRM:142 QUIT:131; do
	start 80 24 "$bin new ./sig${signal%:*} steps=100000"
	see running
	kill -"${signal%:*}" "$(cat "$dir/pid")"
	left "${signal#*:}"
	ls "$dir/sig${signal%:*}".bitscape/checkpoint-*.safetensors >/dev/null || fail "${signal%:*}: not saved"
done

# ---- terminals that cannot be used: one line, and the status for it
for name in dumb no-such-terminal ''; do
	start 80 24 "env TERM=$name $bin new ./never"
	left 3
	[ "$(screen | grep -c 'bitscape: TERM: ')" = 1 ] || fail "TERM=$name: no clear line"
	screen | tr -d '\n' | grep -q -e --batch || fail "TERM=$name: no advice"
	[ ! -e "$dir/never.bitscape" ] || fail "TERM=$name: a session was made"
done
exit 0
