/* Boot, power and accelerator of a machine, and the rules that need the whole of it. */
// SPDX-License-Identifier: MIT
#include "resolver/machine.h"

#include <inttypes.h>
#include <string.h>

#include "core/registry.h"
#include "resolver/fixes.h"
#include "resolver/link.h"

/* Where x86 CPUs begin (SDM vol. 3, 10.1.4). */
#define RESET_VECTOR UINT64_C(0xfffffff0)

static struct mw_tree *section(struct mw_draft *draft, const char *name, const char *const *keys,
			       const char *const *later)
{
	struct mw_tree *tree = mw_tree_get(draft->document->root, name);

	return tree && mw_draft_keys(draft, tree, name, keys, later) ? tree : NULL;
}

static void read_action(struct mw_draft *draft, struct mw_tree *power, const char *key,
			enum mw_power_action *action)
{
	static const char *const actions[] = { "reset", "stop", "exit", NULL };
	struct mw_tree *tree = mw_tree_get(power, key);
	int member = tree ? mw_draft_member(draft, tree, NULL, "power", actions) : -1;

	if (member >= 0)
		*action = (enum mw_power_action)member;
}

static void read_power(struct mw_draft *draft)
{
	static const char *const keys[] = { "off", "reset", "panic", "triple_fault", NULL };
	struct mw_plan_power *power = &draft->plan->power;
	struct mw_tree *tree = section(draft, "power", keys, NULL);

	*power = (struct mw_plan_power){ .off = MW_ACTION_EXIT,
					 .reset = MW_ACTION_RESET,
					 .panic = MW_ACTION_STOP,
					 .triple_fault = MW_ACTION_RESET };
	if (!tree)
		return;
	read_action(draft, tree, "off", &power->off);
	read_action(draft, tree, "reset", &power->reset);
	read_action(draft, tree, "panic", &power->panic);
	read_action(draft, tree, "triple_fault", &power->triple_fault);
}

static const char *const accelerators[] = { "kvm", "mshv", "soft", "none", "auto", NULL };

static void read_prefer(struct mw_draft *draft, struct mw_tree *tree)
{
	struct mw_arena *arena = &draft->plan->arena;
	const char **names = mw_arena_alloc(arena, tree ? tree->count + 1 : 1, sizeof(*names));
	size_t count = 0;

	draft->plan->accel.prefer = names;
	if (tree && tree->kind != MW_TREE_LIST) {
		mw_draft_error(draft, "S102", tree->span, NULL, "accel",
			       "expected a list of accelerators");
		return;
	}
	for (struct mw_tree *item = tree ? tree->first : NULL; item; item = item->next) {
		int member = mw_draft_member(draft, item, NULL, "accel", accelerators);

		if (member >= 0)
			names[count++] = accelerators[member];
	}
}

/* The closed vocabulary of `need:`. */
enum need_kind { NEED_BOOL, NEED_NUMBER, NEED_ISOLATION };
static const struct need {
	const char *name;
	enum need_kind kind;
} needs[] = {
	{ "a20", NEED_BOOL },
	{ "dirty_log", NEED_BOOL },
	{ "gpa_bits", NEED_NUMBER },
	{ "ioeventfd", NEED_BOOL },
	{ "isolation", NEED_ISOLATION },
	{ "max_vcpus", NEED_NUMBER },
	{ "memslots", NEED_NUMBER },
	{ "msi", NEED_BOOL },
	{ "pio", NEED_BOOL },
	{ "pit", NEED_BOOL },
	{ "smm", NEED_BOOL },
	{ "synic", NEED_BOOL },
	{ "vtl", NEED_NUMBER },
	{ "x2apic", NEED_BOOL },
};
enum { NEED_COUNT = sizeof(needs) / sizeof(needs[0]) };

