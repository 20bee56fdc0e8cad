/** Bit tests and scans, byte swaps, flag instructions, XLAT, BOUND and prefetches (SDM vol. 2: BT, BTC, BTR,
 * BTS, BSF, BSR, BSWAP, CLC, CMC, STC, CLD, STD, LAHF, SAHF, XLAT, BOUND). */
// SPDX-License-Identifier: MIT
#include "accel/soft/decode/decode.h"
#include "accel/soft/integer/flags.h"
#include "accel/soft/integer/sized.h"
#include "accel/soft/system/system.h"

/* What BT, BTS, BTR and BTC make of the bit; in the order of their opcodes. */
SOFT_INLINE uint64_t bts(uint64_t value, uint64_t bit)
{
	return value | bit;
}
SOFT_INLINE uint64_t btr(uint64_t value, uint64_t bit)
{
	return value & ~bit;
}
SOFT_INLINE uint64_t btc(uint64_t value, uint64_t bit)
{
	return value ^ bit;
}
/* How far a bit offset in a register reaches beyond the operand, in bytes: signed, a multiple of the
 * operand's size. */
SOFT_INLINE uint64_t displacement(int64_t offset, unsigned bytes)
{
	return (uint64_t)((offset >> 3) & -(int64_t)bytes);
}

/* The bit is numbered by the immediate, or by a register; in memory a register reaches beyond the operand
 * (`far`, where op->imm masks the linear address). */
