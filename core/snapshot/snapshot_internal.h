/** The container: sections with a head each, in a fixed order. Private to core/snapshot. */
// SPDX-License-Identifier: MIT
#ifndef CORE_SNAPSHOT_SNAPSHOT_INTERNAL_H
#define CORE_SNAPSHOT_SNAPSHOT_INTERNAL_H

#include <stdio.h>

#include "core/alloc.h"
#include "core/diagnostics.h"
#include "core/machine_internal.h"
#include "core/snapshot/snapshot.h"
#include "core/state_rows.h"
#include "core/trust.h"

/* A file begins with 64 bytes: the magic, which shows what transfers as text do to it, then the
 * format's version, 32 bits, little-endian as everything. */
#define SNAPSHOT_MAGIC "\x89MWSNAP\r\n\x1a\n\0\0\0\0\0" /* 16 bytes */
/* What a reader holds in memory: more than any machine has, less than what would hurt. */
enum { SNAPSHOT_HELD_MAX = 64 << 20 };
enum { SNAPSHOT_VERSION = 1, FILE_HEAD_BYTES = 64, SECTION_HEAD_BYTES = 64, HASH_BYTES = 32 };

/* A section's head: kind (4 letters), number of its kind's item (32 bits), payload bytes (64 bits),
 * SHA-256 of the payload, 16 bytes of zeroes. The payload follows. */
#define SECTION(a, b, c, d) \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
enum section {
	SECTION_PLAN = SECTION('P', 'L', 'A', 'N'),
	SECTION_MACHINE = SECTION('M', 'A', 'C', 'H'),
	SECTION_CPUID = SECTION('C', 'P', 'I', 'D'),  /* what the guest was told it runs on */
	SECTION_NODE = SECTION('N', 'O', 'D', 'E'),   /* number: plan node */
	SECTION_LINK = SECTION('L', 'I', 'N', 'K'),   /* number: plan link */
	SECTION_CPU = SECTION('C', 'P', 'U', ' '),    /* number: CPU */
	SECTION_MEDIUM = SECTION('D', 'I', 'S', 'K'), /* number: plan link; what is in a drive */
	SECTION_MEMORY = SECTION('M', 'E', 'M', ' '), /* number: plan node; its RAM and ROM */
	SECTION_RAM = SECTION('R', 'A', 'M', ' '),
	SECTION_END =
		SECTION('E', 'N', 'D', ' ') /* SHA-256 of the file's and all sections' heads */
};

/** Writing: one section after the other. Errors stick; save tells them at the end. */
struct snapshot_writer {
	int fd;
	int error;         /* errno of what failed first; 0: all is well */
	uint64_t at, held; /* `held`: bytes of sections that a reader holds */
	struct mw_sha256 *payload, *heads;
	uint64_t section_at;
	uint8_t head[SECTION_HEAD_BYTES];
};
void snapshot_begin(struct snapshot_writer *writer);
void snapshot_section(struct snapshot_writer *writer, enum section kind, uint32_t number);
void snapshot_write(struct snapshot_writer *writer, const void *bytes, size_t count);
void snapshot_write_le(struct snapshot_writer *writer, unsigned size, uint64_t value);
/** Bytes behind their number, 32 bits. */
void snapshot_write_counted(struct snapshot_writer *writer, const void *bytes, size_t count);
void snapshot_section_end(struct snapshot_writer *writer);
void snapshot_end(struct snapshot_writer *writer);

/** Whether sections of this kind are held in memory by a reader. */
bool snapshot_held(enum section kind);

