/** Decimal adjustments (SDM vol. 2: DAA, DAS, AAA, AAS, AAM, AAD). None is valid in 64-bit mode. */
// SPDX-License-Identifier: MIT
#include "accel/soft/decode/decode.h"
#include "accel/soft/integer/flags.h"

enum { AL = MW_RAX * 8, AH = MW_RAX * 8 + 1 };

/* SF, ZF and PF by the result; OF, undefined, is 0. */
static void set_flags(struct soft_cpu *cpu, uint8_t result, bool carry, bool adjust)
{
	cpu->flags_result = (uint64_t)(int8_t)result;
	cpu->flags_aux = (carry ? SOFT_AUX_CF | SOFT_AUX_CARRY_IN : 0) | (adjust ? SOFT_AUX_AF : 0);
}

static void adjust_packed(struct soft_cpu *cpu, bool subtract)
{
	uint8_t old = soft_get8(cpu, AL), by = 0;
	bool adjust = (old & 15) > 9 || soft_af(cpu), carry = soft_cf(cpu) || old > 0x99;
	bool wraps = adjust && (subtract ? old < 6 : old > 0xff - 6);

	by = (uint8_t)((adjust ? 6 : 0) + (carry ? 0x60 : 0));
	old = (uint8_t)(subtract ? old - by : old + by);
	soft_set8(cpu, AL, old);
	/* A borrow out of the first step counts for DAS; DAA's has `carry` set already. */
	set_flags(cpu, old, carry || wraps, adjust);
}
static const struct soft_op *daa(struct soft_cpu *cpu, const struct soft_op *op)
{
	adjust_packed(cpu, false);
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *das(struct soft_cpu *cpu, const struct soft_op *op)
{
	adjust_packed(cpu, true);
	return SOFT_NEXT(cpu, op);
}

static void adjust_unpacked(struct soft_cpu *cpu, int sign)
{
	uint8_t al = soft_get8(cpu, AL);
	bool adjust = (al & 15) > 9 || soft_af(cpu);

	if (adjust) {
		uint16_t ax = soft_get16(cpu, MW_RAX);

		soft_set16(cpu, MW_RAX, (uint16_t)(ax + sign * 0x106));
	}
	al = soft_get8(cpu, AL) & 15;
	soft_set8(cpu, AL, al);
	set_flags(cpu, al, adjust, adjust);
}
static const struct soft_op *aaa(struct soft_cpu *cpu, const struct soft_op *op)
{
	adjust_unpacked(cpu, 1);
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *aas(struct soft_cpu *cpu, const struct soft_op *op)
{
	adjust_unpacked(cpu, -1);
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *aam(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint8_t base = (uint8_t)op->imm, al = soft_get8(cpu, AL);

	if (!base) {
		soft_raise(cpu, SOFT_DE);
		return soft_stop(cpu, op);
	}
	soft_set8(cpu, AH, al / base);
	soft_set8(cpu, AL, al % base);
	set_flags(cpu, al % base, false, false);
	return SOFT_NEXT(cpu, op);
}
static const struct soft_op *aad(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint8_t al = (uint8_t)(soft_get8(cpu, AL) + soft_get8(cpu, AH) * (uint8_t)op->imm);

	soft_set16(cpu, MW_RAX, al);
	set_flags(cpu, al, false, false);
	return SOFT_NEXT(cpu, op);
}

void soft_emit_bcd(struct soft_decoder *decoder)
{
	switch (decoder->insn.opcode) {
	case 0x27: soft_emit(decoder, daa); break;
	case 0x2f: soft_emit(decoder, das); break;
	case 0x37: soft_emit(decoder, aaa); break;
	case 0x3f: soft_emit(decoder, aas); break;
	case 0xd4: soft_emit(decoder, aam); break;
	default: soft_emit(decoder, aad); break;
	}
}
