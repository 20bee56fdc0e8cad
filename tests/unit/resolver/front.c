/* Files in a temporary folder, loaded and looked at. */
// SPDX-License-Identifier: MIT
#include "tests/unit/resolver/front.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void front_init(struct front *front)
{
	*front = (struct front){ 0 };
	snprintf(front->folder, sizeof(front->folder), "/tmp/mw-front-XXXXXX");
	assert_non_null(mkdtemp(front->folder));
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
	return remove(path);
}

void front_fini(struct front *front)
{
	nftw(front->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	mw_diagnostics_fini(&front->diagnostics);
	mw_arena_fini(&front->arena);
}

void front_file(struct front *front, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", front->folder, name);
	for (char *slash = strchr(path + strlen(front->folder) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0777);
		*slash = '/';
	}
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

void front_load(struct front *front, ...)
{
	size_t count = 0;
	va_list arguments;

	va_start(arguments, front);
	for (const char *set; (set = va_arg(arguments, const char *)) && count < 8;)
		front->sets[count++] = set;
	va_end(arguments);
	snprintf(front->path, sizeof(front->path), "%s/profile.yaml", front->folder);
	front->search[0] = front->folder;
	front->options = front->more;
	if (!front->options.profile)
		front->options.profile = front->path;
	front->options.sets = front->sets;
	front->options.set_count = count;
	front->options.search = front->search;
	front->options.search_count = 1;
	front->good = mw_document_load(&front->document, &front->options, &front->arena,
				       &front->diagnostics);
}

void front_profile(struct front *front, const char *text)
{
	char *whole = NULL;

	assert_true(asprintf(&whole, "format: machine/1\nname: test\n%s", text) > 0);
	front_file(front, "profile.yaml", whole);
	free(whole);
	front_load(front, NULL);
}

struct mw_tree *front_at(struct front *front, const char *path)
{
	struct mw_tree *tree = front->document.root;
	char *copy = strdup(path), *rest = copy;

	for (char *key; tree && (key = strsep(&rest, "/"));) {
		if (tree->kind == MW_TREE_LIST) {
			unsigned long index = strtoul(key, NULL, 10);

			for (tree = tree->first; tree && index > 0; index--)
				tree = tree->next;
		} else {
			tree = mw_tree_get(tree, key);
		}
	}
	free(copy);
	return tree;
}

static void print(struct front *front)
{
	mw_diagnostics_print(&front->diagnostics, stderr, MW_DIAG_FULL, false);
}

void front_expect(struct front *front, const char *path, const char *text)
{
	struct mw_tree *tree = front_at(front, path);

	if (!text) {
		assert_null(tree);
		return;
	}
	if (!tree) {
		print(front);
		fail_msg("nothing at %s", path);
		return;
	}
	assert_int_equal(tree->kind, MW_TREE_SCALAR);
	assert_string_equal(tree->text, text);
}

void front_clean(struct front *front)
{
	if (front->diagnostics.count)
		print(front);
	assert_int_equal(front->diagnostics.count, 0);
	assert_true(front->good);
}

size_t front_count(const struct front *front, const char *code)
{
	size_t count = 0;

	for (size_t i = 0; i < front->diagnostics.count; i++)
		count += strcmp(front->diagnostics.items[i]->code, code) == 0;
	return count;
}

void front_finding(struct front *front, const char *code, const char *covered, const char *part)
{
	if (front->diagnostics.count != 1)
		print(front);
	assert_int_equal(front->diagnostics.count, 1);
	const struct mw_diag *diag = front->diagnostics.items[0];
	char found[256] = "";

	assert_string_equal(diag->code, code);
	if (diag->span.source)
		snprintf(found, sizeof(found), "%.*s", (int)diag->span.length,
			 front->diagnostics.sources[diag->span.source - 1].text + diag->span.byte);
	if (covered)
		assert_string_equal(found, covered);
	if (!strstr(diag->message, part))
		fprintf(stderr, "message: %s\n", diag->message);
	assert_non_null(strstr(diag->message, part));
}

void front_bad(const char *text, const char *code, const char *covered, const char *part)
{
	struct front front;

	front_init(&front);
	front_profile(&front, text);
	front_finding(&front, code, covered, part);
	front_fini(&front);
}

void front_good(const char *text, const char *path, const char *value)
{
	struct front front;

	front_init(&front);
	front_profile(&front, text);
	front_clean(&front);
	front_expect(&front, path, value);
	front_fini(&front);
}
