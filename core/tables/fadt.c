/** The FADT, and with it what fixed hardware the machine has (ACPI 6.5, 5.2.9). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/bytes.h"
#include "core/registry.h"
#include "core/tables/aml_internal.h"
#include "core/tables/tables_internal.h"

enum {
	FADT_BYTES = 276,
	FADT_SCI_INT = 46,
	FADT_SMI_CMD = 48,
	FADT_ACPI_ENABLE = 52, /* and ACPI_DISABLE */
	FADT_C2_LATENCY = 96,
	FADT_C3_LATENCY = 98,
	FADT_CENTURY = 108,
	FADT_BOOT_ARCH = 109,
	FADT_FLAGS = 112,
	FADT_RESET_REG = 116,
	FADT_RESET_VALUE = 128,
	FADT_MINOR = 131,
	FADT_SLEEP_CONTROL = 244,
	FADT_SLEEP_STATUS = 256
};
/* Table 5.9: more than 100 and 1000 us say that there is neither C2 nor C3. */
enum { NO_C2 = 101, NO_C3 = 1001 };

/* Table 5.10. Buttons and RTC are set for "not as fixed hardware", which is what 4.1 says of a
 * hardware-reduced machine. */
enum {
	FLAG_WBINVD = 1u << 0,
	FLAG_PROC_C1 = 1u << 2,
	FLAG_PWR_BUTTON = 1u << 4,
	FLAG_SLP_BUTTON = 1u << 5,
	FLAG_FIX_RTC = 1u << 6,
	FLAG_TMR_VAL_EXT = 1u << 8,
	FLAG_RESET_REG_SUP = 1u << 10,
	FLAG_HW_REDUCED = 1u << 20
};

enum { ARCH_LEGACY_DEVICES = 1u << 0 };
/* Table 5.11: a bit is set by a node that plays the role, or (`absent`) when none does. */
static const struct {
	enum mw_role role;
	uint16_t bit;
	bool absent;
} boot_arch[] = {
	{ MW_ROLE_LEGACY, ARCH_LEGACY_DEVICES, false },
	{ MW_ROLE_8042, 1u << 1, false },
	{ MW_ROLE_VGA, 1u << 2, true },
	{ MW_ROLE_RTC, 1u << 5, true },
};

/* Each register block stands there twice: as a port with its length, and as an address structure. */
static const struct block {
	enum mw_role role;
	uint8_t port, length, address, access;
} blocks[] = {
	{ MW_ROLE_PM1, 56, 88, 148, 2 },
	{ MW_ROLE_PM1_CONTROL, 64, 89, 172, 2 },
	{ MW_ROLE_PM_TIMER, 76, 91, 208, 4 },
	{ MW_ROLE_GPE0, 80, 92, 220, 1 },
};

/* The events that fixed hardware may have, by the wires that lead to its node. The power button needs
 * no line: mw_machine_power_button presses it. */
static const struct {
	const char *wire;
	uint32_t absent;
	bool needs_line;
} events[] = {
	{ "power_button", FLAG_PWR_BUTTON, false },
	{ "sleep_button", FLAG_SLP_BUTTON, true },
	{ "rtc_alarm", FLAG_FIX_RTC, true },
};

static bool is_isa_device(const struct mw_plan *plan, const struct mw_plan_node *node)
{
	const char *bus =
		node->bus_node == UINT32_MAX ? NULL : plan->nodes[node->bus_node].type->provides;
	return !node->host && bus && strcmp(bus, "isa") == 0 && mw_plan_speaks(node);
}

static uint16_t boot_arch_flags(const struct mw_plan *plan)
{
	uint16_t flags = 0;
	for (size_t i = 0; i < plan->node_count; i++)
		flags |= is_isa_device(plan, &plan->nodes[i]) ? ARCH_LEGACY_DEVICES : 0;
	for (size_t i = 0; i < sizeof(boot_arch) / sizeof(boot_arch[0]); i++) {
		bool present = mw_plan_role(plan, boot_arch[i].role, 0) >= 0;
		if (present != boot_arch[i].absent)
			flags |= boot_arch[i].bit;
	}
	return flags;
}

/** Writes a generic address structure (5.2.3.2). */
static void put_address(uint8_t *at, const struct mw_acpi_register *from, unsigned access_bytes)
{
	uint8_t access = 1; /* byte, word, dword, qword: 1 to 4 */
	while (access < 4 && 1u << (access - 1) < access_bytes)
		access++;
	at[0] = from->memory ? 0 : 1;
	at[1] = (uint8_t)(from->size * 8);
	at[2] = 0;
	at[3] = access;
	mw_put_le(at + 4, 8, from->address);
}

static bool put_register(uint8_t *at, struct mw_acpi_register *from, const struct mw_plan *plan,
			 enum mw_role role)
{
	if (!mw_acpi_role(from, plan, role))
		return false;
	put_address(at, from, from->size);
	return true;
}

