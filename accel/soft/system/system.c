/* System instructions: which opcode is what, and those that are short. References: SDM vol. 2; SDM vol.
 * 3, 2.8 (system instructions), 21.3 (virtual interrupts: VME and PVI). */
// SPDX-License-Identifier: MIT
#include "accel/soft/system/system.h"

#include "accel/soft/decode/block.h"
#include "accel/soft/decode/decode.h"
#include "accel/soft/system/model.h"
#include "accel/soft/system/system_internal.h"
#include "accel/soft/vm.h"

bool soft_event_waits(const struct soft_cpu *cpu)
{
	return mw_lapic_pending(&cpu->lapic) >= 0 || mw_lapic_passes_intr(&cpu->lapic) ||
	       cpu->ext_int || cpu->nmi_pending || cpu->smi_pending || cpu->init_pending ||
	       atomic_load_explicit(&cpu->vm->kicked, memory_order_relaxed);
}

void soft_emit_last(struct soft_decoder *decoder, soft_handler *run)
{
	soft_emit(decoder, run);
	decoder->ends = true;
}

/* CLI and STI. Real mode has CPL 0 and virtual-8086 mode has CPL 3, so that one comparison with IOPL
 * decides everywhere. */

static unsigned iopl(const struct soft_cpu *cpu)
{
	return cpu->rflags >> 12 & 3;
}

/* With too low an IOPL, VIF takes the place of IF: in virtual-8086 mode under VME, at CPL 3 under PVI. */
static bool has_virtual_interrupts(const struct soft_cpu *cpu)
{
	return cpu->cpl == 3 && (cpu->cr4 & (soft_v86(cpu) ? SOFT_CR4_VME : SOFT_CR4_PVI));
}

static const struct soft_op *cli(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (SOFT_LIKELY(cpu->cpl <= iopl(cpu))) {
		cpu->rflags &= ~(uint32_t)SOFT_IF;
		return SOFT_NEXT(cpu, op);
	}
	if (!has_virtual_interrupts(cpu)) {
		soft_raise_error(cpu, SOFT_GP, 0);
		return soft_stop(cpu, op);
	}
	cpu->rflags &= ~(uint32_t)SOFT_VIF;
	return SOFT_NEXT(cpu, op);
}

static bool set_virtual_if(struct soft_cpu *cpu)
{
	if (!has_virtual_interrupts(cpu) || (cpu->rflags & SOFT_VIP))
		return soft_raise_error(cpu, SOFT_GP, 0);
	cpu->rflags |= SOFT_VIF;
	return true;
}

/* The run loop looks after the next instruction where something waits. It may look at once where the next
 * instruction is in another block, and what comes then may be the HLT that the shadow is for. */
static const struct soft_op *sti(struct soft_cpu *cpu, const struct soft_op *op)
{
	bool at_end = op[1].run == soft_op_fall_through || op[1].run == soft_op_dead;

	if (SOFT_UNLIKELY(cpu->cpl > iopl(cpu)))
		return set_virtual_if(cpu) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);
	if (cpu->rflags & SOFT_IF)
		return SOFT_NEXT(cpu, op);
	cpu->rflags |= SOFT_IF;
	if (SOFT_LIKELY(!at_end && !soft_event_waits(cpu)))
		return SOFT_NEXT(cpu, op);
	cpu->shadow = true;
	return soft_leave(cpu, op);
}

static bool halt(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_need_supervisor(cpu))
		return false;
	cpu->halted = true;
	cpu->counters.halts++;
	return true;
}
SOFT_GO_OUT(hlt, halt)

/* There are no caches to write back. */
static bool flush_caches(struct soft_cpu *cpu, const struct soft_op *op)
{
	return soft_need_supervisor(cpu);
}
SOFT_GO_ON(wbinvd, flush_caches)

static bool raise_undefined(struct soft_cpu *cpu, const struct soft_op *op)
{
	return soft_raise(cpu, SOFT_UD);
}
SOFT_GO_ON(undefined, raise_undefined)

static void set_halves(struct soft_cpu *cpu, uint64_t value)
{
	cpu->gpr[MW_RAX] = (uint32_t)value;
	cpu->gpr[MW_RDX] = value >> 32;
}

/* The block was charged whole on entry; time is that of this instruction. */
static bool read_tsc(struct soft_cpu *cpu, const struct soft_op *op)
{
	int64_t charged = cpu->left;
	uint64_t tsc;

	if (cpu->cpl && (cpu->cr4 & SOFT_CR4_TSD))
		return soft_raise_error(cpu, SOFT_GP, 0);
	soft_refund(cpu, op);
	tsc = soft_tsc(cpu);
	cpu->left = charged;
	set_halves(cpu, tsc);
	return true;
}
SOFT_GO_ON(rdtsc, read_tsc)

static bool read_tsc_and_cpu(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!read_tsc(cpu, op))
		return false;
	cpu->gpr[MW_RCX] = (uint32_t)cpu->tsc_aux;
	return true;
}
SOFT_GO_ON(rdtscp, read_tsc_and_cpu)

/* No counters, so that no index is valid. */
static bool read_counter(struct soft_cpu *cpu, const struct soft_op *op)
{
	return soft_raise_error(cpu, SOFT_GP, 0);
}
SOFT_GO_ON(rdpmc, read_counter)

static bool read_msr(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t value = 0;
	int64_t charged = cpu->left;
	bool done;

	if (!soft_need_supervisor(cpu))
		return false;
	soft_refund(cpu, op);
	done = soft_msr_read(cpu, (uint32_t)cpu->gpr[MW_RCX], &value);
	cpu->left = charged;
	if (done)
		set_halves(cpu, value);
	return done;
}
SOFT_GO_ON(rdmsr, read_msr)

