/* A CPU's state beyond its registers: the local APIC's page, memory types, machine check, KVM's own MSRs,
 * events on their way, whether it runs. References: api.rst, 4.31 (VCPU_EVENTS), 4.38 (MP_STATE), 4.57
 * (LAPIC), 4.114 (NESTED_STATE); msr.rst. */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { REGISTER_STRIDE = 16, MC_MSRS = 4 * MW_MC_BANKS, EXTRA_MSRS = 80 };
/* Parts that mw_cpu_state has room for: those up to PKRU, not AMX. */
#define XSAVE_PARTS UINT64_C(0x3ff)
#define EFER_SVME   UINT64_C(0x1000)

/** Runs of MSRs with places in a row in mw_cpu_extra. */
static const struct msr_run {
	uint32_t first, step, count;
	size_t offset;
} msr_runs[] = {
	{ 0x250, 1, 1, offsetof(struct mw_cpu_extra, mtrr_fixed[0]) },
	{ 0x258, 1, 2, offsetof(struct mw_cpu_extra, mtrr_fixed[1]) },
	{ 0x268, 1, 8, offsetof(struct mw_cpu_extra, mtrr_fixed[3]) },
	{ 0x200, 2, MW_MTRR_VARIABLE, offsetof(struct mw_cpu_extra, mtrr_base) },
	{ 0x201, 2, MW_MTRR_VARIABLE, offsetof(struct mw_cpu_extra, mtrr_mask) },
	{ 0x17a, 1, 1, offsetof(struct mw_cpu_extra, mcg_status) },
	{ 0x17b, 1, 1, offsetof(struct mw_cpu_extra, mcg_ctl) },
	{ 0x400, 1, MC_MSRS, offsetof(struct mw_cpu_extra, mc) },
	{ 0x1a0, 1, 1, offsetof(struct mw_cpu_extra, misc_enable) },
	{ 0x4b564d00, 1, 1, offsetof(struct mw_cpu_extra, kvm_wall_clock) },
	{ 0x4b564d01, 1, 1, offsetof(struct mw_cpu_extra, kvm_system_time) },
	{ 0x4b564d06, 1, 1, offsetof(struct mw_cpu_extra, kvm_async_pf_int) },
	{ 0x4b564d02, 1, 1, offsetof(struct mw_cpu_extra, kvm_async_pf) },
	{ 0x4b564d03, 1, 1, offsetof(struct mw_cpu_extra, kvm_steal_time) },
	{ 0x4b564d04, 1, 1, offsetof(struct mw_cpu_extra, kvm_pv_eoi) },
	{ 0x4b564d05, 1, 1, offsetof(struct mw_cpu_extra, kvm_poll_control) },
};

/* Their indices, and for each the place; returns how many. */
static size_t list_msrs(struct kvm_msr_entry entries[EXTRA_MSRS], size_t places[EXTRA_MSRS])
{
	size_t count = 0;

	for (size_t i = 0; i < sizeof(msr_runs) / sizeof(msr_runs[0]); i++)
		for (uint32_t k = 0; k < msr_runs[i].count; k++, count++) {
			entries[count] = (struct kvm_msr_entry){ .index = msr_runs[i].first +
									  k * msr_runs[i].step };
			places[count] = msr_runs[i].offset + k * sizeof(uint64_t);
		}
	return count;
}

/* What counts by itself, and KVM's two clocks by their old numbers. */
static bool is_left_out(uint32_t msr)
{
	static const uint32_t left_out[] = { 0x11, 0x12, 0x34, 0xe7, 0xe8, 0x40000010, 0x40000020 };

	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		if (left_out[i] == msr)
			return true;
	return false;
}

static bool has_a_place(uint32_t msr)
{
	for (size_t i = 0; i < sizeof(msr_runs) / sizeof(msr_runs[0]); i++) {
		uint32_t distance = msr - msr_runs[i].first;

		if (distance % msr_runs[i].step == 0 &&
		    distance / msr_runs[i].step < msr_runs[i].count)
			return true;
	}
	return kvm_registers_have(msr) || is_left_out(msr);
}

/* No list of ours: all that KVM has, as far as the guest changed it. */
static void get_others(const struct kvm_cpu *cpu, struct mw_cpu_extra *extra)
{
	const struct kvm_vm *vm = cpu->vm;
	size_t count = vm->reset_msr_count;
	struct kvm_msr_entry *now = mw_alloc(count + 1, sizeof(*now));

	memcpy(now, vm->reset_msrs, count * sizeof(*now));
	kvm_msrs_get_each(cpu->fd, now, count);
	for (size_t i = 0; i < count; i++) {
		if (now[i].data == vm->reset_msrs[i].data || has_a_place(now[i].index))
			continue;
		if (extra->other_count < MW_OTHER_MSRS)
			extra->other[extra->other_count] =
				(struct mw_cpu_msr){ now[i].index, now[i].data };
		extra->other_count++;
	}
	free(now);
}

