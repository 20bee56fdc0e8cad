/** The segment registers of a task that has just been switched to. Reference: SDM vol. 3, 7.3, table 7-1. */
// SPDX-License-Identifier: MIT
#include "accel/soft/system/protected.h"
#include "accel/soft/system/task.h"

static bool load_ldt(struct soft_cpu *cpu, uint16_t selector, bool external)
{
	struct mw_segment segment;

	if (soft_selector_null(selector))
		return true;
	if (!soft_ldt_segment(cpu, selector, SOFT_TS, SOFT_TS, external, &segment))
		return false;
	soft_segment_set(cpu, MW_LDTR, segment);
	return true;
}

static bool load_code(struct soft_cpu *cpu, uint16_t selector, bool external)
{
	uint32_t error = soft_selector_error(selector, external);
	struct soft_descriptor descriptor;
	uint16_t attributes;
	bool fits;

	if (soft_selector_null(selector))
		return soft_refuse(cpu, SOFT_TS, error);
	if (!soft_descriptor_read(cpu, selector, SOFT_TS, external, &descriptor))
		return false;
	attributes = soft_descriptor_attributes(&descriptor);
	fits = soft_is_conforming(attributes) ? soft_dpl(attributes) <= cpu->cpl
					      : soft_dpl(attributes) == cpu->cpl;
	if (!soft_is_code(attributes) || !fits)
		return soft_refuse(cpu, SOFT_TS, error);
	if (!(attributes & SOFT_SEG_P))
		return soft_refuse(cpu, SOFT_NP, error);
	if (!soft_descriptor_touch(cpu, &descriptor))
		return false;
	soft_segment_set(cpu, MW_CS, soft_descriptor_segment(selector, &descriptor));
	return true;
}

static bool load_stack(struct soft_cpu *cpu, uint16_t selector, bool external)
{
	struct mw_segment segment;

	if (soft_selector_null(selector))
		return soft_refuse(cpu, SOFT_TS, soft_selector_error(selector, external));
	if (!soft_stack_segment(cpu, selector, cpu->cpl, SOFT_TS, external, &segment))
		return false;
	soft_segment_set(cpu, MW_SS, segment);
	return true;
}

static bool load_data(struct soft_cpu *cpu, const struct soft_task *task, bool external)
{
	static const uint8_t names[] = { MW_DS, MW_ES, MW_FS, MW_GS };
	struct mw_segment segment;

	for (unsigned i = 0; i < 4; i++) {
		uint16_t selector = task->segment[names[i]];

		if (soft_selector_null(selector))
			continue;
		if (!soft_data_segment(cpu, selector, cpu->cpl, SOFT_TS, external, &segment))
			return false;
		soft_segment_set(cpu, (enum mw_segment_name)names[i], segment);
	}
	return true;
}

bool soft_task_segments(struct soft_cpu *cpu, const struct soft_task *task, bool external)
{
	if (soft_v86(cpu))
		for (unsigned i = MW_ES; i <= MW_GS; i++)
			soft_segment_set(cpu, (enum mw_segment_name)i,
					 soft_segment_paragraph_v86(task->segment[i]));
	if (!load_ldt(cpu, task->ldt, external))
		return false;
	if (!soft_v86(cpu) &&
	    (!load_stack(cpu, task->segment[MW_SS], external) ||
	     !load_code(cpu, task->segment[MW_CS], external) || !load_data(cpu, task, external)))
		return false;
	return cpu->rip <= cpu->segment[MW_CS].limit ||
	       soft_refuse(cpu, SOFT_GP, external ? SOFT_ERROR_EXT : 0);
}
