/* The words of the command line as a list of files, each with its config. */
// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolver/read.h"
#include "tools/lint/lint.h"
#include "tools/report.h"
#include "tools/texts.h"

enum { MOST_FILES = 10000, DEEPEST = 32 };

static bool complain(const char *text, const char *why)
{
	fprintf(stderr, "millwright lint: %s: %s\n", text, why);
	return false;
}

/* The config's file is remembered by its path: many folders have the same. */
static const struct mw_config *read_config(struct mw_lint *lint, const char *path)
{
	for (size_t i = 1; i < lint->config_count; i++) {
		if (strcmp(lint->configs[i]->path, path) == 0)
			return lint->configs[i];
	}
	struct mw_config *config = mw_alloc(1, sizeof(*config));

	if (mw_config_read(config, path)) {
		lint->configs =
			mw_grow(lint->configs, lint->config_count + 1, sizeof(struct mw_config *));
		lint->configs[lint->config_count++] = config;
		return config;
	}
	mw_report(&config->diagnostics, NULL, stderr);
	mw_config_fini(config);
	free(config);
	return NULL;
}

const struct mw_config *mw_lint_config(struct mw_lint *lint, const char *folder)
{
	const char *path = mw_arguments_value(lint->arguments, "config", NULL);

	if (path)
		return read_config(lint, path);
	char *found =
		mw_arguments_has(lint->arguments, "no-config") ? NULL : mw_config_find(folder);
	const struct mw_config *config = found ? read_config(lint, found) : lint->configs[0];

	free(found);
	return config;
}

static const char *folder_of(struct mw_lint *lint, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	return slash == path ? "/" : mw_arena_strndup(&lint->arena, path, (size_t)(slash - path));
}

static bool add(struct mw_lint *lint, const char *profile, const char *folder, bool any_format,
		bool named)
{
	const struct mw_config *config = mw_lint_config(lint, folder);

	if (!config)
		return false;
	if (lint->operand_count == lint->operand_room) {
		lint->operand_room = lint->operand_room ? 2 * lint->operand_room : 8;
		lint->operands =
			mw_grow(lint->operands, lint->operand_room, sizeof(*lint->operands));
	}
	lint->operands[lint->operand_count++] = (struct mw_operand){
		.profile = profile, .any_format = any_format, .named = named, .config = config
	};
	return true;
}

/* The word of the `format:` line that a file begins with, behind comments; "" where there is none. */
static const char *format_of(struct mw_lint *lint, const char *text)
{
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (*text == '#' || *text == '\n' || *text == '\r' || strncmp(text, "---\n", 4) == 0) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	if (strncmp(text, "format:", 7) != 0)
		return "";
	text += 7;
	text += strspn(text, " \t\"'");
	return mw_arena_strndup(&lint->arena, text, strcspn(text, "/ \t\r\n\"'#"));
}

static bool has_shape(const char *format)
{
	static const char *const formats[] = {
		"machine", "chipset", "overlay", "part", "cpu", NULL
	};

	return mw_name_in(format, formats);
}

/* The format of a file; "machine" where it cannot be read: the resolver says so. */
static const char *format_of_file(struct mw_lint *lint, const char *path)
{
	const char *why;
	size_t length;
	char *text = mw_text_read(path, &length, &why);
	const char *format = text ? format_of(lint, text) : "machine";

	free(text);
	return format;
}

static bool ends_in_yaml(const char *name)
{
	size_t length = strlen(name);

	return length > 5 && strcmp(name + length - 5, ".yaml") == 0;
}

static int is_candidate(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **left, const struct dirent **right)
{
	return strcmp((*left)->d_name, (*right)->d_name);
}

static bool add_folder(struct mw_lint *lint, const char *folder, unsigned depth);

static bool add_entry(struct mw_lint *lint, const char *folder, const char *name, unsigned depth)
{
	size_t length = strlen(folder);
	const char *path = mw_arena_printf(&lint->arena, "%s%s%s", folder,
					   length && folder[length - 1] == '/' ? "" : "/", name);
	struct stat status;

	if (lstat(path, &status) < 0)
		return true;
	if (S_ISDIR(status.st_mode))
		return depth == DEEPEST || add_folder(lint, path, depth + 1);
	if (!S_ISREG(status.st_mode) || !ends_in_yaml(name))
		return true;
	const char *format = format_of_file(lint, path);

	if (!has_shape(format))
		return true;
	if (lint->operand_count == MOST_FILES)
		return complain(path, "too many files");
	return add(lint, path, folder, strcmp(format, "machine") != 0, true);
}

