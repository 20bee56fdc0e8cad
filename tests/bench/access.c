/* What a guest access costs inside core: from the CPU's call to the device and back, in a machine alone and in one
 * that accel/none drives. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "accel/none/none.h"
#include "core/alloc.h"
#include "core/diagnostics.h"
#include "core/machine.h"

enum { ROUNDS = 40, ACCESSES = 250000, PORTS = 8, BANK = 0x1000 };
static const uint64_t banks_at = 0xc0000000;

/* As many registers as a 16550 has, the one that is read last in the table. */
struct chip {
	uint8_t a, b, c, d, e, f, g, h;
	uint32_t words[12];
};

static enum mw_io read_ports(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	*value = ((struct chip *)self)->h;
	return MW_IO_OK;
}

static const struct mw_register byte_registers[] = {
	{ "A", 0, MW_FIELD(struct chip, a), .writable = 0xff },
	{ "B", 1, MW_FIELD(struct chip, b), .writable = 0xff },
	{ "C", 2, MW_FIELD(struct chip, c), .writable = 0xff },
	{ "D", 3, MW_FIELD(struct chip, d), .writable = 0xff },
	{ "E", 4, MW_FIELD(struct chip, e), .writable = 0xff },
	{ "F", 5, MW_FIELD(struct chip, f), .writable = 0xff },
	{ "G", 6, MW_FIELD(struct chip, g), .writable = 0xff },
	{ "H", 7, MW_FIELD(struct chip, h), .writable = 0xff },
};
static const struct mw_register word_registers[] = {
	{ "W0", 0x00, 4, MW_FIELD(struct chip, words[0]), .writable = UINT32_MAX },
	{ "W1", 0x04, 4, MW_FIELD(struct chip, words[1]), .writable = UINT32_MAX },
	{ "W2", 0x08, 4, MW_FIELD(struct chip, words[2]), .writable = UINT32_MAX },
	{ "W3", 0x0c, 4, MW_FIELD(struct chip, words[3]), .writable = UINT32_MAX },
	{ "W4", 0x10, 4, MW_FIELD(struct chip, words[4]), .writable = UINT32_MAX },
	{ "W5", 0x14, 4, MW_FIELD(struct chip, words[5]), .writable = UINT32_MAX },
	{ "W6", 0x18, 4, MW_FIELD(struct chip, words[6]), .writable = UINT32_MAX },
	{ "W7", 0x1c, 4, MW_FIELD(struct chip, words[7]), .writable = UINT32_MAX },
};
static const struct mw_region regions[] = {
	{ "calls", MW_SPACE_PORT, PORTS, MW_ACCESS(1, 4), .read = read_ports },
	{ "table", MW_SPACE_PORT, PORTS, MW_ACCESS(1, 1), .registers = MW_TABLE(byte_registers) },
	{ "bank", MW_SPACE_MEMORY, BANK, MW_ACCESS(4, 4), .registers = MW_TABLE(word_registers) },
};
enum { REGIONS = 3 };
static const struct mw_device_type chip_type = {
	MW_DEVICE_TYPE,
	.name = "chip",
	.summary = "registers",
	.size = sizeof(struct chip),
	.regions = MW_TABLE(regions),
};

struct bench {
	struct mw_plan plan;
	struct mw_machine *machine;
	struct mw_accel *accel; /* NULL: none but the bench makes accesses */
	struct mw_actor *cpu;
	size_t count;
};

static void start(struct bench *bench, bool driven)
{
	struct mw_diagnostics diagnostics = { 0 };

	if (!mw_machine_build(&bench->machine, &bench->plan, &diagnostics) ||
	    (driven && !mw_accel_none.create(&bench->accel, bench->machine, &diagnostics)) ||
	    !mw_machine_reset(bench->machine, &diagnostics)) {
		mw_diagnostics_print(&diagnostics, stderr, MW_DIAG_CONCISE, false);
		exit(1);
	}
	bench->cpu = mw_machine_add_actor(bench->machine, "cpu");
	mw_diagnostics_fini(&diagnostics);
}

