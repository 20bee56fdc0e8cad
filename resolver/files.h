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
	struct mw_file *newest;  /* an older version: the file itself, else NULL */
	uint64_t listed;         /* as `ancestors`, with older versions instead of their files */
	bool rebased;            /* its history gives this version other bases */
	struct mw_tree **bodies; /* what makes it this version, newest first */
	size_t body_count;
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
	struct mw_file *overlays[MW_FILES_MOST]; /* in the order in which they apply */
	size_t overlay_count;
	struct mw_file *stack[MW_FILES_DEPTH + 1];
	size_t depth;
	bool full;   /* MW_FILES_MOST is reached, and that has been told */
	bool broken; /* something that is extended is not there: what overrides it would miss */
};

/** Reads the profile of the options, everything it extends, and its overlays. NULL when the profile
 * itself cannot be read; what else fails is left out with a diagnostic, and `broken` is set. */
struct mw_file *mw_files_load(struct mw_files *files);

/** What a reference such as `chipset/q35@1` or `./base.yaml` names, read once; `kind` is for one that
 * states none, `from` the file it stands in, `span` where. *unpinned: a name without a version. */
struct mw_file *mw_files_open(struct mw_files *files, const struct mw_file *from, const char *text,
			      const char *kind, struct mw_span span, bool *unpinned);

/** Reads one file by kind and name from the search path; `wanted` is where it was asked for. */
struct mw_tree *mw_files_read(struct mw_files *files, const char *kind, const char *name,
			      struct mw_span wanted);

/** The file that a span lies in, or NULL. */
struct mw_file *mw_files_of(const struct mw_files *files, struct mw_span span);

#endif
