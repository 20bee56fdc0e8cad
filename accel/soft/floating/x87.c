/** The x87 unit's instructions D8 to DF: which there are, and running them with operands from
 * registers and memory. References: SDM vol. 1, chapter 8; vol. 2, A.5. */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/x87.h"
#include "accel/soft/floating/x87_internal.h"
#include "accel/soft/integer/flags.h"

/* For an instruction that soft_x87_host runs, op->imm holds its number there above the 11 bits
 * that FOP keeps of it. */
enum { FOP_BITS = 11, FOP_MASK = (1 << FOP_BITS) - 1, OPERAND_BYTES = 16 };

static uint32_t instruction_of(const struct soft_op *op)
{
	return (uint32_t)(op->imm >> FOP_BITS);
}

/* The x87 part of an FXSAVE image is its first 160 bytes. ES and B of a state from outside might
 * not follow from the other bits; the host must see nothing pending. */
static void take(const struct soft_cpu *cpu, struct soft_fxsave *image)
{
	memcpy(image, &cpu->fx, offsetof(struct soft_fxsave, xmm));
	image->status &= (uint16_t) ~(SOFT_X87_ES | SOFT_X87_B);
}

/* SDM vol. 1, 8.1.8. Where the selectors go: 10.5.1.1. */
static uint64_t pointer(const struct soft_cpu *cpu, uint64_t offset, unsigned segment)
{
	if (soft_64bit(cpu))
		return offset;
	return (uint32_t)offset | (uint64_t)cpu->segment[segment].selector << 32;
}

static void put(struct soft_cpu *cpu, const struct soft_op *op, const struct soft_fxsave *image)
{
	cpu->fx.status = image->status;
	cpu->fx.tag = image->tag;
	memcpy(cpu->fx.st, image->st, sizeof(image->st));
	cpu->fx.opcode = op->imm & FOP_MASK;
	cpu->fx.instruction = pointer(cpu, soft_rip_here(cpu, op), MW_CS);
}

static void put_data(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear)
{
	bool based = !soft_64bit(cpu) || op->segment == MW_FS || op->segment == MW_GS;
	uint64_t base = based ? cpu->segment[op->segment].base : 0;

	cpu->fx.data = pointer(cpu, linear - base, op->segment);
}

static __attribute__((noinline)) bool run_registers(struct soft_cpu *cpu, const struct soft_op *op)
{
	struct soft_fxsave image;

	if (!soft_x87_ready(cpu))
		return false;
	take(cpu, &image);
	soft_x87_host(&image, instruction_of(op), NULL);
	put(cpu, op, &image);
	return true;
}