static bool write_msr(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t value = cpu->gpr[MW_RDX] << 32 | (uint32_t)cpu->gpr[MW_RAX];

	return soft_need_supervisor(cpu) && soft_msr_write(cpu, (uint32_t)cpu->gpr[MW_RCX], value);
}
SOFT_GO_OUT(wrmsr, write_msr)

static bool identify(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint32_t values[4];

	soft_cpuid(cpu, (uint32_t)cpu->gpr[MW_RAX], (uint32_t)cpu->gpr[MW_RCX], values);
	cpu->gpr[MW_RAX] = values[0];
	cpu->gpr[MW_RBX] = values[1];
	cpu->gpr[MW_RCX] = values[2];
	cpu->gpr[MW_RDX] = values[3];
	return true;
}
SOFT_GO_ON(cpuid, identify)

static void emit_rdtscp(struct soft_decoder *decoder)
{
	if (soft_has(decoder->cpu, SOFT_HAS_RDTSCP))
		soft_emit(decoder, rdtscp);
	else
		soft_emit_undefined(decoder);
}

/* 0F 01 with mod 3: by the whole ModRM byte, but for SMSW and LMSW. */
static void emit_group7_register(struct soft_decoder *decoder)
{
	switch (decoder->insn.modrm) {
	case 0xc1: soft_emit_vmcall(decoder); break;
	case 0xf8: soft_emit_swapgs(decoder); break;
	case 0xf9: emit_rdtscp(decoder); break;
	default: soft_emit_undefined(decoder); break;
	}
}

static void emit_group7(struct soft_decoder *decoder)
{
	bool memory = decoder->insn.memory;

	switch (decoder->insn.modrm >> 3 & 7) {
	case 4: soft_emit_smsw(decoder); break;
	case 5: soft_emit_undefined(decoder); break;
	case 6: soft_emit_lmsw(decoder); break;
	case 7: (memory ? soft_emit_invlpg : emit_group7_register)(decoder); break;
	default: (memory ? soft_emit_table : emit_group7_register)(decoder); break;
	}
}

/** By opcode: a handler, or a function that chooses one; a handler with `ends` ends the block. What needs a
 * feature is undefined without it. */
static const struct system_row {
	uint8_t map, opcode;
	bool ends;
	enum soft_feature feature;
	soft_handler *run;
	soft_emitter *emit;
} rows[] = {
	{ .map = 0, .opcode = 0x63, .emit = soft_emit_arpl },
	{ .map = 0, .opcode = 0xf4, .run = hlt, .ends = true },
	{ .map = 0, .opcode = 0xfa, .run = cli },
	{ .map = 0, .opcode = 0xfb, .run = sti },
	{ .map = 1, .opcode = 0x00, .emit = soft_emit_group6 },
	{ .map = 1, .opcode = 0x01, .emit = emit_group7 },
	{ .map = 1, .opcode = 0x02, .emit = soft_emit_lar_lsl },
	{ .map = 1, .opcode = 0x03, .emit = soft_emit_lar_lsl },
	{ .map = 1, .opcode = 0x05, .emit = soft_emit_syscall, .feature = SOFT_HAS_SYSCALL },
	{ .map = 1, .opcode = 0x06, .emit = soft_emit_clts },
	{ .map = 1, .opcode = 0x07, .emit = soft_emit_sysret, .feature = SOFT_HAS_SYSCALL },
	{ .map = 1, .opcode = 0x08, .run = wbinvd },
	{ .map = 1, .opcode = 0x09, .run = wbinvd },
	{ .map = 1, .opcode = 0x0b, .run = undefined, .ends = true },
	{ .map = 1, .opcode = 0x20, .emit = soft_emit_mov_control },
	{ .map = 1, .opcode = 0x21, .emit = soft_emit_mov_debug },
	{ .map = 1, .opcode = 0x22, .emit = soft_emit_mov_control },
	{ .map = 1, .opcode = 0x23, .emit = soft_emit_mov_debug },
	{ .map = 1, .opcode = 0x30, .run = wrmsr, .ends = true, .feature = SOFT_HAS_MSR },
	{ .map = 1, .opcode = 0x31, .run = rdtsc, .feature = SOFT_HAS_TSC },
	{ .map = 1, .opcode = 0x32, .run = rdmsr, .feature = SOFT_HAS_MSR },
	{ .map = 1, .opcode = 0x33, .run = rdpmc },
	{ .map = 1, .opcode = 0x34, .emit = soft_emit_sysenter, .feature = SOFT_HAS_SEP },
	{ .map = 1, .opcode = 0x35, .emit = soft_emit_sysexit, .feature = SOFT_HAS_SEP },
	{ .map = 1, .opcode = 0xa2, .run = cpuid },
	{ .map = 1, .opcode = 0xb9, .run = undefined, .ends = true },
	{ .map = 1, .opcode = 0xff, .run = undefined, .ends = true },
};

static const struct system_row *find_row(const struct soft_insn *insn)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].map == insn->map && rows[i].opcode == insn->opcode)
			return &rows[i];
	return NULL;
}

void soft_emit_system(struct soft_decoder *decoder)
{
	const struct system_row *row = find_row(&decoder->insn);

	if (!row || !soft_has(decoder->cpu, row->feature)) {
		soft_emit_undefined(decoder);
		return;
	}
	if (row->emit) {
		row->emit(decoder);
		return;
	}
	soft_emit(decoder, row->run);
	if (row->ends)
		decoder->ends = true;
}
