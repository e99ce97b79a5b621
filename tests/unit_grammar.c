// SPDX-License-Identifier: GPL-3.0-or-later
// The grammar of keys, held by walking the table; and the workbench by keys alone: in and out of views and pages, a draft that is not lost,
// rows marked together, the third point of the front pinned by six keys, a layer's weights looked at with the digest unchanged.
#include "tests/workplace.h"

#include <locale.h>
#include <math.h>
#include <unistd.h>

#include "engine/base/clock.h"
#include "ui/workbench.h"

// ---- the table --------------------------------------------------------------------------------------------------------

// Keys with one sense in more than one view, whose commands differ since what they act on does.
static const struct sense {
	int key;
	const char *sense;
	const char *command[3];
} senses[] = {
	{KEYS_ENTER, "takes what waits for it", {"draft commit", "tour", "confirm"}},
	{'+', "more", {"draft up {layers}", "explore spares-up"}},
	{'-', "less", {"draft down {layers}", "explore spares-down"}},
	{'[', "aims lower", {"nudge target down", "explore availability-down"}},
	{']', "aims higher", {"nudge target up", "explore availability-up"}},
	{'0', "begins anew", {"explore again", "axis all"}},
	{'c', "shows another figure", {"curve next", "explore turn"}},
	{'.', "goes one step on", {"step", "explore day"}},
	{'E', "scores on the test images", {"hand evaluate test", "evaluate test"}},
	{'y', "exports", {"hand export", "export policy"}},
};
enum { SENSES = sizeof senses / sizeof *senses };

static bool has_sense(const struct binding *b)
{
	for (int i = 0; i < SENSES; i++)
		for (int k = 0; senses[i].key == b->key && k < 3 && senses[i].command[k]; k++)
			if (strcmp(senses[i].command[k], b->command) == 0)
				return true;
	return false;
}

// In a state, no key means two things; what is global keeps its sense everywhere but where text is typed.
static void test_one_sense(void **state)
{
	(void)state;
	struct keys k;
	struct fault f;
	int compared = 0;
	assert_true(keys_begin(&k, &f));
	for (int i = 0; i < k.count; i++)
		for (int j = 0; j < i; j++) {
			const struct binding *a = &k.row[i], *b = &k.row[j];
			if (a->key != b->key || a->context == CONTEXT_PROMPT || b->context == CONTEXT_PROMPT)
				continue;
			assert_true(a->context != b->context); // nor is it bound twice
			compared++;
			char name[32];
			bool same = strcmp(a->command, b->command) == 0;
			bool enter = a->key == KEYS_ENTER && (has_sense(a) || has_sense(b));
			if (!same && !enter && !(has_sense(a) && has_sense(b)))
				fail_msg("%s is `%s` in %s and `%s` in %s", keys_name(a->key, true, name, sizeof name),
					a->command, keys_context_name(a->context), b->command, keys_context_name(b->context));
		}
	assert_true(compared > 20);
	// The grammar, wherever there are keys.
	static const struct {
		int key;
		const char *command;
	} global[] = {{'o', "open"}, {KEYS_ESCAPE, "back"}, {KEYS_TAB, "view next"}, {'z', "zoom"}, {'/', "prompt filter"},
		{'n', "find next"}, {'N', "find previous"}, {'v', "mark"}, {'V', "mark range"}, {'s', "prompt sort"},
		{'1', "view 1"}, {'9', "view 9"}, {'q', "leave"}, {'?', "keys"}};
	for (int context = 0; context < CONTEXTS; context++)
		for (size_t i = 0; context != CONTEXT_PROMPT && i < sizeof global / sizeof *global; i++)
			assert_string_equal(keys_find(&k, (enum key_context)context, global[i].key)->command, global[i].command);
	assert_string_equal(keys_find(&k, CONTEXT_SEARCH, KEYS_ENTER)->command, "open");
	assert_string_equal(keys_find(&k, CONTEXT_DRAFT, KEYS_ENTER)->command, "draft commit");
	assert_string_equal(keys_find(&k, CONTEXT_SEARCH, KEYS_CONTROL('s'))->command, "save");
	keys_end(&k);
}

// What a view teaches are keys that do something there, five at the most.
static void test_taught(void **state)
{
	(void)state;
	struct views v;
	struct keys k;
	struct fault f;
	struct hint hint[64];
	assert_true(views_begin(&v, &f) && keys_begin(&k, &f));
	int hints = keys_hints(&k, CONTEXT_SEARCH, false, hint, 64);
	for (int i = 0; i < VIEWS_COUNT; i++)
		for (int t = 0; v.view[i].ops->teach && v.view[i].ops->teach[t]; t++) {
			bool bound = false;
			for (int h = 0; h < k.count; h++)
				bound |= k.row[h].command && strcmp(k.row[h].command, v.view[i].ops->teach[t]) == 0;
			if (!bound || t >= TEACH)
				fail_msg("%s teaches `%s`", v.view[i].ops->name, v.view[i].ops->teach[t]);
		}
	assert_true(hints > 5);
	keys_end(&k);
	views_end(&v);
}

