/** A machine named on the command line: a profile, a plan's text, or a snapshot. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_DRAW_SUBJECT_H
#define TOOLS_DRAW_SUBJECT_H

#include "tools/profile.h"

/** On the caller's stack; filled by mw_subject_open, freed by mw_subject_close before the workshop. */
struct mw_subject {
	struct mw_plan *plan;   /* NULL when there is none: the workshop's findings say why */
	struct mw_study *study; /* NULL for what is no profile */
	const char *name;
};

/** Opens it: a file that begins as a plan's text or a snapshot is read as that, anything else is a
 * profile, resolved with the options given and those under the option named `sets` (NULL: none) after
 * them. Returns an exit code. */
enum mw_exit mw_subject_open(struct mw_subject *subject, struct mw_workshop *workshop,
			     const char *name, const struct mw_arguments *arguments,
			     const char *sets);
void mw_subject_close(struct mw_subject *subject);

/** Lines of the --help of every verb that takes such operands. */
#define MW_SUBJECT_HELP                                                                        \
	"PROFILE is a profile's name or file, the text that `millwright resolve` wrote, or a " \
	"snapshot. A required host file that has no value yet stands as <its parameter's name>."

#endif
