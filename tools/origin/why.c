/** `millwright why`: where one value of a machine comes from. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/json.h"
#include "tools/origin/story.h"
#include "tools/profile.h"
#include "tools/report.h"
#include "tools/verbs.h"

static const char *const formats[] = { "text", "json", NULL };

static const struct mw_option options[] = {
	MW_PROFILE_OPTIONS,
	{ .name = "format",
	  .value = "FORMAT",
	  .choices = formats,
	  .help = "text (the default) or json." },
	MW_DIAGNOSTICS_OPTION,
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright why microvm ged.mmio", "Ask why a device is at its address." },
	{ "millwright why microvm com1.irq", "Follow an interrupt line to where it leads." },
	{ "millwright why linux-pc memory.ram --set kernel=vmlinuz --set ram=1GiB",
	  "See which parameter made a value, and who gave that." },
	{ "millwright why microvm params.cmdline -o my-changes.yaml",
	  "See what an overlay replaced." },
	{ 0 },
};

static void print_text(struct story *story)
{
	bool colour = mw_report_colour(stdout);

	if (story->value)
		printf("%s is %s\n", story->name, story->value);
	else
		printf("%s has no value\n", story->name);
	for (size_t i = 0; i < story->count; i++) {
		const struct story_step *step = &story->steps[i];

		if (step->span.source)
			mw_diagnostics_excerpt(story->diagnostics, stdout, step->span, step->text,
					       colour);
		else
			printf("  = %s\n", step->text);
	}
}

static void print_json(const struct story *story)
{
	struct mw_json json = { .out = stdout };

	mw_json_object(&json, NULL);
	mw_json_string(&json, "name", story->name);
	mw_json_string(&json, "value", story->value);
	mw_json_array(&json, "steps");
	for (size_t i = 0; i < story->count; i++) {
		struct mw_origin origin = mw_origin_of(story->diagnostics, story->steps[i].span);

		mw_json_object(&json, NULL);
		mw_json_string(&json, "text", story->steps[i].text);
		mw_json_string(&json, "file", origin.file);
		if (origin.file) {
			mw_json_number(&json, "line", origin.line);
			mw_json_number(&json, "column", origin.column);
		}
		mw_json_end(&json, '}');
	}
	mw_json_end(&json, ']');
	mw_json_end(&json, '}');
}

static void refuse(const struct story *story)
{
	fprintf(stderr, "millwright why: %s", story->trouble);
	mw_end_with_nearest("", story->hint);
}

static enum mw_exit tell(struct story *story, const struct mw_arguments *arguments,
			 enum mw_exit code)
{
	story_tell(story, arguments->operands[1]);
	if (story->trouble) {
		refuse(story);
		return MW_EXIT_USAGE;
	}
	if (strcmp(mw_arguments_value(arguments, "format", "text"), "json") == 0)
		print_json(story);
	else
		print_text(story);
	return code;
}

static int why(const struct mw_arguments *arguments)
{
	struct mw_workshop workshop;
	enum mw_exit code = MW_EXIT_FAILED;

	if (!mw_workshop_init(&workshop)) {
		mw_workshop_fini(&workshop);
		return MW_EXIT_FAILED;
	}
	struct mw_study *study =
		mw_workshop_study(&workshop, arguments->operands[0], arguments, true, false, &code);
	struct story story = { .study = study, .diagnostics = &workshop.diagnostics };

	if (workshop.diagnostics.errors)
		mw_report(&workshop.diagnostics, mw_arguments_value(arguments, "diagnostics", NULL),
			  stderr);
	if (study->merged)
		code = tell(&story, arguments, code);
	story_fini(&story);
	mw_study_close(study);
	mw_workshop_fini(&workshop);
	return (int)code;
}

const struct mw_verb mw_verb_why = {
	.name = "why",
	.summary = "Tell where one value of a machine comes from.",
	.operands = "PROFILE NAME",
	.min_operands = 2,
	.max_operands = 2,
	.options = options,
	.details =
		"NAME is NODE.CLAIM (com1.irq, kbd.io.data), NODE.KEY, NODE.props.NAME, "
		"params.NAME "
		"or a key of a section (cpu.count, memory.ram). The answer is the value and what "
		"made it: the file and line that says it, what that replaced, the parameters of an "
		"expression, the window of an `auto`, the way of an interrupt line.",
	.examples = examples,
	.exits =
		"0 when the profile is good, 1 when it has errors (the value is told as far as it "
		"is known), 2 for usage, for names that are not there and for files that cannot be "
		"read.",
	.run = why,
};