/* False after a diagnostic; a need of 0 is none. */
static bool read_need(struct mw_draft *draft, struct mw_tree *tree, enum need_kind kind,
		      struct mw_plan_need *need)
{
	static const char *const isolations[] = { "none", "vbs", "snp", "tdx", NULL };
	const char *text = mw_draft_text(draft, tree, NULL, "accel", "a need");
	bool wanted;
	int member;

	if (!text)
		return false;
	need->span = tree->span;
	need->optional = !strcmp(text, "optional");
	if (need->optional)
		return true;
	switch (kind) {
	case NEED_BOOL:
		if (!mw_tree_bool(text, &wanted)) {
			mw_draft_error(draft, "S102", tree->span, NULL, "accel",
				       "expected `true`, `false` or `optional`, found `%s`", text);
			return false;
		}
		need->value = wanted;
		return true;
	case NEED_ISOLATION:
		member = mw_draft_member(draft, tree, NULL, "accel", isolations);
		need->value = member > 0 ? (uint64_t)member : 0;
		return member >= 0;
	default: return mw_draft_number(draft, tree, NULL, "accel", false, &need->value);
	}
}

static void read_needs(struct mw_draft *draft, struct mw_tree *tree)
{
	const char *names[NEED_COUNT + 1] = { NULL };
	struct mw_plan_need *list;
	size_t count = 0;

	for (size_t i = 0; i < NEED_COUNT; i++)
		names[i] = needs[i].name;
	if (!tree || !mw_draft_keys(draft, tree, "need", names, NULL))
		return;
	list = mw_arena_alloc(&draft->plan->arena, NEED_COUNT, sizeof(*list));
	for (size_t i = 0; i < NEED_COUNT; i++) {
		struct mw_tree *value = mw_tree_get(tree, needs[i].name);
		struct mw_plan_need *need = &list[count];

		if (!value || !read_need(draft, value, needs[i].kind, need))
			continue;
		need->name = needs[i].name;
		count += need->optional || need->value;
	}
	draft->plan->accel.needs = list;
	draft->plan->accel.need_count = count;
}

static void read_accel(struct mw_draft *draft)
{
	static const char *const keys[] = { "prefer", "need", "irqchip", "clock", NULL };
	static const char *const irqchips[] = { "auto", "kernel", "split", "user", NULL };
	static const char *const clocks[] = { "host", "instructions", NULL };
	struct mw_plan_accel *accel = &draft->plan->accel;
	struct mw_tree *tree = section(draft, "accel", keys, NULL);
	struct mw_tree *irqchip = mw_tree_get(tree, "irqchip"), *clock = mw_tree_get(tree, "clock");

	if (tree)
		accel->span = tree->span;
	read_prefer(draft, mw_tree_get(tree, "prefer"));
	read_needs(draft, mw_tree_get(tree, "need"));
	if (irqchip) {
		int member = mw_draft_member(draft, irqchip, NULL, "accel", irqchips);

		accel->irqchip_span = irqchip->span;
		accel->irqchip = member > 0 ? (enum mw_irqchip)member : MW_IRQCHIP_AUTO;
	}
	if (clock) {
		accel->clock_span = clock->span;
		accel->instruction_clock =
			mw_draft_member(draft, clock, NULL, "accel", clocks) == 1;
	}
}

static const struct mw_plan_need *find_need(const struct mw_draft *draft, const char *name)
{
	const struct mw_plan_accel *accel = &draft->plan->accel;

	for (size_t i = 0; i < accel->need_count; i++) {
		if (!strcmp(accel->needs[i].name, name))
			return &accel->needs[i];
	}
	return NULL;
}

static void check_level(struct mw_draft *draft, struct mw_draft_node *node, struct mw_span span,
			const char *what, uint64_t level)
{
	const struct mw_plan_need *need = find_need(draft, "vtl");
	struct mw_tree *accel = mw_tree_get(draft->document->root, "accel");

	if ((need && !need->optional && need->value >= level) || (accel && accel->failed))
		return;
	struct mw_diag *diag = mw_draft_error(draft, "S117", span, node, node ? "vtl" : "memory",
					      "%s needs trust level %" PRIu64
					      ", and `accel` does not `need` so many",
					      what, level);

	if (need)
		mw_diag_note(draft->diagnostics, diag, need->span, "what it needs");
	mw_diag_help(draft->diagnostics, diag, "write `accel: { need: { vtl: %" PRIu64 " } }`",
		     level);
}

