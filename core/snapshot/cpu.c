/* CPUs' registers. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/snapshot/snapshot_internal.h"

enum { CPU_VERSION = 1 };

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
	snapshot_write_counted(writer, layout, length);
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
	snapshot_save_identity(writer, machine);
	for (unsigned i = 0; has_cpus(machine) && i < machine->plan->cpu.count; i++)
		if (!save_cpu(writer, machine, i, diagnostics))
			return false;
	return true;
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
	layout = snapshot_counted(&reader, &layout_length);
	bytes = snapshot_counted(&reader, &count);
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
	if (!snapshot_load_identity(snapshot, machine))
		return false;
	for (unsigned i = 0; has_cpus(machine) && i < machine->plan->cpu.count; i++)
		if (!load_cpu(snapshot, machine, i))
			return false;
	return true;
}
