/* ACPI fixed hardware: events, the PM timer and soft off (ACPI 6.5, 4.8). */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/machine.h"
#include "core/registry.h"
#include "tests/support/rig.h"

extern const struct mw_device_type acpi_pm_type, acpi_ged_type, ioapic_type;

enum { STS = 0, EN = 2, CNT = 4, TIMER = 8 };
enum { TMR = 0x1, GBL = 0x20, PWRBTN = 0x100, SLPBTN = 0x200, RTC = 0x400, WAK = 0x8000 };
enum { SCI_EN = 0x1, BM_RLD = 0x2, GBL_RLS = 0x4, SLP_EN = 0x2000, S5 = 0, S3 = 1 << 10 };
#define SECOND 1000000000ull
#define HZ     3579545ull

static int set_up(void **state)
{
	*state = rig_create(&acpi_pm_type, NULL);
	return 0;
}

static int set_up_24_bits(void **state)
{
	const struct rig_setting settings[] = { { "timer_bits", 24 }, { NULL } };

	*state = rig_create(&acpi_pm_type, settings);
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static unsigned read16(struct rig *rig, unsigned at)
{
	return (unsigned)rig_read(rig, "pm", at, 2);
}

static void write16(struct rig *rig, unsigned at, unsigned value)
{
	rig_write(rig, "pm", at, 2, value);
}

static uint64_t timer(struct rig *rig)
{
	return rig_read(rig, "pm", TIMER, 4);
}

static void press(struct rig *rig, const char *wire)
{
	rig_drive(rig, wire, 0, true);
	rig_drive(rig, wire, 0, false);
}

static bool has_power(struct rig *rig, enum mw_power_event *event)
{
	int code;

	return rig_power(rig, event, &code);
}

static void it_is_in_acpi_mode_from_the_start(void **state)
{
	assert_int_equal(read16(*state, CNT), SCI_EN);
	write16(*state, CNT, 0);
	assert_int_equal(read16(*state, CNT), SCI_EN);
	assert_int_equal(read16(*state, STS), 0);
	assert_int_equal(read16(*state, EN), 0);
}

static void release_and_sleep_enable_read_as_zero(void **state)
{
	write16(*state, CNT, BM_RLD | GBL_RLS | SLP_EN | S3);
	assert_int_equal(read16(*state, CNT), SCI_EN | BM_RLD | S3);
}

static void sleep_enable_with_the_type_of_the_tables_powers_off(void **state)
{
	const struct mw_role_row *role = mw_type_role(&acpi_pm_type, MW_ROLE_PM1_CONTROL);
	enum mw_power_event event;

	rig_write(*state, role->region, role->offset, role->size, role->value << 10 | SLP_EN);
	assert_true(has_power(*state, &event));
	assert_int_equal(event, MW_POWER_OFF);
}

static void sleep_type_alone_does_nothing(void **state)
{
	enum mw_power_event event;

	write16(*state, CNT, S5);
	assert_false(has_power(*state, &event));
}

static void other_sleep_states_are_logged(void **state)
{
	enum mw_power_event event;

	write16(*state, CNT, SLP_EN | S3);
	assert_false(has_power(*state, &event));
	assert_non_null(strstr(rig_log(*state), "sleep state 1"));
}

static void a_button_sets_its_status_enabled_or_not(void **state)
{
	press(*state, "power_button");
	press(*state, "sleep_button");
	assert_int_equal(read16(*state, STS), PWRBTN | SLPBTN);
	assert_false(rig_line(*state, "sci", 0));
}

static void an_enabled_event_holds_the_sci_until_it_is_cleared(void **state)
{
	write16(*state, EN, PWRBTN);
	press(*state, "power_button");
	assert_true(rig_line(*state, "sci", 0));
	write16(*state, STS, GBL | WAK);
	assert_true(rig_line(*state, "sci", 0));
	write16(*state, STS, PWRBTN);
	assert_false(rig_line(*state, "sci", 0));
	assert_int_equal(read16(*state, STS), 0);
}

static void enabling_what_has_happened_raises_the_sci(void **state)
{
	press(*state, "power_button");
	write16(*state, EN, PWRBTN);
	assert_true(rig_line(*state, "sci", 0));
	write16(*state, EN, 0);
	assert_false(rig_line(*state, "sci", 0));
}

static void a_button_held_down_is_one_event(void **state)
{
	rig_drive(*state, "power_button", 0, true);
	write16(*state, STS, PWRBTN);
	rig_drive(*state, "power_button", 0, true);
	assert_int_equal(read16(*state, STS), 0);
	rig_drive(*state, "power_button", 0, false);
	assert_int_equal(read16(*state, STS), 0);
}

static void the_machines_power_button_is_this_one(void **state)
{
	write16(*state, EN, PWRBTN);
	assert_true(mw_machine_power_button(rig_machine(*state)));
	assert_int_equal(read16(*state, STS), PWRBTN);
	assert_true(rig_line(*state, "sci", 0));
	write16(*state, STS, PWRBTN);
	assert_true(mw_machine_power_button(rig_machine(*state)));
	assert_int_equal(read16(*state, STS), PWRBTN);
}

static void a_machine_may_have_another_button_or_none(void **state)
{
	struct rig *ged = rig_create(&acpi_ged_type, NULL), *none = rig_create(&ioapic_type, NULL);

	assert_true(mw_machine_power_button(rig_machine(ged)));
	assert_int_equal(rig_read(ged, "regs", 0x10, 4), 1);
	assert_true(rig_line(ged, "irq", 0));
	assert_false(mw_machine_power_button(rig_machine(none)));
	rig_destroy(ged);
	rig_destroy(none);
}

static void the_alarm_is_an_event(void **state)
{
	write16(*state, EN, RTC);
	press(*state, "rtc_alarm");
	assert_int_equal(read16(*state, STS), RTC);
	assert_true(rig_line(*state, "sci", 0));
}

static void a_byte_of_ones_clears_its_own_half(void **state)
{
	press(*state, "power_button");
	press(*state, "rtc_alarm");
	rig_write(*state, "pm", STS, 1, 0xff);
	assert_int_equal(read16(*state, STS), PWRBTN | RTC);
	rig_write(*state, "pm", STS + 1, 1, PWRBTN >> 8);
	assert_int_equal(read16(*state, STS), RTC);
}

static void status_and_enable_are_one_dword_too(void **state)
{
	press(*state, "power_button");
	rig_write(*state, "pm", STS, 4, (uint64_t)0xffff << 16);
	assert_int_equal(rig_read(*state, "pm", STS, 4), 0x07210100);
	assert_true(rig_line(*state, "sci", 0));
	rig_write(*state, "pm", STS, 4, PWRBTN);
	assert_int_equal(rig_read(*state, "pm", STS, 4), 0);
	assert_false(rig_line(*state, "sci", 0));
}

static void what_is_left_gives_a_new_edge(void **state)
{
	write16(*state, EN, PWRBTN | RTC);
	press(*state, "power_button");
	press(*state, "rtc_alarm");
	assert_int_equal(rig_rises(*state, "sci", 0), 1);
	write16(*state, STS, PWRBTN);
	assert_int_equal(rig_rises(*state, "sci", 0), 1);
	assert_true(rig_line(*state, "sci", 0));
}

static void the_timer_ticks_at_its_rate(void **state)
{
	assert_int_equal(timer(*state), 0);
	rig_advance(*state, 279); /* a tick takes 279.37 ns */
	assert_int_equal(timer(*state), 0);
	rig_advance(*state, 1);
	assert_int_equal(timer(*state), 1);
	rig_advance(*state, SECOND - 280);
	assert_int_equal(timer(*state), HZ);
}

static void the_timer_is_exact_for_years(void **state)
{
	const uint64_t seconds = 100ull * 365 * 24 * 3600;

	rig_advance(*state, seconds * SECOND + SECOND / 2);
	assert_int_equal(timer(*state), (seconds * HZ + HZ / 2) & UINT32_MAX);
}

static void a_24_bit_timer_wraps_at_24_bits(void **state)
{
	rig_advance(*state, 5 * SECOND);
	assert_int_equal(timer(*state), (5 * HZ) & 0xffffff);
}

static void the_timer_cannot_be_written(void **state)
{
	rig_write(*state, "pm", TIMER, 4, 0x12345678);
	assert_int_equal(timer(*state), 0);
}

/* The first moment at which the timer has made `count` ticks. */
static uint64_t moment(uint64_t count)
{
	return (count * SECOND + HZ - 1) / HZ;
}

static void the_top_bit_sets_status_when_it_toggles(void **state)
{
	rig_advance(*state, moment(1 << 23) - 1);
	assert_int_equal(read16(*state, STS), 0);
	rig_advance(*state, 1);
	assert_int_equal(timer(*state), 1 << 23);
	assert_int_equal(read16(*state, STS), TMR);
	write16(*state, STS, TMR);
	assert_int_equal(read16(*state, STS), 0);
	rig_advance(*state, moment(1 << 24) - moment(1 << 23));
	assert_int_equal(timer(*state), 0);
	assert_int_equal(read16(*state, STS), TMR);
}

static void an_enabled_timer_interrupts_by_itself(void **state)
{
	write16(*state, EN, TMR);
	rig_advance(*state, moment(1 << 23) - 1);
	assert_false(rig_line(*state, "sci", 0));
	rig_advance(*state, 1);
	assert_true(rig_line(*state, "sci", 0));
	write16(*state, STS, TMR);
	assert_false(rig_line(*state, "sci", 0));
	rig_advance(*state, 3 * SECOND);
	assert_true(rig_line(*state, "sci", 0));
}

static void a_32_bit_timer_toggles_at_32_bits(void **state)
{
	rig_advance(*state, moment(UINT64_C(1) << 31) - 1);
	assert_int_equal(read16(*state, STS), 0);
	rig_advance(*state, 1);
	assert_int_equal(read16(*state, STS), TMR);
}

static void after_a_reset_no_event_is_left(void **state)
{
	write16(*state, EN, TMR | PWRBTN);
	press(*state, "power_button");
	rig_advance(*state, 700 * SECOND);
	rig_reset(*state);
	assert_int_equal(read16(*state, STS), 0);
	assert_int_equal(read16(*state, EN), 0);
	assert_false(rig_line(*state, "sci", 0));
}

static void a_restored_event_still_interrupts(void **state)
{
	uint8_t saved[128];
	size_t count;
	const uint8_t *bytes;

	write16(*state, EN, PWRBTN);
	press(*state, "power_button");
	bytes = rig_save(*state, &count);
	assert_true(count <= sizeof(saved));
	memcpy(saved, bytes, count);
	write16(*state, STS, PWRBTN);
	assert_false(rig_line(*state, "sci", 0));
	assert_true(rig_load(*state, saved, count));
	assert_true(rig_line(*state, "sci", 0));
	assert_int_equal(read16(*state, STS), PWRBTN);
}

static void impossible_state_is_made_possible(void **state)
{
	uint8_t saved[128];
	size_t count;
	const uint8_t *bytes = rig_save(*state, &count);

	assert_true(count <= sizeof(saved));
	memcpy(saved, bytes, count);
	memset(saved, 0xff, 14); /* status, enable, control, seen */
	assert_true(rig_load(*state, saved, count));
	assert_int_equal(read16(*state, EN), 0x0721);
	assert_int_equal(read16(*state, STS), 0x8731);
	assert_int_equal(read16(*state, CNT), SCI_EN | BM_RLD | 7 << 10);
	rig_advance(*state, 2000 * SECOND);
}

static void other_widths_are_refused(void **state)
{
	const struct rig_setting settings[] = { { "timer_bits", 28 }, { NULL } };
	const struct rig_options options = { .settings = settings };
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	assert_false(rig_try(&rig, &acpi_pm_type, &options, &diagnostics));
	assert_non_null(strstr(diagnostics.items[0]->message, "24 or 32 bits, not 28"));
	mw_diagnostics_fini(&diagnostics);
}

#define TEST(name)    cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_24(name) cmocka_unit_test_setup_teardown(name, set_up_24_bits, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_in_acpi_mode_from_the_start),
		TEST(release_and_sleep_enable_read_as_zero),
		TEST(sleep_enable_with_the_type_of_the_tables_powers_off),
		TEST(sleep_type_alone_does_nothing),
		TEST(other_sleep_states_are_logged),
		TEST(a_button_sets_its_status_enabled_or_not),
		TEST(an_enabled_event_holds_the_sci_until_it_is_cleared),
		TEST(enabling_what_has_happened_raises_the_sci),
		TEST(a_button_held_down_is_one_event),
		TEST(the_machines_power_button_is_this_one),
		cmocka_unit_test(a_machine_may_have_another_button_or_none),
		TEST(the_alarm_is_an_event),
		TEST(a_byte_of_ones_clears_its_own_half),
		TEST(status_and_enable_are_one_dword_too),
		TEST(what_is_left_gives_a_new_edge),
		TEST(the_timer_ticks_at_its_rate),
		TEST(the_timer_is_exact_for_years),
		TEST_24(a_24_bit_timer_wraps_at_24_bits),
		TEST(the_timer_cannot_be_written),
		TEST_24(the_top_bit_sets_status_when_it_toggles),
		TEST_24(an_enabled_timer_interrupts_by_itself),
		TEST(a_32_bit_timer_toggles_at_32_bits),
		TEST(after_a_reset_no_event_is_left),
		TEST(a_restored_event_still_interrupts),
		TEST(impossible_state_is_made_possible),
		cmocka_unit_test(other_widths_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
