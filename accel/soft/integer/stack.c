/* The stack: PUSH, POP, PUSHA, POPA, PUSHF, POPF, ENTER, LEAVE. Reference: SDM vol. 1, 6.2; vol. 2, the
 * instructions' pages. */
// SPDX-License-Identifier: MIT
#include "accel/soft/decode/decode.h"
#include "accel/soft/integer/flags.h"
#include "accel/soft/integer/sized.h"
#include "accel/soft/system/system.h"

uint64_t soft_stack_mask(const struct soft_cpu *cpu)
{
	if (cpu->mode.code_bits == 64)
		return UINT64_MAX;
	return cpu->mode.stack_32 ? 0xffffffff : 0xffff;
}

static void set_sp(struct soft_cpu *cpu, uint64_t value)
{
	uint64_t mask = soft_stack_mask(cpu);

	/* Outside 64-bit mode ESP's upper half stays unless the stack is 32 bits wide. */
	cpu->gpr[MW_RSP] =
		mask == 0xffff ? (cpu->gpr[MW_RSP] & ~mask) | (value & mask) : value & mask;
}

void soft_stack_adjust(struct soft_cpu *cpu, int64_t bytes)
{
	set_sp(cpu, cpu->gpr[MW_RSP] + (uint64_t)bytes);
}

/* Where `size` bytes lie at an offset from the stack pointer. */
static bool stack_address(struct soft_cpu *cpu, int64_t offset, unsigned size, bool write,
			  uint64_t *linear)
{
	uint64_t pointer = (cpu->gpr[MW_RSP] + (uint64_t)offset) & soft_stack_mask(cpu);

	return soft_segment_address(cpu, MW_SS, pointer, size, write, linear);
}

bool soft_peek(struct soft_cpu *cpu, unsigned size, uint64_t offset, uint64_t *value)
{
	uint64_t linear;

	return stack_address(cpu, (int64_t)offset, size, false, &linear) &&
	       soft_load_sized(cpu, NULL, linear, size, value);
}

static bool poke(struct soft_cpu *cpu, unsigned size, int64_t offset, uint64_t value)
{
	uint64_t linear;

	return stack_address(cpu, offset, size, true, &linear) &&
	       soft_store_sized(cpu, NULL, linear, size, value);
}

bool soft_push(struct soft_cpu *cpu, unsigned size, uint64_t value)
{
	if (!poke(cpu, size, -(int64_t)size, value))
		return false;
	soft_stack_adjust(cpu, -(int64_t)size);
	return true;
}

bool soft_pop(struct soft_cpu *cpu, unsigned size, uint64_t *value)
{
	if (!soft_peek(cpu, size, 0, value))
		return false;
	soft_stack_adjust(cpu, size);
	return true;
}

/* 64-bit mode, 8 bytes: what nearly every push and pop is. */

