/** One machine from a plan to its end: accelerator, log, who drives it and who asks. What `run` is made of,
 * for verbs that get their plan elsewhere. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_SESSION_H
#define TOOLS_SESSION_H

#include "core/machine.h"
#include "tools/address.h"
#include "tools/choice.h"
#include "tools/profile.h"
#include "tools/report.h"

struct mw_boot;
struct mw_control;

/** On the caller's stack, zeroed. begin; then the verb sets `plan`; prepare; run; and finish in any case,
 * also where a step has failed, which takes down what there is and returns the exit code. */
struct mw_session {
	const struct mw_arguments *arguments;
	struct mw_workshop workshop;
	struct mw_plan *plan; /* freed by finish */
	/** What puts the machine into the state in which it starts; NULL: a reset. */
	bool (*enter)(struct mw_session *session);
	void *context; /* enter's */
	int code;

	FILE *log;   /* NULL: standard error */
	FILE *trace; /* NULL: none is asked for */
	uint64_t trace_limit;
	struct mw_address qtest, qmp;
	struct mw_endpoint qtest_end, qmp_end;
	bool has_qtest, has_qmp;
	struct mw_choice choice;
	struct mw_boot *boot;
	struct mw_machine *machine;
	struct mw_accel *accel;
	struct mw_control *control;
};

/** Reads the options and opens the log. False: it has been said why, as with the others. */
bool mw_session_begin(struct mw_session *session, const struct mw_arguments *arguments);
/** Chooses the accelerator and builds the machine. */
bool mw_session_prepare(struct mw_session *session);
void mw_session_run(struct mw_session *session);
int mw_session_finish(struct mw_session *session);

/** The rows of a verb's options that a session reads. */
#define MW_SESSION_OPTIONS                                                                        \
	{ .name = "accel",                                                                        \
	  .value = "NAME",                                                                        \
	  .help = "What runs the CPUs, in place of the profile's own preference; auto takes the " \
		  "first that is good here, and says why where it passes one over." },            \
		{ .name = "qmp",                                                                  \
		  .value = "ADDRESS",                                                             \
		  .help = "Take commands in QEMU's machine protocol, from one client after the "  \
			  "other, "                                                               \
			  "at a UNIX socket (PATH or unix:PATH) or over stdio; `,server=off` "    \
			  "connects." },                                                          \
		{ .name = "qtest",                                                                \
		  .value = "ADDRESS",                                                             \
		  .help = "Let another program make the accesses and the time, in QEMU's qtest "  \
			  "protocol (--accel none): it waits at a UNIX socket (PATH or "          \
			  "unix:PATH), `,server` waits for it there, stdio is the standard "      \
			  "streams. It is answered while the machine runs, not while --qmp has "  \
			  "stopped it." },                                                        \
		{ .name = "log",                                                                  \
		  .value = "FILE",                                                                \
		  .help = "Write the log (odd things the guest did, and ours) to a file, not to " \
			  "standard error." },                                                    \
		{ .name = "verbose",                                                              \
		  .letter = 'v',                                                                  \
		  .help = "Say which accelerator was chosen and why, and how it was set up." },   \
		{ .name = "counters",                                                             \
		  .help = "Write to the log at the end what the CPUs have done: instructions, "   \
			  "exits, "                                                               \
			  "interrupts and more. The software CPU (soft) counts." },               \
		{ .name = "trace",                                                                \
		  .value = "FILE",                                                                \
		  .help = "Write a line for each instruction to a file (- is standard output): "  \
			  "what ran "                                                             \
			  "and which registers it changed. The software CPU (soft) can; it is "   \
			  "slow "                                                                 \
			  "then." },                                                              \
		{ .name = "trace-limit",                                                          \
		  .value = "N",                                                                   \
		  .help = "End the trace after so many instructions, 2000000 if not given (some " \
			  "250 "                                                                  \
			  "MB); the machine runs on." },                                          \
		MW_DIAGNOSTICS_OPTION

#endif
