/** What the words of a command line can be completed to, and `millwright completion`. */
// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <string.h>

#include "accel/accel.h"
#include "core/diagnostics.h"
#include "tools/manual/manual_internal.h"
#include "tools/profile.h"
#include "tools/schema/schema.h"
#include "tools/verbs.h"

/* Words that help texts call values and operands by. */
static const struct {
	const char *word;
	enum mw_word_kind kind;
} names[] = {
	{ "PROFILE", MW_WORD_PROFILE }, { "FILE", MW_WORD_FILE },   { "PATH", MW_WORD_FILE },
	{ "FOLDER", MW_WORD_FILE },     { "SOCKET", MW_WORD_FILE }, { "TYPE", MW_WORD_TYPE },
	{ "VERB", MW_WORD_VERB },       { "CODE", MW_WORD_CODE },   { "CODES", MW_WORD_CODE },
	{ "FORMAT", MW_WORD_FORMAT },   { "SHELL", MW_WORD_SHELL },
};

static enum mw_word_kind kind_of(const char *word, size_t length)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i].word) == length && !memcmp(names[i].word, word, length))
			return names[i].kind;
	}
	return MW_WORD_NONE;
}

enum mw_word_kind mw_completion_value(const struct mw_option *option)
{
	if (!option->value)
		return MW_WORD_NONE;
	if (!strcmp(option->name, "accel"))
		return MW_WORD_ACCEL;
	return kind_of(option->value, strlen(option->value));
}

unsigned mw_completion_operands(const struct mw_verb *verb)
{
	unsigned mask = 0;

	for (const char *at = verb->operands; *at;) {
		size_t length = 0;

		while (isupper((unsigned char)at[length]))
			length++;
		mask |= length ? 1u << kind_of(at, length) : 0u;
		at += length ? length : 1;
	}
	return mask & ~(1u << MW_WORD_NONE);
}

void mw_completion_literals(FILE *out, const struct mw_verb *verb, const char *before,
			    const char *after)
{
	for (const char *at = verb->operands; *at;) {
		size_t length = 0;

		while (islower((unsigned char)at[length]))
			length++;
		if (length)
			fprintf(out, "%s%.*s%s", before, (int)length, at, after);
		at += length ? length : 1;
	}
}

/* Word number `at` of a kind, or NULL behind the last. */
static const char *word_at(enum mw_word_kind kind, const struct mw_registry *registry, size_t at)
{
	const struct mw_rule *rule = NULL;

	switch (kind) {
	case MW_WORD_TYPE: return at < registry->count ? registry->types[at]->name : NULL;
	case MW_WORD_VERB: return mw_verbs[at] ? mw_verbs[at]->name : NULL;
	case MW_WORD_SHELL: return mw_completion_shells[at];
	case MW_WORD_FORMAT: return mw_schema_format(at) ? mw_schema_format(at)->name : NULL;
	case MW_WORD_ACCEL:
		if (at == 0)
			return "auto";
		return mw_accels[at - 1] ? mw_accels[at - 1]->name : NULL;
	case MW_WORD_CODE:
		for (size_t i = 0; i <= at && (i == 0 || rule); i++)
			rule = mw_rule_next(rule);
		return rule ? rule->code : NULL;
	default: return NULL;
	}
}

void mw_completion_words(FILE *out, enum mw_word_kind kind, const struct mw_registry *registry,
			 const char *before, const char *after)
{
	const char *word;

	for (size_t i = 0; (word = word_at(kind, registry, i)) != NULL; i++)
		fprintf(out, "%s%s%s%s", before, word,
			kind == MW_WORD_FORMAT ? mw_schema_suffix(mw_schema_format(i)) : "", after);
}

const char *const mw_completion_shells[] = { "bash", "zsh", "fish", NULL };

void mw_completion_write(const char *shell, const struct mw_registry *registry, FILE *out)
{
	if (!strcmp(shell, "bash"))
		mw_completion_bash(registry, out);
	else if (!strcmp(shell, "zsh"))
		mw_completion_zsh(registry, out);
	else
		mw_completion_fish(registry, out);
}

/* The verb. */

static const struct mw_example examples[] = {
	{ "source <(millwright completion bash)", "Complete in this shell." },
	{ "millwright completion zsh > ~/.zfunc/_millwright",
	  "Complete in every zsh whose fpath has ~/.zfunc." },
	{ "millwright completion fish > ~/.config/fish/completions/millwright.fish",
	  "Complete in every fish." },
	{ 0 },
};

static int completion(const struct mw_arguments *arguments)
{
	const char *shell = arguments->operands[0];
	struct mw_workshop workshop;
	int code = MW_EXIT_FAILED;
	size_t known = 0;

	while (mw_completion_shells[known] && strcmp(mw_completion_shells[known], shell) != 0)
		known++;
	if (!mw_completion_shells[known]) {
		fprintf(stderr, "millwright completion: `%s` is none of bash, zsh, fish\n", shell);
		return MW_EXIT_USAGE;
	}
	if (mw_workshop_init(&workshop)) {
		mw_completion_write(shell, &workshop.registry, stdout);
		code = MW_EXIT_OK;
	}
	mw_workshop_fini(&workshop);
	return code;
}

const struct mw_verb mw_verb_completion = {
	.name = "completion",
	.summary = "Write the completions of a shell: bash, zsh or fish.",
	.operands = "SHELL",
	.min_operands = 1,
	.max_operands = 1,
	.details = "Completes verbs, options, their values, names of profiles and device types. An "
		   "installed millwright has them already.",
	.examples = examples,
	.exits = "0; 2 for a shell that has none.",
	.run = completion,
};
