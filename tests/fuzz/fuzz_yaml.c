/** Any bytes as a profile: a plan, or findings that print in every format; never more than a little
 * time. The whole resolver runs, against the built-in devices and the chipsets of this tree; then what
 * the findings would mend is mended, and what resolves is laid out and resolves to the same machine. A
 * line `=== WORD` (see `sections`) begins another file that the profile may name. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/plan.h"
#include "devices/registry.h"
#include "resolver/allow.h"
#include "resolver/read.h"
#include "resolver/study.h"
#include "tests/fuzz/check.h"
#include "tools/fmt/fmt.h"

enum { PROFILE, BASE, OVERLAY, PART, MODEL, FILES, LOCK = FILES, SETS, DEPRECATED, SECTIONS };
enum { MOST_SETS = 8, ROUNDS = 3 };

/* The word of the line that begins it, and the path under which the resolver finds it. */
static const struct {
	const char *word, *path;
} sections[SECTIONS] = {
	[PROFILE] = { "profile", "./fuzz.yaml" },
	[BASE] = { "base", "./base.yaml" },             /* extends: ./base.yaml */
	[OVERLAY] = { "overlay", "./overlay.yaml" },    /* as with -o */
	[PART] = { "part", "chipsets/parts/box.yaml" }, /* type: part/box */
	[MODEL] = { "cpu", "chipsets/cpu/own.yaml" },   /* cpu: { model: own } */
	[LOCK] = { "lock", NULL },                      /* its lock file */
	[SETS] = { "set", NULL },                       /* param=value, one a line */
	[DEPRECATED] = { "deprecated", NULL },          /* as with --allow-deprecated */
};

struct piece {
	const char *text;
	size_t length;
};

/* One input taken apart; what is not there has no text, but for the profile. */
struct input {
	struct piece pieces[SECTIONS];
	char *sets[MOST_SETS];
	size_t set_count;
};

static struct mw_registry registry;
static char lock_path[32];
static int handle = -1;
static FILE *sink;

static void set_up(void)
{
	struct mw_diagnostics diagnostics = { 0 };

	CHECK(mw_builtin_devices(&registry, &diagnostics));
	mw_diagnostics_fini(&diagnostics);
	handle = memfd_create("lock", 0);
	CHECK(handle >= 0);
	snprintf(lock_path, sizeof(lock_path), "/proc/self/fd/%d", handle);
	sink = fopen("/dev/null", "w");
	CHECK(sink);
}

/* Every edit lies in its file, and those of one fix do not overlap. */
static void check_fix(const struct mw_diagnostics *diagnostics, const struct mw_fix *fix)
{
	for (const struct mw_fix_edit *edit = fix ? fix->edits : NULL; edit; edit = edit->next) {
		struct mw_span span = edit->span;

		CHECK(span.source > 0 && span.source <= diagnostics->source_count);
		CHECK((size_t)span.byte + span.length <=
		      diagnostics->sources[span.source - 1].length);
		for (const struct mw_fix_edit *other = edit->next; other; other = other->next)
			CHECK(other->span.source != span.source ||
			      other->span.byte >= span.byte + span.length ||
			      span.byte >= other->span.byte + other->span.length);
	}
}

static void print_all(struct mw_diagnostics *diagnostics)
{
	mw_diagnostics_print(diagnostics, sink, MW_DIAG_FULL, true);
	for (int format = MW_DIAG_CONCISE; format <= MW_DIAG_JUNIT; format++)
		mw_diagnostics_print(diagnostics, sink, (enum mw_diag_format)format, false);
	for (size_t i = 0; i < diagnostics->count; i++) {
		struct mw_span span = diagnostics->items[i]->span;

		CHECK(span.source <= diagnostics->source_count);
		CHECK(span.source == 0 || (size_t)span.byte + span.length <=
						  diagnostics->sources[span.source - 1].length);
		check_fix(diagnostics, diagnostics->items[i]->fix);
	}
}

/* Every span of the tree lies in the file, and a plain scalar's span holds its text. */
static void check_tree(const struct mw_diagnostics *diagnostics, const struct mw_tree *tree)
{
	const struct mw_source *source = &diagnostics->sources[tree->span.source - 1];

	CHECK(tree->span.byte <= source->length);
	CHECK((size_t)tree->span.byte + tree->span.length <= source->length);
	if (tree->kind == MW_TREE_SCALAR && !tree->quoted && !tree->failed &&
	    strlen(tree->text) == tree->span.length)
		CHECK(strpbrk(tree->text, "\n ") ||
		      memcmp(source->text + tree->span.byte, tree->text, tree->span.length) == 0);
	for (const struct mw_tree *child = tree->first; child; child = child->next)
		check_tree(diagnostics, child);
}

