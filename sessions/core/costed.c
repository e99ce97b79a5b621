// SPDX-License-Identifier: GPL-3.0-or-later
// The catalog's network of a session, and the roofline of the session's choices.
#include <stdlib.h>
#include <string.h>

#include "sessions/core/inside.h"

// Writes the device that prices a term: a name or the path of a file. Returns false if there is none, or only measured times.
static bool term_device(const struct session *s, int term, char *buf, size_t size)
{
	if (term < 0 || term >= s->snapshot->terms)
		return false;
	if (s->snapshot->term[term].kind->where != ON_DEVICE)
		return false;
	snprintf(buf, size, "%s", s->snapshot->term[term].asked);
	return buf[0] && !term_table(buf);
}

// The device that a figure about this term shows: the term's own; of a term that has none, that of the latency that counts, else
// the setting `device`, else the TPU v4.
static void session_device(const struct session *s, int term, char *buf, size_t size)
{
	if (term_device(s, term, buf, size))
		return;
	const struct term_state *t = s->snapshot->term;
	for (int i = 0; i < s->snapshot->terms; i++)
		if (t[i].weight > 0 && t[i].kind->id == TERM_LATENCY && term_device(s, i, buf, size))
			return;
	for (int i = 0; i < s->snapshot->terms; i++)
		if (t[i].by_setting && term_device(s, i, buf, size))
			return;
	snprintf(buf, size, "tpu_v4");
}

void costed_free(struct costed *c)
{
	costing_free(c->latency);
	costing_free(c->measured);
	description_close(c->network);
	free(c->time);
	free(c->formats);
	free(c->point);
	*c = (struct costed){0};
}

static bool open_network(struct session *s, struct fault *f)
{
	struct costed *c = &s->costed;
	const struct engine_info *info = s->info;
	if (c->network)
		return true;
	if (info->slots > info->formats) // the catalog knows a network as it stands, not under a choice
		return fault_set(f, info->net, "`layers`, `price` and `why` tell what its choices cost",
			"its architecture is still to be chosen, so it has no roofline of its own");
	c->network = description_open(info->net, info->image_h, info->image_w, info->image_c, info->classes, f);
	c->formats = calloc((size_t)info->layers * 2 + 1, sizeof *c->formats);
	c->point = calloc((size_t)info->layers * 2 + 1, sizeof *c->point);
	c->time = calloc((size_t)info->layers + 1, sizeof *c->time);
	if (c->network && c->formats && c->point && c->time)
		return true;
	if (c->network)
		fault_memory(f, info->net);
	costed_free(c);
	return false;
}

// The formats of the modal choice, and behind them of the draft where there is one.
static void fill_formats(struct session *s)
{
	const struct engine_info *info = s->info;
	for (int which = 0; which < (s->draft ? 2 : 1); which++)
		for (int i = 0; i < info->layers; i++) {
			const int slot[] = {info->layer[i].weight_slot, info->layer[i].activation_slot};
			const char *name[2];
			for (int half = 0; half < 2; half++) {
				int option = which ? s->draft[slot[half]] : s->snapshot->slot[slot[half]].modal;
				name[half] = info->slot[slot[half]].option[option].name;
			}
			s->costed.formats[which * info->layers + i] = (struct layer_formats){name[0], name[1]};
		}
}

bool session_costed(struct session *s, struct fault *f)
{
	if (!open_network(s, f))
		return false;
	fill_formats(s);
	return true;
}

static struct costing *latency_on(struct session *s, const char *device, const char *manner, int batch, struct fault *f)
{
	char latency[ENGINE_TEXT + 32], name[ENGINE_TEXT + 16];
	snprintf(name, sizeof name, "%s%s", device, manner);
	term_write(TERM_LATENCY, name, latency, sizeof latency);
	return costing_new(s->costed.network, latency, batch, f);
}

// Of a device whose layers were measured the roofline is that of its figures; without figures, or where nothing of this network was
// measured, there is the other alone.
static bool open_device(struct session *s, const char *device, struct fault *f)
{
	struct costed *c = &s->costed;
	costing_free(c->latency);
	costing_free(c->measured);
	c->measured = NULL;
	c->latency = latency_on(s, device, "", 0, f);
	if (c->latency && !costing_measured(c->latency))
		return true;
	c->measured = c->latency;
	c->latency = latency_on(s, device, ":modelled", c->measured ? costing_batch(c->measured) : 0,
		c->measured ? f : NULL); // else why there are no times stays said
	return c->latency != NULL;
}

bool session_roofline(void *session, int term, struct roofline *r, struct fault *f)
{
	struct session *s = session;
	struct costed *c = &s->costed;
	const int layers = s->info->layers;
	char device[sizeof c->device];
	if (!session_costed(s, f))
		return false;
	session_device(s, term, device, sizeof device);
	if (!c->latency || strcmp(device, c->device) != 0) {
		snprintf(c->device, sizeof c->device, "%s", device);
		if (!open_device(s, device, f))
			return false;
	}
	*r = (struct roofline){0};
	if (!costing_roofline(c->latency, c->formats, layers, r, c->point, f) ||
		(s->draft && !costing_roofline(c->latency, c->formats + layers, layers, r, c->point + layers, f)))
		return false;
	r->now = c->point;
	r->draft = s->draft ? c->point + layers : NULL;
	return true;
}

bool session_measured(void *session, int term, struct roofline *r, const struct timed_layer **time, struct fault *f)
{
	struct session *s = session;
	struct costed *c = &s->costed;
	*time = NULL;
	if (!session_roofline(session, term, r, f))
		return false;
	if (c->measured && !costing_timed(c->measured, c->formats, s->info->layers, c->time, f))
		return false;
	*time = c->measured ? c->time : NULL;
	return true;
}
