/* The software CPU's local APICs: registers, priorities, errors, pins, as SDM vol. 3, chapter 11
 * describes them. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accel/apic/lapic_internal.h"
#include "lapic_bench.h"

/* 11.4.7: states of the registers. */

static void power_up_state_is_that_of_11_4_7_1(void **state)
{
	mw_lapic_reset(&cpu[3]);
	assert_int_equal(get(3, ID), 3u << 24);
	assert_int_equal(get(3, VERSION), 0x50014);
	assert_int_equal(get(3, LDR), 0);
	assert_int_equal(get(3, DFR), 0xffffffff);
	assert_int_equal(get(3, SVR), 0xff);
	for (uint32_t lvt = LVT_TIMER; lvt <= LVT_ERROR; lvt += 16)
		assert_int_equal(get(3, lvt), MASKED);
	for (uint32_t offset = ISR; offset <= ICR_HIGH; offset += 16)
		if (offset <= ESR || offset >= ICR_LOW)
			assert_int_equal(get(3, offset), 0);
	assert_int_equal(get(3, TPR) | get(3, APR) | get(3, PPR) | get(3, REMOTE_READ), 0);
	assert_int_equal(get(3, INITIAL) | get(3, CURRENT) | get(3, DIVIDE), 0);
	assert_int_equal(mw_lapic_pending(&cpu[3]), -1);
	assert_true(mw_lapic_deadline(&cpu[3]) == NEVER);
	assert_int_equal(errors(3), 0);
}

static void init_signal_keeps_the_id_and_forgets_the_rest(void **state)
{
	msi(2, 0, 0x40);
	put(2, LDR, 0xff000000);
	put(2, INITIAL, 1000);
	ipi(2, 0, 0x01);
	mw_lapic_init_signal(&cpu[2]);
	assert_int_equal(errors(2), 0);
	assert_int_equal(get(2, ID), 2u << 24);
	assert_int_equal(get(2, SVR), 0xff);
	assert_int_equal(get(2, LDR), 0);
	assert_int_equal(mw_lapic_pending(&cpu[2]), -1);
	assert_true(mw_lapic_deadline(&cpu[2]) == NEVER);
}

static void only_the_writable_bits_change(void **state)
{
	static const struct {
		uint32_t offset, bits;
	} rows[] = {
		{ ID, 0 },
		{ VERSION, 0 },
		{ TPR, 0xff },
		{ LDR, 0xff000000 },
		{ DFR, 0xffffffff },
		{ SVR, 0x3ff },
		{ ISR, 0 },
		{ TMR, 0 },
		{ IRR, 0 },
		{ ICR_HIGH, 0xff000000 },
		{ LVT_TIMER, 0x700ff },
		{ LVT_THERMAL, 0x107ff },
		{ LVT_PERFORMANCE, 0x107ff },
		{ LVT_LINT0, 0x1a7ff },
		{ LVT_LINT1, 0x1a7ff },
		{ LVT_ERROR, 0x100ff },
		{ CURRENT, 0 },
		{ DIVIDE, 0xb },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t old = get(0, rows[i].offset);

		put(0, rows[i].offset, 0xffffffff);
		assert_int_equal(get(0, rows[i].offset), old | rows[i].bits);
	}
	put(0, DFR, 0);
	assert_int_equal(get(0, DFR), 0x0fffffff);
	put(0, ICR_LOW, 0xffffffff);
	assert_int_equal(get(0, ICR_LOW), 0xccfff);
}

static void software_disable_masks_the_lvt_for_as_long_as_it_lasts(void **state)
{
	for (uint32_t lvt = LVT_TIMER; lvt <= LVT_ERROR; lvt += 16)
		put(0, lvt, 0x40);
	put(0, SVR, 0xff);
	for (uint32_t lvt = LVT_TIMER; lvt <= LVT_ERROR; lvt += 16) {
		assert_int_equal(get(0, lvt), MASKED | 0x40);
		put(0, lvt, 0x50);
		assert_int_equal(get(0, lvt), MASKED | 0x50);
	}
	put(0, SVR, 0x1ff);
	assert_int_equal(get(0, LVT_TIMER), MASKED | 0x50);
	put(0, LVT_TIMER, 0x50);
	assert_int_equal(get(0, LVT_TIMER), 0x50);
}

