/* Patterns: compiled to a small program that runs all its threads side by side, so that no pattern
 * takes long; libc's needs minutes for some of 30 characters. */
// SPDX-License-Identifier: MIT
#include "resolver/pattern.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

enum { SETS_MOST = MW_PATTERN_LONGEST / 3 + 1, REPEATS_MOST = 255, FOR_EVER = UINT16_MAX };

enum op { OP_CHAR, OP_ANY, OP_SET, OP_SPLIT, OP_JUMP, OP_BEGIN, OP_END, OP_DONE };

/* Targets of SPLIT and JUMP are in x and y. */
struct step {
	enum op op;
	uint16_t x, y;
	uint32_t value; /* the character, or which set */
};

/* A bracket expression: bits for ASCII, its text for the rest. */
struct set {
	uint64_t bits[2];
	const char *from, *to;
	bool negated;
};

struct program {
	struct step steps[MW_PATTERN_STEPS];
	struct step block[MW_PATTERN_STEPS]; /* what `repeat` writes out */
	uint16_t count;
	struct set sets[SETS_MOST];
	uint16_t set_count;
	const char *at; /* while it is compiled */
	const char *fault;
};

static void parse_choice(struct program *program);

static bool fail(struct program *program, const char *fault)
{
	if (!program->fault)
		program->fault = fault;
	program->at += strlen(program->at);
	return false;
}

static uint16_t emit(struct program *program, struct step step)
{
	if (program->count == MW_PATTERN_STEPS) {
		fail(program, "has more than 2048 steps when its `{ }` are written out");
		return 0;
	}
	program->steps[program->count] = step;
	return program->count++;
}

/* One character of UTF-8 text, which the reader has checked. */
static uint32_t next_character(const char **text)
{
	const unsigned char *at = (const unsigned char *)*text;
	unsigned more = at[0] < 0xc0 ? 0 : at[0] < 0xe0 ? 1 : at[0] < 0xf0 ? 2 : 3;
	uint32_t value = more ? at[0] & (0x3fu >> more) : at[0];

	at++;
	for (; more && (*at & 0xc0) == 0x80; more--)
		value = value << 6 | (*at++ & 0x3fu);
	*text = (const char *)at;
	return value;
}

static const struct {
	const char *name;
	int (*holds)(int character);
} classes[] = {
	{ "[:alpha:]", isalpha }, { "[:digit:]", isdigit }, { "[:alnum:]", isalnum },
	{ "[:upper:]", isupper }, { "[:lower:]", islower }, { "[:space:]", isspace },
	{ "[:blank:]", isblank }, { "[:punct:]", ispunct }, { "[:print:]", isprint },
	{ "[:graph:]", isgraph }, { "[:cntrl:]", iscntrl }, { "[:xdigit:]", isxdigit },
};

static void add_bits(struct set *set, uint32_t low, uint32_t high)
{
	for (uint32_t c = low; c <= high && c < 128; c++)
		set->bits[c / 64] |= UINT64_C(1) << c % 64;
}

static bool take_class(struct program *program, struct set *set)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		size_t length = strlen(classes[i].name);

		if (strncmp(program->at, classes[i].name, length) != 0)
			continue;
		program->at += length;
		for (int c = 0; c < 128; c++) {
			if (classes[i].holds(c))
				add_bits(set, (uint32_t)c, (uint32_t)c);
		}
		return true;
	}
	return fail(program, "names no class such as [:digit:]");
}

/* One character or range of a set; false at the end of what can be read. */
static bool next_range(const char **text, uint32_t *low, uint32_t *high)
{
	*low = *high = next_character(text);
	if ((*text)[0] != '-' || (*text)[1] == ']' || !(*text)[1])
		return true;
	++*text;
	*high = next_character(text);
	return *low <= *high;
}

static void parse_set(struct program *program)
{
	struct set *set = &program->sets[program->set_count];
	uint32_t low, high;
	bool first = true;

	*set = (struct set){ .negated = program->at[1] == '^' };
	program->at += set->negated ? 2 : 1;
	set->from = program->at;
	for (; *program->at && (first || *program->at != ']'); first = false) {
		if (program->at[0] == '[' && program->at[1] && strchr(":.=", program->at[1])) {
			if (!take_class(program, set))
				return;
		} else if (next_range(&program->at, &low, &high)) {
			add_bits(set, low, high);
		} else {
			fail(program, "has a range that runs backwards");
			return;
		}
	}
	if (!*program->at) {
		fail(program, "has a `[` that is never closed");
		return;
	}
	set->to = program->at++;
	emit(program, (struct step){ .op = OP_SET, .value = program->set_count++ });
}

