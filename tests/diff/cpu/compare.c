/* The rules of the comparison: README.md beside this file has the reasons. Reference: SDM vol. 2, "Flags
 * affected" of each instruction. */
// SPDX-License-Identifier: MIT
#include "tests/diff/cpu/compare.h"

#include <inttypes.h>
#include <string.h>

#include "accel/soft/cpu.h"

enum { CF = SOFT_CF, PF = SOFT_PF, AF = SOFT_AF, ZF = SOFT_ZF, SF = SOFT_SF, OF = SOFT_OF };
enum { FLAGS = SOFT_ARITHMETIC | SOFT_DF | SOFT_NT | SOFT_AC | SOFT_ID };
#define TASK_TOP UINT64_C(0x7ffffffff000)

struct report {
	FILE *out;
	unsigned wrong;
};

static void differ(struct report *report, const char *what, uint64_t ours, uint64_t theirs)
{
	if (ours == theirs)
		return;
	report->wrong++;
	if (report->out)
		fprintf(report->out, "    %s is %" PRIx64 ", host %" PRIx64 "\n", what, ours,
			theirs);
}

static unsigned logic_flags(const struct insn *insn)
{
	unsigned group = insn->form.opcode >> 3;

	if (insn->form.opcode < 0x40)
		return group == 1 || group == 4 || group == 6 ? AF : 0;
	switch (insn->form.opcode) {
	case 0x80:
	case 0x81:
	case 0x82:
	case 0x83: group = insn_reg(insn); return group == 1 || group == 4 || group == 6 ? AF : 0;
	case 0x84:
	case 0x85:
	case 0xa8:
	case 0xa9: return AF;
	default: return 0;
	}
}

static unsigned shift_count(const struct insn *insn, const struct native_registers *in)
{
	uint8_t opcode = insn->form.opcode;
	unsigned count = 1;

	if (opcode == 0xd2 || opcode == 0xd3 || opcode == 0xa5 || opcode == 0xad)
		count = (unsigned)in->gpr[1];
	else if (opcode != 0xd0 && opcode != 0xd1)
		count = insn->imm8;
	return count & (insn->operand_size == 8 && (insn->form.map || (opcode & 1)) ? 63 : 31);
}

static unsigned shift_flags(const struct insn *insn, const struct native_registers *in)
{
	unsigned count = shift_count(insn, in), reg = insn_reg(insn), flags = 0;
	unsigned width = insn->form.opcode & 1 || insn->form.map ? 8 * insn->operand_size : 8;

	if (count == 0)
		return 0;
	if (count > 1)
		flags |= OF;
	if (insn->form.map)
		return count > width ? SOFT_ARITHMETIC : flags | AF;
	if (reg >= 4)
		flags |= AF;
	if ((reg == 4 || reg == 5 || reg == 6) && count >= width)
		flags |= CF;
	return flags;
}

static unsigned group3_flags(const struct insn *insn)
{
	switch (insn_reg(insn)) {
	case 0:
	case 1: return AF;
	case 4:
	case 5: return SF | ZF | AF | PF;
	case 6:
	case 7: return SOFT_ARITHMETIC;
	default: return 0;
	}
}

static unsigned one_byte_flags(const struct insn *insn, const struct native_registers *in)
{
	switch (insn->form.opcode) {
	case 0x27:
	case 0x2f: return OF;
	case 0x37:
	case 0x3f: return OF | SF | ZF | PF;
	case 0xd4:
	case 0xd5: return OF | AF | CF;
	case 0x69:
	case 0x6b: return SF | ZF | AF | PF;
	case 0xc0:
	case 0xc1:
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3: return shift_flags(insn, in);
	case 0xf6:
	case 0xf7: return group3_flags(insn);
	default: return logic_flags(insn);
	}
}

static unsigned undefined_flags(const struct insn *insn, const struct native_registers *in)
{
	if (insn->form.map == 0)
		return one_byte_flags(insn, in);
	switch (insn->form.opcode) {
	case 0xa3:
	case 0xab:
	case 0xb3:
	case 0xba:
	case 0xbb: return OF | SF | AF | PF;
	case 0xa4:
	case 0xa5:
	case 0xac:
	case 0xad: return shift_flags(insn, in);
	case 0xaf: return SF | ZF | AF | PF;
	case 0xbc:
	case 0xbd: return SOFT_ARITHMETIC & ~(unsigned)ZF;
	default: return 0;
	}
}

/* A result the manual leaves open. */
static bool undefined_result(const struct insn *insn, const struct native_registers *in)
{
	uint8_t opcode = insn->form.opcode;

	if (insn->form.map == 0)
		return false;
	if (opcode >= 0xc8 && opcode <= 0xcf)
		return insn->operand_size == 2;
	if (opcode == 0xa4 || opcode == 0xa5 || opcode == 0xac || opcode == 0xad)
		return shift_count(insn, in) > 8 * insn->operand_size;
	return false;
}

