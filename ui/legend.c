// SPDX-License-Identifier: GPL-3.0-or-later
// The legend of the screen: its signs pane by pane, each as it is drawn, and what it means.
#include <stdio.h>

#include "ui/workbench.h"

static const struct told {
	const char *sign, *ascii; // NULL: a heading
	const char *means;
} told[] = {
	{NULL, NULL, "Everywhere"},
	{"▸", ">", "the row in hand; beside a pane's title: where keys act"},
	{"│4▁▂▅█", "4.:+#", "a policy: a bar for each format, as tall as its probability; none for what is not allowed"},
	{NULL, NULL, "Layers"},
	{"■ □", "# ~", "pinned to one format; restricted to some"},
	{"→", ">", "the draft, or the step that is looked back at, differs from now"},
	{"██▌", "##", "the layer's share of the cost in hand, by the largest"},
	{NULL, NULL, "Costs"},
	{"×1.64", "x1.64", "so many times its target"},
	{"!", "!", "the target lies outside of what the choices can cost"},
	{NULL, NULL, "Front and curves"},
	{"◆", "*", "the modal choice: what the search would take now"},
	{"+ o x", "+ o x", "sampled, uniform, trained for that choice"},
	{"──", "..", "the front: no point has less cost and more quality"},
	{"┈┈", "--", "95 % of each point, and below the front what the noise cannot tell from it"},
	{"╏ ┊", "! :", "the target; the point in hand, a past step, or a change that was made"},
	{NULL, NULL, "Colours"},
	{"▁▃▅█", "1234",
		"formats from narrow to wide, probabilities from low to high: the brighter on dark, the darker on light"},
};

bool legend_show(struct workbench *w)
{
	enum { SIGNS = 8 };
	struct popup made = {.foot = "Esc closes"};
	char line[256];
	bool ok = true;
	snprintf(made.title, sizeof made.title, "Legend");
	for (size_t i = 0; ok && i < sizeof told / sizeof *told; i++) {
		const char *sign = w->screen.ascii ? told[i].ascii : told[i].sign;
		if (!sign) {
			ok = popup_add(&made, told[i].means, 0, true);
			continue;
		}
		snprintf(line, sizeof line, "%s%*s%s", sign, SIGNS - screen_width(sign), "", told[i].means);
		ok = popup_add_hanging(&made, line, screen_width(sign), SIGNS);
	}
	if (!ok) {
		popup_clear(&made);
		return false;
	}
	workbench_close(w);
	w->popup = made;
	return true;
}
