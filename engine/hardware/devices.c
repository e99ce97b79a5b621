// SPDX-License-Identifier: GPL-3.0-or-later
// The built-in devices. Dense peaks come from the vendors' data sheets and the TPU v4 paper (arXiv 2304.01433, table 4 and text).
#include <math.h>

#include "engine/hardware/inside.h"

// Tables, laid out by hand.
// clang-format off
#define T 1e12
#define GB 1e9
#define MB 1e6
#define MIB 1048576.
#define PICO 1e-12

#define US 1e-6

// Systolic arrays of 128 x 128, on TPU v6e 256 x 256 (Austin et al., How to Scale Your Model, 2025, "How to think about TPUs"). One
// operand lies in the array; the rows of the other stream past it by eights, and either may be the one (seen in what XLA's compiler
// for TPUs makes of products and convolutions of odd sizes).
#define EACH(n) {n, n, n, n, n, n, n, n, n, n, n, n}
#define SQUARE(n) .inner = EACH(n), .outer = EACH(n), .rows = EACH(8)
// Tensor cores: the inner and outer size of one instruction (PTX ISA, shapes of mma), by type in the order of enum native. That
// a product is padded to just this is an assumption: real kernels work in larger tiles.
#define TURING_TILES                                                                                                         \
	.inner = {[NATIVE_INT4] = 32, [NATIVE_INT8] = 16, [NATIVE_FP16] = 8},                                                \
	.outer = {[NATIVE_INT4] = 8, [NATIVE_INT8] = 8, [NATIVE_FP16] = 8}
#define AMPERE_INNER                                                                                                         \
	[NATIVE_INT4] = 64, [NATIVE_INT8] = 32, [NATIVE_E4M3] = 32, [NATIVE_E5M2] = 32, [NATIVE_FP16] = 16, [NATIVE_BF16] = 16, [NATIVE_TF32] = 8
#define AMPERE_OUTER                                                                                                         \
	[NATIVE_INT4] = 8, [NATIVE_INT8] = 8, [NATIVE_E4M3] = 8, [NATIVE_E5M2] = 8, [NATIVE_FP16] = 8, [NATIVE_BF16] = 8, [NATIVE_TF32] = 8
#define AMPERE_TILES .inner = {AMPERE_INNER}, .outer = {AMPERE_OUTER}
// tcgen05.mma, kinds mxf4 and mxf4nvf4: 64 of the inner size; mxf8f6f4: 32 (PTX ISA 8.7, section 9.7.16).
#define BLACKWELL_TILES                                                                                                      \
	.inner = {AMPERE_INNER, [NATIVE_MXFP4] = 64, [NATIVE_NVFP4] = 64, [NATIVE_MXFP6] = 32, [NATIVE_MXFP8] = 32},         \
	.outer = {AMPERE_OUTER, [NATIVE_MXFP4] = 8, [NATIVE_NVFP4] = 8, [NATIVE_MXFP6] = 8, [NATIVE_MXFP8] = 8}
// V_MFMA_F32_16X16X128_F8F6F4 and its scaled form, 16x16x64 of int8, 16x16x32 of the 16-bit types (CDNA4 instruction set, section 7).
#define CDNA4_TILES                                                                                                          \
	.inner = {[NATIVE_MXFP4] = 128, [NATIVE_MXFP6] = 128, [NATIVE_INT8] = 64, [NATIVE_E4M3] = 128, [NATIVE_E5M2] = 128,  \
		[NATIVE_MXFP8] = 128, [NATIVE_FP16] = 32, [NATIVE_BF16] = 32},                                               \
	.outer = {[NATIVE_MXFP4] = 16, [NATIVE_MXFP6] = 16, [NATIVE_INT8] = 16, [NATIVE_E4M3] = 16, [NATIVE_E5M2] = 16,      \
		[NATIVE_MXFP8] = 16, [NATIVE_FP16] = 16, [NATIVE_BF16] = 16}
