/** `millwright devices`: the device types of this program, straight from their tables. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "tools/describe.h"
#include "tools/profile.h"
#include "tools/verbs.h"

static const char *const formats[] = { "text", "json", NULL };

static const struct mw_option options[] = {
	{ .name = "format",
	  .value = "FORMAT",
	  .choices = formats,
	  .help = "text (the default) or json." },
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright devices", "See what a profile can be made of." },
	{ "millwright devices uart16550",
	  "Read up on one type: properties, wires, claims, firmware." },
	{ "millwright devices --format json | jq '.[].name'", "Let a program read it." },
	{ 0 },
};

static void list_part(const struct mw_registry *registry, bool backends)
{
	for (size_t i = 0; i < registry->count; i++) {
		const struct mw_device_type *type = registry->types[i];
		int used;

		if ((type->backend != NULL) != backends)
			continue;
		used = printf("  %-18s ", type->name);
		if (backends)
			used += printf("%-10s ", type->backend);
		mw_print_wrapped(stdout, (size_t)used, backends ? 32 : 21, type->summary);
	}
}

static void list(const struct mw_registry *registry)
{
	printf("Devices (type: NAME)\n");
	list_part(registry, false);
	printf("\nHost backends, each with its key (backend: KEY)\n");
	list_part(registry, true);
	printf("\n`millwright devices NAME` describes one.\n");
}

static void list_json(const struct mw_registry *registry)
{
	struct mw_json json = { .out = stdout };

	mw_json_array(&json, NULL);
	for (size_t i = 0; i < registry->count; i++)
		mw_describe_json(registry->types[i], &json);
	mw_json_end(&json, ']');
}

static int describe(const struct mw_registry *registry, const char *name, bool as_json)
{
	const struct mw_device_type *type = mw_registry_find(registry, name);
	struct mw_json json = { .out = stdout };

	if (!type) {
		const struct mw_device_type *nearest = mw_registry_nearest(registry, name);

		fprintf(stderr, "millwright devices: there is no device type `%s`", name);
		mw_end_with_nearest("", nearest ? nearest->name : NULL);
		return MW_EXIT_USAGE;
	}
	if (as_json)
		mw_describe_json(type, &json);
	else
		mw_describe_text(type, stdout);
	return MW_EXIT_OK;
}

static int devices(const struct mw_arguments *arguments)
{
	bool as_json = strcmp(mw_arguments_value(arguments, "format", "text"), "json") == 0;
	struct mw_workshop workshop;
	int code = MW_EXIT_FAILED;

	if (mw_workshop_init(&workshop)) {
		code = MW_EXIT_OK;
		if (arguments->operand_count)
			code = describe(&workshop.registry, arguments->operands[0], as_json);
		else if (as_json)
			list_json(&workshop.registry);
		else
			list(&workshop.registry);
	}
	mw_workshop_fini(&workshop);
	return code;
}

const struct mw_verb mw_verb_devices = {
	.name = "devices",
	.summary = "List the device types, or describe one.",
	.operands = "[TYPE]",
	.max_operands = 1,
	.options = options,
	.examples = examples,
	.exits = "0; 2 when there is no such type.",
	.run = devices,
};
