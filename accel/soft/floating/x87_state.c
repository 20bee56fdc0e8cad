/** The x87 unit's state: who may use it, TOP and tags, MMX on the same registers (SDM vol. 1, 8.1
 * and 9.2). */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/x87.h"
#include "accel/soft/floating/x87_internal.h"

bool soft_x87_enabled(struct soft_cpu *cpu)
{
	if (cpu->cr0 & (SOFT_CR0_EM | SOFT_CR0_TS))
		return soft_raise(cpu, SOFT_NM);
	return true;
}

/* With CR0.NE clear an error goes to the interrupt controller by FERR# instead; until a platform
 * has that wire it is #MF there too. */
bool soft_x87_ready(struct soft_cpu *cpu)
{
	if (!soft_x87_enabled(cpu))
		return false;
	return soft_x87_pending(&cpu->fx) == 0 || soft_raise(cpu, SOFT_MF);
}

bool soft_mmx_ready(struct soft_cpu *cpu)
{
	if (cpu->cr0 & SOFT_CR0_EM)
		return soft_raise(cpu, SOFT_UD);
	return soft_x87_ready(cpu);
}

void soft_x87_set_top(struct soft_fxsave *fx, unsigned top)
{
	unsigned by = (top - soft_x87_top(fx)) & 7;
	uint8_t old[8][16];

	fx->status = (uint16_t)((fx->status & ~(7u << SOFT_X87_TOP_SHIFT)) |
				(top & 7) << SOFT_X87_TOP_SHIFT);
	if (by == 0)
		return;
	memcpy(old, fx->st, sizeof(old));
	for (unsigned i = 0; i < 8; i++)
		memcpy(fx->st[i], old[(i + by) & 7], sizeof(old[i]));
}

void soft_x87_set_words(struct soft_fxsave *fx, uint16_t control, uint16_t status)
{
	fx->control = (control & SOFT_X87_CONTROL_MASK) | SOFT_X87_CONTROL_ONES;
	fx->status = status & (uint16_t) ~(SOFT_X87_ES | SOFT_X87_B);
	if (soft_x87_pending(fx) != 0)
		fx->status |= SOFT_X87_ES | SOFT_X87_B;
}

void soft_x87_init(struct soft_fxsave *fx)
{
	soft_x87_set_top(fx, 0);
	soft_x87_set_words(fx, SOFT_X87_CONTROL_INIT, 0);
	fx->tag = 0;
	fx->opcode = 0;
	fx->instruction = 0;
	fx->data = 0;
}

/* 8.1.7: valid, zero, special. */
static unsigned tag_of(const uint8_t *real)
{
	uint64_t significand;
	uint16_t exponent;

	memcpy(&significand, real, sizeof(significand));
	memcpy(&exponent, real + 8, sizeof(exponent));
	exponent &= 0x7fff;
	if (exponent == 0 && significand == 0)
		return 1;
	return exponent == 0 || exponent == 0x7fff || !(significand >> 63) ? 2 : 0;
}

uint16_t soft_x87_full_tag(const struct soft_fxsave *fx)
{
	unsigned full = 0;

	for (unsigned i = 0; i < 8; i++) {
		unsigned tag = 3;

		if (fx->tag >> i & 1)
			tag = tag_of(fx->st[(i - soft_x87_top(fx)) & 7]);
		full |= tag << 2 * i;
	}
	return (uint16_t)full;
}

uint8_t soft_x87_abridged_tag(uint16_t full)
{
	unsigned tag = 0;

	for (unsigned i = 0; i < 8; i++)
		tag |= ((full >> 2 * i & 3) != 3 ? 1u : 0) << i;
	return (uint8_t)tag;
}

void soft_mmx_begin(struct soft_cpu *cpu)
{
	soft_x87_set_top(&cpu->fx, 0);
	cpu->fx.tag = 0xff;
}

void soft_mmx_end(struct soft_cpu *cpu)
{
	soft_x87_set_top(&cpu->fx, 0);
	cpu->fx.tag = 0;
}
