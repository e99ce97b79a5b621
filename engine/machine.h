// SPDX-License-Identifier: GPL-3.0-or-later
// Machines of many chips: what they are made of, what a slice of one can do, and how long work on it takes. sessions/, plots/ and
// ui/ may include this header, like catalog.h; engine/pods/ implements it. All of it is arithmetic on plain figures: no search,
// no state, any thread. Units are SI unless a comment says otherwise: bytes, seconds, watts, operations a second.
#ifndef ENGINE_MACHINE_H
#define ENGINE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/fault.h"

// ---- what goes into the models ------------------------------------------------------------------------------------------------

// Every input names its source. An unknown one has a range, and every result that depends on it is shown as a band over that
// range.
enum input_kind { INPUT_NONE, INPUT_PUBLISHED, INPUT_DERIVED, INPUT_RECALLED, INPUT_UNKNOWN, INPUT_KINDS };
extern const char *const input_kinds[INPUT_KINDS];

struct figure_value {
	double value, low, high; // low and high: the range of an unknown one; else both equal value
	enum input_kind kind;    // INPUT_NONE: the machine has no such thing, and value is 0
	const char *source;      // NULL: as the pod's
};

// ---- pods ---------------------------------------------------------------------------------------------------------------------

enum pod_network {
	NETWORK_BLOCKS,  // a torus of blocks joined by optical switches: any free blocks make a slice
	NETWORK_FIXED,   // a torus wired once: a slice is an aligned box of it
	NETWORK_ISLANDS, // islands of chips joined by links; a switched network that never blocks joins the islands
	POD_NETWORKS
};
extern const char *const pod_networks[POD_NETWORKS];

// ID, name, unit, factor to SI, least and most (in the unit) in a file, whole
// clang-format off
#define POD_FIGURE_LIST(X)                                                                                                   \
	X(BLOCK, "block", "chips", 1, 1, 4096, true)                       /* blocks that switches join; 1: a chip alone */  \
	X(HOST, "host", "chips", 1, 1, 1024, true)                         /* that a host carries */                         \
	X(MEMORY, "memory", "GiB", 1073741824., .001, 1e6, false)          /* a chip */                                      \
	X(LINK, "link", "GB/s", 1e9, 1e-3, 1e6, false)  /* one way, as delivered; in an island: of a chip to all others */   \
	X(LINK_PEAK, "link_peak", "GB/s", 1e9, 1e-3, 1e6, false)                                                             \
	X(HOP, "hop", "us", 1e-6, 0, 1e6, false)                                                                             \
	X(CHIPS, "chips", "chips", 1, 1, 1 << 20, true)                    /* the largest slice */                           \
	X(ISLAND, "island", "chips", 1, 1, 1024, true)                                                                       \
	X(NIC, "nic", "GB/s", 1e9, 1e-3, 1e6, false)                       /* of a chip into the switched network, one way */ \
	X(DCN, "dcn", "GB/s", 1e9, 1e-3, 1e6, false)                       /* of a host into the data centre's network */    \
	X(PODS, "pods", "pods", 1, 1, 1024, true)                          /* at most, joined over that network */           \
	X(POWER, "power", "W", 1, 0, 1e6, false)                           /* mean, of a chip with its share of the system */ \
	X(SWITCH_POWER, "switch_power", "%", .01, 0, 100, false)           /* of the system's */                             \
	X(SWITCH_COST, "switch_cost", "%", .01, 0, 100, false)                                                               \
	X(CORES, "cores", "cores", 1, 0, 1024, true)                       /* SparseCores of a chip */                       \
	X(LANES, "lanes", "numbers", 1, 1, 65536, true)                    /* that a SparseCore adds a cycle */              \
	X(CLOCK, "clock", "MHz", 1e6, 1, 1e6, false)                       /* of the SparseCores */                          \
	X(HOST_MEMORY, "host_memory", "GB/s", 1e9, 1e-3, 1e6, false)       /* of a host */                                   \
	X(PCIE, "pcie", "GB/s", 1e9, 1e-3, 1e6, false)                     /* from host to chip, a chip */

enum pod_figure {
#define X(id, name, unit, factor, least, most, whole) POD_##id,
	POD_FIGURE_LIST(X)
#undef X
	POD_FIGURES
};
// clang-format on
struct pod_figure_row {
	const char *name, *unit;
	double factor, least, most;
	bool whole;
};
extern const struct pod_figure_row pod_figures[POD_FIGURES];

