/* Rules about accelerators, from a table of what each can offer: no device of the host is opened. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/registry.h"
#include "resolver/fixes.h"
#include "resolver/rules.h"

enum accel { KVM, SOFT, MSHV, NONE, ACCEL_COUNT };
static const char *const accel_names[ACCEL_COUNT] = { "kvm", "soft", "mshv", "none" };

/* The most that some host gives, in the order of the names. KVM: api.rst, and KVM_MAX_VCPUS and
 * KVM_USER_MEM_SLOTS of Linux 6.1; MSHV: its driver's uapi and the TLFS, 15 (two VTLs beside
 * VTL 0). `isolation` is a mask of 1 << none, vbs, snp, tdx. */
static const struct offer {
	const char *need;
	uint64_t most[ACCEL_COUNT];
} offers[] = {
	{ "a20", { 1, 0, 0, 1 } },
	{ "clock_instructions", { 0, 1, 0, 1 } },
	{ "dirty_log", { 1, 0, 1, 1 } },
	{ "gpa_bits", { 52, 40, 52, 52 } },
	{ "ioeventfd", { 1, 0, 1, 1 } },
	{ "irqchip_kernel", { 1, 0, 1, 1 } },
	{ "irqchip_split", { 1, 1, 0, 1 } },
	{ "irqchip_user", { 1, 1, 0, 1 } },
	{ "isolation", { 1, 1, 7, 15 } },
	{ "max_vcpus", { 4096, 64, 2048, 1024 } },
	{ "memslots", { 32767, 32768, 32767, 32768 } },
	{ "msi", { 1, 1, 1, 1 } },
	{ "pio", { 1, 1, 1, 1 } },
	{ "pit", { 1, 0, 0, 1 } },
	{ "smm", { 1, 0, 0, 1 } },
	{ "synic", { 1, 0, 1, 1 } },
	{ "vtl", { 0, 0, 2, 2 } },
	{ "x2apic", { 1, 0, 1, 1 } },
};

static const struct offer *find_offer(const char *need)
{
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		if (strcmp(offers[i].need, need) == 0)
			return &offers[i];
	}
	return NULL;
}

bool mw_accel_offer(const char *accel, const char *need, uint64_t *most)
{
	const struct offer *offer = find_offer(need);

	for (size_t i = 0; offer && i < ACCEL_COUNT; i++) {
		if (strcmp(accel_names[i], accel) != 0)
			continue;
		*most = offer->most[i];
		return true;
	}
	return false;
}

/* Which of them the profile would take: a mask. */
static unsigned candidates(const struct mw_plan_accel *accel)
{
	unsigned mask = 0;

	for (const char *const *name = accel->prefer; name && *name; name++) {
		if (strcmp(*name, "auto") == 0)
			mask |= 1u << KVM | 1u << SOFT;
		for (unsigned i = 0; i < ACCEL_COUNT; i++)
			mask |= strcmp(*name, accel_names[i]) == 0 ? 1u << i : 0;
	}
	return mask;
}

static bool meets(const struct offer *offer, unsigned accel, uint64_t value)
{
	if (strcmp(offer->need, "isolation") == 0)
		return value < 64 && offer->most[accel] >> value & 1;
	return offer->most[accel] >= value;
}

/* "kvm offers 0, soft 0": those of the mask. */
static const char *list_offers(struct mw_draft *draft, const struct offer *offer, unsigned mask)
{
	const char *text = "";
	bool words = strcmp(offer->need, "isolation") == 0;

	for (unsigned i = 0; i < ACCEL_COUNT; i++) {
		if (!(mask >> i & 1))
			continue;
		text = words || offer->most[i] < 2
			       ? mw_arena_printf(&draft->diagnostics->arena, "%s%s%s %s", text,
						 *text ? ", " : "", accel_names[i],
						 !words && offer->most[i] ? "has it" : "has none")
			       : mw_arena_printf(&draft->diagnostics->arena,
						 "%s%s%s offers %" PRIu64, text, *text ? ", " : "",
						 accel_names[i], offer->most[i]);
	}
	return text;
}

/* Who else would do; what runs no guest does not count. */
static const char *somebody(const struct offer *offer, unsigned mask, uint64_t value)
{
	for (unsigned i = 0; i < ACCEL_COUNT; i++) {
		if (i != NONE && !(mask >> i & 1) && meets(offer, i, value))
			return accel_names[i];
	}
	return NULL;
}

