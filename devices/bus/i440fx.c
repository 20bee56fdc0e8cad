/* 82441FX PCI and memory controller, the host bridge of the 440FX: how a CPU reaches configuration space,
 * and which of the first megabyte's segments are RAM. References: Intel 82441FX data sheet (290549), section
 * 3; PCI Local Bus Specification 3.0, section 3.2.2.3.2. */
// SPDX-License-Identifier: MIT
#include "devices/bus/pci.h"

/* Configuration mechanism 1. */
enum { CONFADD = 0, CONFDATA = 4, CONFIG_PORTS = 8 };
#define CONFADD_ENABLE UINT32_C(0x80000000)
#define CONFADD_KEPT   UINT32_C(0x80fffffc)
/* Bus, device and function are above the register's number, and have more room in an address of core's. */
enum { CONFADD_REGISTER = 0xfc, CONFADD_FUNCTION_SHIFT = 8, FUNCTION_SHIFT = 12 };
enum { PAM = 0x59, PAM_COUNT = 7, SMRAM = 0x72, SEGMENT_LAST = 12 };
/* A half of a PAM register. */
enum { READ_ENABLE = 0x1, WRITE_ENABLE = 0x2 };
enum { D_OPEN = 0x40, D_CLS = 0x20, D_LCK = 0x10, SMRAME = 0x08, COMPATIBLE_BASE = 0x02 };
/* SERR# and PERR#; it answers and is a master whatever is written. */
enum { COMMAND_WRITABLE = 0x0140 };
enum { SHADOW_BASE = 0xc0000, SHADOW_BYTES = 0x40000, SMALL_SEGMENT = 0x4000 };
enum { SMRAM_BASE = 0xa0000, SMRAM_BYTES = 0x20000 };
/* All from E0000 down is in segments of 16 KiB, F0000 is one. */
enum { BIOS_OFFSET = 0x30000, BIOS_BYTES = 0x10000 };

struct i440fx {
	struct mw_memory *shadow, *smram;
	/* Guest-visible state. */
	uint32_t address;
	struct mw_pci pci;
};

/* Segments by address: C0000 is the low half of PAM1, EC000 the high half of PAM6, F0000 that of PAM0. */
static unsigned access_of(const struct i440fx *host, unsigned segment)
{
	unsigned half = segment == SEGMENT_LAST ? 1 : segment + 2;
	unsigned bits = (unsigned)host->pci.config[PAM + half / 2] >> (half % 2 ? 4 : 0);

	return (bits & READ_ENABLE ? MW_PIECE_READ : 0u) |
	       (bits & WRITE_ENABLE ? MW_PIECE_WRITE : 0u);
}

static struct mw_piece piece_of(unsigned segment, unsigned access)
{
	bool bios = segment == SEGMENT_LAST;
	uint64_t offset = bios ? BIOS_OFFSET : (uint64_t)segment * SMALL_SEGMENT;

	return (struct mw_piece){ .offset = offset,
				  .length = bios ? BIOS_BYTES : SMALL_SEGMENT,
				  .base = SHADOW_BASE + offset,
				  .access = access };
}

/* Neighbours with the same access are one piece. */
static void place_shadow(struct i440fx *host)
{
	struct mw_piece pieces[SEGMENT_LAST + 1];
	size_t count = 0;
	unsigned before = 0;

	for (unsigned segment = 0; segment <= SEGMENT_LAST; segment++) {
		unsigned access = access_of(host, segment);
		struct mw_piece piece = piece_of(segment, access);

		if (access && access == before)
			pieces[count - 1].length += piece.length;
		else if (access)
			pieces[count++] = piece;
		before = access;
	}
	mw_region_place(host, "shadow", pieces, count);
}

/* Without a CPU in system management mode it is seen only where it is open. */
static void place_smram(struct i440fx *host)
{
	uint8_t smram = host->pci.config[SMRAM];
	bool open = (smram & (D_OPEN | D_CLS | SMRAME)) == (D_OPEN | SMRAME);

	mw_region_move(host, "smram", SMRAM_BASE, open);
}

/* D_LCK stays until power fails, and D_OPEN is zero beside it; the base is A0000 whatever is written. */
static uint8_t smram_after(uint8_t before, uint8_t now)
{
	now |= before & D_LCK;
	if (now & D_LCK)
		now &= (uint8_t)~D_OPEN;
	return now;
}

static enum mw_io read_config(void *self, uint32_t offset, unsigned size, uint32_t *value)
{
	struct i440fx *host = self;

	return mw_pci_read(&host->pci, offset, size, value);
}

static enum mw_io write_config(void *self, uint32_t offset, unsigned size, uint32_t value)
{
	struct i440fx *host = self;
	uint8_t before = host->pci.config[SMRAM];
	enum mw_io io = mw_pci_write(&host->pci, offset, size, value);

	mw_pci_put(&host->pci, SMRAM, 1, smram_after(before, host->pci.config[SMRAM]));
	if (offset + size > PAM && offset < PAM + PAM_COUNT)
		place_shadow(host);
	if (host->pci.config[SMRAM] != before)
		place_smram(host);
	return io;
}

static bool window(void *self, uint64_t offset, unsigned size, uint32_t *address)
{
	const struct i440fx *host = self;

	if (offset < CONFDATA || !(host->address & CONFADD_ENABLE))
		return false;
	*address = (host->address & ~CONFADD_ENABLE) >> CONFADD_FUNCTION_SHIFT << FUNCTION_SHIFT;
	*address |= (host->address & CONFADD_REGISTER) + (uint32_t)(offset - CONFDATA);
	return true;
}

