/** The cable between a floppy disk controller and its drives: what each end offers to the other. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BUS_FLOPPY_H
#define DEVICES_BUS_FLOPPY_H

#include "core/device.h"

/* Reference: SFF-8054 and the drives' manuals for the signals; images hold sectors of 512 bytes, numbered from
 * 1, in the order of cylinder, head and sector, and nothing of what else is on a track. */

enum { MW_FLOPPY_SECTOR_BYTES = 512, MW_FLOPPY_SECTOR_CODE = 2 };
/** Units on the bus: "0.0", "0.1", "1.0" and "1.1" are drives 0 to 3. */
enum { MW_FLOPPY_UNITS = 4 };

/** What a drive tells by its lines. */
struct mw_floppy_lines {
	bool track0, write_protected;
	bool disk_change; /* the medium was taken out since the head last moved */
};

/** The track under a head, as the ID fields of its sectors have it. */
struct mw_floppy_track {
	uint8_t cylinder, sectors;
};

/** How a transfer of one sector began. */
enum mw_floppy_start {
	MW_FLOPPY_STARTED, /* `done` comes later */
	MW_FLOPPY_READY,   /* it is done already; `done` does not come */
	MW_FLOPPY_FAILED,
	MW_FLOPPY_BUSY /* one that nobody waits for any more is still under way */
};

/** `interface` of a drive. The controller and its drives share a lock. */
struct mw_floppy_drive {
	void (*motor)(void *self, bool on);
	/** One cylinder, away from the spindle unless `inwards`. */
	void (*step)(void *self, bool inwards);
	void (*look)(void *self, struct mw_floppy_lines *lines);
	/** The track under a head at a data rate (0 to 3 as in a controller's rate select); false: no address
	 * mark is found there, or nothing turns. */
	bool (*track)(void *self, unsigned head, unsigned rate, struct mw_floppy_track *track);
	/** Sector `sector` of that track: MW_FLOPPY_SECTOR_BYTES, which `write` copies. */
	enum mw_floppy_start (*read)(void *self, unsigned head, unsigned sector);
	enum mw_floppy_start (*write)(void *self, unsigned head, unsigned sector,
				      const uint8_t *bytes);
	/** What was read, until the next transfer. */
	const uint8_t *(*bytes)(void *self);
};

/** `bus_interface` of a controller. */
struct mw_floppy_controller {
	/** A drive's transfer has ended. */
	void (*done)(void *self, const void *drive, bool good);
};

#endif
