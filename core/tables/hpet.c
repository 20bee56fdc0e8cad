/** The HPET's table (IA-PC HPET specification 1.0a, 3.2.4). */
// SPDX-License-Identifier: MIT
#include "core/tables/aml_internal.h"
#include "core/tables/tables_internal.h"

bool mw_hpet_write(struct mw_aml *table, const struct mw_plan *plan)
{
	struct mw_acpi_register timer;
	if (!mw_acpi_role(&timer, plan, MW_ROLE_HPET) || !timer.memory)
		return false;
	mw_acpi_table_begin(table);
	mw_aml_le(table, 4, timer.value);
	mw_aml_le(table, 4, 0); /* memory, and no bits are counted */
	mw_aml_le(table, 8, timer.address);
	mw_aml_byte(table, 0);  /* the first of its kind */
	mw_aml_le(table, 2, 0); /* the shortest period that loses no interrupt is not known */
	mw_aml_byte(table, 0);  /* what else is in its page is not promised */
	mw_acpi_table_end(table, plan, "HPET", 1);
	return true;
}
