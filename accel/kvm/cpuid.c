/* What CPUID says: the host's answers or the plan's, within what KVM supports. References: api.rst,
 * 4.46 (GET_SUPPORTED_CPUID), 4.47 (SET_CPUID2). */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "accel/cpuid_set.h"

/* Bits that the machine or KVM decides, whatever KVM reports as supported. */
static const struct decided_bits {
	uint32_t leaf;
	enum mw_cpuid_register where;
	uint32_t bits;
} decided_elsewhere[] = {
	{ 0x1, MW_ECX, 1u << 31 | 1u << 27 | 1u << 24 }, /* hypervisor, OSXSAVE, TSC_DEADLINE */
	{ 0x1, MW_EDX, 1u << 28 | 1u << 9 },             /* HTT, APIC */
	{ 0x7, MW_ECX, 1u << 4 },                        /* OSPKE */
	{ 0x80000001, MW_ECX, 1u << 1 },                 /* CmpLegacy */
	{ 0x80000007, MW_EDX, 1u << 8 },                 /* invariant TSC */
};

static struct kvm_cpuid2 *new_cpuid2(uint32_t entries)
{
	struct kvm_cpuid2 *cpuid =
		mw_alloc(1, sizeof(*cpuid) + entries * sizeof(struct kvm_cpuid_entry2));

	cpuid->nent = entries;
	return cpuid;
}

bool kvm_cpuid_supported(int kvm, struct mw_cpuid_leaf *leaves, size_t *count)
{
	struct kvm_cpuid2 *cpuid = new_cpuid2(KVM_MAX_LEAVES);
	bool known = ioctl(kvm, KVM_GET_SUPPORTED_CPUID, cpuid) >= 0;

	*count = 0;
	for (uint32_t i = 0; known && i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		leaves[(*count)++] = (struct mw_cpuid_leaf){
			.leaf = entry->function,
			.subleaf = entry->index,
			.has_subleaf = entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.eax = entry->eax,
			.ebx = entry->ebx,
			.ecx = entry->ecx,
			.edx = entry->edx,
		};
	}
	free(cpuid);
	return known;
}

static uint32_t allowed_bits(struct mw_cpuid_leaf *supported, size_t count,
			     const struct mw_cpu_feature *feature)
{
	const uint32_t *word = mw_cpuid_word(supported, count, feature);
	uint32_t bits = word ? *word : 0;

	for (size_t i = 0; i < sizeof(decided_elsewhere) / sizeof(decided_elsewhere[0]); i++)
		if (decided_elsewhere[i].leaf == feature->leaf &&
		    decided_elsewhere[i].where == feature->where)
			bits |= decided_elsewhere[i].bits;
	return bits;
}

/* Clears what KVM does not support in every feature word; names what has a name. */
static void mask_features(struct kvm_leaves *cpuid, struct mw_cpuid_leaf *supported, size_t count,
			  struct mw_name_list *missing)
{
	const struct mw_cpu_feature *row;

	for (row = mw_cpu_features; row->name; row++) {
		const uint32_t *word = mw_cpuid_word(cpuid->leaves, cpuid->count, row);

		if (word && (*word & ~allowed_bits(supported, count, row)) >> row->bit & 1)
			mw_name_list_add(missing, row->name);
	}
	for (row = mw_cpu_features; row->name; row++) {
		uint32_t *word = mw_cpuid_word(cpuid->leaves, cpuid->count, row);

		if (word)
			*word &= allowed_bits(supported, count, row);
	}
}

bool kvm_cpuid_prepare(struct kvm_leaves *cpuid, const struct mw_plan_cpu *cpu,
		       struct mw_cpuid_leaf *supported, size_t supported_count,
		       struct mw_diagnostics *diagnostics)
{
	static const struct mw_cpu_feature kvm_features = { "", 0x40000001, 0, MW_EAX, 0 };
	const uint32_t *kvm_word = mw_cpuid_word(supported, supported_count, &kvm_features);
	const struct mw_cpuid_leaf *source = cpu->host_model ? supported : cpu->leaves;
	size_t count = cpu->host_model ? supported_count : cpu->leaf_count;
	struct mw_name_list missing = { .used = 0 };