static bool is_store_environment(const struct insn *insn)
{
	return insn->form.kind == FORM_X87 && insn_memory(insn) && insn_reg(insn) == 6 &&
	       (insn->form.opcode == 0xd9 || insn->form.opcode == 0xdd);
}

/* Addresses and opcode of the last x87 instruction: AMD stores them after an exception only. */
static bool pointer_byte(const struct insn *insn, uint64_t at)
{
	if (is_store_environment(insn))
		return insn->operand_size == 2 ? at >= 6 && at < 14 : at >= 12 && at < 26;
	if (insn->form.kind == FORM_GROUP15 && insn_memory(insn) && insn_reg(insn) == 0)
		return (at >= 6 && at < 24) || (at >= 28 && at < 32) || /* MXCSR_MASK */
		       (at >= 32 && at < 160 && at % 16 >= 10);         /* reserved */
	return false;
}

/* PUSHF ran with the trap flag that brought the host's result. */
static uint8_t trap_flag(const struct insn *insn, const struct native_case *test, uint64_t at)
{
	uint64_t top = test->out.gpr[4];

	if (insn->form.map || insn->form.opcode != 0x9c || test->vector != 1)
		return 0;
	if (insn->mode != NATIVE_64 && test->in.ss != NATIVE_FLAT)
		top = NATIVE_DATA + (top & 0xffff);
	return NATIVE_DATA + at == top + 1 ? 1 : 0;
}

/* PUSH of a segment register in 32 bits: AMD writes zeros above it, Intel nothing. */
static bool above_selector(const struct insn *insn, const struct native_case *test, uint64_t at)
{
	uint8_t opcode = insn->form.opcode;
	bool push = insn->form.map
			    ? opcode == 0xa0 || opcode == 0xa8
			    : opcode == 0x06 || opcode == 0x0e || opcode == 0x16 || opcode == 0x1e;
	uint64_t top = test->out.gpr[4];

	if (test->in.ss != NATIVE_FLAT)
		top = NATIVE_DATA + (top & 0xffff);
	return push && insn->mode != NATIVE_64 && insn->operand_size == 4 && at - top - 2 < 2;
}

static uint8_t host_byte(const struct native_case *test, const uint8_t *pattern, uint32_t at)
{
	if (at < test->low || at >= test->high || at - test->low >= NATIVE_CHANGED)
		return pattern[at];
	return test->changed[at - test->low];
}

enum { BLOCK = 256 };

static bool untouched(const struct native_case *test, const uint8_t *data, const uint8_t *pattern,
		      uint32_t at)
{
	return (at + BLOCK <= test->low || at >= test->high) &&
	       memcmp(data + at, pattern + at, BLOCK) == 0;
}

static void compare_data(struct report *report, const struct insn *insn,
			 const struct native_case *test, const uint8_t *data,
			 const uint8_t *pattern)
{
	for (uint32_t at = 0; at < NATIVE_WRITABLE; at++) {
		if (at % BLOCK == 0 && untouched(test, data, pattern, at)) {
			at += BLOCK - 1;
			continue;
		}
		uint8_t theirs = host_byte(test, pattern, at);
		char name[32];

		if (data[at] == theirs || pointer_byte(insn, NATIVE_DATA + at - insn->memory) ||
		    above_selector(insn, test, NATIVE_DATA + at))
			continue;
		theirs &= (uint8_t)~trap_flag(insn, test, at);
		snprintf(name, sizeof(name), "[%x] (was %02x)", NATIVE_DATA + at, pattern[at]);
		differ(report, name, data[at], theirs);
	}
	if (memcmp(data + NATIVE_WRITABLE, pattern + NATIVE_WRITABLE,
		   NATIVE_DATA_BYTES - NATIVE_WRITABLE) != 0)
		differ(report, "memory that may not be written", 1, 0);
}

static void compare_fx(struct report *report, const uint8_t *ours, const uint8_t *theirs)
{
	static const struct {
		const char *name;
		unsigned at, bytes;
	} parts[] = { { "fcw", 0, 2 }, { "fsw", 2, 2 }, { "ftw", 4, 1 }, { "mxcsr", 24, 4 } };
	char name[32];
	uint64_t a, b;

	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		a = b = 0;
		memcpy(&a, ours + parts[i].at, parts[i].bytes);
		memcpy(&b, theirs + parts[i].at, parts[i].bytes);
		differ(report, parts[i].name, a, b);
	}
	for (unsigned i = 0; i < 24; i++) {
		unsigned at = 32 + 16 * i, rest = i < 8 ? 2 : 8;

		snprintf(name, sizeof(name), i < 8 ? "st%u" : "xmm%u", i < 8 ? i : i - 8);
		memcpy(&a, ours + at, 8);
		memcpy(&b, theirs + at, 8);
		differ(report, name, a, b);
		a = b = 0;
		memcpy(&a, ours + at + 8, rest);
		memcpy(&b, theirs + at + 8, rest);
		strncat(name, " high", sizeof(name) - strlen(name) - 1);
		differ(report, name, a, b);
	}
}

