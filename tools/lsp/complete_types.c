/* Device types, each with an entry that claims what the type must have, at places that are free. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "resolver/typecheck.h"
#include "tools/lsp/complete_internal.h"

bool lsp_type_fits(const struct mw_device_type *type, const char *bus_kind)
{
	if (!type->buses)
		return mw_bus_kind(bus_kind)->claims;
	for (const char *const *bus = type->buses; *bus; bus++) {
		if (strcmp(*bus, bus_kind) == 0)
			return true;
	}
	return false;
}

const char *lsp_bus_for(struct lsp_completion *completion, const struct mw_device_type *type)
{
	const struct mw_study *study = lsp_study(completion->cursor->document);

	/* an ISA chip goes to the ISA bus where there is one */
	for (size_t i = 0; study && i < study->draft.node_count; i++) {
		const struct mw_draft_node *node = study->draft.nodes[i];

		if (node->type && node->type->provides && !node->failed &&
		    lsp_type_fits(type, node->type->provides))
			return node->id;
	}
	return "sys";
}

/* The text of an entry on its way; `stop` counts a snippet's stops. */
struct entry {
	struct lsp_completion *completion;
	const struct mw_device_type *type;
	struct lsp_bytes text;
	const char *separator; /* ", " in flow, a new line in block */
	const char *bus;
	unsigned stop;
};

static void put(struct entry *entry, const char *text)
{
	lsp_append(&entry->text, text, strlen(text));
}

static void put_stop(struct entry *entry, const char *text)
{
	char stop[120];

	snprintf(stop, sizeof(stop), "${%u:%s}", ++entry->stop, text);
	put(entry, entry->completion->cursor->server->snippets ? stop : text);
}

static bool has_key(const struct entry *entry, const char *key)
{
	return lsp_outline_child(entry->completion->context->outline, entry->completion->device,
				 key) != LSP_NO_ITEM;
}

static size_t count_regions(const struct mw_device_type *type, enum mw_space space, bool required)
{
	size_t count = 0;

	for (size_t i = 0; i < type->regions.count; i++)
		count += type->regions.items[i].space == space &&
			 !(required && type->regions.items[i].optional);
	return count;
}

static void put_place(struct entry *entry, const struct mw_region *region)
{
	struct lsp_free found;
	char text[64];
	enum mw_claim_kind kind = region->space == MW_SPACE_PORT ? MW_CLAIM_IO : MW_CLAIM_MMIO;

	lsp_free_ranges(entry->completion->cursor->document, kind, entry->completion->id,
			region->size, region->align, &found);
	if (found.window && region->size)
		snprintf(text, sizeof(text), "auto");
	else if (found.count)
		snprintf(text, sizeof(text), "0x%" PRIx64 "%s", found.bases[0],
			 region->size ? "" : "+4KiB");
	else
		snprintf(text, sizeof(text), "BASE");
	put_stop(entry, text);
}

static void put_regions(struct entry *entry, enum mw_space space, const char *key)
{
	const struct mw_device_type *type = entry->type;
	const char *between = "";
	bool named = count_regions(type, space, false) > 1;

	if (!count_regions(type, space, true) || has_key(entry, key))
		return;
	put(entry, entry->separator);
	put(entry, key);
	put(entry, named ? ": { " : ": ");
	for (size_t i = 0; i < type->regions.count; i++) {
		const struct mw_region *region = &type->regions.items[i];

		if (region->space != space || region->optional)
			continue;
		put(entry, between);
		if (named) {
			put(entry, region->name);
			put(entry, ": ");
		}
		put_place(entry, region);
		between = ", ";
	}
	put(entry, named ? " }" : "");
}

static bool is_required_line(const struct mw_wire *wire)
{
	return wire->kind == MW_LINE && wire->direction == MW_DRIVES && !wire->optional;
}

