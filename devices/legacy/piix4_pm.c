/* 82371AB (PIIX4) function 3: ACPI's fixed hardware, the SMI command port and the SMBus host.
 * Reference: Intel 82371AB data sheet (290562), chapter 7. */
// SPDX-License-Identifier: MIT
#include "devices/bus/pci.h"
#include "devices/legacy/pm1.h"

/* Configuration space. */
enum { PMBA = 0x40, DEVACTB = 0x58, PMREGMISC = 0x80, SMBBA = 0x90, SMBHSTCFG = 0xd2 };
enum { PMBA_MASK = 0xffc0, SMBBA_MASK = 0xfff0, PMIOSE = 0x01, SMB_HST_EN = 0x01 };
enum { SMB_INTRSEL = 0x0e, SMB_INTRSEL_IRQ9 = 0x08 };
#define DEVACTB_APMC_EN UINT32_C(0x02000000)
/* The power management block beyond PM1. */
enum { GPSTS = 0x0c, GPEN = 0x0e, PM_SIZE = 0x40, BLOCK_BYTES = PM_SIZE - MW_PM1_SIZE };
enum { APMC, APMS };
enum { ACPI_ENABLE = 0xf1, ACPI_DISABLE = 0xf0 };
/* SMBus host. */
enum { HSTSTS, SLVSTS, HSTCNT, HSTCMD, HSTADD, HSTDAT0, HSTDAT1, BLKDAT, SLVCNT, SMB_SIZE = 0x10 };
enum { SMBINT = 0x02, DEV_ERR = 0x04, BUS_ERR = 0x08, FAILED = 0x10 };
enum { HOST_EVENTS = SMBINT | DEV_ERR | BUS_ERR | FAILED, SLAVE_EVENTS = 0x3c };
enum { INTEREN = 0x01, KILL = 0x02, PROTOCOL = 0x1c, START = 0x40 };
enum { SMB_BLOCK = 32 };

struct piix4_pm {
	struct mw_line *sci;
	struct mw_pm1 pm1;
	/* Guest-visible state. */
	uint8_t block[BLOCK_BYTES]; /* GPSTS and on */
	uint8_t apm[2];
	uint8_t smb[SLVCNT + 1];
	uint8_t smb_block[SMB_BLOCK], smb_at;
	struct mw_pci pci;
};

/* What is in the block beyond PM1. Nothing here measures time or heat or watches devices: those registers
 * keep what is written. */
struct block_register {
	uint8_t at, size;
	uint32_t reset, writable, clear;
};
static const struct block_register block_registers[] = {
	{ GPSTS, 2, .clear = 0x0f01 },
	{ GPEN, 2, .writable = 0x0f01 },
	{ 0x10, 4, .writable = 0x00023e1e },                      /* PCNTRL */
	{ 0x18, 2, .clear = 0x0d63 },                             /* GLBSTS */
	{ 0x1c, 4, .clear = 0x3fff0fff },                         /* DEVSTS */
	{ 0x20, 2, .writable = 0x8d73 },                          /* GLBEN */
	{ 0x28, 4, .writable = 0x07ffff0f },                      /* GLBCTL */
	{ 0x2c, 4, .writable = 0x3fffffff },                      /* DEVCTL */
	{ 0x30, 4, .reset = 0x003fffff },                         /* GPIREG: nothing pulls low */
	{ 0x34, 4, .reset = 0x7fffbfff, .writable = 0x7fffffff }, /* GPOREG */
};
enum { BLOCK_REGISTERS = sizeof(block_registers) / sizeof(block_registers[0]) };

static const struct block_register *block_register_at(uint64_t at)
{
	for (unsigned i = 0; i < BLOCK_REGISTERS; i++) {
		const struct block_register *row = &block_registers[i];

		if (at >= row->at && at < (uint64_t)row->at + row->size)
			return row;
	}
	return NULL;
}

