/* A CPU's registers between core's form and KVM's, and the order of all its state's parts. References:
 * api.rst, 4.11-4.14 (SREGS), 4.18 (MSRs), 4.33 (DEBUGREGS), 4.42 (XSAVE), 4.44 (XCRS). */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

/* SDM vol. 1, 13.4: the legacy area, then the header, whose first word says which parts follow. */
enum { XSAVE_HEADER = 512, XSAVE_X87_AND_SSE = 3 };

static const struct gpr_row {
	enum mw_gpr gpr;
	size_t offset;
} gpr_rows[] = {
	{ MW_RAX, offsetof(struct kvm_regs, rax) }, { MW_RBX, offsetof(struct kvm_regs, rbx) },
	{ MW_RCX, offsetof(struct kvm_regs, rcx) }, { MW_RDX, offsetof(struct kvm_regs, rdx) },
	{ MW_RSI, offsetof(struct kvm_regs, rsi) }, { MW_RDI, offsetof(struct kvm_regs, rdi) },
	{ MW_RSP, offsetof(struct kvm_regs, rsp) }, { MW_RBP, offsetof(struct kvm_regs, rbp) },
	{ MW_R8, offsetof(struct kvm_regs, r8) },   { MW_R9, offsetof(struct kvm_regs, r9) },
	{ MW_R10, offsetof(struct kvm_regs, r10) }, { MW_R11, offsetof(struct kvm_regs, r11) },
	{ MW_R12, offsetof(struct kvm_regs, r12) }, { MW_R13, offsetof(struct kvm_regs, r13) },
	{ MW_R14, offsetof(struct kvm_regs, r14) }, { MW_R15, offsetof(struct kvm_regs, r15) },
};

static const struct segment_row {
	enum mw_segment_name name;
	size_t offset;
} segment_rows[] = {
	{ MW_ES, offsetof(struct kvm_sregs, es) }, { MW_CS, offsetof(struct kvm_sregs, cs) },
	{ MW_SS, offsetof(struct kvm_sregs, ss) }, { MW_DS, offsetof(struct kvm_sregs, ds) },
	{ MW_FS, offsetof(struct kvm_sregs, fs) }, { MW_GS, offsetof(struct kvm_sregs, gs) },
	{ MW_TR, offsetof(struct kvm_sregs, tr) }, { MW_LDTR, offsetof(struct kvm_sregs, ldt) },
};

/** MSRs that have a place in mw_cpu_state. The TSC and its deadline are clock.c's at the next start; here
 * the TSC is for a KVM that knows no offset. */
static const struct msr_row {
	uint32_t index;
	size_t offset;
} msr_rows[] = {
	{ 0x174, offsetof(struct mw_cpu_state, sysenter_cs) },
	{ 0x175, offsetof(struct mw_cpu_state, sysenter_esp) },
	{ 0x176, offsetof(struct mw_cpu_state, sysenter_eip) },
	{ 0x277, offsetof(struct mw_cpu_state, pat) },
	{ 0x2ff, offsetof(struct mw_cpu_state, mtrr_def_type) },
	{ 0xc0000081, offsetof(struct mw_cpu_state, star) },
	{ 0xc0000082, offsetof(struct mw_cpu_state, lstar) },
	{ 0xc0000083, offsetof(struct mw_cpu_state, cstar) },
	{ 0xc0000084, offsetof(struct mw_cpu_state, sfmask) },
	{ 0xc0000102, offsetof(struct mw_cpu_state, kernel_gs_base) },
	{ 0xc0000103, offsetof(struct mw_cpu_state, tsc_aux) },
	{ 0x10, offsetof(struct mw_cpu_state, tsc) },
};
enum { MSR_ROWS = sizeof(msr_rows) / sizeof(msr_rows[0]) };

#define EACH(row, rows) (size_t row = 0; (row) < sizeof(rows) / sizeof((rows)[0]); (row)++)

static uint64_t load(const void *base, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const uint8_t *)base + offset, sizeof(value));
	return value;
}

