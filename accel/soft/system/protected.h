/** What segments, gates, interrupts, tasks and far transfers share: stacks in the making, targets of a transfer,
 * and the checks of descriptors. References: SDM vol. 3, chapters 5, 6 and 7. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_PROTECTED_H
#define ACCEL_SOFT_PROTECTED_H

#include "accel/soft/memory/memory.h"
#include "accel/soft/system/system.h"

/** Types of system descriptors (SDM vol. 3, table 3-2). */
enum soft_system_type {
	SOFT_TYPE_TSS16 = 1,
	SOFT_TYPE_LDT = 2,
	SOFT_TYPE_BUSY = 2, /* bit of the four kinds of TSS */
	SOFT_TYPE_CALL16 = 4,
	SOFT_TYPE_TASK = 5,
	SOFT_TYPE_INTERRUPT16 = 6,
	SOFT_TYPE_TRAP16 = 7,
	SOFT_TYPE_32 = 8, /* bit: the 32-bit kind; in long mode the 64-bit one */
	SOFT_TYPE_TSS32 = 9,
	SOFT_TYPE_CALL32 = 12,
	SOFT_TYPE_INTERRUPT32 = 14,
	SOFT_TYPE_TRAP32 = 15
};
/** Bits of error codes (SDM vol. 3, 6.13). */
enum { SOFT_ERROR_EXT = 1, SOFT_ERROR_IDT = 2 };

/** soft_raise_error in a form whose result the compiler knows. */
static inline bool soft_refuse(struct soft_cpu *cpu, enum soft_vector vector, uint32_t error)
{
	soft_raise_error(cpu, vector, error);
	return false;
}
static inline uint32_t soft_selector_error(uint16_t selector, bool external)
{
	return (selector & ~3u) | (external ? SOFT_ERROR_EXT : 0);
}
static inline bool soft_selector_null(uint16_t selector)
{
	return !(selector & ~3u);
}
static inline unsigned soft_dpl(uint16_t attributes)
{
	return attributes >> 5 & 3;
}
static inline bool soft_is_code(uint16_t attributes)
{
	return (attributes & (SOFT_SEG_S | SOFT_SEG_CODE)) == (SOFT_SEG_S | SOFT_SEG_CODE);
}
static inline bool soft_is_conforming(uint16_t attributes)
{
	return attributes & SOFT_SEG_DOWN;
}
/** Data that can be written: what SS may hold. */
static inline bool soft_is_stack(uint16_t attributes)
{
	return (attributes & (SOFT_SEG_S | SOFT_SEG_CODE | SOFT_SEG_WRITABLE)) ==
	       (SOFT_SEG_S | SOFT_SEG_WRITABLE);
}
/** Whether code in this segment runs in 64-bit mode. */
static inline bool soft_is_wide(const struct soft_cpu *cpu, uint16_t attributes)
{
	return soft_long_mode(cpu) && (attributes & SOFT_SEG_L);
}

/** Linear addresses are 32 bits wide outside long mode. */
static inline uint64_t soft_system_linear(const struct soft_cpu *cpu, uint64_t linear)
{
	return soft_long_mode(cpu) ? linear : (uint32_t)linear;
}

/** Eight bytes of a table, as supervisor; the TLB first. */
SOFT_INLINE bool soft_table_read(struct soft_cpu *cpu, uint64_t linear, uint64_t *value)
{
	const struct soft_tlb_entry *entry = &cpu->tlbs[0][linear >> 12 & (SOFT_TLB_ENTRIES - 1)];

	if (SOFT_LIKELY(entry->read_tag == soft_tag(cpu, linear, 8))) {
		memcpy(value, (const void *)(uintptr_t)(linear + entry->host), 8);
		return true;
	}
	return soft_system_read(cpu, linear, 8, value);
}

/* address.c */

/** Whether `count` bytes at `offset` lie within the limit of a segment that is usable. */
bool soft_segment_fits(const struct soft_cpu *cpu, const struct mw_segment *segment,
		       uint64_t offset, unsigned count);

/* segment.c */

/** What a real-mode or virtual-8086 load makes of a segment register. */
struct mw_segment soft_segment_paragraph(const struct soft_cpu *cpu, enum mw_segment_name name,
					 uint16_t selector);
struct mw_segment soft_segment_paragraph_v86(uint16_t selector);
/** A segment register that holds a null selector. */
struct mw_segment soft_segment_null(const struct soft_cpu *cpu, enum mw_segment_name name,
				    uint16_t selector);
/** A stack segment for `level`, other than null: `vector` is raised for what is wrong with it, #SS where it is not
 * present. */
bool soft_stack_segment(struct soft_cpu *cpu, uint16_t selector, unsigned level,
			enum soft_vector vector, bool external, struct mw_segment *segment);
/** A segment for DS, ES, FS or GS, other than null, seen from `level`: #NP where it is not present. */
bool soft_data_segment(struct soft_cpu *cpu, uint16_t selector, unsigned level,
		       enum soft_vector vector, bool external, struct mw_segment *segment);
