/** Expressions: `$(...)` inside scalars, and the bare ones of `when:` and `that:`. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_EXPRESSION_H
#define RESOLVER_EXPRESSION_H

#include "resolver/document.h"
#include "resolver/tree.h"

enum {
	MW_EXPRESSION_DEPTH = 32,
	MW_EXPRESSION_NODES = 4096,
	MW_EXPRESSION_TEXT = 64 * 1024,         /* bytes of one text with values in it */
	MW_EXPRESSION_TEXTS = 64 * 1024 * 1024, /* of all of a machine's */
};

/** What an expression is, known before any value is. TEXT stands alone or inside a string. */
enum mw_type { MW_TYPE_NONE, MW_TYPE_INT, MW_TYPE_BOOL, MW_TYPE_ENUM, MW_TYPE_TEXT, MW_TYPE_LIST };
const char *mw_type_name(enum mw_type type);

/** What of the host's went into a value: only whether a parameter is given, or one's value. */
enum { MW_HOST_ASKED = 1 << 0, MW_HOST_VALUE = 1 << 1 };

/** A value. FAILED: a diagnostic was given where it came from; users keep silent. */
struct mw_value {
	enum { MW_VALUE_FAILED, MW_VALUE_UNSET, MW_VALUE_SET } state;
	enum mw_type type;
	uint64_t number;    /* INT, BOOL */
	const char *text;   /* ENUM, TEXT */
	const char *secret; /* TEXT: what it really is, where `text` only says `<secret>` */
	struct mw_tree *list;
	uint8_t host; /* MW_HOST_ASKED and MW_HOST_VALUE */
};

/** A parameter as expressions see it; params.c owns them. */
struct mw_parameter {
	const char *name;
	enum mw_type type;
	const char *const *members; /* ENUM, ended by NULL */
	bool host, used;
	uint64_t low, high; /* INT: what its constraints leave */
};

/** Where names are looked up. */
struct mw_scope {
	void *context;
	struct mw_parameter *(*find)(void *context, const char *name);
	struct mw_value (*value)(void *context, struct mw_parameter *parameter);
	struct mw_tree *names; /* a map keyed by parameter name, for "did you mean" */
	struct mw_part *part;  /* whose parameters they are; NULL: the profile's */
	size_t *text_spent;    /* bytes of texts with values in them; NULL: not counted */
};

/** Counts the nodes of one file's expressions. */
struct mw_expression_budget {
	uint32_t source, nodes;
	bool told;
};

struct mw_parsing {
	struct mw_arena *arena;
	struct mw_diagnostics *diagnostics;
	const struct mw_scope *scope;
	struct mw_expression_budget *budgets; /* one per file */
	size_t budget_count, budget_capacity;
	bool has_i;       /* inside a body with `count` */
	bool may_link;    /* inside `props` or `boot` */
	bool no_host;     /* `when`, `count`: a host parameter may only be asked with has() */
	const char *node; /* for diagnostics */
};

/** Parses and types a scalar: as one bare expression, or for its $(...). Sets tree->expression (NULL
 * when there is none), `dynamic` and `link`; on an error adds a diagnostic, sets `failed` and
 * returns false. */
bool mw_expression_parse(struct mw_parsing *parsing, struct mw_tree *scalar, bool bare);

/** True when it reads `i`. */
bool mw_expression_uses_i(const struct mw_expression *expression);
/** The type of a scalar that is one expression and nothing else, else TEXT. */
enum mw_type mw_expression_type(const struct mw_expression *expression);

/** For evaluation: values, and for the link phase, claims. */
struct mw_evaluation {
	struct mw_arena *arena;
	struct mw_diagnostics *diagnostics;
	const struct mw_scope *scope;
	uint64_t i;
	const char *node;
	bool no_secret;               /* outside of `props` and `backend` */
	struct mw_document *document; /* link phase only */
	mw_link_lookup *look;
	void *look_context;
};

/** Evaluates a scalar with an expression; diagnostics point into it. */
struct mw_value mw_expression_value(struct mw_evaluation *evaluation, struct mw_tree *scalar);
/** A value as a scalar's text; NULL for a list. */
const char *mw_value_text(struct mw_arena *arena, const struct mw_value *value);

/** -1 never, 1 always, 0 either: what the parameters' constraints alone say of a condition. Always
 * 0 for one without parameters. */
int mw_expression_constant(const struct mw_expression *expression);

#endif
