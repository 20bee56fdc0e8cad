/** `millwright explain`: what a finding's code means, why it is one, and how it is mended. */
// SPDX-License-Identifier: MIT
#include "tools/explain/explain.h"

#include <string.h>
#include <strings.h>

#include "core/diagnostics.h"
#include "resolver/allow.h"
#include "tools/verbs.h"

static const struct mw_option options[] = {
	{ .name = "list", .help = "List every rule: code, severity and name." },
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright explain R304", "What a finding means, with a bad and a good example." },
	{ "millwright explain shared-irq", "The same by its name." },
	{ "millwright explain --list", "All rules." },
	{ 0 },
};

static const char *const severities[] = { [MW_SEVERITY_ERROR] = "error",
					  [MW_SEVERITY_WARNING] = "warning",
					  [MW_SEVERITY_HINT] = "hint" };

static const struct mw_rule *find_rule(const char *word)
{
	const struct mw_rule *rule = NULL;

	while ((rule = mw_rule_next(rule)))
		if (strcasecmp(rule->code, word) == 0 || strcasecmp(rule->name, word) == 0)
			return rule;
	return NULL;
}

static int refuse(const char *word)
{
	const char *names[256], *nearest;
	const struct mw_rule *rule = NULL;
	size_t count = 0;

	while ((rule = mw_rule_next(rule)) && count < 254) {
		names[count++] = rule->code;
		names[count++] = rule->name;
	}
	names[count] = NULL;
	nearest = mw_nearest_name(word, names);
	fprintf(stderr, "millwright explain: there is no rule `%s`", word);
	mw_end_with_nearest("", nearest);
	fputs("Try `millwright explain --list`.\n", stderr);
	return MW_EXIT_USAGE;
}

static const char *text_of(const char *code)
{
	for (const struct mw_explanation *row = mw_explanations; row->code; row++)
		if (strcmp(row->code, code) == 0)
			return row->text;
	return NULL;
}

static void print_suppression(const struct mw_rule *rule, FILE *out)
{
	if (mw_rule_is_fixed(rule->code))
		fprintf(out,
			"\nThis finding cannot be allowed: what it says is always a mistake.\n");
	else
		fprintf(out,
			"\nTo allow it in one place, give the reason at the line's end or above "
			"it:\n\n"
			"    # lint: allow %s -- why it is right here\n",
			rule->code);
}

int mw_explain(const char *code, FILE *out)
{
	const struct mw_rule *rule = find_rule(code);
	const char *text = rule ? text_of(rule->code) : NULL;

	if (!rule)
		return refuse(code);
	fprintf(out, "%s: %s (%s)\n\n", rule->code, rule->name, severities[rule->severity]);
	fputs(text ? text : "Nothing raises this rule yet: its devices are not there.\n", out);
	if (text)
		print_suppression(rule, out);
	return MW_EXIT_OK;
}

static void list_rules(void)
{
	const struct mw_rule *rule = NULL;

	while ((rule = mw_rule_next(rule)))
		printf("%s  %-8s %s%s\n", rule->code, severities[rule->severity], rule->name,
		       text_of(rule->code) ? "" : " (not raised yet)");
}

static int explain(const struct mw_arguments *arguments)
{
	enum mw_exit code = MW_EXIT_OK;

	if (mw_arguments_has(arguments, "list")) {
		list_rules();
		return MW_EXIT_OK;
	}
	if (!arguments->operand_count) {
		fputs("millwright explain: which rule? A code such as R304, or --list.\n", stderr);
		return MW_EXIT_USAGE;
	}
	for (size_t i = 0; i < arguments->operand_count && code == MW_EXIT_OK; i++) {
		if (i)
			putchar('\n');
		code = (enum mw_exit)mw_explain(arguments->operands[i], stdout);
	}
	return (int)code;
}

const struct mw_verb mw_verb_explain = {
	.name = "explain",
	.summary = "Explain a finding's code, with bad and good examples.",
	.operands = "[CODE...]",
	.max_operands = SIZE_MAX,
	.options = options,
	.examples = examples,
	.exits = "0; 2 when there is no such rule.",
	.run = explain,
};
