/* The host's side of an IDE channel. */
// SPDX-License-Identifier: MIT
#include "tests/unit/devices/ide_bench.h"

#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/machine.h"

enum { IDETIM = 0x40, DECODE = 0x8000, LBA = 0xe0 };
enum { BMICP = 0, BMISP = 2, BMIDTPP = 4, START = 1 };

struct rig *ide_create(const struct rig_child *children, bool threads)
{
	const struct rig_options options = { .children = children, .threads = threads };
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	if (!rig_try(&rig, &piix3_ide_type, &options, &diagnostics))
		abort();
	mw_diagnostics_fini(&diagnostics);
	rig_place_bars(rig);
	rig_config_write(rig, IDETIM, 2, DECODE);
	rig_config_write(rig, IDETIM + 2, 2, DECODE);
	return rig;
}

uint8_t ide_in(struct rig *rig, unsigned reg)
{
	if (reg == MW_IDE_CONTROL)
		return (uint8_t)rig_read(rig, "ctl0", 0, 1);
	return (uint8_t)rig_read(rig, "cmd0", reg, 1);
}

void ide_out(struct rig *rig, unsigned reg, unsigned value)
{
	if (reg == MW_IDE_CONTROL)
		rig_write(rig, "ctl0", 0, 1, value);
	else
		rig_write(rig, "cmd0", reg, 1, value);
}

int ide_interrupt(struct rig *rig)
{
	rig_settle(rig);
	if (!rig_line(rig, "irq0", 0))
		return -1;
	int status = ide_in(rig, MW_IDE_STATUS);

	return rig_line(rig, "irq0", 0) ? -1 : status;
}

void ide_command(struct rig *rig, unsigned command, unsigned features, unsigned count, uint32_t lba)
{
	uint8_t device = ide_in(rig, MW_IDE_DEVICE) & MW_IDE_DEV;

	ide_out(rig, MW_IDE_ERROR, features);
	ide_out(rig, MW_IDE_COUNT, count);
	ide_out(rig, MW_IDE_LBA_LOW, lba & 0xff);
	ide_out(rig, MW_IDE_LBA_MID, lba >> 8 & 0xff);
	ide_out(rig, MW_IDE_LBA_HIGH, lba >> 16 & 0xff);
	ide_out(rig, MW_IDE_DEVICE, LBA | device | lba >> 24);
	ide_out(rig, MW_IDE_STATUS, command);
}

void ide_command_ext(struct rig *rig, unsigned command, unsigned count, uint64_t lba)
{
	ide_out(rig, MW_IDE_COUNT, count >> 8);
	ide_out(rig, MW_IDE_LBA_LOW, lba >> 24 & 0xff);
	ide_out(rig, MW_IDE_LBA_MID, lba >> 32 & 0xff);
	ide_out(rig, MW_IDE_LBA_HIGH, lba >> 40 & 0xff);
	ide_command(rig, command, 0, count & 0xff, lba & 0xffffff);
}

void ide_read_words(struct rig *rig, void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i += 2)
		mw_put_le((uint8_t *)bytes + i, 2, rig_read(rig, "cmd0", MW_IDE_DATA, 2));
}

void ide_write_words(struct rig *rig, const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i += 2)
		rig_write(rig, "cmd0", MW_IDE_DATA, 2, mw_get_le((const uint8_t *)bytes + i, 2));
}

uint8_t *ide_memory(struct rig *rig, uint64_t address, size_t count)
{
	uint8_t *bytes = mw_machine_ram(rig_machine(rig), address, count);

	if (!bytes)
		abort();
	return bytes;
}

void ide_table(struct rig *rig, const struct ide_region *regions)
{
	uint8_t *table = ide_memory(rig, TABLE, 4096);

	for (size_t i = 0; regions[i].length; i++) {
		mw_put_le(table + 8 * i, 4, regions[i].address);
		mw_put_le(table + 8 * i + 4, 4,
			  (regions[i].length & 0xffff) |
				  (regions[i + 1].length ? 0 : UINT32_C(0x80000000)));
	}
	rig_write(rig, "bmdma", BMIDTPP, 4, TABLE);
}

void ide_start_dma(struct rig *rig, unsigned direction)
{
	rig_write(rig, "bmdma", BMICP, 1, direction);
	rig_write(rig, "bmdma", BMISP, 1, 0x06);
	rig_write(rig, "bmdma", BMICP, 1, direction | START);
	rig_settle(rig);
}

uint8_t ide_dma_status(struct rig *rig)
{
	return (uint8_t)rig_read(rig, "bmdma", BMISP, 1);
}
