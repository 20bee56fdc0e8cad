/* /dev/kvm: opening it, what it offers, and signs that it is a poor one.
 * Reference: Linux Documentation/virt/kvm/api.rst. */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm_internal.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEVICE "/dev/kvm"

static const struct open_error {
	int error;
	const char *text;
} open_errors[] = {
	{ ENOENT, "there is no " DEVICE "; no KVM module is loaded, or a container hides it" },
	{ ENODEV, DEVICE " has no driver; virtualisation is off in the firmware, or no KVM module "
			 "is loaded" },
	{ ENXIO, DEVICE " has no driver; no KVM module is loaded" },
	{ EACCES, "access to " DEVICE " is denied; join the group that owns it, often `kvm`" },
	{ EPERM, "access to " DEVICE " is denied; a sandbox or device policy forbids it" },
	{ EBUSY, DEVICE " is busy; another hypervisor holds the processor's extensions" },
};

static void explain_open(int error, char why[200])
{
	for (size_t i = 0; i < sizeof(open_errors) / sizeof(open_errors[0]); i++) {
		if (open_errors[i].error == error) {
			snprintf(why, 200, "%s", open_errors[i].text);
			return;
		}
	}
	snprintf(why, 200, DEVICE " does not open: %s", strerror(error));
}

/* Nothing works without these; all are in every Linux since 4.11. */
static const struct required_cap {
	int cap;
	const char *name;
} required_caps[] = {
	{ KVM_CAP_USER_MEMORY, "user memory regions" },
	{ KVM_CAP_SET_TSS_ADDR, "a settable TSS address" },
	{ KVM_CAP_EXT_CPUID, "CPUID tables" },
	{ KVM_CAP_MP_STATE, "multiprocessor states" },
	{ KVM_CAP_IRQCHIP, "a local APIC" },
	{ KVM_CAP_SPLIT_IRQCHIP, "a split interrupt chip" },
	{ KVM_CAP_SIGNAL_MSI, "message signalled interrupts" },
	{ KVM_CAP_VCPU_EVENTS, "saved CPU events" },
	{ KVM_CAP_DEBUGREGS, "saved debug registers" },
	{ KVM_CAP_IMMEDIATE_EXIT, "an immediate exit" },
	{ KVM_CAP_READONLY_MEM, "read-only memory" },
};

static bool check_host(int kvm, char why[200])
{
	int version = ioctl(kvm, KVM_GET_API_VERSION, 0);

	if (version != KVM_API_VERSION) {
		snprintf(why, 200, DEVICE " speaks interface version %d, not %d", version,
			 KVM_API_VERSION);
		return false;
	}
	for (size_t i = 0; i < sizeof(required_caps) / sizeof(required_caps[0]); i++) {
		if (ioctl(kvm, KVM_CHECK_EXTENSION, required_caps[i].cap) <= 0) {
			snprintf(why, 200, "this KVM lacks %s; a newer kernel has it",
				 required_caps[i].name);
			return false;
		}
	}
	return true;
}

int kvm_host_open(char why[200])
{
	int kvm = open(DEVICE, O_RDWR | O_CLOEXEC);

	why[0] = '\0';
	if (kvm < 0) {
		int error = errno;

		explain_open(error, why);
		return mw_status_from_errno(error);
	}
	if (!check_host(kvm, why)) {
		close(kvm);
		return MW_STATUS_UNSUPPORTED;
	}
	return kvm;
}

static unsigned number_of(int kvm, int cap, unsigned fallback)
{
	int value = ioctl(kvm, KVM_CHECK_EXTENSION, cap);

	return value > 0 ? (unsigned)value : fallback;
}

static bool has(int kvm, int cap)
{
	return ioctl(kvm, KVM_CHECK_EXTENSION, cap) > 0;
}

/* MAXPHYADDR (SDM vol. 2, CPUID leaf 0x80000008): no guest reaches further than its host. */
static unsigned address_bits(void)
{
	unsigned eax, ebx, ecx, edx;

	return __get_cpuid(0x80000008, &eax, &ebx, &ecx, &edx) ? eax & 0xff : 36;
}

void kvm_host_caps(int kvm, struct mw_accel_caps *caps)
{
	memset(caps, 0, sizeof(*caps));
	caps->pio = true;
	caps->a20 = true; /* an alias slot at 1 MiB */
	caps->msi = has(kvm, KVM_CAP_SIGNAL_MSI);
	caps->ioeventfd = has(kvm, KVM_CAP_IOEVENTFD);
	caps->irqfd = has(kvm, KVM_CAP_IRQFD);
	caps->smm = has(kvm, KVM_CAP_X86_SMM);
	caps->x2apic = has(kvm, KVM_CAP_X2APIC_API);
	caps->synic = has(kvm, KVM_CAP_HYPERV_SYNIC2);
	caps->dirty_log = true;
	caps->readonly_memory = has(kvm, KVM_CAP_READONLY_MEM);
	caps->kernel_irqchip = has(kvm, KVM_CAP_IRQCHIP);
	caps->user_irqchip = true;
	caps->split_irqchip = has(kvm, KVM_CAP_SPLIT_IRQCHIP);
	caps->tsc_deadline = has(kvm, KVM_CAP_TSC_DEADLINE_TIMER);
	caps->max_vcpus = number_of(kvm, KVM_CAP_MAX_VCPUS, number_of(kvm, KVM_CAP_NR_VCPUS, 4));
	caps->gpa_bits = address_bits();
	caps->memslots = number_of(kvm, KVM_CAP_NR_MEMSLOTS, 32);
}

/* Modules that answer as KVM without the processor's extensions behind them. */
static const struct known_module {
	const char *path, *remark;
} known_modules[] = {
	{ "/sys/module/kvm_pvm",
	  "the kvm_pvm module interprets the guest's kernel code, and some instructions fail" },
};

const char *kvm_host_remark(void)
{
	for (size_t i = 0; i < sizeof(known_modules) / sizeof(known_modules[0]); i++)
		if (access(known_modules[i].path, F_OK) == 0)
			return known_modules[i].remark;
	return NULL;
}