#define DEFINE_BIT_TEST(form, bits, number)                                          \
	static const struct soft_op *bt_##form##_reg##bits(struct soft_cpu *cpu,     \
							   const struct soft_op *op) \
	{                                                                            \
		soft_set_cf(cpu, cpu->gpr[op->rm] >> ((number) & (bits - 1)) & 1);   \
		return SOFT_NEXT(cpu, op);                                           \
	}                                                                            \
	static const struct soft_op *bt_##form##_mem##bits(struct soft_cpu *cpu,     \
							   const struct soft_op *op) \
	{                                                                            \
		uint64_t linear = form##_address(cpu, op, (int##bits##_t)(number));  \
		uint##bits##_t value;                                                \
                                                                                     \
		if (!soft_load##bits(cpu, op, linear, &value))                       \
			return soft_stop(cpu, op);                                   \
		soft_set_cf(cpu, value >> ((number) & (bits - 1)) & 1);              \
		return SOFT_NEXT(cpu, op);                                           \
	}
#define DEFINE_BIT_CHANGE(name, form, bits, number)                                          \
	static const struct soft_op *name##_##form##_reg##bits(struct soft_cpu *cpu,         \
							       const struct soft_op *op)     \
	{                                                                                    \
		unsigned at = (number) & (bits - 1);                                         \
		uint64_t value = cpu->gpr[op->rm];                                           \
                                                                                             \
		soft_set##bits(cpu, op->rm, (uint##bits##_t)name(value, UINT64_C(1) << at)); \
		soft_set_cf(cpu, value >> at & 1);                                           \
		return SOFT_NEXT(cpu, op);                                                   \
	}                                                                                    \
	static const struct soft_op *name##_##form##_mem##bits(struct soft_cpu *cpu,         \
							       const struct soft_op *op)     \
	{                                                                                    \
		uint64_t linear = form##_address(cpu, op, (int##bits##_t)(number));          \
		unsigned at = (number) & (bits - 1);                                         \
		uint##bits##_t value, changed;                                               \
                                                                                             \
		if (!soft_modify##bits(cpu, op, linear, &value))                             \
			return soft_stop(cpu, op);                                           \
		changed = (uint##bits##_t)name(value, UINT64_C(1) << at);                    \
		if (!soft_store##bits(cpu, op, linear, changed))                             \
			return soft_stop(cpu, op);                                           \
		soft_set_cf(cpu, value >> at & 1);                                           \
		return SOFT_NEXT(cpu, op);                                                   \
	}
#define near_address(cpu, op, offset) soft_address((cpu), (op))
#define far_address(cpu, op, offset) \
	((soft_address((cpu), (op)) + displacement((offset), sizeof(offset))) & (op)->imm)
#define DEFINE_BITS(form, bits, number)            \
	DEFINE_BIT_TEST(form, bits, number)        \
	DEFINE_BIT_CHANGE(bts, form, bits, number) \
	DEFINE_BIT_CHANGE(btr, form, bits, number) \
	DEFINE_BIT_CHANGE(btc, form, bits, number)
DEFINE_BITS(near, 16, (unsigned)op->imm)
DEFINE_BITS(near, 32, (unsigned)op->imm)
DEFINE_BITS(near, 64, (unsigned)op->imm)
DEFINE_BITS(far, 16, soft_get16(cpu, op->reg))
DEFINE_BITS(far, 32, soft_get32(cpu, op->reg))
DEFINE_BITS(far, 64, soft_get64(cpu, op->reg))

struct bit_forms {
	soft_handler *near_reg, *near_mem, *far_reg, *far_mem;
};
#define FORMS(name, bits)                                                           \
	{                                                                           \
		name##_near_reg##bits, name##_near_mem##bits, name##_far_reg##bits, \
			name##_far_mem##bits                                        \
	}
#define SIZES(name)                                               \
	{                                                         \
		FORMS(name, 16), FORMS(name, 32), FORMS(name, 64) \
	}
static const struct bit_forms bit_forms[4][3] = { SIZES(bt), SIZES(bts), SIZES(btr), SIZES(btc) };

/* A bit offset in a register where the segment has to be asked. op->imm masks the effective address;
 * op->extra is the operation. */
static __attribute__((noinline)) bool bit_checked(struct soft_cpu *cpu, const struct soft_op *op)
{
	unsigned bits = op->size * 8u, at = (unsigned)cpu->gpr[op->reg] & (bits - 1);
	int64_t offset = (int64_t)(cpu->gpr[op->reg] << (64 - bits)) >> (64 - bits);
	uint64_t address = (soft_address(cpu, op) + displacement(offset, op->size)) & op->imm;
	uint64_t linear, value, bit = UINT64_C(1) << at;

	if (!soft_segment_address(cpu, op->segment, address, op->size, op->extra != 0, &linear))
		return false;
	if (op->extra && !soft_check_write(cpu, op, linear, op->size))
		return false;
	if (!soft_load_sized(cpu, op, linear, op->size, &value))
		return false;
	if (op->extra) {
		uint64_t changed = op->extra == 1   ? bts(value, bit)
				   : op->extra == 2 ? btr(value, bit)
						    : btc(value, bit);

		if (!soft_store_sized(cpu, op, linear, op->size, changed))
			return false;
	}
	soft_set_cf(cpu, (value & bit) != 0);
	return true;
}
static const struct soft_op *bit_slow(struct soft_cpu *cpu, const struct soft_op *op)
{
	return bit_checked(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

/* Whether effective and linear addresses are the same but for a base that needs no check. */
static bool plain_addresses(const struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	const struct soft_mode *mode = &decoder->cpu->mode;

	if (mode->code_bits == 64)
		return insn->address_size == 8;
	return mode->flat && insn->address_size == 4 &&
	       (insn->segment == MW_DS || insn->segment == MW_ES || insn->segment == MW_SS);
}
static uint64_t address_mask(unsigned bytes)
{
	return bytes == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * bytes) - 1;
}
/* An op that works out its effective address itself: soft_address, cut to op->imm. */
static struct soft_op *emit_effective(struct soft_decoder *decoder, soft_handler *run)
{
	const struct soft_insn *insn = &decoder->insn;
	struct soft_op *op = soft_emit(decoder, run);

	op->base = insn->rip_relative ? SOFT_PAGE_RIP : insn->base;
	op->index = insn->index;
	op->scale = insn->scale;
	op->disp = insn->disp;
	if (insn->rip_relative)
		op->disp = (int32_t)((uint32_t)insn->disp + op->next);
	op->segment = (uint8_t)insn->segment;
	op->size = (uint8_t)insn->operand_size;
	op->imm = address_mask(insn->address_size);
	return op;
}

/** 0F A3, AB, B3, BB with a register; group 8 (0F BA) with an immediate. */
void soft_emit_bt(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	bool by_imm = insn->opcode == 0xba;
	unsigned which = (by_imm ? insn->modrm >> 3 : insn->opcode >> 3) & 3,
		 size = insn->operand_size;
	const struct bit_forms *forms = &bit_forms[which][soft_size_row(size) - 1];
	enum soft_access access = which ? SOFT_WRITE : SOFT_READ;
	struct soft_op *op;

	if ((by_imm && !(insn->modrm & 0x20)) || (insn->lock && !which)) {
		soft_emit_undefined(decoder);
	} else if (by_imm) {
		soft_emit_modrm(decoder, forms->near_reg, forms->near_mem, size, access);
	} else if (!insn->memory) {
		soft_emit(decoder, forms->far_reg);
	} else if (plain_addresses(decoder)) {
		op = soft_emit_memory(decoder, forms->far_mem, size, access);
		op->imm = decoder->cpu->mode.code_bits == 64 ? UINT64_MAX : UINT32_MAX;
	} else {
		emit_effective(decoder, bit_slow)->extra = (uint8_t)which;
	}
}

/* BSF and BSR: a source of 0 leaves the destination alone, all 64 bits of it. */
#define DEFINE_SCAN(name, bits, work)                                           \
	static const struct soft_op *name##_reg##bits(struct soft_cpu *cpu,     \
						      const struct soft_op *op) \
	{                                                                       \
		uint##bits##_t value = soft_get##bits(cpu, op->rm);             \
                                                                                \
		if (value)                                                      \
			soft_set##bits(cpu, op->reg, (uint##bits##_t)(work));   \
		soft_flags_logic(cpu, value != 0);                              \
		return SOFT_NEXT(cpu, op);                                      \
	}                                                                       \
	static const struct soft_op *name##_mem##bits(struct soft_cpu *cpu,     \
						      const struct soft_op *op) \
	{                                                                       \
		uint##bits##_t value;                                           \
                                                                                \
		if (!soft_load##bits(cpu, op, soft_address(cpu, op), &value))   \
			return soft_stop(cpu, op);                              \
		if (value)                                                      \
			soft_set##bits(cpu, op->reg, (uint##bits##_t)(work));   \
		soft_flags_logic(cpu, value != 0);                              \
		return SOFT_NEXT(cpu, op);                                      \
	}
DEFINE_SCAN(bsf, 16, __builtin_ctzll(value))
DEFINE_SCAN(bsf, 32, __builtin_ctzll(value))
DEFINE_SCAN(bsf, 64, __builtin_ctzll(value))
DEFINE_SCAN(bsr, 16, 63 - __builtin_clzll(value))
DEFINE_SCAN(bsr, 32, 63 - __builtin_clzll(value))
DEFINE_SCAN(bsr, 64, 63 - __builtin_clzll(value))

void soft_emit_bit_scan(struct soft_decoder *decoder)
{
	static soft_handler *const scans[2][3][2] = {
		{ { bsf_reg16, bsf_mem16 }, { bsf_reg32, bsf_mem32 }, { bsf_reg64, bsf_mem64 } },
		{ { bsr_reg16, bsr_mem16 }, { bsr_reg32, bsr_mem32 }, { bsr_reg64, bsr_mem64 } }
	};
	const struct soft_insn *insn = &decoder->insn;
	soft_handler *const *pair = scans[insn->opcode & 1][soft_size_row(insn->operand_size) - 1];

	soft_emit_modrm(decoder, pair[0], pair[1], insn->operand_size, SOFT_READ);
}

/* A 16-bit BSWAP is undefined; silicon clears the word. */
static const struct soft_op *bswap16(struct soft_cpu *cpu, const struct soft_op *op)
{
	soft_set16(cpu, op->rm, 0);
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *bswap32(struct soft_cpu *cpu, const struct soft_op *op)
{
	soft_set32(cpu, op->rm, __builtin_bswap32(soft_get32(cpu, op->rm)));
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *bswap64(struct soft_cpu *cpu, const struct soft_op *op)
{
	soft_set64(cpu, op->rm, __builtin_bswap64(soft_get64(cpu, op->rm)));
	return SOFT_NEXT(cpu, op);
}
void soft_emit_bswap(struct soft_decoder *decoder)
{
	static soft_handler *const swaps[3] = { bswap16, bswap32, bswap64 };

	soft_emit(decoder, swaps[soft_size_row(decoder->insn.operand_size) - 1]);
}

/* BOUND's two limits lie one after the other; the address wraps between them. */
static __attribute__((noinline)) bool bound_checked(struct soft_cpu *cpu, const struct soft_op *op)
{
	unsigned size = op->size, spare = 64 - size * 8;
	int64_t index = (int64_t)(cpu->gpr[op->reg] << spare) >> spare, limits[2];

	for (unsigned i = 0; i < 2; i++) {
		uint64_t address = (soft_address(cpu, op) + i * size) & op->imm, linear, value;

		if (!soft_segment_address(cpu, op->segment, address, size, false, &linear) ||
		    !soft_load_sized(cpu, op, linear, size, &value))
			return false;
		limits[i] = (int64_t)(value << spare) >> spare;
	}
	if (index < limits[0] || index > limits[1])
		return soft_raise(cpu, SOFT_BR);
	return true;
}
static const struct soft_op *bound(struct soft_cpu *cpu, const struct soft_op *op)
{
	return bound_checked(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}
void soft_emit_bound(struct soft_decoder *decoder)
{
	if (decoder->insn.memory)
		emit_effective(decoder, bound);
	else
		soft_emit_undefined(decoder);
}

/* XLAT: op->imm masks the effective address. */
static __attribute__((noinline)) bool xlat_checked(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t address = (cpu->gpr[MW_RBX] + soft_get8(cpu, MW_RAX * 8)) & op->imm, linear;
	uint8_t value;

	if (!soft_segment_address(cpu, op->segment, address, 1, false, &linear) ||
	    !soft_load8(cpu, op, linear, &value))
		return false;
	soft_set8(cpu, MW_RAX * 8, value);
	return true;
}
static const struct soft_op *xlat(struct soft_cpu *cpu, const struct soft_op *op)
{
	return xlat_checked(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}
void soft_emit_xlat(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	struct soft_op *op = soft_emit(decoder, xlat);

	op->segment = (uint8_t)insn->segment;
	op->imm = address_mask(insn->address_size);
}

static const struct soft_op *cmc(struct soft_cpu *cpu, const struct soft_op *op)
{
	cpu->flags_aux ^= SOFT_AUX_CF | SOFT_AUX_CARRY_IN;
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *clc(struct soft_cpu *cpu, const struct soft_op *op)
{
	soft_set_cf(cpu, false);
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *stc(struct soft_cpu *cpu, const struct soft_op *op)
{
	soft_set_cf(cpu, true);
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *cld(struct soft_cpu *cpu, const struct soft_op *op)
{
	cpu->rflags &= ~(uint32_t)SOFT_DF;
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *std(struct soft_cpu *cpu, const struct soft_op *op)
{
	cpu->rflags |= SOFT_DF;
	return SOFT_NEXT(cpu, op);
}
/* D6, in no manual for long, in every processor: AL becomes the carry, in all bits. */
static const struct soft_op *salc(struct soft_cpu *cpu, const struct soft_op *op)
{
	soft_set8(cpu, MW_RAX * 8, soft_cf(cpu) ? 0xff : 0);
	return SOFT_NEXT(cpu, op);
}

void soft_emit_flag(struct soft_decoder *decoder)
{
	switch (decoder->insn.opcode) {
	case 0xd6: soft_emit(decoder, salc); break;
	case 0xf5: soft_emit(decoder, cmc); break;
	case 0xf8: soft_emit(decoder, clc); break;
	case 0xf9: soft_emit(decoder, stc); break;
	case 0xfc: soft_emit(decoder, cld); break;
	default: soft_emit(decoder, std); break;
	}
}

enum { AH = MW_RAX * 8 + 1, LOW_FLAGS = SOFT_SF | SOFT_ZF | SOFT_AF | SOFT_PF | SOFT_CF };

static const struct soft_op *lahf(struct soft_cpu *cpu, const struct soft_op *op)
{
	soft_set8(cpu, AH, (uint8_t)((soft_flags_get(cpu) & LOW_FLAGS) | 2));
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *sahf(struct soft_cpu *cpu, const struct soft_op *op)
{
	soft_flags_set(cpu, (soft_get8(cpu, AH) & (uint32_t)LOW_FLAGS) |
				    (soft_of(cpu) ? (uint32_t)SOFT_OF : 0));
	return SOFT_NEXT(cpu, op);
}
void soft_emit_lahf_sahf(struct soft_decoder *decoder)
{
	soft_emit(decoder, decoder->insn.opcode & 1 ? lahf : sahf);
}

static const struct soft_op *hint(struct soft_cpu *cpu, const struct soft_op *op)
{
	return SOFT_NEXT(cpu, op);
}
/** Prefetches and hints touch no memory. */
void soft_emit_prefetch(struct soft_decoder *decoder)
{
	soft_emit(decoder, hint);
}
