/* `millwright map`: what lies where. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "tools/draw/subject.h"
#include "tools/map/map.h"
#include "tools/report.h"
#include "tools/verbs.h"

static const char *const formats[] = { "table", "json", "svg", NULL };
static const char *const part_names[] = { "ports", "memory", "lines", "buses", NULL };

static const struct mw_option options[] = {
	MW_PROFILE_OPTIONS,
	{ .name = "format",
	  .value = "FORMAT",
	  .choices = formats,
	  .help = "table (the default), json or svg." },
	{ .name = "only",
	  .value = "PART",
	  .choices = part_names,
	  .repeats = true,
	  .help = "Show one part: ports, memory, lines or buses; may be repeated." },
	MW_DIAGNOSTICS_OPTION,
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright map linux-pc", "See what lies where." },
	{ "millwright map microvm --only lines", "Which interrupt lines are free?" },
	{ "millwright map linux-pc --format svg > map.svg", "Draw it." },
	{ "millwright map linux-pc --format json | jq '.ports[].node'", "Let a program read it." },
	{ 0 },
};

static unsigned parts_of(const struct mw_arguments *arguments)
{
	const char **given = mw_alloc(arguments->given_count + 1, sizeof(*given));
	size_t count = mw_arguments_values(arguments, "only", given);
	unsigned parts = count ? 0 : MW_MAP_ALL;

	for (size_t i = 0; i < count; i++) {
		for (unsigned bit = 0; part_names[bit]; bit++)
			parts |= !strcmp(given[i], part_names[bit]) ? 1u << bit : 0;
	}
	free(given);
	return parts;
}

static void show(const struct mw_subject *subject, const struct mw_arguments *arguments)
{
	const char *format = mw_arguments_value(arguments, "format", "table");
	unsigned parts = parts_of(arguments);
	struct mw_map map;

	mw_map_make(&map, subject->plan, subject->study);
	if (!strcmp(format, "json"))
		mw_map_json(&map, parts, stdout);
	else if (!strcmp(format, "svg"))
		mw_map_svg(&map, parts, stdout);
	else
		mw_map_text(&map, parts, stdout);
	mw_map_fini(&map);
}

static int map_of(const struct mw_arguments *arguments)
{
	struct mw_workshop workshop;
	int code = MW_EXIT_FAILED;

	if (mw_workshop_init(&workshop)) {
		struct mw_subject subject;

		code = (int)mw_subject_open(&subject, &workshop, arguments->operands[0], arguments,
					    NULL);
		if (subject.plan)
			show(&subject, arguments);
		mw_report(&workshop.diagnostics, mw_arguments_value(arguments, "diagnostics", NULL),
			  stderr);
		mw_subject_close(&subject);
	}
	mw_workshop_fini(&workshop);
	return code;
}

const struct mw_verb mw_verb_map = {
	.name = "map",
	.summary = "Show what lies where: ports, memory, interrupt lines and buses.",
	.operands = "PROFILE",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.details = MW_SUBJECT_HELP
	"\n\nWhat was placed automatically is marked `auto`. Windows are where such claims go; "
	"what is free in them is listed, and so is what every such machine holds without a "
	"device: the local APICs, and pages that accelerators keep for themselves. A plan's text "
	"and a snapshot do not know their windows.",
	.examples = examples,
	.exits = "0; 1 when the profile has errors; 2 for usage and for files that cannot be read.",
	.run = map_of,
};
