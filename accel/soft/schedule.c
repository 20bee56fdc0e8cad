/* Turns and time. Virtual time goes on with the instructions run: as the host's clock does, but within
 * limits, so that a slow host's guest still gets something done between two ticks of its timer and delay loops
 * of a fast one's end. Where nothing can run, time passes as it does outside. Under `clock: instructions` it
 * goes on with the instructions and by nothing else, and an idle machine is at its next deadline at once.
 * Devices' timers and those of the local APICs hang on this time alike. */
// SPDX-License-Identifier: MIT
#include "accel/soft/schedule.h"

#include <time.h>

#include "accel/soft/run.h"
#include "accel/soft/system/model.h"
#include "accel/soft/system/system.h"
#include "core/clock.h"
#include "core/machine.h"

enum {
	TURN = 20000,         /* instructions, some 0.2 ms */
	LEAST_TURN = 64,      /* where a deadline need not be met to the instruction */
	LEAST_NS_1024 = 2048, /* 2 ns an instruction, */
	MOST_NS_1024 = 20480, /* and 20 */
	MOST_BEHIND_NS = 1000000,
};

static uint64_t host_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool by_instructions(const struct soft_vm *vm)
{
	return vm->plan->accel.instruction_clock;
}

void soft_time_begin(struct soft_vm *vm)
{
	vm->now_ns = mw_clock_now(mw_machine_clock(vm->machine));
	vm->ns_per_1024 = by_instructions(vm) ? MW_INSTRUCTION_NS * 1024 : LEAST_NS_1024;
	mw_machine_drive_clock(vm->machine);
}

void soft_time_follow(struct soft_vm *vm)
{
	vm->now_ns = mw_clock_now(mw_machine_clock(vm->machine));
}

void soft_time_resume(struct soft_vm *vm)
{
	vm->host_ns = host_ns();
	vm->behind_ns = 0;
	vm->idle = false;
	soft_time_follow(vm);
	for (unsigned i = 0; i < vm->cpu_count; i++)
		soft_kvmclock_update(vm->cpus[i]);
}

void soft_time_rest(struct soft_vm *vm)
{
	mw_clock_step(mw_machine_clock(vm->machine), vm->now_ns);
}

static bool on_cpu_thread(const struct soft_vm *vm)
{
	return vm->has_thread && pthread_equal(pthread_self(), vm->thread);
}

void soft_time_changed(void *self)
{
	struct soft_vm *vm = self;

	if (on_cpu_thread(vm)) {
		if (vm->running)
			soft_look(vm->running);
		return;
	}
	pthread_mutex_lock(&vm->mutex);
	vm->replan = true;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->mutex);
}

/* A block is charged whole on entry and may be left early, so it is its beginning that never goes back. */
uint64_t soft_time_now(void *self)
{
	const struct soft_vm *vm = self;
	const struct soft_cpu *cpu;
	int64_t done;

	if (!on_cpu_thread(vm))
		return 0;
	cpu = vm->running;
	if (!cpu || !cpu->block)
		return vm->now_ns;
	done = vm->quantum - cpu->left - cpu->block->instructions;
	return vm->now_ns + (done > 0 ? (uint64_t)done * vm->ns_per_1024 >> 10 : 0);
}

