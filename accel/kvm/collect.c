/* Writes to memory of devices that KVM keeps in a ring, until a CPU leaves the guest for another reason or somebody
 * asks for them. Reference: Linux, Documentation/virt/kvm/api.rst, KVM_REGISTER_COALESCED_MMIO. */
// SPDX-License-Identifier: MIT
#include <string.h>
#include <sys/ioctl.h>

#include "accel/kvm/kvm_internal.h"

enum { PAGE_BYTES = 4096 };
/* Entries of the ring, which is one page. */
enum {
	ENTRIES = (PAGE_BYTES - sizeof(struct kvm_coalesced_mmio_ring)) /
		  sizeof(struct kvm_coalesced_mmio)
};

static bool add_zone(const struct kvm_vm *vm, const struct mw_plan_node *node, const char *region)
{
	const struct mw_plan_claim *claim = mw_plan_claim(node, MW_CLAIM_MMIO, region);
	struct kvm_coalesced_mmio_zone zone = { 0 };

	if (!claim || claim->length > UINT32_MAX)
		return false;
	zone.addr = claim->base;
	zone.size = (uint32_t)claim->length;
	return ioctl(vm->fd, KVM_REGISTER_COALESCED_MMIO, &zone) == 0;
}

static bool add_zones(const struct kvm_vm *vm)
{
	bool any = false;

	for (size_t i = 0; i < vm->plan->node_count; i++) {
		const struct mw_plan_node *node = &vm->plan->nodes[i];

		for (size_t r = 0; r < node->type->regions.count; r++)
			if (node->type->regions.items[r].collects)
				any |= add_zone(vm, node, node->type->regions.items[r].name);
	}
	return any;
}

/* The ring is the machine's, and in every CPU's mapping. */
void kvm_collect_create(struct kvm_vm *vm)
{
	int page = ioctl(vm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO);
	size_t at = page > 0 ? (size_t)page * PAGE_BYTES : 0;

	if (at && at + PAGE_BYTES <= vm->run_bytes && add_zones(vm))
		vm->collect.ring = (void *)((uint8_t *)vm->cpus[0].run + at);
}

bool kvm_collect_waits(const struct kvm_vm *vm)
{
	const struct kvm_coalesced_mmio_ring *ring = vm->collect.ring;

	return ring && __atomic_load_n(&ring->first, __ATOMIC_ACQUIRE) !=
			       __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE);
}

static void write_entry(struct mw_actor *actor, const struct kvm_coalesced_mmio *entry)
{
	unsigned count = entry->len <= sizeof(entry->data) ? entry->len : 0, size;

	for (unsigned at = 0; at < count; at += size) {
		uint64_t value = 0;

		size = kvm_part_size(entry->phys_addr + at, count - at);
		memcpy(&value, entry->data + at, size);
		mw_memory_collected(actor, entry->phys_addr + at, size, value);
	}
}

/* KVM moves `last` when an entry is there; here `first` moves when it is written, so that whoever finds the ring empty
 * finds that done. Other CPUs may go on writing: no more than a ringful is waited for. */
void kvm_collected(void *self, struct mw_actor *actor)
{
	struct kvm_vm *vm = self;
	struct kvm_coalesced_mmio_ring *ring = vm->collect.ring;

	if (!ring)
		return;
	pthread_mutex_lock(&vm->collect.mutex);
	for (unsigned i = 0; i < ENTRIES && kvm_collect_waits(vm); i++) {
		uint32_t first = ring->first % ENTRIES;

		write_entry(actor, &ring->coalesced_mmio[first]);
		__atomic_store_n(&ring->first, (first + 1) % ENTRIES, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&vm->collect.mutex);
}
