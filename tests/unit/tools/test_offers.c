/* What lint says of accelerators is what those of this build say of themselves. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accel/accel.h"
#include "resolver/rules.h"

struct row {
	const char *need;
	uint64_t here;
};

static uint64_t most(const char *accel, const char *need)
{
	uint64_t value = 0;

	assert_true(mw_accel_offer(accel, need, &value));
	return value;
}

/* `exact`: the accelerator offers the same on every host; else the table has the most there can be. */
static void compare(const struct mw_accel_ops *ops, bool exact)
{
	struct mw_accel_probe probe = { 0 };

	(ops->look ? ops->look : ops->probe)(&probe);
	if (probe.verdict == MW_ACCEL_ABSENT)
		return;
	const struct mw_accel_caps *caps = &probe.caps;
	const struct row rows[] = {
		{ "a20", caps->a20 },
		{ "clock_instructions", caps->instruction_clock },
		{ "dirty_log", caps->dirty_log },
		{ "gpa_bits", caps->gpa_bits },
		{ "ioeventfd", caps->ioeventfd },
		{ "irqchip_kernel", caps->kernel_irqchip },
		{ "irqchip_split", caps->split_irqchip },
		{ "irqchip_user", caps->user_irqchip },
		{ "max_vcpus", caps->max_vcpus },
		{ "memslots", caps->memslots },
		{ "msi", caps->msi },
		{ "pio", caps->pio },
		{ "pit", caps->kernel_irqchip },
		{ "smm", caps->smm },
		{ "synic", caps->synic },
		{ "vtl", caps->vtl },
		{ "x2apic", caps->x2apic },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t table = most(ops->name, rows[i].need);

		if (exact ? rows[i].here != table : rows[i].here > table)
			fail_msg("%s: `%s` is %llu here, %llu in the table", ops->name,
				 rows[i].need, (unsigned long long)rows[i].here,
				 (unsigned long long)table);
	}
}

static void what_needs_no_host_offers_what_the_table_says(void **state)
{
	compare(mw_accel_find("soft"), true);
	compare(mw_accel_find("none"), true);
}

static void no_host_offers_more_than_the_table_says(void **state)
{
	for (const struct mw_accel_ops *const *ops = mw_accels; *ops; ops++)
		compare(*ops, false);
}

static void every_accelerator_of_this_build_is_in_the_table(void **state)
{
	for (const struct mw_accel_ops *const *ops = mw_accels; *ops; ops++)
		most((*ops)->name, "vtl");
}

static void what_is_no_need_is_not_offered(void **state)
{
	uint64_t value;

	assert_false(mw_accel_offer("kvm", "mis", &value));
	assert_false(mw_accel_offer("kvn", "msi", &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_needs_no_host_offers_what_the_table_says),
		cmocka_unit_test(no_host_offers_more_than_the_table_says),
		cmocka_unit_test(every_accelerator_of_this_build_is_in_the_table),
		cmocka_unit_test(what_is_no_need_is_not_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