static void software_disabled_hears_only_init_nmi_smi_and_start_up(void **state)
{
	put(1, SVR, 0xff);
	msi(1, 0, 0x40);
	msi(1, 0, LOWEST | 0x41);
	msi(1, 0, EXT_INT);
	ipi(0, 1, 0x42);
	ipi(0, 1, 0x02);
	assert_int_equal(get(1, IRR + 0x20), 0);
	assert_int_equal(seen[1].ext_int, 0);
	assert_int_equal(errors(1), 0);
	msi(1, 0, NMI);
	msi(1, 0, SMI);
	msi(1, 0, SIPI | 0x9a);
	msi(1, 0, INIT);
	assert_int_equal(seen[1].nmi, 1);
	assert_int_equal(seen[1].smi, 1);
	assert_int_equal(seen[1].start_up, 1);
	assert_int_equal(seen[1].init, 1);
}

static void software_disable_keeps_what_was_accepted(void **state)
{
	msi(0, 0, 0x40);
	put(0, SVR, 0xff);
	assert_int_equal(mw_lapic_pending(&cpu[0]), 0x40);
	assert_int_equal(mw_lapic_acknowledge(&cpu[0]), 0x40);
}

static void global_disable_resets_and_leaves_the_bus(void **state)
{
	msi(1, 0, 0x40);
	put(1, INITIAL, 1000);
	seen[1].changed = 0;
	mw_lapic_set_base(&cpu[1], 0xfee00000);
	assert_int_equal(seen[1].changed, 1);
	assert_int_equal(mw_lapic_pending(&cpu[1]), -1);
	assert_true(mw_lapic_deadline(&cpu[1]) == NEVER);
	assert_int_equal(get(1, ID), 0xffffffff);
	put(1, SVR, 0x1ff);
	msi(1, 0, 0x40);
	msi(1, 0, NMI);
	msi(1, 0, INIT);
	assert_int_equal(seen[1].nmi + seen[1].init, 0);
	mw_lapic_set_base(&cpu[1], 0xfee00800);
	assert_int_equal(get(1, SVR), 0xff);
	assert_int_equal(get(1, ID), 1u << 24);
	assert_int_equal(mw_lapic_pending(&cpu[1]), -1);
}

static void base_written_unchanged_resets_nothing(void **state)
{
	mw_lapic_set_base(&cpu[0], 0xfee00900);
	assert_int_equal(get(0, SVR), 0x1ff);
}

/* 11.8: priorities, acceptance, end. */

static void an_interrupt_goes_from_irr_to_isr_to_its_end(void **state)
{
	msi(0, 0, 0x45);
	assert_int_equal(get(0, IRR + 0x20), 1u << 5);
	assert_int_equal(seen[0].changed, 1);
	assert_int_equal(mw_lapic_pending(&cpu[0]), 0x45);
	assert_int_equal(mw_lapic_acknowledge(&cpu[0]), 0x45);
	assert_int_equal(get(0, IRR + 0x20), 0);
	assert_int_equal(get(0, ISR + 0x20), 1u << 5);
	assert_int_equal(get(0, PPR), 0x40);
	put(0, EOI, 0);
	assert_int_equal(get(0, ISR + 0x20), 0);
	assert_int_equal(get(0, PPR), 0);
	assert_int_equal(seen[0].ended, 0);
}

static void the_highest_vector_is_first(void **state)
{
	for (uint32_t vector = 16; vector < 256; vector++)
		msi(0, 0, vector);
	for (int vector = 255; vector >= 16; vector--) {
		assert_int_equal(mw_lapic_acknowledge(&cpu[0]), vector);
		assert_int_equal(get(0, PPR), vector & 0xf0);
		put(0, EOI, 0);
	}
	assert_int_equal(mw_lapic_pending(&cpu[0]), -1);
}

static void a_higher_class_interrupts_a_service_its_own_class_does_not(void **state)
{
	msi(0, 0, 0x41);
	mw_lapic_acknowledge(&cpu[0]);
	msi(0, 0, 0x4f);
	assert_int_equal(mw_lapic_pending(&cpu[0]), -1);
	msi(0, 0, 0x50);
	assert_int_equal(mw_lapic_acknowledge(&cpu[0]), 0x50);
	put(0, EOI, 0);
	assert_int_equal(get(0, PPR), 0x40);
	assert_int_equal(mw_lapic_pending(&cpu[0]), -1);
	put(0, EOI, 0);
	assert_int_equal(mw_lapic_pending(&cpu[0]), 0x4f);
}

