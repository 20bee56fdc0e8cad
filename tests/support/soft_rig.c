/* A software CPU alone, built from a plan written by hand. */
// SPDX-License-Identifier: MIT
#include "tests/support/soft_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "accel/soft/run.h"
#include "accel/soft/soft.h"
#include "accel/soft/system/system.h"

enum { GUARD_BYTES = 1 << 20 };

/* What soft.md lists as the first model. */
static const struct mw_cpuid_leaf leaves[] = {
	{ 0, 0, false, 7, 0x756e6547, 0x6c65746e, 0x49656e69 },
	{ 1, 0, false, 0x000006f0, 0, 0x80002000, 0x078bfbff },
	{ 7, 0, true, 0, 1, 0, 0 },
	{ 0x80000000, 0, false, 0x80000008, 0, 0, 0 },
	{ 0x80000001, 0, false, 0, 0, 1, 0x2c100800 },
	{ 0x80000008, 0, false, 0x3028, 0, 0, 0 },
};

static const struct mw_plan_range ram_range = { 0, SOFT_RIG_RAM_BYTES };
static const char *const prefer[] = { "soft", NULL };

static void make_plan(struct mw_plan *plan, unsigned cpus)
{
	plan->name = "soft-rig";
	plan->summary = "a software CPU alone";
	plan->arch = "x86_64";
	plan->ram = &ram_range;
	plan->ram_count = 1;
	plan->ram_bytes = SOFT_RIG_RAM_BYTES;
	plan->cpu = (struct mw_plan_cpu){ .model = "x86-64-v1",
					  .count = cpus,
					  .sockets = cpus,
					  .cores = 1,
					  .threads = 1,
					  .leaves = leaves,
					  .leaf_count = sizeof(leaves) / sizeof(leaves[0]) };
	plan->accel.prefer = prefer;
	plan->power = (struct mw_plan_power){ MW_ACTION_EXIT, MW_ACTION_RESET, MW_ACTION_STOP,
					      MW_ACTION_STOP };
	plan->boot.cmdline = "";
}

static void give_up(struct soft_rig *rig, const char *what)
{
	mw_diagnostics_print(&rig->diagnostics, stderr, MW_DIAG_FULL, false);
	fprintf(stderr, "soft_rig: %s\n", what);
	abort();
}

/* The same memory once more, with nothing beside it; the CPU gets this view. */
static uint8_t *guarded_view(struct soft_rig *rig)
{
	uint8_t *plain = mw_machine_ram(rig->machine, 0, SOFT_RIG_RAM_BYTES);
	uint8_t *room = mmap(NULL, SOFT_RIG_RAM_BYTES + 2 * (size_t)GUARD_BYTES, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (!plain || room == MAP_FAILED)
		give_up(rig, "no memory");
	/* An old size of 0 makes a second mapping of shared memory: mremap(2). */
	void *view = mremap(plain, 0, SOFT_RIG_RAM_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED,
			    room + GUARD_BYTES);

	if (view == MAP_FAILED)
		give_up(rig, "no second view of the memory");
	for (size_t i = 0; i < rig->vm->slot_count; i++) {
		if (rig->vm->slots[i].host == plain)
			rig->vm->slots[i].host = view;
	}
	return view;
}

void soft_rig_create(struct soft_rig *rig)
{
	soft_rig_create_cpus(rig, 1);
}

void soft_rig_create_cpus(struct soft_rig *rig, unsigned cpus)
{
	memset(rig, 0, sizeof(*rig));
	make_plan(&rig->plan, cpus);
	if (!mw_machine_build(&rig->machine, &rig->plan, &rig->diagnostics))
		give_up(rig, "the machine is not built");
	rig->log = fopen("/dev/null", "w");
	mw_machine_set_log(rig->machine, rig->log);
	if (!mw_accel_soft.create(&rig->accel, rig->machine, &rig->diagnostics))
		give_up(rig, "no accelerator");
	if (!mw_machine_reset(rig->machine, &rig->diagnostics))
		give_up(rig, "the machine is not reset");
	/* What mw_accel_soft hands out is its VM. */
	rig->vm = (struct soft_vm *)(void *)rig->accel;
	rig->cpu = rig->vm->cpus[0];
	rig->ram = guarded_view(rig);
	mw_cpu_state_reset(&rig->reset_state, true);
}

void soft_rig_destroy(struct soft_rig *rig)
{
	mw_accel_soft.destroy(rig->accel);
	mw_machine_destroy(rig->machine);
	mw_diagnostics_fini(&rig->diagnostics);
	munmap(rig->ram - GUARD_BYTES, SOFT_RIG_RAM_BYTES + 2 * (size_t)GUARD_BYTES);
	if (rig->log)
		fclose(rig->log);
}

void soft_rig_set(struct soft_rig *rig, const struct mw_cpu_state *state)
{
	soft_cpu_set_state(rig->cpu, state);
}

void soft_rig_get(const struct soft_rig *rig, struct mw_cpu_state *state)
{
	soft_cpu_get_state(rig->cpu, state);
}

void soft_rig_step(struct soft_rig *rig, unsigned instructions)
{
	soft_run_cpu(rig->cpu, instructions);
}

void soft_rig_write(struct soft_rig *rig, uint64_t physical, const void *bytes, size_t count)
{
	memcpy(rig->ram + physical, bytes, count);
	while (count) {
		size_t piece = SOFT_PAGE_BYTES - physical % SOFT_PAGE_BYTES;

		piece = piece < count ? piece : count;
		soft_blocks_invalidate(rig->vm, physical, (unsigned)piece);
		physical += piece;
		count -= piece;
	}
}

struct mw_segment soft_rig_segment(uint16_t selector, uint64_t base, uint32_t limit,
				   unsigned attributes)
{
	return (struct mw_segment){ .selector = selector,
				    .attributes = (uint16_t)attributes,
				    .limit = limit,
				    .base = base };
}