enum { POD_NAME = 48, POD_SOURCE = 256 };
struct pod {
	char name[POD_NAME];
	char device[POD_SOURCE]; // its chips: a name or a path for `devices`
	char source[POD_SOURCE];
	enum pod_network network;
	int whole[3]; // NETWORK_FIXED: the machine's axes; 1 for those beyond its own
	bool twists;  // whether its slices may be twisted
	struct figure_value figure[POD_FIGURES];
};

const char *const *pod_names(void); // those of the table; NULL-terminated, valid for good
// Reads a built-in pod by its name, or one from a file: a name that holds a '/' or ends in ".json" is a path. A pod file is a
// JSON object with "bitscape-pod": 1, "name", "device", "source", "network" (a word of pod_networks), "axes" [A, B, C] for a
// fixed one, "twists", and "figures": {"link": 45, "hop": {"value": 1, "low": 0.5, "high": 2}}, in their units; a range makes a
// figure unknown. The fault names the first mistake.
bool pod_get(const char *name_or_path, struct pod *, struct fault *);

// ---- slices -------------------------------------------------------------------------------------------------------------------

// The part of a pod that one job gets. The axes ascend; an axis of 1 chip does not count. Along an axis that wraps, the last chip
// is the first one's neighbour. On a twisted slice (n x n x 2n or n x 2n x 2n, n at least 4), crossing the wrap of an axis also
// moves every coordinate by that axis's size, modulo the coordinate's own. In islands a slice is just a number of chips, held in
// the last axis.
struct slice {
	int axis[3];
	bool wrap[3];
	bool twisted;
	bool islands;
	int chips;
};
// Reads "4x4x8", "8x16", "512" (islands). An impossible shape is refused, and the fault names the nearest possible one.
bool slice_read(const struct pod *, const char *shape, bool twisted, struct slice *, struct fault *);
const char *slice_name(const struct slice *, char buf[48]); // "4x4x8 twisted"
bool slice_twistable(const struct pod *, const int axis[3]);
// Lists all untwisted slices with this number of chips, from the longest to the most cube-like. Fills at most `most` and returns
// how many there are.
int slices_of(const struct pod *, int chips, struct slice *, int most);
// Gives the nearest numbers of chips below and above for which there is a slice; 0: none.
void slices_near(const struct pod *, int chips, int *below, int *above);

// How traffic of one unit from every chip to every other chip is spread over the links.
enum routing {
	ROUTE_PATHS,     // evenly over all shortest paths
	ROUTE_HOPS,      // at each hop, evenly over the links that begin a shortest path
	ROUTE_DIMENSION, // one shortest way: the least along the first axis, then the second; equally good directions share
	ROUTINGS
};
extern const char *const routings[ROUTINGS];
enum { SLICE_HOPS = 2048 };
struct slice_network {
	// of the fullest link of all, and of each axis; NAN: not worked out
	double load[ROUTINGS], axis_load[ROUTINGS][3];
	double mean_load; // over all links
	double mean_hops; // from one chip to another
	int diameter;
	double hops[SLICE_HOPS]; // number of chips at each distance, mean over all chips
	double links;            // directed
	double bisection;        // directed links out of one half; the least over all halvings across one axis
};
// Counts exactly. If all axes wrap, the slice looks the same from every chip, and one source is enough; otherwise every chip is a
// source, at most 8192 chips.
bool slice_network_of(const struct slice *, struct slice_network *, struct fault *);
// The routing that loads the fullest link least: the first of those that do. On a torus that is ROUTE_PATHS; on a mesh dimension order,
// which keeps clear of the middle.
enum routing slice_routing(const struct slice_network *);
// Counts ROUTE_PATHS from all sources, path by path; for tests. load[axis * 2 + sign] is that of the fullest such link.
bool slice_loads_plainly(const struct slice *, double load[6], struct fault *);

// ---- a slice, chip by chip -----------------------------------------------------------------------------------------------------

