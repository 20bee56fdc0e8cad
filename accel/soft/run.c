/* The run loop of one CPU: events between instructions, blocks, and what stops them. Reference: SDM vol. 3,
 * 6.9 (priorities between simultaneous events). */
// SPDX-License-Identifier: MIT
#include "accel/soft/run.h"

#include "accel/soft/decode/block.h"
#include "accel/soft/system/model.h"
#include "accel/soft/system/system.h"
#include "accel/soft/trace.h"

void soft_look(struct soft_cpu *cpu)
{
	cpu->vm->looked = true;
	/* What the quantum still had is taken from it, so that time stays what was run. */
	if (cpu->vm->running == cpu && cpu->left > 0) {
		cpu->vm->quantum -= cpu->left;
		cpu->left = 0;
	}
}

static bool ext_int_waits(const struct soft_cpu *cpu)
{
	return cpu->ext_int || mw_lapic_passes_intr(&cpu->lapic);
}

static bool interrupt_waits(const struct soft_cpu *cpu)
{
	return cpu->rflags & SOFT_IF && (mw_lapic_pending(&cpu->lapic) >= 0 || ext_int_waits(cpu));
}

bool soft_cpu_runnable(struct soft_cpu *cpu)
{
	if (cpu->shutdown)
		return false;
	if (cpu->init_pending || (cpu->wait_sipi && cpu->sipi_pending) || cpu->accepted.waits)
		return true;
	if (cpu->wait_sipi)
		return false;
	return !cpu->halted || (cpu->nmi_pending && !cpu->nmi_masked) || interrupt_waits(cpu);
}

/* The acknowledge cycle for the 8259. Where another thread, or another CPU, was first, its request is gone;
 * the pin follows then. */
static int acknowledge_ext_int(struct soft_cpu *cpu)
{
	int vector = mw_machine_acknowledge(cpu->actor);

	cpu->ext_int = false;
	if (vector < 0)
		mw_lapic_lint(&cpu->lapic, 0, mw_machine_intr(cpu->vm->machine));
	return vector;
}

/* 6.3.1, 11.8.1: what the 8259 asks for has no priority among the local APIC's vectors and goes first. */
static bool take_interrupt(struct soft_cpu *cpu)
{
	int vector = ext_int_waits(cpu) ? acknowledge_ext_int(cpu) : -1;

	if (vector < 0 && mw_lapic_pending(&cpu->lapic) >= 0)
		vector = mw_lapic_acknowledge(&cpu->lapic);
	if (vector < 0)
		return false;
	cpu->halted = false;
	cpu->counters.interrupts++;
	soft_deliver_external(cpu, (uint8_t)vector);
	return true;
}

static bool take_reset_signals(struct soft_cpu *cpu)
{
	if (cpu->init_pending) {
		soft_cpu_init_signal(cpu);
		return true;
	}
	if (cpu->sipi_pending) {
		cpu->sipi_pending = false;
		if (cpu->wait_sipi)
			soft_cpu_start_up(cpu, cpu->sipi_vector);
		return true;
	}
	return false;
}

/* Its flags are as it left them, and a page fault's address is in CR2 already. */
static bool deliver_accepted(struct soft_cpu *cpu)
{
	struct soft_accepted accepted = cpu->accepted;

	cpu->accepted.waits = cpu->halted = false;
	if (!accepted.exception) {
		soft_deliver_external(cpu, accepted.vector);
		return true;
	}
	cpu->fault = (struct soft_fault){ .raised = true,
					  .trap = true,
					  .vector = accepted.vector,
					  .has_error = accepted.has_error,
					  .error = accepted.error,
					  .address = cpu->cr2 };
	soft_deliver(cpu);
	return true;
}

/* True when something was delivered. */
static bool take_event(struct soft_cpu *cpu)
{
	if (SOFT_UNLIKELY(cpu->accepted.waits))
		return deliver_accepted(cpu);
	if (SOFT_UNLIKELY(cpu->init_pending || cpu->sipi_pending) && take_reset_signals(cpu))
		return true;
	if (cpu->shadow || cpu->wait_sipi)
		return false;
	if (SOFT_UNLIKELY(cpu->nmi_pending && !cpu->nmi_masked)) {
		cpu->nmi_pending = cpu->halted = false;
		cpu->nmi_masked = true;
		soft_deliver_external(cpu, SOFT_NMI);
		return true;
	}
	return interrupt_waits(cpu) && take_interrupt(cpu);
}

/* The op that raised is where RIP is taken from; a fetch that faulted has RIP right already. It counts like
 * an instruction: where the handler cannot be fetched either, that ends the quantum. */
static void take_fault(struct soft_cpu *cpu)
{
	if (cpu->stopped) {
		cpu->rip = soft_rip_here(cpu, cpu->stopped);
		soft_refund(cpu, cpu->stopped);
	} else if (!cpu->fault.trap) {
		cpu->left--;
	}
	cpu->chain = NULL;
	cpu->shadow = cpu->shadow_mov = false;
	cpu->counters.exceptions++;
	if (!cpu->vm->stop_on_fault)
		soft_deliver(cpu);
}

