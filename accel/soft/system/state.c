/* A CPU's registers to and from core's form. Reference: SDM vol. 3, table 10-1. */
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <string.h>

#include "accel/soft/integer/flags.h"
#include "accel/soft/system/model.h"
#include "accel/soft/system/system.h"
#include "accel/soft/system/system_internal.h"
#include "accel/soft/vm.h"

static_assert(sizeof(((struct soft_cpu *)0)->mc_bank) == sizeof(((struct mw_cpu_extra *)0)->mc),
	      "as many banks here as there");
static_assert(sizeof(struct soft_fxsave) == sizeof(((struct mw_cpu_state *)0)->fxsave),
	      "one image is the other");

enum { FXSAVE_USED = 416 };
enum { RFLAGS_DEFINED = 0x3f7fd5, MXCSR_DEFINED = 0xffff };

/* Fields of the same type and meaning on both sides. */
#define EACH_SAME(X)      \
	X(gdt)            \
	X(idt)            \
	X(cr0)            \
	X(cr2)            \
	X(cr3)            \
	X(cr4)            \
	X(efer)           \
	X(apic_base)      \
	X(star)           \
	X(lstar)          \
	X(cstar)          \
	X(sfmask)         \
	X(kernel_gs_base) \
	X(sysenter_cs)    \
	X(sysenter_esp)   \
	X(sysenter_eip)   \
	X(pat)            \
	X(tsc_aux)        \
	X(mtrr_def_type)  \
	X(rip)            \
	X(nmi_masked)     \
	X(nmi_pending)

/* CPL is that of SS; real mode has 0 and virtual-8086 mode 3. */
static unsigned privilege_of(const struct mw_cpu_state *state)
{
	if (!(state->cr0 & SOFT_CR0_PE))
		return 0;
	return state->rflags & SOFT_VM ? 3 : state->segment[MW_SS].attributes >> 5 & 3;
}

static void set_debug(struct soft_cpu *cpu, const struct mw_cpu_state *state)
{
	memcpy(cpu->dr, state->dr, sizeof(cpu->dr));
	cpu->dr6 = (state->dr6 & SOFT_DR6_WRITABLE) | SOFT_DR6_ONES;
	cpu->dr7 = (state->dr7 & SOFT_DR7_WRITABLE) | SOFT_DR7_ONES;
	cpu->debug_pending = 0;
}

/* An INT n that another accelerator had begun is begun again: RIP is still at it. */
static struct soft_accepted accepted_of(const struct mw_cpu_state *state)
{
	if (state->exception_injected)
		return (struct soft_accepted){ .waits = true,
					       .exception = true,
					       .has_error = state->exception_has_code,
					       .vector = state->exception_vector & 31,
					       .error = state->exception_code };
	return (struct soft_accepted){ .waits = state->interrupt_injected && !state->interrupt_soft,
				       .vector = state->interrupt_vector };
}

static void set_events(struct soft_cpu *cpu, const struct mw_cpu_state *state)
{
	cpu->halted = state->run == MW_CPU_HALTED;
	cpu->wait_sipi = state->run == MW_CPU_WAIT_SIPI || state->run == MW_CPU_UNINITIALISED;
	cpu->shadow = state->interrupt_shadow;
	cpu->shadow_mov = false;
	cpu->init_pending = state->init_pending;
	cpu->sipi_pending = state->sipi_pending;
	cpu->sipi_vector = state->sipi_vector;
	cpu->accepted = cpu->wait_sipi ? (struct soft_accepted){ 0 } : accepted_of(state);
	cpu->shutdown = cpu->shutdown_told = cpu->smi_pending = cpu->ext_int = false;
	memset(&cpu->fault, 0, sizeof(cpu->fault));
}

/* A processor without a local APIC has INTR itself. Of CR8 the TPR's lower half is unknown. The deadline
 * needs the APIC's timer mode, set before. */
