/* One bad profile: resolves FOLDER/profile.yaml and compares what is said with FOLDER/expected. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/registry.h"
#include "resolver/allow.h"
#include "resolver/study.h"

/* A case may bring a file `sets` with one PARAM=VALUE a line, a file `modes` with MODE FILE a line for
 * files of its own, and chipsets/ of its own. With
 * MW_UPDATE=1 in the environment the run writes `expected`; read it before you commit it. */

enum { MOST_SETS = 16 };

static const char *in_folder(const char *folder, const char *name)
{
	static char path[4][512];
	static unsigned next;
	char *text = path[next++ % 4];

	snprintf(text, sizeof(path[0]), "%s/%s", folder, name);
	return text;
}

/* The whole file as a string, or NULL. */
static char *slurp(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

static char *print(struct mw_diagnostics *diagnostics, enum mw_diag_format format)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	mw_diagnostics_print(diagnostics, out, format, false);
	fclose(out);
	return text;
}

static char *resolve(const char *folder, const char *const *sets, size_t set_count)
{
	struct mw_registry registry = { 0 };
	struct mw_diagnostics diagnostics = { 0 };
	const char *search[] = { folder, "." };
	struct mw_resolve_options options = { .profile = in_folder(folder, "profile.yaml"),
					      .sets = sets,
					      .set_count = set_count,
					      .search = search,
					      .search_count = 2,
					      .registry = &registry,
					      .lint = true };

	mw_builtin_devices(&registry, &diagnostics);
	struct mw_study *study = mw_study_open(&options, &diagnostics);
	bool agrees = (study->plan != NULL) == (diagnostics.errors == 0);

	mw_allow_apply(&diagnostics, study, MW_ALLOW_ALL);
	mw_study_close(study);
	char *text = print(&diagnostics, MW_DIAG_FULL);

	if (!agrees)
		printf("the result does not agree with the findings\n"), free(text), text = NULL;
	/* every format must get through every finding */
	for (enum mw_diag_format format = MW_DIAG_CONCISE; format <= MW_DIAG_JUNIT; format++)
		free(print(&diagnostics, format));
	mw_diagnostics_fini(&diagnostics);
	mw_registry_fini(&registry);
	return text;
}

static size_t read_sets(char *text, const char **sets)
{
	size_t count = 0;

	for (char *line = text ? strtok(text, "\n") : NULL; line && count < MOST_SETS;
	     line = strtok(NULL, "\n"))
		sets[count++] = line;
	return count;
}

/* "0666 FILE" a line: modes that a checkout does not keep. */
static bool set_modes(const char *folder, char *text)
{
	bool good = true;

	for (char *line = text ? strtok(text, "\n") : NULL; line; line = strtok(NULL, "\n")) {
		char *name;
		mode_t mode = (mode_t)strtoul(line, &name, 8);
		const char *path = in_folder(folder, name + strspn(name, " "));

		if (chmod(path, mode) != 0) {
			printf("%s: its mode cannot be set\n", path);
			good = false;
		}
	}
	return good;
}

static int compare(const char *folder, const char *said)
{
	char *expected = slurp(in_folder(folder, "expected"));
	int status = 1;

	if (getenv("MW_UPDATE")) {
		FILE *out = fopen(in_folder(folder, "expected"), "w");

		status = !out || fputs(said, out) < 0;
		if (out)
			fclose(out);
	} else if (!expected || !*expected) {
		printf("%s has no `expected`\n", folder);
	} else if (strcmp(expected, said) != 0) {
		printf("--- expected\n%s--- said\n%s---\n", expected, said);
	} else {
		status = 0;
	}
	free(expected);
	return status;
}

int main(int count, char **arguments)
{
	if (count != 2)
		return 2;
	char *lines = slurp(in_folder(arguments[1], "sets"));
	char *modes = slurp(in_folder(arguments[1], "modes"));

	if (!set_modes(arguments[1], modes))
		return 1;
	free(modes);
	const char *sets[MOST_SETS];
	size_t set_count = read_sets(lines, sets);
	char *said = resolve(arguments[1], sets, set_count);
	char *again = resolve(arguments[1], sets, set_count);
	int status = 1;

	if (said && again && strcmp(said, again) == 0)
		status = compare(arguments[1], said);
	else
		printf("two runs differ\n");
	free(lines);
	free(said);
	free(again);
	return status;
}
