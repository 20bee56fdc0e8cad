/* CPUID: what is implemented, what the plan makes of it, and the instruction's answers. References: SDM
 * vol. 2, CPUID; SDM vol. 3, 2.1.6 (IA32_MISC_ENABLE, limit CPUID maxval). */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel/cpuid_set.h"
#include "accel/soft/system/model.h"
#include "accel/soft/system/system.h"
#include "accel/soft/vm.h"
#include "core/cpu_topology.h"

#define EXTENDED            0x80000000u
#define HYPERVISOR          0x40000000u
#define HYPERVISOR_FEATURES 0x40000001u
#define GENUINE             0x756e6547u /* EBX of leaf 0 */

enum { LIMIT_CPUID = 1 << 22, LAST_LIMITED_LEAF = 2 };

/** The features implemented, by their names in core/cpu_features. */
static const char *const implemented[] = {
	"fpu",     "vme",     "de",      "pse",     "tsc",    "msr",      "pae",  "mce",
	"cx8",     "apic",    "sep",     "mtrr",    "pge",    "mca",      "cmov", "pat",
	"pse36",   "clflush", "mmx",     "fxsr",    "sse",    "sse2",     "cx16", "nx",
	"syscall", "lm",      "lahf_lm", "pdpe1gb", "rdtscp", "fsgsbase", NULL,
};

/* These may be added. They say how machines are made here, no instruction comes with them: the timer runs
 * whatever the CPU does, and the TSC is a function of virtual time. */
static const char *const optional[] = {
	"hypervisor", "tsc-deadline", "ht", "arat", "invtsc", NULL
};

/* These may be taken away: instructions, control bits and MSRs go with them, or it is a matter of CPUID
 * alone. All else is there whatever CPUID says, and software may find that out. */
static const char *const removable[] = {
	"vme", "de",      "pse",     "tsc",    "msr",      "pae",        "mce",
	"sep", "mtrr",    "pge",     "mca",    "pat",      "pse36",      "nx",
	"lm",  "syscall", "pdpe1gb", "rdtscp", "fsgsbase", "hypervisor", "tsc-deadline",
	"ht",  "arat",    "invtsc",  NULL,
};

/* The rest of the model: what chipsets/cpu/x86-64-v1.yaml says too, but for leaf 6. */
static const struct mw_cpuid_leaf other_leaves[] = {
	{ 0x0, 0, false, 7, GENUINE, 0x6c65746e, 0x49656e69 },
	{ 0x1, 0, false, 0x6fb, 64 / 8 << 8, 0, 0 },
	{ 0x2, 0, false, 0x0000ff01, 0, 0, 0 },
	{ 0x4, 0, true, 0x121, 0x01c0003f, 0x3f, 0 },
	{ 0x4, 1, true, 0x122, 0x01c0003f, 0x3f, 0 },
	{ 0x4, 2, true, 0x143, 0x03c0003f, 0x7ff, 0 },
	{ 0x4, 3, true, 0, 0, 0, 0 },
	{ 0x5, 0, false, 0, 0, 0, 0 },
	{ 0x6, 0, false, 1 << 2, 0, 0, 0 }, /* ARAT: without it Linux has no precise timers */
	{ 0x7, 0, true, 0, 0, 0, 0 },
	{ EXTENDED, 0, false, EXTENDED + 8, 0, 0, 0 },
	{ EXTENDED + 1, 0, false, 0, 0, 0, 0 },
	/* "Millwright software CPU" */
	{ EXTENDED + 2, 0, false, 0x6c6c694d, 0x67697277, 0x73207468, 0x7774666f },
	{ EXTENDED + 3, 0, false, 0x20657261, 0x00555043, 0, 0 },
	{ EXTENDED + 4, 0, false, 0, 0, 0, 0 },
	{ EXTENDED + 5, 0, false, 0, 0, 0, 0 },
	{ EXTENDED + 6, 0, false, 0, 0, 0x08008040, 0 },
	{ EXTENDED + 7, 0, false, 0, 0, 0, 0 },
	{ EXTENDED + 8, 0, false, SOFT_LINEAR_BITS << 8 | SOFT_PHYSICAL_BITS, 0, 0, 0 },
};
enum { OTHER_LEAVES = sizeof(other_leaves) / sizeof(other_leaves[0]) };

