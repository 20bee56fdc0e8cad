/* What the guest did that KVM does not handle itself: every exit reason has a row. Reference:
 * api.rst, 5 (the kvm_run structure). */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

/* Newer than the oldest headers this builds with. */
enum { EXIT_MEMORY_FAULT = 39 };

/** Returns true when the CPU goes on. */
typedef bool exit_handler(struct kvm_cpu *cpu);

static void fail(struct kvm_cpu *cpu, const char *detail);

static bool on_io(struct kvm_cpu *cpu)
{
	const struct kvm_run *run = cpu->run;
	uint8_t *data = (uint8_t *)cpu->run + run->io.data_offset;
	unsigned size = run->io.size;

	/* A string instruction moves `count` items through the same port. */
	for (uint32_t i = 0; i < run->io.count; i++, data += size) {
		uint64_t value = 0;

		if (run->io.direction == KVM_EXIT_IO_OUT) {
			memcpy(&value, data, size);
			mw_port_write(cpu->actor, run->io.port, size, value);
		} else {
			mw_port_read(cpu->actor, run->io.port, size, &value);
			memcpy(data, &value, size);
		}
	}
	return true;
}

unsigned kvm_part_size(uint64_t address, unsigned left)
{
	unsigned size = 8;

	while (size > left || (size < left && address & (size - 1)))
		size /= 2;
	return size;
}

static uint64_t read_memory(struct kvm_cpu *cpu, uint64_t address, unsigned size)
{
	uint64_t value;

	if (kvm_apic_owns(cpu, address))
		return kvm_apic_read(cpu, address);
	mw_memory_read(cpu->actor, address, size, &value);
	return value;
}

static void write_memory(struct kvm_cpu *cpu, uint64_t address, unsigned size, uint64_t value)
{
	if (kvm_apic_owns(cpu, address))
		kvm_apic_write(cpu, address, size, value);
	else
		mw_memory_write(cpu->actor, address, size, value);
}

static bool on_mmio(struct kvm_cpu *cpu)
{
	struct kvm_run *run = cpu->run;
	uint64_t address = run->mmio.phys_addr;
	unsigned size;

	for (unsigned at = 0; at < run->mmio.len; at += size) {
		uint64_t value = 0;

		size = kvm_part_size(address + at, run->mmio.len - at);
		if (run->mmio.is_write) {
			memcpy(&value, run->mmio.data + at, size);
			write_memory(cpu, address + at, size, value);
		} else {
			value = read_memory(cpu, address + at, size);
			memcpy(run->mmio.data + at, &value, size);
		}
	}
	return true;
}

static bool on_eoi(struct kvm_cpu *cpu)
{
	mw_machine_eoi(cpu->actor, cpu->run->eoi.vector);
	return true;
}

/* Shutdown is what a processor does after a triple fault (SDM vol. 3, 6.15, interrupt 8). */
static bool on_shutdown(struct kvm_cpu *cpu)
{
	mw_machine_power(cpu->vm->machine, MW_POWER_TRIPLE_FAULT, 0);
	return false;
}

static bool on_system_event(struct kvm_cpu *cpu)
{
	char detail[64];

	switch (cpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN: mw_machine_power(cpu->vm->machine, MW_POWER_OFF, 0); break;
	case KVM_SYSTEM_EVENT_RESET: mw_machine_power(cpu->vm->machine, MW_POWER_RESET, 0); break;
	case KVM_SYSTEM_EVENT_CRASH: mw_machine_power(cpu->vm->machine, MW_POWER_PANIC, 0); break;
	default:
		snprintf(detail, sizeof(detail), "event type %u", cpu->run->system_event.type);
		fail(cpu, detail);
	}
	return false;
}

/* An MSR that neither KVM nor the plan has: #GP, as on hardware. */
static bool on_msr(struct kvm_cpu *cpu)
{
	cpu->run->msr.error = 1;
	return true;
}

/* A call that no one serves; the guest sees KVM_ENOSYS. */
static bool on_hypercall(struct kvm_cpu *cpu)
{
	cpu->run->hypercall.ret = (uint64_t)-1000;
	return true;
}

/* Only a notice: nothing is asked of us. */
static bool on_notice(struct kvm_cpu *cpu)
{
	return true;
}

static bool on_failure(struct kvm_cpu *cpu)
{
	fail(cpu, "");
	return false;
}

static bool on_halt(struct kvm_cpu *cpu)
{
	if (cpu->vm->apics) {
		kvm_apic_halt(cpu);
		return true;
	}
	fail(cpu, "a CPU halts outside KVM although its APIC is inside");
	return false;
}

