/** `millwright lint`: everything the resolver finds in profiles, without running them. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/explain/explain.h"
#include "tools/lint/baseline.h"
#include "tools/lint/fix.h"
#include "tools/lint/lint.h"
#include "tools/report.h"
#include "tools/texts.h"
#include "tools/verbs.h"

static const char *const severities[] = { "error", "warning", "hint", NULL };

static const struct mw_option options[] = {
	MW_PROFILE_OPTIONS,
	{ .name = "all-params",
	  .help = "Check every pair of values of the bool and enum parameters, and optional paths "
		  "given and not given." },
	{ .name = "fix", .help = "Apply the safe fixes to the files, and say what is left." },
	{ .name = "unsafe-fixes",
	  .help = "With --fix or --diff: those too that may change what the guest sees." },
	{ .name = "diff", .help = "Print what --fix would do as a patch and change nothing." },
	{ .name = "select",
	  .value = "CODES",
	  .repeats = true,
	  .help = "Only these rules, by code or its start: R3,S104." },
	{ .name = "ignore",
	  .value = "CODES",
	  .repeats = true,
	  .help = "Not these rules. The longer start of a code decides between the two." },
	{ .name = "severity",
	  .value = "CODE=LEVEL",
	  .repeats = true,
	  .help = "Make a rule an error, warning, hint, or off." },
	{ .name = "fail-on",
	  .value = "SEVERITY",
	  .choices = severities,
	  .help = "Exit with 1 for findings at or over this severity: error (the default), warning "
		  "or hint." },
	{ .name = "baseline",
	  .value = "FILE",
	  .help = "Do not tell again what is in this file; without the option that is "
		  ".millwright-baseline.yaml beside the config or here." },
	{ .name = "no-baseline", .help = "Tell everything." },
	{ .name = "baseline-write", .help = "Put what is found into the baseline." },
	{ .name = "baseline-prune", .help = "Take what is mended out of the baseline." },
	{ .name = "config",
	  .value = "FILE",
	  .help = "Settings; without the option from the nearest .millwright.yaml upward from each "
		  "profile, within its repository." },
	{ .name = "no-config", .help = "No .millwright.yaml." },
	{ .name = "stdin-name", .value = "FILE", .help = "What to call the file that `-` reads." },
	{ .name = "explain",
	  .value = "CODE",
	  .help = "Say what a rule is about, with examples, and check nothing." },
	{ .name = "format",
	  .value = "FORMAT",
	  .choices = mw_report_formats,
	  .help = "full (the default on a terminal), concise (one line each, the default "
		  "elsewhere), json, jsonl, sarif, github or junit." },
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright lint my-machine.yaml", "Check one profile." },
	{ "millwright lint machines/ --fail-on warning", "Be strict with a whole folder." },
	{ "millwright lint my-machine.yaml --fix", "Mend what can be mended safely." },
	{ "millwright lint my-machine.yaml --diff --unsafe-fixes",
	  "Look at everything that could be mended." },
	{ "millwright lint machines/ --baseline-write", "From now on, tell only what is new." },
	{ "millwright lint microvm --all-params", "Check every combination that matters." },
	{ "millwright lint microvm --set kernel=vmlinuz --set cpus=300",
	  "Check a combination of parameters." },
	{ "millwright lint --explain R304", "Read about a rule." },
	{ "millwright lint microvm --format json | jq '.[].code'", "Let a program read it." },
	{ 0 },
};

static bool at_or_over(const struct mw_diagnostics *report, const char *least)
{
	size_t hints = 0;

	for (size_t i = 0; i < report->count; i++)
		hints += report->items[i]->hidden == MW_DIAG_SHOWN;
	if (strcmp(least, "error") == 0)
		return report->errors > 0;
	if (strcmp(least, "warning") == 0)
		return report->errors + report->warnings > 0;
	return hints > 0;
}

bool mw_lint_init(struct mw_lint *lint, const struct mw_arguments *arguments)
{
	lint->arguments = arguments;
	lint->configs = mw_alloc(1, sizeof(struct mw_config *));
	lint->configs[0] = mw_alloc(1, sizeof(struct mw_config));
	lint->configs[0]->folder = "/";
	lint->config_count = 1;
	return mw_workshop_init(&lint->workshop) &&
	       mw_selection_parse(&lint->selection, arguments, stderr);
}

void mw_lint_fini(struct mw_lint *lint)
{
	for (size_t i = 0; i < lint->config_count; i++) {
		mw_config_fini(lint->configs[i]);
		free(lint->configs[i]);
	}
	free(lint->configs);
	free(lint->operands);
	free(lint->standard_input);
	free(lint->folders);
	free(lint->given);
	mw_selection_fini(&lint->selection);
	mw_workshop_fini(&lint->workshop);
	mw_arena_fini(&lint->arena);
}

/* Where the baseline is: the option, the config, the usual name. The first operand's config decides. */
static const char *baseline_path(struct mw_lint *lint)
{
	const char *given = mw_arguments_value(lint->arguments, "baseline", NULL);
	const struct mw_config *config =
		lint->operand_count ? lint->operands[0].config : lint->configs[0];

	if (mw_arguments_has(lint->arguments, "no-baseline"))
		return NULL;
	if (given || config->baseline)
		return given ? given : config->baseline;
	return config->path
		       ? mw_arena_printf(&lint->arena, "%s/%s", config->folder, MW_BASELINE_NAME)
		       : MW_BASELINE_NAME;
}

