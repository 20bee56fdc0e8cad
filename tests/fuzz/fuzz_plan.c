/** Any bytes as a plan's text: refused with findings that print, or read, and then it is written and
 * read again the same way, and a machine of it can be built and reset. Bytes that begin with 1 are a
 * script of changes to one of the plans in the corpus, line by line. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine.h"
#include "core/tables/tables.h"
#include "devices/registry.h"
#include "resolver/plan_read.h"
#include "tests/fuzz/check.h"

enum { MOST_BASES = 16, MOST_LINES = 2048, SMALL_RAM = 64 << 20, SMALL_NODES = 64 };

static struct mw_registry registry;
static FILE *sink;
static char *bases[MOST_BASES];
static size_t base_count;

static char *slurp(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	CHECK(file);
	if (getdelim(&text, &size, '\0', file) < 0 || strncmp(text, "format:", 7) != 0) {
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

static void set_up(void)
{
	static const char *const paths[] = { "tests/fuzz/corpus/plan/refused_end",
					     "tests/fuzz/corpus/plan/small",
					     "tests/fuzz/corpus/plan/tour",
					     "tests/fuzz/corpus/plan/trust",
					     "tests/fuzz/corpus/plan/wired" };
	struct mw_diagnostics diagnostics = { 0 };

	CHECK(mw_builtin_devices(&registry, &diagnostics));
	mw_diagnostics_fini(&diagnostics);
	sink = fopen("/dev/null", "w");
	CHECK(sink);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *text = slurp(paths[i]);

		if (text)
			bases[base_count++] = text;
	}
	CHECK(base_count);
}

static void print_all(struct mw_diagnostics *diagnostics)
{
	mw_diagnostics_print(diagnostics, sink, MW_DIAG_FULL, true);
	mw_diagnostics_print(diagnostics, sink, MW_DIAG_JSON, false);
	for (size_t i = 0; i < diagnostics->count; i++) {
		struct mw_span span = diagnostics->items[i]->span;

		CHECK(span.source <= diagnostics->source_count);
		CHECK(span.source == 0 || (size_t)span.byte + span.length <=
						  diagnostics->sources[span.source - 1].length);
	}
}

static char *write_text(const struct mw_plan *plan)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	CHECK(out);
	mw_plan_write_yaml(plan, MW_PLAN_WHOLE, out);
	fclose(out);
	return text;
}

/* What would open files, sockets or the terminal stays a plan, and so does what is large. */
static bool is_harmless(const struct mw_plan *plan)
{
	unsigned own = 0;

	for (size_t i = 0; i < plan->node_count; i++) {
		own += plan->nodes[i].placement != MW_PLACEMENT_SHARED;
		if (plan->nodes[i].host && strcmp(plan->nodes[i].type->name, "null") != 0)
			return false;
	}
	return plan->ram_bytes <= SMALL_RAM && plan->node_count <= SMALL_NODES && own <= 2;
}

static void build(const struct mw_plan *plan)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_machine *machine;

	if (mw_machine_build(&machine, plan, &diagnostics)) {
		mw_machine_set_log(machine, sink);
		mw_machine_add_reset_hook(machine,
					  (struct mw_reset_hook){ "items", mw_items_write, NULL });
		mw_machine_add_reset_hook(
			machine, (struct mw_reset_hook){ "tables", mw_tables_write, NULL });
		CHECK(mw_machine_reset(machine, &diagnostics) || diagnostics.errors);
		mw_machine_destroy(machine);
	} else {
		CHECK(diagnostics.errors);
	}
	print_all(&diagnostics);
	mw_diagnostics_fini(&diagnostics);
}

static void read_again(const struct mw_plan *plan)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_plan *again;
	char *text = write_text(plan), *same;

	CHECK(mw_plan_read(&again, text, strlen(text), "again", &registry, &diagnostics));
	same = write_text(again);
	CHECK(strcmp(text, same) == 0);
	free(text);
	free(same);
	mw_plan_destroy(again);
	mw_diagnostics_fini(&diagnostics);
}

static void run(const char *text, size_t length)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_plan *plan;
	bool good = mw_plan_read(&plan, text, length, "fuzz", &registry, &diagnostics);

	CHECK(good == (plan != NULL));
	CHECK(good == (diagnostics.errors == 0));
	if (plan) {
		read_again(plan);
		if (is_harmless(plan))
			build(plan);
		mw_plan_destroy(plan);
	}
	print_all(&diagnostics);
	mw_diagnostics_fini(&diagnostics);
}

