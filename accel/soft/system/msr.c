/* Model-specific registers. References: SDM vol. 4, chapter 2; SDM vol. 3, 12.11 (MTRRs), 12.12 (PAT), 16.3
 * (machine check), 11.4.4 (IA32_APIC_BASE), 2.2.1 (EFER). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "accel/soft/system/model.h"
#include "accel/soft/system/system.h"
#include "accel/soft/system/system_internal.h"
#include "accel/soft/vm.h"

enum { TSC = 0x10, MTRR_PHYSICAL = 0x200, MC_BANKS = 0x400, MISC_ENABLE = 0x1a0 };
#define FS_BASE 0xc0000100u
#define GS_BASE 0xc0000101u
enum { BANKS = 10, BANK_WORDS = 4, MCG_CTL_PRESENT = 1 << 8 };
enum { VARIABLE_RANGES = 8, FIXED_RANGES = 1 << 8, WRITE_COMBINING = 1 << 10 };

/* IA32_MISC_ENABLE: fast strings and the limit of CPUID; what else it has says what is missing. */
#define MISC_WRITABLE UINT64_C(0x400001)
#define MISC_RESET    UINT64_C(0x1801) /* fast strings; no BTS, no PEBS */

/** One register or a run of them. `offset` is that of the first in soft_cpu. A write of what is not valid is
 * #GP(0); `read` and `write` are NULL where the place is all there is to it. */
struct msr {
	uint32_t first, last;
	enum soft_feature feature;
	size_t offset;
	bool (*valid)(uint32_t index, uint64_t value);
	uint64_t (*read)(const struct soft_cpu *cpu, uint32_t index);
	bool (*write)(struct soft_cpu *cpu, uint32_t index, uint64_t value);
};

static bool canonical(uint32_t index, uint64_t value)
{
	return soft_canonical(value);
}

static bool low_half(uint32_t index, uint64_t value)
{
	return value <= UINT32_MAX;
}

static bool never(uint32_t index, uint64_t value)
{
	return false;
}

/* Debugging aids that are not here may stay off. */
static bool zero(uint32_t index, uint64_t value)
{
	return value == 0;
}

/* Memory types: UC 0, WC 1, WT 4, WP 5, WB 6; the PAT has UC- as 7 too. */
static bool all_types(uint64_t value, unsigned allowed)
{
	for (unsigned i = 0; i < 8; i++, value >>= 8)
		if ((value & 0xff) > 7 || !(allowed >> (value & 0xff) & 1))
			return false;
	return true;
}

static bool valid_pat(uint32_t index, uint64_t value)
{
	return all_types(value, 0xf3);
}

static bool valid_fixed(uint32_t index, uint64_t value)
{
	return all_types(value, 0x73);
}

static bool valid_variable(uint32_t index, uint64_t value)
{
	uint64_t reserved = SOFT_PHYSICAL_RESERVED | (index & 1 ? 0x7ff : 0xf00);

	return !(value & reserved) && (index & 1 || all_types(value & 0xff, 0x73));
}

static bool valid_default_type(uint32_t index, uint64_t value)
{
	return !(value & ~UINT64_C(0xcff)) && all_types(value & 0xff, 0x73);
}

static uint64_t *word_at(struct soft_cpu *cpu, size_t offset)
{
	return (uint64_t *)(void *)((uint8_t *)cpu + offset);
}

static uint64_t read_tsc(const struct soft_cpu *cpu, uint32_t index)
{
	return soft_tsc(cpu);
}

static bool write_tsc(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	cpu->tsc_offset += value - soft_tsc(cpu);
	mw_lapic_tsc_moved(&cpu->lapic, soft_now_ns(cpu));
	for (unsigned i = 0; i < cpu->vm->cpu_count; i++)
		soft_kvmclock_update(cpu->vm->cpus[i]);
	return true;
}

static bool write_apic_base(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	if (value & ~SOFT_APIC_BASE_DEFINED)
		return false;
	cpu->apic_base = value;
	mw_lapic_set_base(&cpu->lapic, value);
	/* Translations to the old and the new page may be cached. */
	soft_tlb_flush(cpu);
	soft_look(cpu);
	return true;
}

uint64_t soft_efer_defined(const struct soft_cpu *cpu)
{
	return SOFT_EFER_LMA | (soft_has(cpu, SOFT_HAS_SYSCALL) ? SOFT_EFER_SCE : 0u) |
	       (soft_has(cpu, SOFT_HAS_LM) ? SOFT_EFER_LME : 0u) |
	       (soft_has(cpu, SOFT_HAS_NX) ? SOFT_EFER_NXE : 0u);
}

