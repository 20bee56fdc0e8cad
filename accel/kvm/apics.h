/** `irqchip: user`: the local APICs and what they have for their CPUs, shared by apics.c and apic_cpu.c. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_KVM_APICS_H
#define ACCEL_KVM_APICS_H

#include "accel/apic/lapic.h"
#include "accel/kvm/kvm_internal.h"

/** Made with the VM, gone after its CPUs' threads. Everything is under the mutex. */
struct kvm_apics {
	struct kvm_vm *vm;
	pthread_mutex_t mutex;
	pthread_cond_t
		timers; /* the first deadline may be earlier, or the machine starts or ends */
	pthread_t thread;
	bool has_thread, quitting, running;
	uint64_t armed_ns; /* what the thread waits for */
	struct mw_lapic_bus bus;
	unsigned count;
	struct kvm_apic {
		struct mw_lapic lapic;
		pthread_cond_t wake;
		bool asleep;
		enum mw_cpu_run run;
		bool init, sipi, nmi; /* on their way to the CPU */
		uint8_t sipi_vector;
		int ended; /* a level interrupt that the I/O APICs are yet to be told of, or -1 */
	} * items;
};

/** The machine's time. */
uint64_t kvm_apics_now(struct kvm_apics *apics);

#endif
