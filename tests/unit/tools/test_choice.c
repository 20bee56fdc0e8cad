/** Which accelerator is taken, told by what each one says about itself. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/choice.h"

static struct mw_accel_probe first_probe, second_probe;
static unsigned probes, looks;

static void probe_first(struct mw_accel_probe *probe)
{
	*probe = first_probe;
	probes++;
}

static void probe_second(struct mw_accel_probe *probe)
{
	*probe = second_probe;
	probes++;
}

static void look_first(struct mw_accel_probe *probe)
{
	*probe = first_probe;
	looks++;
}

static const struct mw_accel_ops first = {
	.name = "kvm", .summary = "one", .probe = probe_first, .look = look_first
};
static const struct mw_accel_ops second = { .name = "soft",
					    .summary = "two",
					    .probe = probe_second };
static const struct mw_accel_ops *const both[] = { &first, &second, NULL };
static const struct mw_accel_ops *const only_first[] = { &first, NULL };

static struct mw_diagnostics diagnostics;
static struct mw_plan plan;
static struct mw_choice choice;
static char *printed;

static const struct mw_accel_caps full = {
	.pio = true,
	.msi = true,
	.kernel_irqchip = true,
	.split_irqchip = true,
	.max_vcpus = 8,
	.gpa_bits = 36,
};

static int prepare(void **state)
{
	static const char *const prefer[] = { "kvm", "soft", NULL };

	first_probe = second_probe = (struct mw_accel_probe){ .caps = full };
	plan = (struct mw_plan){ .accel.prefer = prefer, .cpu.count = 1 };
	probes = looks = 0;
	return 0;
}

static int clean(void **state)
{
	mw_diagnostics_fini(&diagnostics);
	diagnostics = (struct mw_diagnostics){ 0 };
	free(printed);
	printed = NULL;
	return 0;
}

static void set(struct mw_accel_probe *probe, enum mw_accel_verdict verdict, const char *reason)
{
	probe->verdict = verdict;
	snprintf(probe->reason, sizeof(probe->reason), "%s", reason);
}

static void assert_found(const char *text)
{
	size_t length;
	FILE *out;

	free(printed);
	out = open_memstream(&printed, &length);
	mw_diagnostics_print(&diagnostics, out, MW_DIAG_FULL, false);
	fclose(out);
	if (!strstr(printed, text))
		fail_msg("`%s` is not in:\n%s", text, printed);
}

static void first_good_one_is_taken_and_no_other_is_probed(void **state)
{
	assert_true(mw_choice_make(&choice, &plan, NULL, both, &diagnostics));
	assert_ptr_equal(choice.ops, &first);
	assert_int_equal(probes, 1);
	assert_string_equal(choice.line, "accelerator kvm, as the profile prefers");
	assert_false(choice.passed_over);
}

static void good_beats_slow_and_slow_beats_nothing(void **state)
{
	set(&first_probe, MW_ACCEL_SLOW, "it crawls");
	assert_true(mw_choice_make(&choice, &plan, NULL, both, &diagnostics));
	assert_ptr_equal(choice.ops, &second);
	assert_true(choice.passed_over);
	assert_string_equal(choice.line, "accelerator soft: kvm is slow here (it crawls)");
	set(&second_probe, MW_ACCEL_PARTIAL, "it limps");
	assert_true(mw_choice_make(&choice, &plan, NULL, both, &diagnostics));
	assert_ptr_equal(choice.ops, &first);
	assert_string_equal(choice.line, "accelerator kvm, which is slow here: it crawls; soft is "
					 "partial here (it limps)");
}

static void absent_and_not_built_in_are_passed_over_with_the_reason(void **state)
{
	static const char *const prefer[] = { "mshv", "kvm", "soft", NULL };

	plan.accel.prefer = prefer;
	set(&first_probe, MW_ACCEL_ABSENT, "there is no /dev/kvm");
	assert_true(mw_choice_make(&choice, &plan, NULL, both, &diagnostics));
	assert_ptr_equal(choice.ops, &second);
	assert_string_equal(choice.line, "accelerator soft: mshv is not built in; kvm is absent "
					 "here (there is no /dev/kvm)");
}

static void without_a_choice_nothing_is_tried_out(void **state)
{
	static const char *const prefer[] = { "kvm", NULL };

	plan.accel.prefer = prefer;
	assert_true(mw_choice_make(&choice, &plan, NULL, both, &diagnostics));
	assert_int_equal(looks, 1);
	assert_true(mw_choice_make(&choice, &plan, "kvm", both, &diagnostics));
	assert_int_equal(looks, 2);
	assert_int_equal(probes, 0);
	assert_true(mw_choice_make(&choice, &plan, "auto", both, &diagnostics));
	assert_int_equal(probes, 1);
}

static void option_overrides_the_profile(void **state)
{
	assert_true(mw_choice_make(&choice, &plan, "soft", both, &diagnostics));
	assert_ptr_equal(choice.ops, &second);
	assert_string_equal(choice.line, "accelerator soft, as --accel asks");
}

static void auto_means_all_that_are_built_in(void **state)
{
	static const char *const prefer[] = { "mshv", NULL };

	plan.accel.prefer = prefer;
	set(&first_probe, MW_ACCEL_ABSENT, "gone");
	assert_true(mw_choice_make(&choice, &plan, "auto", both, &diagnostics));
	assert_ptr_equal(choice.ops, &second);
}

static void profile_may_leave_it_to_what_is_here(void **state)
{
	static const char *const prefer[] = { "auto", NULL };

	plan.accel.prefer = prefer;
	assert_true(mw_choice_make(&choice, &plan, NULL, both, &diagnostics));
	assert_ptr_equal(choice.ops, &first);
	assert_int_equal(probes, 1);
	assert_int_equal(looks, 0);
	assert_string_equal(choice.line, "accelerator kvm, the best that is here");
	set(&first_probe, MW_ACCEL_PARTIAL, "it limps");
	assert_true(mw_choice_make(&choice, &plan, NULL, both, &diagnostics));
	assert_ptr_equal(choice.ops, &second);
	assert_true(choice.passed_over);
	assert_string_equal(choice.line, "accelerator soft: kvm is partial here (it limps)");
	assert_true(mw_choice_make(&choice, &plan, "kvm", both, &diagnostics));
	assert_ptr_equal(choice.ops, &first);
}

static void clock_by_instructions_is_a_need(void **state)
{
	static const char *const prefer[] = { "auto", NULL };

	plan.accel.prefer = prefer;
	plan.accel.instruction_clock = true;
	second_probe.caps.instruction_clock = true;
	assert_true(mw_choice_make(&choice, &plan, NULL, both, &diagnostics));
	assert_ptr_equal(choice.ops, &second);
	assert_string_equal(choice.line, "accelerator soft: kvm lacks what the machine needs");
	assert_false(mw_choice_make(&choice, &plan, "kvm", both, &diagnostics));
	assert_found("error[A501]: kvm does not offer `clock: instructions`");
}

static void nothing_usable_lists_reasons_and_what_is_built_in(void **state)
{
	set(&first_probe, MW_ACCEL_ABSENT, "there is no /dev/kvm");
	assert_false(mw_choice_make(&choice, &plan, NULL, only_first, &diagnostics));
	assert_int_equal(diagnostics.errors, 1);
	assert_found("kvm is absent here (there is no /dev/kvm)");
	assert_found("soft is not built in");
	assert_found("built in is kvm: one");
}

static void preferring_nothing_is_an_error(void **state)
{
	static const char *const prefer[] = { NULL };

	plan.accel.prefer = prefer;
	assert_false(mw_choice_make(&choice, &plan, NULL, both, &diagnostics));
	assert_found("built in is kvm: one");
}

static void unknown_name_is_an_error_even_beside_a_good_one(void **state)
{
	static const char *const prefer[] = { "kvm", "kwm", NULL };

	plan.accel.prefer = prefer;
	assert_false(mw_choice_make(&choice, &plan, NULL, both, &diagnostics));
	assert_found("there is no accelerator `kwm`");
	assert_found("did you mean `kvm`?");
	assert_found("built in is soft: two");
	assert_int_equal(probes, 0);
}

static void unmet_need_is_a501_and_an_optional_one_is_not(void **state)
{
	static const struct mw_plan_need needs[] = {
		{ .name = "vtl", .value = 2 },
		{ .name = "smm", .value = 1 },
		{ .name = "msi", .value = 1 },
		{ .name = "x2apic", .value = 1, .optional = true },
	};

	plan.accel.needs = needs;
	plan.accel.need_count = 4;
	assert_false(mw_choice_make(&choice, &plan, NULL, only_first, &diagnostics));
	assert_int_equal(diagnostics.errors, 2);
	assert_found("error[A501]: the machine needs `vtl` 2, but kvm offers 0");
	assert_found("the machine needs `smm` 1, but kvm offers 0");
}

static void one_that_meets_the_needs_is_preferred(void **state)
{
	static const struct mw_plan_need needs[] = { { .name = "vtl", .value = 2 } };

	plan.accel.needs = needs;
	plan.accel.need_count = 1;
	second_probe.caps.vtl = 2;
	assert_true(mw_choice_make(&choice, &plan, NULL, both, &diagnostics));
	assert_ptr_equal(choice.ops, &second);
	assert_int_equal(diagnostics.count, 0);
}

static void auto_never_takes_one_that_has_to_be_named(void **state)
{
	static const struct mw_accel_ops named = {
		.name = "none", .summary = "three", .only_by_name = true, .probe = probe_second
	};
	static const struct mw_accel_ops *const with_named[] = { &first, &named, NULL };

	set(&first_probe, MW_ACCEL_ABSENT, "there is no /dev/kvm");
	assert_false(mw_choice_make(&choice, &plan, "auto", with_named, &diagnostics));
	assert_int_equal(probes, 1);
	assert_true(mw_choice_make(&choice, &plan, "none", with_named, &diagnostics));
	assert_ptr_equal(choice.ops, &named);
}

static void sizes_and_irqchip_are_needs_too(void **state)
{
	static const struct mw_plan_range ram[] = { { UINT64_C(1) << 36, 4096 } };

	plan.cpu.count = 9;
	plan.accel.irqchip = MW_IRQCHIP_USER;
	plan.ram = ram;
	plan.ram_count = 1;
	assert_false(mw_choice_make(&choice, &plan, NULL, only_first, &diagnostics));
	assert_int_equal(diagnostics.errors, 3);
	assert_found("9 CPUs are more than the 8 that kvm offers");
	assert_found("kvm does not offer `irqchip: user`");
	assert_found("RAM reaches 0x1000000fff, but kvm has addresses of 36 bits");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, clean)
	const struct CMUnitTest tests[] = {
		TEST(first_good_one_is_taken_and_no_other_is_probed),
		TEST(good_beats_slow_and_slow_beats_nothing),
		TEST(absent_and_not_built_in_are_passed_over_with_the_reason),
		TEST(without_a_choice_nothing_is_tried_out),
		TEST(option_overrides_the_profile),
		TEST(auto_means_all_that_are_built_in),
		TEST(profile_may_leave_it_to_what_is_here),
		TEST(clock_by_instructions_is_a_need),
		TEST(nothing_usable_lists_reasons_and_what_is_built_in),
		TEST(preferring_nothing_is_an_error),
		TEST(unknown_name_is_an_error_even_beside_a_good_one),
		TEST(unmet_need_is_a501_and_an_optional_one_is_not),
		TEST(one_that_meets_the_needs_is_preferred),
		TEST(auto_never_takes_one_that_has_to_be_named),
		TEST(sizes_and_irqchip_are_needs_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
