/** A floppy disk controller: its registers and simple commands on one side, transfers of data on the other. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_STORAGE_I82077_INTERNAL_H
#define DEVICES_STORAGE_I82077_INTERNAL_H

#include "devices/bus/floppy.h"

/** What it is at: section 5, "Controller phases". */
enum { FDC_IDLE, FDC_COMMAND, FDC_EXECUTION, FDC_RESULT };

/** How far a command with data has come. */
enum {
	FDC_NO_STAGE,
	FDC_FIND,  /* the timer is on its way to the sector */
	FDC_IMAGE, /* the drive transfers it */
	FDC_READY, /* it has: the timer goes on */
	FDC_STORE, /* the timer writes it */
	FDC_HOST,  /* bytes go to the host, or come */
	FDC_LOST   /* it was not found: the timer ends the command */
};

/** The command's bytes (table 5-1), and flags in the first two. */
enum { FDC_CODE, FDC_UNIT, FDC_C, FDC_H, FDC_R, FDC_N, FDC_EOT, FDC_GPL, FDC_DTL, FDC_BYTES = 16 };
enum { FDC_FORMAT_N = 2, FDC_FORMAT_SC = 3, FDC_FORMAT_D = 5, FDC_ID_BYTES = 4 };
enum { FDC_MT = 0x80, FDC_MFM = 0x40, FDC_SK = 0x20, FDC_EC = 0x80, FDC_HDS = 0x04, FDC_DS = 0x03 };
enum {
	FDC_READ_TRACK = 0x02,
	FDC_WRITE = 0x05,
	FDC_READ = 0x06,
	FDC_WRITE_DELETED = 0x09,
	FDC_READ_ID = 0x0a,
	FDC_READ_DELETED = 0x0c,
	FDC_FORMAT = 0x0d,
	FDC_VERIFY = 0x16,
	FDC_CODE_MASK = 0x1f
};

/** Section 6: status registers. */
enum { FDC_ST0_ABNORMAL = 0x40, FDC_ST0_INVALID = 0x80, FDC_ST0_POLLING = 0xc0 };
enum { FDC_ST0_SE = 0x20, FDC_ST0_EC = 0x10 };
enum {
	FDC_ST1_EN = 0x80,
	FDC_ST1_DE = 0x20,
	FDC_ST1_ND = 0x04,
	FDC_ST1_NW = 0x02,
	FDC_ST1_MA = 0x01
};
enum { FDC_ST2_CM = 0x40, FDC_ST2_DD = 0x20, FDC_ST2_WC = 0x10 };

/** CONFIGURE's second byte; SPECIFY's second. */
enum { FDC_EIS = 0x40, FDC_EFIFO = 0x20, FDC_POLL = 0x10, FDC_FIFOTHR = 0x0f, FDC_ND = 0x01 };

/** PERPENDICULAR MODE's D bits. */
enum { FDC_PERPENDICULAR_DRIVES = 0x3c };

#define FDC_STEP_NS UINT64_C(200000)

struct i82077 {
	/* Configuration and wiring. */
	uint32_t interface;
	struct mw_line *irq;
	struct mw_dma *dma;
	struct mw_timer *poll, *step, *work;
	void *drives[MW_FLOPPY_UNITS];
	const struct mw_floppy_drive *ops[MW_FLOPPY_UNITS]; /* NULL: there is none */
	/* Registers, and what commands have set. */
	uint8_t dor, tdr, dsr, rate;
	uint8_t specify[2], config, precompensation, perpendicular, sc_eot;
	bool lock;
	uint8_t pcn[MW_FLOPPY_UNITS];
	/* Command or result. */
	uint8_t phase, bytes[FDC_BYTES], count, at;
	/* Interrupts: of a result, of polling, of data that is not DMA's; `ended`: seeks nobody asked for yet. */
	bool result_irq, poll_irq, data_irq;
	uint8_t polled, ended, ended_st0[MW_FLOPPY_UNITS];
	/* Seeks: a bit for each drive. */
	uint8_t seeking, inwards, recalibrating, steps[MW_FLOPPY_UNITS];
	/* Data. */
	uint8_t stage, status[3], sectors; /* `sectors` done */
	bool terminal;                     /* TC has come */
	uint16_t position;
	uint8_t sector[MW_FLOPPY_SECTOR_BYTES];
};

/* i82077.c */

/** Lines follow the state. */
void fdc_update(struct i82077 *fdc);
/** A new cause: the interrupt's edge is one of its own. */
void fdc_strobe(struct i82077 *fdc);
void fdc_step_drive(struct i82077 *fdc, unsigned unit, bool inwards);
struct mw_floppy_lines fdc_look(const struct i82077 *fdc, unsigned unit);

/* i82077_commands.c */

/** A byte of a command; the last one runs it. */
void fdc_take_byte(struct i82077 *fdc, uint8_t value);
/** Whether `count` bytes are more than a command that still waits can have. */
bool fdc_is_command_whole(const struct i82077 *fdc);
void fdc_on_step(void *self);

/* i82077_transfer.c */

/** Commands with data: all that is in `bytes`. */
void fdc_transfer(struct i82077 *fdc);
void fdc_on_work(void *self);
/** A byte of the execution phase, without DMA. */
bool fdc_wants_host(const struct i82077 *fdc);
bool fdc_to_host(const struct i82077 *fdc);
uint8_t fdc_read_data(struct i82077 *fdc);
void fdc_write_data(struct i82077 *fdc, uint8_t value);
size_t fdc_on_transfer(void *self, uint8_t *bytes, size_t count, bool to_memory, bool terminal);
/** `done` of the cable. */
void fdc_on_done(void *self, const void *drive, bool good);

#endif
