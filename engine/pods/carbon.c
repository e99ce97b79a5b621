// SPDX-License-Identifier: GPL-3.0-or-later
// Energy and carbon: Patterson et al. 2021, arXiv 2104.10350, and the same authors' account in the TPU v4 paper.
#include "engine/pods/inside.h"

double carbon_utilization(void)
{
	const struct transformer *gpt3 = &transformer_table[0];
	return published_table[PUB_GPT3_EXPERT].value * gpt3->sequence * 6 * gpt3->parameters / (512 * 275e12);
}

struct footprint footprint_of(double seconds, double chips, double watts, const struct site *s)
{
	double hours = seconds / 3600, kwh = hours * chips * watts * s->pue / 1000;
	return (struct footprint){hours, kwh / 1000, kwh * s->gross / 1000, kwh * s->net / 1000};
}
