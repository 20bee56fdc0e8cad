/* Guest-physical space: slots of host memory, and devices for the rest. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "accel/soft/memory/paging.h"
#include "accel/soft/memory/physical.h"
#include "accel/soft/system/system.h"
#include "accel/soft/vm.h"
#include "core/executor.h"

enum { APIC_ENABLED = 1 << 11 };

struct soft_slot *soft_slot_find(struct soft_vm *vm, uint64_t physical)
{
	size_t low = 0, high = vm->slot_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		struct soft_slot *slot = &vm->slots[middle];

		if (physical < slot->base)
			high = middle;
		else if (physical - slot->base >= slot->length)
			low = middle + 1;
		else
			return slot;
	}
	return NULL;
}

static bool is_apic_page(const struct soft_cpu *cpu, uint64_t physical)
{
	return ((physical ^ cpu->apic_base) & SOFT_PAGE_MASK) == 0 && cpu->apic_base & APIC_ENABLED;
}

struct soft_slot *soft_slot_find_for(struct soft_cpu *cpu, uint64_t physical)
{
	return is_apic_page(cpu, physical) ? NULL : soft_slot_find(cpu->vm, physical);
}

/* Registers are 32 bits wide and 16 bytes apart (SDM vol. 3, 11.4.1); narrower reads take their part. */
static uint64_t apic_read(struct soft_cpu *cpu, uint32_t offset, unsigned size)
{
	uint64_t value = mw_lapic_read(&cpu->lapic, offset & ~3u, soft_now_ns(cpu));

	value >>= 8 * (offset & 3);
	return size >= 8 ? value : value & ((UINT64_C(1) << 8 * size) - 1);
}

uint64_t soft_physical_read(struct soft_cpu *cpu, uint64_t physical, unsigned size)
{
	const struct soft_slot *slot = soft_slot_find_for(cpu, physical);
	uint64_t value = 0;

	if (SOFT_LIKELY(slot != NULL)) {
		memcpy(&value, slot->host + (physical - slot->base), size);
		return value;
	}
	cpu->counters.exits_memory++;
	if (is_apic_page(cpu, physical))
		return apic_read(cpu, physical & 0xfff, size);
	mw_memory_read(cpu->actor, physical, size, &value);
	soft_after_device(cpu);
	return value;
}

static void write_slot(struct soft_vm *vm, const struct soft_slot *slot, uint64_t physical,
		       const void *bytes, unsigned count)
{
	uint64_t offset = physical - slot->base;

	memcpy(slot->host + offset, bytes, count);
	if (slot->code[offset >> 12])
		soft_blocks_invalidate(vm, physical, count);
}

void soft_physical_write(struct soft_cpu *cpu, uint64_t physical, unsigned size, uint64_t value)
{
	const struct soft_slot *slot = soft_slot_find_for(cpu, physical);

	if (SOFT_LIKELY(slot && !slot->readonly)) {
		write_slot(cpu->vm, slot, physical, &value, size);
		return;
	}
	cpu->counters.exits_memory++;
	if (is_apic_page(cpu, physical)) {
		if (!(physical & 3) && size >= 4)
			mw_lapic_write(&cpu->lapic, physical & 0xfff, (uint32_t)value,
				       soft_now_ns(cpu));
		return;
	}
	mw_memory_write(cpu->actor, physical, size, value);
	soft_after_device(cpu);
}

void soft_physical_fetch(struct soft_cpu *cpu, uint64_t physical, uint8_t *bytes, unsigned count)
{
	const struct soft_slot *slot = count ? soft_slot_find_for(cpu, physical) : NULL;

	if (slot)
		memcpy(bytes, slot->host + (physical - slot->base), count);
	else
		for (unsigned i = 0; i < count; i++)
			bytes[i] = (uint8_t)soft_physical_read(cpu, physical + i, 1);
}

void soft_physical_put(struct soft_cpu *cpu, uint64_t physical, const uint8_t *bytes,
		       unsigned count)
{
	const struct soft_slot *slot = count ? soft_slot_find_for(cpu, physical) : NULL;

	if (slot && !slot->readonly)
		write_slot(cpu->vm, slot, physical, bytes, count);
	else
		for (unsigned i = 0; i < count; i++)
			soft_physical_write(cpu, physical + i, 1, bytes[i]);
}

void soft_after_device(struct soft_cpu *cpu)
{
	if (mw_machine_stopping(cpu->vm->machine))
		soft_look(cpu);
}

/* Slots. */

static void remove_slot(struct soft_vm *vm, size_t index)
{
	free(vm->slots[index].code);
	memmove(&vm->slots[index], &vm->slots[index + 1],
		(vm->slot_count - index - 1) * sizeof(*vm->slots));
	vm->slot_count--;
}

static void insert_slot(struct soft_vm *vm, struct soft_slot slot)
{
	size_t at = 0;

	if (!slot.length)
		return;
	vm->slots = mw_grow(vm->slots, vm->slot_count + 1, sizeof(*vm->slots));
	while (at < vm->slot_count && vm->slots[at].base < slot.base)
		at++;
	memmove(&vm->slots[at + 1], &vm->slots[at], (vm->slot_count - at) * sizeof(*vm->slots));
	slot.code = mw_alloc(slot.length >> 12, sizeof(*slot.code));
	vm->slots[at] = slot;
	vm->slot_count++;
}

/* What of an old slot lies outside the range stays. */
void soft_slots_unmap(struct soft_vm *vm, uint64_t base, uint64_t length)
{
	uint64_t end = base + length;

	for (size_t i = 0; i < vm->slot_count;) {
		struct soft_slot old = vm->slots[i];
		uint64_t old_end = old.base + old.length;

		if (old_end <= base || old.base >= end) {
			i++;
			continue;
		}
		remove_slot(vm, i);
		if (old.base < base)
			insert_slot(vm, (struct soft_slot){ old.base, base - old.base, old.host,
							    old.readonly, NULL });
		if (old_end > end)
			insert_slot(vm, (struct soft_slot){ end, old_end - end,
							    old.host + (end - old.base),
							    old.readonly, NULL });
		i = 0;
	}
}

void soft_slots_map(struct soft_vm *vm, uint64_t base, uint64_t length, uint8_t *host,
		    bool readonly)
{
	soft_slots_unmap(vm, base, length);
	insert_slot(vm, (struct soft_slot){ base, length, host, readonly, NULL });
}

void soft_slots_fini(struct soft_vm *vm)
{
	while (vm->slot_count)
		remove_slot(vm, vm->slot_count - 1);
	free(vm->slots);
	vm->slots = NULL;
}