// A chip is numbered (z * axis[1] + y) * axis[0] + x. A way out of it is axis * 2, + 1 downwards: "x+", "x-", "y+", ….
enum { SLICE_WAYS = 6 };
extern const char *const slice_ways[SLICE_WAYS];
int slice_chip(const struct slice *, const int at[3]);
void slice_place(const struct slice *, int chip, int at[3]);
// Returns whether an axis of 2 chips or more closes by itself: a chip that walks over its wrap comes back to where it was.
bool slice_closes(const struct slice *, int axis);

// What goes over the links.
struct slice_traffic {
	enum routing routing; // of a unit from every chip to every other chip
	int axis;             // -1: that; else a gather along this axis alone: a unit of every chip, to all others of its line
	// Above 0: two jobs share the slice, and each sends within itself alone. One has the chips below `split` along split_axis, the other
	// the rest. The network knows nothing of jobs: a path of the one may lead over chips of the other.
	int split, split_axis;
	int only; // 1, 2: of the first or the second job alone; 0: both
};
// The links of a slice, one of which may have failed. One thread at a time.
struct slice_map;
struct slice_map *slice_map_new(const struct slice *, struct fault *); // NULL with a fault, also for islands
void slice_map_free(struct slice_map *);                               // NULL: nothing
// The link out of a chip fails, both ways. Returns false with a fault if there is none, or another has failed already.
bool slice_map_fail(struct slice_map *, int chip, int way, struct fault *);
int slice_map_next(const struct slice_map *, int chip, int way); // the chip at the link's end; -1: no link, or a failed one
bool slice_map_failed(const struct slice_map *, int chip, int way);
bool slice_map_wraps(const struct slice_map *, int chip, int way); // the link closes its axis
// Fills the hops from a chip to every chip; -1: no path leads there.
void slice_map_hops(struct slice_map *, int from, int *hops);
// Marks the chips on shortest paths between two, both included; returns how many paths there are.
double slice_map_paths(struct slice_map *, int from, int to, bool *on);
// Fills load[chip][way] in units. Where all axes wrap and nothing has failed, one source serves for all; else every chip is one, at
// most 8192. Dimension order needs a slice that is whole and wraps on all axes.
bool slice_map_loads(struct slice_map *, const struct slice_traffic *, double (*load)[SLICE_WAYS], struct fault *);

// ---- collectives --------------------------------------------------------------------------------------------------------------

enum collective { ALL_GATHER, REDUCE_SCATTER, ALL_REDUCE, ALL_TO_ALL, COLLECTIVES };
extern const char *const collectives[COLLECTIVES];
struct ring { // a line if it does not wrap
	double size;
	bool wrap;
};
// Returns the seconds of a collective over the product of rings. bytes: of the whole array, unsharded. With N chips and W the sum
// of the rings' bandwidths (both ways for a ring, one way for a line): gather and scatter take bytes (N-1)/N / W, all-reduce
// twice that, all-to-all what the fullest link takes; or the time of the hops if that is longer (half a ring, a whole line).
double collective_time(enum collective, double bytes, const struct ring *, int rings, double link, double hop);
// The same over a whole slice of a pod. On a twisted one the compiler gathers by an all-reduce of a zero-filled array: twice the
// bytes. ALL_TO_ALL takes what the fullest link does under the best of the routings. network: that of the slice, for ALL_TO_ALL on a
// torus or mesh; otherwise it may be NULL.
double slice_collective(const struct pod *, const struct slice *, const struct slice_network *, enum collective, double bytes);

// ---- inputs beside the pods ---------------------------------------------------------------------------------------------------

