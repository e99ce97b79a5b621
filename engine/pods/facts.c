// SPDX-License-Identifier: GPL-3.0-or-later
// What runs on pods, where they stand, and published results about them. Every figure here names its source.
#include "engine/pods/inside.h"

const struct transformer transformer_table[] = {
	{"gpt3", 96, 12288, 96, 96, 128, 49152, 2, 50257, 175e9, 2048, 0, "Brown et al. 2020, table 2.1", INPUT_PUBLISHED},
	{"palm_540b", 118, 18432, 48, 1, 256, 73728, 3, 256000, 540.35e9, 2048, 2048, "Chowdhery et al. 2022, table 1; recalled",
		INPUT_RECALLED},
	{"palm_62b", 64, 8192, 32, 1, 256, 32768, 3, 256000, 62.5e9, 2048, 2048, "Chowdhery et al. 2022, table 1; recalled",
		INPUT_RECALLED},
	{"gopher_280b", 80, 16384, 128, 128, 128, 65536, 2, 32000, 280e9, 2048, 3072, "Rae et al. 2021, table 1; recalled",
		INPUT_RECALLED},
	{"lamda_137b", 64, 8192, 128, 128, 128, 65536, 3, 32000, 137e9, 2048, 256, "Thoppilan et al. 2022; recalled",
		INPUT_RECALLED},
	{"llama2_70b", 80, 8192, 64, 8, 128, 28672, 3, 32000, 69e9, 4096, 1024, "Touvron et al. 2023; recalled", INPUT_RECALLED},
};
const int transformer_count = sizeof transformer_table / sizeof transformer_table[0];

// Shares in percent. What the source leaves out (15 %) is left out here; so are its smallest slices beyond the two named, but
// as 2x2x2.
#define DAY "TPU v4 paper, slices in use on a day of November 2022"
const struct job_size job_mix[] = {
	{{1, 2, 2}, 6.7, DAY},
	{{2, 2, 2}, 13.4, DAY ": the rest of 29 % below 64 chips, its sizes an assumption"},
	{{2, 4, 4}, 8.9, DAY},
	{{4, 4, 4}, 13.9, DAY},
	{{4, 4, 8}, 16, DAY},
	{{4, 8, 8}, 9.2, DAY},
	{{8, 8, 8}, 9.6, DAY},
	{{8, 16, 16}, 1.4, DAY},
	{{12, 16, 16}, 5.7, DAY},
};
const int job_mix_count = sizeof job_mix / sizeof job_mix[0];

#define PATTERSON "Patterson et al. 2021, arXiv 2104.10350"
const struct site site_table[] = {
	{"oklahoma", 1.10, .475, .074, "TPU v4 paper: PUE and net; gross: the paper's average, an assumption"},
	{"average", 1.57, .475, .475, "TPU v4 paper: a typical data centre of one's own"},
	{"georgia", 1.10, .431, .431, PATTERSON "; the place recalled"},
	{"taiwan", 1.12, .545, .545, PATTERSON "; the place recalled"},
	{"north_carolina", 1.09, .201, .177, PATTERSON "; the place recalled"},
	{"iowa", 1.11, .478, .080, PATTERSON ", December 2020; PUE recalled"},
	{"us", 1.59, .429, .429, PATTERSON ", average of the United States"},
};
const int site_count = sizeof site_table / sizeof site_table[0];

const struct chip_power chip_powers[] = {
	{"tpu_v2", 46e12, 221, PATTERSON},
	{"tpu_v3", 123e12, 283, PATTERSON ", within 10 %"},
	{"tpu_v4", 275e12, 220, "TPU v4 paper, table 4: 170 W of a chip, and its share of the system, an assumption"},
	{"v100", 125e12, 325, PATTERSON},
	{"a100", 312e12, 380, "TPU v4 paper: of a chip on BERT, without the system"},
};
const int chip_power_count = sizeof chip_powers / sizeof chip_powers[0];

// Operations are recalled from the paper's table 4, and checked: over chips and rate they give its days to within 1.2 %.
const struct training_run training_runs[] = {
	{"architecture_search", "tpu_v2", "georgia", 200, 2.91e21, 6.8, 24.8e12, 208, 7.5, 3.2, 3.2, PATTERSON},
	{"t5", "tpu_v3", "taiwan", 512, 4.05e22, 20, 45.6e12, 310, 85.7, 46.7, 46.7, PATTERSON},
	{"gshard_600b", "tpu_v3", "north_carolina", 1024, 1.33e22, 3.1, 48.0e12, 288, 24.1, 4.8, 4.3, PATTERSON},
};
const int training_run_count = sizeof training_runs / sizeof training_runs[0];

