/* One random case of a form. */
// SPDX-License-Identifier: MIT
#include "tests/diff/cpu/generate.h"

#include <string.h>

#include "tests/diff/cpu/operands.h"

enum { RCX = 1, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7, ATTEMPTS = 40 };
enum { START_FLAGS = 0x8d5, DIRECTION = 1 << 10, ALIGNMENT = 1 << 18 };

uint64_t generate_segment_base(uint16_t selector)
{
	static const struct native_descriptor entries[NATIVE_LDT_ENTRIES] = NATIVE_LDT;

	if (!(selector & 4) || selector >> 3 >= NATIVE_LDT_ENTRIES)
		return 0;
	return entries[selector >> 3].base;
}

void generate_pattern(struct random *random, uint8_t pattern[NATIVE_DATA_BYTES])
{
	const uint16_t *list;
	unsigned count = operand_selectors(&list);

	for (unsigned at = 0; at < NATIVE_DATA_BYTES; at += 16) {
		random_vector(random, pattern + at);
		if (random_below(random, 4) == 0)
			random_real(random, pattern + at);
	}
	for (unsigned i = 0; i < count * (unsigned)SELECTOR_BYTES; i += 2) {
		uint8_t *at = pattern + (AREA_SELECTORS - NATIVE_DATA) + i;

		memcpy(at, &list[i / SELECTOR_BYTES], 2);
	}
	for (unsigned i = 0; i < IMAGES; i++)
		random_fxsave(random, pattern + (AREA_IMAGES - NATIVE_DATA) + i * IMAGE_BYTES, 0);
}

static uint16_t data_selector(struct random *random, enum native_mode mode)
{
	static const uint16_t odd[] = { NATIVE_DATA16,   NATIVE_SMALL, NATIVE_DOWN,
					NATIVE_CONSTANT, NATIVE_FLAT,  NATIVE_CODE32 };

	if (random_below(random, 5) == 0)
		return odd[random_below(random, 6)];
	return mode == NATIVE_16 ? NATIVE_DATA16 : NATIVE_FLAT;
}

static void random_segments(struct random *random, enum native_mode mode,
			    struct native_registers *in)
{
	if (mode == NATIVE_64) {
		in->cs = NATIVE_CS64;
		in->ss = in->ds = in->es = NATIVE_FLAT;
		return;
	}
	in->cs = mode == NATIVE_32 ? NATIVE_CS32 : NATIVE_CS16;
	in->ds = data_selector(random, mode);
	in->es = data_selector(random, mode);
	in->fs = NATIVE_DATA16;
	in->gs = NATIVE_SMALL;
	in->ss = mode == NATIVE_32 ? NATIVE_FLAT : NATIVE_DATA16;
	if (random_below(random, 8) == 0)
		in->ss = mode == NATIVE_32 ? NATIVE_DATA16 : NATIVE_FLAT;
}

static void random_registers(struct random *random, enum native_mode mode,
			     struct native_registers *in)
{
	for (unsigned i = 0; i < 16; i++) {
		in->gpr[i] = random_integer(random);
		if (random_below(random, 8) == 0)
			in->gpr[i] = NATIVE_DATA + random_below(random, NATIVE_WRITABLE);
		if (mode != NATIVE_64)
			in->gpr[i] = (uint32_t)in->gpr[i];
	}
	in->rflags = (random_next(random) & START_FLAGS) | 2;
	if (random_below(random, 4) == 0)
		in->rflags |= DIRECTION;
	random_fxsave(random, in->fx, random_below(random, 2) != 0);
	random_segments(random, mode, in);
}