static void store(void *base, size_t offset, uint64_t value)
{
	memcpy((uint8_t *)base + offset, &value, sizeof(value));
}

static struct kvm_segment segment_to_kvm(const struct mw_segment *from)
{
	unsigned bits = from->attributes;

	return (struct kvm_segment){
		.base = from->base,
		.limit = from->limit,
		.selector = from->selector,
		.type = bits & 0xf,
		.s = bits >> 4 & 1,
		.dpl = bits >> 5 & 3,
		.present = bits >> 7 & 1,
		.avl = bits >> 12 & 1,
		.l = bits >> 13 & 1,
		.db = bits >> 14 & 1,
		.g = bits >> 15 & 1,
		.unusable = !(bits >> 7 & 1),
	};
}

static struct mw_segment segment_from_kvm(const struct kvm_segment *from)
{
	bool present = from->present && !from->unusable;
	unsigned bits = (unsigned)(from->type & 0xf) | (unsigned)(from->s & 1) << 4 |
			(unsigned)(from->dpl & 3) << 5 | (unsigned)present << 7 |
			(unsigned)(from->avl & 1) << 12 | (unsigned)(from->l & 1) << 13 |
			(unsigned)(from->db & 1) << 14 | (unsigned)(from->g & 1) << 15;

	return (struct mw_segment){ from->selector, (uint16_t)bits, from->limit, from->base };
}

static void sregs_to_kvm(const struct mw_cpu_state *state, struct kvm_sregs *sregs)
{
	memset(sregs, 0, sizeof(*sregs));
	for
		EACH(i, segment_rows)
		{
			struct kvm_segment segment =
				segment_to_kvm(&state->segment[segment_rows[i].name]);

			memcpy((uint8_t *)sregs + segment_rows[i].offset, &segment,
			       sizeof(segment));
		}
	sregs->gdt = (struct kvm_dtable){ .base = state->gdt.base, .limit = state->gdt.limit };
	sregs->idt = (struct kvm_dtable){ .base = state->idt.base, .limit = state->idt.limit };
	sregs->cr0 = state->cr0;
	sregs->cr2 = state->cr2;
	sregs->cr3 = state->cr3;
	sregs->cr4 = state->cr4;
	sregs->cr8 = state->cr8;
	sregs->efer = state->efer;
	sregs->apic_base = state->apic_base;
}

static void sregs_from_kvm(const struct kvm_sregs *sregs, struct mw_cpu_state *state)
{
	for
		EACH(i, segment_rows)
		{
			struct kvm_segment segment;

			memcpy(&segment, (const uint8_t *)sregs + segment_rows[i].offset,
			       sizeof(segment));
			state->segment[segment_rows[i].name] = segment_from_kvm(&segment);
		}
	state->gdt = (struct mw_table_register){ sregs->gdt.base, sregs->gdt.limit };
	state->idt = (struct mw_table_register){ sregs->idt.base, sregs->idt.limit };
	state->cr0 = sregs->cr0;
	state->cr2 = sregs->cr2;
	state->cr3 = sregs->cr3;
	state->cr4 = sregs->cr4;
	state->cr8 = sregs->cr8;
	state->efer = sregs->efer;
	state->apic_base = sregs->apic_base;
}

static int set_general(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	struct kvm_regs regs = { .rip = state->rip, .rflags = state->rflags };

	for
		EACH(i, gpr_rows)
	store(&regs, gpr_rows[i].offset, state->gpr[gpr_rows[i].gpr]);
	return ioctl(cpu->fd, KVM_SET_REGS, &regs);
}

static int get_general(const struct kvm_cpu *cpu, struct mw_cpu_state *state)
{
	struct kvm_regs regs;
	int result = ioctl(cpu->fd, KVM_GET_REGS, &regs);

	if (result < 0)
		return result;
	for
		EACH(i, gpr_rows)
	state->gpr[gpr_rows[i].gpr] = load(&regs, gpr_rows[i].offset);
	state->rip = regs.rip;
	state->rflags = regs.rflags;
	return 0;
}

