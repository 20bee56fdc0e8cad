/* Expressions: text to typed syntax tree. One pass; the first mistake in a scalar ends it. */
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <string.h>

#include "resolver/expression_internal.h"
#include "resolver/fixes.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define DIGITS  "0123456789"

enum token_kind { TOKEN_END, TOKEN_NUMBER, TOKEN_WORD, TOKEN_DEV, TOKEN_SYMBOL };

struct token {
	enum token_kind kind;
	uint32_t offset, length;
};

struct parser {
	struct mw_parsing *parsing;
	struct mw_tree *scalar;
	struct mw_expression *expression;
	struct mw_expression_budget *budget;
	const char *text;
	uint32_t at; /* behind the current token */
	struct token token;
	unsigned depth;
	bool failed;
};

/* Binary operators by binding strength. Level 3 is `not`. */
enum { LEVEL_LOWEST = 1, LEVEL_NOT = 3, LEVEL_COMPARISON = 4 };
static const struct infix {
	const char *text;
	unsigned level;
	enum mw_operator op;
	enum mw_type takes, gives; /* takes NONE: int, or bool, or enum with a member */
} infixes[] = {
	{ "or", 1, MW_OP_OR, MW_TYPE_BOOL, MW_TYPE_BOOL },
	{ "and", 2, MW_OP_AND, MW_TYPE_BOOL, MW_TYPE_BOOL },
	{ "==", 4, MW_OP_EQUAL, MW_TYPE_NONE, MW_TYPE_BOOL },
	{ "!=", 4, MW_OP_DIFFERS, MW_TYPE_NONE, MW_TYPE_BOOL },
	{ "<", 4, MW_OP_BELOW, MW_TYPE_INT, MW_TYPE_BOOL },
	{ "<=", 4, MW_OP_AT_MOST, MW_TYPE_INT, MW_TYPE_BOOL },
	{ ">", 4, MW_OP_ABOVE, MW_TYPE_INT, MW_TYPE_BOOL },
	{ ">=", 4, MW_OP_AT_LEAST, MW_TYPE_INT, MW_TYPE_BOOL },
	{ "in", 4, MW_OP_IN, MW_TYPE_NONE, MW_TYPE_BOOL },
	{ "min", 5, MW_OP_MIN, MW_TYPE_INT, MW_TYPE_INT },
	{ "max", 5, MW_OP_MAX, MW_TYPE_INT, MW_TYPE_INT },
	{ "align", 6, MW_OP_ALIGN, MW_TYPE_INT, MW_TYPE_INT },
	{ "+", 7, MW_OP_ADD, MW_TYPE_INT, MW_TYPE_INT },
	{ "-", 7, MW_OP_SUBTRACT, MW_TYPE_INT, MW_TYPE_INT },
	{ "*", 8, MW_OP_MULTIPLY, MW_TYPE_INT, MW_TYPE_INT },
	{ "/", 8, MW_OP_DIVIDE, MW_TYPE_INT, MW_TYPE_INT },
	{ "%", 8, MW_OP_REMAINDER, MW_TYPE_INT, MW_TYPE_INT },
};

static struct mw_expression_node *parse_conditional(struct parser *parser);
static struct mw_expression_node *parse_binary(struct parser *parser, unsigned lowest);

const char *mw_type_name(enum mw_type type)
{
	static const char *const names[] = { "nothing", "int", "bool", "enum", "text", "list" };

	return names[type];
}

