# SPDX-License-Identifier: GPL-3.0-or-later
# make            build ./bitscape
# make run        install what is missing, build, open the workbench
# make test       the same set-up, then every test   (SAN=address,undefined or SAN=thread: under sanitizers)
# make bench      the performance table
# make install    to PREFIX (/usr/local), below DESTDIR
# make deps, make clean

PREFIX  ?= /usr/local
CC      ?= cc
PKG_CONFIG ?= pkg-config
SAN     ?=
OUT     := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
comma   := ,

# Libraries: found by pkg-config; each variable may be set by hand.
NCURSES_CFLAGS  ?= $(shell $(PKG_CONFIG) --cflags ncursesw 2>/dev/null)
NCURSES_LIBS    ?= $(shell $(PKG_CONFIG) --libs ncursesw 2>/dev/null || echo -lncursesw -ltinfo)
READLINE_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags readline 2>/dev/null)
READLINE_LIBS   ?= $(shell $(PKG_CONFIG) --libs readline 2>/dev/null || echo -lreadline)
OPENBLAS_CFLAGS ?= $(shell $(PKG_CONFIG) --cflags openblas 2>/dev/null)
OPENBLAS_LIBS   ?= $(shell $(PKG_CONFIG) --libs openblas 2>/dev/null || echo -lopenblas)
JANSSON_CFLAGS  ?= $(shell $(PKG_CONFIG) --cflags jansson 2>/dev/null)
JANSSON_LIBS    ?= $(shell $(PKG_CONFIG) --libs jansson 2>/dev/null || echo -ljansson)
ZLIB_CFLAGS     ?= $(shell $(PKG_CONFIG) --cflags zlib 2>/dev/null)
ZLIB_LIBS       ?= $(shell $(PKG_CONFIG) --libs zlib 2>/dev/null || echo -lz)
CMOCKA_CFLAGS   ?= $(shell $(PKG_CONFIG) --cflags cmocka 2>/dev/null)
CMOCKA_LIBS     ?= $(shell $(PKG_CONFIG) --libs cmocka 2>/dev/null || echo -lcmocka)

MAKEFLAGS += -r
VERSION := 0.1.0
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
CFLAGS  ?= -O2 -g
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -DBITSCAPE_VERSION='"$(VERSION)"' -I. $(WARN) -pthread -MMD -MP $(CFLAGS) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined) \
	$(sort $(NCURSES_CFLAGS) $(READLINE_CFLAGS) $(OPENBLAS_CFLAGS) $(JANSSON_CFLAGS) $(ZLIB_CFLAGS))
LIBS    = $(NCURSES_LIBS) $(READLINE_LIBS) $(OPENBLAS_LIBS) $(JANSSON_LIBS) $(ZLIB_LIBS) -lm -pthread

# The compute kernels are one source, compiled once per instruction set and picked at run time.
KERNELS := base
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine)),)
KERNELS += avx2 avx512
endif
ISA_avx2   := -mavx2 -mfma
ISA_avx512 := -mavx512f -mavx512vl -mavx512dq -mavx512bw -mavx2 -mfma -mprefer-vector-width=512
KERNEL_CFLAGS := -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math

SOURCES := $(filter-out engine/tensor/kernels_isa.c,$(wildcard engine/*.c engine/*/*.c plots/*.c sessions/*.c ui/*.c ui/*/*.c))
OBJECTS := $(SOURCES:%.c=$(OUT)/%.o) $(KERNELS:%=$(OUT)/engine/tensor/kernels_%.o)
PARTS   := $(filter-out $(OUT)/ui/main.o,$(OBJECTS))
TESTS   := $(patsubst %.c,$(OUT)/%,$(wildcard tests/unit_*.c))

.DELETE_ON_ERROR:
.PHONY: all run test test-long bench deps install clean
all: bitscape

bitscape: $(OUT)/bitscape
	@ln -sf $< $@

$(OUT)/bitscape: $(OBJECTS)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(KERNELS:%=$(OUT)/engine/tensor/kernels_%.o): $(OUT)/engine/tensor/kernels_%.o: engine/tensor/kernels_isa.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(KERNEL_CFLAGS) $(ISA_$*) -DISA=$* -c -o $@ $<

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(OUT)/tests/%: $(OUT)/tests/%.o $(PARTS)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(CMOCKA_LIBS) $(LIBS)

$(OUT)/tests/%.o: ALL_CFLAGS += $(CMOCKA_CFLAGS)

deps:
	@.ci/deps

# The set-up may install what the library look-ups above need: hence a make of its own after it.
run:
	@.ci/deps run
	@$(MAKE) --no-print-directory bitscape
	@./bitscape

test: deps
	@$(MAKE) --no-print-directory check

test-long: deps
	@LONG=1 $(MAKE) --no-print-directory check

.PHONY: check
check: $(OUT)/bitscape $(TESTS)
	@OUT=$(OUT) SAN=$(SAN) tests/run $(TESTS)

bench: $(OUT)/bitscape $(OUT)/tests/bench
	@OUT=$(OUT) $(OUT)/tests/bench

install: bitscape
	install -D -m 755 $(OUT)/bitscape $(DESTDIR)$(PREFIX)/bin/bitscape
	install -D -m 644 README.md $(DESTDIR)$(PREFIX)/share/doc/bitscape/README.md

clean:
	rm -rf build bitscape

-include $(OBJECTS:.o=.d) $(TESTS:=.d) $(OUT)/tests/bench.d