// ID, name, unit, whether zero is allowed (FROM) or not (ABOVE), value, low, high, kind, source
// clang-format off
#define INPUT_LIST(X)                                                                                                           \
	X(OPTIMIZER, "optimizer", "B/parameter", FROM, 12, 8, 12, UNKNOWN,                                                      \
		"Adam: fp32 copy and two moments; 8 with moments in bf16. No run of the comparison says")                       \
	X(GRADIENT, "gradient", "B/parameter", FROM, 2, 2, 4, UNKNOWN, "summed in bf16 or in fp32")                             \
	X(BATCH, "batch", "sequences", ABOVE, 1536, 512, 1536, UNKNOWN,                                                         \
		"GPT-3's 3.2 M tokens (Brown et al. 2020, table 2.1) at 2048; the topology search does not give its batch")     \
	X(OVERLAP, "overlap", "", FROM, 0, 0, .8, UNKNOWN, "share of the collectives' time behind the matrix unit's")           \
	X(RECOMPUTE, "recompute", "forward passes", FROM, 1, 1, 1, DERIVED, "all of a layer again in the backward pass")        \
	X(KEPT_WHOLE, "kept_whole", "numbers/token/width", FROM, 17, 12, 24, UNKNOWN,                                           \
		"activations a layer keeps without recomputing: 34 bytes of Korthikanti et al. 2022, in 16-bit numbers")        \
	X(REPAIR, "repair", "h", ABOVE, 4, 1, 24, UNKNOWN, "mean time to repair a host")                                        \
	X(CHECKPOINT, "checkpoint", "h", FROM, 1, .25, 2, UNKNOWN, "between two checkpoints")                                   \
	X(RESTART, "restart", "h", FROM, .25, .05, .5, UNKNOWN, "from a failure to the first new step")                         \
	X(JOB, "job", "h", ABOVE, 24, 6, 96, UNKNOWN, "mean length of a job")                                                   \
	X(UNIQUE, "unique", "", ABOVE, 1, .25, 1, UNKNOWN,                                                                      \
		"ids left once duplicates are dropped, of those looked up; uniform ids hardly repeat, real ones do")            \
	X(SC_OVERHEAD, "sc_overhead", "us", FROM, 20, 5, 100, UNKNOWN,                                                          \
		"of a SparseCore a step and stack of tables, and a fixed part a collective")                                    \
	X(SC_ID, "sc_id", "cycles", FROM, 8, 2, 32, UNKNOWN, "of a SparseCore's tile an id: fetch, sort, scatter")              \
	X(EMBED_STATE, "embed_state", "accesses", FROM, 3, 3, 5, UNKNOWN,                                                       \
		"of a row in training: read forward, read and write in the update; 5 with an accumulator a number")             \
	X(HBM_RANDOM, "hbm_random", "", ABOVE, .5, .3, .8, UNKNOWN, "of the memory's bandwidth, for rows of a few hundred bytes") \
	X(DENSE_MFU, "dense_mfu", "", ABOVE, .3, .15, .5, UNKNOWN, "of the peak, in a recommendation model's dense layers")

enum input {
#define X(id, name, unit, zero, value, low, high, kind, source) IN_##id,
	INPUT_LIST(X)
#undef X
	INPUTS
};
// clang-format on
struct input_row {
	const char *name, *unit;
	bool above; // zero is not allowed
	struct figure_value at;
};
extern const struct input_row input_table[INPUTS];

// ---- what runs on them --------------------------------------------------------------------------------------------------------

// A decoder of identical layers. `parameters` is the published count, which also holds embeddings and whatever is not a layer's
// matrix.
struct transformer {
	char name[48];
	double layers, width, heads, kv_heads, head_width, hidden;
	double matrices; // of the feed-forward part: 2, or 3 where it is gated
	double vocabulary, parameters;
	double sequence; // tokens
	double batch;    // of training: sequences a step; 0: the input `batch`
	const char *source;
	enum input_kind kind;
};
extern const struct transformer transformer_table[];
extern const int transformer_count;
// One of the table by its name, or with other sizes: "gpt3:layers=48,width=6144,heads=48". What follows from them follows, such as the
// parameters where they are not said.
bool transformer_get(const char *, struct transformer *, struct fault *);
enum { TRANSFORMER_SIZES = 6 };
extern const struct transformer_size { // that may be set
	const char *name;
	size_t at; // of the number in the struct
	double most;
} transformer_sizes[TRANSFORMER_SIZES];
bool transformer_resize(struct transformer *, const struct transformer *from, struct fault *); // after sizes were set

// The slices that jobs ask for.
struct job_size {
	int axis[3];
	double share; // of the jobs; the shares need not add up to 1
	const char *source;
};
extern const struct job_size job_mix[];
extern const int job_mix_count;

// Where machines stand. gross and net are kg of CO2e per kWh: of the grid, and less the clean energy that the operator buys.
struct site {
	const char *name;
	double pue, gross, net;
	const char *source;
};
extern const struct site site_table[];
extern const int site_count;
// By its name, or one's own as PUE/GROSS/NET: "1.2/0.3/0.1". The text is borrowed. Returns false with a fault.
bool site_get(const char *, struct site *, struct fault *);