/* The first mistake only: what follows from it is noise. */
static struct mw_diag *fail(struct parser *parser, const char *code, uint32_t offset,
			    uint32_t length, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

static struct mw_diag *fail(struct parser *parser, const char *code, uint32_t offset,
			    uint32_t length, const char *format, ...)
{
	struct mw_diagnostics *diagnostics = parser->parsing->diagnostics;
	va_list arguments;

	va_start(arguments, format);
	const char *message = mw_arena_vprintf(parser->parsing->arena, format, arguments);

	va_end(arguments);
	struct mw_diag *diag = mw_diagnostics_add(
		diagnostics, MW_SEVERITY_ERROR, code,
		mw_tree_span(diagnostics, parser->scalar, offset, length), "%s", message);

	diag->node = parser->parsing->node;
	parser->failed = true;
	return diag;
}

static struct mw_diag *fail_token(struct parser *parser, const char *message)
{
	const struct token *token = &parser->token;

	if (token->kind == TOKEN_END)
		return fail(parser, "S114", token->offset, 0, "%s, found the end", message);
	return fail(parser, "S114", token->offset, token->length, "%s, found `%.*s`", message,
		    (int)token->length, parser->text + token->offset);
}

static bool is(const struct parser *parser, const char *text)
{
	size_t length = strlen(text);

	return (parser->token.kind == TOKEN_WORD || parser->token.kind == TOKEN_SYMBOL) &&
	       parser->token.length == length &&
	       memcmp(parser->text + parser->token.offset, text, length) == 0;
}

static uint32_t length_of(const char *text, const char *allowed)
{
	return (uint32_t)strspn(text, allowed);
}

static void advance(struct parser *parser)
{
	const char *text = parser->text;
	struct token *token = &parser->token;

	parser->at += length_of(text + parser->at, " \t\n");
	const char *start = text + parser->at;

	token->offset = parser->at;
	token->length = 1;
	if (!*start) {
		token->kind = TOKEN_END;
		token->length = 0;
	} else if (strchr(DIGITS, *start)) {
		token->kind = TOKEN_NUMBER;
		token->length = length_of(start, DIGITS LETTERS);
	} else if (strncmp(start, "dev.", 4) == 0) {
		token->kind = TOKEN_DEV;
		token->length = 4 + length_of(start + 4, DIGITS LETTERS ".-");
	} else if (strchr(LETTERS, *start)) {
		token->kind = TOKEN_WORD;
		token->length = length_of(start, DIGITS LETTERS);
	} else {
		token->kind = TOKEN_SYMBOL;
		if (strchr("=!<>", start[0]) && start[1] == '=')
			token->length = 2;
		else if ((unsigned char)*start >= 0x80) /* a whole code point, for the message */
			while (((unsigned char)start[token->length] & 0xc0) == 0x80)
				token->length++;
	}
	parser->at += token->length;
}

static struct mw_expression_budget *find_budget(struct mw_parsing *parsing, uint32_t source)
{
	for (size_t i = parsing->budget_count; i > 0; i--) {
		if (parsing->budgets[i - 1].source == source)
			return &parsing->budgets[i - 1];
	}
	if (parsing->budget_count == parsing->budget_capacity) {
		size_t capacity = parsing->budget_capacity * 2 + 16;
		struct mw_expression_budget *budgets =
			mw_arena_alloc(parsing->arena, capacity, sizeof(*budgets));

		if (parsing->budget_count)
			memcpy(budgets, parsing->budgets, parsing->budget_count * sizeof(*budgets));
		parsing->budgets = budgets;
		parsing->budget_capacity = capacity;
	}
	parsing->budgets[parsing->budget_count] = (struct mw_expression_budget){ .source = source };
	return &parsing->budgets[parsing->budget_count++];
}

static struct mw_expression_node *new_node(struct parser *parser, enum mw_operator op,
					   enum mw_type type, uint32_t offset)
{
	struct mw_expression_node *node = mw_arena_alloc(parser->parsing->arena, 1, sizeof(*node));

	node->op = op;
	node->type = type;
	node->offset = offset;
	node->length = parser->token.offset - offset;
	while (node->length > 1 && strchr(" \t\n", parser->text[offset + node->length - 1]))
		node->length--;
	if (++parser->budget->nodes > MW_EXPRESSION_NODES) {
		if (!parser->budget->told)
			fail(parser, "Y010", parser->token.offset, parser->token.length,
			     "the expressions of one file have more than %d parts",
			     MW_EXPRESSION_NODES);
		parser->budget->told = parser->failed = true;
	}
	return node;
}

static bool enter(struct parser *parser)
{
	if (++parser->depth <= MW_EXPRESSION_DEPTH)
		return true;
	fail(parser, "Y010", parser->token.offset, parser->token.length,
	     "an expression nested more than %d deep", MW_EXPRESSION_DEPTH);
	return false;
}

/* A parameter that is broken has no type: nothing is said about it a second time. */
static bool has_type(struct parser *parser, const struct mw_expression_node *node,
		     enum mw_type type)
{
	if (!node)
		return false;
	if (node->type == type || node->type == MW_TYPE_NONE || type == MW_TYPE_NONE)
		return true;
	fail(parser, "S114", node->offset, node->length, "expected %s, found %s",
	     mw_type_name(type), mw_type_name(node->type));
	return false;
}

static struct mw_parameter *find_parameter(struct parser *parser)
{
	const struct token *token = &parser->token;
	const struct mw_scope *scope = parser->parsing->scope;
	const char *name = mw_arena_strndup(parser->parsing->arena, parser->text + token->offset,
					    token->length);
	struct mw_parameter *parameter =
		token->kind == TOKEN_WORD ? scope->find(scope->context, name) : NULL;
	struct mw_diag *diag;

	if (parameter) {
		parameter->used = true;
		parser->expression->uses_parameters = true;
		return parameter;
	}
	if (token->kind != TOKEN_WORD) {
		fail_token(parser, "expected a parameter's name");
	} else if (strcmp(name, "i") == 0) {
		fail(parser, "S105", token->offset, token->length,
		     "`i` exists only in a device with `count`");
	} else {
		diag = fail(parser, "S105", token->offset, token->length,
			    "there is no parameter `%s`", name);
		mw_suggest_key(parser->parsing->diagnostics, diag, name, scope->names);
	}
	return NULL;
}

static bool take(struct parser *parser, const char *text)
{
	if (is(parser, text)) {
		advance(parser);
		return true;
	}
	fail_token(parser, mw_arena_printf(parser->parsing->arena, "expected `%s`", text));
	return false;
}

static struct mw_expression_node *parse_number(struct parser *parser)
{
	struct token token = parser->token;
	const char *text =
		mw_arena_strndup(parser->parsing->arena, parser->text + token.offset, token.length);
	uint64_t number;

	if (!mw_tree_size(text, &number)) {
		bool zero = text[0] == '0' && text[1] >= '0' && text[1] <= '9';

		struct mw_diag *diag =
			fail(parser, zero ? "Y006" : "S114", token.offset, token.length,
			     zero ? "`%s` has a leading zero: octal to some, decimal to others"
				  : "`%s` is no int and no size",
			     text);
		size_t zeros = strspn(text, "0");

		if (zero && text[zeros] >= '0' && text[zeros] <= '9') {
			mw_diag_help(parser->parsing->diagnostics, diag,
				     "write `%s`, or 0x for hexadecimal", text + zeros);
			mw_fix_word(parser->parsing->diagnostics, diag, MW_FIX_UNSAFE, text,
				    text + zeros);
		}
		return NULL;
	}
	advance(parser);
	struct mw_expression_node *node = new_node(parser, MW_OP_NUMBER, MW_TYPE_INT, token.offset);

	node->number = number;
	return node;
}

/* `when` and `count` may only ask whether the host gives a value. */
static bool is_guests(struct parser *parser, const struct mw_parameter *parameter, uint32_t offset,
		      uint32_t length)
{
	if (!parameter->host || !parser->parsing->no_host)
		return true;
	struct mw_diag *diag =
		fail(parser, "S114", offset, length,
		     "the value of `%s` is the host's, and the guest must not depend on it",
		     parameter->name);

	mw_diag_help(parser->parsing->diagnostics, diag, "only `has(%s)` may be asked here",
		     parameter->name);
	return false;
}

static struct mw_expression_node *parse_call(struct parser *parser)
{
	static const struct {
		const char *name;
		enum mw_operator op;
		enum mw_type gives;
	} calls[] = { { "has", MW_OP_HAS, MW_TYPE_BOOL },
		      { "len", MW_OP_LEN, MW_TYPE_INT },
		      { "log2", MW_OP_LOG2, MW_TYPE_INT } };
	uint32_t offset = parser->token.offset;
	size_t which = 0;

	while (!is(parser, calls[which].name))
		which++;
	advance(parser);
	if (!take(parser, "("))
		return NULL;
	struct mw_expression_node *inside = NULL;
	struct mw_parameter *parameter = NULL;
	uint32_t name = parser->token.offset;

	if (calls[which].op == MW_OP_LOG2) {
		inside = parse_conditional(parser);
		if (!has_type(parser, inside, MW_TYPE_INT))
			return NULL;
	} else {
		parameter = find_parameter(parser);
		if (!parameter || (calls[which].op == MW_OP_LEN &&
				   !is_guests(parser, parameter, name, parser->token.length)))
			return NULL;
		advance(parser);
	}
	if (calls[which].op == MW_OP_LEN && parameter->type != MW_TYPE_LIST &&
	    parameter->type != MW_TYPE_TEXT && parameter->type != MW_TYPE_NONE) {
		fail(parser, "S114", name, parser->token.offset - name,
		     "expected a list or text, found %s", mw_type_name(parameter->type));
		return NULL;
	}
	if (!take(parser, ")"))
		return NULL;
	struct mw_expression_node *node =
		new_node(parser, calls[which].op, calls[which].gives, offset);

	node->left = inside;
	node->parameter = parameter;
	return node;
}

static struct mw_expression_node *parse_parameter(struct parser *parser)
{
	struct token token = parser->token;
	struct mw_parameter *parameter = find_parameter(parser);

	if (!parameter)
		return NULL;
	if (!is_guests(parser, parameter, token.offset, token.length))
		return NULL;
	advance(parser);
	struct mw_expression_node *node =
		new_node(parser, MW_OP_PARAMETER, parameter->type, token.offset);

	node->parameter = parameter;
	node->members = parameter->members;
	return node;
}

static struct mw_expression_node *parse_dev(struct parser *parser)
{
	struct token token = parser->token;

	if (!parser->parsing->may_link) {
		struct mw_diag *diag = fail(parser, "S114", token.offset, token.length,
					    "places of devices are not known here");

		mw_diag_help(parser->parsing->diagnostics, diag,
			     "`dev.` can stand in `props` and in `boot`");
		return NULL;
	}
	advance(parser);
	struct mw_expression_node *node = new_node(parser, MW_OP_DEV, MW_TYPE_INT, token.offset);

	node->path = mw_arena_strndup(parser->parsing->arena, parser->text + token.offset + 4,
				      token.length - 4);
	parser->expression->uses_dev = true;
	return node;
}

static struct mw_expression_node *parse_word(struct parser *parser)
{
	uint32_t offset = parser->token.offset;
	struct mw_expression_node *node;

	if (is(parser, "true") || is(parser, "false")) {
		bool truth = is(parser, "true");

		advance(parser);
		node = new_node(parser, MW_OP_NUMBER, MW_TYPE_BOOL, offset);
		node->number = truth;
		return node;
	}
	if (is(parser, "has") || is(parser, "len") || is(parser, "log2"))
		return parse_call(parser);
	if (is(parser, "i") && parser->parsing->has_i) {
		advance(parser);
		parser->expression->uses_i = true;
		return new_node(parser, MW_OP_I, MW_TYPE_INT, offset);
	}
	if (is(parser, "accel") && parser->text[parser->at] == '.') {
		uint32_t more = 1 + length_of(parser->text + parser->at + 1, DIGITS LETTERS);

		parser->token.length += more;
		parser->at += more;
		return parse_parameter(parser);
	}
	return parse_parameter(parser);
}

static bool is_operator_word(const struct parser *parser)
{
	for (size_t i = 0; i < sizeof(infixes) / sizeof(infixes[0]); i++) {
		if (is(parser, infixes[i].text))
			return true;
	}
	return is(parser, "if") || is(parser, "else") || is(parser, "not");
}

static struct mw_expression_node *parse_primary(struct parser *parser)
{
	switch (parser->token.kind) {
	case TOKEN_NUMBER: return parse_number(parser);
	case TOKEN_DEV: return parse_dev(parser);
	case TOKEN_WORD:
		if (!is_operator_word(parser))
			return parse_word(parser);
		break;
	default: break;
	}
	if (!is(parser, "(")) {
		struct mw_diag *diag = fail_token(parser, "expected a value");

		if (is(parser, "$"))
			mw_diag_help(parser->parsing->diagnostics, diag,
				     "this is an expression already; leave out `$( )`");
		else if (is(parser, "!"))
			mw_diag_help(parser->parsing->diagnostics, diag, "write `not`");
		return NULL;
	}
	if (!enter(parser))
		return NULL;
	advance(parser);
	struct mw_expression_node *node = parse_conditional(parser);

	parser->depth--;
	return node && take(parser, ")") ? node : NULL;
}

static struct mw_expression_node *parse_not(struct parser *parser)
{
	uint32_t offset = parser->token.offset;

	if (!enter(parser))
		return NULL;
	advance(parser);
	struct mw_expression_node *operand = parse_binary(parser, LEVEL_NOT);

	parser->depth--;
	if (!has_type(parser, operand, MW_TYPE_BOOL))
		return NULL;
	struct mw_expression_node *node = new_node(parser, MW_OP_NOT, MW_TYPE_BOOL, offset);

	node->left = operand;
	return node;
}

/* One bare word behind `==`, `!=` or `in`: a member of the left side's enum. */
static const char *parse_member(struct parser *parser, const struct mw_expression_node *left)
{
	const char *start = parser->text + parser->token.offset;
	uint32_t length = length_of(start, DIGITS LETTERS "-.");
	const char *word = mw_arena_strndup(parser->parsing->arena, start, length);

	if (length == 0) {
		fail_token(parser, "expected a member");
		return NULL;
	}
	bool known = left->type == MW_TYPE_NONE;

	for (size_t i = 0; !known && left->members && left->members[i]; i++)
		known = strcmp(left->members[i], word) == 0;
	if (!known) {
		struct mw_diag *diag = fail(parser, "S105", parser->token.offset, length,
					    "`%s` is no member of this enum", word);
		mw_diag_note(parser->parsing->diagnostics, diag, (struct mw_span){ 0 },
			     "its members are %s",
			     mw_list_names(parser->parsing->arena, left->members));
		if (left->members)
			mw_suggest(parser->parsing->diagnostics, diag, word, left->members);
		return NULL;
	}
	parser->at = parser->token.offset + length;
	advance(parser);
	return word;
}

static struct mw_expression_node *
parse_members(struct parser *parser, struct mw_expression_node *left, const struct infix *infix)
{
	enum { MOST = 64 };
	const char *words[MOST];
	size_t count = 0;

	do {
		if (count > 0)
			advance(parser);
		words[count] = parse_member(parser, left);
		if (!words[count++])
			return NULL;
	} while (infix->op == MW_OP_IN && is(parser, "|") && count < MOST - 1);
	struct mw_expression_node *node =
		new_node(parser, infix->op == MW_OP_DIFFERS ? MW_OP_NOT_IN : MW_OP_IN, MW_TYPE_BOOL,
			 left->offset);

	node->left = left;
	node->words = mw_arena_alloc(parser->parsing->arena, count + 1, sizeof(*words));
	memcpy(node->words, words, count * sizeof(*words));
	return node;
}

static const struct infix *find_infix(const struct parser *parser)
{
	for (size_t i = 0; i < sizeof(infixes) / sizeof(infixes[0]); i++) {
		if (is(parser, infixes[i].text))
			return &infixes[i];
	}
	return NULL;
}

/* `-` may be part of an id elsewhere, so here it wants room on both sides. */
static bool minus_has_room(struct parser *parser)
{
	uint32_t at = parser->token.offset;

	if (at > 0 && strchr(" \t\n(", parser->text[at - 1]) &&
	    strchr(" \t\n", parser->text[at + 1]))
		return true;
	struct mw_diag *diag = fail(parser, "S114", at, 1, "a minus needs a space on both sides");

	mw_diag_help(parser->parsing->diagnostics, diag,
		     "write `a - b`: ids may hold `-`, and there are no negative numbers");
	return false;
}

static bool is_member_test(const struct parser *parser, const struct infix *infix,
			   const struct mw_expression_node *left)
{
	bool equality = infix->op == MW_OP_EQUAL || infix->op == MW_OP_DIFFERS;

	return (left->type == MW_TYPE_ENUM && (equality || infix->op == MW_OP_IN)) ||
	       (left->type == MW_TYPE_NONE && (equality || infix->op == MW_OP_IN) &&
		parser->token.kind == TOKEN_WORD && !is(parser, "true") && !is(parser, "false"));
}

static struct mw_expression_node *parse_right(struct parser *parser, const struct infix *infix,
					      struct mw_expression_node *left)
{
	if (infix->op == MW_OP_SUBTRACT && !minus_has_room(parser))
		return NULL;
	advance(parser);
	if (is_member_test(parser, infix, left))
		return parse_members(parser, left, infix);
	if (infix->op == MW_OP_IN) {
		fail(parser, "S114", left->offset, left->length,
		     "expected an enum to the left of `in`, found %s", mw_type_name(left->type));
		return NULL;
	}
	if (infix->takes == MW_TYPE_NONE &&
	    (left->type == MW_TYPE_TEXT || left->type == MW_TYPE_LIST)) {
		fail(parser, "S114", left->offset, left->length, "%s cannot be compared",
		     mw_type_name(left->type));
		return NULL;
	}
	if (!has_type(parser, left, infix->takes))
		return NULL;
	struct mw_expression_node *right = parse_binary(parser, infix->level + 1);

	if (!has_type(parser, right, infix->takes == MW_TYPE_NONE ? left->type : infix->takes))
		return NULL;
	struct mw_expression_node *node = new_node(parser, infix->op, infix->gives, left->offset);

	node->left = left;
	node->right = right;
	return node;
}

static struct mw_expression_node *parse_binary(struct parser *parser, unsigned lowest)
{
	bool negation = is(parser, "not") && lowest <= LEVEL_NOT;
	struct mw_expression_node *left = negation ? parse_not(parser) : parse_primary(parser);
	bool compared = false;

	while (left && !parser->failed) {
		const struct infix *infix = find_infix(parser);

		if (!infix || infix->level < lowest)
			break;
		if (infix->level == LEVEL_COMPARISON && compared) {
			struct mw_diag *diag = fail_token(parser, "comparisons do not chain");

			mw_diag_help(parser->parsing->diagnostics, diag, "write `a < b and b < c`");
			return NULL;
		}
		compared = infix->level == LEVEL_COMPARISON;
		left = parse_right(parser, infix, left);
	}
	return parser->failed ? NULL : left;
}

/* `a if c else b`, right-associative. */
static struct mw_expression_node *parse_conditional(struct parser *parser)
{
	struct mw_expression_node *left = parse_binary(parser, LEVEL_LOWEST);

	if (!left || !is(parser, "if"))
		return left;
	if (!enter(parser))
		return NULL;
	advance(parser);
	struct mw_expression_node *condition = parse_binary(parser, LEVEL_LOWEST);

	if (!has_type(parser, condition, MW_TYPE_BOOL) || !take(parser, "else"))
		return NULL;
	struct mw_expression_node *right = parse_conditional(parser);

	parser->depth--;
	if (!has_type(parser, right, left->type))
		return NULL;
	struct mw_expression_node *node = new_node(parser, MW_OP_IF, left->type, left->offset);

	node->left = left;
	node->condition = condition;
	node->right = right;
	node->members = left->members ? left->members : right->members;
	return node;
}

static void append_segment(struct parser *parser, struct mw_segment ***end, const char *text,
			   size_t length, struct mw_expression_node *root)
{
	struct mw_segment *segment = mw_arena_alloc(parser->parsing->arena, 1, sizeof(*segment));

	if (!root && !length)
		return;
	segment->text = text;
	segment->length = length;
	segment->root = root;
	**end = segment;
	*end = &segment->next;
}

/* Parses one `$(...)`; parser->at stands behind `$(`. */
static bool parse_inside(struct parser *parser, uint32_t start, struct mw_segment ***end)
{
	parser->depth = 0;
	advance(parser);
	struct mw_expression_node *root = parse_conditional(parser);

	if (!root || parser->failed)
		return false;
	if (parser->token.kind == TOKEN_END) {
		fail(parser, "S114", start, 2, "this `$(` is never closed");
		return false;
	}
	if (!is(parser, ")")) {
		fail_token(parser, "expected an operator or `)`");
		return false;
	}
	append_segment(parser, end, NULL, 0, root);
	return true;
}

static bool parse_segments(struct parser *parser)
{
	struct mw_segment **end = &parser->expression->first;
	const char *text = parser->text;
	const char *from = text;

	for (const char *at = strstr(text, "$("); at; at = strstr(text + parser->at, "$(")) {
		if (at > from && at[-1] == '$') {
			append_segment(parser, &end, from, (size_t)(at - 1 - from), NULL);
			append_segment(parser, &end, at, 2, NULL);
			parser->at = (uint32_t)(at - text) + 2;
		} else {
			append_segment(parser, &end, from, (size_t)(at - from), NULL);
			parser->at = (uint32_t)(at - text) + 2;
			if (!parse_inside(parser, (uint32_t)(at - text), &end))
				return false;
		}
		from = text + parser->at;
	}
	append_segment(parser, &end, from, strlen(from), NULL);
	struct mw_segment *first = parser->expression->first;

	parser->expression->whole = first && first->root && !first->next;
	for (struct mw_segment *segment = first; segment; segment = segment->next) {
		if (segment->root && segment->root->type == MW_TYPE_LIST &&
		    !parser->expression->whole) {
			fail(parser, "S114", segment->root->offset, segment->root->length,
			     "a list must be the whole value");
			return false;
		}
	}
	return true;
}

/* What other languages write has a word here. */
static void refuse_rest(struct parser *parser)
{
	static const struct {
		const char *written, *word;
	} words[] = { { "&&", "and" }, { "||", "or" }, { "!", "not" }, { "=", "==" } };
	const char *text = parser->text + parser->token.offset;
	struct mw_diagnostics *diagnostics = parser->parsing->diagnostics;

	fail_token(parser, "expected an operator or the end");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncmp(text, words[i].written, strlen(words[i].written)) != 0)
			continue;
		mw_diag_help(diagnostics, diagnostics->items[diagnostics->count - 1], "write `%s`",
			     words[i].word);
		return;
	}
}

