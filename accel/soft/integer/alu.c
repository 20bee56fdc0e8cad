/* ADD OR ADC SBB AND SUB XOR CMP, TEST, INC, DEC: every size and operand form has its own handler.
 * Reference: SDM vol. 2, the instructions' pages. */
// SPDX-License-Identifier: MIT
#include "accel/soft/integer/alu.h"
#include "accel/soft/integer/flags.h"
#include "accel/soft/integer/sized.h"

/* One operation at one width: sets the flags, returns the result. */
#define DEFINE_OPERATIONS(bits)                                                       \
	SOFT_INLINE uint##bits##_t add_##bits(struct soft_cpu *cpu, uint##bits##_t a, \
					      uint##bits##_t b)                       \
	{                                                                             \
		uint##bits##_t r = (uint##bits##_t)(a + b);                           \
                                                                                      \
		soft_flags_add(cpu, a, b, (int##bits##_t)r, bits);                    \
		return r;                                                             \
	}                                                                             \
	SOFT_INLINE uint##bits##_t adc_##bits(struct soft_cpu *cpu, uint##bits##_t a, \
					      uint##bits##_t b)                       \
	{                                                                             \
		uint##bits##_t r = (uint##bits##_t)(a + b + soft_cf(cpu));            \
                                                                                      \
		soft_flags_add(cpu, a, b, (int##bits##_t)r, bits);                    \
		return r;                                                             \
	}                                                                             \
	SOFT_INLINE uint##bits##_t sub_##bits(struct soft_cpu *cpu, uint##bits##_t a, \
					      uint##bits##_t b)                       \
	{                                                                             \
		uint##bits##_t r = (uint##bits##_t)(a - b);                           \
                                                                                      \
		soft_flags_sub(cpu, a, b, (int##bits##_t)r, bits);                    \
		return r;                                                             \
	}                                                                             \
	SOFT_INLINE uint##bits##_t sbb_##bits(struct soft_cpu *cpu, uint##bits##_t a, \
					      uint##bits##_t b)                       \
	{                                                                             \
		uint##bits##_t r = (uint##bits##_t)(a - b - soft_cf(cpu));            \
                                                                                      \
		soft_flags_sub(cpu, a, b, (int##bits##_t)r, bits);                    \
		return r;                                                             \
	}                                                                             \
	SOFT_INLINE uint##bits##_t and_##bits(struct soft_cpu *cpu, uint##bits##_t a, \
					      uint##bits##_t b)                       \
	{                                                                             \
		soft_flags_logic(cpu, (int##bits##_t)(a & b));                        \
		return a & b;                                                         \
	}                                                                             \
	SOFT_INLINE uint##bits##_t or_##bits(struct soft_cpu *cpu, uint##bits##_t a,  \
					     uint##bits##_t b)                        \
	{                                                                             \
		soft_flags_logic(cpu, (int##bits##_t)(a | b));                        \
		return a | b;                                                         \
	}                                                                             \
	SOFT_INLINE uint##bits##_t xor_##bits(struct soft_cpu *cpu, uint##bits##_t a, \
					      uint##bits##_t b)                       \
	{                                                                             \
		soft_flags_logic(cpu, (int##bits##_t)(a ^ b));                        \
		return a ^ b;                                                         \
	}                                                                             \
	SOFT_INLINE uint##bits##_t inc_##bits(struct soft_cpu *cpu, uint##bits##_t a, \
					      uint##bits##_t b)                       \
	{                                                                             \
		bool cf = soft_cf(cpu);                                               \
		uint##bits##_t r = add_##bits(cpu, a, 1);                             \
                                                                                      \
		soft_set_cf(cpu, cf);                                                 \
		return r;                                                             \
	}                                                                             \
	SOFT_INLINE uint##bits##_t dec_##bits(struct soft_cpu *cpu, uint##bits##_t a, \
					      uint##bits##_t b)                       \
	{                                                                             \
		bool cf = soft_cf(cpu);                                               \
		uint##bits##_t r = sub_##bits(cpu, a, 1);                             \
                                                                                      \
		soft_set_cf(cpu, cf);                                                 \
		return r;                                                             \
	}
DEFINE_OPERATIONS(8)
DEFINE_OPERATIONS(16)
DEFINE_OPERATIONS(32)
DEFINE_OPERATIONS(64)

/* The forms. rm is the destination's register, reg the source's; a memory form has one of them. The flags
 * come after the store, which may fault: the operation is worked out again then, for nothing. */
#define DEFINE_TO_REGISTER(name, bits)                                                             \
	static const struct soft_op *name##_rr_##bits(struct soft_cpu *cpu,                        \
						      const struct soft_op *op)                    \
	{                                                                                          \
		soft_set##bits(cpu, op->rm,                                                        \
			       name##_##bits(cpu, soft_get##bits(cpu, op->rm),                     \
					     soft_get##bits(cpu, op->reg)));                       \
		return SOFT_NEXT(cpu, op);                                                         \
	}                                                                                          \
	static const struct soft_op *name##_ri_##bits(struct soft_cpu *cpu,                        \
						      const struct soft_op *op)                    \
	{                                                                                          \
		soft_set##bits(                                                                    \
			cpu, op->rm,                                                               \
			name##_##bits(cpu, soft_get##bits(cpu, op->rm), (uint##bits##_t)op->imm)); \
		return SOFT_NEXT(cpu, op);                                                         \
	}                                                                                          \
	static const struct soft_op *name##_rm_##bits(struct soft_cpu *cpu,                        \
						      const struct soft_op *op)                    \
	{                                                                                          \
		uint##bits##_t value;                                                              \
                                                                                                   \
		if (!soft_load##bits(cpu, op, soft_address(cpu, op), &value))                      \
			return soft_stop(cpu, op);                                                 \
		soft_set##bits(cpu, op->reg,                                                       \
			       name##_##bits(cpu, soft_get##bits(cpu, op->reg), value));           \
		return SOFT_NEXT(cpu, op);                                                         \
	}
#define DEFINE_TO_MEMORY(name, form, bits, source)                                    \
	static const struct soft_op *name##_##form##_##bits(struct soft_cpu *cpu,     \
							    const struct soft_op *op) \
	{                                                                             \
		uint64_t linear = soft_address(cpu, op);                              \
		uint##bits##_t value;                                                 \
                                                                                      \
		if (!soft_modify##bits(cpu, op, linear, &value))                      \
			return soft_stop(cpu, op);                                    \
		value = name##_##bits(cpu, value, (uint##bits##_t)(source));          \
		soft_store##bits(cpu, op, linear, value);                             \
		return SOFT_NEXT(cpu, op);                                            \
	}
#define DEFINE_ALU_SIZE(name, bits)                                    \
	DEFINE_TO_REGISTER(name, bits)                                 \
	DEFINE_TO_MEMORY(name, mr, bits, soft_get##bits(cpu, op->reg)) \
	DEFINE_TO_MEMORY(name, mi, bits, op->imm)
#define DEFINE_ALU(name)          \
	DEFINE_ALU_SIZE(name, 8)  \
	DEFINE_ALU_SIZE(name, 16) \
	DEFINE_ALU_SIZE(name, 32) \
	DEFINE_ALU_SIZE(name, 64)
DEFINE_ALU(add)
DEFINE_ALU(or)
DEFINE_ALU(adc)
DEFINE_ALU(sbb)
DEFINE_ALU(and)
DEFINE_ALU(sub)
DEFINE_ALU(xor)

/* CMP and TEST keep the flags alone. */
#define DEFINE_COMPARE_SIZE(name, operation, bits)                                             \
	static const struct soft_op *name##_rr_##bits(struct soft_cpu *cpu,                    \
						      const struct soft_op *op)                \
	{                                                                                      \
		operation##_##bits(cpu, soft_get##bits(cpu, op->rm),                           \
				   soft_get##bits(cpu, op->reg));                              \
		return SOFT_NEXT(cpu, op);                                                     \
	}                                                                                      \
	static const struct soft_op *name##_ri_##bits(struct soft_cpu *cpu,                    \
						      const struct soft_op *op)                \
	{                                                                                      \
		operation##_##bits(cpu, soft_get##bits(cpu, op->rm), (uint##bits##_t)op->imm); \
		return SOFT_NEXT(cpu, op);                                                     \
	}                                                                                      \
	static const struct soft_op *name##_rm_##bits(struct soft_cpu *cpu,                    \
						      const struct soft_op *op)                \
	{                                                                                      \
		uint##bits##_t value;                                                          \
                                                                                               \
		if (!soft_load##bits(cpu, op, soft_address(cpu, op), &value))                  \
			return soft_stop(cpu, op);                                             \
		operation##_##bits(cpu, soft_get##bits(cpu, op->reg), value);                  \
		return SOFT_NEXT(cpu, op);                                                     \
	}                                                                                      \
	static const struct soft_op *name##_mr_##bits(struct soft_cpu *cpu,                    \
						      const struct soft_op *op)                \
	{                                                                                      \
		uint##bits##_t value;                                                          \
                                                                                               \
		if (!soft_load##bits(cpu, op, soft_address(cpu, op), &value))                  \
			return soft_stop(cpu, op);                                             \
		operation##_##bits(cpu, value, soft_get##bits(cpu, op->reg));                  \
		return SOFT_NEXT(cpu, op);                                                     \
	}                                                                                      \
	static const struct soft_op *name##_mi_##bits(struct soft_cpu *cpu,                    \
						      const struct soft_op *op)                \
	{                                                                                      \
		uint##bits##_t value;                                                          \
                                                                                               \
		if (!soft_load##bits(cpu, op, soft_address(cpu, op), &value))                  \
			return soft_stop(cpu, op);                                             \
		operation##_##bits(cpu, value, (uint##bits##_t)op->imm);                       \
		return SOFT_NEXT(cpu, op);                                                     \
	}
#define DEFINE_COMPARE(name, operation)          \
	DEFINE_COMPARE_SIZE(name, operation, 8)  \
	DEFINE_COMPARE_SIZE(name, operation, 16) \
	DEFINE_COMPARE_SIZE(name, operation, 32) \
	DEFINE_COMPARE_SIZE(name, operation, 64)
DEFINE_COMPARE(cmp, sub)
DEFINE_COMPARE(test, and)

#define DEFINE_UNARY_SIZE(name, bits)                                                            \
	static const struct soft_op *name##_r_##bits(struct soft_cpu *cpu,                       \
						     const struct soft_op *op)                   \
	{                                                                                        \
		soft_set##bits(cpu, op->rm, name##_##bits(cpu, soft_get##bits(cpu, op->rm), 1)); \
		return SOFT_NEXT(cpu, op);                                                       \
	}                                                                                        \
	DEFINE_TO_MEMORY(name, m, bits, 1)
#define DEFINE_UNARY(name)          \
	DEFINE_UNARY_SIZE(name, 8)  \
	DEFINE_UNARY_SIZE(name, 16) \
	DEFINE_UNARY_SIZE(name, 32) \
	DEFINE_UNARY_SIZE(name, 64)
DEFINE_UNARY(inc)
DEFINE_UNARY(dec)

/* Tables by operation and log2 of the size. */
enum form { RR = SOFT_FORM_RR, RI, RM, MR, MI, FORMS };
#define FORMS_OF(name, bits)                                                            \
	{                                                                               \
		name##_rr_##bits, name##_ri_##bits, name##_rm_##bits, name##_mr_##bits, \
			name##_mi_##bits                                                \
	}
#define SIZES_OF(name)                                                                        \
	{                                                                                     \
		FORMS_OF(name, 8), FORMS_OF(name, 16), FORMS_OF(name, 32), FORMS_OF(name, 64) \
	}
static soft_handler *const operations[9][4][FORMS] = {
	SIZES_OF(add), SIZES_OF(or),  SIZES_OF(adc), SIZES_OF(sbb),  SIZES_OF(and),
	SIZES_OF(sub), SIZES_OF(xor), SIZES_OF(cmp), SIZES_OF(test),
};
enum { CMP = 7, TEST = 8 };

bool soft_alu_compare_form(soft_handler *run, struct soft_compare_form *form)
{
	for (unsigned operation = CMP; operation <= TEST; operation++)
		for (unsigned size = 0; size < 4; size++)
			for (unsigned f = 0; f < FORMS; f++) {
				if (operations[operation][size][f] != run)
					continue;
				*form = (struct soft_compare_form){ operation == TEST, size, f };
				return true;
			}
	return false;
}

static enum soft_access access_of(unsigned operation)
{
	return operation >= CMP ? SOFT_READ : SOFT_WRITE;
}

/* The forms for a register and a memory destination. */
static void emit_forms(struct soft_decoder *decoder, unsigned operation, enum form on_register,
		       enum form on_memory)
{
	soft_handler *const *forms =
		operations[operation][soft_size_row(decoder->insn.operand_size)];

	if (decoder->insn.lock && operation >= CMP)
		soft_emit_undefined(decoder);
	else
		soft_emit_modrm(decoder, forms[on_register], forms[on_memory],
				decoder->insn.operand_size, access_of(operation));
}

static void emit_rm_r(struct soft_decoder *decoder, unsigned operation)
{
	emit_forms(decoder, operation, RR, MR);
}

static void emit_imm(struct soft_decoder *decoder, unsigned operation)
{
	emit_forms(decoder, operation, RI, MI);
}

static void emit_a_imm(struct soft_decoder *decoder, unsigned operation)
{
	soft_emit(decoder, operations[operation][soft_size_row(decoder->insn.operand_size)][RI])
		->rm = MW_RAX;
}

static unsigned operation_of(const struct soft_decoder *decoder)
{
	return decoder->insn.opcode >> 3 & 7;
}

void soft_emit_alu_rm_r(struct soft_decoder *decoder)
{
	emit_rm_r(decoder, operation_of(decoder));
}

void soft_emit_alu_r_rm(struct soft_decoder *decoder)
{
	soft_handler *const *forms =
		operations[operation_of(decoder)][soft_size_row(decoder->insn.operand_size)];

	soft_emit_r_rm(decoder, forms[RR], forms[RM]);
}

void soft_emit_alu_a_imm(struct soft_decoder *decoder)
{
	emit_a_imm(decoder, operation_of(decoder));
}

/* 80 to 83: the operation is ModRM.reg. */
void soft_emit_group1(struct soft_decoder *decoder)
{
	emit_imm(decoder, decoder->insn.modrm >> 3 & 7);
}

void soft_emit_test_rm_r(struct soft_decoder *decoder)
{
	emit_rm_r(decoder, TEST);
}

void soft_emit_test_a_imm(struct soft_decoder *decoder)
{
	emit_a_imm(decoder, TEST);
}

/* F6 and F7 /0 and /1, for soft_emit_group3. */
void soft_emit_test_rm_imm(struct soft_decoder *decoder)
{
	emit_imm(decoder, TEST);
}

static soft_handler *const unary[2][4][2] = {
	{ { inc_r_8, inc_m_8 },
	  { inc_r_16, inc_m_16 },
	  { inc_r_32, inc_m_32 },
	  { inc_r_64, inc_m_64 } },
	{ { dec_r_8, dec_m_8 },
	  { dec_r_16, dec_m_16 },
	  { dec_r_32, dec_m_32 },
	  { dec_r_64, dec_m_64 } },
};

/* 40 to 4F, outside 64-bit mode. */
void soft_emit_inc_dec(struct soft_decoder *decoder)
{
	soft_emit(
		decoder,
		unary[decoder->insn.opcode >> 3 & 1][soft_size_row(decoder->insn.operand_size)][0]);
}

/* Near branches are 64 bits wide in 64-bit mode, whatever 66 says; a push heeds it unless there is a REX.W
 * (SDM vol. 2, 2.2.1.2 and 2.2.1.7). */
static void emit_near_indirect(struct soft_decoder *decoder, soft_emitter *emit)
{
	struct soft_insn *insn = &decoder->insn;
	bool short_push = emit == soft_emit_push_rm && insn->operand_prefix && !(insn->rex & 8);

	if (decoder->cpu->mode.code_bits == 64)
		insn->operand_size = short_push ? 2 : 8;
	decoder->ends |= emit != soft_emit_push_rm;
	emit(decoder);
}

/* FE and FF. */
void soft_emit_group4_5(struct soft_decoder *decoder)
{
	unsigned operation = decoder->insn.modrm >> 3 & 7,
		 size = soft_size_row(decoder->insn.operand_size);
	bool byte = decoder->insn.operand_size == 1;

	if ((byte && operation > 1) || operation == 7 || (decoder->insn.lock && operation > 1)) {
		soft_emit_undefined(decoder);
		return;
	}
	switch (operation) {
	case 0:
	case 1:
		soft_emit_modrm(decoder, unary[operation][size][0], unary[operation][size][1],
				decoder->insn.operand_size, SOFT_WRITE);
		break;
	case 2: emit_near_indirect(decoder, soft_emit_call); break;
	case 4: emit_near_indirect(decoder, soft_emit_jmp); break;
	case 6: emit_near_indirect(decoder, soft_emit_push_rm); break;
	default: decoder->ends = true; soft_emit_far_indirect(decoder);
	}
}
