/* The overlays of a profile: the drop-ins of NAME.d, then those of the command line. */
// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/files_internal.h"

static bool is_drop_in(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 5 && strcmp(name + length - 5, ".yaml") == 0;
}

/* One that is named again applies where it was named last. */
static void add(struct mw_files *files, struct mw_file *overlay)
{
	size_t at = 0;

	if (!overlay) {
		files->broken = true;
		return;
	}
	while (at < files->overlay_count && files->overlays[at] != overlay)
		at++;
	if (at == files->overlay_count)
		files->overlay_count++;
	for (; at + 1 < files->overlay_count; at++)
		files->overlays[at] = files->overlays[at + 1];
	files->overlays[at] = overlay;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* At most one more than can be read, so that the limit is told. */
static size_t list_folder(struct mw_files *files, DIR *directory, const char **names)
{
	struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(directory))) {
		if (is_drop_in(entry->d_name) && count <= MW_FILES_MOST)
			names[count++] = mw_arena_strdup(files->arena, entry->d_name);
	}
	qsort(names, count, sizeof(*names), by_name);
	return count;
}

static void load_folder(struct mw_files *files, const char *folder)
{
	const char *names[MW_FILES_MOST + 1];
	DIR *directory = opendir(folder);

	if (!directory) {
		if (errno == ENOENT || errno == ENOTDIR)
			return;
		mw_diagnostics_add(files->diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				   "cannot read %s: %s", folder, strerror(errno));
		files->broken = true;
		return;
	}
	size_t count = list_folder(files, directory, names);

	closedir(directory);
	for (size_t i = 0; i < count; i++)
		add(files,
		    mw_files_given(files, mw_arena_printf(files->arena, "%s/%s", folder, names[i]),
				   "overlay"));
}

void mw_overlays_load(struct mw_files *files, const struct mw_file *profile)
{
	size_t length = strlen(profile->path);
	const struct mw_resolve_options *options = files->options;

	if (length > 5 && strcmp(profile->path + length - 5, ".yaml") == 0)
		length -= 5;
	load_folder(files, mw_arena_printf(files->arena, "%.*s.d", (int)length, profile->path));
	for (size_t i = 0; i < options->overlay_count; i++)
		add(files, mw_files_given(files, options->overlays[i], "overlay"));
}