static struct session *with(const char *name, const char *const set[][2], struct config *config)
{
	struct fault f;
	for (int i = 0; set[i][0]; i++)
		assert_true(config_set(config, set[i][0], set[i][1], &f));
	struct session *s = session_new(name, config, &f);
	config_free(config);
	assert_non_null(s);
	return s;
}

// As begin, with more formats to choose from.
static struct session *wide(const char *name)
{
	return with(name, (const char *const[][2]){{"space", "int2,int3,int4,int6,int8"}, {0}}, small_config());
}

// Nothing is trained, and the front has many points soon.
static struct session *by_table(const char *name)
{
	return with(name,
		(const char *const[][2]){{"net", "resnet18"}, {"data", "none"}, {"sensitivity", "hawq"}, {"steps", "300"},
			{"target.bops", "int4"}, {"weight.bops", "1"}, {0}},
		config_new());
}

// ---- the workbench ------------------------------------------------------------------------------------------------------

static struct workbench *opened(struct session *s)
{
	struct fault f;
	struct workbench *w = calloc(1, sizeof *w);
	assert_non_null(w);
	assert_true(workbench_begin(w, s, false, &f));
	assert_true(screen_resize(&w->screen, 100, 36));
	session_turn(s);
	workbench_draw(w);
	return w;
}

static void closed(struct workbench *w)
{
	struct fault f;
	workbench_end(w, NULL, &f);
	free(w);
}

static void press(struct workbench *w, const char *keys)
{
	for (; *keys; keys++) {
		workbench_key(w, *keys == '\n' ? KEYS_ENTER : *keys);
		session_turn(w->session);
		workbench_draw(w);
	}
}

static bool shows(struct workbench *w, const char *text)
{
	workbench_draw(w);
	char *all = screen_text(&w->screen);
	assert_non_null(all);
	bool there = strstr(all, text) != NULL;
	free(all);
	return there;
}

static void assert_shows(struct workbench *w, const char *text)
{
	if (!shows(w, text))
		fail_msg("not on the screen: %s\n%s", text, screen_text(&w->screen));
}

// Until nothing is asked of the engine and it rests.
static void settle(struct workbench *w, bool (*there)(struct workbench *))
{
	double end = clock_seconds() + 120;
	while (!there(w)) {
		assert_true(clock_seconds() < end);
		session_turn(w->session);
		workbench_messages(w);
		workbench_turn(w);
		workbench_draw(w);
		usleep(2000);
	}
}

static bool finished(struct workbench *w)
{
	return session_snapshot(w->session)->run == RUN_FINISHED;
}

static bool still(struct workbench *w)
{
	return !session_changing(w->session) && session_unwritten(w->session) == 0;
}

static bool looked(struct workbench *w)
{
	long step;
	const struct layer_look *look = session_looked(w->session, &step);
	return look && look->layer == w->scene.layer;
}

static const char *focus(const struct workbench *w)
{
	return w->views.view[w->views.focus].ops->name;
}

static void test_in_and_out(void **state)
{
	(void)state;
	struct workbench *w = opened(begin("walk"));
	assert_string_equal(focus(w), "layers");
	press(w, "\t");
	assert_string_equal(focus(w), "costs");
	press(w, "\033"); // back to the main table
	assert_string_equal(focus(w), "layers");
	press(w, "z");
	assert_true(w->views.zoomed >= 0 && !shows(w, "Costs"));
	press(w, "3"); // the room goes along
	assert_string_equal(focus(w), "front");
	assert_int_equal(w->views.zoomed, w->views.focus);
	press(w, "\033\033");
	assert_string_equal(focus(w), "layers");
	assert_true(w->views.zoomed < 0);
	press(w, "o"); // a layer's page, from it to the next layer, and back
	assert_string_equal(focus(w), "layer");
	assert_shows(w, "Layer stem, 1 of 10");
	press(w, "l");
	assert_shows(w, "Layer s1b1.conv1, 2 of 10");
	press(w, "?");
	assert_shows(w, "Help");
	press(w, "q"); // the box, then the page; never the program
	assert_string_equal(focus(w), "layer");
	press(w, "q");
	assert_string_equal(focus(w), "layers");
	assert_false(w->quit);
	workbench_command(w, "view point"); // nothing is scored yet
	assert_true(w->scene.bad);
	assert_string_equal(focus(w), "layers");
	press(w, "q");
	if (!w->quit)
		fail_msg("%s", w->message);
	closed(w);
}

static void test_draft_is_asked_for(void **state)
{
	(void)state;
	struct workbench *w = opened(begin("asked"));
	press(w, "-");
	assert_non_null(session_draft(w->session));
	press(w, "\033");
	assert_non_null(session_draft(w->session));
	assert_shows(w, "Esc once more drops it");
	press(w, "j\033"); // not one behind the other
	assert_non_null(session_draft(w->session));
	press(w, "\033");
	assert_null(session_draft(w->session));
	press(w, "-o"); // with a draft o still opens, and Enter commits wherever the person is
	assert_string_equal(focus(w), "layer");
	press(w, "\n");
	settle(w, still);
	assert_null(session_draft(w->session));
	assert_int_equal(__builtin_popcount(session_snapshot(w->session)->slot[2].allowed), 1);
	closed(w);
}

