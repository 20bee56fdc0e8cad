/** The IDE controller's state, for the files it is made of. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_STORAGE_PIIX3_IDE_INTERNAL_H
#define DEVICES_STORAGE_PIIX3_IDE_INTERNAL_H

#include "devices/bus/ide.h"
#include "devices/bus/pci.h"

enum { PIIX3_MASTER_PORTS = 8 }; /* of each channel */

/** A bus master: what it is programmed to, and where in the table it is. */
struct piix3_master {
	uint8_t command, status;
	uint32_t table;
	uint32_t next;            /* offset of the next descriptor */
	uint32_t address, length; /* what the current one has left */
	bool last;
};

struct piix3_channel {
	uint8_t device; /* as written: which drive is selected */
	bool intrq[MW_IDE_UNITS];
	struct piix3_master master;
};

struct piix3_ide {
	/* Wiring. */
	struct mw_line *irq[MW_IDE_CHANNELS];
	struct mw_dma *dma;
	void *drives[MW_IDE_CHANNELS][MW_IDE_UNITS]; /* NULL: not there */
	const struct mw_ide_drive *ops[MW_IDE_CHANNELS][MW_IDE_UNITS];
	/* Guest-visible state. */
	struct mw_pci pci;
	struct piix3_channel channels[MW_IDE_CHANNELS];
};

enum { PIIX3_MASTER_ROWS = 7 };
extern const struct mw_state piix3_master_rows[PIIX3_MASTER_ROWS];

/** Which drive of a channel is selected. */
static inline unsigned piix3_unit(const struct piix3_channel *channel)
{
	return channel->device & MW_IDE_DEV ? 1 : 0;
}

/** A drive's interrupt has risen. */
void piix3_master_interrupt(struct piix3_master *master);
bool piix3_master_is_ready(const struct piix3_ide *ide, const struct piix3_master *master);
/** Moves as much of `bytes` as the table has room for. */
size_t piix3_master_move(struct piix3_ide *ide, struct piix3_master *master, uint8_t *bytes,
			 size_t count, bool to_memory);
/** The drive that is selected may have waited for the channel's bus master. */
void piix3_master_tell(struct piix3_ide *ide, unsigned number);
/** After a load: values that there can be. */
void piix3_master_mend(struct piix3_master *master);
/** The region of both. */
enum mw_io piix3_master_read(void *self, uint64_t offset, unsigned size, uint64_t *value);
enum mw_io piix3_master_write(void *self, uint64_t offset, unsigned size, uint64_t value);

#endif
