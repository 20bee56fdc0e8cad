/* What the guest was told of its CPU (CPUID, the rate of its TSC), and whether it is here too. */
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/cpu_features.h"
#include "core/snapshot/snapshot_internal.h"

enum { LEAF_BYTES = 25, LEAVES_MAX = 1024, LEAST_KHZ = 1000 /* a plan's */ };
#define PARAVIRTUAL 0x40000001u

struct mw_cpu_identity snapshot_identity(const struct mw_machine *machine)
{
	struct mw_cpu_identity identity = { 0 };

	if (machine->executor.ops && machine->executor.ops->identity)
		machine->executor.ops->identity(machine->executor.self, &identity);
	return identity;
}

void snapshot_save_identity(struct snapshot_writer *writer, const struct mw_machine *machine)
{
	struct mw_cpu_identity identity = snapshot_identity(machine);

	snapshot_section(writer, SECTION_CPUID, 0);
	snapshot_write_le(writer, 4, identity.leaf_count);
	for (size_t i = 0; i < identity.leaf_count; i++) {
		const struct mw_cpuid_leaf *leaf = &identity.leaves[i];

		snapshot_write_le(writer, 4, leaf->leaf);
		snapshot_write_le(writer, 4, leaf->subleaf);
		snapshot_write_le(writer, 1, leaf->has_subleaf);
		snapshot_write_le(writer, 4, leaf->eax);
		snapshot_write_le(writer, 4, leaf->ebx);
		snapshot_write_le(writer, 4, leaf->ecx);
		snapshot_write_le(writer, 4, leaf->edx);
	}
	snapshot_section_end(writer);
}

static uint32_t word(const struct mw_cpuid_leaf *leaf, enum mw_cpuid_register where)
{
	switch (where) {
	case MW_EAX: return leaf->eax;
	case MW_EBX: return leaf->ebx;
	case MW_ECX: return leaf->ecx;
	default: return leaf->edx;
	}
}

static bool has_feature(const struct mw_cpuid_leaf *leaves, size_t count,
			const struct mw_cpu_feature *feature)
{
	for (size_t i = 0; i < count; i++)
		if (leaves[i].leaf == feature->leaf &&
		    (!leaves[i].has_subleaf || leaves[i].subleaf == feature->subleaf))
			return word(&leaves[i], feature->where) >> feature->bit & 1;
	return false;
}

/** Names for one message; those that do not fit are left out. */
struct names {
	char text[300];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void add_name(struct names *names, const char *format,
							   ...)
{
	char name[40];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(name, sizeof(name), format, arguments);
	va_end(arguments);
	if (length > 0 && names->used + (size_t)length + 2 <= sizeof(names->text))
		names->used += (size_t)snprintf(names->text + names->used,
						sizeof(names->text) - names->used, " %s", name);
}

static const struct mw_cpuid_leaf *leaf_of(const struct mw_cpuid_leaf *leaves, size_t count,
					   uint32_t leaf)
{
	for (size_t i = 0; i < count; i++)
		if (leaves[i].leaf == leaf)
			return &leaves[i];
	return NULL;
}

/* Leaf 0 has the name in EBX, EDX, ECX (SDM vol. 2, CPUID). */
static bool check_vendor(const struct mw_snapshot *snapshot, const struct mw_cpuid_leaf *saved,
			 const struct mw_cpuid_leaf *here)
{
	char there[12];

	if (!saved || !here ||
	    (saved->ebx == here->ebx && saved->ecx == here->ecx && saved->edx == here->edx))
		return true;
	mw_put_le((uint8_t *)there, 4, saved->ebx);
	mw_put_le((uint8_t *)there + 4, 4, saved->edx);
	mw_put_le((uint8_t *)there + 8, 4, saved->ecx);
	for (size_t i = 0; i < sizeof(there); i++)
		if (there[i] < ' ' || there[i] > '~')
			there[i] = '?';
	return snapshot_refuse(snapshot, "its guest runs on a CPU of %.12s's, which is not here",
			       there);
}

/* Those of the hypervisor have numbers (Linux, Documentation/virt/kvm/x86/cpuid.rst). */
static void find_paravirtual(const struct mw_cpuid_leaf *saved, const struct mw_cpuid_leaf *here,
			     struct names *missing)
{
	uint32_t bits = saved ? saved->eax & ~(here ? here->eax : 0) : 0;

