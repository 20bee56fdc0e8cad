/** The list of verbs and how one is found and called. */
// SPDX-License-Identifier: MIT
#include "tools/verbs.h"

#include <string.h>

const struct mw_verb *const mw_verbs[] = {
	&mw_verb_run,        &mw_verb_lint,      &mw_verb_fmt,     &mw_verb_resolve,
	&mw_verb_map,        &mw_verb_graph,     &mw_verb_why,     &mw_verb_cat,
	&mw_verb_diff,       &mw_verb_lock,      &mw_verb_abi,     &mw_verb_explain,
	&mw_verb_devices,    &mw_verb_schema,    &mw_verb_import,  &mw_verb_type,
	&mw_verb_insert,     &mw_verb_eject,     &mw_verb_image,   &mw_verb_inspect,
	&mw_verb_screenshot, &mw_verb_snapshot,  &mw_verb_restore, &mw_verb_lsp,
	&mw_verb_completion, &mw_verb_help_verb, &mw_verb_verify,  NULL,
};

const struct mw_verb *mw_verb_find(const char *name)
{
	for (size_t i = 0; mw_verbs[i]; i++)
		if (strcmp(mw_verbs[i]->name, name) == 0)
			return mw_verbs[i];
	return NULL;
}

const char *mw_verb_nearest(const char *name)
{
	const char *names[sizeof(mw_verbs) / sizeof(mw_verbs[0])] = { 0 };

	for (size_t i = 0; mw_verbs[i]; i++)
		names[i] = mw_verbs[i]->name;
	return mw_nearest_name(name, names);
}

int mw_verb_unknown(const char *name)
{
	const char *nearest = mw_verb_nearest(name);

	fprintf(stderr, "millwright: there is no verb `%s`", name);
	mw_end_with_nearest("", nearest);
	fputs("Try `millwright --help`.\n", stderr);
	return MW_EXIT_USAGE;
}

static int call_verb(const struct mw_verb *verb, int argc, char **argv)
{
	struct mw_arguments arguments;
	int code = MW_EXIT_USAGE;

	if (mw_arguments_parse(&arguments, verb, argc, argv, stderr)) {
		code = MW_EXIT_OK;
		if (arguments.help)
			mw_verb_help(verb, stdout);
		else
			code = verb->run(&arguments);
	}
	mw_arguments_fini(&arguments);
	return code;
}

static int unknown_option(const char *word)
{
	static const char *const options[] = { "help", "version", NULL };
	const char *nearest = word[1] == '-' ? mw_nearest_name(word + 2, options) : NULL;

	fprintf(stderr, "millwright: unknown option `%s`", word);
	mw_end_with_nearest("--", nearest);
	fputs("Try `millwright --help`.\n", stderr);
	return MW_EXIT_USAGE;
}

int mw_command(int argc, char **argv)
{
	const struct mw_verb *verb;

	if (argc < 2) {
		mw_command_help(stderr);
		return MW_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		mw_command_help(stdout);
		return MW_EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		mw_command_version(stdout);
		return MW_EXIT_OK;
	}
	if (argv[1][0] == '-')
		return unknown_option(argv[1]);
	verb = mw_verb_find(argv[1]);
	if (!verb)
		return mw_verb_unknown(argv[1]);
	return call_verb(verb, argc - 2, argv + 2);
}