/* Every file below that begins as one of the language; no symbolic links, nothing hidden. */
static bool add_folder(struct mw_lint *lint, const char *folder, unsigned depth)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_candidate, by_name);
	bool good = true;

	if (count < 0)
		return complain(folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		good = good && add_entry(lint, folder, entries[i]->d_name, depth);
		free(entries[i]);
	}
	free(entries);
	return good;
}

static bool add_whole_folder(struct mw_lint *lint, const char *folder)
{
	size_t count = lint->operand_count;

	if (!add_folder(lint, folder, 0))
		return false;
	return lint->operand_count > count ||
	       complain(folder, "no file in this folder begins with `format:`");
}

static bool read_standard_input(struct mw_lint *lint)
{
	size_t room = 0;

	if (lint->standard_input)
		return complain("-", "standard input can be read once");
	for (;;) {
		size_t length = lint->standard_input_length;

		if (room - length < 4096) {
			room = room ? 2 * room : 65536;
			lint->standard_input = mw_grow(lint->standard_input, room, 1);
		}
		ssize_t count =
			read(STDIN_FILENO, lint->standard_input + length, room - length - 1);

		if (count < 0 && errno != EINTR)
			return complain("-", strerror(errno));
		if (count == 0)
			break;
		lint->standard_input_length += count > 0 ? (size_t)count : 0;
		if (lint->standard_input_length > MW_READ_BYTES)
			return complain("-", "too large");
	}
	if (lint->standard_input)
		lint->standard_input[lint->standard_input_length] = '\0';
	return true;
}

static bool add_standard_input(struct mw_lint *lint)
{
	const char *name = mw_arguments_value(lint->arguments, "stdin-name", "./stdin.yaml");

	if (mw_arguments_has(lint->arguments, "fix"))
		return complain("-", "standard input cannot be changed; --diff shows the fixes");
	if (!read_standard_input(lint))
		return false;
	if (!strchr(name, '/'))
		name = mw_arena_printf(&lint->arena, "./%s", name);
	struct mw_resolve_text *text = mw_arena_alloc(&lint->arena, 1, sizeof(*text));
	const char *format = format_of(lint, lint->standard_input);

	*text = (struct mw_resolve_text){ .path = name,
					  .text = lint->standard_input,
					  .length = lint->standard_input_length };
	lint->texts = text;
	lint->text_count = 1;
	return add(lint, name, folder_of(lint, name), *format && strcmp(format, "machine") != 0,
		   false);
}

/* A word without a slash is the name of a profile where there is one. */
static bool is_profile(struct mw_lint *lint, const char *word)
{
	const struct mw_search *search = &lint->workshop.search;

	for (size_t i = 0; i < search->count; i++) {
		if (access(mw_arena_printf(&lint->arena, "%s/profiles/%s.yaml", search->folders[i],
					   word),
			   F_OK) == 0)
			return true;
	}
	return false;
}

static bool add_word(struct mw_lint *lint, const char *word)
{
	struct stat status;
	bool path = strchr(word, '/') || ends_in_yaml(word);

	if (strcmp(word, "-") == 0)
		return add_standard_input(lint);
	if (stat(word, &status) == 0 && S_ISDIR(status.st_mode) &&
	    (path || !is_profile(lint, word)))
		return add_whole_folder(lint, word);
	const char *format = path ? format_of_file(lint, word) : "machine";

	if (strcmp(format, "abi") == 0)
		return true; /* looked at with the profile beside it */
	return add(lint, word, path ? folder_of(lint, word) : ".",
		   *format && strcmp(format, "machine") != 0, path);
}

bool mw_lint_operands(struct mw_lint *lint)
{
	const struct mw_arguments *arguments = lint->arguments;

	for (size_t i = 0; i < arguments->operand_count; i++) {
		if (!add_word(lint, arguments->operands[i]))
			return false;
	}
	return true;
}
