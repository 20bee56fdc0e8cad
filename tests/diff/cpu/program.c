/* Programs for the test of sequences. Reference: SDM vol. 2, 2.1 and appendix A. */
// SPDX-License-Identifier: MIT
#include "tests/diff/cpu/program.h"

#include <string.h>

#include "tests/diff/cpu/generate.h"

enum { RCX = 1, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7 };
enum { LEAST = 5, MOST = 60, TRIES = 400, FIXES = 256, LONGEST_PART = 16 };
enum { STACK_LOW = 0x400, STACK_BYTES = 0x600, SHORT_REACH = 120 };
enum { START_FLAGS = 0x8d5, DIRECTION = 1 << 10 };

/** A place that names an instruction of the program, which is chosen when all are there. */
struct fix {
	uint8_t *where;
	uint32_t bytes, behind; /* behind: offset it is relative to; 0: absolute */
	uint64_t base;          /* of absolute ones: added */
};

struct maker {
	struct program *program;
	struct random *random;
	struct fix fixes[FIXES];
	unsigned fix_count;
};

static uint32_t below(struct maker *maker, uint32_t count)
{
	return random_below(maker->random, count);
}

static void put_byte(struct maker *maker, uint64_t byte)
{
	maker->program->bytes[maker->program->length++] = (uint8_t)byte;
}

static void put_number(struct maker *maker, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		put_byte(maker, value >> 8 * i);
}

static void begin_part(struct maker *maker)
{
	maker->program->at[maker->program->count++] = maker->program->length;
}

/* RIP of the window's first byte. */
static uint64_t window_rip(const struct program *program)
{
	return program->mode == NATIVE_16 ? 0 : NATIVE_CODE;
}

static void fix_later(struct maker *maker, uint8_t *where, uint32_t bytes, uint32_t behind,
		      uint64_t base)
{
	if (maker->fix_count < FIXES)
		maker->fixes[maker->fix_count++] = (struct fix){ where, bytes, behind, base };
}

static void fix_last(struct maker *maker, uint32_t bytes)
{
	struct program *program = maker->program;

	fix_later(maker, program->bytes + program->length - bytes, bytes, program->length, 0);
}

static void resolve(struct maker *maker, const struct fix *fix)
{
	const struct program *program = maker->program;
	uint64_t value = 0;

	for (unsigned i = 0; i < 20; i++) {
		uint32_t target = program->at[below(maker, program->count + 1)];

		value = fix->behind ? (uint64_t)target - fix->behind
				    : fix->base + program->offset + target;
		if (fix->bytes > 1 || value + SHORT_REACH < 2 * SHORT_REACH)
			break;
		value = 0;
	}
	memcpy(fix->where, &value, fix->bytes);
}

/* Bytes of the program as data: anywhere, and often of what lies in two pages. 16-bit segments reach the second
 * view alone. */
static uint64_t code_address(struct maker *maker)
{
	const struct program *program = maker->program;
	bool alias = program->mode == NATIVE_16 || below(maker, 2);
	uint32_t offset = program->offset + below(maker, program->length + 60);

	if (below(maker, 4) == 0)
		offset = PROGRAM_SWAPPED - NATIVE_CODE - 6 + below(maker, 12);
	return (alias ? (uint64_t)PROGRAM_ALIAS : (uint64_t)NATIVE_CODE) + offset;
}

static bool stays(const struct form *form)
{
	switch (form->kind) {
	case FORM_BRANCH:
	case FORM_BRANCH8:
	case FORM_RET:
	case FORM_RET_IMM:
	case FORM_FAR:
	case FORM_FAR_RET:
	case FORM_FAR_RET_IMM:
	case FORM_IRET:
	case FORM_OUT: return false;
	default: return true;
	}
}

static bool within(uint8_t opcode, const uint8_t (*ranges)[2], unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (opcode >= ranges[i][0] && opcode <= ranges[i][1])
			return true;
	return false;
}