static int set_system(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	struct kvm_sregs sregs;

	sregs_to_kvm(state, &sregs);
	return ioctl(cpu->fd, KVM_SET_SREGS, &sregs);
}

static int get_system(const struct kvm_cpu *cpu, struct mw_cpu_state *state)
{
	struct kvm_sregs sregs;
	int result = ioctl(cpu->fd, KVM_GET_SREGS, &sregs);

	if (result >= 0)
		sregs_from_kvm(&sregs, state);
	return result;
}

static int set_fpu(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	uint8_t *area = (uint8_t *)cpu->xsave;
	struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs = { { .xcr = 0, .value = state->xcr0 } } };

	/* Without XSAVE there is no XCR0 to set; its only value is then 1. */
	if (ioctl(cpu->fd, KVM_SET_XCRS, &xcrs) < 0 && state->xcr0 != 1)
		return -1;
	memset(area, 0, cpu->vm->xsave_bytes);
	memcpy(area, state->fxsave, sizeof(state->fxsave));
	memcpy(area + XSAVE_HEADER, state->xstate, sizeof(state->xstate));
	area[XSAVE_HEADER] |= XSAVE_X87_AND_SSE;
	return ioctl(cpu->fd, KVM_SET_XSAVE, cpu->xsave);
}

static int get_fpu(const struct kvm_cpu *cpu, struct mw_cpu_state *state)
{
	struct kvm_xcrs xcrs = { 0 };
	bool large = cpu->vm->xsave_bytes > sizeof(struct kvm_xsave);

	state->xcr0 = 1;
	if (ioctl(cpu->fd, KVM_GET_XCRS, &xcrs) >= 0)
		for (uint32_t i = 0; i < xcrs.nr_xcrs; i++)
			if (xcrs.xcrs[i].xcr == 0)
				state->xcr0 = xcrs.xcrs[i].value;
	if (ioctl(cpu->fd, large ? KVM_GET_XSAVE2 : KVM_GET_XSAVE, cpu->xsave) < 0)
		return -1;
	memcpy(state->fxsave, cpu->xsave, sizeof(state->fxsave));
	memcpy(state->xstate, (const uint8_t *)cpu->xsave + XSAVE_HEADER, sizeof(state->xstate));
	/* These two are in use or not as it happens, and their values are there either way. */
	state->xstate[0] &= (uint8_t)~XSAVE_X87_AND_SSE;
	return 0;
}

static int set_msrs(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	struct kvm_msr_entry entries[MSR_ROWS] = { 0 };

	for
		EACH(i, msr_rows)
	entries[i] = (struct kvm_msr_entry){ .index = msr_rows[i].index,
					     .data = load(state, msr_rows[i].offset) };
	if (kvm_msrs_set_each(cpu->fd, entries, MSR_ROWS))
		return 0;
	errno = EINVAL;
	return -1;
}

static int get_msrs(const struct kvm_cpu *cpu, struct mw_cpu_state *state)
{
	struct kvm_msr_entry entries[MSR_ROWS] = { 0 };

	for
		EACH(i, msr_rows)
	entries[i].index = msr_rows[i].index;
	kvm_msrs_get_each(cpu->fd, entries, MSR_ROWS);
	for
		EACH(i, msr_rows)
	store(state, msr_rows[i].offset, entries[i].data);
	return 0;
}

bool kvm_registers_have(uint32_t msr)
{
	/* IA32_APIC_BASE, IA32_TSC_DEADLINE, EFER, the bases of FS and GS. */
	static const uint32_t others[] = { 0x1b, 0x6e0, 0xc0000080, 0xc0000100, 0xc0000101 };

	for
		EACH(i, msr_rows)
	if (msr_rows[i].index == msr)
		return true;
	for
		EACH(i, others)
	if (others[i] == msr)
		return true;
	return false;
}

static int set_debug(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	struct kvm_debugregs debug = { .dr6 = state->dr6, .dr7 = state->dr7 };

	for (unsigned i = 0; i < 4; i++)
		debug.db[i] = state->dr[i];
	return ioctl(cpu->fd, KVM_SET_DEBUGREGS, &debug);
}

