/** `millwright fmt`: lays profiles out in one style. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "resolver/read.h"
#include "tools/fmt/fmt.h"
#include "tools/lint/fix.h"
#include "tools/report.h"
#include "tools/texts.h"
#include "tools/verbs.h"

static const struct mw_option options[] = {
	{ .name = "check",
	  .help = "Change nothing; name the files that would change and exit with 1 for them." },
	{ .name = "diff",
	  .help = "Change nothing; print what would change as a patch and exit with 1 for it." },
	MW_DIAGNOSTICS_OPTION,
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright fmt my-machine.yaml", "Format a file in place." },
	{ "millwright fmt --check profiles/*.yaml", "See in a CI job that all are formatted." },
	{ "millwright fmt --diff my-machine.yaml", "Look before." },
	{ "millwright fmt - < my-machine.yaml", "Format standard input to standard output." },
	{ 0 },
};

struct job {
	const struct mw_arguments *arguments;
	struct mw_diagnostics diagnostics;
	enum mw_exit worst;
};

static void worse(struct job *job, enum mw_exit code)
{
	if (code > job->worst)
		job->worst = code;
}

static void cannot(struct job *job, const char *name, const char *what, const char *why)
{
	fprintf(stderr, "millwright fmt: cannot %s `%s`: %s\n", what, name, why);
	worse(job, MW_EXIT_USAGE);
}

/* Standard input, or NULL when there is too much of it. */
static char *read_input(size_t *length, const char **why)
{
	char *text = mw_alloc(MW_READ_BYTES + 1, 1);

	*length = fread(text, 1, MW_READ_BYTES + 1, stdin);
	*why = ferror(stdin) ? "a read failed" : "it is too long";
	if (!ferror(stdin) && *length <= MW_READ_BYTES) {
		text[*length] = '\0';
		return text;
	}
	free(text);
	return NULL;
}

struct change {
	const char *name;
	char *before, *after;
	size_t before_length, after_length;
};

static void put_in_place(struct job *job, const struct change *change)
{
	const char *why;

	if (!mw_text_replace(change->name, change->before, change->before_length, change->after,
			     change->after_length, &why))
		cannot(job, change->name, "write", why);
}

static void deliver(struct job *job, const struct change *change)
{
	bool check = mw_arguments_has(job->arguments, "check");
	bool diff = mw_arguments_has(job->arguments, "diff");
	bool input = strcmp(change->name, "-") == 0;
	bool same = change->before_length == change->after_length &&
		    memcmp(change->before, change->after, change->after_length) == 0;

	if (!check && !diff && input)
		fwrite(change->after, 1, change->after_length, stdout);
	if (same)
		return;
	if (diff)
		mw_patch_print(stdout, change->name, change->before, change->before_length,
			       change->after, change->after_length);
	else if (check)
		printf("%s\n", change->name);
	if (check || diff)
		worse(job, MW_EXIT_FAILED);
	else if (!input)
		put_in_place(job, change);
}

static void format(struct job *job, const char *name)
{
	struct change change = { .name = name };
	const char *why = NULL;

	change.before = strcmp(name, "-") == 0 ? read_input(&change.before_length, &why)
					       : mw_text_read(name, &change.before_length, &why);
	if (!change.before) {
		cannot(job, name, "read", why);
		return;
	}
	switch (mw_fmt(&job->diagnostics, strcmp(name, "-") == 0 ? "<stdin>" : name, change.before,
		       change.before_length, &change.after, &change.after_length)) {
	case MW_FMT_DONE: deliver(job, &change); break;
	case MW_FMT_WRONG: worse(job, MW_EXIT_USAGE); break;
	case MW_FMT_BUG:
		fprintf(stderr,
			"millwright fmt: `%s` would not mean the same; it is left as it is\n",
			name);
		worse(job, MW_EXIT_BUG);
		break;
	}
	free(change.before);
	free(change.after);
}

static int fmt(const struct mw_arguments *arguments)
{
	struct job job = { .arguments = arguments };

	for (size_t i = 0; i < arguments->operand_count; i++)
		format(&job, arguments->operands[i]);
	if (job.diagnostics.count)
		mw_report(&job.diagnostics, mw_arguments_value(arguments, "diagnostics", NULL),
			  stderr);
	mw_diagnostics_fini(&job.diagnostics);
	return (int)job.worst;
}

const struct mw_verb mw_verb_fmt = {
	.name = "fmt",
	.summary = "Lay out profiles in one style; comments and meaning stay.",
	.operands = "FILE...",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.options = options,
	.details =
		"Blocks are indented by 2, values and comments of neighbouring lines stand under "
		"each other, tables in braces are kept as tables. Keys keep their order, numbers "
		"and sizes their spelling, line breaks their place. `-` is standard input. "
		"A file with errors is left alone.",
	.examples = examples,
	.exits =
		"0 when all is well, 1 when --check or --diff found something to change, 2 for "
		"usage and for files that cannot be read or have errors, 3 for a bug in here: what "
		"came out would have meant something else.",
	.run = fmt,
};
