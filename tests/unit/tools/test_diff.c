/** What differs is told exactly when the guests' hashes differ, whatever was changed. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/diff/diff.h"
#include "tools/profile.h"

static struct mw_workshop workshop;

static struct mw_plan *plan_of(const char *profile)
{
	static const char *const search[] = { "." };
	struct mw_resolve_options options = { .profile = profile,
					      .search = search,
					      .search_count = 1,
					      .registry = &workshop.registry,
					      .stand_ins = true };
	struct mw_plan *plan = NULL;

	assert_true(mw_resolve(&plan, &options, &workshop.diagnostics));
	return plan;
}

static bool same_hash(const struct mw_plan *a, const struct mw_plan *b)
{
	uint8_t left[32], right[32];

	mw_plan_hash(a, left);
	mw_plan_hash(b, right);
	return !memcmp(left, right, sizeof(left));
}

/* A plan that may be written to: it lives in memory that is only called constant. */
#define LOOSE(type, pointer) ((type *)(uintptr_t)(pointer))

static void change_machine(struct mw_plan *plan, unsigned pick)
{
	switch (pick % 6) {
	case 0: plan->name = "another"; break;
	case 1: plan->summary = "another summary"; break;
	case 2: plan->version++; break;
	case 3: plan->ram_bytes += 4096; break;
	case 4: LOOSE(struct mw_plan_range, plan->ram)[pick % plan->ram_count].base++; break;
	default: plan->node_count--; break; /* the last one is a backend */
	}
}

static void change_cpu(struct mw_plan *plan, unsigned pick)
{
	struct mw_cpuid_leaf *leaves = LOOSE(struct mw_cpuid_leaf, plan->cpu.leaves);

	switch (pick % 7) {
	case 0: plan->cpu.count++; break;
	case 1: plan->cpu.model = "another"; break;
	case 2: plan->cpu.tsc_told = !plan->cpu.tsc_told; break;
	case 3: plan->cpu.hypervisor = (enum mw_hypervisor)((plan->cpu.hypervisor + 1) % 3); break;
	case 4: plan->cpu.threads++; break;
	case 5:
		if (plan->cpu.leaf_count)
			leaves[pick % plan->cpu.leaf_count].edx ^= 1u << pick % 32;
		break;
	default: plan->cpu.span.byte++; break; /* nobody sees where it stood */
	}
}

static void change_rest(struct mw_plan *plan, unsigned pick)
{
	switch (pick % 8) {
	case 0: plan->accel.irqchip = MW_IRQCHIP_USER; break;
	case 1: plan->accel.instruction_clock = !plan->accel.instruction_clock; break;
	case 2: plan->power.panic = (enum mw_power_action)((plan->power.panic + 1) % 3); break;
	case 3: plan->boot.cmdline = "quiet"; break;
	case 4: plan->boot.cmdline_host = !plan->boot.cmdline_host; break;
	case 5: plan->boot.tables ^= MW_TABLES_SMBIOS; break;
	case 6: plan->boot.linux_path = "another"; break;
	default: plan->boot.initrd_path = "another"; break;
	}
}

static void change_node(struct mw_plan *plan, unsigned pick)
{
	struct mw_plan_node *node =
		&LOOSE(struct mw_plan_node, plan->nodes)[pick / 8 % plan->node_count];
	struct mw_plan_value *values = LOOSE(struct mw_plan_value, node->values);

	switch (pick % 6) {
	case 0: node->id = "another"; break;
	case 1: node->bus = "another"; break;
	case 2: node->address = "1f.0"; break;
	case 3: node->placement = MW_PLACEMENT_CPU; break;
	case 4:
		if (node->value_count && values[0].property->kind == MW_BOOL)
			values[0].number = !values[0].number;
		break;
	default:
		if (node->value_count) /* from now on it is the host's */
			values[node->value_count - 1].host = true;
		break;
	}
}

static void change_claim(struct mw_plan *plan, unsigned pick)
{
	struct mw_plan_node *node =
		&LOOSE(struct mw_plan_node, plan->nodes)[pick / 8 % plan->node_count];
	struct mw_plan_claim *claims = LOOSE(struct mw_plan_claim, node->claims);

	if (!node->claim_count)
		return;
	claims += pick % node->claim_count;
	switch (pick % 4) {
	case 0: claims->base ^= 8; break;
	case 1: claims->length += 8; break;
	case 2: claims->automatic = !claims->automatic; break;
	default: claims->overlays = "somebody.io"; break;
	}
}

static void change_wiring(struct mw_plan *plan, unsigned pick)
{
	struct mw_plan_net *net =
		&LOOSE(struct mw_plan_net, plan->nets)[pick / 8 % plan->net_count];
	struct mw_plan_link *link =
		&LOOSE(struct mw_plan_link, plan->links)[pick / 8 % plan->link_count];
	struct mw_plan_net spare = *net;
	struct mw_plan_net *first = LOOSE(struct mw_plan_net, plan->nets);

	switch (pick % 8) {
	case 0: net->line++; break;
	case 1: net->gsi++; break;
	case 2: net->trigger = net->trigger ? MW_TRIGGER_EDGE : MW_TRIGGER_LEVEL; break;
	case 3: net->polarity = net->polarity ? MW_POLARITY_HIGH : MW_POLARITY_LOW; break;
	case 4: net->shared = !net->shared; break;
	case 5: LOOSE(struct mw_plan_sink, net->sinks)->index ^= 1; break;
	case 6: /* the same in another order */
		*net = *first;
		*first = spare;
		break;
	default: LOOSE(struct mw_plan_link, link)->node[1] = 0; break;
	}
}

