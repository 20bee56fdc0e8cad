/* CPUs: what the guest was told they are, and their registers. */
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/cpu_features.h"
#include "core/snapshot/snapshot_internal.h"

enum { CPU_VERSION = 1, LEAF_BYTES = 25, LEAVES_MAX = 1024 };
#define PARAVIRTUAL 0x40000001u

static struct mw_row_set cpu_rows(unsigned version)
{
	return (struct mw_row_set){ mw_cpu_rows, mw_cpu_row_count, version };
}

static char *layout_of(unsigned version, size_t *length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	mw_rows_layout(cpu_rows(version), out);
	fclose(out);
	return text;
}

static struct mw_cpu_identity identity_of(const struct mw_machine *machine)
{
	struct mw_cpu_identity identity = { 0 };

	if (machine->executor.ops && machine->executor.ops->identity)
		machine->executor.ops->identity(machine->executor.self, &identity);
	return identity;
}

static void save_identity(struct snapshot_writer *writer, const struct mw_machine *machine)
{
	struct mw_cpu_identity identity = identity_of(machine);

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

static bool save_cpu(struct snapshot_writer *writer, struct mw_machine *machine, unsigned index,
		     struct mw_diagnostics *diagnostics)
{
	const struct mw_executor *executor = &machine->executor;
	struct mw_cpu_state state = { 0 };
	enum mw_status status = executor->ops->get_cpu(executor->self, index, &state);
	size_t length;
	char *layout;

	if (status != MW_STATUS_OK) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "C705", (struct mw_span){ 0 },
				   "the state of CPU %u cannot be saved: %s", index,
				   mw_status_text(status));
		return false;
	}
	layout = layout_of(CPU_VERSION, &length);
	snapshot_section(writer, SECTION_CPU, index);
	snapshot_write_le(writer, 4, CPU_VERSION);
	snapshot_write_le(writer, 4, length);
	snapshot_write(writer, layout, length);
	snapshot_put_rows(writer, cpu_rows(CPU_VERSION), &state);
	snapshot_section_end(writer);
	free(layout);
	return true;
}

static bool has_cpus(const struct mw_machine *machine)
{
	return machine->executor.ops && machine->executor.ops->get_cpu;
}

bool snapshot_save_cpus(struct snapshot_writer *writer, struct mw_machine *machine,
			struct mw_diagnostics *diagnostics)
{
	save_identity(writer, machine);
	for (unsigned i = 0; has_cpus(machine) && i < machine->plan->cpu.count; i++)
		if (!save_cpu(writer, machine, i, diagnostics))
			return false;
	return true;
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
	struct mw_cpu_identity here = identity_of(machine);
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

static bool load_identity(struct mw_snapshot *snapshot, const struct mw_machine *machine)
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
	if (!plan->cpu.tsc_khz)
		plan->cpu.tsc_khz = snapshot->tsc_khz;
	free(leaves);
	return good;
}

static bool read_cpu(struct mw_snapshot *snapshot, unsigned index, struct mw_cpu_state *state)
{
	const struct snapshot_section *section = snapshot_find(snapshot, SECTION_CPU, index);
	struct snapshot_reader reader;
	const uint8_t *layout, *bytes;
	size_t layout_length, count, ours_length;
	unsigned version;
	char what[40], *ours;
	bool same;

	if (!section)
		return snapshot_refuse(snapshot, "has no state of CPU %u", index);
	reader = snapshot_read(section);
	version = (unsigned)snapshot_le(&reader, 4);
	layout_length = snapshot_le(&reader, 4);
	layout = snapshot_bytes(&reader, layout_length);
	count = snapshot_le(&reader, 4);
	bytes = snapshot_bytes(&reader, count);
	if (reader.bad || reader.left || version < 1 || version > CPU_VERSION)
		return snapshot_refuse(snapshot, "the state of CPU %u is damaged or newer", index);
	snprintf(what, sizeof(what), "state of CPU %u", index);
	ours = layout_of(version, &ours_length);
	same = snapshot_check_layout(snapshot, what, (const char *)layout, layout_length, ours);
	free(ours);
	if (!same)
		return false;
	if (count != mw_rows_save(cpu_rows(version), state, NULL, 0))
		return snapshot_refuse(snapshot, "%s: another length than its rows", what);
	const struct mw_state *bad = mw_rows_check(cpu_rows(version), bytes);

	if (!bad)
		mw_rows_load(cpu_rows(version), state, bytes);
	if (bad || state->run > MW_CPU_UNINITIALISED)
		return snapshot_refuse(snapshot, "%s, row %s: a value out of range", what,
				       bad ? bad->name : "run");
	return true;
}

/* Rows that an accelerator may be unable to hold; what it shows afterwards tells. */
static bool took(const struct mw_snapshot *snapshot, const struct mw_machine *machine,
		 unsigned index, const struct mw_cpu_state *wanted)
{
	static const struct {
		const char *name;
		size_t offset;
	} rows[] = {
#define ROW(member) { #member, offsetof(struct mw_cpu_state, member) }
#define EXTRA_ROW(member)                                            \
	{                                                            \
#member, offsetof(struct mw_cpu_state, extra.member) \
	}
		ROW(efer),
		ROW(cr0),
		ROW(cr4),
		ROW(xcr0),
		EXTRA_ROW(kvm_async_pf),
		EXTRA_ROW(kvm_steal_time),
		EXTRA_ROW(kvm_pv_eoi),
		EXTRA_ROW(kvm_system_time)
	};
	const struct mw_executor *executor = &machine->executor;
	struct mw_cpu_state now = { 0 };

	if (executor->ops->get_cpu(executor->self, index, &now) != MW_STATUS_OK)
		return snapshot_refuse(snapshot, "CPU %u cannot be read back", index);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (memcmp((const char *)&now + rows[i].offset,
			   (const char *)wanted + rows[i].offset, sizeof(uint64_t)) != 0)
			return snapshot_refuse(snapshot,
					       "CPU %u, row %s: this accelerator cannot hold it",
					       index, rows[i].name);
	return true;
}

static bool load_cpu(struct mw_snapshot *snapshot, struct mw_machine *machine, unsigned index)
{
	const struct mw_executor *executor = &machine->executor;
	struct mw_cpu_state state;
	enum mw_status status;

	mw_cpu_state_reset(&state, index == 0);
	if (!read_cpu(snapshot, index, &state))
		return false;
	status = executor->ops->set_cpu(executor->self, index, &state);
	if (status != MW_STATUS_OK)
		return snapshot_refuse(snapshot, "the state of CPU %u is not taken: %s", index,
				       mw_status_text(status));
	return took(snapshot, machine, index, &state);
}

bool snapshot_load_cpus(struct mw_snapshot *snapshot, struct mw_machine *machine)
{
	if (!load_identity(snapshot, machine))
		return false;
	for (unsigned i = 0; has_cpus(machine) && i < machine->plan->cpu.count; i++)
		if (!load_cpu(snapshot, machine, i))
			return false;
	return true;
}
