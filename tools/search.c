/** Builds the list of folders from the environment and from where the program lies. */
// SPDX-License-Identifier: MIT
#include "tools/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"

#ifndef MW_SHARE_FOLDER
#error "the build gives MW_SHARE_FOLDER"
#endif

/** Takes `folder`; one that stands in the list already is dropped. */
static void add(struct mw_search *search, char *folder)
{
	for (size_t i = 0; i < search->count; i++) {
		if (strcmp(search->folders[i], folder) == 0) {
			free(folder);
			return;
		}
	}
	search->folders = mw_grow(search->folders, search->count + 1, sizeof(*search->folders));
	search->folders[search->count++] = folder;
}

static char *text(const char *start, size_t length, const char *tail)
{
	size_t room = length + strlen(tail) + 1;
	char *joined = mw_alloc(room, 1);

	snprintf(joined, room, "%.*s%s", (int)length, start, tail);
	return joined;
}

static void add_path(struct mw_search *search, const char *path)
{
	while (*path) {
		size_t length = strcspn(path, ":");

		if (length)
			add(search, text(path, length, ""));
		path += length;
		path += *path == ':';
	}
}

/** Adds `levels` folders up from the program, plus `tail`, when it holds `profiles`. */
static void add_near(struct mw_search *search, const char *program, unsigned levels,
		     const char *tail)
{
	size_t length = strlen(program);
	char *folder, *profiles;

	for (; levels; levels--) {
		while (length && program[length - 1] != '/')
			length--;
		if (length < 2)
			return;
		length--;
	}
	folder = text(program, length, tail);
	profiles = text(folder, strlen(folder), "/profiles");
	if (access(profiles, F_OK) == 0)
		add(search, folder);
	else
		free(folder);
	free(profiles);
}

void mw_search_init(struct mw_search *search, const char *path, const char *program)
{
	*search = (struct mw_search){ 0 };
	add(search, mw_strdup("."));
	if (path)
		add_path(search, path);
	search->own = search->count;
	if (program) {
		/* An installation that was moved, and build/PRESET/millwright. */
		add_near(search, program, 2, "/share/millwright");
		add_near(search, program, 3, "");
	}
	add(search, mw_strdup(MW_SHARE_FOLDER));
}

void mw_search_fini(struct mw_search *search)
{
	for (size_t i = 0; i < search->count; i++)
		free(search->folders[i]);
	free(search->folders);
	*search = (struct mw_search){ 0 };
}

const char **mw_search_with(const struct mw_search *search, const char *const *extra, size_t *count)
{
	size_t extras = 0;

	while (extra && extra[extras])
		extras++;
	const char **folders = mw_alloc(search->count + extras, sizeof(*folders));

	for (size_t i = 0; i < search->own; i++)
		folders[i] = search->folders[i];
	for (size_t i = 0; i < extras; i++)
		folders[search->own + i] = extra[i];
	for (size_t i = search->own; i < search->count; i++)
		folders[extras + i] = search->folders[i];
	*count = search->count + extras;
	return folders;
}
