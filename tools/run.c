/** `millwright run`: from a profile to a running machine and back. */
// SPDX-License-Identifier: MIT
#include "tools/session.h"
#include "tools/verbs.h"

static const struct mw_option options[] = {
	MW_PROFILE_OPTIONS,
	MW_SESSION_OPTIONS,
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
	{ "millwright run ./my-machine.yaml --qmp vm.sock",
	  "Let `millwright type vm.sock TEXT` press its keys." },
	{ "millwright run microvm --set kernel=vmlinuz </dev/null >console.txt",
	  "Run without a terminal; the serial console goes to a file." },
	{ 0 },
};

static bool resolve(struct mw_session *session)
{
	session->code = (int)mw_workshop_resolve(&session->workshop, &session->plan,
						 session->arguments->operands[0],
						 session->arguments, false);
	return session->plan != NULL;
}

static int run(const struct mw_arguments *arguments)
{
	struct mw_session session = { 0 };

	if (mw_session_begin(&session, arguments) && resolve(&session) &&
	    mw_session_prepare(&session))
		mw_session_run(&session);
	return mw_session_finish(&session);
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
		"and traces come from the software CPU and are written by this verb.\n\n"
		"With --qmp SOCKET the machine takes commands while it runs: `type`, `screenshot`, "
		"`insert`, `eject`, `inspect` and `snapshot` are clients of it, and so is what "
		"speaks QMP with QEMU.",
	.examples = examples,
	.exits = "0 when the guest powers off, the guest's own code when it writes to a debug-exit "
		 "device, 1 when the profile has errors or the machine fails, 2 for usage and for "
		 "files that cannot be read, 128 + N when signal N ended it.",
	.run = run,
};
