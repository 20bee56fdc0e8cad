/** Guest code under paging: page tables made entry by entry on top of the protected-mode bench, and what became
 * of an instruction. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_ACCEL_SOFT_PAGING_BENCH_H
#define TESTS_UNIT_ACCEL_SOFT_PAGING_BENCH_H

#include "soft_protected_bench.h"

enum paging { PAGING_32, PAGING_PAE, PAGING_LONG };
enum {
	ROOT = 0x100000,  /* CR3; tables are added behind it */
	FRAME = 0x200000, /* a page to be mapped */
	FRAME_2 = 0x201000,
	LINEAR = 0x00c00000, /* an address that nothing is mapped at */
	PAGE = 0x1000,
	NO_VECTOR = -1
};
/* Bits of an entry: present, writable, for users. */
enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, LARGE = 0x80 };
#define NX (UINT64_C(1) << 63)

/** Protected or 64-bit mode with paging and CR0.WP; the first 4 MiB are mapped to themselves for everybody in
 * pages of 4 KiB. */
void paged(enum paging mode);
/** User level of the same. */
void at_paged_user_level(void);
/** Where the entry for an address lies; level 1 is the page table. Tables above it are made where missing. */
uint32_t entry_at(uint64_t linear, unsigned level);
void set_entry(uint64_t linear, unsigned level, uint64_t entry);
uint64_t get_entry(uint64_t linear, unsigned level);

/** Goes on for so many instructions with registers and translations as they are. */
void go_on(unsigned instructions);
/** The vector of the handler that RIP is at, or NO_VECTOR; and the word on top of the stack. */
int vector(void);
uint64_t top(void);

/** Registers for CODE or, at user level, USER_CODE. */
void prepare(bool user);
/** Runs the one instruction there, and tells what it ran into. */
int attempt(bool user);

/** One access of 4 bytes, or of an instruction: the error code of the page fault that it ran into, NONE, or
 * OTHER for another exception. Code for it is put at CODE or USER_CODE. */
enum access { READ, WRITE, FETCH };
enum { NONE = -1, OTHER = -2 };
int access_at(uint64_t linear, enum access access, bool user);
/** Accessed and dirty in the entries of an address: `bits` at level `leaf`, accessed alone above up to `from`. */
void expect_bits(uint64_t linear, unsigned from, unsigned leaf, uint64_t bits);

/** Puts an instruction where prepare leads and attempts it. */
int attempt_bytes(bool user, const uint8_t *bytes, unsigned count);
#define ATTEMPT(user, ...)                                    \
	attempt_bytes(user, (const uint8_t[]){ __VA_ARGS__ }, \
		      sizeof((const uint8_t[]){ __VA_ARGS__ }))

/** WRMSR at level 0: what it ran into; RDMSR. */
int write_msr(uint32_t index, uint64_t value);
uint64_t read_msr(uint32_t index);
/** The write is #GP(0); the value is there when read again. */
void refuses(uint32_t index, uint64_t value);
void keeps(uint32_t index, uint64_t value);

#endif
