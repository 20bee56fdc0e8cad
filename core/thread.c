/* A new thread has the signal mask of the one that makes it. */
// SPDX-License-Identifier: MIT
#include "core/thread.h"

#include <signal.h>

int mw_thread_create(pthread_t *thread, void *(*run)(void *context), void *context)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(thread, NULL, run, context);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}
