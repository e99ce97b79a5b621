// SPDX-License-Identifier: GPL-3.0-or-later
// A copy of a network's numbers, with which it can change places.
#include <stdlib.h>
#include <string.h>

#include "engine/nn/node.h"

enum { ARRAYS = 5 };

struct network_copy {
	float *array[ARRAYS]; // in the order of the places below; NULL: the network keeps none
};

// Where a network keeps each.
static void list_places(struct network *net, float **place[ARRAYS], long count[ARRAYS])
{
	float **places[ARRAYS] = {&net->trained, &net->average, &net->ranges, &net->momentum, &net->second};
	for (int i = 0; i < ARRAYS; i++) {
		place[i] = places[i];
		count[i] = places[i] == &net->ranges ? network_ranges(net) : net->parameters;
	}
}

struct network_copy *network_copy_new(struct network *net, struct fault *fault)
{
	struct network_copy *copy = calloc(1, sizeof *copy);
	float **place[ARRAYS];
	long count[ARRAYS];
	bool ok = copy != NULL;
	list_places(net, place, count);
	for (int i = 0; ok && i < ARRAYS; i++) {
		const size_t line = NN_ALIGN * sizeof(float), size = ((size_t)count[i] * sizeof(float) + line) / line * line;
		bool rests = place[i] == &net->momentum || place[i] == &net->second;
		if (!*place[i])
			continue;
		if (!(copy->array[i] = aligned_alloc(line, size)))
			ok = false;
		else if (rests)
			memset(copy->array[i], 0, size);
		else
			memcpy(copy->array[i], *place[i], (size_t)count[i] * sizeof(float));
	}
	if (ok)
		return copy;
	network_copy_free(copy);
	fault_memory(fault, net->model->name);
	return NULL;
}

void network_copy_free(struct network_copy *copy)
{
	for (int i = 0; copy && i < ARRAYS; i++)
		free(copy->array[i]);
	free(copy);
}

void network_exchange(struct network *net, struct network_copy *copy)
{
	float **place[ARRAYS];
	long count[ARRAYS];
	list_places(net, place, count);
	for (int i = 0; i < ARRAYS; i++) {
		float *kept = *place[i];
		*place[i] = copy->array[i];
		copy->array[i] = kept;
	}
	net->weights = net->trained;
}