/* A501 where none of the candidates can give what is asked for; `asked` says what that is. */
static void require(struct mw_draft *draft, const char *need, uint64_t value, struct mw_span span,
		    const char *asked)
{
	unsigned mask = candidates(&draft->plan->accel);
	const struct offer *offer = find_offer(need);

	for (unsigned i = 0; offer && i < ACCEL_COUNT; i++) {
		if (mask >> i & 1 && meets(offer, i, value))
			return;
	}
	if (!offer || !mask)
		return;
	const char *other = somebody(offer, mask, value);
	struct mw_diag *diag =
		mw_draft_error(draft, "A501", span, NULL, "accel",
			       "no accelerator that the machine may run on offers %s", asked);

	mw_diag_label(draft->diagnostics, diag, "%s", list_offers(draft, offer, mask));
	if (other)
		mw_diag_help(draft->diagnostics, diag, "%s offers it", other);
}

/* As the profile has it: `vtl: 2`. */
static const char *need_text(struct mw_draft *draft, const struct mw_plan_need *need)
{
	static const char *const isolations[] = { "none", "vbs", "snp", "tdx" };

	if (strcmp(need->name, "isolation") == 0)
		return mw_arena_printf(draft->arena, "`isolation: %s`",
				       isolations[need->value % 4]);
	if (need->value == 1)
		return mw_arena_printf(draft->arena, "`%s`", need->name);
	return mw_arena_printf(draft->arena, "`%s: %" PRIu64 "`", need->name, need->value);
}

static void check_needs(struct mw_draft *draft)
{
	const struct mw_plan_accel *accel = &draft->plan->accel;

	for (size_t i = 0; i < accel->need_count; i++) {
		const struct mw_plan_need *need = &accel->needs[i];

		if (!need->optional)
			require(draft, need->name, need->value, need->span, need_text(draft, need));
	}
	if (accel->instruction_clock)
		require(draft, "clock_instructions", 1, accel->clock_span, "`clock: instructions`");
}

static void check_irqchip(struct mw_draft *draft)
{
	static const char *const rows[][2] = {
		[MW_IRQCHIP_KERNEL] = { "irqchip_kernel", "`irqchip: kernel`" },
		[MW_IRQCHIP_SPLIT] = { "irqchip_split", "`irqchip: split`" },
		[MW_IRQCHIP_USER] = { "irqchip_user", "`irqchip: user`" },
	};
	const struct mw_plan_accel *accel = &draft->plan->accel;

	if (accel->irqchip != MW_IRQCHIP_AUTO)
		require(draft, rows[accel->irqchip][0], 1, accel->irqchip_span,
			rows[accel->irqchip][1]);
}

static void check_sizes(struct mw_draft *draft)
{
	const struct mw_plan *plan = draft->plan;
	const struct mw_plan_range *last =
		draft->ram_count ? &draft->ram[draft->ram_count - 1] : NULL;
	uint64_t bits = 0;

	for (uint64_t end = last ? last->base + last->length - 1 : 0; end; end >>= 1)
		bits++;
	if (bits)
		require(draft, "gpa_bits", bits, draft->ram_span,
			mw_arena_printf(draft->arena, "the %" PRIu64 " address bits of this RAM",
					bits));
	if (plan->cpu.count)
		require(draft, "max_vcpus", plan->cpu.count, plan->cpu.span,
			mw_arena_printf(draft->arena, "%" PRIu32 " CPUs", plan->cpu.count));
}

/* KVM's own chips: both 8259 and the I/O APIC, where PCs have them (api.rst, 4.24). */
enum { MASTER_PORT = 0x20, SLAVE_PORT = 0xa0, ELCR_PORT = 0x4d0, PINS = 24, VERSION = 0x11 };
#define IOAPIC_ADDRESS UINT64_C(0xfec00000)

struct misfit {
	const struct mw_draft_node *node; /* NULL: of the machine */
	const char *why;
};

static bool is_at(const struct mw_draft_node *node, enum mw_claim_kind kind, const char *name,
		  uint64_t base)
{
	bool found = false;

	for (size_t i = 0; i < node->claim_count; i++) {
		const struct mw_draft_claim *claim = &node->claims[i];

		if (claim->kind != kind || (name && strcmp(claim->name, name) != 0))
			continue;
		found = true;
		if (claim->base == base)
			return true;
	}
	return name && !found; /* a claim that is left out is nowhere else */
}

static bool has_value(const struct mw_draft_node *node, const char *property, uint64_t number)
{
	for (size_t i = 0; node->values && i < node->type->properties.count; i++) {
		if (strcmp(node->type->properties.items[i].name, property) == 0)
			return node->values[i].number == number;
	}
	return false;
}