static uint8_t byte_of(const struct block_register *row, uint64_t at, uint32_t value)
{
	return (uint8_t)(value >> (8 * (at - row->at)));
}

static unsigned block_word(const struct piix4_pm *pm, unsigned at)
{
	const uint8_t *bytes = &pm->block[at - MW_PM1_SIZE];

	return bytes[0] | (unsigned)bytes[1] << 8;
}

static bool smbus_interrupts(const struct piix4_pm *pm)
{
	return pm->smb[HSTSTS] & HOST_EVENTS && pm->smb[HSTCNT] & INTEREN &&
	       (pm->pci.config[SMBHSTCFG] & SMB_INTRSEL) == SMB_INTRSEL_IRQ9;
}

/* Before an operating system has taken it over, events are the firmware's, by SMI. */
static void drive_sci(void *self, bool event)
{
	struct piix4_pm *pm = self;
	bool general = block_word(pm, GPSTS) & block_word(pm, GPEN);
	bool sci = (event || general) && pm->pm1.control & MW_PM1_SCI_EN;

	mw_line_set(pm->sci, sci || smbus_interrupts(pm));
}

static void update_sci(struct piix4_pm *pm)
{
	drive_sci(pm, mw_pm1_pending(&pm->pm1));
}

static void on_toggle(void *self)
{
	struct piix4_pm *pm = self;

	mw_pm1_update(&pm->pm1);
}

static void on_power_button(void *self, unsigned index, bool level)
{
	struct piix4_pm *pm = self;

	mw_pm1_event(&pm->pm1, &pm->pm1.power_button, level, MW_PM1_POWER_BUTTON);
}

static void on_rtc_alarm(void *self, unsigned index, bool level)
{
	struct piix4_pm *pm = self;

	mw_pm1_event(&pm->pm1, &pm->pm1.rtc_alarm, level, MW_PM1_RTC);
}

static enum mw_io read_pm(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	struct piix4_pm *pm = self;

	if (offset < MW_PM1_SIZE)
		return mw_pm1_read(&pm->pm1, offset, size, value);
	*value = 0;
	for (unsigned i = 0; i < size; i++)
		*value |= (uint64_t)pm->block[offset - MW_PM1_SIZE + i] << (8 * i);
	return MW_IO_OK;
}

static enum mw_io write_pm(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct piix4_pm *pm = self;

	if (offset < MW_PM1_SIZE)
		return mw_pm1_write(&pm->pm1, offset, size, value);
	for (unsigned i = 0; i < size; i++) {
		const struct block_register *row = block_register_at(offset + i);
		uint8_t *byte = &pm->block[offset - MW_PM1_SIZE + i];
		uint8_t bits = (uint8_t)(value >> (8 * i));

		if (!row)
			continue;
		uint8_t writable = byte_of(row, offset + i, row->writable);

		*byte = (uint8_t)((*byte & ~writable) | (bits & writable));
		*byte &= (uint8_t) ~(bits & byte_of(row, offset + i, row->clear));
	}
	update_sci(pm);
	return MW_IO_OK;
}

static uint64_t get_apmc(void *self)
{
	const struct piix4_pm *pm = self;

	return pm->apm[APMC];
}

/* There is no SMI handler: what the two commands of the tables would have it do happens here. */
static void set_apmc(void *self, uint64_t value)
{
	struct piix4_pm *pm = self;

	pm->apm[APMC] = (uint8_t)value;
	if (value == ACPI_ENABLE)
		pm->pm1.control |= MW_PM1_SCI_EN;
	if (value == ACPI_DISABLE)
		pm->pm1.control &= (uint16_t)~MW_PM1_SCI_EN;
	mw_pm1_update(&pm->pm1);
}

/* Nobody answers at any address. */
static void start_smbus(struct piix4_pm *pm, uint8_t control)
{
	if (control & KILL)
		pm->smb[HSTSTS] |= FAILED;
	else if (control & START)
		pm->smb[HSTSTS] |= DEV_ERR;
}

