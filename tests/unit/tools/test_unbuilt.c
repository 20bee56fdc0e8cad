/* What a plan can say and nothing can run yet is refused by name. */
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "tools/unbuilt.h"

static void refused(const struct mw_plan *plan, const char *part)
{
	struct mw_diagnostics diagnostics = { 0 };

	assert_false(mw_unbuilt_check(plan, &diagnostics));
	assert_int_equal(diagnostics.errors, 1);
	assert_string_equal(diagnostics.items[0]->code, "S110");
	if (!strstr(diagnostics.items[0]->message, part))
		fail_msg("`%s` lacks `%s`", diagnostics.items[0]->message, part);
	mw_diagnostics_fini(&diagnostics);
}

static void each_names_what_is_missing(void **state)
{
	static const char *const order[] = { "hd0", NULL };
	const struct mw_plan_claim dma = { .kind = MW_CLAIM_DMA, .name = "dma" };
	const struct mw_device_type type = { .name = "chip" };
	struct mw_plan_node node = { .id = "fdc", .type = &type };
	struct mw_plan plan = { .nodes = &node, .node_count = 1 };
	struct mw_diagnostics none = { 0 };

	assert_true(mw_unbuilt_check(&plan, &none));
	refused(&(struct mw_plan){ .boot.igvm_path = "f" }, "no loader of IGVM files");
	refused(&(struct mw_plan){ .boot.order = order }, "no firmware that asks for it");
	refused(&(struct mw_plan){ .boot.secure_boot = true }, "no UEFI firmware");
	refused(&(struct mw_plan){ .boot.measure = MW_MEASURE_SHA384 }, "no launch is measured");
	refused(&(struct mw_plan){ .vtl2.range.length = 4096 }, "all memory is of one level");
	node.on_error = MW_ON_ERROR_STOP;
	refused(&plan, "`on_error: stop` of `fdc`");
	node.on_error = MW_ON_ERROR_REPORT;
	node.vtl = 2;
	refused(&plan, "`fdc` in trust level 2");
	node.vtl = 0;
	node.claims = &dma;
	node.claim_count = 1;
	refused(&plan, "`fdc.dma` cannot be run yet: there is no 8237");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_names_what_is_missing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
