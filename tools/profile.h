/** What run, lint and resolve have in common: the registry, the search path, one resolve. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_PROFILE_H
#define TOOLS_PROFILE_H

#include "core/diagnostics.h"
#include "core/plan.h"
#include "core/registry.h"
#include "resolver/study.h"
#include "tools/lint/config.h"
#include "tools/options.h"
#include "tools/search.h"

/** Every device type of this program and every finding so far. On the caller's stack; the plans that
 * come out borrow it. */
struct mw_workshop {
	struct mw_registry registry;
	struct mw_search search;
	struct mw_diagnostics diagnostics;
	struct mw_resolve_options options; /* of the latest study; its arrays are the workshop's */
	const char **sets, **overlays, **folders;
	struct mw_config
		config; /* the project's, of the latest study; only its search path counts */
};

/** False when the built-in types break the contract: a bug of ours, already reported. */
bool mw_workshop_init(struct mw_workshop *workshop);
void mw_workshop_fini(struct mw_workshop *workshop);

/** Resolves a profile with the --set options given. Returns an exit code: failed for findings, usage
 * when the profile itself could not be read; then *out is NULL. `stand_ins` as in resolver.h. */
enum mw_exit mw_workshop_resolve(struct mw_workshop *workshop, struct mw_plan **out,
				 const char *profile, const struct mw_arguments *arguments,
				 bool stand_ins);

/** The same, kept open (mw_study_close, before the next study and the workshop's end), with what the
 * files allow hidden (resolver/allow.h). Options of the
 * command line that the verb does not have are as if not given. `lint` as in resolver.h. *code as
 * above. Never NULL. */
struct mw_study *mw_workshop_study(struct mw_workshop *workshop, const char *profile,
				   const struct mw_arguments *arguments, bool stand_ins, bool lint,
				   enum mw_exit *code);

/** Fills the workshop's options for mw_study_open from the command line and, for the search path, from
 * the project's .millwright.yaml; for those who change some. */
void mw_workshop_prepare(struct mw_workshop *workshop, const char *profile,
			 const struct mw_arguments *arguments);
/** Whether a file that was asked for could not be read, among the findings from `from` on. */
bool mw_workshop_unreadable(const struct mw_diagnostics *diagnostics, size_t from);

/** Whether the profile was given by name and lies in the installation's folders: what is written beside it
 * would not be the user's. Complains as `verb` then. */
bool mw_workshop_is_foreign(const struct mw_workshop *workshop, const struct mw_study *study,
			    const char *verb);

/** The rows that every verb with a profile has. */
#define MW_PROFILE_OPTIONS                                                                        \
	{ .name = "set",                                                                          \
	  .value = "NAME=VALUE",                                                                  \
	  .repeats = true,                                                                        \
	  .help = "Give a parameter of the profile a value; may be repeated." },                  \
		{ .name = "overlay",                                                              \
		  .letter = 'o',                                                                  \
		  .value = "FILE",                                                                \
		  .repeats = true,                                                                \
		  .help = "Lay a file of changes (overlay/1) over the profile; may be repeated, " \
			  "later ones win." },                                                    \
		{ .name = "lock",                                                                 \
		  .value = "FILE",                                                                \
		  .help = "Take placements from this lock file; without the option from "         \
			  "NAME.lock.yaml beside the profile, if it is there." },                 \
		{ .name = "no-lock",                                                              \
		  .help = "Place everything anew, whatever a lock file says." },                  \
	{                                                                                         \
		.name = "allow-deprecated",                                                       \
		.help = "Take profiles that are past their end of life."                          \
	}

#endif