static const char *pic_misfit(const struct mw_draft_node *node)
{
	if (!is_at(node, MW_CLAIM_IO, NULL, MASTER_PORT) ||
	    !is_at(node, MW_CLAIM_IO, NULL, SLAVE_PORT))
		return "is not at ports 0x20 and 0xa0, where the kernel's 8259 are";
	if (!is_at(node, MW_CLAIM_IO, "elcr", ELCR_PORT))
		return "has its edge/level registers elsewhere than the kernel's, at 0x4d0";
	return NULL;
}

static const char *ioapic_misfit(const struct mw_draft_node *node)
{
	if (!is_at(node, MW_CLAIM_MMIO, NULL, IOAPIC_ADDRESS))
		return "is not at 0xfec00000, where the kernel's ioapic is";
	if (!has_value(node, "pins", PINS))
		return "does not have the 24 pins of the kernel's ioapic";
	return has_value(node, "version", VERSION)
		       ? NULL
		       : "is not of version 0x11, as the kernel's ioapic is";
}

/* The first chip of the role that does not fit, or its absence. */
static struct misfit find_misfit(const struct mw_draft *draft, enum mw_role role,
				 const char *(*check)(const struct mw_draft_node *node),
				 const char *missing, const char *second)
{
	size_t count = 0;

	for (size_t i = 0; i < draft->node_count; i++) {
		const struct mw_draft_node *node = draft->nodes[i];

		if (!node->type || node->dropped || !mw_type_role(node->type, role))
			continue;
		const char *why = count++ ? second : check(node);

		if (why)
			return (struct misfit){ node, why };
	}
	return (struct misfit){ NULL, count ? NULL : missing };
}

/* A503: what would run beside KVM's chips must be KVM's chips. */
static void check_split(struct mw_draft *draft)
{
	const struct mw_plan_accel *accel = &draft->plan->accel;

	if (accel->irqchip != MW_IRQCHIP_KERNEL || !(candidates(accel) >> KVM & 1))
		return;
	struct misfit misfit = find_misfit(draft, MW_ROLE_PIC, pic_misfit,
					   "the machine has no two 8259 at ports 0x20 and 0xa0",
					   "is a second pair of 8259; the kernel has one");

	if (!misfit.why)
		misfit = find_misfit(draft, MW_ROLE_IOAPIC, ioapic_misfit,
				     "the machine has no ioapic",
				     "is a second ioapic; the kernel has one");
	if (!misfit.why)
		return;
	const char *who =
		misfit.node ? mw_arena_printf(draft->arena, "`%s` ", misfit.node->id) : "";
	struct mw_diag *diag = mw_draft_report(
		draft, MW_SEVERITY_WARNING, "A503", accel->irqchip_span, NULL, "accel",
		"the kernel's interrupt chips do not fit: %s%s", who, misfit.why);

	if (misfit.node)
		mw_diag_note(draft->diagnostics, diag, misfit.node->span, "`%s` is modelled here",
			     misfit.node->id);
	mw_diag_help(draft->diagnostics, diag, "`auto` takes the kernel's chips where they fit");
	mw_fix_word(draft->diagnostics, diag, MW_FIX_SAFE, "kernel", "auto");
}

/* A504: with several accelerators to choose from, a state that one has saved is for the others to
 * load; `auto` is a choice too, but one that stays the same on a host. */
static void check_portable(struct mw_draft *draft)
{
	struct mw_tree *model = mw_tree_get(mw_tree_get(draft->document->root, "cpu"), "model");
	struct mw_tree *prefer = mw_tree_get(mw_tree_get(draft->document->root, "accel"), "prefer");
	size_t named = 0;

	for (const char *const *name = draft->plan->accel.prefer; name && *name; name++)
		named += strcmp(*name, "auto") != 0 && strcmp(*name, "none") != 0;
	if (named < 2 || !model || !prefer || !draft->plan->cpu.host_model)
		return;
	struct mw_diag *diag = mw_draft_report(
		draft, MW_SEVERITY_WARNING, "A504", model->span, NULL, "cpu",
		"`host` is another CPU under each accelerator, so that a snapshot fits one alone");

	mw_diag_note(draft->diagnostics, diag, prefer->span, "the accelerators to choose from");
	mw_diag_help(draft->diagnostics, diag, "name a model, such as `x86-64-v1`");
}

void mw_rules_accel(struct mw_draft *draft, bool whole)
{
	if (!draft->document->options->lint)
		return;
	check_needs(draft);
	check_irqchip(draft);
	check_sizes(draft);
	check_portable(draft);
	if (whole)
		check_split(draft);
}