static void choose_prefixes(struct builder *builder)
{
	static const uint8_t segments[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
	struct random *random = builder->random;
	struct insn *insn = builder->insn;
	unsigned dice = random_below(random, 8);
	bool string = insn->form.kind == FORM_STRING, two = insn->form.map == 1;

	insn->operand_prefix = dice < 2;
	if (two ? dice == 2 || dice == 3 : string && dice >= 2 && dice < 6)
		insn->repeat = dice & 1 ? 0xf3 : 0xf2;
	if (random_below(random, 24) == 0)
		insn->repeat = dice & 1 ? 0xf3 : 0xf2;
	insn->lock = random_below(random, 12) == 0;
	insn->address_prefix = random_below(random, 8) == 0;
	if (random_below(random, 6) == 0)
		insn->segment_prefix = segments[random_below(random, 6)];
	if (insn->mode == NATIVE_64 && random_below(random, 2))
		insn->rex = (uint8_t)(0x40 | random_below(random, 16));
}

/* At most three of the old ones, so that the whole stays within 15 bytes. */
static void emit_prefixes(struct builder *builder)
{
	struct insn *insn = builder->insn;

	if (insn->lock && insn->segment_prefix)
		insn->address_prefix = false;
	if (insn->lock && insn->repeat)
		insn->repeat = 0;
	if (insn->lock)
		operand_byte(builder, 0xf0);
	if (insn->segment_prefix)
		operand_byte(builder, insn->segment_prefix);
	if (insn->operand_prefix)
		operand_byte(builder, 0x66);
	if (insn->address_prefix && builder->length < 3)
		operand_byte(builder, 0x67);
	else
		insn->address_prefix = false;
	if (insn->repeat && builder->length < 3)
		operand_byte(builder, insn->repeat);
	else
		insn->repeat = 0;
	if (insn->rex)
		operand_byte(builder, insn->rex);
}

static void choose_sizes(struct insn *insn)
{
	bool operand = insn->operand_prefix, address = insn->address_prefix;

	switch (insn->mode) {
	case NATIVE_64:
		insn->operand_size = insn->rex & 8 ? 8 : operand ? 2 : 4;
		insn->address_size = address ? 4 : 8;
		break;
	case NATIVE_32:
		insn->operand_size = operand ? 2 : 4;
		insn->address_size = address ? 2 : 4;
		break;
	default:
		insn->operand_size = operand ? 4 : 2;
		insn->address_size = address ? 4 : 2;
		break;
	}
}

static void immediate(struct builder *builder, unsigned bytes)
{
	uint64_t value = random_integer(builder->random);

	builder->insn->imm8 = (uint8_t)value;
	operand_number(builder, value, bytes);
}

static void emit_operands(struct builder *builder)
{
	struct insn *insn = builder->insn;
	unsigned immz = insn->operand_size == 2 ? 2 : 4;

	switch (insn->form.kind) {
	case FORM_IMM8:
	case FORM_BRANCH8:
	case FORM_INT: immediate(builder, 1); break;
	case FORM_IMM16:
	case FORM_RET_IMM:
	case FORM_FAR_RET_IMM: immediate(builder, 2); break;
	case FORM_IMMZ:
	case FORM_BRANCH: immediate(builder, immz); break;
	case FORM_IMMV: immediate(builder, insn->operand_size); break;
	case FORM_MOFFS:
		builder->displacement_at = builder->length;
		builder->displacement_bytes = insn->address_size;
		immediate(builder, insn->address_size);
		break;
	case FORM_ENTER:
		operand_number(builder, random_below(builder->random, 256), 2);
		operand_byte(builder, random_below(builder->random, 2)
					      ? random_below(builder->random, 64)
					      : 0);
		break;
	case FORM_FAR:
		immediate(builder, immz);
		operand_number(builder, operand_selector(builder), 2);
		break;
	case FORM_NONE:
	case FORM_STRING:
	case FORM_POP_SREG:
	case FORM_FAR_RET:
	case FORM_IRET:
	case FORM_RET: break;
	default: operand_modrm(builder); break;
	}
}

static void emit_modrm_immediates(struct builder *builder)
{
	const struct insn *insn = builder->insn;
	unsigned immz = insn->operand_size == 2 ? 2 : 4;
	bool test = insn_reg(insn) < 2;

	switch (insn->form.kind) {
	case FORM_MODRM_IMM8: immediate(builder, 1); break;
	case FORM_MODRM_IMMZ: immediate(builder, immz); break;
	case FORM_GROUP3_BYTE: immediate(builder, test ? 1 : 0); break;
	case FORM_GROUP3: immediate(builder, test ? immz : 0); break;
	default: break;
	}
}

/* Where the code lies: seldom so that it runs over the end of its page. */
static void place_code(struct builder *builder)
{
	struct native_case *test = builder->test;
	uint32_t offset = random_below(builder->random, NATIVE_PAGE - 64) + 16;

	if (random_below(builder->random, 64) == 0)
		offset = NATIVE_PAGE - 1 - random_below(builder->random, 8);
	test->code_offset = offset;
	test->in.rip = builder->insn->mode == NATIVE_16 ? offset : NATIVE_CODE + offset;
}

static void point_stack(struct builder *builder)
{
	struct native_registers *in = &builder->test->in;
	const struct insn *insn = builder->insn;
	bool stack_16 = insn->mode != NATIVE_64 && in->ss != NATIVE_FLAT;
	unsigned bytes = insn->mode == NATIVE_64 ? 8 : stack_16 ? 2 : 4;
	char kind = insn->form.kind;
	bool frame = kind == FORM_POP_SREG || kind == FORM_FAR_RET || kind == FORM_FAR_RET_IMM ||
		     kind == FORM_IRET;
	uint64_t target = operand_target(builder);

	if (!frame && random_below(builder->random, 8))
		target = NATIVE_DATA + 0x400 + random_below(builder->random, 0x400) * 8;
	if (random_below(builder->random, 16) == 0)
		return;
	operand_point(builder, RSP, in->ss, bytes, target);
	if (random_below(builder->random, 2))
		operand_point(builder, RBP, in->ss, bytes, operand_target(builder));
}

static void point_string(struct builder *builder)
{
	const struct insn *insn = builder->insn;
	struct native_registers *in = &builder->test->in;
	uint64_t mask = insn->address_size == 2   ? 0xffff
			: insn->address_size == 4 ? UINT32_MAX
						  : UINT64_MAX;
	uint16_t data = operand_data_selector(builder, in->ds);
	bool xlat = insn->form.opcode == 0xd7;

	operand_point(builder, xlat ? RBX : RSI, data, insn->address_size, operand_target(builder));
	operand_point(builder, RDI, in->es, insn->address_size, operand_target(builder));
	if (!insn->repeat || xlat)
		return;
	in->gpr[RCX] = (in->gpr[RCX] & ~mask) | random_below(builder->random, 20);
	builder->test->repeats = true;
}

static void point_registers(struct builder *builder)
{
	struct native_registers *in = &builder->test->in;
	const struct insn *insn = builder->insn;
	int reg = (int)insn_reg(insn) | (insn->rex & 4) << 1;
	int rm = (insn->modrm & 7) | (insn->rex & 1) << 3;
	char kind = insn->form.kind;

	point_stack(builder);
	if (kind == FORM_STRING)
		point_string(builder);
	if (kind == FORM_BIT && insn_memory(insn))
		in->gpr[reg] =
			(uint64_t)(int64_t)(int32_t)random_below(builder->random, 4096) - 2048;
	if (insn->mode != NATIVE_64)
		in->gpr[reg & 7] = (uint32_t)in->gpr[reg & 7];
	if (kind == FORM_SREG || kind == FORM_GROUP6 || kind == FORM_SELECTOR)
		in->gpr[rm] = operand_selector(builder);
	if (insn_memory(insn) || kind == FORM_MOFFS)
		operand_aim(builder, operand_target(builder));
	if (insn->mode != NATIVE_64)
		for (unsigned i = 0; i < 16; i++)
			in->gpr[i] = (uint32_t)in->gpr[i];
}

static bool attempt(struct builder *builder)
{
	struct insn *insn = builder->insn;
	struct native_case *test = builder->test;

	random_registers(builder->random, insn->mode, &test->in);
	choose_prefixes(builder);
	place_code(builder);
	emit_prefixes(builder);
	choose_sizes(insn);
	if (insn->form.map)
		operand_byte(builder, 0x0f);
	operand_byte(builder, insn->form.opcode);
	emit_operands(builder);
	emit_modrm_immediates(builder);
	if (form_left_out(insn) || builder->length > 15)
		return false;
	point_registers(builder);
	memcpy(test->code, builder->bytes, 16);
	test->code_length = builder->length;
	if (test->code_offset + test->code_length > NATIVE_PAGE)
		test->code_length = NATIVE_PAGE - test->code_offset;
	return true;
}

bool generate_case(struct random *random, enum native_mode mode, struct form form, bool alignment,
		   struct native_case *test, struct insn *insn)
{
	for (unsigned i = 0; i < ATTEMPTS && form.kind != FORM_OUT; i++) {
		struct builder builder = {
			.random = random, .test = test, .insn = insn, .base = -1, .index = -1
		};

		memset(test, 0, sizeof(*test));
		*insn = (struct insn){ .mode = mode, .form = form };
		if (!attempt(&builder))
			continue;
		if (alignment && random_below(random, 8) == 0)
			test->in.rflags |= ALIGNMENT;
		return true;
	}
	return false;
}
