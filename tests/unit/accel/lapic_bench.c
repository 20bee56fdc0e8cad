/* The bench of the local APICs' tests. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lapic_bench.h"

struct mw_lapic_bus bus;
struct mw_lapic cpu[CPUS];
struct seen seen[CPUS];
uint32_t sent_again;

static void on_init(void *context, unsigned i)
{
	assert_ptr_equal(context, seen);
	seen[i].init++;
	mw_lapic_init_signal(&cpu[i]);
}

static void on_start_up(void *context, unsigned i, uint8_t vector)
{
	seen[i].start_up++;
	seen[i].start_up_vector = vector;
}

static void on_nmi(void *context, unsigned i)
{
	seen[i].nmi++;
}

static void on_smi(void *context, unsigned i)
{
	seen[i].smi++;
}

static void on_ext_int(void *context, unsigned i)
{
	seen[i].ext_int++;
}

static void on_end(void *context, unsigned i, uint8_t vector)
{
	seen[i].ended++;
	seen[i].ended_vector = vector;
	if (sent_again)
		mw_lapic_message(&bus, 0xfee00000 | i << 12, sent_again);
}

static void on_changed(void *context, unsigned i)
{
	seen[i].changed++;
}

/* 2 GHz. */
static uint64_t tsc_to_ns(void *context, unsigned i, uint64_t tsc)
{
	return tsc / 2;
}

const struct mw_lapic_ops lapic_ops = {
	.init = on_init,
	.start_up = on_start_up,
	.nmi = on_nmi,
	.smi = on_smi,
	.ext_int = on_ext_int,
	.end_of_interrupt = on_end,
	.changed = on_changed,
	.tsc_to_ns = tsc_to_ns,
};

uint32_t get(unsigned i, uint32_t offset)
{
	return mw_lapic_read(&cpu[i], offset, 0);
}

void put(unsigned i, uint32_t offset, uint32_t value)
{
	mw_lapic_write(&cpu[i], offset, value, 0);
}

int power_up(void **state)
{
	memset(seen, 0, sizeof(seen));
	sent_again = 0;
	mw_lapic_bus_init(&bus, &lapic_ops, seen);
	for (unsigned i = 0; i < CPUS; i++) {
		mw_lapic_init(&cpu[i], &bus, i);
		put(i, SVR, 0x1ff);
	}
	return 0;
}

int power_down(void **state)
{
	mw_lapic_bus_fini(&bus);
	return 0;
}

void ipi(unsigned from, uint32_t to, uint32_t command)
{
	put(from, ICR_HIGH, to << 24);
	put(from, ICR_LOW, command);
}

void msi(uint32_t to, uint32_t address_bits, uint32_t data)
{
	mw_lapic_message(&bus, 0xfee00000 | to << 12 | address_bits, data);
}

void expect_pending(int a, int b, int c, int d)
{
	assert_int_equal(mw_lapic_pending(&cpu[0]), a);
	assert_int_equal(mw_lapic_pending(&cpu[1]), b);
	assert_int_equal(mw_lapic_pending(&cpu[2]), c);
	assert_int_equal(mw_lapic_pending(&cpu[3]), d);
}

void drain(void)
{
	for (unsigned i = 0; i < CPUS; i++)
		while (mw_lapic_pending(&cpu[i]) >= 0) {
			mw_lapic_acknowledge(&cpu[i]);
			put(i, EOI, 0);
		}
}

uint32_t errors(unsigned i)
{
	put(i, ESR, 0);
	return get(i, ESR);
}
