/* What the CPUs have counted, as lines of the log. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>

#include "accel/soft/trace.h"
#include "core/executor.h"

/* Order of the line. "exits" reach a device model or the local APIC. */
static const struct counter {
	const char *name;
	size_t offset;
} table[] = {
	{ "instructions", offsetof(struct soft_counters, instructions) },
	{ ", exits port", offsetof(struct soft_counters, exits_port) },
	{ " memory", offsetof(struct soft_counters, exits_memory) },
	{ ", interrupts", offsetof(struct soft_counters, interrupts) },
	{ ", exceptions", offsetof(struct soft_counters, exceptions) },
	{ ", halts", offsetof(struct soft_counters, halts) },
	{ ", TLB misses", offsetof(struct soft_counters, tlb_misses) },
	{ ", flushes", offsetof(struct soft_counters, flushes) },
	{ ", blocks decoded", offsetof(struct soft_counters, blocks_decoded) },
	{ " invalidated", offsetof(struct soft_counters, blocks_invalidated) },
	{ " looked up", offsetof(struct soft_counters, jump_misses) },
	{ ", slow accesses", offsetof(struct soft_counters, slow_accesses) },
	{ ", undefined opcodes", offsetof(struct soft_counters, undefined) },
};
enum { COUNTERS = sizeof(table) / sizeof(table[0]) };

static uint64_t value_of(const struct soft_cpu *cpu, const struct counter *counter)
{
	return *(const uint64_t *)((const char *)&cpu->counters + counter->offset);
}

/* The sum of the CPUs from `first` to before `end`. */
static void log_sum(const struct soft_vm *vm, const char *who, unsigned first, unsigned end)
{
	char line[480];
	size_t used = 0;

	for (unsigned c = 0; c < COUNTERS && used < sizeof(line); c++) {
		uint64_t sum = 0;

		for (unsigned i = first; i < end; i++)
			sum += value_of(vm->cpus[i], &table[c]);
		used += (size_t)snprintf(line + used, sizeof(line) - used, "%s %" PRIu64,
					 table[c].name, sum);
	}
	mw_log_line(vm->machine, "soft: %s%s", who, line);
}

void soft_counters_log(const struct soft_vm *vm)
{
	char who[24];

	log_sum(vm, "", 0, vm->cpu_count);
	for (unsigned i = 0; vm->cpu_count > 1 && i < vm->cpu_count; i++) {
		snprintf(who, sizeof(who), "CPU %u: ", i);
		log_sum(vm, who, i, i + 1);
	}
}
