/* One golden plan: resolves a profile and compares its canonical text with tests/golden/CASE.plan. */
// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/registry.h"
#include "resolver/resolver.h"

enum { MOST_SETS = 16 };

static const char *path_of(const char *name, const char *suffix)
{
	static char path[512];

	snprintf(path, sizeof(path), "tests/golden/%s%s", name, suffix);
	return path;
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

static size_t split_lines(char *text, const char **lines)
{
	size_t count = 0;

	for (char *line = text ? strtok(text, "\n") : NULL; line && count < MOST_SETS;
	     line = strtok(NULL, "\n"))
		lines[count++] = line;
	return count;
}

/* "microvm.large" is the profile microvm; a file of this folder goes first. */
static const char *profile_of(const char *name)
{
	static char profile[300];

	if (access(path_of(name, ".yaml"), R_OK) == 0)
		return path_of(name, ".yaml");
	snprintf(profile, sizeof(profile), "%.*s", (int)strcspn(name, "."), name);
	return profile;
}

static char *write_plan(const struct mw_plan *plan,
			void (*write)(const struct mw_plan *, enum mw_plan_text, FILE *))
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	write(plan, MW_PLAN_WHOLE, out);
	fclose(out);
	return text;
}

/* Brackets outside of strings close in order; the real reader is `jq` in the hands of users. */
static bool balanced(const char *json)
{
	char open[64];
	size_t depth = 0;

	for (const char *at = json; *at; at++) {
		if (*at == '"') {
			for (at++; *at && *at != '"'; at++)
				at += *at == '\\' && at[1];
			if (!*at)
				return false;
		} else if (*at == '{' || *at == '[') {
			if (depth == sizeof(open))
				return false;
			open[depth++] = *at == '{' ? '}' : ']';
		} else if (*at == '}' || *at == ']') {
			if (!depth || open[--depth] != *at)
				return false;
		}
	}
	return depth == 0;
}

static char *resolve(const char *name)
{
	struct mw_registry registry = { 0 };
	struct mw_diagnostics diagnostics = { 0 };
	const char *sets[MOST_SETS], *const search[] = { "." };
	char *set_text = slurp(path_of(name, ".set")), *text = NULL;
	struct mw_resolve_options options = { .profile = profile_of(name),
					      .sets = sets,
					      .set_count = split_lines(set_text, sets),
					      .search = search,
					      .search_count = 1,
					      .registry = &registry };
	struct mw_plan *plan = NULL;

	if (mw_builtin_devices(&registry, &diagnostics) &&
	    mw_resolve(&plan, &options, &diagnostics)) {
		char *json = write_plan(plan, mw_plan_write_json);

		if (balanced(json))
			text = write_plan(plan, mw_plan_write_yaml);
		else
			fprintf(stderr, "%s: the JSON form is not balanced\n", name);
		free(json);
	}
	mw_diagnostics_print(&diagnostics, stderr, MW_DIAG_FULL, false);
	if (diagnostics.count) {
		free(text);
		text = NULL;
	}
	mw_plan_destroy(plan);
	mw_diagnostics_fini(&diagnostics);
	mw_registry_fini(&registry);
	free(set_text);
	return text;
}

static void show_difference(const char *is, const char *wanted)
{
	unsigned line = 1;

	for (; *is && *is == *wanted; is++, wanted++)
		line += *is == '\n';
	while (line > 1 && is[-1] != '\n') {
		is--;
		wanted--;
	}
	fprintf(stderr, "first difference in line %u:\n-%.*s\n+%.*s\n", line,
		(int)strcspn(wanted, "\n"), wanted, (int)strcspn(is, "\n"), is);
}

static int check(const char *name)
{
	char *first = resolve(name), *again = resolve(name),
	     *wanted = slurp(path_of(name, ".plan"));
	int status = 1;

	if (first && again && strcmp(first, again) != 0) {
		fprintf(stderr, "%s: resolved twice, and the plans differ\n", name);
	} else if (first && getenv("MW_UPDATE")) {
		FILE *out = fopen(path_of(name, ".plan"), "w");

		status = !out || fputs(first, out) < 0 || fclose(out);
	} else if (first && !wanted) {
		fprintf(stderr, "no %s; MW_UPDATE=1 writes it\n", path_of(name, ".plan"));
	} else if (first && strcmp(first, wanted) != 0) {
		show_difference(first, wanted);
	} else {
		status = !first;
	}
	free(first);
	free(again);
	free(wanted);
	return status;
}

/* Every profile has a case of its name. */
static int check_complete(char **cases)
{
	DIR *folder = opendir("profiles");
	struct dirent *entry;
	int missing = 0, seen = 0;

	while (folder && (entry = readdir(folder))) {
		size_t length = strlen(entry->d_name);
		bool found = false;

		if (length < 6 || strcmp(entry->d_name + length - 5, ".yaml") != 0)
			continue;
		seen++;
		for (char **name = cases; *name; name++)
			found |= strlen(*name) == length - 5 &&
				 !strncmp(*name, entry->d_name, length - 5);
		if (!found) {
			fprintf(stderr, "profiles/%s has no golden plan\n", entry->d_name);
			missing++;
		}
	}
	if (folder)
		closedir(folder);
	return missing || !seen;
}

int main(int count, char **arguments)
{
	if (count > 2 && !strcmp(arguments[1], "--complete"))
		return check_complete(arguments + 2);
	return count == 2 ? check(arguments[1]) : 2;
}