// Published training runs, for energy and carbon. Days, rate, MWh and tonnes are not inputs of a model; the model is compared
// with them.
struct training_run {
	const char *name, *pod, *site;
	double chips, operations; // of the whole run
	double days, rate, watts; // as published: rate in operations a second per chip, watts per chip
	double mwh, tonnes_gross, tonnes_net;
	const char *source;
};
extern const struct training_run training_runs[];
extern const int training_run_count;

// The embedding tables of a recommendation model, and its dense layers.
struct embedding_table {
	double rows, width;
	double hot; // ids a sample
	// Share of a chip's ids left once duplicates are dropped. 0: the input `unique`; below 0: it is worked out for uniform
	// ids.
	double unique;
	int place; // enum embedding_place
};
enum embedding_place { PLACE_SPARSECORE, PLACE_TENSORCORE, PLACE_HOST, EMBEDDING_PLACES };
extern const char *const embedding_places[EMBEDDING_PLACES];
enum { EMBEDDING_TABLES = 512 };
struct workload {
	char name[48];
	char source[256];
	double batch; // samples a step
	double dense; // multiply-accumulates of the dense layers a sample
	int tables;
	struct embedding_table table[EMBEDDING_TABLES];
};
// Reads MLPerf's DLRM-DCNv2 as "dlrm_dcnv2", or one from a JSON file: {"bitscape-workload": 1, "name", "source", "batch",
// "dense", "tables": [{"rows", "width", "hot", "unique", "place": "sparsecore|tensorcore|host"}, …]}; unique and place may be
// left out; unique may be "uniform".
bool workload_get(const char *name_or_path, struct workload *, struct fault *);

// Published results about pods, with which the models are compared. None goes into a model except the one that says so.
enum published_id {
	PUB_BISECTION,
	PUB_ALLREDUCE,
	PUB_TWIST_448,
	PUB_TWIST_488,
	PUB_ALLTOALL_448,
	PUB_GOODPUT_2K,
	PUB_GOODPUT_3K,
	PUB_GOODPUT_1K,
	PUB_IB_ALLREDUCE_LOW,
	PUB_IB_ALLREDUCE_HIGH,
	PUB_IB_ALLTOALL_LOW,
	PUB_IB_ALLTOALL_HIGH,
	PUB_GPT3_EXPERT,
	PUB_GPT3_BEST,
	PUB_LLM_RATIO,
	PUB_PALM_TRAIN,
	PUB_GOPHER_TRAIN,
	PUB_PALM_DECODE,
	PUB_PALM_PREFILL,
	PUB_SC_V4_V3,
	PUB_SC_HOST_LOW,
	PUB_SC_HOST_HIGH,
	PUB_ENERGY,
	PUB_CARBON,
	PUBLISHED
};
struct published_row {
	const char *name, *unit;
	double value;
	const char *source;
};
extern const struct published_row published_table[PUBLISHED];

// All that goes into a model: up to two pods and the inputs.
struct world {
	int pods;
	struct pod pod[2];
	double input[INPUTS];
	bool set[INPUTS]; // set by hand: no longer unknown, and stronger than a workload's own
};
void world_begin(struct world *, const struct pod *, const struct pod *other); // other: the pod to compare with, or NULL
// Sets an input. Returns false with a fault for an unknown input or an absurd value.
bool world_set(struct world *, const char *name, double value, struct fault *);

// A model's result at the inputs' values, and its bounds while the unknown inputs move within their ranges: over all corners of
// the six that move it most, and over each of the others alone. NAN where the model has no answer.
struct band {
	double value, low, high;
	char mover[64]; // the unknown that moves it most; "": none
};
typedef double (*world_model)(const struct world *, void *context);
struct band world_band(const struct world *, world_model, void *context);

// ---- availability and goodput -------------------------------------------------------------------------------------------------

