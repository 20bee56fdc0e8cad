/** Any bytes as a libvirt domain or, split at line ends, as QEMU's words: findings with places inside, or a
 * profile that the resolver takes. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/registry.h"
#include "resolver/resolver.h"
#include "tests/fuzz/check.h"
#include "tools/import/sketch.h"

enum { MOST_WORDS = 64, LONGEST = 8192 };

static struct mw_registry registry;

static void read_words(struct mw_sketch *sketch, char *text)
{
	const char *words[MOST_WORDS];
	uint32_t offsets[MOST_WORDS];
	struct mw_import_words line = { .words = words, .offsets = offsets };

	line.source = mw_diagnostics_source(sketch->diagnostics, "line", text, strlen(text));
	for (char *word = strtok(text, "\n"); word && line.count < MOST_WORDS;
	     word = strtok(NULL, "\n")) {
		offsets[line.count] = (uint32_t)(word - text);
		words[line.count++] = word;
	}
	sketch->whole = (struct mw_span){ line.source, 0, 0 };
	mw_import_qemu(sketch, &line);
}

static void read_domain(struct mw_sketch *sketch, const char *text, size_t count)
{
	uint32_t source = mw_diagnostics_source(sketch->diagnostics, "domain", text, count);

	sketch->whole = (struct mw_span){ source, 0, 0 };
	mw_import_libvirt(sketch, source, text, count);
}

static void check_spans(const struct mw_diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		struct mw_span span = diagnostics->items[i]->span;

		CHECK(span.source == 1);
		CHECK((size_t)span.byte + span.length <= diagnostics->sources[0].length + 1);
	}
}

/* Two devices at one port, or with one file, are what the words asked for. */
static bool are_overlaps(const struct mw_diagnostics *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct mw_diag *diag = findings->items[i];

		if (diag->severity == MW_SEVERITY_ERROR && strcmp(diag->code, "R301") != 0 &&
		    strcmp(diag->code, "X606") != 0)
			return false;
	}
	return true;
}

static void check_profile(struct mw_sketch *sketch)
{
	const char *search[] = { "." };
	struct mw_diagnostics findings = { 0 };
	struct mw_plan *plan = NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	mw_sketch_settle(sketch);
	mw_sketch_write(sketch, out);
	fclose(out);
	struct mw_resolve_text memory = { .path = "./imported.yaml", .text = text, .length = size };
	struct mw_resolve_options options = { .profile = memory.path,
					      .search = search,
					      .search_count = 1,
					      .registry = &registry,
					      .texts = &memory,
					      .text_count = 1,
					      .lock = "",
					      .stand_ins = true };

	if (!mw_resolve(&plan, &options, &findings) && !are_overlaps(&findings)) {
		mw_diagnostics_print(&findings, stderr, MW_DIAG_FULL, false);
		abort();
	}
	mw_plan_destroy(plan);
	mw_diagnostics_fini(&findings);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_arena arena = { 0 };
	struct mw_sketch *sketch;
	char text[LONGEST + 1];

	if (!registry.count)
		CHECK(mw_builtin_devices(&registry, &diagnostics));
	if (count > LONGEST)
		return 0;
	if (count)
		memcpy(text, bytes, count);
	text[count] = '\0';
	sketch = mw_alloc(1, sizeof(*sketch));
	sketch->arena = &arena;
	sketch->diagnostics = &diagnostics;
	if (text[0] == '<')
		read_domain(sketch, text, count);
	else
		read_words(sketch, text);
	check_spans(&diagnostics);
	if (!diagnostics.errors)
		check_profile(sketch);
	free(sketch);
	mw_diagnostics_fini(&diagnostics);
	mw_arena_fini(&arena);
	return 0;
}
