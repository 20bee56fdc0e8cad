/** IN and OUT, and who may (SDM vol. 1, 19.5; vol. 2, IN, OUT). */
// SPDX-License-Identifier: MIT
#include "accel/soft/integer/io.h"

#include "accel/soft/decode/decode.h"
#include "accel/soft/memory/physical.h"
#include "accel/soft/system/system.h"
#include "core/executor.h"

enum { TSS_TYPE = 13, TSS_32 = 9, TSS_MAP_BASE = 0x66 }; /* the type but for its busy bit */

/* The bitmap is read two bytes at a time, and both have to lie within the limit. */
static bool bitmap_allows(struct soft_cpu *cpu, uint16_t port, unsigned size)
{
	const struct mw_segment *task = &cpu->segment[MW_TR];
	unsigned mask = ((1u << size) - 1) << (port & 7);
	uint64_t base, bits;

	if ((task->attributes & (TSS_TYPE | SOFT_SEG_S | SOFT_SEG_P)) != (TSS_32 | SOFT_SEG_P) ||
	    task->limit < TSS_MAP_BASE + 1)
		return soft_raise_error(cpu, SOFT_GP, 0);
	if (!soft_system_read(cpu, task->base + TSS_MAP_BASE, 2, &base))
		return false;
	base += port / 8;
	if (base + 1 > task->limit)
		return soft_raise_error(cpu, SOFT_GP, 0);
	if (!soft_system_read(cpu, task->base + base, 2, &bits))
		return false;
	return !(bits & mask) || soft_raise_error(cpu, SOFT_GP, 0);
}
bool soft_io_allowed(struct soft_cpu *cpu, uint16_t port, unsigned size)
{
	unsigned iopl = cpu->rflags >> 12 & 3;

	if (SOFT_LIKELY(cpu->cpl <= iopl && !soft_v86(cpu)))
		return true;
	return bitmap_allows(cpu, port, size);
}

__attribute__((noinline)) uint32_t soft_io_read(struct soft_cpu *cpu, uint16_t port, unsigned size)
{
	uint64_t value = UINT64_MAX;

	if (SOFT_UNLIKELY(cpu->dr7 & 0xff))
		soft_debug_port(cpu, port, size);
	cpu->counters.exits_port++;
	mw_port_read(cpu->actor, port, size, &value);
	soft_after_device(cpu);
	return (uint32_t)value;
}
void soft_io_write(struct soft_cpu *cpu, uint16_t port, unsigned size, uint32_t value)
{
	if (SOFT_UNLIKELY(cpu->dr7 & 0xff))
		soft_debug_port(cpu, port, size);
	cpu->counters.exits_port++;
	mw_port_write(cpu->actor, port, size, value);
	soft_after_device(cpu);
}

/* op->imm is the port, or `BY_DX`; op->size 1, 2 or 4. */
enum { BY_DX = 0x10000 };

SOFT_INLINE uint16_t port_of(const struct soft_cpu *cpu, const struct soft_op *op)
{
	return op->imm == BY_DX ? soft_get16(cpu, MW_RDX) : (uint16_t)op->imm;
}
static const struct soft_op *done(struct soft_cpu *cpu, const struct soft_op *op)
{
	return SOFT_UNLIKELY(cpu->left <= 0) ? soft_leave(cpu, op) : SOFT_NEXT(cpu, op);
}
static const struct soft_op *in(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint16_t port = port_of(cpu, op);
	uint32_t value;

	if (!soft_io_allowed(cpu, port, op->size))
		return soft_stop(cpu, op);
	value = soft_io_read(cpu, port, op->size);
	if (op->size == 1)
		soft_set8(cpu, MW_RAX * 8, (uint8_t)value);
	else
		soft_set_sized(cpu, MW_RAX, op->size, value);
	return done(cpu, op);
}
static const struct soft_op *out(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint16_t port = port_of(cpu, op);
	uint32_t value = (uint32_t)soft_get_sized(cpu, MW_RAX, op->size);

	if (!soft_io_allowed(cpu, port, op->size))
		return soft_stop(cpu, op);
	soft_io_write(cpu, port, op->size, value);
	return done(cpu, op);
}

/** E4 to E7 and EC to EF. */
void soft_emit_io(struct soft_decoder *decoder)
{
	const struct soft_insn *insn = &decoder->insn;
	struct soft_op *op = soft_emit(decoder, insn->opcode & 2 ? out : in);

	op->imm = insn->opcode & 8 ? BY_DX : (insn->imm & 0xff);
	op->size = (uint8_t)(insn->operand_size == 8 ? 4 : insn->operand_size);
}
