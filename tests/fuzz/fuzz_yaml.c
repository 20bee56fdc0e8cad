/** Any bytes as a profile: a plan, or findings that print in every format; never more than a little
 * time. The whole resolver runs, against the built-in devices and the chipsets of this tree. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/plan.h"
#include "devices/registry.h"
#include "resolver/read.h"
#include "resolver/resolver.h"

#define CHECK(condition)                                     \
	do {                                                 \
		if (!(condition)) {                          \
			fprintf(stderr, "%s\n", #condition); \
			abort();                             \
		}                                            \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static struct mw_registry registry;
static char path[32];
static int handle = -1;
static FILE *sink;

static void set_up(void)
{
	struct mw_diagnostics diagnostics = { 0 };

	CHECK(mw_builtin_devices(&registry, &diagnostics));
	mw_diagnostics_fini(&diagnostics);
	handle = memfd_create("profile", 0);
	CHECK(handle >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", handle);
	sink = fopen("/dev/null", "w");
	CHECK(sink);
}

static void put(const uint8_t *bytes, size_t count)
{
	CHECK(ftruncate(handle, 0) == 0);
	CHECK(pwrite(handle, bytes, count, 0) == (ssize_t)count);
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
	mw_diagnostics_print(diagnostics, sink, MW_DIAG_CONCISE, false);
	mw_diagnostics_print(diagnostics, sink, MW_DIAG_JSON, false);
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

static void read_alone(const uint8_t *bytes, size_t count)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_arena arena = { 0 };
	struct mw_tree *root = mw_read(&arena, &diagnostics, "fuzz", (const char *)bytes, count);

	CHECK(root || diagnostics.errors > 0);
	if (root)
		check_tree(&diagnostics, root);
	print_all(&diagnostics);
	mw_diagnostics_fini(&diagnostics);
	mw_arena_fini(&arena);
}

static void run(const uint8_t *bytes, size_t count)
{
	static const char *const sets[] = { "kernel=vmlinuz" };
	static const char *const search[] = { "." };
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_plan *plan;

	read_alone(bytes, count);
	put(bytes, count);
	struct mw_resolve_options options = { .profile = path,
					      .sets = sets,
					      .set_count = 1,
					      .search = search,
					      .search_count = 1,
					      .registry = &registry,
					      .lint = true };
	bool good = mw_resolve(&plan, &options, &diagnostics);

	CHECK(good == (plan != NULL));
	CHECK(good == (diagnostics.errors == 0));
	if (plan) {
		mw_plan_write_yaml(plan, MW_PLAN_WHOLE, sink);
		mw_plan_destroy(plan);
	}
	print_all(&diagnostics);
	mw_diagnostics_fini(&diagnostics);
}

/* Mutations of bytes are hardly ever text: bytes that no profile may hold become ones that mean
 * something to YAML. */
static bool wash(const uint8_t *bytes, size_t count, uint8_t *washed)
{
	static const char alphabet[] =
		"\n  ::--[]{},#&*!|>'\"%@`$()$()?<=+.~\\/_0123456789abinorwxy";
	bool changed = false;

	for (size_t i = 0; i < count; i++) {
		bool kept = (bytes[i] >= 0x20 && bytes[i] < 0x7f) || bytes[i] == '\n';

		washed[i] = kept ? bytes[i] : (uint8_t)alphabet[bytes[i] % (sizeof(alphabet) - 1)];
		changed |= !kept;
	}
	return changed;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	if (handle < 0)
		set_up();
	run(bytes, count);
	uint8_t *washed = malloc(count + 1);

	CHECK(washed);
	if (wash(bytes, count, washed))
		run(washed, count);
	free(washed);
	return 0;
}
