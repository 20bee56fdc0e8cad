/* Virtual CPUs: making them and putting them back to their reset state. References: api.rst, 4.7
 * (CREATE_VCPU), 4.55 (SET_TSC_KHZ), 4.57 (LAPIC), 4.114 (NESTED_STATE). */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* An APIC id above this needs 32-bit ids in messages and saved APICs. */
enum { LAST_XAPIC_ID = 254 };

static bool fail(struct mw_diagnostics *diagnostics, struct mw_span span, const char *what,
		 int error)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", span, "kvm: %s: %s", what,
			   strerror(error));
	return false;
}

/* A rate the hardware cannot scale to is refused unless it is nearly the host's. */
static bool set_rate(struct kvm_vm *vm, struct kvm_cpu *cpu, struct mw_diagnostics *diagnostics)
{
	uint32_t wanted = vm->plan->cpu.tsc_khz;
	int now = ioctl(cpu->fd, KVM_GET_TSC_KHZ, 0);

	if (wanted && ioctl(cpu->fd, KVM_SET_TSC_KHZ, (unsigned long)wanted) < 0) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "A501", vm->plan->cpu.span,
				   "this host cannot give the guest a TSC of %u kHz; its own runs "
				   "at %d kHz",
				   wanted, now < 0 ? 0 : now);
		return false;
	}
	vm->tsc_khz = wanted ? wanted : now > 0 ? (uint32_t)now : 0;
	return true;
}

static int set_plan_msrs(const struct kvm_vm *vm, const struct kvm_cpu *cpu)
{
	const struct mw_plan_cpu *plan = &vm->plan->cpu;

	for (size_t i = 0; i < plan->msr_count; i++) {
		struct kvm_msr_entry entry = { .index = plan->msrs[i].index,
					       .data = plan->msrs[i].value };

		if (kvm_msrs_set(cpu->fd, &entry, 1) != 1)
			return EINVAL;
	}
	return 0;
}

/* As many banks as mw_cpu_state has, with MCG_CTL, under every accelerator; KVM's own default is 32 without. */
static int set_machine_check(const struct kvm_cpu *cpu)
{
	enum { MCG_CTL_PRESENT = 1 << 8 };
	uint64_t capabilities = MW_MC_BANKS | MCG_CTL_PRESENT;

	return ioctl(cpu->fd, KVM_X86_SETUP_MCE, &capabilities) < 0 ? errno : 0;
}

/* What KVM made is the reset state; it is noted before anything can change it. */
static int note_reset_state(struct kvm_vm *vm, struct kvm_cpu *cpu)
{
	if (vm->chips != KVM_CHIPS_USER && ioctl(cpu->fd, KVM_GET_LAPIC, &cpu->reset_lapic) < 0)
		return errno;
	if (cpu->index)
		return 0;
	vm->reset_nested.size = sizeof(vm->reset_nested);
	if (ioctl(vm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_NESTED_STATE) <= 0 ||
	    ioctl(cpu->fd, KVM_GET_NESTED_STATE, &vm->reset_nested) < 0)
		vm->reset_nested.size = 0;
	return kvm_msrs_capture(vm, cpu->fd) ? 0 : errno;
}

static bool configure(struct kvm_vm *vm, struct kvm_cpu *cpu, struct mw_diagnostics *diagnostics)
{
	struct mw_span span = vm->plan->cpu.span;
	int error;

	if (!set_rate(vm, cpu, diagnostics))
		return false;
	error = kvm_cpuid_install(vm, cpu->index, vm->plan->cpu.tsc_told ? vm->tsc_khz : 0);
	if (error)
		return fail(diagnostics, span, "the CPUID leaves are refused", error);
	error = set_machine_check(cpu);
	if (error)
		return fail(diagnostics, span, "machine check banks are refused", error);
	error = set_plan_msrs(vm, cpu);
	if (error)
		return fail(diagnostics, span, "an MSR of the CPU model is refused", error);
	error = note_reset_state(vm, cpu);
	if (error)
		return fail(diagnostics, span, "a new CPU's state cannot be read", error);
	return true;
}

static bool create_cpu(struct kvm_vm *vm, struct kvm_cpu *cpu, struct mw_diagnostics *diagnostics)
{
	struct mw_span span = vm->plan->cpu.span;
	char name[32];

	/* KVM takes the CPU's number as its APIC id. */
	cpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU,
			(unsigned long)mw_apic_id(&vm->plan->cpu, cpu->index));
	if (cpu->fd < 0)
		return fail(diagnostics, span, "a CPU cannot be made", errno);
	cpu->run = mmap(NULL, vm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
	if (cpu->run == MAP_FAILED) {
		cpu->run = NULL;
		return fail(diagnostics, span, "a CPU's shared page cannot be mapped", errno);
	}
	cpu->xsave = mw_alloc(1, vm->xsave_bytes);
	snprintf(name, sizeof(name), "cpu %u", cpu->index);
	cpu->actor = mw_machine_add_actor(vm->machine, name);
	return configure(vm, cpu, diagnostics);
}