#define BLOCK_TILES "inner.mxfp4 inner.nvfp4 inner.mxfp6 inner.mxfp8 outer.mxfp4 outer.nvfp4 outer.mxfp6 outer.mxfp8 "
#define CORE_TILES                                                                                                           \
	"inner.int4 inner.int8 inner.e4m3 inner.e5m2 inner.fp16 inner.bf16 inner.tf32 outer.int4 outer.int8 outer.e4m3 "      \
	"outer.e5m2 outer.fp16 outer.bf16 outer.tf32 "

// What a TPU v4 reaches. Fitted to every other row of the times measured on one (silicon.h), and shown on the rest: the shares of the
// matrix unit's peak (in products of two matrices) and of the bandwidth, the rate of operands that lie in CMEM, the vector unit's share
// in products of a single row or column, the floor of a kernel, and what of its shorter side the longer does not hide.
#define FITTED "efficiency.linear efficiency.row efficiency.memory on_chip_bandwidth kernel.floor kernel.ramp"
#define MATRIX_SHARE .90
#define ROW_SHARE .22
#define KERNEL .memory_efficiency = .87, .floor = .89 * US, .ramp = 1.33 * US
// Not measured, and so assumed: that convolutions and attention's products reach what products do; that the vector unit
// reaches its peak but for depthwise convolutions, of which XLA's compiler expects a share; that grouped ones, which it spreads over
// whole convolutions, reach a twentieth; how attention and layer norms are cut into kernels (engine/cost/cost.h).
#define TPU(depthwise)                                                                                                       \
	.efficiency = {[WORK_CONV] = MATRIX_SHARE, [WORK_GROUPED] = .05, [WORK_DEPTHWISE] = depthwise,                       \
		[WORK_LINEAR] = MATRIX_SHARE, [WORK_ATTENTION] = MATRIX_SHARE, [WORK_VECTOR] = 1},                           \
	.row_efficiency = ROW_SHARE, .attention_kernels = 6, .layernorm_kernels = 2, .passes = 6, KERNEL
#define TPU_ASSUMED                                                                                                          \
	"efficiency.conv efficiency.grouped efficiency.depthwise efficiency.attention efficiency.vector kernel.attention "   \
	"kernel.layernorm passes peaks.fp32 "
// No times of the other devices were fitted to: what was fitted on the TPU v4 stands for them, an assumption; what stays on
// chip is read at 2.5 times the memory's rate, as there. On GPUs one kernel does all of attention, and one a layer norm.
#define FROM_CHIP(memory) .bandwidth = (memory) * GB, .on_chip_bandwidth = 2.5 * (memory) * GB
#define UNMEASURED "efficiency.linear efficiency.memory on_chip_bandwidth kernel.floor kernel.ramp "
#define AS_V4 TPU_ASSUMED UNMEASURED "efficiency.row "
#define GPU                                                                                                                  \
	.efficiency = {[WORK_CONV] = MATRIX_SHARE, [WORK_GROUPED] = MATRIX_SHARE, [WORK_DEPTHWISE] = 1,                      \
		[WORK_LINEAR] = MATRIX_SHARE, [WORK_ATTENTION] = MATRIX_SHARE, [WORK_VECTOR] = 1},                           \
	.attention_kernels = 1, .layernorm_kernels = 1, KERNEL
#define GPU_ASSUMED                                                                                                          \
	"efficiency.conv efficiency.grouped efficiency.depthwise efficiency.attention efficiency.vector kernel.attention "   \
	"kernel.layernorm " UNMEASURED
#define NO_MEMORY                                                                                                            \
	"efficiency.conv efficiency.grouped efficiency.depthwise efficiency.attention efficiency.vector kernel.attention "   \
	"kernel.layernorm efficiency.linear efficiency.memory kernel.floor kernel.ramp "

#define ENERGIES                                                                                                             \
	"energy.int8 energy.fp16 energy.bf16 energy.fp32 energy.vector energy.memory energy.on_chip "

