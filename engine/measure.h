// SPDX-License-Identifier: GPL-3.0-or-later
// Measures this machine as a device: how long every layer of a network takes in each format, as the engine runs it, and writes a device file
// (engine/hardware/device.h), by which the latency of any network with such layers is then priced. sessions/ and ui/ include this header
// beside engine.h and catalog.h. It needs no search.
//
// A *pass* runs the whole network once in one format, with a clock around each operator, so that a layer finds the caches as they are in
// inference; a *round* is a pass in each format, each round in another order. Weights are rounded and packed beforehand. The operators
// without weights count with the layer before them, apart from its own time. A file holds every single time, its median and its interval,
// and the machine's peaks; it keeps what was measured of other networks.
//
// A measurement belongs to one thread at a time. It is saved round by round: one that was cut off goes on where it was.
#ifndef ENGINE_MEASURE_H
#define ENGINE_MEASURE_H

#include "engine/engine.h"

enum { MEASURE_ROUNDS = 1000 }; // most

struct measure_question {
	const char *net;            // a name of the catalog or a description file; of one with choices, the standard network
	int h, w, c, classes;       // the size of the data; all 0: the network's own
	int batch, threads, rounds; // 0: 16 images; every processor; 15
	const char *formats;        // "int8,fp32"; NULL: these two, which the kernels have products for
	const char *device;         // a name, whose file is in the folder of devices, or the path of a file; NULL: "host"
	bool again;                 // what the file has of this network, or of another machine, is dropped
};

struct measure_state {
	char file[1024], device[48];
	const char *net, *kernels, *format; // format: of the next pass
	int batch, threads, layers, formats;
	int rounds, made; // wanted; made so far
	int found;        // of these, that were in the file already
	double share;     // of all passes, 0 to 1
	double left;      // seconds, as far as is known; NAN: not yet
	double pass;      // seconds of the last pass
	bool done;
};

struct measurement;
// Opens the file, makes the network and warms it up. Returns NULL with a fault: an unknown network or format, no memory, or a file that is
// not a device's or was measured under other conditions.
struct measurement *measurement_open(const struct measure_question *, struct fault *);
// Makes a pass, and saves the file behind a round where a second has gone by since it was saved last, and behind the last one. Returns false
// with a fault where that failed.
bool measurement_pass(struct measurement *, struct fault *);
void measurement_state(const struct measurement *, struct measure_state *);
// Saves what was measured since. Nothing to be saved is no fault.
bool measurement_save(struct measurement *, struct fault *);
void measurement_close(struct measurement *);

#endif