/** Whether a line of the plan ends at this wire. */
static bool is_driven(const struct mw_plan *plan, const struct mw_plan_node *node, const char *wire)
{
	for (size_t n = 0; n < plan->net_count; n++) {
		for (size_t s = 0; s < plan->nets[n].sink_count; s++) {
			const struct mw_plan_sink *sink = &plan->nets[n].sinks[s];
			if (&plan->nodes[sink->node] == node && strcmp(sink->wire->name, wire) == 0)
				return true;
		}
	}
	return false;
}

static uint32_t absent_events(const struct mw_plan *plan, const struct mw_plan_node *node)
{
	uint32_t flags = 0;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		bool has_wire = mw_type_wire(node->type, events[i].wire);
		if (!has_wire || (events[i].needs_line && !is_driven(plan, node, events[i].wire)))
			flags |= events[i].absent;
	}
	return flags;
}

static void put_blocks(uint8_t *fadt, const struct mw_plan *plan)
{
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		const struct block *block = &blocks[i];
		struct mw_acpi_register at;
		if (!mw_acpi_role(&at, plan, block->role))
			continue;
		fadt[block->length] = (uint8_t)at.size;
		if (!at.memory)
			mw_put_le(fadt + block->port, 4, at.address);
		put_address(fadt + block->address, &at, block->access);
	}
}

/** Returns the flags. */
static uint32_t put_fixed_hardware(uint8_t *fadt, const struct mw_plan *plan,
				   const struct mw_plan_node *node)
{
	const struct mw_plan_net *sci = mw_acpi_sci(plan);
	const struct mw_plan_value *bits;
	struct mw_acpi_register timer, smi;
	uint32_t line, flags = FLAG_WBINVD | FLAG_PROC_C1 | absent_events(plan, node);
	mw_put_le(fadt + FADT_SCI_INT, 2, mw_acpi_isa_line(sci, &line) ? line : sci->gsi);
	mw_put_le(fadt + FADT_C2_LATENCY, 2, NO_C2);
	mw_put_le(fadt + FADT_C3_LATENCY, 2, NO_C3);
	put_blocks(fadt, plan);
	if (mw_acpi_role(&smi, plan, MW_ROLE_SMI_COMMAND) && !smi.memory) {
		mw_put_le(fadt + FADT_SMI_CMD, 4, smi.address);
		mw_put_le(fadt + FADT_ACPI_ENABLE, 2, smi.value);
	}
	if (mw_acpi_role(&timer, plan, MW_ROLE_PM_TIMER)) {
		bits = mw_plan_value(&plan->nodes[timer.node], "timer_bits");
		flags |= bits && bits->number == 24 ? 0 : FLAG_TMR_VAL_EXT;
	}
	return flags;
}

static uint32_t put_reduced_hardware(uint8_t *fadt, const struct mw_plan *plan)
{
	struct mw_acpi_register at;
	put_register(fadt + FADT_SLEEP_CONTROL, &at, plan, MW_ROLE_SLEEP_CONTROL);
	put_register(fadt + FADT_SLEEP_STATUS, &at, plan, MW_ROLE_SLEEP_STATUS);
	return FLAG_WBINVD | FLAG_PWR_BUTTON | FLAG_SLP_BUTTON | FLAG_FIX_RTC | FLAG_HW_REDUCED;
}

void mw_fadt_write(struct mw_aml *table, const struct mw_plan *plan)
{
	uint8_t fadt[FADT_BYTES] = { 0 };
	const struct mw_plan_node *fixed = mw_acpi_fixed_hardware(plan);
	uint32_t flags =
		fixed ? put_fixed_hardware(fadt, plan, fixed) : put_reduced_hardware(fadt, plan);
	struct mw_acpi_register reset;
	long rtc = mw_plan_role(plan, MW_ROLE_RTC, 0);
	if (put_register(fadt + FADT_RESET_REG, &reset, plan, MW_ROLE_RESET)) {
		fadt[FADT_RESET_VALUE] = (uint8_t)reset.value;
		flags |= FLAG_RESET_REG_SUP;
	}
	if (rtc >= 0)
		fadt[FADT_CENTURY] =
			(uint8_t)mw_type_role(plan->nodes[rtc].type, MW_ROLE_RTC)->value;
	mw_put_le(fadt + FADT_BOOT_ARCH, 2, boot_arch_flags(plan));
	mw_put_le(fadt + FADT_FLAGS, 4, flags);
	fadt[FADT_MINOR] = 5;
	mw_acpi_table_begin(table);
	for (size_t i = table->length; i < FADT_BYTES; i++)
		mw_aml_byte(table, fadt[i]);
	mw_acpi_table_end(table, plan, "FACP", 6);
}
