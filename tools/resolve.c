/** `millwright resolve`: the plan of a profile, in its canonical text. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/profile.h"
#include "tools/report.h"
#include "tools/verbs.h"

static const char *const formats[] = { "yaml", "json", NULL };

static const struct mw_option options[] = {
	MW_PROFILE_OPTIONS,
	{ .name = "format",
	  .value = "FORMAT",
	  .choices = formats,
	  .help = "yaml (the default) or json." },
	{ .name = "guest",
	  .help = "Leave out what the guest cannot see: backends, host paths, placement." },
	{ .name = "hash",
	  .help = "Print only the SHA-256 of the guest's view: equal hashes, equal machines." },
	MW_DIAGNOSTICS_OPTION,
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright resolve microvm --set kernel=vmlinuz", "See the whole machine." },
	{ "millwright resolve microvm --set kernel=vmlinuz --format json | jq .nodes",
	  "Let a program read it." },
	{ "millwright resolve microvm --set kernel=vmlinuz --hash",
	  "Compare machines without reading them." },
	{ 0 },
};

static void print_hash(const struct mw_plan *plan)
{
	uint8_t hash[32];

	mw_plan_hash(plan, hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		printf("%02x", hash[i]);
	putchar('\n');
}

static void print_plan(const struct mw_plan *plan, const struct mw_arguments *arguments)
{
	enum mw_plan_text what =
		mw_arguments_has(arguments, "guest") ? MW_PLAN_GUEST : MW_PLAN_WHOLE;

	if (mw_arguments_has(arguments, "hash"))
		print_hash(plan);
	else if (strcmp(mw_arguments_value(arguments, "format", "yaml"), "json") == 0)
		mw_plan_write_json(plan, what, stdout);
	else
		mw_plan_write_yaml(plan, what, stdout);
}

static int resolve(const struct mw_arguments *arguments)
{
	struct mw_workshop workshop;
	struct mw_plan *plan = NULL;
	enum mw_exit code = MW_EXIT_FAILED;

	if (mw_workshop_init(&workshop)) {
		code = mw_workshop_resolve(&workshop, &plan, arguments->operands[0], arguments,
					   true);
		if (plan)
			print_plan(plan, arguments);
		if (workshop.diagnostics.count)
			mw_report(&workshop.diagnostics,
				  mw_arguments_value(arguments, "diagnostics", NULL), stderr);
	}
	mw_plan_destroy(plan);
	mw_workshop_fini(&workshop);
	return (int)code;
}

const struct mw_verb mw_verb_resolve = {
	.name = "resolve",
	.summary = "Print the plan of a profile: the machine with every address placed.",
	.operands = "PROFILE",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.details = "The same profile and parameters give the same bytes on every host. Nothing is "
		   "started and no device is opened.",
	.examples = examples,
	.exits = "0 when there is a plan, 1 when the profile has errors, 2 for usage and for files "
		 "that cannot be read.",
	.run = resolve,
};
