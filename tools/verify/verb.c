/** `millwright verify`: what a guest sees of its machine, compared with the plan. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tools/json.h"
#include "tools/profile.h"
#include "tools/report.h"
#include "tools/verbs.h"
#include "tools/verify/verify.h"

enum { REPORT_MAX = 16 << 20, SENTENCE = 300 };

static const char *const formats[] = { "text", "json", NULL };

static const struct mw_option options[] = {
	MW_PROFILE_OPTIONS,
	{ .name = "probe", .help = "Print the script that a guest runs, and do nothing else." },
	{ .name = "format",
	  .value = "FORMAT",
	  .choices = formats,
	  .help = "text (the default) or json." },
	MW_DIAGNOSTICS_OPTION,
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright verify --probe > probe.sh",
	  "Make the script; run it in the guest as root: sh probe.sh > report." },
	{ "millwright verify pc-legacy report --set disk=debian.img",
	  "Compare the report with the machine that the guest ran on." },
	{ 0 },
};

void verify_say(struct verify *verify, const char *place, const char *format, ...)
{
	struct mw_arena *arena = &verify->facts->arena;
	char sentence[SENTENCE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	if (verify->count == verify->capacity) {
		verify->capacity = verify->capacity ? 2 * verify->capacity : 16;
		verify->differences = mw_grow(verify->differences, verify->capacity,
					      sizeof(*verify->differences));
	}
	verify->differences[verify->count++] =
		mw_arena_printf(arena, "%.100s: %s", place, sentence);
}

/* All of a file, or of standard input; NULL after a complaint. */
static char *read_report(const char *path, size_t *length)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "rbe") : stdin;
	char *text = mw_alloc(REPORT_MAX + 1, 1);

	*length = in ? fread(text, 1, REPORT_MAX + 1, in) : 0;
	bool failed = !in || ferror(in);

	if (failed)
		fprintf(stderr, "millwright verify: cannot read %s: %s\n", path, strerror(errno));
	else if (*length > REPORT_MAX)
		fprintf(stderr, "millwright verify: %s has more than 16 MiB\n", path);
	if (in && in != stdin)
		fclose(in);
	if (!failed && *length <= REPORT_MAX)
		return text;
	free(text);
	return NULL;
}

static void compare(struct verify *verify)
{
	if (!verify->facts->whole)
		verify_say(verify, "the report", "does not end with `== end`: it is cut short");
	verify_places(verify);
	verify_lines(verify);
	verify_functions(verify);
	verify_tables(verify);
}

/* A guest's words do not steer a terminal. */
static void print_plain(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
	putchar('\n');
}

static void print_text(const struct verify *verify)
{
	for (size_t i = 0; i < verify->count; i++)
		print_plain(verify->differences[i]);
	printf("%s: %u ranges of ports, %u of memory, %u interrupt lines, %u PCI functions and %u "
	       "tables were compared",
	       verify->plan->name, verify->ports, verify->ranges, verify->lines, verify->functions,
	       verify->tables);
	if (verify->count)
		printf("; %zu difference%s\n", verify->count, verify->count == 1 ? "" : "s");
	else
		puts("; no unexplained difference");
}

static void print_json(const struct verify *verify)
{
	struct mw_json json = { .out = stdout };

	mw_json_object(&json, NULL);
	mw_json_string(&json, "machine", verify->plan->name);
	mw_json_number(&json, "ports", verify->ports);
	mw_json_number(&json, "memory", verify->ranges);
	mw_json_number(&json, "interrupts", verify->lines);
	mw_json_number(&json, "functions", verify->functions);
	mw_json_number(&json, "tables", verify->tables);
	mw_json_array(&json, "differences");
	for (size_t i = 0; i < verify->count; i++)
		mw_json_string(&json, NULL, verify->differences[i]);
	mw_json_end(&json, ']');
	mw_json_end(&json, '}');
	putchar('\n');
}

static int verify_report(const struct mw_plan *plan, const struct mw_arguments *arguments)
{
	size_t length;
	char *text = read_report(arguments->operands[1], &length);
	struct verify_facts facts = { 0 };
	struct verify verify = { .plan = plan, .facts = &facts };

	if (!text)
		return MW_EXIT_USAGE;
	verify_facts_read(&facts, text, length);
	compare(&verify);
	if (!strcmp(mw_arguments_value(arguments, "format", "text"), "json"))
		print_json(&verify);
	else
		print_text(&verify);
	int code = verify.count ? MW_EXIT_FAILED : 0;

	free(verify.differences);
	verify_facts_fini(&facts);
	free(text);
	return code;
}

static int verify(const struct mw_arguments *arguments)
{
	struct mw_workshop workshop;
	struct mw_plan *plan = NULL;
	int code = MW_EXIT_FAILED;

	if (mw_arguments_has(arguments, "probe")) {
		fputs(verify_probe, stdout);
		return 0;
	}
	if (arguments->operand_count < 2) {
		fputs("millwright verify: which profile, and which report? Try `millwright verify "
		      "--help`.\n",
		      stderr);
		return MW_EXIT_USAGE;
	}
	if (mw_workshop_init(&workshop)) {
		code = (int)mw_workshop_resolve(&workshop, &plan, arguments->operands[0], arguments,
						true);
		if (workshop.diagnostics.count)
			mw_report(&workshop.diagnostics,
				  mw_arguments_value(arguments, "diagnostics", NULL), stderr);
		if (plan)
			code = verify_report(plan, arguments);
	}
	mw_plan_destroy(plan);
	mw_workshop_fini(&workshop);
	return code;
}

const struct mw_verb mw_verb_verify = {
	.name = "verify",
	.summary = "Compare what the guest sees with the plan.",
	.operands = "PROFILE REPORT",
	.min_operands = 0,
	.max_operands = 2,
	.options = options,
	.details =
		"REPORT is what the script of --probe printed in a Linux guest; - is standard "
		"input. "
		"Give the profile and the parameters that the machine ran with. Ports, memory, "
		"interrupts, PCI functions, ACPI and SMBIOS tables are compared; what Linux has on "
		"every PC is known. Each difference is one line.",
	.examples = examples,
	.exits =
		"0 when there is no unexplained difference, 1 when there is one or the profile has "
		"errors, 2 for usage and for files that cannot be read.",
	.run = verify,
};