static bool is_integer(const struct form *form)
{
	static const uint8_t one[][2] = { { 0x00, 0x61 }, { 0x63, 0x63 }, { 0x68, 0x6b },
					  { 0x80, 0x8d }, { 0x8f, 0x99 }, { 0x9c, 0xc1 },
					  { 0xc6, 0xc7 }, { 0xc9, 0xc9 }, { 0xd0, 0xd7 },
					  { 0xf5, 0xf9 }, { 0xfc, 0xff } };
	static const uint8_t two[][2] = { { 0x40, 0x4f }, { 0x90, 0x9f }, { 0xa3, 0xa5 },
					  { 0xab, 0xad }, { 0xaf, 0xb1 }, { 0xb3, 0xb3 },
					  { 0xb6, 0xb7 }, { 0xba, 0xcf } };

	if (form->map)
		return within(form->opcode, two, sizeof(two) / sizeof(two[0]));
	return within(form->opcode, one, sizeof(one) / sizeof(one[0]));
}

static bool is_compare(const struct form *form)
{
	static const uint8_t opcodes[][2] = {
		{ 0x38, 0x3d }, { 0x80, 0x85 }, { 0xa8, 0xa9 }, { 0xf6, 0xf7 }
	};

	return !form->map && within(form->opcode, opcodes, 4);
}

static bool is_branch(const struct form *form)
{
	return form->kind == FORM_BRANCH || form->kind == FORM_BRANCH8;
}

static bool is_string(const struct form *form)
{
	return form->kind == FORM_STRING;
}

typedef bool choice(const struct form *form);

/* A case of a form that is wanted, in the plain segments. */
static bool find_case(struct maker *maker, choice *wanted, struct native_case *test,
		      struct insn *insn)
{
	const struct native_registers *in = &maker->program->in;

	for (unsigned i = 0; i < TRIES; i++) {
		struct form form = form_at(below(maker, (uint32_t)form_count()));

		if (!wanted(&form) ||
		    !generate_case(maker->random, maker->program->mode, form, false, test, insn))
			continue;
		/* Not at the end of the host's page; not what leaves the program. */
		if (test->code_offset + LONGEST_PART > NATIVE_PAGE ||
		    (form.kind == FORM_GROUP5 && insn_reg(insn) > 1 && insn_reg(insn) < 6))
			continue;
		if (test->in.ds == in->ds && test->in.es == in->es && test->in.ss == in->ss)
			return true;
	}
	return false;
}

static unsigned modrm_at(const struct insn *insn)
{
	return (unsigned)insn->lock + (insn->segment_prefix != 0) + insn->operand_prefix +
	       insn->address_prefix + (insn->repeat != 0) + (insn->rex != 0) + insn->form.map + 1u;
}

/* Register of the memory operand that is its base, or -1; the others it is made of are added to `mask`. */
static int operand_registers(const struct insn *insn, const uint8_t *code, unsigned *mask)
{
	static const int8_t bases[] = { RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX };
	static const uint8_t indices[] = { 1 << RSI, 1 << RDI, 1 << RSI, 1 << RDI, 0, 0, 0, 0 };
	unsigned mod = insn->modrm >> 6, rm = insn->modrm & 7;
	uint8_t sib = code[modrm_at(insn) + 1];
	int base = (int)(rm | (insn->rex & 1u) << 3);

	if (!insn_memory(insn))
		return -1;
	if (insn->address_size == 2) {
		*mask |= indices[rm];
		return mod == 0 && rm == 6 ? -1 : bases[rm];
	}
	if (rm == RSP) {
		unsigned index = (sib >> 3 & 7u) | (insn->rex & 2u) << 2;

		*mask |= index == RSP ? 0 : 1u << index;
		base = (sib & 7) | (insn->rex & 1) << 3;
		rm = sib & 7;
	}
	return mod == 0 && rm == RBP ? -1 : base;
}

static void load_register(struct maker *maker, unsigned gpr, uint64_t value)
{
	enum native_mode mode = maker->program->mode;
	bool wide = mode == NATIVE_64 && value > UINT32_MAX;

	begin_part(maker);
	if (mode == NATIVE_16)
		put_byte(maker, 0x66);
	if (wide || gpr > 7)
		put_byte(maker, 0x40u | (wide ? 8u : 0) | gpr >> 3);
	put_byte(maker, 0xb8 | (gpr & 7));
	put_number(maker, value, wide ? 8 : 4);
}

