// SPDX-License-Identifier: GPL-3.0-or-later
// `scale` without training: what is asked, in words, and the candidates of each level as a table, a CSV file and a figure. A plan of a
// race speaks of its candidates in the same words (sessions/race).
#ifndef SESSIONS_REPORT_SCALE_H
#define SESSIONS_REPORT_SCALE_H

#include "engine/base/command.h"
#include "engine/base/disk.h"
#include "engine/scaling.h"

// NET and the words that say which candidates there are:
//	device=tpu_v3        efficiency=stated|1   as the device's figures have it, or a plain roofline ("tpu_v3:ideal")
//	format=bf16          of every layer; unless said, bf16 where the device multiplies it, else fp16
//	levels=2,4,8         multiples of the network's own latency
//	by=latency|macs      what is equal within a level
//	points=12            candidates a level
//	images=N             at once, when priced; unless said, the device's own batch
//	price=NETWORK        whose size latency is priced at, with the same multiples; res=N: the same network's, at N pixels
//	largest=N            side of images; unless said, 32 pixels for a network that begins below
struct scale_asked {
	struct scaling_question question; // its texts are borrowed from the words, and
	char device[DISK_PATH], price[ENGINE_TEXT];
	bool ideal, both; // both: nothing was said of efficiencies
};
// Whether a word is one of these.
bool scale_is_word(const char *word);
// Fills the fault of a word that is none of all these, with the nearest one. Always returns false.
bool scale_unknown(const char *word, struct fault *);
// Reads NET (word[0]) and its words, which it borrows, all of them such. The question points into `asked`, which must stay where it is.
// Returns false with a fault that names the word.
bool scale_read(struct scale_asked *asked, char *const *word, int words, struct fault *);

// Shows the candidates; `csv` and `picture` are files, or NULL.
bool scale_show(struct command_call *, const struct scale_asked *, const char *csv, const char *picture);
// Shows what the model prefers among the published families of EfficientNet-X.
bool scale_show_published(struct command_call *, const struct scale_asked *, bool one_device, const char *csv);

// A line about the question: what is scaled, and what is priced at what size. Returns buf.
const char *scale_title(const struct scale_asked *, const struct scaling *, char buf[4 * ENGINE_TEXT]);

// "1.33/1.25/24": depth, width, side. For a point of a figure.
void scale_label(const struct scaled *, char label[16]);

#endif