/* `count` chips side by side, each with 16 ports and a page of memory, apart from each other. */
static void build(struct bench *bench, size_t count, bool driven)
{
	struct mw_plan_node *nodes = mw_alloc(count, sizeof(*nodes));
	struct mw_plan_claim *claims = mw_alloc(count * REGIONS, sizeof(*claims));
	static const char *const no_names[] = { NULL };

	for (size_t i = 0; i < count; i++) {
		const uint64_t bases[REGIONS] = { 0x1000 + i * 32, 0x1010 + i * 32,
						  banks_at + i * 2 * BANK };

		nodes[i] = (struct mw_plan_node){ .id = "chip",
						  .type = &chip_type,
						  .bus = "sys",
						  .bus_node = UINT32_MAX,
						  .claims = &claims[i * REGIONS],
						  .claim_count = REGIONS };
		for (size_t r = 0; r < REGIONS; r++)
			claims[i * REGIONS + r] =
				(struct mw_plan_claim){ .kind = regions[r].space == MW_SPACE_PORT
									? MW_CLAIM_IO
									: MW_CLAIM_MMIO,
							.name = regions[r].name,
							.region = &regions[r],
							.base = bases[r],
							.length = regions[r].size };
	}
	*bench = (struct bench){ .count = count,
				 .plan = { .name = "bench",
					   .nodes = nodes,
					   .node_count = count,
					   .cpu = { .count = 1 },
					   .accel = { .prefer = no_names } } };
	start(bench, driven);
}

static void tear_down(struct bench *bench)
{
	if (bench->accel)
		mw_accel_none.destroy(bench->accel);
	mw_machine_destroy(bench->machine);
	free((void *)(uintptr_t)bench->plan.nodes[0].claims);
	free((void *)(uintptr_t)bench->plan.nodes);
}

/* The chip that access `i` goes to: always one in the middle, or every time another. */
static size_t chip_for(const struct bench *bench, size_t i, bool roving)
{
	return roving ? i * 7919 % bench->count : bench->count / 2;
}

static void read_calls(struct bench *bench, size_t chip, uint64_t *value)
{
	mw_port_read(bench->cpu, (uint16_t)(0x1007 + chip * 32), 1, value);
}

static void read_table(struct bench *bench, size_t chip, uint64_t *value)
{
	mw_port_read(bench->cpu, (uint16_t)(0x1017 + chip * 32), 1, value);
}

static void write_table(struct bench *bench, size_t chip, uint64_t *value)
{
	mw_port_write(bench->cpu, (uint16_t)(0x1017 + chip * 32), 1, 0);
}

static void miss_port(struct bench *bench, size_t chip, uint64_t *value)
{
	mw_port_read(bench->cpu, (uint16_t)(0x1008 + chip * 32), 1, value);
}

static void read_bank(struct bench *bench, size_t chip, uint64_t *value)
{
	mw_memory_read(bench->cpu, banks_at + chip * 2 * BANK + 0x1c, 4, value);
}

static void write_bank(struct bench *bench, size_t chip, uint64_t *value)
{
	mw_memory_write(bench->cpu, banks_at + chip * 2 * BANK + 0x1c, 4, 0);
}

static void miss_memory(struct bench *bench, size_t chip, uint64_t *value)
{
	mw_memory_read(bench->cpu, banks_at + (chip * 2 + 1) * BANK, 4, value);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The best of some rounds: what the code costs when nobody else is in the way. */
static double measure(struct bench *bench, bool roving,
		      void (*access)(struct bench *bench, size_t chip, uint64_t *value))
{
	uint64_t best = UINT64_MAX, value;

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t start = now_ns();

		for (size_t i = 0; i < ACCESSES; i++)
			access(bench, chip_for(bench, i, roving), &value);
		uint64_t took = now_ns() - start;

		if (took < best)
			best = took;
	}
	return (double)best / ACCESSES;
}

static const struct {
	const char *name;
	void (*access)(struct bench *bench, size_t chip, uint64_t *value);
} cases[] = {
	{ "port read, a function", read_calls },
	{ "port read, a register table", read_table },
	{ "port write, a register table", write_table },
	{ "port read, nobody there", miss_port },
	{ "memory read, a register table", read_bank },
	{ "memory write, a register table", write_bank },
	{ "memory read, nobody there", miss_memory },
};

static void compare(size_t count, bool driven)
{
	struct bench bench;

	build(&bench, count, driven);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		printf("%-32s %6zu %8s %8.1f %8.1f\n", cases[i].name, bench.count,
		       driven ? "none" : "-", measure(&bench, false, cases[i].access),
		       measure(&bench, true, cases[i].access));
	tear_down(&bench);
}

int main(void)
{
	static const size_t counts[] = { 10, 1000 };

	printf("%-32s %6s %8s %8s %8s\n", "ns per access", "chips", "accel", "same", "roving");
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		compare(counts[c], false);
		compare(counts[c], true);
	}
	return 0;
}
