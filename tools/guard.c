/** Terminal state and signals (POSIX.1-2017, chapters 11 and 2.4). */
// SPDX-License-Identifier: MIT
#include "tools/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "core/machine.h"

static void on_deadly(int signal, siginfo_t *info, void *context);
static void on_ending(int signal, siginfo_t *info, void *context);
static void on_stop(int signal, siginfo_t *info, void *context);
static void on_continue(int signal, siginfo_t *info, void *context);

/* Handlers run on whatever thread was hit. What is ignored when we start, as under nohup, stays so. */
static const struct taken {
	int signal;
	void (*handler)(int signal, siginfo_t *info, void *context);
} taken[] = {
	{ SIGTERM, on_ending }, { SIGHUP, on_ending },    { SIGINT, on_ending },
	{ SIGTSTP, on_stop },   { SIGCONT, on_continue }, { SIGQUIT, on_deadly },
	{ SIGILL, on_deadly },  { SIGTRAP, on_deadly },   { SIGABRT, on_deadly },
	{ SIGBUS, on_deadly },  { SIGFPE, on_deadly },    { SIGSEGV, on_deadly },
	{ SIGSYS, on_deadly },  { SIGXCPU, on_deadly },   { SIGXFSZ, on_deadly },
	{ SIGALRM, on_deadly }, { SIGUSR1, on_deadly },   { SIGUSR2, on_deadly },
	{ SIGPROF, on_deadly }, { SIGVTALRM, on_deadly },
};
enum { TAKEN = sizeof(taken) / sizeof(taken[0]), DESCRIPTORS = 3 };

/* Signal handlers have no argument for it: the one object of the process. */
static struct guard {
	bool open;
	struct descriptor {
		bool terminal;
		struct termios before; /* as it was found */
		struct termios during; /* as the machine had it when it was stopped last */
		bool has_during;
		/* Flags of the open file, which other processes share; -1: unknown. */
		int flags_before, flags_during;
	} descriptors[DESCRIPTORS];
	struct sigaction before[TAKEN];
	struct mw_machine *_Atomic machine;
	_Atomic int ended_by;
} guard;

/* What follows is called from signal handlers: no locks, no allocation. */

/** A background process that sets terminal modes is stopped by SIGTTOU unless it is blocked. */
static void set_modes(int fd, const struct termios *modes)
{
	sigset_t ttou, before;

	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &ttou, &before);
	tcsetattr(fd, TCSANOW, modes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void give_back(void)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		const struct descriptor *descriptor = &guard.descriptors[fd];

		if (descriptor->flags_before != -1)
			fcntl(fd, F_SETFL, descriptor->flags_before);
		if (descriptor->terminal)
			set_modes(fd, &descriptor->before);
	}
}

static void remember_modes(void)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		struct descriptor *descriptor = &guard.descriptors[fd];

		descriptor->flags_during = fcntl(fd, F_GETFL);
		if (descriptor->terminal)
			descriptor->has_during = tcgetattr(fd, &descriptor->during) == 0;
	}
}

/** Only the foreground takes the terminal; in the background the next `fg` sends another SIGCONT. */
static void take_again(void)
{
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		const struct descriptor *descriptor = &guard.descriptors[fd];

		if (descriptor->flags_during != -1)
			fcntl(fd, F_SETFL, descriptor->flags_during);
		if (descriptor->has_during && tcgetpgrp(fd) == getpgrp())
			set_modes(fd, &descriptor->during);
	}
}

static void restore_action(int signal)
{
	for (int i = 0; i < TAKEN; i++)
		if (taken[i].signal == signal)
			sigaction(signal, &guard.before[i], NULL);
}

static bool is_fault(int signal, const siginfo_t *info)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (signal == faults[i])
			return info->si_code > 0;
	return false;
}

static void on_deadly(int signal, siginfo_t *info, void *context)
{
	int error = errno;

	give_back();
	restore_action(signal);
	errno = error;
	/* A fault happens again on return; what was sent must be sent anew. */
	if (!is_fault(signal, info))
		raise(signal);
}

static void on_ending(int signal, siginfo_t *info, void *context)
{
	struct mw_machine *machine = atomic_load(&guard.machine);
	int error = errno, nobody = 0;

	if (machine && atomic_compare_exchange_strong(&guard.ended_by, &nobody, signal))
		mw_machine_interrupt(machine);
	else
		on_deadly(signal, info, context);
	errno = error;
}

static void on_stop(int signal, siginfo_t *info, void *context)
{
	int error = errno;

	remember_modes();
	give_back();
	/* To this thread: it must not get past here before the whole process has stopped. */
	raise(SIGSTOP);
	take_again();
	errno = error;
}

static void on_continue(int signal, siginfo_t *info, void *context)
{
	int error = errno;

	take_again();
	errno = error;
}

/* Here the part for handlers ends. */

static void take_signals(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };

	sigfillset(&action.sa_mask);
	for (int i = 0; i < TAKEN; i++) {
		action.sa_sigaction = taken[i].handler;
		sigaction(taken[i].signal, NULL, &guard.before[i]);
		if (guard.before[i].sa_handler != SIG_IGN)
			sigaction(taken[i].signal, &action, NULL);
	}
}

static void release_signals(void)
{
	for (int i = 0; i < TAKEN; i++) {
		struct sigaction now;

		/* Someone else's handler that came later stays. */
		if (sigaction(taken[i].signal, NULL, &now) == 0 &&
		    now.sa_sigaction == taken[i].handler)
			sigaction(taken[i].signal, &guard.before[i], NULL);
	}
}

/** For exit() from somewhere below. */
static void on_exit_process(void)
{
	if (guard.open)
		give_back();
}

void mw_guard_open(void)
{
	static bool registered;

	if (!registered)
		registered = atexit(on_exit_process) == 0;
	memset(&guard, 0, sizeof(guard));
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		struct descriptor *descriptor = &guard.descriptors[fd];

		descriptor->flags_before = fcntl(fd, F_GETFL);
		descriptor->flags_during = -1;
		descriptor->terminal = tcgetattr(fd, &descriptor->before) == 0;
	}
	guard.open = true;
	take_signals();
}

void mw_guard_watch(struct mw_machine *machine)
{
	atomic_store(&guard.machine, machine);
}

int mw_guard_ended_by(void)
{
	return atomic_load(&guard.ended_by);
}

void mw_guard_close(void)
{
	if (!guard.open)
		return;
	give_back();
	release_signals();
	guard.open = false;
}
