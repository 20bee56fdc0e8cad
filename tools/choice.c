/** Walks the names in order, probes, and compares what is offered with what the plan needs. */
// SPDX-License-Identifier: MIT
#include "tools/choice.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/options.h"

/* Accelerators that profiles may prefer and that a build may lack. */
static const char *const known_names[] = { "auto", "kvm", "soft", "mshv", "none", NULL };

/** One question of the closed vocabulary of `need:`; `flag` or `number` is where the answer is. */
struct question {
	const char *name;
	size_t flag, number;
	bool is_flag;
};
#define FLAG(text, member)                                                                      \
	{                                                                                       \
		.name = (text), .flag = offsetof(struct mw_accel_caps, member), .is_flag = true \
	}
#define NUMBER(member)                                                            \
	{                                                                         \
		.name = #member, .number = offsetof(struct mw_accel_caps, member) \
	}

static const struct question questions[] = {
	/* KVM makes its timer only beside its own interrupt chips (KVM_CREATE_PIT2). */
	FLAG("pit", kernel_irqchip),
	FLAG("msi", msi),
	FLAG("ioeventfd", ioeventfd),
	FLAG("pio", pio),
	FLAG("a20", a20),
	FLAG("smm", smm),
	FLAG("x2apic", x2apic),
	FLAG("synic", synic),
	FLAG("isolation", isolation),
	FLAG("dirty_log", dirty_log),
	NUMBER(vtl),
	NUMBER(max_vcpus),
	NUMBER(gpa_bits),
	NUMBER(memslots),
};

static uint64_t offered(const struct mw_accel_caps *caps, const char *need)
{
	const char *bytes = (const char *)caps;
	unsigned number;

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (strcmp(questions[i].name, need) != 0)
			continue;
		if (questions[i].is_flag)
			return bytes[questions[i].flag] != 0;
		memcpy(&number, bytes + questions[i].number, sizeof(number));
		return number;
	}
	return 0;
}

/* What the plan needs, explicitly and by what it holds. Findings are added when `diagnostics` is
 * given; else only the answer counts. */

struct check {
	const struct mw_accel_ops *ops;
	const struct mw_accel_caps *caps;
	struct mw_diagnostics *diagnostics;
	bool met;
};

__attribute__((format(printf, 3, 4))) static void miss(struct check *check, struct mw_span span,
						       const char *format, ...)
{
	char text[200];
	va_list arguments;

	check->met = false;
	if (!check->diagnostics)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	mw_diagnostics_add(check->diagnostics, MW_SEVERITY_ERROR, "A501", span, "%s", text);
}

static void check_needs(struct check *check, const struct mw_plan *plan)
{
	for (size_t i = 0; i < plan->accel.need_count; i++) {
		const struct mw_plan_need *need = &plan->accel.needs[i];
		uint64_t here = offered(check->caps, need->name);

		if (here < need->value && !need->optional)
			miss(check, need->span,
			     "the machine needs `%s` %" PRIu64 ", but %s offers %" PRIu64,
			     need->name, need->value, check->ops->name, here);
	}
}

/* Messages that a device's claim asks for; interrupt chips have theirs by other ways. */
static void check_messages(struct check *check, const struct mw_plan *plan)
{
	for (size_t i = 0; i < plan->node_count && !check->caps->msi; i++) {
		const struct mw_plan_node *node = &plan->nodes[i];

		for (size_t c = 0; c < node->claim_count; c++) {
			if (node->claims[c].kind != MW_CLAIM_MSI)
				continue;
			miss(check, node->claims[c].span,
			     "`%.100s` has message signalled interrupts, which %s does not offer",
			     node->id, check->ops->name);
		}
	}
}