static void a_vector_is_held_once_besides_its_service(void **state)
{
	msi(0, 0, 0x41);
	msi(0, 0, 0x41);
	mw_lapic_acknowledge(&cpu[0]);
	assert_int_equal(get(0, IRR + 0x20), 0);
	msi(0, 0, 0x41);
	put(0, EOI, 0);
	assert_int_equal(mw_lapic_acknowledge(&cpu[0]), 0x41);
	put(0, EOI, 0);
	assert_int_equal(mw_lapic_pending(&cpu[0]), -1);
}

static void task_priority_holds_its_class_back(void **state)
{
	mw_lapic_set_tpr(&cpu[0], 0x50);
	msi(0, 0, 0x5f);
	assert_int_equal(mw_lapic_pending(&cpu[0]), -1);
	assert_int_equal(seen[0].changed, 0);
	put(0, TPR, 0x4f);
	assert_int_equal(mw_lapic_tpr(&cpu[0]), 0x4f);
	assert_int_equal(mw_lapic_pending(&cpu[0]), 0x5f);
	assert_int_equal(seen[0].changed, 1);
}

static void processor_priority_is_the_higher_of_task_and_service(void **state)
{
	put(0, TPR, 0x23);
	assert_int_equal(get(0, PPR), 0x23);
	msi(0, 0, 0x45);
	mw_lapic_acknowledge(&cpu[0]);
	assert_int_equal(get(0, PPR), 0x40);
	put(0, TPR, 0x47);
	assert_int_equal(get(0, PPR), 0x47);
	put(0, TPR, 0x51);
	assert_int_equal(get(0, PPR), 0x51);
}

static void arbitration_priority_sees_requests_too(void **state)
{
	put(0, TPR, 0x23);
	assert_int_equal(get(0, APR), 0x23);
	msi(0, 0, 0x45);
	assert_int_equal(get(0, APR), 0x40);
	mw_lapic_acknowledge(&cpu[0]);
	msi(0, 0, 0x31);
	assert_int_equal(get(0, APR), 0x40);
	put(0, TPR, 0x66);
	assert_int_equal(get(0, APR), 0x66);
}

static void task_priority_raised_before_inta_gives_the_spurious_vector(void **state)
{
	put(0, SVR, 0x1ef);
	msi(0, 0, 0x45);
	put(0, TPR, 0x80);
	assert_int_equal(mw_lapic_acknowledge(&cpu[0]), 0xef);
	for (uint32_t offset = ISR; offset < TMR; offset += 16)
		assert_int_equal(get(0, offset), 0);
	put(0, TPR, 0);
	assert_int_equal(mw_lapic_acknowledge(&cpu[0]), 0x45);
}

static void an_end_without_service_is_nothing(void **state)
{
	put(0, EOI, 0);
	msi(0, 0, 0x45);
	put(0, EOI, 0);
	assert_int_equal(mw_lapic_pending(&cpu[0]), 0x45);
}

static void the_end_of_a_level_is_broadcast(void **state)
{
	msi(0, 0, LEVEL | ASSERT | 0x61);
	msi(0, 0, 0x51);
	assert_int_equal(get(0, TMR + 0x30), 1u << 1);
	mw_lapic_acknowledge(&cpu[0]);
	put(0, EOI, 0);
	assert_int_equal(seen[0].ended, 1);
	assert_int_equal(seen[0].ended_vector, 0x61);
	mw_lapic_acknowledge(&cpu[0]);
	put(0, EOI, 0);
	assert_int_equal(seen[0].ended, 1);
	msi(0, 0, 0x61);
	assert_int_equal(get(0, TMR + 0x30), 0);
}

static void a_level_still_there_comes_again_at_its_end(void **state)
{
	sent_again = LEVEL | ASSERT | 0x61;
	msi(0, 0, sent_again);
	mw_lapic_acknowledge(&cpu[0]);
	put(0, EOI, 0);
	assert_int_equal(mw_lapic_pending(&cpu[0]), 0x61);
	assert_int_equal(mw_lapic_acknowledge(&cpu[0]), 0x61);
}

