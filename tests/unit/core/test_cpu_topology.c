/* APIC ids and the CPUID leaves that follow from a plan. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/cpu_topology.h"

enum { ROOM = 40 };

static const struct mw_cpuid_leaf intel[] = {
	{ 0, 0, false, 0x1f, 0x756e6547, 0x6c65746e, 0x49656e69 },
	{ 1, 0, false, 0x306f2, 0xff100800, 1u << 31, 1u << 9 },
	{ 4, 0, true, 0xfc004121, 0, 0, 0 },
	{ 4, 1, true, 0xfc004163, 0, 0, 0 },
	{ 4, 2, true, 0, 0, 0, 0 },
	{ 0xb, 0, true, 9, 9, 9, 9 },
};
static const struct mw_cpuid_leaf amd[] = {
	{ 0, 0, false, 0xd, 0x68747541, 0x444d4163, 0x69746e65 },
	{ 1, 0, false, 0x800f12, 0, 0, 1u << 9 },
	{ 0x80000000, 0, false, 0x8000001e, 0, 0, 0 },
	{ 0x80000001, 0, false, 0, 0, 0, 0 },
	{ 0x80000008, 0, false, 0x3030, 0, 0xffffffff, 0 },
};

static struct mw_plan_cpu topology(uint32_t sockets, uint32_t cores, uint32_t threads)
{
	return (struct mw_plan_cpu){ .count = sockets * cores * threads,
				     .sockets = sockets,
				     .cores = cores,
				     .threads = threads };
}

static const struct mw_cpuid_leaf *find(const struct mw_cpuid_leaf *leaves, size_t count,
					uint32_t leaf, uint32_t subleaf)
{
	for (size_t i = 0; i < count; i++)
		if (leaves[i].leaf == leaf && leaves[i].subleaf == subleaf)
			return &leaves[i];
	return NULL;
}

/** Leaves for one CPU of a plan. */
struct answer {
	struct mw_cpuid_leaf leaves[ROOM];
	size_t count;
};

static struct answer ask(const struct mw_plan_cpu *cpu, uint32_t index, uint32_t tsc_khz,
			 const struct mw_cpuid_leaf *from, size_t count)
{
	struct answer answer = { 0 };

	memcpy(answer.leaves, from, count * sizeof(*from));
	answer.count =
		mw_cpuid_for_cpu(cpu, index, tsc_khz, 0x0100003b, answer.leaves, count, ROOM);
	return answer;
}
#define ASK(cpu, index, khz, from) ask(cpu, index, khz, from, sizeof(from) / sizeof((from)[0]))

static void apic_ids_of_powers_of_two_count_up(void **state)
{
	struct mw_plan_cpu cpu = topology(2, 4, 2);

	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(mw_apic_id(&cpu, i), i);
}

static void fields_of_other_counts_are_rounded_up(void **state)
{
	struct mw_plan_cpu cpu = topology(2, 3, 1);

	assert_int_equal(mw_apic_thread_bits(&cpu), 0);
	assert_int_equal(mw_apic_package_shift(&cpu), 2);
	assert_int_equal(mw_apic_id(&cpu, 2), 2);
	assert_int_equal(mw_apic_id(&cpu, 3), 4);
	assert_int_equal(mw_apic_id(&cpu, 5), 6);
}

static void threads_have_the_lowest_bits(void **state)
{
	struct mw_plan_cpu cpu = topology(1, 3, 2);

	assert_int_equal(mw_apic_thread_bits(&cpu), 1);
	assert_int_equal(mw_apic_package_shift(&cpu), 3);
	assert_int_equal(mw_apic_id(&cpu, 5), 2 << 1 | 1);
}

static void leaf_1_tells_id_and_logical_count(void **state)
{
	struct mw_plan_cpu cpu = topology(2, 3, 2);
	struct answer answer = ASK(&cpu, 7, 0, intel);
	const struct mw_cpuid_leaf *leaf = find(answer.leaves, answer.count, 1, 0);

	assert_int_equal(leaf->ebx >> 24, mw_apic_id(&cpu, 7));
	assert_int_equal(leaf->ebx >> 16 & 0xff, 8);
	assert_int_equal(leaf->ebx & 0xffff, 0x0800); /* CLFLUSH and brand are the model's */
	assert_true(leaf->edx >> 28 & 1);
}

static void one_cpu_has_no_htt(void **state)
{
	struct mw_plan_cpu cpu = topology(4, 1, 1);
	struct answer answer = ASK(&cpu, 3, 0, intel);
	const struct mw_cpuid_leaf *leaf = find(answer.leaves, answer.count, 1, 0);

	assert_false(leaf->edx >> 28 & 1);
	assert_int_equal(leaf->ebx >> 24, 3);
}

