/* Steps of a session, each with its messages; `finish` takes down what they have set up. */
// SPDX-License-Identifier: MIT
#include "tools/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/boot/boot.h"
#include "core/tables/tables.h"
#include "tools/control/control.h"
#include "tools/guard.h"
#include "tools/unbuilt.h"

/* Instructions; a file must not fill the disk unasked. */
enum { TRACE_LIMIT = 2000000 };

static const char *option(const struct mw_session *session, const char *name)
{
	return mw_arguments_value(session->arguments, name, NULL);
}

static bool has(const struct mw_session *session, const char *name)
{
	return mw_arguments_has(session->arguments, name);
}

/** A mistake on the command line, or a file that cannot be had. */
__attribute__((format(printf, 2, 3))) static bool refuse(struct mw_session *session,
							 const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "millwright %s: ", session->arguments->verb->name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	session->code = MW_EXIT_USAGE;
	return false;
}

static FILE *log_file(const struct mw_session *session)
{
	return session->log ? session->log : stderr;
}

static bool open_log(struct mw_session *session)
{
	const char *path = option(session, "log");

	if (!path)
		return true;
	session->log = fopen(path, "we");
	return session->log ||
	       refuse(session, "cannot write the log %s: %s", path, strerror(errno));
}

static bool read_trace_limit(struct mw_session *session)
{
	const char *limit = option(session, "trace-limit");
	char *end = NULL;

	session->trace_limit = TRACE_LIMIT;
	if (!limit)
		return true;
	session->trace_limit = strtoull(limit, &end, 10);
	if (limit[0] < '0' || limit[0] > '9' || *end || !session->trace_limit)
		return refuse(session, "--trace-limit is a number of instructions, 1 or more");
	return has(session, "trace") ||
	       refuse(session, "--trace-limit limits a trace; add --trace FILE");
}

static bool read_address(struct mw_session *session, const char *name, struct mw_address *address,
			 bool listens, bool *given)
{
	const char *text = option(session, name);
	char why[300];

	*given = text;
	if (!text || mw_address_parse(address, text, listens, why, sizeof(why)))
		return true;
	return refuse(session, "--%s %s", name, why);
}

static bool read_addresses(struct mw_session *session)
{
	const char *accel = option(session, "accel");
	bool none = accel && strcmp(accel, "none") == 0;

	if (!read_address(session, "qtest", &session->qtest, false, &session->has_qtest) ||
	    !read_address(session, "qmp", &session->qmp, true, &session->has_qmp))
		return false;
	if (none && !session->has_qtest)
		return refuse(session, "--accel none has no CPUs, so another program has to drive "
				       "the machine: add --qtest ADDRESS");
	if (session->has_qtest && accel && !none)
		return refuse(session,
			      "--qtest drives a machine without CPUs (--accel none), and "
			      "--accel %s has some",
			      accel);
	if (session->qtest.is_stdio && session->qmp.is_stdio)
		return refuse(session, "--qtest and --qmp cannot both be stdio");
	return true;
}

bool mw_session_begin(struct mw_session *session, const struct mw_arguments *arguments)
{
	const struct mw_endpoint nowhere = { .in = -1, .out = -1, .listener = -1 };

	session->arguments = arguments;
	session->code = MW_EXIT_FAILED;
	session->qtest_end = session->qmp_end = nowhere;
	return mw_workshop_init(&session->workshop) && read_trace_limit(session) &&
	       read_addresses(session) && open_log(session);
}

/* When everything else is known to be right: it empties the file. */
static bool open_trace(struct mw_session *session)
{
	const char *path = option(session, "trace");

	if (!path)
		return true;
	session->trace = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	return session->trace ||
	       refuse(session, "cannot write the trace %s: %s", path, strerror(errno));
}

static bool open_endpoint(struct mw_session *session, const char *name, struct mw_address *address,
			  struct mw_endpoint *endpoint)
{
	char why[300];

	if (mw_address_open(address, endpoint, why, sizeof(why)))
		return true;
	address->listens = false; /* the name is not ours to take away */
	return refuse(session, "--%s %s", name, why);
}

static bool open_endpoints(struct mw_session *session)
{
	return (!session->has_qtest ||
		open_endpoint(session, "qtest", &session->qtest, &session->qtest_end)) &&
	       (!session->has_qmp ||
		open_endpoint(session, "qmp", &session->qmp, &session->qmp_end));
}

static bool can_do(struct mw_session *session, const char *name, bool can)
{
	struct mw_diagnostics *diagnostics = &session->workshop.diagnostics;
	struct mw_diag *diag;

	if (can || !has(session, name))
		return true;
	diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
				  "the accelerator %s has no `--%s`", session->choice.ops->name,
				  name);
	mw_diag_help(diagnostics, diag, "the software CPU has: `--accel soft`");
	return false;
}

