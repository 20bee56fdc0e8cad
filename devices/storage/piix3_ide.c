/* IDE controller of the PIIX3, PCI function 1: its channels and what is of PCI. Reference: Intel 82371FB
 * (PIIX) and 82371SB (PIIX3) data sheet (290550), 2.3. */
// SPDX-License-Identifier: MIT
#include "devices/storage/piix3_ide_internal.h"

enum { COMMAND_PORTS = 8 };
/* IDETIM: one of 16 bits for each channel. */
enum { IDETIM = 0x40, SIDETIM = 0x44, IDETIM_DECODE = 0x8000, IDETIM_BITS = 0xf3ff };
/* A channel that nobody drives: the host pulls DD7 down (ATA/ATAPI-7, volume 2, 5.2). */
enum { NOBODY = 0x7f };

/* 2.3.7: the legacy ports answer with both of these. */
static bool is_decoded(const struct piix3_ide *ide, unsigned number)
{
	return mw_pci_get(&ide->pci, IDETIM + 2 * number, 2) & IDETIM_DECODE &&
	       ide->pci.config[MW_PCI_COMMAND] & MW_PCI_IO;
}

/* Where drive 1 is not there, drive 0 answers for it, and its status is zero (9.16.1). */
static uint8_t read_register(struct piix3_ide *ide, unsigned number, unsigned reg)
{
	unsigned unit = piix3_unit(&ide->channels[number]);

	if (ide->drives[number][unit])
		return ide->ops[number][unit]->read(ide->drives[number][unit], reg);
	if (!unit || !ide->drives[number][0])
		return NOBODY;
	return reg >= MW_IDE_STATUS ? 0 : ide->ops[number][0]->read(ide->drives[number][0], reg);
}

static bool is_busy(struct piix3_ide *ide, unsigned number)
{
	unsigned unit = piix3_unit(&ide->channels[number]);
	void *drive = ide->drives[number][unit];

	return drive &&
	       ide->ops[number][unit]->read(drive, MW_IDE_CONTROL) & (MW_IDE_BSY | MW_IDE_DRQ);
}

/* The command block is the drive's alone while it is busy (9.1); what a command is then, it decides. */
static void write_register(struct piix3_ide *ide, unsigned number, unsigned reg, uint8_t value)
{
	struct piix3_channel *channel = &ide->channels[number];

	if (reg < MW_IDE_STATUS && is_busy(ide, number))
		return;
	for (unsigned unit = 0; unit < MW_IDE_UNITS; unit++) {
		const struct mw_ide_drive *ops = ide->ops[number][unit];
		void *drive = ide->drives[number][unit];

		if (!drive)
			continue;
		ops->write(drive, reg, value);
		if (reg >= MW_IDE_DEVICE)
			channel->device = ops->read(drive, MW_IDE_DEVICE);
	}
}

static uint32_t read_data(struct piix3_ide *ide, unsigned number, unsigned size)
{
	unsigned unit = piix3_unit(&ide->channels[number]);
	void *drive = ide->drives[number][unit];

	return drive ? ide->ops[number][unit]->read_data(drive, size) : UINT32_MAX;
}

static void write_data(struct piix3_ide *ide, unsigned number, unsigned size, uint32_t value)
{
	unsigned unit = piix3_unit(&ide->channels[number]);
	void *drive = ide->drives[number][unit];

	if (drive)
		ide->ops[number][unit]->write_data(drive, size, value);
}

/* The data register is 16 bits wide: a byte of it costs a word. */
static enum mw_io read_command_block(struct piix3_ide *ide, unsigned number, uint64_t offset,
				     unsigned size, uint64_t *value)
{
	if (!is_decoded(ide, number)) {
		*value = UINT32_MAX;
	} else if (offset == MW_IDE_DATA) {
		*value = read_data(ide, number, size < 2 ? 2 : size);
	} else {
		*value = 0;
		for (unsigned i = 0; i < size; i++)
			*value |= (uint64_t)read_register(ide, number, (unsigned)offset + i)
				  << 8 * i;
	}
	return MW_IO_OK;
}

static enum mw_io write_command_block(struct piix3_ide *ide, unsigned number, uint64_t offset,
				      unsigned size, uint64_t value)
{
	if (!is_decoded(ide, number))
		return MW_IO_OK;
	if (offset == MW_IDE_DATA) {
		write_data(ide, number, size < 2 ? 2 : size, (uint32_t)value);
		return MW_IO_OK;
	}
	for (unsigned i = 0; i < size; i++)
		write_register(ide, number, (unsigned)offset + i, (uint8_t)(value >> 8 * i));
	return MW_IO_OK;
}