static void run_block(struct soft_cpu *cpu, struct soft_block *block)
{
	const struct soft_op *op = block->ops;

	cpu->gpr[SOFT_PAGE_RIP] = cpu->rip - (block->physical & 0xfff);
	cpu->left -= block->count;
	cpu->block = block;
	cpu->stopped = NULL;
	while (op)
		op = op->run(cpu, op);
}

/* A block found behind a same-page branch is entered directly from then on. */
static void chain_block(struct soft_cpu *cpu, struct soft_block *block)
{
	const struct soft_block *from = cpu->block;

	if (cpu->chain && block->kept && !block->dead && block->key == from->key &&
	    ((block->physical ^ from->physical) & SOFT_PAGE_MASK) == 0)
		*cpu->chain = block;
	cpu->chain = NULL;
}

static void run_blocks(struct soft_cpu *cpu)
{
	struct soft_block *block;

	cpu->stopped = NULL;
	block = soft_block_find(cpu);
	if (!block)
		return;
	chain_block(cpu, block);
	if (block->count > cpu->left) {
		/* The end of the quantum; but one that is shorter than a block makes progress too. */
		if (cpu->left >= SOFT_BLOCK_INSTRUCTIONS ||
		    cpu->vm->quantum >= SOFT_BLOCK_INSTRUCTIONS) {
			soft_look(cpu);
			return;
		}
		block = soft_block_single(cpu);
		if (!block)
			return;
	}
	run_block(cpu, block);
}

static void run_single(struct soft_cpu *cpu)
{
	struct soft_block *block;
	int64_t rest;

	cpu->chain = NULL;
	cpu->stopped = NULL;
	if (soft_debug_fetch(cpu, soft_linear_rip(cpu, cpu->rip)))
		return;
	block = soft_block_single(cpu);
	if (!block)
		return;
	if (SOFT_UNLIKELY(cpu->vm->trace != NULL))
		soft_trace_instruction(cpu);
	/* No budget beyond this instruction: a chained successor stops at once. */
	rest = cpu->left - block->count;
	cpu->left -= rest;
	cpu->vm->quantum -= rest;
	cpu->vm->looked = false;
	run_block(cpu, block);
	if (cpu->vm->looked)
		return; /* the turn ends here */
	cpu->vm->quantum += rest;
	cpu->left += rest;
}

static void run_once(struct soft_cpu *cpu)
{
	bool alone = cpu->shadow || cpu->single_step;

	/* 6.8.3: no breakpoint hits behind MOV SS. */
	if (SOFT_UNLIKELY(cpu->shadow_mov))
		cpu->rflags |= SOFT_RF;
	cpu->shadow = cpu->shadow_mov = false;
	if (SOFT_UNLIKELY(alone))
		run_single(cpu);
	else
		run_blocks(cpu);
	if (SOFT_UNLIKELY(cpu->debug_pending) && !cpu->fault.raised)
		soft_debug_step(cpu);
	if (cpu->fault.raised)
		take_fault(cpu);
}

static void begin_quantum(struct soft_cpu *cpu, int64_t instructions)
{
	cpu->vm->running = cpu;
	cpu->vm->quantum = instructions;
	cpu->left = instructions;
	cpu->chain = NULL;
}

static int64_t end_quantum(struct soft_cpu *cpu)
{
	int64_t ran = cpu->vm->quantum - cpu->left;

	cpu->counters.instructions += (uint64_t)ran;
	cpu->vm->instructions += (uint64_t)ran;
	cpu->vm->running = NULL;
	cpu->left = 0;
	return ran;
}

int64_t soft_run_cpu(struct soft_cpu *cpu, int64_t instructions)
{
	begin_quantum(cpu, instructions);
	while (cpu->left > 0 && !cpu->shutdown &&
	       !atomic_load_explicit(&cpu->vm->halting, memory_order_relaxed)) {
		if (take_event(cpu)) {
			cpu->chain = NULL;
			continue;
		}
		if (cpu->halted || cpu->wait_sipi)
			break;
		run_once(cpu);
		if (cpu->vm->stop_on_fault && cpu->fault.raised)
			break;
	}
	return end_quantum(cpu);
}

bool soft_step(struct soft_cpu *cpu)
{
	bool keep = cpu->single_step;

	begin_quantum(cpu, 1);
	if (!take_event(cpu) && !cpu->halted && !cpu->wait_sipi && !cpu->shutdown) {
		cpu->single_step = true;
		run_once(cpu);
		if (cpu->single_step)
			cpu->single_step = keep;
	}
	soft_debug_update(cpu);
	end_quantum(cpu);
	return !cpu->fault.raised;
}
