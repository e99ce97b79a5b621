// SPDX-License-Identifier: GPL-3.0-or-later
// The table of the questions about networks and devices, which need no search.
#include "sessions/report/question.h"
#include "sessions/report/report.h"

static const struct command rows[] = {
	{"catalog", COMMAND_QUERY, 0, 1, {ARGUMENT_NETWORK}, 0, NULL, "[PATTERN]",
		"the networks: multiply-accumulates, weights, activations", run_catalog},
	{"describe", COMMAND_QUERY, 1, 2, {ARGUMENT_NETWORK, ARGUMENT_FILE}, 0, "- counters", "NETWORK [FILE|counters]",
		"a network's layers and costs; with FILE, write a description to start your own from; counters: what other tools count, and why",
		run_describe},
	{"formats", COMMAND_QUERY, 0, -1, {ARGUMENT_FORMAT}, 1, NULL, "[FORMAT]...",
		"the number formats: bits, range, and how many values share a scale", run_formats},
	{"devices", COMMAND_QUERY, 0, 1, {ARGUMENT_DEVICE}, 0, NULL, "[DEVICE]",
		"the devices: peaks, memory, power, ridge points; one of them in full, with its sources", run_devices},
	{"device", COMMAND_QUERY, 1, -1, {ARGUMENT_WORDS, ARGUMENT_NETWORK, ARGUMENT_WORDS}, 1,
		"measure|cancel - batch=|threads=|rounds=|formats=|device=|again",
		"measure NETWORK|. [batch=16] [threads=N] [rounds=15] [formats=int8,fp32] [device=host] [again] | cancel",
		"measure this machine: the time of every layer of a network in each format, as a device file that device=host prices by; "
		"cut off, it goes on where it was; again: from nothing; cancel: in the workbench, end it",
		run_device},
	{"measured", COMMAND_QUERY, 0, -1, {ARGUMENT_NETWORK, ARGUMENT_FORMAT, ARGUMENT_WORDS}, 1,
		"- - on|model=|batch=|warm|csv=|plot=",
		"[NETWORK|. [FORMAT...] [on DEVICE] [model=DEVICE] [batch=N] | FILE.csv on DEVICE [warm]] [csv=FILE] [plot=FILE]",
		"measured times beside the roofline's: a network's layers on a device that was measured, this host unless said; kernels of a "
		"CSV file beside any device's model; alone: those of a TPU v4",
		run_measured},
	{"latency", COMMAND_QUERY, 1, -1, {ARGUMENT_NETWORK, ARGUMENT_FORMAT}, 1, "- device=|batch=|over=|by=kind",
		"NETWORK|PATTERN|. [FORMAT]... [device=DEVICE|PATTERN] [batch=N] [over=DEVICE|NETWORK] [by=kind]",
		"time by the roofline on every device, per format; `.`: the modal choice and the draft; over: the speed-up; by: where the time goes",
		run_latency},
	{"roofline", COMMAND_QUERY, 1, 6,
		{ARGUMENT_WORDS, ARGUMENT_FORMAT, ARGUMENT_WORDS, ARGUMENT_DEVICE, ARGUMENT_WORDS, ARGUMENT_WORDS}, 0,
		"measured - on - cold|passes= cold|passes=", "measured | MxNxK FORMAT on DEVICE [cold] [passes=1|3|6]",
		"what one product of two matrices takes, part by part; measured: the model against times measured on a TPU v4",
		run_roofline},
	{"sensitivity", COMMAND_QUERY, 1, -1, {ARGUMENT_NETWORK, ARGUMENT_FILE, ARGUMENT_FORMAT}, 1, "- hawq",
		"NETWORK [hawq|FILE.csv] [FORMAT]... | NETWORK out=FILE.csv init=FILE data=DATA [images=N] [SETTING=VALUE]... [FORMAT]...",
		"top-1 that each layer loses per format, by a table and how well that agrees with published results; out=: measured on images, as a table",
		run_sensitivity},
	{"calibrate", COMMAND_QUERY, 1, -1, {ARGUMENT_NETWORK, ARGUMENT_FORMAT}, 1, NULL,
		"NETWORK init=FILE data=DATA [images=N] [SETTING=VALUE]... [FORMAT]...",
		"the ranges of a network's weights and inputs, and what one format in all layers costs on images, with its interval",
		run_calibrate},
	{"rivals", COMMAND_QUERY, 2, -1, {ARGUMENT_NETWORK, ARGUMENT_TEXT, ARGUMENT_FORMAT}, 1, NULL,
		"NETWORK LIMIT [FORMAT]... [term=bops|size] [table=hawq|FILE.csv] [csv=FILE]",
		"what plain searchers find within a limit by a sensitivity table: uniform, 8 bits at both ends, greedy, exact",
		run_rivals},
	{"compare", COMMAND_QUERY, 1, -1, {ARGUMENT_SESSION}, 1, NULL,
		"A [branch N] B [...] [images=test|none] [plot=FILE] [curves=FILE] [formats=FILE] [pairs=FILE] [csv=FILE]",
		"sessions or branches side by side: results by layer, costs under the same terms, images that one alone gets right, with the exact test; "
		"plot: fronts, curves: quality, pairs: differences; `.` or nothing: this one",
		run_compare},
};

struct command_group session_catalog_group(struct session *s)
{
	return (struct command_group){"Networks and devices", rows, sizeof rows / sizeof *rows, s};
}
