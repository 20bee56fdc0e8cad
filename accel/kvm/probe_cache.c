/* The probe's answer, kept in a file that is believed only when nobody else can have written it. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accel/kvm/kvm_internal.h"

/* Four lines: format, key, verdict, reason. */
#define FORMAT "millwright kvm probe 2"
enum { CACHE_BYTES = 512 };

static const char *const verdicts[] = {
	[MW_ACCEL_GOOD] = "good",
	[MW_ACCEL_SLOW] = "slow",
	[MW_ACCEL_PARTIAL] = "partial",
};
enum { VERDICTS = sizeof(verdicts) / sizeof(verdicts[0]) };

static bool is_trustworthy(int file)
{
	struct stat info;

	return fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
	       !(info.st_mode & (S_IWGRP | S_IWOTH)) && info.st_size < CACHE_BYTES;
}

/* Cuts the next line off; NULL at the end or for a line without one. */
static char *next_line(char **rest)
{
	char *line = *rest, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return line;
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static bool parse(char *text, const char *key, struct kvm_probe_result *result)
{
	const char *format = next_line(&text), *found = format ? next_line(&text) : NULL;
	const char *verdict = found ? next_line(&text) : NULL;
	const char *reason = verdict ? next_line(&text) : NULL;

	if (!reason || *text || strcmp(format, FORMAT) != 0 || strcmp(found, key) != 0 ||
	    strlen(reason) >= sizeof(result->reason) || !is_printable(reason))
		return false;
	for (size_t i = 0; i < VERDICTS; i++) {
		if (strcmp(verdicts[i], verdict) != 0)
			continue;
		result->verdict = (enum mw_accel_verdict)i;
		snprintf(result->reason, sizeof(result->reason), "%s", reason);
		return true;
	}
	return false;
}

bool kvm_probe_cache_read(const char *path, const char *key, struct kvm_probe_result *result)
{
	char text[CACHE_BYTES];
	ssize_t count = -1;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (file < 0)
		return false;
	if (is_trustworthy(file))
		count = read(file, text, sizeof(text) - 1);
	close(file);
	if (count < 0 || memchr(text, '\0', (size_t)count))
		return false;
	text[count] = '\0';
	return parse(text, key, result);
}

/* The cache's folder may be missing in a fresh home; XDG asks to make it, for its owner alone. */
static void make_folder(const char *path)
{
	char folder[256];
	const char *slash = strrchr(path, '/');

	if (!slash || (size_t)(slash - path) >= sizeof(folder))
		return;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	mkdir(folder, 0700);
}

/* Written beside and renamed, so that a reader sees all or nothing. A cache that cannot be written is
 * no loss worth a word. */
void kvm_probe_cache_write(const char *path, const char *key, const struct kvm_probe_result *result)
{
	char beside[300], text[CACHE_BYTES];
	int length = snprintf(text, sizeof(text), FORMAT "\n%s\n%s\n%s\n", key,
			      verdicts[result->verdict], result->reason);
	int file, written;

	if (length < 0 || (size_t)length >= sizeof(text) ||
	    snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= (int)sizeof(beside))
		return;
	make_folder(path);
	file = mkostemp(beside, O_CLOEXEC);
	if (file < 0)
		return;
	written = (int)write(file, text, (size_t)length);
	close(file);
	if (written != length || rename(beside, path) < 0)
		unlink(beside);
}
