/* RESET, INIT, start-up, and a CPU's registers to and from core's form. Reference: SDM vol. 3, 10.1.1 (table
 * 10-1), 10.4.4 (INIT-SIPI-SIPI). */
// SPDX-License-Identifier: MIT
#include <assert.h>
#include <string.h>

#include "accel/soft/integer/flags.h"
#include "accel/soft/system/model.h"
#include "accel/soft/system/system.h"
#include "accel/soft/system/system_internal.h"
#include "accel/soft/vm.h"

static_assert(sizeof(struct soft_fxsave) == sizeof(((struct mw_cpu_state *)0)->fxsave),
	      "one image is the other");

enum { FXSAVE_USED = 416 };
enum { RFLAGS_DEFINED = 0x3f7fd5, MXCSR_DEFINED = 0xffff };
#define INIT_KEEPS_CR0 UINT64_C(0x60000000) /* CD, NW */

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

/* What was on its way is not part of the state. */
static void set_events(struct soft_cpu *cpu, const struct mw_cpu_state *state)
{
	cpu->halted = state->run == MW_CPU_HALTED;
	cpu->wait_sipi = state->run == MW_CPU_WAIT_SIPI || state->run == MW_CPU_UNINITIALISED;
	cpu->shadow = state->interrupt_shadow;
	cpu->shadow_mov = false;
	cpu->shutdown = cpu->shutdown_told = cpu->init_pending = cpu->sipi_pending =
		cpu->smi_pending = false;
	memset(&cpu->fault, 0, sizeof(cpu->fault));
}

/* Of the TPR only the upper half is known. The deadline needs the APIC's timer mode, set before. */
static void set_lapic(struct soft_cpu *cpu, const struct mw_cpu_state *state)
{
	soft_lapic_set_base(&cpu->lapic, state->apic_base);
	if (soft_lapic_tpr(&cpu->lapic) >> 4 != (state->cr8 & 15))
		soft_lapic_set_tpr(&cpu->lapic, (uint8_t)(state->cr8 << 4));
	if (soft_lapic_tsc_deadline(&cpu->lapic) != state->tsc_deadline)
		soft_lapic_set_tsc_deadline(&cpu->lapic, state->tsc_deadline, soft_now_ns(cpu));
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

static void follow_state(struct soft_cpu *cpu)
{
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
	memset(cpu->gpr, 0, sizeof(cpu->gpr));
	memcpy(cpu->gpr, state->gpr, sizeof(state->gpr));
	soft_rflags_set(cpu, state->rflags & RFLAGS_DEFINED);
	cpu->cpl = privilege_of(state);
	set_segments(cpu, state);
	set_fpu(cpu, state);
	set_debug(cpu, state);
	set_events(cpu, state);
	cpu->tsc_offset += state->tsc - soft_tsc(cpu);
	set_lapic(cpu, state);
	follow_state(cpu);
}

static enum mw_cpu_run run_of(const struct soft_cpu *cpu)
{
	if (cpu->wait_sipi)
		return MW_CPU_WAIT_SIPI;
	return cpu->halted ? MW_CPU_HALTED : MW_CPU_RUNNABLE;
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
	state->cr8 = soft_lapic_tpr(&cpu->lapic) >> 4;
	state->tsc = soft_tsc(cpu);
	state->tsc_deadline = soft_lapic_tsc_deadline(&cpu->lapic);
	state->interrupt_shadow = cpu->shadow || cpu->shadow_mov;
	state->run = run_of(cpu);
}

void soft_cpu_reset(struct soft_cpu *cpu, bool boot_cpu)
{
	struct mw_cpu_state state;

	mw_cpu_state_reset(&state, boot_cpu);
	soft_msr_reset(cpu);
	soft_lapic_reset(&cpu->lapic);
	soft_cpu_set_state(cpu, &state);
}

/* Of what INIT resets, core's state after RESET has the values. */
static void set_for_init(const struct soft_cpu *cpu, struct mw_cpu_state *state)
{
	struct mw_cpu_state kept;

	soft_cpu_get_state(cpu, &kept);
	mw_cpu_state_reset(state, kept.apic_base & 0x100);
	state->cr0 = (state->cr0 & ~INIT_KEEPS_CR0) | (kept.cr0 & INIT_KEEPS_CR0);
	state->apic_base = kept.apic_base;
	state->tsc = kept.tsc;
	state->star = kept.star;
	state->lstar = kept.lstar;
	state->cstar = kept.cstar;
	state->sfmask = kept.sfmask;
	state->kernel_gs_base = kept.kernel_gs_base;
	state->sysenter_cs = kept.sysenter_cs;
	state->sysenter_esp = kept.sysenter_esp;
	state->sysenter_eip = kept.sysenter_eip;
	state->tsc_aux = kept.tsc_aux;
	state->pat = kept.pat;
	state->mtrr_def_type = kept.mtrr_def_type;
	memcpy(state->fxsave, kept.fxsave, sizeof(state->fxsave));
}

void soft_cpu_init_signal(struct soft_cpu *cpu)
{
	struct mw_cpu_state state;

	soft_lapic_init_signal(&cpu->lapic);
	set_for_init(cpu, &state);
	cpu->kvm_system_time = 0;
	soft_cpu_set_state(cpu, &state);
}

void soft_cpu_start_up(struct soft_cpu *cpu, uint8_t vector)
{
	struct mw_segment code = cpu->segment[MW_CS];

	cpu->sipi_pending = false;
	if (!cpu->wait_sipi)
		return;
	cpu->wait_sipi = false;
	code.selector = (uint16_t)(vector << 8);
	code.base = (uint64_t)vector << 12;
	soft_segment_set(cpu, MW_CS, code);
	cpu->rip = 0;
}