/* 11.5.3: errors. */

static void an_illegal_vector_sent_is_an_error_of_the_sender(void **state)
{
	ipi(0, 1, 0x0f);
	assert_int_equal(get(0, ESR), 0);
	put(0, ESR, 0xffffffff);
	assert_int_equal(get(0, ESR), 0x20);
	assert_int_equal(errors(0), 0);
	assert_int_equal(errors(1), 0);
	ipi(0, 1, LOWEST);
	assert_int_equal(errors(0), 0x20);
	ipi(0, 1, TO_SELF | 0x05);
	assert_int_equal(errors(0), 0x60);
	expect_pending(-1, -1, -1, -1);
}

static void an_illegal_vector_received_is_an_error_of_the_receiver(void **state)
{
	msi(1, 0, 0x0f);
	assert_int_equal(errors(1), 0x40);
	msi(1, 0, LOWEST | 0x0f);
	assert_int_equal(errors(1), 0x40);
	assert_int_equal(get(1, IRR), 0);
}

static void an_illegal_vector_in_the_lvt_is_an_error_when_it_comes(void **state)
{
	put(0, LVT_LINT1, 0x03);
	mw_lapic_lint(&cpu[0], 1, true);
	assert_int_equal(errors(0), 0x40);
	put(0, LVT_LINT0, LEVEL | 0x03);
	mw_lapic_lint(&cpu[0], 0, true);
	assert_int_equal(errors(0), 0x40);
	assert_int_equal(get(0, LVT_LINT0), LEVEL | 0x03);
}

static void the_error_interrupt_comes_once_until_the_status_is_written(void **state)
{
	put(0, LVT_ERROR, 0xfe);
	ipi(0, 1, 0x01);
	assert_int_equal(mw_lapic_acknowledge(&cpu[0]), 0xfe);
	put(0, EOI, 0);
	ipi(0, 1, 0x01);
	assert_int_equal(mw_lapic_pending(&cpu[0]), -1);
	assert_int_equal(errors(0), 0x20);
	ipi(0, 1, 0x01);
	assert_int_equal(mw_lapic_pending(&cpu[0]), 0xfe);
}

static void an_error_interrupt_with_an_illegal_vector_ends_there(void **state)
{
	put(0, LVT_ERROR, 0x02);
	ipi(0, 1, 0x01);
	assert_int_equal(errors(0), 0x60);
}

static void reserved_registers_read_zero_and_are_errors(void **state)
{
	static const uint32_t reserved[] = { 0x000, 0x010, 0x040, 0x070, 0x290, 0x2e0, CMCI,
					     0x3a0, 0x3d0, 0x3f0, 0x400, 0x800, 0xff0 };

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		assert_int_equal(get(0, reserved[i]), 0);
		assert_int_equal(errors(0), 0x80);
		put(0, reserved[i], 0xffffffff);
		assert_int_equal(errors(0), 0x80);
		assert_int_equal(get(0, reserved[i]), 0);
		assert_int_equal(errors(0), 0x80);
	}
	assert_int_equal(get(0, APR) | get(0, REMOTE_READ) | get(0, EOI), 0);
	assert_int_equal(get(0, ID + 4) | get(0, SVR + 1), 0);
	put(0, SVR + 4, 0);
	assert_int_equal(get(0, SVR), 0x1ff);
	assert_int_equal(errors(0), 0);
}

/* 11.5.1: pins. */

static void lint0_passes_intr_while_its_entry_says_ext_int(void **state)
{
	mw_lapic_lint(&cpu[0], 0, true);
	assert_false(mw_lapic_passes_intr(&cpu[0]));
	assert_int_equal(seen[0].ext_int, 0);
	put(0, LVT_LINT0, EXT_INT);
	assert_true(mw_lapic_passes_intr(&cpu[0]));
	assert_int_equal(seen[0].ext_int, 1);
	mw_lapic_lint(&cpu[0], 0, false);
	assert_false(mw_lapic_passes_intr(&cpu[0]));
	mw_lapic_lint(&cpu[0], 0, true);
	assert_int_equal(seen[0].ext_int, 2);
	put(0, LVT_LINT0, EXT_INT | MASKED);
	assert_false(mw_lapic_passes_intr(&cpu[0]));
}