static void check_irqchip(struct check *check, const struct mw_plan *plan)
{
	const struct mw_accel_caps *caps = check->caps;
	const struct {
		enum mw_irqchip mode;
		bool offered;
		const char *name;
	} modes[] = {
		{ MW_IRQCHIP_KERNEL, caps->kernel_irqchip, "kernel" },
		{ MW_IRQCHIP_SPLIT, caps->split_irqchip, "split" },
		{ MW_IRQCHIP_USER, caps->user_irqchip, "user" },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (plan->accel.irqchip == modes[i].mode && !modes[i].offered)
			miss(check, plan->accel.irqchip_span, "%s does not offer `irqchip: %s`",
			     check->ops->name, modes[i].name);
}

static void check_clock(struct check *check, const struct mw_plan *plan)
{
	if (plan->accel.instruction_clock && !check->caps->instruction_clock)
		miss(check, plan->accel.clock_span, "%s does not offer `clock: instructions`",
		     check->ops->name);
}

static void check_sizes(struct check *check, const struct mw_plan *plan)
{
	unsigned bits = check->caps->gpa_bits;

	if (plan->cpu.count > check->caps->max_vcpus)
		miss(check, plan->cpu.span, "%" PRIu32 " CPUs are more than the %u that %s offers",
		     plan->cpu.count, check->caps->max_vcpus, check->ops->name);
	/* 0: not known before a VM exists. */
	if (!bits || bits >= 64)
		return;
	for (size_t i = 0; i < plan->ram_count; i++) {
		uint64_t last = plan->ram[i].base + plan->ram[i].length - 1;

		if (last >> bits)
			miss(check, plan->accel.span,
			     "RAM reaches 0x%" PRIx64 ", but %s has addresses of %u bits", last,
			     check->ops->name, bits);
	}
}

static bool meets_needs(const struct mw_accel_ops *ops, const struct mw_accel_caps *caps,
			const struct mw_plan *plan, struct mw_diagnostics *diagnostics)
{
	struct check check = { ops, caps, diagnostics, true };

	check_needs(&check, plan);
	check_irqchip(&check, plan);
	check_messages(&check, plan);
	check_clock(&check, plan);
	check_sizes(&check, plan);
	return check.met;
}

/* Choosing. */

struct search {
	const struct mw_plan *plan;
	struct mw_choice *choice;   /* the best so far; ops NULL: none */
	struct mw_choice short_one; /* the first that is here but lacks something */
	struct mw_arena *arena;
	bool thorough;           /* there may be a choice */
	bool by_auto;            /* the name being tried is `auto` */
	const char *remarks[16]; /* why others were passed over */
	size_t remark_count;
};

static const char *const states[] = {
	[MW_ACCEL_GOOD] = "good",
	[MW_ACCEL_SLOW] = "slow",
	[MW_ACCEL_PARTIAL] = "partial",
	[MW_ACCEL_ABSENT] = "absent",
};

static void remark(struct search *search, const char *name, const char *what)
{
	size_t room = sizeof(search->remarks) / sizeof(search->remarks[0]);

	if (search->remark_count < room)
		search->remarks[search->remark_count++] =
			mw_arena_printf(search->arena, "%s %s", name, what);
}

static void remark_state(struct search *search, const struct mw_choice *found)
{
	const char *state = states[found->probe.verdict], *why = found->probe.reason;

	remark(search, found->ops->name,
	       *why ? mw_arena_printf(search->arena, "is %s here (%s)", state, why)
		    : mw_arena_printf(search->arena, "is %s here", state));
}

/* What is neither good nor the best so far, which the line of the choice explains itself, is passed over. */
static bool take(struct search *search, const struct mw_choice *found)
{
	struct mw_choice *best = search->choice;
	bool good = found->probe.verdict == MW_ACCEL_GOOD;

	if (best->ops && !good) {
		remark_state(search, found);
		return false;
	}
	if (best->ops)
		remark_state(search, best);
	*best = *found;
	best->by_auto = search->by_auto;
	return good;
}

/** Returns true when the search is over. */
static bool try_one(struct search *search, const struct mw_accel_ops *ops)
{
	struct mw_choice found = { .ops = ops };

	if (search->thorough || !ops->look)
		ops->probe(&found.probe);
	else
		ops->look(&found.probe);
	if (found.probe.verdict == MW_ACCEL_ABSENT) {
		remark_state(search, &found);
		return false;
	}
	if (!meets_needs(ops, &found.probe.caps, search->plan, NULL)) {
		remark(search, ops->name, "lacks what the machine needs");
		if (!search->short_one.ops)
			search->short_one = found;
		return false;
	}
	return take(search, &found);
}

static bool try_name(struct search *search, const char *name,
		     const struct mw_accel_ops *const *built_in)
{
	bool every = strcmp(name, "auto") == 0, found = false;

	search->by_auto = every;
	for (; *built_in; built_in++) {
		if (every ? (*built_in)->only_by_name : strcmp((*built_in)->name, name) != 0)
			continue;
		found = true;
		if (try_one(search, *built_in))
			return true;
	}
	if (!found)
		remark(search, name, "is not built in");
	return false;
}

/** Names of no accelerator at all are mistakes even where another one would do. */
static bool check_name(const char *name, struct mw_span span,
		       const struct mw_accel_ops *const *built_in,
		       struct mw_diagnostics *diagnostics)
{
	const char *nearest = mw_nearest_name(name, known_names);
	struct mw_diag *diag;

	for (const char *const *known = known_names; *known; known++)
		if (strcmp(*known, name) == 0)
			return true;
	for (const struct mw_accel_ops *const *ops = built_in; *ops; ops++)
		if (strcmp((*ops)->name, name) == 0)
			return true;
	diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, span.source ? "S103" : "", span,
				  "there is no accelerator `%s`", name);
	for (const struct mw_accel_ops *const *ops = built_in; *ops; ops++)
		mw_diag_note(diagnostics, diag, (struct mw_span){ 0 }, "built in is %s: %s",
			     (*ops)->name, (*ops)->summary);
	if (nearest)
		mw_diag_help(diagnostics, diag, "did you mean `%s`?", nearest);
	return false;
}

