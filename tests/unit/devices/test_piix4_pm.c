/* PIIX4 power management (82371AB data sheet, chapter 7): where its registers are, SCI, SMI commands, SMBus. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/registry.h"
#include "tests/support/rig.h"

extern const struct mw_device_type piix4_pm_type;

enum {
	COMMAND = 0x04,
	PMBA = 0x40,
	DEVACTB = 0x58,
	PMREGMISC = 0x80,
	SMBBA = 0x90,
	SMBHSTCFG = 0xd2
};
enum { PM = 0xb000, SMB = 0xb100, ELSEWHERE = 0xe400 };
enum { STS = 0x00, EN = 0x02, CNT = 0x04, TIMER = 0x08, GPSTS = 0x0c, GPEN = 0x0e, GPIREG = 0x30 };
enum { TMR = 0x0001, PWRBTN = 0x0100, RTC = 0x0400, SCI_EN = 0x0001, SLP_EN = 0x2000 };
enum { APMC, APMS, ACPI_ENABLE = 0xf1, ACPI_DISABLE = 0xf0 };
enum { HSTSTS, HSTCNT = 2, HSTCMD, HSTADD, HSTDAT0, BLKDAT = 7 };
enum { DEV_ERR = 0x04, FAILED = 0x10, INTEREN = 0x01, KILL = 0x02, BYTE_DATA = 0x08, START = 0x40 };
#define SECOND 1000000000ull
#define HZ     3579545ull

/* As a BIOS leaves it. */
static int set_up(void **state)
{
	struct rig *rig = rig_create(&piix4_pm_type, NULL);

	rig_config_write(rig, PMBA, 4, PM);
	rig_config_write(rig, PMREGMISC, 1, 1);
	rig_config_write(rig, SMBBA, 4, SMB);
	rig_config_write(rig, SMBHSTCFG, 1, 0x09);
	rig_config_write(rig, COMMAND, 2, 1);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static unsigned in(struct rig *rig, unsigned port, unsigned size)
{
	return (unsigned)rig_bus_read(rig, MW_SPACE_PORT, port, size);
}

static void out(struct rig *rig, unsigned port, unsigned size, unsigned value)
{
	rig_bus_write(rig, MW_SPACE_PORT, port, size, value);
}

static void press(struct rig *rig, const char *wire)
{
	rig_drive(rig, wire, 0, true);
	rig_drive(rig, wire, 0, false);
}

static void its_identity_and_what_reset_leaves(void **state)
{
	rig_reset(*state);
	assert_int_equal(rig_config_read(*state, 0x00, 4), 0x71138086);
	assert_int_equal(rig_config_read(*state, 0x04, 4), 0x02800000);
	assert_int_equal(rig_config_read(*state, 0x08, 4), 0x06800003);
	assert_int_equal(rig_config_read(*state, 0x3c, 2), 0x0100);
	assert_int_equal(rig_config_read(*state, PMBA, 4), 1);
	assert_int_equal(rig_config_read(*state, SMBBA, 4), 1);
	assert_int_equal(in(*state, PM + TIMER, 4), 0xffffffff);
	assert_int_equal(in(*state, SMB + HSTSTS, 1), 0xff);
}

static void firmware_sees_that_smis_are_set_up(void **state)
{
	assert_int_equal(rig_config_read(*state, DEVACTB + 3, 1) & 0x02, 0x02);
}

static void the_base_has_64_ports(void **state)
{
	rig_config_write(*state, PMBA, 4, 0xffffffff);
	assert_int_equal(rig_config_read(*state, PMBA, 4), 0x0000ffc1);
}

static void the_registers_move_with_their_base(void **state)
{
	out(*state, PM + EN, 2, PWRBTN);
	rig_config_write(*state, PMBA, 4, ELSEWHERE);
	assert_int_equal(in(*state, PM + EN, 2), 0xffff);
	assert_int_equal(in(*state, ELSEWHERE + EN, 2), PWRBTN);
	rig_config_write(*state, PMREGMISC, 1, 0);
	assert_int_equal(in(*state, ELSEWHERE + EN, 2), 0xffff);
}

static void the_timer_has_24_bits(void **state)
{
	rig_advance(*state, 5 * SECOND);
	assert_int_equal(in(*state, PM + TIMER, 4), (5 * HZ) & 0xffffff);
}

static void before_acpi_is_enabled_there_is_no_sci(void **state)
{
	out(*state, PM + EN, 2, PWRBTN);
	press(*state, "power_button");
	assert_int_equal(in(*state, PM + STS, 2), PWRBTN);
	assert_int_equal(in(*state, PM + CNT, 2), 0);
	assert_false(rig_line(*state, "sci", 0));
	rig_write(*state, "smi", APMC, 1, ACPI_ENABLE);
	assert_int_equal(in(*state, PM + CNT, 2), SCI_EN);
	assert_true(rig_line(*state, "sci", 0));
	rig_write(*state, "smi", APMC, 1, ACPI_DISABLE);
	assert_int_equal(in(*state, PM + CNT, 2), 0);
	assert_false(rig_line(*state, "sci", 0));
}

static void the_commands_are_those_of_the_tables(void **state)
{
	const struct mw_role_row *role = mw_type_role(&piix4_pm_type, MW_ROLE_SMI_COMMAND);

	rig_write(*state, role->region, role->offset, role->size, role->value & 0xff);
	assert_int_equal(in(*state, PM + CNT, 2) & SCI_EN, SCI_EN);
	rig_write(*state, role->region, role->offset, role->size, role->value >> 8);
	assert_int_equal(in(*state, PM + CNT, 2) & SCI_EN, 0);
}

static void command_and_status_bytes_read_back(void **state)
{
	rig_write(*state, "smi", APMC, 1, 0x12);
	rig_write(*state, "smi", APMS, 1, 0x34);
	assert_int_equal(rig_read(*state, "smi", APMC, 1), 0x12);
	assert_int_equal(rig_read(*state, "smi", APMS, 1), 0x34);
}

static void the_alarm_and_the_timer_are_events(void **state)
{
	out(*state, PM + CNT, 2, SCI_EN);
	out(*state, PM + EN, 2, RTC | TMR);
	press(*state, "rtc_alarm");
	assert_true(rig_line(*state, "sci", 0));
	out(*state, PM + STS, 2, RTC);
	assert_false(rig_line(*state, "sci", 0));
	rig_advance(*state, 3 * SECOND);
	assert_int_equal(in(*state, PM + STS, 2), TMR);
	assert_true(rig_line(*state, "sci", 0));
}

static void sleep_enable_with_the_type_of_the_tables_powers_off(void **state)
{
	const struct mw_role_row *role = mw_type_role(&piix4_pm_type, MW_ROLE_PM1_CONTROL);
	enum mw_power_event event;
	int code;

	out(*state, PM + (unsigned)role->offset, 2, (unsigned)role->value << 10 | SLP_EN);
	assert_true(rig_power(*state, &event, &code));
	assert_int_equal(event, MW_POWER_OFF);
}

static void general_purpose_enables_keep_what_exists(void **state)
{
	out(*state, PM + GPEN, 2, 0xffff);
	assert_int_equal(in(*state, PM + GPSTS, 4), 0x0f010000);
	out(*state, PM + GPEN + 1, 1, 0);
	assert_int_equal(in(*state, PM + GPEN, 2), 0x0001);
}

static void inputs_float_high_and_outputs_keep(void **state)
{
	assert_int_equal(in(*state, PM + GPIREG, 4), 0x003fffff);
	assert_int_equal(in(*state, PM + 0x34, 4), 0x7fffbfff);
	out(*state, PM + GPIREG, 4, 0);
	out(*state, PM + 0x34, 4, 0x12345678);
	assert_int_equal(in(*state, PM + GPIREG, 4), 0x003fffff);
	assert_int_equal(in(*state, PM + 0x34, 4), 0x12345678);
}

static void nobody_answers_on_the_smbus(void **state)
{
	out(*state, SMB + HSTADD, 1, 0x50 << 1 | 1);
	out(*state, SMB + HSTCMD, 1, 0);
	out(*state, SMB + HSTCNT, 1, BYTE_DATA | START);
	assert_int_equal(in(*state, SMB + HSTSTS, 1), DEV_ERR);
	assert_int_equal(in(*state, SMB + HSTCNT, 1), BYTE_DATA);
	assert_false(rig_line(*state, "sci", 0));
	out(*state, SMB + HSTSTS, 1, 0xff);
	assert_int_equal(in(*state, SMB + HSTSTS, 1), 0);
}

static void the_smbus_host_interrupts_where_it_may(void **state)
{
	out(*state, SMB + HSTCNT, 1, START | INTEREN);
	assert_true(rig_line(*state, "sci", 0));
	out(*state, SMB + HSTSTS, 1, DEV_ERR);
	assert_false(rig_line(*state, "sci", 0));
	out(*state, SMB + HSTCNT, 1, KILL | INTEREN);
	assert_int_equal(in(*state, SMB + HSTSTS, 1), FAILED);
	rig_config_write(*state, SMBHSTCFG, 1, 0x01); /* SMI in IRQ 9's place */
	assert_false(rig_line(*state, "sci", 0));
}

static void the_block_has_32_bytes_from_its_start(void **state)
{
	in(*state, SMB + HSTCNT, 1);
	for (unsigned i = 0; i < 33; i++)
		out(*state, SMB + BLKDAT, 1, i);
	in(*state, SMB + HSTCNT, 1);
	assert_int_equal(in(*state, SMB + BLKDAT, 1), 32);
	for (unsigned i = 1; i < 32; i++)
		assert_int_equal(in(*state, SMB + BLKDAT, 1), i);
}

static void the_smbus_answers_where_it_is_enabled(void **state)
{
	rig_config_write(*state, COMMAND, 2, 0);
	assert_int_equal(in(*state, SMB + HSTADD, 1), 0xff);
	rig_config_write(*state, COMMAND, 2, 1);
	assert_int_equal(in(*state, SMB + HSTADD, 1), 0);
	rig_config_write(*state, SMBHSTCFG, 1, 0);
	assert_int_equal(in(*state, SMB + HSTADD, 1), 0xff);
}

static void a_restored_event_still_interrupts(void **state)
{
	uint8_t saved[1024];
	size_t count;
	const uint8_t *bytes;

	out(*state, PM + CNT, 2, SCI_EN);
	out(*state, PM + EN, 2, PWRBTN);
	press(*state, "power_button");
	bytes = rig_save(*state, &count);
	assert_true(count <= sizeof(saved));
	memcpy(saved, bytes, count);
	rig_reset(*state);
	assert_false(rig_line(*state, "sci", 0));
	assert_true(rig_load(*state, saved, count));
	assert_true(rig_line(*state, "sci", 0));
	assert_int_equal(in(*state, PM + STS, 2), PWRBTN);
}

static void impossible_state_is_made_possible(void **state)
{
	uint8_t saved[1024];
	size_t count;
	const uint8_t *bytes = rig_save(*state, &count);

	assert_true(count <= sizeof(saved));
	memcpy(saved, bytes, count);
	memset(saved, 0xff, 14);       /* status, enable, control, seen */
	memset(saved + 17, 0xff, 352); /* all registers */
	assert_true(rig_load(*state, saved, count));
	assert_int_equal(rig_config_read(*state, 0x00, 4), 0x71138086);
	assert_int_equal(rig_config_read(*state, PMBA, 4), 0xffc1);
	assert_int_equal(in(*state, 0xffc0 + STS, 2), 0x8531);
	assert_int_equal(in(*state, 0xffc0 + EN, 2), 0x0521);
	assert_int_equal(in(*state, 0xffc0 + CNT, 2), 0x1c03);
	rig_config_write(*state, SMBBA, 4, SMB);
	assert_int_equal(in(*state, 0xffc0 + GPIREG, 4), 0x003fffff);
	for (unsigned i = 0; i < 40; i++)
		out(*state, SMB + BLKDAT, 1, i);
	rig_advance(*state, 2000 * SECOND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(its_identity_and_what_reset_leaves),
		TEST(firmware_sees_that_smis_are_set_up),
		TEST(the_base_has_64_ports),
		TEST(the_registers_move_with_their_base),
		TEST(the_timer_has_24_bits),
		TEST(before_acpi_is_enabled_there_is_no_sci),
		TEST(the_commands_are_those_of_the_tables),
		TEST(command_and_status_bytes_read_back),
		TEST(the_alarm_and_the_timer_are_events),
		TEST(sleep_enable_with_the_type_of_the_tables_powers_off),
		TEST(general_purpose_enables_keep_what_exists),
		TEST(inputs_float_high_and_outputs_keep),
		TEST(nobody_answers_on_the_smbus),
		TEST(the_smbus_host_interrupts_where_it_may),
		TEST(the_block_has_32_bytes_from_its_start),
		TEST(the_smbus_answers_where_it_is_enabled),
		TEST(a_restored_event_still_interrupts),
		TEST(impossible_state_is_made_possible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
