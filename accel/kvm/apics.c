/* `irqchip: user`: the machine's local APICs, which KVM does not run here. One mutex guards them all, and is
 * never held in a device. Their timers hang on the machine's clock and have a thread. */
// SPDX-License-Identifier: MIT
#include "accel/kvm/apics.h"

#include <stdlib.h>
#include <time.h>

#include "core/clock.h"
#include "core/thread.h"

#define SECOND_NS UINT64_C(1000000000)
/* A clock that is stepped by hand is looked at as often. */
#define STEPPED_NS UINT64_C(1000000)

static struct kvm_apic *apic_of(void *context, unsigned cpu)
{
	struct kvm_apics *apics = context;

	return &apics->items[cpu];
}

/* With the mutex held. */
static void wake(struct kvm_apics *apics, unsigned cpu)
{
	struct kvm_vm *vm = apics->vm;

	pthread_cond_signal(&apics->items[cpu].wake);
	if (cpu < vm->cpu_count && !apics->items[cpu].asleep)
		kvm_cpu_kick(&vm->cpus[cpu]);
}

static void on_init(void *context, unsigned cpu)
{
	struct kvm_apic *apic = apic_of(context, cpu);

	apic->init = true;
	apic->sipi = false;
	wake(context, cpu);
}

/* SDM vol. 3, 9.4.3: heard by a CPU that waits for it alone. */
static void on_start_up(void *context, unsigned cpu, uint8_t vector)
{
	struct kvm_apic *apic = apic_of(context, cpu);

	if (apic->init || apic->run == MW_CPU_WAIT_SIPI) {
		apic->sipi = true;
		apic->sipi_vector = vector;
		wake(context, cpu);
	}
}

static void on_nmi(void *context, unsigned cpu)
{
	apic_of(context, cpu)->nmi = true;
	wake(context, cpu);
}

/* There is no SMM here. */
static void on_smi(void *context, unsigned cpu)
{
}

static void on_ext_int(void *context, unsigned cpu)
{
	wake(context, cpu);
}

/* The I/O APICs are told when the mutex is free again. */
static void on_end(void *context, unsigned cpu, uint8_t vector)
{
	apic_of(context, cpu)->ended = vector;
}

static void on_changed(void *context, unsigned cpu)
{
	struct kvm_apics *apics = context;
	const struct mw_lapic *lapic = &apics->items[cpu].lapic;

	if (mw_lapic_deadline(lapic) < apics->armed_ns)
		pthread_cond_signal(&apics->timers);
	if (mw_lapic_pending(lapic) >= 0)
		wake(apics, cpu);
}

/* CPUID does not offer that mode of the timer, and KVM keeps the MSR to itself. */
static uint64_t tsc_to_ns(void *context, unsigned cpu, uint64_t tsc)
{
	return MW_LAPIC_NEVER;
}

static const struct mw_lapic_ops lapic_ops = {
	.init = on_init,
	.start_up = on_start_up,
	.nmi = on_nmi,
	.smi = on_smi,
	.ext_int = on_ext_int,
	.end_of_interrupt = on_end,
	.changed = on_changed,
	.tsc_to_ns = tsc_to_ns,
};

uint64_t kvm_apics_now(struct kvm_apics *apics)
{
	return mw_clock_now(mw_machine_clock(apics->vm->machine));
}