/* On its way from kernel to user mode IRET makes every null selector 0. */
static uint16_t not_null(uint16_t selector)
{
	return selector < 4 ? 0 : selector;
}

/* FCOMI and its kind: Intel leaves the flags when an invalid operand's exception is not masked. */
static bool unmasked_compare(const struct insn *insn, const struct native_registers *out)
{
	unsigned reg = insn_reg(insn);

	return insn->form.kind == FORM_X87 && !insn_memory(insn) && (reg == 5 || reg == 6) &&
	       (insn->form.opcode == 0xdb || insn->form.opcode == 0xdf) &&
	       (out->fx[2] & 0x81) == 0x81;
}

static void compare_registers(struct report *report, const struct insn *insn,
			      const struct native_case *test, const struct native_registers *ours)
{
	static const char *const names[] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"
	};
	const struct native_registers *theirs = &test->out;
	bool wide = insn->mode == NATIVE_64;
	uint64_t mask = wide ? UINT64_MAX : UINT32_MAX;
	unsigned flags = FLAGS;

	if (test->vector == 1)
		flags &= ~undefined_flags(insn, &test->in);
	if (unmasked_compare(insn, theirs))
		flags &= ~(unsigned)(ZF | PF | CF);
	for (unsigned i = 0; i < (wide ? 16 : 8); i++)
		differ(report, names[i], ours->gpr[i] & mask, theirs->gpr[i] & mask);
	differ(report, "rip", ours->rip, theirs->rip);
	differ(report, "rflags", ours->rflags & flags, theirs->rflags & flags);
	differ(report, "cs", ours->cs, theirs->cs);
	differ(report, "ss", ours->ss, theirs->ss);
	differ(report, "ds", not_null(ours->ds), not_null(theirs->ds));
	differ(report, "es", not_null(ours->es), not_null(theirs->es));
	differ(report, "fs", not_null(ours->fs), not_null(theirs->fs));
	differ(report, "gs", not_null(ours->gs), not_null(theirs->gs));
}

static bool is(const struct insn *insn, unsigned map, uint8_t opcode)
{
	return insn->form.map == map && insn->form.opcode == opcode;
}

static bool is_memory_fault(uint32_t vector)
{
	return vector == 12 || vector == 13 || vector == 14 || vector == 17;
}

/* ARPL reads before it knows whether it writes. */
static bool is_arpl(const struct insn *insn)
{
	return is(insn, 0, 0x63) && insn->mode != NATIVE_64;
}

/* Operands of several parts: AMD tells the part it came to, not the first byte that is not there. */
static bool in_parts(const struct insn *insn)
{
	return insn->form.kind == FORM_X87 || insn->form.kind == FORM_GROUP15 || is(insn, 0, 0x62);
}

/* MOVSXD of 16 bits: AMD reads 32. */
static bool is_short_movsxd(const struct insn *insn)
{
	return is(insn, 0, 0x63) && insn->mode == NATIVE_64 && insn->operand_size == 2;
}

/* Pushes a return address on its way to a target that may be wrong as well. */
static bool is_call(const struct insn *insn)
{
	return insn->form.kind == FORM_FAR || insn->form.kind == FORM_GROUP5 || is(insn, 0, 0xe8);
}

/* PUSHA and POPA. */
static bool is_all_registers(const struct insn *insn)
{
	return is(insn, 0, 0x60) || is(insn, 0, 0x61);
}

static bool is_far(const struct insn *insn)
{
	return insn->form.kind == FORM_GROUP5 || insn->form.kind == FORM_FAR_RET ||
	       insn->form.kind == FORM_FAR_RET_IMM || insn->form.kind == FORM_IRET;
}

static bool is_string(const struct insn *insn)
{
	return insn->form.kind == FORM_STRING;
}

/* An access over the end of 4 GiB "may or may not" fault (SDM vol. 3, 5.3). */
static bool wraps(const struct insn *insn, uint64_t fault)
{
	uint32_t address = (uint32_t)fault;

	return insn->mode != NATIVE_64 && (address < 512 || address >= 0xfffffe00);
}

