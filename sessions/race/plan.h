// SPDX-License-Identifier: GPL-3.0-or-later
// What a race is to run: searchers x targets x networks x seeds, and what they are held against. A plan is words, KEY=VALUE, on a
// command line or in a file:
//
//	net=NETWORK        a network; may be given again        widths=0.5,1       each network at these widths
//	formats=int4,int8  uniform networks, trained alone      targets=int4,0.1x  what the searches aim at
//	seeds=1-5          or 1,2,3                             term=bops          the cost term of both
//	searchers=a,b      entrants of these searchers          times=1,0.5        also at equal time: shares of the first entrant's
//	between=50M,300M   costs that the hulls are compared over
//	SETTING=VALUE      of all runs alike: steps=1500, data=cifar10:FOLDER
//
// and in a file also lines that give an entrant settings of its own. A # begins a comment.
//
//	entrant NAME SETTING=VALUE...    a search for each target; `alone=OTHER`: the choice that OTHER found, trained from nothing
//	                                 `choice=FILE`: the choice that an exported policy or a result holds, trained from nothing on each
//	                                 network, once, whatever the targets
//	baseline NAME SETTING=VALUE...   a uniform network for each format
//	scale NET WORD...                the candidates of compound scaling, and NET, as networks (report/scale.h); one such line
//
// `paths=N`: at its end an entrant scores N random paths of the target's cost with its weights; and who is `alone=` it trains each of these
// from nothing, in place of its result, so that `race rank` tells whether shared weights order networks as they do alone.
//
// Among these settings, net=NETWORK (which may be given again) and widths= are networks of its own, in place of the plan's: so a search
// over an architecture races networks whose architecture is fixed. Then all networks of the plan are one contest: one hull is over them.
//
// No state; faults name the word.
#ifndef SESSIONS_RACE_PLAN_H
#define SESSIONS_RACE_PLAN_H

#include "engine/base/disk.h"
#include "engine/base/text.h"
#include "engine/engine.h"
#include "sessions/report/scale.h"

struct texts {
	int count;
	char **text;
};

struct entrant {
	char name[ENGINE_NAME];
	bool baseline;               // runs with each format; else with each target
	char alone[ENGINE_NAME];     // the entrant whose choices it trains, on that one's networks; "": none
	char choice[DISK_PATH];      // the file of the choice that it trains, as the plan has it; "": none
	char choice_file[DISK_PATH]; // the same, where a plan's file has a path that begins in its own folder
	uint64_t choice_hash;        // of what it holds
	int paths;                   // that it scores at its end; 0: none
	struct texts nets, widths;   // of its own; none: the plan's
	struct texts setting;        // KEY=VALUE
};

struct plan {
	char term[ENGINE_NAME];
	struct texts nets, widths, formats, targets, seeds, times, setting;
	struct texts scale; // NET and the words of a `scale` line; none: there is none
	int given;          // networks that were named; those behind are of the `scale` line
	double from, to;    // of the comparison of hulls; 0: what both have
	int entrants;
	struct entrant *entrant; // baselines too, in the order given
	const char *folder;      // of the file that is being read; NULL: none is
};

// One run of a plan. Its texts are the plan's.
struct race_run {
	const struct entrant *entrant;
	const char *net, *width; // width "": as the network has it
	int path;                // what is trained alone is this path that the other one scored; -1: its result
	bool leaves_open;        // a baseline, or what is trained alone, whose network leaves choices open beside formats
	const char *aim;         // the format of a baseline, the target of a search; "choice" of one that is given
	const char *seed;
	const char *time;           // "": at equal training images; else at this share of the first entrant's time
	char network[ENGINE_TEXT];  // "resnet8:width=0.5"
	char name[2 * ENGINE_TEXT]; // of its result: what can be read of it, and a digest of all that makes it what it is
};

// Starts as {0}.
bool plan_word(struct plan *, const char *word, struct fault *);
bool plan_file(struct plan *, const char *path, struct fault *); // a fault says the line
// What follows from the rest, and whether every run can be: its settings, its targets' texts.
bool plan_settle(struct plan *, struct fault *);
void plan_write(const struct plan *, struct string *); // as plan_file reads it
void plan_free(struct plan *);
// Makes the paths of choices such that they mean the same in another folder.
bool plan_move(struct plan *, struct fault *);

// All runs in the order in which they are made: seed by seed. The caller frees. NULL with a fault: there are none, or too many.
struct race_run *plan_runs(const struct plan *, int *count, struct fault *);
// Its settings; the number of steps of a run at equal time is the caller's to set. NULL with a fault. The caller frees.
struct config *plan_config(const struct plan *, const struct race_run *, struct fault *);
// "live resnet8:width=0.5 int4 seed 1"
const char *run_title(const struct race_run *, char buf[4 * ENGINE_TEXT]);
bool plan_one_contest(const struct plan *); // whether all of its networks are one
// The candidates of the `scale` line, as scale_read and scaling_of give them. False with a fault: also where there is none.
bool plan_scaling(const struct plan *, struct scale_asked *, struct scaling *, struct fault *);
// Adds a word to the `scale` line; the first is NET.
bool plan_scale_word(struct plan *, const char *word, struct fault *);
// Adds a baseline of so many steps.
bool plan_baseline(struct plan *, const char *name, long steps, struct fault *);
const struct entrant *plan_first(const struct plan *); // the first search: what times are shares of. NULL: there is none

#endif
