// SPDX-License-Identifier: GPL-3.0-or-later
// What searchers that go by whole choices have in common: choices that keep to what is allowed and to the targets.
#ifndef ENGINE_SEARCH_SEARCHERS_CHOICES_H
#define ENGINE_SEARCH_SEARCHERS_CHOICES_H

#include "engine/search/lane.h"

// Whether it costs no more than the lane aims at, by every term that counts. The pricer holds it from then on.
bool choice_within(const struct lane *, const uint8_t *choice);
// Whether it is also allowed, and gives each decision one option.
bool choice_keeps(const struct lane *, const uint8_t *choice);
// Gives every decision the option nearest to the one it has that is allowed: the next narrower one, or where there is none, the
// narrowest.
void choice_allow(const struct lane *, uint8_t *choice);
// Gives every decision this option, as far as it is allowed.
void choice_even(const struct lane *, int option, uint8_t *choice);
// Draws every decision evenly from what is allowed.
void choice_draw(const struct lane *, uint64_t key, uint8_t *choice);
// Moves a choice to the targets by as few steps as it takes: while it costs too much, decisions drawn by `key` become narrower; then,
// while none would make it cost too much, wider. Without targets it stays as it is.
void choice_fit(const struct lane *, uint64_t key, uint8_t *choice);
// During the warm-up: draws the path that a step trains, as every searcher does then. False: it is over.
bool choice_warmup(const struct lane *, uint64_t key, uint8_t *choice);
// Turns the policy to one choice, which gets nearly all of the probability: for the eye, and for a searcher that takes over.
void choice_point(struct lane *, const uint8_t *choice);

#endif
