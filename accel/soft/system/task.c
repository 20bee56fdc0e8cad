/** Task switches by hardware: what leaves the old task, and what makes the new one. Reference: SDM vol. 3,
 * 7.2 (structures), 7.3 (the steps), 7.4 (linking). */
// SPDX-License-Identifier: MIT
#include "accel/soft/system/task.h"
#include "accel/soft/integer/flags.h"
#include "accel/soft/system/protected.h"
#include "accel/soft/system/system_internal.h"

/** Where things are in a TSS (SDM vol. 3, figures 7-2 and 7-10). */
struct layout {
	unsigned size; /* of a word */
	unsigned cr3, ip, registers, segments, segment_count, ldt, trap, last;
};
static const struct layout layout_16 = { 2, 0, 14, 18, 34, 4, 42, 0, 0x2b };
static const struct layout layout_32 = { 4, 28, 32, 40, 72, 6, 96, 100, 0x67 };

enum {
	DR7_LOCAL = 0x155, /* L0 to L3 and LE end with the task */
	FLAGS_16 = SOFT_ARITHMETIC | SOFT_TF | SOFT_IF | SOFT_DF | SOFT_IOPL | SOFT_NT,
	FLAGS_32 = FLAGS_16 | SOFT_RF | SOFT_VM | SOFT_AC | SOFT_VIF | SOFT_VIP | SOFT_ID
};

static const struct layout *layout_of(uint16_t attributes)
{
	return attributes & SOFT_TYPE_32 ? &layout_32 : &layout_16;
}

static bool read_word(struct soft_cpu *cpu, uint64_t base, unsigned offset, unsigned size,
		      uint32_t *value)
{
	uint64_t word;

	if (!soft_system_read(cpu, (uint32_t)(base + offset), size, &word))
		return false;
	*value = (uint32_t)word;
	return true;
}

static bool read_state(struct soft_cpu *cpu, const struct layout *layout, uint64_t base,
		       struct soft_task *task)
{
	unsigned size = layout->size;
	uint32_t word = 0;

	*task = (struct soft_task){ .is_32 = layout == &layout_32 };
	if (!read_word(cpu, base, layout->ip, size, &task->eip) ||
	    !read_word(cpu, base, layout->ip + size, size, &task->eflags))
		return false;
	for (unsigned i = 0; i < 8; i++)
		if (!read_word(cpu, base, layout->registers + i * size, size, &task->gpr[i]))
			return false;
	for (unsigned i = 0; i < layout->segment_count; i++) {
		if (!read_word(cpu, base, layout->segments + i * size, 2, &word))
			return false;
		task->segment[i] = (uint16_t)word;
	}
	if (!read_word(cpu, base, layout->ldt, 2, &word))
		return false;
	task->ldt = (uint16_t)word;
	if (!task->is_32)
		return true;
	if (!read_word(cpu, base, layout->trap, 2, &word))
		return false;
	task->trap = word & 1;
	return read_word(cpu, base, layout->cr3, 4, &task->cr3);
}

static bool save_state(struct soft_cpu *cpu, uint32_t eflags)
{
	const struct mw_segment *tr = &cpu->segment[MW_TR];
	const struct layout *layout = layout_of(tr->attributes);
	unsigned size = layout->size;
	uint64_t base = tr->base;

	if (!soft_system_write(cpu, (uint32_t)(base + layout->ip), size, cpu->rip) ||
	    !soft_system_write(cpu, (uint32_t)(base + layout->ip + size), size, eflags))
		return false;
	for (unsigned i = 0; i < 8; i++)
		if (!soft_system_write(cpu, (uint32_t)(base + layout->registers + i * size), size,
				       cpu->gpr[i]))
			return false;
	for (unsigned i = 0; i < layout->segment_count; i++)
		if (!soft_system_write(cpu, (uint32_t)(base + layout->segments + i * size), 2,
				       cpu->segment[i].selector))
			return false;
	return true;
}

/* The descriptor of the task to go to (SDM vol. 3, table 7-1, the first rows). */
static bool find_task(struct soft_cpu *cpu, uint16_t selector, enum soft_task_reason reason,
		      struct soft_descriptor *descriptor)
{
	bool external = reason == SOFT_TASK_GATE, back = reason == SOFT_TASK_IRET;
	enum soft_vector vector = back ? SOFT_TS : SOFT_GP;
	uint32_t error = soft_selector_error(selector, external);
	unsigned type, wanted = SOFT_TYPE_TSS16 | (back ? SOFT_TYPE_BUSY : 0);
	uint16_t attributes;

	if (soft_selector_null(selector) || (selector & 4))
		return soft_refuse(cpu, vector, error);
	if (!soft_descriptor_read(cpu, selector, vector, external, descriptor))
		return false;
	attributes = soft_descriptor_attributes(descriptor);
	type = attributes & (SOFT_SEG_S | SOFT_SEG_TYPE) & ~(unsigned)SOFT_TYPE_32;
	if (type != wanted)
		return soft_refuse(cpu, vector, error);
	if (!(attributes & SOFT_SEG_P))
		return soft_refuse(cpu, SOFT_NP, error);
	if (soft_descriptor_limit(descriptor) < layout_of(attributes)->last)
		return soft_refuse(cpu, SOFT_TS, error);
	return true;
}

