/** `millwright restore`: a machine goes on from a snapshot. */
// SPDX-License-Identifier: MIT
#include "core/snapshot/snapshot.h"
#include "resolver/plan_read.h"
#include "tools/session.h"
#include "tools/verbs.h"

static const struct mw_option options[] = {
	{ .name = "plan",
	  .help = "Print the plan inside and leave: what machine it is, and which files it "
		  "names." },
	{ .name = "changed-disks",
	  .help = "Go on though a hard disk was written to or replaced since; what the guest has "
		  "of it in its memory no longer fits." },
	MW_SESSION_OPTIONS,
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright restore machine.snapshot", "Go on where the machine was saved." },
	{ "millwright restore machine.snapshot --accel soft -v",
	  "Go on with the software CPU, whatever it was saved under." },
	{ "millwright restore machine.snapshot --qmp control.sock",
	  "Take commands again, for instance to save it once more." },
	{ "millwright restore stranger.snapshot --plan", "Look at it before you run it." },
	{ 0 },
};

static bool read_plan(struct mw_session *session, struct mw_snapshot *snapshot)
{
	struct mw_diagnostics *diagnostics = &session->workshop.diagnostics;
	size_t length;
	const char *text = mw_snapshot_plan(snapshot, &length);

	return mw_plan_read(&session->plan, text, length, session->arguments->operands[0],
			    &session->workshop.registry, diagnostics) &&
	       mw_snapshot_fit_plan(snapshot, session->plan, diagnostics);
}

/* The machine is reset as when it was new, without a kernel: what was there comes from the file. */
static bool enter(struct mw_session *session)
{
	struct mw_diagnostics *diagnostics = &session->workshop.diagnostics;
	bool good = mw_machine_reset(session->machine, diagnostics) &&
		    mw_snapshot_load(session->context, session->machine, diagnostics);

	mw_snapshot_close(session->context);
	session->context = NULL;
	return good;
}

/* As it was understood, so what is shown is what would run; nothing of it is opened. */
static void print_plan(struct mw_session *session)
{
	mw_plan_write_yaml(session->plan, MW_PLAN_WHOLE, stdout);
	session->code = fflush(stdout) ? MW_EXIT_FAILED : MW_EXIT_OK;
}

static void go_on(struct mw_session *session)
{
	if (mw_arguments_has(session->arguments, "plan")) {
		print_plan(session);
		return;
	}
	if (mw_arguments_has(session->arguments, "changed-disks"))
		mw_snapshot_accept_changes(session->context);
	mw_snapshot_take_out(session->context, session->plan);
	if (mw_session_prepare(session))
		mw_session_run(session);
}

static int restore(const struct mw_arguments *arguments)
{
	struct mw_session session = { .enter = enter };
	struct mw_snapshot *snapshot = NULL;

	if (mw_session_begin(&session, arguments) &&
	    mw_snapshot_open(&snapshot, arguments->operands[0], &session.workshop.diagnostics) &&
	    read_plan(&session, snapshot)) {
		session.context = snapshot;
		go_on(&session);
		snapshot = session.context;
	}
	mw_snapshot_close(snapshot);
	return mw_session_finish(&session);
}

const struct mw_verb mw_verb_restore = {
	.name = "restore",
	.summary = "Continue a saved machine.",
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.details =
		"The file is what `millwright snapshot` wrote. It holds the machine's plan as "
		"well, so "
		"no profile is needed, and the machine's files (a kernel, ROMs, the host side of "
		"its "
		"serial ports) are looked for where they were; the kernel's only when the guest is "
		"reset. So a snapshot names files of this host and opens them, as a profile does: "
		"look "
		"at a stranger's with --plan first. It may go on under another accelerator if that "
		"one "
		"offers all the guest has found out about its CPU; what does not fit is named.\n\n"
		"Disks are no part of the snapshot: copy their files while the machine is paused. "
		"A "
		"hard disk whose file was written to since (by the machine itself too, when it ran "
		"on) or has another size is refused, because the guest's memory has parts of it; "
		"put back the file with its time (`cp -p`), or take --changed-disks. A drive has "
		"the medium that was in it; one that was written to since is told to the guest as "
		"another, and where there is none any more the drive is empty.\n\n"
		"All the guest's clocks, its clock chip too, stood while it was saved, as in a "
		"pause, "
		"and go on from where they were together. So `date` in the guest is behind by that "
		"time, until the guest sets it.",
	.examples = examples,
	.exits = "As those of `run`; 1 when the snapshot is damaged or does not fit.",
	.run = restore,
};