	for (unsigned bit = 0; bit < 32; bit++)
		if (bits >> bit & 1)
			add_name(missing, "kvm:%u", bit);
}

/* What the guest found, it uses. */
static bool check_features(const struct mw_snapshot *snapshot, const struct mw_machine *machine,
			   const struct mw_cpuid_leaf *leaves, size_t count)
{
	struct mw_cpu_identity here = snapshot_identity(machine);
	struct names missing = { .used = 0 };

	if (!here.leaf_count)
		return true;
	for (const struct mw_cpu_feature *f = mw_cpu_features; f->name; f++)
		if (has_feature(leaves, count, f) && !has_feature(here.leaves, here.leaf_count, f))
			add_name(&missing, "%s", f->name);
	find_paravirtual(leaf_of(leaves, count, PARAVIRTUAL),
			 leaf_of(here.leaves, here.leaf_count, PARAVIRTUAL), &missing);
	if (missing.used)
		snapshot_refuse(snapshot, "its guest was told of CPU features that are not here:%s",
				missing.text);
	return check_vendor(snapshot, leaf_of(leaves, count, 0),
			    leaf_of(here.leaves, here.leaf_count, 0)) &&
	       !missing.used;
}

/* What the guest was told; must be freed. NULL: it has been said why. */
static struct mw_cpuid_leaf *read_leaves(struct mw_snapshot *snapshot, size_t *count)
{
	const struct snapshot_section *section = snapshot_find(snapshot, SECTION_CPUID, 0);
	struct snapshot_reader reader;
	struct mw_cpuid_leaf *leaves;

	if (!section) {
		snapshot_refuse(snapshot, "is damaged: a part is missing");
		return NULL;
	}
	reader = snapshot_read(section);
	*count = snapshot_le(&reader, 4);
	if (*count > LEAVES_MAX || reader.left != *count * LEAF_BYTES) {
		snapshot_refuse(snapshot, "is damaged: its CPUID");
		return NULL;
	}
	leaves = mw_alloc(*count + 1, sizeof(*leaves));
	for (size_t i = 0; i < *count; i++) {
		leaves[i].leaf = (uint32_t)snapshot_le(&reader, 4);
		leaves[i].subleaf = (uint32_t)snapshot_le(&reader, 4);
		leaves[i].has_subleaf = snapshot_le(&reader, 1);
		leaves[i].eax = (uint32_t)snapshot_le(&reader, 4);
		leaves[i].ebx = (uint32_t)snapshot_le(&reader, 4);
		leaves[i].ecx = (uint32_t)snapshot_le(&reader, 4);
		leaves[i].edx = (uint32_t)snapshot_le(&reader, 4);
	}
	return leaves;
}

bool snapshot_load_identity(struct mw_snapshot *snapshot, const struct mw_machine *machine)
{
	size_t count;
	struct mw_cpuid_leaf *leaves = read_leaves(snapshot, &count);
	bool good = leaves && check_features(snapshot, machine, leaves, count);

	free(leaves);
	return good;
}

static bool is_named(const char *const *names, const char *name)
{
	for (; names && *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

/* A feature is added or removed, not both. */
static const char *const *without(struct mw_plan *plan, const char *const *names,
				  const char *const *others)
{
	const char **kept;
	size_t count = 0, used = 0;

	while (names && names[count])
		count++;
	kept = mw_arena_alloc(&plan->arena, count + 1, sizeof(*kept));
	for (size_t i = 0; i < count; i++)
		if (!is_named(others, names[i]))
			kept[used++] = names[i];
	return kept;
}

/* Where no accelerator has told, all that the plan has holds. */
static void remove_untold(struct mw_plan *plan, const struct mw_cpuid_leaf *leaves, size_t count)
{
	struct mw_plan_cpu *cpu = &plan->cpu;
	const char **names;
	size_t all = 0, used = 0;

	while (mw_cpu_features[all].name)
		all++;
	names = mw_arena_alloc(&plan->arena, 2 * all + 1, sizeof(*names));
	for (; cpu->features_remove && cpu->features_remove[used] && used < all; used++)
		names[used] = cpu->features_remove[used];
	for (const struct mw_cpu_feature *f = mw_cpu_features; f->name; f++)
		if (has_feature(cpu->leaves, cpu->leaf_count, f) &&
		    !has_feature(leaves, count, f) && !is_named(cpu->features_remove, f->name))
			names[used++] = f->name;
	cpu->features_remove = names;
	cpu->features_add = without(plan, cpu->features_add, cpu->features_remove);
}

bool mw_snapshot_fit_plan(struct mw_snapshot *snapshot, struct mw_plan *plan,
			  struct mw_diagnostics *diagnostics)
{
	struct mw_cpuid_leaf *leaves;
	size_t count;
	bool good;

	snapshot->diagnostics = diagnostics;
	leaves = read_leaves(snapshot, &count);
	good = leaves != NULL;
	if (good && count)
		remove_untold(plan, leaves, count);
	free(leaves);
	good = good && snapshot_fit_media(snapshot, plan);
	if (plan->cpu.tsc_khz || !snapshot->tsc_khz)
		return good;
	plan->cpu.tsc_khz = snapshot->tsc_khz;
	return good &&
	       (snapshot->tsc_khz >= LEAST_KHZ ||
		snapshot_refuse(snapshot, "is damaged: no TSC runs at %u kHz", snapshot->tsc_khz));
}
