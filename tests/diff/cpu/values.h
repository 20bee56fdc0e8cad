/** Random numbers and the values that registers and memory of a case begin with. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_DIFF_CPU_VALUES_H
#define TESTS_DIFF_CPU_VALUES_H

#include <stdint.h>

/** The same on every host: a case is known by its seed and number. */
struct random {
	uint64_t state;
};
struct random random_for(uint64_t seed, uint64_t number);
uint64_t random_next(struct random *random);
/** 0 to below - 1. */
uint32_t random_below(struct random *random, uint32_t below);

/** An integer that is likely to be special. */
uint64_t random_integer(struct random *random);
/** Sixteen bytes as a vector register holds them: integers, floats or doubles. */
void random_vector(struct random *random, uint8_t bytes[16]);
/** An 80-bit real, all kinds of them. */
void random_real(struct random *random, uint8_t bytes[10]);
/** A FXSAVE image that may be loaded; `calm` masks every exception. */
void random_fxsave(struct random *random, uint8_t image[512], int calm);

#endif
