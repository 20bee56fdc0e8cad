/* The bus masters of the PIIX3's IDE controller. References: Intel 82371FB (PIIX) and 82371SB (PIIX3) data
 * sheet (290550), 2.6; SFF-8038i, "Bus Master Programming Interface for IDE ATA Controllers". */
// SPDX-License-Identifier: MIT
#include "core/bytes.h"
#include "devices/storage/piix3_ide_internal.h"

/* BMICX, BMISX and BMIDTPX. */
enum { MASTER_COMMAND, MASTER_STATUS = 2, MASTER_TABLE = 4 };
enum { COMMAND_START = 0x01, COMMAND_BITS = 0x09 };
enum { STATUS_ACTIVE = 0x01, STATUS_ERROR = 0x02, STATUS_INTERRUPT = 0x04, STATUS_KEPT = 0x60 };
/* A physical region descriptor; tables do not cross 64 KiB. */
enum { PRD_BYTES = 8, PRD_LAST = 0x80, TABLE_BYTES = 0x10000, REGION_MOST = 0x10000 };

/* False at the end of the table. */
static bool next_region(struct piix3_ide *ide, struct piix3_master *master)
{
	uint8_t prd[PRD_BYTES];

	if (master->last || master->next >= TABLE_BYTES)
		return false;
	if (!mw_dma_read(ide->dma, (uint64_t)master->table + master->next, prd, sizeof(prd)))
		master->status |= STATUS_ERROR;
	master->next += PRD_BYTES;
	master->address = (uint32_t)mw_get_le(prd, 4) & ~1u;
	master->length = (uint32_t)mw_get_le(prd + 4, 2) & ~1u;
	if (!master->length)
		master->length = REGION_MOST;
	master->last = prd[7] & PRD_LAST;
	return true;
}

/* Addresses that are no memory: the transfer goes on, and the status says so (2.6.2, bit 1). */
static void move(struct piix3_ide *ide, struct piix3_master *master, void *bytes, size_t count,
		 bool to_memory)
{
	bool good = to_memory ? mw_dma_write(ide->dma, master->address, bytes, count)
			      : mw_dma_read(ide->dma, master->address, bytes, count);

	if (!good)
		master->status |= STATUS_ERROR;
}

bool piix3_master_is_ready(const struct piix3_ide *ide, const struct piix3_master *master)
{
	return master->status & STATUS_ACTIVE && master->command & COMMAND_START &&
	       mw_pci_is_master(&ide->pci);
}

/* The active bit goes with the last byte of the last region. */
size_t piix3_master_move(struct piix3_ide *ide, struct piix3_master *master, uint8_t *bytes,
			 size_t count, bool to_memory)
{
	size_t done = 0;

	while (done < count && (master->length || next_region(ide, master))) {
		size_t step = master->length < count - done ? master->length : count - done;

		move(ide, master, bytes + done, step, to_memory);
		master->address += (uint32_t)step;
		master->length -= (uint32_t)step;
		done += step;
	}
	if (done < count || (!master->length && master->last))
		master->status &= (uint8_t)~STATUS_ACTIVE;
	return done;
}

/* The drive that is selected may have waited for it. */
void piix3_master_tell(struct piix3_ide *ide, unsigned number)
{
	unsigned unit = piix3_unit(&ide->channels[number]);

	if (ide->drives[number][unit] && piix3_master_is_ready(ide, &ide->channels[number].master))
		ide->ops[number][unit]->dma_ready(ide->drives[number][unit]);
}

static void write_master_command(struct piix3_ide *ide, unsigned number, uint8_t value)
{
	struct piix3_master *master = &ide->channels[number].master;
	uint8_t started = value & ~master->command & COMMAND_START;

	master->command = value & COMMAND_BITS;
	if (!(value & COMMAND_START))
		master->status &= (uint8_t)~STATUS_ACTIVE;
	if (!started)
		return;
	master->status |= STATUS_ACTIVE;
	master->next = master->length = 0;
	master->last = false;
	piix3_master_tell(ide, number);
}

static uint8_t read_master(const struct piix3_master *master, unsigned offset)
{
	switch (offset) {
	case MASTER_COMMAND: return master->command;
	case MASTER_STATUS: return master->status;
	case MASTER_COMMAND + 1:
	case MASTER_STATUS + 1: return 0;
	default: return (uint8_t)(master->table >> 8 * (offset - MASTER_TABLE));
	}
}

static void write_master(struct piix3_ide *ide, unsigned number, unsigned offset, uint8_t value)
{
	struct piix3_master *master = &ide->channels[number].master;
	unsigned shift = 8 * (offset % MASTER_TABLE);

	if (offset == MASTER_COMMAND) {
		write_master_command(ide, number, value);
	} else if (offset == MASTER_STATUS) {
		master->status =
			(uint8_t)((master->status & ~STATUS_KEPT & ~value) |
				  (master->status & STATUS_ACTIVE) | (value & STATUS_KEPT));
	} else if (offset >= MASTER_TABLE) {
		master->table &= ~(0xffu << shift);
		master->table |= (uint32_t)value << shift;
		master->table &= ~3u;
	}
}

enum mw_io piix3_master_read(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	struct piix3_ide *ide = self;

	*value = 0;
	for (unsigned i = 0; i < size; i++) {
		unsigned at = (unsigned)offset + i;

		*value |= (uint64_t)read_master(&ide->channels[at / PIIX3_MASTER_PORTS].master,
						at % PIIX3_MASTER_PORTS)
			  << 8 * i;
	}
	return MW_IO_OK;
}

enum mw_io piix3_master_write(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	for (unsigned i = 0; i < size; i++) {
		unsigned at = (unsigned)offset + i;

		write_master(self, at / PIIX3_MASTER_PORTS, at % PIIX3_MASTER_PORTS,
			     (uint8_t)(value >> 8 * i));
	}
	return MW_IO_OK;
}

void piix3_master_interrupt(struct piix3_master *master)
{
	master->status |= STATUS_INTERRUPT;
}

void piix3_master_mend(struct piix3_master *master)
{
	master->command &= COMMAND_BITS;
	master->status &= STATUS_ACTIVE | STATUS_ERROR | STATUS_INTERRUPT | STATUS_KEPT;
	master->table &= ~3u;
	master->next &= ~(PRD_BYTES - 1u);
	if (master->next > TABLE_BYTES)
		master->next = TABLE_BYTES;
	if (master->length > REGION_MOST)
		master->length = 0;
}

const struct mw_state piix3_master_rows[PIIX3_MASTER_ROWS] = {
	{ "command", MW_FIELD(struct piix3_master, command), .since = 1 },
	{ "status", MW_FIELD(struct piix3_master, status), .since = 1 },
	{ "table", MW_FIELD(struct piix3_master, table), .since = 1 },
	{ "next", MW_FIELD(struct piix3_master, next), .since = 1 },
	{ "address", MW_FIELD(struct piix3_master, address), .since = 1 },
	{ "length", MW_FIELD(struct piix3_master, length), .since = 1 },
	{ "last", MW_FIELD(struct piix3_master, last), .since = 1 },
};