static void set_lapic(struct soft_cpu *cpu, const struct mw_cpu_state *state)
{
	mw_lapic_set_base(&cpu->lapic, soft_has(cpu, SOFT_HAS_APIC) ? state->apic_base : 0);
	if (state->lapic.valid)
		mw_lapic_set_state(&cpu->lapic, &state->lapic, soft_now_ns(cpu));
	if (mw_lapic_tpr(&cpu->lapic) >> 4 != (state->cr8 & 15))
		mw_lapic_set_tpr(&cpu->lapic, (uint8_t)(state->cr8 << 4));
	if (mw_lapic_tsc_deadline(&cpu->lapic) != state->tsc_deadline)
		mw_lapic_set_tsc_deadline(&cpu->lapic, state->tsc_deadline, soft_now_ns(cpu));
}

static void set_segments(struct soft_cpu *cpu, const struct mw_cpu_state *state)
{
	memcpy(cpu->segment, state->segment, sizeof(cpu->segment));
	cpu->gpr[SOFT_FS_BASE] = state->segment[MW_FS].base;
	cpu->gpr[SOFT_GS_BASE] = state->segment[MW_GS].base;
}

/* MXCSR goes into the host's unit, which takes no reserved bits. */
static void set_fpu(struct soft_cpu *cpu, const struct mw_cpu_state *state)
{
	memcpy(&cpu->fx, state->fxsave, sizeof(cpu->fx));
	cpu->fx.mxcsr &= MXCSR_DEFINED;
}

static bool has_kvm_clock(const struct soft_cpu *cpu)
{
	return soft_has(cpu, SOFT_HAS_KVM_CLOCK) || soft_has(cpu, SOFT_HAS_KVM_CLOCK_2);
}

/* The time page is written before the CPU runs on. */
static void set_extra(struct soft_cpu *cpu, const struct mw_cpu_extra *extra)
{
	if (!extra->valid)
		return;
	memcpy(cpu->mtrr_fixed, extra->mtrr_fixed, sizeof(cpu->mtrr_fixed));
	memcpy(cpu->mtrr_base, extra->mtrr_base, sizeof(cpu->mtrr_base));
	memcpy(cpu->mtrr_mask, extra->mtrr_mask, sizeof(cpu->mtrr_mask));
	memcpy(cpu->mc_bank, extra->mc, sizeof(cpu->mc_bank));
	cpu->mcg_status = extra->mcg_status;
	cpu->mcg_ctl = extra->mcg_ctl;
	soft_misc_enable_set(cpu, extra->misc_enable);
	cpu->kvm_system_time = has_kvm_clock(cpu) ? extra->kvm_system_time : 0;
	cpu->kvm_wall_clock = has_kvm_clock(cpu) ? extra->kvm_wall_clock : 0;
}

/* Whoever made the state may have had features that are not here, or have meant no good. */
static void put_right(struct soft_cpu *cpu)
{
	cpu->cr0 = (cpu->cr0 & SOFT_CR0_DEFINED) | SOFT_CR0_ET;
	if (!(cpu->cr0 & SOFT_CR0_PE))
		cpu->cr0 &= ~SOFT_CR0_PG;
	cpu->cr3 &= ~SOFT_PHYSICAL_RESERVED;
	cpu->cr4 &= soft_cr4_defined(cpu);
	cpu->efer &= soft_efer_defined(cpu) & ~(uint64_t)SOFT_EFER_LMA;
	if (cpu->efer & SOFT_EFER_LME && cpu->cr0 & SOFT_CR0_PG && cpu->cr4 & SOFT_CR4_PAE)
		cpu->efer |= SOFT_EFER_LMA;
	cpu->apic_base &= SOFT_APIC_BASE_DEFINED;
}

static void follow_state(struct soft_cpu *cpu)
{
	cpu->block = NULL;
	cpu->chain = NULL;
	soft_tlb_flush(cpu);
	soft_mode_update(cpu);
	soft_debug_update(cpu);
	/* Entries that do not load leave none: CR3 points nowhere. */
	if ((cpu->cr0 & SOFT_CR0_PG) && (cpu->cr4 & SOFT_CR4_PAE) && !soft_long_mode(cpu) &&
	    !soft_load_pdptes(cpu, cpu->cr3)) {
		memset(cpu->pdpte, 0, sizeof(cpu->pdpte));
		memset(&cpu->fault, 0, sizeof(cpu->fault));
	}
}

