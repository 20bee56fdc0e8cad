/** The FADT of a hardware-reduced machine (ACPI 6.5, 5.2.9). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/bytes.h"
#include "core/tables/aml_internal.h"
#include "core/tables/tables_internal.h"

enum {
	FADT_BYTES = 276,
	FADT_BOOT_ARCH = 109,
	FADT_FLAGS = 112,
	FADT_RESET_REG = 116,
	FADT_RESET_VALUE = 128,
	FADT_MINOR = 131,
	FADT_SLEEP_CONTROL = 244,
	FADT_SLEEP_STATUS = 256
};

/* Table 5.10. The two buttons and the RTC are set for "not as fixed hardware", which is what 4.1
 * says of a hardware-reduced machine. */
enum {
	FLAG_WBINVD = 1u << 0,
	FLAG_PWR_BUTTON = 1u << 4,
	FLAG_SLP_BUTTON = 1u << 5,
	FLAG_FIX_RTC = 1u << 6,
	FLAG_RESET_REG_SUP = 1u << 10,
	FLAG_HW_REDUCED = 1u << 20
};

/* Table 5.11: a bit is set by a node that plays the role, or (`absent`) when none does. */
static const struct {
	enum mw_role role;
	uint16_t bit;
	bool absent;
} boot_arch[] = {
	{ MW_ROLE_LEGACY, 1u << 0, false },
	{ MW_ROLE_8042, 1u << 1, false },
	{ MW_ROLE_VGA, 1u << 2, true },
	{ MW_ROLE_RTC, 1u << 5, true },
};

static uint16_t boot_arch_flags(const struct mw_plan *plan)
{
	uint16_t flags = 0;
	for (size_t i = 0; i < sizeof(boot_arch) / sizeof(boot_arch[0]); i++) {
		bool present = mw_plan_role(plan, boot_arch[i].role, 0) >= 0;
		if (present != boot_arch[i].absent)
			flags |= boot_arch[i].bit;
	}
	return flags;
}

/** Writes a generic address structure (5.2.3.2). */
static bool put_register(uint8_t *at, struct mw_acpi_register *from, const struct mw_plan *plan,
			 enum mw_role role)
{
	if (!mw_acpi_role(from, plan, role))
		return false;
	uint8_t access = 1; /* byte, word, dword, qword: 1 to 4 */
	while (access < 4 && 1u << (access - 1) < from->size)
		access++;
	at[0] = from->memory ? 0 : 1;
	at[1] = (uint8_t)(from->size * 8);
	at[2] = 0;
	at[3] = access;
	mw_put_le(at + 4, 8, from->address);
	return true;
}

void mw_fadt_write(struct mw_aml *table, const struct mw_plan *plan)
{
	uint8_t fadt[FADT_BYTES] = { 0 };
	uint32_t flags =
		FLAG_WBINVD | FLAG_PWR_BUTTON | FLAG_SLP_BUTTON | FLAG_FIX_RTC | FLAG_HW_REDUCED;
	struct mw_acpi_register at;
	if (put_register(fadt + FADT_RESET_REG, &at, plan, MW_ROLE_RESET)) {
		fadt[FADT_RESET_VALUE] = (uint8_t)at.value;
		flags |= FLAG_RESET_REG_SUP;
	}
	put_register(fadt + FADT_SLEEP_CONTROL, &at, plan, MW_ROLE_SLEEP_CONTROL);
	put_register(fadt + FADT_SLEEP_STATUS, &at, plan, MW_ROLE_SLEEP_STATUS);
	mw_put_le(fadt + FADT_BOOT_ARCH, 2, boot_arch_flags(plan));
	mw_put_le(fadt + FADT_FLAGS, 4, flags);
	fadt[FADT_MINOR] = 5;
	mw_acpi_table_begin(table);
	for (size_t i = table->length; i < FADT_BYTES; i++)
		mw_aml_byte(table, fadt[i]);
	mw_acpi_table_end(table, plan, "FACP", 6);
}
