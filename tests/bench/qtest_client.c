/* qtest_client SOCKET: listens there as QEMU's libqtest does, takes the machine that connects, and prints what
 * accesses cost over QEMU's qtest protocol: one line a case, ns per access one at a time and sent ahead. */
// SPDX-License-Identifier: MIT
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, SINGLE = 4000, AHEAD = 100, BATCHES = 200, LINE = 64 };

/* What both an ISA PC of QEMU's and tests/diff/qtest.yaml have. */
static const struct {
	const char *name, *command;
} cases[] = {
	{ "port read, a register", "inb 0x3ff\n" },
	{ "port write, a register", "outb 0x3ff 0x5a\n" },
	{ "port read, nobody there", "inb 0x5000\n" },
	{ "memory read, a register", "readl 0xfec00000\n" },
	{ "memory write, a register", "writel 0xfec00000 0x1\n" },
	{ "memory read, nobody there", "readl 0xfd000000\n" },
	{ "memory read, RAM", "readl 0x1000\n" },
};

struct client {
	int fd;
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct client take(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct client client;
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		fail("the socket's path is too long");
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 1) < 0)
		fail(path);
	client.fd = accept(listener, NULL, NULL);
	if (client.fd < 0)
		fail("accept");
	close(listener);
	return client;
}

static void send_all(const struct client *client, const char *text, size_t count)
{
	while (count) {
		ssize_t sent = send(client->fd, text, count, MSG_NOSIGNAL);

		if (sent < 0)
			fail("send");
		text += sent;
		count -= (size_t)sent;
	}
}

/* Takes so many answers, whatever pieces they come in. */
static void expect(const struct client *client, unsigned lines)
{
	char text[16384];
	bool begins = true;

	while (lines) {
		ssize_t count = recv(client->fd, text, sizeof(text), 0);

		if (count <= 0)
			fail("recv");
		for (ssize_t i = 0; i < count; i++) {
			if (begins && text[i] != 'O') {
				fprintf(stderr, "an answer is no OK: %.*s\n", (int)(count - i),
					text + i);
				exit(1);
			}
			begins = text[i] == '\n';
			lines -= begins;
		}
	}
}

static uint64_t one_at_a_time(const struct client *client, const char *command)
{
	uint64_t start = now_ns();
	size_t length = strlen(command);

	for (unsigned i = 0; i < SINGLE; i++) {
		send_all(client, command, length);
		expect(client, 1);
	}
	return (now_ns() - start) / SINGLE;
}

static uint64_t sent_ahead(const struct client *client, const char *command)
{
	char batch[AHEAD * LINE];
	size_t length = strlen(command), count = 0;

	for (unsigned i = 0; i < AHEAD; i++, count += length)
		memcpy(batch + count, command, length);
	uint64_t start = now_ns();

	for (unsigned i = 0; i < BATCHES; i++) {
		send_all(client, batch, count);
		expect(client, AHEAD);
	}
	return (now_ns() - start) / (AHEAD * BATCHES);
}

static uint64_t best(const struct client *client, const char *command,
		     uint64_t (*measure)(const struct client *client, const char *command))
{
	uint64_t least = UINT64_MAX;

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t took = measure(client, command);

		least = took < least ? took : least;
	}
	return least;
}

int main(int count, char **arguments)
{
	if (count != 2) {
		fputs("usage: qtest_client SOCKET\n", stderr);
		return 2;
	}
	struct client client = take(arguments[1]);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		printf("%s\t%llu\t%llu\n", cases[i].name,
		       (unsigned long long)best(&client, cases[i].command, one_at_a_time),
		       (unsigned long long)best(&client, cases[i].command, sent_ahead));
	close(client.fd);
	return 0;
}