/* Several things are wrong at once, and which is told is the processor's choice (SDM vol. 3, table 6-2). */
static bool either_fault(const struct insn *insn, const struct guest_outcome *ours, uint32_t theirs,
			 uint64_t address)
{
	uint32_t mine = ours->vector;
	bool x87_error = ours->registers.fx[2] & 0x80;

	if (is_arpl(insn)) /* AMD does not ask to write where nothing changes */
		return is_memory_fault(mine);
	if (is(insn, 0, 0x8f) && insn_reg(insn)) /* AMD's XOP, running over the end of the page */
		return (mine == 6 && theirs == 14) || (mine == 14 && theirs == 6);
	if (is_string(insn) || is_all_registers(insn) ||
	    is(insn, 0, 0xc8)) /* which access is first */
		return is_memory_fault(mine) && is_memory_fault(theirs);
	if ((mine == 12 || mine == 13) && theirs == 14)
		return insn->form.kind == FORM_X87 || insn->form.kind == FORM_GROUP15 ||
		       is_call(insn) || is(insn, 1, 0xf7) || insn->form.kind == FORM_FAR_RET_IMM ||
		       wraps(insn, address);
	if (mine == 13 && theirs == 12 && !is_call(insn))
		return insn->form.kind == FORM_FAR_RET_IMM ||
		       (insn->form.kind == FORM_GROUP15 && insn->memory % 16);
	if (mine == 13 && theirs == 12)
		return is_call(insn) && (insn->mode != NATIVE_64 || insn->form.kind == FORM_GROUP5);
	if (mine == 14 && (theirs == 12 || theirs == 13))
		return wraps(insn, ours->address) || is_far(insn);
	if (mine == 1 && is_memory_fault(theirs)) /* what is not stored need not be there */
		return (insn->form.kind == FORM_X87 && x87_error) || is(insn, 1, 0xf7) ||
		       is_short_movsxd(insn);
	if (mine == 12 && theirs == 13) /* alignment of vectors */
		return insn->form.map == 1 && insn->memory % 16;
	if (mine == 14 && theirs == 6) /* UD1 with its last bytes on a page that is not there */
		return is(insn, 1, 0xb9);
	return (mine == 14 && theirs == 17) || (mine == 17 && theirs == 14) ||
	       (is_memory_fault(mine) && theirs == 16);
}

/* A descriptor of the kernel's, about this CPU or thread, which the guest has not. */
static bool kernel_segment(const struct native_registers *out)
{
	const uint16_t loaded[] = { out->ds, out->es, out->fs, out->gs };

	for (unsigned i = 0; i < 4; i++)
		if (!(loaded[i] & 4) && loaded[i] >= 0x40)
			return true;
	return false;
}

/* Left open by the manual, or done otherwise by AMD: README.md. */
static bool left_open(const struct insn *insn, const struct native_case *test,
		      const struct guest_outcome *ours)
{
	if (kernel_segment(&test->out))
		return true;
	if (ours->vector != test->vector)
		return either_fault(insn, ours, test->vector, test->address);
	if (is(insn, 0, 0xc8)) /* ENTER */
		return insn->mode != NATIVE_64 && insn->operand_size == 4 &&
		       test->in.ss != NATIVE_FLAT;
	if (test->vector == 1)
		return undefined_result(insn, &test->in);
	/* How far several accesses came, and at which of them they ended. */
	return is(insn, 0, 0xa6) || is(insn, 0, 0xa7) || is(insn, 1, 0xf7) ||
	       is_all_registers(insn);
}

static void compare_fault(struct report *report, const struct insn *insn,
			  const struct native_case *test, const struct guest_outcome *ours)
{
	uint32_t mask = UINT32_MAX;

	differ(report, "vector", ours->vector, test->vector);
	if (ours->vector != test->vector || test->vector == 1)
		return;
	/* The kernel hides which of its pages are there. */
	if (test->vector == 14 && test->address >= TASK_TOP)
		mask &= ~1u;
	if (is_arpl(insn))
		mask &= ~2u;
	if (in_parts(insn))
		mask &= ~1u;
	differ(report, "error code", ours->error & mask, test->error & mask);
	if (is_far(insn)) /* which word is first, and how wide the stack is meanwhile */
		return;
	if (test->vector == 14 && in_parts(insn))
		differ(report, "cr2 far off",
		       (uint32_t)(ours->address - test->address) + 512u < 1024u, 1);
	else if (test->vector == 14)
		differ(report, "cr2", ours->address, test->address);
}

unsigned compare(const struct insn *insn, const struct native_case *test,
		 const struct guest_outcome *ours, const uint8_t *data, const uint8_t *pattern,
		 FILE *out)
{
	struct report report = { .out = out };

	if (left_open(insn, test, ours))
		return 0;
	compare_fault(&report, insn, test, ours);
	compare_registers(&report, insn, test, &ours->registers);
	compare_fx(&report, ours->registers.fx, test->out.fx);
	/* AMD pushes the return address before it finds the target beyond its segment. */
	if (test->vector == 1 || (insn->form.kind != FORM_FAR && insn->form.kind != FORM_GROUP5))
		compare_data(&report, insn, test, data, pattern);
	return report.wrong;
}