// Hosts fail and are repaired independently, after exponentially distributed times; a block is up while all its hosts are. Jobs
// of one slice, or of the mix, never run out. Switched: any free blocks that are up make a slice. Fixed: only an aligned box of
// neighbours does, in one orientation. A job that loses a host goes back to its last checkpoint and is the next to be placed.
struct goodput_case {
	double availability;        // of a host: the share of time it is up
	int axis[3];                // of the slice; {0}: a mix
	const struct job_size *mix; // borrowed; NULL: the published one
	int mixes;
	int spares; // blocks always held back
	bool fixed;
	int window; // number of jobs at the head of the queue that are tried; 0 or 1: only the first
};
// The window where nobody says otherwise. A machine that tries the first alone may stand still for good without switches.
enum { GOODPUT_WINDOW = 16, GOODPUT_MIXES = 32 };
// Reads what jobs ask for: "mix" (the published one), a slice, or slices and how often each is asked for: "4x4x4:3,8x8x8:1". Fills
// `mix`, with room for GOODPUT_MIXES, which the case then borrows.
bool goodput_jobs_read(const char *text, const struct pod *, struct goodput_case *, struct job_size *mix, struct fault *);
const char *goodput_jobs_write(const struct goodput_case *, char *buf, size_t size); // as it is read
// The machine's blocks and where they stand. Returns false with a fault if its slices are not made of blocks.
struct block_grid {
	int side[3], blocks, hosts; // hosts per block
};
bool block_grid_of(const struct pod *, struct block_grid *, struct fault *);
// Closed forms, for one slice size of at least a block. The share of all chips that run a job: by the binomial distribution
// (switched), or the boxes whose blocks are all up (fixed).
double goodput_busy(const struct block_grid *, const struct goodput_case *);
// The share of a job's time that is kept. With failures at rate l, a checkpoint every c and a restart of r: l c e^(-l r) / (e^(l
// c) - 1).
double goodput_kept(const struct world *, const struct block_grid *, const struct goodput_case *);

struct goodput_run {
	double busy, busy_error;     // mean of the batches of time, and its standard error
	double useful, useful_error; // `busy` less the time that failures cost
	double host_hours;
	long failures, hits, jobs; // failures of hosts; those that hit a job; jobs finished
};
// Simulates the same by events, from a seed. A job's length is exponential with the input `job` as its mean; if `job` is 0, a job
// never ends.
bool goodput_simulate(const struct world *, const struct goodput_case *, uint64_t seed, double hours, struct goodput_run *,
	struct fault *);

// The same simulation by hand. Two with the same seed, pod and availability have the same failures and repairs, and the same jobs
// come in the same order, whatever else the cases say: with switches and without them, say. The mix stays borrowed.
enum { GOODPUT_BLOCKS = 160 }; // most of a machine
struct goodput_block {
	int down;   // hosts that are
	int chips;  // that run a job
	int jobs;   // that it holds; more than one only if each is smaller than a block
	long job;   // the number of the one placed last, in the order in which jobs come; -1: none
	int blocks; // that this one has
};
struct goodput_now {
	double hours, since;    // now, and when the counts began
	struct block_grid grid; // block (z * side[1] + y) * side[0] + x
	struct goodput_block block[GOODPUT_BLOCKS];
	int chips;              // that run a job
	long waiting;           // the job at the head of the queue
	int waiting_chips;      // that it asks for
	struct goodput_run run; // since then, without errors; NAN: no time has passed. useful: what a failure now would leave
};
struct goodput_clock;
struct goodput_clock *goodput_clock_new(const struct world *, const struct goodput_case *, uint64_t seed, struct fault *);
void goodput_clock_free(struct goodput_clock *); // NULL: nothing
bool goodput_clock_run(struct goodput_clock *, double hours, struct fault *);
// From now on another availability, other jobs, spares or window; what runs or waits stays. `fixed` must be as before.
bool goodput_clock_change(struct goodput_clock *, const struct goodput_case *, struct fault *);
void goodput_clock_count(struct goodput_clock *); // counts anew from now on
void goodput_clock_read(const struct goodput_clock *, struct goodput_now *);

// ---- what a person asks of them ----------------------------------------------------------------------------------------------

struct slice_question {
	struct pod pod;
	struct slice slice;
	struct slice_traffic traffic;
	int failed, failed_way; // the failed link: a chip and the way out of it; -1: none
	double bytes;           // of collectives
	const char *csv, *plot, *loads;
};
// Whether it asks for other traffic than of each chip to each other over all shortest paths of the whole slice.
bool slice_uneven(const struct slice_question *);
struct goodput_question {
	char on[POD_SOURCE]; // the pod, as it was asked for
	struct world world;
	struct block_grid grid;
	struct goodput_case asked; // its mix is in `mix`: the struct is not to be copied; availability NAN: not given
	bool sized, spared;        // jobs, spares were given
	double hours, seed;
	struct job_size mix[GOODPUT_MIXES];
	const char *csv, *plot;
};

