/* The terminal this process was started on (POSIX.1-2017, chapter 11). */
// SPDX-License-Identifier: MIT
#include "devices/backend/terminal.h"

#include <errno.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

/* A process has one controlling terminal, and a signal handler gets no argument: so this is one of
 * the few places with state of its own. `raw_fd` is set last and cleared first. */
static struct termios before;
static volatile sig_atomic_t raw_fd = -1;

bool mw_terminal_raw(int fd)
{
	struct termios raw;
	pid_t foreground = tcgetpgrp(fd); /* -1: not our controlling terminal, nobody stops us */

	if (raw_fd == fd)
		return true;
	/* Changing the settings from the background would stop us with SIGTTOU. */
	if (raw_fd >= 0 || (foreground >= 0 && foreground != getpgrp()) ||
	    tcgetattr(fd, &before) < 0)
		return false;
	raw = before;
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSANOW, &raw) < 0)
		return false;
	raw_fd = fd;
	return true;
}

void mw_terminal_restore(void)
{
	int error = errno, fd = raw_fd;

	raw_fd = -1;
	if (fd >= 0)
		tcsetattr(fd, TCSANOW, &before);
	errno = error;
}