static bool on_fail_entry(struct kvm_cpu *cpu)
{
	char detail[80];

	snprintf(detail, sizeof(detail), "hardware reason 0x%" PRIx64 " on host CPU %u",
		 (uint64_t)cpu->run->fail_entry.hardware_entry_failure_reason,
		 cpu->run->fail_entry.cpu);
	fail(cpu, detail);
	return false;
}

static bool on_exception(struct kvm_cpu *cpu)
{
	char detail[64];

	snprintf(detail, sizeof(detail), "exception %u, error code 0x%x", cpu->run->ex.exception,
		 cpu->run->ex.error_code);
	fail(cpu, detail);
	return false;
}

static bool on_memory_fault(struct kvm_cpu *cpu)
{
	uint64_t fault[3]; /* flags, address, size */
	char detail[96];

	memcpy(fault, cpu->run->padding, sizeof(fault));
	snprintf(detail, sizeof(detail),
		 "guest memory 0x%" PRIx64 "+0x%" PRIx64 " is not accessible", fault[1], fault[2]);
	fail(cpu, detail);
	return false;
}

static const char *const internal_errors[] = {
	[KVM_INTERNAL_ERROR_EMULATION] = "an instruction that KVM cannot emulate",
	[KVM_INTERNAL_ERROR_SIMUL_EX] = "simultaneous exceptions",
	[KVM_INTERNAL_ERROR_DELIVERY_EV] = "an exit while an event was delivered",
	[KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON] = "an unexpected reason from the hardware",
};