/* LMA follows from LME and CR0.PG alone. */
static bool write_efer(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	uint64_t old = cpu->efer;

	if ((value & ~soft_efer_defined(cpu)) ||
	    ((cpu->cr0 & SOFT_CR0_PG) && ((value ^ old) & SOFT_EFER_LME)))
		return false;
	cpu->efer = (value & ~(uint64_t)SOFT_EFER_LMA) | (old & SOFT_EFER_LMA);
	if ((cpu->efer ^ old) & SOFT_EFER_NXE)
		soft_tlb_flush(cpu);
	soft_mode_update(cpu);
	return true;
}

static bool has_efer(const struct soft_cpu *cpu)
{
	return soft_has(cpu, SOFT_HAS_SYSCALL) || soft_has(cpu, SOFT_HAS_LM) ||
	       soft_has(cpu, SOFT_HAS_NX);
}

static uint64_t read_segment_base(const struct soft_cpu *cpu, uint32_t index)
{
	return cpu->segment[index == FS_BASE ? MW_FS : MW_GS].base;
}

static bool write_segment_base(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	bool fs = index == FS_BASE;

	cpu->segment[fs ? MW_FS : MW_GS].base = value;
	cpu->gpr[fs ? SOFT_FS_BASE : SOFT_GS_BASE] = value;
	return true;
}

static uint64_t read_deadline(const struct soft_cpu *cpu, uint32_t index)
{
	return mw_lapic_tsc_deadline(&cpu->lapic);
}

static bool write_deadline(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	mw_lapic_set_tsc_deadline(&cpu->lapic, value, soft_now_ns(cpu));
	soft_look(cpu);
	return true;
}

static uint64_t read_mtrr_capabilities(const struct soft_cpu *cpu, uint32_t index)
{
	return VARIABLE_RANGES | FIXED_RANGES | WRITE_COMBINING;
}

/* Bases and masks take turns. */
static uint64_t read_variable(const struct soft_cpu *cpu, uint32_t index)
{
	unsigned range = (index - MTRR_PHYSICAL) / 2;

	return index & 1 ? cpu->mtrr_mask[range] : cpu->mtrr_base[range];
}

static bool write_variable(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	unsigned range = (index - MTRR_PHYSICAL) / 2;

	*(index & 1 ? &cpu->mtrr_mask[range] : &cpu->mtrr_base[range]) = value;
	return true;
}

static uint64_t read_mcg_capabilities(const struct soft_cpu *cpu, uint32_t index)
{
	return BANKS | MCG_CTL_PRESENT;
}

static bool all_or_nothing(uint32_t index, uint64_t value)
{
	return value == 0 || value == UINT64_MAX;
}

/* Of status, address and misc only the clearing is legal. */
static bool valid_bank(uint32_t index, uint64_t value)
{
	return index % BANK_WORDS == 0 || value == 0;
}

static uint64_t read_zero(const struct soft_cpu *cpu, uint32_t index)
{
	return 0;
}

static bool write_nothing(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	return true;
}

void soft_misc_enable_set(struct soft_cpu *cpu, uint64_t value)
{
	cpu->misc_enable = (cpu->misc_enable & ~MISC_WRITABLE) | (value & MISC_WRITABLE);
}

static bool write_misc_enable(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	soft_misc_enable_set(cpu, value);
	return true;
}

static uint64_t read_system_time(const struct soft_cpu *cpu, uint32_t index)
{
	return cpu->kvm_system_time;
}

static bool write_system_time(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	cpu->kvm_system_time = value;
	soft_kvmclock_update(cpu);
	return true;
}

static bool write_wall_clock(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	cpu->kvm_wall_clock = value;
	soft_kvmclock_write_wall(cpu);
	return true;
}

#define PLACE(field) offsetof(struct soft_cpu, field)
#define ONE(index)   index, index

