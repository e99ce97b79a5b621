#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The rule of dependence, read from the #include lines. engine knows nobody; plots sees engine.h, catalog.h, machine.h, scaling.h, measure.h and measuring.h (questions
# that need no search) and the ground floor engine/base/; sessions sees those and plots.h; ui sees those and sessions.h; inside engine a folder sees
# itself and those above it in the list of floors, of which base is the first. So it is with the rooms of sessions: what lies on the
# disk (store), the session around it (core), what is told (report), many searches side by side (race), the language that asks (language).
# And what stands at the top.
set -u

# check TOP: prints a line for each include that breaks the rule; status 1 where there is one.
check() (
	cd "$1" || exit 2
	find engine plots sessions ui -name '*.[ch]' -type f | LC_ALL=C sort | while IFS= read -r file; do
		sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*\([<"][^>"]*\).*/\1/p' "$file" | sed "s|^|$file |"
	done | awk '
		BEGIN {
			floors = split("base onnx tensor quant data model nn export space hardware pods cost state search", floor_name, " ")
			for (i = 1; i <= floors; i++)
				floor[floor_name[i]] = i
			rooms = split("store core report race language", room_name, " ")
			for (i = 1; i <= rooms; i++)
				room[room_name[i]] = i
			split("engine plots sessions ui", house, " ")
			for (i in house)
				ours[house[i]] = 1
			# What each folder may see of the others.
			for (i in house)
				if (house[i] != "engine")
					for (j = split("engine catalog machine scaling measure measuring", plain, " "); j > 0; j--)
						sees[house[i] " engine/" plain[j] ".h"] = 1
			sees["sessions plots/plots.h"] = sees["ui plots/plots.h"] = sees["ui sessions/sessions.h"] = 1
		}
		function bad(why) {
			print $1 " includes " substr($2, 2) ": " why
			count++
		}
		{
			split($1, from, "/")
			target = substr($2, 2)
			depth = split(target, to, "/")
			if ($2 ~ /^</) {
				if (target ~ /^(n?cursesw?|readline|term|panel|menu|form)(\/|\.h$)/ && from[1] != "ui")
					bad("the terminal belongs to ui")
				next
			}
			if (depth < 2 || !(to[1] in ours)) {
				bad("write the path from the top, as in \"engine/base/fault.h\"")
				next
			}
			if (target ~ /(^|\/)\.\.?\//) {
				bad("write the path from the top, without dots")
				next
			}
			if (from[1] != to[1]) {
				if (!((from[1] " " target) in sees) && target !~ /^engine\/base\/[^\/]*$/)
					bad(from[1] " may not see it")
				next
			}
			if (from[1] == "sessions" && depth > 2) {
				if (!(from[2] in room) || !(to[2] in room) || from[3] == "")
					bad("sessions has the rooms store, core, report, race and language")
				else if (room[to[2]] > room[from[2]])
					bad("sessions/" to[2] " stands behind sessions/" from[2] " in the order of rooms")
			}
			if (from[1] != "engine")
				next
			# Inside the engine. Its root stands over all floors.
			here = from[3] == "" ? floors + 1 : (from[2] in floor) ? floor[from[2]] : 0
			if (!here)
				bad("engine/" from[2] " has no floor in this test")
			else if (depth == 2) {
				# state and search share the plain structs of the snapshot; machine.h is the face of pods, and needs none of the floors.
				if (here <= floors && !(target == "engine/engine.h" && here >= floor["state"]) &&
				    !(target == "engine/machine.h" && here >= floor["pods"]))
					bad("engine/" from[2] " stands below it")
			} else if (target == "engine/search/inside.h" && $1 !~ /^engine\/search\/(search|opening|changes|terms|lanes|saved|publish)\.c$/)
				bad("the whole of a search is for the files on top of it alone")
			else if (!(to[2] in floor) || floor[to[2]] > here)
				bad("engine/" to[2] " stands below engine/" from[2] " in the order of floors")
		}
		END { exit count > 0 }'
)

