/** `millwright schema`: JSON Schemas of the file formats, reference pages of the devices. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "tools/profile.h"
#include "tools/schema/schema.h"
#include "tools/texts.h"
#include "tools/verbs.h"

static const struct mw_option options[] = {
	{ .name = "all",
	  .value = "FOLDER",
	  .help = "Write the schema of every format as FOLDER/NAME.schema.json." },
	{ .name = "reference",
	  .value = "FOLDER",
	  .help = "Write the page of every device type as FOLDER/NAME.md, with an index." },
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright schema machine/1 > machine.schema.json", "The schema of machine files." },
	{ "millwright schema device uart16550", "The reference page of one device type." },
	{ "millwright schema --all schemas --reference schemas/devices", "Write everything." },
	{ 0 },
};

static int list_formats(void)
{
	const struct mw_format *format;

	for (size_t i = 0; (format = mw_schema_format(i)) != NULL; i++)
		printf("%s%s\n", format->name, mw_schema_suffix(format));
	return MW_EXIT_OK;
}

static int complain(const char *what, const char *name, const char *nearest)
{
	fprintf(stderr, "millwright schema: there is no %s `%s`", what, name);
	mw_end_with_nearest("", nearest);
	return MW_EXIT_USAGE;
}

static int one_device(const struct mw_registry *registry, const char *name)
{
	const struct mw_device_type *type = mw_registry_find(registry, name);
	const struct mw_device_type *nearest = mw_registry_nearest(registry, name);

	if (!type)
		return complain("device type", name, nearest ? nearest->name : NULL);
	mw_reference_write(type, registry, stdout);
	return MW_EXIT_OK;
}

/* "machine/1", or "machine" alone. */
static int one_format(const struct mw_registry *registry, const char *name)
{
	const char *names[16] = { NULL };
	const struct mw_format *format;
	size_t count = 0;

	for (size_t i = 0; (format = mw_schema_format(i)) != NULL; i++) {
		size_t length = strlen(format->name);

		if (!strncmp(name, format->name, length) &&
		    (!name[length] || !strcmp(name + length, mw_schema_suffix(format)))) {
			mw_schema_write(format, registry, stdout);
			return MW_EXIT_OK;
		}
		if (count < sizeof(names) / sizeof(names[0]) - 1)
			names[count++] = format->name;
	}
	return complain("format", name, mw_nearest_name(name, names));
}

/* Files of a folder. */

static FILE *create(const char *folder, const char *name, const char *ending)
{
	char path[4096];
	int length = snprintf(path, sizeof(path), "%s/%s%s", folder, name, ending);
	FILE *file = NULL;

	errno = ENAMETOOLONG;
	if (length > 0 && (size_t)length < sizeof(path))
		file = fopen(path, "we");
	if (!file)
		fprintf(stderr, "millwright schema: cannot write %s: %s\n", path, strerror(errno));
	return file;
}

static bool write_formats(const struct mw_registry *registry, const char *folder)
{
	const struct mw_format *format;

	for (size_t i = 0; (format = mw_schema_format(i)) != NULL; i++) {
		FILE *file = create(folder, format->name, ".schema.json");

		if (!file)
			return false;
		mw_schema_write(format, registry, file);
		if (!mw_folder_close("schema", folder, file))
			return false;
	}
	return true;
}

static bool write_pages(const struct mw_registry *registry, const char *folder)
{
	FILE *file = create(folder, "README", ".md");

	if (!file)
		return false;
	mw_reference_index(registry, file);
	if (!mw_folder_close("schema", folder, file))
		return false;
	for (size_t i = 0; i < registry->count; i++) {
		file = create(folder, registry->types[i]->name, ".md");
		if (!file)
			return false;
		mw_reference_write(registry->types[i], registry, file);
		if (!mw_folder_close("schema", folder, file))
			return false;
	}
	return true;
}

static int write_folders(const struct mw_registry *registry, const char *all, const char *reference)
{
	if (all && (!mw_folder_make("schema", all) || !write_formats(registry, all)))
		return MW_EXIT_USAGE;
	if (reference &&
	    (!mw_folder_make("schema", reference) || !write_pages(registry, reference)))
		return MW_EXIT_USAGE;
	return MW_EXIT_OK;
}

static int one(const struct mw_registry *registry, const struct mw_arguments *arguments)
{
	const char *first = arguments->operands[0];
	bool device = !strcmp(first, "device");

	if (device && arguments->operand_count == 2)
		return one_device(registry, arguments->operands[1]);
	if (!device && arguments->operand_count == 1)
		return one_format(registry, first);
	fputs(device ? "millwright schema: which device? Try `millwright devices`.\n"
		     : "millwright schema: one format at a time\n",
	      stderr);
	return MW_EXIT_USAGE;
}

static int schema(const struct mw_arguments *arguments)
{
	const char *all = mw_arguments_value(arguments, "all", NULL);
	const char *reference = mw_arguments_value(arguments, "reference", NULL);
	struct mw_workshop workshop;
	int code = MW_EXIT_FAILED;

	if (mw_workshop_init(&workshop)) {
		if (arguments->operand_count && (all || reference)) {
			fputs("millwright schema: a folder takes everything, so no name goes with "
			      "it\n",
			      stderr);
			code = MW_EXIT_USAGE;
		} else if (arguments->operand_count) {
			code = one(&workshop.registry, arguments);
		} else if (all || reference) {
			code = write_folders(&workshop.registry, all, reference);
		} else {
			code = list_formats();
		}
	}
	mw_workshop_fini(&workshop);
	return code;
}

const struct mw_verb mw_verb_schema = {
	.name = "schema",
	.summary = "Write JSON Schemas and device reference pages.",
	.operands = "[FORMAT | device TYPE]",
	.max_operands = 2,
	.options = options,
	.details = "A schema (JSON Schema draft-07) is for editors: it knows every key, the device "
		   "types and their properties, but no addresses and no interrupts; those are what "
		   "`millwright lint` is for. Without arguments it lists the formats that have "
		   "one. An "
		   "editor finds the schema by the first line of a profile:\n"
		   "  # yaml-language-server: $schema=../schemas/machine.schema.json",
	.examples = examples,
	.exits =
		"0; 2 for usage, for names that do not exist and for files that cannot be written.",
	.run = schema,
};
