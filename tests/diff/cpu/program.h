/** Random programs: instructions of the host test's generator, one behind the other, with branches among them
 * and stores into them. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_DIFF_CPU_PROGRAM_H
#define TESTS_DIFF_CPU_PROGRAM_H

#include "tests/diff/cpu/native.h"
#include "tests/diff/cpu/values.h"

enum {
	/* Pages from NATIVE_CODE on, which may be written; the same pages once more where a 16-bit data
	 * segment reaches them. */
	PROGRAM_WINDOW = 4 * NATIVE_PAGE,
	PROGRAM_ALIAS = NATIVE_DATA + 0x8000,
	PROGRAM_BYTES = 2048,
	PROGRAM_PARTS = 192, /* instructions, and those that load registers for them */
	/* INT at the end, and what puts the other page in place of the window's third: see sequence.c. */
	PROGRAM_END = 0x80,
	PROGRAM_SWAP = 0x81,
	PROGRAM_SWAPPED = NATIVE_CODE + 2 * NATIVE_PAGE,
	PROGRAM_OTHER = NATIVE_CODE + PROGRAM_WINDOW
};

struct program {
	enum native_mode mode;
	struct native_registers in;
	uint32_t offset, length; /* in the window */
	uint32_t count, at[PROGRAM_PARTS + 1];
	uint8_t bytes[PROGRAM_BYTES];
	uint8_t data[NATIVE_DATA_BYTES];
};

void program_make(struct program *program, struct random *random, enum native_mode mode);

#endif