/* Trust levels above 0 are the accelerator's to offer, so a machine that has some needs them. */
static void check_levels(struct mw_draft *draft)
{
	for (size_t i = 0; i < draft->node_count; i++) {
		struct mw_draft_node *node = draft->nodes[i];

		if (node->vtl && !node->failed && !node->dropped)
			check_level(draft, node, node->vtl_tree->span,
				    mw_arena_printf(draft->arena, "`%s`", node->id), node->vtl);
	}
	if (draft->plan->vtl2.range.length)
		check_level(draft, NULL, draft->plan->vtl2.span, "memory of VTL 2", 2);
}

void mw_machine_keys_read(struct mw_draft *draft)
{
	read_power(draft);
	read_accel(draft);
	check_levels(draft);
}

static const char *boot_text(struct mw_draft *draft, struct mw_tree *boot, const char *key,
			     struct mw_span *span)
{
	struct mw_tree *tree = mw_tree_get(boot, key);

	if (!tree || !mw_draft_text(draft, tree, NULL, "boot", "a text"))
		return NULL;
	if (span)
		*span = tree->span;
	const char *text = mw_link_text(draft, tree);

	return text ? mw_arena_strdup(&draft->plan->arena, text) : NULL;
}

static void read_tables(struct mw_draft *draft, struct mw_tree *tree)
{
	static const char *const tables[] = { "acpi", "smbios", "mptable", "pir", NULL };

	if (tree && tree->kind != MW_TREE_LIST) {
		mw_draft_error(draft, "S102", tree->span, NULL, "boot",
			       "expected a list of tables");
		return;
	}
	for (struct mw_tree *item = tree ? tree->first : NULL; item; item = item->next) {
		int member = mw_draft_member(draft, item, NULL, "boot", tables);

		if (member >= 0)
			draft->plan->boot.tables |= 1u << member;
	}
}

/* `firmware` names a node, which `when` may have taken out. */
static void read_firmware(struct mw_draft *draft, struct mw_tree *tree)
{
	const char *id = tree ? mw_draft_text(draft, tree, NULL, "boot", "a node") : NULL;
	struct mw_draft_node *node = id ? mw_draft_find(draft, id) : NULL;

	if (node)
		draft->plan->boot.firmware = node->id;
	else if (id && !mw_document_absent(draft->document, id))
		mw_draft_no_node(draft, "G206", tree->span, NULL, "boot", id);
}

/* Nodes in the order they are tried; those that `when` has taken out are passed over. */
static void read_order(struct mw_draft *draft, struct mw_tree *tree)
{
	const char **order;
	size_t count = 0;

	if (!tree)
		return;
	if (tree->kind != MW_TREE_LIST) {
		mw_draft_error(draft, "S102", tree->span, NULL, "boot", "expected a list of nodes");
		return;
	}
	draft->plan->boot.order_span = tree->key_span;
	order = mw_arena_alloc(&draft->plan->arena, tree->count + 1, sizeof(*order));
	struct mw_lookup seen = { 0 };

	for (struct mw_tree *item = tree->first; item; item = item->next) {
		const char *id = mw_draft_text(draft, item, NULL, "boot", "a node");
		struct mw_draft_node *node = id ? mw_draft_find(draft, id) : NULL;
		struct mw_tree *other = id ? mw_lookup_add(&seen, draft->arena, id, item) : NULL;

		if (other)
			mw_diag_note(draft->diagnostics,
				     mw_draft_error(draft, "S102", item->span, NULL, "boot",
						    "`%s` stands in `order` twice", id),
				     other->span, "it has its turn here");
		else if (node)
			order[count++] = node->id;
		else if (id && !mw_document_absent(draft->document, id))
			mw_draft_no_node(draft, "G206", item->span, NULL, "boot", id);
	}
	draft->plan->boot.order = count ? order : NULL;
}

