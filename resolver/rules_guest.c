/* Rules about what a guest makes of the machine: tables, other architectures, large pages. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "core/registry.h"
#include "resolver/fixes.h"
#include "resolver/rules.h"

#define LARGE_PAGE UINT64_C(0x200000)
/* Each costs a look at every hole, and more than a few say nothing new. */
enum { MOST_TOLD = 16 };

static bool usable(const struct mw_draft_node *node)
{
	return !node->failed && !node->dropped && !node->host && node->type;
}

/* F403. With ACPI every range stands in some _CRS, and a line where a descriptor can name it: one of
 * the I/O APIC, or of the ISA bus with the triggers of that (core/tables/resource.c). */
static bool is_nameless(const struct mw_draft_claim *claim)
{
	const struct mw_draft_net *net = claim->net;
	bool level = claim->trigger == MW_TRIGGER_LEVEL, low = claim->polarity == MW_POLARITY_LOW;

	if (claim->kind != MW_CLAIM_IRQ || !net || !net->domain || net->gsi != MW_NO_GSI)
		return false;
	return strcmp(net->domain, "isa") != 0 || net->line > 15 || level != low;
}

static void tell_nameless(struct mw_draft *draft, struct mw_draft_node *node)
{
	for (size_t i = 0; i < node->claim_count; i++) {
		const struct mw_draft_claim *claim = &node->claims[i];

		if (!is_nameless(claim))
			continue;
		struct mw_diag *diag = mw_draft_report(
			draft, MW_SEVERITY_WARNING, "F403", claim->tree->span, node, "irq",
			"line %" PRIu32 " of `%s` is in no table: no I/O APIC has a pin for it",
			claim->net->line, claim->net->domain);

		mw_diag_label(draft->diagnostics, diag, "guests find no interrupt for `%s`",
			      node->id);
	}
}

static void mend_tables(struct mw_draft *draft, struct mw_diag *diag, const struct mw_tree *tables)
{
	const char *text = mw_fix_text(draft->diagnostics, tables->span);
	struct mw_span at = tables->span;

	if (!text || at.length < 2 || text[0] != '[')
		return;
	at.byte++;
	at.length = 0;
	mw_diag_fix(draft->diagnostics, diag, MW_FIX_PLACEHOLDER, at, "acpi%s",
		    tables->count ? ", " : "");
}

/* Without tables a guest knows ports by custom, but memory only where something lists it. */
static void tell_unlisted(struct mw_draft *draft, struct mw_draft_node *node,
			  const struct mw_tree *boot)
{
	struct mw_tree *tables = mw_tree_get((struct mw_tree *)boot, "tables");

	for (size_t i = 0; i < node->claim_count; i++) {
		const struct mw_draft_claim *claim = &node->claims[i];

		if (claim->kind != MW_CLAIM_MMIO || mw_type_role(node->type, MW_ROLE_IOAPIC))
			continue;
		struct mw_diag *diag = mw_draft_report(
			draft, MW_SEVERITY_WARNING, "F403", claim->tree->span, node, "mmio",
			"`%s.%s` is in no table: the kernel is given no `acpi`", node->id,
			claim->name);

		mw_diag_note(draft->diagnostics, diag, tables ? tables->span : boot->key_span,
			     "the tables it is given");
		mw_diag_help(draft->diagnostics, diag, "`acpi` among `tables` lists it");
		if (!tables)
			mw_fix_into(draft->diagnostics, diag, MW_FIX_PLACEHOLDER, boot, "tables",
				    "[acpi]");
		else
			mend_tables(draft, diag, tables);
		return;
	}
}

static void check_described(struct mw_draft *draft)
{
	const struct mw_plan_boot *boot = &draft->plan->boot;
	const struct mw_tree *tree = mw_tree_get(draft->document->root, "boot");
	bool acpi = boot->tables & MW_TABLES_ACPI;

	if (!tree || (!acpi && !boot->linux_path && !boot->elf_path))
		return;
	for (size_t i = 0; i < draft->node_count; i++) {
		struct mw_draft_node *node = draft->nodes[i];

		if (usable(node) && acpi)
			tell_nameless(draft, node);
		else if (usable(node))
			tell_unlisted(draft, node, tree);
	}
}

void mw_targets_read(struct mw_draft *draft)
{
	static const char *const arches[] = { "x86_64", "arm64", NULL };
	static const char *const systems[] = {
		"dos",       "freebsd",    "linux",      "netbsd",         "openbsd", "windows-xp",
		"windows-7", "windows-10", "windows-11", "windows-server", NULL
	};
	struct mw_document *document = draft->document;
	struct mw_tree *arch = mw_tree_get(document->root, "arch");
	struct mw_tree *guests = mw_tree_get(document->root, "guests");
	if (arch && arch->failed) /* which has been told */
		arch = NULL;
	bool x86 = !arch;

	for (struct mw_tree *item = arch ? arch->first : NULL; item; item = item->next)
		x86 |= mw_draft_member(draft, item, NULL, "arch", arches) == 0;
	if (arch && arch->kind == MW_TREE_SCALAR)
		x86 = strcmp(arch->text, "x86_64") == 0;
	if (!x86)
		mw_draft_error(draft, "S110", arch->span, NULL, "arch",
			       "`arch: %s` is not implemented yet",
			       arch->kind == MW_TREE_SCALAR ? arch->text : "[arm64]");
	document->arch = "x86_64";
	for (struct mw_tree *item = guests ? guests->first : NULL; item; item = item->next)
		mw_draft_member(draft, item, NULL, "guests", systems);
}

