/* A CPU model against what KVM supports. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accel/kvm/kvm_internal.h"

enum { SSE3 = 1u << 0, CX16 = 1u << 13, DEADLINE = 1u << 24 };
#define HYPERVISOR (1u << 31)
enum { AVX2 = 1u << 5, SSE2 = 1u << 26, APIC = 1u << 9 };
enum { CLOCKSOURCE2 = 1u << 3, STEAL_TIME = 1u << 5 };

static const struct mw_cpuid_leaf host[] = {
	{ 0, 0, false, 0xd, 0, 0, 0 },
	{ 1, 0, false, 0x800f12, 0, SSE3, SSE2 | APIC },
	{ 7, 0, true, 0, AVX2, 0, 0 },
	{ 0x40000001, 0, false, CLOCKSOURCE2 | STEAL_TIME, 0, 0, 0 },
};
enum { HOST_LEAVES = sizeof(host) / sizeof(host[0]) };

/** One call of kvm_cpuid_prepare. */
struct attempt {
	struct mw_plan_cpu cpu;
	struct mw_cpuid_leaf supported[HOST_LEAVES];
	struct kvm_leaves result;
	struct mw_diagnostics diagnostics;
	bool good;
};

static struct mw_plan_cpu host_model(void)
{
	return (struct mw_plan_cpu){ .model = "host", .host_model = true, .count = 1 };
}

static struct mw_plan_cpu model(const struct mw_cpuid_leaf *leaves, size_t count)
{
	return (struct mw_plan_cpu){
		.model = "m", .count = 1, .leaves = leaves, .leaf_count = count
	};
}

static void prepare(struct attempt *attempt, struct mw_plan_cpu cpu)
{
	memset(attempt, 0, sizeof(*attempt));
	attempt->cpu = cpu;
	memcpy(attempt->supported, host, sizeof(host));
	attempt->good = kvm_cpuid_prepare(&attempt->result, &attempt->cpu, attempt->supported,
					  HOST_LEAVES, &attempt->diagnostics);
}

static void finish(struct attempt *attempt)
{
	mw_diagnostics_fini(&attempt->diagnostics);
}

static const struct mw_cpuid_leaf *find(const struct attempt *attempt, uint32_t leaf)
{
	for (size_t i = 0; i < attempt->result.count; i++)
		if (attempt->result.leaves[i].leaf == leaf)
			return &attempt->result.leaves[i];
	return NULL;
}

static void host_model_is_what_kvm_supports(void **state)
{
	struct attempt attempt;

	prepare(&attempt, host_model());
	assert_true(attempt.good);
	assert_int_equal(attempt.result.count, HOST_LEAVES);
	assert_memory_equal(attempt.result.leaves, host, sizeof(host));
	assert_int_equal(attempt.result.kvm_features, CLOCKSOURCE2 | STEAL_TIME);
	assert_int_equal(attempt.diagnostics.count, 0);
	finish(&attempt);
}

/* So that it may go on where there is no more than a clock. */
static void named_model_has_of_kvms_own_features_the_clock_alone(void **state)
{
	struct attempt attempt;

	prepare(&attempt, model(host, HOST_LEAVES));
	assert_true(attempt.good);
	assert_int_equal(attempt.result.kvm_features, CLOCKSOURCE2);
	finish(&attempt);
}

static void feature_can_be_removed(void **state)
{
	static const char *const names[] = { "avx2", NULL };
	struct mw_plan_cpu cpu = host_model();
	struct attempt attempt;

	cpu.features_remove = names;
	prepare(&attempt, cpu);
	assert_true(attempt.good);
	assert_int_equal(find(&attempt, 7)->ebx, 0);
	finish(&attempt);
}

static void added_feature_that_kvm_lacks_is_reported_and_left_out(void **state)
{
	static const char *const names[] = { "cx16", NULL };
	struct mw_plan_cpu cpu = host_model();
	struct attempt attempt;

	cpu.features_add = names;
	prepare(&attempt, cpu);
	assert_true(attempt.good);
	assert_int_equal(find(&attempt, 1)->ecx & CX16, 0);
	assert_int_equal(attempt.diagnostics.warnings, 1);
	assert_non_null(strstr(attempt.diagnostics.items[0]->message, "cx16"));
	finish(&attempt);
}

