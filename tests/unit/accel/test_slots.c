/* The slot table: what KVM has mapped after maps and unmaps in any order. */
// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "accel/kvm/kvm_internal.h"

enum { FAKE_SLOTS = 64, PAGE = 0x1000 };

/** A hypervisor that refuses what KVM refuses: a live slot's size cannot change, none may overlap, and what is not
 * there cannot be deleted. */
struct fake_kvm {
	struct kvm_slot slots[FAKE_SLOTS];
	unsigned calls, fail_at;
};

static int fake_set(void *context, unsigned slot, const struct kvm_slot *value)
{
	struct fake_kvm *kvm = context;

	kvm->calls++;
	if (kvm->calls == kvm->fail_at)
		return ENOMEM;
	if (slot >= FAKE_SLOTS || !value->length == !kvm->slots[slot].length)
		return EINVAL;
	for (unsigned i = 0; i < FAKE_SLOTS && value->length; i++)
		if (kvm->slots[i].length && kvm->slots[i].base < value->base + value->length &&
		    value->base < kvm->slots[i].base + kvm->slots[i].length)
			return EEXIST;
	kvm->slots[slot] = *value;
	return 0;
}

struct table {
	struct fake_kvm kvm;
	struct kvm_slots slots;
};

static int make_table(void **state)
{
	struct table *table = calloc(1, sizeof(*table));

	assert_non_null(table);
	table->slots =
		(struct kvm_slots){ .limit = FAKE_SLOTS, .set = fake_set, .context = &table->kvm };
	*state = table;
	return 0;
}

static int free_table(void **state)
{
	struct table *table = *state;

	kvm_slots_fini(&table->slots);
	free(table);
	return 0;
}

/* Host memory is never touched: an address per guest page is enough. */
static uint8_t *host_for(uint64_t base)
{
	return (uint8_t *)(uintptr_t)(0x700000000000 + base);
}

static enum mw_status map(struct table *table, uint64_t base, uint64_t length, bool readonly)
{
	struct kvm_slot slot = { base, length, host_for(base), readonly };

	return kvm_slots_map(&table->slots, &slot);
}

/* What stands behind a guest page, or NULL. */
static const struct kvm_slot *slot_at(const struct table *table, uint64_t address)
{
	for (unsigned i = 0; i < FAKE_SLOTS; i++) {
		const struct kvm_slot *slot = &table->kvm.slots[i];

		if (slot->length && address >= slot->base && address - slot->base < slot->length)
			return slot;
	}
	return NULL;
}

static bool is_mapped(const struct table *table, uint64_t address)
{
	const struct kvm_slot *slot = slot_at(table, address);

	if (slot)
		assert_ptr_equal(slot->host + (address - slot->base), host_for(address));
	return slot;
}

static void mapped_range_is_one_slot(void **state)
{
	struct table *table = *state;

	assert_int_equal(map(table, 0, 16 * PAGE, false), MW_STATUS_OK);
	assert_int_equal(table->kvm.calls, 1);
	assert_true(is_mapped(table, 15 * PAGE));
	assert_false(is_mapped(table, 16 * PAGE));
}

static void hole_in_the_middle_leaves_both_sides(void **state)
{
	struct table *table = *state;

	map(table, 0, 16 * PAGE, false);
	assert_int_equal(kvm_slots_unmap(&table->slots, 4 * PAGE, 2 * PAGE), MW_STATUS_OK);
	assert_true(is_mapped(table, 3 * PAGE));
	assert_false(is_mapped(table, 4 * PAGE));
	assert_false(is_mapped(table, 5 * PAGE));
	assert_true(is_mapped(table, 6 * PAGE));
}

static void unmap_may_span_slots(void **state)
{
	struct table *table = *state;

	map(table, 0, 4 * PAGE, false);
	map(table, 4 * PAGE, 4 * PAGE, true);
	map(table, 8 * PAGE, 4 * PAGE, false);
	assert_int_equal(kvm_slots_unmap(&table->slots, 2 * PAGE, 8 * PAGE), MW_STATUS_OK);
	assert_true(is_mapped(table, PAGE));
	for (uint64_t page = 2; page < 10; page++)
		assert_false(is_mapped(table, page * PAGE));
	assert_true(is_mapped(table, 10 * PAGE));
}

