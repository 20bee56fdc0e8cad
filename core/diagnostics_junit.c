/* Findings as JUnit XML: a suite for each file, a case for each finding. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/diagnostics_internal.h"

/* What XML 1.0 can carry of a text: controls are dropped, they have no escape. */
static void put_escaped(FILE *out, const char *text)
{
	static const struct {
		char byte;
		const char *text;
	} entities[] = { { '&', "&amp;" },  { '<', "&lt;" },   { '>', "&gt;" },
			 { '"', "&quot;" }, { '\n', "&#10;" }, { '\t', "&#9;" } };
	size_t length = strlen(text);

	for (size_t i = 0; i < length;) {
		uint32_t point;
		size_t count = mw_utf8_decode(text + i, length - i, &point), entity = 0;

		while (entity < 6 && entities[entity].byte != text[i])
			entity++;
		if (entity < 6)
			fputs(entities[entity].text, out);
		else if (point == 0xfffd)
			fputs("\xef\xbf\xbd", out);
		else if (point >= 0x20 && point != 0x7f && !(point >= 0xd800 && point < 0xe000) &&
			 (point & 0xfffe) != 0xfffe)
			fwrite(text + i, 1, count, out);
		i += count;
	}
}

static void put_attribute(FILE *out, const char *name, const char *text)
{
	fprintf(out, " %s=\"", name);
	put_escaped(out, text);
	putc('"', out);
}

static bool fails(const struct mw_diag *diag)
{
	return diag->severity != MW_SEVERITY_HINT;
}

static void put_case_name(FILE *out, const struct mw_diag *diag, unsigned line)
{
	const char *name = mw_rule_name(diag->code);

	fputs(" name=\"", out);
	put_escaped(out, diag->code[0] ? diag->code : "host");
	if (name)
		fprintf(out, " %s", name);
	if (diag->node) {
		putc(' ', out);
		put_escaped(out, diag->node);
	}
	if (line)
		fprintf(out, " line %u", line);
	putc('"', out);
}

static void put_case(struct mw_diagnostics *diagnostics, FILE *out, const char *suite,
		     const struct mw_diag *diag)
{
	struct mw_place place = mw_span_place(diagnostics, diag->span, diag->span.byte);
	const char *element = fails(diag) ? "failure" : "system-out";
	char *story = mw_diag_story(diag);

	fputs("    <testcase", out);
	put_attribute(out, "classname", suite);
	put_case_name(out, diag, place.line);
	fprintf(out, ">\n      <%s", element);
	if (fails(diag)) {
		put_attribute(out, "type", mw_severity_name(diag->severity));
		put_attribute(out, "message", diag->message);
	}
	putc('>', out);
	if (place.file) {
		put_escaped(out, place.file);
		fprintf(out, ":%u:%u: ", place.line, place.column);
	}
	put_escaped(out, story);
	fprintf(out, "</%s>\n    </testcase>\n", element);
	free(story);
}

/* A source's findings: they are sorted by source. */
struct suite {
	const char *name;
	uint32_t source;
	size_t first, end;
};

static int by_name(const void *left, const void *right)
{
	const struct suite *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	return a->source < b->source ? -1 : a->source > b->source;
}

static size_t count_suites(const struct mw_diagnostics *diagnostics, struct suite *suites)
{
	size_t at = 0, count = 0;

	for (uint32_t source = 0; source <= diagnostics->source_count; source++) {
		struct suite suite = { .name = "millwright", .source = source, .first = at };

		if (source)
			suite.name = diagnostics->sources[source - 1].name;
		while (at < diagnostics->count && diagnostics->items[at]->span.source == source)
			at++;
		suite.end = at;
		if (source || suite.end > suite.first)
			suites[count++] = suite;
	}
	if (count)
		qsort(suites, count, sizeof(*suites), by_name);
	return count;
}

struct tally {
	size_t tests, failures;
};

static struct tally tally_of(const struct mw_diagnostics *diagnostics, const struct suite *suites,
			     size_t count)
{
	struct tally tally = { 0 };

	for (size_t i = 0; i < count; i++) {
		for (size_t j = suites[i].first; j < suites[i].end; j++) {
			const struct mw_diag *diag = diagnostics->items[j];

			tally.tests += !diag->hidden;
			tally.failures += !diag->hidden && fails(diag);
		}
	}
	return tally;
}

/* The sources of one name: a base is read once for each profile that extends it. */
static void put_suite(struct mw_diagnostics *diagnostics, FILE *out, const struct suite *suites,
		      size_t count)
{
	struct tally tally = tally_of(diagnostics, suites, count);

	fputs("  <testsuite", out);
	put_attribute(out, "name", suites->name);
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\">\n",
		tally.tests ? tally.tests : 1, tally.failures);
	if (!tally.tests) {
		fputs("    <testcase", out);
		put_attribute(out, "classname", suites->name);
		fputs(" name=\"lint\"/>\n", out);
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t j = suites[i].first; j < suites[i].end; j++) {
			if (!diagnostics->items[j]->hidden)
				put_case(diagnostics, out, suites->name, diagnostics->items[j]);
		}
	}
	fputs("  </testsuite>\n", out);
}

void mw_diag_print_junit(struct mw_diagnostics *diagnostics, FILE *out)
{
	struct suite *suites = mw_alloc(diagnostics->source_count + 1, sizeof(*suites));
	size_t count = count_suites(diagnostics, suites), end;

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"millwright\">\n",
	      out);
	for (size_t i = 0; i < count; i = end) {
		for (end = i + 1; end < count && strcmp(suites[i].name, suites[end].name) == 0;)
			end++;
		put_suite(diagnostics, out, suites + i, end - i);
	}
	fputs("</testsuites>\n", out);
	free(suites);
}