/* C704: `arch` lists what the machine is meant for. */
static void check_arch(struct mw_draft *draft)
{
	struct mw_tree *arch = mw_tree_get(draft->document->root, "arch");
	const struct mw_tree *other = NULL;

	for (const struct mw_tree *item = arch ? arch->first : NULL; item; item = item->next) {
		if (item->kind == MW_TREE_SCALAR && strcmp(item->text, "arm64") == 0)
			other = item;
	}
	for (size_t i = 0; other && i < draft->node_count; i++) {
		struct mw_draft_node *node = draft->nodes[i];

		if (!usable(node) || !node->io)
			continue;
		struct mw_diag *diag =
			mw_draft_report(draft, MW_SEVERITY_WARNING, "C704", node->io->key_span,
					node, "io", "port I/O does not exist on %s", other->text);

		mw_diag_note(draft->diagnostics, diag, other->span,
			     "the machine is meant for it too");
	}
}

/* What makes RAM end at `end`: the split at 4 GiB, or else a hole. */
static struct mw_tree *cause_of(const struct mw_draft *draft, size_t range, struct mw_tree *memory)
{
	struct mw_tree *low = mw_tree_get(memory, "below_4g");
	struct mw_tree *holes = mw_tree_get(memory, "holes");
	uint64_t end = draft->ram[range].base + draft->ram[range].length, base, length;

	for (struct mw_tree *hole = holes ? holes->first : NULL; hole; hole = hole->next) {
		if (hole->kind == MW_TREE_SCALAR && mw_tree_range(hole->text, &base, &length) &&
		    (base == end || base + length == draft->ram[range + 1].base))
			return hole;
	}
	return low;
}

static void tell_misfit(struct mw_draft *draft, struct mw_tree *cause, uint64_t at, bool begins)
{
	bool low = cause && strcmp(cause->key ? cause->key : "", "below_4g") == 0;
	struct mw_diag *diag = mw_draft_report(
		draft, MW_SEVERITY_HINT, "P802", cause ? cause->span : draft->ram_span, NULL,
		"memory", "RAM %s at 0x%" PRIx64 ", inside a page of 2 MiB",
		begins ? "begins" : "ends", at);

	mw_diag_label(draft->diagnostics, diag, "0x%" PRIx64 " beyond a whole one",
		      at % LARGE_PAGE);
	if (!low)
		return;
	const char *below = mw_arena_printf(draft->arena, "0x%" PRIx64, at - at % LARGE_PAGE);

	mw_diag_help(draft->diagnostics, diag, "`%s` is the boundary below", below);
	mw_fix_value(draft->diagnostics, diag, MW_FIX_UNSAFE, cause, below);
}

/* P802: where RAM is split inside 2 MiB, neither side of that can be one large page. What PCs have
 * below 1 MiB is split anyway, and the end of all RAM is no split. */
static void check_pages(struct mw_draft *draft)
{
	struct mw_tree *memory = mw_tree_get(draft->document->root, "memory");

	for (size_t i = 0, told = 0; i + 1 < draft->ram_count && told < MOST_TOLD; i++) {
		uint64_t end = draft->ram[i].base + draft->ram[i].length;
		uint64_t next = draft->ram[i + 1].base;

		if (end > LARGE_PAGE && end % LARGE_PAGE)
			tell_misfit(draft, cause_of(draft, i, memory), end, false);
		else if (next > LARGE_PAGE && next % LARGE_PAGE)
			tell_misfit(draft, cause_of(draft, i, memory), next, true);
		else
			continue;
		told++;
	}
}

/* What keeps what is written to it beyond a reset: a flash, behind an image. */
static bool keeps_variables(const struct mw_device_type *type)
{
	bool image = false, writable = false;

	for (size_t i = 0; i < type->wires.count; i++)
		image |= type->wires.items[i].kind == MW_IMAGE;
	for (size_t i = 0; i < type->regions.count; i++) {
		const struct mw_region *region = &type->regions.items[i];

		writable |= region->space == MW_SPACE_MEMORY && region->backing != MW_BACKING_ROM;
	}
	return image && writable;
}

static bool needs(const struct mw_draft *draft, const char *name)
{
	const struct mw_plan_accel *accel = &draft->plan->accel;

	for (size_t i = 0; i < accel->need_count; i++) {
		if (strcmp(accel->needs[i].name, name) == 0)
			return !accel->needs[i].optional;
	}
	return false;
}

/* F407: trust ends where a guest can write the keys, or where there is nothing to hold them. */
static void check_trust(struct mw_draft *draft)
{
	const struct mw_plan_boot *boot = &draft->plan->boot;
	const struct mw_draft_node *store = NULL;

	if (!boot->secure_boot || !boot->firmware)
		return;
	for (size_t i = 0; i < draft->node_count && !store; i++) {
		if (usable(draft->nodes[i]) && keeps_variables(draft->nodes[i]->type))
			store = draft->nodes[i];
	}
	if (store && needs(draft, "smm"))
		return;
	struct mw_diag *diag = mw_draft_error(
		draft, "F407", boot->secure_boot_span, NULL, "boot",
		store ? "the variable store `%s` is plain writable flash"
		      : "nothing holds the firmware's keys: no device of the machine is a writable "
			"flash%s",
		store ? store->id : "");

	if (!store)
		return;
	mw_diag_note(draft->diagnostics, diag, store->span, "guests may write it at any time");
	mw_diag_help(draft->diagnostics, diag, "write `accel: { need: { smm: true } }`");
}

void mw_rules_guest(struct mw_draft *draft, bool whole)
{
	if (whole)
		check_trust(draft);
	if (!draft->document->options->lint)
		return;
	check_arch(draft);
	check_pages(draft);
	if (whole)
		check_described(draft);
}