static bool set_busy(struct soft_cpu *cpu, struct soft_descriptor *descriptor, bool busy)
{
	uint64_t bit = (uint64_t)SOFT_TYPE_BUSY << 40;

	descriptor->low = busy ? descriptor->low | bit : descriptor->low & ~bit;
	return soft_system_write(cpu, descriptor->linear + 5, 1, descriptor->low >> 40 & 0xff);
}

/* A JMP or IRET leaves the old task available, a JMP, CALL or gate finds the new one so. */
static bool mark_busy(struct soft_cpu *cpu, enum soft_task_reason reason,
		      struct soft_descriptor *task)
{
	uint16_t old = cpu->segment[MW_TR].selector;
	bool nested = reason == SOFT_TASK_CALL || reason == SOFT_TASK_GATE;
	struct soft_descriptor before;

	if (!nested && !soft_selector_null(old) &&
	    (!soft_descriptor_read(cpu, old, SOFT_TS, false, &before) ||
	     !set_busy(cpu, &before, false)))
		return false;
	return reason == SOFT_TASK_IRET || set_busy(cpu, task, true);
}

/* All of the old task's side: nothing has changed but memory when this fails. */
static bool leave_task(struct soft_cpu *cpu, enum soft_task_reason reason,
		       struct soft_descriptor *descriptor)
{
	const struct mw_segment *tr = &cpu->segment[MW_TR];
	uint32_t eflags = (uint32_t)soft_rflags(cpu);
	uint32_t base = (uint32_t)soft_descriptor_base(descriptor);

	if (tr->limit < layout_of(tr->attributes)->last)
		return soft_refuse(cpu, SOFT_TS,
				   soft_selector_error(tr->selector, reason == SOFT_TASK_GATE));
	if (reason == SOFT_TASK_IRET)
		eflags &= ~(uint32_t)SOFT_NT;
	if (!save_state(cpu, eflags))
		return false;
	if ((reason == SOFT_TASK_CALL || reason == SOFT_TASK_GATE) &&
	    !soft_system_write(cpu, base, 2, tr->selector))
		return false;
	return mark_busy(cpu, reason, descriptor);
}

/* Registers that need no check. The segments are not usable yet. */
static void load_registers(struct soft_cpu *cpu, const struct soft_task *task, bool nested)
{
	uint32_t eflags = task->eflags & (task->is_32 ? FLAGS_32 : FLAGS_16);

	for (unsigned i = 0; i < 8; i++)
		cpu->gpr[i] = task->gpr[i];
	for (unsigned i = MW_ES; i <= MW_GS; i++)
		cpu->segment[i] = soft_segment_null(cpu, (enum mw_segment_name)i, task->segment[i]);
	cpu->segment[MW_LDTR] = (struct mw_segment){ .selector = task->ldt };
	cpu->gpr[SOFT_FS_BASE] = cpu->gpr[SOFT_GS_BASE] = 0;
	soft_rflags_set(cpu, eflags | (nested ? SOFT_NT : 0u));
	cpu->rip = task->eip;
	cpu->cr0 |= SOFT_CR0_TS;
	cpu->cpl = soft_v86(cpu) ? 3 : task->segment[MW_CS] & 3;
	cpu->dr7 &= ~(uint64_t)DR7_LOCAL;
	soft_mode_update(cpu);
	soft_debug_update(cpu);
	if ((cpu->rflags & SOFT_IF) && soft_event_waits(cpu))
		soft_look(cpu);
}

static bool load_page_tables(struct soft_cpu *cpu, const struct soft_task *task)
{
	if (!task->is_32 || !(cpu->cr0 & SOFT_CR0_PG))
		return true;
	if ((cpu->cr4 & SOFT_CR4_PAE) && !soft_load_pdptes(cpu, task->cr3))
		return false;
	cpu->cr3 = task->cr3;
	soft_tlb_flush_nonglobal(cpu);
	return true;
}

static bool push_error(struct soft_cpu *cpu, const struct soft_task *task, uint32_t error)
{
	uint64_t word = error;
	struct soft_stack stack;

	soft_stack_current(cpu, false, true, &stack);
	if (!soft_stack_place(cpu, &stack, task->is_32 ? 4 : 2, &word, 1))
		return false;
	cpu->gpr[MW_RSP] = (cpu->gpr[MW_RSP] & ~stack.mask) | stack.pointer;
	return true;
}

bool soft_task_switch(struct soft_cpu *cpu, uint16_t selector, enum soft_task_reason reason,
		      bool has_error, uint32_t error)
{
	bool external = reason == SOFT_TASK_GATE, nested = external || reason == SOFT_TASK_CALL;
	struct soft_descriptor descriptor;
	struct soft_task task;
	uint16_t attributes;

	if (!find_task(cpu, selector, reason, &descriptor))
		return false;
	attributes = soft_descriptor_attributes(&descriptor);
	if (!read_state(cpu, layout_of(attributes), soft_descriptor_base(&descriptor), &task) ||
	    !leave_task(cpu, reason, &descriptor))
		return false;
	soft_segment_set(cpu, MW_TR, soft_descriptor_segment(selector, &descriptor));
	cpu->segment[MW_TR].attributes |= SOFT_TYPE_BUSY;
	load_registers(cpu, &task, nested);
	/* From here on faults are the new task's. */
	if (!load_page_tables(cpu, &task) || !soft_task_segments(cpu, &task, external))
		return false;
	if (has_error && !push_error(cpu, &task, error))
		return false;
	if (task.trap)
		cpu->debug_pending |= SOFT_DR6_BT;
	return true;
}