static enum mw_io read_control(struct piix3_ide *ide, unsigned number, uint64_t *value)
{
	*value = is_decoded(ide, number) ? read_register(ide, number, MW_IDE_CONTROL) : UINT8_MAX;
	return MW_IO_OK;
}

static enum mw_io write_control(struct piix3_ide *ide, unsigned number, uint64_t value)
{
	if (is_decoded(ide, number))
		write_register(ide, number, MW_IDE_CONTROL, (uint8_t)value);
	return MW_IO_OK;
}

/* Regions know no number: four small functions for each channel. */
#define CHANNEL(number)                                                                 \
	static enum mw_io read_cmd##number(void *self, uint64_t offset, unsigned size,  \
					   uint64_t *value)                             \
	{                                                                               \
		return read_command_block(self, number, offset, size, value);           \
	}                                                                               \
	static enum mw_io write_cmd##number(void *self, uint64_t offset, unsigned size, \
					    uint64_t value)                             \
	{                                                                               \
		return write_command_block(self, number, offset, size, value);          \
	}                                                                               \
	static enum mw_io read_ctl##number(void *self, uint64_t offset, unsigned size,  \
					   uint64_t *value)                             \
	{                                                                               \
		return read_control(self, number, value);                               \
	}                                                                               \
	static enum mw_io write_ctl##number(void *self, uint64_t offset, unsigned size, \
					    uint64_t value)                             \
	{                                                                               \
		return write_control(self, number, value);                              \
	}
CHANNEL(0)
CHANNEL(1)

/* False where it is none of ours. */
static bool find(const struct piix3_ide *ide, const void *drive, unsigned *number, unsigned *unit)
{
	for (*number = 0; *number < MW_IDE_CHANNELS; ++*number) {
		for (*unit = 0; *unit < MW_IDE_UNITS; ++*unit) {
			if (ide->drives[*number][*unit] == drive)
				return true;
		}
	}
	return false;
}

static unsigned host_unit(void *host, const void *drive)
{
	unsigned number, unit;

	return find(host, drive, &number, &unit) ? unit : 0;
}

static void host_intrq(void *host, const void *drive, bool level)
{
	struct piix3_ide *ide = host;
	unsigned number, unit;

	if (!find(ide, drive, &number, &unit))
		return;
	struct piix3_channel *channel = &ide->channels[number];

	if (level && !channel->intrq[unit])
		piix3_master_interrupt(&channel->master);
	channel->intrq[unit] = level;
	mw_line_set(ide->irq[number], channel->intrq[0] || channel->intrq[1]);
}

static bool host_dma_is_ready(void *host, const void *drive)
{
	struct piix3_ide *ide = host;
	unsigned number, unit;

	return find(ide, drive, &number, &unit) && unit == piix3_unit(&ide->channels[number]) &&
	       piix3_master_is_ready(ide, &ide->channels[number].master);
}

static size_t host_dma_move(void *host, const void *drive, void *bytes, size_t count,
			    bool to_memory)
{
	struct piix3_ide *ide = host;
	unsigned number, unit;

	if (!find(ide, drive, &number, &unit))
		return 0;
	return piix3_master_move(ide, &ide->channels[number].master, bytes, count, to_memory);
}

static const struct mw_ide_host bus_interface = {
	.unit = host_unit,
	.intrq = host_intrq,
	.dma_is_ready = host_dma_is_ready,
	.dma_move = host_dma_move,
};

static const struct mw_region regions[] = {
	{ "cmd0", MW_SPACE_PORT, COMMAND_PORTS, MW_ACCESS(1, 4), .read = read_cmd0,
	  .write = write_cmd0, .optional = true },
	{ "ctl0", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .read = read_ctl0, .write = write_ctl0,
	  .optional = true },
	{ "cmd1", MW_SPACE_PORT, COMMAND_PORTS, MW_ACCESS(1, 4), .read = read_cmd1,
	  .write = write_cmd1, .optional = true },
	{ "ctl1", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .read = read_ctl1, .write = write_ctl1,
	  .optional = true },
	{ "bmdma", MW_SPACE_PORT, MW_IDE_CHANNELS *PIIX3_MASTER_PORTS, MW_ACCESS(1, 4),
	  .read = piix3_master_read, .write = piix3_master_write, .bar = MW_PCI_BAR(4) },
};

static void on_config(void *self, unsigned at, unsigned size)
{
	(void)size;
	if (at > MW_PCI_COMMAND)
		return;
	for (unsigned number = 0; number < MW_IDE_CHANNELS; number++)
		piix3_master_tell(self, number);
}

