/* Read: YAML to a tree with byte-exact spans, hard limits, every trap closed. */
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "resolver/read.h"

struct reading {
	struct mw_arena arena;
	struct mw_diagnostics diagnostics;
	struct mw_tree *root;
};

static void read_bytes(struct reading *reading, const char *text, size_t length)
{
	*reading = (struct reading){ 0 };
	reading->root = mw_read(&reading->arena, &reading->diagnostics, "test", text, length);
}

static void read_text(struct reading *reading, const char *text)
{
	read_bytes(reading, text, strlen(text));
}

static void done(struct reading *reading)
{
	mw_diagnostics_fini(&reading->diagnostics);
	mw_arena_fini(&reading->arena);
}

static const char *covered(const struct reading *reading, struct mw_span span)
{
	static char text[256];

	snprintf(text, sizeof(text), "%.*s", (int)span.length,
		 reading->diagnostics.sources[span.source - 1].text + span.byte);
	return text;
}

/* The only finding has this code and covers this text. */
static void expect_bad(const char *text, const char *code, const char *wanted)
{
	struct reading reading;

	read_text(&reading, text);
	if (reading.diagnostics.count != 1)
		mw_diagnostics_print(&reading.diagnostics, stderr, MW_DIAG_FULL, false);
	assert_int_equal(reading.diagnostics.count, 1);
	assert_string_equal(reading.diagnostics.items[0]->code, code);
	assert_string_equal(covered(&reading, reading.diagnostics.items[0]->span), wanted);
	done(&reading);
}

static void maps_lists_and_scalars_keep_their_order(void **state)
{
	struct reading reading;

	read_text(&reading, "b: 1\na: [x, { c: 'd' }]\n");
	assert_int_equal(reading.diagnostics.count, 0);
	struct mw_tree *b = reading.root->first, *a = b->next;

	assert_string_equal(b->key, "b");
	assert_string_equal(b->text, "1");
	assert_false(b->quoted);
	assert_int_equal(a->kind, MW_TREE_LIST);
	assert_string_equal(a->first->text, "x");
	assert_true(mw_tree_get(a->first->next, "c")->quoted);
	assert_null(a->next);
	done(&reading);
}

static void spans_count_bytes_where_libyaml_counts_characters(void **state)
{
	struct reading reading;

	read_text(&reading, "\xef\xbb\xbf# \xe6\x97\xa5\xe6\x9c\xac\n"
			    "k\xc3\xa9y: \"\xe6\x97\xa5\"\nnext: { in: \xd0\xb8, last: z }\n");
	struct mw_tree *key = reading.root->first, *next = key->next;

	assert_int_equal(reading.diagnostics.count, 0);
	assert_string_equal(covered(&reading, key->key_span), "k\xc3\xa9y");
	assert_string_equal(covered(&reading, key->span), "\"\xe6\x97\xa5\"");
	assert_string_equal(covered(&reading, next->span), "{ in: \xd0\xb8, last: z }");
	assert_string_equal(covered(&reading, next->first->span), "\xd0\xb8");
	assert_string_equal(covered(&reading, next->last->key_span), "last");
	done(&reading);
}

static void a_block_ends_with_its_last_value(void **state)
{
	struct reading reading;

	read_text(&reading, "a:\n  b: 1\n  c: 2   # more\n\n# comment\nd: 3\n");
	assert_string_equal(covered(&reading, reading.root->first->span), "b: 1\n  c: 2");
	done(&reading);
}

static void line_ends_of_every_kind_read_the_same(void **state)
{
	struct reading reading;

	read_text(&reading, "a: 1\r\nb: { c: 2 }\r\nd: 3\r\n");
	assert_int_equal(reading.diagnostics.count, 0);
	assert_string_equal(covered(&reading, mw_tree_get(reading.root, "d")->span), "3");
	done(&reading);
}

static void part_of_a_scalar_is_found_in_its_source(void **state)
{
	struct reading reading;

	read_text(&reading, "a: pci0:02.0\nb: 'pci0:02.0'\nc: \"pci0\\x3a02.0\"\n");
	struct mw_tree *a = reading.root->first, *b = a->next, *c = b->next;

	assert_string_equal(covered(&reading, mw_tree_span(&reading.diagnostics, a, 5, 4)), "02.0");
	assert_string_equal(covered(&reading, mw_tree_span(&reading.diagnostics, b, 5, 4)), "02.0");
	assert_string_equal(covered(&reading, mw_tree_span(&reading.diagnostics, c, 5, 4)),
			    "\"pci0\\x3a02.0\"");
	done(&reading);
}