// clang-format off
static const struct msr msrs[] = {
	{ 0x0, 0x1, SOFT_HAS_MCE, 0, never, read_zero, NULL }, /* P5_MC_ADDR, P5_MC_TYPE */
	{ ONE(TSC), SOFT_HAS_TSC, 0, NULL, read_tsc, write_tsc },
	{ ONE(0x11), SOFT_HAS_KVM_CLOCK, PLACE(kvm_wall_clock), NULL, NULL, write_wall_clock },
	{ ONE(0x12), SOFT_HAS_KVM_CLOCK, 0, NULL, read_system_time, write_system_time },
	{ ONE(0x17), SOFT_HAS_ALWAYS, 0, never, read_zero, NULL }, /* PLATFORM_ID */
	{ ONE(0x1b), SOFT_HAS_APIC, PLACE(apic_base), NULL, NULL, write_apic_base },
	{ ONE(0x2a), SOFT_HAS_ALWAYS, 0, zero, read_zero, write_nothing }, /* EBL_CR_POWERON */
	{ ONE(0x79), SOFT_HAS_ALWAYS, 0, NULL, read_zero, write_nothing }, /* microcode update */
	{ ONE(0x8b), SOFT_HAS_ALWAYS, PLACE(bios_sign_id), NULL, NULL, write_nothing },
	{ ONE(0xfe), SOFT_HAS_MTRR, 0, never, read_mtrr_capabilities, NULL },
	{ ONE(0x174), SOFT_HAS_SEP, PLACE(sysenter_cs), low_half, NULL, NULL },
	{ ONE(0x175), SOFT_HAS_SEP, PLACE(sysenter_esp), canonical, NULL, NULL },
	{ ONE(0x176), SOFT_HAS_SEP, PLACE(sysenter_eip), canonical, NULL, NULL },
	{ ONE(0x179), SOFT_HAS_MCA, 0, never, read_mcg_capabilities, NULL },
	{ ONE(0x17a), SOFT_HAS_MCA, PLACE(mcg_status), zero, NULL, NULL },
	{ ONE(0x17b), SOFT_HAS_MCA, PLACE(mcg_ctl), all_or_nothing, NULL, NULL },
	{ ONE(MISC_ENABLE), SOFT_HAS_ALWAYS, PLACE(misc_enable), NULL, NULL, write_misc_enable },
	{ ONE(0x1d9), SOFT_HAS_ALWAYS, PLACE(debug_ctl), NULL, NULL, write_nothing },
	{ MTRR_PHYSICAL, 0x20f, SOFT_HAS_MTRR, 0, valid_variable, read_variable, write_variable },
	{ ONE(0x250), SOFT_HAS_MTRR, PLACE(mtrr_fixed[0]), valid_fixed, NULL, NULL },
	{ 0x258, 0x259, SOFT_HAS_MTRR, PLACE(mtrr_fixed[1]), valid_fixed, NULL, NULL },
	{ 0x268, 0x26f, SOFT_HAS_MTRR, PLACE(mtrr_fixed[3]), valid_fixed, NULL, NULL },
	{ ONE(0x277), SOFT_HAS_PAT, PLACE(pat), valid_pat, NULL, NULL },
	{ ONE(0x2ff), SOFT_HAS_MTRR, PLACE(mtrr_def_type), valid_default_type, NULL, NULL },
	{ MC_BANKS, MC_BANKS + BANKS * BANK_WORDS - 1, SOFT_HAS_MCA, PLACE(mc_bank[0]), valid_bank, NULL, NULL },
	{ ONE(0x6e0), SOFT_HAS_DEADLINE, 0, NULL, read_deadline, write_deadline },
	{ ONE(0x4b564d00), SOFT_HAS_KVM_CLOCK_2, PLACE(kvm_wall_clock), NULL, NULL, write_wall_clock },
	{ ONE(0x4b564d01), SOFT_HAS_KVM_CLOCK_2, 0, NULL, read_system_time, write_system_time },
	{ ONE(0xc0000080), SOFT_HAS_ALWAYS, PLACE(efer), NULL, NULL, write_efer },
	{ ONE(0xc0000081), SOFT_HAS_SYSCALL, PLACE(star), NULL, NULL, NULL },
	{ ONE(0xc0000082), SOFT_HAS_SYSCALL, PLACE(lstar), canonical, NULL, NULL },
	{ ONE(0xc0000083), SOFT_HAS_SYSCALL, PLACE(cstar), canonical, NULL, NULL },
	{ ONE(0xc0000084), SOFT_HAS_SYSCALL, PLACE(sfmask), low_half, NULL, NULL },
	{ FS_BASE, GS_BASE, SOFT_HAS_LM, 0, canonical, read_segment_base, write_segment_base },
	{ ONE(0xc0000102), SOFT_HAS_LM, PLACE(kernel_gs_base), canonical, NULL, NULL },
	{ ONE(0xc0000103), SOFT_HAS_RDTSCP, PLACE(tsc_aux), low_half, NULL, NULL },
};
// clang-format on
enum { MSRS = sizeof(msrs) / sizeof(msrs[0]) };

