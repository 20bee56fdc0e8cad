/* `irqchip: user`: a CPU's side of its local APIC, on its own thread. References: api.rst, 4.16 (INTERRUPT), 5
 * (cr8, apic_base, the interrupt window); SDM vol. 3, 9.4 (INIT and SIPI), 11.4 (the register page). */
// SPDX-License-Identifier: MIT
#include "accel/kvm/apics.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define APIC_ENABLED UINT64_C(0x800)
#define PAGE_MASK    (~UINT64_C(0xfff))

static struct kvm_apic *apic_of(const struct kvm_cpu *cpu)
{
	return &cpu->vm->apics->items[cpu->index];
}

static void lock(const struct kvm_cpu *cpu)
{
	pthread_mutex_lock(&cpu->vm->apics->mutex);
}

static void unlock(const struct kvm_cpu *cpu)
{
	pthread_mutex_unlock(&cpu->vm->apics->mutex);
}

static void tell_end(struct kvm_cpu *cpu, int vector)
{
	if (vector >= 0)
		mw_machine_eoi(cpu->actor, (uint8_t)vector);
}

/* What the guest did to CR8 and IA32_APIC_BASE without an exit. This thread alone changes those. */
void kvm_apic_after_exit(struct kvm_cpu *cpu)
{
	struct mw_lapic *lapic = &apic_of(cpu)->lapic;
	const struct kvm_run *run = cpu->run;
	bool enabled = run->apic_base & APIC_ENABLED;

	if (mw_lapic_tpr(lapic) >> 4 == run->cr8 && lapic->enabled == enabled)
		return;
	lock(cpu);
	if (mw_lapic_tpr(lapic) >> 4 != run->cr8)
		mw_lapic_set_tpr(lapic, (uint8_t)(run->cr8 << 4));
	mw_lapic_set_base(lapic, run->apic_base);
	unlock(cpu);
}

bool kvm_apic_owns(const struct kvm_cpu *cpu, uint64_t address)
{
	return cpu->vm->apics && !((address ^ cpu->run->apic_base) & PAGE_MASK) &&
	       cpu->run->apic_base & APIC_ENABLED;
}

/* Registers are 32 bits wide and 16 bytes apart; narrower reads take their part. */
uint64_t kvm_apic_read(struct kvm_cpu *cpu, uint64_t address)
{
	uint32_t offset = address & 0xfff;
	uint64_t value;

	lock(cpu);
	value = mw_lapic_read(&apic_of(cpu)->lapic, offset & ~3u, kvm_apics_now(cpu->vm->apics));
	unlock(cpu);
	return value >> 8 * (offset & 3);
}

void kvm_apic_write(struct kvm_cpu *cpu, uint64_t address, unsigned size, uint64_t value)
{
	struct kvm_apic *apic = apic_of(cpu);
	int ended;

	if (address & 3 || size < 4)
		return;
	lock(cpu);
	mw_lapic_write(&apic->lapic, address & 0xfff, (uint32_t)value,
		       kvm_apics_now(cpu->vm->apics));
	ended = apic->ended;
	apic->ended = -1;
	unlock(cpu);
	tell_end(cpu, ended);
}

void kvm_apic_halt(struct kvm_cpu *cpu)
{
	lock(cpu);
	apic_of(cpu)->run = MW_CPU_HALTED;
	unlock(cpu);
}

static bool failed(struct kvm_cpu *cpu, const char *what)
{
	mw_machine_fail(cpu->vm->machine, "kvm: CPU %u takes no %s: %s", cpu->index, what,
			strerror(errno));
	return false;
}

/* False: the machine fails. */
static bool take_signals(struct kvm_cpu *cpu, struct kvm_apic *apic)
{
	if (apic->init) {
		apic->init = false;
		mw_lapic_init_signal(&apic->lapic);
		apic->run = cpu->index ? MW_CPU_WAIT_SIPI : MW_CPU_RUNNABLE;
		if (!kvm_cpu_init(cpu, -1))
			return failed(cpu, "INIT");
		cpu->run->ready_for_interrupt_injection = cpu->run->if_flag = 0;
	}
	if (apic->sipi && apic->run == MW_CPU_WAIT_SIPI) {
		apic->sipi = false;
		apic->run = MW_CPU_RUNNABLE;
		if (!kvm_cpu_init(cpu, apic->sipi_vector))
			return failed(cpu, "SIPI");
	}
	if (apic->nmi && (apic->run == MW_CPU_RUNNABLE || apic->run == MW_CPU_HALTED)) {
		apic->nmi = false;
		apic->run = MW_CPU_RUNNABLE;
		if (ioctl(cpu->fd, KVM_NMI) < 0)
			return failed(cpu, "NMI");
	}
	return true;
}

