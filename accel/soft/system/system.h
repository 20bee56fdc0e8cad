/** The system side of a CPU: segments, events, tasks, model-specific registers. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_SYSTEM_H
#define ACCEL_SOFT_SYSTEM_H

#include "accel/soft/cpu.h"

/* stack.c: the current stack, by SS and its width, with limit and canonical checks. They raise #SS, #GP
 * or #PF and return false; RSP changes only on success. */
bool soft_push(struct soft_cpu *cpu, unsigned size, uint64_t value);
bool soft_pop(struct soft_cpu *cpu, unsigned size, uint64_t *value);
/** Reads `size` bytes at `offset` bytes above the top of the stack, moving nothing. */
bool soft_peek(struct soft_cpu *cpu, unsigned size, uint64_t offset, uint64_t *value);
/** Adds to SP, ESP or RSP by the stack's width. */
void soft_stack_adjust(struct soft_cpu *cpu, int64_t bytes);
/** Mask of the stack pointer: 0xffff, 0xffffffff or all ones. */
uint64_t soft_stack_mask(const struct soft_cpu *cpu);

/* address.c: segment base, limit, type and canonical checks of `count` bytes at `offset`. Raises
 * #GP(0), or #SS(0) for SS, and returns false. */
bool soft_segment_address(struct soft_cpu *cpu, enum mw_segment_name name, uint64_t offset,
			  unsigned count, bool write, uint64_t *linear);

/* segment.c */

/** A descriptor as the tables hold it (8 bytes; 16 for system descriptors in long mode). */
struct soft_descriptor {
	uint64_t low, high;
	uint64_t linear; /* where it lies, for the accessed and busy bits */
};
/** Reads the descriptor of a selector from the GDT or LDT. A selector outside its table raises `vector` with
 * the selector (RPL cleared, `external` as EXT) and returns false. */
bool soft_descriptor_read(struct soft_cpu *cpu, uint16_t selector, enum soft_vector vector,
			  bool external, struct soft_descriptor *descriptor);
uint64_t soft_descriptor_base(const struct soft_descriptor *descriptor);
uint32_t soft_descriptor_limit(const struct soft_descriptor *descriptor); /* granularity applied */
uint16_t soft_descriptor_attributes(const struct soft_descriptor *descriptor);
struct mw_segment soft_descriptor_segment(uint16_t selector,
					  const struct soft_descriptor *descriptor);
/** Sets the accessed bit in memory where it is clear. */
bool soft_descriptor_touch(struct soft_cpu *cpu, struct soft_descriptor *descriptor);
/** MOV and POP to ES, SS, DS, FS, GS: real, V86, protected and 64-bit mode. Raises and returns false. */
bool soft_segment_load(struct soft_cpu *cpu, enum mw_segment_name name, uint16_t selector);
/** LLDT, LTR. */
bool soft_ldtr_load(struct soft_cpu *cpu, uint16_t selector);
bool soft_tr_load(struct soft_cpu *cpu, uint16_t selector);

/* interrupt.c: all leave cpu->rip at the handler's first instruction. cpu->rip is what gets pushed. */

/** Delivers cpu->fault and clears it: RIP pushed is cpu->rip, which the run loop has set. Takes care of faults
 * during delivery, #DF, and triple faults (cpu->shutdown). Sets CR2, DR6 and clears what #DB clears. */
void soft_deliver(struct soft_cpu *cpu);
/** An external interrupt or an NMI (vector 2) between instructions. */
void soft_deliver_external(struct soft_cpu *cpu, uint8_t vector);
/** INT n, INT3, INTO: cpu->rip is the next instruction. False: raised. */
bool soft_software_interrupt(struct soft_cpu *cpu, uint8_t vector, bool privileged_check);

/* task.c */
enum soft_task_reason { SOFT_TASK_JUMP, SOFT_TASK_CALL, SOFT_TASK_GATE, SOFT_TASK_IRET };
/** Switches to the TSS of `selector`; cpu->rip must be what the old task resumes at. On success cpu->rip is
 * the new task's. False: raised. `error` is pushed on the new stack when has_error. */
bool soft_task_switch(struct soft_cpu *cpu, uint16_t selector, enum soft_task_reason reason,
		      bool has_error, uint32_t error);

/* msr.c: false: #GP(0) is raised. */
bool soft_msr_read(struct soft_cpu *cpu, uint32_t index, uint64_t *value);
bool soft_msr_write(struct soft_cpu *cpu, uint32_t index, uint64_t value);

/* cpuid.c */
void soft_cpuid(const struct soft_cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t values[4]);

/* debug.c */
/** Called by the run loop before an instruction where DR7 arms execution breakpoints: true when one hits (a #DB
 * fault is raised unless RF is set). */
bool soft_debug_fetch(struct soft_cpu *cpu, uint64_t linear_rip);
/** Called by slow accesses: notes data breakpoints that hit in cpu->debug_pending. */
void soft_debug_access(struct soft_cpu *cpu, uint64_t linear, unsigned size, bool write);
/** Called by port accesses, likewise. */
void soft_debug_port(struct soft_cpu *cpu, uint16_t port, unsigned size);
/** Whether any breakpoint is enabled that covers the page: such pages stay out of the TLB. */
bool soft_debug_covers_page(const struct soft_cpu *cpu, uint64_t linear);
/** Works out cpu->single_step from TF, DR7 and the trace. */
void soft_debug_update(struct soft_cpu *cpu);

/* time.c */
/** Virtual time in ns, and this CPU's TSC, at the running instruction. */
uint64_t soft_now_ns(const struct soft_cpu *cpu);
uint64_t soft_tsc(const struct soft_cpu *cpu);
uint64_t soft_tsc_to_ns(const struct soft_cpu *cpu, uint64_t tsc);

/* reset.c */
void soft_cpu_reset(struct soft_cpu *cpu, bool boot_cpu);
/** INIT and SIPI (SDM vol. 3, 10.1.3 and 9.4). */
void soft_cpu_init_signal(struct soft_cpu *cpu);
void soft_cpu_start_up(struct soft_cpu *cpu, uint8_t vector);
void soft_cpu_set_state(struct soft_cpu *cpu, const struct mw_cpu_state *state);
void soft_cpu_get_state(const struct soft_cpu *cpu, struct mw_cpu_state *state);

/** Interrupts may have become deliverable, or time or modes have changed: the run loop looks as soon as the
 * running block ends. */
void soft_look(struct soft_cpu *cpu);

/** An opcode no table knows: counted, named in the log. */
void soft_note_undefined(struct soft_cpu *cpu, uint64_t rip, const uint8_t *bytes, unsigned length);

#endif