const struct published_row published_table[PUBLISHED] = {
	[PUB_BISECTION] = {"bisection of 4096 chips", "TB/s", 24, "TPU v4 paper"},
	[PUB_ALLREDUCE] = {"all-reduce bandwidth of 4096 chips", "PB/s", 1.1, "Google Cloud, TPU v4"},
	[PUB_TWIST_448] = {"all-to-all, 4x4x8 twisted over regular", "x", 1.63, "TPU v4 paper, measured"},
	[PUB_TWIST_488] = {"all-to-all, 4x8x8 twisted over regular", "x", 1.31, "TPU v4 paper, measured"},
	[PUB_ALLTOALL_448] = {"all-to-all on 4x4x8 twisted, links of 90 GB/s", "GB/s a chip", 131,
		"TwistedAnalysis 2026, measured; v5p-class by its rate"},
	[PUB_GOODPUT_2K] = {"goodput, one slice of 2048, with switches", "%", 50, "TPU v4 paper, 99.0 to 99.9 %"},
	[PUB_GOODPUT_3K] = {"goodput, one slice of 3072, with switches", "%", 75, "TPU v4 paper, 99.0 to 99.9 %"},
	[PUB_GOODPUT_1K] = {"goodput, slices of 1024, with switches", "%", 75, "TPU v4 paper, 99.0 to 99.9 %"},
	[PUB_IB_ALLREDUCE_LOW] = {"all-reduce, InfiniBand over switches, least", "x", 1.8, "TPU v4 paper, simulated"},
	[PUB_IB_ALLREDUCE_HIGH] = {"all-reduce, InfiniBand over switches, most", "x", 2.4, "TPU v4 paper, simulated"},
	[PUB_IB_ALLTOALL_LOW] = {"all-to-all, InfiniBand over switches, least", "x", 1.2, "TPU v4 paper, simulated"},
	[PUB_IB_ALLTOALL_HIGH] = {"all-to-all, InfiniBand over switches, most", "x", 2.4, "TPU v4 paper, simulated"},
	[PUB_GPT3_EXPERT] = {"GPT-3 on 8x8x8 [8,1,8,8]", "seq/s", 21.0,
		"TPU v4 paper, table 3; fed: it calibrates the efficiency"},
	[PUB_GPT3_BEST] = {"GPT-3 on 4x8x16 [16,4,1,8]", "seq/s", 25.0, "TPU v4 paper, table 3"},
	[PUB_LLM_RATIO] = {"unnamed LLM, 8x8x8 [1,1,64,8] over 4x8x16 [1,1,16,32]", "x", 2.3, "TPU v4 paper, table 3"},
	[PUB_PALM_TRAIN] = {"PaLM 540B on two pods of 3072, model utilization", "%", 46.2, "Chowdhery et al. 2022"},
	[PUB_GOPHER_TRAIN] = {"Gopher 280B on 4096 TPU v3, model utilization", "%", 32.5, "Chowdhery et al. 2022, table 3"},
	[PUB_PALM_DECODE] = {"PaLM 540B on 64 chips, int8 weights, a token", "ms", 29, "Pope et al. 2022"},
	[PUB_PALM_PREFILL] = {"PaLM 540B on 64 chips, reading, model utilization", "%", 76, "Pope et al. 2022"},
	[PUB_SC_V4_V3] = {"DLRM0, v4 over v3, 128 chips", "x", 3.1, "TPU v4 paper: 30.1x over 9.8x; another workload"},
	[PUB_SC_HOST_LOW] = {"DLRM0, SparseCore over host memory, least", "x", 5, "TPU v4 paper; another workload"},
	[PUB_SC_HOST_HIGH] = {"DLRM0, SparseCore over host memory, most", "x", 7, "TPU v4 paper; another workload"},
	[PUB_ENERGY] = {"energy, an average data centre over Oklahoma", "x", 2.85, "TPU v4 paper: 2 x 1.57/1.10"},
	[PUB_CARBON] = {"CO2e, an average data centre over Oklahoma", "x", 18.3, "TPU v4 paper: the same x 0.475/0.074"},
};
