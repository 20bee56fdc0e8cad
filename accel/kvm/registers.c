/* A CPU's registers between core's form and KVM's. References: api.rst, 4.11-4.14 (SREGS), 4.18
 * (MSRs), 4.31 (VCPU_EVENTS), 4.33 (DEBUGREGS), 4.38 (MP_STATE), 4.42 (XSAVE), 4.44 (XCRS). */
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

/** MSRs that have a place in mw_cpu_state. The local APIC decides what a deadline means, so that one
 * comes last. */
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
	{ 0x6e0, offsetof(struct mw_cpu_state, tsc_deadline) },
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

/* What is beyond SSE has no place in core's form: it goes to its initial values. */
static int set_fpu(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	uint8_t *area = (uint8_t *)cpu->xsave;
	struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs = { { .xcr = 0, .value = state->xcr0 } } };

	/* Without XSAVE there is no XCR0 to set; its only value is then 1. */
	if (ioctl(cpu->fd, KVM_SET_XCRS, &xcrs) < 0 && state->xcr0 != 1)
		return -1;
	memset(area, 0, cpu->vm->xsave_bytes);
	memcpy(area, state->fxsave, sizeof(state->fxsave));
	area[XSAVE_HEADER] = XSAVE_X87_AND_SSE;
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
	return 0;
}

/* A CPU without one of the MSRs takes no value but zero, and reads as zero. */
static int set_msrs(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	struct kvm_msr_entry entries[MSR_ROWS] = { 0 };
	size_t refused;

	for
		EACH(i, msr_rows)
	entries[i] = (struct kvm_msr_entry){ .index = msr_rows[i].index,
					     .data = load(state, msr_rows[i].offset) };
	for (size_t done = 0; done < MSR_ROWS; done = refused + 1) {
		refused = done + kvm_msrs_set(cpu->fd, entries + done, MSR_ROWS - done);
		if (refused < MSR_ROWS && entries[refused].data) {
			errno = EINVAL;
			return -1;
		}
	}
	return 0;
}

static int get_msrs(const struct kvm_cpu *cpu, struct mw_cpu_state *state)
{
	struct kvm_msr_entry entries[MSR_ROWS] = { 0 };
	size_t refused;

	for
		EACH(i, msr_rows)
	entries[i].index = msr_rows[i].index;
	for (size_t done = 0; done < MSR_ROWS; done = refused + 1) {
		refused = done + kvm_msrs_get(cpu->fd, entries + done, MSR_ROWS - done);
		if (refused < MSR_ROWS)
			entries[refused].data = 0;
	}
	for
		EACH(i, msr_rows)
	store(state, msr_rows[i].offset, entries[i].data);
	return 0;
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

/* The SMM part is set as well where KVM has one: it clears SMM and a latched INIT. */
static int set_events(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	struct kvm_vcpu_events events = {
		.nmi = { .pending = state->nmi_pending, .masked = state->nmi_masked },
		.interrupt = { .shadow = state->interrupt_shadow },
		.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW,
	};

	if (cpu->vm->caps.smm)
		events.flags |= KVM_VCPUEVENT_VALID_SMM;
	return ioctl(cpu->fd, KVM_SET_VCPU_EVENTS, &events);
}

static int get_events(const struct kvm_cpu *cpu, struct mw_cpu_state *state)
{
	struct kvm_vcpu_events events;
	int result = ioctl(cpu->fd, KVM_GET_VCPU_EVENTS, &events);

	if (result < 0)
		return result;
	state->nmi_masked = events.nmi.masked;
	state->nmi_pending = events.nmi.pending || events.nmi.injected;
	state->interrupt_shadow = events.interrupt.shadow;
	return 0;
}

static const uint32_t mp_states[] = {
	[MW_CPU_RUNNABLE] = KVM_MP_STATE_RUNNABLE,
	[MW_CPU_HALTED] = KVM_MP_STATE_HALTED,
	[MW_CPU_WAIT_SIPI] = KVM_MP_STATE_INIT_RECEIVED,
	[MW_CPU_UNINITIALISED] = KVM_MP_STATE_UNINITIALIZED,
};

/* Reading first makes KVM act on INIT and SIPI that are still on their way, so none comes later. */
static int set_run(const struct kvm_cpu *cpu, const struct mw_cpu_state *state)
{
	struct kvm_mp_state now, wanted = { .mp_state = mp_states[state->run] };

	if (ioctl(cpu->fd, KVM_GET_MP_STATE, &now) < 0)
		return -1;
	return now.mp_state == wanted.mp_state ? 0 : ioctl(cpu->fd, KVM_SET_MP_STATE, &wanted);
}

static int get_run(const struct kvm_cpu *cpu, struct mw_cpu_state *state)
{
	struct kvm_mp_state now;

	if (ioctl(cpu->fd, KVM_GET_MP_STATE, &now) < 0)
		return -1;
	state->run = MW_CPU_RUNNABLE;
	for
		EACH(i, mp_states)
	if (mp_states[i] == now.mp_state)
		state->run = (enum mw_cpu_run)i;
	return 0;
}

/** One part of the state, in the order KVM wants it set: modes and the APIC's base first, then what
 * depends on them, events last. */
static const struct state_part {
	int (*set)(const struct kvm_cpu *cpu, const struct mw_cpu_state *state);
	int (*get)(const struct kvm_cpu *cpu, struct mw_cpu_state *state);
} parts[] = {
	{ set_run, get_run },       { set_system, get_system }, { set_general, get_general },
	{ set_fpu, get_fpu },       { set_msrs, get_msrs },     { set_debug, get_debug },
	{ set_events, get_events },
};

enum mw_status kvm_set_cpu(void *self, unsigned index, const struct mw_cpu_state *state)
{
	struct kvm_vm *vm = self;

	if (index >= vm->cpu_count)
		return MW_STATUS_INVALID;
	for
		EACH(i, parts)
	if (parts[i].set(&vm->cpus[index], state) < 0)
		return mw_status_from_errno(errno);
	return MW_STATUS_OK;
}

enum mw_status kvm_get_cpu(void *self, unsigned index, struct mw_cpu_state *state)
{
	struct kvm_vm *vm = self;

	if (index >= vm->cpu_count)
		return MW_STATUS_INVALID;
	memset(state, 0, sizeof(*state));
	for
		EACH(i, parts)
	if (parts[i].get(&vm->cpus[index], state) < 0)
		return mw_status_from_errno(errno);
	return MW_STATUS_OK;
}