static bool is_known(const struct kvm_vm *vm, uint32_t msr)
{
	for (size_t i = 0; i < vm->reset_msr_count; i++)
		if (vm->reset_msrs[i].index == msr)
			return true;
	return false;
}

static bool set_others(const struct kvm_cpu *cpu, const struct mw_cpu_extra *extra)
{
	struct kvm_msr_entry entries[MW_OTHER_MSRS];

	if (extra->other_count > MW_OTHER_MSRS)
		return false;
	for (size_t i = 0; i < extra->other_count; i++) {
		entries[i] = (struct kvm_msr_entry){ .index = extra->other[i].index,
						     .data = extra->other[i].value };
		if (!is_known(cpu->vm, entries[i].index))
			return false;
	}
	return kvm_msrs_set_each(cpu->fd, entries, extra->other_count);
}

int kvm_extra_set(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	struct kvm_msr_entry entries[EXTRA_MSRS];
	size_t places[EXTRA_MSRS], count = list_msrs(entries, places);

	if (!state->extra.valid)
		return 0;
	for (size_t i = 0; i < count; i++)
		memcpy(&entries[i].data, (const uint8_t *)&state->extra + places[i],
		       sizeof(uint64_t));
	if (kvm_msrs_set_each(cpu->fd, entries, count) && set_others(cpu, &state->extra))
		return 0;
	errno = EINVAL;
	return -1;
}

int kvm_extra_get(const struct kvm_cpu *cpu, struct mw_cpu_state *state)
{
	struct kvm_msr_entry entries[EXTRA_MSRS];
	size_t places[EXTRA_MSRS], count = list_msrs(entries, places);

	kvm_msrs_get_each(cpu->fd, entries, count);
	for (size_t i = 0; i < count; i++) {
		uint64_t value = entries[i].data;

		memcpy((uint8_t *)&state->extra + places[i], &value, sizeof(value));
	}
	state->extra.valid = true;
	get_others(cpu, &state->extra);
	return 0;
}

int kvm_lapic_set(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	struct kvm_lapic_state page = { 0 };

	if (cpu->vm->apics) {
		kvm_apic_set(cpu, state);
		return 0;
	}
	if (!state->lapic.valid)
		return 0;
	for (size_t i = 0; i < MW_LAPIC_REGISTERS; i++)
		memcpy(page.regs + i * REGISTER_STRIDE, &state->lapic.registers[i],
		       sizeof(uint32_t));
	return ioctl(cpu->fd, KVM_SET_LAPIC, &page);
}

int kvm_lapic_get(const struct kvm_cpu *cpu, struct mw_cpu_state *state)
{
	struct kvm_lapic_state page;

	if (cpu->vm->apics) {
		kvm_apic_get(cpu, state);
		return 0;
	}
	if (ioctl(cpu->fd, KVM_GET_LAPIC, &page) < 0)
		return -1;
	for (size_t i = 0; i < MW_LAPIC_REGISTERS; i++)
		memcpy(&state->lapic.registers[i], page.regs + i * REGISTER_STRIDE,
		       sizeof(uint32_t));
	state->lapic.valid = true;
	return 0;
}

/* On AMD, EFER tells. */
static bool nests(const struct kvm_cpu *cpu)
{
	struct {
		struct kvm_nested_state state;
		uint8_t data[2 * 4096];
	} nested = { .state = { .size = sizeof(nested) } };

	if (!cpu->vm->reset_nested.size || ioctl(cpu->fd, KVM_GET_NESTED_STATE, &nested) < 0)
		return false;
	return nested.state.format == KVM_STATE_NESTED_FORMAT_VMX &&
	       nested.state.hdr.vmx.vmxon_pa != UINT64_MAX;
}

/* Whatever of a CPU is not in the form makes a copy of it useless; it is named. */
bool kvm_cpu_is_complete(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	struct mw_machine *machine = cpu->vm->machine;
	struct kvm_vcpu_events events;
	uint64_t in_use;

	if (state->extra.other_count > MW_OTHER_MSRS) {
		mw_log_line(machine, "kvm: CPU %u has %u MSRs of its own, too many to be saved",
			    cpu->index, state->extra.other_count);
		return false;
	}
	memcpy(&in_use, state->xstate, sizeof(in_use));
	if (in_use & ~XSAVE_PARTS) {
		mw_log_line(machine,
			    "kvm: CPU %u uses XSAVE components 0x%" PRIx64
			    " (AMX), which cannot be saved",
			    cpu->index, in_use & ~XSAVE_PARTS);
		return false;
	}
	if (ioctl(cpu->fd, KVM_GET_VCPU_EVENTS, &events) >= 0 && events.smi.smm) {
		mw_log_line(machine, "kvm: CPU %u is in SMM, which cannot be saved", cpu->index);
		return false;
	}
	if ((state->efer & EFER_SVME) || nests(cpu)) {
		mw_log_line(machine, "kvm: CPU %u is a hypervisor's, which cannot be saved",
			    cpu->index);
		return false;
	}
	return true;
}