/* A text as its lines, which are shared and never changed in place. */
struct lines {
	const char *items[MOST_LINES];
	size_t count;
	char *made[64]; /* lines that a change made */
	size_t made_count;
};

static void split(struct lines *lines, char *text)
{
	for (char *line = text, *next; *line && lines->count < MOST_LINES; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		lines->items[lines->count++] = line;
	}
}

static size_t depth_of(const char *line)
{
	return strspn(line, " ");
}

/* The line and what is indented below it. */
static size_t block_at(const struct lines *lines, size_t at)
{
	size_t end = at + 1;

	while (end < lines->count && depth_of(lines->items[end]) > depth_of(lines->items[at]))
		end++;
	return end - at;
}

static void insert(struct lines *lines, size_t at, const char *const *items, size_t count)
{
	if (lines->count + count > MOST_LINES)
		return;
	memmove(lines->items + at + count, lines->items + at,
		(lines->count - at) * sizeof(*lines->items));
	memcpy(lines->items + at, items, count * sizeof(*items));
	lines->count += count;
}

static void drop(struct lines *lines, size_t at, size_t count)
{
	memmove(lines->items + at, lines->items + at + count,
		(lines->count - at - count) * sizeof(*lines->items));
	lines->count -= count;
}

static const char *value_of(const char *line)
{
	const char *colon = strstr(line, ": "), *dash = strstr(line, "- ");

	return colon ? colon + 2 : dash ? dash + 2 : line + strlen(line);
}

static void set_value(struct lines *lines, size_t at, const char *value)
{
	const char *line = lines->items[at];
	char *made;

	if (lines->made_count == sizeof(lines->made) / sizeof(lines->made[0]))
		return;
	CHECK(asprintf(&made, "%.*s%s", (int)(value_of(line) - line), line, value) >= 0);
	lines->items[at] = lines->made[lines->made_count++] = made;
}

static void set_number(struct lines *lines, size_t at, unsigned draw)
{
	static const char *const values[] = {
		"0",
		"1",
		"2",
		"0xffffffff",
		"4294967295",
		"4294967296",
		"-1",
		"65535",
		"0x0+0x1",
		"0x0+0x1000",
		"0xfee00000+0x1000",
		"0xfff+0x1",
		"18446744073709551615",
		"true",
		"false",
		"\"\"",
		"null",
		"host",
		"[]",
		"{}",
		"0x100000000+0x1000",
		"0xfffffffffffff000+0x1000",
	};
	char text[32];

	if (draw < sizeof(values) / sizeof(values[0])) {
		set_value(lines, at, values[draw]);
		return;
	}
	snprintf(text, sizeof(text), draw & 1 ? "0x%x" : "0x%x+0x8", draw * 16);
	set_value(lines, at, text);
}

static void change(struct lines *lines, const uint8_t *step)
{
	const char *block[MOST_LINES];
	size_t a = (step[1] | (size_t)step[2] << 8) % lines->count;
	size_t b = (step[3] | (size_t)step[4] << 8) % lines->count;
	const char *first = lines->items[a];
	size_t count = block_at(lines, a);

	memcpy(block, lines->items + a, count * sizeof(*block));
	switch (step[0] % 8) {
	case 0: drop(lines, a, 1); break;
	case 1: drop(lines, a, count); break;
	case 2: insert(lines, b, &first, 1); break;
	case 3: insert(lines, b, block, count); break;
	case 4: set_value(lines, a, value_of(lines->items[b])); break;
	case 5:
		lines->items[a] = lines->items[b];
		lines->items[b] = first;
		break;
	case 6:
		drop(lines, a, count);
		insert(lines, b < lines->count ? b : lines->count, block, count);
		break;
	default: set_number(lines, a, step[3]); break;
	}
}

static void run_script(const uint8_t *bytes, size_t count)
{
	struct lines lines = { .count = 0 };
	char *base = strdup(bases[bytes[0] % base_count]), *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	CHECK(base && out);
	split(&lines, base);
	for (size_t at = 1; at + 5 <= count && at < 100 && lines.count; at += 5)
		change(&lines, bytes + at);
	for (size_t i = 0; i < lines.count; i++)
		fprintf(out, "%s\n", lines.items[i]);
	fclose(out);
	run(text, length);
	for (size_t i = 0; i < lines.made_count; i++)
		free(lines.made[i]);
	free(text);
	free(base);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	if (!sink)
		set_up();
	if (count > 1 && bytes[0] == 1)
		run_script(bytes + 1, count - 1);
	else
		run((const char *)bytes, count);
	return 0;
}
