/** `millwright lsp`: a language server on standard input and output. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "tools/lsp/lsp_internal.h"
#include "tools/verbs.h"

enum { READ_BYTES = 64 * 1024 };

static bool is_waiting(int handle)
{
	struct pollfd poll_handle = { .fd = handle, .events = POLLIN };

	return poll(&poll_handle, 1, 0) > 0;
}

static bool write_answers(struct lsp_server *server)
{
	size_t done = 0;

	while (done < server->answer.count) {
		ssize_t count = write(STDOUT_FILENO, server->answer.bytes + done,
				      server->answer.count - done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return false;
		done += (size_t)count;
	}
	server->answer.count = 0;
	return true;
}

/* Changes are looked at when no more of them wait, so that fast typing costs one look. */
static void serve(struct lsp_server *server)
{
	char *bytes = mw_alloc(READ_BYTES, 1);
	bool more = true;

	while (more) {
		ssize_t count = read(STDIN_FILENO, bytes, READ_BYTES);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			break;
		more = lsp_take(server, bytes, (size_t)count);
		if (more && !is_waiting(STDIN_FILENO))
			lsp_settle(server);
		more &= write_answers(server);
	}
	free(bytes);
}

static int lsp(const struct mw_arguments *arguments)
{
	struct mw_workshop workshop;
	struct lsp_server server = { .workshop = &workshop, .exit_code = MW_EXIT_FAILED };
	int code = MW_EXIT_FAILED;

	(void)arguments;
	if (mw_workshop_init(&workshop)) {
		serve(&server);
		code = server.exit_code;
	}
	lsp_server_fini(&server);
	mw_workshop_fini(&workshop);
	return code;
}

static const struct mw_option options[] = {
	{ .name = "stdio",
	  .help = "Speak on standard input and output. There is no other way; editors pass it." },
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright lsp", "What an editor runs; tools/lsp/README.md has settings for some." },
	{ 0 },
};

const struct mw_verb mw_verb_lsp = {
	.name = "lsp",
	.summary = "Serve an editor: findings, completion, hover, definitions, renaming.",
	.operands = "",
	.options = options,
	.details = "Speaks the Language Server Protocol 3.17. Only YAML files with a `format:` or "
		   "`devices:` of this language are looked at.",
	.examples = examples,
	.exits = "0 when the client said `shutdown` and `exit`, else 1.",
	.run = lsp,
};
