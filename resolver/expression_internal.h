/** The syntax tree of an expression; private to resolver/expression*.c. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_EXPRESSION_INTERNAL_H
#define RESOLVER_EXPRESSION_INTERNAL_H

#include "resolver/expression.h"

enum mw_operator {
	MW_OP_NUMBER, /* also true and false */
	MW_OP_PARAMETER,
	MW_OP_I,
	MW_OP_DEV,
	MW_OP_HAS,
	MW_OP_LEN,
	MW_OP_LOG2,
	MW_OP_NOT,
	MW_OP_IF, /* left if condition else right */
	MW_OP_OR,
	MW_OP_AND,
	MW_OP_EQUAL,
	MW_OP_DIFFERS,
	MW_OP_BELOW,
	MW_OP_AT_MOST,
	MW_OP_ABOVE,
	MW_OP_AT_LEAST,
	MW_OP_IN, /* enum: in, == and != with members */
	MW_OP_NOT_IN,
	MW_OP_MIN,
	MW_OP_MAX,
	MW_OP_ALIGN,
	MW_OP_ADD,
	MW_OP_SUBTRACT,
	MW_OP_MULTIPLY,
	MW_OP_DIVIDE,
	MW_OP_REMAINDER,
};

struct mw_expression_node {
	enum mw_operator op;
	enum mw_type type;
	uint32_t offset, length; /* in the scalar's text */
	uint64_t number;
	struct mw_parameter *parameter;
	const char *const *members; /* type ENUM: what it may be; ended by NULL */
	const char **words;         /* IN: the members asked for; ended by NULL */
	const char *path;           /* DEV: what stands behind `dev.` */
	struct mw_expression_node *left, *right, *condition;
};

/** Literal text, or an expression. */
struct mw_segment {
	const char *text;
	size_t length;
	struct mw_expression_node *root;
	struct mw_segment *next;
};

struct mw_expression {
	struct mw_segment *first;
	bool whole; /* one expression and nothing else */
	bool uses_i, uses_dev, uses_parameters;
};

#endif
