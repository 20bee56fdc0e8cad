/* Memory operands in 16, 32 and 64 bits. Reference: SDM vol. 2, 2.1.5. */
// SPDX-License-Identifier: MIT
#include "tests/diff/cpu/operands.h"

enum { RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7, NONE = -1 };

/* Null, the kernel's, the user's, the local ones, and some that are not there. The last ones are of 64-bit
 * code: coming from 16- or 32-bit code the upper half of RSP is chance under Linux, and a far call may hang. */
static const uint16_t selectors[] = { 0x00, 0x01, 0x03, 0x08, 0x0b, 0x10, 0x13, 0x18,
				      0x1b, 0x20, 0x23, 0x28, 0x2b, 0x07, 0x0f, 0x17,
				      0x1f, 0x27, 0x2f, 0x37, 0x0c, 0x3c, 0x30, 0x33 };
enum { SELECTORS = sizeof(selectors) / sizeof(selectors[0]), CODE_64 = 2 };

static unsigned selector_number(struct builder *builder)
{
	unsigned without = builder->insn->mode == NATIVE_64 ? 0 : CODE_64;

	return random_below(builder->random, SELECTORS - without);
}

unsigned operand_selectors(const uint16_t **list)
{
	*list = selectors;
	return SELECTORS;
}

uint16_t operand_selector(struct builder *builder)
{
	return selectors[selector_number(builder)];
}

void operand_byte(struct builder *builder, uint64_t byte)
{
	builder->bytes[builder->length++] = (uint8_t)byte;
}

void operand_number(struct builder *builder, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		operand_byte(builder, value >> 8 * i);
}

static void displacement(struct builder *builder, unsigned bytes)
{
	uint64_t value = random_integer(builder->random);

	builder->displacement_at = builder->length;
	builder->displacement_bytes = bytes;
	builder->displacement = bytes == 1   ? (int8_t)value
				: bytes == 2 ? (int16_t)value
				: bytes == 4 ? (int32_t)value
					     : 0;
	operand_number(builder, value, bytes);
}

static void address_16(struct builder *builder, unsigned mod, unsigned rm)
{
	static const int bases[] = { RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX };
	static const int indices[] = { RSI, RDI, RSI, RDI, NONE, NONE, NONE, NONE };
	bool absolute = mod == 0 && rm == 6;

	builder->base = absolute ? NONE : bases[rm];
	builder->index = indices[rm];
	builder->stack_segment = builder->base == RBP;
	displacement(builder, absolute ? 2 : mod);
}

static void sib(struct builder *builder, unsigned mod)
{
	uint8_t byte = (uint8_t)random_next(builder->random), rex = builder->insn->rex;
	int index = (byte >> 3 & 7) | (rex & 2) << 2, base = (byte & 7) | (rex & 1) << 3;
	bool absolute = mod == 0 && (base & 7) == RBP;

	if (index == base && !absolute) { /* nothing could be solved for it */
		byte = (uint8_t)((byte & 0xc7) | RSP << 3);
		index = RSP | (rex & 2) << 2;
		if (index == base) /* R12 both: another base */
			byte = (uint8_t)((byte & 0xf8) | RSI), base = RSI | (rex & 1) << 3;
	}
	operand_byte(builder, byte);
	builder->scale = byte >> 6;
	builder->index = index == RSP ? NONE : index;
	builder->base = absolute ? NONE : base;
	displacement(builder, absolute ? 4 : mod == 1 ? 1 : mod == 2 ? 4 : 0);
	builder->stack_segment = builder->base == RSP || builder->base == RBP;
}

