/* `millwright diff`: what tells two machines apart. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "tools/diff/diff.h"
#include "tools/draw/subject.h"
#include "tools/draw/text.h"
#include "tools/report.h"
#include "tools/verbs.h"

static const char *const formats[] = { "text", "json", NULL };

static const struct mw_option options[] = {
	MW_PROFILE_OPTIONS,
	{ .name = "set-a",
	  .value = "NAME=VALUE",
	  .repeats = true,
	  .help = "Give a parameter of the first machine a value; may be repeated." },
	{ .name = "set-b",
	  .value = "NAME=VALUE",
	  .repeats = true,
	  .help = "The same for the second machine." },
	{ .name = "format",
	  .value = "FORMAT",
	  .choices = formats,
	  .help = "text (the default) or json." },
	{ .name = "guest", .help = "Tell only what a guest would notice." },
	MW_DIAGNOSTICS_OPTION,
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright diff microvm my-machine.yaml", "Compare two profiles." },
	{ "millwright diff linux-pc linux-pc --set-b cpus=4", "See what a parameter changes." },
	{ "millwright diff before.plan my-machine.yaml",
	  "Compare with what `millwright resolve` once wrote." },
	{ "millwright diff machine.snapshot my-machine.yaml --guest",
	  "Would the saved guest find its machine?" },
	{ 0 },
};

/* The two machines, opened. */
struct pair {
	struct mw_workshop workshop;
	struct mw_subject sides[2];
	struct mw_diff diff;
};

static void print_text(const struct pair *pair, bool guest_only)
{
	const struct mw_diff *diff = &pair->diff;
	bool colour = mw_report_colour(stdout);

	if (diff->guest.count) {
		puts("what the guest sees:");
		mw_changes_print(&diff->guest, 2, colour, stdout);
	}
	if (!diff->host.count || guest_only)
		return;
	if (diff->guest.count)
		putchar('\n');
	puts("what it does not see:");
	mw_changes_print(&diff->host, 2, colour, stdout);
}

static void print_json(const struct pair *pair, bool guest_only)
{
	struct mw_json json = { .out = stdout };

	mw_json_object(&json, NULL);
	mw_json_number(&json, "v", 1);
	for (size_t i = 0; i < 2; i++) {
		uint8_t hash[32];
		char text[65];

		mw_plan_hash(pair->sides[i].plan, hash);
		for (size_t byte = 0; byte < sizeof(hash); byte++)
			snprintf(text + 2 * byte, 3, "%02x", hash[byte]);
		mw_json_object(&json, i ? "b" : "a");
		mw_json_string(&json, "operand", pair->sides[i].name);
		mw_json_string(&json, "name", pair->sides[i].plan->name);
		mw_json_number(&json, "version", pair->sides[i].plan->version);
		mw_json_string(&json, "sha256", text);
		mw_json_end(&json, '}');
	}
	mw_json_bool(&json, "equal", !pair->diff.guest.count);
	mw_changes_json(&pair->diff.guest, &json, "guest");
	if (!guest_only)
		mw_changes_json(&pair->diff.host, &json, "host");
	mw_json_end(&json, '}');
}

/* Anything but a comparison that was made is 2, as with diff(1). */
static int compare(struct pair *pair, const struct mw_arguments *arguments)
{
	static const char *const sets[] = { "set-a", "set-b" };
	bool guest_only = mw_arguments_has(arguments, "guest");
	int code = MW_EXIT_USAGE;

	for (size_t i = 0; i < 2; i++)
		mw_subject_open(&pair->sides[i], &pair->workshop, arguments->operands[i], arguments,
				sets[i]);
	if (pair->sides[0].plan && pair->sides[1].plan) {
		mw_diff_plans(&pair->diff, pair->sides[0].plan, pair->sides[1].plan);
		code = pair->diff.guest.count ? MW_EXIT_FAILED : MW_EXIT_OK;
		if (!strcmp(mw_arguments_value(arguments, "format", "text"), "json"))
			print_json(pair, guest_only);
		else
			print_text(pair, guest_only);
	}
	mw_report(&pair->workshop.diagnostics, mw_arguments_value(arguments, "diagnostics", NULL),
		  stderr);
	mw_diff_fini(&pair->diff);
	for (size_t i = 0; i < 2; i++)
		mw_subject_close(&pair->sides[i]);
	return code;
}

static int diff(const struct mw_arguments *arguments)
{
	struct pair pair = { 0 };
	int code = MW_EXIT_USAGE;

	if (mw_workshop_init(&pair.workshop))
		code = compare(&pair, arguments);
	mw_workshop_fini(&pair.workshop);
	return code;
}

const struct mw_verb mw_verb_diff = {
	.name = "diff",
	.summary = "Show what differs between two machines, as their guests see it.",
	.operands = "PROFILE PROFILE",
	.min_operands = 2,
	.max_operands = 2,
	.options = options,
	.details = MW_SUBJECT_HELP
	"\n\nWhat a guest would notice comes first: nodes, addresses, interrupt lines, properties, "
	"CPU, memory. What it would not comes apart: backends, files of the host, where threads "
	"run, which claims were placed automatically. With no change of the first kind a guest "
	"may move from one to the other.",
	.examples = examples,
	.exits = "0 when guests see no difference, 1 when they do, 2 when the machines could not "
		 "be compared.",
	.run = diff,
};