static void lint1_is_nmi_at_its_rising_edge(void **state)
{
	mw_lapic_lint(&cpu[0], 1, true);
	put(0, LVT_LINT1, NMI);
	assert_int_equal(seen[0].nmi, 0);
	mw_lapic_lint(&cpu[0], 1, false);
	mw_lapic_lint(&cpu[0], 1, true);
	mw_lapic_lint(&cpu[0], 1, true);
	assert_int_equal(seen[0].nmi, 1);
}

static void pins_can_be_smi_init_and_fixed(void **state)
{
	put(0, LVT_LINT0, SMI);
	mw_lapic_lint(&cpu[0], 0, true);
	assert_int_equal(seen[0].smi, 1);
	put(0, LVT_LINT1, 0x44);
	mw_lapic_lint(&cpu[0], 1, true);
	assert_int_equal(mw_lapic_acknowledge(&cpu[0]), 0x44);
	assert_int_equal(get(0, TMR + 0x20), 0);
	mw_lapic_lint(&cpu[0], 1, false);
	put(0, LVT_LINT1, INIT);
	mw_lapic_lint(&cpu[0], 1, true);
	assert_int_equal(seen[0].init, 1);
}

static void a_fixed_level_at_lint0_comes_again_until_it_falls(void **state)
{
	mw_lapic_lint(&cpu[0], 0, true);
	put(0, LVT_LINT0, LEVEL | 0x52);
	assert_int_equal(get(0, LVT_LINT0), LEVEL | 0x4000 | 0x52);
	assert_int_equal(mw_lapic_acknowledge(&cpu[0]), 0x52);
	mw_lapic_lint(&cpu[0], 0, false);
	mw_lapic_lint(&cpu[0], 0, true);
	assert_int_equal(get(0, IRR + 0x20), 0);
	put(0, EOI, 0);
	assert_int_equal(mw_lapic_acknowledge(&cpu[0]), 0x52);
	mw_lapic_lint(&cpu[0], 0, false);
	put(0, EOI, 0);
	assert_int_equal(mw_lapic_pending(&cpu[0]), -1);
	assert_int_equal(get(0, LVT_LINT0), LEVEL | 0x52);
}

static void globally_disabled_the_pins_are_intr_and_nmi(void **state)
{
	mw_lapic_lint(&cpu[0], 0, true);
	mw_lapic_set_base(&cpu[0], 0);
	assert_true(mw_lapic_passes_intr(&cpu[0]));
	assert_int_equal(seen[0].ext_int, 1);
	mw_lapic_lint(&cpu[0], 1, true);
	assert_int_equal(seen[0].nmi, 1);
	mw_lapic_set_base(&cpu[0], 0x800);
	assert_false(mw_lapic_passes_intr(&cpu[0]));
}

/* The owner is told of what it has to look at, and of no more. */

static void changed_is_for_what_can_be_delivered(void **state)
{
	msi(0, 0, 0x45);
	msi(0, 0, 0x45);
	msi(0, 0, 0x44);
	assert_int_equal(seen[0].changed, 1);
	msi(0, 0, 0x46);
	assert_int_equal(seen[0].changed, 2);
	mw_lapic_acknowledge(&cpu[0]);
	put(0, EOI, 0);
	assert_int_equal(seen[0].changed, 3);
	assert_int_equal(seen[1].changed, 0);
}

/* State. */

static struct mw_lapic_state state_of(unsigned i, uint64_t now_ns)
{
	struct mw_lapic_state state;

	mw_lapic_get_state(&cpu[i], &state, now_ns);
	assert_true(state.valid);
	return state;
}

static void move(unsigned i, uint64_t from_ns, uint64_t to_ns)
{
	struct mw_lapic_state state = state_of(i, from_ns);

	mw_lapic_reset(&cpu[i]);
	mw_lapic_set_state(&cpu[i], &state, to_ns);
}

static void state_has_what_the_page_shows(void **state)
{
	struct mw_lapic_state found;

	put(0, DIVIDE, 0xb);
	put(0, LVT_TIMER, 0x40);
	put(0, INITIAL, 1000);
	msi(0, 0, 0x45);
	mw_lapic_acknowledge(&cpu[0]);
	msi(0, 0, LEVEL | ASSERT | 0x66);
	found = state_of(0, 0);
	for (unsigned offset = ID; offset <= DIVIDE; offset += 16)
		if (offset < 0x290 || (offset >= ICR_LOW && offset < 0x3a0) || offset == DIVIDE)
			assert_int_equal(found.registers[offset / 16], get(0, offset));
	assert_int_equal(state_of(0, 400).registers[CURRENT / 16], 600);
}