/* A profile may prefer `none` too. */
static bool has_driver(struct mw_session *session)
{
	struct mw_diagnostics *diagnostics = &session->workshop.diagnostics;
	struct mw_diag *diag;

	if (!session->choice.ops->drive || session->has_qtest)
		return true;
	diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", session->plan->accel.span,
				  "the accelerator %s has no CPUs, and nobody drives the machine",
				  session->choice.ops->name);
	mw_diag_help(diagnostics, diag, "name the driver: `--qtest ADDRESS`");
	return false;
}

/* There is one terminal. */
static bool is_stdio_free(struct mw_session *session)
{
	const char *user = session->qtest.is_stdio ? "qtest" : session->qmp.is_stdio ? "qmp" : NULL;
	struct mw_diagnostics *diagnostics = &session->workshop.diagnostics;
	bool good = true;

	for (size_t i = 0; user && i < session->plan->node_count; i++) {
		const struct mw_plan_node *node = &session->plan->nodes[i];

		if (strcmp(node->type->name, "stdio") != 0)
			continue;
		struct mw_diag *diag = mw_diagnostics_add(
			diagnostics, MW_SEVERITY_ERROR, "", node->span,
			"`%s` has the standard streams, and so has --%s", node->id, user);

		mw_diag_help(diagnostics, diag,
			     "give --%s a socket, or the port another backend (`backend: null`) in "
			     "a profile that extends this one",
			     user);
		good = false;
	}
	return good;
}

static bool no_kernel(void *context, struct mw_machine *machine, struct mw_cpu_state *boot_cpu,
		      struct mw_diagnostics *diagnostics)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "the guest is reset, and its kernel was not found at the start");
	return false;
}

/* Who enters otherwise can do without a kernel for as long as the guest is not reset. */
static bool open_boot(struct mw_session *session)
{
	struct mw_diagnostics unheard = { 0 };
	bool good;

	if (!mw_plan_boots_kernel(session->plan))
		return true;
	if (!session->enter)
		return mw_boot_open(&session->boot, session->plan, &session->workshop.diagnostics);
	good = mw_boot_open(&session->boot, session->plan, &unheard);
	if (!good)
		mw_diagnostics_add(&session->workshop.diagnostics, MW_SEVERITY_WARNING, "",
				   (struct mw_span){ 0 },
				   "the kernel is not there, so a reset of the guest will fail: %s",
				   unheard.count ? unheard.items[0]->message : "");
	mw_diagnostics_fini(&unheard);
	return true;
}

/** Files and accelerator; finds everything that is wrong before it gives up. */
static bool check_host(struct mw_session *session)
{
	struct mw_diagnostics *diagnostics = &session->workshop.diagnostics;
	const char *wanted = session->has_qtest ? "none" : option(session, "accel");
	bool good = mw_choice_make(&session->choice, session->plan, wanted, mw_accels, diagnostics);

	if (good) {
		good = can_do(session, "trace", session->choice.ops->trace);
		good &= can_do(session, "counters", session->choice.ops->counters);
		good &= has_driver(session);
	}
	good &= mw_unbuilt_check(session->plan, diagnostics);
	good &= is_stdio_free(session);
	good &= open_boot(session);
	if (!good)
		session->code = MW_EXIT_FAILED;
	return good;
}

/** A poor accelerator, or one in another's place, is always worth a line; a good one only when asked. */
static void log_choice(const struct mw_session *session)
{
	if (session->log || session->choice.probe.verdict != MW_ACCEL_GOOD ||
	    session->choice.passed_over || has(session, "verbose"))
		fprintf(log_file(session), "millwright: %s\n", session->choice.line);
}

static void log_accelerator(const struct mw_session *session)
{
	char text[256];

	if (!session->log && !has(session, "verbose"))
		return;
	session->choice.ops->describe(session->accel, text, sizeof(text));
	fprintf(log_file(session), "millwright: %s\n", text);
	fflush(log_file(session));
}

/** Prints what was found since the last time: warnings before the guest has the terminal, errors at
 * the end. Sources stay, because the plan's spans point into them. */
static void print_findings(struct mw_session *session)
{
	struct mw_diagnostics *diagnostics = &session->workshop.diagnostics;

	if (diagnostics->count)
		mw_report(diagnostics, option(session, "diagnostics"), stderr);
	diagnostics->count = diagnostics->errors = diagnostics->warnings = 0;
}

