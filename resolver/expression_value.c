/* Expressions: checked unsigned 64-bit evaluation, and what constraints alone decide. */
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <string.h>

#include "resolver/expression_internal.h"
#include "resolver/parts.h"

struct run {
	struct mw_evaluation *evaluation;
	struct mw_tree *scalar;
};

typedef const struct mw_expression_node node_type;

static struct mw_value evaluate(struct run *run, node_type *node);

static struct mw_value number_value(uint64_t number, enum mw_type type, uint8_t host)
{
	return (struct mw_value){
		.state = MW_VALUE_SET, .type = type, .number = number, .host = host
	};
}

static struct mw_value fail(struct run *run, node_type *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static struct mw_value fail(struct run *run, node_type *node, const char *format, ...)
{
	struct mw_evaluation *evaluation = run->evaluation;
	va_list arguments;

	va_start(arguments, format);
	const char *message = mw_arena_vprintf(evaluation->arena, format, arguments);

	va_end(arguments);
	struct mw_diag *diag = mw_diagnostics_add(
		evaluation->diagnostics, MW_SEVERITY_ERROR, "S114",
		mw_tree_span(evaluation->diagnostics, run->scalar, node->offset, node->length),
		"%s", message);

	diag->node = evaluation->node;
	return (struct mw_value){ .state = MW_VALUE_FAILED };
}

static struct mw_value refuse_unset(struct run *run, node_type *node)
{
	while (node->op == MW_OP_IF)
		node = node->left->op == MW_OP_PARAMETER ? node->left : node->right;
	const char *name = node->parameter ? node->parameter->name : "this";
	struct mw_value value = fail(run, node, "`%s` has no value", name);
	struct mw_diagnostics *diagnostics = run->evaluation->diagnostics;

	mw_diag_help(diagnostics, diagnostics->items[diagnostics->count - 1],
		     "it is optional: ask `has(%s)` first", name);
	return value;
}

/* An operand must be there; a whole scalar need not. */
static struct mw_value operand(struct run *run, node_type *node)
{
	struct mw_value value = evaluate(run, node);

	return value.state == MW_VALUE_UNSET ? refuse_unset(run, node) : value;
}

/* Splits what stands behind `dev.`: the longest node id that exists, the claim, then the part. */
static bool split_path(struct run *run, char *path, const char **id, char **claim, char **part)
{
	static const char *const parts[] = { ".base", ".len", ".end" };
	size_t length = strlen(path);

	*part = NULL;
	for (size_t i = 0; i < 3; i++) {
		size_t size = strlen(parts[i]);

		if (length <= size || strcmp(path + length - size, parts[i]) != 0 ||
		    memchr(path, '.', length - size) == NULL)
			continue;
		*part = path + length - size + 1;
		path[length - size] = '\0';
		break;
	}
	for (char *dot = strrchr(path, '.'); dot; dot = strrchr(path, '.')) {
		*dot = '\0';
		*id = mw_part_name(run->evaluation->document, run->evaluation->scope->part,
				   run->scalar->span, path);
		if (mw_tree_get(run->evaluation->document->devices, *id)) {
			*claim = dot + 1;
			return true;
		}
	}
	return false;
}

static struct mw_value refuse_dev(struct run *run, node_type *node)
{
	struct mw_evaluation *evaluation = run->evaluation;
	struct mw_diagnostics *diagnostics = evaluation->diagnostics;
	size_t length = strcspn(node->path, ".");
	const char *id =
		mw_part_name(evaluation->document, evaluation->scope->part, run->scalar->span,
			     mw_arena_strndup(evaluation->arena, node->path, length));

	if (mw_document_failed(evaluation->document, id))
		return (struct mw_value){ .state = MW_VALUE_FAILED };
	const struct mw_absent *absent = mw_document_absent(evaluation->document, id);
	struct mw_value value = fail(
		run, node, absent ? "the device `%s` is absent" : "there is no device `%s`", id);
	struct mw_diag *diag = diagnostics->items[diagnostics->count - 1];

	diag->code = absent ? "G206" : "S105";
	if (absent && absent->when_span.source)
		mw_diag_note(diagnostics, diag, absent->when_span, "taken out here");
	else if (absent)
		mw_diag_note(diagnostics, diag, absent->count_span, "there are %u of it",
			     absent->count);
	else
		mw_suggest_key(diagnostics, diag, id, evaluation->document->devices);
	return value;
}

static struct mw_value evaluate_dev(struct run *run, node_type *node)
{
	struct mw_evaluation *evaluation = run->evaluation;
	char *path = mw_arena_strdup(evaluation->arena, node->path);
	struct mw_claim_range range;
	const char *id = NULL;
	char *claim, *part;

	if (!evaluation->look)
		return fail(run, node, "places of devices are not known here");
	if (!split_path(run, path, &id, &claim, &part))
		return refuse_dev(run, node);
	/* the claim's name begins behind the id in the unbroken path */
	size_t start = (size_t)(claim - path), end = strlen(node->path);

	if (part)
		end -= strlen(part) + 1;
	claim = mw_arena_strndup(evaluation->arena, node->path + start, end - start);
	if (!evaluation->look(evaluation->look_context, id, claim, &range)) {
		struct mw_value value = fail(run, node, "`%s` has no placed claim `%s`", id, claim);

		evaluation->diagnostics->items[evaluation->diagnostics->count - 1]->code = "S105";
		return value;
	}
	if (part && strcmp(part, "len") == 0)
		return number_value(range.length, MW_TYPE_INT, 0);
	if (part && strcmp(part, "end") == 0) {
		uint64_t sum;

		if (__builtin_add_overflow(range.base, range.length, &sum))
			return fail(run, node, "the end of this claim does not fit 64 bits");
		return number_value(sum, MW_TYPE_INT, 0);
	}
	return number_value(range.base, MW_TYPE_INT, 0);
}

static struct mw_value evaluate_call(struct run *run, node_type *node)
{
	const struct mw_scope *scope = run->evaluation->scope;
	struct mw_value value;

	if (node->op == MW_OP_LOG2) {
		value = operand(run, node->left);
		if (value.state != MW_VALUE_SET)
			return value;
		if (value.number == 0)
			return fail(run, node, "log2 of 0");
		value.number = 63 - (uint64_t)__builtin_clzll(value.number);
		return value;
	}
	value = scope->value(scope->context, node->parameter);
	if (value.state == MW_VALUE_FAILED)
		return value;
	if (node->op == MW_OP_HAS)
		return number_value(value.state == MW_VALUE_SET, MW_TYPE_BOOL,
				    value.host ? MW_HOST_ASKED : 0);
	if (value.state == MW_VALUE_UNSET)
		return refuse_unset(run, node);
	if (value.list)
		return number_value(value.list->count, MW_TYPE_INT, value.host);
	return number_value(strlen(value.secret ? value.secret : value.text), MW_TYPE_INT,
			    value.host);
}

static struct mw_value evaluate_leaf(struct run *run, node_type *node)
{
	const struct mw_scope *scope = run->evaluation->scope;

	switch (node->op) {
	case MW_OP_NUMBER: return number_value(node->number, node->type, 0);
	case MW_OP_I: return number_value(run->evaluation->i, MW_TYPE_INT, 0);
	case MW_OP_PARAMETER: return scope->value(scope->context, node->parameter);
	case MW_OP_DEV: return evaluate_dev(run, node);
	default: return evaluate_call(run, node);
	}
}

/* Both sides of `or` and `and` are evaluated only as far as needed, so `has(x) and ...` guards. */
static struct mw_value evaluate_logic(struct run *run, node_type *node)
{
	struct mw_value left = operand(run, node->left);

	if (left.state != MW_VALUE_SET)
		return left;
	if (node->op == MW_OP_NOT)
		return number_value(!left.number, MW_TYPE_BOOL, left.host);
	if ((node->op == MW_OP_OR) == (left.number != 0))
		return left;
	struct mw_value right = operand(run, node->right);

	right.host |= left.host;
	return right;
}

static struct mw_value evaluate_choice(struct run *run, node_type *node)
{
	struct mw_value condition = operand(run, node->condition);

	if (condition.state != MW_VALUE_SET)
		return condition;
	struct mw_value value = evaluate(run, condition.number ? node->left : node->right);

	value.host |= condition.host;
	return value;
}

static struct mw_value evaluate_member(struct run *run, node_type *node)
{
	struct mw_value left = operand(run, node->left);
	bool found = false;

	if (left.state != MW_VALUE_SET)
		return left;
	for (size_t i = 0; node->words[i] && left.text; i++)
		found |= strcmp(node->words[i], left.text) == 0;
	return number_value(found == (node->op == MW_OP_IN), MW_TYPE_BOOL, left.host);
}

static bool compare(enum mw_operator op, uint64_t a, uint64_t b)
{
	switch (op) {
	case MW_OP_EQUAL: return a == b;
	case MW_OP_DIFFERS: return a != b;
	case MW_OP_BELOW: return a < b;
	case MW_OP_AT_MOST: return a <= b;
	case MW_OP_ABOVE: return a > b;
	default: return a >= b;
	}
}

/* Returns NULL, or what is wrong. */
static const char *calculate(enum mw_operator op, uint64_t a, uint64_t b, uint64_t *result)
{
	static const char overflow[] = "does not fit 64 bits";

	switch (op) {
	case MW_OP_MIN: *result = a < b ? a : b; return NULL;
	case MW_OP_MAX: *result = a > b ? a : b; return NULL;
	case MW_OP_ADD: return __builtin_add_overflow(a, b, result) ? overflow : NULL;
	case MW_OP_MULTIPLY: return __builtin_mul_overflow(a, b, result) ? overflow : NULL;
	case MW_OP_SUBTRACT: *result = a - b; return a < b ? "is below zero" : NULL;
	default: break;
	}
	if (b == 0)
		return "divides by zero";
	if (op == MW_OP_DIVIDE)
		*result = a / b;
	else if (op == MW_OP_REMAINDER)
		*result = a % b;
	else if (__builtin_add_overflow(a, (b - a % b) % b, result))
		return overflow;
	return NULL;
}

static const char *operator_text(enum mw_operator op)
{
	static const char *const texts[] = { "min", "max", "align", "+", "-", "*", "/", "%" };

	return texts[op - MW_OP_MIN];
}

static struct mw_value evaluate_binary(struct run *run, node_type *node)
{
	struct mw_value left = operand(run, node->left);

	if (left.state != MW_VALUE_SET)
		return left;
	struct mw_value right = operand(run, node->right);

	if (right.state != MW_VALUE_SET)
		return right;
	uint8_t host = left.host | right.host;

	if (node->op < MW_OP_MIN)
		return number_value(compare(node->op, left.number, right.number), MW_TYPE_BOOL,
				    host);
	uint64_t result = 0;
	const char *problem = calculate(node->op, left.number, right.number, &result);

	if (problem)
		return fail(run, node, "%llu %s %llu %s", (unsigned long long)left.number,
			    operator_text(node->op), (unsigned long long)right.number, problem);
	return number_value(result, MW_TYPE_INT, host);
}

static struct mw_value evaluate(struct run *run, node_type *node)
{
	if (node->op < MW_OP_NOT)
		return evaluate_leaf(run, node);
	if (node->op == MW_OP_IF)
		return evaluate_choice(run, node);
	if (node->op == MW_OP_NOT || node->op == MW_OP_OR || node->op == MW_OP_AND)
		return evaluate_logic(run, node);
	if (node->op == MW_OP_IN || node->op == MW_OP_NOT_IN)
		return evaluate_member(run, node);
	return evaluate_binary(run, node);
}

const char *mw_value_text(struct mw_arena *arena, const struct mw_value *value)
{
	switch (value->type) {
	case MW_TYPE_INT: return mw_arena_printf(arena, "%llu", (unsigned long long)value->number);
	case MW_TYPE_BOOL: return value->number ? "true" : "false";
	case MW_TYPE_LIST: return NULL;
	default: return value->text;
	}
}

/* Defaults that double each other must not fill the memory. */
static bool may_write(const struct run *run, size_t length)
{
	size_t *spent = run->evaluation->scope->text_spent;

	if (length > MW_EXPRESSION_TEXT)
		return false;
	if (!spent)
		return true;
	*spent += length;
	return *spent <= MW_EXPRESSION_TEXTS;
}

/* What a part of a string is, and what of it may be seen. */
struct piece {
	const char *text, *shown;
	size_t length;
};

static const char *join(struct mw_arena *arena, const struct piece *pieces, size_t count,
			size_t length, bool shown)
{
	char *text = mw_arena_alloc(arena, length + 1, 1), *end = text;

	for (size_t i = 0; i < count; i++) {
		bool hidden = shown && pieces[i].shown != pieces[i].text;
		size_t size = hidden ? strlen(pieces[i].shown) : pieces[i].length;

		memcpy(end, hidden ? pieces[i].shown : pieces[i].text, size);
		end += size;
	}
	return text;
}

/* Joins the pieces of a string. */
static struct mw_value interpolate(struct run *run, const struct mw_expression *expression)
{
	struct mw_arena *arena = run->evaluation->arena;
	struct mw_value result = { .state = MW_VALUE_SET, .type = MW_TYPE_TEXT };
	size_t count = 0, length = 0;
	node_type *last = NULL;

	for (const struct mw_segment *segment = expression->first; segment; segment = segment->next)
		count++;
	struct piece *pieces = mw_arena_alloc(arena, count, sizeof(*pieces));
	bool secret = false;
	size_t at = 0;

	for (const struct mw_segment *segment = expression->first; segment;
	     segment = segment->next, at++) {
		pieces[at] = (struct piece){ segment->text, segment->text, segment->length };
		if (segment->root) {
			struct mw_value value = operand(run, segment->root);

			if (value.state != MW_VALUE_SET)
				return value;
			result.host |= value.host;
			pieces[at].shown = mw_value_text(arena, &value);
			pieces[at].text = value.secret ? value.secret : pieces[at].shown;
			pieces[at].length = strlen(pieces[at].text);
			secret |= value.secret != NULL;
			last = segment->root;
		}
		length += pieces[at].length;
	}
	if (last && !may_write(run, length))
		return fail(run, last,
			    "with this the text has more than %d bytes, or all texts "
			    "more than %d MiB",
			    MW_EXPRESSION_TEXT, MW_EXPRESSION_TEXTS >> 20);
	result.text = join(arena, pieces, count, length, false);
	if (secret) {
		result.secret = result.text;
		result.text = join(arena, pieces, count, length + count * strlen("<secret>"), true);
	}
	return result;
}

struct mw_value mw_expression_value(struct mw_evaluation *evaluation, struct mw_tree *scalar)
{
	struct run run = { .evaluation = evaluation, .scalar = scalar };
	const struct mw_expression *expression = scalar->expression;

	if (!expression->whole)
		return interpolate(&run, expression);
	return evaluate(&run, expression->first->root);
}

/* What an int can be. */
struct span {
	uint64_t low, high;
};

static struct span span_of(node_type *node)
{
	if (node->op == MW_OP_NUMBER)
		return (struct span){ node->number, node->number };
	if (node->op == MW_OP_PARAMETER)
		return (struct span){ node->parameter->low, node->parameter->high };
	return (struct span){ 0, UINT64_MAX };
}

static int either(bool always, bool never)
{
	return always ? 1 : never ? -1 : 0;
}

static int decide_comparison(node_type *node)
{
	struct span a = span_of(node->left), b = span_of(node->right);

	switch (node->op) {
	case MW_OP_BELOW: return either(a.high < b.low, a.low >= b.high);
	case MW_OP_AT_MOST: return either(a.high <= b.low, a.low > b.high);
	case MW_OP_ABOVE: return either(a.low > b.high, a.high <= b.low);
	case MW_OP_AT_LEAST: return either(a.low >= b.high, a.high < b.low);
	case MW_OP_EQUAL:
		return either(a.low == a.high && b.low == b.high && a.low == b.low,
			      a.high < b.low || a.low > b.high);
	case MW_OP_DIFFERS:
		return either(a.high < b.low || a.low > b.high,
			      a.low == a.high && b.low == b.high && a.low == b.low);
	default: return 0;
	}
}

static int decide(node_type *node)
{
	int left, right;

	switch (node->op) {
	case MW_OP_NUMBER: return node->type == MW_TYPE_BOOL ? (node->number ? 1 : -1) : 0;
	case MW_OP_NOT: return -decide(node->left);
	case MW_OP_OR:
	case MW_OP_AND:
		left = decide(node->left);
		right = decide(node->right);
		if (node->op == MW_OP_OR)
			return left > right ? left : right;
		return left < right ? left : right;
	default: break;
	}
	if (node->op >= MW_OP_EQUAL && node->op <= MW_OP_AT_LEAST &&
	    node->left->type == MW_TYPE_INT)
		return decide_comparison(node);
	return 0;
}

int mw_expression_constant(const struct mw_expression *expression)
{
	return expression->uses_parameters ? decide(expression->first->root) : 0;
}
