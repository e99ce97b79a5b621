// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/base/pairing.h"

#include <math.h>

// The share of 2^n that the sums of n fair coins up to k take.
static double tail(long n, long k)
{
	double sum = 0;
	for (long i = 0; i <= k; i++)
		sum += exp(lgamma((double)n + 1) - lgamma((double)i + 1) - lgamma((double)(n - i) + 1) - (double)n * log(2));
	return sum;
}

struct pairing pairing_of(const uint8_t *first, const uint8_t *second, long count)
{
	struct pairing p = {.ahead = NAN, .error = NAN, .chance = 1};
	for (long i = 0; i < count; i++) {
		p.both += first[i] && second[i];
		p.first += first[i] && !second[i];
		p.second += !first[i] && second[i];
		p.neither += !first[i] && !second[i];
	}
	const double apart = (double)(p.first + p.second), n = (double)count;
	if (count) {
		p.ahead = (double)(p.second - p.first) / n;
		p.error = sqrt(fmax(0, apart / n - p.ahead * p.ahead) / n);
	}
	p.chance = fmin(1, 2 * tail(p.first + p.second, p.first < p.second ? p.first : p.second));
	return p;
}
