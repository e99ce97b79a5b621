// SPDX-License-Identifier: GPL-3.0-or-later
// What the benchmarks share. Every figure of a table is a median, every ratio a median of ratios taken in turns (A B A B),
// so that other load on the machine meets both sides alike. Nothing asserts on time.
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include "engine/search/search.h"

extern const char *bench_folder; // of this run, removed at its end: CIFAR-10's files with random pixels, sessions

// The tables, one function each.
void bench_steps(void);       // training and search steps of every network; their products through OpenBLAS
void bench_profile(void);     // where a step and a scoring pass spend their time
void bench_operators(void);   // the same by operator and by kind of work; bytes
void bench_memory(void);      // peak memory of a search, over plain training and over fewer formats
void bench_spaces(void);      // a space of architectures over one of its paths
void bench_overhead(void);    // a search alone, within the engine, and under the workbench
void bench_keys(void);        // from a key to the changed screen
void bench_frames(void);      // what a frame sends, and what it computes
void bench_acknowledge(void); // from a change to its acknowledgement
void bench_signal(void);      // the additive model of quality, and what it leaves of the policy's noise

// What this program does where it starts itself again: `bench memory SETTINGS`, `bench workbench SETTINGS`.
int memory_child(const char *settings);
int workbench_child(const char *settings);

double bench_megabytes(const char *settings); // peak memory of such a search, in a process of its own
// A search with these settings, KEY=VALUE separated by spaces, the format's result; ends the program where there is none.
struct search *bench_search(const char *format, ...) __attribute__((format(printf, 1, 2)));
struct config *bench_config(const char *settings);
void bench_stop(const struct fault *);

double bench_now(void); // seconds
void bench_nap(double seconds);
double quantile(const double *x, int n, double share); // of up to 1024 numbers; 0.5: the median
double median(const double *x, int n);
double median_ratio(const double *x, const double *y, int n); // of x[i]/y[i]

#endif