static void state_moves_to_another_time(void **state)
{
	put(0, TPR, 0x21);
	put(0, LVT_LINT0, LEVEL | 0x52);
	mw_lapic_lint(&cpu[0], 0, true);
	mw_lapic_acknowledge(&cpu[0]);
	msi(0, 0, 0x66);
	put(0, DIVIDE, 0xb);
	put(0, LVT_TIMER, 0x20070);
	put(0, INITIAL, 1000000);
	move(0, 400000, 7000000);
	assert_int_equal(get(0, TPR), 0x21);
	assert_int_equal(get(0, PPR), 0x50);
	assert_int_equal(get(0, LVT_LINT0), LEVEL | 0x4000 | 0x52);
	assert_int_equal(mw_lapic_pending(&cpu[0]), 0x66);
	assert_int_equal(mw_lapic_deadline(&cpu[0]), 7600000);
	mw_lapic_advance(&cpu[0], 7600000);
	assert_int_equal(mw_lapic_deadline(&cpu[0]), 8600000);
	assert_int_equal(mw_lapic_acknowledge(&cpu[0]), 0x70);
}

static void state_that_moved_twice_is_the_same(void **state)
{
	struct mw_lapic_state before, after;

	put(0, 0x400, 0);
	put(0, DIVIDE, 0xb);
	put(0, LVT_TIMER, 0x70);
	put(0, INITIAL, 5000);
	put(0, LDR, 0x02000000);
	msi(0, 0, 0x66);
	before = state_of(0, 1000);
	assert_int_equal(before.new_errors, 0x80);
	move(0, 1000, 3000);
	after = state_of(0, 3000);
	assert_memory_equal(&after, &before, sizeof(before));
}

static void count_that_has_ended_stays_so(void **state)
{
	put(0, DIVIDE, 0xb);
	put(0, LVT_TIMER, 0x70);
	put(0, INITIAL, 5000);
	mw_lapic_advance(&cpu[0], 5000);
	move(0, 6000, 9000);
	assert_int_equal(mw_lapic_deadline(&cpu[0]), NEVER);
	assert_int_equal(mw_lapic_acknowledge(&cpu[0]), 0x70);
}

static void intr_that_is_high_passes_through_a_loaded_entry(void **state)
{
	struct mw_lapic_state wire = state_of(0, 0);

	mw_lapic_lint(&cpu[0], 0, true);
	wire.registers[LVT_LINT0 / 16] = EXT_INT;
	mw_lapic_set_state(&cpu[0], &wire, 0);
	assert_true(mw_lapic_passes_intr(&cpu[0]));
	assert_int_equal(seen[0].ext_int, 1);
}

static void state_of_software_disabled_masks_every_entry(void **state)
{
	struct mw_lapic_state disabled = state_of(0, 0);

	disabled.registers[SVR / 16] = 0xff;
	disabled.registers[LVT_LINT0 / 16] = EXT_INT;
	mw_lapic_set_state(&cpu[0], &disabled, 0);
	assert_int_equal(get(0, LVT_LINT0), EXT_INT | MASKED);
}

static void globally_disabled_takes_no_state(void **state)
{
	struct mw_lapic_state old;

	msi(0, 0, 0x66);
	old = state_of(0, 0);
	mw_lapic_set_base(&cpu[0], 0);
	mw_lapic_set_state(&cpu[0], &old, 0);
	assert_int_equal(mw_lapic_pending(&cpu[0]), -1);
}

/* What no guest can write is not taken either. */
static void hostile_state_is_put_right(void **state)
{
	struct mw_lapic_state hostile;

	memset(&hostile, 0xff, sizeof(hostile));
	mw_lapic_set_state(&cpu[1], &hostile, 0);
	assert_int_equal(get(1, ID), 1 << 24);
	assert_int_equal(get(1, VERSION), 0x50014);
	assert_int_equal(get(1, SVR), 0x3ff);
	assert_int_equal(get(1, ISR), 0xffff0000);
	assert_int_equal(get(1, IRR), 0xffff0000);
	assert_int_equal(get(1, ICR_LOW), 0xccfff);
	assert_int_equal(get(1, LVT_TIMER), 0x700ff);
	assert_int_equal(get(1, REMOTE_READ), 0);
	assert_int_equal(mw_lapic_deadline(&cpu[1]), NEVER);
}

