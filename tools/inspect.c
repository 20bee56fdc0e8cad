/** `millwright inspect`: the devices of a running machine and what is in them. */
// SPDX-License-Identifier: MIT
#include "tools/control/client.h"
#include "tools/verbs.h"

static const struct mw_option options[] = {
	{ .name = "json", .help = "As JSON, for programs." },
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright inspect vm.sock", "List the devices of a running machine." },
	{ "millwright inspect vm.sock com1", "Show the registers of one of them." },
	{ 0 },
};

static int run(const struct mw_arguments *arguments)
{
	const char *node = arguments->operand_count > 1 ? arguments->operands[1] : NULL;
	struct mw_client *client = mw_client_open(arguments->operands[0]);
	bool good = mw_client_good(client) &&
		    mw_client_inspect(client, node, mw_arguments_has(arguments, "json"), stdout);

	if (!good)
		fprintf(stderr, "millwright inspect: %s\n", mw_client_error(client));
	mw_client_close(client);
	return good ? MW_EXIT_OK : MW_EXIT_FAILED;
}

const struct mw_verb mw_verb_inspect = {
	.name = "inspect",
	.summary = "Look into a running machine.",
	.operands = "SOCKET [NODE]",
	.min_operands = 1,
	.max_operands = 2,
	.options = options,
	.details =
		"SOCKET is where the machine takes commands: `run` it with --qmp SOCKET. Without "
		"NODE "
		"the machine's devices are listed; with it, the state of that one, by the names "
		"its "
		"chip has for it (`millwright devices TYPE`) and in hexadecimal: what a snapshot "
		"keeps of it. The machine rests while it is looked at, for a moment. A chip that "
		"the accelerator runs is asked for its state.",
	.examples = examples,
	.exits = "0 for an answer, 1 when there is no such machine or node, 2 for usage.",
	.run = run,
};