static void parse_escape(struct program *program)
{
	char c = program->at[1];

	if (c >= '1' && c <= '9')
		fail(program, "refers back to a group");
	else if (!c || !ispunct((unsigned char)c))
		fail(program, "has a `\\` before what needs none");
	else
		emit(program, (struct step){ .op = OP_CHAR, .value = (unsigned char)c });
	if (!program->fault)
		program->at += 2;
}

static void parse_group(struct program *program)
{
	program->at++;
	parse_choice(program);
	if (program->fault)
		return;
	if (*program->at == ')')
		program->at++;
	else
		fail(program, "has a `(` that is never closed");
}

static void parse_atom(struct program *program)
{
	switch (*program->at) {
	case '(': parse_group(program); return;
	case '[': parse_set(program); return;
	case '\\': parse_escape(program); return;
	case '*':
	case '+':
	case '?':
	case '{': fail(program, "repeats nothing"); return;
	case '.': emit(program, (struct step){ .op = OP_ANY }); break;
	case '^': emit(program, (struct step){ .op = OP_BEGIN }); break;
	case '$': emit(program, (struct step){ .op = OP_END }); break;
	default:
		emit(program,
		     (struct step){ .op = OP_CHAR, .value = next_character(&program->at) });
		return;
	}
	program->at++;
}

static bool take_number(const char **at, uint16_t *number)
{
	uint32_t value = 0;
	const char *start = *at;

	for (; isdigit((unsigned char)**at) && value <= REPEATS_MOST; ++*at)
		value = value * 10 + (uint32_t)(**at - '0');
	*number = (uint16_t)value;
	return *at > start && value <= REPEATS_MOST;
}

/* `*`, `+`, `?` or `{m,n}`; false where none stands. */
static bool take_repeat(struct program *program, uint16_t *least, uint16_t *most)
{
	const char *at = program->at;

	if (!*at || !strchr("*+?{", *at))
		return false;
	*least = *at == '+';
	*most = *at == '?' ? 1 : FOR_EVER;
	program->at++;
	if (*at != '{')
		return true;
	at = program->at;
	bool good = take_number(&at, least);

	*most = *least;
	if (good && *at == ',') {
		at++;
		*most = FOR_EVER;
		if (*at != '}')
			good = take_number(&at, most);
	}
	if (!good || *at != '}' || *least > *most)
		return fail(program, "has a `{ }` that is no `{m,n}` of numbers up to 255");
	program->at = at + 1;
	return true;
}

/* The steps of `block`, which stood at `from`, once more. */
static void emit_copy(struct program *program, const struct step *block, uint16_t count,
		      uint16_t from)
{
	uint16_t to = program->count;

	for (uint16_t i = 0; i < count && !program->fault; i++) {
		struct step step = block[i];

		step.x = (uint16_t)(step.x - from + to);
		step.y = (uint16_t)(step.y - from + to);
		emit(program, step);
	}
}

static void repeat(struct program *program, uint16_t from, uint16_t least, uint16_t most)
{
	struct step *block = program->block;
	uint16_t count = (uint16_t)(program->count - from), start = from;
	uint16_t splits[REPEATS_MOST];
	size_t open = 0;

	memcpy(block, program->steps + from, count * sizeof(*block));
	program->count = from;
	for (uint16_t i = 0; i < least && !program->fault; i++) {
		start = program->count;
		emit_copy(program, block, count, from);
	}
	if (most == FOR_EVER && least > 0) {
		emit(program, (struct step){ .op = OP_SPLIT,
					     .x = start,
					     .y = (uint16_t)(program->count + 1) });
		return;
	}
	for (uint16_t i = least; i < (most == FOR_EVER ? 1 : most) && !program->fault; i++) {
		splits[open++] =
			emit(program,
			     (struct step){ .op = OP_SPLIT, .x = (uint16_t)(program->count + 1) });
		emit_copy(program, block, count, from);
	}
	if (most == FOR_EVER)
		emit(program, (struct step){ .op = OP_JUMP, .x = splits[0] });
	while (open > 0)
		program->steps[splits[--open]].y = program->count;
}

static void parse_branch(struct program *program)
{
	uint16_t least, most;

	while (*program->at && *program->at != '|' && *program->at != ')') {
		uint16_t from = program->count;

		parse_atom(program);
		while (!program->fault && take_repeat(program, &least, &most))
			repeat(program, from, least, most);
	}
}

