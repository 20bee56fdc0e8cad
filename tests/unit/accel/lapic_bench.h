/** Four local APICs on a bus, and what their callbacks saw. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_ACCEL_LAPIC_BENCH_H
#define TESTS_UNIT_ACCEL_LAPIC_BENCH_H

#include <stdint.h>

#include "accel/apic/lapic.h"

enum { CPUS = 4 };
enum {
	ID = 0x20,
	VERSION = 0x30,
	TPR = 0x80,
	APR = 0x90,
	PPR = 0xa0,
	EOI = 0xb0,
	REMOTE_READ = 0xc0,
	LDR = 0xd0,
	DFR = 0xe0,
	SVR = 0xf0,
	ISR = 0x100,
	TMR = 0x180,
	IRR = 0x200,
	ESR = 0x280,
	CMCI = 0x2f0,
	ICR_LOW = 0x300,
	ICR_HIGH = 0x310,
	LVT_TIMER = 0x320,
	LVT_THERMAL = 0x330,
	LVT_PERFORMANCE = 0x340,
	LVT_LINT0 = 0x350,
	LVT_LINT1 = 0x360,
	LVT_ERROR = 0x370,
	INITIAL = 0x380,
	CURRENT = 0x390,
	DIVIDE = 0x3e0
};
enum { MASKED = 0x10000 };
enum { FIXED = 0, LOWEST = 0x100, SMI = 0x200, NMI = 0x400, INIT = 0x500, SIPI = 0x600 };
enum { EXT_INT = 0x700, LOGICAL = 0x800, ASSERT = 0x4000, LEVEL = 0x8000 };
enum { TO_SELF = 0x40000, TO_ALL = 0x80000, TO_OTHERS = 0xc0000 };
#define MSI_LOGICAL  0x4u
#define MSI_REDIRECT 0x8u
#define NEVER        MW_LAPIC_NEVER

/** How often each callback came for a CPU. */
struct seen {
	unsigned init, start_up, nmi, smi, ext_int, ended, changed;
	uint8_t start_up_vector, ended_vector;
};

extern struct mw_lapic_bus bus;
extern struct mw_lapic cpu[CPUS];
extern struct seen seen[CPUS];
extern const struct mw_lapic_ops lapic_ops;
/** An I/O APIC whose line is still asserted sends this again at the end; 0: there is none. */
extern uint32_t sent_again;

/** APIC ids 0 to 3, all software-enabled with the spurious vector 0xff. */
uint32_t get(unsigned i, uint32_t offset);
void put(unsigned i, uint32_t offset, uint32_t value);
int power_up(void **state);
int power_down(void **state);
void ipi(unsigned from, uint32_t to, uint32_t command);
void msi(uint32_t to, uint32_t address_bits, uint32_t data);
void expect_pending(int a, int b, int c, int d);
/** Takes whatever is there and ends it. */
void drain(void);
/** Writes the error status register and reads it. */
uint32_t errors(unsigned i);

#endif