/* How many traps of the reader are in a text; SIZE_MAX when it is not read to its end. */
static size_t read_alone(struct piece piece)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_arena arena = { 0 };
	struct mw_tree *root = mw_read(&arena, &diagnostics, "fuzz", piece.text, piece.length);
	size_t traps = root ? diagnostics.errors : SIZE_MAX;

	CHECK(root || diagnostics.errors > 0);
	if (root)
		check_tree(&diagnostics, root);
	mw_diagnostics_fini(&diagnostics);
	mw_arena_fini(&arena);
	return traps;
}

/* Resolves an input with another text of the profile; *written is the plan's text, or NULL. */
static struct mw_study *resolve(const struct input *input, struct mw_resolve_options *options,
				struct mw_resolve_text *texts, struct mw_diagnostics *diagnostics)
{
	static const char *const search[] = { "." };
	static const char *const overlays[] = { "./overlay.yaml" };
	const struct piece *lock = &input->pieces[LOCK];

	*options = (struct mw_resolve_options){
		.profile = sections[PROFILE].path,
		.sets = (const char *const *)input->sets,
		.set_count = input->set_count,
		.search = search,
		.search_count = 1,
		.overlays = overlays,
		.overlay_count = input->pieces[OVERLAY].text ? 1 : 0,
		.registry = &registry,
		.texts = texts,
		.lock = lock->text ? lock_path : "",
		.stand_ins = true,
		.allow_deprecated = input->pieces[DEPRECATED].text,
		.lint = true,
	};
	const struct piece *profile = &input->pieces[PROFILE];

	options->any_format = !memmem(profile->text, profile->length, "machine", strlen("machine"));
	for (size_t i = 0; i < FILES; i++) {
		if (input->pieces[i].text)
			texts[options->text_count++] =
				(struct mw_resolve_text){ sections[i].path, input->pieces[i].text,
							  input->pieces[i].length };
	}
	if (lock->text) {
		CHECK(ftruncate(handle, 0) == 0);
		CHECK(pwrite(handle, lock->text, lock->length, 0) == (ssize_t)lock->length);
	}
	return mw_study_open(options, diagnostics);
}

static char *plan_text(const struct mw_plan *plan)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	CHECK(out);
	mw_plan_write_yaml(plan, MW_PLAN_WHOLE, out);
	fclose(out);
	return text;
}

/* The edits of those fixes for the profile that do not touch one another, by place. */
static void mark_edits(const struct mw_diagnostics *diagnostics, const struct mw_fix_edit **at,
		       const char *path)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		const struct mw_diag *diag = diagnostics->items[i];
		const struct mw_fix_edit *edit = diag->fix ? diag->fix->edits : NULL;
		bool fits = diag->hidden == MW_DIAG_SHOWN && edit &&
			    diag->fix->safety != MW_FIX_PLACEHOLDER;

		for (; edit && fits; edit = edit->next) {
			fits = strcmp(diagnostics->sources[edit->span.source - 1].name, path) == 0;
			for (size_t byte = 0; byte <= edit->span.length && fits; byte++)
				fits = !at[edit->span.byte + byte];
		}
		for (edit = fits ? diag->fix->edits : NULL; edit; edit = edit->next) {
			for (size_t byte = 0; byte <= edit->span.length; byte++)
				at[edit->span.byte + byte] = edit;
		}
		for (edit = fits ? diag->fix->edits : NULL; edit; edit = edit->next)
			at[edit->span.byte] = edit;
	}
}

/* The profile mended, or NULL when there is nothing to mend; never harder to read than before. */
static char *mend(const struct mw_diagnostics *diagnostics, struct piece profile, size_t *length)
{
	const struct mw_fix_edit **at = mw_alloc(profile.length + 2, sizeof(struct mw_fix_edit *));
	const struct mw_fix_edit *last = NULL;
	char *text = NULL;
	FILE *out = open_memstream(&text, length);

	CHECK(out);
	mark_edits(diagnostics, at, sections[PROFILE].path);
	for (size_t byte = 0; byte <= profile.length;) {
		const struct mw_fix_edit *edit = at[byte];

		if (edit && edit->span.byte == byte && edit != last) {
			fputs(edit->text, out);
			byte += edit->span.length;
			last = edit;
			continue;
		}
		if (byte < profile.length)
			fputc(profile.text[byte], out);
		byte++;
	}
	fclose(out);
	free(at);
	if (!last) {
		free(text);
		return NULL;
	}
	CHECK(read_alone((struct piece){ text, *length }) <= read_alone(profile));
	return text;
}

static void check_layout(const struct input *input, const char *plan);