# faults TOP: a fault says where and what to do, and out of memory is one function. Prints each that does not; status 1 then.
# A reader of a journal's line knows no place: journal_load and play.c add it, and what to do.
faults() (
	cd "$1" || exit 2
	find engine plots sessions ui -name '*.[ch]' -type f | LC_ALL=C sort | while IFS= read -r file; do
		case $file in engine/base/fault.[ch]) continue ;; esac
		tr '\n\t' '  ' <"$file" | tr -s ' ' | tr ';' '\n' |
			grep -oE 'disk_fault\([^,]*, "",.*|fault_set\([^,]*, "",.*|fault_set\([^,]*, [^,]*, "",.*|fault_set\(.*"out of memory".*' | sed "s|^|$file: |"
	done | grep -v -e '^sessions/store/journal.c: fault_set(f, "",' -e '^sessions/core/play.c: fault_set(&f, "",' | grep . && exit 1
	exit 0
)

# words TOP: turns of phrase that no engineer would say, in what a person is shown. Space is a key only where it is pressed.
words() (
	cd "$1" || exit 2
	grep -rnE --include='*.[ch]' '"[^"]*(called so|is none of|is none"|speaks? of this|\bis no (kind|name|number|size|layer|theme|step|column|cost|figure|way|factor|set|batch|source)|\bspace (runs|searches))' \
		engine plots sessions ui && exit 1
	exit 0
)

# terms TOP: a term's name is taken apart by term_read alone; nobody else compares its letters.
terms() (
	cd "$1" || exit 2
	kinds=$(sed -n 's/^[[:space:]]*X([A-Z_]*, "\([a-z-]*\)", \(SUBJECT_[A-Z]*, \)*QUANTITY_.*/\1/p' engine/base/term.h | paste -sd'|' -)
	[ -n "$kinds" ] || { echo "engine/base/term.h: no kinds found"; exit 1; }
	find engine plots sessions ui -name '*.[ch]' -type f ! -path 'engine/base/term.c' | LC_ALL=C sort |
		xargs grep -nE "str(n|case|ncase)?cmp\([^;]*\"($kinds|table:)@?\"" /dev/null | grep . && exit 1
	exit 0
)

# strangers: of the names on standard input, those that do not belong at the top; status 1 where there are any.
strangers() {
	! grep -vxE 'engine|findings|plots|sessions|tests|ui|\.ci|\.clang-format|\.gitignore|LICENSE|Makefile|README\.md'
}

# kept TOP: the names at the top that are kept; none where this is no checkout.
kept() {
	git -C "$1" ls-files 2>/dev/null | cut -d/ -f1 | sort -u
}

