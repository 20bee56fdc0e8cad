/* What belongs to no node: clock, levels of lines, bytes under way. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/snapshot/snapshot_internal.h"

enum { LINE_LIMIT = 1 << 24 };

static void count_line(void *context, struct mw_line *line)
{
	++*(uint32_t *)context;
}

static void save_line(void *context, struct mw_line *line)
{
	snapshot_write_le(context, 1, line->level);
}

static uint64_t guest_clock(const struct mw_machine *machine, bool *known)
{
	const struct mw_executor *executor = &machine->executor;
	uint64_t ns = 0;

	*known = executor->ops && executor->ops->get_clock &&
		 executor->ops->get_clock(executor->self, &ns) == MW_STATUS_OK;
	return ns;
}

static void save_link(struct snapshot_writer *writer, struct mw_link *link)
{
	bool starved[2];
	size_t counts[2];

	for (unsigned side = 0; side < 2; side++)
		counts[side] = mw_link_save(link, side, NULL, &starved[side]);
	if (!counts[0] && !counts[1] && !starved[0] && !starved[1])
		return;
	snapshot_section(writer, SECTION_LINK, link->index);
	for (unsigned side = 0; side < 2; side++) {
		uint8_t *bytes = mw_alloc(counts[side], 1);

		mw_link_save(link, side, bytes, &starved[side]);
		snapshot_write_le(writer, 1, starved[side]);
		snapshot_write_counted(writer, bytes, counts[side]);
		free(bytes);
	}
	snapshot_section_end(writer);
}

void snapshot_save_machine(struct snapshot_writer *writer, struct mw_machine *machine)
{
	const char *name = machine->executor.name ? machine->executor.name : "";
	char accel[sizeof(((struct mw_snapshot *)0)->accel)] = { 0 };
	uint32_t lines = 0;
	bool known;

	snprintf(accel, sizeof(accel), "%s", name);
	mw_lines_each(machine, count_line, &lines);
	snapshot_section(writer, SECTION_MACHINE, 0);
	snapshot_write(writer, accel, sizeof(accel));
	snapshot_write_le(writer, 4, snapshot_identity(machine).tsc_khz);
	snapshot_write_le(writer, 8, mw_clock_now(&machine->clock));
	uint64_t clock_ns = guest_clock(machine, &known);

	snapshot_write_le(writer, 1, known);
	snapshot_write_le(writer, 8, clock_ns);
	snapshot_write_le(writer, 4, machine->resets);
	snapshot_write_le(writer, 4, lines);
	mw_lines_each(machine, save_line, writer);
	snapshot_section_end(writer);
	for (size_t i = 0; i < machine->plan->link_count; i++)
		save_link(writer, &machine->links[i]);
}

/** Levels being given to lines, and counted by net. */
struct levels {
	const uint8_t *next;
	uint32_t *asserted;
};

static void load_line(void *context, struct mw_line *line)
{
	struct levels *levels = context;

	line->level = *levels->next++;
	if (line->net)
		levels->asserted[line->net->index] += line->level;
}

static bool load_lines(struct mw_snapshot *snapshot, struct mw_machine *machine,
		       struct snapshot_reader *reader)
{
	uint32_t saved = (uint32_t)snapshot_le(reader, 4), lines = 0;
	const uint8_t *bytes = snapshot_bytes(reader, saved);
	struct levels levels = { .next = bytes };

	mw_lines_each(machine, count_line, &lines);
	if (!bytes || lines != saved)
		return snapshot_refuse(snapshot, "has another number of lines than its machine");
	for (uint32_t i = 0; i < lines; i++)
		if (bytes[i] > 1)
			return snapshot_refuse(snapshot, "is damaged: a line has no level");
	levels.asserted = mw_alloc(machine->plan->net_count, sizeof(*levels.asserted));
	mw_lines_each(machine, load_line, &levels);
	for (size_t i = 0; i < machine->plan->net_count; i++)
		mw_net_restore(&machine->nets[i], levels.asserted[i]);
	free(levels.asserted);
	return true;
}

static bool load_side(struct mw_machine *machine, struct mw_link *link, unsigned side,
		      struct snapshot_reader *reader)
{
	bool starved = snapshot_le(reader, 1) & 1;
	size_t count;
	const uint8_t *bytes = snapshot_counted(reader, &count);

	if (!bytes || !mw_link_restore(link, side, bytes, count, starved))
		return false;
	if (count)
		mw_effect_stream(machine->main_actor, link, side, false);
	return true;
}

static bool load_links(struct mw_snapshot *snapshot, struct mw_machine *machine)
{
	for (uint32_t i = 0; i < machine->plan->link_count; i++) {
		const struct snapshot_section *section = snapshot_find(snapshot, SECTION_LINK, i);
		struct snapshot_reader reader;

		if (!section || machine->plan->links[i].wire[0]->kind != MW_STREAM)
			continue;
		reader = snapshot_read(section);
		for (unsigned side = 0; side < 2; side++)
			if (!load_side(machine, &machine->links[i], side, &reader))
				return snapshot_refuse(snapshot,
						       "is damaged: bytes under way do not fit");
	}
	return true;
}

static bool set_guest_clock(const struct mw_snapshot *snapshot, const struct mw_machine *machine,
			    uint64_t ns)
{
	const struct mw_executor *executor = &machine->executor;
	enum mw_status status = MW_STATUS_OK;

	if (executor->ops && executor->ops->set_clock)
		status = executor->ops->set_clock(executor->self, ns);
	return status == MW_STATUS_OK ||
	       snapshot_refuse(snapshot, "the guest's clock: %s", mw_status_text(status));
}

bool snapshot_load_machine(struct mw_snapshot *snapshot, struct mw_machine *machine)
{
	const struct snapshot_section *section = snapshot_find(snapshot, SECTION_MACHINE, 0);
	struct snapshot_reader reader = snapshot_read(section);

	snapshot_bytes(&reader, sizeof(snapshot->accel) + 4);
	uint64_t now_ns = snapshot_le(&reader, 8);
	bool known = snapshot_le(&reader, 1);
	uint64_t clock_ns = snapshot_le(&reader, 8);

	machine->resets = (unsigned)snapshot_le(&reader, 4);
	if (reader.bad || now_ns > INT64_MAX || clock_ns > INT64_MAX)
		return snapshot_refuse(snapshot, "is damaged: its time is none");
	mw_clock_set(&machine->clock, now_ns);
	return set_guest_clock(snapshot, machine, known ? clock_ns : now_ns) &&
	       load_lines(snapshot, machine, &reader) && load_links(snapshot, machine);
}
