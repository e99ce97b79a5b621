// SPDX-License-Identifier: GPL-3.0-or-later
// A forward pass, operator by operator, on the clock.
#include "engine/base/clock.h"
#include "engine/nn/node.h"

void network_time(struct network *net, const struct plan *plan, const struct quantization *quantization, int images,
	struct calibration *calibration, double *seconds)
{
	pass_begin(net, plan, quantization, PASS_FIXED, images, calibration);
	for (int i = 0; i < net->model->ops; i++) {
		double began = clock_seconds();
		if (net->node[i].does->forward)
			net->node[i].does->forward(net, &net->node[i]);
		seconds[i] = clock_seconds() - began;
	}
}
