// SPDX-License-Identifier: GPL-3.0-or-later
// The built-in pods. Sources: the TPU v4 paper is arXiv 2304.01433; the scaling book is Austin et al., How to Scale Your Model,
// 2025; the Cloud pages are cloud.google.com/tpu/docs, read in 2026.
#include <stdio.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/pods/inside.h"

const char *const pod_networks[POD_NETWORKS] = {"blocks", "fixed", "islands"};

const struct pod_figure_row pod_figures[POD_FIGURES] = {
// clang-format off
#define X(id, name, unit, factor, least, most, whole) {name, unit, factor, least, most, whole},
	// clang-format on
	POD_FIGURE_LIST(X)
#undef X
};

// Values in SI.
#define IS(id, v, kind, from) [POD_##id] = {(v), (v), (v), INPUT_##kind, from}
#define BETWEEN(id, v, least, most, from) [POD_##id] = {(v), (least), (most), INPUT_UNKNOWN, from}
#define GB 1e9
#define GIB 1073741824.

#define PAPER "TPU v4 paper"
#define BOOK "scaling book, table of TPUs"
#define CLOUD "Cloud pages"
#define HOPS BETWEEN(HOP, 1e-6, .5e-6, 2e-6, "scaling book: about 1 us")
#define HOST_SIDE                                                                                                                \
	IS(DCN, 25 * GB, PUBLISHED, "scaling book, data-centre network a host"),                                                 \
		IS(PCIE, 15 * GB, PUBLISHED, "scaling book, about"),                                                             \
		BETWEEN(HOST_MEMORY, 150 * GB, 100 * GB, 250 * GB, "two sockets of DDR4; the paper does not say")
#define V4_CHIP                                                                                                                  \
	IS(HOST, 4, PUBLISHED, PAPER), IS(MEMORY, 32 * GIB, PUBLISHED, PAPER ", table 4"), HOPS, HOST_SIDE,                      \
		BETWEEN(POWER, 220, 200, 260, "170 W of a chip (table 4) and its share of host, network and fans"),              \
		IS(CORES, 4, PUBLISHED, PAPER), IS(LANES, 16 * 8, PUBLISHED, PAPER ": 16 tiles, 8 numbers wide"),                \
		IS(CLOCK, 1050e6, PUBLISHED, PAPER ", table 4")
#define V4_LINKS                                                                                                                 \
	IS(LINK, 45 * GB, PUBLISHED, BOOK "; 4096 chips x 6 x 45 GB/s is the published 1.1 PB/s"),                               \
		IS(LINK_PEAK, 50 * GB, PUBLISHED, PAPER ", table 4")
#define V4_SWITCHES IS(SWITCH_POWER, .03, PUBLISHED, PAPER ": below"), IS(SWITCH_COST, .05, PUBLISHED, PAPER ": below")

