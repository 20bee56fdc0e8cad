/** What the host test and its runner of native instructions share: the address space of a case, the batch in
 * shared memory, and its protocol (a byte on standard input starts a batch, one on standard output ends it). */
// SPDX-License-Identifier: MIT
#ifndef TESTS_DIFF_CPU_NATIVE_H
#define TESTS_DIFF_CPU_NATIVE_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

/** Fixed addresses, the same for host and guest. Pages of data: three that may be written, one that is not
 * there, one that may be read; all around is nothing. The code page may be read and executed. */
enum {
	NATIVE_PAGE = 4096,
	NATIVE_CODE = 0x100000,
	NATIVE_DATA = 0x200000,
	NATIVE_WRITABLE = 3 * NATIVE_PAGE,
	NATIVE_HOLE = NATIVE_DATA + NATIVE_WRITABLE,
	NATIVE_READONLY = NATIVE_HOLE + NATIVE_PAGE,
	NATIVE_DATA_BYTES = 5 * NATIVE_PAGE, /* hole included */
	NATIVE_FS_BASE = NATIVE_DATA + 0x840,
	NATIVE_GS_BASE = NATIVE_DATA + 0x1880,
	NATIVE_BATCH = 512,
	NATIVE_CHANGED = 1024,
	NATIVE_STEPS = 256 /* of one REP instruction */
};

/** Selectors of Linux on x86-64, and those of the local descriptor table below. */
enum {
	NATIVE_CS32 = 0x23,
	NATIVE_FLAT = 0x2b,
	NATIVE_CS64 = 0x33,
	NATIVE_CS16 = 0x07,
	NATIVE_DATA16 = 0x0f,
	NATIVE_SMALL = 0x17,
	NATIVE_DOWN = 0x1f,
	NATIVE_CONSTANT = 0x27,
	NATIVE_CODE32 = 0x2f,
	NATIVE_ABSENT = 0x37
};

enum native_mode { NATIVE_64, NATIVE_32, NATIVE_16 };

/** Entries as modify_ldt(2) takes them; contents: 0 data, 1 expand-down, 2 code. */
struct native_descriptor {
	uint32_t base, limit;
	unsigned contents : 2, wide : 1, readonly : 1, absent : 1;
};
#define NATIVE_LDT_ENTRIES 7
#define NATIVE_LDT                                                                                \
	{                                                                                         \
		{ NATIVE_CODE, 0xffff, 2, 0, 0, 0 }, { NATIVE_DATA, 0xffff, 0, 0, 0, 0 },         \
			{ NATIVE_DATA, 0x0fff, 0, 0, 0, 0 }, { NATIVE_DATA, 0x0fff, 1, 0, 0, 0 }, \
			{ NATIVE_DATA, 0xffff, 0, 1, 1, 0 }, { NATIVE_CODE, 0x0fff, 2, 1, 0, 0 }, \
			{ NATIVE_DATA, 0xffff, 0, 1, 0, 1 },                                      \
	}

struct native_registers {
	uint64_t gpr[16]; /* in the order of encoding */
	uint64_t rip, rflags;
	uint16_t cs, ss, ds, es, fs, gs;
	alignas(16) uint8_t fx[512];
};

struct native_case {
	struct native_registers in, out;
	uint8_t code[16];
	uint32_t code_offset, code_length; /* length: as far as the page goes */
	bool repeats; /* a string instruction with REP: goes on while RIP stays */
	/* What ended it: 1 when it was done, else an exception. */
	uint32_t vector, error;
	uint64_t address; /* of a page fault */
	/* Data from `low` up to `high` differs from the pattern; its bytes as far as there is room. */
	uint32_t low, high;
	uint8_t changed[NATIVE_CHANGED];
};

struct native_batch {
	uint8_t code[NATIVE_PAGE];
	uint8_t data[NATIVE_DATA_BYTES];
	uint8_t pattern[NATIVE_DATA_BYTES];
	uint32_t count, current, mode;
	struct native_case cases[NATIVE_BATCH];
};

#endif
