/* Model-specific registers in bulk: a reset gives a CPU back every value that KVM gave it when it was
 * new, so no list of ours can be out of date. Reference: api.rst, 4.3, 4.18, 4.19. */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { TSC = 0x10, MTRR_PHYS_BASE = 0x200, MTRR_PHYS_LAST = 0x20f, MCE_BANK_BASE = 0x400 };
enum { MCE_BANK_MSRS = 4 * 32 };

/* Fixed-range MTRRs, which KVM has but does not list. */
static const uint32_t fixed_mtrrs[] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
					0x26b, 0x26c, 0x26d, 0x26e, 0x26f };

static struct kvm_msrs *new_msrs(size_t count)
{
	struct kvm_msrs *msrs = mw_alloc(1, sizeof(*msrs) + count * sizeof(struct kvm_msr_entry));

	msrs->nmsrs = (uint32_t)count;
	return msrs;
}

/* The number of MSRs done, whatever ended it. */
static size_t transfer(int cpu, unsigned long request, struct kvm_msrs *msrs)
{
	int done = ioctl(cpu, request, msrs);

	return done < 0 ? 0 : (size_t)done;
}

size_t kvm_msrs_set(int cpu, const struct kvm_msr_entry *entries, size_t count)
{
	struct kvm_msrs *msrs = new_msrs(count);
	size_t done;

	memcpy(msrs->entries, entries, count * sizeof(*entries));
	done = transfer(cpu, KVM_SET_MSRS, msrs);
	free(msrs);
	return done;
}

size_t kvm_msrs_get(int cpu, struct kvm_msr_entry *entries, size_t count)
{
	struct kvm_msrs *msrs = new_msrs(count);
	size_t done;

	memcpy(msrs->entries, entries, count * sizeof(*entries));
	done = transfer(cpu, KVM_GET_MSRS, msrs);
	memcpy(entries, msrs->entries, done * sizeof(*entries));
	free(msrs);
	return done;
}

bool kvm_msrs_set_each(int cpu, const struct kvm_msr_entry *entries, size_t count)
{
	for (size_t done = 0; done < count; done++) {
		done += kvm_msrs_set(cpu, entries + done, count - done);
		if (done < count && entries[done].data)
			return false;
	}
	return true;
}

void kvm_msrs_get_each(int cpu, struct kvm_msr_entry *entries, size_t count)
{
	for (size_t done = 0; done < count; done++) {
		done += kvm_msrs_get(cpu, entries + done, count - done);
		if (done < count)
			entries[done].data = 0;
	}
}

/** The indices to note. */
struct index_set {
	struct kvm_msr_entry items[KVM_MAX_MSRS];
	size_t count;
};

/* The TSC is no constant; CPU state carries it. */
static void add_index(struct index_set *set, uint32_t index)
{
	if (index != TSC && set->count < KVM_MAX_MSRS)
		set->items[set->count++].index = index;
}

static bool add_listed(struct index_set *set, int kvm)
{
	struct kvm_msr_list *list =
		mw_alloc(1, sizeof(*list) + KVM_MAX_MSRS * sizeof(list->indices[0]));
	bool known;

	list->nmsrs = KVM_MAX_MSRS;
	known = ioctl(kvm, KVM_GET_MSR_INDEX_LIST, list) >= 0;
	for (uint32_t i = 0; known && i < list->nmsrs; i++)
		add_index(set, list->indices[i]);
	free(list);
	return known;
}

static void add_unlisted(struct index_set *set)
{
	for (uint32_t index = MTRR_PHYS_BASE; index <= MTRR_PHYS_LAST; index++)
		add_index(set, index);
	for (size_t i = 0; i < sizeof(fixed_mtrrs) / sizeof(fixed_mtrrs[0]); i++)
		add_index(set, fixed_mtrrs[i]);
	for (uint32_t i = 0; i < MCE_BANK_MSRS; i++)
		add_index(set, MCE_BANK_BASE + i);
}

bool kvm_msrs_capture(struct kvm_vm *vm, int cpu)
{
	struct index_set *set = mw_alloc(1, sizeof(*set));
	bool known = add_listed(set, vm->kvm);
	size_t next = 0;

	add_unlisted(set);
	while (known && next < set->count) {
		next += kvm_msrs_get(cpu, set->items + next, set->count - next);
		if (next < set->count) /* refused: KVM lists what this CPU model lacks */
			set->items[next] = set->items[--set->count];
	}
	vm->reset_msr_count = set->count;
	vm->reset_msrs = mw_alloc(set->count, sizeof(*vm->reset_msrs));
	memcpy(vm->reset_msrs, set->items, set->count * sizeof(*vm->reset_msrs));
	free(set);
	return known;
}

/* What refuses the value it had is read-only and need not be reset; it leaves the list. */
void kvm_msrs_reset(struct kvm_vm *vm, int cpu)
{
	size_t next = 0;

	while (next < vm->reset_msr_count) {
		next += kvm_msrs_set(cpu, vm->reset_msrs + next, vm->reset_msr_count - next);
		if (next < vm->reset_msr_count)
			vm->reset_msrs[next] = vm->reset_msrs[--vm->reset_msr_count];
	}
}
