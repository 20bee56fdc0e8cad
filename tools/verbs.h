/** Every verb of the command, in the order help lists them. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_VERBS_H
#define TOOLS_VERBS_H

#include "tools/options.h"

extern const struct mw_verb mw_verb_run, mw_verb_restore, mw_verb_lint, mw_verb_resolve,
	mw_verb_devices, mw_verb_lock, mw_verb_schema, mw_verb_completion, mw_verb_fmt, mw_verb_cat,
	mw_verb_why, mw_verb_explain, mw_verb_import, mw_verb_type, mw_verb_inspect, mw_verb_lsp,
	mw_verb_snapshot, mw_verb_help_verb;
extern const struct mw_verb mw_verb_screenshot, mw_verb_verify;
extern const struct mw_verb mw_verb_image, mw_verb_insert, mw_verb_eject;
extern const struct mw_verb mw_verb_abi, mw_verb_diff, mw_verb_graph, mw_verb_map;

/** Ended by NULL. */
extern const struct mw_verb *const mw_verbs[];

/** NULL where there is none. */
const struct mw_verb *mw_verb_find(const char *name);
/** The verb a reader may have meant, or NULL. */
const char *mw_verb_nearest(const char *name);

/** What `millwright --help` prints. */
void mw_command_help(FILE *out);
void mw_command_version(FILE *out);

/** The whole command; returns the exit code. argv[0] is not looked at. */
int mw_command(int argc, char **argv);

int mw_verb_unknown(const char *name);

#endif
