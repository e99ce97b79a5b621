#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Linking OpenBLAS makes every printf of a program slower.
#
# One would guess that a linear algebra library leaves the C library's formatting alone. Debian's OpenBLAS needs libgfortran, that needs
# libquadmath, and libquadmath registers conversions of its own for printf when it is loaded (register_printf_specifier). From then on
# glibc formats everything on its general path, __float128 or not. A terminal program or a writer of logs pays, though it never
# prints a number of the library.
#
# Seen (Debian 12, gcc 12, glibc 2.36): snprintf of two integers takes 1.6 times as long once libopenblas is loaded, of an integer, a
# word and a double 1.3 times; the same with libquadmath alone; libm, loaded likewise, changes nothing.
# What helps: formatting in hot paths without printf.
#
# Installs the pinned packages into a temporary folder; needs gcc, dpkg and apt with Debian 12's lists. Exit status 0: as described.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -o APT::Sandbox::User=root download -q libopenblas0-pthread=0.3.21+ds-4 libgfortran5=12.2.0-14+deb12u1 libquadmath0=12.2.0-14+deb12u1 >/dev/null
for package in ./*.deb; do
	dpkg-deb -x "$package" root
done
libs=$(find "$PWD/root" \( -name 'libquadmath.so.*' -o -name 'libopenblas.so.*' -o -name 'libgfortran.so.*' \) -printf '%h\n' | sort -u | paste -sd:)
cat >time.c <<'END'
#include <dlfcn.h>
#include <stdio.h>
#include <time.h>

static double seconds(int doubles)
{
	double least = 1e9;
	for (int round = 0; round < 7; round++) {
		struct timespec from, to;
		char text[64];
		clock_gettime(CLOCK_MONOTONIC, &from);
		for (int i = 0; i < 500000; i++)
			if (doubles)
				snprintf(text, sizeof text, "%d %s %.3f", i, "layer", i * .5);
			else
				snprintf(text, sizeof text, "%d;%d", i, i & 63);
		clock_gettime(CLOCK_MONOTONIC, &to);
		double took = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
		least = took < least ? took : least;
	}
	return least;
}

int main(int argc, char **argv)
{
	double before[2] = {seconds(0), seconds(1)};
	if (argc < 2 || !dlopen(argv[1], RTLD_NOW)) {
		fprintf(stderr, "%s\n", argc < 2 ? "name a library" : dlerror());
		return 2;
	}
	printf("%s: %.2f times for integers, %.2f times with a double\n", argv[1], seconds(0) / before[0], seconds(1) / before[1]);
	return 0;
}
END
gcc -O2 time.c -o time -ldl
echo "glibc $(getconf GNU_LIBC_VERSION | cut -d' ' -f2), OpenBLAS 0.3.21+ds-4, libquadmath 12.2.0-14+deb12u1"
for library in libm.so.6 libquadmath.so.0 libopenblas.so.0; do
	LD_LIBRARY_PATH=$libs ./time "$library" | tee -a seen
done
awk '
	{ ratio[$1] = $2 }
	END {
		same = ratio["libm.so.6:"] < 1.15 && ratio["libm.so.6:"] > 0.85
		slow = ratio["libquadmath.so.0:"] > 1.25 && ratio["libopenblas.so.0:"] > 1.25
		print same && slow ? "as described" : "no longer as described"
		exit !(same && slow)
	}' seen
