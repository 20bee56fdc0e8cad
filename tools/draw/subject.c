/* What an operand is, by its first bytes. */
// SPDX-License-Identifier: MIT
#include "tools/draw/subject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/snapshot/snapshot.h"
#include "resolver/plan_read.h"

#define PLAN_BEGINS     "format: plan/1\n"
#define SNAPSHOT_BEGINS "\x89MWSNAP\r\n\x1a\n"

enum kind { KIND_PROFILE, KIND_PLAN, KIND_SNAPSHOT };

/* A regular file by this very name, or -1; what else there is, is the resolver's to tell. */
static int open_file(const char *name, size_t *size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
		*size = (size_t)status.st_size;
		return fd;
	}
	close(fd);
	return -1;
}

static enum kind kind_of(int fd)
{
	char start[16] = { 0 };
	ssize_t got = pread(fd, start, sizeof(start), 0);

	if (got >= (ssize_t)strlen(PLAN_BEGINS) && !memcmp(start, PLAN_BEGINS, strlen(PLAN_BEGINS)))
		return KIND_PLAN;
	if (got >= (ssize_t)strlen(SNAPSHOT_BEGINS) &&
	    !memcmp(start, SNAPSHOT_BEGINS, strlen(SNAPSHOT_BEGINS)))
		return KIND_SNAPSHOT;
	return KIND_PROFILE;
}

static enum mw_exit refuse(struct mw_workshop *workshop, const char *name, const char *why)
{
	mw_diagnostics_add(&workshop->diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "cannot read `%s`: %s", name, why);
	return MW_EXIT_USAGE;
}

static enum mw_exit read_plan(struct mw_subject *subject, struct mw_workshop *workshop, int fd,
			      size_t size)
{
	size_t got = 0;
	char *text;

	if (size > MW_PLAN_TEXT_BYTES)
		return refuse(workshop, subject->name, "it is longer than any plan");
	text = mw_alloc(size + 1, 1);
	while (got < size) {
		ssize_t step = read(fd, text + got, size - got);

		if (step < 0 && errno == EINTR)
			continue;
		if (step <= 0)
			break;
		got += (size_t)step;
	}
	bool good = mw_plan_read(&subject->plan, text, got, subject->name, &workshop->registry,
				 &workshop->diagnostics);

	free(text);
	return good ? MW_EXIT_OK : MW_EXIT_FAILED;
}

static enum mw_exit read_snapshot(struct mw_subject *subject, struct mw_workshop *workshop)
{
	struct mw_diagnostics *diagnostics = &workshop->diagnostics;
	struct mw_snapshot *snapshot = NULL;
	bool good = mw_snapshot_open(&snapshot, subject->name, diagnostics);

	if (good) {
		size_t length;
		const char *text = mw_snapshot_plan(snapshot, &length);

		good = mw_plan_read(&subject->plan, text, length, subject->name,
				    &workshop->registry, diagnostics);
	}
	mw_snapshot_close(snapshot);
	return good ? MW_EXIT_OK : MW_EXIT_FAILED;
}

static enum mw_exit resolve(struct mw_subject *subject, struct mw_workshop *workshop,
			    const struct mw_arguments *arguments, const char *sets)
{
	struct mw_diagnostics *diagnostics = &workshop->diagnostics;
	size_t before = diagnostics->count;

	mw_workshop_prepare(workshop, subject->name, arguments);
	if (sets) /* its array has room for every option given */
		workshop->options.set_count += mw_arguments_values(
			arguments, sets, workshop->sets + workshop->options.set_count);
	workshop->options.stand_ins = true;
	subject->study = mw_study_open(&workshop->options, diagnostics);
	subject->plan = subject->study->plan;
	if (subject->plan)
		return MW_EXIT_OK;
	return mw_workshop_unreadable(diagnostics, before) ? MW_EXIT_USAGE : MW_EXIT_FAILED;
}

enum mw_exit mw_subject_open(struct mw_subject *subject, struct mw_workshop *workshop,
			     const char *name, const struct mw_arguments *arguments,
			     const char *sets)
{
	size_t size = 0;
	int fd = open_file(name, &size);
	enum kind kind = fd < 0 ? KIND_PROFILE : kind_of(fd);
	enum mw_exit code;

	*subject = (struct mw_subject){ .name = name };
	if (kind == KIND_PLAN)
		code = read_plan(subject, workshop, fd, size);
	else if (kind == KIND_SNAPSHOT)
		code = read_snapshot(subject, workshop);
	else
		code = resolve(subject, workshop, arguments, sets);
	if (fd >= 0)
		close(fd);
	return code;
}

void mw_subject_close(struct mw_subject *subject)
{
	if (subject->study)
		mw_study_close(subject->study); /* and the plan with it */
	else
		mw_plan_destroy(subject->plan);
}