static void deadline_timer_comes_with_the_apic(void **state)
{
	struct mw_plan_cpu cpu = topology(1, 1, 1);
	struct mw_cpuid_leaf bare[] = { { .leaf = 1 } };
	struct answer with = ASK(&cpu, 0, 0, intel), without = ASK(&cpu, 0, 0, bare);

	assert_true(find(with.leaves, with.count, 1, 0)->ecx >> 24 & 1);
	assert_false(find(without.leaves, without.count, 1, 0)->ecx >> 24 & 1);
}

static void hypervisor_bit_follows_the_plan(void **state)
{
	struct mw_plan_cpu cpu = topology(1, 1, 1);
	struct answer none = ASK(&cpu, 0, 2000000, intel), kvm;

	cpu.hypervisor = MW_HYPERVISOR_KVM;
	kvm = ASK(&cpu, 0, 2000000, intel);
	assert_false(find(none.leaves, none.count, 1, 0)->ecx >> 31);
	assert_null(find(none.leaves, none.count, 0x40000000, 0));
	assert_true(find(kvm.leaves, kvm.count, 1, 0)->ecx >> 31);
}

static void kvm_leaves_carry_signature_features_and_rate(void **state)
{
	struct mw_plan_cpu cpu = topology(1, 1, 1);
	const struct mw_cpuid_leaf *leaf;
	struct answer answer;

	cpu.hypervisor = MW_HYPERVISOR_KVM;
	answer = ASK(&cpu, 0, 2600000, intel);
	leaf = find(answer.leaves, answer.count, 0x40000000, 0);
	assert_int_equal(leaf->eax, 0x40000010);
	assert_memory_equal(&leaf->ebx, "KVMKVMKVM\0\0\0", 12);
	assert_int_equal(find(answer.leaves, answer.count, 0x40000001, 0)->eax, 0x0100003b);
	leaf = find(answer.leaves, answer.count, 0x40000010, 0);
	assert_int_equal(leaf->eax, 2600000);
	assert_int_equal(leaf->ebx, 1000000);
	answer = ASK(&cpu, 0, 0, intel);
	assert_int_equal(find(answer.leaves, answer.count, 0x40000000, 0)->eax, 0x40000001);
	assert_null(find(answer.leaves, answer.count, 0x40000010, 0));
}

static void leaf_15_gives_the_rate_over_the_crystal(void **state)
{
	struct mw_plan_cpu cpu = topology(1, 1, 1);
	struct answer answer = ASK(&cpu, 0, 2596120, amd);
	const struct mw_cpuid_leaf *leaf = find(answer.leaves, answer.count, 0x15, 0);

	/* The nearest ratio that Linux's 32-bit product of crystal kHz and numerator can hold. */
	assert_in_range((uint64_t)leaf->ecx * leaf->ebx / leaf->eax, 2596119000u, 2596121000u);
	assert_true((uint64_t)(leaf->ecx / 1000) * leaf->ebx <= UINT32_MAX);
	assert_int_equal(find(answer.leaves, answer.count, 0x16, 0)->eax, 2596);
	assert_int_equal(find(answer.leaves, answer.count, 0, 0)->eax, 0x16);
}

static void whole_ratio_is_exact(void **state)
{
	struct mw_plan_cpu cpu = topology(1, 1, 1);
	struct answer answer = ASK(&cpu, 0, 1000000, amd);
	const struct mw_cpuid_leaf *leaf = find(answer.leaves, answer.count, 0x15, 0);

	assert_int_equal(leaf->ebx, leaf->eax);
	assert_int_equal((uint64_t)leaf->ecx * leaf->ebx / leaf->eax, 1000000000u);
}

static void unknown_rate_adds_no_leaf(void **state)
{
	struct mw_plan_cpu cpu = topology(1, 1, 1);
	struct answer answer = ASK(&cpu, 0, 0, amd);

	assert_null(find(answer.leaves, answer.count, 0x15, 0));
	assert_int_equal(find(answer.leaves, answer.count, 0, 0)->eax, 0xd);
}

static void leaf_b_is_rebuilt_from_the_topology(void **state)
{
	struct mw_plan_cpu cpu = topology(2, 4, 2);
	struct answer answer = ASK(&cpu, 11, 0, intel);
	const struct mw_cpuid_leaf *threads = find(answer.leaves, answer.count, 0xb, 0);
	const struct mw_cpuid_leaf *cores = find(answer.leaves, answer.count, 0xb, 1);
	const struct mw_cpuid_leaf *end = find(answer.leaves, answer.count, 0xb, 2);

	assert_int_equal(threads->eax, 1);
	assert_int_equal(threads->ebx, 2);
	assert_int_equal(threads->ecx, 0x100);
	assert_int_equal(threads->edx, 11);
	assert_int_equal(cores->eax, 3);
	assert_int_equal(cores->ebx, 8);
	assert_int_equal(cores->ecx, 0x201);
	assert_int_equal(end->ecx, 2);
	assert_int_equal(end->ebx, 0);
	assert_non_null(find(answer.leaves, answer.count, 0x1f, 0));
}

