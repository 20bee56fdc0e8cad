/** `millwright lint`: everything the resolver finds in profiles, without running them. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/profile.h"
#include "tools/report.h"
#include "tools/verbs.h"

static const char *const severities[] = { "error", "warning", "hint", NULL };

static const struct mw_option options[] = {
	MW_PROFILE_OPTIONS,
	{ .name = "fail-on",
	  .value = "SEVERITY",
	  .choices = severities,
	  .help = "Exit with 1 for findings at or over this severity: error (the default), warning "
		  "or hint." },
	{ .name = "format",
	  .value = "FORMAT",
	  .choices = mw_report_formats,
	  .help = "full (the default on a terminal), concise (one line each, the default "
		  "elsewhere) "
		  "or json." },
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright lint my-machine.yaml", "Check one profile." },
	{ "millwright lint profiles/*.yaml --fail-on warning", "Be strict with many." },
	{ "millwright lint microvm --set kernel=vmlinuz --set cpus=300",
	  "Check a combination of parameters." },
	{ "millwright lint microvm --format json | jq '.[].code'", "Let a program read it." },
	{ 0 },
};

static bool at_or_over(const struct mw_diagnostics *diagnostics, const char *least)
{
	if (strcmp(least, "error") == 0)
		return diagnostics->errors > 0;
	if (strcmp(least, "warning") == 0)
		return diagnostics->errors + diagnostics->warnings > 0;
	return diagnostics->count > 0;
}

static int lint(const struct mw_arguments *arguments)
{
	struct mw_workshop workshop;
	enum mw_exit worst = MW_EXIT_OK;

	if (!mw_workshop_init(&workshop)) {
		mw_workshop_fini(&workshop);
		return MW_EXIT_FAILED;
	}
	for (size_t i = 0; i < arguments->operand_count; i++) {
		struct mw_plan *plan;

		if (mw_workshop_resolve(&workshop, &plan, arguments->operands[i], arguments,
					true) == MW_EXIT_USAGE)
			worst = MW_EXIT_USAGE;
		mw_plan_destroy(plan);
	}
	if (worst == MW_EXIT_OK &&
	    at_or_over(&workshop.diagnostics, mw_arguments_value(arguments, "fail-on", "error")))
		worst = MW_EXIT_FAILED;
	mw_report(&workshop.diagnostics, mw_arguments_value(arguments, "format", NULL), stdout);
	mw_workshop_fini(&workshop);
	return (int)worst;
}

const struct mw_verb mw_verb_lint = {
	.name = "lint",
	.summary = "Check profiles and say everything that is wrong with them.",
	.operands = "PROFILE...",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.options = options,
	.details = "A profile is a name (microvm, microvm@1) or a file (with `/` or ending in "
		   "`.yaml`). Nothing is started and no device is opened.",
	.examples = examples,
	.exits =
		"0 when clean, 1 for findings at or over --fail-on, 2 for usage and for files that "
		"cannot be read.",
	.run = lint,
};
