# SPDX-License-Identifier: GPL-3.0-or-later
# make            builds ./bitscape               V=1 shows the commands
# make run        installs what is missing, builds, opens the workbench
# make test       installs what is missing, builds, runs every test; make test-long: those that take long too
# make check      the tests without the installation; make check-peers: what other programs make of the same numbers
# make bench      prints the performance tables, or some: BENCH_TABLES="steps profile operators memory overhead keys frames acknowledge signal"
# make bench-peer  installs PyTorch from PyPI into the build folder, for make bench to compare with (2 GB and more)
# make bench-profile  where a step and a scoring pass spend their time, by part, operator and kind
# make install    to PREFIX (/usr/local), below DESTDIR
# make pictures   makes README's pictures anew, from sessions/pictures
# make deps       only installs; make clean removes what was built; make help prints this
# make format     lays the sources out by .clang-format (clang-format 14)
#
# SAN=address,undefined or SAN=thread builds with sanitizers, in a folder of its own.

PREFIX     ?= /usr/local
PKG_CONFIG ?= pkg-config
CFLAGS     ?= -O2 -g

VERSION := 0.1.0
comma   := ,
OUT     := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))

# As many jobs at once as there are processors, unless it is called with -j or by another make.
MAKEFLAGS += -r
ifeq ($(MAKELEVEL)$(filter -j% --jobserver%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(or $(shell nproc 2>/dev/null),1)
endif

# ---- libraries and flags --------------------------------------------------------------------------------------------

# NAME_CFLAGS and NAME_LIBS: pkg-config is asked at the first use, which is after the installation. Either may be set by hand.
define library # NAME, module, what to link with where pkg-config knows nothing
$1_CFLAGS ?= $$(eval $1_CFLAGS := $$(shell $$(PKG_CONFIG) --cflags $2 2>/dev/null))$$($1_CFLAGS)
$1_LIBS   ?= $$(eval $1_LIBS := $$(shell $$(PKG_CONFIG) --libs $2 2>/dev/null || echo $3))$$($1_LIBS)
endef
$(eval $(call library,NCURSES,ncursesw,-lncursesw -ltinfo))
$(eval $(call library,READLINE,readline,-lreadline))
$(eval $(call library,OPENBLAS,openblas,-lopenblas))
$(eval $(call library,JANSSON,jansson,-ljansson))
$(eval $(call library,ZLIB,zlib,-lz))
$(eval $(call library,PNG,libpng,-lpng))
$(eval $(call library,JPEG,libjpeg,-ljpeg))
$(eval $(call library,CMOCKA,cmocka,-lcmocka))
$(eval $(call library,VTERM,vterm,))
LIBS ?= $(NCURSES_LIBS) $(READLINE_LIBS) $(OPENBLAS_LIBS) $(JANSSON_LIBS) $(ZLIB_LIBS) $(PNG_LIBS) $(JPEG_LIBS)

WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
COMPILE   = $(CC) -std=c17 -D_GNU_SOURCE -DBITSCAPE_VERSION='"$(VERSION)"' -I. $(WARN) -pthread -MMD -MP \
	$(NCURSES_CFLAGS) $(READLINE_CFLAGS) $(OPENBLAS_CFLAGS) $(JANSSON_CFLAGS) $(ZLIB_CFLAGS) $(PNG_CFLAGS) $(JPEG_CFLAGS) \
	$(CPPFLAGS) $(CFLAGS) $(SANITIZE)
LINK      = $(CC) $(CFLAGS) $(SANITIZE) -pthread $(LDFLAGS)

# The compute kernels are one source, compiled once per instruction set; the program picks one when it starts.
KERNELS := base
ifneq ($(filter x86_64%,$(or $(shell $(CC) -dumpmachine 2>/dev/null),$(shell uname -m))),)
KERNELS += avx2 avxvnni avx512 avx512vnni avx512bf16
endif
ISA_avx2   := -mavx2 -mfma
ISA_avxvnni := $(ISA_avx2) -mavxvnni
ISA_avx512 := -mavx512f -mavx512vl -mavx512dq -mavx512bw -mavx2 -mfma -mprefer-vector-width=512
ISA_avx512vnni := $(ISA_avx512) -mavx512vnni
ISA_avx512bf16 := $(ISA_avx512vnni) -mavx512bf16
KERNEL_CFLAGS := -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math

# ---- what is built --------------------------------------------------------------------------------------------------

KERNEL  := engine/tensor/kernels_isa.c
SOURCES := $(filter-out $(KERNEL),$(wildcard $(addsuffix .c,engine/* engine/*/* engine/*/*/* plots/* sessions/* sessions/*/* ui/* ui/*/*)))
KERNEL_OBJECTS := $(KERNELS:%=$(OUT)/engine/tensor/kernels_%.o)
OBJECTS := $(SOURCES:%.c=$(OUT)/%.o) $(KERNEL_OBJECTS)
TESTS   := $(patsubst %.c,$(OUT)/%,$(wildcard tests/unit_*.c))
BENCH   := $(OUT)/tests/bench
CAMPAIGN := $(OUT)/tests/campaign
FROZEN  := $(OUT)/tests/peers/frozen
ONNX_RUN := $(OUT)/tests/peers/onnx_run
BENCH_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/bench*.c))

Q   = $(if $(V),,@)
say = @$(if $(V),:,printf '  %-4s %s\n' $1 $2)

