/** Shifts and rotates (SDM vol. 2: SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD). */
// SPDX-License-Identifier: MIT
#include "accel/soft/decode/decode.h"
#include "accel/soft/integer/flags.h"
#include "accel/soft/integer/sized.h"

/* Each works on a zero-extended value of `bits` bits, a constant where it is inlined; the caller cuts the
 * result to that width. `count` is masked and not 0. They leave the two carries of flags_aux: CF, and the
 * bit that makes OF with it. */

SOFT_INLINE uint32_t carries(uint64_t carry, uint64_t carry_in)
{
	return (uint32_t)(carry & 1) << 31 | (uint32_t)(carry_in & 1) << 30;
}
SOFT_INLINE uint64_t shl(uint64_t value, unsigned count, unsigned bits, bool carry, uint32_t *aux)
{
	uint64_t result = value << count;
	uint64_t out = bits == 64 ? value >> (64 - count) : result >> (bits & 63);

	*aux = carries(out, result >> (bits - 1));
	return result;
}
SOFT_INLINE uint64_t shr(uint64_t value, unsigned count, unsigned bits, bool carry, uint32_t *aux)
{
	uint64_t result = value >> count, out = value >> (count - 1);

	*aux = carries(out, out ^ result >> (bits - 2));
	return result;
}
SOFT_INLINE uint64_t sar(uint64_t value, unsigned count, unsigned bits, bool carry, uint32_t *aux)
{
	int64_t wide = (int64_t)(value << (64 - bits)) >> (64 - bits);
	uint64_t out = (uint64_t)(wide >> (count - 1));

	*aux = carries(out, out);
	return (uint64_t)(wide >> count);
}
SOFT_INLINE uint64_t rol(uint64_t value, unsigned count, unsigned bits, bool carry, uint32_t *aux)
{
	unsigned by = count & (bits - 1);
	uint64_t result = by ? value << by | value >> (bits - by) : value;

	*aux = carries(result, result >> (bits - 1));
	return result;
}
SOFT_INLINE uint64_t ror(uint64_t value, unsigned count, unsigned bits, bool carry, uint32_t *aux)
{
	unsigned by = count & (bits - 1);
	uint64_t result = by ? value >> by | value << (bits - by) : value;

	*aux = carries(result >> (bits - 1), result >> (bits - 2));
	return result;
}
SOFT_INLINE uint64_t rcl(uint64_t value, unsigned count, unsigned bits, bool carry, uint32_t *aux)
{
	unsigned by = count % (bits + 1);
	uint64_t result = value, out = carry;

	if (by) {
		result = value << by | (uint64_t)carry << (by - 1) | value >> 1 >> (bits - by);
		out = value >> (bits - by);
	}
	*aux = carries(out, result >> (bits - 1));
	return result;
}
SOFT_INLINE uint64_t rcr(uint64_t value, unsigned count, unsigned bits, bool carry, uint32_t *aux)
{
	unsigned by = count % (bits + 1);
	uint64_t result = value, out = carry;

	if (by) {
		result = value >> by | (uint64_t)carry << (bits - by) | value << 1 << (bits - by);
		out = value >> (by - 1);
	}
	*aux = carries(out, out ^ result >> (bits - 1) ^ result >> (bits - 2));
	return result;
}

/* 16-bit counts above 16 are undefined; like silicon, the destination follows the source again. */
SOFT_INLINE uint64_t shld(uint64_t value, uint64_t source, unsigned count, unsigned bits,
			  uint32_t *aux)
{
	uint64_t result, out;

	if (bits == 16) {
		uint64_t wide = value << 32 | source << 16 | value;

		result = wide << count >> 32;
		out = wide >> (48 - count);
	} else {
		result = value << count | source >> (bits - count);
		out = value >> (bits - count);
	}
	*aux = carries(out, result >> (bits - 1));
	return result;
}
SOFT_INLINE uint64_t shrd(uint64_t value, uint64_t source, unsigned count, unsigned bits,
			  uint32_t *aux)
{
	uint64_t result, out = value >> (count - 1);

	if (bits == 16) {
		uint64_t wide = value << 32 | source << 16 | value;

		result = wide >> count;
		out = wide >> (count - 1);
	} else {
		result = value >> count | source << (bits - count);
	}
	*aux = carries(out, out ^ result >> (bits - 1) ^ result >> (bits - 2));
	return result;
}