/* Whatever a guest writes, wherever: the sanitizers watch, and what is pending is what the
 * registers say. */
static void any_accesses_leave_it_consistent(void **state)
{
	uint64_t random = 0x9e3779b97f4a7c15, now = 0;

	for (unsigned i = 0; i < 200000; i++) {
		uint32_t target = random >> 60 & 3, offset = random >> 20 & 0x3f0;
		uint32_t value = (uint32_t)(random >> 32);
		struct mw_lapic copy;

		random = random * 6364136223846793005 + 1442695040888963407;
		now += random >> 50;
		mw_lapic_write(&cpu[target], offset, value, now);
		mw_lapic_read(&cpu[target], value & 0xfff, now);
		mw_lapic_message(&bus, 0xfee00000 | (value & 0xfffff), (uint32_t)random);
		mw_lapic_set_tsc_deadline(&cpu[target], random, now);
		mw_lapic_lint(&cpu[target], value & 1, random >> 40 & 1);
		mw_lapic_advance(&cpu[target], now);
		if (random >> 41 & 1)
			mw_lapic_acknowledge(&cpu[target]);
		copy = cpu[target];
		mw_lapic_refresh(&copy);
		assert_int_equal(copy.pending, cpu[target].pending);
		assert_int_equal(copy.highest_isr, cpu[target].highest_isr);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, power_up, power_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(power_up_state_is_that_of_11_4_7_1),
		TEST(init_signal_keeps_the_id_and_forgets_the_rest),
		TEST(only_the_writable_bits_change),
		TEST(software_disable_masks_the_lvt_for_as_long_as_it_lasts),
		TEST(software_disabled_hears_only_init_nmi_smi_and_start_up),
		TEST(software_disable_keeps_what_was_accepted),
		TEST(global_disable_resets_and_leaves_the_bus),
		TEST(base_written_unchanged_resets_nothing),
		TEST(an_interrupt_goes_from_irr_to_isr_to_its_end),
		TEST(the_highest_vector_is_first),
		TEST(a_higher_class_interrupts_a_service_its_own_class_does_not),
		TEST(a_vector_is_held_once_besides_its_service),
		TEST(task_priority_holds_its_class_back),
		TEST(processor_priority_is_the_higher_of_task_and_service),
		TEST(arbitration_priority_sees_requests_too),
		TEST(task_priority_raised_before_inta_gives_the_spurious_vector),
		TEST(an_end_without_service_is_nothing),
		TEST(the_end_of_a_level_is_broadcast),
		TEST(a_level_still_there_comes_again_at_its_end),
		TEST(an_illegal_vector_sent_is_an_error_of_the_sender),
		TEST(an_illegal_vector_received_is_an_error_of_the_receiver),
		TEST(an_illegal_vector_in_the_lvt_is_an_error_when_it_comes),
		TEST(the_error_interrupt_comes_once_until_the_status_is_written),
		TEST(an_error_interrupt_with_an_illegal_vector_ends_there),
		TEST(reserved_registers_read_zero_and_are_errors),
		TEST(lint0_passes_intr_while_its_entry_says_ext_int),
		TEST(lint1_is_nmi_at_its_rising_edge),
		TEST(pins_can_be_smi_init_and_fixed),
		TEST(a_fixed_level_at_lint0_comes_again_until_it_falls),
		TEST(globally_disabled_the_pins_are_intr_and_nmi),
		TEST(changed_is_for_what_can_be_delivered),
		TEST(state_has_what_the_page_shows),
		TEST(state_moves_to_another_time),
		TEST(state_that_moved_twice_is_the_same),
		TEST(count_that_has_ended_stays_so),
		TEST(intr_that_is_high_passes_through_a_loaded_entry),
		TEST(state_of_software_disabled_masks_every_entry),
		TEST(globally_disabled_takes_no_state),
		TEST(hostile_state_is_put_right),
		TEST(any_accesses_leave_it_consistent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
