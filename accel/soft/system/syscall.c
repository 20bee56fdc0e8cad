/* System calls: SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS, VMCALL. References: SDM vol. 2; SDM vol. 3, 5.8.7
 * and 5.8.8; Linux, Documentation/virt/kvm/x86/hypercalls.rst. */
// SPDX-License-Identifier: MIT
#include "accel/soft/decode/decode.h"
#include "accel/soft/integer/flags.h"
#include "accel/soft/system/model.h"
#include "accel/soft/system/system.h"
#include "accel/soft/system/system_internal.h"
#include "accel/soft/vm.h"

/* Flat segments, as these instructions make them up: 4 GiB, accessed, present. */
enum {
	FLAT_DATA = SOFT_SEG_G | SOFT_SEG_DB | SOFT_SEG_P | SOFT_SEG_S | 3,
	FLAT_CODE = SOFT_SEG_G | SOFT_SEG_P | SOFT_SEG_S | 11,
	CODE_64 = FLAT_CODE | SOFT_SEG_L,
	CODE_32 = FLAT_CODE | SOFT_SEG_DB
};

/* SYSRET leaves RF and VM clear and whatever is reserved. */
enum { SYSRET_FLAGS = 0x3c7fd7 };

static struct mw_segment flat(unsigned selector, unsigned attributes, unsigned privilege)
{
	return (struct mw_segment){
		.selector = (uint16_t)((selector & ~3u) | privilege),
		.attributes = (uint16_t)(attributes | privilege << 5),
		.limit = UINT32_MAX,
	};
}

/* CS and SS, CPL and flags change at once. */
static void enter(struct soft_cpu *cpu, struct mw_segment code, unsigned stack_selector,
		  uint64_t rflags)
{
	bool trap_changes = (cpu->rflags ^ rflags) & SOFT_TF;
	unsigned privilege = code.selector & 3;

	cpu->segment[MW_CS] = code;
	cpu->segment[MW_SS] = flat(stack_selector, FLAT_DATA, privilege);
	cpu->cpl = privilege;
	soft_rflags_set(cpu, rflags);
	soft_mode_update(cpu);
	if (SOFT_UNLIKELY(trap_changes))
		soft_debug_update(cpu);
}

/* No trap comes after a SYSCALL that masks TF. */
static bool call_system(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t rflags = soft_rflags(cpu);

	if (!(cpu->efer & SOFT_EFER_SCE) || !soft_64bit(cpu))
		return soft_raise(cpu, SOFT_UD);
	cpu->gpr[MW_RCX] = soft_rip_next(cpu, op);
	cpu->gpr[MW_R11] = rflags;
	if (cpu->sfmask & SOFT_TF)
		cpu->debug_pending &= ~(uint64_t)SOFT_DR6_BS;
	enter(cpu, flat((unsigned)(cpu->star >> 32) & 0xffff, CODE_64, 0),
	      (unsigned)(cpu->star >> 32 & 0xffff) + 8, rflags & ~cpu->sfmask & ~(uint64_t)SOFT_RF);
	cpu->rip = cpu->lstar;
	return true;
}
SOFT_GO_TO(syscall_op, call_system)

void soft_emit_syscall(struct soft_decoder *decoder)
{
	soft_emit_last(decoder, syscall_op);
}

/* IF comes back: is there something for it? */
static void look_if_waiting(struct soft_cpu *cpu)
{
	if ((cpu->rflags & SOFT_IF) && soft_event_waits(cpu))
		soft_look(cpu);
}

static bool return_from_system(struct soft_cpu *cpu, const struct soft_op *op)
{
	unsigned selector = (unsigned)(cpu->star >> 48);
	bool to_64 = op->size == 8;
	uint64_t rip = to_64 ? cpu->gpr[MW_RCX] : (uint32_t)cpu->gpr[MW_RCX];

	if (!(cpu->efer & SOFT_EFER_SCE) || !soft_64bit(cpu))
		return soft_raise(cpu, SOFT_UD);
	if (!soft_need_supervisor(cpu))
		return false;
	if (!soft_canonical(rip))
		return soft_raise_error(cpu, SOFT_GP, 0);
	enter(cpu, to_64 ? flat(selector + 16, CODE_64, 3) : flat(selector, CODE_32, 3),
	      selector + 8, (cpu->gpr[MW_R11] & SYSRET_FLAGS) | 2);
	cpu->rip = rip;
	look_if_waiting(cpu);
	return true;
}
SOFT_GO_TO(sysret_op, return_from_system)

