/* Guest-physical ranges and the KVM slots behind them. A slot can be deleted but not shrunk, so a
 * range that loses its middle becomes two new slots. Reference: api.rst, 4.35. */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm_internal.h"

#include <stdlib.h>

enum { PAGE_MASK = 0xfff };

/* A free slot has no length, and lies nowhere. */
static bool overlaps(const struct kvm_slot *slot, uint64_t base, uint64_t length)
{
	return slot->length && slot->base < base + length && slot->base + slot->length > base;
}

static enum mw_status put(struct kvm_slots *slots, unsigned index, const struct kvm_slot *value)
{
	int error = slots->set(slots->context, index, value);

	if (error)
		return mw_status_from_errno(error);
	slots->items[index] = *value;
	return MW_STATUS_OK;
}

static enum mw_status find_free(struct kvm_slots *slots, unsigned *index)
{
	unsigned capacity = slots->capacity ? 2 * slots->capacity : 16;

	for (*index = 0; *index < slots->capacity; (*index)++)
		if (!slots->items[*index].length)
			return MW_STATUS_OK;
	if (capacity > slots->limit)
		capacity = slots->limit;
	if (*index >= capacity)
		return MW_STATUS_NO_MEMORY;
	slots->items = mw_grow(slots->items, capacity, sizeof(*slots->items));
	for (unsigned i = slots->capacity; i < capacity; i++)
		slots->items[i] = (struct kvm_slot){ 0 };
	slots->capacity = capacity;
	return MW_STATUS_OK;
}

static enum mw_status add(struct kvm_slots *slots, struct kvm_slot value)
{
	unsigned index;
	enum mw_status status;

	if (!value.length)
		return MW_STATUS_OK;
	status = find_free(slots, &index);
	return status ? status : put(slots, index, &value);
}

/* Deletes slot `index` and adds what of it lies outside the range. */
static enum mw_status cut(struct kvm_slots *slots, unsigned index, uint64_t base, uint64_t length)
{
	struct kvm_slot whole = slots->items[index], before = whole, after = whole;
	uint64_t end = base + length, whole_end = whole.base + whole.length;
	enum mw_status status = put(slots, index, &(struct kvm_slot){ .base = whole.base });

	before.length = whole.base < base ? base - whole.base : 0;
	after.base = end;
	after.length = whole_end > end ? whole_end - end : 0;
	after.host = whole.host + (after.length ? end - whole.base : 0);
	if (!status)
		status = add(slots, before);
	if (!status)
		status = add(slots, after);
	return status;
}

static bool is_valid(uint64_t base, uint64_t length)
{
	return length && !((base | length) & PAGE_MASK) && base + length > base;
}

enum mw_status kvm_slots_unmap(struct kvm_slots *slots, uint64_t base, uint64_t length)
{
	enum mw_status status = MW_STATUS_OK;

	if (!is_valid(base, length))
		return MW_STATUS_INVALID;
	for (unsigned i = 0; i < slots->capacity && !status; i++)
		if (overlaps(&slots->items[i], base, length))
			status = cut(slots, i, base, length);
	return status;
}

enum mw_status kvm_slots_map(struct kvm_slots *slots, const struct kvm_slot *wanted)
{
	enum mw_status status;

	if (!is_valid(wanted->base, wanted->length) || ((uintptr_t)wanted->host & PAGE_MASK))
		return MW_STATUS_INVALID;
	if (wanted->base < (uint64_t)KVM_PRIVATE_BASE + KVM_PRIVATE_BYTES &&
	    wanted->base + wanted->length > KVM_PRIVATE_BASE)
		return MW_STATUS_INVALID;
	status = kvm_slots_unmap(slots, wanted->base, wanted->length);
	return status ? status : add(slots, *wanted);
}

void kvm_slots_fini(struct kvm_slots *slots)
{
	free(slots->items);
	slots->items = NULL;
	slots->capacity = 0;
}