	cpuid->count = count < KVM_MAX_LEAVES ? count : KVM_MAX_LEAVES;
	memcpy(cpuid->leaves, source, cpuid->count * sizeof(*source));
	cpuid->kvm_features = kvm_word ? *kvm_word : 0;
	if (!cpu->host_model)
		cpuid->kvm_features &= MW_PARAVIRTUAL_FEATURES;
	if (!mw_cpuid_switch(cpuid->leaves, cpuid->count, cpu, cpu->features_add, true,
			     diagnostics) ||
	    !mw_cpuid_switch(cpuid->leaves, cpuid->count, cpu, cpu->features_remove, false,
			     diagnostics))
		return false;
	mask_features(cpuid, supported, supported_count, &missing);
	if (missing.used)
		mw_diagnostics_add(diagnostics, MW_SEVERITY_WARNING, "A501", cpu->span,
				   "this host's KVM cannot give the guest: %s", missing.text);
	return true;
}

/* x2APIC and the timer's TSC-deadline mode; of KVM's own features (cpuid.rst) those that need its APIC:
 * ASYNC_PF, PV_EOI, PV_UNHALT, ASYNC_PF_VMEXIT, PV_SEND_IPI, POLL_CONTROL, PV_SCHED_YIELD,
 * ASYNC_PF_INT, MSI_EXT_DEST_ID. */
void kvm_cpuid_without_apic(struct mw_cpuid_leaf *leaves, size_t count)
{
	static const struct decided_bits hidden[] = {
		{ 0x1, MW_ECX, 1u << 21 | 1u << 24 },
		{ 0x40000001, MW_EAX,
		  1u << 4 | 1u << 6 | 1u << 7 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 |
			  1u << 14 | 1u << 15 },
	};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		const struct mw_cpu_feature row = { "", hidden[i].leaf, 0, hidden[i].where, 0 };
		uint32_t *word = mw_cpuid_word(leaves, count, &row);

		if (word)
			*word &= ~hidden[i].bits;
	}
}

int kvm_cpuid_install(struct kvm_vm *vm, unsigned index, uint32_t tsc_khz)
{
	struct mw_cpuid_leaf *leaves = mw_alloc(KVM_MAX_LEAVES, sizeof(*leaves));
	struct kvm_cpuid2 *cpuid = new_cpuid2(KVM_MAX_LEAVES);
	size_t count = vm->cpuid.count;
	int error;

	memcpy(leaves, vm->cpuid.leaves, count * sizeof(*leaves));
	count = mw_cpuid_for_cpu(&vm->plan->cpu, index, tsc_khz, vm->cpuid.kvm_features, leaves,
				 count, KVM_MAX_LEAVES);
	if (vm->chips == KVM_CHIPS_USER)
		kvm_cpuid_without_apic(leaves, count);
	for (size_t i = 0; i < count; i++)
		cpuid->entries[i] = (struct kvm_cpuid_entry2){
			.function = leaves[i].leaf,
			.index = leaves[i].subleaf,
			.flags = leaves[i].has_subleaf ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
			.eax = leaves[i].eax,
			.ebx = leaves[i].ebx,
			.ecx = leaves[i].ecx,
			.edx = leaves[i].edx,
		};
	cpuid->nent = (uint32_t)count;
	error = ioctl(vm->cpus[index].fd, KVM_SET_CPUID2, cpuid) < 0 ? errno : 0;
	free(cpuid);
	if (index == 0) {
		free(vm->told);
		vm->told = leaves;
		vm->told_count = count;
	} else {
		free(leaves);
	}
	return error;
}
