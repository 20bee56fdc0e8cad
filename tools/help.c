/** `millwright help`, `--help` and `--version`. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "accel/accel.h"
#include "tools/manual/manual.h"
#include "tools/verbs.h"

#ifndef MW_VERSION
#error "the build gives MW_VERSION"
#endif

static const struct mw_example examples[] = {
	{ "millwright run microvm --set kernel=vmlinuz --set initrd=initrd.gz",
	  "Boot a Linux kernel; its serial console is your terminal (Ctrl-A x leaves)." },
	{ "millwright run microvm --set kernel=vmlinuz --set cpus=4 --set ram=1GiB",
	  "The same with 4 CPUs and more memory: parameters are set by name." },
	{ "millwright lint my-machine.yaml", "Check a machine of your own before you run it." },
	{ "millwright resolve microvm --set kernel=vmlinuz",
	  "See what will be built: every address, every interrupt line." },
	{ "millwright devices uart16550", "Read up on one device." },
	{ 0 },
};

static void print_verbs(FILE *out)
{
	size_t i = 0;

	fputs("Verbs:\n", out);
	for (; mw_verbs[i]; i++) {
		fprintf(out, "  %-12s", mw_verbs[i]->name);
		mw_print_wrapped(out, 14, 14, mw_verbs[i]->summary);
	}
}

void mw_command_help(FILE *out)
{
	fputs("Usage: millwright VERB [ARGUMENT...]\n\n"
	      "Assembles virtual machines from data. A profile is a YAML file that names a\n"
	      "chipset, devices and where they sit; it is resolved into a plan with every\n"
	      "address placed, and the plan is run. A new machine is a new YAML file and no\n"
	      "code:\n\n"
	      "  # my-machine.yaml: microvm and a second serial port, written to file x\n"
	      "  format: machine/1\n"
	      "  name: my-machine\n"
	      "  version: 1\n"
	      "  extends: machine/microvm@1\n"
	      "  devices:\n"
	      "    com2: { type: uart16550, at: sys, io: 0x2f8, irq: 3, backend: { file: x } }\n\n",
	      out);
	print_verbs(out);
	fputs("\nExamples:\n", out);
	for (const struct mw_example *example = examples; example->command; example++)
		fprintf(out, "  # %s\n  %s\n", example->what, example->command);
	fputs("\n`millwright help VERB` tells more about one verb.\n"
	      "\nProfiles and chipsets are looked for in the folders profiles/ and chipsets/ of\n"
	      "the current folder, of each folder in MILLWRIGHT_PATH (split by `:`), and of the\n"
	      "installed share folder; a name with `/` or ending in `.yaml` is a file.\n"
	      "NO_COLOR, when set, turns colours off.\n",
	      out);
}

void mw_command_version(FILE *out)
{
	fputs("millwright " MW_VERSION "\naccelerators:", out);
	for (size_t i = 0; mw_accels[i]; i++)
		fprintf(out, " %s", mw_accels[i]->name);
	fputc('\n', out);
}

static int help(const struct mw_arguments *arguments)
{
	const char *manual = mw_arguments_value(arguments, "man", NULL);
	const struct mw_verb *verb;

	if (manual)
		return mw_manual_write(manual) ? MW_EXIT_OK : MW_EXIT_USAGE;
	if (arguments->operand_count == 0) {
		mw_command_help(stdout);
		return MW_EXIT_OK;
	}
	verb = mw_verb_find(arguments->operands[0]);
	if (!verb)
		return mw_verb_unknown(arguments->operands[0]);
	mw_verb_help(verb, stdout);
	return MW_EXIT_OK;
}

static const struct mw_option options[] = {
	{ .name = "man",
	  .value = "FOLDER",
	  .help = "Write the man pages of the command, its verbs and its files as FOLDER/man1/... "
		  "and FOLDER/man5/..." },
	{ 0 },
};

const struct mw_verb mw_verb_help_verb = {
	.name = "help",
	.summary = "Tell about the command or one of its verbs.",
	.operands = "[VERB]",
	.max_operands = 1,
	.options = options,
	.exits = "0; 2 when there is no such verb or a page cannot be written.",
	.run = help,
};
