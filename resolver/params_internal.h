/** A parameter's declaration and its type's row; private to resolver/params*.c. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_PARAMS_INTERNAL_H
#define RESOLVER_PARAMS_INTERNAL_H

#include "resolver/params.h"

struct mw_param_type {
	const char *name;
	enum mw_type type;
	bool (*number)(const char *text, uint64_t *value); /* INT types */
	bool (*text)(const char *text);                    /* TEXT types: well-formed? */
	const char *expected;
	unsigned shape; /* for the traps of bools and numbers */
};

/** NULL where there is none. */
const struct mw_param_type *mw_param_type_find(const char *name);

struct mw_param {
	struct mw_parameter seen; /* what expressions see */
	struct mw_tree *tree;
	const struct mw_param_type *type, *item_type; /* NULL: the declaration is broken */
	bool optional;
	bool has_min, has_max, has_multiple;
	uint64_t min, max, multiple;
	const char *match;       /* the pattern; NULL for none */
	struct mw_tree *given;   /* from --set, or by the device that uses the part */
	struct mw_params *owner; /* where it is declared: the profile's or the part's */
	bool secret;
	struct mw_value value;
	enum { MW_PARAM_UNKNOWN, MW_PARAM_BUSY, MW_PARAM_KNOWN } state;
};

/** Fills type, constraints and members from the declaration; false after a diagnostic. */
bool mw_param_declare(struct mw_arena *arena, struct mw_diagnostics *diagnostics,
		      struct mw_param *param);
/** Takes `match`: bounded, so that no pattern and no text can take long. False after a diagnostic. */
bool mw_param_declare_match(struct mw_diagnostics *diagnostics, struct mw_param *param);
bool mw_param_check_match(struct mw_diagnostics *diagnostics, const struct mw_param *param,
			  const char *text, struct mw_span span);
/** A scalar or list as a value of the parameter's type, checked; FAILED after a diagnostic. */
struct mw_value mw_param_convert(struct mw_diagnostics *diagnostics, const struct mw_param *param,
				 struct mw_tree *tree);
/** Checks a value against `of`, `min`, `max` and `multiple`. */
bool mw_param_check(struct mw_diagnostics *diagnostics, const struct mw_param *param,
		    const struct mw_value *value, struct mw_span span);

#endif