static void put_lines(struct entry *entry)
{
	const char *domain = mw_bus_kind(entry->bus)->domain;
	uint32_t lines[16];
	size_t free_count = domain ? lsp_free_lines(entry->completion->cursor->document, domain,
						    entry->completion->id, lines, 16)
				   : 0;
	size_t count = 0, at = 0;
	char text[32];

	for (size_t i = 0; i < entry->type->wires.count; i++)
		count += is_required_line(&entry->type->wires.items[i]);
	if (!count || has_key(entry, "irq") || has_key(entry, "intx"))
		return;
	if (domain && strcmp(domain, "pci") == 0) {
		put(entry, entry->separator);
		put(entry, "intx: ");
		put_stop(entry, "A");
		return;
	}
	put(entry, entry->separator);
	put(entry, count > 1 ? "irq: { " : "irq: ");
	for (size_t i = 0; i < entry->type->wires.count; i++) {
		if (!is_required_line(&entry->type->wires.items[i]))
			continue;
		if (count > 1) {
			put(entry, at ? ", " : "");
			put(entry, entry->type->wires.items[i].name);
			put(entry, ": ");
		}
		snprintf(text, sizeof(text), at < free_count ? "%" PRIu32 : "auto",
			 at < free_count ? lines[at] : 0);
		put_stop(entry, text);
		at++;
	}
	put(entry, count > 1 ? " }" : "");
}

static void put_properties(struct entry *entry)
{
	const struct mw_device_type *type = entry->type;
	size_t count = 0;

	if (has_key(entry, "props"))
		return;
	for (size_t i = 0; i < type->properties.count; i++) {
		if (!type->properties.items[i].required)
			continue;
		if (!count)
			put(entry, entry->separator);
		put(entry, count++ ? ", " : "props: { ");
		put(entry, type->properties.items[i].name);
		put(entry, ": ");
		put_stop(entry, "VALUE");
	}
	put(entry, count ? " }" : "");
}

static void put_image(struct entry *entry)
{
	for (size_t i = 0; i < entry->type->wires.count; i++) {
		const struct mw_wire *wire = &entry->type->wires.items[i];

		if (wire->kind != MW_IMAGE || wire->optional || has_key(entry, "backend"))
			continue;
		put(entry, entry->separator);
		put(entry, wire->writes ? "backend: { raw: " : "backend: { file: ");
		put_stop(entry, "PATH");
		put(entry, " }");
		return;
	}
}

static void fill_entry(struct entry *entry)
{
	const struct mw_draft_node *bus;
	const char *id = lsp_bus_for(entry->completion, entry->type);

	bus = lsp_node(entry->completion->cursor->document, id);
	entry->bus = bus && bus->type && bus->type->provides ? bus->type->provides : "sys";
	put(entry, entry->type->name);
	if (!has_key(entry, "at")) {
		put(entry, entry->separator);
		put(entry, "at: ");
		put_stop(entry, id);
	}
	put_regions(entry, MW_SPACE_PORT, "io");
	put_regions(entry, MW_SPACE_MEMORY, "mmio");
	put_lines(entry);
	put_properties(entry);
	put_image(entry);
	lsp_append(&entry->text, "", 1);
}

/* A new line of a block map at the column of `type`. */
static char *line_separator(const struct lsp_completion *completion)
{
	const struct lsp_outline *outline = completion->context->outline;
	size_t key = outline->items[completion->context->item].key, column = 0;

	while (column < key && column < 64 && outline->text[key - column - 1] == ' ')
		column++;
	char *separator = mw_alloc(column + 2, 1);

	separator[0] = '\n';
	memset(separator + 1, ' ', column);
	return separator;
}

void lsp_complete_types(struct lsp_completion *completion)
{
	const struct mw_registry *registry = &completion->cursor->server->workshop->registry;
	char *separator = completion->context->flow ? mw_strdup(", ") : line_separator(completion);
	bool whole = completion->device != LSP_NO_ITEM;

	/* a type being changed keeps what stands behind it */
	for (size_t i = completion->cursor->offset; i < completion->cursor->document->length; i++) {
		char c = completion->cursor->document->text[i];

		if (c == '\n' || c == '}')
			break;
		whole &= c == ' ' || c == '\r';
	}
	for (size_t i = 0; i < registry->count; i++) {
		struct entry entry = { .completion = completion,
				       .type = registry->types[i],
				       .separator = separator };

		if (entry.type->backend)
			continue;
		if (whole)
			fill_entry(&entry);
		json_t *item =
			lsp_offer(completion, entry.type->name, LSP_KIND_CLASS,
				  whole ? entry.text.bytes : NULL,
				  entry.type->provides ? "bus" : "device", entry.type->summary);

		if (item && whole && completion->cursor->server->snippets)
			json_object_set_new(item, "insertTextFormat", json_integer(2));
		free(entry.text.bytes);
	}
	free(separator);
}