static void a_key_given_twice_names_both_places(void **state)
{
	struct reading reading;

	read_text(&reading, "a: { io: 1, irq: 2, io: 3 }\n");
	const struct mw_diag *diag = reading.diagnostics.items[0];

	assert_int_equal(reading.diagnostics.count, 1);
	assert_string_equal(diag->code, "Y001");
	assert_int_equal(diag->span.byte, 20);
	assert_int_equal(diag->notes->span.byte, 5);
	assert_int_equal(reading.root->first->count, 2);
	assert_string_equal(mw_tree_get(reading.root->first, "io")->text, "1");
	assert_true(reading.root->first->failed);
	done(&reading);
}

static void sharing_is_refused(void **state)
{
	expect_bad("a: &x 1\n", "Y002", "&x");
	expect_bad("a: &x [1]\n", "Y002", "&x");
	expect_bad("a: *x\n", "Y002", "*x");
	expect_bad("a: { <<: { b: 1 } }\n", "Y002", "<<");
	expect_bad("*x : 1\n", "Y002", "*x");
}

static void tags_are_refused_wherever_they_stand(void **state)
{
	expect_bad("a: !usb\n", "Y003", "!usb");
	expect_bad("a: !!str 1\n", "Y003", "!!str");
	expect_bad("a: !t { b: 1 }\n", "Y003", "!t");
	expect_bad("a: [!u x]\n", "Y003", "!u");
}

static void characters_that_start_nothing_are_explained(void **state)
{
	expect_bad("at: @pci0\n", "Y004", "@");
	expect_bad("at: `x`\n", "Y004", "`");
	expect_bad("at: %x\n", "Y004", "%");
	expect_bad("%YAML 1.2\n---\na: 1\n", "Y004", "%");
	expect_bad("# c\n\n%TAG ! x\n", "Y004", "%");
}

static void a_comma_inside_a_flow_value_is_explained(void **state)
{
	expect_bad("b: { call: rd(self, off) }\n", "Y007", ", off)");
	expect_bad("b: { call: f(a, b, c), next: 1 }\n", "Y007", ", b, c)");
	expect_bad("b: { cmdline: console=ttyS0,115200 root=/dev/vda }\n", "Y007",
		   ",115200 root=/dev/vda");
}

static void an_empty_value_is_no_split(void **state)
{
	struct reading reading;

	read_text(&reading, "b: { a: 1, c: }\nd:\n");
	assert_int_equal(reading.diagnostics.count, 0);
	done(&reading);
}

static void extension_keys_are_left_out(void **state)
{
	struct reading reading;

	read_text(&reading, "x-a: { deep: [1, 2] }\nb: { x-c: 1, d: 2 }\n");
	assert_int_equal(reading.diagnostics.count, 0);
	assert_int_equal(reading.root->count, 1);
	assert_int_equal(reading.root->first->count, 1);
	done(&reading);
}

static void only_one_document_is_read(void **state)
{
	expect_bad("a: 1\n---\nb: 2\n", "Y008", "---");
	struct reading reading;

	read_text(&reading, "---\na: 1\n...\n# the end\n");
	assert_int_equal(reading.diagnostics.count, 0);
	done(&reading);
}

static void a_file_that_is_no_map_is_refused(void **state)
{
	expect_bad("", "S102", "");
	expect_bad("# nothing\n", "S102", "");
	expect_bad("just text\n", "S102", "just text");
	expect_bad("- 1\n- 2\n", "S102", "- 1\n- 2");
}

static void keys_are_words(void **state)
{
	expect_bad("? [a]\n: 1\n", "Y008", "[");
	expect_bad("{ {a: 1}: 2 }\n", "Y008", "{");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t length, at;
	} rows[] = {
		{ "a: \xe9 b", 6, 3 },
		{ "a: \xc0\xaf", 5, 3 },
		{ "a: \xed\xa0\x80", 6, 3 },
		{ "a: \xf4\x90\x80\x80", 7, 3 },
		{ "a: \xe6\x97", 5, 3 },
		{ "a: \x80", 4, 3 },
		{ "a: b\0c", 6, 4 },
		{ "a: \x1b[31m", 8, 3 },
		{ "\xff\xfe\x61\x00", 4, 0 },
		{ "a: \x7f", 4, 3 },
		{ "a: \xc2\x80", 5, 3 },
		{ "a: \xef\xbf\xbe", 6, 3 },
		{ "a: \xf8\x88\x80\x80", 7, 3 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct reading reading;

		read_bytes(&reading, rows[i].bytes, rows[i].length);
		assert_null(reading.root);
		assert_int_equal(reading.diagnostics.count, 1);
		assert_string_equal(reading.diagnostics.items[0]->code, "Y009");
		assert_int_equal(reading.diagnostics.items[0]->span.byte, rows[i].at);
		done(&reading);
	}
}

