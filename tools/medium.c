/** `millwright insert` and `millwright eject`: what is in a drive of a running machine. */
// SPDX-License-Identifier: MIT
#include "tools/control/client.h"
#include "tools/verbs.h"

static const struct mw_example insert_examples[] = {
	{ "millwright insert vm.sock cd0 debian.iso", "Put a disc into a drive." },
	{ 0 },
};
static const struct mw_example eject_examples[] = {
	{ "millwright eject vm.sock cd0", "Take the disc out." },
	{ 0 },
};

static int exchange(const struct mw_arguments *arguments, const char *path)
{
	struct mw_client *client = mw_client_open(arguments->operands[0]);
	bool good =
		mw_client_good(client) && mw_client_medium(client, arguments->operands[1], path);

	if (!good)
		fprintf(stderr, "millwright %s: %s\n", arguments->verb->name,
			mw_client_error(client));
	mw_client_close(client);
	return good ? MW_EXIT_OK : MW_EXIT_FAILED;
}

static int insert(const struct mw_arguments *arguments)
{
	return exchange(arguments, arguments->operands[2]);
}

static int eject(const struct mw_arguments *arguments)
{
	return exchange(arguments, NULL);
}

const struct mw_verb mw_verb_insert = {
	.name = "insert",
	.summary = "Put a medium into a drive of a running machine.",
	.operands = "SOCKET DRIVE FILE",
	.min_operands = 3,
	.max_operands = 3,
	.details =
		"SOCKET is where the machine takes commands: `run` it with --qmp SOCKET. DRIVE is "
		"the "
		"drive's name in the profile. FILE takes the place of what is in it, and is opened "
		"as the drive's backend says; the guest sees that the medium was changed.",
	.examples = insert_examples,
	.exits = "0 when it is in, 1 when there is no such machine or drive or the file cannot be "
		 "used, 2 for usage.",
	.run = insert,
};

const struct mw_verb mw_verb_eject = {
	.name = "eject",
	.summary = "Take the medium out of a drive of a running machine.",
	.operands = "SOCKET DRIVE",
	.min_operands = 2,
	.max_operands = 2,
	.details = "SOCKET is where the machine takes commands: `run` it with --qmp SOCKET. DRIVE "
		   "is the "
		   "drive's name in the profile. What was written is in the file before this verb "
		   "ends, even where the guest has locked the drive.",
	.examples = eject_examples,
	.exits = "0 when it is out, 1 when there is no such machine or drive, 2 for usage.",
	.run = eject,
};
