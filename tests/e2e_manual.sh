#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The man page, the completions and the help by topic, all written from the program's tables: nothing is missing in them, and the programs that
# read them have nothing to complain of. What is not installed here is not asked.
set -u
bin=$OUT/bitscape
here=$(pwd)
dir=$(mktemp -d "$TMPDIR/manual-XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0
fail() {
	failed=1
	printf '%s\n' "$*"
}
has() { command -v "$1" >/dev/null 2>&1; }
skipped=''

# ---- the man page
page=$OUT/bitscape.1
[ -s "$page" ] || fail "$page was not built"
"$bin" manual | cmp -s - "$page" || fail 'the page is not what the program writes'
if has man; then
	man --warnings -l "$page" >"$dir/page" 2>"$dir/complaints" || fail 'man refuses the page'
	[ ! -s "$dir/complaints" ] || fail "man complains: $(head -n 3 "$dir/complaints")"
	for part in NAME SYNOPSIS OPTIONS COMMANDS SETTINGS KEYS FILES ENVIRONMENT 'EXIT STATUS'; do
		grep -q "^$part\$" "$dir/page" || fail "the page has no part $part"
	done
else
	skipped="$skipped man"
fi
sed 's/\\:\|\\&//g; s/\\-/-/g' "$page" >"$dir/plain"
"$bin" --help commands | sed -n 's/^  \([a-z][a-z]*\).*/\1/p' | sort -u >"$dir/commands"
"$bin" --help settings | sed -n 's/^[* ] \([a-z][a-z.-]*\) .*/\1/p' | sort -u >"$dir/settings"
"$bin" --help | sed -n 's/^  \(-h, \)\{0,1\}\(--[a-z-]*\).*/\2/p' | sort -u >"$dir/options"
[ "$(wc -l <"$dir/commands")" -gt 80 ] && [ "$(wc -l <"$dir/settings")" -gt 60 ] && [ "$(wc -l <"$dir/options")" -ge 10 ] ||
	fail "the help lists few: $(wc -l "$dir"/commands "$dir"/settings "$dir"/options)"
while read -r word; do
	grep -qF -e "\\fB$word\\fR" "$dir/plain" || fail "the page lacks the command $word"
done <"$dir/commands"
while read -r word; do
	grep -qF -e "\\fB$word\\fR (" "$dir/plain" || fail "the page lacks the setting $word"
done <"$dir/settings"
while read -r word; do
	grep -qF -e "$word\\fR" "$dir/plain" || fail "the page lacks the option $word"
done <"$dir/options"

# ---- help by topic
[ "$("$bin" -h)" = "$("$bin" --help)" ] || fail '-h is not --help'
while read -r word; do # whatever else stands there
	"$bin" --help "$word" >"$dir/topic" || fail "--help $word"
	"$bin" "$word" --help 2>&1 | cmp -s - "$dir/topic" || fail "$word --help is not --help $word"
	"$bin" "$word" some words -h x=y 2>&1 | cmp -s - "$dir/topic" || fail "$word some words -h is not --help $word"
done <"$dir/commands"
for word in completion manual nobody ./nobody --batch; do
	[ "$("$bin" $word --help)" = "$("$bin" --help)" ] || fail "$word --help is not --help"
done
[ "$("$bin" help)" = "$("$bin" --help)" ] || fail '`help` is not --help'
[ "$("$bin" --help | awk 'length > 120' | wc -l)" = 0 ] || fail 'a line of the help is too long'
"$bin" --help pin | grep -q 'allow a layer one format only' || fail '--help pin'
"$bin" -h steps | grep -q 'default' || fail '-h steps'
"$bin" --help keys | grep -q '^space .*toggle' || fail '--help keys'
"$bin" --help stpes >"$dir/out" 2>"$dir/err"
[ $? = 2 ] && grep -q "did you mean 'steps'" "$dir/err" || fail "--help stpes: $(cat "$dir/err")"
"$bin" --help pin unpin >"$dir/out" 2>"$dir/err"
[ $? = 2 ] || fail 'two topics'
"$bin" completion tcsh >"$dir/out" 2>"$dir/err"
[ $? = 2 ] && grep -q 'tcsh' "$dir/err" || fail 'completion tcsh'

# ---- bash
"$bin" completion bash >"$dir/complete.bash" || fail 'completion bash'
bash -n "$dir/complete.bash" || fail 'bash cannot read its completion'
# complete WORD...: what bash offers for the last word; `=` breaks words, as in bash
complete_bash() {
	PATH=$OUT:$PATH bash --norc -c '
		. "$0"
		COMP_WORDS=(bitscape "$@")
		COMP_CWORD=$#
		_bitscape 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}"' "$dir/complete.bash" "$@"
}
offers() { # WANTED WORD...
	wanted=$1
	shift
	complete_bash "$@" | grep -qxF -e "$wanted" || fail "bash does not offer $wanted behind: $*"
}
"$bin" new kept net=resnet8:width=0.25 data=glyphs:12 batch=8 threads=1 steps=4 --batch /dev/stdin >/dev/null 2>&1 <<<'run 2
note kept' || fail 'a session to complete'
offers --batch --b
offers latency lat
offers kept ke
offers net= new ne
offers net= new demo ne
offers resnet50 new demo net = resnet5
offers fliqs new preset = fl
offers tpu_v4 new device = tpu
offers flops --tour fl
offers kept --replay k
offers resnet18 --explore resnet1
offers mobilenetv2 latency mob
offers restrict --help rest
offers zsh completion ''
[ -z "$(complete_bash nothing-like-this)" ] || fail 'bash offers something for nonsense'

# ---- zsh
"$bin" completion zsh >"$dir/_bitscape" || fail 'completion zsh'
if has zsh; then
	zsh -n "$dir/_bitscape" || fail 'zsh cannot read its completion'
	# The builtins of the completion system are replaced by ones that print.
	complete_zsh() {
		PATH=$OUT:$PATH zsh -f -c '
			compadd() { while [[ $1 == -* ]]; do [[ $1 == -S ]] && shift; [[ $1 == -- ]] && { shift; break }; shift; done; print -l -- "$@" }
			compset() { : }
			_files() { : }
			file=$1; shift
			words=(bitscape "$@") CURRENT=$(($# + 1))
			source $file' zsh "$dir/_bitscape" "$@"
	}
	for case in '--batch/--b' 'kept/ke' 'net=/new n' 'resnet50/new net=resnet5' 'flops/--tour fl' 'mobilenetv2/latency m'; do
		# shellcheck disable=SC2086 # words
		complete_zsh ${case#*/} | grep -qxF -e "${case%%/*}" || fail "zsh does not offer ${case%%/*} behind: ${case#*/}"
	done
else
	skipped="$skipped zsh"
fi

# ---- installed
if [ -z "${SAN:-}" ]; then
	make -s -C "$here" install DESTDIR="$dir/root" PREFIX=/usr >"$dir/out" 2>&1 || fail "make install: $(tail -n 3 "$dir/out")"
	cmp -s "$dir/root/usr/share/man/man1/bitscape.1" "$page" || fail 'the page is not installed'
	cmp -s "$dir/root/usr/share/bash-completion/completions/bitscape" "$dir/complete.bash" || fail "bash's completion is not installed"
	cmp -s "$dir/root/usr/share/zsh/site-functions/_bitscape" "$dir/_bitscape" || fail "zsh's completion is not installed"
	"$dir/root/usr/bin/bitscape" completion tours | grep -qx flops || fail 'the tours are not installed'
fi
[ -z "$skipped" ] || echo "skipped: not installed here:$skipped"
exit $failed
