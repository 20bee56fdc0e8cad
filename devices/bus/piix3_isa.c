/* 82371SB (PIIX3) function 0, the bridge from PCI to ISA: interrupt routing and the reset register.
 * References: Intel 82371SB data sheet (290550), sections 2.2 and 2.5.6. */
// SPDX-License-Identifier: MIT
#include "devices/bus/pci.h"

enum { PIRQS = 4, IRQS = 16, PIRQRC = 0x60 };
enum { ROUTE_OFF = 0x80, ROUTE_IRQ = 0x0f };
/* Reset control (RC, 0xcf9). */
enum { RESET_HARD = 0x02, RESET_CPU = 0x04, RESET_KEPT = RESET_HARD | RESET_CPU };

struct piix3_isa {
	struct mw_line *irq3, *irq4, *irq5, *irq6, *irq7, *irq9, *irq10, *irq11, *irq12, *irq14,
		*irq15;
	struct mw_power *power;
	/* Guest-visible state. */
	uint8_t reset_control;
	bool pirq[PIRQS]; /* levels */
	struct mw_pci pci;
};

/* NULL: a line that no PIRQ can be routed to. */
static struct mw_line *line_of(const struct piix3_isa *isa, unsigned irq)
{
	struct mw_line *const lines[IRQS] = {
		[3] = isa->irq3,   [4] = isa->irq4,   [5] = isa->irq5,   [6] = isa->irq6,
		[7] = isa->irq7,   [9] = isa->irq9,   [10] = isa->irq10, [11] = isa->irq11,
		[12] = isa->irq12, [14] = isa->irq14, [15] = isa->irq15,
	};

	return lines[irq];
}

static void drive(struct piix3_isa *isa)
{
	bool high[IRQS] = { false };

	for (unsigned i = 0; i < PIRQS; i++) {
		uint8_t route = isa->pci.config[PIRQRC + i];

		if (!(route & ROUTE_OFF) && isa->pirq[i])
			high[route & ROUTE_IRQ] = true;
	}
	for (unsigned irq = 0; irq < IRQS; irq++) {
		struct mw_line *line = line_of(isa, irq);

		if (line)
			mw_line_set(line, high[irq]);
	}
}

static void on_pirq(void *self, unsigned index, bool level)
{
	struct piix3_isa *isa = self;

	isa->pirq[index] = level;
	drive(isa);
}

/* An ISA line that the machine does not have for PIRQs is as good as none. */
static bool is_route(const struct piix3_isa *isa, unsigned irq)
{
	const struct mw_line *line = line_of(isa, irq);

	return line && mw_line_wired(line);
}

static void on_config(void *self, unsigned at, unsigned size)
{
	struct piix3_isa *isa = self;

	for (unsigned i = 0; i < PIRQS; i++) {
		uint8_t route = isa->pci.config[PIRQRC + i];

		if (PIRQRC + i < at || PIRQRC + i >= at + size || route & ROUTE_OFF)
			continue;
		if (!is_route(isa, route & ROUTE_IRQ))
			mw_guest_log(isa, "PIRQ%c cannot be routed to IRQ %d", 'A' + (char)i,
				     route & ROUTE_IRQ);
	}
	drive(isa);
}

static uint64_t get_reset(void *self)
{
	const struct piix3_isa *isa = self;

	return isa->reset_control;
}

/* Hard or soft, the whole machine begins anew: its firmware asks for no other. */
static void set_reset(void *self, uint64_t value)
{
	struct piix3_isa *isa = self;
	bool rises = value & RESET_CPU && !(isa->reset_control & RESET_CPU);

	isa->reset_control = value & RESET_KEPT;
	if (rises)
		mw_power_request(isa->power, MW_POWER_RESET, 0);
}