// ---- a transformer over a slice -----------------------------------------------------------------------------------------------

// Each part is a product of pieces of the slice's axes: a whole axis is a ring if it wraps, a factor of an axis is a line. On a
// twisted slice the short axes do not close by themselves. (Reports call a division a partition; in the engine a partition says
// which slots are decided together.)
enum part { PART_PIPELINE, PART_DATA, PART_MODEL1, PART_MODEL2, PARTS };
struct division {
	struct slice slice;
	int size[PARTS];
	int rings[PARTS];
	struct ring ring[PARTS][3];
	// Weights 1D: the hidden width is cut over model 1 x model 2; 2D: the hidden width over model 1, the other over model 2.
	// Activations 1D: between blocks each chip of the model parts holds them whole (with 2D weights, model 2's share); 2D:
	// cut over both.
	bool weights_2d, activations_2d;
};
// Lists all divisions of a slice, by whole axes only or, with `any`, by any factors. With `styles`, each comes in the four ways
// of weights and activations. Fills at most `most` and returns how many there are.
enum { DIVISION_ANY = 16384 }; // most chips of a slice for `any`
int divisions_of(const struct slice *, bool any, bool styles, struct division *, int most);
// Finds the division with these numbers of chips per part: by whole axes if there is one (*whole), else by factors. Returns false
// with a fault.
bool division_with(const struct slice *, const int size[PARTS], struct division *, bool *whole, struct fault *);
const char *division_name(const struct division *, char buf[64]); // "[8,1,8,8]"

// What has a number format: weights, activations, and the activations, gradients and weights that collectives carry. A format is
// its index in the table of formats; division_format reads its name.
enum carried { OF_WEIGHTS, OF_ACTIVATIONS, CARRIED_ACTIVATIONS, CARRIED_GRADIENTS, CARRIED_WEIGHTS, FORMAT_USES };
bool division_format(const char *name, int *format, struct fault *);
const char *division_format_name(int format);

struct division_job {
	struct transformer net;
	int format[FORMAT_USES];
	double batch;      // training: sequences a step over all pods; serving: sequences at once
	double pods;       // joined over the data-centre network, data parallel
	double efficiency; // share of the peak that the matrix unit reaches
	double context;    // serving: tokens per sequence in the cache
};
void division_job_begin(struct division_job *, const struct world *, const struct transformer *); // bf16 throughout, one pod

enum sharding { SHARD_NOTHING, SHARD_OPTIMIZER, SHARD_ALL, SHARDINGS }; // over the data part
extern const char *const shardings[SHARDINGS];
// A step's price. Seconds are of the whole step. compute: the matrix unit; model, data, pipeline: the waits for collectives
// inside layers, for weights and gradients over the data part and between pods, and for a stage's neighbours; bubble: what
// filling the pipeline adds.
struct division_price {
	bool fits;
	double memory, weights, optimizer, activations, cache; // bytes per chip; memory: the sum
	double microbatch, microbatches;                       // sequences; number per step
	bool recompute;
	enum sharding sharding;
	double step, compute, model, data, pipeline, bubble;
	double rate;    // sequences a second; serving: tokens a second
	double mfu;     // share of the peak: 6 operations per parameter and token, and attention's
	double reading; // serving: the share of the peak while a prompt is read
};
// Training: takes the quickest microbatch, recomputation and sharding that fit, or those that lack the least memory if none fit.
// rate is NAN if the chip's rate is unknown. Returns false with a fault if the chip is unknown or has no rate for the formats.
bool division_train(const struct world *, const struct division_job *, const struct division *, struct division_price *,
	struct fault *);
// Serving: one token for every sequence at once; `step` is its latency.
bool division_serve(const struct world *, const struct division_job *, const struct division *, struct division_price *,
	struct fault *);
// Returns the efficiency at which GPT-3 on 8x8x8 [8,1,8,8] of TPU v4 takes the published time, in the quickest of the four ways.
// It is the only fitted constant. NAN: no efficiency up to 1 reaches that time.
double division_calibrate(const struct world *);