static enum mw_io read_smb(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	struct piix4_pm *pm = self;

	if (offset == BLKDAT) {
		*value = pm->smb_block[pm->smb_at];
		pm->smb_at = (uint8_t)((pm->smb_at + 1) % SMB_BLOCK);
		return MW_IO_OK;
	}
	if (offset == HSTCNT) /* 7.3.3: reading it starts the block anew */
		pm->smb_at = 0;
	*value = offset <= SLVCNT ? pm->smb[offset] : 0;
	return MW_IO_OK;
}

static enum mw_io write_smb(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	static const uint8_t writable[SLVCNT + 1] = { [HSTCNT] = INTEREN | KILL | PROTOCOL,
						      [HSTCMD] = 0xff,
						      [HSTADD] = 0xff,
						      [HSTDAT0] = 0xff,
						      [HSTDAT1] = 0xff,
						      [SLVCNT] = 0x0f };
	static const uint8_t clear[SLVCNT + 1] = {
		[HSTSTS] = HOST_EVENTS, [SLVSTS] = SLAVE_EVENTS
	};
	struct piix4_pm *pm = self;
	uint8_t bits = (uint8_t)value;

	if (offset == BLKDAT) {
		pm->smb_block[pm->smb_at] = bits;
		pm->smb_at = (uint8_t)((pm->smb_at + 1) % SMB_BLOCK);
		return MW_IO_OK;
	}
	if (offset > SLVCNT)
		return MW_IO_OK;
	pm->smb[offset] &= (uint8_t) ~(writable[offset] | (bits & clear[offset]));
	pm->smb[offset] |= bits & writable[offset];
	if (offset == HSTCNT)
		start_smbus(pm, bits);
	update_sci(pm);
	return MW_IO_OK;
}

static void place(struct piix4_pm *pm)
{
	const struct mw_pci *pci = &pm->pci;
	uint32_t block = mw_pci_get(pci, PMBA, 4) & PMBA_MASK;
	uint32_t smb = mw_pci_get(pci, SMBBA, 4) & SMBBA_MASK;
	bool smb_on =
		pci->config[SMBHSTCFG] & SMB_HST_EN && pci->config[MW_PCI_COMMAND] & MW_PCI_IO;

	mw_region_move(pm, "pm", block, block && pci->config[PMREGMISC] & PMIOSE);
	if (mw_region_length(pm, "smb"))
		mw_region_move(pm, "smb", smb, smb && smb_on);
}

static void on_config(void *self, unsigned at, unsigned size)
{
	struct piix4_pm *pm = self;

	place(pm);
	update_sci(pm);
}

