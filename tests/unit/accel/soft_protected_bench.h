/** Guest code in a small machine with a GDT, an IDT and a TSS: `cpu` is what runs next, and what came of it. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_ACCEL_SOFT_PROTECTED_BENCH_H
#define TESTS_UNIT_ACCEL_SOFT_PROTECTED_BENCH_H

#include <stdint.h>

#include "tests/support/soft_rig.h"

/* Where things lie in RAM. */
enum {
	GDT = 0x1000,
	IDT = 0x2000,
	TSS = 0x3000,
	TSS_2 = 0x3400,
	STACK = 0x8000,
	USER_STACK = 0x9000,
	INNER_STACK = 0xa000,
	IST_STACK = 0xb008, /* not a multiple of 16 */
	CODE = 0x10000,
	USER_CODE = 0x11000,
	HANDLER = 0x12000,
	TABLES = 0x20000 /* page tables of long mode */
};
/* Selectors. */
enum {
	CODE_0 = 0x08,
	DATA_0 = 0x10,
	CODE_3 = 0x18 | 3,
	DATA_3 = 0x20 | 3,
	THE_TSS = 0x28, /* two slots in long mode */
	GATE = 0x38,    /* two slots in long mode */
	OTHER_TSS = 0x48,
	ABSENT = 0x50,
	LOW_STACK = 0x58, /* expands down */
	SMALL = 0x60
};
enum { HLT = 0xf4, IRET = 0xcf };

extern struct soft_rig rig;
extern struct mw_cpu_state cpu;

void put(uint32_t address, uint64_t value, unsigned size);
uint64_t get(uint64_t address, unsigned size);
void descriptor(unsigned selector, uint32_t base, uint32_t limit, unsigned attributes);
/** An IDT gate of 32 bits, or a call gate in the GDT. */
void gate(uint32_t at, unsigned selector, uint32_t offset, unsigned attributes,
	  unsigned parameters);
void idt_gate(unsigned vector, uint32_t offset, unsigned attributes);
/** 32-bit protected mode without paging, at CPL 0, interrupts on. Handlers of all exceptions are at
 * HANDLER + 16 * vector, and halt. */
void protected_mode(void);
void at_user_level(void);
void run(unsigned instructions);
/** Runs, and expects the handler of `vector` to have halted. */
void run_into(unsigned vector);
void assert_words(uint64_t at, unsigned size, unsigned count, const uint64_t *words);
void done(void);

#define CODE_AT(address, ...)                                            \
	do {                                                             \
		static const uint8_t bytes_[] = { __VA_ARGS__ };         \
		soft_rig_write(&rig, (address), bytes_, sizeof(bytes_)); \
	} while (0)

#define ASSERT_STACK(at, size, ...)                                                            \
	assert_words((at), (size),                                                             \
		     (unsigned)(sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t)), \
		     (const uint64_t[]){ __VA_ARGS__ })

#endif