/* Loads what the operands are made of; some of them lead into the program itself. */
static void load_operands(struct maker *maker, struct native_case *test, const struct insn *insn)
{
	unsigned mask = 0;
	int base = operand_registers(insn, test->code, &mask);
	uint64_t *gpr = test->in.gpr;
	bool code = below(maker, 10) == 0;

	if (base >= 0) {
		mask |= 1u << base;
		if (code)
			gpr[base] += code_address(maker) - insn->memory;
	}
	if (insn->form.kind == FORM_BIT)
		mask |= 1u << (insn_reg(insn) | (insn->rex & 4u) << 1);
	if (is_string(&insn->form)) {
		mask |= 1 << RBX | 1 << RSI | 1 << RDI | (insn->repeat ? 1 << RCX : 0);
		if (code)
			gpr[RDI] = code_address(maker) -
				   (maker->program->mode == NATIVE_64
					    ? 0
					    : generate_segment_base(test->in.es));
	}
	mask &= ~(1u << RSP);
	for (unsigned i = 0; i < 16; i++)
		if (mask >> i & 1)
			load_register(maker, i, gpr[i]);
}

static void aim_by_rip(struct maker *maker, const struct insn *insn, uint32_t begin, uint32_t end)
{
	struct program *program = maker->program;
	uint64_t rip = NATIVE_CODE + program->offset + end;
	uint32_t displacement = (uint32_t)(insn->memory - rip);

	if (insn->mode == NATIVE_64 && insn_memory(insn) && insn->address_size > 2 &&
	    (insn->modrm & 0xc7) == 5)
		memcpy(program->bytes + begin + modrm_at(insn) + 1, &displacement, 4);
}

/* A near indirect transfer by memory finds the program there. */
static void put_case(struct maker *maker, struct native_case *test, const struct insn *insn)
{
	uint32_t begin = maker->program->length;

	begin_part(maker);
	for (unsigned i = 0; i < test->code_length; i++)
		put_byte(maker, test->code[i]);
	aim_by_rip(maker, insn, begin, maker->program->length);
}

static void put_any(struct maker *maker, choice *wanted)
{
	struct native_case test;
	struct insn insn;

	if (!find_case(maker, wanted, &test, &insn))
		return;
	if (below(maker, 4))
		load_operands(maker, &test, &insn);
	put_case(maker, &test, &insn);
}

static void put_branch(struct maker *maker)
{
	struct native_case test;
	struct insn insn;

	if (!find_case(maker, is_branch, &test, &insn))
		return;
	put_case(maker, &test, &insn);
	fix_last(maker, insn.form.kind == FORM_BRANCH8 ? 1 : insn.operand_size == 2 ? 2 : 4);
}

static void put_jcc(struct maker *maker)
{
	begin_part(maker);
	put_byte(maker, 0x70 | below(maker, 16));
	put_byte(maker, 0);
	fix_last(maker, 1);
}

static void put_loop(struct maker *maker)
{
	if (below(maker, 2))
		load_register(maker, RCX, below(maker, 12));
	begin_part(maker);
	put_byte(maker, 0xe0 | below(maker, 4));
	put_byte(maker, 0);
	fix_last(maker, 1);
}

static void put_return(struct maker *maker)
{
	begin_part(maker);
	put_byte(maker, 0xc3);
}

/* CALL or JMP by a register. */
static void put_indirect(struct maker *maker)
{
	struct program *program = maker->program;
	unsigned gpr = below(maker, 4);

	load_register(maker, gpr, 0);
	fix_later(maker, program->bytes + program->length - 4, 4, 0, window_rip(program));
	begin_part(maker);
	put_byte(maker, 0xff);
	put_byte(maker, (below(maker, 2) ? 0xd0 : 0xe0) | gpr);
}

/* MOV of an immediate into the program: a byte that may become anything, or another condition. */
static void put_patch(struct maker *maker)
{
	unsigned bytes = maker->program->mode == NATIVE_16 ? 2 : 4;
	bool wide = below(maker, 3) == 0;
	uint64_t noise = random_next(maker->random), address = code_address(maker);

	begin_part(maker);
	put_byte(maker, wide ? 0xc7 : 0xc6);
	if (maker->program->mode == NATIVE_64) {
		put_byte(maker, 0x04);
		put_byte(maker, 0x25);
	} else {
		put_byte(maker, bytes == 2 ? 0x06 : 0x05);
	}
	put_number(maker, address, bytes);
	if (noise & 1)
		noise = 0x70 | noise >> 60;
	else if (noise & 2)
		noise = 0x90;
	put_number(maker, noise, wide ? bytes : 1);
}