// Finds the quickest that fits among all slices with this number of chips and all divisions by whole axes, or the one that lacks
// the least memory if none fits (see price->fits). Returns false with a fault if there is no such slice or none can be priced.
bool division_best(const struct world *, const struct division_job *, int chips, bool serve, struct division *,
	struct division_price *, struct fault *);

// ---- embeddings ---------------------------------------------------------------------------------------------------------------

struct embedding_job {
	const struct workload *workload;
	int format;   // of the tables and of the numbers exchanged
	double batch; // samples a step, over all chips
	bool serve;   // no gradients
	bool keep_duplicates;
	bool pipelined; // SparseCores and tensor cores work on different steps: up to twice as fast, gradients two steps old
	int place;      // of all tables; EMBEDDING_PLACES: each table's own
	// Tables of one width on the SparseCores are stacked, as the frameworks do: a stack is looked up as one. 0 and 1: into one stack for
	// each width; more: dealt over so many, evenly by their ids; STACKS_ALONE: not stacked.
	int stacks;
};
enum { STACKS_ALONE = -1 };
// Seconds of a step. SparseCores: the longest of reading rows from memory, adding numbers, handling ids and exchanging rows over
// the slice, and an overhead. Tables are cut over all SparseCores of the slice. Each stack has an overhead and an exchange of its own, and
// lists of ids from every SparseCore to every other, each padded to 8: fewer stacks take less time. What they cost is memory: stacks come
// one after another, and the largest has its rows in buffers, 2 widths a distinct id forward, 3 backward. Rows are padded to 32 bytes, tables to 8
// rows a SparseCore (OpenXLA, A deep dive into SparseCore; jax-tpu-embedding). For tensor cores every chip holds the whole
// tables, and a look-up is a product with a one-hot matrix. In the hosts' memory they are cut over the hosts.
struct embedding_price {
	bool fits;
	double memory, buffers;                            // bytes a chip; memory: in all
	double ids, unique;                                // of a step, all chips
	double listed, padding;                            // places in the SparseCores' lists of ids; those that are padding
	int stacks;                                        // on SparseCores
	double rows, vector, handling, exchange, overhead; // of the SparseCores
	double host, tensor, dense;
	double step, rate; // samples a second
	const char *binds;
};
// network: that of the slice if it is a torus. Returns false with a fault for a place that the pod lacks or an unknown rate.
bool embedding_price_of(const struct world *, int pod, const struct slice *, const struct slice_network *,
	const struct embedding_job *, struct embedding_price *, struct fault *);
// Finds the number of stacks of the shortest step that fits, by the job's places. Returns false with a fault if nothing fits or can be priced.
bool embedding_stack_best(const struct world *, int pod, const struct slice *, const struct slice_network *,
	const struct embedding_job *, int *stacks, struct fault *);
// Finds a place for each table: from all in one place, the best move of one table after another until none makes the step shorter. Not
// always the best of all. Fills place[tables]. Returns false with a fault if nothing fits or can be priced.
bool embedding_place_each(const struct world *, int pod, const struct slice *, const struct slice_network *,
	const struct embedding_job *, int *place, struct fault *);

// ---- energy and carbon --------------------------------------------------------------------------------------------------------

struct chip_power {
	const char *name;
	double peak, watts; // of bf16, or fp16 if it has no bf16; mean, with the chip's share of the system
	const char *source;
};
extern const struct chip_power chip_powers[];
extern const int chip_power_count;
// Returns the utilization for predicting hours when none is given: that of GPT-3's expert row, at 6 operations per parameter and
// token.
double carbon_utilization(void);

struct footprint {
	double hours, mwh, gross, net; // MWh including the site's PUE; tonnes of CO2e
};
// The footprint of chips that run at mean watts for some seconds: kWh = hours x chips x W x PUE / 1000; t = kWh x kg/kWh / 1000.
struct footprint footprint_of(double seconds, double chips, double watts, const struct site *);

// ---- against published results ------------------------------------------------------------------------------------------------

struct published_result {
	const struct published_row *row;
	const char *with;    // the case of that row
	struct band band;    // the model's result, in the row's unit
	const char *verdict; // "agree": within 5 %, without any unknown; "band": within the band; "not"; "fed"
	const char *reason;
};
enum { PUBLISHED_CASES = 64 };
// Fills in all of them, in order, and returns their number; 0 with a fault when out of memory.
int published_results(struct published_result results[PUBLISHED_CASES], struct fault *);

#endif