static void an_escaped_nul_is_refused(void **state)
{
	expect_bad("a: \"x\\0y\"\n", "Y009", "\"x\\0y\"");
}

static void nesting_ends_at_32(void **state)
{
	char text[128];
	struct reading reading;

	snprintf(text, sizeof(text), "a: %.31s%.31s\n", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
		 "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
	read_text(&reading, text);
	assert_int_equal(reading.diagnostics.count, 0);
	done(&reading);
	snprintf(text, sizeof(text), "a: %.32s%.32s\n", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
		 "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
	expect_bad(text, "Y010", "[");
}

static void files_have_a_largest_size(void **state)
{
	struct reading reading;
	char *text = malloc(MW_READ_BYTES + 1);

	assert_non_null(text);
	memset(text, '#', MW_READ_BYTES + 1);
	read_bytes(&reading, text, MW_READ_BYTES + 1);
	assert_null(reading.root);
	assert_string_equal(reading.diagnostics.items[0]->code, "Y010");
	done(&reading);
	free(text);
}

static void files_have_a_largest_number_of_values(void **state)
{
	struct reading reading;
	size_t length = 3 + 2 * (MW_READ_NODES + 8);
	char *text = malloc(length + 1);

	assert_non_null(text);
	memset(text, ',', length);
	memcpy(text, "a: [", 4);
	for (size_t i = 4; i < length; i += 2)
		text[i] = '1';
	text[length] = '\0';
	text[length - 1] = ']';
	read_bytes(&reading, text, length);
	assert_null(reading.root);
	assert_int_equal(reading.diagnostics.count, 1);
	assert_string_equal(reading.diagnostics.items[0]->code, "Y010");
	done(&reading);
	free(text);
}

/* Each of these took libyaml seconds to minutes, or has no end, when nothing stops it. */
static void bombs_end_at_once(void **state)
{
	static const char *const pieces[] = { "[",     "{a: ", "- ",    "? ",     "%TAG !a! b\n",
					      "---\n", "*",    "!<",    "a,",     "{ r: a,",
					      "[a: [", "'\n",  " \n\t", "\"\\\n", "&a *a " };
	enum { SIZE = 1024 * 1024 };
	char *text = malloc(SIZE + 16);

	assert_non_null(text);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct reading reading;
		size_t length = strlen(pieces[i]);

		for (size_t at = 0; at < SIZE; at += length)
			memcpy(text + at, pieces[i], length);
		clock_t start = clock();

		read_bytes(&reading, text, SIZE);
		/* CPU time under sanitizers and load; a bomb that goes off takes far longer */
		assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
		assert_true(reading.diagnostics.errors > 0);
		done(&reading);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_lists_and_scalars_keep_their_order),
		cmocka_unit_test(spans_count_bytes_where_libyaml_counts_characters),
		cmocka_unit_test(a_block_ends_with_its_last_value),
		cmocka_unit_test(line_ends_of_every_kind_read_the_same),
		cmocka_unit_test(part_of_a_scalar_is_found_in_its_source),
		cmocka_unit_test(a_key_given_twice_names_both_places),
		cmocka_unit_test(sharing_is_refused),
		cmocka_unit_test(tags_are_refused_wherever_they_stand),
		cmocka_unit_test(characters_that_start_nothing_are_explained),
		cmocka_unit_test(a_comma_inside_a_flow_value_is_explained),
		cmocka_unit_test(an_empty_value_is_no_split),
		cmocka_unit_test(extension_keys_are_left_out),
		cmocka_unit_test(only_one_document_is_read),
		cmocka_unit_test(a_file_that_is_no_map_is_refused),
		cmocka_unit_test(keys_are_words),
		cmocka_unit_test(bytes_that_are_no_text_are_refused),
		cmocka_unit_test(an_escaped_nul_is_refused),
		cmocka_unit_test(nesting_ends_at_32),
		cmocka_unit_test(files_have_a_largest_size),
		cmocka_unit_test(files_have_a_largest_number_of_values),
		cmocka_unit_test(bombs_end_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