/* One look; what the fixes make of the profile, or NULL. */
static char *look(const struct input *input, size_t *length, bool lay_out)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_resolve_options options;
	struct mw_resolve_text texts[FILES];
	struct mw_study *study = resolve(input, &options, texts, &diagnostics);

	CHECK(options.any_format || (study->plan != NULL) == (diagnostics.errors == 0));
	char *plan = study->plan ? plan_text(study->plan) : NULL;

	mw_allow_apply(&diagnostics, study, MW_ALLOW_ALL);
	print_all(&diagnostics);
	char *mended = mend(&diagnostics, input->pieces[PROFILE], length);

	mw_study_close(study);
	mw_diagnostics_fini(&diagnostics);
	if (plan && lay_out)
		check_layout(input, plan);
	free(plan);
	return mended;
}

/* What is laid out is the same machine. */
static void check_layout(const struct input *input, const char *plan)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_resolve_options options;
	struct mw_resolve_text texts[FILES];
	struct input tidy = *input;
	struct piece *profile = &tidy.pieces[PROFILE];
	char *text = NULL;
	size_t length = 0;

	if (mw_fmt(&diagnostics, "fuzz", profile->text, profile->length, &text, &length) ==
	    MW_FMT_DONE) {
		*profile = (struct piece){ text, length };
		struct mw_study *study = resolve(&tidy, &options, texts, &diagnostics);

		CHECK(study->plan);
		char *same = plan_text(study->plan);

		CHECK(strcmp(plan, same) == 0);
		free(same);
		mw_study_close(study);
	}
	free(text);
	mw_diagnostics_fini(&diagnostics);
}

static void run(struct input *input)
{
	char *text = NULL;

	read_alone(input->pieces[PROFILE]);
	for (int round = 0; round < ROUNDS; round++) {
		size_t length = 0;
		char *mended = look(input, &length, round == 0);

		free(text);
		text = mended;
		if (!text)
			break;
		input->pieces[PROFILE] = (struct piece){ text, length };
	}
	free(text);
}

/* Which section a line begins; SECTIONS: none. */
static size_t section_of(const char *line, size_t length)
{
	size_t section = 0;

	if (length < 4 || memcmp(line, "=== ", 4) != 0)
		return SECTIONS;
	while (section < SECTIONS && (strlen(sections[section].word) != length - 4 ||
				      memcmp(line + 4, sections[section].word, length - 4) != 0))
		section++;
	return section;
}

static void take_apart(struct input *input, const char *text, size_t length)
{
	size_t section = PROFILE;
	const char *start = text, *end = text + length;

	input->pieces[PROFILE] = (struct piece){ text, 0 };
	for (const char *line = text; line < end;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t next = section_of(line, (size_t)((stop ? stop : end) - line));
		const char *after = stop ? stop + 1 : end;

		if (next < SECTIONS) {
			input->pieces[section] = (struct piece){ start, (size_t)(line - start) };
			section = next;
			start = after;
		}
		line = after;
	}
	input->pieces[section] = (struct piece){ start, (size_t)(end - start) };
}

static void take_sets(struct input *input)
{
	const char *at = input->pieces[SETS].text;
	const char *end = at ? at + input->pieces[SETS].length : NULL;

	while (at < end && input->set_count < MOST_SETS) {
		size_t rest = (size_t)(end - at);
		const char *stop = memchr(at, '\n', rest);
		size_t length = stop ? (size_t)(stop - at) : rest;
		char *set = strndup(at, length);

		CHECK(set);
		if (strchr(set, '='))
			input->sets[input->set_count++] = set;
		else
			free(set);
		at += length + 1;
	}
}

static void run_text(const char *text, size_t length)
{
	struct input input = { 0 };

	take_apart(&input, text, length);
	take_sets(&input);
	run(&input);
	for (size_t i = 0; i < input.set_count; i++)
		free(input.sets[i]);
}

/* Mutations of bytes are hardly ever text: bytes that no profile may hold become ones that mean
 * something to YAML. */
static bool wash(const uint8_t *bytes, size_t count, char *washed)
{
	static const char alphabet[] =
		"\n  ::--[]{},#&*!|>'\"%@`$()$()?<=+.~\\/_0123456789abinorwxy";
	bool changed = false;

	for (size_t i = 0; i < count; i++) {
		bool kept = (bytes[i] >= 0x20 && bytes[i] < 0x7f) || bytes[i] == '\n';

		washed[i] = kept ? (char)bytes[i] : alphabet[bytes[i] % (sizeof(alphabet) - 1)];
		changed |= !kept;
	}
	return changed;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	if (handle < 0)
		set_up();
	run_text((const char *)bytes, count);
	char *washed = malloc(count + 1);

	CHECK(washed);
	if (wash(bytes, count, washed))
		run_text(washed, count);
	free(washed);
	return 0;
}
