/* A CPU's state as rows: what a snapshot holds, and the names its refusals speak of. */
// SPDX-License-Identifier: MIT
#include "core/cpu_state.h"

static const struct mw_state segment_rows[] = {
	{ "selector", MW_FIELD(struct mw_segment, selector), .since = 1 },
	{ "attributes", MW_FIELD(struct mw_segment, attributes), .since = 1 },
	{ "limit", MW_FIELD(struct mw_segment, limit), .since = 1 },
	{ "base", MW_FIELD(struct mw_segment, base), .since = 1 },
};
static const struct mw_state table_rows[] = {
	{ "base", MW_FIELD(struct mw_table_register, base), .since = 1 },
	{ "limit", MW_FIELD(struct mw_table_register, limit), .since = 1 },
};
static const struct mw_state lapic_rows[] = {
	{ "valid", MW_FIELD(struct mw_lapic_state, valid), .since = 1 },
	{ "registers", MW_ARRAY(struct mw_lapic_state, registers), .since = 1 },
	{ "new_errors", MW_FIELD(struct mw_lapic_state, new_errors), .since = 1 },
};
static const struct mw_state msr_rows[] = {
	{ "index", MW_FIELD(struct mw_cpu_msr, index), .since = 1 },
	{ "value", MW_FIELD(struct mw_cpu_msr, value), .since = 1 },
};
static const struct mw_state extra_rows[] = {
	{ "valid", MW_FIELD(struct mw_cpu_extra, valid), .since = 1 },
	{ "mtrr_fixed", MW_ARRAY(struct mw_cpu_extra, mtrr_fixed), .since = 1 },
	{ "mtrr_base", MW_ARRAY(struct mw_cpu_extra, mtrr_base), .since = 1 },
	{ "mtrr_mask", MW_ARRAY(struct mw_cpu_extra, mtrr_mask), .since = 1 },
	{ "mcg_status", MW_FIELD(struct mw_cpu_extra, mcg_status), .since = 1 },
	{ "mcg_ctl", MW_FIELD(struct mw_cpu_extra, mcg_ctl), .since = 1 },
	{ "mc", MW_ARRAY(struct mw_cpu_extra, mc), .since = 1 },
	{ "misc_enable", MW_FIELD(struct mw_cpu_extra, misc_enable), .since = 1 },
	{ "kvm_wall_clock", MW_FIELD(struct mw_cpu_extra, kvm_wall_clock), .since = 1 },
	{ "kvm_system_time", MW_FIELD(struct mw_cpu_extra, kvm_system_time), .since = 1 },
	{ "kvm_async_pf", MW_FIELD(struct mw_cpu_extra, kvm_async_pf), .since = 1 },
	{ "kvm_async_pf_int", MW_FIELD(struct mw_cpu_extra, kvm_async_pf_int), .since = 1 },
	{ "kvm_steal_time", MW_FIELD(struct mw_cpu_extra, kvm_steal_time), .since = 1 },
	{ "kvm_pv_eoi", MW_FIELD(struct mw_cpu_extra, kvm_pv_eoi), .since = 1 },
	{ "kvm_poll_control", MW_FIELD(struct mw_cpu_extra, kvm_poll_control), .since = 1 },
	{ "other_count", MW_FIELD(struct mw_cpu_extra, other_count), .since = 1 },
	{ "other", MW_STRUCTS(struct mw_cpu_extra, other, msr_rows), .since = 1 },
};