static void test_filter_and_marks(void **state)
{
	(void)state;
	struct workbench *w = opened(wide("marks"));
	const struct snapshot *now;
	workbench_command(w, "filter s2*");
	assert_shows(w, "with s2*");
	assert_false(shows(w, "s1b1.conv1"));
	press(w, "v"); // all three by a range
	workbench_command(w, "move last");
	press(w, "V");
	workbench_command(w, "each restrict int4,int8");
	settle(w, still);
	now = session_snapshot(w->session);
	int restricted = 0;
	for (int l = 0; l < now->info->layers; l++)
		restricted += __builtin_popcount(now->slot[now->info->layer[l].weight_slot].allowed) == 2;
	assert_int_equal(restricted, 3);
	press(w, "p");
	settle(w, still);
	workbench_command(w, "filter pinned");
	assert_shows(w, "3 of 10 with pinned");
	press(w, "u"); // both at once
	settle(w, still);
	assert_shows(w, "nothing matches pinned");
	workbench_command(w, "filter bits<8");
	press(w, "\033\033"); // the marks, then the filter
	assert_shows(w, "s1b1.conv1");
	workbench_command(w, "filter conv2");
	press(w, "\033");
	press(w, "n");
	const int first = w->scene.layer;
	assert_non_null(strstr(now->info->layer[first].name, "conv2"));
	press(w, "n");
	assert_true(w->scene.layer != first && strstr(now->info->layer[w->scene.layer].name, "conv2"));
	press(w, "N");
	assert_int_equal(w->scene.layer, first);
	press(w, "s"); // which columns there are is shown before a letter is typed
	assert_true(w->prompt && w->prompt_choose && strcmp(w->prompt_text, "sort ") == 0);
	workbench_command(w, "sort shape");
	workbench_command(w, "sort output");
	assert_false(w->scene.bad);
	closed(w);
}

// From a cold start to the choice behind the third point of the front pinned.
static void test_third_point(void **state)
{
	(void)state;
	struct session *s = by_table("third");
	struct workbench *w = opened(s);
	static const char keys[] = "3jjjp";
	assert_true(sizeof keys - 1 <= 6);
	workbench_command(w, "run");
	settle(w, finished);
	assert_shows(w, "The search is finished, step 300"); // the card: found, held against a uniform choice, what may come next
	assert_shows(w, "Found: ");
	assert_shows(w, "uniform choice");
	press(w, "\033");
	const struct snapshot *now = session_snapshot(s);
	int third = -1, count = 0;
	for (int i = 0; i < now->points && third < 0; i++)
		third = !now->point[i].dominated && ++count == 3 ? i : -1;
	if (third < 0)
		fail_msg("the front has %d points: the test needs three", count);
	uint8_t choice[64];
	assert_true((size_t)now->slots <= sizeof choice);
	memcpy(choice, now->point[third].choice, (size_t)now->slots);
	press(w, keys);
	settle(w, still);
	now = session_snapshot(s);
	for (int i = 0; i < now->slots; i++)
		assert_int_equal(now->slot[i].allowed, 1u << choice[i]);
	press(w, "u"); // one change
	settle(w, still);
	assert_true(__builtin_popcount(session_snapshot(s)->slot[0].allowed) > 1);
	press(w, "o"); // its page
	assert_string_equal(focus(w), "point");
	assert_shows(w, "estimated, not measured");
	assert_shows(w, "differ from the modal choice");
	press(w, "\033hv"); // another point to compare with
	press(w, "l=");
	assert_string_equal(focus(w), "point");
	assert_shows(w, "differ from point ");
	press(w, "d");
	assert_non_null(session_draft(s));
	workbench_command(w, "point 1 pin"); // a draft is not moved behind a person's back
	assert_true(w->scene.bad);
	workbench_command(w, "point 99 pin");
	assert_true(w->scene.bad);
	workbench_command(w, "point 1 paint");
	assert_true(w->scene.bad);
	workbench_command(w, "draft drop");
	closed(w);
	w = opened(again("third")); // its end was shown once
	settle(w, finished);
	press(w, "j");
	assert_false(w->popup.card);
	closed(w);
}

