#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The report of a search: one file without script or link, whose commands make the same search again in an empty folder; all figures at
# once; and sessions compared on the command line. The program is $OUT/bitscape.
set -u
. "$(dirname "$0")/batch.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/bitscape-report-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME="$work"
mkdir "$work/bitscape" && cd "$work/bitscape" || exit 1

cat >script <<'EOF'
run 20
pin stem int8
note "the <stem> & its 'cost'"
run 10
target bops 0.5x
undo
run 5
export report report.html
export report report.md
digest
fork 20 as other
figures all figures
EOF
expect 0 new told $small steps=40 target.bops=int4 weight.bops=1 seed=9 --batch script
says 'wrote report.html' out
made=$(sed -n 's/^step 35: digest //p' out)
[ -n "$made" ] || fail 'no digest'

# One file, which a browser reads without asking for anything.
for word in '<script' '<a ' 'http' 'src=' 'href' 'url(' '@import' '<link' '<img' '<iframe' 'javascript' ' on[a-z]*='; do
	! grep -qi -- "$word" report.html || fail "'$word' is in report.html"
done
[ "$(wc -c <report.html)" -le 1048576 ] || fail 'report.html is too large'
says '<svg ' report.html
says 'prefers-color-scheme:dark' report.html
says '@media print' report.html
says 'the &lt;stem&gt; &amp; its ' report.html
for file in report.html report.md; do
	says 'The result reaches' $file
	says "digest $made" $file
	says 'change: pin stem int8' $file
	says 'target bops 0.5x (taken back)' $file
	says 'The test images were looked at 0 times' $file
done

# What a mark says is what the figures have: one that was taken back at its own step has none. The formats stand as one strip.
says '>1</td><td>' report.html
says '<rect class="h" x="[^>]*><title>stem: int8</title>' report.html

# In a browser, where there is one: on a light screen, on a dark one, and as pages.
browser=$(command -v chromium || command -v chromium-browser || true)
if [ -n "$browser" ] && [ -n "${LONG:-}" ]; then
	view() { # OUTPUT OPTION...
		output=$1
		shift
		timeout 120 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/browser" "$@" \
			"file://$(pwd)/report.html" >"$work/browser.log" 2>&1
		[ -s "$output" ] || fail "the browser draws nothing with $*: $(tail -n 2 "$work/browser.log")"
	}
	view "$work/light.png" --blink-settings=preferredColorScheme=1 --window-size=900,2000 --screenshot="$work/light.png"
	view "$work/dark.png" --blink-settings=preferredColorScheme=0 --window-size=900,2000 --screenshot="$work/dark.png"
	view "$work/page.pdf" --print-to-pdf="$work/page.pdf"
	cmp -s "$work/light.png" "$work/dark.png" && fail 'the report looks the same in the dark'
	[ "$(grep -ac '/Type */Page\b' "$work/page.pdf")" -le 6 ] || fail 'the report takes more than six pages'
elif [ -n "$browser" ]; then
	echo 'skipped: the report was not opened in a browser, which make test-long does'
else
	echo 'skipped: the report was not opened in a browser: no chromium here'
fi

# Its commands make the digest again.
mkdir "$work/empty" "$work/bin" && ln -s "$bitscape" "$work/bin/bitscape" || exit 1
sed -n '/^bitscape new /,/^END$/p' report.md >"$work/commands"
sed -n '/<pre>bitscape new /,/^END$/p' report.html | sed 's/.*<pre>//; s/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&amp;/\&/g' >"$work/commands2"
cmp "$work/commands" "$work/commands2" || fail 'the two reports have different commands'
(cd "$work/empty" && PATH="$work/bin:$PATH" sh "$work/commands" >"$work/again" 2>&1) || fail "$(cat "$work/again")"
grep -q "^step 35: digest $made\$" "$work/again" || fail "not made again: $(cat "$work/again")"

# A report is about one step, and has one of two forms.
printf 'export report report.txt\n' >script
expect 1 told --batch script
says 'end it in .html or .md' err

# All figures.
if command -v gnuplot >/dev/null; then
	for figure in front bits curves cost roofline policy error timeline; do
		[ -s "figures/$figure.svg" ] || fail "figures/$figure.svg was not drawn"
	done
fi

# One layer's policy, what formats do to each layer, and what was done: the search stays as it was.
printf 'plot policy head policy.svg keep\nplot policy head.a apart.png width=8cm\nplot error error.svg keep\nplot timeline timeline.svg keep\nplot front logit.svg keep axis=logit\ndigest\n' >script
if command -v gnuplot >/dev/null; then
	expect 0 told --batch script
	says "step 35: digest $made" out
	says 'Policy for head' policy.gp
	says '^# .int8' policy.dat
	says 'step 35, [0-9]* images' error.gp
	says ' 6-12 dB' error.gp
	says 'note: the <stem> & its' timeline.gp
	says 'pin stem int8' timeline.gp
	! grep -q 'target bops 0.5x' timeline.gp || fail 'what was taken back is in the timeline'
	says 'set nonlinear y' logit.gp
	[ -s apart.png ] || fail 'apart.png was not drawn'
fi
printf 'plot policy s1b1*\n' >script
expect 1 told --batch script
says 'it means several layers' err
printf 'plot policy nobody\n' >script
expect 1 told --batch script
says 'it is neither a layer, a picture' err
printf 'plot error\n' >script
expect 1 new priced net=resnet18 data=none sensitivity=hawq space=int-l steps=20 --batch script
says 'there are no weights to look at here' err
printf 'figures some figures\n' >script
expect 1 told --batch script
says 'only all figures are drawn at once' err

# Side by side.
expect 0 compare told other
says 'other parted from told at step 20' out
says '^seed  *9  *9 ' out
if command -v gnuplot >/dev/null; then
	expect 0 compare told other formats=formats.svg
	says '<text>told</text>' formats.svg # a name below each column
	says '<text>other</text>' formats.svg
fi
expect 1 compare told
says 'name two sessions' err
expect 1 compare told nobody
says 'there is no session of this name' err
