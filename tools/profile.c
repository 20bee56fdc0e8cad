/** Registry, search path and resolver put together. */
// SPDX-License-Identifier: MIT
#include "tools/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/registry.h"
#include "resolver/allow.h"
#include "resolver/front.h"
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
	free(workshop->sets);
	free(workshop->overlays);
	free(workshop->folders);
	mw_config_fini(&workshop->config);
	mw_registry_fini(&workshop->registry);
	mw_search_fini(&workshop->search);
	mw_diagnostics_fini(&workshop->diagnostics);
}

/** The resolver marks "this file cannot be read" with neither code nor place. */
bool mw_workshop_unreadable(const struct mw_diagnostics *diagnostics, size_t from)
{
	for (size_t i = from; i < diagnostics->count; i++) {
		const struct mw_diag *diag = diagnostics->items[i];

		if (diag->severity == MW_SEVERITY_ERROR && !*diag->code && diag->span.source == 0)
			return true;
	}
	return false;
}

/* `profile_path` of the nearest .millwright.yaml. One with mistakes is lint's to tell of. */
static void add_project_path(struct mw_workshop *workshop, const char *profile)
{
	const char *slash = strrchr(profile, '/');
	char *folder = slash ? mw_strdup(profile) : NULL;

	if (folder)
		folder[slash == profile ? 1 : slash - profile] = '\0';
	char *path = mw_config_find(folder ? folder : ".");

	free(folder);
	if (!path || !workshop->config.path || strcmp(workshop->config.path, path) != 0) {
		mw_config_fini(&workshop->config);
		if (path)
			mw_config_read(&workshop->config, path);
	}
	free(path);
	free(workshop->folders);
	workshop->folders = mw_search_with(&workshop->search, workshop->config.profile_path,
					   &workshop->options.search_count);
	workshop->options.search = workshop->folders;
}

void mw_workshop_prepare(struct mw_workshop *workshop, const char *profile,
			 const struct mw_arguments *arguments)
{
	size_t most = arguments->given_count + 1;

	free(workshop->sets);
	free(workshop->overlays);
	workshop->sets = mw_alloc(most, sizeof(*workshop->sets));
	workshop->overlays = mw_alloc(most, sizeof(*workshop->overlays));
	workshop->options = (struct mw_resolve_options){
		.profile = profile,
		.sets = workshop->sets,
		.set_count = mw_arguments_values(arguments, "set", workshop->sets),
		.overlays = workshop->overlays,
		.overlay_count = mw_arguments_values(arguments, "overlay", workshop->overlays),
		.search = (const char *const *)workshop->search.folders,
		.search_count = workshop->search.count,
		.registry = &workshop->registry,
		.lock = mw_arguments_has(arguments, "no-lock")
				? ""
				: mw_arguments_value(arguments, "lock", NULL),
		.allow_deprecated = mw_arguments_has(arguments, "allow-deprecated"),
	};
	add_project_path(workshop, profile);
}

struct mw_study *mw_workshop_study(struct mw_workshop *workshop, const char *profile,
				   const struct mw_arguments *arguments, bool stand_ins, bool lint,
				   enum mw_exit *code)
{
	size_t before = workshop->diagnostics.count;

	mw_workshop_prepare(workshop, profile, arguments);
	workshop->options.stand_ins = stand_ins;
	workshop->options.lint = lint;
	struct mw_study *study = mw_study_open(&workshop->options, &workshop->diagnostics);

	mw_allow_apply(&workshop->diagnostics, study, lint ? MW_ALLOW_ALL : MW_ALLOW_WARNINGS);
	*code = study->plan                                              ? MW_EXIT_OK
		: mw_workshop_unreadable(&workshop->diagnostics, before) ? MW_EXIT_USAGE
									 : MW_EXIT_FAILED;
	return study;
}

enum mw_exit mw_workshop_resolve(struct mw_workshop *workshop, struct mw_plan **out,
				 const char *profile, const struct mw_arguments *arguments,
				 bool stand_ins)
{
	enum mw_exit code;
	struct mw_study *study =
		mw_workshop_study(workshop, profile, arguments, stand_ins, false, &code);

	*out = mw_study_take(study);
	mw_study_close(study);
	return code;
}

bool mw_workshop_is_foreign(const struct mw_workshop *workshop, const struct mw_study *study,
			    const char *verb)
{
	const char *path = study->document.front->profile->path;
	const char *given = workshop->options.profile;

	if (strchr(given, '/') || strcmp(given, path) == 0)
		return false;
	for (size_t i = workshop->search.own; i < workshop->search.count; i++) {
		const char *folder = workshop->search.folders[i];
		size_t length = strlen(folder);

		if (strncmp(path, folder, length) != 0 || path[length] != '/')
			continue;
		fprintf(stderr,
			"millwright %s: %s belongs to the installation; extend it in a profile of "
			"your "
			"own, or name it by its path\n",
			verb, path);
		return true;
	}
	return false;
}