/** The LDT a selector other than null names; `missing` is raised where it is not present. */
bool soft_ldt_segment(struct soft_cpu *cpu, uint16_t selector, enum soft_vector vector,
		      enum soft_vector missing, bool external, struct mw_segment *segment);

/* frame.c */

/** A stack on which a frame is built: nothing of the CPU changes before soft_target_enter. */
struct soft_stack {
	struct mw_segment segment;
	uint64_t pointer, mask;
	bool wide;      /* 64-bit mode: no limits, canonical addresses */
	bool user;      /* whose writes they are */
	uint32_t error; /* of #SS when there is no room */
};
/** The stack in use; `wide` when the frame is for 64-bit code. */
void soft_stack_current(const struct soft_cpu *cpu, bool wide, bool external,
			struct soft_stack *stack);
/** The stack that a 16- or 32-bit TSS holds for a more privileged level. Raises #TS or #SS. */
bool soft_stack_inner(struct soft_cpu *cpu, unsigned level, bool external,
		      struct soft_stack *stack);
/** The same of a 64-bit TSS; `ist` 1 to 7 is a slot of the interrupt stack table, 0 none. */
bool soft_stack_inner_long(struct soft_cpu *cpu, unsigned level, unsigned ist, bool external,
			   struct soft_stack *stack);
/** Pushes words of `size` bytes, the first at the highest address: all are checked before one is written. */
bool soft_stack_place(struct soft_cpu *cpu, struct soft_stack *stack, unsigned size,
		      const uint64_t *words, unsigned count);
/** Reads words from the top of the stack in use, moving nothing. */
bool soft_stack_words(struct soft_cpu *cpu, unsigned size, uint64_t *words, unsigned count);

/* transfer.c */

/** Code that control is about to pass to. */
struct soft_target {
	struct mw_segment cs; /* RPL is the new CPL */
	uint64_t rip;
	unsigned level;
};
/** Sets the parts from a descriptor, with its accessed bit, and RIP, which has to lie within it:
 * else #GP(0), or #GP(EXT). */
bool soft_target_make(struct soft_cpu *cpu, struct soft_target *target, uint16_t selector,
		      struct soft_descriptor *descriptor, unsigned level, uint64_t rip,
		      bool external);
/** The code segment that a gate names (#GP, #NP; SDM vol. 3, 5.8.3 and 6.12.1). Its level is that of the code
 * after entry: DPL, or CPL where it conforms. */
bool soft_gate_code(struct soft_cpu *cpu, uint16_t selector, bool external,
		    struct soft_descriptor *descriptor, unsigned *level);
/** Commits: CS, RIP, CPL, and SS and RSP where a stack is given. */
void soft_target_enter(struct soft_cpu *cpu, const struct soft_target *target,
		       const struct soft_stack *stack);

/* interrupt.c and its parts */

/** An interrupt or exception on its way. */
struct soft_event {
	uint8_t vector;
	bool external; /* EXT in error codes: not INT n, INT3 or INTO */
	bool has_error;
	uint32_t error;
	uint64_t rflags; /* the image that is saved */
};
/** What entering a handler clears: TF, NT, RF, VM, and IF but for trap gates. */
void soft_event_flags(struct soft_cpu *cpu, bool trap);
/** Error code of an entry of the IDT. */
uint32_t soft_event_error(const struct soft_event *event);
bool soft_event_real(struct soft_cpu *cpu, const struct soft_event *event);
bool soft_event_gate(struct soft_cpu *cpu, const struct soft_event *event);
bool soft_event_long(struct soft_cpu *cpu, const struct soft_event *event);
/** INT n in virtual-8086 mode (SDM vol. 3, 20.3.3): raises #GP(0), or enters the program's own handler and sets
 * `done`, or leaves it to the IDT. */
bool soft_event_v86(struct soft_cpu *cpu, uint8_t vector, bool *done);

/* far_transfer.c, far_gate.c, far_return.c: cpu->rip is the next instruction, and on success where
 * execution goes on. */

/** JMP and CALL to a pointer. */
bool soft_far_transfer(struct soft_cpu *cpu, uint16_t selector, uint64_t offset, unsigned size,
		       bool call);
/** Through a call gate whose descriptor was read. */
bool soft_far_gate(struct soft_cpu *cpu, uint16_t selector, const struct soft_descriptor *gate,
		   bool call);
bool soft_far_return(struct soft_cpu *cpu, unsigned size, uint16_t release);
/** far_iret.c */
bool soft_interrupt_return(struct soft_cpu *cpu, unsigned size);
/** The descriptor of the code segment that RETF and IRET go back to. */
bool soft_return_code(struct soft_cpu *cpu, uint16_t selector, struct soft_descriptor *descriptor);
/** The stack that RETF and IRET go back to. */
bool soft_return_stack(struct soft_cpu *cpu, const struct soft_target *target, uint16_t selector,
		       uint64_t pointer, struct soft_stack *stack);
/** Takes away data segments that a less privileged level may not hold. */
void soft_return_data(struct soft_cpu *cpu);

#endif