static void wait_for(struct kvm_apics *apics, uint64_t wait_ns)
{
	struct timespec until;

	if (apics->vm->plan->accel.manual_clock && wait_ns < STEPPED_NS)
		wait_ns = STEPPED_NS;
	if (wait_ns > 1000 * SECOND_NS) {
		pthread_cond_wait(&apics->timers, &apics->mutex);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	wait_ns += (uint64_t)until.tv_nsec;
	until.tv_sec += (time_t)(wait_ns / SECOND_NS);
	until.tv_nsec = (long)(wait_ns % SECOND_NS);
	pthread_cond_timedwait(&apics->timers, &apics->mutex, &until);
}

/* A stopped machine's clock stands still. */
static void *run_timers(void *argument)
{
	struct kvm_apics *apics = argument;

	pthread_mutex_lock(&apics->mutex);
	while (!apics->quitting) {
		uint64_t now = kvm_apics_now(apics), next = MW_LAPIC_NEVER;

		for (unsigned i = 0; i < apics->count && apics->running; i++) {
			mw_lapic_advance(&apics->items[i].lapic, now);
			if (mw_lapic_deadline(&apics->items[i].lapic) < next)
				next = mw_lapic_deadline(&apics->items[i].lapic);
		}
		apics->armed_ns = next;
		wait_for(apics, next == MW_LAPIC_NEVER ? next : next - now);
	}
	pthread_mutex_unlock(&apics->mutex);
	return NULL;
}

static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

/* Signals are the main thread's. */
static int start_timers(struct kvm_apics *apics)
{
	int error;

	error = mw_thread_create(&apics->thread, run_timers, apics);
	apics->has_thread = !error;
	return error;
}

int kvm_apics_create(struct kvm_vm *vm)
{
	const struct mw_plan_cpu *cpu = &vm->plan->cpu;
	struct kvm_apics *apics = mw_alloc(1, sizeof(*apics));

	vm->apics = apics;
	apics->vm = vm;
	apics->count = cpu->count;
	apics->items = mw_alloc(cpu->count, sizeof(*apics->items));
	apics->armed_ns = MW_LAPIC_NEVER;
	pthread_mutex_init(&apics->mutex, NULL);
	init_condition(&apics->timers);
	mw_lapic_bus_init(&apics->bus, &lapic_ops, apics);
	for (unsigned i = 0; i < apics->count; i++) {
		pthread_cond_init(&apics->items[i].wake, NULL);
		mw_lapic_init(&apics->items[i].lapic, &apics->bus, mw_apic_id(cpu, i));
	}
	kvm_apics_reset(vm);
	return start_timers(apics);
}

void kvm_apics_fini(struct kvm_vm *vm)
{
	struct kvm_apics *apics = vm->apics;

	if (!apics)
		return;
	pthread_mutex_lock(&apics->mutex);
	apics->quitting = true;
	pthread_cond_signal(&apics->timers);
	pthread_mutex_unlock(&apics->mutex);
	if (apics->has_thread)
		pthread_join(apics->thread, NULL);
	for (unsigned i = 0; i < apics->count; i++)
		pthread_cond_destroy(&apics->items[i].wake);
	mw_lapic_bus_fini(&apics->bus);
	pthread_cond_destroy(&apics->timers);
	pthread_mutex_destroy(&apics->mutex);
	free(apics->items);
	free(apics);
	vm->apics = NULL;
}

void kvm_apics_reset(struct kvm_vm *vm)
{
	struct kvm_apics *apics = vm->apics;

	if (!apics)
		return;
	pthread_mutex_lock(&apics->mutex);
	for (unsigned i = 0; i < apics->count; i++) {
		struct kvm_apic *apic = &apics->items[i];

		mw_lapic_reset(&apic->lapic);
		apic->init = apic->sipi = apic->nmi = false;
		apic->ended = -1;
	}
	mw_lapic_pass_intr(&apics->items[0].lapic);
	pthread_mutex_unlock(&apics->mutex);
}

void kvm_apics_run(struct kvm_vm *vm, bool running)
{
	struct kvm_apics *apics = vm->apics;

	if (!apics)
		return;
	pthread_mutex_lock(&apics->mutex);
	apics->running = running;
	pthread_cond_signal(&apics->timers);
	for (unsigned i = 0; i < apics->count; i++)
		pthread_cond_signal(&apics->items[i].wake);
	pthread_mutex_unlock(&apics->mutex);
}

void kvm_apics_intr(struct kvm_vm *vm)
{
	struct kvm_apics *apics = vm->apics;

	pthread_mutex_lock(&apics->mutex);
	mw_lapic_lint(&apics->items[0].lapic, 0, mw_machine_intr(vm->machine));
	pthread_mutex_unlock(&apics->mutex);
}

void kvm_apics_message(struct kvm_vm *vm, uint64_t address, uint32_t data)
{
	struct kvm_apics *apics = vm->apics;

	pthread_mutex_lock(&apics->mutex);
	mw_lapic_message(&apics->bus, address, data);
	pthread_mutex_unlock(&apics->mutex);
}
