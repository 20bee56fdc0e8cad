/* The probe's cache is believed only when it is ours, whole and of this boot. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "accel/kvm/kvm_internal.h"

static char folder[64], path[128];
static const char *const key = "boot-1 1 0 0";

static int make_folder(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/mw-probe-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/probe", folder);
	return 0;
}

static int remove_folder(void **state)
{
	unlink(path);
	rmdir(path);
	return rmdir(folder);
}

static void put(const char *text, size_t count)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, count, file), count);
	assert_int_equal(fclose(file), 0);
}

static bool reads(void)
{
	struct kvm_probe_result result;

	return kvm_probe_cache_read(path, key, &result);
}

static bool believes(const char *text)
{
	put(text, strlen(text));
	return reads();
}

static void what_is_written_is_read_back(void **state)
{
	const struct kvm_probe_result written[] = { { MW_ACCEL_GOOD, "" },
						    { MW_ACCEL_SLOW, "it crawls" },
						    { MW_ACCEL_PARTIAL, "it limps" } };

	for (size_t i = 0; i < 3; i++) {
		struct kvm_probe_result read = { 0 };

		kvm_probe_cache_write(path, key, &written[i]);
		assert_true(kvm_probe_cache_read(path, key, &read));
		assert_int_equal(read.verdict, written[i].verdict);
		assert_string_equal(read.reason, written[i].reason);
	}
}

static void another_boot_is_another_answer(void **state)
{
	const struct kvm_probe_result good = { MW_ACCEL_GOOD, "" };
	struct kvm_probe_result read;

	kvm_probe_cache_write(path, key, &good);
	assert_false(kvm_probe_cache_read(path, "boot-2 1 0 0", &read));
	assert_false(kvm_probe_cache_read(path, "boot-1 0 0 1", &read));
}

static void missing_file_is_no_answer(void **state)
{
	assert_false(reads());
}

static void broken_files_are_ignored(void **state)
{
	char long_text[600];

	assert_true(believes("millwright kvm probe 2\nboot-1 1 0 0\ngood\n\n"));
	assert_false(believes(""));
	assert_false(believes("\n"));
	assert_false(believes("millwright kvm probe 3\nboot-1 1 0 0\ngood\n\n"));
	assert_false(believes("millwright kvm probe 2\nboot-1 1 0 0\nsuperb\n\n"));
	assert_false(believes("millwright kvm probe 2\nboot-1 1 0 0\ngood\n"));
	assert_false(believes("millwright kvm probe 2\nboot-1 1 0 0\ngood\n\nmore"));
	assert_false(believes("millwright kvm probe 2\nboot-1 1 0 0\nslow\n\033[31mred\n"));
	put("millwright kvm probe 2\nboot-1 1 0 0\ngood\n\0\n", 43);
	assert_false(reads());
	memset(long_text, 'x', sizeof(long_text));
	put(long_text, sizeof(long_text));
	assert_false(reads());
}

static void file_that_others_may_write_is_ignored(void **state)
{
	const struct kvm_probe_result good = { MW_ACCEL_GOOD, "" };

	kvm_probe_cache_write(path, key, &good);
	assert_true(reads());
	assert_int_equal(chmod(path, 0666), 0);
	assert_false(reads());
	assert_int_equal(chmod(path, 0620), 0);
	assert_false(reads());
}

static void link_pipe_and_folder_are_ignored(void **state)
{
	const struct kvm_probe_result good = { MW_ACCEL_GOOD, "" };
	char target[160];

	snprintf(target, sizeof(target), "%s/target", folder);
	kvm_probe_cache_write(target, key, &good);
	assert_int_equal(symlink(target, path), 0);
	assert_false(reads());
	unlink(path);
	unlink(target);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(reads());
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(reads());
}

static void nothing_is_left_beside_it(void **state)
{
	const struct kvm_probe_result good = { MW_ACCEL_GOOD, "" };

	kvm_probe_cache_write(path, key, &good);
	kvm_probe_cache_write("/nonexistent/folder/probe", key, &good);
	/* remove_folder fails if the folder holds more than the cache. */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read_back),
		TEST(another_boot_is_another_answer),
		TEST(missing_file_is_no_answer),
		TEST(broken_files_are_ignored),
		TEST(file_that_others_may_write_is_ignored),
		TEST(link_pipe_and_folder_are_ignored),
		TEST(nothing_is_left_beside_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
