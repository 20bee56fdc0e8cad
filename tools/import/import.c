/** `millwright import`: a first profile from a QEMU command line or a libvirt domain. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/import/sketch.h"
#include "tools/profile.h"
#include "tools/report.h"
#include "tools/verbs.h"

enum { MOST_BYTES = 4 << 20 };

static const struct mw_option options[] = {
	{ .name = "output",
	  .letter = 'o',
	  .value = "FILE",
	  .help = "Write the profile there; it must not exist. Without: standard output." },
	{ .name = "strict", .help = "Exit with 1 when anything was lost." },
	MW_DIAGNOSTICS_OPTION,
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright import qemu -- qemu-system-x86_64 -M microvm -kernel vmlinuz",
	  "What would this machine be?" },
	{ "millwright import qemu -o pc.yaml -- -m 1G -smp 2 -kernel vmlinuz",
	  "Write it to a file; the program's name may be left out." },
	{ "virsh dumpxml web1 | millwright import libvirt -", "A libvirt domain." },
	{ 0 },
};

/* The command line as one text, with the offset of each word. Words with a blank are quoted as a shell has
 * them, so that the text can be read. */
static char *join_words(const char *const *words, size_t count, uint32_t *offsets)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < count; i++) {
		bool quoted = !*words[i] || strpbrk(words[i], " \t\n\"$*?;&|<>()") != NULL;

		if (i)
			fputc(' ', out);
		if (quoted)
			fputc('\'', out);
		offsets[i] = (uint32_t)ftell(out);
		fputs(words[i], out);
		if (quoted)
			fputc('\'', out);
	}
	fclose(out);
	return text;
}

static bool import_qemu(struct mw_sketch *sketch, const struct mw_arguments *arguments)
{
	size_t count = arguments->operand_count - 1, bytes = 0;
	const char *const *words = arguments->operands + 1;

	for (size_t i = 0; i < count; i++)
		bytes += strlen(words[i]) + 3;
	if (!count || bytes > MOST_BYTES) {
		fputs(count ? "millwright import: the command line is too long\n"
			    : "millwright import qemu: the command line is missing; write it after "
			      "`--`\n",
		      stderr);
		return false;
	}
	uint32_t *offsets = mw_alloc(count, sizeof(*offsets));
	char *text = join_words(words, count, offsets);
	struct mw_import_words line = { .words = words, .offsets = offsets, .count = count };

	line.source =
		mw_diagnostics_source(sketch->diagnostics, "the command line", text, strlen(text));
	sketch->whole = (struct mw_span){ line.source, 0, (uint32_t)strlen(words[0]) };
	mw_import_qemu(sketch, &line);
	free(text);
	free(offsets);
	return true;
}

static char *read_whole(const char *path, size_t *length)
{
	bool input = strcmp(path, "-") == 0;
	FILE *file = input ? stdin : fopen(path, "r");
	char *text = mw_alloc(MOST_BYTES + 1, 1);
	int why = errno;

	*length = file ? fread(text, 1, MOST_BYTES + 1, file) : 0;
	if (file && ferror(file))
		why = errno;
	bool bad = !file || ferror(file), large = *length > MOST_BYTES;

	if (file && !input)
		fclose(file);
	if (!bad && !large)
		return text;
	fprintf(stderr, "millwright import: cannot read %s: %s\n", path,
		large ? "more than 4 MiB" : strerror(why));
	free(text);
	return NULL;
}

static bool import_libvirt(struct mw_sketch *sketch, const struct mw_arguments *arguments)
{
	size_t length;
	char *text;

	if (arguments->operand_count != 2) {
		fputs("millwright import libvirt: one FILE with a domain's XML, or - for standard "
		      "input\n",
		      stderr);
		return false;
	}
	text = read_whole(arguments->operands[1], &length);
	if (!text)
		return false;
	uint32_t source =
		mw_diagnostics_source(sketch->diagnostics, arguments->operands[1], text, length);

	sketch->whole = (struct mw_span){ source, 0, length ? 1 : 0 };
	mw_import_libvirt(sketch, source, text, length);
	free(text);
	return true;
}

/* Whether what is extended could not be found, which is no bug. */
static bool lacks_base(const struct mw_diagnostics *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		if (strcmp(findings->items[i]->code, "S113") == 0)
			return true;
	}
	return false;
}