static const struct mw_wire wires[] = {
	{ "sci", "System control interrupt, and the SMBus host's: IRQ 9.",
	  MW_FIELD(struct piix4_pm, sci) },
	{ "power", "Power-off requests.", MW_FIELD(struct piix4_pm, pm1.power) },
	{ "power_button", "Pressed while high.", MW_SINK(1), .optional = true,
	  .on_level = on_power_button },
	{ "rtc_alarm", "Alarm of the clock chip; its rising edge is the event.", MW_SINK(1),
	  .optional = true, .on_level = on_rtc_alarm },
};
static const struct mw_timer_row timers[] = {
	{ "toggle", "The PM timer's top bit changes.", MW_FIELD(struct piix4_pm, pm1.toggle),
	  .on_expire = on_toggle },
};
static const struct mw_register smi_registers[] = {
	{ "APMC", APMC, .get = get_apmc, .set = set_apmc },
	{ "APMS", APMS, MW_FIELD(struct piix4_pm, apm[APMS]), .writable = 0xff },
};
static const struct mw_region regions[] = {
	{ "pm", MW_SPACE_PORT, PM_SIZE, MW_ACCESS(1, 4), .read = read_pm, .write = write_pm,
	  .align = PM_SIZE, .movable = true },
	{ "smb", MW_SPACE_PORT, SMB_SIZE, MW_ACCESS(1, 1), .read = read_smb, .write = write_smb,
	  .align = SMB_SIZE, .optional = true, .movable = true },
	{ "smi", MW_SPACE_PORT, 2, MW_ACCESS(1, 1), .registers = MW_TABLE(smi_registers) },
};
/* APMC_EN reads as one, by which firmware knows that there is nothing to be set up for SMIs. */
static const struct mw_pci_register registers[] = {
	{ MW_PCI_COMMAND, 2, .writable = 0x0009 },
	{ MW_PCI_LINE, 1, .writable = 0xff },
	{ PMBA, 4, .reset = 0x00000001, .writable = PMBA_MASK },
	{ 0x44, 4, .writable = 0xffffffff }, /* CNTA */
	{ 0x48, 4, .writable = 0x7fffffff }, /* CNTB */
	{ 0x4c, 4, .writable = 0x0fffffff }, /* GPICTL */
	{ 0x50, 2, .writable = 0xffff },     /* DEVRESD */
	{ 0x52, 1, .writable = 0xff },
	{ 0x54, 4, .writable = 0xffffffff }, /* DEVACTA */
	{ DEVACTB, 4, .reset = DEVACTB_APMC_EN, .writable = 0x03ffffff },
	{ 0x5c, 4, .writable = 0xffffffff }, /* DEVRESA */
	{ 0x60, 4, .writable = 0xffffffff }, /* DEVRESB */
	{ 0x64, 4, .writable = 0xffffffff }, /* DEVRESC */
	{ 0x68, 2, .writable = 0xffff },     /* DEVRESE */
	{ 0x6a, 1, .writable = 0xff },
	{ 0x6c, 2, .writable = 0xffff }, /* DEVRESF */
	{ 0x6e, 1, .writable = 0xff },
	{ 0x70, 2, .writable = 0xffff }, /* DEVRESG */
	{ 0x72, 1, .writable = 0xff },
	{ 0x74, 4, .writable = 0xffffffff }, /* DEVRESH */
	{ 0x78, 4, .writable = 0xffffffff }, /* DEVRESI */
	{ 0x7c, 4, .writable = 0xffffffff }, /* DEVRESJ */
	{ PMREGMISC, 1, .writable = PMIOSE },
	{ SMBBA, 4, .reset = 0x00000001, .writable = SMBBA_MASK },
	{ SMBHSTCFG, 1, .writable = SMB_HST_EN | SMB_INTRSEL },
	{ 0xd3, 1, .writable = 0xff }, /* SMBSLVC */
	{ 0xd4, 1, .writable = 0xff }, /* SMBSHDW1 */
	{ 0xd5, 1, .writable = 0xff }, /* SMBSHDW2 */
};
/* The SCI is IRQ 9 and no INTx. */
static const struct mw_pci_type pci_type = {
	.identity = {
		.vendor = 0x8086,
		.device = 0x7113,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class_code = 0x068000,
		.revision = 0x03,
		.pin = 1,
	},
	.status = 0x0280,
	.registers = registers,
	.register_count = sizeof(registers) / sizeof(registers[0]),
	.changed = on_config,
};
static const struct mw_pm1_type pm1_type = {
	.enables = MW_PM1_TIMER | MW_PM1_GLOBAL | MW_PM1_POWER_BUTTON | MW_PM1_RTC,
	.controls = MW_PM1_SCI_EN | MW_PM1_BM_RLD | MW_PM1_SLP_TYP,
	.drive = drive_sci,
};

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct piix4_pm *pm = self;

	pm->pm1.timer_bits = 24;
	mw_pm1_init(&pm->pm1, pm, &pm1_type);
	mw_pci_init(&pm->pci, pm, &pci_type);
	return true;
}

