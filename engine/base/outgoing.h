// SPDX-License-Identifier: GPL-3.0-or-later
// How a network leaves, where the programs that read it disagree. A plain struct of the engine's face and of the writers (engine/export).
#ifndef ENGINE_BASE_OUTGOING_H
#define ENGINE_BASE_OUTGOING_H

#include <stdbool.h>

struct reach; // a form and one who reads it: export/reach.h
struct outgoing {
	const struct reach *reach;
	bool fold; // batch norms go into the layers before them, with 32-bit biases, for integer kernels; else they stay a gain and a shift,
		// which compute what the engine computed
	bool clip; // weights are fp32, rounded and clipped in the file, for readers that find widths there; else 8-bit codes
};

#endif
