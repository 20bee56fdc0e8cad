/** The man pages of the command and of its verbs, and the folder with all pages. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "tools/manual/manual_internal.h"
#include "tools/texts.h"
#include "tools/verbs.h"

static void write_option(FILE *out, const struct mw_option *option)
{
	fputs(".TP\n", out);
	if (option->letter)
		fprintf(out, "\\fB\\-%c\\fP, ", option->letter);
	fputs("\\fB\\-\\-", out);
	mw_roff_literal(out, option->name);
	fputs("\\fP", out);
	if (option->value) {
		fputs(" \\fI", out);
		mw_roff_literal(out, option->value);
		fputs("\\fP", out);
	}
	fputc('\n', out);
	mw_roff_words(out, option->help);
	fputc('\n', out);
}

static void write_options(FILE *out, const struct mw_verb *verb)
{
	mw_roff_section(out, "OPTIONS");
	for (const struct mw_option *option = verb->options; option && option->name; option++)
		write_option(out, option);
	for (const struct mw_option *option = mw_common_options; option->name; option++)
		write_option(out, option);
}

static void write_examples(FILE *out, const struct mw_example *example)
{
	if (!example || !example->command)
		return;
	mw_roff_section(out, "EXAMPLES");
	for (bool first = true; example->command; example++, first = false) {
		if (!first)
			fputs(".PP\n", out);
		mw_roff_words(out, example->what);
		fputc('\n', out);
		mw_roff_code(out, example->command);
	}
}

void mw_manual_verb(const struct mw_verb *verb, FILE *out)
{
	char name[64];

	snprintf(name, sizeof(name), "millwright-%s", verb->name);
	mw_roff_head(out, name, "1", verb->summary);
	mw_roff_section(out, "SYNOPSIS");
	fputs("\\fBmillwright ", out);
	mw_roff_literal(out, verb->name);
	fputs("\\fP", out);
	if (verb->options && verb->options->name)
		fputs(" [\\fIOPTION\\fP...]", out);
	if (*verb->operands) {
		fputs(" \\fI", out);
		mw_roff_literal(out, verb->operands);
		fputs("\\fP", out);
	}
	fputc('\n', out);
	mw_roff_section(out, "DESCRIPTION");
	mw_roff_words(out, verb->summary);
	fputc('\n', out);
	if (verb->details) {
		fputs(".PP\n", out);
		mw_roff_text(out, verb->details);
	}
	write_options(out, verb);
	write_examples(out, verb->examples);
	if (verb->exits) {
		mw_roff_section(out, "EXIT STATUS");
		mw_roff_text(out, verb->exits);
	}
	mw_roff_section(out, "SEE ALSO");
	fputs(".BR millwright (1),\n.BR millwright (5)\n", out);
}

static const struct {
	const char *name, *text;
} environment[] = {
	{ "MILLWRIGHT_PATH",
	  "Folders, split by `:`, whose profiles/ and chipsets/ are searched after those of the "
	  "current folder and before the installed ones." },
	{ "NO_COLOR", "When set, turns colours off." },
};

void mw_manual_command(FILE *out)
{
	mw_roff_head(out, "millwright", "1", "assembles virtual machines from data");
	mw_roff_section(out, "SYNOPSIS");
	fputs("\\fBmillwright\\fP \\fIVERB\\fP [\\fIARGUMENT\\fP...]\n", out);
	mw_roff_section(out, "DESCRIPTION");
	mw_roff_text(
		out,
		"A profile is a YAML file that names a chipset, devices and where they sit; it "
		"is resolved into a plan with every address placed, and the plan is run. A new "
		"machine is a new YAML file and no code; millwright(5) is about such files.\n"
		"\n"
		"A name of a profile is looked for on a search path; a word with `/` or ending "
		"in `.yaml` is a file.");
	mw_roff_section(out, "VERBS");
	for (size_t i = 0; mw_verbs[i]; i++) {
		fputs(".TP\n\\fBmillwright\\-", out);
		mw_roff_literal(out, mw_verbs[i]->name);
		fputs("\\fP(1)\n", out);
		mw_roff_words(out, mw_verbs[i]->summary);
		fputc('\n', out);
	}
	mw_roff_section(out, "ENVIRONMENT");
	for (size_t i = 0; i < sizeof(environment) / sizeof(environment[0]); i++) {
		fprintf(out, ".TP\n\\fB%s\\fP\n", environment[i].name);
		mw_roff_words(out, environment[i].text);
		fputc('\n', out);
	}
	mw_roff_section(out, "SEE ALSO");
	for (size_t i = 0; mw_verbs[i]; i++) {
		fputs(".BR millwright\\-", out);
		mw_roff_literal(out, mw_verbs[i]->name);
		fputs(" (1),\n", out);
	}
	fputs(".BR millwright (5)\n", out);
}

/* The folder. */

/* FOLDER/manSECTION/millwright[-VERB].SECTION */
static FILE *create(const char *folder, const char *verb, const char *section)
{
	char path[4096];
	int below = snprintf(path, sizeof(path), "%s/man%s", folder, section);
	FILE *file = NULL;

	errno = ENAMETOOLONG;
	if (below > 0 && (size_t)below < sizeof(path) - 100) {
		if (!mw_folder_make("help", path))
			return NULL;
		snprintf(path + below, sizeof(path) - (size_t)below, "/millwright%s%s.%s",
			 *verb ? "-" : "", verb, section);
		file = fopen(path, "we");
	}
	if (!file)
		fprintf(stderr, "millwright help: cannot write into %s: %s\n", folder,
			strerror(errno));
	return file;
}

static bool write_page(const char *folder, const char *section, void (*write)(FILE *out))
{
	FILE *file = create(folder, "", section);

	if (!file)
		return false;
	write(file);
	return mw_folder_close("help", folder, file);
}

bool mw_manual_write(const char *folder)
{
	if (!mw_folder_make("help", folder))
		return false;
	for (size_t i = 0; mw_verbs[i]; i++) {
		FILE *file;

		file = create(folder, mw_verbs[i]->name, "1");
		if (!file)
			return false;
		mw_manual_verb(mw_verbs[i], file);
		if (!mw_folder_close("help", folder, file))
			return false;
	}
	return write_page(folder, "1", mw_manual_command) &&
	       write_page(folder, "5", mw_manual_format);
}
