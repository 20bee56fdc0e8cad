/* The text of a file: what an editor holds, or what is on the disk. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resolver/files_internal.h"
#include "resolver/read.h"

static char *read_all(int handle, size_t size)
{
	char *text = mw_alloc(size + 1, 1);
	size_t done = 0;

	while (done < size) {
		ssize_t count = read(handle, text + done, size - done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0) {
			free(text);
			return NULL;
		}
		if (count == 0)
			break;
		done += (size_t)count;
	}
	memset(text + done, 0, size + 1 - done);
	return text;
}

/* A file too large is not read at all; mw_read says so from its size. Not blocking: a FIFO's name
 * must not hang the resolver before it is seen to be none of ours. */
static struct mw_tree *read_disk(struct mw_files *files, const struct mw_file *file,
				 struct mw_span wanted)
{
	int handle = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (handle < 0 || fstat(handle, &status) < 0 || !S_ISREG(status.st_mode)) {
		const char *why = handle < 0 ? strerror(errno) : "not a regular file";

		mw_diagnostics_add(files->diagnostics, MW_SEVERITY_ERROR, mw_files_code(wanted),
				   wanted, "cannot read %s: %s", file->path, why);
		if (handle >= 0)
			close(handle);
		return NULL;
	}
	size_t size = (size_t)status.st_size;
	char *text = size > MW_READ_BYTES ? mw_strdup("") : read_all(handle, size);
	struct mw_tree *root = NULL;

	if (text)
		root = mw_read(files->arena, files->diagnostics, file->path, text, size);
	else
		mw_diagnostics_add(files->diagnostics, MW_SEVERITY_ERROR, mw_files_code(wanted),
				   wanted, "cannot read %s: %s", file->path, strerror(errno));
	free(text);
	close(handle);
	return root;
}

/* An editor knows a file by one spelling, a profile that extends it may write another. */
static const struct mw_resolve_text *find_text(const struct mw_files *files, const char *path)
{
	const struct mw_resolve_options *options = files->options;
	const struct mw_resolve_text *found = NULL;

	if (!options->text_count)
		return NULL;
	char *real = realpath(path, NULL);

	for (size_t i = 0; i < options->text_count && !found; i++) {
		const struct mw_resolve_text *text = &options->texts[i];

		if (strcmp(text->path, path) == 0 || (real && strcmp(text->path, real) == 0))
			found = text;
	}
	free(real);
	return found;
}

bool mw_files_exist(const struct mw_files *files, const char *path)
{
	return find_text(files, path) || access(path, F_OK) == 0;
}

struct mw_tree *mw_files_text(struct mw_files *files, const struct mw_file *file,
			      struct mw_span wanted)
{
	const struct mw_resolve_text *text = find_text(files, file->path);

	if (!text)
		return read_disk(files, file, wanted);
	return mw_read(files->arena, files->diagnostics, file->path, text->text, text->length);
}