SOFT_INLINE void flags_shifted(struct soft_cpu *cpu, int64_t result, uint32_t aux)
{
	cpu->flags_result = (uint64_t)result;
	cpu->flags_aux = aux;
}
/* Rotates change CF and OF alone. */
SOFT_INLINE void flags_rotated(struct soft_cpu *cpu, int64_t result, uint32_t aux)
{
	cpu->flags_aux = (cpu->flags_aux & ~(SOFT_AUX_CF | SOFT_AUX_CARRY_IN)) | aux;
}
SOFT_INLINE unsigned count_cl(const struct soft_cpu *cpu, unsigned bits)
{
	return soft_get8(cpu, MW_RCX * 8) & (bits == 64 ? 63 : 31);
}

/* The four handlers of one operation at one width. Immediate counts are masked and not 0. `work` yields
 * the result from `value`, `count` and `aux`. */
#define DEFINE_FORMS(name, bits, work, set_flags)                                   \
	static const struct soft_op *name##_reg_imm##bits(struct soft_cpu *cpu,     \
							  const struct soft_op *op) \
	{                                                                           \
		uint##bits##_t value = soft_get##bits(cpu, op->rm);                 \
		unsigned count = (unsigned)op->imm;                                 \
		uint32_t aux;                                                       \
                                                                                    \
		value = (uint##bits##_t)(work);                                     \
		soft_set##bits(cpu, op->rm, value);                                 \
		set_flags(cpu, (int##bits##_t)value, aux);                          \
		return SOFT_NEXT(cpu, op);                                          \
	}                                                                           \
	static const struct soft_op *name##_reg_cl##bits(struct soft_cpu *cpu,      \
							 const struct soft_op *op)  \
	{                                                                           \
		uint##bits##_t value = soft_get##bits(cpu, op->rm);                 \
		unsigned count = count_cl(cpu, bits);                               \
		uint32_t aux;                                                       \
                                                                                    \
		if (!count) {                                                       \
			soft_set##bits(cpu, op->rm, value);                         \
			return SOFT_NEXT(cpu, op);                                  \
		}                                                                   \
		value = (uint##bits##_t)(work);                                     \
		soft_set##bits(cpu, op->rm, value);                                 \
		set_flags(cpu, (int##bits##_t)value, aux);                          \
		return SOFT_NEXT(cpu, op);                                          \
	}                                                                           \
	static const struct soft_op *name##_mem_imm##bits(struct soft_cpu *cpu,     \
							  const struct soft_op *op) \
	{                                                                           \
		uint64_t linear = soft_address(cpu, op);                            \
		unsigned count = (unsigned)op->imm;                                 \
		uint##bits##_t value;                                               \
		uint32_t aux;                                                       \
                                                                                    \
		if (!soft_modify##bits(cpu, op, linear, &value))                    \
			return soft_stop(cpu, op);                                  \
		value = (uint##bits##_t)(work);                                     \
		if (!soft_store##bits(cpu, op, linear, value))                      \
			return soft_stop(cpu, op);                                  \
		set_flags(cpu, (int##bits##_t)value, aux);                          \
		return SOFT_NEXT(cpu, op);                                          \
	}                                                                           \
	static const struct soft_op *name##_mem_cl##bits(struct soft_cpu *cpu,      \
							 const struct soft_op *op)  \
	{                                                                           \
		uint64_t linear = soft_address(cpu, op);                            \
		unsigned count = count_cl(cpu, bits);                               \
		uint##bits##_t value;                                               \
		uint32_t aux;                                                       \
                                                                                    \
		if (!soft_modify##bits(cpu, op, linear, &value))                    \
			return soft_stop(cpu, op);                                  \
		if (!count)                                                         \
			return SOFT_NEXT(cpu, op);                                  \
		value = (uint##bits##_t)(work);                                     \
		if (!soft_store##bits(cpu, op, linear, value))                      \
			return soft_stop(cpu, op);                                  \
		set_flags(cpu, (int##bits##_t)value, aux);                          \
		return SOFT_NEXT(cpu, op);                                          \
	}

#define DEFINE_SHIFT(name, bits, set_flags) \
	DEFINE_FORMS(name, bits, name(value, count, bits, soft_cf(cpu), &aux), set_flags)
#define DEFINE_SHIFTS(name, set_flags)    \
	DEFINE_SHIFT(name, 8, set_flags)  \
	DEFINE_SHIFT(name, 16, set_flags) \
	DEFINE_SHIFT(name, 32, set_flags) \
	DEFINE_SHIFT(name, 64, set_flags)
DEFINE_SHIFTS(rol, flags_rotated)
DEFINE_SHIFTS(ror, flags_rotated)
DEFINE_SHIFTS(rcl, flags_rotated)
DEFINE_SHIFTS(rcr, flags_rotated)
DEFINE_SHIFTS(shl, flags_shifted)
DEFINE_SHIFTS(shr, flags_shifted)
DEFINE_SHIFTS(sar, flags_shifted)

#define DEFINE_DOUBLE(name, bits)                                                              \
	DEFINE_FORMS(name, bits, name(value, soft_get##bits(cpu, op->reg), count, bits, &aux), \
		     flags_shifted)
DEFINE_DOUBLE(shld, 16)
DEFINE_DOUBLE(shld, 32)
DEFINE_DOUBLE(shld, 64)
DEFINE_DOUBLE(shrd, 16)
DEFINE_DOUBLE(shrd, 32)
DEFINE_DOUBLE(shrd, 64)

/* An immediate count of 0: the operand is touched all the same. */
static const struct soft_op *none_reg(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (op->size == 4)
		soft_set32(cpu, op->rm, soft_get32(cpu, op->rm));
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *none_mem(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_check_write(cpu, op, soft_address(cpu, op), op->size))
		return soft_stop(cpu, op);
	return SOFT_NEXT(cpu, op);
}

struct forms {
	soft_handler *reg_imm, *reg_cl, *mem_imm, *mem_cl;
};
#define FORMS(name, bits)                                                        \
	{                                                                        \
		name##_reg_imm##bits, name##_reg_cl##bits, name##_mem_imm##bits, \
			name##_mem_cl##bits                                      \
	}
#define SIZES(name)                                                               \
	{                                                                         \
		FORMS(name, 8), FORMS(name, 16), FORMS(name, 32), FORMS(name, 64) \
	}
/* By ModRM.reg; 6 is an alias of SHL. */
static const struct forms group2[8][4] = { SIZES(rol), SIZES(ror), SIZES(rcl), SIZES(rcr),
					   SIZES(shl), SIZES(shr), SIZES(shl), SIZES(sar) };
static const struct forms double_left[3] = { FORMS(shld, 16), FORMS(shld, 32), FORMS(shld, 64) };
static const struct forms double_right[3] = { FORMS(shrd, 16), FORMS(shrd, 32), FORMS(shrd, 64) };

static void emit_forms(struct soft_decoder *decoder, const struct forms *forms, bool by_cl,
		       unsigned count)
{
	unsigned size = decoder->insn.operand_size;
	struct soft_op *op;

	count &= size == 8 ? 63 : 31;
	if (by_cl)
		op = soft_emit_modrm(decoder, forms->reg_cl, forms->mem_cl, size, SOFT_WRITE);
	else if (!count)
		op = soft_emit_modrm(decoder, none_reg, none_mem, size, SOFT_WRITE);
	else
		op = soft_emit_modrm(decoder, forms->reg_imm, forms->mem_imm, size, SOFT_WRITE);
	op->imm = count;
	op->size = (uint8_t)size;
}

void soft_emit_group2(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	const struct forms *forms =
		&group2[insn->modrm >> 3 & 7][soft_size_row(insn->operand_size)];
	bool by_one = (insn->opcode & 0xfe) == 0xd0, by_cl = (insn->opcode & 0xfe) == 0xd2;

	emit_forms(decoder, forms, by_cl, by_one ? 1 : (unsigned)insn->imm);
}
void soft_emit_shld(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;

	emit_forms(decoder, &double_left[soft_size_row(insn->operand_size) - 1], insn->opcode & 1,
		   (unsigned)insn->imm);
}
void soft_emit_shrd(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;

	emit_forms(decoder, &double_right[soft_size_row(insn->operand_size) - 1], insn->opcode & 1,
		   (unsigned)insn->imm);
}