void soft_cpu_set_state(struct soft_cpu *cpu, const struct mw_cpu_state *state)
{
#define COPY(field) cpu->field = state->field;
	EACH_SAME(COPY)
#undef COPY
	put_right(cpu);
	memset(cpu->gpr, 0, sizeof(cpu->gpr));
	memcpy(cpu->gpr, state->gpr, sizeof(state->gpr));
	soft_rflags_set(cpu, state->rflags & RFLAGS_DEFINED);
	cpu->cpl = privilege_of(state);
	set_segments(cpu, state);
	set_fpu(cpu, state);
	set_debug(cpu, state);
	set_events(cpu, state);
	cpu->tsc_offset += state->tsc - soft_tsc(cpu);
	set_extra(cpu, &state->extra);
	set_lapic(cpu, state);
	follow_state(cpu);
}

static enum mw_cpu_run run_of(const struct soft_cpu *cpu)
{
	if (cpu->wait_sipi)
		return MW_CPU_WAIT_SIPI;
	return cpu->halted ? MW_CPU_HALTED : MW_CPU_RUNNABLE;
}

static void get_events(const struct soft_cpu *cpu, struct mw_cpu_state *state)
{
	const struct soft_accepted *accepted = &cpu->accepted;

	state->run = run_of(cpu);
	state->interrupt_shadow = cpu->shadow || cpu->shadow_mov;
	state->init_pending = cpu->init_pending;
	state->sipi_pending = cpu->sipi_pending;
	state->sipi_vector = cpu->sipi_vector;
	if (accepted->waits && accepted->exception) {
		state->exception_injected = true;
		state->exception_has_code = accepted->has_error;
		state->exception_vector = accepted->vector;
		state->exception_code = accepted->error;
	} else if (accepted->waits) {
		state->interrupt_injected = true;
		state->interrupt_vector = accepted->vector;
	}
}

static void get_extra(const struct soft_cpu *cpu, struct mw_cpu_extra *extra)
{
	extra->valid = true;
	memcpy(extra->mtrr_fixed, cpu->mtrr_fixed, sizeof(cpu->mtrr_fixed));
	memcpy(extra->mtrr_base, cpu->mtrr_base, sizeof(cpu->mtrr_base));
	memcpy(extra->mtrr_mask, cpu->mtrr_mask, sizeof(cpu->mtrr_mask));
	memcpy(extra->mc, cpu->mc_bank, sizeof(cpu->mc_bank));
	extra->mcg_status = cpu->mcg_status;
	extra->mcg_ctl = cpu->mcg_ctl;
	extra->misc_enable = cpu->misc_enable;
	extra->kvm_system_time = cpu->kvm_system_time;
	extra->kvm_wall_clock = cpu->kvm_wall_clock;
}

void soft_cpu_get_state(const struct soft_cpu *cpu, struct mw_cpu_state *state)
{
	memset(state, 0, sizeof(*state));
#define COPY(field) state->field = cpu->field;
	EACH_SAME(COPY)
#undef COPY
	memcpy(state->gpr, cpu->gpr, sizeof(state->gpr));
	memcpy(state->segment, cpu->segment, sizeof(state->segment));
	memcpy(state->dr, cpu->dr, sizeof(state->dr));
	memcpy(state->fxsave, &cpu->fx, sizeof(state->fxsave));
	/* The image's end is for software, and ours scribbles there. */
	memset(state->fxsave + FXSAVE_USED, 0, sizeof(state->fxsave) - FXSAVE_USED);
	state->rflags = soft_rflags(cpu);
	state->dr6 = cpu->dr6;
	state->dr7 = cpu->dr7;
	state->xcr0 = 1;
	state->cr8 = mw_lapic_tpr(&cpu->lapic) >> 4;
	state->tsc = soft_tsc(cpu);
	state->tsc_deadline = mw_lapic_tsc_deadline(&cpu->lapic);
	get_events(cpu, state);
	get_extra(cpu, &state->extra);
	mw_lapic_get_state(&cpu->lapic, &state->lapic, soft_now_ns(cpu));
}
