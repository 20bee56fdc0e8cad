/** CMPXCHG, XADD, CMPXCHG8B and CMPXCHG16B (SDM vol. 2). All CPUs run on one thread: every access is atomic. */
// SPDX-License-Identifier: MIT
#include "accel/soft/decode/decode.h"
#include "accel/soft/integer/flags.h"
#include "accel/soft/integer/sized.h"

/* A comparison that fails changes the accumulator alone: the destination would get back what it holds. */
#define DEFINE_EXCHANGE(bits)                                                                \
	static const struct soft_op *cmpxchg_reg##bits(struct soft_cpu *cpu,                 \
						       const struct soft_op *op)             \
	{                                                                                    \
		uint##bits##_t accumulator = soft_get##bits(cpu, MW_RAX);                    \
		uint##bits##_t value = soft_get##bits(cpu, op->rm);                          \
		uint##bits##_t difference = (uint##bits##_t)(accumulator - value);           \
                                                                                             \
		if (difference == 0)                                                         \
			soft_set##bits(cpu, op->rm, soft_get##bits(cpu, op->reg));           \
		else                                                                         \
			soft_set##bits(cpu, MW_RAX, value);                                  \
		soft_flags_sub(cpu, accumulator, value, (int##bits##_t)difference, bits);    \
		return SOFT_NEXT(cpu, op);                                                   \
	}                                                                                    \
	static const struct soft_op *cmpxchg_mem##bits(struct soft_cpu *cpu,                 \
						       const struct soft_op *op)             \
	{                                                                                    \
		uint64_t linear = soft_address(cpu, op);                                     \
		uint##bits##_t accumulator = soft_get##bits(cpu, MW_RAX), value, difference; \
                                                                                             \
		if (!soft_modify##bits(cpu, op, linear, &value))                             \
			return soft_stop(cpu, op);                                           \
		difference = (uint##bits##_t)(accumulator - value);                          \
		if (difference != 0)                                                         \
			soft_set##bits(cpu, MW_RAX, value);                                  \
		else if (!soft_store##bits(cpu, op, linear, soft_get##bits(cpu, op->reg)))   \
			return soft_stop(cpu, op);                                           \
		soft_flags_sub(cpu, accumulator, value, (int##bits##_t)difference, bits);    \
		return SOFT_NEXT(cpu, op);                                                   \
	}                                                                                    \
	static const struct soft_op *xadd_reg##bits(struct soft_cpu *cpu,                    \
						    const struct soft_op *op)                \
	{                                                                                    \
		uint##bits##_t value = soft_get##bits(cpu, op->rm);                          \
		uint##bits##_t by = soft_get##bits(cpu, op->reg);                            \
		uint##bits##_t sum = (uint##bits##_t)(value + by);                           \
                                                                                             \
		soft_set##bits(cpu, op->reg, value);                                         \
		soft_set##bits(cpu, op->rm, sum);                                            \
		soft_flags_add(cpu, value, by, (int##bits##_t)sum, bits);                    \
		return SOFT_NEXT(cpu, op);                                                   \
	}                                                                                    \
	static const struct soft_op *xadd_mem##bits(struct soft_cpu *cpu,                    \
						    const struct soft_op *op)                \
	{                                                                                    \
		uint64_t linear = soft_address(cpu, op);                                     \
		uint##bits##_t by = soft_get##bits(cpu, op->reg), value, sum;                \
                                                                                             \
		if (!soft_modify##bits(cpu, op, linear, &value))                             \
			return soft_stop(cpu, op);                                           \
		sum = (uint##bits##_t)(value + by);                                          \
		if (!soft_store##bits(cpu, op, linear, sum))                                 \
			return soft_stop(cpu, op);                                           \
		soft_set##bits(cpu, op->reg, value);                                         \
		soft_flags_add(cpu, value, by, (int##bits##_t)sum, bits);                    \
		return SOFT_NEXT(cpu, op);                                                   \
	}
DEFINE_EXCHANGE(8)
DEFINE_EXCHANGE(16)
DEFINE_EXCHANGE(32)
DEFINE_EXCHANGE(64)

struct pair {
	soft_handler *reg, *mem;
};
#define PAIR(name, bits)                           \
	{                                          \
		name##_reg##bits, name##_mem##bits \
	}
static const struct pair cmpxchg[4] = { PAIR(cmpxchg, 8), PAIR(cmpxchg, 16), PAIR(cmpxchg, 32),
					PAIR(cmpxchg, 64) };
static const struct pair xadd[4] = { PAIR(xadd, 8), PAIR(xadd, 16), PAIR(xadd, 32),
				     PAIR(xadd, 64) };

void soft_emit_cmpxchg(struct soft_decoder *decoder)
{
	unsigned size = decoder->insn.operand_size;
	const struct pair *pair = &cmpxchg[soft_size_row(size)];

	soft_emit_modrm(decoder, pair->reg, pair->mem, size, SOFT_WRITE);
}
void soft_emit_xadd(struct soft_decoder *decoder)
{
	unsigned size = decoder->insn.operand_size;
	const struct pair *pair = &xadd[soft_size_row(size)];

	soft_emit_modrm(decoder, pair->reg, pair->mem, size, SOFT_WRITE);
}

static void set_zf(struct soft_cpu *cpu, bool zf)
{
	uint32_t others = soft_flags_get(cpu) & ~(uint32_t)SOFT_ZF;

	soft_flags_set(cpu, others | (zf ? (uint32_t)SOFT_ZF : 0));
}
static __attribute__((noinline)) bool exchange_8_bytes(struct soft_cpu *cpu,
						       const struct soft_op *op)
{
	uint64_t linear = soft_address(cpu, op), value, expected, wanted;

	if (!soft_modify64(cpu, op, linear, &value))
		return false;
	expected = cpu->gpr[MW_RDX] << 32 | soft_get32(cpu, MW_RAX);
	wanted = cpu->gpr[MW_RCX] << 32 | soft_get32(cpu, MW_RBX);
	if (value == expected) {
		if (!soft_store64(cpu, op, linear, wanted))
			return false;
	} else {
		soft_set32(cpu, MW_RAX, (uint32_t)value);
		soft_set32(cpu, MW_RDX, (uint32_t)(value >> 32));
	}
	set_zf(cpu, value == expected);
	return true;
}
static __attribute__((noinline)) bool exchange_16_bytes(struct soft_cpu *cpu,
							const struct soft_op *op)
{
	uint64_t linear = soft_address(cpu, op), value[2];
	uint64_t wanted[2] = { cpu->gpr[MW_RBX], cpu->gpr[MW_RCX] };
	bool same;

	if (linear & 15)
		return soft_raise_error(cpu, SOFT_GP, 0);
	if (!soft_check_write(cpu, op, linear, sizeof(value)) ||
	    !soft_read_bytes(cpu, op, linear, value, sizeof(value)))
		return false;
	same = value[0] == cpu->gpr[MW_RAX] && value[1] == cpu->gpr[MW_RDX];
	if (same) {
		if (!soft_write_bytes(cpu, op, linear, wanted, sizeof(wanted)))
			return false;
	} else {
		cpu->gpr[MW_RAX] = value[0];
		cpu->gpr[MW_RDX] = value[1];
	}
	set_zf(cpu, same);
	return true;
}
static const struct soft_op *cmpxchg8b(struct soft_cpu *cpu, const struct soft_op *op)
{
	return exchange_8_bytes(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}
static const struct soft_op *cmpxchg16b(struct soft_cpu *cpu, const struct soft_op *op)
{
	return exchange_16_bytes(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}
void soft_emit_group9(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;

	if (!insn->memory || (insn->modrm >> 3 & 7) != 1)
		soft_emit_undefined(decoder);
	else if (insn->operand_size == 8)
		soft_emit_memory(decoder, cmpxchg16b, 16, SOFT_WRITE);
	else
		soft_emit_memory(decoder, cmpxchg8b, 8, SOFT_WRITE);
}