static void explain_failure(struct search *search, struct mw_span span,
			    const struct mw_accel_ops *const *built_in,
			    struct mw_diagnostics *diagnostics)
{
	struct mw_diag *diag;

	if (search->short_one.ops) {
		meets_needs(search->short_one.ops, &search->short_one.probe.caps, search->plan,
			    diagnostics);
		return;
	}
	diag = mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", span,
				  "no accelerator that this machine may use is usable here");
	for (size_t i = 0; i < search->remark_count; i++)
		mw_diag_note(diagnostics, diag, (struct mw_span){ 0 }, "%s", search->remarks[i]);
	for (const struct mw_accel_ops *const *ops = built_in; *ops; ops++)
		mw_diag_note(diagnostics, diag, (struct mw_span){ 0 }, "built in is %s: %s",
			     (*ops)->name, (*ops)->summary);
}

static size_t append(char *line, size_t capacity, size_t used, const char *before, const char *text)
{
	int more =
		used < capacity ? snprintf(line + used, capacity - used, "%s%s", before, text) : 0;

	return used + (size_t)(more > 0 ? more : 0);
}

/* "accelerator soft: kvm is partial here (...)" */
static void write_line(struct search *search, bool asked)
{
	struct mw_choice *choice = search->choice;
	char *line = choice->line;
	size_t capacity = sizeof(choice->line);
	size_t used = append(line, capacity, 0, "accelerator ", choice->ops->name);

	choice->passed_over = search->remark_count > 0;
	if (choice->probe.verdict != MW_ACCEL_GOOD) {
		used = append(line, capacity, used, ", which is ", states[choice->probe.verdict]);
		used = append(line, capacity, used, " here: ", choice->probe.reason);
	} else if (!choice->passed_over) {
		used = append(line, capacity, used, ", ",
			      asked             ? "as --accel asks"
			      : choice->by_auto ? "the best that is here"
						: "as the profile prefers");
	}
	for (size_t i = 0; i < search->remark_count; i++)
		used = append(line, capacity, used,
			      i || choice->probe.verdict != MW_ACCEL_GOOD ? "; " : ": ",
			      search->remarks[i]);
}

bool mw_choice_make(struct mw_choice *choice, const struct mw_plan *plan, const char *wanted,
		    const struct mw_accel_ops *const *built_in, struct mw_diagnostics *diagnostics)
{
	bool asked = wanted && strcmp(wanted, "auto") != 0;
	const char *const only[] = { wanted, NULL };
	const char *const *names = wanted ? only : plan->accel.prefer;
	struct mw_span span = wanted ? (struct mw_span){ 0 } : plan->accel.span;
	struct search search = { .plan = plan, .choice = choice, .arena = &diagnostics->arena };
	bool good = true;

	*choice = (struct mw_choice){ 0 };
	for (size_t i = 0; names[i]; i++)
		good &= check_name(names[i], span, built_in, diagnostics);
	if (!good)
		return false;
	search.thorough = names[0] && (names[1] || strcmp(names[0], "auto") == 0);
	for (size_t i = 0; names[i] && !try_name(&search, names[i], built_in); i++)
		continue;
	if (!choice->ops) {
		explain_failure(&search, span, built_in, diagnostics);
		return false;
	}
	write_line(&search, asked);
	return true;
}
