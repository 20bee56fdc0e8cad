/** Threads of this process beside the main one. */
// SPDX-License-Identifier: MIT
#ifndef CORE_THREAD_H
#define CORE_THREAD_H

#include <pthread.h>

/** Starts a thread that takes no signal: all are the main thread's. Returns 0 or an errno value. */
int mw_thread_create(pthread_t *thread, void *(*run)(void *context), void *context);

#endif
