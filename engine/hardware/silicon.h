// SPDX-License-Identifier: GPL-3.0-or-later
// Times measured on a real TPU v4, with which the latency model is compared.
//
// Source: the public SCALE-Sim repository (scalesim-project/SCALE-Sim, MIT licence), folder scalesim/calibration_pure:
// gemm_fusion_master.csv (commit 3b6a26e3), logistic_dataset.csv (fd02846a), e2e_device_truth_tpuv4.csv (139d6e0e). Device times
// by XLA's profiler: a kernel, or all kernels of a forward pass, without the launch of the program and without the host. A
// selection: 40 products of two matrices in bf16, one element-wise kernel at 12 sizes, 12 forward passes of GPT-2.
#ifndef ENGINE_HARDWARE_SILICON_H
#define ENGINE_HARDWARE_SILICON_H

#include <stdbool.h>

enum silicon_kind {
	SILICON_PRODUCT,     // size: M, N, K of C[M][N] = A[M][K] B[K][N]
	SILICON_ELEMENTWISE, // size: numbers put through a logistic function; bf16 is assumed, the source does not say
	SILICON_GPT2,        // size: tokens, batch; 124 M parameters, a vocabulary of 50257
	SILICON_KINDS
};
extern const char *const silicon_kinds[SILICON_KINDS]; // "product", "element-wise", "GPT-2"

struct silicon_row {
	enum silicon_kind kind;
	double size[3];
	double us;
};
extern const struct silicon_row silicon_rows[];
extern const int silicon_count;
// Returns whether the constants of tpu_v4 were fitted to the row: to every second product and every second element-wise kernel,
// beginning with the first of each, and to no forward pass. The rule was fixed before the fit.
bool silicon_fitted(int row);

#endif