# The checker itself: a small house in good order, then one bad include at a time.
plant() { # FILE INCLUDE
	mkdir -p "$house/$(dirname "$1")" && printf '#include %s\n' "$2" >>"$house/$1"
}
good_house() {
	rm -rf "$house"
	plant engine/engine.h '"engine/base/command.h"'
	plant engine/engine.c '"engine/search/search.h"'
	plant engine/base/command.h '"engine/base/fault.h"'
	plant engine/catalog.c '"engine/catalog.h"'
	plant engine/catalog.c '"engine/model/model.h"'
	plant engine/tensor/arena.c '"engine/base/fault.h"'
	plant engine/nn/conv.c '"engine/tensor/gemm.h"'
	plant engine/nn/conv.c '"engine/nn/node.h"'
	plant engine/nn/conv.c '<math.h>'
	plant engine/search/search.c '"engine/engine.h"'
	plant engine/search/sources/table.c '"engine/state/state.h"'
	plant engine/state/state.c '"engine/engine.h"'
	plant engine/search/changes.c '"engine/search/inside.h"'
	plant plots/canvas.c '"engine/engine.h"'
	plant plots/plots.h '"engine/base/fault.h"'
	plant plots/commands.c '"engine/base/command.h"'
	plant plots/plots.h '"engine/catalog.h"'
	plant sessions/core/session.c '"plots/plots.h"'
	plant sessions/core/inside.h '"engine/catalog.h"'
	plant sessions/core/session.c '"sessions/store/journal.h"'
	plant sessions/report/report.h '"engine/machine.h"'
	plant sessions/race/tell.c '"sessions/report/report.h"'
	plant engine/pods/torus.c '"engine/machine.h"'
	plant engine/pods/torus.c '"engine/hardware/device.h"'
	plant engine/cost/carbon.c '"engine/machine.h"'
	plant sessions/sessions.h '"engine/base/command.h"'
	plant ui/main.c '"sessions/sessions.h"'
	plant ui/main.c '"engine/base/fault.h"'
	plant ui/views/front.c '"ui/view.h"'
	plant ui/main.c '<ncurses.h>'
}
self_test() {
	good_house
	if ! check "$house"; then
		echo "the checker refuses a house in good order"
		return 1
	fi
	while IFS=' ' read -r file include; do
		good_house
		plant "$file" "$include"
		if check "$house" >/dev/null; then
			echo "the checker lets $file include $include"
			return 1
		fi
	done <<-'BAD'
		engine/engine.c "plots/plots.h"
		engine/tensor/team.c "sessions/sessions.h"
		engine/tensor/team.c "engine/quant/format.h"
		engine/data/data.c "engine/model/model.h"
		engine/space/space.c "engine/cost/cost.h"
		engine/cost/bops.c "engine/search/search.h"
		engine/state/state.c "engine/search/search.h"
		engine/cost/bops.c "engine/state/state.h"
		engine/state/state.c "engine/catalog.h"
		engine/search/lane.c "engine/search/inside.h"
		engine/search/sources/table.c "engine/search/inside.h"
		engine/cost/bops.c "engine/engine.h"
		engine/search/policy.c "engine/catalog.h"
		engine/hardware/device.c "engine/machine.h"
		engine/hardware/device.c "engine/pods/inside.h"
		engine/pods/torus.c "engine/cost/cost.h"
		sessions/report/report.h "engine/pods/inside.h"
		engine/catalog.c "plots/plots.h"
		engine/other/new.c "engine/base/fault.h"
		engine/nn/conv.c "node.h"
		engine/nn/conv.c "../tensor/gemm.h"
		engine/nn/conv.c "engine/nn/../search/search.h"
		engine/base/text.c "engine/tensor/team.h"
		engine/base/text.c "engine/engine.h"
		ui/main.c "engine/base/inside/text.h"
		plots/canvas.c "engine/data/base.h"
		plots/canvas.c "engine/tensor/rng.h"
		plots/canvas.c "sessions/sessions.h"
		plots/canvas.c <curses.h>
		sessions/core/session.c "ui/view.h"
		sessions/core/session.c "plots/canvas.h"
		sessions/core/session.c "engine/search/search.h"
		sessions/core/session.c <readline/readline.h>
		ui/views/front.c "engine/model/model.h"
		sessions/core/session.c "sessions/language/readout.h"
		sessions/report/list.c "sessions/language/readout.h"
		sessions/report/list.c "sessions/race/plan.h"
		sessions/store/journal.c "sessions/core/inside.h"
		sessions/other/new.c "sessions/store/journal.h"
		sessions/new.c "sessions/store/journal.h"
		ui/main.c "sessions/store/journal.h"
	BAD
	for bad in 'fault_set(f, "", "do it", "what")' 'fault_set(f, x->y, "", "what")' 'fault_set(&f,\n\tx, "", "what")' \
		'fault_set(f, x, "y", "out of memory")' 'disk_fault(f, "", "read", errno)'; do
		good_house
		printf "return $bad;\n" >>"$house/ui/main.c"
		if faults "$house" >/dev/null; then
			echo "the checker lets pass: $bad"
			return 1
		fi
	done
	good_house
	mkdir -p "$house/engine/base"
	printf '\tX(SIZE, "size", QUANTITY_BYTES, 0)\n' >"$house/engine/base/term.h"
	if ! terms "$house"; then
		echo "the checker refuses terms that are read in their place"
		return 1
	fi
	printf 'if (strcmp(t->name, "size") == 0)\n' >>"$house/ui/main.c"
	if terms "$house" >/dev/null; then
		echo "the checker lets a term's letters be compared"
		return 1
	fi
	good_house
	printf 'fault_set(f, x, "do it", "what");\nfault_memory(f, x);\n' >>"$house/ui/main.c"
	if ! faults "$house"; then
		echo "the checker refuses good faults"
		return 1
	fi
	if ! printf 'engine\nREADME.md\n' | strangers; then
		echo "the checker refuses what belongs at the top"
		return 1
	fi
	if printf 'engine\n0\n' | strangers >/dev/null; then
		echo "the checker lets a stray file stand at the top"
		return 1
	fi
	return 0
}

house=$(mktemp -d "${TMPDIR:-/tmp}/bitscape-house-XXXXXX") || exit 1
trap 'rm -rf "$house"' EXIT
self_test || exit 1
check "$(dirname "$0")/.." && faults "$(dirname "$0")/.." && words "$(dirname "$0")/.." && terms "$(dirname "$0")/.." &&
	kept "$(dirname "$0")/.." | strangers
