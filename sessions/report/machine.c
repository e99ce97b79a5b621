// SPDX-License-Identifier: GPL-3.0-or-later
// The table of the reports.
#include "sessions/report/report.h"
#include "sessions/sessions.h"

#define TRANSFORMERS "gpt3|palm_540b|palm_62b|gopher_280b|lamda_137b|llama2_70b"
#define PODS "tpu_v4|tpu_v4_pods|tpu_v4_fixed|tpu_v4_infiniband|tpu_v3|tpu_v5e|tpu_v5p|tpu_v6e|h100_cluster"

static const struct command rows[] = {
	{"pods", COMMAND_QUERY, 0, -1, {ARGUMENT_WORDS}, 0, "inputs|published|csv=|plot=|" PODS,
		"[POD|FILE.json|inputs|published] [csv=FILE] [plot=FILE]",
		"pods of chips; every figure of one, and every input of the models, with its source or its range;"
		" the models against what was published",
		run_pods},
	{"slice", COMMAND_QUERY, 1, -1, {ARGUMENT_TEXT, ARGUMENT_WORDS}, 1,
		"- twisted|on|bytes=|routing=|axis=|split=|failed=|csv=|plot=|loads=|" PODS,
		"AxBxC [twisted] [on POD] [bytes=N] [routing=paths|hops|dimension] [axis=x|y|z] [split=z4] [failed=x+0,0,0] [csv=FILE] [plot=FILE] [loads=FILE]",
		"a slice of a pod: hops, bisection, loads of its links exactly, times of collectives, the twist's gain and price; a gather on one axis, two jobs (split), a failed link; plot, loads: pictures",
		run_slice},
	{"slices", COMMAND_QUERY, 1, -1, {ARGUMENT_TEXT, ARGUMENT_WORDS}, 1, "- on|bytes=|csv=|plot=|" PODS,
		"CHIPS [on POD] [bytes=N] [csv=FILE] [plot=FILE]", "all slices with this number of chips, side by side",
		run_slices},
	{"goodput", COMMAND_QUERY, 0, -1, {ARGUMENT_WORDS}, 1,
		"on|slice=|jobs=|availability=|spares=|window=|hours=|seed=|csv=|plot=|repair=|checkpoint=|restart=|job=|" PODS,
		"[on POD] [slice=AxBxC|mix | jobs=AxBxC:SHARE[,...]] [availability=PERCENT] [spares=BLOCKS] [window=JOBS] "
		"[hours=N] [seed=N] [INPUT=VALUE]... [csv=FILE] [plot=FILE]",
		"how much of a pod runs jobs while hosts fail, by slice and availability, with and without switches: closed "
		"forms and a simulation",
		run_goodput},
	{"partition", COMMAND_QUERY, 2, -1, {ARGUMENT_WORDS, ARGUMENT_TEXT, ARGUMENT_WORDS}, 1,
		TRANSFORMERS " - "
			     "on|twisted|serve|spec=|axes=any|weights=|activations=|carry=|gradients=|gathers=|batch=|pods=|"
			     "context=|top=|site=|efficiency=|csv=|plot=|" PODS,
		"MODEL SLICE|CHIPS[,CHIPS]... [twisted] [on POD] [serve] [spec=P,D,M1,M2] [axes=any] "
		"[weights=|activations=|carry=|gradients=|gathers=FORMAT] "
		"[batch=N] [pods=N] [context=N] [top=N] [site=SITE] [efficiency=E] "
		"[layers=|width=|heads=|hidden=|sequence=|parameters=N] [INPUT=VALUE]... [csv=FILE] [plot=FILE]",
		"a transformer over a slice: every division into pipeline, data and model parts by price, what fits, what binds; "
		"several sizes: their front",
		run_partition},
	{"embeddings", COMMAND_QUERY, 2, -1, {ARGUMENT_WORDS, ARGUMENT_TEXT, ARGUMENT_WORDS}, 1,
		"dlrm_dcnv2 - on|twisted|serve|pipelined|duplicates|weights=|place=|tables=|stacks=|against=|batch=|csv=|plot=|" PODS,
		"dlrm_dcnv2|FILE.json SLICE [twisted] [on POD] [against=POD:SLICE] [place=sparsecore|tensorcore|host|each | tables=PLACE:N,N-N,...] "
		"[stacks=N|alone|best] [weights=FORMAT] [serve] [pipelined] "
		"[duplicates] [batch=N] [INPUT=VALUE]... [csv=FILE] [plot=FILE]",
		"embedding tables over a slice's SparseCores, tensor cores or hosts: what a step takes and what binds; "
		"place=each finds a place for each table, tables=host:20-23,tensorcore:6 names them; "
		"stacks= says how the tables of a width are stacked on SparseCores",
		run_embeddings},
	{"carbon", COMMAND_QUERY, 0, -1, {ARGUMENT_WORDS, ARGUMENT_TEXT, ARGUMENT_WORDS}, 1,
		"sites|" TRANSFORMERS
		" - on|site=|tokens=|deadline=|format=|chips=|operations=|utilization=|watts=|pue=|gross=|net=|csv=|plot=|" PODS,
		"[sites | MODEL CHIPS[,CHIPS]... [tokens=N] [deadline=DAYS] [format=FORMAT[,FORMAT]...] | operations=N chips=N "
		"[utilization=U] [watts=W]] [on POD] "
		"[site=SITE] [pue=P gross=G net=N] [INPUT=VALUE]... [csv=FILE] [plot=FILE]",
		"energy and CO2e of training: published runs with hours predicted; a transformer over sizes and sites; "
		"operations of one's own",
		run_carbon},
};

struct command_group session_machine_group(void)
{
	return (struct command_group){"Pods of chips", rows, sizeof rows / sizeof *rows, NULL};
}
