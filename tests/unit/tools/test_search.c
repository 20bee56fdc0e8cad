/** The order of folders that profiles are looked for in. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/search.h"

/** Compares with folders ended by NULL; the compiled-in share folder is always the last. */
static void assert_search(const struct mw_search *search, const char *const *expected)
{
	size_t count = 0;

	for (; expected[count]; count++) {
		assert_true(count < search->count);
		assert_string_equal(search->folders[count], expected[count]);
	}
	assert_int_equal(search->count, count + 1);
	assert_non_null(strstr(search->folders[count], "share/millwright"));
}

static void current_folder_then_environment(void **state)
{
	struct mw_search search;

	mw_search_init(&search, "/a:/b::c", NULL);
	assert_search(&search, (const char *const[]){ ".", "/a", "/b", "c", NULL });
	mw_search_fini(&search);
	mw_search_init(&search, NULL, NULL);
	assert_search(&search, (const char *const[]){ ".", NULL });
	mw_search_fini(&search);
}

static void a_folder_stands_once(void **state)
{
	struct mw_search search;

	mw_search_init(&search, "/a:.:/b:/a", NULL);
	assert_search(&search, (const char *const[]){ ".", "/a", "/b", NULL });
	mw_search_fini(&search);
}

static void program_path_finds_source_tree_and_installation(void **state)
{
	char root[] = "/tmp/millwright-search-XXXXXX", path[200], tree[200], share[200];
	struct mw_search search;

	assert_non_null(mkdtemp(root));
	snprintf(tree, sizeof(tree), "%s/profiles", root);
	assert_int_equal(mkdir(tree, 0700), 0);
	snprintf(path, sizeof(path), "%s/build/dev/millwright", root);
	mw_search_init(&search, "/a", path);
	assert_search(&search, (const char *const[]){ ".", "/a", root, NULL });
	mw_search_fini(&search);

	/* ROOT/bin/millwright with ROOT/share/millwright/profiles */
	snprintf(path, sizeof(path), "%s/share", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(share, sizeof(share), "%s/share/millwright", root);
	assert_int_equal(mkdir(share, 0700), 0);
	snprintf(path, sizeof(path), "%s/share/millwright/profiles", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/bin/millwright", root);
	mw_search_init(&search, NULL, path);
	assert_search(&search, (const char *const[]){ ".", share, NULL });
	mw_search_fini(&search);

	snprintf(path, sizeof(path), "%s/share/millwright/profiles", root);
	rmdir(path);
	rmdir(share);
	snprintf(path, sizeof(path), "%s/share", root);
	rmdir(path);
	rmdir(tree);
	rmdir(root);
}

static void short_program_paths_add_nothing(void **state)
{
	static const char *const paths[] = { "millwright", "/millwright", "/a/millwright", "" };
	struct mw_search search;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		mw_search_init(&search, NULL, paths[i]);
		assert_search(&search, (const char *const[]){ ".", NULL });
		mw_search_fini(&search);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(current_folder_then_environment),
		cmocka_unit_test(a_folder_stands_once),
		cmocka_unit_test(program_path_finds_source_tree_and_installation),
		cmocka_unit_test(short_program_paths_add_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
