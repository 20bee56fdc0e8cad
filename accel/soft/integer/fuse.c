/* CMP and TEST with the Jcc behind them in one handler: the condition comes from the operands at once, the
 * flags are left for whoever may ask. The pair stays two ops; the first one leads on by the second's
 * fields. */
// SPDX-License-Identifier: MIT
#include "accel/soft/integer/alu.h"
#include "accel/soft/integer/branch.h"
#include "accel/soft/integer/flags.h"

/* Conditions of `a` compared with `b`, and of a & b; S is the signed type. */
#define CMP_b(S, a, b)   ((a) < (b))
#define CMP_ae(S, a, b)  ((a) >= (b))
#define CMP_z(S, a, b)   ((a) == (b))
#define CMP_nz(S, a, b)  ((a) != (b))
#define CMP_be(S, a, b)  ((a) <= (b))
#define CMP_a(S, a, b)   ((a) > (b))
#define CMP_s(S, a, b)   ((S)((a) - (b)) < 0)
#define CMP_ns(S, a, b)  ((S)((a) - (b)) >= 0)
#define CMP_l(S, a, b)   ((S)(a) < (S)(b))
#define CMP_ge(S, a, b)  ((S)(a) >= (S)(b))
#define CMP_le(S, a, b)  ((S)(a) <= (S)(b))
#define CMP_g(S, a, b)   ((S)(a) > (S)(b))
#define TEST_z(S, a, b)  (((a) & (b)) == 0)
#define TEST_nz(S, a, b) (((a) & (b)) != 0)
#define TEST_s(S, a, b)  ((S)((a) & (b)) < 0)
#define TEST_ns(S, a, b) ((S)((a) & (b)) >= 0)
#define TEST_le(S, a, b) ((S)((a) & (b)) <= 0)
#define TEST_g(S, a, b)  ((S)((a) & (b)) > 0)

#define CMP_FLAGS(bits, a, b)  soft_flags_sub(cpu, (a), (b), (int##bits##_t)((a) - (b)), bits)
#define TEST_FLAGS(bits, a, b) soft_flags_logic(cpu, (int##bits##_t)((a) & (b)))

/* `left` and `right` are the operands; `fetch` reads the one in memory, if any. */
#define DEFINE_FUSED(name, kind, condition, bits, fetch, left, right)                     \
	static const struct soft_op *name(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                 \
		uint##bits##_t value = 0, a, b;                                           \
                                                                                          \
		if (!(fetch))                                                             \
			return soft_stop(cpu, op);                                        \
		a = (left);                                                               \
		b = (right);                                                              \
		(void)value;                                                              \
		kind##_FLAGS(bits, a, b);                                                 \
		if (kind##_##condition(int##bits##_t, a, b))                              \
			return soft_branch_take(cpu, op + 1);                             \
		return soft_branch_fall(cpu, op + 1);                                     \
	}
#define REG(bits)    soft_get##bits(cpu, op->reg)
#define RM(bits)     soft_get##bits(cpu, op->rm)
#define IMM(bits)    ((uint##bits##_t)op->imm)
#define MEMORY(bits) soft_load##bits(cpu, op, soft_address(cpu, op), &value)
#define DEFINE_FORMS(kind, condition, bits)                                                      \
	DEFINE_FUSED(kind##_##condition##_rr_##bits, kind, condition, bits, true, RM(bits),      \
		     REG(bits))                                                                  \
	DEFINE_FUSED(kind##_##condition##_ri_##bits, kind, condition, bits, true, RM(bits),      \
		     IMM(bits))                                                                  \
	DEFINE_FUSED(kind##_##condition##_rm_##bits, kind, condition, bits, MEMORY(bits),        \
		     REG(bits), value)                                                           \
	DEFINE_FUSED(kind##_##condition##_mr_##bits, kind, condition, bits, MEMORY(bits), value, \
		     REG(bits))                                                                  \
	DEFINE_FUSED(kind##_##condition##_mi_##bits, kind, condition, bits, MEMORY(bits), value, \
		     IMM(bits))
#define DEFINE_SIZES(kind, condition)     \
	DEFINE_FORMS(kind, condition, 8)  \
	DEFINE_FORMS(kind, condition, 32) \
	DEFINE_FORMS(kind, condition, 64)

DEFINE_SIZES(CMP, b)
DEFINE_SIZES(CMP, ae)
DEFINE_SIZES(CMP, z)
DEFINE_SIZES(CMP, nz)
DEFINE_SIZES(CMP, be)
DEFINE_SIZES(CMP, a)
DEFINE_SIZES(CMP, s)
DEFINE_SIZES(CMP, ns)
DEFINE_SIZES(CMP, l)
DEFINE_SIZES(CMP, ge)
DEFINE_SIZES(CMP, le)
DEFINE_SIZES(CMP, g)
DEFINE_SIZES(TEST, z)
DEFINE_SIZES(TEST, nz)
DEFINE_SIZES(TEST, s)
DEFINE_SIZES(TEST, ns)
DEFINE_SIZES(TEST, le)
DEFINE_SIZES(TEST, g)

#define FORMS_OF(kind, condition, bits)                                                 \
	{                                                                               \
		kind##_##condition##_rr_##bits, kind##_##condition##_ri_##bits,         \
			kind##_##condition##_rm_##bits, kind##_##condition##_mr_##bits, \
			kind##_##condition##_mi_##bits                                  \
	}
#define SIZES_OF(kind, condition)                                                      \
	{                                                                              \
		FORMS_OF(kind, condition, 8), { NULL }, FORMS_OF(kind, condition, 32), \
			FORMS_OF(kind, condition, 64)                                  \
	}
#define NONE                 \
	{                    \
		{            \
			NULL \
		}            \
	}
/* By condition code, size and form. */
static soft_handler *const cmp_jcc[16][4][SOFT_FORMS] = {
	NONE,
	NONE,
	SIZES_OF(CMP, b),
	SIZES_OF(CMP, ae),
	SIZES_OF(CMP, z),
	SIZES_OF(CMP, nz),
	SIZES_OF(CMP, be),
	SIZES_OF(CMP, a),
	SIZES_OF(CMP, s),
	SIZES_OF(CMP, ns),
	NONE,
	NONE,
	SIZES_OF(CMP, l),
	SIZES_OF(CMP, ge),
	SIZES_OF(CMP, le),
	SIZES_OF(CMP, g),
};
/* With OF clear L is S and GE is NS. */
static soft_handler *const test_jcc[16][4][SOFT_FORMS] = {
	NONE,
	NONE,
	NONE,
	NONE,
	SIZES_OF(TEST, z),
	SIZES_OF(TEST, nz),
	NONE,
	NONE,
	SIZES_OF(TEST, s),
	SIZES_OF(TEST, ns),
	NONE,
	NONE,
	SIZES_OF(TEST, s),
	SIZES_OF(TEST, ns),
	SIZES_OF(TEST, le),
	SIZES_OF(TEST, g),
};

soft_handler *soft_fuse(const struct soft_op *compare, unsigned condition)
{
	struct soft_compare_form form;

	if (!soft_alu_compare_form(compare->run, &form))
		return NULL;
	return (form.test ? test_jcc : cmp_jcc)[condition][form.size][form.form];
}
