/** What the completions of keys and of values share. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_LSP_COMPLETE_INTERNAL_H
#define TOOLS_LSP_COMPLETE_INTERNAL_H

#include "tools/lsp/lsp_internal.h"

/** Kinds of LSP's CompletionItemKind. */
enum {
	LSP_KIND_FUNCTION = 3,
	LSP_KIND_FIELD = 5,
	LSP_KIND_VARIABLE = 6,
	LSP_KIND_CLASS = 7,
	LSP_KIND_MODULE = 9,
	LSP_KIND_PROPERTY = 10,
	LSP_KIND_VALUE = 12,
	LSP_KIND_ENUM_MEMBER = 20,
	LSP_KIND_KEYWORD = 14,
	LSP_KIND_FILE = 17,
	LSP_KIND_REFERENCE = 18
};

/** One answer being made. */
struct lsp_completion {
	struct lsp_cursor *cursor;
	const struct lsp_context *context;
	json_t *items;
	size_t start, end; /* of what an item replaces */
	bool cut;          /* there were more */
	uint32_t device;   /* the entry of `devices` it is in, or LSP_NO_ITEM */
	char id[80];       /* its id, or "" */
	const struct mw_device_type *type;
};

/** Adds an item; `text` NULL: the label, `detail` and `help` may be NULL. Returns it, borrowed, or
 * NULL where there are too many, or it does not begin with what stands there. */
json_t *lsp_offer(struct lsp_completion *completion, const char *label, unsigned kind,
		  const char *text, const char *detail, const char *help);
/** A list of words, ended by NULL. */
void lsp_offer_words(struct lsp_completion *completion, const char *const *words, unsigned kind);

/** Where the completion is: like lsp_outline_is, an element of a flow list too. */
bool lsp_completes(const struct lsp_completion *completion, const char *pattern);

/* complete_keys.c, complete_values.c, complete_types.c, complete_expression.c */
void lsp_complete_key(struct lsp_completion *completion);
void lsp_complete_value(struct lsp_completion *completion);
void lsp_complete_types(struct lsp_completion *completion);
void lsp_complete_expression(struct lsp_completion *completion, size_t start);

/** Whether a type may sit on a bus of this kind. */
bool lsp_type_fits(const struct mw_device_type *type, const char *bus_kind);
/** A bus that the type plugs into, "sys" where none is found. */
const char *lsp_bus_for(struct lsp_completion *completion, const struct mw_device_type *type);

#endif
