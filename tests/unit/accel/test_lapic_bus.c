/* Messages between the software CPU's local APICs and from devices, as SDM vol. 3, 11.6 and 11.11
 * describe them. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lapic_bench.h"

static void physical_destination_is_the_apic_id(void **state)
{
	msi(2, 0, 0x40);
	expect_pending(-1, -1, 0x40, -1);
	drain();
	ipi(1, 3, 0x41);
	expect_pending(-1, -1, -1, 0x41);
	drain();
	ipi(1, 1, 0x42);
	expect_pending(-1, 0x42, -1, -1);
	drain();
	ipi(1, 4, 0x43);
	expect_pending(-1, -1, -1, -1);
}

static void destination_ff_is_everybody(void **state)
{
	msi(0xff, 0, 0x40);
	expect_pending(0x40, 0x40, 0x40, 0x40);
	drain();
	msi(0xff, MSI_LOGICAL, 0x41);
	expect_pending(0x41, 0x41, 0x41, 0x41);
	drain();
	ipi(0, 0xff, 0x42);
	expect_pending(0x42, 0x42, 0x42, 0x42);
}

static void an_id_beyond_eight_bits_is_no_alias(void **state)
{
	struct mw_lapic big;

	mw_lapic_init(&big, &bus, 0x102);
	mw_lapic_write(&big, SVR, 0x1ff, 0);
	msi(2, 0, 0x40);
	assert_int_equal(mw_lapic_pending(&big), -1);
	expect_pending(-1, -1, 0x40, -1);
}

static void logical_flat_is_a_bit_for_each(void **state)
{
	for (unsigned i = 0; i < CPUS; i++)
		put(i, LDR, 1u << (24 + i));
	msi(0x5, MSI_LOGICAL, 0x40);
	expect_pending(0x40, -1, 0x40, -1);
	drain();
	ipi(0, 0xa, LOGICAL | 0x41);
	expect_pending(-1, 0x41, -1, 0x41);
	drain();
	msi(0xf0, MSI_LOGICAL, 0x42);
	msi(0, MSI_LOGICAL, 0x42);
	expect_pending(-1, -1, -1, -1);
}

static void logical_cluster_is_a_number_and_four_bits(void **state)
{
	for (unsigned i = 0; i < CPUS; i++) {
		put(i, DFR, 0);
		put(i, LDR, (i / 2 << 4 | 1u << i % 2) << 24);
	}
	msi(0x03, MSI_LOGICAL, 0x40);
	expect_pending(0x40, 0x40, -1, -1);
	drain();
	ipi(0, 0x12, LOGICAL | 0x41);
	expect_pending(-1, -1, -1, 0x41);
	drain();
	msi(0x21, MSI_LOGICAL, 0x42);
	msi(0x10, MSI_LOGICAL, 0x42);
	expect_pending(-1, -1, -1, -1);
	put(0, DFR, 0x50000000);
	msi(0x01, MSI_LOGICAL, 0x43);
	expect_pending(-1, -1, -1, -1);
}

static void lowest_priority_goes_to_the_least_busy(void **state)
{
	for (unsigned i = 0; i < CPUS; i++)
		put(i, LDR, 1u << (24 + i));
	put(0, TPR, 0x20);
	put(1, TPR, 0x10);
	put(2, TPR, 0x20);
	msi(0x7, MSI_LOGICAL, LOWEST | 0x40);
	expect_pending(-1, 0x40, -1, -1);
	msi(0x7, MSI_LOGICAL, LOWEST | 0x41);
	expect_pending(0x41, 0x40, -1, -1);
	drain();
	ipi(3, 0x6, LOGICAL | LOWEST | 0x42);
	expect_pending(-1, 0x42, -1, -1);
	drain();
	put(1, SVR, 0xff);
	msi(0x6, MSI_LOGICAL, LOWEST | 0x43);
	expect_pending(-1, -1, 0x43, -1);
}

static void a_redirection_hint_makes_it_one_receiver(void **state)
{
	for (unsigned i = 0; i < CPUS; i++)
		put(i, LDR, 1u << (24 + i));
	put(0, TPR, 0x20);
	msi(0xf, MSI_LOGICAL | MSI_REDIRECT, 0x40);
	expect_pending(-1, 0x40, -1, -1);
	drain();
	msi(0xf, MSI_LOGICAL | MSI_REDIRECT, NMI);
	assert_int_equal(seen[0].nmi + seen[1].nmi + seen[2].nmi + seen[3].nmi, 4);
}

static void shorthands_are_self_all_and_all_but_self(void **state)
{
	ipi(1, 3, TO_SELF | 0x40);
	expect_pending(-1, 0x40, -1, -1);
	drain();
	ipi(1, 3, TO_ALL | 0x41);
	expect_pending(0x41, 0x41, 0x41, 0x41);
	drain();
	ipi(1, 3, TO_OTHERS | 0x42);
	expect_pending(0x42, -1, 0x42, 0x42);
}

static void init_and_start_up_wake_the_others(void **state)
{
	ipi(0, 0, TO_OTHERS | INIT | ASSERT);
	assert_int_equal(seen[0].init, 0);
	assert_int_equal(get(0, SVR), 0x1ff);
	ipi(0, 0, TO_OTHERS | INIT | LEVEL);
	msi(2, 0, INIT | LEVEL);
	ipi(0, 0, TO_OTHERS | SIPI | ASSERT | 0x08);
	assert_int_equal(seen[0].start_up, 0);
	for (unsigned i = 1; i < CPUS; i++) {
		assert_int_equal(seen[i].init, 1);
		assert_int_equal(get(i, SVR), 0xff);
		assert_int_equal(seen[i].start_up, 1);
		assert_int_equal(seen[i].start_up_vector, 0x08);
	}
	assert_int_equal(errors(0), 0);
}

static void an_asserted_init_level_is_an_init(void **state)
{
	ipi(0, 1, INIT | LEVEL | ASSERT);
	msi(2, 0, INIT | LEVEL | ASSERT);
	assert_int_equal(seen[1].init, 1);
	assert_int_equal(seen[2].init, 1);
}

static void init_to_all_resets_the_sender_as_well(void **state)
{
	ipi(2, 0, TO_ALL | INIT | ASSERT);
	for (unsigned i = 0; i < CPUS; i++) {
		assert_int_equal(seen[i].init, 1);
		assert_int_equal(get(i, ICR_LOW), 0);
	}
}

static void nmi_smi_and_ext_int_go_to_their_callbacks(void **state)
{
	ipi(0, 1, NMI);
	msi(1, 0, NMI | 0x02);
	ipi(0, 1, SMI);
	msi(1, 0, EXT_INT);
	assert_int_equal(seen[1].nmi, 2);
	assert_int_equal(seen[1].smi, 1);
	assert_int_equal(seen[1].ext_int, 1);
	expect_pending(-1, -1, -1, -1);
}

static void reserved_deliveries_are_nothing(void **state)
{
	ipi(0, 1, EXT_INT | 0x40);
	ipi(0, 1, 0x340);
	msi(1, 0, 0x340);
	assert_int_equal(seen[1].ext_int, 0);
	expect_pending(-1, -1, -1, -1);
	assert_int_equal(errors(0) | errors(1), 0);
}

static void ext_int_needs_no_listener(void **state)
{
	struct mw_lapic_ops deaf = lapic_ops;

	deaf.ext_int = NULL;
	bus.ops = &deaf;
	msi(1, 0, EXT_INT);
	put(0, LVT_LINT0, EXT_INT);
	mw_lapic_lint(&cpu[0], 0, true);
	bus.ops = &lapic_ops;
}

static void what_is_no_message_address_is_dropped(void **state)
{
	mw_lapic_message(&bus, 0xfed00000, 0x40);
	mw_lapic_message(&bus, 0x1fee00000, 0x40);
	mw_lapic_message(&bus, 0, 0x40);
	msi(0, 0, LEVEL | 0x40);
	msi(0, 0, LOWEST | LEVEL | 0x40);
	expect_pending(-1, -1, -1, -1);
}

static void delivery_is_always_idle_and_ipis_are_edges(void **state)
{
	ipi(0, 1, LEVEL | ASSERT | 0x1000 | 0x40);
	assert_int_equal(get(0, ICR_LOW), LEVEL | ASSERT | 0x40);
	assert_int_equal(get(1, TMR + 0x20), 0);
	expect_pending(-1, 0x40, -1, -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, power_up, power_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(physical_destination_is_the_apic_id),
		TEST(destination_ff_is_everybody),
		TEST(an_id_beyond_eight_bits_is_no_alias),
		TEST(logical_flat_is_a_bit_for_each),
		TEST(logical_cluster_is_a_number_and_four_bits),
		TEST(lowest_priority_goes_to_the_least_busy),
		TEST(a_redirection_hint_makes_it_one_receiver),
		TEST(shorthands_are_self_all_and_all_but_self),
		TEST(init_and_start_up_wake_the_others),
		TEST(an_asserted_init_level_is_an_init),
		TEST(init_to_all_resets_the_sender_as_well),
		TEST(nmi_smi_and_ext_int_go_to_their_callbacks),
		TEST(reserved_deliveries_are_nothing),
		TEST(ext_int_needs_no_listener),
		TEST(what_is_no_message_address_is_dropped),
		TEST(delivery_is_always_idle_and_ipis_are_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
