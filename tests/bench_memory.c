// SPDX-License-Identifier: GPL-3.0-or-later
// Peak memory: every search runs in a process of its own, which reports its peak.
#include "tests/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name, *settings;
} row[] = {
	{"training", "space=int4 warmup=1"},
	{"2 formats", "space=int4,int8 warmup=0"},
	{"7 formats", "space=wide warmup=0"},
};
enum { ROWS = sizeof row / sizeof row[0], STEPS = 4 };
static const char *const nets[] = {"resnet8", "resnet20", "mobilenetv2:width=0.5"};

// Of this process, in MB. Linux's VmHWM: that of getrusage keeps the peak of the process that started this one.
static double peak(void)
{
	char line[256];
	double kb = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kb = strtod(line + 6, NULL);
	if (f)
		fclose(f);
	return kb / 1024;
}

int memory_child(const char *settings)
{
	struct fault fault;
	struct search *s = bench_search("%s", settings);
	for (int i = 0; i < STEPS; i++)
		if (!search_step(s, &fault))
			bench_stop(&fault);
	if (!strstr(settings, "warmup=1"))
		for (search_front_begin(s); search_front_advance(s);)
			;
	printf("%.3f\n", peak());
	search_free(s);
	return 0;
}

double bench_megabytes(const char *settings)
{
	char command[1024], line[64] = "";
	snprintf(command, sizeof command, "/proc/%d/exe memory '%s data=cifar10:%s heldout=256 calibration=64 front-images=64'",
		(int)getpid(), settings, bench_folder);
	FILE *out = popen(command, "r");
	if (!out || !fgets(line, sizeof line, out) || pclose(out) != 0) {
		fprintf(stderr, "bench: %s: no figure\n", command);
		exit(1);
	}
	return strtod(line, NULL);
}

void bench_memory(void)
{
	printf("\nPeak memory in MB: %d steps at batch 64, a search live after the warm-up, its front scored once, each in a process of its\n"
	       "own; training: quantization-aware, at int4 alone\n\n%-22s",
		STEPS, "");
	for (int r = 0; r < ROWS; r++)
		printf(" %9s", row[r].name);
	printf(" %11s %6s\n", "to training", "7 to 2");
	for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
		double mb[ROWS];
		char settings[256];
		printf("%-22s", nets[i]);
		for (int r = 0; r < ROWS; r++) {
			snprintf(settings, sizeof settings, "net=%s %s", nets[i], row[r].settings);
			printf(" %9.1f", mb[r] = bench_megabytes(settings));
		}
		printf(" %10.3fx %5.3fx\n", mb[2] / mb[0], mb[2] / mb[1]);
		fflush(stdout);
	}
}
