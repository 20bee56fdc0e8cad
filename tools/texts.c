/* Reads and replaces files with care for what else may lie under their names. */
// SPDX-License-Identifier: MIT
#include "tools/texts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "resolver/read.h"

static bool read_all(int handle, char *text, size_t size, size_t *done)
{
	*done = 0;
	while (*done < size) {
		ssize_t count = read(handle, text + *done, size - *done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return false;
		if (count == 0)
			break;
		*done += (size_t)count;
	}
	return true;
}

/* Not blocking: a FIFO's name must not hang us before it is seen to be none of ours. */
static char *read_file(const char *path, int flags, struct stat *status, size_t *length,
		       const char **why)
{
	int handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	char *text = NULL;

	*why = NULL;
	*status = (struct stat){ 0 };
	if (handle < 0 || fstat(handle, status) < 0)
		*why = errno == ELOOP && flags & O_NOFOLLOW ? "a symbolic link" : strerror(errno);
	else if (!S_ISREG(status->st_mode))
		*why = "not a regular file";
	else if (status->st_size > MW_READ_BYTES)
		*why = "too large";
	if (!*why) {
		text = mw_alloc((size_t)status->st_size + 1, 1);
		if (!read_all(handle, text, (size_t)status->st_size, length)) {
			*why = strerror(errno);
			free(text);
			text = NULL;
		}
	}
	if (handle >= 0)
		close(handle);
	return text;
}

char *mw_text_read(const char *path, size_t *length, const char **why)
{
	struct stat status;

	return read_file(path, 0, &status, length, why);
}

static bool write_all(int handle, const char *text, size_t length)
{
	while (length) {
		ssize_t count = write(handle, text, length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return false;
		text += count;
		length -= (size_t)count;
	}
	return fsync(handle) == 0;
}

/* `.NAME.XXXXXX` in the folder of `path`. */
static char *name_beside(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
	size_t room = strlen(path) + sizeof(".") + sizeof(".XXXXXX");
	char *name = mw_alloc(room, 1);

	snprintf(name, room, "%.*s.%s.XXXXXX", (int)folder, path, path + folder);
	return name;
}

/* What open() would give a new file. */
static mode_t new_mode(void)
{
	mode_t mask = umask(077);

	umask(mask);
	return 0666 & ~mask;
}

static bool fill(int handle, const char *text, size_t length, const struct stat *old)
{
	/* Another owner's file may not be ours to give back; its mode is what counts. */
	if (old && fchown(handle, old->st_uid, old->st_gid) < 0 && errno != EPERM)
		return false;
	return fchmod(handle, old ? old->st_mode & 07777 : new_mode()) == 0 &&
	       write_all(handle, text, length);
}

static bool replace(const char *path, const char *text, size_t length, const struct stat *old,
		    const char **why)
{
	char *beside = name_beside(path);
	int handle = mkostemp(beside, O_CLOEXEC);
	bool good = handle >= 0 && fill(handle, text, length, old);

	if (handle >= 0)
		good &= close(handle) == 0;
	good = good && rename(beside, path) == 0;
	if (!good) {
		*why = strerror(errno);
		if (handle >= 0)
			unlink(beside);
	}
	free(beside);
	return good;
}

bool mw_text_replace(const char *path, const char *before, size_t before_length, const char *after,
		     size_t after_length, const char **why)
{
	struct stat status;
	size_t length = 0;
	char *text = read_file(path, O_NOFOLLOW, &status, &length, why);
	bool same = text && length == before_length && memcmp(text, before, length) == 0;

	free(text);
	if (!text)
		return false;
	if (!same) {
		*why = "it has changed meanwhile";
		return false;
	}
	return replace(path, after, after_length, &status, why);
}

bool mw_text_write(const char *path, const char *text, size_t length, const char **why)
{
	char *real = realpath(path, NULL);
	struct stat status;
	bool there = real && stat(real, &status) == 0;
	bool good = false;

	if (there && !S_ISREG(status.st_mode))
		*why = "not a regular file";
	else
		good = replace(real ? real : path, text, length, there ? &status : NULL, why);
	free(real);
	return good;
}

bool mw_folder_make(const char *verb, const char *folder)
{
	if (mkdir(folder, 0777) == 0 || errno == EEXIST)
		return true;
	fprintf(stderr, "millwright %s: cannot make %s: %s\n", verb, folder, strerror(errno));
	return false;
}

bool mw_folder_close(const char *verb, const char *folder, FILE *file)
{
	bool good = !ferror(file);

	if (fclose(file) == 0 && good)
		return true;
	fprintf(stderr, "millwright %s: cannot write into %s: %s\n", verb, folder, strerror(errno));
	return false;
}