static int get_debug(const struct kvm_cpu *cpu, struct mw_cpu_state *state)
{
	struct kvm_debugregs debug;
	int result = ioctl(cpu->fd, KVM_GET_DEBUGREGS, &debug);

	if (result < 0)
		return result;
	for (unsigned i = 0; i < 4; i++)
		state->dr[i] = debug.db[i];
	state->dr6 = debug.dr6;
	state->dr7 = debug.dr7;
	return 0;
}

/** One part of the state, in the order KVM wants it set: modes and the APIC's base first, then what
 * depends on them, events last. `init`: INIT changes it (SDM vol. 3, table 10-1). */
static const struct state_part {
	int (*set)(const struct kvm_cpu *cpu, const struct mw_cpu_state *state);
	int (*get)(const struct kvm_cpu *cpu, struct mw_cpu_state *state);
	bool init;
} parts[] = {
	{ kvm_running_set, kvm_running_get },
	{ set_system, get_system, .init = true },
	{ set_general, get_general, .init = true },
	{ set_fpu, get_fpu },
	{ set_msrs, get_msrs },
	{ kvm_extra_set, kvm_extra_get },
	{ kvm_lapic_set, kvm_lapic_get },
	{ set_debug, get_debug, .init = true },
	{ kvm_events_set, kvm_events_get, .init = true },
};

enum mw_status kvm_set_cpu(void *self, unsigned index, const struct mw_cpu_state *state)
{
	struct kvm_vm *vm = self;
	struct kvm_cpu *cpu;

	if (index >= vm->cpu_count)
		return MW_STATUS_INVALID;
	cpu = &vm->cpus[index];
	for
		EACH(i, parts)
	if (parts[i].set(cpu, state) < 0)
		return mw_status_from_errno(errno);
	/* Of the last return from KVM, and no longer true. */
	cpu->unknown = true;
	cpu->run->ready_for_interrupt_injection = 0;
	cpu->run->if_flag = state->rflags >> 9 & 1;
	cpu->run->apic_base = state->apic_base;
	cpu->tsc = state->tsc;
	cpu->tsc_deadline = state->tsc_deadline;
	vm->touched |= state->lapic.valid || state->extra.valid;
	return MW_STATUS_OK;
}

enum mw_status kvm_show_cpu(const struct kvm_cpu *cpu, struct mw_cpu_state *state)
{
	memset(state, 0, sizeof(*state));
	for
		EACH(i, parts)
	if (parts[i].get(cpu, state) < 0)
		return mw_status_from_errno(errno);
	state->tsc = cpu->tsc;
	state->tsc_deadline = cpu->tsc_deadline;
	return MW_STATUS_OK;
}

enum mw_status kvm_get_cpu(void *self, unsigned index, struct mw_cpu_state *state)
{
	struct kvm_vm *vm = self;
	enum mw_status status;

	if (index >= vm->cpu_count)
		return MW_STATUS_INVALID;
	status = kvm_show_cpu(&vm->cpus[index], state);
	if (status == MW_STATUS_OK && !kvm_cpu_is_complete(&vm->cpus[index], state))
		return MW_STATUS_UNSUPPORTED;
	return status;
}

bool kvm_cpu_init(struct kvm_cpu *cpu, int start_page)
{
	enum { CACHE_BITS = 0x60000000 };
	struct mw_cpu_state old = { 0 }, state;

	if (get_system(cpu, &old) < 0)
		return false;
	mw_cpu_state_reset(&state, cpu->index == 0);
	state.cr0 = (state.cr0 & ~(uint64_t)CACHE_BITS) | (old.cr0 & CACHE_BITS);
	state.apic_base = old.apic_base;
	if (start_page >= 0) { /* SDM vol. 3, 9.4.3 */
		state.segment[MW_CS].selector = (uint16_t)(start_page << 8);
		state.segment[MW_CS].base = (uint64_t)start_page << 12;
		state.rip = 0;
	}
	for
		EACH(i, parts)
	if (parts[i].init && parts[i].set(cpu, &state) < 0)
		return false;
	return true;
}
