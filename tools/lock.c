/** `millwright lock`: writes down where `auto` put things, or checks what is written. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "resolver/front.h"
#include "resolver/lock.h"
#include "tools/profile.h"
#include "tools/report.h"
#include "tools/texts.h"
#include "tools/verbs.h"

static const struct mw_option options[] = {
	MW_PROFILE_OPTIONS,
	{ .name = "output",
	  .value = "FILE",
	  .help = "Write this file; without the option the one that --lock names, or "
		  "NAME.lock.yaml beside the profile." },
	{ .name = "check",
	  .help = "Write nothing; exit with 1 unless the lock fits the machine as it is." },
	MW_DIAGNOSTICS_OPTION,
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright lock my-machine.yaml", "Pin every address that is `auto`." },
	{ "millwright lock my-machine.yaml --check", "Let CI say when the lock is behind." },
	{ "millwright lock my-machine.yaml --no-lock", "Start over: everything may move." },
	{ 0 },
};

/* Whoever mistypes --output keeps his profile. */
static bool may_replace(const char *path, const char **why)
{
	size_t length;
	const char *unread;
	char *text = mw_text_read(path, &length, &unread);
	bool may = !text || !length || strstr(text, "format: lock/");

	if (!may)
		*why = "it is there and no lock file";
	free(text);
	return may;
}

static int write_file(const char *path, const char *text)
{
	const char *why;

	if (may_replace(path, &why) && mw_text_write(path, text, strlen(text), &why))
		return MW_EXIT_OK;
	fprintf(stderr, "millwright lock: cannot write %s: %s\n", path, why);
	return MW_EXIT_USAGE;
}

static const char *target(struct mw_study *study, const struct mw_arguments *arguments)
{
	const char *said = mw_arguments_value(arguments, "lock", NULL);

	said = mw_arguments_value(arguments, "output", said);
	return said ? said : mw_lock_path(&study->arena, study->document.front->profile->path);
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static int check(struct mw_study *study, const struct mw_arguments *arguments)
{
	const struct mw_lock *lock = study->draft.lock;
	struct mw_lock_state state;
	const char *path = lock ? lock->path : target(study, arguments);

	mw_lock_state(&study->draft, &state);
	if (!lock && state.lacking)
		printf("%s: there is no lock, and %zu place%s to keep\n", path, state.lacking,
		       plural(state.lacking));
	if (lock && state.lacking)
		printf("%s: %zu place%s not locked, first `%s`\n", path, state.lacking,
		       plural(state.lacking), state.first_lacking);
	if (state.stale)
		printf("%s: %zu place%s of what is gone, first `%s`\n", path, state.stale,
		       plural(state.stale), state.first_stale);
	if (state.changed)
		printf("%s: what the guest sees is not what was locked\n", path);
	return state.lacking || state.stale || state.changed ? MW_EXIT_FAILED : MW_EXIT_OK;
}

/* That the machine is another one than was locked is why it is locked again. */
static void forget_changes(struct mw_diagnostics *diagnostics)
{
	for (size_t i = 0; i < diagnostics->count; i++) {
		struct mw_diag *diag = diagnostics->items[i];

		if (diag->severity == MW_SEVERITY_HINT && !strcmp(diag->code, "R309"))
			mw_diag_hide(diagnostics, diag, MW_DIAG_ALLOWED, NULL);
	}
}

static int write_lock(struct mw_study *study, const struct mw_arguments *arguments)
{
	const char *path = target(study, arguments);
	size_t places, gone;
	char *text = mw_lock_write(&study->draft, &places, &gone);
	int code = text ? write_file(path, text) : MW_EXIT_FAILED;

	free(text);
	forget_changes(study->draft.diagnostics);
	if (code == MW_EXIT_OK)
		printf("%s: %zu place%s locked, %zu kept for what is gone\n", path, places,
		       plural(places), gone);
	return code;
}

static int lock(const struct mw_arguments *arguments)
{
	struct mw_workshop workshop;
	enum mw_exit resolved = MW_EXIT_FAILED;
	int code = MW_EXIT_FAILED;

	if (mw_workshop_init(&workshop)) {
		struct mw_study *study = mw_workshop_study(&workshop, arguments->operands[0],
							   arguments, true, false, &resolved);

		code = (int)resolved;
		if (study->plan && mw_arguments_has(arguments, "check"))
			code = check(study, arguments);
		else if (study->plan && !mw_arguments_has(arguments, "output") &&
			 mw_workshop_is_foreign(&workshop, study, "lock"))
			code = MW_EXIT_USAGE;
		else if (study->plan)
			code = write_lock(study, arguments);
		if (workshop.diagnostics.count)
			mw_report(&workshop.diagnostics,
				  mw_arguments_value(arguments, "diagnostics", NULL), stderr);
		mw_study_close(study);
	}
	mw_workshop_fini(&workshop);
	return code;
}

const struct mw_verb mw_verb_lock = {
	.name = "lock",
	.summary = "Write down every automatic placement, so that nothing moves later.",
	.operands = "PROFILE",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.details =
		"The lock is a file of one line for each address, port, interrupt line, DMA "
		"channel "
		"and slot that `auto` got, and a hash of what the guest sees. Whoever resolves the "
		"profile finds it beside it. With a lock nothing moves: what is new takes room "
		"that "
		"is left, and what would have to move is an error (R309) that names both parties. "
		"The room of a device that is taken out is kept for its return.",
	.examples = examples,
	.exits = "0 when the lock is written or fits, 1 when the profile has errors or the lock "
		 "does "
		 "not fit, 2 for usage and for files that cannot be read or written.",
	.run = lock,
};