static const struct mw_cpu_feature features[SOFT_FEATURES] = {
	[SOFT_HAS_DEADLINE] = { "", 1, 0, MW_ECX, 24 },
	[SOFT_HAS_VME] = { "", 1, 0, MW_EDX, 1 },
	[SOFT_HAS_DE] = { "", 1, 0, MW_EDX, 2 },
	[SOFT_HAS_PSE] = { "", 1, 0, MW_EDX, 3 },
	[SOFT_HAS_TSC] = { "", 1, 0, MW_EDX, 4 },
	[SOFT_HAS_MSR] = { "", 1, 0, MW_EDX, 5 },
	[SOFT_HAS_PAE] = { "", 1, 0, MW_EDX, 6 },
	[SOFT_HAS_MCE] = { "", 1, 0, MW_EDX, 7 },
	[SOFT_HAS_APIC] = { "", 1, 0, MW_EDX, 9 },
	[SOFT_HAS_SEP] = { "", 1, 0, MW_EDX, 11 },
	[SOFT_HAS_MTRR] = { "", 1, 0, MW_EDX, 12 },
	[SOFT_HAS_PGE] = { "", 1, 0, MW_EDX, 13 },
	[SOFT_HAS_MCA] = { "", 1, 0, MW_EDX, 14 },
	[SOFT_HAS_PAT] = { "", 1, 0, MW_EDX, 16 },
	[SOFT_HAS_FXSR] = { "", 1, 0, MW_EDX, 24 },
	[SOFT_HAS_SSE] = { "", 1, 0, MW_EDX, 25 },
	[SOFT_HAS_FSGSBASE] = { "", 7, 0, MW_EBX, 0 },
	[SOFT_HAS_SYSCALL] = { "", EXTENDED + 1, 0, MW_EDX, 11 },
	[SOFT_HAS_NX] = { "", EXTENDED + 1, 0, MW_EDX, 20 },
	[SOFT_HAS_PDPE1GB] = { "", EXTENDED + 1, 0, MW_EDX, 26 },
	[SOFT_HAS_RDTSCP] = { "", EXTENDED + 1, 0, MW_EDX, 27 },
	[SOFT_HAS_LM] = { "", EXTENDED + 1, 0, MW_EDX, 29 },
	[SOFT_HAS_KVM_CLOCK] = { "", HYPERVISOR_FEATURES, 0, MW_EAX, 0 },
	[SOFT_HAS_KVM_CLOCK_2] = { "", HYPERVISOR_FEATURES, 0, MW_EAX, 3 },
};

/* Without CPUID, as in tests of single instructions, all is there. */
bool soft_has(const struct soft_cpu *cpu, enum soft_feature feature)
{
	const struct soft_vm *vm = cpu->vm;
	const struct mw_cpu_feature *row = &features[feature];
	const uint32_t *word;

	if (feature == SOFT_HAS_ALWAYS || !vm->cpuid)
		return true;
	word = mw_cpuid_word(vm->cpuid[cpu->index], vm->cpuid_count[cpu->index], row);
	return word && *word >> row->bit & 1;
}

static void switch_on(struct mw_cpuid_leaf *leaves, size_t count, const char *const *names)
{
	for (; *names; names++) {
		const struct mw_cpu_feature *feature = mw_cpu_feature_find(*names);
		uint32_t *word = mw_cpuid_word(leaves, count, feature);

		if (word)
			*word |= 1u << feature->bit;
	}
}

size_t soft_cpuid_supported(struct mw_cpuid_leaf *leaves, size_t capacity)
{
	size_t count = capacity < OTHER_LEAVES ? capacity : OTHER_LEAVES;

	memcpy(leaves, other_leaves, count * sizeof(*leaves));
	switch_on(leaves, count, implemented);
	return count;
}