static void read_trust(struct mw_draft *draft, struct mw_tree *boot)
{
	static const char *const measures[] = { "none", "sha256", "sha384", "sha512", NULL };
	struct mw_plan_boot *plan = &draft->plan->boot;
	struct mw_tree *secure = mw_tree_get(boot, "secure_boot");
	struct mw_tree *measure = mw_tree_get(boot, "measure");
	int member = measure ? mw_draft_member(draft, measure, NULL, "boot", measures) : 0;

	if (secure) {
		plan->secure_boot_span = secure->span;
		if (secure->kind != MW_TREE_SCALAR ||
		    !mw_tree_bool(secure->text, &plan->secure_boot))
			mw_draft_error(draft, "S102", secure->span, NULL, "boot",
				       "expected `true` or `false`");
	}
	if (member == MW_MEASURE_SHA256 || member == MW_MEASURE_SHA384 ||
	    member == MW_MEASURE_SHA512) {
		plan->measure_span = measure->span;
		plan->measure = member == MW_MEASURE_SHA256   ? MW_MEASURE_SHA256
				: member == MW_MEASURE_SHA384 ? MW_MEASURE_SHA384
							      : MW_MEASURE_SHA512;
	}
}

/* Each is "PATH" or "PATH ARGUMENTS". */
static void read_modules(struct mw_draft *draft, struct mw_tree *tree)
{
	struct mw_plan_boot *boot = &draft->plan->boot;
	struct mw_plan_module *modules;
	size_t count = 0;

	if (!tree)
		return;
	if (tree->kind != MW_TREE_LIST) {
		mw_draft_error(draft, "S102", tree->span, NULL, "boot",
			       "expected a list of modules");
		return;
	}
	for (struct mw_tree *item = tree->first; item; item = item->next)
		count++;
	boot->modules = modules = mw_arena_alloc(&draft->plan->arena, count + 1, sizeof(*modules));
	for (struct mw_tree *item = tree->first; item; item = item->next) {
		const char *text = mw_draft_text(draft, item, NULL, "boot", "a module's path")
					   ? mw_link_text(draft, item)
					   : NULL;

		if (text && (!text[0] || text[0] == ' '))
			mw_draft_error(draft, "S102", item->span, NULL, "boot",
				       "a module begins with its path");
		else if (text)
			modules[boot->module_count++] = (struct mw_plan_module){
				.text = mw_arena_strdup(&draft->plan->arena, text),
				.span = item->span
			};
	}
}

/* What a kernel is given makes no sense without one; nor does trust without what bears it. */
static void check_companions(struct mw_draft *draft, struct mw_tree *tree)
{
	static const char *const companions[] = { "initrd", "modules" };
	const struct mw_plan_boot *boot = &draft->plan->boot;

	if (boot->secure_boot && !mw_tree_get(tree, "firmware") && !tree->failed)
		mw_draft_error(draft, "S117", boot->secure_boot_span, NULL, "boot",
			       "`secure_boot` is what firmware does: `firmware` is missing");
	if (boot->measure && !mw_tree_get(tree, "igvm") && !tree->failed)
		mw_draft_error(draft, "S117", boot->measure_span, NULL, "boot",
			       "`measure` is of an IGVM file: `igvm` is missing");
	if (mw_tree_get(tree, "linux") || mw_tree_get(tree, "elf") || tree->failed)
		return;
	for (size_t i = 0; i < sizeof(companions) / sizeof(companions[0]); i++) {
		struct mw_tree *value = mw_tree_get(tree, companions[i]);

		if (value)
			mw_draft_error(draft, "S117", value->span, NULL, "boot",
				       "`%s` %s loaded with a kernel: `linux` or `elf` is missing",
				       companions[i], i ? "are" : "is");
	}
}

