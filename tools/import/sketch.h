/** A machine as another program's configuration describes it, on its way to a profile. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_IMPORT_SKETCH_H
#define TOOLS_IMPORT_SKETCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/alloc.h"
#include "core/diagnostics.h"

enum { MW_SKETCH_SERIALS = 4, MW_SKETCH_DEVICES = 16, MW_SKETCH_FEATURES = 256 };

/** The host side of a stream: `backend: KEY` with up to 4 properties; key NULL: none is said. */
struct mw_sketch_backend {
	const char *key;
	struct {
		const char *name, *value;
	} props[4];
	size_t prop_count;
};

/** A device that the base does not have; `claim` as a profile writes it. */
struct mw_sketch_device {
	const char *id, *type, *claim;
	struct mw_sketch_backend backend;
};

struct mw_sketch_feature {
	const char *name;
	bool wanted;
};

/** Filled by a reader, on the caller's stack; texts are in the arena, which is the caller's. */
struct mw_sketch {
	struct mw_arena *arena;
	struct mw_diagnostics *diagnostics;
	const char *origin; /* "a QEMU command line" */
	const char *name;   /* of the machine in the source, or NULL */
	bool microvm;       /* extends microvm, else linux-pc */
	const char *kernel, *initrd, *cmdline, *firmware;
	uint64_t cpus, sockets, cores, threads; /* 0: not said */
	uint64_t ram;                           /* bytes; 0: not said */
	const char *cpu_model;                  /* of a cpu/1 file; NULL: as the base */
	struct mw_sketch_feature features[MW_SKETCH_FEATURES];
	size_t feature_count;
	const char *prefer;              /* accelerator, or NULL */
	const char *off, *reset, *panic; /* power actions, or NULL */
	struct mw_sketch_backend serial[MW_SKETCH_SERIALS];
	size_t serial_count;
	struct mw_sketch_device devices[MW_SKETCH_DEVICES];
	size_t device_count;
	size_t losses;
	struct mw_span whole; /* of the source, for what is missing in it */
};

/** Something of the source is not in the profile, or not as it was. */
void mw_sketch_loss(struct mw_sketch *sketch, struct mw_span span, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** The source itself cannot be understood. */
void mw_sketch_error(struct mw_sketch *sketch, struct mw_span span, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** A property of a backend; the fifth and later ones are dropped. */
void mw_sketch_prop(struct mw_sketch_backend *backend, const char *name, const char *value);
void mw_sketch_feature(struct mw_sketch *sketch, const char *name, bool wanted,
		       struct mw_span span);
/** Takes a model of QEMU's or libvirt's for the nearest of ours; tells the loss. */
void mw_sketch_model(struct mw_sketch *sketch, const char *name, struct mw_span span);
/** Why a device of QEMU's (`virtio-net-pci`) is not taken over, from a table of families. */
void mw_sketch_no_device(struct mw_sketch *sketch, const char *driver, struct mw_span span);

/** Rounds and checks what was found (RAM, CPUs, a kernel), telling what it changes. */
void mw_sketch_settle(struct mw_sketch *sketch);
/** Writes the profile (format machine/1). */
void mw_sketch_write(const struct mw_sketch *sketch, FILE *out);

/** qemu.c: words of the command line, the program's own name first or not. `source` is where their
 * text begins in a source of the diagnostics, one offset a word. */
struct mw_import_words {
	const char *const *words;
	const uint32_t *offsets; /* of the word's first byte */
	size_t count;
	uint32_t source;
};
void mw_import_qemu(struct mw_sketch *sketch, const struct mw_import_words *words);
/** libvirt.c: a domain's XML. */
void mw_import_libvirt(struct mw_sketch *sketch, uint32_t source, const char *text, size_t length);

#endif
