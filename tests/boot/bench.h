/** A machine for one ROM: RAM, the ROM, and a device that notes every access. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_BOOT_BENCH_H
#define TESTS_BOOT_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accel/accel.h"
#include "core/machine.h"
#include "core/plan.h"

/* Of the compiler's command line: who runs the interrupt chips. */
#ifndef BENCH_IRQCHIP
#define BENCH_IRQCHIP MW_IRQCHIP_AUTO
#endif

enum { BENCH_ACCESSES = 64, BENCH_RAM_BYTES = 1 << 20 };

struct bench_access {
	bool mmio, write;
	uint64_t offset, value;
	unsigned size;
};

/** The device's struct. Ports answer `answer`, or 0xa0a1a2.. where it is 0; read it while the machine
 * is stopped. */
struct bench_device {
	struct mw_power *power;
	struct mw_line *irq; /* level-triggered, ioapic input 5; port 0x510 drives it */
	/* Port 0x511 asserts INTR with a vector, port 0x512 does so a little later; the acknowledge ends
	 * it. */
	struct mw_intr *intr;
	struct mw_timer *later;
	uint8_t vector;
	bool asserted;
	size_t acknowledged, spurious; /* the latter: nothing was asserted */
	uint64_t answer;
	size_t count; /* may exceed what is kept */
	struct bench_access accesses[BENCH_ACCESSES];
};

struct bench {
	struct mw_plan plan;
	struct mw_machine *machine;
	struct mw_accel *accel;
	struct mw_diagnostics diagnostics;
	struct bench_device *device;
	uint8_t *ram;
};

/** Builds a machine around build/tests/roms/NAME.rom with so many CPUs, and resets it;
 * fails the test where that does not work. */
void bench_create(struct bench *bench, const char *rom, unsigned cpus);
/** The same with the pair of 8259, as `irqchip: kernel` wants them. */
void bench_create_kernel_chips(struct bench *bench, const char *rom, unsigned cpus);
void bench_destroy(struct bench *bench);
/** Runs to the end; the exit code. Fails the test with the diagnostics when it does not end well. */
int bench_run(struct bench *bench);
/** Waits until a word of guest RAM has reached a value; the machine runs. */
void bench_wait(struct bench *bench, uint32_t address, uint32_t least);
uint32_t bench_word(const struct bench *bench, uint32_t address);

/** Busily lets some time pass, other at each `turn`: from "before the thread woke up" to "long in
 * guest mode", in uneven steps. */
void bench_linger(unsigned turn);

/** The accelerator that benches use: BENCH_ACCEL of the compiler's command line, or kvm. */
const struct mw_accel_ops *bench_accel(void);
/** Why no test here can run, or NULL. */
const char *bench_obstacle(void);

#endif
