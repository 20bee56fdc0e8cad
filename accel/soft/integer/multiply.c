/** Group 3 (TEST, NOT, NEG, MUL, IMUL, DIV, IDIV) and IMUL with two and three operands (SDM vol. 2). */
// SPDX-License-Identifier: MIT
#include "accel/soft/decode/decode.h"
#include "accel/soft/integer/flags.h"
#include "accel/soft/integer/sized.h"

__extension__ typedef unsigned __int128 uint128_t;
__extension__ typedef __int128 int128_t;

/* The low half decides SF and PF, as on silicon; CF and OF say whether the high half matters. */
SOFT_INLINE void flags_multiplied(struct soft_cpu *cpu, int64_t low, bool overflow)
{
	cpu->flags_result = (uint64_t)low;
	cpu->flags_aux = overflow ? SOFT_AUX_CF : 0;
}

/* The 8-bit forms keep both halves in AX. */
SOFT_INLINE void set_pair8(struct soft_cpu *cpu, uint8_t low, uint8_t high)
{
	soft_set16(cpu, MW_RAX, (uint16_t)(low | high << 8));
}
SOFT_INLINE uint16_t get_pair8(const struct soft_cpu *cpu)
{
	return soft_get16(cpu, MW_RAX);
}
#define DEFINE_PAIR(bits, wide)                                                               \
	SOFT_INLINE void set_pair##bits(struct soft_cpu *cpu, uint##bits##_t low,             \
					uint##bits##_t high)                                  \
	{                                                                                     \
		soft_set##bits(cpu, MW_RAX, low);                                             \
		soft_set##bits(cpu, MW_RDX, high);                                            \
	}                                                                                     \
	SOFT_INLINE uint##wide##_t get_pair##bits(const struct soft_cpu *cpu)                 \
	{                                                                                     \
		return (uint##wide##_t)((uint##wide##_t)soft_get##bits(cpu, MW_RDX) << bits | \
					soft_get##bits(cpu, MW_RAX));                         \
	}
DEFINE_PAIR(16, 32)
DEFINE_PAIR(32, 64)
DEFINE_PAIR(64, 128)

/* What group 3 does with its operand `value`; false: #DE is raised. */
#define DEFINE_ARITHMETIC(bits, wide)                                                         \
	SOFT_INLINE bool mul##bits(struct soft_cpu *cpu, uint##bits##_t value)                \
	{                                                                                     \
		uint##wide##_t product = (uint##wide##_t)(                                    \
			(uint##wide##_t)soft_get##bits(cpu, MW_RAX) * (uint##wide##_t)value); \
		uint##bits##_t high = (uint##bits##_t)(product >> bits);                      \
                                                                                              \
		set_pair##bits(cpu, (uint##bits##_t)product, high);                           \
		flags_multiplied(cpu, (int##bits##_t)product, high != 0);                     \
		return true;                                                                  \
	}                                                                                     \
	SOFT_INLINE bool imul##bits(struct soft_cpu *cpu, uint##bits##_t value)               \
	{                                                                                     \
		int##wide##_t product = (int##wide##_t)(                                      \
			(int##wide##_t)(int##bits##_t)soft_get##bits(cpu, MW_RAX) *           \
			(int##wide##_t)(int##bits##_t)value);                                 \
		int##bits##_t low = (int##bits##_t)product;                                   \
                                                                                              \
		set_pair##bits(cpu, (uint##bits##_t)low,                                      \
			       (uint##bits##_t)((uint##wide##_t)product >> bits));            \
		flags_multiplied(cpu, low, product != low);                                   \
		return true;                                                                  \
	}                                                                                     \
	SOFT_INLINE bool div##bits(struct soft_cpu *cpu, uint##bits##_t value)                \
	{                                                                                     \
		uint##wide##_t dividend = get_pair##bits(cpu);                                \
                                                                                              \
		if (dividend >> bits >= value)                                                \
			return soft_raise(cpu, SOFT_DE);                                      \
		set_pair##bits(cpu, (uint##bits##_t)(dividend / value),                       \
			       (uint##bits##_t)(dividend % value));                           \
		return true;                                                                  \
	}                                                                                     \
	SOFT_INLINE bool idiv##bits(struct soft_cpu *cpu, uint##bits##_t value)               \
	{                                                                                     \
		int##wide##_t dividend = (int##wide##_t)get_pair##bits(cpu), quotient;        \
		int##bits##_t divisor = (int##bits##_t)value;                                 \
		int##wide##_t least =                                                         \
			(int##wide##_t)((uint##wide##_t)1 << (sizeof(dividend) * 8 - 1));     \
                                                                                              \
		if (divisor == 0 || (divisor == -1 && dividend == least))                     \
			return soft_raise(cpu, SOFT_DE);                                      \
		quotient = (int##wide##_t)(dividend / divisor);                               \
		if (quotient != (int##bits##_t)quotient)                                      \
			return soft_raise(cpu, SOFT_DE);                                      \
		set_pair##bits(cpu, (uint##bits##_t)quotient,                                 \
			       (uint##bits##_t)(dividend % divisor));                         \
		return true;                                                                  \
	}                                                                                     \
	SOFT_INLINE bool test##bits(struct soft_cpu *cpu, uint##bits##_t value, uint64_t imm) \
	{                                                                                     \
		soft_flags_logic(cpu, (int##bits##_t)(value & imm));                          \
		return true;                                                                  \
	}
DEFINE_ARITHMETIC(8, 16)
DEFINE_ARITHMETIC(16, 32)
DEFINE_ARITHMETIC(32, 64)
DEFINE_ARITHMETIC(64, 128)

/* Handlers that read their operand; `work` takes it as `value` and says whether it went well. */
#define DEFINE_READER(name, bits, work)                                         \
	static const struct soft_op *name##_reg##bits(struct soft_cpu *cpu,     \
						      const struct soft_op *op) \
	{                                                                       \
		uint##bits##_t value = soft_get##bits(cpu, op->rm);             \
                                                                                \
		if (!(work))                                                    \
			return soft_stop(cpu, op);                              \
		return SOFT_NEXT(cpu, op);                                      \
	}                                                                       \
	static const struct soft_op *name##_mem##bits(struct soft_cpu *cpu,     \
						      const struct soft_op *op) \
	{                                                                       \
		uint##bits##_t value;                                           \
                                                                                \
		if (!soft_load##bits(cpu, op, soft_address(cpu, op), &value))   \
			return soft_stop(cpu, op);                              \
		if (!(work))                                                    \
			return soft_stop(cpu, op);                              \
		return SOFT_NEXT(cpu, op);                                      \
	}

#define DEFINE_GROUP3(bits)                                                                        \
	DEFINE_READER(test, bits, test##bits(cpu, value, op->imm))                                 \
	DEFINE_READER(mul, bits, mul##bits(cpu, value))                                            \
	DEFINE_READER(imul, bits, imul##bits(cpu, value))                                          \
	DEFINE_READER(div, bits, div##bits(cpu, value))                                            \
	DEFINE_READER(idiv, bits, idiv##bits(cpu, value))                                          \
	static const struct soft_op *not_reg##bits(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                          \
		uint##bits##_t value = soft_get##bits(cpu, op->rm);                                \
                                                                                                   \
		soft_set##bits(cpu, op->rm, (uint##bits##_t) ~value);                              \
		return SOFT_NEXT(cpu, op);                                                         \
	}                                                                                          \
	static const struct soft_op *not_mem##bits(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                          \
		uint64_t linear = soft_address(cpu, op);                                           \
		uint##bits##_t value;                                                              \
                                                                                                   \
		if (!soft_modify##bits(cpu, op, linear, &value))                                   \
			return soft_stop(cpu, op);                                                 \
		if (!soft_store##bits(cpu, op, linear, (uint##bits##_t) ~value))                   \
			return soft_stop(cpu, op);                                                 \
		return SOFT_NEXT(cpu, op);                                                         \
	}                                                                                          \
	static const struct soft_op *neg_reg##bits(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                          \
		uint##bits##_t value = soft_get##bits(cpu, op->rm);                                \
		uint##bits##_t result = (uint##bits##_t)(0u - value);                              \
                                                                                                   \
		soft_set##bits(cpu, op->rm, result);                                               \
		soft_flags_sub(cpu, 0, value, (int##bits##_t)result, bits);                        \
		return SOFT_NEXT(cpu, op);                                                         \
	}                                                                                          \
	static const struct soft_op *neg_mem##bits(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                          \
		uint64_t linear = soft_address(cpu, op);                                           \
		uint##bits##_t value, result;                                                      \
                                                                                                   \
		if (!soft_modify##bits(cpu, op, linear, &value))                                   \
			return soft_stop(cpu, op);                                                 \
		result = (uint##bits##_t)(0u - value);                                             \
		if (!soft_store##bits(cpu, op, linear, result))                                    \
			return soft_stop(cpu, op);                                                 \
		soft_flags_sub(cpu, 0, value, (int##bits##_t)result, bits);                        \
		return SOFT_NEXT(cpu, op);                                                         \
	}
DEFINE_GROUP3(8)
DEFINE_GROUP3(16)
DEFINE_GROUP3(32)
DEFINE_GROUP3(64)

/* IMUL with a destination of its own: CF and OF when the product does not fit. */
#define DEFINE_IMUL(bits)                                                                          \
	SOFT_INLINE bool multiply##bits(struct soft_cpu *cpu, unsigned reg, uint##bits##_t value,  \
					uint64_t by)                                               \
	{                                                                                          \
		int##bits##_t product;                                                             \
		bool overflow =                                                                    \
			__builtin_mul_overflow((int##bits##_t)value, (int##bits##_t)by, &product); \
                                                                                                   \
		soft_set##bits(cpu, reg, (uint##bits##_t)product);                                 \
		flags_multiplied(cpu, product, overflow);                                          \
		return true;                                                                       \
	}                                                                                          \
	DEFINE_READER(imul2_, bits, multiply##bits(cpu, op->reg, value, cpu->gpr[op->reg]))        \
	DEFINE_READER(imul3_, bits, multiply##bits(cpu, op->reg, value, op->imm))
DEFINE_IMUL(16)
DEFINE_IMUL(32)
DEFINE_IMUL(64)

struct pair {
	soft_handler *reg, *mem;
};
#define PAIR(name, bits)                           \
	{                                          \
		name##_reg##bits, name##_mem##bits \
	}
#define SIZES(name)                                                           \
	{                                                                     \
		PAIR(name, 8), PAIR(name, 16), PAIR(name, 32), PAIR(name, 64) \
	}
/* By ModRM.reg; 1 is an alias of TEST. */
static const struct pair group3[8][4] = { SIZES(test), SIZES(test), SIZES(not ), SIZES(neg),
					  SIZES(mul),  SIZES(imul), SIZES(div),  SIZES(idiv) };
static const struct pair imul2[3] = { PAIR(imul2_, 16), PAIR(imul2_, 32), PAIR(imul2_, 64) };
static const struct pair imul3[3] = { PAIR(imul3_, 16), PAIR(imul3_, 32), PAIR(imul3_, 64) };

void soft_emit_group3(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	unsigned which = insn->modrm >> 3 & 7;
	bool writes = which == 2 || which == 3;
	const struct pair *pair = &group3[which][soft_size_row(insn->operand_size)];

	if (insn->lock && !writes) {
		soft_emit_undefined(decoder);
		return;
	}
	soft_emit_modrm(decoder, pair->reg, pair->mem, insn->operand_size,
			writes ? SOFT_WRITE : SOFT_READ);
}
void soft_emit_imul(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	unsigned row = soft_size_row(insn->operand_size) - 1;
	const struct pair *pair = insn->map == 0 ? &imul3[row] : &imul2[row];

	soft_emit_modrm(decoder, pair->reg, pair->mem, insn->operand_size, SOFT_READ);
}