static bool check_count(struct kvm_vm *vm, struct mw_diagnostics *diagnostics)
{
	const struct mw_plan_cpu *cpu = &vm->plan->cpu;
	struct kvm_enable_cap wide = {
		.cap = KVM_CAP_X2APIC_API,
		.args = { KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK },
	};

	if (cpu->count > vm->caps.max_vcpus) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "A501", cpu->span,
				   "this host's KVM runs at most %u CPUs, not %u",
				   vm->caps.max_vcpus, cpu->count);
		return false;
	}
	if (vm->chips == KVM_CHIPS_USER && mw_apic_id(cpu, cpu->count - 1) > LAST_XAPIC_ID) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "A501", cpu->span,
				   "`irqchip: user` has no APIC ids above 254, which %u CPUs want",
				   cpu->count);
		return false;
	}
	if (mw_apic_id(cpu, cpu->count - 1) > LAST_XAPIC_ID &&
	    ioctl(vm->fd, KVM_ENABLE_CAP, &wide) < 0)
		return fail(diagnostics, cpu->span, "APIC ids above 254 are refused", errno);
	return true;
}

static bool read_sizes(struct kvm_vm *vm, struct mw_diagnostics *diagnostics)
{
	int run_bytes = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	int xsave_bytes = ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2);

	if (run_bytes < (int)sizeof(struct kvm_run))
		return fail(diagnostics, (struct mw_span){ 0 }, "a CPU's shared page has no size",
			    EINVAL);
	vm->run_bytes = (size_t)run_bytes;
	vm->xsave_bytes = sizeof(struct kvm_xsave);
	if (xsave_bytes > 0 && (size_t)xsave_bytes > vm->xsave_bytes)
		vm->xsave_bytes = (size_t)xsave_bytes;
	return true;
}

bool kvm_cpus_create(struct kvm_vm *vm, struct mw_diagnostics *diagnostics)
{
	if (!check_count(vm, diagnostics) || !read_sizes(vm, diagnostics))
		return false;
	vm->cpus = mw_alloc(vm->plan->cpu.count, sizeof(*vm->cpus));
	while (vm->cpu_count < vm->plan->cpu.count) {
		struct kvm_cpu *cpu = &vm->cpus[vm->cpu_count];

		cpu->vm = vm;
		cpu->index = vm->cpu_count++;
		if (!create_cpu(vm, cpu, diagnostics))
			return false;
	}
	return true;
}

void kvm_cpus_fini(struct kvm_vm *vm)
{
	for (unsigned i = 0; i < vm->cpu_count; i++) {
		struct kvm_cpu *cpu = &vm->cpus[i];

		if (cpu->run)
			munmap(cpu->run, vm->run_bytes);
		if (cpu->fd >= 0)
			close(cpu->fd);
		free(cpu->xsave);
	}
	free(vm->cpus);
	free(vm->told);
	free(vm->reset_msrs);
	vm->cpus = NULL;
	vm->reset_msrs = NULL;
	vm->told = NULL;
	vm->cpu_count = 0;
}

/* What the kernel holds beyond mw_cpu_state. The APIC's base is back already, so its registers
 * land in the mode they were noted in. */
static enum mw_status reset_kernel_state(struct kvm_vm *vm, struct kvm_cpu *cpu)
{
	if (vm->reset_nested.size && ioctl(cpu->fd, KVM_SET_NESTED_STATE, &vm->reset_nested) < 0)
		return mw_status_from_errno(errno);
	if (vm->chips != KVM_CHIPS_USER && ioctl(cpu->fd, KVM_SET_LAPIC, &cpu->reset_lapic) < 0)
		return mw_status_from_errno(errno);
	kvm_msrs_reset(vm, cpu->fd);
	return MW_STATUS_OK;
}

/* A shutdown makes KVM on AMD forget the root of its page tables unless the guest had paging on, and
 * registers that are set to what they are do not bring it back (Linux 6.1, shutdown_interception).
 * Another CR3 does, whatever it is. */
static enum mw_status reload_page_tables(struct kvm_vm *vm, unsigned index)
{
	struct mw_cpu_state state;

	mw_cpu_state_reset(&state, index == 0);
	state.cr3 = 0x1000;
	return kvm_set_cpu(vm, index, &state);
}

/* A new CPU is in its reset state but for the few registers that mw_cpu_state sets. */
static enum mw_status reset_cpu(struct kvm_vm *vm, struct kvm_cpu *cpu)
{
	struct mw_cpu_state state;
	enum mw_status status = MW_STATUS_OK;

	mw_cpu_state_reset(&state, cpu->index == 0);
	if (vm->touched)
		status = reload_page_tables(vm, cpu->index);
	if (!status)
		status = kvm_set_cpu(vm, cpu->index, &state);
	if (!status && vm->touched)
		status = reset_kernel_state(vm, cpu);
	cpu->unfinished = cpu->offered = false;
	return status;
}

enum mw_status kvm_reset(void *self)
{
	struct kvm_vm *vm = self;
	enum mw_status status = vm->touched ? kvm_chips_reset(vm) : MW_STATUS_OK;

	for (unsigned i = 0; i < vm->cpu_count && !status; i++)
		status = reset_cpu(vm, &vm->cpus[i]);
	vm->touched = false;
	vm->clock_ns = 0;
	return status;
}