static void a_change_is_told_exactly_when_the_hash_differs(void **state)
{
	static void (*const changes[])(struct mw_plan *, unsigned) = {
		change_machine, change_cpu, change_rest, change_node, change_claim, change_wiring,
	};
	static const char *const profiles[] = { "tests/golden/tour.yaml",
						"tests/unit/tools/machines/sixty.yaml" };
	unsigned random = 1, told = 0, silent = 0;

	for (unsigned round = 0; round < 400; round++) {
		const char *profile = profiles[round % 2];
		struct mw_plan *a = plan_of(profile), *b = plan_of(profile);
		struct mw_diff diff;

		random = random * 1103515245 + 12345;
		changes[round / 2 % 6](b, random >> 8);
		mw_diff_plans(&diff, a, b);
		assert_int_equal(diff.guest.count == 0, same_hash(a, b));
		told += diff.guest.count != 0;
		silent += diff.guest.count == 0;
		mw_diff_fini(&diff);
		mw_plan_destroy(a);
		mw_plan_destroy(b);
	}
	assert_true(told > 150 && silent > 50);
}

/* Whatever the text may come to hold: every line of it is a fact or names some. */
static void every_line_of_the_text_counts(void **state)
{
	struct mw_plan *plan = plan_of("tests/golden/tour.yaml");
	size_t length;
	char *text = mw_diff_guest_text(plan, &length);
	char *other = mw_alloc(length + 1, 1);

	for (size_t at = 0; at < length;) {
		size_t line = strcspn(text + at, "\n");
		struct mw_diff diff;

		memcpy(other, text, length);
		other[at + line - 1] = other[at + line - 1] == 'x' ? 'y' : 'x';
		mw_diff_texts(&diff, text, length, other, length);
		assert_true(diff.guest.count > 0);
		assert_true(diff.guest.items[0].section != MW_FACT_MACHINE ||
			    strcmp(diff.guest.items[0].key, "order") != 0);
		mw_diff_fini(&diff);
		/* And without it. */
		memmove(other + at, text + at + line + 1, length - at - line - 1);
		mw_diff_texts(&diff, text, length, other, length - line - 1);
		assert_true(diff.guest.count > 0);
		mw_diff_fini(&diff);
		at += line + 1;
	}
	free(other);
	free(text);
	mw_plan_destroy(plan);
}

static void a_machine_equals_itself(void **state)
{
	struct mw_plan *plan = plan_of("tests/golden/tour.yaml");
	struct mw_diff diff;

	mw_diff_plans(&diff, plan, plan);
	assert_int_equal(diff.guest.count, 0);
	assert_int_equal(diff.host.count, 0);
	mw_diff_fini(&diff);
	mw_plan_destroy(plan);
}

static void changes_are_grouped_and_named(void **state)
{
	static const char a[] = "name: x\nnodes:\n  com1:\n    type: uart\n    io:\n"
				"      bank: 0x3f8+0x8\n  old:\n    type: rom\nnets:\n"
				"  - domain: isa\n    line: 4\n    shared: false\n";
	static const char b[] = "name: x\nnodes:\n  com1:\n    type: uart\n    io:\n"
				"      bank: 0x2f8+0x8\nnets:\n"
				"  - domain: isa\n    line: 4\n    shared: true\n";
	struct mw_diff diff;
	char *written = NULL;
	size_t length;
	FILE *out = open_memstream(&written, &length);

	mw_diff_texts(&diff, a, sizeof(a) - 1, b, sizeof(b) - 1);
	mw_changes_print(&diff.guest, 0, false, out);
	fclose(out);
	assert_string_equal(written, "node com1\n  - io.bank  0x3f8+0x8\n  + io.bank  0x2f8+0x8\n"
				     "node old (removed)\n  - type  rom\n"
				     "line isa:4\n  - shared  false\n  + shared  true\n");
	assert_string_equal(mw_change_words(&diff.arena, &diff.guest.items[0]),
			    "node com1: io.bank 0x3f8+0x8 becomes 0x2f8+0x8");
	assert_string_equal(mw_change_words(&diff.arena, &diff.guest.items[1]),
			    "node old is there no more");
	free(written);
	mw_diff_fini(&diff);
}

/* A frozen text may come from anybody. */
static void any_text_is_read(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		"- ",
		"- - - x",
		":",
		": :",
		"\"",
		"\"a\": b",
		"  deep: x\n- y",
		"                                        far: off",
		"a:\n- b\n  - c\n- d: e\n",
		"\xff\xfe",
	};
	unsigned random = 7;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct mw_diff diff;

		mw_diff_texts(&diff, texts[i], strlen(texts[i]), "a: b\n", 5);
		assert_true(diff.guest.count > 0);
		mw_diff_fini(&diff);
	}
	for (unsigned round = 0; round < 2000; round++) {
		static const char alphabet[] = "  -:\n\"ab, \n  - ";
		char text[200];
		struct mw_diff diff;

		for (size_t i = 0; i < sizeof(text); i++) {
			random = random * 1103515245 + 12345;
			text[i] = alphabet[(random >> 16) % (sizeof(alphabet) - 1)];
		}
		mw_diff_texts(&diff, text, sizeof(text), text, sizeof(text) - round % 3);
		assert_int_equal(diff.guest.count == 0, round % 3 == 0);
		mw_diff_fini(&diff);
	}
}

static int set_up(void **state)
{
	return mw_workshop_init(&workshop) ? 0 : -1;
}

static int tear_down(void **state)
{
	mw_workshop_fini(&workshop);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_equals_itself),
		cmocka_unit_test(a_change_is_told_exactly_when_the_hash_differs),
		cmocka_unit_test(every_line_of_the_text_counts),
		cmocka_unit_test(changes_are_grouped_and_named),
		cmocka_unit_test(any_text_is_read),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
