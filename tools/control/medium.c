/* Commands that exchange what is in a drive (QEMU 7.2, qapi/block.json): `id` is the drive's name in the
 * profile. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/diagnostics.h"
#include "tools/control/control_internal.h"

struct exchange {
	const char *drive, *path; /* path NULL: the drive becomes empty */
	bool found, done;
	struct mw_diagnostics diagnostics;
};

static void exchange(void *context, struct mw_machine *machine)
{
	struct exchange *asked = context;
	const struct mw_plan *plan = mw_machine_plan(machine);

	for (size_t i = 0; i < plan->node_count && !asked->found; i++) {
		asked->found = strcmp(plan->nodes[i].id, asked->drive) == 0;
		if (asked->found)
			asked->done = mw_machine_change_medium(machine, i, asked->path,
							       &asked->diagnostics);
	}
}

static json_t *exchange_medium(struct mw_control *control, const json_t *arguments,
			       const char *path, struct control_error *error)
{
	const char *drive = json_string_value(json_object_get(arguments, "id"));
	struct exchange asked = { .drive = drive, .path = path };
	json_t *result = NULL;

	if (!control_on_main(control, exchange, &asked))
		control_fail(error, "the machine is over");
	else if (!asked.found)
		control_fail(error, "the machine has no node `%.60s`", drive);
	else if (!asked.done)
		control_fail(error, "%s",
			     asked.diagnostics.count ? asked.diagnostics.items[0]->message
						     : "the medium cannot be exchanged");
	else
		result = json_object();
	mw_diagnostics_fini(&asked.diagnostics);
	return result;
}

json_t *control_change_medium(struct mw_control *control, const json_t *arguments,
			      struct control_error *error)
{
	return exchange_medium(control, arguments,
			       json_string_value(json_object_get(arguments, "filename")), error);
}

json_t *control_eject(struct mw_control *control, const json_t *arguments,
		      struct control_error *error)
{
	return exchange_medium(control, arguments, NULL, error);
}
