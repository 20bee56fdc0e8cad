/* The INTR pin of an 8259 in user space, with the local APICs in the kernel: the boot CPU alone takes it, when
 * KVM says that the CPU would. References: api.rst, 4.16 (INTERRUPT), 5 (request_interrupt_window). */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

/* How often a CPU that is to stop is let in once more for a vector on its way. */
enum { LAST_ROUNDS = 8 };

/* The level is asked for anew before every entry. It may be out of date when it is told, so it is not
 * kept. */
void kvm_intr(void *self, bool level)
{
	struct kvm_vm *vm = self;

	if (vm->chips == KVM_CHIPS_USER)
		kvm_apics_intr(vm);
	else if (vm->chips == KVM_CHIPS_SPLIT && level)
		kvm_cpu_kick(&vm->cpus[0]);
}

/* False where there is nothing to inject after all. */
bool kvm_intr_inject(struct kvm_cpu *cpu, int vector)
{
	struct kvm_interrupt interrupt = { .irq = (uint32_t)vector };

	if (vector < 0)
		return false;
	cpu->run->ready_for_interrupt_injection = 0;
	if (ioctl(cpu->fd, KVM_INTERRUPT, &interrupt) < 0) {
		mw_machine_fail(cpu->vm->machine, "kvm: vector %d is refused: %s", vector,
				strerror(errno));
		return false;
	}
	return true;
}

/* KVM knows whether the local APIC lets INTR through LINT0, and has that in
 * ready_for_interrupt_injection; the window it is asked for opens accordingly. But it does not open for
 * a CPU that halts, so that one must be known to be ready. */
bool kvm_intr_offer(struct kvm_cpu *cpu)
{
	struct kvm_vm *vm = cpu->vm;
	bool asserted = !cpu->index && mw_machine_intr(vm->machine);

	if (asserted && cpu->unknown)
		return false;
	if (asserted && cpu->run->ready_for_interrupt_injection) {
		cpu->offered = kvm_intr_inject(cpu, mw_machine_acknowledge(cpu->actor));
		cpu->last_rounds = LAST_ROUNDS;
		asserted = mw_machine_intr(vm->machine);
	}
	cpu->run->request_interrupt_window = asserted;
	return true;
}

/* KVM neither shows a vector it was given nor takes it back, so it must be in the CPU before a stop. It
 * is not yet when interrupts are allowed and there is still no room for another. */
bool kvm_intr_on_its_way(struct kvm_cpu *cpu)
{
	if (!cpu->offered || !cpu->run->if_flag || cpu->run->ready_for_interrupt_injection)
		return false;
	return cpu->last_rounds && cpu->last_rounds--;
}