/* The bytes at RIP by the guest's own page tables; newer kernels also hand them over, but not all. */
static size_t fetch_instruction(struct kvm_cpu *cpu, uint8_t bytes[15])
{
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	size_t count;

	if (ioctl(cpu->fd, KVM_GET_REGS, &regs) < 0 || ioctl(cpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return 0;
	for (count = 0; count < 15; count++) {
		struct kvm_translation at = {
			.linear_address = sregs.cs.base + regs.rip + count,
		};
		const uint8_t *byte;

		if (ioctl(cpu->fd, KVM_TRANSLATE, &at) < 0 || !at.valid)
			break;
		byte = mw_machine_ram(cpu->vm->machine, at.physical_address, 1);
		if (!byte)
			break;
		bytes[count] = *byte;
	}
	return count;
}

static size_t given_instruction(const struct kvm_run *run, uint8_t bytes[15])
{
	uint64_t flags = run->emulation_failure.flags;
	size_t count = run->emulation_failure.insn_size;

	if (run->emulation_failure.ndata < 3 ||
	    !(flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) || count > 15)
		return 0;
	memcpy(bytes, run->emulation_failure.insn_bytes, count);
	return count;
}

static bool on_internal_error(struct kvm_cpu *cpu)
{
	uint32_t error = cpu->run->internal.suberror;
	bool known = error < sizeof(internal_errors) / sizeof(internal_errors[0]);
	const char *text = known ? internal_errors[error] : NULL;
	char detail[160];
	uint8_t bytes[15];
	size_t count = 0;
	int used = snprintf(detail, sizeof(detail), "%s (%u)", text ? text : "suberror", error);

	if (error == KVM_INTERNAL_ERROR_EMULATION) {
		count = given_instruction(cpu->run, bytes);
		if (!count)
			count = fetch_instruction(cpu, bytes);
	}
	for (size_t i = 0; i < count; i++)
		used += snprintf(detail + used, sizeof(detail) - (size_t)used, "%s%02x",
				 i ? " " : ": ", bytes[i]);
	fail(cpu, detail);
	return false;
}

static const struct exit_row {
	uint32_t reason;
	const char *name;
	exit_handler *handle;
} exit_rows[] = {
	{ KVM_EXIT_IO, "IO", on_io },
	{ KVM_EXIT_MMIO, "MMIO", on_mmio },
	{ KVM_EXIT_IOAPIC_EOI, "IOAPIC_EOI", on_eoi },
	{ KVM_EXIT_SHUTDOWN, "SHUTDOWN", on_shutdown },
	{ KVM_EXIT_SYSTEM_EVENT, "SYSTEM_EVENT", on_system_event },
	{ KVM_EXIT_X86_RDMSR, "X86_RDMSR", on_msr },
	{ KVM_EXIT_X86_WRMSR, "X86_WRMSR", on_msr },
	{ KVM_EXIT_HYPERCALL, "HYPERCALL", on_hypercall },
	{ KVM_EXIT_INTR, "INTR", on_notice },
	{ KVM_EXIT_NMI, "NMI", on_notice },
	{ KVM_EXIT_IRQ_WINDOW_OPEN, "IRQ_WINDOW_OPEN", on_notice },
	{ KVM_EXIT_SET_TPR, "SET_TPR", on_notice },
	{ KVM_EXIT_TPR_ACCESS, "TPR_ACCESS", on_notice },
	{ KVM_EXIT_X86_BUS_LOCK, "X86_BUS_LOCK", on_notice },
	{ KVM_EXIT_NOTIFY, "NOTIFY", on_notice },
	{ KVM_EXIT_HLT, "HLT", on_halt },
	{ KVM_EXIT_FAIL_ENTRY, "FAIL_ENTRY", on_fail_entry },
	{ KVM_EXIT_INTERNAL_ERROR, "INTERNAL_ERROR", on_internal_error },
	{ KVM_EXIT_EXCEPTION, "EXCEPTION", on_exception },
	{ EXIT_MEMORY_FAULT, "MEMORY_FAULT", on_memory_fault },
	{ KVM_EXIT_UNKNOWN, "UNKNOWN", on_failure },
	{ KVM_EXIT_DEBUG, "DEBUG", on_failure },
	{ KVM_EXIT_HYPERV, "HYPERV", on_failure },
	{ KVM_EXIT_XEN, "XEN", on_failure },
	{ KVM_EXIT_WATCHDOG, "WATCHDOG", on_failure },
	{ KVM_EXIT_EPR, "EPR", on_failure },
	{ KVM_EXIT_DIRTY_RING_FULL, "DIRTY_RING_FULL", on_failure },
	{ KVM_EXIT_AP_RESET_HOLD, "AP_RESET_HOLD", on_failure },
};

static const struct exit_row *find_row(uint32_t reason)
{
	for (size_t i = 0; i < sizeof(exit_rows) / sizeof(exit_rows[0]); i++)
		if (exit_rows[i].reason == reason)
			return &exit_rows[i];
	return NULL;
}

const char *kvm_exit_name(uint32_t reason)
{
	const struct exit_row *row = find_row(reason);

	return row ? row->name : NULL;
}

bool kvm_exit_handle(struct kvm_cpu *cpu)
{
	const struct exit_row *row = find_row(cpu->run->exit_reason);

	return row ? row->handle(cpu) : on_failure(cpu);
}

static void log_registers(struct kvm_cpu *cpu)
{
	static const char *const names[] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"
	};
	struct mw_machine *machine = cpu->vm->machine;
	struct mw_cpu_state s;

	if (kvm_show_cpu(cpu, &s) != MW_STATUS_OK)
		return;
	mw_log_line(machine, "cpu %u: rip %016" PRIx64 " rflags %08" PRIx64, cpu->index, s.rip,
		    s.rflags);
	for (unsigned i = 0; i < MW_GPR_COUNT; i += 4)
		mw_log_line(machine,
			    "cpu %u: %s %016" PRIx64 " %s %016" PRIx64 " %s %016" PRIx64
			    " %s %016" PRIx64,
			    cpu->index, names[i], s.gpr[i], names[i + 1], s.gpr[i + 1],
			    names[i + 2], s.gpr[i + 2], names[i + 3], s.gpr[i + 3]);
	mw_log_line(machine,
		    "cpu %u: cr0 %" PRIx64 " cr2 %" PRIx64 " cr3 %" PRIx64 " cr4 %" PRIx64
		    " efer %" PRIx64 " xcr0 %" PRIx64,
		    cpu->index, s.cr0, s.cr2, s.cr3, s.cr4, s.efer, s.xcr0);
	mw_log_line(machine,
		    "cpu %u: cs %04x+%" PRIx64 " ss %04x+%" PRIx64 " ds %04x+%" PRIx64
		    " gdt %" PRIx64 "+%x idt %" PRIx64 "+%x",
		    cpu->index, s.segment[MW_CS].selector, s.segment[MW_CS].base,
		    s.segment[MW_SS].selector, s.segment[MW_SS].base, s.segment[MW_DS].selector,
		    s.segment[MW_DS].base, s.gdt.base, s.gdt.limit, s.idt.base, s.idt.limit);
}

static void fail(struct kvm_cpu *cpu, const char *detail)
{
	uint32_t reason = cpu->run->exit_reason;
	const char *name = kvm_exit_name(reason);

	log_registers(cpu);
	mw_machine_fail(cpu->vm->machine, "kvm: CPU %u ended with exit %u, %s%s%s", cpu->index,
			reason, name ? name : "which this version does not know",
			*detail ? ": " : "", detail);
}

void kvm_exit_failed(struct kvm_cpu *cpu, int error)
{
	if (error == EFAULT && cpu->run->exit_reason == EXIT_MEMORY_FAULT) {
		on_memory_fault(cpu);
		return;
	}
	log_registers(cpu);
	mw_machine_fail(cpu->vm->machine, "kvm: CPU %u does not run: %s", cpu->index,
			strerror(error));
}
