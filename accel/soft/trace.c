/* The instruction trace: one line each, with what it changed. The one file that knows Zydis (libZydis 4.0,
 * Disassembler.h). */
// SPDX-License-Identifier: MIT
#include "accel/soft/trace.h"

#include <Zydis/Zydis.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "accel/soft/decode/block.h"
#include "accel/soft/integer/flags.h"
#include "accel/soft/memory/paging.h"
#include "accel/soft/system/system.h"
#include "core/alloc.h"
#include "core/executor.h"

static const char *const register_names[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp",   "rsi",
					      "rdi", "r8",  "r9",  "r10", "r11", "r12",   "r13",
					      "r14", "r15", "es",  "cs",  "ss",  "ds",    "fs",
					      "gs",  "cr0", "cr2", "cr3", "cr4", "rflags" };
enum { REGISTERS = sizeof(register_names) / sizeof(register_names[0]), LONGEST = 15 };
enum { TEXT_COLUMNS = 40 };

/** A trace that goes on: created by soft_trace_begin, used by the CPU thread. */
struct soft_tracer {
	uint64_t left, limit;
	const struct soft_cpu *last; /* whose line is not ended yet */
	uint64_t before[REGISTERS];  /* its registers when the line was begun */
	struct soft_counters counters;
	int text_bytes; /* of the line's end, the instruction in words */
};

static void read_registers(const struct soft_cpu *cpu, uint64_t values[REGISTERS])
{
	size_t at = 0;

	for (unsigned i = 0; i < MW_GPR_COUNT; i++)
		values[at++] = cpu->gpr[i];
	for (unsigned i = MW_ES; i <= MW_GS; i++)
		values[at++] = cpu->segment[i].selector;
	values[at++] = cpu->cr0;
	values[at++] = cpu->cr2;
	values[at++] = cpu->cr3;
	values[at++] = cpu->cr4;
	values[at++] = soft_rflags(cpu);
}

static void end_line(const struct soft_vm *vm)
{
	struct soft_tracer *tracer = vm->tracer;
	const struct soft_cpu *cpu = tracer->last;
	uint64_t after[REGISTERS];
	int room;

	if (!cpu)
		return;
	room = tracer->text_bytes < TEXT_COLUMNS ? TEXT_COLUMNS - tracer->text_bytes + 1 : 1;
	tracer->last = NULL;
	read_registers(cpu, after);
	for (unsigned i = 0; i < REGISTERS; i++)
		if (after[i] != tracer->before[i]) {
			fprintf(vm->trace, "%*s%s=%" PRIx64, room, "", register_names[i], after[i]);
			room = 1;
		}
	if (cpu->counters.exceptions != tracer->counters.exceptions)
		fputs(" (exception)", vm->trace);
	if (cpu->counters.interrupts != tracer->counters.interrupts)
		fputs(" (interrupt)", vm->trace);
	fputc('\n', vm->trace);
}

void soft_trace_begin(struct soft_vm *vm, FILE *out, uint64_t limit)
{
	soft_trace_end(vm);
	if (!limit)
		return;
	vm->tracer = mw_alloc(1, sizeof(*vm->tracer));
	vm->tracer->left = vm->tracer->limit = limit;
	vm->trace = out;
	for (unsigned i = 0; i < vm->cpu_count; i++)
		soft_debug_update(vm->cpus[i]);
}

void soft_trace_end(struct soft_vm *vm)
{
	if (!vm->trace)
		return;
	end_line(vm);
	fflush(vm->trace);
	free(vm->tracer);
	vm->tracer = NULL;
	vm->trace = NULL;
	for (unsigned i = 0; i < vm->cpu_count; i++)
		soft_debug_update(vm->cpus[i]);
}

/* Bytes of RAM at a linear address, to the end of the page. To watch raises no fault; code in a device is not
 * read again. */
static unsigned code_bytes(struct soft_cpu *cpu, uint64_t linear, uint8_t *bytes, unsigned most)
{
	unsigned in_page = SOFT_PAGE_BYTES - (unsigned)(linear & ~SOFT_PAGE_MASK);
	const struct soft_slot *slot;
	struct soft_fault before = cpu->fault;
	uint64_t physical;

	if (!soft_page_find(cpu, linear, cpu->cpl == 3, SOFT_FETCH, &physical)) {
		cpu->fault = before;
		return 0;
	}
	slot = soft_slot_find_for(cpu, physical);
	if (!slot)
		return 0;
	most = most < in_page ? most : in_page;
	memcpy(bytes, slot->host + (physical - slot->base), most);
	return most;
}

