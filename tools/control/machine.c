/* Commands about the machine as a whole (QEMU 7.2, qapi/run-state.json, misc.json, machine.json). */
// SPDX-License-Identifier: MIT
#include <string.h>
#include <unistd.h>

#include "core/diagnostics.h"
#include "core/snapshot/snapshot.h"
#include "tools/control/control_internal.h"

/* What clients take for the version of QEMU: the one whose protocol this is. */
enum { MAJOR = 7, MINOR = 2, MICRO = 0 };

static const char over[] = "the machine is over";

json_t *control_query_version(struct mw_control *control, const json_t *arguments,
			      struct control_error *error)
{
	return json_pack("{s:{s:i, s:i, s:i}, s:s}", "qemu", "micro", MICRO, "minor", MINOR,
			 "major", MAJOR, "package", "Millwright " MW_VERSION);
}

json_t *control_query_name(struct mw_control *control, const json_t *arguments,
			   struct control_error *error)
{
	return json_pack("{s:s}", "name", mw_machine_plan(control->machine)->name);
}

static void see_running(void *context, struct mw_machine *machine)
{
	*(bool *)context = mw_machine_is_running(machine);
}

json_t *control_query_status(struct mw_control *control, const json_t *arguments,
			     struct control_error *error)
{
	bool running = false;

	if (!control_on_main(control, see_running, &running))
		return control_fail(error, "%s", over);
	return json_pack("{s:s, s:b, s:b}", "status", running ? "running" : "paused", "singlestep",
			 false, "running", running);
}

json_t *control_query_cpus(struct mw_control *control, const json_t *arguments,
			   struct control_error *error)
{
	const struct mw_plan_cpu *cpu = &mw_machine_plan(control->machine)->cpu;
	unsigned per_core = cpu->threads ? cpu->threads : 1;
	unsigned per_socket = per_core * (cpu->cores ? cpu->cores : 1);
	json_t *cpus = json_array();

	for (unsigned i = 0; i < cpu->count; i++)
		json_array_append_new(cpus, json_pack("{s:i, s:{s:i, s:i, s:i}, s:o, s:i, s:s}",
						      "thread-id", (int)getpid(), "props",
						      "core-id", (int)(i % per_socket / per_core),
						      "thread-id", (int)(i % per_core), "socket-id",
						      (int)(i / per_socket), "qom-path",
						      json_sprintf("/machine/cpu[%u]", i),
						      "cpu-index", (int)i, "target", "x86_64"));
	return cpus;
}

static void stop(void *context, struct mw_machine *machine)
{
	mw_machine_pause(machine);
}

json_t *control_stop(struct mw_control *control, const json_t *arguments,
		     struct control_error *error)
{
	if (!control_on_main(control, stop, NULL))
		return control_fail(error, "%s", over);
	return json_object();
}

static void cont(void *context, struct mw_machine *machine)
{
	*(enum mw_status *)context = mw_machine_resume(machine);
}

json_t *control_cont(struct mw_control *control, const json_t *arguments,
		     struct control_error *error)
{
	enum mw_status status = MW_STATUS_OK;

	if (!control_on_main(control, cont, &status))
		return control_fail(error, "%s", over);
	if (status != MW_STATUS_OK)
		return control_fail(error, "the machine does not start: %s",
				    mw_status_text(status));
	return json_object();
}

/* The answer comes first, as the event is the main thread's. */
json_t *control_reset(struct mw_control *control, const json_t *arguments,
		      struct control_error *error)
{
	atomic_store(&control->resetting, true);
	mw_machine_power(control->machine, MW_POWER_RESET, 0);
	return json_object();
}

static void press_power_button(void *context, struct mw_machine *machine)
{
	*(bool *)context = mw_machine_power_button(machine);
}

json_t *control_powerdown(struct mw_control *control, const json_t *arguments,
			  struct control_error *error)
{
	bool pressed = false;

	if (!control_on_main(control, press_power_button, &pressed))
		return control_fail(error, "%s", over);
	if (!pressed)
		return control_fail(error, "the machine has no power button");
	control_event(control, "POWERDOWN", NULL);
	return json_object();
}

json_t *control_quit(struct mw_control *control, const json_t *arguments,
		     struct control_error *error)
{
	atomic_store(&control->quitting, true);
	mw_machine_power(control->machine, MW_POWER_EXIT, 0);
	return json_object();
}

struct save {
	const char *path;
	bool done, running;
	struct mw_diagnostics diagnostics;
};

/* Whether it ran is what it does afterwards. */
static void save(void *context, struct mw_machine *machine)
{
	struct save *save = context;
	bool ran = mw_machine_is_running(machine);

	mw_machine_stop(machine);
	save->done = mw_snapshot_save(machine, save->path, &save->diagnostics);
	save->running = !ran || mw_machine_start(machine) == MW_STATUS_OK;
}

json_t *control_snapshot(struct mw_control *control, const json_t *arguments,
			 struct control_error *error)
{
	struct save saved = { .path = json_string_value(json_object_get(arguments, "path")) };
	bool called = control_on_main(control, save, &saved);
	json_t *result = NULL;

	if (!called)
		control_fail(error, "%s", over);
	else if (!saved.done)
		control_fail(error, "%s",
			     saved.diagnostics.count ? saved.diagnostics.items[0]->message
						     : "no snapshot was written");
	else if (!saved.running)
		control_fail(error, "the snapshot is written, but the machine does not go on");
	else
		result = json_object();
	mw_diagnostics_fini(&saved.diagnostics);
	return result;
}