/* The SMM part is set as well where KVM has one: it ends SMM, and INIT is latched there. */
int kvm_events_set(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	struct kvm_vcpu_events events = {
		.exception = { .injected = state->exception_injected,
			       .nr = state->exception_vector,
			       .has_error_code = state->exception_has_code,
			       .error_code = state->exception_code },
		.interrupt = { .injected = state->interrupt_injected,
			       .nr = state->interrupt_vector,
			       .soft = state->interrupt_soft,
			       .shadow = state->interrupt_shadow },
		.nmi = { .pending = state->nmi_pending, .masked = state->nmi_masked },
		.sipi_vector = state->sipi_vector,
		.smi = { .latched_init = state->init_pending },
		.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW,
	};

	if (cpu->vm->caps.smm)
		events.flags |= KVM_VCPUEVENT_VALID_SMM;
	if (state->sipi_pending && cpu->vm->chips != KVM_CHIPS_USER)
		events.flags |= KVM_VCPUEVENT_VALID_SIPI_VECTOR;
	return ioctl(cpu->fd, KVM_SET_VCPU_EVENTS, &events);
}

int kvm_events_get(const struct kvm_cpu *cpu, struct mw_cpu_state *state)
{
	struct kvm_vcpu_events events;
	int result = ioctl(cpu->fd, KVM_GET_VCPU_EVENTS, &events);

	if (result < 0)
		return result;
	state->nmi_masked = events.nmi.masked;
	state->nmi_pending = events.nmi.pending || events.nmi.injected;
	state->interrupt_shadow = events.interrupt.shadow;
	state->interrupt_injected = events.interrupt.injected;
	state->interrupt_soft = events.interrupt.injected && events.interrupt.soft;
	state->interrupt_vector = events.interrupt.injected ? events.interrupt.nr : 0;
	state->exception_injected = events.exception.injected;
	if (events.exception.injected) {
		state->exception_vector = events.exception.nr;
		state->exception_has_code = events.exception.has_error_code;
		state->exception_code = events.exception.error_code;
	}
	return 0;
}

static const uint32_t mp_states[] = {
	[MW_CPU_RUNNABLE] = KVM_MP_STATE_RUNNABLE,
	[MW_CPU_HALTED] = KVM_MP_STATE_HALTED,
	[MW_CPU_WAIT_SIPI] = KVM_MP_STATE_INIT_RECEIVED,
	[MW_CPU_UNINITIALISED] = KVM_MP_STATE_UNINITIALIZED,
};
enum { MP_STATES = sizeof(mp_states) / sizeof(mp_states[0]) };

/* Reading first makes KVM act on INIT and SIPI that are still on their way, so none comes later. With
 * local APICs of ours a CPU of KVM's always runs, and whether it does is ours to know. */
int kvm_running_set(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	struct kvm_mp_state now, wanted = { .mp_state = KVM_MP_STATE_RUNNABLE };

	if (cpu->vm->chips == KVM_CHIPS_USER)
		return 0;
	if (state->run < MP_STATES)
		wanted.mp_state = mp_states[state->run];
	if (state->run == MW_CPU_WAIT_SIPI && state->sipi_pending)
		wanted.mp_state = KVM_MP_STATE_SIPI_RECEIVED;
	if (ioctl(cpu->fd, KVM_GET_MP_STATE, &now) < 0)
		return -1;
	return now.mp_state == wanted.mp_state ? 0 : ioctl(cpu->fd, KVM_SET_MP_STATE, &wanted);
}

int kvm_running_get(const struct kvm_cpu *cpu, struct mw_cpu_state *state)
{
	struct kvm_mp_state now;

	if (cpu->vm->chips == KVM_CHIPS_USER)
		return 0;
	if (ioctl(cpu->fd, KVM_GET_MP_STATE, &now) < 0)
		return -1;
	state->run = MW_CPU_RUNNABLE;
	for (size_t i = 0; i < MP_STATES; i++)
		if (mp_states[i] == now.mp_state)
			state->run = (uint32_t)i;
	return 0;
}