/* As the decoder saw it: the second page only where the first one holds no whole instruction. */
static unsigned read_instruction(struct soft_cpu *cpu, uint8_t bytes[LONGEST])
{
	uint64_t linear = soft_linear_rip(cpu, cpu->rip), next;
	unsigned count = code_bytes(cpu, linear, bytes, LONGEST);
	struct soft_insn insn;
	int length = count ? soft_decode_insn(&insn, &cpu->mode, bytes, count) : 0;

	if (length || !count || count == LONGEST)
		return length > 0 ? (unsigned)length : 0;
	next = linear + count;
	count += code_bytes(cpu, soft_64bit(cpu) ? next : (uint32_t)next, bytes + count,
			    LONGEST - count);
	length = soft_decode_insn(&insn, &cpu->mode, bytes, count);
	return length > 0 ? (unsigned)length : 0;
}

static ZydisMachineMode machine_mode(const struct soft_cpu *cpu)
{
	bool compatible = soft_long_mode(cpu);

	switch (cpu->mode.code_bits) {
	case 64: return ZYDIS_MACHINE_MODE_LONG_64;
	case 32:
		return compatible ? ZYDIS_MACHINE_MODE_LONG_COMPAT_32
				  : ZYDIS_MACHINE_MODE_LEGACY_32;
	default: break;
	}
	if (!soft_protected(cpu))
		return ZYDIS_MACHINE_MODE_REAL_16;
	return compatible ? ZYDIS_MACHINE_MODE_LONG_COMPAT_16 : ZYDIS_MACHINE_MODE_LEGACY_16;
}

static const char *mode_name(const struct soft_cpu *cpu)
{
	if (soft_64bit(cpu))
		return "long";
	if (soft_v86(cpu))
		return "v86";
	if (!soft_protected(cpu))
		return "real";
	return soft_long_mode(cpu) ? "compat" : "prot";
}

/* Returns how long the words are that the line ends with. */
static int print_instruction(struct soft_cpu *cpu, FILE *out)
{
	ZydisDisassembledInstruction text;
	uint8_t bytes[LONGEST];
	unsigned length = read_instruction(cpu, bytes);
	int room = 24;

	for (unsigned i = 0; i < length; i++, room -= 3)
		fprintf(out, "%02x ", bytes[i]);
	fprintf(out, "%*s", room > 0 ? room : 0, "");
	if (length &&
	    ZYAN_SUCCESS(ZydisDisassembleIntel(machine_mode(cpu), cpu->rip, bytes, length, &text)))
		return fprintf(out, "%s", text.text);
	return fprintf(out, "?");
}

/* A file that takes no more, a full disk for one, ends the trace and not the machine. */
static bool may_go_on(struct soft_vm *vm)
{
	struct soft_tracer *tracer = vm->tracer;
	uint64_t done = tracer->limit - tracer->left;

	if (ferror(vm->trace))
		mw_log_line(vm->machine,
			    "soft: the trace cannot be written beyond %" PRIu64 " instructions",
			    done);
	else if (!tracer->left)
		mw_log_line(vm->machine,
			    "soft: the trace ends after %" PRIu64 " instructions, its limit", done);
	else
		return true;
	soft_trace_end(vm);
	return false;
}

void soft_trace_instruction(struct soft_cpu *cpu)
{
	struct soft_vm *vm = cpu->vm;
	struct soft_tracer *tracer = vm->tracer;
	uint64_t number = cpu->counters.instructions + (uint64_t)(vm->quantum - cpu->left);

	end_line(vm);
	if (!may_go_on(vm))
		return;
	tracer->left--;
	fprintf(vm->trace, "%u %10" PRIu64 " %s%u/%u %04x:%0*" PRIx64 " ", cpu->index, number,
		mode_name(cpu), cpu->mode.code_bits, cpu->cpl, cpu->segment[MW_CS].selector,
		soft_64bit(cpu) ? 16 : 8, cpu->rip);
	tracer->text_bytes = print_instruction(cpu, vm->trace);
	read_registers(cpu, tracer->before);
	tracer->counters = cpu->counters;
	tracer->last = cpu;
}
