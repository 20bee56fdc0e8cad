/* KVM as an accelerator: the VM, what it is made of, and core's view of it. */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "accel/kvm/kvm_internal.h"

static enum mw_status map(void *self, uint64_t base, uint64_t length, void *host, bool readonly)
{
	struct kvm_vm *vm = self;
	struct kvm_slot slot = { base, length, host, readonly };

	return kvm_slots_map(&vm->slots, &slot);
}

static enum mw_status unmap(void *self, uint64_t base, uint64_t length)
{
	struct kvm_vm *vm = self;

	return kvm_slots_unmap(&vm->slots, base, length);
}

static void identity(void *self, struct mw_cpu_identity *identity)
{
	const struct kvm_vm *vm = self;

	*identity = (struct mw_cpu_identity){ vm->tsc_khz, vm->told, vm->told_count };
}

static const struct mw_executor_ops executor_ops = {
	.map = map,
	.unmap = unmap,
	.reset = kvm_reset,
	.set_cpu = kvm_set_cpu,
	.get_cpu = kvm_get_cpu,
	.get_node = kvm_get_node,
	.set_node = kvm_set_node,
	.identity = identity,
	.get_clock = kvm_get_clock,
	.set_clock = kvm_set_clock,
	.start = kvm_start,
	.stop = kvm_stop,
	.line = kvm_line,
	.msi = kvm_msi,
	.intr = kvm_intr,
	.route = kvm_route,
	.runs_node = kvm_runs_node,
	.collected = kvm_collected,
};

static int set_slot(void *context, unsigned slot, const struct kvm_slot *value)
{
	const struct kvm_vm *vm = context;
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = value->readonly ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = value->base,
		.memory_size = value->length,
		.userspace_addr = (uintptr_t)value->host,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? errno : 0;
}

static bool fail(struct mw_diagnostics *diagnostics, const char *what, int error)
{
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 }, "kvm: %s: %s",
			   what, strerror(error));
	return false;
}

static bool open_host(struct kvm_vm *vm, struct mw_diagnostics *diagnostics)
{
	char why[200];

	vm->kvm = kvm_host_open(why);
	if (vm->kvm < 0) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 }, "%s",
				   why);
		return false;
	}
	kvm_host_caps(vm->kvm, &vm->caps);
	return true;
}

/* Both addresses must be set before the first CPU exists. */
static bool create_vm(struct kvm_vm *vm, struct mw_diagnostics *diagnostics)
{
	uint64_t identity = KVM_IDENTITY_ADDRESS;

	do
		vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	while (vm->fd < 0 && errno == EINTR);
	if (vm->fd < 0)
		return fail(diagnostics,
			    errno == EBUSY ? "another hypervisor holds the processor"
					   : "no virtual machine can be made",
			    errno);
	if (ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0)
		return fail(diagnostics, "the identity map's address is refused", errno);
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, (unsigned long)KVM_TSS_ADDRESS) < 0)
		return fail(diagnostics, "the TSS address is refused", errno);
	vm->slots =
		(struct kvm_slots){ .limit = vm->caps.memslots, .set = set_slot, .context = vm };
	return true;
}

static bool prepare_cpuid(struct kvm_vm *vm, struct mw_diagnostics *diagnostics)
{
	struct mw_cpuid_leaf *supported = mw_alloc(KVM_MAX_LEAVES, sizeof(*supported));
	size_t count;
	bool good;

	if (kvm_cpuid_supported(vm->kvm, supported, &count))
		good = kvm_cpuid_prepare(&vm->cpuid, &vm->plan->cpu, supported, count, diagnostics);
	else
		good = fail(diagnostics, "the supported CPUID leaves cannot be read", errno);
	free(supported);
	return good;
}

static bool check_plan(const struct kvm_vm *vm, struct mw_diagnostics *diagnostics)
{
	const struct mw_plan *plan = vm->plan;

	if (strcmp(plan->arch, "x86_64") != 0) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "A501", plan->accel.span,
				   "kvm runs x86_64 on this host, not %s", plan->arch);
		return false;
	}
	if (plan->cpu.hypervisor == MW_HYPERVISOR_HYPERV) {
		mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "A501", plan->cpu.span,
				   "`hypervisor: hyperv` is not implemented under kvm");
		return false;
	}
	return true;
}

static bool set_executor(struct kvm_vm *vm, struct mw_diagnostics *diagnostics)
{
	struct mw_executor executor = { &executor_ops, vm };
	enum mw_status status = mw_machine_set_executor(vm->machine, executor);

	if (status == MW_STATUS_OK)
		return true;
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "", (struct mw_span){ 0 },
			   "kvm: guest memory cannot be mapped: %s", mw_status_text(status));
	mw_machine_drop_executor(vm->machine);
	return false;
}

static bool set_up(struct kvm_vm *vm, struct mw_diagnostics *diagnostics)
{
	return check_plan(vm, diagnostics) && kvm_chips_choose(vm->plan, &vm->chips, diagnostics) &&
	       open_host(vm, diagnostics) && prepare_cpuid(vm, diagnostics) &&
	       create_vm(vm, diagnostics) && kvm_chips_create(vm, diagnostics) &&
	       kvm_cpus_create(vm, diagnostics) && kvm_threads_create(vm, diagnostics) &&
	       set_executor(vm, diagnostics);
}

static void tear_down(struct kvm_vm *vm)
{
	kvm_threads_join(vm);
	kvm_cpus_fini(vm);
	kvm_chips_fini(vm);
	kvm_slots_fini(&vm->slots);
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->kvm >= 0)
		close(vm->kvm);
	pthread_cond_destroy(&vm->changed);
	pthread_mutex_destroy(&vm->collect.mutex);
	pthread_mutex_destroy(&vm->mutex);
	free(vm);
}

static bool create(struct mw_accel **out, struct mw_machine *machine,
		   struct mw_diagnostics *diagnostics)
{
	struct kvm_vm *vm = mw_alloc(1, sizeof(*vm));
	pthread_condattr_t monotonic;

	*out = NULL;
	vm->machine = machine;
	vm->plan = mw_machine_plan(machine);
	vm->kvm = vm->fd = -1;
	pthread_mutex_init(&vm->mutex, NULL);
	pthread_mutex_init(&vm->collect.mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&vm->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (!set_up(vm, diagnostics)) {
		tear_down(vm);
		return false;
	}
	kvm_collect_create(vm);
	*out = (struct mw_accel *)vm;
	return true;
}

static void destroy(struct mw_accel *accel)
{
	struct kvm_vm *vm = (struct kvm_vm *)accel;

	if (!vm)
		return;
	mw_machine_drop_executor(vm->machine);
	tear_down(vm);
}

static void describe(const struct mw_accel *accel, char *text, size_t capacity)
{
	const struct kvm_vm *vm = (const struct kvm_vm *)accel;

	snprintf(text, capacity, "kvm: %s irqchip, %u CPU%s, TSC %u.%03u GHz",
		 kvm_chips_name(vm->chips), vm->cpu_count, vm->cpu_count == 1 ? "" : "s",
		 vm->tsc_khz / 1000000, vm->tsc_khz / 1000 % 1000);
}

const struct mw_accel_ops mw_accel_kvm = {
	.name = "kvm",
	.summary = "the Linux kernel's hypervisor, /dev/kvm",
	.probe = kvm_probe,
	.look = kvm_look,
	.create = create,
	.destroy = destroy,
	.describe = describe,
};
