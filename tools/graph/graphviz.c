/* Runs `dot` with the graph on its standard input: no shell, bounded in time and in output. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/graph/graph.h"

extern char **environ;

enum { SECONDS = 30, OUTPUT_MOST = 64 << 20, CHUNK = 65536 };

/* The conversation with the child. */
struct talk {
	int to, from; /* our ends; -1 once closed */
	const char *text;
	size_t length, sent;
	FILE *out;
	size_t received;
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void send_some(struct talk *talk)
{
	ssize_t sent = write(talk->to, talk->text + talk->sent, talk->length - talk->sent);

	if (sent > 0)
		talk->sent += (size_t)sent;
	else if (sent < 0 && errno != EAGAIN && errno != EINTR)
		talk->sent = talk->length;
	if (talk->sent == talk->length)
		close_end(&talk->to);
}

/* False when it says too much. */
static bool receive_some(struct talk *talk)
{
	char bytes[CHUNK];
	ssize_t got = read(talk->from, bytes, sizeof(bytes));

	if (got > 0) {
		talk->received += (size_t)got;
		fwrite(bytes, 1, (size_t)got, talk->out);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		close_end(&talk->from);
	}
	return talk->received <= OUTPUT_MOST;
}

static const char *converse(struct talk *talk)
{
	int64_t deadline = now_ms() + SECONDS * 1000;

	while (talk->from >= 0) {
		struct pollfd ends[] = { { .fd = talk->from, .events = POLLIN },
					 { .fd = talk->to, .events = POLLOUT } };
		int64_t left = deadline - now_ms();

		if (left <= 0 || (poll(ends, 2, (int)left) < 0 && errno != EINTR))
			return "`dot` took more than 30 seconds";
		if (talk->to >= 0 && ends[1].revents)
			send_some(talk);
		if (ends[0].revents && !receive_some(talk))
			return "`dot` wrote more than 64 MiB";
	}
	return NULL;
}

static bool pipes(int in[2], int out[2])
{
	if (pipe2(in, O_CLOEXEC))
		return false;
	if (pipe2(out, O_CLOEXEC) == 0)
		return true;
	close(in[0]);
	close(in[1]);
	return false;
}

static int start(pid_t *child, int in, int out)
{
	static char name[] = "dot", format[] = "-Tsvg";
	char *const words[] = { name, format, NULL };
	posix_spawn_file_actions_t actions;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	error = posix_spawnp(child, "dot", &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

static const char *finish(pid_t child, const char *why)
{
	int status = 0;

	if (why)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!why && (!WIFEXITED(status) || WEXITSTATUS(status)))
		why = "`dot` failed";
	return why;
}

static const char *run(struct talk *talk)
{
	int in[2], out[2], error;
	pid_t child;

	if (!pipes(in, out))
		return "there are no file descriptors left";
	error = start(&child, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	talk->to = in[1];
	talk->from = out[0];
	fcntl(talk->to, F_SETFL, O_NONBLOCK);
	const char *why = error ? "`dot` is not here; Debian has it in the package graphviz, and "
				  "--layout own needs nothing"
				: finish(child, converse(talk));

	close_end(&talk->to);
	close_end(&talk->from);
	return why;
}

bool mw_graph_graphviz(const struct mw_graph *graph, FILE *out, const char **why)
{
	char *text = NULL, *picture = NULL;
	size_t length = 0, picture_length = 0;
	FILE *dot = open_memstream(&text, &length),
	     *held = open_memstream(&picture, &picture_length);
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;

	if (!dot || !held)
		abort(); /* only for want of memory */
	mw_graph_dot(graph, dot);
	fclose(dot);
	struct talk talk = { -1, -1, text, length, 0, held, 0 };

	sigaction(SIGPIPE, &ignore, &before);
	*why = run(&talk);
	sigaction(SIGPIPE, &before, NULL);
	fclose(held);
	if (!*why)
		fwrite(picture, 1, picture_length, out);
	free(picture);
	free(text);
	return !*why;
}