// 45 nm: Horowitz, Computing's energy problem, ISSCC 2014. 7 nm: Jouppi et al., Ten lessons from three generations, ISCA 2021,
// table 2. A multiply-accumulate is the multiplication and an addition in 32 bits; a vector operation is an fp32 addition; on
// chip is an SRAM of 1 MB; DRAM and HBM2 are given as a range, of which this is the middle; an access has 8 bytes.
#define ENERGY_45NM                                                                                                          \
	.mac_energy = {[NATIVE_INT8] = (.2 + .1) * PICO, [NATIVE_FP16] = (1.1 + .9) * PICO, [NATIVE_FP32] = (3.7 + .9) * PICO}, \
	.vector_energy = .9 * PICO, .memory_energy = 1950 * PICO / 8, .on_chip_energy = 100 * PICO / 8
#define ENERGY_7NM                                                                                                           \
	.mac_energy = {[NATIVE_INT8] = (.07 + .03) * PICO, [NATIVE_BF16] = (.21 + .38) * PICO, [NATIVE_FP32] = (1.31 + .38) * PICO}, \
	.vector_energy = .38 * PICO, .memory_energy = 350 * PICO / 8, .on_chip_energy = 14 * PICO / 8

// Types, where data sheets and XLA's compiler for TPUs differ: int4 runs at int8's rate; int8, int4 and e5m2 on v5e and v5p run at twice
// bf16's only where the channels in are a multiple of 128; v6e expects three quarters of bf16's time of them, not half; e4m3 has
// bf16's rate. That is what a compiler expects, and marked as assumed. fp32 on a matrix unit is six passes of bf16 (three for half
// of the bits behind bf16's, one for none). Vector units, operations a cycle: 128 lanes x 16 ALUs a core up to v4i and v4, then 8 x 128 x 4.
#define NARROW(n) {[NATIVE_INT4] = n, [NATIVE_INT8] = n, [NATIVE_E5M2] = n}
const struct device device_table[] = {
	{.name = "tpu_v3",
		.source = "Google Cloud, TPU v3; TPU v4 paper; vector unit: Griffin (arXiv 2402.19427), table 3",
		.assumed = AS_V4 "batch",
		.peak = {[NATIVE_BF16] = 123 * T}, SQUARE(128), .vector = 3.8 * T,
		FROM_CHIP(900), .on_chip = 32 * MIB, .batch = 128, TPU(.36),
		.power_idle = 123, .power_min = 175, .power_mean = 220, .power_max = 262},
	{.name = "tpu_v4i",
		.source = "TPU v4 paper; TPU v4i (Jouppi et al., ISCA 2021); vector unit: one core as of v4",
		.recalled = "power.max " ENERGIES, .assumed = AS_V4 "vector batch",
		.peak = {[NATIVE_BF16] = 138 * T}, SQUARE(128), .vector = 2048 * 1.05e9,
		FROM_CHIP(614), .on_chip = (128 + 16) * MIB, .batch = 128, TPU(.36), .power_max = 175, ENERGY_7NM},
	{.name = "tpu_v4",
		.source = "TPU v4 paper, table 4; vector unit: 2 cores x 128 lanes x 16 ALUs x 1.05 GHz; energies of 7 nm; fitted: times "
			"measured on a TPU v4 (SCALE-Sim), every other row",
		.recalled = ENERGIES, .assumed = TPU_ASSUMED "batch", .fitted = FITTED,
		.peak = {[NATIVE_INT8] = 275 * T, [NATIVE_BF16] = 275 * T}, SQUARE(128),
		.vector = 2 * 2048 * 1.05e9, .bandwidth = 1200 * GB, .on_chip = (128 + 32) * MIB, .on_chip_bandwidth = 3000 * GB,
		.batch = 128, TPU(.36), .power_idle = 90, .power_min = 121, .power_mean = 170, .power_max = 192, ENERGY_7NM},
	{.name = "tpu_v5e",
		.source = "Google Cloud, TPU v5e; vector unit: 8 x 128 x 4 ALUs x 1.5 GHz (How to Scale Your Model)",
		.assumed = AS_V4 "peaks.e4m3 peaks.e5m2 reach.int4 whole.int4 whole.int8 whole.e5m2 batch",
		.peak = {[NATIVE_INT4] = 788 * T, [NATIVE_INT8] = 393 * T, [NATIVE_E4M3] = 197 * T, [NATIVE_E5M2] = 393 * T,
			[NATIVE_BF16] = 197 * T}, .reach = {[NATIVE_INT4] = 393. / 788}, .whole = NARROW(128),
		SQUARE(128), .vector = 4096 * 1.5e9, FROM_CHIP(819), .on_chip = 128 * MIB, .batch = 128, TPU(.21)},
	{.name = "tpu_v5p",
		.source = "Google Cloud, TPU v5p; vector unit: 2 cores x 8 x 128 x 4 ALUs x 1.75 GHz (How to Scale Your Model)",
		.assumed = AS_V4 "peaks.e5m2 reach.int4 whole.int4 whole.int8 whole.e5m2 batch",
		.peak = {[NATIVE_INT4] = 1836 * T, [NATIVE_INT8] = 918 * T, [NATIVE_E4M3] = 459 * T, [NATIVE_E5M2] = 918 * T,
			[NATIVE_BF16] = 459 * T}, .reach = {[NATIVE_INT4] = .5}, .whole = NARROW(128),
		SQUARE(128), .vector = 2 * 4096 * 1.75e9, FROM_CHIP(2765), .on_chip = 2 * 64 * MIB, .batch = 128, TPU(.21)},
	{.name = "tpu_v6e",
		.source = "Google Cloud, TPU v6e; vector unit: one core as of v5p",
		.assumed = AS_V4 "peaks.e5m2 reach.int4 reach.int8 reach.e4m3 reach.e5m2 vector batch",
		.peak = {[NATIVE_INT4] = 3680 * T, [NATIVE_INT8] = 1836 * T, [NATIVE_E4M3] = 918 * T, [NATIVE_E5M2] = 1836 * T,
			[NATIVE_BF16] = 918 * T},
		.reach = {[NATIVE_INT4] = 918 / .75 / 3680, [NATIVE_INT8] = 918 / .76 / 1836, [NATIVE_E4M3] = 1 / 1.09,
			[NATIVE_E5M2] = 918 / .76 / 1836},
		SQUARE(256), .vector = 4096 * 1.75e9, FROM_CHIP(1638), .on_chip = 128 * MIB, .batch = 128, TPU(.21)},
	// XLA's compiler for TPUs expects half of bf16's time of both fp8 types and as much of int8 and int4. The matrix unit and the memory
	// on the chip are taken as of a v6e and a v5p, the vector unit as of a v5p at the clock that the peak asks of 4 matrix units a core.
	{.name = "tpu_7x",
		.source = "Google Cloud, TPU7x (Ironwood); rate of int8: what XLA's compiler expects",
		.assumed = AS_V4 "peaks.int8 reach.e4m3 reach.e5m2 inner.int8 inner.e4m3 inner.e5m2 inner.bf16 vector on_chip batch",
		.peak = {[NATIVE_INT8] = 2307 * T, [NATIVE_E4M3] = 4614 * T, [NATIVE_E5M2] = 4614 * T, [NATIVE_BF16] = 2307 * T},
		SQUARE(256), .vector = 2 * 4096 * 2.2e9, FROM_CHIP(7370), .on_chip = 2 * 64 * MIB, .batch = 128, TPU(.21)},
	{.name = "v100",
		.source = "NVIDIA V100 data sheet, SXM2", .recalled = "peaks.fp32 vector", .assumed = GPU_ASSUMED CORE_TILES "batch",
		.peak = {[NATIVE_FP16] = 125 * T, [NATIVE_FP32] = 15.7 * T},
		.inner = {[NATIVE_FP16] = 4}, .outer = {[NATIVE_FP16] = 8}, .vector = 15.7 * T,
		GPU, FROM_CHIP(900), .on_chip = 6 * MB, .batch = 128, .power_max = 300},
	{.name = "t4",
		.source = "NVIDIA T4 data sheet; batch as of HAWQ-V3's measurements", .recalled = "peaks.fp32 vector",
		.assumed = GPU_ASSUMED CORE_TILES,
		.peak = {[NATIVE_INT4] = 260 * T, [NATIVE_INT8] = 130 * T, [NATIVE_FP16] = 65 * T, [NATIVE_FP32] = 8.1 * T},
		TURING_TILES, GPU, .vector = 8.1 * T, FROM_CHIP(320), .on_chip = 4 * MB, .batch = 8, .power_max = 70},
	{.name = "a100",
		.source = "NVIDIA A100 data sheet, 80 GB SXM; mean power: ResNet in the TPU v4 paper; energies of 7 nm",
		.recalled = "peaks.fp32 vector " ENERGIES, .assumed = GPU_ASSUMED CORE_TILES "batch",
		.peak = {[NATIVE_INT4] = 1248 * T, [NATIVE_INT8] = 624 * T, [NATIVE_FP16] = 312 * T, [NATIVE_BF16] = 312 * T,
			[NATIVE_TF32] = 156 * T, [NATIVE_FP32] = 19.5 * T}, AMPERE_TILES, GPU, .vector = 19.5 * T,
		FROM_CHIP(2039), .on_chip = 40 * MB, .batch = 128, .power_mean = 273, .power_max = 400, ENERGY_7NM},
	{.name = "h100",
		.source = "NVIDIA H100 data sheet, SXM5", .recalled = "peaks.fp32 vector", .assumed = GPU_ASSUMED CORE_TILES "batch",
		.peak = {[NATIVE_INT8] = 1979 * T, [NATIVE_E4M3] = 1979 * T, [NATIVE_E5M2] = 1979 * T, [NATIVE_FP16] = 989 * T, [NATIVE_BF16] = 989 * T,
			[NATIVE_TF32] = 495 * T, [NATIVE_FP32] = 67 * T}, AMPERE_TILES, GPU, .vector = 67 * T,
		FROM_CHIP(3350), .on_chip = 50 * MB, .batch = 128, .power_max = 700},
	// fp4 and fp6 come with block scales; unscaled e2m1, e2m3 and e3m2 count as blocks with scales of 1.
	{.name = "b200",
		.source = "NVIDIA Blackwell architecture technical brief, HGX B200: dense, 1000 W",
		.recalled = "on_chip", .assumed = GPU_ASSUMED CORE_TILES BLOCK_TILES "batch",
		.peak = {[NATIVE_MXFP4] = 9000 * T, [NATIVE_NVFP4] = 9000 * T, [NATIVE_MXFP6] = 4500 * T, [NATIVE_INT8] = 4500 * T,
			[NATIVE_E4M3] = 4500 * T, [NATIVE_E5M2] = 4500 * T, [NATIVE_MXFP8] = 4500 * T, [NATIVE_FP16] = 2250 * T,
			[NATIVE_BF16] = 2250 * T, [NATIVE_TF32] = 1100 * T, [NATIVE_FP32] = 80 * T}, BLACKWELL_TILES, GPU, .vector = 80 * T,
		FROM_CHIP(8000), .on_chip = 126 * MB, .batch = 128, .power_max = 1000},
	// Its int8, a thirtieth of a B200's, is left out: integers run faster as fp8 or bf16. Dense fp4 is given as 13 to 15 Pflop/s.
	{.name = "b300",
		.source = "NVIDIA HGX B300: dense, 8 GPUs as one; mxfp4 as nvfp4",
		.recalled = "peaks.mxfp4 peaks.nvfp4 on_chip", .assumed = GPU_ASSUMED CORE_TILES BLOCK_TILES "batch",
		.peak = {[NATIVE_MXFP4] = 13500 * T, [NATIVE_NVFP4] = 13500 * T, [NATIVE_MXFP6] = 4500 * T,
			[NATIVE_E4M3] = 4500 * T, [NATIVE_E5M2] = 4500 * T, [NATIVE_MXFP8] = 4500 * T, [NATIVE_FP16] = 2250 * T,
			[NATIVE_BF16] = 2250 * T, [NATIVE_TF32] = 1125 * T, [NATIVE_FP32] = 75 * T}, BLACKWELL_TILES, GPU, .vector = 75 * T,
		FROM_CHIP(8000), .on_chip = 126 * MB, .batch = 128, .power_max = 1400},
	{.name = "mi355x",
		.source = "AMD Instinct MI355X data sheet and CDNA 4 white paper: dense",
		.recalled = "peaks.mxfp4 peaks.mxfp6 peaks.mxfp8 peaks.int8 peaks.e4m3 peaks.e5m2 peaks.fp16 peaks.bf16 peaks.fp32 vector on_chip",
		.assumed = GPU_ASSUMED CORE_TILES BLOCK_TILES "batch",
		.peak = {[NATIVE_MXFP4] = 10066 * T, [NATIVE_MXFP6] = 10066 * T, [NATIVE_INT8] = 5033 * T, [NATIVE_E4M3] = 5033 * T,
			[NATIVE_E5M2] = 5033 * T, [NATIVE_MXFP8] = 5033 * T, [NATIVE_FP16] = 2517 * T, [NATIVE_BF16] = 2517 * T,
			[NATIVE_FP32] = 157.3 * T}, CDNA4_TILES, GPU, .vector = 157.3 * T,
		FROM_CHIP(8000), .on_chip = 256 * MB, .batch = 128, .power_max = 1400},
	// Eight cores. The vector unit is assumed: 8 x 128 lanes x 2 operations x 1.2 GHz.
	{.name = "trainium3",
		.source = "AWS Neuron documentation, Trainium3 architecture; on chip: 8 x 32 MiB of SBUF",
		.assumed = GPU_ASSUMED CORE_TILES BLOCK_TILES "vector batch",
		.peak = {[NATIVE_MXFP4] = 2517 * T, [NATIVE_MXFP8] = 2517 * T, [NATIVE_FP16] = 671 * T, [NATIVE_BF16] = 671 * T,
			[NATIVE_TF32] = 671 * T, [NATIVE_FP32] = 183 * T}, SQUARE(128), .vector = 8 * 128 * 2 * 1.2e9,
		GPU, FROM_CHIP(4900), .on_chip = 8 * 32 * MIB, .batch = 128},
	{.name = "bow",
		.source = "Graphcore Bow data sheet (the TPU v4 paper counts 250 TFLOP/s); no memory off chip, vector peak unknown",
		.assumed = NO_MEMORY CORE_TILES "batch",
		.peak = {[NATIVE_FP16] = 350 * T}, GPU, .on_chip = 900 * MB, .batch = 128, .power_max = 300},
	{.name = "edge_tpu",
		.source = "Coral, Edge TPU; its memory is the host's, at the rate of the host's link", .recalled = "on_chip",
		.assumed = NO_MEMORY CORE_TILES "batch",
		.peak = {[NATIVE_INT8] = 4 * T}, GPU, .on_chip = 8 * MB, .batch = 1, .power_max = 2},
	{.name = "orin",
		.source = "NVIDIA Jetson AGX Orin, the GPU alone", .recalled = "peaks.fp16 peaks.fp32 vector",
		.assumed = GPU_ASSUMED CORE_TILES "batch",
		.peak = {[NATIVE_INT8] = 85 * T, [NATIVE_FP16] = 43 * T, [NATIVE_FP32] = 5.3 * T}, AMPERE_TILES, GPU, .vector = 5.3 * T,
		FROM_CHIP(204.8), .on_chip = 4 * MB, .batch = 1, .power_min = 15, .power_max = 60},
	// Not a device: what arithmetic and memory cost in one process, for energy alone; nothing stays on chip.
	{.name = "cmos_45nm",
		.source = "Horowitz, Computing's energy problem, ISSCC 2014", .assumed = "batch",
		.peak = {[NATIVE_INT8] = NAN, [NATIVE_FP16] = NAN, [NATIVE_FP32] = NAN}, .batch = 1, ENERGY_45NM},
};
// clang-format on
const int device_count = sizeof device_table / sizeof device_table[0];