void soft_emit_sysret(struct soft_decoder *decoder)
{
	soft_emit_last(decoder, sysret_op);
}

static bool enter_system(struct soft_cpu *cpu, const struct soft_op *op)
{
	unsigned selector = (unsigned)cpu->sysenter_cs & 0xfffc;
	bool wide = soft_long_mode(cpu);
	uint64_t off = SOFT_IF | SOFT_VM | SOFT_RF;

	if (!(cpu->cr0 & SOFT_CR0_PE) || !selector)
		return soft_raise_error(cpu, SOFT_GP, 0);
	enter(cpu, flat(selector, wide ? CODE_64 : CODE_32, 0), selector + 8,
	      soft_rflags(cpu) & ~off);
	cpu->gpr[MW_RSP] = wide ? cpu->sysenter_esp : (uint32_t)cpu->sysenter_esp;
	cpu->rip = wide ? cpu->sysenter_eip : (uint32_t)cpu->sysenter_eip;
	return true;
}
SOFT_GO_TO(sysenter_op, enter_system)

void soft_emit_sysenter(struct soft_decoder *decoder)
{
	soft_emit_last(decoder, sysenter_op);
}

static bool leave_system(struct soft_cpu *cpu, const struct soft_op *op)
{
	unsigned selector = (unsigned)cpu->sysenter_cs & 0xfffc;
	bool wide = op->size == 8;
	uint64_t rip = wide ? cpu->gpr[MW_RDX] : (uint32_t)cpu->gpr[MW_RDX];
	uint64_t rsp = wide ? cpu->gpr[MW_RCX] : (uint32_t)cpu->gpr[MW_RCX];

	if (!(cpu->cr0 & SOFT_CR0_PE) || cpu->cpl || !selector || !soft_canonical(rip) ||
	    !soft_canonical(rsp))
		return soft_raise_error(cpu, SOFT_GP, 0);
	selector += wide ? 32 : 16;
	enter(cpu, flat(selector, wide ? CODE_64 : CODE_32, 3), selector + 8, soft_rflags(cpu));
	cpu->gpr[MW_RSP] = rsp;
	cpu->rip = rip;
	return true;
}
SOFT_GO_TO(sysexit_op, leave_system)

void soft_emit_sysexit(struct soft_decoder *decoder)
{
	soft_emit_last(decoder, sysexit_op);
}

static bool swap_gs(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t base = cpu->segment[MW_GS].base;

	if (!soft_need_supervisor(cpu))
		return false;
	cpu->segment[MW_GS].base = cpu->gpr[SOFT_GS_BASE] = cpu->kernel_gs_base;
	cpu->kernel_gs_base = base;
	return true;
}
SOFT_GO_ON(swapgs, swap_gs)

void soft_emit_swapgs(struct soft_decoder *decoder)
{
	if (soft_64bit(decoder->cpu))
		soft_emit(decoder, swapgs);
	else
		soft_emit_undefined(decoder);
}

/* KVM's hypercalls are offered with its CPUID leaves; there is none yet. */
static bool call_hypervisor(struct soft_cpu *cpu, const struct soft_op *op)
{
	enum { NO_SUCH_CALL = -1000, NOT_PERMITTED = -1 };
	int64_t result = cpu->cpl ? NOT_PERMITTED : NO_SUCH_CALL;

	cpu->gpr[MW_RAX] = soft_64bit(cpu) ? (uint64_t)result : (uint32_t)result;
	return true;
}
SOFT_GO_ON(vmcall, call_hypervisor)

void soft_emit_vmcall(struct soft_decoder *decoder)
{
	if (decoder->cpu->vm->plan->cpu.hypervisor == MW_HYPERVISOR_KVM)
		soft_emit(decoder, vmcall);
	else
		soft_emit_undefined(decoder);
}
