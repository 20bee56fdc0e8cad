/* Opcodes that nobody implements: counted, and the first of them named in the log. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>

#include "accel/soft/system/system.h"
#include "accel/soft/vm.h"
#include "core/executor.h"

/* A guest that probes for features runs into #UD on purpose; a few lines tell enough. */
enum { MOST_LINES = 16 };

void soft_note_undefined(struct soft_cpu *cpu, uint64_t rip, const uint8_t *bytes, unsigned length)
{
	char text[40] = "";
	int used = 0;

	if (++cpu->counters.undefined > MOST_LINES)
		return;
	for (unsigned i = 0; i < length && i < 8; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, " %02x", bytes[i]);
	mw_log_line(cpu->vm->machine,
		    "soft: CPU %u raises #UD at %" PRIx64 " for the opcode%s (%u-bit code)%s",
		    cpu->index, rip, text, cpu->mode.code_bits,
		    cpu->counters.undefined == MOST_LINES ? "; more are only counted" : "");
}