static void test_look(void **state)
{
	(void)state;
	char before[sizeof((struct session *)0)->digest];
	struct session *s = begin("look");
	struct workbench *w = opened(s);
	workbench_command(w, "run");
	settle(w, finished);
	press(w, "\033");
	struct fault f;
	assert_true(session_ask_digest(s, true, &f));
	while (!s->digest[0])
		session_turn(s);
	snprintf(before, sizeof before, "%s", s->digest);
	press(w, "jo");
	settle(w, looked);
	long step;
	const struct layer_look *look = session_looked(s, &step);
	assert_true(look->there && look->layer == 1 && step == 30);
	long counted = 0;
	for (int i = 0; i < LOOK_BINS; i++)
		counted += look->weights.bin[i];
	assert_int_equal(counted, look->weights.count);
	assert_true((double)look->weights.count == session_snapshot(s)->info->layer[1].weights);
	assert_true(look->images > 0);
	assert_true((double)look->inputs.count == (double)look->images * session_snapshot(s)->info->layer[1].activations);
	assert_true(look->inputs.low >= 0);       // behind a ReLU
	for (int o = 1; o < look->options; o++) { // a wider integer loses less: about 6 dB a bit
		assert_true(look->option[o].noise > look->option[o - 1].noise);
		assert_true(look->option[o].input_noise > look->option[o - 1].input_noise);
		assert_true(look->option[o].output_noise > look->option[o - 1].output_noise);
		assert_true(look->option[o].input_step < look->option[o - 1].input_step);
		assert_true(look->option[o].clipped == 0); // the range is the largest
		assert_true(look->option[o].zeros <= look->option[o - 1].zeros);
		assert_true(look->option[o].step < look->option[o - 1].step);
	}
	assert_shows(w, "Why int");
	const double *noise = session_noise(s, &step);
	assert_non_null(noise);
	assert_true(noise[1] == look->option[session_snapshot(s)->slot[2].result].output_noise); // one format for both
	assert_true(screen_resize(&w->screen, 100, 80));
	assert_shows(w, "standard deviation");
	assert_shows(w, "inputs, from 0 to");
	assert_shows(w, "Its modal format over 30 steps");
	assert_shows(w, "images of the calibration slice");
	assert_shows(w, "Its share of each cost");
	assert_shows(w, "it is bound by");
	s->digest[0] = '\0';
	assert_true(session_ask_digest(s, true, &f));
	while (!s->digest[0])
		session_turn(s);
	assert_string_equal(s->digest, before);
	closed(w);
}

// Formats with scales by blocks: the page says so, and what their blocks clip.
static void test_look_at_blocks(void **state)
{
	(void)state;
	static const char *const rule[] = {"floor", "up"};
	for (int r = 0; r < 2; r++) {
		struct session *s = with(rule[r],
			(const char *const[][2]){
				{"steps", "12"}, {"space", "mxfp4,mxint8,mxfp8,nvfp4"}, {"block-scale", rule[r]}, {0}},
			small_config());
		struct workbench *w = opened(s);
		workbench_command(w, "run");
		settle(w, finished);
		press(w, "\033");
		press(w, "jo");
		settle(w, looked);
		long step;
		const struct layer_look *look = session_looked(s, &step);
		assert_int_equal(look->options, 4);
		for (int o = 0; o < look->options; o++) {
			const struct format_look *its = &look->option[o];
			assert_true(its->noise > 10 && its->input_noise > 10 && its->step > 0 && its->input_step == 0);
			if (r == 1 && strcmp(session_snapshot(s)->info->slot[2].option[o].name, "nvfp4") != 0)
				assert_true(its->clipped == 0); // rounded up, nothing is
			else
				assert_true(its->clipped < .3);
		}
		assert_true(r == 1 || look->option[0].clipped > .005); // mxfp4: what is beyond 6 of 8
		assert_true(screen_resize(&w->screen, 100, 80));
		assert_shows(w, "mxfp4, mxint8, mxfp8: 32 values share a scale, a power of two; clip: inputs beyond");
		assert_shows(w, "nvfp4: 16 values share a scale, e4m3 times fp32;");
		assert_shows(w, "for the block with the widest range");
		assert_shows(w, "has levels of its own");
		closed(w);
	}
}

static bool noise_come(struct workbench *w)
{
	long step;
	return session_noise(w->session, &step) != NULL;
}

// To the histogram of the layer with the lowest signal to noise of its output, in a trained mobilenetv2.
static void test_noisiest(void **state)
{
	(void)state;
	struct session *s = with("noisy",
		(const char *const[][2]){{"net", "mobilenetv2:width=0.35"}, {"steps", "12"}, {"train", "256"}, {"heldout", "64"},
			{"batch", "16"}, {"calibration", "16"}, {0}},
		small_config());
	struct workbench *w = opened(s);
	workbench_command(w, "run");
	settle(w, finished);
	press(w, "\033");
	static const char keys[] = "D";
	assert_true(sizeof keys - 1 <= 6);
	press(w, keys);
	settle(w, noise_come);
	workbench_turn(w);
	workbench_draw(w);
	long step;
	const double *noise = session_noise(s, &step);
	const int layers = session_snapshot(s)->info->layers;
	int least = 0;
	for (int i = 0; i < layers; i++) {
		assert_true(noise[i] == noise[i]);
		least = noise[i] < noise[least] ? i : least;
	}
	assert_true(step == 12);
	assert_string_equal(focus(w), "layer");
	assert_int_equal(w->scene.layer, least);
	settle(w, looked);
	assert_true(screen_resize(&w->screen, 100, 90));
	assert_shows(w, "weights, from");
	assert_shows(w, "inputs, from");
	press(w, "\033"); // the table is sorted by it, the lowest first
	const struct rect r = w->views.item[views_of(&w->views, &view_layers)].pane[0];
	press(w, "gj");
	assert_true(r.width > 0 && w->scene.layer != least);
	for (int i = 0; i < layers; i++)
		assert_true(i == least || noise[w->scene.layer] <= noise[i]);
	press(w, "Dj"); // who goes on is left there
	settle(w, noise_come);
	workbench_turn(w);
	assert_string_equal(focus(w), "layers");
	closed(w);
}