/* 3.1: only a dword at 0xcf8 is the address register. Other accesses there go on to the bus, where nobody answers;
 * systems that look for another configuration mechanism make such. */
static enum mw_io read_ports(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	const struct i440fx *host = self;

	if (offset >= CONFDATA)
		return MW_IO_NO_REGISTER;
	*value = offset == CONFADD && size == 4 ? host->address : UINT32_MAX;
	return MW_IO_OK;
}

static enum mw_io write_ports(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct i440fx *host = self;

	if (offset >= CONFDATA)
		return MW_IO_NO_REGISTER;
	if (offset == CONFADD && size == 4)
		host->address = (uint32_t)value & CONFADD_KEPT;
	return MW_IO_OK;
}

static void place(struct i440fx *host)
{
	place_shadow(host);
	place_smram(host);
}

static const struct mw_region regions[] = {
	{ "cfg", MW_SPACE_PORT, CONFIG_PORTS, MW_ACCESS(1, 4), .read = read_ports,
	  .write = write_ports, .align = 8, .config_window = window },
	{ "shadow", MW_SPACE_MEMORY, SHADOW_BYTES, .backing = MW_BACKING_RAM,
	  .memory_offset = offsetof(struct i440fx, shadow), .optional = true, .movable = true },
	{ "smram", MW_SPACE_MEMORY, SMRAM_BYTES, .backing = MW_BACKING_RAM,
	  .memory_offset = offsetof(struct i440fx, smram), .optional = true, .movable = true },
};
/* What has to do with the timing and the parity of DRAM, with caches and buffers keeps what a BIOS writes. */
static const struct mw_pci_register registers[] = {
	{ MW_PCI_COMMAND, 2, .reset = MW_PCI_MEMORY | MW_PCI_MASTER, .writable = COMMAND_WRITABLE },
	{ 0x50, 2, .writable = 0xffff },                          /* PMCCFG */
	{ 0x52, 1, .writable = 0xff },                            /* DETURBO */
	{ 0x53, 1, .writable = 0xff },                            /* DBC */
	{ 0x54, 1, .writable = 0xff },                            /* AXC */
	{ 0x55, 2, .writable = 0xffff },                          /* DRT */
	{ 0x57, 1, .reset = 0x01, .writable = 0xff },             /* DRAMC */
	{ 0x58, 1, .writable = 0xff },                            /* DRAMT */
	{ 0x59, 1, .writable = 0x30 },                            /* PAM0 */
	{ 0x5a, 2, .writable = 0x3333 },                          /* PAM1, PAM2 */
	{ 0x5c, 4, .writable = 0x33333333 },                      /* PAM3 to PAM6 */
	{ 0x60, 4, .reset = 0x01010101, .writable = 0xffffffff }, /* DRB0 to DRB3 */
	{ 0x64, 4, .reset = 0x01010101, .writable = 0xffffffff }, /* DRB4 to DRB7 */
	{ 0x68, 1, .writable = 0xff },                            /* FDHC */
	{ 0x70, 1, .writable = 0xff },                            /* MTT */
	{ 0x71, 1, .reset = 0x10, .writable = 0xff },             /* CLT */
	{ SMRAM, 1, .reset = COMPATIBLE_BASE, .writable = D_OPEN | D_CLS | D_LCK | SMRAME },
	{ 0x90, 1, .writable = 0xff }, /* ERRCMD */
	{ 0x93, 1, .writable = 0xff }, /* TRC */
};
static const struct mw_pci_type pci_type = {
	.identity = {
		.vendor = 0x8086,
		.device = 0x1237,
		.subsystem_vendor = 0x1af4, /* by which firmware knows a machine without a board's setup */
		.subsystem = 0x1100,
		.class_code = 0x060000,
		.revision = 0x02,
	},
	.status = 0x0280,
	.registers = registers,
	.register_count = sizeof(registers) / sizeof(registers[0]),
};

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	struct i440fx *host = self;

	mw_pci_init(&host->pci, host, &pci_type);
	return true;
}

static void after_reset(void *self)
{
	struct i440fx *host = self;

	mw_pci_reset(&host->pci);
	place(host);
}

static void after_load(void *self)
{
	struct i440fx *host = self;

	host->address &= CONFADD_KEPT;
	mw_pci_loaded(&host->pci);
	mw_pci_put(&host->pci, SMRAM, 1, smram_after(0, host->pci.config[SMRAM]));
	place(host);
}

static const struct mw_state state[] = {
	{ "address", MW_FIELD(struct i440fx, address), .since = 1 },
	{ "pci", MW_STRUCT(struct i440fx, pci, mw_pci_rows), .since = 1 },
};
static const struct mw_config_ops config = { read_config, write_config, &pci_type.identity };
/* Shadow RAM from C0000 on, so that tables have their place below 1 MiB. */
static const struct mw_setup_row setup[] = {
	{ PAM, 1, 0x30, NULL },
	{ PAM + 1, 2, 0x3333, NULL },
	{ PAM + 3, 4, 0x33333333, NULL },
};
static const char *const buses[] = { "sys", NULL };

const struct mw_device_type i440fx_host_type = {
	MW_DEVICE_TYPE,
	.name = "i440fx-host",
	.summary = "440FX host bridge: PCI configuration, shadow RAM and SMRAM",
	.size = sizeof(struct i440fx),
	.state_version = 1,
	.buses = buses,
	.provides = "pci",
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state),
	.ops = { .init = init, .after_reset = after_reset, .after_load = after_load },
	.firmware = { .setup = MW_TABLE(setup) },
	.config = &config,
};