/** Reading: small sections are held in memory, the big ones (memory) stay in the file. */
struct snapshot_section {
	enum section kind;
	uint32_t number;
	uint64_t at, length; /* of the payload in the file */
	uint8_t hash[HASH_BYTES];
	uint8_t *bytes; /* NULL: in the file */
};
/** Of a plan link. */
struct snapshot_medium {
	const char *path; /* what mw_snapshot_take_out has taken out; NULL: it is still in */
	bool told;        /* the guest shall hear that it is another */
};
struct mw_snapshot {
	const char *path;
	int fd;
	struct snapshot_section *sections;
	size_t count, last; /* `last` was found last: they are looked for in their order */
	struct mw_diagnostics *diagnostics; /* of the call that runs */
	char accel[32];
	uint32_t tsc_khz;
	struct snapshot_medium *media; /* by link, or NULL */
	bool changes_accepted;
};
/** A payload being taken apart; `bad` once more was asked for than there is. */
struct snapshot_reader {
	const uint8_t *bytes;
	size_t left;
	bool bad;
};
struct snapshot_reader snapshot_read(const struct snapshot_section *section);
uint64_t snapshot_le(struct snapshot_reader *reader, unsigned size);
/** Borrows `count` bytes, or returns NULL. */
const uint8_t *snapshot_bytes(struct snapshot_reader *reader, size_t count);
/** The same of as many as the number before them says. */
const uint8_t *snapshot_counted(struct snapshot_reader *reader, size_t *count);

/** The section, or NULL. */
const struct snapshot_section *snapshot_find(struct mw_snapshot *snapshot, enum section kind,
					     uint32_t number);
/** Reads payload bytes of a section that stayed in the file. */
bool snapshot_pread(struct mw_snapshot *snapshot, const struct snapshot_section *section,
		    uint64_t offset, void *bytes, size_t count);
/** False, after saying why it is refused. */
bool snapshot_refuse(const struct mw_snapshot *snapshot, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* machine.c: everything but memory. */
void snapshot_save_machine(struct snapshot_writer *writer, struct mw_machine *machine);
bool snapshot_load_machine(struct mw_snapshot *snapshot, struct mw_machine *machine);
/* node.c */
void snapshot_save_nodes(struct snapshot_writer *writer, struct mw_machine *machine);
bool snapshot_load_nodes(struct mw_snapshot *snapshot, struct mw_machine *machine);
/* identity.c */
/** What CPU 0 tells of itself; zeroes where nobody says. */
struct mw_cpu_identity snapshot_identity(const struct mw_machine *machine);
void snapshot_save_identity(struct snapshot_writer *writer, const struct mw_machine *machine);
bool snapshot_load_identity(struct mw_snapshot *snapshot, const struct mw_machine *machine);
/* cpu.c */
bool snapshot_save_cpus(struct snapshot_writer *writer, struct mw_machine *machine,
			struct mw_diagnostics *diagnostics);
bool snapshot_load_cpus(struct mw_snapshot *snapshot, struct mw_machine *machine);
/* memory.c */
void snapshot_save_memory(struct snapshot_writer *writer, struct mw_machine *machine);
bool snapshot_load_memory(struct mw_snapshot *snapshot, struct mw_machine *machine);

/* media.c */
/** False, after saying why: something of them would be lost. */
bool snapshot_can_keep_media(struct mw_machine *machine, const char *path,
			     struct mw_diagnostics *diagnostics);
void snapshot_save_media(struct snapshot_writer *writer, struct mw_machine *machine);
/** The plan says what was in drives. */
bool snapshot_fit_media(struct mw_snapshot *snapshot, struct mw_plan *plan);
/** Puts in what was taken out, and looks at all of them. */
bool snapshot_load_media(struct mw_snapshot *snapshot, struct mw_machine *machine);
/** Once all is loaded: devices hear of media that are others. */
void snapshot_tell_media(struct mw_snapshot *snapshot, struct mw_machine *machine);

/* layout.c: rows with their layout before them. */
void snapshot_put_rows(struct snapshot_writer *writer, struct mw_row_set rows, const void *owner);
/** Compares the layout that a section tells with what ours was in that version; names the row. `what`
 * is for messages. */
bool snapshot_check_layout(const struct mw_snapshot *snapshot, const char *what, const char *theirs,
			   size_t theirs_length, const char *ours);

#endif