static bool has_name(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

/* Bits of one feature word that have no name and would promise something. */
static void add_nameless(struct mw_name_list *list, const struct mw_cpu_feature *row, uint32_t bits)
{
	char name[40];

	snprintf(name, sizeof(name), "(leaf 0x%x: bits 0x%x)", row->leaf, bits);
	mw_name_list_add(list, name);
}

/* What the plan's leaves promise beyond `allowed`, a set with the same feature words. */
static void find_missing(struct mw_cpuid_leaf *leaves, size_t count, struct mw_cpuid_leaf *allowed,
			 size_t allowed_count, struct mw_name_list *missing)
{
	const struct mw_cpu_feature *row;
	uint32_t known = 0;

	for (row = mw_cpu_features; row->name; row++) {
		const uint32_t *word = mw_cpuid_word(leaves, count, row);
		const uint32_t *limit = mw_cpuid_word(allowed, allowed_count, row);
		uint32_t excess = word ? *word & ~(limit ? *limit : 0) : 0;
		bool last = row[1].leaf != row->leaf || row[1].subleaf != row->subleaf ||
			    row[1].where != row->where;

		known |= 1u << row->bit;
		if (excess >> row->bit & 1)
			mw_name_list_add(missing, row->name);
		if (!last)
			continue;
		if (excess & ~known)
			add_nameless(missing, row, excess & ~known);
		known = 0;
	}
}

/* Leaves that describe units which are not here, whatever their feature bits say. */
static void find_units(const struct mw_cpuid_leaf *leaves, size_t count,
		       struct mw_name_list *missing)
{
	for (size_t i = 0; i < count; i++) {
		if (leaves[i].leaf == 0xa && (leaves[i].eax & 0xff))
			mw_name_list_add(missing, "(leaf 0xa: performance monitoring)");
		if (leaves[i].leaf == EXTENDED + 8 &&
		    (leaves[i].eax & 0xffff) != (SOFT_LINEAR_BITS << 8 | SOFT_PHYSICAL_BITS))
			mw_name_list_add(missing, "(leaf 0x80000008: addresses other than 48 bits "
						  "linear, 40 bits physical)");
		if (leaves[i].leaf == 0 && leaves[i].ebx != GENUINE)
			mw_name_list_add(missing, "(leaf 0: a vendor other than GenuineIntel)");
	}
}

static bool refuse(const struct mw_plan_cpu *cpu, const struct mw_name_list *list, const char *why,
		   struct mw_diagnostics *diagnostics)
{
	if (list->used)
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "A501", cpu->span, "%s: %s", why,
				   list->text);
	return list->used;
}

/* Both lists are reported, so neither check may end the other. */
static bool check_features(const struct mw_plan_cpu *cpu, struct mw_cpuid_leaf *leaves,
			   size_t count, struct mw_diagnostics *diagnostics)
{
	struct mw_cpuid_leaf allowed[OTHER_LEAVES];
	size_t allowed_count = soft_cpuid_supported(allowed, OTHER_LEAVES);
	struct mw_name_list missing = { .used = 0 }, fixed = { .used = 0 };
	bool refused;

	switch_on(allowed, allowed_count, optional);
	find_missing(leaves, count, allowed, allowed_count, &missing);
	find_units(leaves, count, &missing);
	for (const char *const *name = cpu->features_remove; name && *name; name++)
		if (has_name(implemented, *name) && !has_name(removable, *name))
			mw_name_list_add(&fixed, *name);
	refused = refuse(cpu, &missing, "the software CPU does not have", diagnostics);
	return !refuse(cpu, &fixed, "the software CPU cannot be without", diagnostics) && !refused;
}

static bool check_msrs(const struct mw_plan_cpu *cpu, struct mw_diagnostics *diagnostics)
{
	bool fine = true;

	for (size_t i = 0; i < cpu->msr_count; i++) {
		if (soft_msr_preset(NULL, cpu->msrs[i].index, cpu->msrs[i].value))
			continue;
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "A501", cpu->span,
				   "the software CPU has no MSR 0x%x that starts as 0x%llx",
				   cpu->msrs[i].index, (unsigned long long)cpu->msrs[i].value);
		fine = false;
	}
	return fine;
}

static size_t source_leaves(const struct mw_plan_cpu *cpu, struct mw_cpuid_leaf *leaves)
{
	size_t count = cpu->leaf_count < SOFT_MAX_LEAVES ? cpu->leaf_count : SOFT_MAX_LEAVES;

	if (cpu->host_model)
		return soft_cpuid_supported(leaves, SOFT_MAX_LEAVES);
	memcpy(leaves, cpu->leaves, count * sizeof(*leaves));
	return count;
}

/* The machine decides some bits after all; what the profile takes away stays away. */
static void install(struct soft_vm *vm, unsigned index, const struct mw_cpuid_leaf *leaves,
		    size_t count, struct mw_diagnostics *diagnostics)
{
	const struct mw_plan_cpu *cpu = &vm->plan->cpu;
	struct mw_cpuid_leaf *own = mw_alloc(SOFT_MAX_LEAVES, sizeof(*own));

	memcpy(own, leaves, count * sizeof(*own));
	count = mw_cpuid_for_cpu(cpu, index, cpu->tsc_told ? vm->tsc_khz : 0,
				 MW_PARAVIRTUAL_FEATURES, own, count, SOFT_MAX_LEAVES);
	mw_cpuid_switch(own, count, cpu, cpu->features_remove, false, diagnostics);
	vm->cpuid[index] = own;
	vm->cpuid_count[index] = count;
}