// Where nothing is trained the page says so in the place of a histogram.
static void test_no_weights(void **state)
{
	(void)state;
	struct fault f;
	struct config *config = config_new();
	assert_true(config_set(config, "net", "resnet8", &f) && config_set(config, "data", "none", &f));
	struct session *s = session_new("unweighed", config, &f);
	config_free(config);
	assert_non_null(s);
	struct workbench *w = opened(s);
	assert_true(screen_resize(&w->screen, 100, 60));
	press(w, "o");
	settle(w, looked);
	assert_shows(w, "There are no weights here");
	assert_false(shows(w, "standard deviation"));
	closed(w);
}

// To the page of the layer with the largest share of the latency, which says that there are no weights.
static void test_largest_share(void **state)
{
	(void)state;
	struct session *s = with("payers", (const char *const[][2]){{"net", "efficientnet-x-b7"}, {"data", "none"}, {0}},
		config_new());
	struct workbench *w = opened(s);
	static const char keys[] = "2Gkoo";
	assert_true(sizeof keys - 1 <= 6);
	press(w, keys);
	const struct snapshot *now = session_snapshot(s);
	double cost[ENGINE_TERMS], largest = 0;
	double *part = calloc((size_t)now->info->layers, sizeof *part);
	uint8_t *modal = calloc((size_t)now->slots, 1);
	assert_string_equal(now->term[w->scene.term].name, "latency");
	session_modal(s, modal);
	assert_true(engine_price(session_engine(s), modal, cost, w->scene.term, part));
	for (int l = 0; l < now->info->layers; l++)
		largest = part[l] > largest ? part[l] : largest;
	assert_true(part[w->scene.layer] == largest && largest > 0);
	assert_string_equal(focus(w), "layer");
	settle(w, looked);
	assert_true(screen_resize(&w->screen, 100, 60));
	assert_shows(w, now->info->layer[w->scene.layer].name);
	assert_shows(w, "There are no weights here");
	press(w, "\0332o"); // again: the same order, not its reverse
	assert_true(part[w->scene.layer] == largest);
	free(part);
	free(modal);
	closed(w);
}

// Clicks select and go there, two at once open, on a title they give the room; the wheel moves.
static void test_mouse(void **state)
{
	(void)state;
	struct workbench *w = opened(begin("mouse"));
	const struct rect layers = w->views.item[views_of(&w->views, &view_layers)].pane[0];
	const struct rect front = w->views.item[views_of(&w->views, &view_front)].pane[0];
	assert_true(workbench_mouse(w, 0, true, front.x + 2, front.y + 2));
	assert_string_equal(focus(w), "front");
	assert_true(workbench_mouse(w, 0, true, layers.x + 5, layers.y + 4));
	assert_string_equal(focus(w), "layers");
	assert_int_equal(w->scene.layer, 2);
	assert_true(workbench_mouse(w, 0, true, layers.x + 5, layers.y + 4));
	assert_string_equal(focus(w), "layer");
	press(w, "\033");
	workbench_mouse(w, 0, true, layers.x + 5, layers.y);
	workbench_mouse(w, 0, true, layers.x + 5, layers.y);
	assert_int_equal(w->views.zoomed, w->views.focus);
	assert_true(workbench_mouse(w, 65, true, layers.x + 5, layers.y + 4));
	assert_true(w->scene.layer > 2);
	closed(w);
}

// Where a point of the front is on the screen.
static void place_of(const struct workbench *w, int point, int *x, int *y)
{
	const struct snapshot *now = session_snapshot(w->session);
	const struct rect r = w->views.item[views_of(&w->views, &view_front)].pane[0];
	const struct figure_source *source = &w->source;
	struct figure *f = figure_kind_named("front")->build(source);
	assert_non_null(f);
	assert_true(canvas_place(f, r.width - 2, r.height - 2, now->point[point].cost[w->scene.term] / f->x.unit,
		100 * now->point[point].accuracy, x, y));
	*x += r.x + 1;
	*y += r.y + 1;
	figure_free(f);
}