.DELETE_ON_ERROR:
.PHONY: all run pictures test test-long check check-peers bench bench-peer bench-profile install deps format clean help FORCE
all: bitscape $(OUT)/bitscape.1

# Stays a link, to what was built last: with sanitizers or without.
bitscape: $(OUT)/bitscape FORCE
	@[ "$$(readlink $@)" = $< ] || ln -sf $< $@

$(OUT)/bitscape: $(OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS) -lm

# Written by the program from its own tables, like the completions that `make install` puts in their places.
$(OUT)/bitscape.1: $(OUT)/bitscape
	$(call say,MAN,$@)
	$(Q)$< manual >$@

$(TESTS) $(BENCH) $(CAMPAIGN) $(FROZEN) $(ONNX_RUN): %: %.o $(filter-out $(OUT)/ui/main.o,$(OBJECTS))
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(if $(filter $(TESTS),$@),$(CMOCKA_LIBS)) $(if $(filter %/unit_cast,$@),$(VTERM_LIBS)) $(LIBS) -lm
$(BENCH): $(BENCH_OBJECTS)

# What makes the program's disk calls fail; it is loaded in front of the C library.
$(CAMPAIGN): | $(OUT)/tests/failing.so
$(OUT)/tests/failing.so: tests/failing.c $(OUT)/flags
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE $(WARN) $(CFLAGS) -fPIC -shared -o $@ $< -ldl

$(OUT)/%.o: %.c $(OUT)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(if $(filter $(TESTS:=.o),$@),$(CMOCKA_CFLAGS)) -c -o $@ $<

$(KERNEL_OBJECTS): $(OUT)/engine/tensor/kernels_%.o: $(KERNEL) $(OUT)/flags
	$(call say,CC,'$< ($*)')
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(KERNEL_CFLAGS) $(ISA_$*) -DISA=$* -c -o $@ $<

# Changes with the compiler and its flags; everything compiled depends on it, and so comes after the set-up. (+: under
# `make -n` too, which would else think all of it out of date.)
FLAGS = $(subst ','\'',$(COMPILE) $(KERNEL_CFLAGS) $(LINK) $(LIBS))
$(OUT)/flags: FORCE | deps
	+@mkdir -p $(@D)
	+@printf '%s\n' '$(FLAGS)' | cmp -s - $@ || printf '%s\n' '$(FLAGS)' >$@

-include $(OBJECTS:.o=.d) $(TESTS:=.d) $(CAMPAIGN:=.d) $(FROZEN:=.d) $(ONNX_RUN:=.d) $(BENCH_OBJECTS:.o=.d)

# ---- what is done with it -------------------------------------------------------------------------------------------

# Some goals install what is missing, the others only name it.
PURPOSE := $(if $(filter deps test test-long,$(MAKECMDGOALS)),all,$(if $(filter run bench bench-profile,$(MAKECMDGOALS)),run,look))
deps:
	@.ci/deps $(PURPOSE)

run: bitscape
	@./bitscape

test test-long check: $(OUT)/bitscape $(OUT)/bitscape.1 $(TESTS) $(CAMPAIGN)
	@OUT=$(OUT) SAN=$(SAN) $(if $(filter %-long,$@),LONG=1) tests/run $(TESTS)

# Programs of others, pinned, from PyPI into a folder of the build: what leaves is run in them, and numbers rounded by them are compared. One
# script a peer. Part of no other goal.
check-peers: $(OUT)/bitscape $(FROZEN) $(OUT)/tests/unit_blocks $(OUT)/tests/unit_export_blocks
	@set -e; for peer in tests/peers/run*; do OUT=$(OUT) "$$peer"; done

# PEER, set by hand, is the peer's command; empty: there is none.
bench: $(OUT)/bitscape $(BENCH)
	@export OUT=$(OUT); PEER="$${PEER-$$(tests/peer.sh)}" $(BENCH)

bench-peer:
	@mkdir -p $(OUT)
	python3 -m venv $(OUT)/peer
	$(OUT)/peer/bin/python3 -m pip install --quiet torch
	@OUT=$(OUT) tests/peer.sh >/dev/null

bench-profile: $(BENCH)
	@OUT=$(OUT) BENCH_TABLES="profile operators" $(BENCH)

pictures: $(OUT)/bitscape
	@OUT=$(OUT) sessions/pictures/make

SHARE = $(DESTDIR)$(PREFIX)/share
install: $(OUT)/bitscape $(OUT)/bitscape.1
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/doc/bitscape"
	install -m 755 $< "$(DESTDIR)$(PREFIX)/bin"
	install -d "$(DESTDIR)$(PREFIX)/share/bitscape/tours"
	install -m 644 $(wildcard sessions/tours/*.tour) "$(DESTDIR)$(PREFIX)/share/bitscape/tours"
	install -m 644 $(wildcard README.md) LICENSE "$(DESTDIR)$(PREFIX)/share/doc/bitscape"
	install -d "$(SHARE)/man/man1" "$(SHARE)/bash-completion/completions" "$(SHARE)/zsh/site-functions"
	install -m 644 $(OUT)/bitscape.1 "$(SHARE)/man/man1"
	$< completion bash >"$(SHARE)/bash-completion/completions/bitscape"
	$< completion zsh >"$(SHARE)/zsh/site-functions/_bitscape"

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build bitscape

help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' Makefile