bool soft_cpuid_prepare(struct soft_vm *vm, struct mw_diagnostics *diagnostics)
{
	const struct mw_plan_cpu *cpu = &vm->plan->cpu;
	struct mw_cpuid_leaf leaves[SOFT_MAX_LEAVES];
	size_t count = source_leaves(cpu, leaves);
	bool fine = mw_cpuid_switch(leaves, count, cpu, cpu->features_add, true, diagnostics) &&
		    mw_cpuid_switch(leaves, count, cpu, cpu->features_remove, false, diagnostics);

	fine = check_msrs(cpu, diagnostics) && fine;
	fine = check_features(cpu, leaves, count, diagnostics) && fine;
	if (!fine)
		return false;
	vm->cpuid = mw_alloc(cpu->count, sizeof(*vm->cpuid));
	vm->cpuid_count = mw_alloc(cpu->count, sizeof(*vm->cpuid_count));
	for (unsigned i = 0; i < cpu->count; i++)
		install(vm, i, leaves, count, diagnostics);
	return true;
}

void soft_cpuid_fini(struct soft_vm *vm)
{
	for (unsigned i = 0; vm->cpuid && i < vm->plan->cpu.count; i++)
		free(vm->cpuid[i]);
	free(vm->cpuid);
	free(vm->cpuid_count);
	vm->cpuid = NULL;
	vm->cpuid_count = NULL;
}

static const struct mw_cpuid_leaf *find(const struct soft_cpu *cpu, uint32_t leaf, uint32_t subleaf)
{
	const struct mw_cpuid_leaf *leaves = cpu->vm->cpuid[cpu->index];

	for (size_t i = 0; i < cpu->vm->cpuid_count[cpu->index]; i++)
		if (leaves[i].leaf == leaf &&
		    (!leaves[i].has_subleaf || leaves[i].subleaf == subleaf))
			return &leaves[i];
	return NULL;
}

static uint32_t limit_of(const struct soft_cpu *cpu, uint32_t first)
{
	const struct mw_cpuid_leaf *found = find(cpu, first, 0);

	return found ? found->eax : 0;
}

static uint32_t basic_limit(const struct soft_cpu *cpu)
{
	uint32_t limit = limit_of(cpu, 0);

	return (cpu->misc_enable & LIMIT_CPUID) && limit > LAST_LIMITED_LEAF ? LAST_LIMITED_LEAF
									     : limit;
}

/* Above the highest leaf of its range a leaf is answered as the highest basic one. */
static uint32_t effective_leaf(const struct soft_cpu *cpu, uint32_t leaf)
{
	uint32_t basic = basic_limit(cpu);
	uint32_t limit = leaf >= EXTENDED     ? limit_of(cpu, EXTENDED)
			 : leaf >= HYPERVISOR ? limit_of(cpu, HYPERVISOR)
					      : basic;

	return leaf > limit ? basic : leaf;
}

/* The topology leaves go on for ever: a level of type 0, with the level and the APIC id. */
static void topology_end(const struct soft_cpu *cpu, uint32_t leaf, uint32_t subleaf,
			 uint32_t values[4])
{
	const struct mw_cpuid_leaf *first = find(cpu, leaf, 0);

	if (!first || (leaf != 0xb && leaf != 0x1f))
		return;
	values[2] = subleaf & 0xff;
	values[3] = first->edx;
}

void soft_cpuid(const struct soft_cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t values[4])
{
	const struct mw_cpuid_leaf *found;

	leaf = effective_leaf(cpu, leaf);
	found = find(cpu, leaf, subleaf);
	memset(values, 0, 4 * sizeof(values[0]));
	if (!found) {
		topology_end(cpu, leaf, subleaf, values);
		return;
	}
	values[0] = found->eax;
	values[1] = found->ebx;
	values[2] = found->ecx;
	values[3] = found->edx;
	if (leaf == 1 && !(cpu->apic_base & 1u << 11))
		values[3] &= ~(1u << 9);
	if (leaf == 0)
		values[0] = basic_limit(cpu);
}