const struct pod pod_table[] = {
	{.name = "tpu_v4",
		.device = "tpu_v4",
		.network = NETWORK_BLOCKS,
		.whole = {1, 1, 1},
		.twists = true,
		.source = "TPU v4 paper: 64 blocks of 4x4x4 chips, joined by 48 optical switches",
		.figure = {V4_CHIP, V4_LINKS, V4_SWITCHES, IS(BLOCK, 64, PUBLISHED, PAPER), IS(CHIPS, 4096, PUBLISHED, PAPER),
			IS(PODS, 1, DERIVED, NULL)}},
	{.name = "tpu_v4_pods",
		.device = "tpu_v4",
		.network = NETWORK_BLOCKS,
		.whole = {1, 1, 1},
		.twists = true,
		.source = "pods of TPU v4 joined over the data-centre network, as PaLM's two (Chowdhery et al. 2022)",
		.figure = {V4_CHIP, V4_LINKS, V4_SWITCHES, IS(BLOCK, 64, PUBLISHED, PAPER), IS(CHIPS, 4096, PUBLISHED, PAPER),
			BETWEEN(PODS, 16, 2, 64, "PaLM joined 2; no bound is published")}},
	{.name = "tpu_v4_fixed",
		.device = "tpu_v4",
		.network = NETWORK_FIXED,
		.whole = {16, 16, 16},
		.source = "TPU v4's chips wired once as a torus of 16x16x16, without switches: for comparison",
		.figure = {V4_CHIP, V4_LINKS, IS(BLOCK, 64, DERIVED, "as tpu_v4"), IS(CHIPS, 4096, DERIVED, "as tpu_v4"),
			IS(PODS, 1, DERIVED, NULL)}},
	{.name = "tpu_v4_infiniband",
		.device = "tpu_v4",
		.network = NETWORK_ISLANDS,
		.whole = {1, 1, 1},
		.source = "TPU v4's chips in islands, the islands on InfiniBand instead of the optical switches",
		.figure = {V4_CHIP, IS(BLOCK, 1, DERIVED, NULL), IS(CHIPS, 4096, DERIVED, "as tpu_v4"),
			IS(PODS, 1, DERIVED, NULL), IS(ISLAND, 8, DERIVED, "an assumption: 2x2x2 chips, without wraparound"),
			IS(LINK, 3 * 45 * GB, DERIVED, "three links of 45 GB/s a chip"),
			IS(LINK_PEAK, 3 * 50 * GB, DERIVED, "three of 50"),
			BETWEEN(NIC, 25 * GB, 6.25 * GB, 25 * GB,
				"200 Gb/s HDR: one a host of 4 chips to one a chip; the digest does not say")}},
	{.name = "tpu_v3",
		.device = "tpu_v3",
		.network = NETWORK_FIXED,
		.whole = {32, 32, 1},
		.source = "TPU v4 paper, table 4: a fixed 2D torus of 1024 chips",
		.figure = {IS(BLOCK, 1, PUBLISHED, NULL), IS(HOST, 4, RECALLED, CLOUD),
			IS(MEMORY, 32 * GIB, PUBLISHED, PAPER ", table 4"),
			BETWEEN(LINK, 70 * GB, 70 * GB, 100 * GB,
				"sources disagree: TPU v4 paper 70, ASTRA-sim's set-up 80, scaling book 100"),
			IS(LINK_PEAK, 70 * GB, PUBLISHED, PAPER ", table 4"), HOPS, HOST_SIDE, IS(CHIPS, 1024, PUBLISHED, PAPER),
			IS(PODS, 4, RECALLED, "Gopher joined four (Rae et al. 2021)"),
			BETWEEN(POWER, 283, 255, 311, "Patterson et al. 2021: mean system watts a chip, within 10 %"),
			IS(CORES, 2, RECALLED, "one a tensor core"),
			BETWEEN(LANES, 16 * 8, 8 * 8, 16 * 8, "as on v4, or half the tiles"),
			IS(CLOCK, 940e6, PUBLISHED, PAPER ", table 4")}},
	{.name = "tpu_v5e",
		.device = "tpu_v5e",
		.network = NETWORK_FIXED,
		.whole = {16, 16, 1},
		.source = "Cloud pages; scaling book: an axis wraps around only where it has 16 chips",
		.figure = {IS(BLOCK, 1, PUBLISHED, NULL), IS(HOST, 4, PUBLISHED, CLOUD ": 1, 4 or 8"),
			IS(MEMORY, 16 * GIB, RECALLED, CLOUD), IS(LINK, 45 * GB, PUBLISHED, BOOK),
			IS(LINK_PEAK, 50 * GB, RECALLED, CLOUD ": 1600 Gb/s a chip, 4 links"), HOPS, HOST_SIDE,
			IS(CHIPS, 256, PUBLISHED, CLOUD), IS(PODS, 1, DERIVED, NULL)}},
	{.name = "tpu_v5p",
		.device = "tpu_v5p",
		.network = NETWORK_BLOCKS,
		.whole = {1, 1, 1},
		.twists = true,
		.source = "Cloud pages; scaling book",
		.figure = {IS(BLOCK, 64, PUBLISHED, CLOUD), IS(HOST, 4, PUBLISHED, CLOUD), IS(MEMORY, 95 * GIB, RECALLED, CLOUD),
			IS(LINK, 90 * GB, PUBLISHED, BOOK),
			IS(LINK_PEAK, 100 * GB, RECALLED, CLOUD ": 4800 Gb/s a chip, 6 links"), HOPS, HOST_SIDE,
			IS(CHIPS, 8960, RECALLED, CLOUD), IS(PODS, 1, DERIVED, NULL),
			IS(CORES, 4, PUBLISHED, "OpenXLA, SparseCore"), IS(LANES, 16 * 8, PUBLISHED, "OpenXLA, SparseCore"),
			IS(CLOCK, 1750e6, PUBLISHED, BOOK)}},
	{.name = "tpu_v6e",
		.device = "tpu_v6e",
		.network = NETWORK_FIXED,
		.whole = {16, 16, 1},
		.source = "Cloud pages; scaling book: an axis wraps around only where it has 16 chips",
		.figure = {IS(BLOCK, 1, PUBLISHED, NULL), IS(HOST, 4, PUBLISHED, CLOUD ": 1, 4 or 8"),
			IS(MEMORY, 32 * GIB, RECALLED, CLOUD), IS(LINK, 90 * GB, PUBLISHED, BOOK),
			IS(LINK_PEAK, 100 * GB, RECALLED, CLOUD), HOPS, HOST_SIDE, IS(CHIPS, 256, PUBLISHED, CLOUD),
			IS(PODS, 1, DERIVED, NULL), IS(CORES, 2, PUBLISHED, "OpenXLA, SparseCore"),
			IS(LANES, 16 * 8, PUBLISHED, "OpenXLA, SparseCore"), IS(CLOCK, 1750e6, PUBLISHED, BOOK)}},
	{.name = "h100_cluster",
		.device = "h100",
		.network = NETWORK_ISLANDS,
		.whole = {1, 1, 1},
		.source = "NVIDIA DGX H100: 8 chips on NVLink, 400 Gb/s a chip between them",
		.figure = {IS(BLOCK, 1, DERIVED, NULL), IS(HOST, 8, PUBLISHED, NULL),
			IS(MEMORY, 80 * GIB, RECALLED, "data sheet, SXM5"), IS(ISLAND, 8, PUBLISHED, NULL),
			IS(LINK, 450 * GB, RECALLED, "data sheet: 900 GB/s both ways together"),
			IS(LINK_PEAK, 450 * GB, RECALLED, NULL), IS(NIC, 50 * GB, PUBLISHED, NULL),
			BETWEEN(HOP, 2e-6, 1e-6, 5e-6, "of a message through the switches"),
			IS(CHIPS, 16384, DERIVED, "256 racks of 8 hosts, an assumption"), IS(PODS, 1, DERIVED, NULL),
			BETWEEN(POWER, 1000, 800, 1275, "10.2 kW at most a host of 8"), IS(DCN, 50 * GB, RECALLED, NULL),
			IS(PCIE, 55 * GB, RECALLED, "PCIe 5, 16 lanes"),
			BETWEEN(HOST_MEMORY, 400 * GB, 300 * GB, 614 * GB, "two sockets of DDR5")}},
};
const int pod_count = sizeof pod_table / sizeof pod_table[0];

const char *const *pod_names(void)
{
	static _Thread_local const char *names[sizeof pod_table / sizeof pod_table[0] + 1];
	for (int i = 0; i < pod_count; i++)
		names[i] = pod_table[i].name;
	return names;
}

bool pod_get(const char *name, struct pod *p, struct fault *fault)
{
	size_t length = strlen(name);
	if (strchr(name, '/') || (length > 5 && strcmp(name + length - 5, ".json") == 0))
		return pod_read(name, p, fault);
	struct nearest near = nearest_to(name);
	char advice[128];
	for (int i = 0; i < pod_count; i++) {
		if (strcmp(name, pod_table[i].name) == 0) {
			*p = pod_table[i];
			return true;
		}
		nearest_offer(&near, pod_table[i].name);
	}
	return fault_set(fault, name, nearest_advice(&near, "`pods` lists them", advice, sizeof advice), "there is no such pod");
}