static const struct soft_op *registers(struct soft_cpu *cpu, const struct soft_op *op)
{
	return run_registers(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

/* FCMOVcc. The host's ZF is set and its CF is not: FCMOVE moves there and FCMOVNE does not. */
static __attribute__((noinline)) bool run_move(struct soft_cpu *cpu, const struct soft_op *op)
{
	static const uint8_t conditions[4] = { 0x2, 0x4, 0x6, 0xa };
	uint32_t instruction = instruction_of(op), rm = instruction & 7;
	bool negated = instruction & SOFT_X87_REGISTER(1, 0);
	bool moves = soft_condition(cpu, conditions[instruction >> 3 & 3]) != negated;
	struct soft_fxsave image;

	if (!soft_x87_ready(cpu))
		return false;
	take(cpu, &image);
	soft_x87_host(&image, SOFT_X87_REGISTER(moves ? 0xda : 0xdb, 0xc8 | rm), NULL);
	put(cpu, op, &image);
	return true;
}

static const struct soft_op *move(struct soft_cpu *cpu, const struct soft_op *op)
{
	return run_move(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

/* FCOMI and its like. An invalid operation that is not masked leaves ZF, PF and CF as they were. */
static __attribute__((noinline)) bool run_compare(struct soft_cpu *cpu, const struct soft_op *op)
{
	const uint32_t compared = SOFT_ZF | SOFT_PF | SOFT_CF;
	struct soft_fxsave image;
	uint32_t flags;

	if (!soft_x87_ready(cpu))
		return false;
	take(cpu, &image);
	flags = soft_x87_host(&image, instruction_of(op), NULL);
	put(cpu, op, &image);
	if (soft_x87_pending(&image) & SOFT_X87_IE)
		flags = soft_flags_get(cpu);
	soft_flags_set(cpu, flags & compared);
	return true;
}

static const struct soft_op *compare(struct soft_cpu *cpu, const struct soft_op *op)
{
	return run_compare(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

/* In one access of the operand's size where there is one: it might be a device. */
static bool read_operand(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
			 uint8_t *operand)
{
	uint16_t word = 0;
	uint32_t dword = 0;
	uint64_t qword = 0;
	bool done;

	switch (op->size) {
	case 2:
		done = soft_load16(cpu, op, linear, &word);
		memcpy(operand, &word, sizeof(word));
		return done;
	case 4:
		done = soft_load32(cpu, op, linear, &dword);
		memcpy(operand, &dword, sizeof(dword));
		return done;
	case 8:
		done = soft_load64(cpu, op, linear, &qword);
		memcpy(operand, &qword, sizeof(qword));
		return done;
	default: return soft_read_bytes(cpu, op, linear, operand, op->size);
	}
}

static bool write_operand(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
			  const uint8_t *operand)
{
	uint16_t word;
	uint32_t dword;
	uint64_t qword;

	switch (op->size) {
	case 2: memcpy(&word, operand, sizeof(word)); return soft_store16(cpu, op, linear, word);
	case 4: memcpy(&dword, operand, sizeof(dword)); return soft_store32(cpu, op, linear, dword);
	case 8: memcpy(&qword, operand, sizeof(qword)); return soft_store64(cpu, op, linear, qword);
	default: return soft_write_bytes(cpu, op, linear, operand, op->size);
	}
}

static __attribute__((noinline)) bool run_load(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t linear = soft_address(cpu, op);
	alignas(16) uint8_t operand[OPERAND_BYTES];
	struct soft_fxsave image;

	if (!soft_x87_ready(cpu) || !read_operand(cpu, op, linear, operand))
		return false;
	take(cpu, &image);
	soft_x87_host(&image, instruction_of(op), operand);
	put(cpu, op, &image);
	put_data(cpu, op, linear);
	return true;
}

static const struct soft_op *load(struct soft_cpu *cpu, const struct soft_op *op)
{
	return run_load(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

static __attribute__((noinline)) bool run_store(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t linear = soft_address(cpu, op);
	alignas(16) uint8_t operand[OPERAND_BYTES] = { 0 };
	struct soft_fxsave image;

	if (!soft_x87_ready(cpu))
		return false;
	take(cpu, &image);
	soft_x87_host(&image, instruction_of(op), operand);
	/* Precision is the one exception that stores all the same when it is not masked. */
	if (!(soft_x87_pending(&image) & ~(unsigned)SOFT_X87_PE) &&
	    !write_operand(cpu, op, linear, operand))
		return false;
	put(cpu, op, &image);
	put_data(cpu, op, linear);
	return true;
}

static const struct soft_op *store(struct soft_cpu *cpu, const struct soft_op *op)
{
	return run_store(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

/* `size` is that of the memory operand; ENVIRONMENT and STATE grow with the operand size. */
enum { ENVIRONMENT = 14, STATE = 94 };
struct memory_form {
	soft_handler *run; /* NULL: undefined */
	uint8_t size;
};

/* D9, DB, DD and DF. Their /1 would be FISTTP, which is SSE3. */
static const struct memory_form odd_forms[4][8] = {
	{
		{ load, 4 }, /* FLD, FST, FSTP m32 */
		{ NULL, 0 },
		{ store, 4 },
		{ store, 4 },
		{ soft_x87_fldenv, ENVIRONMENT },
		{ soft_x87_fldcw, 2 },
		{ soft_x87_fnstenv, ENVIRONMENT },
		{ soft_x87_fnstcw, 2 },
	},
	{
		{ load, 4 }, /* FILD, FIST, FISTP m32int; FLD, FSTP m80 */
		{ NULL, 0 },
		{ store, 4 },
		{ store, 4 },
		{ NULL, 0 },
		{ load, 10 },
		{ NULL, 0 },
		{ store, 10 },
	},
	{
		{ load, 8 }, /* FLD, FST, FSTP m64 */
		{ NULL, 0 },
		{ store, 8 },
		{ store, 8 },
		{ soft_x87_frstor, STATE },
		{ NULL, 0 },
		{ soft_x87_fnsave, STATE },
		{ soft_x87_fnstsw, 2 },
	},
	{
		{ load, 2 }, /* FILD, FIST, FISTP m16int; FBLD; FILD m64int; FBSTP; FISTP m64int */
		{ NULL, 0 },
		{ store, 2 },
		{ store, 2 },
		{ load, 10 },
		{ load, 8 },
		{ store, 10 },
		{ store, 8 },
	},
};
/* D8, DA, DC and DE calculate with ST(0) and memory: m32, m32int, m64, m16int. */
static const struct memory_form even_forms[4] = {
	{ load, 4 }, { load, 4 }, { load, 8 }, { load, 2 }
};

/* Which of the eight ModRM bytes of a row (opcode, reg) are defined. Rows that the manuals leave
 * out, such as FCOM at DC D0, every processor has. */
static const uint8_t defined_forms[8][8] = {
	{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	{ 0xff, 0xff, 0x01, 0xff, 0x33, 0x7f, 0xff, 0xff },
	{ 0xff, 0xff, 0xff, 0xff, 0x00, 0x02, 0x00, 0x00 },
	{ 0xff, 0xff, 0xff, 0xff, 0x1f, 0xff, 0xff, 0x00 },
	{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00 },
	{ 0xff, 0xff, 0xff, 0x02, 0xff, 0xff, 0xff, 0xff },
	{ 0xff, 0xff, 0xff, 0xff, 0x01, 0xff, 0xff, 0x00 },
};

/* FOP: the low three bits of the opcode, and ModRM. */
static uint64_t fop(const struct soft_insn *insn)
{
	return (insn->opcode & 7u) << 8 | insn->modrm;
}

static void emit_memory(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	unsigned opcode = insn->opcode & 7, reg = insn->modrm >> 3 & 7;
	const struct memory_form *form =
		opcode & 1 ? &odd_forms[opcode >> 1][reg] : &even_forms[opcode >> 1];
	bool reads = form->run == load || form->run == soft_x87_fldcw ||
		     form->run == soft_x87_fldenv || form->run == soft_x87_frstor;
	unsigned bytes = form->size;
	struct soft_op *op;

	if (!form->run) {
		soft_emit_undefined(decoder);
		return;
	}
	if (bytes >= ENVIRONMENT && insn->operand_size != 2)
		bytes += ENVIRONMENT;
	op = soft_emit_memory(decoder, form->run, bytes, reads ? SOFT_READ : SOFT_WRITE);
	if (form->run != load && form->run != store)
		return;
	op->size = form->size;
	op->imm = (uint64_t)SOFT_X87_MEMORY(opcode, reg) << FOP_BITS | fop(insn);
}

/* DB E0 to E4, and DF E0. */
static soft_handler *control_handler(uint32_t instruction)
{
	static soft_handler *const handlers[] = { soft_x87_none, soft_x87_none, soft_x87_fnclex,
						  soft_x87_fninit, soft_x87_none };

	if (instruction == SOFT_X87_REGISTER(0xdf, 0xe0))
		return soft_x87_fnstsw_ax;
	if (instruction >= SOFT_X87_REGISTER(0xdb, 0xe0) &&
	    instruction <= SOFT_X87_REGISTER(0xdb, 0xe4))
		return handlers[instruction & 7];
	return NULL;
}

static soft_handler *register_handler(uint32_t instruction)
{
	unsigned opcode = instruction >> 6, reg = instruction >> 3 & 7;

	if ((opcode == 2 || opcode == 3) && reg < 4)
		return move;
	if ((opcode == 3 || opcode == 7) && (reg == 5 || reg == 6))
		return compare;
	return registers;
}

static void emit_registers(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	uint32_t instruction = SOFT_X87_REGISTER(insn->opcode, insn->modrm);
	soft_handler *control = control_handler(instruction);
	struct soft_op *op;

	if (!(defined_forms[insn->opcode & 7][insn->modrm >> 3 & 7] >> (insn->modrm & 7) & 1)) {
		soft_emit_undefined(decoder);
		return;
	}
	if (control) {
		soft_emit(decoder, control);
		return;
	}
	op = soft_emit(decoder, register_handler(instruction));
	op->imm = (uint64_t)instruction << FOP_BITS | fop(insn);
}

void soft_emit_x87(struct soft_decoder *decoder)
{
	if (decoder->insn.memory)
		emit_memory(decoder);
	else
		emit_registers(decoder);
}
