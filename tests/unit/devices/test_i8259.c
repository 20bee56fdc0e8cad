/* The PC's two 8259A, read like the data sheet (Intel 231468). */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/executor.h"
#include "tests/support/rig.h"

extern const struct mw_device_type i8259_type;

enum { COMMAND, DATA };
enum { IC4 = 1, SINGLE = 2, LTIM = 8 };
enum { MODE_8086 = 0x01, AEOI = 0x02, BUFFERED_MASTER = 0x0c, SFNM = 0x10 };
enum { EOI = 0x20, SPECIFIC_EOI = 0x60, ROTATE = 0x80, NOT_ROTATE = 0x00 };
enum { ROTATE_EOI = 0xa0, ROTATE_SPECIFIC = 0xe0, SET_PRIORITY = 0xc0, NOTHING = 0x40 };
enum { READ_IRR = 0x0a, READ_ISR = 0x0b, POLL = 0x0c, SMM_ON = 0x68, SMM_OFF = 0x48 };
enum { MASTER_VECTOR = 0x20, SLAVE_VECTOR = 0x28 };

static void out(struct rig *rig, const char *chip, unsigned offset, uint8_t value)
{
	rig_write(rig, chip, offset, 1, value);
}

static uint8_t in(struct rig *rig, const char *chip, unsigned offset)
{
	return (uint8_t)rig_read(rig, chip, offset, 1);
}

static void initialize(struct rig *rig, const char *chip, uint8_t icw1, uint8_t icw4)
{
	bool master = strcmp(chip, "master") == 0;

	out(rig, chip, COMMAND, 0x10 | icw1);
	out(rig, chip, DATA, master ? MASTER_VECTOR : SLAVE_VECTOR);
	if (!(icw1 & SINGLE))
		out(rig, chip, DATA, master ? 0x04 : 0x02);
	if (icw1 & IC4)
		out(rig, chip, DATA, icw4);
}

