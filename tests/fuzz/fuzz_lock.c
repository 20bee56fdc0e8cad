/** Any bytes as a lock file: the machine resolves under them or is told what does not fit; and what
 * resolves gives a lock under which it is the same machine. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/registry.h"
#include "resolver/lock.h"
#include "resolver/study.h"
#include "tests/fuzz/check.h"

static struct mw_registry registry;
static char path[32];
static int handle = -1;
static FILE *sink;

static void set_up(void)
{
	struct mw_diagnostics diagnostics = { 0 };

	CHECK(mw_builtin_devices(&registry, &diagnostics));
	mw_diagnostics_fini(&diagnostics);
	handle = memfd_create("lock", 0);
	CHECK(handle >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", handle);
	sink = fopen("/dev/null", "w");
	CHECK(sink);
}

/* The lock that the machine would be given under these bytes, and its plan; NULL with errors. */
static char *resolve(const void *bytes, size_t count, char **plan)
{
	static const char *const search[] = { "." };
	struct mw_diagnostics diagnostics = { 0 };
	struct mw_resolve_options options = { .profile = "tests/fuzz/lock.yaml",
					      .search = search,
					      .search_count = 1,
					      .registry = &registry,
					      .lock = path,
					      .stand_ins = true };
	size_t length, places, gone;
	char *lock = NULL;

	CHECK(ftruncate(handle, 0) == 0);
	CHECK(pwrite(handle, bytes, count, 0) == (ssize_t)count);
	struct mw_study *study = mw_study_open(&options, &diagnostics);

	CHECK((study->plan != NULL) == (diagnostics.errors == 0));
	mw_diagnostics_print(&diagnostics, sink, MW_DIAG_FULL, true);
	mw_diagnostics_print(&diagnostics, sink, MW_DIAG_JSON, false);
	if (study->plan) {
		FILE *out = open_memstream(plan, &length);

		CHECK(out);
		mw_plan_write_yaml(study->plan, MW_PLAN_WHOLE, out);
		fclose(out);
		lock = mw_lock_write(&study->draft, &places, &gone);
		CHECK(lock);
	}
	mw_study_close(study);
	mw_diagnostics_fini(&diagnostics);
	return lock;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	char *first_plan = NULL, *second_plan = NULL;

	if (handle < 0)
		set_up();
	char *first = resolve(bytes, count, &first_plan);
	char *second = first ? resolve(first, strlen(first), &second_plan) : NULL;

	if (first) {
		CHECK(second);
		CHECK(strcmp(first, second) == 0);
		CHECK(strcmp(first_plan, second_plan) == 0);
	}
	free(first);
	free(second);
	free(first_plan);
	free(second_plan);
	return 0;
}
