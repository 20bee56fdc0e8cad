/** `.millwright.yaml`: what a project wants of its linter. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_LINT_CONFIG_H
#define TOOLS_LINT_CONFIG_H

#include "core/diagnostics.h"
#include "resolver/shape.h"

#define MW_CONFIG_NAME ".millwright.yaml"

/** What a file may say: the table of keys that it is read by. */
extern const struct mw_shape mw_config_shape;

enum { MW_CONFIG_MOST = 256, MW_CONFIG_LONGEST = 256 };

/** `severity: {CODE: LEVEL}`; OFF drops the finding. */
enum mw_level { MW_LEVEL_ERROR, MW_LEVEL_WARNING, MW_LEVEL_HINT, MW_LEVEL_OFF };
struct mw_level_row {
	const char *code; /* or the start of one */
	enum mw_level level;
};
struct mw_per_file {
	const char *glob; /* against the path from the config's folder */
	const char *const *ignore;
};

/** One file, or (path NULL) no file and so the defaults. Lists end with NULL, or are NULL where the
 * key is not there. Filled by mw_config_read or zeroes, freed by mw_config_fini. */
struct mw_config {
	const char *path;   /* as printed */
	const char *folder; /* absolute */
	const char *const *select, *const *ignore;
	const char *const *profile_path, *const *module_path; /* absolute */
	const char *const *trust;
	struct mw_level_row *levels;
	size_t level_count;
	struct mw_per_file *per_file;
	size_t per_file_count;
	const char *fail_on, *format;
	const char *baseline; /* absolute */
	struct mw_arena arena;
	struct mw_diagnostics diagnostics; /* what is wrong with it */
};

/** Reads a file. False: the findings say why it is of no use. */
bool mw_config_read(struct mw_config *config, const char *path);
void mw_config_fini(struct mw_config *config);

/** The nearest `.millwright.yaml` from the folder upward, not beyond one that holds `.git`. A new path
 * (free()), NULL where there is none. */
char *mw_config_find(const char *folder);

/** Whether the text matches: `*` is any run of characters, `?` one. O(both). */
bool mw_glob_matches(const char *glob, const char *text);

/** `error`, `warning`, `hint`, `off`; false for another word. */
bool mw_level_parse(const char *word, enum mw_level *level);

#endif
