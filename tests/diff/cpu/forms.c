/* The two opcode maps, walked by the host test. Reference: SDM vol. 2, appendix A. */
// SPDX-License-Identifier: MIT
#include "tests/diff/cpu/forms.h"

/* Sixteen opcodes a line. Left out altogether, x:
 * 17, 8E /2 (MOV SS, POP SS): they hold back the trap that brings the result;
 * F1: the kernel takes it for its own; 0F 01, 0F A2, 0F 31, 0F 33: the answer is the host's business;
 * 0F 05, 0F 34: system calls; 0F 35: #UD on AMD in long mode; 0F 37: Intel only;
 * 0F 0E, 0F 0F, 0F 38, 0F 3A, 0F 78 to 7D, 0F D0, 0F F0: not offered by the model (3DNow!, SSE3 and later);
 * 0F A6, 0F A7, 0F B8, 0F FF: undefined without a prefix, with lengths that differ between vendors. */
static const char maps[2][257] = {
	"mmmm8v.smmmm8v.x"
	"mmmm8v.xmmmm8v.s"
	"mmmm8vx.mmmm8vx."
	"mmmm8vx.mmmm8vx."
	"................"
	"................"
	"..Bmxxxxvz8b...."
	"cccccccccccccccc"
	"bzbbmmmmmmmmmmMm"
	"..........f....."
	"oooottttt8tttttt"
	"88888888VVVVVVVV"
	"bbNnLLbze.WR.i.I"
	"mmmm88.tFFFFFFFF"
	"cccc8888CCfc...."
	"xxxx..gG......mJ",
	"pxqq.x......xDxx"
	"mmmmmmmmmmmmmmmm"
	"jjjj....mmmmmmmm"
	".x.xxx.xx.x....."
	"mmmmmmmmmmmmmmmm"
	"mmmmmmmmmmmmmmmm"
	"mmmmmmmmmmmmmmmm"
	"bbbbmmm.xxxxxxmm"
	"CCCCCCCCCCCCCCCC"
	"mmmmmmmmmmmmmmmm"
	".sxKbmxx.s.KbmEm"
	"mmLKLLmmxmbKmmmm"
	"mmbmbbb9........"
	"xmmmmmmmmmmmmmmm"
	"mmmmmmmmmmmmmmmm"
	"xmmmmmmmmmmmmmmx",
};

/* The x87 has eight groups behind each of its opcodes. */
enum { X87_WEIGHT = 6, OPCODES = 256 };

size_t form_count(void)
{
	return 2 * OPCODES + 8 * X87_WEIGHT;
}

struct form form_at(size_t index)
{
	struct form form = { 0 };

	if (index >= 2 * OPCODES) {
		form.opcode = (uint8_t)(0xd8 + index % 8);
	} else {
		form.map = (uint8_t)(index / OPCODES);
		form.opcode = (uint8_t)(index % OPCODES);
	}
	form.kind = maps[form.map][form.opcode];
	return form;
}

static bool near_branch(const struct insn *insn)
{
	unsigned reg = insn_reg(insn);

	switch (insn->form.kind) {
	case FORM_BRANCH:
	case FORM_BRANCH8:
	case FORM_RET:
	case FORM_RET_IMM: return true;
	case FORM_GROUP5: return reg == 2 || reg == 4;
	default: return false;
	}
}

static bool short_branch(const struct insn *insn)
{
	return insn->mode == NATIVE_64 && insn->operand_prefix && near_branch(insn);
}

static bool long_pointer(const struct insn *insn)
{
	unsigned reg = insn_reg(insn);

	return insn->rex & 8 && (insn->form.kind == FORM_POINTER ||
				 (insn->form.kind == FORM_GROUP5 && (reg == 3 || reg == 5)));
}

static bool rex_or_vector(const struct insn *insn)
{
	uint8_t opcode = insn->form.opcode;

	if (insn->form.map)
		return false;
	if (insn->mode == NATIVE_64)
		return opcode >> 4 == 4 || opcode == 0x62 || opcode == 0xc4 || opcode == 0xc5;
	return !insn_memory(insn) && (opcode == 0x62 || opcode == 0xc4 || opcode == 0xc5);
}

