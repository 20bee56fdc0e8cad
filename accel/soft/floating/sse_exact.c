/* What a floating-point operation does under the guest's MXCSR, unmasked exceptions among it. References:
 * SDM vol. 1, 4.9, 11.5.2 and 11.5.3; the flags of unmasked overflow and underflow: appendix E.4. */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/sse_float.h"

enum {
	BEFORE = SOFT_MXCSR_IE | SOFT_MXCSR_DE | SOFT_MXCSR_ZE, /* found in the operands */
	X87_MASKED = 0x3f,
	X87_SINGLE = 0 << 8,
	X87_DOUBLE = 2 << 8,
	X87_INEXACT = 1 << 5
};

/* One lane of both operands in a vector whose other lanes raise nothing in any operation: 1.0. */
static __m128i lane_alone(struct soft_float_shape shape, __m128i vector, unsigned lane)
{
	const float single = 1.0f;
	const double twice = 1.0;
	uint8_t bytes[16], ones[16];

	_mm_storeu_si128((__m128i *)(void *)bytes, vector);
	for (unsigned i = 0; i < 16; i += shape.bytes)
		memcpy(&ones[i], shape.bytes == 4 ? (const void *)&single : (const void *)&twice,
		       shape.bytes);
	memcpy(ones, &bytes[lane * shape.bytes], shape.bytes);
	return _mm_loadu_si128((const __m128i *)(const void *)ones);
}

static double first_lane(struct soft_float_shape shape, __m128i vector)
{
	if (shape.bytes == 4)
		return _mm_cvtss_f32(_mm_castsi128_ps(vector));
	return _mm_cvtsd_f64(_mm_castsi128_pd(vector));
}

#define X87_OPERATION(instruction)                                                          \
	__asm__ volatile("fnstcw %[saved]\n\tfldcw %[control]\n\tfldl %[a]\n\t" instruction \
			 " %[b]\n\tfnstsw %[status]\n\tfstp %%st(0)\n\tfnclex\n\t"          \
			 "fldcw %[saved]"                                                   \
			 : [saved] "=m"(saved), [status] "=a"(status)                       \
			 : [control] "m"(control), [a] "m"(a), [b] "m"(b)                   \
			 : "st")

/* Whether rounding alone, with no bound on the exponent, loses bits. The x87 unit rounds to the operands'
 * precision in a range of exponents that holds every result. */
static bool rounds_inexactly(uint32_t guest, struct soft_float_shape shape, double a, double b)
{
	bool single = shape.bytes == 4 || shape.kind == SOFT_FLOAT_NARROW;
	uint16_t control = (uint16_t)(X87_MASKED | (single ? X87_SINGLE : X87_DOUBLE) |
				      (guest & SOFT_MXCSR_RC) >> 3);
	uint16_t saved, status = 0;

	switch (shape.kind) {
	case SOFT_FLOAT_SUB: X87_OPERATION("fsubl"); break;
	case SOFT_FLOAT_MUL: X87_OPERATION("fmull"); break;
	case SOFT_FLOAT_DIV: X87_OPERATION("fdivl"); break;
	default: X87_OPERATION("faddl"); break;
	}
	return status & X87_INEXACT;
}

/* A tiny result that is unmasked is an underflow even where it is exact, which is when FTZ would flush it. */
static uint32_t lane_flags(uint32_t guest, soft_float_run *run, struct soft_float_shape shape,
			   __m128i a, __m128i b)
{
	uint32_t control = (guest & ~(uint32_t)SOFT_MXCSR_FLAGS) | SOFT_MXCSR_MASKS;
	uint32_t flags, tiny, unmasked = ~(guest >> 7);
	double x = first_lane(shape, a), y = first_lane(shape, b);

	if (shape.kind == SOFT_FLOAT_NARROW)
		x = 0;
	run(a, b, control, &flags);
	run(a, b, control | SOFT_MXCSR_FTZ, &tiny);
	if (tiny & unmasked & SOFT_MXCSR_UE)
		flags = (flags & BEFORE) | SOFT_MXCSR_UE;
	else if (flags & unmasked & SOFT_MXCSR_OE)
		flags = (flags & BEFORE) | SOFT_MXCSR_OE;
	else
		return flags;
	return flags | (rounds_inexactly(guest, shape, x, y) ? (uint32_t)SOFT_MXCSR_PE : 0u);
}

/* The flags that are set where some are unmasked; `flags` is what all masks set would give. */
static uint32_t unmasked_flags(uint32_t guest, soft_float_run *run, struct soft_float_shape shape,
			       __m128i a, __m128i b, uint32_t flags)
{
	uint32_t unmasked = ~(guest >> 7), all = 0;

	if (flags & BEFORE & unmasked)
		return flags & BEFORE;
	if (shape.kind == SOFT_FLOAT_SAFE || !(unmasked & (SOFT_MXCSR_OE | SOFT_MXCSR_UE)))
		return flags;
	for (unsigned i = 0; i < shape.lanes; i++)
		all |= lane_flags(guest, run, shape, lane_alone(shape, a, i),
				  lane_alone(shape, b, i));
	return all;
}

SOFT_NOINLINE __m128i soft_float_exact(struct soft_cpu *cpu, soft_float_run *run,
				       struct soft_float_shape shape, __m128i a, __m128i b)
{
	uint32_t guest = cpu->fx.mxcsr, flags;
	__m128i result =
		run(a, b, (guest & ~(uint32_t)SOFT_MXCSR_FLAGS) | SOFT_MXCSR_MASKS, &flags);

	if (SOFT_UNLIKELY(~guest & SOFT_MXCSR_MASKS))
		flags = unmasked_flags(guest, run, shape, a, b, flags);
	cpu->fx.mxcsr |= flags;
	if (SOFT_UNLIKELY(flags & ~(guest >> 7)))
		soft_raise(cpu, cpu->cr4 & SOFT_CR4_OSXMMEXCPT ? SOFT_XM : SOFT_UD);
	return result;
}
