/** The instruction forms of the host test: what follows each opcode, and which are left out. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_DIFF_CPU_FORMS_H
#define TESTS_DIFF_CPU_FORMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/diff/cpu/native.h"

/** Letters of forms.c. */
enum form_kind {
	FORM_NONE = '.',
	FORM_MODRM = 'm',
	FORM_MODRM_IMM8 = 'b',
	FORM_MODRM_IMMZ = 'z',
	FORM_IMM8 = '8',
	FORM_IMM16 = 'w',
	FORM_IMMZ = 'v',
	FORM_IMMV = 'V',
	FORM_MOFFS = 'o',
	FORM_ENTER = 'e',
	FORM_FAR = 'f',    /* selector and offset in the instruction */
	FORM_STRING = 't', /* and XLAT */
	FORM_SREG = 'M',   /* MOV Sreg */
	FORM_POP_SREG = 's',
	FORM_POINTER = 'L', /* LDS and the like */
	FORM_FAR_RET = 'R',
	FORM_FAR_RET_IMM = 'W',
	FORM_IRET = 'I',
	FORM_INT = 'i',
	FORM_X87 = 'F',
	FORM_GROUP3_BYTE = 'g',
	FORM_GROUP3 = 'G',
	FORM_GROUP5 = 'J',
	FORM_GROUP6 = 'p',
	FORM_SELECTOR = 'q', /* LAR, LSL */
	FORM_GROUP9 = '9',
	FORM_GROUP15 = 'E',
	FORM_BIT = 'K', /* bit tests with the offset in a register */
	FORM_BOUND = 'B',
	FORM_BRANCH = 'C', /* near, immz */
	FORM_BRANCH8 = 'c',
	FORM_RET = 'n',
	FORM_RET_IMM = 'N',
	FORM_CONTROL = 'j', /* MOV CR and DR */
	FORM_PREFETCH = 'D',
	FORM_OUT = 'x' /* left out altogether: forms.c has the reasons */
};

struct form {
	uint8_t map, opcode; /* map 1: behind 0F */
	char kind;
};

/** An instruction as the generator makes it; the comparison looks things up here. */
struct insn {
	enum native_mode mode;
	struct form form;
	bool operand_prefix, address_prefix, lock;
	uint8_t repeat, segment_prefix, rex; /* 0: none */
	bool has_modrm;
	uint8_t modrm, imm8;
	unsigned operand_size, address_size; /* bytes */
	uint64_t memory;                     /* linear address aimed at */
};

/** The number of forms to go through, and each one. */
size_t form_count(void);
struct form form_at(size_t index);
/** Why this instruction is not compared, or NULL: another processor's feature, or a documented difference
 * between vendors. */
const char *form_left_out(const struct insn *insn);

static inline unsigned insn_reg(const struct insn *insn)
{
	return insn->modrm >> 3 & 7;
}
static inline bool insn_memory(const struct insn *insn)
{
	return insn->has_modrm && insn->modrm < 0xc0;
}

#endif