SOFT_INLINE const struct soft_op *push_value_64(struct soft_cpu *cpu, const struct soft_op *op,
						uint64_t value)
{
	if (!soft_store64(cpu, NULL, cpu->gpr[MW_RSP] - 8, value))
		return soft_stop(cpu, op);
	cpu->gpr[MW_RSP] -= 8;
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *push_r_64(struct soft_cpu *cpu, const struct soft_op *op)
{
	return push_value_64(cpu, op, cpu->gpr[op->rm]);
}

static const struct soft_op *push_imm_64(struct soft_cpu *cpu, const struct soft_op *op)
{
	return push_value_64(cpu, op, op->imm);
}

static const struct soft_op *pop_r_64(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t value;

	if (!soft_load64(cpu, op, cpu->gpr[MW_RSP], &value))
		return soft_stop(cpu, op);
	cpu->gpr[MW_RSP] += 8;
	cpu->gpr[op->rm] = value;
	return SOFT_NEXT(cpu, op);
}

/* Flat 32-bit stacks, 4 bytes. */

SOFT_INLINE const struct soft_op *push_value_32(struct soft_cpu *cpu, const struct soft_op *op,
						uint32_t value)
{
	uint32_t top = (uint32_t)cpu->gpr[MW_RSP] - 4;

	if (!soft_store32(cpu, op, top, value))
		return soft_stop(cpu, op);
	cpu->gpr[MW_RSP] = top;
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *push_r_32(struct soft_cpu *cpu, const struct soft_op *op)
{
	return push_value_32(cpu, op, (uint32_t)cpu->gpr[op->rm]);
}

static const struct soft_op *push_imm_32(struct soft_cpu *cpu, const struct soft_op *op)
{
	return push_value_32(cpu, op, (uint32_t)op->imm);
}

static const struct soft_op *push_memory_32(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint32_t value;

	if (!soft_load32(cpu, op, soft_address(cpu, op), &value))
		return soft_stop(cpu, op);
	return push_value_32(cpu, op, value);
}

static const struct soft_op *pop_r_32(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint32_t value;

	if (!soft_load32(cpu, op, (uint32_t)cpu->gpr[MW_RSP], &value))
		return soft_stop(cpu, op);
	cpu->gpr[MW_RSP] = (uint32_t)(cpu->gpr[MW_RSP] + 4);
	cpu->gpr[op->rm] = value;
	return SOFT_NEXT(cpu, op);
}

/* The same in any mode, through the segment's checks. */

static const struct soft_op *push_r(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_push(cpu, op->size, cpu->gpr[op->rm]))
		return soft_stop(cpu, op);
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *push_imm(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_push(cpu, op->size, op->imm))
		return soft_stop(cpu, op);
	return SOFT_NEXT(cpu, op);
}

static bool do_pop_r(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t value;

	if (!soft_pop(cpu, op->size, &value))
		return false;
	soft_set_sized(cpu, op->rm, op->size, value);
	return true;
}

static const struct soft_op *pop_r(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_pop_r(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

/* Handlers of one instruction: on any stack, on flat 32-bit ones, in 64-bit mode. */
static soft_handler *by_stack(const struct soft_decoder *decoder, soft_handler *any,
			      soft_handler *flat, soft_handler *quad)
{
	if (decoder->insn.operand_size == 8)
		return quad;
	return soft_flat_stack(decoder) ? flat : any;
}

bool soft_flat_stack(const struct soft_decoder *decoder)
{
	const struct soft_mode *mode = &decoder->cpu->mode;

	return mode->flat && mode->stack_32 && mode->code_bits != 64 &&
	       decoder->insn.operand_size == 4;
}

static struct soft_op *emit_stack(struct soft_decoder *decoder, soft_handler *run)
{
	struct soft_op *op = soft_emit(decoder, run);

	op->segment = MW_SS;
	return op;
}

void soft_emit_push_r(struct soft_decoder *decoder)
{
	emit_stack(decoder, by_stack(decoder, push_r, push_r_32, push_r_64));
}

void soft_emit_pop_r(struct soft_decoder *decoder)
{
	emit_stack(decoder, by_stack(decoder, pop_r, pop_r_32, pop_r_64));
}

/* 6A takes a byte whatever the operand size; the row's format says so. */
void soft_emit_push_imm(struct soft_decoder *decoder)
{
	emit_stack(decoder, by_stack(decoder, push_imm, push_imm_32, push_imm_64));
}

/* FF /6 */

static bool do_push_memory(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t value = soft_read_slow(cpu, op, soft_address(cpu, op), op->size);

	return !cpu->fault.raised && soft_push(cpu, op->size, value);
}

static const struct soft_op *push_memory(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_push_memory(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

void soft_emit_push_rm(struct soft_decoder *decoder)
{
	soft_emit_modrm(decoder, by_stack(decoder, push_r, push_r_32, push_r_64),
			by_stack(decoder, push_memory, push_memory_32, push_memory),
			decoder->insn.operand_size, SOFT_READ);
}

/* 8F /0: an address with RSP in it is worked out after the pop (SDM vol. 2, POP), so the pointer moves
 * first and moves back on a fault. The address op is emitted behind this one. */

static const struct soft_op *pop_begin(struct soft_cpu *cpu, const struct soft_op *op)
{
	soft_stack_adjust(cpu, op->size);
	return SOFT_NEXT(cpu, op);
}

static bool do_pop_memory(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t linear = soft_address(cpu, op), value;

	soft_stack_adjust(cpu, -(int64_t)op->size);
	if (!soft_peek(cpu, op->size, 0, &value) ||
	    !soft_write_slow(cpu, op, linear, op->size, value))
		return false;
	soft_stack_adjust(cpu, op->size);
	return true;
}

static const struct soft_op *pop_memory(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_pop_memory(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

/* Outside 64-bit mode the address is checked here, where a fault can put the pointer back. */
static bool do_pop_memory_checked(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t mask = (op->extra == 2) ? 0xffff : 0xffffffff, linear, value;
	uint64_t pointer = cpu->gpr[MW_RSP], offset;

	if (!soft_peek(cpu, op->size, 0, &value))
		return false;
	soft_stack_adjust(cpu, op->size);
	offset = (cpu->gpr[op->base] + (cpu->gpr[op->index] << op->scale) +
		  (uint64_t)(int64_t)op->disp) &
		 mask;
	if (soft_segment_address(cpu, (enum mw_segment_name)op->segment, offset, op->size, true,
				 &linear) &&
	    soft_write_slow(cpu, op, linear, op->size, value))
		return true;
	cpu->gpr[MW_RSP] = pointer;
	return false;
}

static const struct soft_op *pop_memory_checked(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_pop_memory_checked(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

static void emit_pop_memory_checked(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	struct soft_op *op = soft_emit(decoder, pop_memory_checked);

	op->base = insn->base;
	op->index = insn->index;
	op->scale = insn->scale;
	op->disp = insn->disp;
	op->extra = (uint8_t)insn->address_size;
}

void soft_emit_pop_rm(struct soft_decoder *decoder)
{
	if (decoder->insn.modrm >> 3 & 7) {
		soft_emit_undefined(decoder);
	} else if (!decoder->insn.memory) {
		emit_stack(decoder, by_stack(decoder, pop_r, pop_r_32, pop_r_64));
	} else if (decoder->cpu->mode.code_bits != 64) {
		emit_pop_memory_checked(decoder);
	} else {
		soft_emit(decoder, pop_begin);
		soft_emit_memory(decoder, pop_memory, decoder->insn.operand_size, SOFT_WRITE);
	}
}

/* PUSHA, POPA */

static bool do_pusha(struct soft_cpu *cpu, const struct soft_op *op)
{
	unsigned size = op->size;

	/* All eight lie within limits and pages, or nothing is written (SDM vol. 2, PUSHA). */
	for (int i = 7; i >= 0; i--) {
		uint64_t linear;

		if (!stack_address(cpu, -(int64_t)size * (i + 1), size, true, &linear) ||
		    !soft_check_write(cpu, op, linear, size))
			return false;
	}
	for (unsigned i = 0; i < 8; i++)
		if (!poke(cpu, size, -(int64_t)(size * (i + 1)), cpu->gpr[i]))
			return false;
	soft_stack_adjust(cpu, -8 * (int64_t)size);
	return true;
}

static const struct soft_op *pusha(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_pusha(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

static bool do_popa(struct soft_cpu *cpu, const struct soft_op *op)
{
	unsigned size = op->size;
	uint64_t values[8];

	for (unsigned i = 0; i < 8; i++)
		if (!soft_peek(cpu, size, (uint64_t)size * i, &values[7 - i]))
			return false;
	soft_stack_adjust(cpu, 8 * (int64_t)size);
	for (unsigned i = 0; i < 8; i++)
		if (i != MW_RSP)
			soft_set_sized(cpu, i, size, values[i]);
	return true;
}

static const struct soft_op *popa(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_popa(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

void soft_emit_pusha(struct soft_decoder *decoder)
{
	emit_stack(decoder, pusha);
}

void soft_emit_popa(struct soft_decoder *decoder)
{
	emit_stack(decoder, popa);
}

/* PUSHF, POPF. Virtual-8086 mode with IOPL below 3 faults, unless CR4.VME gives it a virtual IF (SDM
 * vol. 3, 20.3.2). */

static bool needs_virtual_if(const struct soft_cpu *cpu)
{
	return soft_v86(cpu) && (cpu->rflags & SOFT_IOPL) != SOFT_IOPL;
}

static bool do_pushf(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t image = soft_rflags(cpu) & ~(uint64_t)(SOFT_VM | SOFT_RF);

	if (needs_virtual_if(cpu)) {
		if (!(cpu->cr4 & SOFT_CR4_VME) || op->size != 2)
			return soft_raise_error(cpu, SOFT_GP, 0);
		image = (image & ~(uint64_t)SOFT_IF) | SOFT_IOPL |
			(cpu->rflags & SOFT_VIF ? SOFT_IF : 0);
	}
	return soft_push(cpu, op->size, image);
}

static const struct soft_op *pushf(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_pushf(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

static uint64_t popf_writable(const struct soft_cpu *cpu, unsigned size)
{
	uint64_t bits = SOFT_ARITHMETIC | SOFT_TF | SOFT_DF | SOFT_NT;
	unsigned iopl = cpu->rflags >> 12 & 3;

	if (size > 2)
		bits |= SOFT_AC | SOFT_ID;
	if (!soft_v86(cpu) && cpu->cpl == 0)
		bits |= SOFT_IOPL;
	if (soft_v86(cpu) || cpu->cpl <= iopl)
		bits |= SOFT_IF;
	return bits;
}

static bool popf_virtual(struct soft_cpu *cpu, const struct soft_op *op, uint64_t image)
{
	const uint32_t bits = SOFT_ARITHMETIC | SOFT_DF | SOFT_NT | SOFT_TF;
	bool wants_if = image & SOFT_IF;

	if (!(cpu->cr4 & SOFT_CR4_VME) || op->size != 2 || image & SOFT_TF ||
	    (wants_if && cpu->rflags & SOFT_VIP))
		return soft_raise_error(cpu, SOFT_GP, 0);
	soft_rflags_set(cpu, (cpu->rflags & ~(bits | SOFT_VIF)) | (image & bits) |
				     (wants_if ? SOFT_VIF : 0));
	return true;
}

static bool do_popf(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t image, bits = popf_writable(cpu, op->size);

	if (!soft_peek(cpu, op->size, 0, &image))
		return false;
	if (needs_virtual_if(cpu)) {
		if (!popf_virtual(cpu, op, image))
			return false;
	} else {
		soft_rflags_set(cpu, (cpu->rflags & ~bits & ~(uint64_t)SOFT_RF) | (image & bits));
	}
	soft_stack_adjust(cpu, op->size);
	return true;
}

/* Cheap when nothing but arithmetic flags changes; TF, AC and a newly set IF are looked at. */
static const struct soft_op *popf(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint32_t before = cpu->rflags;

	if (!do_popf(cpu, op))
		return soft_stop(cpu, op);
	if (SOFT_LIKELY(!((before ^ cpu->rflags) & (SOFT_TF | SOFT_AC)) &&
			!(cpu->rflags & ~before & SOFT_IF)))
		return SOFT_NEXT(cpu, op);
	soft_mode_update(cpu);
	soft_debug_update(cpu);
	soft_look(cpu);
	return soft_leave(cpu, op);
}

void soft_emit_pushf(struct soft_decoder *decoder)
{
	emit_stack(decoder, pushf);
}

void soft_emit_popf(struct soft_decoder *decoder)
{
	emit_stack(decoder, popf);
}

/* ENTER imm16, imm8: `imm` the frame's size, `disp` the nesting level. */

static uint64_t frame_pointer(const struct soft_cpu *cpu)
{
	return cpu->gpr[MW_RBP] & soft_stack_mask(cpu);
}

/* Copies `level - 1` frame pointers of outer frames; returns false where one faults. */
static bool copy_display(struct soft_cpu *cpu, const struct soft_op *op, unsigned level)
{
	for (unsigned i = 1; i < level; i++) {
		uint64_t linear, value,
			at = (frame_pointer(cpu) - i * op->size) & soft_stack_mask(cpu);

		if (!soft_segment_address(cpu, MW_SS, at, op->size, false, &linear) ||
		    !soft_load_sized(cpu, op, linear, op->size, &value) ||
		    !poke(cpu, op->size, -(int64_t)(op->size * (i + 1)), value))
			return false;
	}
	return true;
}

static bool do_enter(struct soft_cpu *cpu, const struct soft_op *op)
{
	unsigned level = (unsigned)op->disp & 31, size = op->size;
	uint64_t frame = cpu->gpr[MW_RSP] - size, linear;
	int64_t down = (int64_t)(size * (1 + level)) + (int64_t)op->imm;

	if (!poke(cpu, size, -(int64_t)size, cpu->gpr[MW_RBP]) || !copy_display(cpu, op, level))
		return false;
	if (level && !poke(cpu, size, -(int64_t)(size * (level + 1)), frame & soft_stack_mask(cpu)))
		return false;
	/* The new top must be writable (SDM vol. 2, ENTER), so that the next push does not fault first. */
	if (!stack_address(cpu, -down, 1, true, &linear) || !soft_check_write(cpu, op, linear, 1))
		return false;
	soft_set_sized(cpu, MW_RBP, size,
		       (cpu->gpr[MW_RBP] & ~soft_stack_mask(cpu)) | (frame & soft_stack_mask(cpu)));
	soft_stack_adjust(cpu, -down);
	return true;
}

static const struct soft_op *enter(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_enter(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

void soft_emit_enter(struct soft_decoder *decoder)
{
	emit_stack(decoder, enter)->disp = (int32_t)decoder->insn.imm2;
}

static const struct soft_op *frame_leave_64(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t value;

	if (!soft_load64(cpu, op, cpu->gpr[MW_RBP], &value))
		return soft_stop(cpu, op);
	cpu->gpr[MW_RSP] = cpu->gpr[MW_RBP] + 8;
	cpu->gpr[MW_RBP] = value;
	return SOFT_NEXT(cpu, op);
}

static const struct soft_op *frame_leave_32(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint32_t value;

	if (!soft_load32(cpu, op, (uint32_t)cpu->gpr[MW_RBP], &value))
		return soft_stop(cpu, op);
	cpu->gpr[MW_RSP] = (uint32_t)(cpu->gpr[MW_RBP] + 4);
	cpu->gpr[MW_RBP] = value;
	return SOFT_NEXT(cpu, op);
}

static bool do_frame_leave(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t linear, value;

	if (!soft_segment_address(cpu, MW_SS, frame_pointer(cpu), op->size, false, &linear) ||
	    !soft_load_sized(cpu, op, linear, op->size, &value))
		return false;
	set_sp(cpu, frame_pointer(cpu) + op->size);
	soft_set_sized(cpu, MW_RBP, op->size, value);
	return true;
}

static const struct soft_op *frame_leave(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_frame_leave(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

void soft_emit_frame_leave(struct soft_decoder *decoder)
{
	emit_stack(decoder, by_stack(decoder, frame_leave, frame_leave_32, frame_leave_64));
}

/* PUSH and POP of segment registers; `reg` is the segment. */

static bool do_push_segment(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t linear, value = cpu->segment[op->reg].selector;
	unsigned written = op->size == 4 ? 2 : op->size;

	/* A 32-bit push writes 16 bits on newer processors, the limit counts for all (SDM vol. 2, PUSH). */
	if (!stack_address(cpu, -(int64_t)op->size, op->size, true, &linear) ||
	    !soft_store_sized(cpu, op, linear, written, value))
		return false;
	soft_stack_adjust(cpu, -(int64_t)op->size);
	return true;
}

static const struct soft_op *push_segment(struct soft_cpu *cpu, const struct soft_op *op)
{
	return do_push_segment(cpu, op) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
}

static bool do_pop_segment(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t pointer = cpu->gpr[MW_RSP], value;

	/* The width of the stack is the old one's: the pointer moves before SS changes. */
	if (!soft_peek(cpu, op->size, 0, &value))
		return false;
	soft_stack_adjust(cpu, op->size);
	if (soft_segment_load(cpu, (enum mw_segment_name)op->reg, (uint16_t)value))
		return true;
	cpu->gpr[MW_RSP] = pointer;
	return false;
}

static const struct soft_op *pop_segment(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!do_pop_segment(cpu, op))
		return soft_stop(cpu, op);
	if (op->reg == MW_SS)
		cpu->shadow = cpu->shadow_mov = true;
	return soft_leave(cpu, op);
}

static uint8_t stack_segment_operand(const struct soft_insn *insn)
{
	if (insn->map == 1)
		return insn->opcode < 0xa8 ? MW_FS : MW_GS;
	return insn->opcode >> 3 & 3; /* ES, CS, SS, DS in the encoding's order */
}

void soft_emit_push_segment(struct soft_decoder *decoder)
{
	emit_stack(decoder, push_segment)->reg = stack_segment_operand(&decoder->insn);
}

void soft_emit_pop_segment(struct soft_decoder *decoder)
{
	emit_stack(decoder, pop_segment)->reg = stack_segment_operand(&decoder->insn);
}
