/** One allowed code and where it applies; private to resolver/allow*.c. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_ALLOW_INTERNAL_H
#define RESOLVER_ALLOW_INTERNAL_H

#include "resolver/allow.h"

enum { MW_CODE_LONGEST = 4 };

/** A directive without a reason, which all its codes share. */
struct mw_bare {
	struct mw_span codes;
	unsigned count;
	bool comment; /* not the key */
	bool told;
};

struct mw_allowed {
	char code[MW_CODE_LONGEST + 1]; /* or the start of one */
	struct mw_span span;            /* of the code */
	uint32_t from, to;              /* bytes of its file that it speaks for */
	struct mw_span removal; /* what to take out when it is of no use; no source: nothing */
	struct mw_tree *entry;  /* of the key, where others stay when it goes; or NULL */
	const char *reason;
	struct mw_bare *bare; /* NULL: there is a reason */
	size_t order, outer;  /* place in the file; index of the range round it plus 1 */
	bool used;
};

/** The directives of one file. Sorted by code, then start, then the longest first. */
struct mw_allowed_list {
	struct mw_diagnostics *diagnostics;
	enum mw_allow_mode mode;
	struct mw_allowed *items;
	size_t count, capacity;
};

/** Whether this is a rule's code or the start of one. */
bool mw_allowed_is_code(const char *text, size_t length);
/** Adds a code after checking that it may be allowed; S109 where it may not. The entry, or
 * NULL; it is valid until the next one. */
struct mw_allowed *mw_allowed_add(struct mw_allowed_list *list, const char *code, size_t length,
				  struct mw_span span);
/** S109 at a place; NULL in a mode that adds none. */
struct mw_diag *mw_allowed_refuse(struct mw_allowed_list *list, struct mw_span span,
				  const char *format, ...) __attribute__((format(printf, 3, 4)));

/** Reads the comments of one source. */
void mw_allow_scan(struct mw_allowed_list *list, uint32_t source);

#endif
