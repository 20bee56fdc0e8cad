/* Which interrupt chips the kernel runs for which plan. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "accel/kvm/kvm_internal.h"

static const struct mw_role_row pic_roles[] = { { MW_ROLE_PIC, "command" } };
static const struct mw_role_row ioapic_roles[] = { { MW_ROLE_IOAPIC, "bank" } };
static const struct mw_property pins = { .name = "pins" }, version = { .name = "version" };
static const struct mw_device_type pic = { MW_DEVICE_TYPE, .name = "i8259",
					   .firmware = { .roles = MW_TABLE(pic_roles) } };
static const struct mw_device_type ioapic = { MW_DEVICE_TYPE, .name = "ioapic",
					      .firmware = { .roles = MW_TABLE(ioapic_roles) } };
static const struct mw_device_type other = { MW_DEVICE_TYPE, .name = "other" };

enum { PICS, IOAPIC, OTHER, SPARE, NODES };
enum { MASTER_CLAIM, SLAVE_CLAIM, ELCR_CLAIM, PIC_CLAIMS };

/** A board with KVM's chips at KVM's places; a test breaks one thing of it. */
struct board {
	struct mw_plan plan;
	struct mw_plan_node nodes[NODES];
	struct mw_plan_claim claims[NODES], pic_claims[PIC_CLAIMS];
	struct mw_plan_value values[2];
	struct mw_diagnostics diagnostics;
};

static void add(struct board *board, size_t index, const char *id,
		const struct mw_device_type *type, enum mw_claim_kind kind, uint64_t base)
{
	board->claims[index] = (struct mw_plan_claim){ .kind = kind, .base = base, .length = 2 };
	board->nodes[index] = (struct mw_plan_node){
		.id = id, .type = type, .claims = &board->claims[index], .claim_count = 1
	};
}

static void make_board(struct board *board)
{
	static const char *const names[PIC_CLAIMS] = { "master", "slave", "elcr" };
	static const uint64_t bases[PIC_CLAIMS] = { 0x20, 0xa0, 0x4d0 };

	memset(board, 0, sizeof(*board));
	add(board, PICS, "pics", &pic, MW_CLAIM_IO, 0x20);
	board->nodes[PICS].claims = board->pic_claims;
	board->nodes[PICS].claim_count = PIC_CLAIMS;
	for (size_t i = 0; i < PIC_CLAIMS; i++)
		board->pic_claims[i] = (struct mw_plan_claim){
			.kind = MW_CLAIM_IO, .name = names[i], .base = bases[i], .length = 2
		};
	add(board, IOAPIC, "ioapic", &ioapic, MW_CLAIM_MMIO, 0xfec00000);
	add(board, OTHER, "other", &other, MW_CLAIM_IO, 0x3f8);
	add(board, SPARE, "spare", &other, MW_CLAIM_IO, 0x2f8);
	board->values[0] = (struct mw_plan_value){ .property = &pins, .number = 24 };
	board->values[1] = (struct mw_plan_value){ .property = &version, .number = 0x11 };
	board->nodes[IOAPIC].values = board->values;
	board->nodes[IOAPIC].value_count = 2;
	board->plan.nodes = board->nodes;
	board->plan.node_count = NODES;
}

static bool choose(struct board *board, enum mw_irqchip wanted, enum kvm_chips *chips)
{
	board->plan.accel.irqchip = wanted;
	return kvm_chips_choose(&board->plan, chips, &board->diagnostics);
}

static void assert_split(struct board *board, const char *named)
{
	enum kvm_chips chips = KVM_CHIPS_KERNEL;

	assert_true(choose(board, MW_IRQCHIP_AUTO, &chips));
	assert_int_equal(chips, KVM_CHIPS_SPLIT);
	assert_int_equal(board->diagnostics.count, 0);
	assert_false(choose(board, MW_IRQCHIP_KERNEL, &chips));
	assert_int_equal(board->diagnostics.errors, 1);
	assert_string_equal(board->diagnostics.items[0]->code, "A503");
	if (!strstr(board->diagnostics.items[0]->message, named))
		fail_msg("`%s` lacks `%s`", board->diagnostics.items[0]->message, named);
	mw_diagnostics_fini(&board->diagnostics);
}

static void kvms_own_board_gets_the_kernel_chips(void **state)
{
	struct board board;
	enum kvm_chips chips = KVM_CHIPS_SPLIT;

	make_board(&board);
	assert_true(choose(&board, MW_IRQCHIP_AUTO, &chips));
	assert_int_equal(chips, KVM_CHIPS_KERNEL);
	assert_true(choose(&board, MW_IRQCHIP_KERNEL, &chips));
	assert_int_equal(chips, KVM_CHIPS_KERNEL);
	assert_true(choose(&board, MW_IRQCHIP_SPLIT, &chips));
	assert_int_equal(chips, KVM_CHIPS_SPLIT);
}