static void model_is_masked_and_all_losses_are_one_warning(void **state)
{
	const struct mw_cpuid_leaf leaves[] = {
		{ 1, 0, false, 0x306f2, 0, SSE3 | CX16, SSE2 | APIC },
		{ 7, 0, true, 0, AVX2 | 1u << 8, 0, 0 },
	};
	struct attempt attempt;

	prepare(&attempt, model(leaves, 2));
	assert_true(attempt.good);
	assert_int_equal(find(&attempt, 1)->ecx, SSE3);
	assert_int_equal(find(&attempt, 1)->eax, 0x306f2);
	assert_int_equal(find(&attempt, 7)->ebx, AVX2);
	assert_int_equal(attempt.diagnostics.count, 1);
	assert_non_null(strstr(attempt.diagnostics.items[0]->message, "cx16"));
	assert_non_null(strstr(attempt.diagnostics.items[0]->message, "bmi2"));
	finish(&attempt);
}

static void bits_without_a_name_are_masked_too(void **state)
{
	const struct mw_cpuid_leaf leaves[] = { { 7, 0, true, 0, AVX2 | 1u << 22, 0, 0 } };
	struct attempt attempt;

	prepare(&attempt, model(leaves, 1));
	assert_int_equal(find(&attempt, 7)->ebx, AVX2);
	finish(&attempt);
}

static void what_the_machine_decides_needs_no_support(void **state)
{
	const struct mw_cpuid_leaf leaves[] = { { 1, 0, false, 0, 0, DEADLINE | HYPERVISOR,
						  APIC | 1u << 28 } };
	struct attempt attempt;

	prepare(&attempt, model(leaves, 1));
	assert_int_equal(find(&attempt, 1)->ecx, DEADLINE | HYPERVISOR);
	assert_int_equal(attempt.diagnostics.count, 0);
	finish(&attempt);
}

static void unknown_name_is_an_error(void **state)
{
	static const char *const names[] = { "warp", NULL };
	struct mw_plan_cpu cpu = host_model();
	struct attempt attempt;

	cpu.features_add = names;
	prepare(&attempt, cpu);
	assert_false(attempt.good);
	assert_int_equal(attempt.diagnostics.errors, 1);
	finish(&attempt);
}

static void feature_without_a_leaf_cannot_be_added_but_removed(void **state)
{
	static const char *const names[] = { "xsaveopt", NULL };
	struct mw_plan_cpu cpu = host_model();
	struct attempt attempt;

	cpu.features_add = names;
	prepare(&attempt, cpu);
	assert_false(attempt.good);
	finish(&attempt);
	cpu.features_add = NULL;
	cpu.features_remove = names;
	prepare(&attempt, cpu);
	assert_true(attempt.good);
	finish(&attempt);
}

/* `irqchip: user`: what only KVM's own local APIC has is told to nobody. */
static void without_kvms_apic_what_needs_it_is_hidden(void **state)
{
	enum { X2APIC = 1u << 21, ASYNC_PF = 1u << 4, PV_EOI = 1u << 6 };
	struct mw_cpuid_leaf leaves[] = {
		{ 1, 0, false, 0x800f12, 0, SSE3 | X2APIC | DEADLINE, SSE2 | APIC },
		{ 0x40000001, 0, false, CLOCKSOURCE2 | ASYNC_PF | STEAL_TIME | PV_EOI, 0, 0, 0 },
	};

	kvm_cpuid_without_apic(leaves, 2);
	assert_int_equal(leaves[0].ecx, SSE3);
	assert_int_equal(leaves[0].edx, SSE2 | APIC);
	assert_int_equal(leaves[1].eax, CLOCKSOURCE2 | STEAL_TIME);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_model_is_what_kvm_supports),
		cmocka_unit_test(named_model_has_of_kvms_own_features_the_clock_alone),
		cmocka_unit_test(feature_can_be_removed),
		cmocka_unit_test(added_feature_that_kvm_lacks_is_reported_and_left_out),
		cmocka_unit_test(model_is_masked_and_all_losses_are_one_warning),
		cmocka_unit_test(bits_without_a_name_are_masked_too),
		cmocka_unit_test(what_the_machine_decides_needs_no_support),
		cmocka_unit_test(unknown_name_is_an_error),
		cmocka_unit_test(feature_without_a_leaf_cannot_be_added_but_removed),
		cmocka_unit_test(without_kvms_apic_what_needs_it_is_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
