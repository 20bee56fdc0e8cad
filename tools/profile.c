/** Registry, search path and resolver put together. */
// SPDX-License-Identifier: MIT
#include "tools/profile.h"

#include <stdlib.h>
#include <unistd.h>

#include "devices/registry.h"
#include "resolver/resolver.h"
#include "tools/report.h"

bool mw_workshop_init(struct mw_workshop *workshop)
{
	char program[4096];
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

	*workshop = (struct mw_workshop){ 0 };
	program[length > 0 ? length : 0] = '\0';
	mw_search_init(&workshop->search, getenv("MILLWRIGHT_PATH"), length > 0 ? program : NULL);
	if (mw_builtin_devices(&workshop->registry, &workshop->diagnostics))
		return true;
	mw_report(&workshop->diagnostics, NULL, stderr);
	return false;
}

void mw_workshop_fini(struct mw_workshop *workshop)
{
	mw_registry_fini(&workshop->registry);
	mw_search_fini(&workshop->search);
	mw_diagnostics_fini(&workshop->diagnostics);
}

/** The resolver marks "this file cannot be read" with neither code nor place. */
static bool unreadable(const struct mw_diagnostics *diagnostics, size_t from)
{
	for (size_t i = from; i < diagnostics->count; i++) {
		const struct mw_diag *diag = diagnostics->items[i];

		if (diag->severity == MW_SEVERITY_ERROR && !*diag->code && diag->span.source == 0)
			return true;
	}
	return false;
}

enum mw_exit mw_workshop_resolve(struct mw_workshop *workshop, struct mw_plan **out,
				 const char *profile, const struct mw_arguments *arguments,
				 bool stand_ins)
{
	const char **sets = mw_alloc(arguments->given_count + 1, sizeof(*sets));
	size_t before = workshop->diagnostics.count;
	struct mw_resolve_options options = {
		.profile = profile,
		.sets = sets,
		.set_count = mw_arguments_values(arguments, "set", sets),
		.search = (const char *const *)workshop->search.folders,
		.search_count = workshop->search.count,
		.registry = &workshop->registry,
		.stand_ins = stand_ins,
	};
	bool done = mw_resolve(out, &options, &workshop->diagnostics);

	free(sets);
	if (done)
		return MW_EXIT_OK;
	return unreadable(&workshop->diagnostics, before) ? MW_EXIT_USAGE : MW_EXIT_FAILED;
}
