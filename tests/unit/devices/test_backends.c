/* Files, the log and nothing at the far end of a stream; a file as an image. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/rig.h"

extern const struct mw_device_type file_type, image_file_type, log_type, null_type;

/** A folder of the test's own with one file in it. */
struct place {
	char folder[32], file[64];
};

static int make_place(void **state)
{
	static struct place place;

	snprintf(place.folder, sizeof(place.folder), "/tmp/mw-backends-XXXXXX");
	if (!mkdtemp(place.folder))
		return -1;
	snprintf(place.file, sizeof(place.file), "%s/file", place.folder);
	*state = &place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	unlink(place->file);
	return rmdir(place->folder);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void expect_text(const char *path, const char *wanted)
{
	char got[256] = { 0 };
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	got[fread(got, 1, sizeof(got) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(got, wanted);
}

static void expect_refusal(const struct mw_device_type *type, const struct rig_setting *settings,
			   const char *why)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	assert_false(
		rig_try(&rig, type, &(struct rig_options){ .settings = settings }, &diagnostics));
	assert_int_equal(diagnostics.errors, 1);
	assert_non_null(strstr(diagnostics.items[0]->message, why));
	mw_diagnostics_fini(&diagnostics);
}

static void file_holds_what_was_sent(void **state)
{
	struct place *place = *state;
	const struct rig_setting settings[] = { { "path", 0, place->file }, { 0 } };

	write_text(place->file, "an older, longer text");
	struct rig *rig = rig_create(&file_type, settings);

	rig_send(rig, "port", "new", 3);
	rig_destroy(rig);
	expect_text(place->file, "new");
}

static void file_may_be_appended_to(void **state)
{
	struct place *place = *state;
	const struct rig_setting settings[] = { { "path", 0, place->file },
						{ "append", true, NULL },
						{ 0 } };

	write_text(place->file, "old ");
	struct rig *rig = rig_create(&file_type, settings);

	rig_send(rig, "port", "new", 3);
	rig_reset(rig);
	rig_send(rig, "port", " more", 5);
	rig_destroy(rig);
	expect_text(place->file, "old new more");
}

static void file_may_be_sent(void **state)
{
	struct place *place = *state;
	const struct rig_setting settings[] = { { "path", 0, "/dev/null" },
						{ "input", 0, place->file },
						{ 0 } };
	char got[32] = { 0 };
	size_t count = 0;

	write_text(place->file, "typed by a file");
	struct rig *rig = rig_create(&file_type, settings);

	for (unsigned i = 0; i < 100 && count < 15; i++) {
		rig_serve(rig, 10);
		count += rig_take(rig, "port", got + count, sizeof(got) - 1 - count);
	}
	assert_string_equal(got, "typed by a file");
	rig_destroy(rig);
}

static void file_that_cannot_be_opened_is_named(void **state)
{
	const struct rig_setting output[] = { { "path", 0, "/no/such/folder/file" }, { 0 } };
	const struct rig_setting input[] = { { "path", 0, "/dev/null" },
					     { "input", 0, "/no/such/file" },
					     { 0 } };

	expect_refusal(&file_type, output,
		       "cannot open /no/such/folder/file: No such file or directory");
	expect_refusal(&file_type, input, "cannot open /no/such/file");
}

static void full_disk_loses_output_and_says_so(void **state)
{
	const struct rig_setting settings[] = { { "path", 0, "/dev/full" }, { 0 } };
	struct rig *rig = rig_create(&file_type, settings);

	rig_send(rig, "port", "text", 4);
	for (unsigned i = 0; i < 10; i++)
		rig_serve(rig, 1);
	assert_non_null(strstr(rig_log(rig), "output is lost"));
	rig_destroy(rig);
}

static void image_reads_where_it_is_asked(void **state)
{
	struct place *place = *state;
	const struct rig_setting settings[] = { { "path", 0, place->file }, { 0 } };
	char got[4] = { 0 };

	write_text(place->file, "0123456789");
	struct rig *rig = rig_create(&image_file_type, settings);

	assert_int_equal(rig_image_size(rig), 10);
	assert_true(rig_image_read(rig, 4, got, 3));
	assert_string_equal(got, "456");
	assert_false(rig_image_read(rig, 8, got, 3)); /* all or nothing */
	assert_false(rig_image_read(rig, UINT64_MAX, got, 1));
	rig_destroy(rig);
}

static void image_must_be_a_file(void **state)
{
	const struct rig_setting none[] = { { "path", 0, "/no/such/rom" }, { 0 } };
	const struct rig_setting folder[] = { { "path", 0, "/tmp" }, { 0 } };

	expect_refusal(&image_file_type, none,
		       "cannot read /no/such/rom: No such file or directory");
	expect_refusal(&image_file_type, folder, "cannot read /tmp: not a regular file");
}

static void image_that_is_a_pipe_is_refused_at_once(void **state)
{
	struct place *place = *state;
	const struct rig_setting settings[] = { { "path", 0, place->file }, { 0 } };

	assert_int_equal(mkfifo(place->file, 0600), 0);
	expect_refusal(&image_file_type, settings, "not a regular file");
}

static void log_writes_whole_lines(void **state)
{
	struct rig *rig = rig_create(&log_type, NULL);

	rig_send(rig, "port", "first li", 8);
	assert_string_equal(rig_log(rig), "");
	rig_send(rig, "port", "ne\r\nsecond\n\nrest", 16);
	assert_non_null(strstr(rig_log(rig), "dut: first line\n"));
	assert_non_null(strstr(rig_log(rig), "dut: second\n"));
	assert_null(strstr(rig_log(rig), "rest"));
	rig_stop(rig);
	assert_non_null(strstr(rig_log(rig), "dut: rest\n"));
	rig_destroy(rig);
}

static void log_keeps_control_characters_away(void **state)
{
	struct rig *rig = rig_create(&log_type, NULL);

	rig_send(rig, "port", "\x1b[2Jx\x80\n", 7);
	assert_non_null(strstr(rig_log(rig), "dut: .[2Jx.\n"));
	rig_destroy(rig);
}

static void log_breaks_long_lines(void **state)
{
	struct rig *rig = rig_create(&log_type, NULL);
	char line[450];

	memset(line, 'a', sizeof(line));
	rig_send(rig, "port", line, sizeof(line));
	rig_stop(rig);
	size_t lines = 0;

	for (const char *at = rig_log(rig); (at = strchr(at, '\n')); at++)
		lines++;
	assert_int_equal(lines, 3);
	rig_destroy(rig);
}

static void null_takes_everything(void **state)
{
	struct rig *rig = rig_create(&null_type, NULL);
	uint8_t block[4096] = { 0 };

	for (unsigned i = 0; i < 100; i++)
		rig_send(rig, "port", block, sizeof(block));
	assert_int_equal(rig_take(rig, "port", block, sizeof(block)), 0);
	assert_string_equal(rig_log(rig), "");
	rig_destroy(rig);
}

#define IN_PLACE(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(file_holds_what_was_sent),
		IN_PLACE(file_may_be_appended_to),
		IN_PLACE(file_may_be_sent),
		cmocka_unit_test(file_that_cannot_be_opened_is_named),
		cmocka_unit_test(full_disk_loses_output_and_says_so),
		IN_PLACE(image_reads_where_it_is_asked),
		cmocka_unit_test(image_must_be_a_file),
		IN_PLACE(image_that_is_a_pipe_is_refused_at_once),
		cmocka_unit_test(log_writes_whole_lines),
		cmocka_unit_test(log_keeps_control_characters_away),
		cmocka_unit_test(log_breaks_long_lines),
		cmocka_unit_test(null_takes_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
