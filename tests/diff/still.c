/* Loaded into QEMU before its C library: CLOCK_MONOTONIC, from which the virtual clock comes, stands still
 * but for the command `clock_step NS` on standard input, a socket. A step stops wherever a timer is due. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { SEEN_BYTES = 1024 };
static const int64_t second_ns = 1000000000;
static const char step_word[] = "clock_step ", look[] = "timers\n";

/* Of the main thread, but for the time, which the others read. */
static struct {
	_Atomic int64_t now_ns;
	int64_t until_ns; /* where the step at hand leads to */
	int64_t wait_ns;  /* how long the main loop would sleep; -1: for ever */
	bool stepping;
} still = { .now_ns = 1000000000000 };

/* A test that is killed leaves no QEMU behind. */
__attribute__((constructor)) static void end_with_the_test(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

int clock_gettime(clockid_t id, struct timespec *time)
{
	int64_t now = still.now_ns;

	if (id != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, id, time);
	time->tv_sec = now / second_ns;
	time->tv_nsec = now % second_ns;
	return 0;
}

static bool on_main_thread(void)
{
	return getpid() == (pid_t)syscall(SYS_gettid);
}

/* No sleep ends by itself where time does not pass. */
int ppoll(struct pollfd *polled, nfds_t count, const struct timespec *timeout,
	  const sigset_t *signals)
{
	struct timespec none = { 0 };
	bool looks = timeout && !timeout->tv_sec && !timeout->tv_nsec;

	if (on_main_thread())
		still.wait_ns = timeout ? timeout->tv_sec * second_ns + timeout->tv_nsec : -1;
	return (int)syscall(SYS_ppoll, polled, count, looks ? &none : NULL, signals, 8);
}

int __ppoll_chk(struct pollfd *polled, nfds_t count, const struct timespec *timeout,
		const sigset_t *signals, size_t size);
int __ppoll_chk(struct pollfd *polled, nfds_t count, const struct timespec *timeout,
		const sigset_t *signals, size_t size)
{
	return ppoll(polled, count, timeout, signals);
}

/* Moves the clock behind the next timer, or to the end; true: it is there. The main loop runs the timers that
 * are due after it has been given a line. One ns behind, for QEMU rounds some deadlines down, and such a timer
 * would not find its time come. */
static bool go_on(int64_t step_ns)
{
	if (!still.stepping)
		still.until_ns = still.now_ns + step_ns;
	else if (still.now_ns == still.until_ns && still.wait_ns != 0)
		return !(still.stepping = false);
	still.stepping = true;
	still.now_ns = still.wait_ns < 0 || still.wait_ns >= still.until_ns - still.now_ns
			       ? still.until_ns
			       : still.now_ns + still.wait_ns + 1;
	return false;
}

/* How much of the text is whole lines before a step; 0: a step comes first. */
static size_t plain_lines(const char *text)
{
	const char *at = text, *end;

	while (strncmp(at, step_word, sizeof(step_word) - 1) != 0 && (end = strchr(at, '\n')))
		at = end + 1;
	return (size_t)(at - text);
}

/* What the main loop is given: lines up to a step, or a step once it is made, so that QEMU answers it. */
static ssize_t next_lines(char *text, size_t capacity)
{
	char seen[SEEN_BYTES + 1];
	ssize_t count =
		recv(STDIN_FILENO, seen, capacity < SEEN_BYTES ? capacity : SEEN_BYTES, MSG_PEEK);
	size_t take;

	if (count <= 0)
		return count;
	seen[count] = '\0';
	take = plain_lines(seen);
	if (!take && !strchr(seen, '\n')) {
		errno = EAGAIN;
		return -1;
	}
	if (!take && !go_on(strtoll(seen + sizeof(step_word) - 1, NULL, 0))) {
		memcpy(text, look, sizeof(look) - 1);
		return sizeof(look) - 1;
	}
	return recv(STDIN_FILENO, text, take ? take : strcspn(seen, "\n") + 1, 0);
}

ssize_t readv(int fd, const struct iovec *vector, int count)
{
	if (fd == STDIN_FILENO && count > 0)
		return next_lines(vector[0].iov_base, vector[0].iov_len);
	return syscall(SYS_readv, fd, vector, count);
}
