/* measure COMMAND...: runs it, then prints `STATUS WALL-US CPU-US KIB` on file descriptor 3. What a script starts
 * inherits the script's own peak of memory (getrusage(2), ru_maxrss); what this little program starts does not. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long us_of(struct timeval time)
{
	return time.tv_sec * 1000000LL + time.tv_usec;
}

static long long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

int main(int count, char **arguments)
{
	struct rusage usage;
	int status;

	if (count < 2)
		return 2;
	long long start = now_us();
	pid_t child = fork();

	if (child == 0) {
		close(3);
		execvp(arguments[1], arguments + 1);
		fprintf(stderr, "%s: %s\n", arguments[1], strerror(errno));
		_exit(127);
	}
	while (wait4(child, &status, 0, &usage) < 0)
		if (errno != EINTR)
			return 2;
	dprintf(3, "%d %lld %lld %ld\n",
		WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), now_us() - start,
		us_of(usage.ru_utime) + us_of(usage.ru_stime), usage.ru_maxrss);
	return 0;
}
