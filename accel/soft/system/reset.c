/* RESET, INIT, start-up. Reference: SDM vol. 3, 10.1.1 (table 10-1), 10.4.4 (INIT-SIPI-SIPI). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "accel/soft/system/model.h"
#include "accel/soft/system/system.h"
#include "accel/soft/system/system_internal.h"
#include "accel/soft/vm.h"

#define INIT_KEEPS_CR0 UINT64_C(0x60000000) /* CD, NW */

void soft_cpu_reset(struct soft_cpu *cpu, bool boot_cpu)
{
	struct mw_cpu_state state;

	mw_cpu_state_reset(&state, boot_cpu);
	soft_msr_reset(cpu);
	mw_lapic_reset(&cpu->lapic);
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
	state->sipi_pending = kept.sipi_pending; /* it came after the INIT */
	state->sipi_vector = kept.sipi_vector;
	memcpy(state->fxsave, kept.fxsave, sizeof(state->fxsave));
}

void soft_cpu_init_signal(struct soft_cpu *cpu)
{
	struct mw_cpu_state state;

	mw_lapic_init_signal(&cpu->lapic);
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