// A click takes a point in hand, two open it; the line of the target is drawn elsewhere, and there the target is; the axis is looked at closer.
static void test_front_by_hand(void **state)
{
	(void)state;
	struct session *s = by_table("points");
	struct workbench *w = opened(s);
	workbench_command(w, "run");
	settle(w, finished);
	press(w,
		"\033"
		"3");
	workbench_command(w, "term bops");
	workbench_draw(w);
	const struct snapshot *now = session_snapshot(s);
	const int point = now->points - 1;
	int x, y, other, row;
	place_of(w, point, &x, &y);
	assert_true(workbench_mouse(w, 0, true, x, y));
	workbench_mouse(w, 0, false, x, y);
	const int taken = point_index(&w->scene, &w->scene.point.hand);
	place_of(w, taken, &other, &row); // where two share a cell, either
	assert_true(other == x && row == y);
	assert_true(workbench_mouse(w, 0, true, x, y));
	workbench_mouse(w, 0, false, x, y);
	assert_string_equal(focus(w), "point");
	press(w, "\033");
	workbench_draw(w);
	// Closer, along, and all of it again.
	press(w, "i");
	assert_shows(w, "Front");
	char *close = screen_text(&w->screen);
	press(w, "0");
	workbench_draw(w);
	char *all = screen_text(&w->screen);
	assert_string_not_equal(close, all);
	press(w, "f");
	workbench_draw(w);
	char *linear = screen_text(&w->screen);
	assert_string_not_equal(linear, all);
	free(close);
	free(all);
	free(linear);
	press(w, "f");
	// Its accuracies by another scale, and back.
	char *shown[3];
	for (int i = 0; i < 3; i++) {
		workbench_draw(w);
		shown[i] = screen_text(&w->screen);
		workbench_command(w, "axis logit");
		assert_false(w->scene.bad);
	}
	assert_string_not_equal(shown[0], shown[1]);
	assert_string_not_equal(shown[1], shown[2]);
	for (int i = 0; i < 3; i++)
		free(shown[i]);
	workbench_command(w, "axis upside");
	assert_true(w->scene.bad);
	// The target.
	const struct rect r = w->views.item[views_of(&w->views, &view_front)].pane[0];
	const double target = now->term[w->scene.term].target;
	press(w, "0");
	workbench_draw(w);
	struct figure *f = figure_kind_named("front")->build(&w->source);
	int line = 0;
	for (int c = 0; c < r.width - 2; c++)
		if (fabs(canvas_x(f, r.width - 2, r.height - 2, c) * f->x.unit - target) <
				fabs(canvas_x(f, r.width - 2, r.height - 2, line) * f->x.unit - target) ||
			!(canvas_x(f, r.width - 2, r.height - 2, line) > 0))
			line = c;
	const double wanted = canvas_x(f, r.width - 2, r.height - 2, line + 6) * f->x.unit;
	figure_free(f);
	const int up = r.y + 3;
	workbench_mouse(w, 0, true, r.x + 1 + line, up);
	assert_true(w->dragging);
	workbench_mouse(w, 32, true, r.x + 1 + line + 3, up);
	workbench_draw(w);
	assert_true(session_snapshot(s)->term[w->scene.term].target == target); // not yet
	workbench_mouse(w, 32, true, r.x + 1 + line + 6, up);
	workbench_mouse(w, 0, false, r.x + 1 + line + 6, up);
	assert_false(w->dragging);
	settle(w, still);
	const double got = session_snapshot(s)->term[w->scene.term].target;
	assert_true(fabs(got / wanted - 1) < 0.01);
	// Taken and let go in its place, nothing is changed.
	workbench_draw(w);
	const int entries = s->journal.entries;
	workbench_mouse(w, 0, true, r.x + 1 + line + 6, up);
	workbench_mouse(w, 0, false, r.x + 1 + line + 6, up);
	settle(w, still);
	assert_int_equal(s->journal.entries, entries);
	closed(w);
}

static bool compared(struct workbench *w)
{
	return popup_shown(&w->popup);
}

// To a branch from step 300 beside the present; and what the history says of a step, in the panes.
static void test_branch(void **state)
{
	(void)state;
	struct session *s = with("kept",
		(const char *const[][2]){{"net", "resnet18"}, {"data", "none"}, {"sensitivity", "hawq"}, {"steps", "400"},
			{"target.bops", "int4"}, {"weight.bops", "1"}, {0}},
		config_new());
	struct workbench *w = opened(s);
	workbench_command(w, "run");
	settle(w, finished);
	press(w, "\033");
	// H, / and 300 and Enter at the prompt, =.
	static const char keys[] = "H/300\r=";
	assert_true(sizeof keys - 1 <= 8);
	press(w, "H/");
	assert_string_equal(w->prompt_text, "filter ");
	w->prompt = false;
	workbench_command(w, "filter 300");
	assert_false(w->scene.bad);
	assert_shows(w, "step 300: bops");
	press(w, "=");
	settle(w, compared);
	assert_shows(w, "kept@300");
	assert_false(w->scene.bad);
	press(w, "\033");
	press(w, "="); // the one that was made
	settle(w, compared);
	assert_shows(w, "kept@300");
	press(w, "\033");
	workbench_command(w, "filter 4000");
	assert_true(w->scene.bad);
	workbench_command(w, "filter 3");
	workbench_draw(w);
	// Behind the history, Layers, Costs and Front show the step; a second Esc goes back to now.
	press(w, "\033");
	workbench_draw(w);
	assert_int_equal(w->scene.past, 3);
	assert_null(session_draft(s));
	const uint8_t *then = w->source.modal + 2 * (size_t)session_snapshot(s)->info->slots;
	assert_memory_equal(w->scene.draft, then, (size_t)session_snapshot(s)->info->slots);
	assert_shows(w, "@3");
	double cost[ENGINE_TERMS];
	assert_true(engine_price(session_engine(s), then, cost, 0, NULL));
	assert_true(w->scene.draft_cost[0] == cost[0]);
	press(w, "\033");
	workbench_draw(w);
	assert_null(w->scene.draft);
	assert_false(shows(w, "@3"));
	closed(w);
}

