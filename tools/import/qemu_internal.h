/** What the files of the QEMU reader share. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_IMPORT_QEMU_INTERNAL_H
#define TOOLS_IMPORT_QEMU_INTERNAL_H

#include "tools/import/sketch.h"

enum { QEMU_CHARDEVS = 32 };

/** One `-chardev`, by id. */
struct qemu_chardev {
	const char *id;
	struct mw_sketch_backend backend;
};

/** One command line on its way. */
struct qemu {
	struct mw_sketch *sketch;
	const struct mw_import_words *words;
	size_t at; /* the word that is being read */
	bool nographic, nodefaults;
	struct qemu_chardev chardevs[QEMU_CHARDEVS];
	size_t chardev_count;
	/** Streams that name a chardev, which may come later on the line. */
	struct {
		const char *id;
		struct mw_sketch_backend *backend;
		struct mw_span span;
	} waiting[QEMU_CHARDEVS];
	size_t waiting_count;
};

/** A row of the table: with `take` NULL it is left out, and `reason` says why. */
struct qemu_option {
	const char *name; /* without the dash */
	bool argument;
	void (*take)(struct qemu *qemu, const char *value);
	const char *reason;
};

/** One piece of `a=b,c`; value NULL: there is no `=`. */
struct qemu_pair {
	const char *key, *value;
	struct mw_span span;
};
/** Takes the next piece; false at the end. */
bool qemu_next(struct qemu *qemu, const char **cursor, struct qemu_pair *pair);
/** The place of a part of the word that is being read. */
struct mw_span qemu_part(const struct qemu *qemu, const char *at, size_t length);

void qemu_take_accel(struct qemu *qemu, const char *name, struct mw_span span);
/** Sockets, cores and threads of which some are said. */
void qemu_complete_topology(struct mw_sketch *sketch);

/* qemu_streams.c */
void qemu_take_serial(struct qemu *qemu, const char *value);
void qemu_take_chardev(struct qemu *qemu, const char *value);
void qemu_take_debugcon(struct qemu *qemu, const char *value);
void qemu_take_device(struct qemu *qemu, const char *value);
void qemu_take_nodefaults(struct qemu *qemu, const char *value);
/** Joins streams to their chardevs, and gives the first port the terminal where QEMU does. */
void qemu_settle_streams(struct qemu *qemu);

#endif
