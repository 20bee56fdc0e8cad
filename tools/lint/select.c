/* Applies select, ignore, per-file and severity to the findings of one look. */
// SPDX-License-Identifier: MIT
#include "tools/lint/select.h"

#include <stdlib.h>
#include <string.h>

#include "resolver/allow.h"

static bool complain(FILE *errors, const char *option, const char *what, const char *text)
{
	fprintf(errors, "millwright lint: --%s: %s `%s`\nTry `millwright help lint`.\n", option,
		what, text);
	return false;
}

/* Adds the codes of `R3,S104`. */
static bool split_codes(struct mw_selection *selection, const char *option, const char *text,
			const char **codes, size_t *count, FILE *errors)
{
	while (*text) {
		size_t length = strcspn(text, ", ");
		const char *code = mw_arena_strndup(&selection->arena, text, length);

		if (length && !mw_rule_begins(code))
			return complain(errors, option, "no rule begins with", code);
		if (length)
			codes[(*count)++] = code;
		text += length;
		text += *text != '\0';
	}
	return true;
}

static bool parse_codes(struct mw_selection *selection, const struct mw_arguments *arguments,
			const char *option, const char *const **list, FILE *errors)
{
	const char **values =
		mw_arena_alloc(&selection->arena, arguments->given_count + 1, sizeof(*values));
	size_t count = mw_arguments_values(arguments, option, values), room = 1, used = 0;

	if (count == 0)
		return true;
	for (size_t i = 0; i < count; i++)
		room += strlen(values[i]) / 2 + 1;
	const char **codes = mw_arena_alloc(&selection->arena, room, sizeof(*codes));

	for (size_t i = 0; i < count; i++) {
		if (!split_codes(selection, option, values[i], codes, &used, errors))
			return false;
	}
	*list = codes;
	return true;
}

static bool parse_level(struct mw_selection *selection, const char *text, FILE *errors)
{
	size_t length = strcspn(text, "=");
	struct mw_level_row *row = &selection->levels[selection->level_count];

	row->code = mw_arena_strndup(&selection->arena, text, length);
	if (!mw_rule_begins(row->code))
		return complain(errors, "severity", "no rule begins with", row->code);
	if (mw_rule_is_fixed(row->code))
		return complain(errors, "severity", "always an error is", row->code);
	if (text[length] != '=' || !mw_level_parse(text + length + 1, &row->level))
		return complain(errors, "severity",
				"expected CODE=error, warning, hint or off, found", text);
	selection->level_count++;
	return true;
}

bool mw_selection_parse(struct mw_selection *selection, const struct mw_arguments *arguments,
			FILE *errors)
{
	*selection = (struct mw_selection){ 0 };
	const char **values =
		mw_arena_alloc(&selection->arena, arguments->given_count + 1, sizeof(*values));
	size_t count = mw_arguments_values(arguments, "severity", values);

	selection->levels =
		mw_arena_alloc(&selection->arena, count + 1, sizeof(*selection->levels));
	for (size_t i = 0; i < count; i++) {
		if (!parse_level(selection, values[i], errors))
			return false;
	}
	return parse_codes(selection, arguments, "select", &selection->select, errors) &&
	       parse_codes(selection, arguments, "ignore", &selection->ignore, errors);
}

void mw_selection_fini(struct mw_selection *selection)
{
	mw_arena_fini(&selection->arena);
}

void mw_findings_filter(struct mw_diagnostics *diagnostics,
			bool (*keep)(void *self, const struct mw_diag *diag), void *self)
{
	size_t kept = 0;

	diagnostics->errors = diagnostics->warnings = 0;
	for (size_t i = 0; i < diagnostics->count; i++) {
		struct mw_diag *diag = diagnostics->items[i];

		if (!keep(self, diag))
			continue;
		diagnostics->items[kept++] = diag;
		if (diag->hidden != MW_DIAG_SHOWN)
			continue;
		diagnostics->errors += diag->severity == MW_SEVERITY_ERROR;
		diagnostics->warnings += diag->severity == MW_SEVERITY_WARNING;
	}
	diagnostics->count = kept;
}

/* The length of the longest entry that the code begins with, plus 1; 0: none. */
static size_t longest(const char *const *list, const char *code)
{
	size_t best = 0;

	for (; list && *list; list++) {
		size_t length = strlen(*list);

		if (length + 1 > best && strncmp(*list, code, length) == 0)
			best = length + 1;
	}
	return best;
}

static const struct mw_level_row *find_level(const struct mw_level_row *rows, size_t count,
					     const char *code)
{
	const struct mw_level_row *best = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(rows[i].code);

		if (strncmp(rows[i].code, code, length) == 0 &&
		    (!best || length >= strlen(best->code)))
			best = &rows[i];
	}
	return best;
}

struct pass {
	const struct mw_selection *selection;
	const struct mw_config *config;
	const char *const *select, *const *ignore;
	bool *matches; /* source * per_file_count + row */
};

static bool per_file_ignores(const struct pass *pass, const struct mw_diag *diag)
{
	const struct mw_config *config = pass->config;

	for (size_t i = 0; diag->span.source && i < config->per_file_count; i++) {
		if (pass->matches[(diag->span.source - 1) * config->per_file_count + i] &&
		    longest(config->per_file[i].ignore, diag->code))
			return true;
	}
	return false;
}

static bool keep(void *self, const struct mw_diag *diag)
{
	const struct pass *pass = self;
	const char *code = diag->code;
	struct mw_diag *changed = (struct mw_diag *)diag;

	if (mw_rule_is_fixed(code))
		return true;
	size_t selected = pass->select ? longest(pass->select, code) : 1;

	if (!selected || longest(pass->ignore, code) >= selected || per_file_ignores(pass, diag))
		return false;
	const struct mw_level_row *row =
		find_level(pass->selection->levels, pass->selection->level_count, code);

	if (!row)
		row = find_level(pass->config->levels, pass->config->level_count, code);
	if (row && row->level == MW_LEVEL_OFF)
		return false;
	if (row)
		changed->severity = (enum mw_severity)row->level;
	return true;
}

/* From the config's folder, so that patterns do not depend on where the command is called. */
static void match_source(struct pass *pass, const struct mw_source *source, bool *matches)
{
	const struct mw_config *config = pass->config;
	char *real = realpath(source->name, NULL);
	const char *path = real ? real : source->name;
	size_t folder = strlen(config->folder);

	if (folder > 1 && strncmp(path, config->folder, folder) == 0 && path[folder] == '/')
		path += folder + 1;
	for (size_t i = 0; i < config->per_file_count; i++)
		matches[i] = mw_glob_matches(config->per_file[i].glob, path);
	free(real);
}

void mw_selection_apply(const struct mw_selection *selection, const struct mw_config *config,
			struct mw_diagnostics *diagnostics)
{
	struct pass pass = {
		.selection = selection,
		.config = config,
		.select = selection->select ? selection->select : config->select,
		.ignore = selection->ignore ? selection->ignore : config->ignore,
		.matches = mw_alloc(diagnostics->source_count * config->per_file_count + 1,
				    sizeof(*pass.matches)),
	};

	for (size_t i = 0; config->per_file_count && i < diagnostics->source_count; i++)
		match_source(&pass, &diagnostics->sources[i],
			     &pass.matches[i * config->per_file_count]);
	mw_findings_filter(diagnostics, keep, &pass);
	free(pass.matches);
}
