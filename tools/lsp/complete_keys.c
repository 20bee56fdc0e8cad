/* Keys: from the tables of shapes, and where those say "any", from the device's type. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/cpu_features.h"
#include "tools/describe.h"
#include "tools/lsp/complete_internal.h"

enum { INHERITED_MOST = 2000 };

/* Whether the map holds the key already, before or behind the cursor. */
static bool is_there(const struct lsp_completion *completion, const char *key)
{
	const struct lsp_outline *before = completion->context->outline;
	const struct lsp_outline *whole = &completion->cursor->document->outline;
	uint32_t item = completion->context->item;

	if (lsp_outline_child(before, item, key) != LSP_NO_ITEM)
		return true;
	/* both outlines number what stands before the cursor alike */
	if (item != LSP_NO_ITEM &&
	    (item >= whole->count || before->items[item].key != whole->items[item].key))
		return false;
	uint32_t child = lsp_outline_child(whole, item, key);

	return child != LSP_NO_ITEM && whole->items[child].key > completion->cursor->offset;
}

static void offer_key(struct lsp_completion *completion, const char *key, unsigned kind,
		      const char *detail, const char *help)
{
	const struct lsp_document *document = completion->cursor->document;
	size_t at = completion->cursor->offset;
	char text[128];

	if (is_there(completion, key))
		return;
	snprintf(text, sizeof(text), "%s%s", key,
		 at < document->length && document->text[at] == ':' ? "" : ": ");
	lsp_offer(completion, key, kind, text, detail, help);
}

static void offer_properties(struct lsp_completion *completion)
{
	const struct mw_device_type *type = completion->type;

	for (size_t i = 0; type && i < type->properties.count; i++) {
		const struct mw_property *property = &type->properties.items[i];
		char fallback[120], detail[160];

		mw_describe_default(property, fallback, sizeof(fallback));
		snprintf(detail, sizeof(detail), *fallback ? "default %s" : "required", fallback);
		offer_key(completion, property->name, LSP_KIND_PROPERTY, detail, property->help);
	}
}

static void offer_regions(struct lsp_completion *completion, enum mw_space space)
{
	const struct mw_device_type *type = completion->type;

	for (size_t i = 0; type && i < type->regions.count; i++) {
		if (type->regions.items[i].space == space)
			offer_key(completion, type->regions.items[i].name, LSP_KIND_FIELD, NULL,
				  NULL);
	}
}

static void offer_wires(struct lsp_completion *completion, bool lines)
{
	const struct mw_device_type *type = completion->type;

	for (size_t i = 0; type && i < type->wires.count; i++) {
		const struct mw_wire *wire = &type->wires.items[i];

		if (!lines || (wire->kind == MW_LINE && wire->direction == MW_DRIVES))
			offer_key(completion, wire->name, LSP_KIND_FIELD, NULL, wire->help);
	}
}

static void offer_lines(struct lsp_completion *completion)
{
	static const char *const keys[] = { "line", "trigger", "polarity", "share" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		offer_key(completion, keys[i], LSP_KIND_PROPERTY, NULL,
			  lsp_key_help(completion->context->outline, completion->context->item,
				       keys[i]));
	offer_wires(completion, true);
}

static void offer_backends(struct lsp_completion *completion)
{
	const struct mw_registry *registry = &completion->cursor->server->workshop->registry;
	const struct mw_device_type *type = completion->type;

	for (size_t i = 0; type && i < registry->count; i++) {
		const struct mw_device_type *backend = registry->types[i];

		for (size_t w = 0; backend->backend && w < type->wires.count; w++) {
			if (mw_registry_backend(registry, backend->backend,
						type->wires.items[w].kind) != backend)
				continue;
			offer_key(completion, backend->backend, LSP_KIND_MODULE, NULL,
				  backend->summary);
			break;
		}
	}
}

static void offer_features(struct lsp_completion *completion)
{
	for (const struct mw_cpu_feature *feature = mw_cpu_features; feature->name; feature++)
		offer_key(completion, feature->name, LSP_KIND_PROPERTY, NULL, NULL);
}

/* What a base has under this map and could be changed. */
static void offer_inherited(struct lsp_completion *completion, const char *section)
{
	struct mw_tree *map = mw_tree_get(lsp_merged(completion->cursor->document), section);
	struct lsp_analysis *analysis = lsp_best(completion->cursor->document);

	size_t most = INHERITED_MOST;

	for (struct mw_tree *child = map && map->kind == MW_TREE_MAP ? map->first : NULL;
	     child && most; child = child->next, most--) {
		struct mw_tree *type = mw_tree_get(child, "type");

		if (child->key_span.source && child->key_span.source != analysis->source)
			offer_key(completion, child->key, LSP_KIND_REFERENCE,
				  type && type->kind == MW_TREE_SCALAR ? type->text : NULL,
				  "changes an entry of a base");
	}
}

static void offer_names(struct lsp_completion *completion, const char *const *names)
{
	for (; *names; names++)
		offer_key(completion, *names, LSP_KIND_PROPERTY, NULL, NULL);
}

static void offer_codes(struct lsp_completion *completion)
{
	for (const struct mw_rule *rule = mw_rule_next(NULL); rule; rule = mw_rule_next(rule))
		offer_key(completion, rule->code, LSP_KIND_ENUM_MEMBER, rule->name, NULL);
}

static void offer_shape(struct lsp_completion *completion)
{
	const struct lsp_context *context = completion->context;
	const struct mw_shape *shape = context->shape;

	for (const struct mw_shape_key *key = shape ? shape->keys : NULL; key && key->name; key++) {
		if (!(key->flags & MW_KEY_PLANNED))
			offer_key(completion, key->name, LSP_KIND_PROPERTY,
				  key->flags & MW_KEY_REQUIRED ? "required" : NULL,
				  lsp_key_help(context->outline, context->item, key->name));
	}
}

void lsp_complete_key(struct lsp_completion *completion)
{
	static const char *const needs[] = { "pit",      "msi",       "ioeventfd", "pio",
					     "a20",      "smm",       "x2apic",    "vtl",
					     "synic",    "isolation", "max_vcpus", "gpa_bits",
					     "memslots", "dirty_log", NULL };
	static const char *const windows[] = { "io", "mmio32", "mmio64", NULL };
	static const char *const domains[] = { "isa", "pci", "gsi", NULL };

	offer_shape(completion);
	if (lsp_completes(completion, "devices"))
		offer_inherited(completion, "devices");
	else if (lsp_completes(completion, "params"))
		offer_inherited(completion, "params");
	else if (lsp_completes(completion, "devices/*/props"))
		offer_properties(completion);
	else if (lsp_completes(completion, "devices/*/io"))
		offer_regions(completion, MW_SPACE_PORT);
	else if (lsp_completes(completion, "devices/*/mmio"))
		offer_regions(completion, MW_SPACE_MEMORY);
	else if (lsp_completes(completion, "devices/*/irq") ||
		 lsp_completes(completion, "devices/*/irq/*"))
		offer_lines(completion);
	else if (lsp_completes(completion, "devices/*/wires"))
		offer_wires(completion, false);
	else if (lsp_completes(completion, "devices/*/backend"))
		offer_backends(completion);
	else if (lsp_completes(completion, "cpu/features"))
		offer_features(completion);
	else if (lsp_completes(completion, "accel/need"))
		offer_names(completion, needs);
	else if (lsp_completes(completion, "lint/allow"))
		offer_codes(completion);
	else if (lsp_completes(completion, "windows"))
		offer_names(completion, windows);
	else if (lsp_completes(completion, "irq"))
		offer_names(completion, domains);
}
