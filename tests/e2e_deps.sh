#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# .ci/deps on a made-up machine: a folder of stand-in programs is all that it sees.
set -u
deps=$(cd "$(dirname "$0")/.." && pwd)/.ci/deps
shell=$(command -v sh)
box=$(mktemp -d "${TMPDIR:-/tmp}/bitscape-deps-XXXXXX") || exit 1
trap 'rm -rf "$box"' EXIT
unset CC PKG_CONFIG DEPS_ASSUME_YES NCURSES_LIBS READLINE_LIBS OPENBLAS_LIBS JANSSON_LIBS ZLIB_LIBS CMOCKA_LIBS

program() { # NAME, its text on standard input
	{ echo "#!$shell" && cat; } >"$box/bin/$1" && chmod +x "$box/bin/$1"
}

# A machine that has everything, and a root who may install.
machine() {
	rm -rf "${box:?}/bin" "$box/modules" "$box/log"
	mkdir -p "$box/bin" "$box/modules"
	: >"$box/log"
	for tool in env grep; do
		ln -s "$(command -v $tool)" "$box/bin/$tool"
	done
	for tool in cc make tmux gnuplot; do
		echo : | program $tool
	done
	for module in ncursesw readline openblas jansson zlib libpng libjpeg cmocka vterm; do
		: >"$box/modules/$module"
	done
	echo 'echo 0' | program id
	program pkg-config <<-END
		[ -e "$box/modules/\$2" ]
	END
	# Installs what it is asked for, except the package in \$box/refused.
	rm -f "$box/refused"
	program apt-get <<-END
		echo "apt-get \$*" >>"$box/log"
		case " \$* " in *" update "*) exit 0 ;; esac
		for package; do
			[ ! -e "$box/refused" ] || [ "\$package" != "\$(/bin/cat "$box/refused")" ] || exit 100
			case \$package in
			libopenblas-dev) : >"$box/modules/openblas" ;;
			libjansson-dev) : >"$box/modules/jansson" ;;
			gnuplot-nox) echo : >"$box/bin/gnuplot" && /bin/chmod +x "$box/bin/gnuplot" ;;
			esac
		done
	END
}

failed=0
purpose=all
# expect CASE STATUS OUTPUT-PATTERN LOG-PATTERN [NAME=VALUE…]: shell patterns
expect() {
	case=$1 status=$2 output=$3 log=$4
	shift 4
	got=$(env PATH="$box/bin" "$@" "$shell" "$deps" "$purpose" 2>&1 </dev/null)
	got_status=$?
	got_log=$(cat "$box/log")
	# shellcheck disable=SC2254 # patterns
	case $got_status/$got in $status/$output) ;; *)
		failed=1
		printf '%s: status %s, said:\n%s\n' "$case" "$got_status" "$got"
		;;
	esac
	# shellcheck disable=SC2254
	case $got_log in $log) ;; *)
		failed=1
		printf '%s: did:\n%s\n' "$case" "$got_log"
		;;
	esac
}

machine
expect 'nothing missing' 0 '' ''
rm "$box/modules/openblas"
expect 'a library is missing' 0 '' '*install libopenblas-dev'
expect 'and is there afterwards' 0 '' '*install libopenblas-dev'

machine && rm "$box/modules/openblas" "$box/modules/jansson"
expect 'supplied by hand' 0 '' '*install libjansson-dev' OPENBLAS_LIBS=-lmine
machine && rm "$box/modules/cmocka" "$box/bin/tmux" && purpose=run
expect 'what only the tests need' 0 '' ''
machine && rm "$box/modules/openblas" "$box/bin/gnuplot" && purpose=look
expect 'only to be named' 0 'not found here: libopenblas-dev;*make deps*' ''
purpose=all
machine && rm "$box/bin/pkg-config" && echo 'echo install ok installed' | program dpkg-query
expect 'no pkg-config, yet all packages' 0 '' ''
machine && echo ': compiler' | program gcc-99 && rm "$box/bin/cc"
expect 'another compiler' 0 '' '' 'CC=gcc-99 -m64'

machine && rm "$box/modules/openblas" && echo libopenblas-dev >"$box/refused"
expect 'apt-get fails, lists are fetched, it fails again' 1 \
	'*needs these packages, and apt-get could not install them: libopenblas-dev*' '*install*update*install*'
machine && rm "$box/bin/gnuplot" && echo gnuplot-nox >"$box/refused"
expect 'only gnuplot cannot be had' 0 '*no gnuplot*built-in canvas*' '*install gnuplot-nox'
machine && rm "$box/modules/openblas" "$box/bin/gnuplot" && echo gnuplot-nox >"$box/refused"
expect 'all but gnuplot can be had' 0 '*no gnuplot*' '*install libopenblas-dev gnuplot-nox*install libopenblas-dev'
machine && rm "$box/bin/gnuplot"
expect 'gnuplot is installed' 0 '' '*install gnuplot-nox'

machine && rm "$box/modules/openblas" "$box/bin/apt-get"
expect 'no apt-get' 1 '*no apt-get*libopenblas-dev*apt-get install libopenblas-dev' ''
machine && rm "$box/modules/openblas" && echo 'echo 1000' | program id
expect 'not root, no sudo' 1 '*only root*libopenblas-dev*' ''
echo "echo sudo \"\$@\" >>'$box/log'; exit 1" | program sudo
expect 'sudo would ask for a password' 1 '*password*libopenblas-dev*sudo*' 'sudo -n true'
# shellcheck disable=SC2016
echo '[ "$1" = -n ] && shift; exec "$@"' | program sudo
echo : | program true
expect 'sudo' 0 '' '*install libopenblas-dev'
exit $failed