static bool at_rest(struct workbench *w)
{
	return session_snapshot(w->session)->run != RUN_RUNNING;
}

static bool at_twenty(struct workbench *w)
{
	return session_snapshot(w->session)->step >= 20 && at_rest(w);
}

// The digest of the first 20 steps of a search, made at this pace.
static void paced(const char *name, const char *pace, char digest[sizeof((struct session *)0)->digest])
{
	struct session *s = by_table(name);
	struct fault f;
	struct workbench *w = opened(s);
	workbench_command(w, pace);
	assert_false(w->scene.bad);
	workbench_command(w, "run 20");
	settle(w, at_twenty);
	assert_true(session_ask_digest(s, true, &f));
	while (!s->digest[0])
		session_turn(s);
	memcpy(digest, s->digest, sizeof s->digest);
	closed(w);
}

// A pace holds steps back, and nothing else: not a pause, and no number.
static void test_pace(void **state)
{
	(void)state;
	char fast[sizeof((struct session *)0)->digest], slow[sizeof fast];
	paced("fast", "pace off", fast);
	double began = clock_seconds();
	paced("slow", "pace 100", slow);
	assert_true(clock_seconds() - began > 0.18);
	assert_string_equal(fast, slow);
	struct workbench *w = opened(again("slow"));
	workbench_command(w, "pace 0.01");
	workbench_command(w, "run");
	for (int i = 0; i < 100; i++) {
		session_turn(w->session);
		usleep(1000);
	}
	assert_true(session_snapshot(w->session)->step <= 21);
	began = clock_seconds();
	workbench_command(w, "pause");
	settle(w, at_rest);
	assert_true(clock_seconds() - began < 5);
	workbench_command(w, "pace fast");
	assert_true(w->scene.bad);
	closed(w);
}

static bool stretched(struct workbench *w)
{
	return session_snapshot(w->session)->horizon > 1000;
}

// A newcomer's first search does not end while they read; their first act leaves the horizon where it is, and a replay finds the same.
static void test_stretch(void **state)
{
	(void)state;
	struct fault f;
	char state_home[300];
	snprintf(state_home, sizeof state_home, "%s/newcomer", place);
	char *before = strdup(getenv("XDG_STATE_HOME"));
	assert_int_equal(setenv("XDG_STATE_HOME", state_home, 1), 0);
	struct session *s = by_table("first");
	struct workbench *w = opened(s);
	workbench_command(w, "pace 2000");
	workbench_command(w, "run");
	stretch_begin(w);
	settle(w, stretched);
	press(w, "jjk"); // reading
	assert_true(shows(w, "your first act") || shows(w, "read on:"));
	press(w, "?\033");
	assert_true(w->stretch.on);
	const struct journal_entry *entry;
	const int entries = session_journal(s, &entry);
	assert_true(entries >= 2 && strncmp(entry[0].text, "extend ", 7) == 0);
	press(w, " "); // the first act
	settle(w, at_rest);
	assert_false(w->stretch.on);
	const long horizon = session_snapshot(s)->horizon;
	press(w, " ");
	settle(w, finished);
	assert_true(session_snapshot(s)->step == horizon && session_journal(s, &entry) == entries);
	assert_true(session_ask_digest(s, true, &f));
	while (!s->digest[0])
		session_turn(s);
	closed(w);
	w = opened(by_table("second"));
	stretch_begin(w);
	assert_false(w->stretch.on);
	closed(w);
	assert_int_equal(setenv("XDG_STATE_HOME", before, 1), 0);
	free(before);
}

// At 60x20 every pane and page can be reached with all the room.
static void test_small_screen(void **state)
{
	(void)state;
	static const char *const title[] = {"Layers", "Costs", "Front", "Curves"};
	struct workbench *w = opened(begin("narrow"));
	assert_true(screen_resize(&w->screen, 60, 20));
	press(w, "z");
	for (int i = 0; i < 4; i++) {
		press(w, (char[]){(char)('1' + i), '\0'});
		assert_shows(w, title[i]);
		assert_true(w->views.item[w->views.focus].got > 0 && w->views.item[w->views.focus].pane[0].width == 60);
	}
	press(w, "1o");
	assert_shows(w, "Layer stem");
	settle(w, looked);
	for (int i = 0; i < 60; i++)
		press(w, "j");
	assert_shows(w, "give them");
	closed(w);
}

