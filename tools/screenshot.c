/** `millwright screenshot`: what the screen of a running machine shows. */
// SPDX-License-Identifier: MIT
#include "tools/control/client.h"
#include "tools/verbs.h"

static const char fallback[] = "screenshot.png";

static const struct mw_option options[] = {
	{ .name = "output",
	  .letter = 'o',
	  .value = "FILE",
	  .help = "Write the picture there; screenshot.png when not given." },
	{ .name = "text", .letter = 't', .help = "Print the text on the screen instead." },
	{ .name = "node",
	  .letter = 'n',
	  .value = "NODE",
	  .help = "The display adapter to look at; the machine's first when not given." },
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright screenshot vm.sock -o boot.png", "Take a picture." },
	{ "millwright screenshot vm.sock --text | grep login:", "Look for a word on the screen." },
	{ 0 },
};

static int run(const struct mw_arguments *arguments)
{
	const char *path = mw_arguments_value(arguments, "output", NULL);
	const char *node = mw_arguments_value(arguments, "node", NULL);
	bool text = mw_arguments_has(arguments, "text"), good;
	struct mw_client *client;

	if (text && path) {
		fputs("millwright screenshot: --text prints; it takes no --output\n", stderr);
		return MW_EXIT_USAGE;
	}
	client = mw_client_open(arguments->operands[0]);
	good = mw_client_good(client) &&
	       (text ? mw_client_screen_text(client, node, stdout)
		     : mw_client_screenshot(client, path ? path : fallback, node));
	if (!good)
		fprintf(stderr, "millwright screenshot: %s\n", mw_client_error(client));
	mw_client_close(client);
	return good ? MW_EXIT_OK : MW_EXIT_FAILED;
}

const struct mw_verb mw_verb_screenshot = {
	.name = "screenshot",
	.summary = "Save what the screen of a running machine shows.",
	.operands = "SOCKET",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.details = "SOCKET is where the machine takes commands: `run` it with --qmp SOCKET. The "
		   "picture is a PNG, and takes the place of a file that is there. In a text mode "
		   "the screen can be had as text, a line for each row.",
	.examples = examples,
	.exits = "0 when it was written, 1 when there is no such machine or display, it shows "
		 "nothing, or no text where that was asked for, 2 for usage.",
	.run = run,
};