void mw_boot_read(struct mw_draft *draft)
{
	static const char *const keys[] = { "linux",   "elf",         "initrd",  "modules",
					    "cmdline", "firmware",    "tables",  "igvm",
					    "order",   "secure_boot", "measure", NULL };
	struct mw_plan_boot *boot = &draft->plan->boot;
	struct mw_tree *tree = section(draft, "boot", keys, NULL);
	struct mw_tree *cmdline = mw_tree_get(tree, "cmdline");

	boot->cmdline = "";
	if (!tree)
		return;
	boot->span = tree->key_span;
	boot->linux_path = boot_text(draft, tree, "linux", &boot->linux_span);
	boot->elf_path = boot_text(draft, tree, "elf", &boot->elf_span);
	boot->igvm_path = boot_text(draft, tree, "igvm", &boot->igvm_span);
	boot->initrd_path = boot_text(draft, tree, "initrd", &boot->initrd_span);
	read_modules(draft, mw_tree_get(tree, "modules"));
	boot->cmdline = boot_text(draft, tree, "cmdline", &boot->cmdline_span);
	if (!boot->cmdline)
		boot->cmdline = "";
	boot->cmdline_host = cmdline && cmdline->host;
	read_firmware(draft, mw_tree_get(tree, "firmware"));
	read_tables(draft, mw_tree_get(tree, "tables"));
	read_order(draft, mw_tree_get(tree, "order"));
	read_trust(draft, tree);
	check_companions(draft, tree);
}

static const struct mw_draft_claim *reset_claim(const struct mw_draft_node *node)
{
	for (size_t i = 0; i < node->claim_count; i++) {
		const struct mw_draft_claim *claim = &node->claims[i];

		if (claim->kind == MW_CLAIM_MMIO && claim->placed && claim->base <= RESET_VECTOR &&
		    RESET_VECTOR - claim->base < claim->length)
			return claim;
	}
	return NULL;
}

static void nothing_runs(struct mw_draft *draft, struct mw_tree *boot,
			 const struct mw_absent *absent)
{
	struct mw_tree *name = mw_tree_get(draft->document->root, "name");
	struct mw_span nowhere = { 0 };
	struct mw_diag *diag =
		mw_draft_error(draft, "F401",
			       boot   ? boot->key_span
			       : name ? name->span
				      : nowhere,
			       NULL, "boot", "nothing runs at reset: no kernel and no firmware");

	if (absent)
		mw_diag_note(draft->diagnostics, diag, absent->when_span,
			     "`%s` is absent with these parameters", absent->id);
	else
		mw_diag_help(draft->diagnostics, diag,
			     "name a kernel in `boot: { linux: FILE }`, or what holds the reset "
			     "vector in `boot: { firmware: NODE }`");
	if (!absent && boot)
		mw_fix_into(draft->diagnostics, diag, MW_FIX_PLACEHOLDER, boot, "linux", "FILE");
}

static void refuse_both(struct mw_draft *draft, const struct mw_tree *one, const char *key,
			const struct mw_tree *other, const char *other_key)
{
	struct mw_diag *diag = mw_draft_error(draft, "S102", other->key_span, NULL, "boot",
					      "`boot` has `%s` and `%s`: one of them runs at reset",
					      key, other_key);

	mw_diag_note(draft->diagnostics, diag, one->span,
		     !strcmp(key, "igvm") ? "the IGVM file" : "the kernel");
	mw_diag_help(draft->diagnostics, diag, "take one out: `%s: unset`", other_key);
}

