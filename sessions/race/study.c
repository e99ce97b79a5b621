// SPDX-License-Identifier: GPL-3.0-or-later
#include "sessions/race/study.h"

#include <stdio.h>
#include <string.h>

#include "sessions/report/scale.h"

// What is asked: the words of the candidates, and those about what becomes of them.
struct wish {
	int words;
	char *word[COMMAND_MAX_ARGUMENTS]; // NET and its words
	const char *csv, *plot;
	bool published, device;
};

static bool read_wish(const struct command_call *call, struct wish *w)
{
	const struct {
		const char *key;
		const char **to;
	} files[] = {{"csv=", &w->csv}, {"plot=", &w->plot}};
	*w = (struct wish){.words = 1, .word = {call->argv[0]}};
	for (int i = 1; i < call->argc; i++) {
		char *word = call->argv[i];
		bool known = strcmp(word, "published=yes") == 0;
		w->published |= known;
		w->device |= strncmp(word, "device=", 7) == 0;
		for (size_t k = 0; k < sizeof files / sizeof *files; k++)
			if (strncmp(word, files[k].key, strlen(files[k].key)) == 0) {
				*files[k].to = word + strlen(files[k].key);
				known = true;
			}
		if (!known)
			w->word[w->words++] = word;
	}
	return true;
}

bool run_scale(struct command_call *call)
{
	struct wish w;
	struct scale_asked asked;
	if (!read_wish(call, &w) || !scale_read(&asked, w.word, w.words, &call->fault))
		return false;
	if (!w.published)
		return scale_show(call, &asked, w.csv, w.plot);
	if (strcmp(call->argv[0], "efficientnet-x") != 0)
		return fault_set(&call->fault, call->argv[0], "scale efficientnet-x published=yes",
			"no families of it were published");
	return scale_show_published(call, &asked, w.device, w.csv);
}
