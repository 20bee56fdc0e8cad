/** Refuses what would otherwise be passed over in silence. */
// SPDX-License-Identifier: MIT
#include "tools/unbuilt.h"

#include "core/tables/tables.h"

__attribute__((format(printf, 3, 4))) static void
refuse(struct mw_diagnostics *diagnostics, struct mw_span span, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	const char *text = mw_arena_vprintf(&diagnostics->arena, format, arguments);

	va_end(arguments);
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S110", span, "%s", text);
}

static void check_boot(const struct mw_plan *plan, struct mw_diagnostics *diagnostics)
{
	const struct mw_plan_boot *boot = &plan->boot;

	if (boot->igvm_path)
		refuse(diagnostics, boot->igvm_span,
		       "`igvm` cannot be run yet: there is no loader of IGVM files");
	if (boot->measure)
		refuse(diagnostics, boot->measure_span,
		       "`measure` cannot be run yet: no launch is measured");
	if (boot->order && mw_items_taker(plan) < 0)
		refuse(diagnostics, boot->order_span,
		       "`order` cannot be run yet: there is no firmware that asks for it");
	if (boot->secure_boot)
		refuse(diagnostics, boot->secure_boot_span,
		       "`secure_boot` cannot be run yet: there is no UEFI firmware");
}

static bool has_8237(const struct mw_plan *plan)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		const struct mw_device_type *type = plan->nodes[i].type;

		for (size_t w = 0; w < type->wires.count; w++) {
			if (type->wires.items[w].on_cycle)
				return true;
		}
	}
	return false;
}

static bool has_image(const struct mw_device_type *type)
{
	for (size_t w = 0; w < type->wires.count; w++)
		if (type->wires.items[w].kind == MW_IMAGE)
			return true;
	return false;
}

static void check_node(const struct mw_plan *plan, const struct mw_plan_node *node,
		       struct mw_diagnostics *diagnostics)
{
	if (node->on_error == MW_ON_ERROR_STOP && !has_image(node->type))
		refuse(diagnostics, node->span,
		       "`on_error: stop` of `%s` cannot be run yet: only images tell of errors",
		       node->id);
	if (node->vtl)
		refuse(diagnostics, node->span,
		       "`%s` in trust level %u cannot be run yet: devices have one level", node->id,
		       node->vtl);
	for (size_t i = 0; i < node->claim_count; i++) {
		const struct mw_plan_claim *claim = &node->claims[i];

		if (claim->kind == MW_CLAIM_DMA && !has_8237(plan))
			refuse(diagnostics, claim->span,
			       "`%s.%s` cannot be run yet: there is no 8237 for its channel",
			       node->id, claim->name);
	}
}

bool mw_unbuilt_check(const struct mw_plan *plan, struct mw_diagnostics *diagnostics)
{
	size_t errors = diagnostics->errors;

	check_boot(plan, diagnostics);
	if (plan->vtl2.range.length)
		refuse(diagnostics, plan->vtl2.span,
		       "memory of VTL 2 cannot be run yet: all memory is of one level");
	for (size_t i = 0; i < plan->node_count; i++)
		check_node(plan, &plan->nodes[i], diagnostics);
	return diagnostics->errors == errors;
}
