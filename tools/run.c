/** `millwright run`: from a profile to a running machine and back. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/boot/linux.h"
#include "core/tables/tables.h"
#include "tools/choice.h"
#include "tools/guard.h"
#include "tools/profile.h"
#include "tools/report.h"
#include "tools/verbs.h"

/* Instructions; a file must not fill the disk unasked. */
enum { TRACE_LIMIT = 2000000 };

static const struct mw_option options[] = {
	MW_OPTION_SET,
	{ .name = "accel",
	  .value = "NAME",
	  .help = "What runs the CPUs, in place of the profile's own preference; auto takes the "
		  "first that is good here, and says why where it passes one over." },
	{ .name = "log",
	  .value = "FILE",
	  .help = "Write the log (odd things the guest did, and ours) to a file, not to standard "
		  "error." },
	{ .name = "verbose",
	  .letter = 'v',
	  .help = "Say which accelerator was chosen and why, and how it was set up." },
	{ .name = "counters",
	  .help = "Write to the log at the end what the CPUs have done: instructions, exits, "
		  "interrupts and more. The software CPU (soft) counts." },
	{ .name = "trace",
	  .value = "FILE",
	  .help = "Write a line for each instruction to a file (- is standard output): what ran "
		  "and which registers it changed. The software CPU (soft) can; it is slow then." },
	{ .name = "trace-limit",
	  .value = "N",
	  .help = "End the trace after so many instructions, 2000000 if not given (some 250 MB); "
		  "the machine runs on." },
	{ .name = "diagnostics",
	  .value = "FORMAT",
	  .choices = mw_report_formats,
	  .help = "How findings look on standard error: full, concise or json." },
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright run microvm --set kernel=vmlinuz --set initrd=initrd.gz",
	  "Boot a Linux kernel with 1 CPU and 128 MiB." },
	{ "millwright run microvm --set kernel=vmlinuz --set cpus=4 --set ram=1GiB",
	  "Give it more." },
	{ "millwright run ./my-machine.yaml --log guest.log -v", "Run a machine of your own." },
	{ "millwright run microvm --set kernel=vmlinuz --accel soft --trace t.txt",
	  "See what the software CPU does." },
	{ "millwright run microvm --set kernel=vmlinuz </dev/null >console.txt",
	  "Run without a terminal; the serial console goes to a file." },
	{ 0 },
};

/** One run. Each step's part is taken down in reverse by `finish`. */
struct session {
	const struct mw_arguments *arguments;
	struct mw_workshop workshop;
	FILE *log;   /* NULL: standard error */
	FILE *trace; /* NULL: none is asked for */
	uint64_t trace_limit;
	struct mw_plan *plan;
	struct mw_choice choice;
	struct mw_linux_boot *boot;
	struct mw_machine *machine;
	struct mw_accel *accel;
	int code;
};

static FILE *log_file(const struct session *session)
{
	return session->log ? session->log : stderr;
}

static bool open_log(struct session *session)
{
	const char *path = mw_arguments_value(session->arguments, "log", NULL);

	if (!path)
		return true;
	session->log = fopen(path, "we");
	if (session->log)
		return true;
	fprintf(stderr, "millwright run: cannot write the log %s: %s\n", path, strerror(errno));
	session->code = MW_EXIT_USAGE;
	return false;
}

static bool refuse_limit(struct session *session, const char *why)
{
	fprintf(stderr, "millwright run: --trace-limit %s\n", why);
	session->code = MW_EXIT_USAGE;
	return false;
}

static bool read_trace_limit(struct session *session)
{
	const char *limit = mw_arguments_value(session->arguments, "trace-limit", NULL);
	char *end = NULL;

	session->trace_limit = TRACE_LIMIT;
	if (!limit)
		return true;
	session->trace_limit = strtoull(limit, &end, 10);
	if (limit[0] < '0' || limit[0] > '9' || *end || !session->trace_limit)
		return refuse_limit(session, "is a number of instructions, 1 or more");
	return mw_arguments_has(session->arguments, "trace") ||
	       refuse_limit(session, "limits a trace; add --trace FILE");
}

/* When everything else is known to be right: it empties the file. */
static bool open_trace(struct session *session)
{
	const char *path = mw_arguments_value(session->arguments, "trace", NULL);

	if (!path)
		return true;
	session->trace = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	if (session->trace)
		return true;
	fprintf(stderr, "millwright run: cannot write the trace %s: %s\n", path, strerror(errno));
	session->code = MW_EXIT_USAGE;
	return false;
}

static bool resolve(struct session *session)
{
	session->code = (int)mw_workshop_resolve(&session->workshop, &session->plan,
						 session->arguments->operands[0],
						 session->arguments, false);
	return session->plan != NULL;
}

static bool can_do(struct session *session, const char *option, bool can)
{
	struct mw_diagnostics *diagnostics = &session->workshop.diagnostics;
	struct mw_diag *diag;

	if (can || !mw_arguments_has(session->arguments, option))
		return true;
	diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				  "the accelerator %s has no `--%s`", session->choice.ops->name,
				  option);
	mw_diag_help(diagnostics, diag, "the software CPU has: `--accel soft`");
	return false;
}