static void put_swap(struct maker *maker)
{
	begin_part(maker);
	put_byte(maker, 0xcd);
	put_byte(maker, PROGRAM_SWAP);
}

static void put_some(struct maker *maker)
{
	unsigned dice = below(maker, 100);

	if (dice < 46)
		put_any(maker, is_integer);
	else if (dice < 58) {
		put_any(maker, is_compare);
		put_jcc(maker);
	} else if (dice < 66)
		put_branch(maker);
	else if (dice < 72)
		put_jcc(maker);
	else if (dice < 75)
		put_loop(maker);
	else if (dice < 78)
		put_return(maker);
	else if (dice < 81)
		put_indirect(maker);
	else if (dice < 86)
		put_patch(maker);
	else if (dice < 91)
		put_any(maker, is_string);
	else if (dice < 93)
		put_swap(maker);
	else
		put_any(maker, stays);
}

static void choose_registers(struct maker *maker)
{
	struct program *program = maker->program;
	struct native_registers *in = &program->in;
	struct random *random = maker->random;
	bool flat = program->mode != NATIVE_16;

	for (unsigned i = 0; i < 16; i++) {
		in->gpr[i] = random_integer(random);
		if (below(maker, 3) == 0)
			in->gpr[i] = (flat ? NATIVE_DATA : 0) + below(maker, NATIVE_WRITABLE);
		if (program->mode != NATIVE_64)
			in->gpr[i] = (uint32_t)in->gpr[i];
	}
	in->gpr[RSP] = (flat ? NATIVE_DATA : 0) + STACK_LOW + STACK_BYTES / 2;
	in->rflags = (random_next(random) & START_FLAGS) | 2;
	if (below(maker, 6) == 0)
		in->rflags |= DIRECTION;
	random_fxsave(random, in->fx, below(maker, 4) != 0);
	in->cs = program->mode == NATIVE_64   ? NATIVE_CS64
		 : program->mode == NATIVE_32 ? NATIVE_CS32
					      : NATIVE_CS16;
	in->ss = in->ds = in->es = flat ? NATIVE_FLAT : NATIVE_DATA16;
	if (program->mode != NATIVE_64) {
		in->fs = NATIVE_DATA16;
		in->gs = NATIVE_SMALL;
	}
}

/* Anywhere in the window, often so that it lies in two pages. */
static void choose_place(struct maker *maker)
{
	struct program *program = maker->program;

	program->offset = NATIVE_PAGE + below(maker, NATIVE_PAGE);
	if (below(maker, 2))
		program->offset = 2 * NATIVE_PAGE - 1 - below(maker, 250);
	program->in.rip = window_rip(program) + program->offset;
}

/* What RET finds leads back into the program. */
static void fill_stack(struct maker *maker)
{
	static const uint8_t widths[] = { 8, 4, 2 };
	struct program *program = maker->program;
	uint32_t width = widths[program->mode];

	for (uint32_t at = STACK_LOW; at < STACK_LOW + STACK_BYTES; at += width) {
		uint64_t value = window_rip(program) + program->offset +
				 program->at[below(maker, program->count + 1)];

		memcpy(program->data + at, &value, width);
	}
}

void program_make(struct program *program, struct random *random, enum native_mode mode)
{
	struct maker maker = { .program = program, .random = random };
	unsigned wanted;

	memset(program, 0, sizeof(*program));
	program->mode = mode;
	generate_pattern(random, program->data);
	choose_registers(&maker);
	choose_place(&maker);
	wanted = LEAST + below(&maker, MOST - LEAST);
	for (unsigned i = 0; i < wanted && program->count + 10 < PROGRAM_PARTS &&
			     program->length + 160 < PROGRAM_BYTES;
	     i++)
		put_some(&maker);
	program->at[program->count] = program->length;
	put_byte(&maker, 0xcd);
	put_byte(&maker, PROGRAM_END);
	for (unsigned i = 0; i < maker.fix_count; i++)
		resolve(&maker, &maker.fixes[i]);
	fill_stack(&maker);
	/* A register or two that the generator would not have chosen. */
	if (mode != NATIVE_64 && below(&maker, 6) == 0)
		program->in.es = below(&maker, 2) ? NATIVE_SMALL : NATIVE_DOWN;
	if (mode != NATIVE_64 && below(&maker, 6) == 0)
		program->in.ds = below(&maker, 2) ? NATIVE_DATA16 : NATIVE_FLAT;
}
