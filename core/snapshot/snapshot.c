/* A whole machine into a file, and back. */
// SPDX-License-Identifier: MIT
#include "core/snapshot/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/snapshot/snapshot_internal.h"

static bool fail(struct mw_diagnostics *diagnostics, const char *path, const char *why)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "C705", (struct mw_span){ 0 },
			   "cannot write the snapshot `%s`: %s", path, why);
	return false;
}

/* Nothing is under way but what the sections hold. */
static void settle(struct mw_machine *machine)
{
	for (size_t i = 0; i < machine->actor_count; i++) {
		mw_actor_begin(machine->actors[i]);
		mw_actor_end(machine->actors[i]);
	}
}

/* A request of the guest's that nobody has judged yet is in no section. */
static bool is_ending(struct mw_machine *machine)
{
	pthread_mutex_lock(&machine->power_mutex);
	bool pending = machine->power_pending;

	pthread_mutex_unlock(&machine->power_mutex);
	return pending;
}

static bool fetch_chips(struct mw_machine *machine, const char *path,
			struct mw_diagnostics *diagnostics)
{
	enum mw_status status = mw_machine_fetch_chips(machine);

	return status == MW_STATUS_OK || fail(diagnostics, path, mw_status_text(status));
}

static void save_plan(struct snapshot_writer *writer, const struct mw_machine *machine)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	mw_plan_write_yaml(machine->plan, MW_PLAN_WHOLE, out);
	fclose(out);
	snapshot_section(writer, SECTION_PLAN, 0);
	snapshot_write(writer, text, length);
	snapshot_section_end(writer);
	free(text);
}

static bool write_all(struct snapshot_writer *writer, struct mw_machine *machine, const char *path,
		      struct mw_diagnostics *diagnostics)
{
	bool good;

	snapshot_begin(writer);
	save_plan(writer, machine);
	snapshot_save_machine(writer, machine);
	snapshot_save_media(writer, machine);
	good = snapshot_save_cpus(writer, machine, diagnostics);
	snapshot_save_nodes(writer, machine);
	snapshot_save_memory(writer, machine);
	snapshot_end(writer);
	if (!writer->error && fsync(writer->fd) < 0)
		writer->error = errno;
	return writer->error ? fail(diagnostics, path, strerror(writer->error)) : good;
}

/* A rename over something that is no file would take it away from others. */
static bool may_replace(const char *path, struct mw_diagnostics *diagnostics)
{
	struct stat status;

	if (lstat(path, &status) < 0)
		return errno == ENOENT || fail(diagnostics, path, strerror(errno));
	return S_ISREG(status.st_mode) || fail(diagnostics, path, "is there and is no file");
}

static bool save(struct mw_machine *machine, const char *path, const char *beside,
		 struct mw_diagnostics *diagnostics)
{
	struct snapshot_writer writer = { 0 };
	bool good;

	unlink(beside);
	writer.fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (writer.fd < 0)
		return fail(diagnostics, beside, strerror(errno));
	good = write_all(&writer, machine, path, diagnostics);
	close(writer.fd);
	if (good && rename(beside, path) < 0)
		good = fail(diagnostics, path, strerror(errno));
	if (!good)
		unlink(beside);
	return good;
}

bool mw_snapshot_save(struct mw_machine *machine, const char *path,
		      struct mw_diagnostics *diagnostics)
{
	char *beside = NULL;
	bool good;

	if (machine->running)
		return fail(diagnostics, path, mw_status_text(MW_STATUS_STATE));
	settle(machine);
	if (is_ending(machine))
		return fail(diagnostics, path,
			    "the guest is being switched off or reset; try again");
	if (!may_replace(path, diagnostics) ||
	    !snapshot_can_keep_media(machine, path, diagnostics) ||
	    !fetch_chips(machine, path, diagnostics))
		return false;
	if (asprintf(&beside, "%s.%ld.new", path, (long)getpid()) < 0)
		return fail(diagnostics, path, strerror(ENOMEM));
	good = save(machine, path, beside, diagnostics);
	free(beside);
	return good;
}

static void tell_devices(struct mw_machine *machine)
{
	for (size_t i = 0; i < machine->plan->node_count; i++)
		mw_node_loaded(machine->nodes[i], machine->main_actor);
}

bool mw_snapshot_load(struct mw_snapshot *snapshot, struct mw_machine *machine,
		      struct mw_diagnostics *diagnostics)
{
	bool good;

	snapshot->diagnostics = diagnostics;
	if (!snapshot_load_memory(snapshot, machine))
		return false;
	mw_actor_begin(machine->main_actor);
	good = snapshot_load_media(snapshot, machine) && snapshot_load_nodes(snapshot, machine) &&
	       snapshot_load_machine(snapshot, machine) && snapshot_load_cpus(snapshot, machine);
	if (good) {
		tell_devices(machine);
		snapshot_tell_media(snapshot, machine);
	}
	mw_actor_end(machine->main_actor);
	return good;
}
