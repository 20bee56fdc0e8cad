/** The guest of the test of sequences: code that may be written, and handlers that note an exception and go on
 * with the program's next instruction. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_DIFF_CPU_SEQUENCE_H
#define TESTS_DIFF_CPU_SEQUENCE_H

#include "tests/diff/cpu/guest.h"
#include "tests/diff/cpu/program.h"

/** Memory that a program can change: compared, and put back. */
struct sequence_range {
	uint32_t base, bytes;
	const char *name;
};
enum { SEQUENCE_RANGES = 4, SEQUENCE_RECORDS = 64, SEQUENCE_RECORD_WORDS = 8 };
extern const struct sequence_range sequence_ranges[SEQUENCE_RANGES];

void sequence_create(struct guest *guest);
/** All as before the program's first instruction, which will be begun `rounds` times in all. Bytes that did not
 * change are not written, so that what was decoded from them is kept. */
void sequence_load(struct guest *guest, const struct guest *pristine, const struct program *program,
		   unsigned rounds);
/** What handlers have noted, and how many. */
const uint64_t *sequence_records(const struct guest *guest, unsigned *count);

#endif