static int64_t within(int64_t value, int64_t least, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

/* Time goes on evenly, at the rate that the last instructions had. What that is wrong by is made good over
 * the next ones and never at once: a guest measures one clock by another and takes a jump for a fault. */
static void adapt_rate(struct soft_vm *vm)
{
	if (vm->window_ran < TURN)
		return;
	vm->ns_per_1024 =
		(uint64_t)within((vm->window_ns + vm->behind_ns / 2) * 1024 / vm->window_ran,
				 LEAST_NS_1024, MOST_NS_1024);
	vm->window_ran = vm->window_ns = 0;
}

static void pass_turn(struct soft_vm *vm, int64_t ran)
{
	int64_t shown = (int64_t)((uint64_t)ran * vm->ns_per_1024 >> 10), passed;
	uint64_t now;

	vm->now_ns += (uint64_t)shown;
	if (by_instructions(vm))
		return;
	now = host_ns();
	passed = within((int64_t)(now - vm->host_ns), 0, ran * MOST_NS_1024 >> 10);
	vm->host_ns = now;
	vm->window_ran += ran;
	vm->window_ns += passed;
	vm->behind_ns = within(vm->behind_ns + passed - shown, -MOST_BEHIND_NS, MOST_BEHIND_NS);
	adapt_rate(vm);
}

/* What was slept since the last turn counts, whatever ended the sleep; nobody looked at the clock meanwhile. */
static void pass_idle(struct soft_vm *vm)
{
	uint64_t now = host_ns();
	int64_t passed = (int64_t)(now - vm->host_ns) + vm->behind_ns;

	vm->host_ns = now;
	if (by_instructions(vm))
		return;
	vm->behind_ns = passed < 0 ? passed : 0;
	vm->now_ns += passed < 0 ? 0 : (uint64_t)passed;
}

static uint64_t next_deadline(const struct soft_vm *vm)
{
	uint64_t next = mw_clock_next(mw_machine_clock(vm->machine));

	for (unsigned i = 0; i < vm->cpu_count; i++) {
		uint64_t deadline = mw_lapic_deadline(&vm->cpus[i]->lapic);

		next = deadline < next ? deadline : next;
	}
	return next;
}

static void expire(struct soft_vm *vm)
{
	for (unsigned i = 0; i < vm->cpu_count; i++)
		if (mw_lapic_deadline(&vm->cpus[i]->lapic) <= vm->now_ns)
			mw_lapic_advance(&vm->cpus[i]->lapic, vm->now_ns);
	mw_machine_advance(vm->cpus[0]->actor, vm->now_ns);
}

/* Instructions until the next deadline, so that it is met. */
static int64_t turn_for(const struct soft_vm *vm)
{
	uint64_t next = next_deadline(vm), turn;

	/* What is due still was armed in the past, and time has to go on all the same. */
	if (next <= vm->now_ns || next - vm->now_ns >= TURN * vm->ns_per_1024 >> 10)
		return TURN;
	turn = (((next - vm->now_ns) << 10) + vm->ns_per_1024 - 1) / vm->ns_per_1024;
	if (turn < LEAST_TURN && !by_instructions(vm))
		return LEAST_TURN;
	return (int64_t)turn;
}

static void report_shutdown(struct soft_vm *vm, struct soft_cpu *cpu)
{
	if (cpu->shutdown && !cpu->shutdown_told) {
		cpu->shutdown_told = true;
		mw_machine_power(vm->machine, MW_POWER_TRIPLE_FAULT, 0);
	}
}

static uint64_t idle_ns(struct soft_vm *vm)
{
	uint64_t next = next_deadline(vm);

	if (next == UINT64_MAX)
		return UINT64_MAX;
	if (by_instructions(vm) && next > vm->now_ns)
		vm->now_ns = next;
	return next > vm->now_ns ? next - vm->now_ns : 0;
}

uint64_t soft_schedule(struct soft_vm *vm)
{
	bool any = false;

	if (vm->idle)
		pass_idle(vm);
	for (unsigned i = 0; i < vm->cpu_count; i++) {
		struct soft_cpu *cpu = vm->cpus[i];

		if (atomic_load(&vm->halting) || mw_machine_stopping(vm->machine))
			return 0;
		expire(vm);
		if (!soft_cpu_runnable(cpu))
			continue;
		any = true;
		pass_turn(vm, soft_run_cpu(cpu, turn_for(vm)));
		report_shutdown(vm, cpu);
	}
	vm->idle = !any;
	if (any)
		return 0;
	pass_idle(vm);
	return idle_ns(vm);
}