static void after_reset(void *self)
{
	struct piix4_pm *pm = self;

	mw_pci_reset(&pm->pci);
	for (unsigned i = 0; i < BLOCK_REGISTERS; i++) {
		const struct block_register *row = &block_registers[i];

		for (unsigned at = row->at; at < (unsigned)row->at + row->size; at++)
			pm->block[at - MW_PM1_SIZE] = byte_of(row, at, row->reset);
	}
	place(pm);
}

/* A bit that is neither written nor cleared by a guest has its value of reset. */
static void after_load(void *self)
{
	struct piix4_pm *pm = self;

	for (unsigned at = MW_PM1_SIZE; at < PM_SIZE; at++) {
		const struct block_register *row = block_register_at(at);
		uint8_t *byte = &pm->block[at - MW_PM1_SIZE];
		uint8_t kept = row ? byte_of(row, at, row->writable | row->clear) : 0;
		uint8_t reset = row ? byte_of(row, at, row->reset) : 0;

		*byte = (uint8_t)((*byte & kept) | (reset & ~kept));
	}
	pm->smb[HSTSTS] &= HOST_EVENTS;
	pm->smb[SLVSTS] &= SLAVE_EVENTS;
	pm->smb[HSTCNT] &= INTEREN | KILL | PROTOCOL;
	pm->smb_at %= SMB_BLOCK;
	mw_pm1_loaded(&pm->pm1);
	mw_pci_loaded(&pm->pci);
	place(pm);
	update_sci(pm);
}

static const struct mw_state state[] = {
	MW_PM1_STATE(struct piix4_pm, 0),
	{ "block", MW_ARRAY(struct piix4_pm, block), .since = 1 },
	{ "apm", MW_ARRAY(struct piix4_pm, apm), .since = 1 },
	{ "smb", MW_ARRAY(struct piix4_pm, smb), .since = 1 },
	{ "smb_block", MW_ARRAY(struct piix4_pm, smb_block), .since = 1 },
	{ "smb_at", MW_FIELD(struct piix4_pm, smb_at), .since = 1 },
	{ "pci", MW_STRUCT(struct piix4_pm, pci, mw_pci_rows), .since = 1 },
};
static const struct mw_config_ops config = MW_PCI_CONFIG(struct piix4_pm, pci, pci_type);
static const struct mw_role_row roles[] = {
	{ MW_ROLE_PM1, "pm", MW_PM1_STS, 4 },
	{ MW_ROLE_PM1_CONTROL, "pm", MW_PM1_CNT, 2, MW_PM1_SOFT_OFF },
	{ MW_ROLE_PM_TIMER, "pm", MW_PM1_TMR, 4 },
	{ MW_ROLE_TIMER, "pm", MW_PM1_TMR, 4 },
	{ MW_ROLE_GPE0, "pm", GPSTS, 4 },
	{ MW_ROLE_SMI_COMMAND, "smi", APMC, 1, ACPI_ENABLE | ACPI_DISABLE << 8 },
};
static const struct mw_setup_row setup[] = {
	{ PMBA, 4, 0, "pm" },
	{ PMREGMISC, 1, PMIOSE, NULL },
	{ SMBBA, 4, 0, "smb" },
	{ SMBHSTCFG, 1, SMB_HST_EN | SMB_INTRSEL_IRQ9, NULL },
};
/* The FADT names the SCI; it is in nobody's _CRS. */
static const char *const described[] = { "sci", NULL };
static const char *const buses[] = { "pci", NULL };

const struct mw_device_type piix4_pm_type = {
	MW_DEVICE_TYPE,
	.name = "piix4-pm",
	.summary = "PIIX4 power management: ACPI's fixed hardware, SMI command port, SMBus host",
	.size = sizeof(struct piix4_pm),
	.state_version = 1,
	.buses = buses,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.timers = MW_TABLE(timers),
	.state = MW_TABLE(state),
	.ops = { .init = init, .after_reset = after_reset, .after_load = after_load },
	.firmware = { .roles = MW_TABLE(roles), .aml_claims = described, .setup = MW_TABLE(setup) },
	.config = &config,
};