// The help begins with what counts here, says the words of the screen, and is searched.
static void test_help(void **state)
{
	(void)state;
	struct workbench *w = opened(begin("help"));
	press(w, "?");
	assert_string_equal(w->popup.line[0].text, "Keys");
	// Of keys for what is in hand each says what it does; what they all do is said of the command alone.
	int alike = 0;
	for (int i = 0; i < w->popup.lines; i++)
		alike += strstr(w->popup.line[i].text, "act on what is in hand") != NULL;
	assert_int_equal(alike, 1);
	workbench_command(w, "filter additive");
	assert_true(w->popup.top > 0);
	assert_non_null(strstr(w->popup.line[w->popup.found - 1].text, "additive"));
	const int first = w->popup.found;
	press(w, "n");
	assert_true(w->popup.found != first);
	press(w, "N");
	assert_int_equal(w->popup.found, first);
	workbench_command(w, "filter xyzzy");
	assert_true(w->scene.bad);
	press(w, "\033");
	closed(w);
}

static bool hinted(const struct workbench *w, const char *command)
{
	for (int i = 0; i < w->scene.hints; i++)
		if (w->hint[i].command && strcmp(w->hint[i].command, command) == 0)
			return true;
	return false;
}

static bool arrived(struct workbench *w)
{
	return !session_travelling(w->session) && still(w);
}

static bool answered(struct workbench *w)
{
	return session_due(w->session) != NULL;
}

// Sessions that train are compared image by image: the answer comes a while later, and does not take the place of what is in front.
static void test_answer_that_takes_a_while(void **state)
{
	(void)state;
	struct workbench *w = opened(with("pairs", (const char *const[][2]){{"steps", "12"}, {0}}, small_config()));
	workbench_command(w, "run");
	settle(w, finished);
	press(w, "\033");
	workbench_command(w, "fork as twin");
	settle(w, arrived);
	workbench_command(w, "compare twin");
	assert_false(w->scene.bad || popup_shown(&w->popup));
	press(w, "?");
	settle(w, answered);
	workbench_turn(w);
	assert_string_equal(w->popup.line[0].text, "Keys");
	press(w, "\033");
	settle(w, compared);
	assert_shows(w, "both right");
	assert_shows(w, "exact p");
	assert_false(hinted(w, "open")); // its rows are none that open
	press(w, "\033");
	assert_null(session_due(w->session));
	// Another question takes the place of one that waits, and leaving does not wait for it.
	workbench_command(w, "compare twin images=test");
	workbench_command(w, "compare twin");
	settle(w, compared);
	assert_shows(w, "held-out");
	press(w, "\033");
	workbench_command(w, "compare twin");
	closed(w);
}

// The card and the bar offer what this search has: test images, or training.
static void test_possible(void **state)
{
	(void)state;
	struct config *config = config_new();
	struct session *const searches[] = {with("images", (const char *const[][2]){{"steps", "12"}, {0}}, small_config()),
		by_table("table"),
		with("machine",
			(const char *const[][2]){{"pod", "tpu_v4"}, {"work", "gpt3"}, {"chips", "512"}, {"steps", "30"}, {0}},
			config)};
	for (size_t i = 0; i < sizeof searches / sizeof *searches; i++) {
		struct workbench *w = opened(searches[i]);
		workbench_draw(w);
		assert_int_equal(hinted(w, "hand train"), i == 0);
		assert_int_equal(hinted(w, "hand evaluate"), i == 0);
		assert_true(hinted(w, "hand export"));
		workbench_command(w, "run");
		settle(w, finished);
		workbench_draw(w);
		assert_true(w->popup.card);
		assert_int_equal(hinted(w, "evaluate test"), i == 0);
		assert_int_equal(strncmp(w->popup.foot, "E, ", 3) == 0, i == 0);
		for (int l = 0; i > 0 && l < w->popup.lines; l++)
			assert_null(strstr(w->popup.line[l].text, "test images"));
		assert_true(hinted(w, "export policy"));
		press(w, "\033");
		closed(w);
	}
}

int main(void)
{
	if (!setlocale(LC_ALL, "C.UTF-8"))
		return 77;
	setlocale(LC_NUMERIC, "C");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_sense),
		cmocka_unit_test(test_taught),
		cmocka_unit_test(test_in_and_out),
		cmocka_unit_test(test_draft_is_asked_for),
		cmocka_unit_test(test_filter_and_marks),
		cmocka_unit_test(test_third_point),
		cmocka_unit_test(test_possible),
		cmocka_unit_test(test_answer_that_takes_a_while),
		cmocka_unit_test(test_look),
		cmocka_unit_test(test_look_at_blocks),
		cmocka_unit_test(test_noisiest),
		cmocka_unit_test(test_no_weights),
		cmocka_unit_test(test_largest_share),
		cmocka_unit_test(test_mouse),
		cmocka_unit_test(test_front_by_hand),
		cmocka_unit_test(test_branch),
		cmocka_unit_test(test_pace),
		cmocka_unit_test(test_stretch),
		cmocka_unit_test(test_small_screen),
		cmocka_unit_test(test_help),
	};
	return cmocka_run_group_tests(tests, make_place, clear_place);
}