static int set_up(void **state)
{
	struct rig *rig = rig_create(&i8259_type, NULL);

	initialize(rig, "master", IC4, MODE_8086);
	initialize(rig, "slave", IC4, MODE_8086);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static void raise(struct rig *rig, unsigned irq)
{
	rig_drive(rig, "pin", irq, true);
}

static void lower(struct rig *rig, unsigned irq)
{
	rig_drive(rig, "pin", irq, false);
}

static uint8_t irr(struct rig *rig, const char *chip)
{
	out(rig, chip, COMMAND, READ_IRR);
	return in(rig, chip, COMMAND);
}

static uint8_t isr(struct rig *rig, const char *chip)
{
	out(rig, chip, COMMAND, READ_ISR);
	return in(rig, chip, COMMAND);
}

/* INTR is high and this is what the acknowledge gets. */
static void expect(struct rig *rig, int vector)
{
	assert_true(rig_intr(rig));
	assert_int_equal(rig_acknowledge(rig), vector);
}

/* Initialization command words. */

static void icw1_clears_mask_and_service_and_selects_the_irr(void **state)
{
	struct rig *rig = *state;

	out(rig, "master", DATA, 0x55);
	raise(rig, 1);
	expect(rig, MASTER_VECTOR + 1);
	out(rig, "master", COMMAND, READ_ISR);
	initialize(rig, "master", IC4, MODE_8086);
	assert_int_equal(in(rig, "master", DATA), 0);
	assert_int_equal(in(rig, "master", COMMAND), 0);
	assert_int_equal(isr(rig, "master"), 0);
}

static void icw1_resets_the_edge_sense_circuit(void **state)
{
	struct rig *rig = *state;

	raise(rig, 3);
	initialize(rig, "master", IC4, MODE_8086);
	assert_int_equal(irr(rig, "master"), 0);
	assert_false(rig_intr(rig));
	lower(rig, 3);
	raise(rig, 3);
	expect(rig, MASTER_VECTOR + 3);
}

static void icw1_gives_ir7_the_lowest_priority(void **state)
{
	struct rig *rig = *state;

	out(rig, "master", COMMAND, SET_PRIORITY | 3);
	initialize(rig, "master", IC4, MODE_8086);
	raise(rig, 4);
	raise(rig, 1);
	expect(rig, MASTER_VECTOR + 1);
}

static void icw1_leaves_special_mask_mode(void **state)
{
	struct rig *rig = *state;

	out(rig, "master", COMMAND, SMM_ON);
	initialize(rig, "master", IC4, MODE_8086);
	raise(rig, 1);
	expect(rig, MASTER_VECTOR + 1);
	out(rig, "master", DATA, 0x02);
	raise(rig, 4);
	assert_false(rig_intr(rig));
}

static void icw2_holds_the_upper_five_bits_of_the_vector(void **state)
{
	struct rig *rig = *state;

	out(rig, "master", COMMAND, 0x11);
	out(rig, "master", DATA, 0x7f);
	out(rig, "master", DATA, 0x04);
	out(rig, "master", DATA, MODE_8086);
	raise(rig, 5);
	expect(rig, 0x7d);
}

static void no_request_is_passed_on_before_initialization_ends(void **state)
{
	struct rig *rig = *state;

	out(rig, "master", COMMAND, 0x11);
	raise(rig, 1);
	assert_false(rig_intr(rig));
	out(rig, "master", DATA, 0x20);
	out(rig, "master", DATA, 0x04);
	assert_false(rig_intr(rig));
	out(rig, "master", DATA, MODE_8086);
	assert_true(rig_intr(rig));
}

static void single_chip_has_no_icw3(void **state)
{
	struct rig *rig = *state;

	initialize(rig, "master", IC4 | SINGLE, MODE_8086);
	out(rig, "master", DATA, 0xa5);
	assert_int_equal(in(rig, "master", DATA), 0xa5);
}

static void single_chip_answers_for_its_own_ir2(void **state)
{
	struct rig *rig = *state;

	initialize(rig, "master", IC4 | SINGLE, MODE_8086);
	raise(rig, 9);
	expect(rig, MASTER_VECTOR + 2);
	assert_int_equal(irr(rig, "slave"), 0x02);
}

static void without_icw4_its_functions_are_off(void **state)
{
	struct rig *rig = *state;

	initialize(rig, "master", IC4, MODE_8086 | AEOI | SFNM);
	initialize(rig, "master", 0, 0);
	out(rig, "master", DATA, 0x5a);
	assert_int_equal(in(rig, "master", DATA), 0x5a);
	out(rig, "master", DATA, 0);
	raise(rig, 1);
	expect(rig, MASTER_VECTOR + 1);
	assert_int_equal(isr(rig, "master"), 0x02);
}

static void buffered_mode_changes_nothing_on_a_pc(void **state)
{
	struct rig *rig = *state;

	initialize(rig, "master", IC4, MODE_8086 | BUFFERED_MASTER);
	raise(rig, 9);
	expect(rig, SLAVE_VECTOR + 1);
}

static void strange_words_are_told_of(void **state)
{
	struct rig *rig = *state;

	out(rig, "slave", COMMAND, 0x11);
	out(rig, "slave", DATA, 0x70);
	out(rig, "slave", DATA, 0x05);
	out(rig, "slave", DATA, 0);
	assert_non_null(strstr(rig_log(rig), "ICW3 0x05"));
	assert_non_null(strstr(rig_log(rig), "8086"));
}

/* Interrupt sequence, edge and level triggered modes. */

static void edge_is_requested_then_served_then_ended(void **state)
{
	struct rig *rig = *state;

	raise(rig, 4);
	assert_int_equal(irr(rig, "master"), 0x10);
	expect(rig, MASTER_VECTOR + 4);
	assert_int_equal(irr(rig, "master"), 0);
	assert_int_equal(isr(rig, "master"), 0x10);
	out(rig, "master", COMMAND, EOI);
	assert_int_equal(isr(rig, "master"), 0);
}

static void high_input_makes_no_second_edge(void **state)
{
	struct rig *rig = *state;

	raise(rig, 4);
	expect(rig, MASTER_VECTOR + 4);
	out(rig, "master", COMMAND, EOI);
	assert_false(rig_intr(rig));
	lower(rig, 4);
	raise(rig, 4);
	assert_true(rig_intr(rig));
}

static void request_that_goes_away_is_none(void **state)
{
	struct rig *rig = *state;

	raise(rig, 4);
	lower(rig, 4);
	assert_int_equal(irr(rig, "master"), 0);
	assert_false(rig_intr(rig));
}

static void acknowledge_without_a_request_gets_level_7(void **state)
{
	struct rig *rig = *state;

	raise(rig, 4);
	lower(rig, 4);
	assert_int_equal(rig_acknowledge(rig), MASTER_VECTOR + 7);
	assert_int_equal(isr(rig, "master"), 0);
}

static void polled_slave_takes_its_request_from_the_master(void **state)
{
	struct rig *rig = *state;

	initialize(rig, "master", IC4 | LTIM, MODE_8086);
	raise(rig, 9);
	out(rig, "slave", DATA, 0x02);
	assert_false(rig_intr(rig));
	out(rig, "slave", DATA, 0x00);
	assert_true(rig_intr(rig));
	out(rig, "slave", COMMAND, POLL);
	assert_int_equal(in(rig, "slave", COMMAND), 0x81);
	assert_int_equal(rig_acknowledge(rig), MASTER_VECTOR + 7);
}

static void masked_request_waits_in_the_irr(void **state)
{
	struct rig *rig = *state;

	out(rig, "master", DATA, 0x10);
	raise(rig, 4);
	assert_false(rig_intr(rig));
	assert_int_equal(irr(rig, "master"), 0x10);
	out(rig, "master", DATA, 0x00);
	expect(rig, MASTER_VECTOR + 4);
}

static void ltim_makes_every_input_a_level(void **state)
{
	struct rig *rig = *state;

	initialize(rig, "master", IC4 | LTIM, MODE_8086);
	raise(rig, 1);
	expect(rig, MASTER_VECTOR + 1);
	assert_int_equal(irr(rig, "master"), 0x02);
	out(rig, "master", COMMAND, EOI);
	expect(rig, MASTER_VECTOR + 1);
	lower(rig, 1);
	out(rig, "master", COMMAND, EOI);
	assert_false(rig_intr(rig));
}

static void ltim_takes_inputs_that_are_high_at_icw1(void **state)
{
	struct rig *rig = *state;

	raise(rig, 1);
	initialize(rig, "master", IC4 | LTIM, MODE_8086);
	expect(rig, MASTER_VECTOR + 1);
}

static void elcr_makes_single_inputs_levels(void **state)
{
	struct rig *rig = *state;

	out(rig, "elcr", 0, 0x20);
	out(rig, "elcr", 1, 0x08);
	raise(rig, 5);
	raise(rig, 11);
	expect(rig, SLAVE_VECTOR + 3);
	out(rig, "slave", COMMAND, EOI);
	out(rig, "master", COMMAND, EOI);
	expect(rig, SLAVE_VECTOR + 3);
	lower(rig, 11);
	out(rig, "slave", COMMAND, EOI);
	out(rig, "master", COMMAND, EOI);
	expect(rig, MASTER_VECTOR + 5);
	out(rig, "master", COMMAND, EOI);
	expect(rig, MASTER_VECTOR + 5);
}

static void elcr_keeps_the_edges_of_the_board(void **state)
{
	struct rig *rig = *state;

	out(rig, "elcr", 0, 0xff);
	out(rig, "elcr", 1, 0xff);
	assert_int_equal(in(rig, "elcr", 0), 0xf8);
	assert_int_equal(in(rig, "elcr", 1), 0xde);
}

static void levels_that_firmware_sets_are_in_the_elcr(void **state)
{
	struct rig *rig = *state;

	i8259_type.firmware.levels(rig_device(rig), 0x0e07);
	assert_int_equal(in(rig, "elcr", 0), 0x00);
	assert_int_equal(in(rig, "elcr", 1), 0x0e);
}

static void elcr_survives_initialization(void **state)
{
	struct rig *rig = *state;

	out(rig, "elcr", 0, 0x20);
	initialize(rig, "master", IC4, MODE_8086);
	assert_int_equal(in(rig, "elcr", 0), 0x20);
}

static void level_that_elcr_finds_high_is_a_request(void **state)
{
	struct rig *rig = *state;

	raise(rig, 5);
	expect(rig, MASTER_VECTOR + 5);
	out(rig, "master", COMMAND, EOI);
	assert_false(rig_intr(rig));
	out(rig, "elcr", 0, 0x20);
	expect(rig, MASTER_VECTOR + 5);
}

/* Fully nested mode, end of interrupt. */

static void higher_priority_interrupts_lower_waits(void **state)
{
	struct rig *rig = *state;

	raise(rig, 4);
	expect(rig, MASTER_VECTOR + 4);
	raise(rig, 6);
	assert_false(rig_intr(rig));
	raise(rig, 3);
	expect(rig, MASTER_VECTOR + 3);
	out(rig, "master", COMMAND, EOI);
	assert_int_equal(isr(rig, "master"), 0x10);
	assert_false(rig_intr(rig));
	out(rig, "master", COMMAND, EOI);
	expect(rig, MASTER_VECTOR + 6);
}

static void specific_eoi_ends_its_level(void **state)
{
	struct rig *rig = *state;

	raise(rig, 4);
	expect(rig, MASTER_VECTOR + 4);
	raise(rig, 3);
	expect(rig, MASTER_VECTOR + 3);
	out(rig, "master", COMMAND, SPECIFIC_EOI | 4);
	assert_int_equal(isr(rig, "master"), 0x08);
}

static void automatic_eoi_leaves_nothing_in_service(void **state)
{
	struct rig *rig = *state;

	initialize(rig, "master", IC4, MODE_8086 | AEOI);
	raise(rig, 4);
	expect(rig, MASTER_VECTOR + 4);
	assert_int_equal(isr(rig, "master"), 0);
	raise(rig, 6);
	expect(rig, MASTER_VECTOR + 6);
}

static void no_operation_is_none(void **state)
{
	struct rig *rig = *state;

	raise(rig, 4);
	expect(rig, MASTER_VECTOR + 4);
	out(rig, "master", COMMAND, NOTHING | 4);
	assert_int_equal(isr(rig, "master"), 0x10);
}

/* Priority rotation. */

static void rotation_on_eoi_puts_the_served_level_last(void **state)
{
	struct rig *rig = *state;

	raise(rig, 4);
	raise(rig, 6);
	expect(rig, MASTER_VECTOR + 4);
	out(rig, "master", COMMAND, ROTATE_EOI);
	expect(rig, MASTER_VECTOR + 6);
	out(rig, "master", COMMAND, EOI);
	lower(rig, 4);
	raise(rig, 4);
	raise(rig, 5);
	expect(rig, MASTER_VECTOR + 5);
}

static void rotation_on_specific_eoi_names_the_lowest(void **state)
{
	struct rig *rig = *state;

	raise(rig, 3);
	expect(rig, MASTER_VECTOR + 3);
	out(rig, "master", COMMAND, ROTATE_SPECIFIC | 3);
	assert_int_equal(isr(rig, "master"), 0);
	raise(rig, 0);
	raise(rig, 4);
	expect(rig, MASTER_VECTOR + 4);
}

static void set_priority_names_the_lowest(void **state)
{
	struct rig *rig = *state;

	out(rig, "master", COMMAND, SET_PRIORITY | 5);
	raise(rig, 0);
	raise(rig, 6);
	expect(rig, MASTER_VECTOR + 6);
	assert_false(rig_intr(rig));
	out(rig, "master", COMMAND, EOI);
	expect(rig, MASTER_VECTOR + 0);
}

static void rotation_in_automatic_eoi_is_switched(void **state)
{
	struct rig *rig = *state;

	initialize(rig, "master", IC4, MODE_8086 | AEOI);
	out(rig, "master", COMMAND, ROTATE);
	raise(rig, 1);
	expect(rig, MASTER_VECTOR + 1);
	lower(rig, 1);
	raise(rig, 1);
	raise(rig, 4);
	expect(rig, MASTER_VECTOR + 4);
	out(rig, "master", COMMAND, NOT_ROTATE);
	expect(rig, MASTER_VECTOR + 1);
	lower(rig, 4);
	raise(rig, 4);
	raise(rig, 6);
	expect(rig, MASTER_VECTOR + 6);
}

static void eoi_with_nothing_in_service_does_not_rotate(void **state)
{
	struct rig *rig = *state;

	out(rig, "master", COMMAND, ROTATE_EOI);
	raise(rig, 0);
	raise(rig, 7);
	expect(rig, MASTER_VECTOR + 0);
}

/* Special mask mode. */

static void masked_level_in_service_holds_nobody_back_in_special_mask_mode(void **state)
{
	struct rig *rig = *state;

	raise(rig, 3);
	expect(rig, MASTER_VECTOR + 3);
	raise(rig, 6);
	out(rig, "master", DATA, 0x08);
	assert_false(rig_intr(rig));
	out(rig, "master", COMMAND, SMM_ON);
	expect(rig, MASTER_VECTOR + 6);
	out(rig, "master", COMMAND, SPECIFIC_EOI | 6);
	raise(rig, 7);
	assert_true(rig_intr(rig));
	out(rig, "master", COMMAND, SMM_OFF);
	assert_false(rig_intr(rig));
}

static void non_specific_eoi_spares_masked_levels_in_special_mask_mode(void **state)
{
	struct rig *rig = *state;

	raise(rig, 3);
	expect(rig, MASTER_VECTOR + 3);
	out(rig, "master", COMMAND, SMM_ON);
	out(rig, "master", DATA, 0x08);
	raise(rig, 6);
	expect(rig, MASTER_VECTOR + 6);
	out(rig, "master", COMMAND, EOI);
	assert_int_equal(isr(rig, "master"), 0x08);
	out(rig, "master", COMMAND, EOI);
	assert_int_equal(isr(rig, "master"), 0x08);
	out(rig, "master", COMMAND, SPECIFIC_EOI | 3);
	assert_int_equal(isr(rig, "master"), 0);
}

/* Poll command and status reads. */

static void poll_acknowledges_with_the_next_read_of_either_address(void **state)
{
	struct rig *rig = *state;

	for (unsigned offset = COMMAND; offset <= DATA; offset++) {
		out(rig, "master", COMMAND, POLL);
		assert_int_equal(in(rig, "master", offset), 0);
		assert_int_equal(in(rig, "master", DATA), 0);
		raise(rig, 5);
		out(rig, "master", COMMAND, POLL);
		assert_int_equal(in(rig, "master", offset), 0x85);
		assert_int_equal(isr(rig, "master"), 0x20);
		assert_false(rig_intr(rig));
		out(rig, "master", COMMAND, EOI);
		lower(rig, 5);
	}
}

static void poll_of_both_chips_serves_the_slave(void **state)
{
	struct rig *rig = *state;

	raise(rig, 14);
	out(rig, "master", COMMAND, POLL);
	assert_int_equal(in(rig, "master", COMMAND), 0x82);
	out(rig, "slave", COMMAND, POLL);
	assert_int_equal(in(rig, "slave", COMMAND), 0x86);
	assert_int_equal(isr(rig, "master"), 0x04);
	assert_int_equal(isr(rig, "slave"), 0x40);
	assert_false(rig_intr(rig));
}

static void status_register_stays_selected(void **state)
{
	struct rig *rig = *state;

	raise(rig, 5);
	out(rig, "master", COMMAND, READ_ISR);
	assert_int_equal(in(rig, "master", COMMAND), 0);
	rig_acknowledge(rig);
	assert_int_equal(in(rig, "master", COMMAND), 0x20);
	out(rig, "master", COMMAND, SMM_ON);
	out(rig, "master", COMMAND, EOI);
	assert_int_equal(in(rig, "master", COMMAND), 0);
	raise(rig, 6);
	out(rig, "master", COMMAND, READ_IRR);
	assert_int_equal(in(rig, "master", COMMAND), 0x40);
}

/* Cascade mode. */

static void slaves_interrupt_has_the_slaves_vector(void **state)
{
	struct rig *rig = *state;

	raise(rig, 12);
	assert_int_equal(irr(rig, "master"), 0x04);
	expect(rig, SLAVE_VECTOR + 4);
	assert_int_equal(isr(rig, "master"), 0x04);
	assert_int_equal(isr(rig, "slave"), 0x10);
	raise(rig, 3);
	assert_false(rig_intr(rig));
	out(rig, "slave", COMMAND, EOI);
	out(rig, "master", COMMAND, EOI);
	expect(rig, MASTER_VECTOR + 3);
}

static void slaves_next_interrupt_follows_the_two_eois(void **state)
{
	struct rig *rig = *state;

	raise(rig, 12);
	raise(rig, 13);
	expect(rig, SLAVE_VECTOR + 4);
	assert_int_equal(irr(rig, "master"), 0);
	out(rig, "slave", COMMAND, EOI);
	assert_int_equal(irr(rig, "master"), 0x04);
	assert_false(rig_intr(rig));
	out(rig, "master", COMMAND, EOI);
	expect(rig, SLAVE_VECTOR + 5);
}

static void slave_with_automatic_eoi_loses_no_request(void **state)
{
	struct rig *rig = *state;

	initialize(rig, "slave", IC4, MODE_8086 | AEOI);
	raise(rig, 12);
	raise(rig, 13);
	expect(rig, SLAVE_VECTOR + 4);
	out(rig, "master", COMMAND, EOI);
	expect(rig, SLAVE_VECTOR + 5);
	out(rig, "master", COMMAND, EOI);
	assert_false(rig_intr(rig));
}

static void slaves_higher_request_waits_in_the_normal_nested_mode(void **state)
{
	struct rig *rig = *state;

	raise(rig, 12);
	expect(rig, SLAVE_VECTOR + 4);
	raise(rig, 8);
	assert_int_equal(irr(rig, "master"), 0x04);
	assert_false(rig_intr(rig));
}

static void slaves_higher_request_passes_in_special_fully_nested_mode(void **state)
{
	struct rig *rig = *state;

	initialize(rig, "master", IC4, MODE_8086 | SFNM);
	raise(rig, 12);
	expect(rig, SLAVE_VECTOR + 4);
	raise(rig, 3);
	assert_false(rig_intr(rig));
	raise(rig, 8);
	expect(rig, SLAVE_VECTOR + 0);
	assert_int_equal(isr(rig, "slave"), 0x11);
}

static void line_on_the_cascade_pin_goes_nowhere(void **state)
{
	struct rig *rig = *state;

	raise(rig, 2);
	assert_int_equal(irr(rig, "master"), 0);
	assert_false(rig_intr(rig));
}

/* The machine around it. */

static void reset_leaves_nothing(void **state)
{
	struct rig *rig = *state;

	out(rig, "elcr", 0, 0x20);
	raise(rig, 5);
	rig_acknowledge(rig);
	raise(rig, 6);
	rig_reset(rig);
	assert_false(rig_intr(rig));
	assert_int_equal(in(rig, "elcr", 0), 0);
	assert_int_equal(irr(rig, "master"), 0);
	assert_int_equal(isr(rig, "master"), 0);
}

/* The first words are ICWs; but Linux looks for the chip with the mask before it writes them. */
static void after_reset_nothing_is_passed_on_and_the_mask_is_there(void **state)
{
	struct rig *rig = *state;

	rig_reset(rig);
	raise(rig, 0);
	assert_false(rig_intr(rig));
	out(rig, "master", DATA, 0xfb);
	assert_int_equal(in(rig, "master", DATA), 0xfb);
}

static void saved_request_is_still_one(void **state)
{
	struct rig *rig = *state, *other = rig_create(&i8259_type, NULL);
	const uint8_t *bytes;
	size_t count;

	raise(rig, 9);
	bytes = rig_save(rig, &count);
	assert_true(rig_load(other, bytes, count));
	expect(other, SLAVE_VECTOR + 1);
	rig_destroy(other);
}

/* KVM's chips latch an edge whose pin is low again, and pulse the cascade. */
static void saved_request_of_a_pin_that_fell_is_kept(void **state)
{
	struct rig *rig = *state;
	uint64_t four = 4, two = 2, none = 0;

	rig_stop(rig);
	assert_true(mw_machine_row(rig_machine(rig), 0, "chip.irr", 0, &four, true));
	assert_true(mw_machine_row(rig_machine(rig), 0, "chip.irr", 1, &two, true));
	assert_true(mw_machine_row(rig_machine(rig), 0, "chip.last_irr", 0, &none, true));
	size_t count;
	const uint8_t *bytes = rig_save(rig, &count);

	assert_true(rig_load(rig, bytes, count));
	rig_start(rig);
	expect(rig, SLAVE_VECTOR + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(icw1_clears_mask_and_service_and_selects_the_irr),
		TEST(icw1_resets_the_edge_sense_circuit),
		TEST(icw1_gives_ir7_the_lowest_priority),
		TEST(icw1_leaves_special_mask_mode),
		TEST(icw2_holds_the_upper_five_bits_of_the_vector),
		TEST(no_request_is_passed_on_before_initialization_ends),
		TEST(single_chip_has_no_icw3),
		TEST(single_chip_answers_for_its_own_ir2),
		TEST(without_icw4_its_functions_are_off),
		TEST(buffered_mode_changes_nothing_on_a_pc),
		TEST(strange_words_are_told_of),
		TEST(edge_is_requested_then_served_then_ended),
		TEST(high_input_makes_no_second_edge),
		TEST(request_that_goes_away_is_none),
		TEST(acknowledge_without_a_request_gets_level_7),
		TEST(polled_slave_takes_its_request_from_the_master),
		TEST(masked_request_waits_in_the_irr),
		TEST(ltim_makes_every_input_a_level),
		TEST(ltim_takes_inputs_that_are_high_at_icw1),
		TEST(elcr_makes_single_inputs_levels),
		TEST(elcr_keeps_the_edges_of_the_board),
		TEST(levels_that_firmware_sets_are_in_the_elcr),
		TEST(elcr_survives_initialization),
		TEST(level_that_elcr_finds_high_is_a_request),
		TEST(higher_priority_interrupts_lower_waits),
		TEST(specific_eoi_ends_its_level),
		TEST(automatic_eoi_leaves_nothing_in_service),
		TEST(no_operation_is_none),
		TEST(rotation_on_eoi_puts_the_served_level_last),
		TEST(rotation_on_specific_eoi_names_the_lowest),
		TEST(set_priority_names_the_lowest),
		TEST(rotation_in_automatic_eoi_is_switched),
		TEST(eoi_with_nothing_in_service_does_not_rotate),
		TEST(masked_level_in_service_holds_nobody_back_in_special_mask_mode),
		TEST(non_specific_eoi_spares_masked_levels_in_special_mask_mode),
		TEST(poll_acknowledges_with_the_next_read_of_either_address),
		TEST(poll_of_both_chips_serves_the_slave),
		TEST(status_register_stays_selected),
		TEST(slaves_interrupt_has_the_slaves_vector),
		TEST(slaves_next_interrupt_follows_the_two_eois),
		TEST(slave_with_automatic_eoi_loses_no_request),
		TEST(slaves_higher_request_waits_in_the_normal_nested_mode),
		TEST(slaves_higher_request_passes_in_special_fully_nested_mode),
		TEST(line_on_the_cascade_pin_goes_nowhere),
		TEST(reset_leaves_nothing),
		TEST(after_reset_nothing_is_passed_on_and_the_mask_is_there),
		TEST(saved_request_is_still_one),
		TEST(saved_request_of_a_pin_that_fell_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