/* Opcodes of map 1 that a prefix turns into something the model does not offer. */
static bool later_sse(const struct insn *insn)
{
	bool f2 = insn->repeat == 0xf2, f3 = insn->repeat == 0xf3;

	if (insn->form.map == 0)
		return insn->form.kind == FORM_X87 && insn_memory(insn) && insn_reg(insn) == 1 &&
		       (insn->form.opcode == 0xdb || insn->form.opcode == 0xdd ||
			insn->form.opcode == 0xdf);
	switch (insn->form.opcode) {
	case 0x12: return f2 || f3;
	case 0x16: return f3;
	case 0x2b: return f2 || f3;
	case 0xbc:
	case 0xbd: return f3;
	default: return false;
	}
}

static bool later_group(const struct insn *insn)
{
	unsigned reg = insn_reg(insn);
	bool memory = insn_memory(insn), plain = !insn->operand_prefix && !insn->repeat;

	switch (insn->form.kind) {
	case FORM_GROUP9: return reg != 1;
	case FORM_GROUP15: return !plain || (memory && reg >= 4 && reg <= 6);
	case FORM_PREFETCH: return !memory || reg > 1;
	default: return false;
	}
}

static bool user_mode_instruction(const struct insn *insn)
{
	return insn->form.kind == FORM_GROUP6 && insn_reg(insn) < 2;
}

static bool kernel_call(const struct insn *insn)
{
	return insn->form.kind == FORM_INT && insn->imm8 == 0x80;
}

static bool holds_back_the_trap(const struct insn *insn)
{
	return insn->form.kind == FORM_SREG && insn_reg(insn) == 2;
}

static bool repeated_port(const struct insn *insn)
{
	return insn->form.map == 0 && insn->form.opcode >= 0x6c && insn->form.opcode <= 0x6f &&
	       insn->repeat;
}

static bool locked_system(const struct insn *insn)
{
	return insn->lock && (insn->form.kind == FORM_GROUP6 || insn->form.kind == FORM_CONTROL);
}

static bool repeated_loop(const struct insn *insn)
{
	return insn->form.map == 0 && insn->form.opcode >= 0xe0 && insn->form.opcode <= 0xe2 &&
	       insn->repeat;
}

static bool long_return(const struct insn *insn)
{
	return insn->form.map == 1 && insn->form.opcode == 0x07 && insn->mode != NATIVE_64;
}

static bool vector_from_integers(const struct insn *insn)
{
	return insn->form.map == 1 && insn->form.opcode == 0x2a && insn_memory(insn) &&
	       !insn->operand_prefix && !insn->repeat;
}

static const struct {
	bool (*applies)(const struct insn *insn);
	const char *reason;
} reasons[] = {
	{ short_branch, "AMD truncates RIP where Intel ignores 66 before near branches" },
	{ long_pointer, "AMD has no 80-bit far pointers" },
	{ rex_or_vector, "REX, VEX, EVEX" },
	{ later_sse, "SSE3, SSE4a, BMI" },
	{ later_group, "XSAVE, RDRAND, CLWB, FSGSBASE and the like" },
	{ user_mode_instruction, "the kernel answers SLDT and STR itself (UMIP)" },
	{ kernel_call, "a system call" },
	{ holds_back_the_trap, "MOV SS holds back the trap that brings the result" },
	{ locked_system, "AMD takes LOCK before VERR and VERW, and for MOV CR8" },
	{ repeated_loop, "AMD takes F2 and F3 before LOOPcc for its condition; reserved by Intel" },
	{ long_return, "SYSRET outside 64-bit mode: #UD on Intel, privileged on AMD" },
	{ vector_from_integers, "CVTPI2PS from memory switches to MMX on Intel, not on AMD" },
	{ repeated_port, "whether REP INS of nothing checks the port differs" },
};

const char *form_left_out(const struct insn *insn)
{
	if (insn->form.kind == FORM_OUT)
		return "left out altogether";
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].applies(insn))
			return reasons[i].reason;
	return NULL;
}