static void kernel_runs_its_chips_and_no_other(void **state)
{
	struct board board;

	make_board(&board);
	for (uint32_t i = 0; i < NODES; i++) {
		assert_int_equal(kvm_chips_runs(&board.plan, KVM_CHIPS_KERNEL, i), i <= IOAPIC);
		assert_false(kvm_chips_runs(&board.plan, KVM_CHIPS_SPLIT, i));
	}
}

static void board_without_8259_is_split(void **state)
{
	struct board board;

	make_board(&board);
	board.nodes[PICS].type = &other;
	assert_split(&board, "no two 8259");
}

static void board_without_elcr_gets_the_kernel_chips(void **state)
{
	struct board board;
	enum kvm_chips chips;

	make_board(&board);
	board.nodes[PICS].claim_count = ELCR_CLAIM;
	assert_true(choose(&board, MW_IRQCHIP_AUTO, &chips));
	assert_int_equal(chips, KVM_CHIPS_KERNEL);
}

static void second_pair_of_8259_is_named(void **state)
{
	struct board board;

	make_board(&board);
	board.nodes[SPARE].type = &pic;
	assert_split(&board, "spare");
}

static void moved_8259_is_named(void **state)
{
	for (size_t i = 0; i < PIC_CLAIMS; i++) {
		struct board board;

		make_board(&board);
		board.pic_claims[i].base += 0x10;
		assert_split(&board, "pics");
	}
}

static void moved_ioapic_is_named(void **state)
{
	struct board board;

	make_board(&board);
	board.claims[IOAPIC].base = 0xfec10000;
	assert_split(&board, "ioapic");
}

static void ioapic_of_another_size_is_named(void **state)
{
	struct board board;

	make_board(&board);
	board.values[0].number = 16;
	assert_split(&board, "24 pins");
}

/* The kernel's version register reads 0x11, and it has no EOI register. */
static void ioapic_of_another_version_is_named(void **state)
{
	struct board board;

	make_board(&board);
	board.values[1].number = 0x20;
	assert_split(&board, "version 0x11");
}

/* Neither the kernel's chips nor the routes of split know two of them apart. */
static void second_ioapic_is_refused_by_name(void **state)
{
	static const enum mw_irqchip wanted[] = { MW_IRQCHIP_AUTO, MW_IRQCHIP_SPLIT,
						  MW_IRQCHIP_KERNEL };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct board board;
		enum kvm_chips chips;

		make_board(&board);
		board.nodes[SPARE].type = &ioapic;
		assert_false(choose(&board, wanted[i], &chips));
		assert_int_equal(board.diagnostics.errors, 1);
		assert_non_null(strstr(board.diagnostics.items[0]->message, "spare"));
		mw_diagnostics_fini(&board.diagnostics);
	}
}

static void machine_without_ioapic_is_split(void **state)
{
	struct board board;

	make_board(&board);
	board.nodes[IOAPIC].type = &other;
	assert_split(&board, "no ioapic");
}

/* On any board. */
static void chips_in_user_space_are_taken_when_asked_for(void **state)
{
	struct board board;
	enum kvm_chips chips;

	make_board(&board);
	assert_true(choose(&board, MW_IRQCHIP_USER, &chips));
	assert_int_equal(chips, KVM_CHIPS_USER);
	board.nodes[SPARE].type = &ioapic;
	board.nodes[PICS].type = &other;
	assert_true(choose(&board, MW_IRQCHIP_USER, &chips));
	assert_int_equal(chips, KVM_CHIPS_USER);
	for (uint32_t i = 0; i < NODES; i++)
		assert_false(kvm_chips_runs(&board.plan, chips, i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kvms_own_board_gets_the_kernel_chips),
		cmocka_unit_test(kernel_runs_its_chips_and_no_other),
		cmocka_unit_test(board_without_8259_is_split),
		cmocka_unit_test(board_without_elcr_gets_the_kernel_chips),
		cmocka_unit_test(second_pair_of_8259_is_named),
		cmocka_unit_test(moved_8259_is_named),
		cmocka_unit_test(moved_ioapic_is_named),
		cmocka_unit_test(ioapic_of_another_size_is_named),
		cmocka_unit_test(ioapic_of_another_version_is_named),
		cmocka_unit_test(second_ioapic_is_refused_by_name),
		cmocka_unit_test(machine_without_ioapic_is_split),
		cmocka_unit_test(chips_in_user_space_are_taken_when_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