/* Room for one step at `from`; what stood there has its targets in itself. */
static void shift(struct program *program, uint16_t from)
{
	emit(program, (struct step){ .op = OP_JUMP });
	if (program->fault)
		return;
	for (uint16_t i = (uint16_t)(program->count - 1); i > from; i--) {
		program->steps[i] = program->steps[i - 1];
		program->steps[i].x++;
		program->steps[i].y++;
	}
}

static void parse_choice(struct program *program)
{
	uint16_t from = program->count;

	parse_branch(program);
	while (!program->fault && *program->at == '|') {
		program->at++;
		shift(program, from);
		uint16_t jump = emit(program, (struct step){ .op = OP_JUMP });

		if (program->fault)
			return;
		program->steps[from] = (struct step){ .op = OP_SPLIT,
						      .x = (uint16_t)(from + 1),
						      .y = program->count };
		parse_branch(program);
		program->steps[jump].x = program->count;
	}
}

static void compile(struct program *program, const char *pattern)
{
	program->count = program->set_count = 0;
	program->at = pattern;
	program->fault = NULL;
	if (strlen(pattern) > MW_PATTERN_LONGEST)
		program->fault = "has more than 200 characters";
	else
		parse_choice(program);
	if (!program->fault && *program->at == ')')
		program->fault = "has a `)` without a `(`";
	emit(program, (struct step){ .op = OP_DONE });
}

const char *mw_pattern_fault(const char *pattern)
{
	struct program program;

	compile(&program, pattern);
	return program.fault;
}

static bool set_holds(const struct set *set, uint32_t c)
{
	bool found = c < 128 && (set->bits[c / 64] >> c % 64 & 1);
	const char *at = set->from;
	uint32_t low, high;

	while (c >= 128 && !found && at < set->to && next_range(&at, &low, &high))
		found = c >= low && c <= high;
	return found != set->negated;
}

/* The steps that stand before a character, each once; `mark` is the round they were added in. */
struct threads {
	uint16_t items[MW_PATTERN_STEPS];
	size_t count;
	uint32_t mark[MW_PATTERN_STEPS];
};

static void add(const struct program *program, struct threads *threads, uint16_t step,
		uint32_t round, bool first, bool last)
{
	uint16_t stack[MW_PATTERN_STEPS + 1];
	size_t depth = 0;

	stack[depth++] = step;
	while (depth > 0) {
		uint16_t at = stack[--depth];
		const struct step *here = &program->steps[at];

		if (threads->mark[at] == round)
			continue;
		threads->mark[at] = round;
		threads->items[threads->count++] = at;
		uint16_t next[2] = { here->x, here->y };
		size_t ways = here->op == OP_SPLIT ? 2 : here->op == OP_JUMP ? 1 : 0;

		if ((here->op == OP_BEGIN && first) || (here->op == OP_END && last)) {
			next[0] = (uint16_t)(at + 1);
			ways = 1;
		}
		while (ways > 0) {
			uint16_t target = next[--ways];

			if (threads->mark[target] != round && depth < MW_PATTERN_STEPS)
				stack[depth++] = target;
		}
	}
}

static bool takes(const struct program *program, const struct step *step, uint32_t c)
{
	return step->op == OP_ANY || (step->op == OP_CHAR && step->value == c) ||
	       (step->op == OP_SET && set_holds(&program->sets[step->value], c));
}

static bool run(const struct program *program, const char *text)
{
	struct threads lists[2], *now = &lists[0], *then = &lists[1];
	uint32_t round = 1;

	memset(lists, 0, sizeof(lists));
	add(program, now, 0, round, true, !*text);
	while (*text && now->count > 0) {
		uint32_t c = next_character(&text);

		round++;
		then->count = 0;
		for (size_t i = 0; i < now->count; i++) {
			uint16_t at = now->items[i];

			if (takes(program, &program->steps[at], c))
				add(program, then, (uint16_t)(at + 1), round, false, !*text);
		}
		struct threads *other = now;

		now = then;
		then = other;
	}
	for (size_t i = 0; i < now->count && !*text; i++) {
		if (program->steps[now->items[i]].op == OP_DONE)
			return true;
	}
	return false;
}

bool mw_pattern_matches(const char *pattern, const char *text)
{
	struct program program;

	compile(&program, pattern);
	return !program.fault && run(&program, text);
}
