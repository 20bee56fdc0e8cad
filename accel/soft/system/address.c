/** From an offset in a segment to a linear address. References: SDM vol. 3, 5.3 (limits) and 5.5 (types); SDM
 * vol. 1, 3.3.7.1 (canonical addresses). */
// SPDX-License-Identifier: MIT
#include "accel/soft/system/protected.h"

bool soft_segment_fits(const struct soft_cpu *cpu, const struct mw_segment *segment,
		       uint64_t offset, unsigned count)
{
	unsigned kind = SOFT_SEG_S | SOFT_SEG_CODE | SOFT_SEG_DOWN;
	uint64_t last = offset + count - 1;

	if (soft_protected(cpu)) {
		if (!(segment->attributes & SOFT_SEG_P))
			return false;
		if ((segment->attributes & kind) == (SOFT_SEG_S | SOFT_SEG_DOWN))
			return offset > segment->limit &&
			       last <= (segment->attributes & SOFT_SEG_DB ? UINT32_MAX : 0xffff);
	}
	return last <= segment->limit;
}

static bool may_access(const struct soft_cpu *cpu, const struct mw_segment *segment, bool write)
{
	unsigned type = segment->attributes & (SOFT_SEG_CODE | SOFT_SEG_WRITABLE);

	if (!soft_protected(cpu))
		return true;
	return write ? type == SOFT_SEG_WRITABLE : type != SOFT_SEG_CODE;
}

bool soft_segment_address(struct soft_cpu *cpu, enum mw_segment_name name, uint64_t offset,
			  unsigned count, bool write, uint64_t *linear)
{
	const struct mw_segment *segment = &cpu->segment[name];
	bool right;

	if (soft_64bit(cpu)) {
		*linear = (name == MW_FS || name == MW_GS ? segment->base : 0) + offset;
		right = soft_canonical(*linear) && soft_canonical(*linear + count - 1);
	} else {
		*linear = (uint32_t)(segment->base + offset);
		right = soft_segment_fits(cpu, segment, offset, count) &&
			may_access(cpu, segment, write);
	}
	return right || soft_refuse(cpu, name == MW_SS ? SOFT_SS : SOFT_GP, 0);
}