static bool has_interrupt(const struct kvm_apic *apic)
{
	return mw_lapic_pending(&apic->lapic) >= 0 || mw_lapic_passes_intr(&apic->lapic);
}

static void sleep_until_woken(struct kvm_cpu *cpu, struct kvm_apic *apic)
{
	if (atomic_load(&cpu->vm->halting))
		return;
	apic->asleep = true;
	pthread_cond_wait(&apic->wake, &cpu->vm->apics->mutex);
	apic->asleep = false;
}

/** Where the vector to inject comes from. */
enum source { NONE, LAPIC, CONTROLLER };

/* With the mutex held; the 8259 is asked without. */
static enum source take_interrupt(struct kvm_cpu *cpu, struct kvm_apic *apic, int *vector)
{
	if (!cpu->run->ready_for_interrupt_injection || !has_interrupt(apic))
		return NONE;
	if (mw_lapic_passes_intr(&apic->lapic))
		return CONTROLLER;
	*vector = mw_lapic_acknowledge(&apic->lapic);
	return LAPIC;
}

static bool prepare(struct kvm_cpu *cpu, struct kvm_apic *apic, enum source *source, int *vector)
{
	if (!take_signals(cpu, apic))
		return false;
	if (apic->run == MW_CPU_HALTED && cpu->run->if_flag && has_interrupt(apic))
		apic->run = MW_CPU_RUNNABLE;
	if (apic->run != MW_CPU_RUNNABLE) {
		sleep_until_woken(cpu, apic);
		return false;
	}
	*source = take_interrupt(cpu, apic, vector);
	cpu->run->cr8 = mw_lapic_tpr(&apic->lapic) >> 4;
	cpu->run->request_interrupt_window = has_interrupt(apic);
	return true;
}

/* The 8259's own, and what it asks for afterwards. */
static void acknowledge(struct kvm_cpu *cpu, struct kvm_apic *apic, int *vector)
{
	*vector = mw_machine_acknowledge(cpu->actor);
	lock(cpu);
	cpu->run->request_interrupt_window = has_interrupt(apic);
	unlock(cpu);
}

bool kvm_apic_prepare(struct kvm_cpu *cpu)
{
	struct kvm_apic *apic = apic_of(cpu);
	enum source source = NONE;
	int vector = -1;
	bool runs, finish;

	lock(cpu);
	/* KVM would go on with the instruction it was in, in a CPU that is another. */
	finish = apic->init && cpu->unfinished;
	runs = !finish && prepare(cpu, apic, &source, &vector);
	unlock(cpu);
	if (finish)
		kvm_cpu_finish(cpu);
	if (source == CONTROLLER)
		acknowledge(cpu, apic, &vector);
	if (source != NONE)
		kvm_intr_inject(cpu, vector);
	return runs;
}

void kvm_apic_set(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	struct kvm_apic *apic = apic_of(cpu);

	lock(cpu);
	mw_lapic_set_base(&apic->lapic, state->apic_base);
	if (state->lapic.valid)
		mw_lapic_set_state(&apic->lapic, &state->lapic, kvm_apics_now(cpu->vm->apics));
	else if (mw_lapic_tpr(&apic->lapic) >> 4 != (state->cr8 & 15))
		mw_lapic_set_tpr(&apic->lapic, (uint8_t)(state->cr8 << 4));
	apic->run =
		state->run <= MW_CPU_UNINITIALISED ? (enum mw_cpu_run)state->run : MW_CPU_RUNNABLE;
	apic->init = state->init_pending;
	apic->sipi = state->sipi_pending;
	apic->sipi_vector = state->sipi_vector;
	apic->nmi = false;
	unlock(cpu);
}

void kvm_apic_get(const struct kvm_cpu *cpu, struct mw_cpu_state *state)
{
	struct kvm_apic *apic = apic_of(cpu);
	uint64_t now = kvm_apics_now(cpu->vm->apics);

	lock(cpu);
	mw_lapic_advance(&apic->lapic, now);
	mw_lapic_get_state(&apic->lapic, &state->lapic, now);
	state->run = apic->run;
	state->init_pending = apic->init;
	state->sipi_pending = apic->sipi;
	state->sipi_vector = apic->sipi_vector;
	state->nmi_pending |= apic->nmi;
	unlock(cpu);
}