static void leaves_beyond_the_highest_are_not_made(void **state)
{
	struct mw_plan_cpu cpu = topology(1, 2, 1);
	struct answer answer = ASK(&cpu, 0, 0, amd);

	assert_non_null(find(answer.leaves, answer.count, 0xb, 0));
	assert_null(find(answer.leaves, answer.count, 0x1f, 0));
}

static void caches_are_shared_by_core_or_package(void **state)
{
	struct mw_plan_cpu cpu = topology(1, 4, 2);
	struct answer answer = ASK(&cpu, 0, 0, intel);
	const struct mw_cpuid_leaf *first = find(answer.leaves, answer.count, 4, 0);
	const struct mw_cpuid_leaf *outer = find(answer.leaves, answer.count, 4, 1);

	assert_int_equal(first->eax >> 14 & 0xfff, 1); /* two threads */
	assert_int_equal(outer->eax >> 14 & 0xfff, 7); /* eight in the package */
	assert_int_equal(first->eax >> 26, 3);
	assert_int_equal(first->eax & 0x3fff, 0x0121);
	assert_int_equal(find(answer.leaves, answer.count, 4, 2)->eax, 0);
}

static void amd_leaves_tell_core_and_size(void **state)
{
	struct mw_plan_cpu cpu = topology(2, 4, 2);
	struct answer answer = ASK(&cpu, 13, 0, amd);
	const struct mw_cpuid_leaf *core = find(answer.leaves, answer.count, 0x8000001e, 0);
	const struct mw_cpuid_leaf *sizes = find(answer.leaves, answer.count, 0x80000008, 0);

	assert_int_equal(core->eax, 13);
	assert_int_equal(core->ebx, 1 << 8 | 2);
	assert_int_equal(sizes->ecx & 0xff, 7);
	assert_int_equal(sizes->ecx >> 12 & 0xf, 3);
	assert_true(find(answer.leaves, answer.count, 0x80000001, 0)->ecx & 2);
	answer = ASK(&cpu, 13, 0, intel);
	assert_null(find(answer.leaves, answer.count, 0x8000001e, 0));
}

static void leaves_that_do_not_fit_are_dropped(void **state)
{
	struct mw_plan_cpu cpu = topology(1, 2, 1);
	struct mw_cpuid_leaf leaves[7] = { 0 };
	size_t count;

	cpu.hypervisor = MW_HYPERVISOR_KVM;
	memcpy(leaves, intel, sizeof(intel));
	count = mw_cpuid_for_cpu(&cpu, 0, 1000000, 1, leaves, 6, 7);
	assert_int_equal(count, 7);
}

static void same_input_gives_same_leaves(void **state)
{
	struct mw_plan_cpu cpu = topology(1, 4, 1);
	struct answer one = ASK(&cpu, 2, 1000000, amd), other = ASK(&cpu, 2, 1000000, amd);

	assert_memory_equal(&one, &other, sizeof(one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(apic_ids_of_powers_of_two_count_up),
		cmocka_unit_test(fields_of_other_counts_are_rounded_up),
		cmocka_unit_test(threads_have_the_lowest_bits),
		cmocka_unit_test(leaf_1_tells_id_and_logical_count),
		cmocka_unit_test(one_cpu_has_no_htt),
		cmocka_unit_test(deadline_timer_comes_with_the_apic),
		cmocka_unit_test(hypervisor_bit_follows_the_plan),
		cmocka_unit_test(kvm_leaves_carry_signature_features_and_rate),
		cmocka_unit_test(leaf_15_gives_the_rate_over_the_crystal),
		cmocka_unit_test(whole_ratio_is_exact),
		cmocka_unit_test(unknown_rate_adds_no_leaf),
		cmocka_unit_test(leaf_b_is_rebuilt_from_the_topology),
		cmocka_unit_test(leaves_beyond_the_highest_are_not_made),
		cmocka_unit_test(caches_are_shared_by_core_or_package),
		cmocka_unit_test(amd_leaves_tell_core_and_size),
		cmocka_unit_test(leaves_that_do_not_fit_are_dropped),
		cmocka_unit_test(same_input_gives_same_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