static void give_driver(struct mw_session *session)
{
	const struct mw_endpoint *end = &session->qtest_end;

	if (!session->has_qtest)
		return;
	session->choice.ops->drive(session->accel,
				   &(struct mw_accel_driver){ end->in, end->out, end->listener });
}

static bool open_control(struct mw_session *session)
{
	int error = session->has_qmp ? mw_control_open(&session->control, session->machine,
						       &session->qmp_end)
				     : 0;

	if (error)
		fprintf(stderr, "millwright %s: no thread for --qmp: %s\n",
			session->arguments->verb->name, strerror(error));
	return !error;
}

static bool build(struct mw_session *session)
{
	struct mw_diagnostics *diagnostics = &session->workshop.diagnostics;

	session->code = MW_EXIT_FAILED;
	if (!mw_machine_build(&session->machine, session->plan, diagnostics))
		return false;
	if (session->log)
		mw_machine_set_log(session->machine, session->log);
	mw_guard_watch(session->machine);
	if (!session->choice.ops->create(&session->accel, session->machine, diagnostics))
		return false;
	give_driver(session);
	return open_control(session);
}

bool mw_session_prepare(struct mw_session *session)
{
	if (!check_host(session) || !open_endpoints(session) || !open_trace(session))
		return false;
	print_findings(session);
	log_choice(session);
	mw_guard_open();
	return build(session);
}

static void add_reset_hooks(struct mw_session *session)
{
	mw_machine_add_reset_hook(session->machine,
				  (struct mw_reset_hook){ "tables", mw_tables_write, NULL });
	if (session->boot)
		mw_machine_add_reset_hook(
			session->machine,
			(struct mw_reset_hook){ "boot", mw_boot_load, session->boot });
	else if (mw_plan_boots_kernel(session->plan))
		mw_machine_add_reset_hook(session->machine,
					  (struct mw_reset_hook){ "boot", no_kernel, NULL });
}

/** Exit codes are 8 bits; a failure must not become 0 in them. */
static int exit_code(int code)
{
	int signal = mw_guard_ended_by();

	if (signal)
		return 128 + signal;
	return code != 0 && (code & 0xff) == 0 ? MW_EXIT_FAILED : code & 0xff;
}

static bool enter(struct mw_session *session)
{
	return session->enter ? session->enter(session)
			      : mw_machine_reset(session->machine, &session->workshop.diagnostics);
}

void mw_session_run(struct mw_session *session)
{
	struct mw_diagnostics *diagnostics = &session->workshop.diagnostics;

	log_accelerator(session);
	/* Whoever enters otherwise wants no kernel loaded, until the guest is reset. */
	mw_machine_add_reset_hook(session->machine,
				  (struct mw_reset_hook){ "items", mw_items_write, NULL });
	if (!session->enter)
		add_reset_hooks(session);
	if (session->trace)
		session->choice.ops->trace(session->accel, session->trace, session->trace_limit);
	bool good = enter(session);

	if (session->enter)
		add_reset_hooks(session);
	if (good) {
		print_findings(session);
		session->code = exit_code(mw_machine_run(session->machine, diagnostics));
	}
	if (has(session, "counters"))
		session->choice.ops->counters(session->accel);
}

static void close_trace(struct mw_session *session)
{
	if (session->trace && session->trace != stdout && fclose(session->trace) == EOF)
		refuse(session, "the trace is not whole: %s", strerror(errno));
}

/** What nobody has taken over. */
static void close_endpoint(const struct mw_endpoint *endpoint)
{
	if (endpoint->in > STDERR_FILENO)
		close(endpoint->in);
	if (endpoint->listener >= 0)
		close(endpoint->listener);
}

static void close_endpoints(struct mw_session *session)
{
	if (!session->accel)
		close_endpoint(&session->qtest_end);
	if (!session->control)
		close_endpoint(&session->qmp_end);
	if (session->qtest_end.listener >= 0)
		mw_address_remove(&session->qtest, &session->qtest_end);
	if (session->qmp_end.listener >= 0)
		mw_address_remove(&session->qmp, &session->qmp_end);
}

int mw_session_finish(struct mw_session *session)
{
	/* A signal from here on has nothing to end but the process. */
	mw_guard_watch(NULL);
	mw_control_close(session->control);
	close_endpoints(session);
	if (session->accel)
		session->choice.ops->destroy(session->accel);
	close_trace(session);
	mw_machine_destroy(session->machine);
	mw_boot_close(session->boot);
	mw_guard_close();
	print_findings(session);
	mw_plan_destroy(session->plan);
	mw_workshop_fini(&session->workshop);
	if (session->log)
		fclose(session->log);
	return session->code;
}