static void map_replaces_what_was_there(void **state)
{
	struct table *table = *state;

	map(table, 0, 8 * PAGE, false);
	assert_int_equal(map(table, 2 * PAGE, PAGE, true), MW_STATUS_OK);
	assert_false(slot_at(table, PAGE)->readonly);
	assert_true(slot_at(table, 2 * PAGE)->readonly);
	assert_false(slot_at(table, 3 * PAGE)->readonly);
	assert_true(is_mapped(table, 7 * PAGE));
}

static void private_pages_cannot_be_mapped(void **state)
{
	struct table *table = *state;

	assert_int_equal(map(table, KVM_PRIVATE_BASE, PAGE, false), MW_STATUS_INVALID);
	assert_int_equal(map(table, KVM_PRIVATE_BASE - PAGE, 2 * PAGE, false), MW_STATUS_INVALID);
	assert_int_equal(map(table, KVM_PRIVATE_BASE + 3 * PAGE, PAGE, false), MW_STATUS_INVALID);
	assert_int_equal(map(table, KVM_PRIVATE_BASE + 4 * PAGE, PAGE, false), MW_STATUS_OK);
	assert_int_equal(map(table, KVM_PRIVATE_BASE - PAGE, PAGE, false), MW_STATUS_OK);
}

static void pages_must_be_whole(void **state)
{
	struct table *table = *state;

	assert_int_equal(map(table, 0x800, PAGE, false), MW_STATUS_INVALID);
	assert_int_equal(map(table, 0, 0x800, false), MW_STATUS_INVALID);
	assert_int_equal(map(table, 0, 0, false), MW_STATUS_INVALID);
	assert_int_equal(map(table, UINT64_MAX - PAGE + 1, PAGE, false), MW_STATUS_INVALID);
	assert_int_equal(table->kvm.calls, 0);
}

static void freed_slots_are_used_again(void **state)
{
	struct table *table = *state;

	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(map(table, 0, PAGE, false), MW_STATUS_OK);
		assert_int_equal(kvm_slots_unmap(&table->slots, 0, PAGE), MW_STATUS_OK);
	}
	assert_true(table->slots.capacity <= 16);
}

static void limit_of_slots_is_a_status(void **state)
{
	struct table *table = *state;
	enum mw_status status = MW_STATUS_OK;
	uint64_t mapped = 0;

	while (!status && mapped <= FAKE_SLOTS)
		status = map(table, mapped++ * 2 * PAGE, PAGE, false);
	assert_int_equal(status, MW_STATUS_NO_MEMORY);
	assert_int_equal(mapped, FAKE_SLOTS + 1);
}

static void refusal_is_passed_on(void **state)
{
	struct table *table = *state;

	table->kvm.fail_at = 1;
	assert_int_equal(map(table, 0, PAGE, false), MW_STATUS_NO_MEMORY);
	assert_int_equal(map(table, 0, PAGE, false), MW_STATUS_OK);
}

/* Against a map of one entry a page. */
static void random_maps_agree_with_a_page_map(void **state)
{
	enum { PAGES = 32 };
	struct table *table = *state;
	int model[PAGES] = { 0 }; /* 0: nothing, 1: writable, 2: read-only */
	unsigned seed = 1;

	for (unsigned turn = 0; turn < 3000; turn++) {
		unsigned first, count, kind;

		seed = seed * 1103515245 + 12345;
		first = seed >> 16 & (PAGES - 1);
		count = 1 + (seed >> 22) % (PAGES - first);
		kind = (seed >> 28) % 3;
		if (kind)
			assert_int_equal(map(table, first * PAGE, count * PAGE, kind == 2), 0);
		else
			assert_int_equal(kvm_slots_unmap(&table->slots, first * PAGE, count * PAGE),
					 0);
		for (unsigned i = 0; i < count; i++)
			model[first + i] = (int)kind;
		for (unsigned i = 0; i < PAGES; i++) {
			assert_int_equal(is_mapped(table, i * PAGE), model[i] != 0);
			if (model[i])
				assert_int_equal(slot_at(table, i * PAGE)->readonly, model[i] == 2);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_table, free_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mapped_range_is_one_slot),       TEST(hole_in_the_middle_leaves_both_sides),
		TEST(unmap_may_span_slots),           TEST(map_replaces_what_was_there),
		TEST(private_pages_cannot_be_mapped), TEST(pages_must_be_whole),
		TEST(freed_slots_are_used_again),     TEST(limit_of_slots_is_a_status),
		TEST(refusal_is_passed_on),           TEST(random_maps_agree_with_a_page_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
