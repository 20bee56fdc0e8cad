/** Frozen versions of a machine: NAME.abi.yaml (abi/1), and whether the profile still is what they say. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_ABI_ABI_H
#define TOOLS_ABI_ABI_H

#include "resolver/shape.h"
#include "resolver/study.h"

/** What a file may say: the table of keys that it is read by. */
extern const struct mw_shape mw_abi_shape;

enum { MW_ABI_ROWS = 256, MW_ABI_VERSIONS = 256, MW_ABI_SETS = 64 };

/** One point at which a version is frozen. */
struct mw_abi_row {
	const char *sets[MW_ABI_SETS]; /* "cpus=4"; none: the default parameters */
	size_t set_count;
	char sha256[65];  /* "" where it is not known yet */
	const char *text; /* the guest's canonical text, or NULL */
	struct mw_span span;
};
struct mw_abi_version {
	uint64_t number;
	struct mw_abi_row *rows[MW_ABI_ROWS];
	size_t row_count;
};

/** A file, or what will be one. Zeroes; freed with mw_abi_fini. */
struct mw_abi {
	struct mw_arena arena;
	const char *name;
	struct mw_abi_version *versions[MW_ABI_VERSIONS];
	size_t version_count;
};

/** The path of the file for a profile's path: "x/pc.yaml" gives "x/pc.abi.yaml". In the arena. */
const char *mw_abi_path(struct mw_arena *arena, const char *profile);
/** Reads it. False when there is no such file, or when it is of no use: then *unusable is true and
 * the diagnostics say why. */
bool mw_abi_read(struct mw_abi *abi, const char *path, struct mw_diagnostics *diagnostics,
		 bool *unusable);
/** Writes it, versions in order. */
void mw_abi_write(const struct mw_abi *abi, FILE *out);
void mw_abi_fini(struct mw_abi *abi);

/** The version, made if it is not there and `make` is given. NULL: there is none, or no more room. */
struct mw_abi_version *mw_abi_version(struct mw_abi *abi, uint64_t number, bool make);
/** The row with these parameters, in any order; made likewise. */
struct mw_abi_row *mw_abi_row(struct mw_abi *abi, struct mw_abi_version *version,
			      const char *const *sets, size_t count, bool make);

/** The guest's canonical text of a profile's version (0: the file's own) at the parameters of a row,
 * new (free()); NULL when it does not resolve: `found` has what was found then. Of `options` only
 * where things are looked for counts. */
char *mw_abi_view(const struct mw_resolve_options *options, const char *path, uint64_t version,
		  const struct mw_abi_row *row, size_t *length, struct mw_diagnostics *found);
/** SHA-256 of a text in hexadecimal. */
void mw_abi_hash(const char *text, size_t length, char hash[65]);

/** Rule C702: compares the profile of a study with the NAME.abi.yaml beside it, if there is one. The
 * findings go to the list that the study was opened with. The parameters, overlays and the lock of
 * `options` do not count: what is frozen is the file. */
void mw_abi_check(const struct mw_resolve_options *options, struct mw_study *study,
		  struct mw_diagnostics *diagnostics);
/** The same for one version whose rows are known; true when all are as they were. */
bool mw_abi_check_version(const struct mw_resolve_options *options, struct mw_study *study,
			  const struct mw_abi_version *version, struct mw_diagnostics *diagnostics);

#endif
