/** The files a profile is made of: found on the search path, read once each, without cycles. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_FILES_H
#define RESOLVER_FILES_H

#include <sys/types.h>

#include "resolver/resolver.h"
#include "resolver/shape.h"
#include "resolver/tree.h"

enum { MW_FILES_MOST = 64, MW_FILES_DEPTH = 8 };

/** One file. Lives in the arena; `ancestors` has the bit of every file it extends, also of theirs. */
struct mw_file {
	const char *path;
	const char *label; /* "chipset/microvm@1" */
	dev_t device;
	ino_t inode;
	unsigned number;
	const struct mw_format *format;
	struct mw_tree *root; /* as read */
	uint64_t version;
	struct mw_file *bases[MW_FILES_MOST];
	size_t base_count;
	uint64_t ancestors;
	enum { MW_FILE_LOADING, MW_FILE_READY, MW_FILE_BROKEN } state;
	struct mw_tree *composed;   /* compose's result, with tombstones */
	struct mw_span extended_at; /* the reference that led here last */
};

struct mw_files {
	struct mw_arena *arena;
	struct mw_diagnostics *diagnostics;
	const struct mw_resolve_options *options;
	struct mw_file *items[MW_FILES_MOST];
	size_t count;
	struct mw_file *stack[MW_FILES_DEPTH + 1];
	size_t depth;
	bool full;   /* MW_FILES_MOST is reached, and that has been told */
	bool broken; /* something that is extended is not there: what overrides it would miss */
};

/** Reads the profile of the options and everything it extends. NULL when the profile itself cannot
 * be read; bases that fail are left out with a diagnostic. */
struct mw_file *mw_files_load(struct mw_files *files);

/** Reads one file by kind and name from the search path; `wanted` is where it was asked for. */
struct mw_tree *mw_files_read(struct mw_files *files, const char *kind, const char *name,
			      struct mw_span wanted);

/** The file that a span lies in, or NULL. */
struct mw_file *mw_files_of(const struct mw_files *files, struct mw_span span);

#endif