static const struct mw_pci_register config_registers[] = {
	{ MW_PCI_LATENCY, 1, 0, 0xf0, 0 },
	{ IDETIM, 2, 0, IDETIM_BITS, 0 },
	{ IDETIM + 2, 2, 0, IDETIM_BITS, 0 },
	{ SIDETIM, 1, 0, 0xff, 0 },
};
static const struct mw_pci_type pci_type = {
	.identity = {
		.vendor = 0x8086,
		.device = 0x7010,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class_code = 0x010180,
	},
	.command = MW_PCI_IO | MW_PCI_MASTER,
	.status = 0x0280, /* fast back-to-back; DEVSEL# at medium speed */
	.registers = config_registers,
	.register_count = sizeof(config_registers) / sizeof(config_registers[0]),
	.regions = regions,
	.region_count = sizeof(regions) / sizeof(regions[0]),
	.changed = on_config,
};

static const struct mw_config_ops config = MW_PCI_CONFIG(struct piix3_ide, pci, pci_type);

static bool init(void *self, struct mw_diagnostics *diagnostics)
{
	static const char *const addresses[MW_IDE_CHANNELS][MW_IDE_UNITS] = { { "0.0", "0.1" },
									      { "1.0", "1.1" } };
	struct piix3_ide *ide = self;

	(void)diagnostics;
	mw_pci_init(&ide->pci, ide, &pci_type);
	for (unsigned number = 0; number < MW_IDE_CHANNELS; number++) {
		for (unsigned unit = 0; unit < MW_IDE_UNITS; unit++) {
			const void *interface;
			void *drive = mw_bus_child(self, addresses[number][unit], &interface);

			ide->drives[number][unit] = interface ? drive : NULL;
			ide->ops[number][unit] = interface;
		}
	}
	return true;
}

static void set_lines(struct piix3_ide *ide)
{
	for (unsigned number = 0; number < MW_IDE_CHANNELS; number++) {
		const struct piix3_channel *channel = &ide->channels[number];

		mw_line_set(ide->irq[number], channel->intrq[0] || channel->intrq[1]);
	}
}

static void after_reset(void *self)
{
	struct piix3_ide *ide = self;

	mw_pci_reset(&ide->pci);
	set_lines(ide);
}

static void after_load(void *self)
{
	struct piix3_ide *ide = self;

	mw_pci_loaded(&ide->pci);
	for (unsigned number = 0; number < MW_IDE_CHANNELS; number++)
		piix3_master_mend(&ide->channels[number].master);
	set_lines(ide);
}

static const struct mw_wire wires[] = {
	{ "irq0", "The primary channel's interrupt.", .offset = offsetof(struct piix3_ide, irq[0]),
	  .kind = MW_LINE, .optional = true },
	{ "irq1", "The secondary channel's interrupt.",
	  .offset = offsetof(struct piix3_ide, irq[1]), .kind = MW_LINE, .optional = true },
	{ "dma", "Its access to memory.", MW_FIELD(struct piix3_ide, dma) },
};
static const struct mw_state channel_rows[] = {
	{ "device", MW_FIELD(struct piix3_channel, device), .since = 1 },
	{ "intrq", MW_ARRAY(struct piix3_channel, intrq), .since = 1 },
	{ "master", MW_STRUCT(struct piix3_channel, master, piix3_master_rows), .since = 1 },
};
static const struct mw_state state[] = {
	{ "pci", MW_STRUCT(struct piix3_ide, pci, mw_pci_rows), .since = 1 },
	{ "channels", MW_STRUCTS(struct piix3_ide, channels, channel_rows), .since = 1 },
};
static const struct mw_setup_row setup[] = {
	{ MW_PCI_COMMAND, 2, MW_PCI_IO | MW_PCI_MASTER, NULL },
	{ IDETIM, 2, IDETIM_DECODE, NULL },
	{ IDETIM + 2, 2, IDETIM_DECODE, NULL },
};
static const char *const buses[] = { "pci", NULL };

const struct mw_device_type piix3_ide_type = {
	MW_DEVICE_TYPE,
	.name = "piix3-ide",
	.summary = "PIIX3 IDE controller: two channels with bus masters",
	.size = sizeof(struct piix3_ide),
	.state_version = 1,
	.buses = buses,
	.provides = "ide",
	.private_bus = true,
	.bus_interface = &bus_interface,
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.state = MW_TABLE(state),
	.firmware = { .setup = MW_TABLE(setup) },
	.config = &config,
	.ops = { .init = init, .after_reset = after_reset, .after_load = after_load },
};
