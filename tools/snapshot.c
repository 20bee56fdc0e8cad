/** `millwright snapshot`: saves a running machine. */
// SPDX-License-Identifier: MIT
#include "tools/control/client.h"
#include "tools/verbs.h"

static const struct mw_example examples[] = {
	{ "millwright snapshot vm.sock before.snap", "Save a machine; it runs on." },
	{ 0 },
};

static int run(const struct mw_arguments *arguments)
{
	struct mw_client *client = mw_client_open(arguments->operands[0]);
	bool good = mw_client_good(client) && mw_client_snapshot(client, arguments->operands[1]);

	if (!good)
		fprintf(stderr, "millwright snapshot: %s\n", mw_client_error(client));
	mw_client_close(client);
	return good ? MW_EXIT_OK : MW_EXIT_FAILED;
}

const struct mw_verb mw_verb_snapshot = {
	.name = "snapshot",
	.summary = "Save a running machine to a file.",
	.operands = "SOCKET FILE",
	.min_operands = 2,
	.max_operands = 2,
	.details =
		"SOCKET is where the machine takes commands: `run` it with --qmp SOCKET. The "
		"machine "
		"stands still while it is saved, and then does what it did before. The file takes "
		"the place of one that is there when it is whole, and is readable for you alone: "
		"it "
		"holds the guest's memory. It does not hold disks: their files have to be as they "
		"were when it is restored, so pause the machine (`stop` at its --qmp), save it and "
		"copy them. A machine "
		"that has written to an overlay without a file is refused.",
	.examples = examples,
	.exits = "0 when the file is there, 1 when there is no such machine or it cannot be saved, "
		 "2 for usage.",
	.run = run,
};
