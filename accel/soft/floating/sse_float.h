/** Floating point on the host's SSE unit under the guest's MXCSR. Reference: SDM vol. 1, 11.5.
 *
 * The host runs with SOFT_MXCSR_DEFAULT. An operation is tried under that first; where the guest's control bits
 * are the same and the host's flags are all set in the guest's already, the result stands. Stale flags of the
 * host can only send an operation down the exact path, which does it again under the guest's control. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_SSE_FLOAT_H
#define ACCEL_SOFT_SSE_FLOAT_H

#include "accel/soft/floating/sse.h"

/** Does an operation under `mxcsr`, all masks set, and leaves the host's as it must be. */
typedef __m128i soft_float_run(__m128i a, __m128i b, uint32_t mxcsr, uint32_t *flags);

/** What an operation does, for those that can overflow or underflow. */
enum soft_float_kind {
	SOFT_FLOAT_SAFE,
	SOFT_FLOAT_ADD,
	SOFT_FLOAT_SUB,
	SOFT_FLOAT_MUL,
	SOFT_FLOAT_DIV,
	SOFT_FLOAT_NARROW /* double to single */
};
struct soft_float_shape {
	enum soft_float_kind kind;
	unsigned bytes, lanes; /* of the operands */
};
#define SOFT_FLOAT_PS(kind) ((struct soft_float_shape){ SOFT_FLOAT_##kind, 4, 4 })
#define SOFT_FLOAT_PD(kind) ((struct soft_float_shape){ SOFT_FLOAT_##kind, 8, 2 })
#define SOFT_FLOAT_SS(kind) ((struct soft_float_shape){ SOFT_FLOAT_##kind, 4, 1 })
#define SOFT_FLOAT_SD(kind) ((struct soft_float_shape){ SOFT_FLOAT_##kind, 8, 1 })

/** The operation under the guest's MXCSR: sets flags there, or raises #XM or #UD for an unmasked one. */
__m128i soft_float_exact(struct soft_cpu *cpu, soft_float_run *run, struct soft_float_shape shape,
			 __m128i a, __m128i b);

/** Whether a try that left the host's register as `host` does not stand. */
SOFT_INLINE bool soft_float_departs(const struct soft_cpu *cpu, uint32_t host)
{
	uint32_t guest = cpu->fx.mxcsr;

	return (host & ~guest) | (guest & (SOFT_MXCSR_DAZ | SOFT_MXCSR_RC | SOFT_MXCSR_FTZ));
}

/* STMXCSR wants memory: four of the bytes that the image leaves to software (SDM vol. 1, 10.5.1). A local
 * would cost the handler its tail call. */
#define SOFT_FLOAT_SCRATCH(cpu) (*(uint8_t(*)[4])(void *)&(cpu)->fx.reserved_2[92])
#define SOFT_FLOAT_GET          "\n\tstmxcsr %[scratch]\n\tmovl %[scratch], %[mxcsr]"
#define SOFT_FLOAT_ENTER        "ldmxcsr %[mxcsr]\n\t"
#define SOFT_FLOAT_EXIT         "\n\tstmxcsr %[after]\n\tldmxcsr %[standard]"

/* NAME(cpu, a, b, &result): `instruction` of two vectors; false when raised. */
#define SOFT_FLOAT_OPERATION(name, instruction, shape)                                        \
	static SOFT_NOINLINE __m128i name##_run(__m128i a, __m128i b, uint32_t mxcsr,         \
						uint32_t *flags)                              \
	{                                                                                     \
		const uint32_t standard = SOFT_MXCSR_DEFAULT;                                 \
		uint32_t after;                                                               \
                                                                                              \
		__asm__ volatile(SOFT_FLOAT_ENTER instruction " %[b], %[a]" SOFT_FLOAT_EXIT   \
				 : [a] "+x"(a), [after] "=m"(after)                           \
				 : [b] "x"(b), [mxcsr] "m"(mxcsr), [standard] "m"(standard)); \
		*flags = after & SOFT_MXCSR_FLAGS;                                            \
		return a;                                                                     \
	}                                                                                     \
	SOFT_INLINE bool name(struct soft_cpu *cpu, __m128i a, __m128i b, __m128i *result)    \
	{                                                                                     \
		__m128i value = a;                                                            \
		uint32_t host;                                                                \
                                                                                              \
		__asm__ volatile(instruction " %[b], %[value]" SOFT_FLOAT_GET                 \
				 : [value] "+x"(value), [mxcsr] "=r"(host),                   \
				   [scratch] "=m"(SOFT_FLOAT_SCRATCH(cpu))                    \
				 : [b] "x"(b));                                               \
		*result = value;                                                              \
		if (SOFT_LIKELY(!soft_float_departs(cpu, host)))                              \
			return true;                                                          \
		*result = soft_float_exact(cpu, name##_run, shape, a, b);                     \
		return !cpu->fault.raised;                                                    \
	}

/* Handlers of xmm = NAME(xmm, operand). */
#define SOFT_FLOAT_RR(name)                                                                    \
	static const struct soft_op *name##_rr(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                      \
		__m128i result;                                                                \
                                                                                               \
		if (!soft_sse_ready(cpu))                                                      \
			return soft_sse_refuse(cpu, op);                                       \
		if (!name(cpu, soft_xmm(cpu, op->reg), soft_xmm(cpu, op->rm), &result))        \
			return soft_stop(cpu, op);                                             \
		soft_xmm_set(cpu, op->reg, result);                                            \
		return SOFT_NEXT(cpu, op);                                                     \
	}
#define SOFT_FLOAT_RM(name, load)                                                              \
	static const struct soft_op *name##_rm(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                      \
		__m128i source, result;                                                        \
                                                                                               \
		if (!soft_sse_ready(cpu))                                                      \
			return soft_sse_refuse(cpu, op);                                       \
		if (!load(cpu, op, soft_address(cpu, op), &source) ||                          \
		    !name(cpu, soft_xmm(cpu, op->reg), source, &result))                       \
			return soft_stop(cpu, op);                                             \
		soft_xmm_set(cpu, op->reg, result);                                            \
		return SOFT_NEXT(cpu, op);                                                     \
	}
#define SOFT_FLOAT(name, instruction, shape, load)     \
	SOFT_FLOAT_OPERATION(name, instruction, shape) \
	SOFT_FLOAT_RR(name)                            \
	SOFT_FLOAT_RM(name, load)

#endif
