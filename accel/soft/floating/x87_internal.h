/** Parts of the x87 unit that its files share. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_X87_INTERNAL_H
#define ACCEL_SOFT_X87_INTERNAL_H

#include "accel/soft/cpu.h"
#include "accel/soft/decode/decode.h"

/** Status and control words (SDM vol. 1, 8.1.3 and 8.1.5). */
enum soft_x87_bits {
	SOFT_X87_IE = 1 << 0,
	SOFT_X87_DE = 1 << 1,
	SOFT_X87_ZE = 1 << 2,
	SOFT_X87_OE = 1 << 3,
	SOFT_X87_UE = 1 << 4,
	SOFT_X87_PE = 1 << 5,
	SOFT_X87_EXCEPTIONS = 63,
	SOFT_X87_SF = 1 << 6,
	SOFT_X87_ES = 1 << 7,
	SOFT_X87_TOP_SHIFT = 11,
	SOFT_X87_B = 1 << 15,
	SOFT_X87_CONTROL_MASK = 0x1f3f, /* what FLDCW can change */
	SOFT_X87_CONTROL_ONES = 0x40,
	SOFT_X87_CONTROL_INIT = 0x37f
};

/** Instructions without and with a memory operand, by the low bits of the opcode, and of ModRM. */
#define SOFT_X87_REGISTER(opcode, modrm) (((opcode)&7u) << 6 | ((modrm)&63u))
#define SOFT_X87_MEMORY(opcode, reg)     (512u + (((opcode)&7u) << 3 | ((reg)&7u)))

/** x87_host.c: runs one instruction on the host's unit. The x87 part of `image` goes in and comes
 * out; the rest of it is scratch, XMM and MXCSR among it. `operand` is the memory operand, or
 * NULL. No exception may be pending in `image`; one may be so afterwards. EFLAGS go in with ZF and
 * PF set alone and are returned. The host's unit is left as after FNINIT. */
uint32_t soft_x87_host(struct soft_fxsave *image, uint32_t instruction, void *operand);

/** Exceptions that are flagged and not masked. */
static inline unsigned soft_x87_pending(const struct soft_fxsave *fx)
{
	return fx->status & ~fx->control & SOFT_X87_EXCEPTIONS;
}
static inline unsigned soft_x87_top(const struct soft_fxsave *fx)
{
	return fx->status >> SOFT_X87_TOP_SHIFT & 7;
}
/* x87_state.c */

/** Makes TOP `top`; physical registers keep their contents. */
void soft_x87_set_top(struct soft_fxsave *fx, unsigned top);
/** Loads the words, with ES and B as they follow from them; TOP without moving registers. */
void soft_x87_set_words(struct soft_fxsave *fx, uint16_t control, uint16_t status);
/** FNINIT. */
void soft_x87_init(struct soft_fxsave *fx);
/** The tag word with two bits for each physical register, and back. */
uint16_t soft_x87_full_tag(const struct soft_fxsave *fx);
uint8_t soft_x87_abridged_tag(uint16_t full);

/** x87_control.c, x87_environment.c: handlers. */
soft_handler soft_x87_fldcw, soft_x87_fnstcw, soft_x87_fnstsw, soft_x87_fnstsw_ax, soft_x87_fnclex,
	soft_x87_fninit, soft_x87_none;
soft_handler soft_x87_fldenv, soft_x87_fnstenv, soft_x87_frstor, soft_x87_fnsave;

#endif