static bool write_baseline(struct mw_baseline *baseline, const char *path, const char *what,
			   size_t count)
{
	const char *why;
	size_t length;
	char *text = mw_baseline_text(baseline, &length);
	bool good = mw_text_write(path, text, length, &why);

	free(text);
	if (good)
		fprintf(stderr, "millwright lint: %s: %zu %s %s\n", path, count,
			count == 1 ? "finding" : "findings", what);
	else
		fprintf(stderr, "millwright lint: cannot write %s: %s\n", path, why);
	return good;
}

static bool take_baseline(struct mw_baseline *baseline, const char *path,
			  struct mw_diagnostics *report)
{
	size_t left = mw_baseline_take(baseline, path, report), count = 0;

	for (size_t i = 0; i < baseline->count; i++)
		count += baseline->items[i].count;
	if (left)
		fprintf(stderr, "millwright lint: %zu %s too grave for a baseline\n", left,
			left == 1 ? "finding is" : "findings are");
	return write_baseline(baseline, path, "written", count);
}

static bool use_baseline(struct mw_lint *lint, struct mw_baseline *baseline, const char *path,
			 struct mw_diagnostics *report)
{
	struct mw_diagnostics problems = { 0 };
	bool good = mw_baseline_read(baseline, path, &problems);

	if (!good)
		mw_report(&problems, NULL, stderr);
	mw_diagnostics_fini(&problems);
	if (!good)
		return false;
	mw_baseline_apply(baseline, report);
	if (mw_arguments_has(lint->arguments, "baseline-prune")) {
		size_t gone = mw_baseline_prune(baseline, report);

		return write_baseline(baseline, path, "taken out", gone);
	}
	size_t stale = mw_baseline_stale(baseline, report);

	if (stale)
		fprintf(stderr,
			"millwright lint: %s: %zu known %s gone; --baseline-prune takes them out\n",
			path, stale, stale == 1 ? "finding is" : "findings are");
	return true;
}

/* False after a message: usage. */
static bool apply_baseline(struct mw_lint *lint, struct mw_diagnostics *report)
{
	const char *path = baseline_path(lint);
	struct mw_baseline baseline = { 0 };
	bool good = true;

	if (path && mw_arguments_has(lint->arguments, "baseline-write"))
		good = take_baseline(&baseline, path, report);
	else if (path && access(path, F_OK) == 0)
		good = use_baseline(lint, &baseline, path, report);
	mw_baseline_fini(&baseline);
	return good;
}

static size_t count_shown(const struct mw_diagnostics *report)
{
	size_t count = 0;

	for (size_t i = 0; i < report->count; i++)
		count += report->items[i]->hidden == MW_DIAG_SHOWN;
	return count;
}

static void print_count(FILE *out, const char *before, size_t count, const char *what)
{
	fprintf(out, "%s%zu %s%s", before, count, what, count == 1 ? "" : "s");
}

static void tell_fixed(struct mw_fixing *fixing, const struct mw_diagnostics *report, bool diff)
{
	size_t files = mw_fixing_files(fixing);

	mw_fixing_tell_skipped(fixing);
	print_count(stderr, diff ? "would fix " : "fixed ", fixing->fixed, "finding");
	print_count(stderr, " in ", files, "file");
	fprintf(stderr, "; %zu left\n", count_shown(report));
}

/* For people: what was found, in one line. */
static void tell_found(const struct mw_diagnostics *report, enum mw_fix_safety most)
{
	size_t shown = count_shown(report), fixable = mw_fixing_count(report, most);
	size_t hints = shown - report->errors - report->warnings;
	const char *before = "found ";

	if (!shown)
		return;
	if (report->errors) {
		print_count(stdout, before, report->errors, "error");
		before = ", ";
	}
	if (report->warnings) {
		print_count(stdout, before, report->warnings, "warning");
		before = ", ";
	}
	if (hints)
		print_count(stdout, before, hints, "hint");
	if (fixable)
		printf(" (%zu fixable with %s)", fixable,
		       most == MW_FIX_SAFE ? "--fix" : "--fix --unsafe-fixes");
	if (report->count > shown)
		printf(", %zu hidden", report->count - shown);
	putchar('\n');
}