static bool parse_bare(struct parser *parser)
{
	struct mw_segment **end = &parser->expression->first;

	advance(parser);
	struct mw_expression_node *root = parse_conditional(parser);

	if (!root || parser->failed)
		return false;
	if (parser->token.kind != TOKEN_END) {
		refuse_rest(parser);
		return false;
	}
	if (!has_type(parser, root, MW_TYPE_BOOL))
		return false;
	append_segment(parser, &end, NULL, 0, root);
	parser->expression->whole = true;
	return true;
}

bool mw_expression_parse(struct mw_parsing *parsing, struct mw_tree *scalar, bool bare)
{
	if (scalar->failed || scalar->expression)
		return !scalar->failed;
	if (!bare && !strstr(scalar->text, "$("))
		return true;
	struct parser parser = { .parsing = parsing, .scalar = scalar, .text = scalar->text };

	parser.budget = find_budget(parsing, scalar->span.source);
	parser.expression = mw_arena_alloc(parsing->arena, 1, sizeof(*parser.expression));
	scalar->dynamic = true;
	if (!(bare ? parse_bare(&parser) : parse_segments(&parser)) || parser.failed) {
		scalar->failed = true;
		return false;
	}
	scalar->expression = parser.expression;
	scalar->link = parser.expression->uses_dev;
	return true;
}

bool mw_expression_uses_i(const struct mw_expression *expression)
{
	return expression->uses_i;
}

enum mw_type mw_expression_type(const struct mw_expression *expression)
{
	return expression->whole ? expression->first->root->type : MW_TYPE_TEXT;
}