static void address_32(struct builder *builder, unsigned mod, unsigned rm)
{
	if (rm == RSP) {
		sib(builder, mod);
		return;
	}
	if (mod == 0 && rm == RBP) {
		builder->rip_relative = builder->insn->mode == NATIVE_64;
		displacement(builder, 4);
		return;
	}
	builder->base = (int)rm | (builder->insn->rex & 1) << 3;
	builder->stack_segment = builder->base == RBP;
	displacement(builder, mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

void operand_modrm(struct builder *builder)
{
	struct insn *insn = builder->insn;
	uint8_t modrm = (uint8_t)random_next(builder->random);
	unsigned mod;

	if (modrm >= 0xc0 && random_below(builder->random, 4))
		modrm &= 0x7f;
	if (insn->form.kind == FORM_CONTROL || random_below(builder->random, 3) == 0)
		modrm |= 0xc0;
	insn->has_modrm = true;
	insn->modrm = modrm;
	operand_byte(builder, modrm);
	mod = modrm >> 6;
	if (mod == 3)
		return;
	if (insn->address_size == 2)
		address_16(builder, mod, modrm & 7);
	else
		address_32(builder, mod, modrm & 7);
}

static uint64_t area(struct builder *builder)
{
	const struct insn *insn = builder->insn;
	uint64_t image =
		AREA_IMAGES + random_below(builder->random, IMAGES) * (uint64_t)IMAGE_BYTES;

	uint64_t selector = AREA_SELECTORS + selector_number(builder) * (uint64_t)SELECTOR_BYTES;

	switch (insn->form.kind) {
	case FORM_SREG:
	case FORM_GROUP6:
	case FORM_SELECTOR:
	case FORM_POINTER:
	case FORM_POP_SREG:
	case FORM_FAR_RET:
	case FORM_FAR_RET_IMM:
	case FORM_IRET: return selector;
	case FORM_GROUP5: return insn_reg(insn) == 3 || insn_reg(insn) == 5 ? selector : 0;
	case FORM_GROUP15:
		return insn_reg(insn) == 1 ? image : insn_reg(insn) == 2 ? image + 24 : 0;
	default: return 0;
	}
}

uint64_t operand_target(struct builder *builder)
{
	struct random *random = builder->random;
	uint64_t there = area(builder), noise = random_next(random);
	bool aligned = noise & 1;
	bool exchange = builder->insn->form.map == 0 && (builder->insn->form.opcode & 0xfe) == 0x86;

	if (there)
		return there + (noise % 23 == 0 ? 8 : 0);
	/* A locked access across cache lines is slow or refused on some hosts. */
	if (builder->insn->lock || exchange)
		return NATIVE_DATA + (noise >> 8) % (NATIVE_WRITABLE - 16) / 16 * 16;
	switch (random_below(random, 24)) {
	case 0: return NATIVE_HOLE - 1 - (noise >> 8) % 16; /* out of the last page */
	case 1: return NATIVE_DATA - (noise >> 8) % 8;
	case 2: return NATIVE_READONLY + (noise >> 8) % 4096;
	case 3: return NATIVE_HOLE + (noise >> 8) % 4096;
	case 4: return random_integer(random);
	case 5: return NATIVE_DATA + NATIVE_PAGE - (noise >> 8) % 16;
	default: break;
	}
	uint64_t at = (noise >> 8) % (NATIVE_WRITABLE - 512);

	return NATIVE_DATA + (aligned ? at / 16 * 16 : at);
}

static uint64_t address_mask(unsigned bytes)
{
	return bytes == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * bytes) - 1;
}

static void set_part(uint64_t *gpr, uint64_t value, uint64_t mask)
{
	*gpr = (*gpr & ~mask) | (value & mask);
}

uint16_t operand_data_selector(const struct builder *builder, uint16_t otherwise)
{
	const struct native_registers *in = &builder->test->in;

	switch (builder->insn->segment_prefix) {
	case 0x26: return in->es;
	case 0x2e: return in->cs;
	case 0x36: return in->ss;
	case 0x3e: return in->ds;
	case 0x64: return in->fs;
	case 0x65: return in->gs;
	default: return otherwise;
	}
}

static uint64_t operand_base(const struct builder *builder)
{
	const struct insn *insn = builder->insn;
	const struct native_registers *in = &builder->test->in;

	if (insn->mode == NATIVE_64)
		return insn->segment_prefix == 0x64   ? (uint64_t)NATIVE_FS_BASE
		       : insn->segment_prefix == 0x65 ? (uint64_t)NATIVE_GS_BASE
						      : 0;
	return generate_segment_base(
		operand_data_selector(builder, builder->stack_segment ? in->ss : in->ds));
}

static void patch_displacement(struct builder *builder, uint64_t value)
{
	for (unsigned i = 0; i < builder->displacement_bytes; i++)
		builder->bytes[builder->displacement_at + i] = (uint8_t)(value >> 8 * i);
}

void operand_aim(struct builder *builder, uint64_t target)
{
	uint64_t *gpr = builder->test->in.gpr, mask = address_mask(builder->insn->address_size);
	uint64_t base = operand_base(builder), rest = target - base;

	builder->insn->memory = base + (rest & mask);
	if (builder->insn->mode != NATIVE_64)
		builder->insn->memory &= UINT32_MAX;
	if (builder->base == NONE && builder->index != NONE)
		set_part(&gpr[builder->index], random_below(builder->random, 64), mask);
	if (builder->index != NONE)
		rest -= gpr[builder->index] << builder->scale;
	if (builder->base == NONE) {
		if (builder->rip_relative)
			rest -= builder->test->in.rip + builder->length;
		patch_displacement(builder, rest);
		return;
	}
	set_part(&gpr[builder->base], rest - (uint64_t)builder->displacement, mask);
}

void operand_point(struct builder *builder, int gpr, uint16_t selector, unsigned bytes,
		   uint64_t target)
{
	uint64_t base = builder->insn->mode == NATIVE_64 ? 0 : generate_segment_base(selector);

	set_part(&builder->test->in.gpr[gpr], target - base, address_mask(bytes));
}
