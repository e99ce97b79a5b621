// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/model/slot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"

const struct slot_kind_row slot_kinds[SLOT_KINDS] = {
	[SLOT_WEIGHT] = {"w", true, NULL, "the format of a layer's weights"},
	[SLOT_ACTIVATION] = {"a", true, NULL, "the format of a layer's input activations"},
	[SLOT_KERNEL] = {"kernel", false, NULL, "rows and columns of a convolution's window"},
	[SLOT_EXPANSION] = {"expand", false, NULL, "inner channels of a block, per channel that it reads"},
	[SLOT_WIDTH] = {"width", false, NULL, "channels put out, or their multiple of the standard"},
	[SLOT_DEPTH] = {"depth", false, (const char *const[]){"off", "on", NULL}, "whether a block is there, or how many are"},
	[SLOT_BLOCK] = {"block", false, (const char *const[]){"depthwise", "fused", NULL},
		"the operators that a block is made of"},
	[SLOT_SQUEEZE] = {"se", false, NULL, "channels of squeeze and excite, per channel that the block reads"},
	[SLOT_ACT] = {"act", false, (const char *const[]){"none", "relu", "relu6", "swish", "gelu", "sigmoid", NULL},
		"the activation behind a block's convolutions"},
	[SLOT_STEM] = {"stem", false, (const char *const[]){"stride", "space2depth", "space2batch", NULL},
		"how the first images become small"},
	[SLOT_SIDE] = {"side", false, NULL, "rows and columns of the images"},
	[SLOT_TOPOLOGY] = {"topology", false, NULL, "the slice's axes"},
	[SLOT_TWIST] = {"twist", false, (const char *const[]){"regular", "twisted", NULL}, "how the slice's long axis closes"},
	[SLOT_PIPELINE] = {"pipeline", false, NULL, "stages that the layers are spread over"},
	[SLOT_DATA] = {"data", false, NULL, "parts that the sequences are spread over"},
	[SLOT_MODEL1] = {"model1", false, NULL, "parts that a layer's hidden width is cut into"},
	[SLOT_MODEL2] = {"model2", false, NULL, "parts that it is cut into once more, or the other width"},
	[SLOT_CUT] = {"cut", false, (const char *const[]){"1D", "2D", NULL}, "cut along one model part, or both"},
	[SLOT_FORMAT] = {"format", true, NULL, "the format in which it is kept and multiplied"},
	[SLOT_CARRIED] = {"carried", true, NULL, "the format in which collectives carry it"},
};

static int word_index(enum slot_kind kind, const char *word)
{
	const char *const *words = slot_kinds[kind].words;
	for (int i = 0; words && words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return -1;
}

static bool read_value(const struct slot *s, const char *word, double *value, struct fault *fault)
{
	int index = word_index(s->kind, word);
	char expected[128];
	*value = index;
	if (index >= 0 || (number_read(word, value) && *value >= 0))
		return true;
	size_t used = 0;
	for (const char *const *w = slot_kinds[s->kind].words; w && *w && used < sizeof expected; w++)
		used += (size_t)snprintf(expected + used, sizeof expected - used, "%s%s", used ? ", " : "it takes ", *w);
	return fault_set(fault, s->name, used ? expected : "it takes numbers, such as 3|5|7",
		"\"%s\" is no option of a slot of this kind", word);
}

bool slot_read(struct slot *s, const char *words, struct fault *fault)
{
	s->options = 0;
	for (const char *at = words;; at++) {
		size_t n = strcspn(at, "|");
		if (s->options == SLOT_OPTIONS || n == 0 || n >= SLOT_OPTION)
			return fault_set(fault, s->name, "separate up to 32 short options by bars, such as 3|5|7",
				"\"%s\" is no list of options", words);
		char *option = s->option[s->options];
		snprintf(option, SLOT_OPTION, "%.*s", (int)n, at);
		if (!read_value(s, option, &s->value[s->options], fault))
			return false;
		if (slot_valued(s, s->value[s->options]) >= 0)
			return fault_set(fault, s->name, "leave one of them out", "the option %s is there twice", option);
		s->options++;
		at += n;
		if (!*at)
			return true;
	}
}

int slot_named(const struct slot *s, const char *name, struct fault *fault)
{
	struct string list = {0};
	for (int o = 0; o < s->options; o++)
		if (strcmp(s->option[o], name) == 0)
			return o;
	string_add(&list, slot_kinds[s->kind].format ? "its formats are" : "its options are");
	for (int o = 0; o < s->options; o++)
		string_add(&list, " %s", s->option[o]);
	fault_set(fault, name[0] ? name : s->name, list.bytes ? list.bytes : "", "%s",
		name[0] ? "not in the space of this search" : "an option is missing, at a comma or altogether");
	string_free(&list);
	return -1;
}

int slot_valued(const struct slot *s, double value)
{
	for (int o = 0; o < s->options; o++)
		if (s->value[o] == value)
			return o;
	return -1;
}

bool slot_there(const struct slot *slot, int i, const uint8_t *choice)
{
	for (; slot[i].owner >= 0; i = slot[i].owner)
		if (!(slot[i].when >> choice[slot[i].owner] & 1))
			return false;
	return true;
}
