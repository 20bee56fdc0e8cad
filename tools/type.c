/** `millwright type`: presses keys of a running machine. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/control/client.h"
#include "tools/verbs.h"

static const struct mw_option options[] = {
	{ .name = "keys",
	  .letter = 'k',
	  .value = "KEYS",
	  .repeats = true,
	  .help = "Press these together and release them, in place of a text or after it: names "
		  "with `-` between them (ctrl-alt-delete, f10, enter). May be repeated." },
	{ .name = "layout",
	  .letter = 'l',
	  .value = "NAME",
	  .help = "The keyboard that the guest is set to: us (the default), gb, de or fr." },
	{ .name = "plain", .letter = 'p', .help = "Take `<enter>` and its like as they stand." },
	{ .name = "enter", .letter = 'e', .help = "Press the Enter key at the end of the text." },
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright type vm.sock root --enter", "Log in." },
	{ "millwright type vm.sock --keys ctrl-alt-delete", "Ask the guest to restart." },
	{ "millwright type vm.sock 'root<enter>'", "The same." },
	{ "millwright type vm.sock --keys down --keys down --keys enter",
	  "Choose the third entry of a menu." },
	{ 0 },
};

static bool press_all(struct mw_client *client, const struct mw_arguments *arguments)
{
	bool good = true;

	for (size_t i = 0; i < arguments->given_count && good; i++) {
		const struct mw_argument *given = &arguments->given[i];

		if (given->value && strcmp(given->option->name, "keys") == 0)
			good = mw_client_press(client, given->value);
	}
	return good;
}

static int run(const struct mw_arguments *arguments)
{
	const char *layout = mw_arguments_value(arguments, "layout", "us");
	bool has_text = arguments->operand_count > 1;
	struct mw_client *client;
	bool good;

	if (!has_text && !mw_arguments_has(arguments, "keys") &&
	    !mw_arguments_has(arguments, "enter")) {
		fputs("millwright type: nothing to type; give a TEXT or --keys KEYS\n", stderr);
		return MW_EXIT_USAGE;
	}
	client = mw_client_open(arguments->operands[0]);
	good = mw_client_good(client);
	if (good && has_text)
		good = mw_client_type(client, arguments->operands[1], layout,
				      mw_arguments_has(arguments, "plain"));
	if (good && mw_arguments_has(arguments, "enter"))
		good = mw_client_press(client, "ret");
	good = good && press_all(client, arguments);
	if (!good)
		fprintf(stderr, "millwright type: %s\n", mw_client_error(client));
	mw_client_close(client);
	return good ? MW_EXIT_OK : MW_EXIT_FAILED;
}

const struct mw_verb mw_verb_type = {
	.name = "type",
	.summary = "Press keys on the keyboard of a running machine.",
	.operands = "SOCKET [TEXT]",
	.min_operands = 1,
	.max_operands = 2,
	.options = options,
	.details =
		"SOCKET is where the machine takes commands: `run` it with --qmp SOCKET. A text is "
		"typed as on a US keyboard, or another --layout, some 25 characters a second, "
		"which firmware can follow; names of keys between < and > are these keys: <enter>, "
		"<f10>, <ctrl-alt-delete>, but not <a>. This verb ends when the guest's keyboard "
		"has taken all of it. The serial console "
		"is not typed at: that is the terminal `run` is on.",
	.examples = examples,
	.exits = "0 when all was typed, 1 when there is no such machine, it has no keyboard or it "
		 "takes no more keys, 2 for usage.",
	.run = run,
};