/** Files and accelerator; finds everything that is wrong before it gives up. */
static bool check_host(struct session *session)
{
	struct mw_diagnostics *diagnostics = &session->workshop.diagnostics;
	bool good = mw_choice_make(&session->choice, session->plan,
				   mw_arguments_value(session->arguments, "accel", NULL), mw_accels,
				   diagnostics);

	if (good) {
		good = can_do(session, "trace", session->choice.ops->trace);
		good &= can_do(session, "counters", session->choice.ops->counters);
	}
	if (session->plan->boot.linux_path)
		good &= mw_linux_boot_open(&session->boot, session->plan, diagnostics);
	if (!good)
		session->code = MW_EXIT_FAILED;
	return good;
}

/** A poor accelerator, or one in another's place, is always worth a line; a good one only when asked. */
static void log_choice(const struct session *session)
{
	if (session->log || session->choice.probe.verdict != MW_ACCEL_GOOD ||
	    session->choice.passed_over || mw_arguments_has(session->arguments, "verbose"))
		fprintf(log_file(session), "millwright: %s\n", session->choice.line);
}

static void log_accelerator(const struct session *session)
{
	char text[256];

	if (!session->log && !mw_arguments_has(session->arguments, "verbose"))
		return;
	session->choice.ops->describe(session->accel, text, sizeof(text));
	fprintf(log_file(session), "millwright: %s\n", text);
	fflush(log_file(session));
}

/** Prints what was found since the last time: warnings before the guest has the terminal, errors at
 * the end. Sources stay, because the plan's spans point into them. */
static void print_findings(struct session *session)
{
	struct mw_diagnostics *diagnostics = &session->workshop.diagnostics;

	if (diagnostics->count)
		mw_report(diagnostics, mw_arguments_value(session->arguments, "diagnostics", NULL),
			  stderr);
	diagnostics->count = diagnostics->errors = diagnostics->warnings = 0;
}

static bool build(struct session *session)
{
	struct mw_diagnostics *diagnostics = &session->workshop.diagnostics;

	session->code = MW_EXIT_FAILED;
	if (!mw_machine_build(&session->machine, session->plan, diagnostics))
		return false;
	if (session->log)
		mw_machine_set_log(session->machine, session->log);
	mw_guard_watch(session->machine);
	return session->choice.ops->create(&session->accel, session->machine, diagnostics);
}

static void add_reset_hooks(struct session *session)
{
	mw_machine_add_reset_hook(session->machine,
				  (struct mw_reset_hook){ "tables", mw_tables_write, NULL });
	if (session->boot)
		mw_machine_add_reset_hook(
			session->machine,
			(struct mw_reset_hook){ "linux", mw_linux_boot_load, session->boot });
}

/** Exit codes are 8 bits; a failure must not become 0 in them. */
static int exit_code(int code)
{
	int signal = mw_guard_ended_by();

	if (signal)
		return 128 + signal;
	return code != 0 && (code & 0xff) == 0 ? MW_EXIT_FAILED : code & 0xff;
}

static void run_machine(struct session *session)
{
	struct mw_diagnostics *diagnostics = &session->workshop.diagnostics;

	log_accelerator(session);
	add_reset_hooks(session);
	if (session->trace)
		session->choice.ops->trace(session->accel, session->trace, session->trace_limit);
	if (mw_machine_reset(session->machine, diagnostics))
		session->code = exit_code(mw_machine_run(session->machine, diagnostics));
	if (mw_arguments_has(session->arguments, "counters"))
		session->choice.ops->counters(session->accel);
}

static void close_trace(struct session *session)
{
	if (session->trace && session->trace != stdout && fclose(session->trace) == EOF)
		fprintf(stderr, "millwright run: the trace is not whole: %s\n", strerror(errno));
}

static void finish(struct session *session)
{
	/* A signal from here on has nothing to end but the process. */
	mw_guard_watch(NULL);
	if (session->accel)
		session->choice.ops->destroy(session->accel);
	close_trace(session);
	mw_machine_destroy(session->machine);
	mw_linux_boot_close(session->boot);
	mw_guard_close();
	print_findings(session);
	mw_plan_destroy(session->plan);
	mw_workshop_fini(&session->workshop);
	if (session->log)
		fclose(session->log);
}

static int run(const struct mw_arguments *arguments)
{
	struct session session = { .arguments = arguments, .code = MW_EXIT_FAILED };

	if (mw_workshop_init(&session.workshop) && open_log(&session) &&
	    read_trace_limit(&session) && resolve(&session) && check_host(&session) &&
	    open_trace(&session)) {
		print_findings(&session);
		log_choice(&session);
		mw_guard_open();
		if (build(&session))
			run_machine(&session);
	}
	finish(&session);
	return session.code;
}

const struct mw_verb mw_verb_run = {
	.name = "run",
	.summary = "Build the machine a profile describes and run it.",
	.operands = "PROFILE",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.details =
		"A profile is a name (microvm, microvm@1) or a file (with `/` or ending in "
		"`.yaml`). Where the profile says `backend: stdio`, the guest's serial console is "
		"this terminal: Ctrl-A x leaves, Ctrl-A ? lists what else there is, and Ctrl-C "
		"goes to the guest.\n\n"
		"Where the profile says `prefer: [auto]`, or with --accel auto, /dev/kvm is tried "
		"for 10 ms (once per boot of the host) and taken if it runs kernels at speed and "
		"whole; else the software CPU runs the machine, and one line says why. Counters "
		"and "
		"traces come from the software CPU and are written by this verb; `inspect`, for a "
		"machine that is running, is planned.",
	.examples = examples,
	.exits = "0 when the guest powers off, the guest's own code when it writes to a debug-exit "
		 "device, 1 when the profile has errors or the machine fails, 2 for usage and for "
		 "files that cannot be read, 128 + N when signal N ended it.",
	.run = run,
};
