/* Snapshots with true checksums and false contents: each input edits the parts of a good one. What loads must
 * run, and be saved again. */
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/snapshot/snapshot_internal.h"
#include "devices/registry.h"
#include "resolver/plan_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/** Made once: a plan, and a snapshot of its machine. */
static struct mw_plan *plan;
static struct mw_snapshot *good;
static FILE *sink;

enum { EDIT_HEAD = 4, LONGEST_EDIT = 16 };

static void read_plan(void)
{
	static struct mw_registry registry;
	static struct mw_diagnostics diagnostics;
	FILE *file = fopen("tests/fuzz/snapshot.plan", "re");
	char *text = NULL;
	size_t size = 0;
	ssize_t length = file ? getdelim(&text, &size, '\0', file) : -1;

	if (length < 0 || !mw_builtin_devices(&registry, &diagnostics) ||
	    !mw_plan_read(&plan, text, (size_t)length, "snapshot.plan", &registry, &diagnostics)) {
		mw_diagnostics_print(&diagnostics, stderr, MW_DIAG_FULL, false);
		abort();
	}
	plan->accel.manual_clock = true;
	fclose(file);
	free(text);
}

static struct mw_machine *build(void)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_machine *machine;

	if (!mw_machine_build(&machine, plan, &diagnostics))
		abort();
	mw_machine_set_log(machine, sink);
	if (!mw_machine_reset(machine, &diagnostics))
		abort();
	mw_diagnostics_fini(&diagnostics);
	return machine;
}

/* The file of a descriptor in memory has a name to open it by. */
static void name_of(int fd, char name[64])
{
	snprintf(name, 64, "/proc/%ld/fd/%d", (long)getpid(), fd);
}

/* Values are at the end of their part, behind a layout that must be right. */
static size_t place_of(const uint8_t *bytes, size_t length)
{
	size_t place = (size_t)mw_get_le(bytes, 2);

	if (place & 0x8000 && (place & 0x1ff) <= length)
		return length - (place & 0x1ff);
	return place % (length + 1);
}

/* Writes every part of `from` anew, with the bytes the input gives for it. */
static void write_edited(int fd, const uint8_t *bytes, size_t count)
{
	struct snapshot_writer writer = { .fd = fd };

	snapshot_begin(&writer);
	for (size_t i = 0; i + 1 < good->count; i++) {
		struct snapshot_section *section = &good->sections[i];
		size_t length = section->length;
		uint8_t *payload = malloc(length + LONGEST_EDIT);

		if (!snapshot_pread(good, section, 0, payload, length))
			abort();
		for (size_t at = 0; at + EDIT_HEAD <= count;) {
			size_t run = bytes[at + 3] % LONGEST_EDIT;
			size_t place = place_of(bytes + at + 1, section->length);

			if (run > count - at - EDIT_HEAD)
				run = count - at - EDIT_HEAD;
			if (bytes[at] % good->count == i && section->kind != SECTION_PLAN) {
				memcpy(payload + place, bytes + at + EDIT_HEAD, run);
				length = place + run > length ? place + run : length;
			}
			at += EDIT_HEAD + run;
		}
		snapshot_section(&writer, section->kind, section->number);
		snapshot_write(&writer, payload, length);
		snapshot_section_end(&writer);
		free(payload);
	}
	snapshot_end(&writer);
}

/* Ports of all chips of the plan, and time for their timers. */
static void live(struct mw_machine *machine, struct mw_actor *cpu)
{
	static const uint16_t ports[] = { 0x20, 0x21, 0x40,  0x42,  0x43,  0x60,  0x64,
					  0x70, 0x71, 0x3f8, 0x3fa, 0x3fd, 0x600, 0x608 };
	uint64_t value;

	if (mw_machine_start(machine) != MW_STATUS_OK)
		abort();
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		mw_port_read(cpu, ports[i], 1, &value);
		mw_port_write(cpu, ports[i], 1, i);
		mw_clock_step(mw_machine_clock(machine),
			      mw_clock_now(mw_machine_clock(machine)) + 100000000);
		mw_machine_serve(machine, 0);
	}
	mw_machine_stop(machine);
}

static void load(const char *name, const char *again)
{
	struct mw_machine *machine = build();
	struct mw_actor *cpu = mw_machine_add_actor(machine, "cpu");
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_snapshot *snapshot;

	if (mw_snapshot_open(&snapshot, name, &diagnostics)) {
		if (mw_snapshot_load(snapshot, machine, &diagnostics)) {
			live(machine, cpu);
			if (!mw_snapshot_save(machine, again, &diagnostics))
				abort();
		}
		mw_snapshot_close(snapshot);
	}
	mw_machine_destroy(machine);
	mw_diagnostics_fini(&diagnostics);
}

static void set_up(void)
{
	static struct mw_diagnostics diagnostics;
	struct mw_machine *machine;
	char saved[64];

	sink = fopen("/dev/null", "we");
	read_plan();
	snprintf(saved, sizeof(saved), "/tmp/mw-fuzz-%ld", (long)getpid());
	machine = build();
	if (!mw_snapshot_save(machine, saved, &diagnostics) ||
	    !mw_snapshot_open(&good, saved, &diagnostics))
		abort();
	mw_machine_destroy(machine);
	unlink(saved);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	char name[64], again[64];
	int fd;

	if (!good)
		set_up();
	fd = memfd_create("snapshot", MFD_CLOEXEC);
	name_of(fd, name);
	snprintf(again, sizeof(again), "/tmp/mw-fuzz-%ld-again", (long)getpid());
	write_edited(fd, bytes, count);
	load(name, again);
	unlink(again);
	close(fd);
	return 0;
}