#define ROUTE(n)                                                             \
	{                                                                    \
		"irq" #n, "The line that PIRQs routed to IRQ " #n " drive.", \
			MW_FIELD(struct piix3_isa, irq##n), .optional = true \
	}
static const struct mw_wire wires[] = {
	{ "pirq", "PIRQA# to PIRQD#; high: asserted.", MW_SINK(PIRQS), .on_level = on_pirq },
	ROUTE(3),
	ROUTE(4),
	ROUTE(5),
	ROUTE(6),
	ROUTE(7),
	ROUTE(9),
	ROUTE(10),
	ROUTE(11),
	ROUTE(12),
	ROUTE(14),
	ROUTE(15),
	{ "power", "Reset requests.", MW_FIELD(struct piix3_isa, power) },
};
static const struct mw_register reset_registers[] = {
	{ "RC", 0, .get = get_reset, .set = set_reset },
};
static const struct mw_region regions[] = {
	{ "reset", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .registers = MW_TABLE(reset_registers) },
};
/* What decodes chips of other makes, times ISA cycles or makes SMIs keeps what is written. */
static const struct mw_pci_register registers[] = {
	{ MW_PCI_COMMAND, 2, .reset = 0x0007, .writable = 0x0008 },
	{ 0x4c, 1, .reset = 0x4d, .writable = 0xff },     /* IORT */
	{ 0x4e, 2, .reset = 0x0003, .writable = 0xffff }, /* XBCS */
	{ PIRQRC, 4, .reset = 0x80808080, .writable = 0x8f8f8f8f },
	{ 0x69, 1, .reset = 0x02, .writable = 0xfe },     /* TOM */
	{ 0x6a, 2, .writable = 0x80fd },                  /* MSTAT */
	{ 0x70, 1, .reset = 0x80, .writable = 0xef },     /* MBIRQ0 */
	{ 0x76, 2, .reset = 0x0c0c, .writable = 0x8f8f }, /* MBDMA */
	{ 0x78, 2, .reset = 0x0002, .writable = 0xffff }, /* PCSC */
	{ 0x80, 1, .writable = 0x7f },                    /* APICBASE */
	{ 0x82, 1, .writable = 0x0f },                    /* DLC */
	{ 0xa0, 1, .reset = 0x08, .writable = 0x1f },     /* SMICNTL */
	{ 0xa2, 2, .writable = 0x01ff },                  /* SMIEN */
	{ 0xa4, 4, .writable = 0xf000fffb },              /* SEE */
	{ 0xa8, 1, .reset = 0x0f, .writable = 0xff },     /* FTMR */
	{ 0xaa, 2, .writable = 0x01ff },                  /* SMIREQ */
	{ 0xac, 1, .writable = 0xff },                    /* CTLTMR */
	{ 0xae, 1, .writable = 0xff },                    /* CTHTMR */
};
static const struct mw_pci_type pci_type = {
	.identity = {
		.vendor = 0x8086,
		.device = 0x7000,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class_code = 0x060100,
		.header = 0x80,
	},
	.status = 0x0200,
	.registers = registers,
	.register_count = sizeof(registers) / sizeof(registers[0]),
	.changed = on_config,
};

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct piix3_isa *isa = self;

	mw_pci_init(&isa->pci, isa, &pci_type);
	return true;
}

static void after_reset(void *self)
{
	struct piix3_isa *isa = self;

	mw_pci_reset(&isa->pci);
	drive(isa);
}

static void after_load(void *self)
{
	struct piix3_isa *isa = self;

	isa->reset_control &= RESET_KEPT;
	mw_pci_loaded(&isa->pci);
	drive(isa);
}

static const struct mw_state state[] = {
	{ "reset_control", MW_FIELD(struct piix3_isa, reset_control), .since = 1 },
	{ "pirq", MW_ARRAY(struct piix3_isa, pirq), .since = 1 },
	{ "pci", MW_STRUCT(struct piix3_isa, pci, mw_pci_rows), .since = 1 },
};
static const struct mw_config_ops config = MW_PCI_CONFIG(struct piix3_isa, pci, pci_type);
static const struct mw_role_row roles[] = {
	{ MW_ROLE_RESET, "reset", 0, 1, RESET_HARD | RESET_CPU },
};
static const char *const buses[] = { "pci", NULL };

const struct mw_device_type piix3_isa_type = {
	MW_DEVICE_TYPE,
	.name = "piix3-isa",
	.summary = "PIIX3 ISA bridge: PIRQ routing and the reset register",
	.size = sizeof(struct piix3_isa),
	.state_version = 1,
	.buses = buses,
	.provides = "isa",
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state),
	.ops = { .init = init, .after_reset = after_reset, .after_load = after_load },
	.firmware = { .roles = MW_TABLE(roles), .pirq = PIRQRC },
	.config = &config,
};