/* Sorted, and FS_BASE and its like, which a kernel writes at every task switch, are at the end. */
static const struct msr *find(uint32_t index)
{
	size_t low = 0, high = MSRS;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (index > msrs[middle].last)
			low = middle + 1;
		else if (index < msrs[middle].first)
			high = middle;
		else
			return &msrs[middle];
	}
	return NULL;
}

static const struct msr *find_offered(const struct soft_cpu *cpu, uint32_t index)
{
	const struct msr *msr = find(index);

	if (!msr || !soft_has(cpu, msr->feature))
		return NULL;
	return msr->write == write_efer && !has_efer(cpu) ? NULL : msr;
}

static size_t place_of(const struct msr *msr, uint32_t index)
{
	return msr->offset + (index - msr->first) * sizeof(uint64_t);
}

/* What every Linux asks for to see whether it is there: FEATURE_CONTROL, MISC_FEATURES_ENABLES, AMD's DE_CFG. Their
 * absence is worth no line. */
static bool is_asked_by_all(uint32_t index)
{
	return index == 0x3a || index == 0x140 || index == 0xc0011029;
}

/* A guest that probes does so on every CPU; each MSR is named once. */
static bool unknown(struct soft_cpu *cpu, uint32_t index, const char *what)
{
	struct soft_vm *vm = cpu->vm;
	unsigned count = vm->unknown_msr_count;

	soft_raise_error(cpu, SOFT_GP, 0);
	if (is_asked_by_all(index))
		return false;
	for (unsigned i = 0; i < count; i++)
		if (vm->unknown_msrs[i] == index)
			return false;
	if (count == sizeof(vm->unknown_msrs) / sizeof(vm->unknown_msrs[0]))
		return false;
	vm->unknown_msrs[vm->unknown_msr_count++] = index;
	mw_log_line(vm->machine, "soft: CPU %u %s MSR 0x%x, which is not there", cpu->index, what,
		    index);
	return false;
}

bool soft_msr_read(struct soft_cpu *cpu, uint32_t index, uint64_t *value)
{
	const struct msr *msr = find_offered(cpu, index);

	if (!msr)
		return unknown(cpu, index, "reads");
	*value = msr->read ? msr->read(cpu, index) : *word_at(cpu, place_of(msr, index));
	return true;
}

bool soft_msr_write(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	const struct msr *msr = find_offered(cpu, index);

	if (!msr)
		return unknown(cpu, index, "writes");
	if (msr->valid && !msr->valid(index, value))
		return soft_raise_error(cpu, SOFT_GP, 0);
	if (msr->write)
		return msr->write(cpu, index, value) || soft_raise_error(cpu, SOFT_GP, 0);
	*word_at(cpu, place_of(msr, index)) = value;
	return true;
}

/* What is only a place, or becomes so for the plan: MISC_ENABLE and BIOS_SIGN_ID. */
bool soft_msr_preset(struct soft_cpu *cpu, uint32_t index, uint64_t value)
{
	const struct msr *msr = find(index);
	bool readable_only = index == MISC_ENABLE || (msr && msr->offset == PLACE(bios_sign_id));

	if (!msr || (!readable_only && (msr->read || msr->write)) ||
	    (msr->valid && !msr->valid(index, value)))
		return false;
	if (cpu)
		*word_at(cpu, place_of(msr, index)) = value;
	return true;
}

void soft_msr_reset(struct soft_cpu *cpu)
{
	const struct mw_plan_cpu *plan = &cpu->vm->plan->cpu;

	memset(cpu->mtrr_fixed, 0, sizeof(cpu->mtrr_fixed));
	memset(cpu->mtrr_base, 0, sizeof(cpu->mtrr_base));
	memset(cpu->mtrr_mask, 0, sizeof(cpu->mtrr_mask));
	memset(cpu->mc_bank, 0, sizeof(cpu->mc_bank));
	for (unsigned i = 0; i < BANKS; i++)
		cpu->mc_bank[i * BANK_WORDS] = UINT64_MAX;
	cpu->mcg_ctl = UINT64_MAX;
	cpu->mcg_status = cpu->bios_sign_id = 0;
	cpu->misc_enable = MISC_RESET;
	cpu->debug_ctl = cpu->feature_control = 0;
	cpu->kvm_system_time = cpu->kvm_wall_clock = 0;
	for (size_t i = 0; i < plan->msr_count; i++)
		soft_msr_preset(cpu, plan->msrs[i].index, plan->msrs[i].value);
}