/* What comes out must be a profile without errors: anything else is a bug of ours. */
static enum mw_exit check(struct mw_workshop *workshop, const char *text)
{
	struct mw_diagnostics findings = { 0 };
	struct mw_resolve_text memory = { .path = "imported.yaml",
					  .text = text,
					  .length = strlen(text) };
	struct mw_resolve_options resolving = {
		.profile = "./imported.yaml",
		.search = (const char *const *)workshop->search.folders,
		.search_count = workshop->search.count,
		.registry = &workshop->registry,
		.texts = &memory,
		.text_count = 1,
		.lock = "",
		.stand_ins = true
	};
	struct mw_plan *plan = NULL;
	enum mw_exit code = MW_EXIT_OK;

	memory.path = resolving.profile;
	if (!mw_resolve(&plan, &resolving, &findings)) {
		code = lacks_base(&findings) ? MW_EXIT_USAGE : MW_EXIT_BUG;
		fputs(code == MW_EXIT_BUG
			      ? "millwright import: the profile has errors, which is a bug of the "
				"import:\n"
			      : "millwright import: what the profile extends is not here:\n",
		      stderr);
		mw_report(&findings, "full", stderr);
	}
	mw_plan_destroy(plan);
	mw_diagnostics_fini(&findings);
	return code;
}

static enum mw_exit put(const char *text, const char *path)
{
	FILE *out = path ? fopen(path, "wx") : stdout;
	bool good = out && fputs(text, out) >= 0;

	if (out && path && fclose(out) != 0)
		good = false;
	if (!good) {
		fprintf(stderr, "millwright import: cannot write %s: %s\n",
			path ? path : "the profile", strerror(errno));
		if (out && path)
			unlink(path); /* half a profile is none */
		return MW_EXIT_USAGE;
	}
	return MW_EXIT_OK;
}

static enum mw_exit finish(struct mw_workshop *workshop, struct mw_sketch *sketch,
			   const struct mw_arguments *arguments)
{
	enum mw_exit code = MW_EXIT_USAGE;
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	if (!workshop->diagnostics.errors) {
		mw_sketch_settle(sketch);
		out = open_memstream(&text, &size);
		mw_sketch_write(sketch, out);
		fclose(out);
		code = check(workshop, text);
		if (code == MW_EXIT_OK)
			code = put(text, mw_arguments_value(arguments, "output", NULL));
		free(text);
	}
	if (workshop->diagnostics.count)
		mw_report(&workshop->diagnostics,
			  mw_arguments_value(arguments, "diagnostics", NULL), stderr);
	if (code == MW_EXIT_OK && sketch->losses && mw_arguments_has(arguments, "strict"))
		code = MW_EXIT_FAILED;
	return code;
}

static int import(const struct mw_arguments *arguments)
{
	bool qemu = strcmp(arguments->operands[0], "qemu") == 0;
	struct mw_workshop workshop;
	struct mw_arena arena = { 0 };
	enum mw_exit code = MW_EXIT_USAGE;

	if (!qemu &&
	    (!strcmp(arguments->operands[0], "svd") || !strcmp(arguments->operands[0], "rdl"))) {
		fprintf(stderr, "millwright import %s: not implemented yet\n",
			arguments->operands[0]);
		return MW_EXIT_USAGE;
	}
	if (!qemu && strcmp(arguments->operands[0], "libvirt") != 0) {
		fprintf(stderr, "millwright import: from what? `qemu` or `libvirt`, not `%s`\n",
			arguments->operands[0]);
		return MW_EXIT_USAGE;
	}
	if (mw_workshop_init(&workshop)) {
		struct mw_sketch *sketch = mw_alloc(1, sizeof(*sketch));

		sketch->arena = &arena;
		sketch->diagnostics = &workshop.diagnostics;
		if (qemu ? import_qemu(sketch, arguments) : import_libvirt(sketch, arguments))
			code = finish(&workshop, sketch, arguments);
		free(sketch);
	}
	mw_workshop_fini(&workshop);
	mw_arena_fini(&arena);
	return (int)code;
}

const struct mw_verb mw_verb_import = {
	.name = "import",
	.summary = "Sketch a profile from a QEMU command line or a libvirt domain.",
	.operands = "qemu -- COMMAND... | libvirt FILE",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.options = options,
	.details = "The profile extends what is nearest (microvm, or linux-pc for anything with a "
		   "BIOS) and has no "
		   "errors; what it cannot say is listed on standard error, each loss at the words "
		   "that said it. "
		   "Nothing is started, and files that are named are not opened, except a "
		   "firmware's size.",
	.examples = examples,
	.exits = "0, also when something was lost; 1 for losses under --strict; 2 for usage and "
		 "for what cannot "
		 "be read; 3 for a bug of ours.",
	.run = import,
};