const struct mw_state mw_cpu_rows[] = {
	{ "gpr", MW_ARRAY(struct mw_cpu_state, gpr), .since = 1 },
	{ "rip", MW_FIELD(struct mw_cpu_state, rip), .since = 1 },
	{ "rflags", MW_FIELD(struct mw_cpu_state, rflags), .since = 1 },
	{ "segment", MW_STRUCTS(struct mw_cpu_state, segment, segment_rows), .since = 1 },
	{ "gdt", MW_STRUCT(struct mw_cpu_state, gdt, table_rows), .since = 1 },
	{ "idt", MW_STRUCT(struct mw_cpu_state, idt, table_rows), .since = 1 },
	{ "cr0", MW_FIELD(struct mw_cpu_state, cr0), .since = 1 },
	{ "cr2", MW_FIELD(struct mw_cpu_state, cr2), .since = 1 },
	{ "cr3", MW_FIELD(struct mw_cpu_state, cr3), .since = 1 },
	{ "cr4", MW_FIELD(struct mw_cpu_state, cr4), .since = 1 },
	{ "cr8", MW_FIELD(struct mw_cpu_state, cr8), .since = 1 },
	{ "efer", MW_FIELD(struct mw_cpu_state, efer), .since = 1 },
	{ "apic_base", MW_FIELD(struct mw_cpu_state, apic_base), .since = 1 },
	{ "xcr0", MW_FIELD(struct mw_cpu_state, xcr0), .since = 1 },
	{ "dr", MW_ARRAY(struct mw_cpu_state, dr), .since = 1 },
	{ "dr6", MW_FIELD(struct mw_cpu_state, dr6), .since = 1 },
	{ "dr7", MW_FIELD(struct mw_cpu_state, dr7), .since = 1 },
	{ "star", MW_FIELD(struct mw_cpu_state, star), .since = 1 },
	{ "lstar", MW_FIELD(struct mw_cpu_state, lstar), .since = 1 },
	{ "cstar", MW_FIELD(struct mw_cpu_state, cstar), .since = 1 },
	{ "sfmask", MW_FIELD(struct mw_cpu_state, sfmask), .since = 1 },
	{ "kernel_gs_base", MW_FIELD(struct mw_cpu_state, kernel_gs_base), .since = 1 },
	{ "sysenter_cs", MW_FIELD(struct mw_cpu_state, sysenter_cs), .since = 1 },
	{ "sysenter_esp", MW_FIELD(struct mw_cpu_state, sysenter_esp), .since = 1 },
	{ "sysenter_eip", MW_FIELD(struct mw_cpu_state, sysenter_eip), .since = 1 },
	{ "pat", MW_FIELD(struct mw_cpu_state, pat), .since = 1 },
	{ "tsc", MW_FIELD(struct mw_cpu_state, tsc), .since = 1 },
	{ "tsc_deadline", MW_FIELD(struct mw_cpu_state, tsc_deadline), .since = 1 },
	{ "tsc_aux", MW_FIELD(struct mw_cpu_state, tsc_aux), .since = 1 },
	{ "mtrr_def_type", MW_FIELD(struct mw_cpu_state, mtrr_def_type), .since = 1 },
	{ "fxsave", MW_ARRAY(struct mw_cpu_state, fxsave), .since = 1 },
	{ "xstate", MW_ARRAY(struct mw_cpu_state, xstate), .since = 1 },
	{ "run", MW_FIELD(struct mw_cpu_state, run), .since = 1 },
	{ "nmi_masked", MW_FIELD(struct mw_cpu_state, nmi_masked), .since = 1 },
	{ "nmi_pending", MW_FIELD(struct mw_cpu_state, nmi_pending), .since = 1 },
	{ "interrupt_shadow", MW_FIELD(struct mw_cpu_state, interrupt_shadow), .since = 1 },
	{ "init_pending", MW_FIELD(struct mw_cpu_state, init_pending), .since = 1 },
	{ "sipi_pending", MW_FIELD(struct mw_cpu_state, sipi_pending), .since = 1 },
	{ "sipi_vector", MW_FIELD(struct mw_cpu_state, sipi_vector), .since = 1 },
	{ "interrupt_injected", MW_FIELD(struct mw_cpu_state, interrupt_injected), .since = 1 },
	{ "interrupt_soft", MW_FIELD(struct mw_cpu_state, interrupt_soft), .since = 1 },
	{ "interrupt_vector", MW_FIELD(struct mw_cpu_state, interrupt_vector), .since = 1 },
	{ "exception_injected", MW_FIELD(struct mw_cpu_state, exception_injected), .since = 1 },
	{ "exception_has_code", MW_FIELD(struct mw_cpu_state, exception_has_code), .since = 1 },
	{ "exception_vector", MW_FIELD(struct mw_cpu_state, exception_vector), .since = 1 },
	{ "exception_code", MW_FIELD(struct mw_cpu_state, exception_code), .since = 1 },
	{ "lapic", MW_STRUCT(struct mw_cpu_state, lapic, lapic_rows), .since = 1 },
	{ "extra", MW_STRUCT(struct mw_cpu_state, extra, extra_rows), .since = 1 },
};
const size_t mw_cpu_row_count = sizeof(mw_cpu_rows) / sizeof(mw_cpu_rows[0]);