static void check_boot(struct mw_draft *draft)
{
	struct mw_tree *boot = mw_tree_get(draft->document->root, "boot");
	struct mw_tree *firmware = mw_tree_get(boot, "firmware");
	const char *id = firmware && firmware->kind == MW_TREE_SCALAR ? firmware->text : NULL;
	const struct mw_absent *absent = id ? mw_document_absent(draft->document, id) : NULL;
	struct mw_tree *linux_key = mw_tree_get(boot, "linux"), *elf = mw_tree_get(boot, "elf");
	struct mw_tree *igvm = mw_tree_get(boot, "igvm");

	if (igvm) {
		if (linux_key || elf)
			refuse_both(draft, igvm, "igvm", linux_key ? linux_key : elf,
				    linux_key ? "linux" : "elf");
		if (firmware && !absent)
			refuse_both(draft, igvm, "igvm", firmware, "firmware");
		return;
	}
	if (linux_key && elf)
		refuse_both(draft, linux_key, "linux", elf, "elf");
	if (linux_key || elf) {
		if (firmware && !absent)
			refuse_both(draft, linux_key ? linux_key : elf, linux_key ? "linux" : "elf",
				    firmware, "firmware");
		return;
	}
	if (!firmware || absent) {
		nothing_runs(draft, boot, absent);
		return;
	}
	struct mw_draft_node *node = id ? mw_draft_find(draft, id) : NULL;

	if (node && !reset_claim(node))
		mw_draft_error(draft, "F402", node->span, node, "mmio",
			       "nothing of `%s` is mapped at the reset vector 0x%" PRIx64, node->id,
			       RESET_VECTOR);
}

/* Whether a section is as it was written: what an error took out of it is not missing. */
static bool is_whole(const struct mw_draft *draft, const char *key)
{
	struct mw_tree *root = draft->document->root, *tree = mw_tree_get(root, key);

	return tree ? !tree->failed : !root->failed;
}

static bool may_be_clock(const struct mw_device_type *type)
{
	return !type || mw_type_role(type, MW_ROLE_TIMER);
}

/* Whether an error took out what may have been a clock. */
static bool lost_clock(const struct mw_draft *draft)
{
	const struct mw_tree *failed = draft->document->failed;

	for (size_t i = 0; i < draft->node_count; i++) {
		const struct mw_draft_node *node = draft->nodes[i];

		if (!node->host && node->failed && may_be_clock(node->type))
			return true;
	}
	for (struct mw_tree *entry = failed ? failed->first : NULL; entry; entry = entry->next) {
		struct mw_tree *type = mw_tree_get(entry, "type");
		bool said = type && type->kind == MW_TREE_SCALAR;

		if (may_be_clock(said ? mw_registry_find(draft->registry, type->text) : NULL))
			return true;
	}
	return false;
}

/* A clock of known rate: a chip that has one, the TSC when the guest is told its rate, or the
 * hypervisor's page. */
static void check_clock(struct mw_draft *draft)
{
	const struct mw_plan_cpu *cpu = &draft->plan->cpu;
	const struct mw_plan_need *synic = find_need(draft, "synic");

	if (synic && !synic->optional) /* its timers and its clock's page come with it */
		return;
	if (!cpu->model || cpu->tsc_told || cpu->hypervisor == MW_HYPERVISOR_KVM)
		return;
	for (size_t i = 0; i < draft->node_count; i++) {
		const struct mw_draft_node *node = draft->nodes[i];

		if (!node->failed && !node->dropped && mw_type_role(node->type, MW_ROLE_TIMER))
			return;
	}
	struct mw_diag *diag = mw_draft_error(
		draft, "F404", cpu->span, NULL, "cpu",
		"no clock of known rate: no PIT, HPET or PM timer, and the TSC's rate is not told");

	mw_diag_help(draft->diagnostics, diag, "write `tsc_khz: from-host`");
	struct mw_tree *tree = mw_tree_get(draft->document->root, "cpu");

	if (tree && !mw_tree_get(tree, "tsc_khz"))
		mw_fix_into(draft->diagnostics, diag, MW_FIX_PLACEHOLDER, tree, "tsc_khz",
			    "from-host");
}

void mw_machine_rules(struct mw_draft *draft)
{
	if (is_whole(draft, "boot"))
		check_boot(draft);
	if (is_whole(draft, "cpu") && is_whole(draft, "accel") && !lost_clock(draft))
		check_clock(draft);
}