static enum mw_exit finish_fixing(struct mw_fixing *fixing, struct mw_diagnostics *report)
{
	bool diff = mw_arguments_has(fixing->lint->arguments, "diff");
	bool changed = mw_fixing_files(fixing) > 0;

	if (fixing->broken) {
		fprintf(stderr,
			"millwright lint: a fix (of %s, or beside it) made %s unreadable, which is "
			"a "
			"mistake of ours; nothing was written\n",
			fixing->broken_code, fixing->broken);
		return MW_EXIT_BUG;
	}
	if (diff)
		mw_fixing_patch(fixing, stdout);
	else if (!mw_fixing_write(fixing))
		return MW_EXIT_USAGE;
	tell_fixed(fixing, report, diff);
	return diff && changed ? MW_EXIT_FAILED : MW_EXIT_OK;
}

static void print_report(struct mw_lint *lint, struct mw_diagnostics *report,
			 enum mw_fix_safety most)
{
	const char *format =
		mw_arguments_value(lint->arguments, "format",
				   lint->operand_count ? lint->operands[0].config->format : NULL);

	mw_report(report, format, stdout);
	if (mw_report_format(format, stdout) == MW_DIAG_FULL && isatty(STDOUT_FILENO))
		tell_found(report, most);
}

static enum mw_exit judge(struct mw_lint *lint, const struct mw_diagnostics *report)
{
	const char *least = lint->operand_count ? lint->operands[0].config->fail_on : NULL;

	if (lint->unreadable)
		return MW_EXIT_USAGE;
	least = mw_arguments_value(lint->arguments, "fail-on", least ? least : "error");
	return at_or_over(report, least) ? MW_EXIT_FAILED : MW_EXIT_OK;
}

static enum mw_exit work(struct mw_lint *lint, struct mw_diagnostics *report)
{
	bool diff = mw_arguments_has(lint->arguments, "diff");
	bool fix = diff || mw_arguments_has(lint->arguments, "fix");
	enum mw_exit code = MW_EXIT_OK, worst;
	struct mw_fixing fixing = { .lint = lint,
				    .most = mw_arguments_has(lint->arguments, "unsafe-fixes")
						    ? MW_FIX_UNSAFE
						    : MW_FIX_SAFE };

	if (fix)
		mw_fixing_run(&fixing, report);
	else
		mw_lint_look(lint, report);
	if (!apply_baseline(lint, report))
		code = MW_EXIT_USAGE;
	else if (fix)
		code = finish_fixing(&fixing, report);
	if (mw_arguments_has(lint->arguments, "all-params"))
		fprintf(stderr,
			"millwright lint: %zu combinations of parameters checked, %zu refused by "
			"the profile\n",
			lint->combinations, lint->refused);
	if (!diff && code != MW_EXIT_BUG)
		print_report(lint, report, fixing.most);
	worst = judge(lint, report);
	mw_fixing_fini(&fixing);
	return code > worst ? code : worst;
}

static int lint(const struct mw_arguments *arguments)
{
	struct mw_lint lint = { 0 };
	struct mw_diagnostics report = { 0 };
	const char *rule = mw_arguments_value(arguments, "explain", NULL);
	enum mw_exit code = MW_EXIT_USAGE;

	if (rule)
		return mw_explain(rule, stdout);
	if (arguments->operand_count == 0) {
		fputs("millwright lint: what is missing is PROFILE\nTry `millwright help lint`.\n",
		      stderr);
		return MW_EXIT_USAGE;
	}
	if (mw_lint_init(&lint, arguments) && mw_lint_operands(&lint))
		code = work(&lint, &report);
	mw_lint_fini(&lint);
	mw_diagnostics_fini(&report);
	return (int)code;
}

const struct mw_verb mw_verb_lint = {
	.name = "lint",
	.summary = "Check profiles and say everything that is wrong with them.",
	.operands = "PROFILE|FOLDER|-...",
	.min_operands = 0,
	.max_operands = SIZE_MAX,
	.options = options,
	.details =
		"A profile is a name (microvm, microvm@1) or a file (with `/` or ending in "
		"`.yaml`); a folder is every file below it that begins with `format:`. Nothing is "
		"started and no device is opened.\n\n"
		"`# lint: allow R304 -- reason` at the end of a line, or above an entry, or before "
		"the first key for the whole file, hides a finding; so does `lint: { allow: { "
		"R304: "
		"reason } }` in the file.",
	.examples = examples,
	.exits = "0 when clean or all is mended, 1 for findings at or over --fail-on (and with "
		 "--diff for a patch), 2 for usage, settings and files that cannot be read, 3 for "
		 "a mistake of ours.",
	.run = lint,
};
