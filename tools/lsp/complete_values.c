/* Values: nodes, places, lines, files and words, by the key they stand behind. */
// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "accel/accel.h"
#include "core/alloc.h"
#include "resolver/typecheck.h"
#include "resolver/wire.h"
#include "tools/describe.h"
#include "tools/lsp/complete_internal.h"

enum { FILES_MOST = 256, SLOTS = 32 };

static struct mw_study *study_of(const struct lsp_completion *completion)
{
	return lsp_study(completion->cursor->document);
}

/* Names of YAML files in a folder, sorted: folders list theirs in any order. */
static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t list_files(const char *folder, const char *below, char **names)
{
	struct mw_arena arena = { 0 };
	DIR *directory = opendir(mw_arena_printf(&arena, "%s/%s", folder, below));
	struct dirent *entry;
	size_t count = 0;

	while (directory && count < FILES_MOST && (entry = readdir(directory))) {
		size_t length = strlen(entry->d_name);

		if (length <= 5 || strcmp(entry->d_name + length - 5, ".yaml") != 0)
			continue;
		names[count] = mw_strdup(entry->d_name);
		names[count++][length - 5] = '\0';
	}
	if (directory)
		closedir(directory);
	mw_arena_fini(&arena);
	if (count)
		qsort(names, count, sizeof(*names), by_name);
	return count;
}

/* The first lines of a file say what it is; the whole of it is nobody's business here. */
static bool read_head(const char *path, struct lsp_outline *outline, char *text, size_t capacity)
{
	FILE *in = fopen(path, "re");
	size_t length = in ? fread(text, 1, capacity, in) : 0;

	if (in)
		fclose(in);
	lsp_outline_parse(outline, text, length);
	return length > 0;
}

static void offer_file(struct lsp_completion *completion, const char *kind, const char *folder,
		       const char *name)
{
	struct mw_arena arena = { 0 };
	struct lsp_outline outline;
	char text[4096], version[24] = "1", format[40] = "", summary[200] = "";
	const char *format_folder = mw_format_find(kind)->folder;
	bool read = read_head(mw_arena_printf(&arena, "%s/%s/%s.yaml", folder, format_folder, name),
			      &outline, text, sizeof(text));
	const struct {
		const char *key;
		char *text;
		size_t capacity;
	} heads[] = { { "version", version, sizeof(version) },
		      { "format", format, sizeof(format) },
		      { "summary", summary, sizeof(summary) } };

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]) && read; i++) {
		uint32_t item = lsp_outline_child(&outline, LSP_NO_ITEM, heads[i].key);

		if (item != LSP_NO_ITEM && outline.items[item].scalar)
			lsp_outline_value(&outline, item, heads[i].text, heads[i].capacity);
	}
	if (strncmp(format, kind, strlen(kind)) == 0 && format[strlen(kind)] == '/')
		lsp_offer(completion,
			  strcmp(kind, "cpu") == 0
				  ? name
				  : mw_arena_printf(&arena, "%s/%s@%s", kind, name, version),
			  LSP_KIND_FILE, NULL, NULL, summary);
	lsp_outline_fini(&outline);
	mw_arena_fini(&arena);
}

static bool is_offered(const struct lsp_completion *completion, const char *name)
{
	const json_t *item;
	size_t index;

	json_array_foreach(completion->items, index, item)
	{
		if (strcmp(json_string_value(json_object_get(item, "label")), name) == 0)
			return true;
	}
	return false;
}

static void offer_files(struct lsp_completion *completion, const char *kind)
{
	struct lsp_analysis *analysis = lsp_best(completion->cursor->document);
	char *names[FILES_MOST];

	for (size_t i = 0; analysis && i < analysis->search_count; i++) {
		size_t count = list_files(analysis->search[i], mw_format_find(kind)->folder, names);

		for (size_t n = 0; n < count; n++) {
			/* the first folder wins, as for the resolver */
			if (!is_offered(completion, names[n]))
				offer_file(completion, kind, analysis->search[i], names[n]);
			free(names[n]);
		}
	}
}

static void offer_bases(struct lsp_completion *completion)
{
	offer_files(completion, "chipset");
	if (strcmp(lsp_format_of(&completion->cursor->document->outline)->name, "machine") == 0)
		offer_files(completion, "machine");
}

static void offer_types(struct lsp_completion *completion)
{
	lsp_complete_types(completion);
	offer_files(completion, "part");
}

static void offer_formats(struct lsp_completion *completion)
{
	char text[40];

	for (const struct mw_format *format = mw_formats; format->name; format++) {
		if (!format->shape || !format->folder)
			continue;
		snprintf(text, sizeof(text), "%s/1", format->name);
		lsp_offer(completion, text, LSP_KIND_KEYWORD, NULL, NULL, NULL);
	}
}

/* Free slots of a PCI bus behind `pci0:`. */
static void offer_slots(struct lsp_completion *completion, const char *bus)
{
	const struct mw_study *study = study_of(completion);
	bool used[SLOTS] = { false };
	char text[120];
	unsigned offered = 0;

	for (size_t i = 0; i < study->draft.node_count; i++) {
		const struct mw_draft_node *node = study->draft.nodes[i];
		unsigned long slot = node->address ? strtoul(node->address, NULL, 16) : SLOTS;

		if (node->bus_id && strcmp(node->bus_id, bus) == 0 && slot < SLOTS &&
		    strcmp(node->id, completion->id) != 0)
			used[slot] = true;
	}
	for (unsigned slot = 1; slot < SLOTS && offered < 8; slot++) {
		if (used[slot])
			continue;
		offered++;
		snprintf(text, sizeof(text), "%s:%02x.0", bus, slot);
		lsp_offer(completion, text, LSP_KIND_VALUE, NULL, "free", NULL);
	}
}

static void offer_buses(struct lsp_completion *completion)
{
	const struct mw_study *study = study_of(completion);
	const struct mw_device_type *type = completion->type;
	char bus[80];
	size_t colon = strcspn(completion->context->word, ":");

	if (study && completion->context->word[colon] && colon < sizeof(bus)) {
		memcpy(bus, completion->context->word, colon);
		bus[colon] = '\0';
		const struct mw_draft_node *node = lsp_node(completion->cursor->document, bus);

		if (node && node->type && node->type->provides &&
		    mw_bus_kind(node->type->provides)->address == MW_ADDRESS_DEVFN)
			offer_slots(completion, bus);
		return;
	}
	for (size_t i = 0; study && i < study->draft.node_count; i++) {
		const struct mw_draft_node *node = study->draft.nodes[i];

		if (node->type && node->type->provides && strcmp(node->id, completion->id) != 0 &&
		    (!type || lsp_type_fits(type, node->type->provides)))
			lsp_offer(completion, node->id, LSP_KIND_REFERENCE, NULL,
				  node->type->provides, node->type->summary);
	}
	if (!type || lsp_type_fits(type, "sys"))
		lsp_offer(completion, "sys", LSP_KIND_REFERENCE, NULL, "sys",
			  "The machine's own memory and ports.");
}

static const struct mw_region *region_of(const struct lsp_completion *completion,
					 enum mw_space space)
{
	const struct mw_device_type *type = completion->type;
	const struct lsp_context *context = completion->context;
	const struct mw_region *only = NULL;

	for (size_t i = 0; type && i < type->regions.count; i++) {
		const struct mw_region *region = &type->regions.items[i];

		if (region->space != space)
			continue;
		if (lsp_outline_key_is(context->outline, context->item, region->name))
			return region;
		only = only ? only : region;
	}
	return only;
}

static void offer_ranges(struct lsp_completion *completion, enum mw_space space)
{
	const struct mw_region *region = region_of(completion, space);
	struct lsp_free found;
	char text[64], detail[120];
	bool ports = space == MW_SPACE_PORT;

	if (!region)
		return;
	lsp_free_ranges(completion->cursor->document, ports ? MW_CLAIM_IO : MW_CLAIM_MMIO,
			completion->id, region->size ? region->size : 0x1000, region->align,
			&found);
	snprintf(detail, sizeof(detail), "placed by the allocator in `%s`",
		 found.window ? found.window : "");
	if (found.window)
		lsp_offer(completion, region->size ? "auto" : "auto+4KiB", LSP_KIND_KEYWORD, NULL,
			  detail, NULL);
	for (size_t i = 0; i < found.count; i++) {
		uint64_t length = region->size ? region->size : 0x1000;

		snprintf(text, sizeof(text), "0x%" PRIx64 "%s", found.bases[i],
			 region->size ? "" : "+4KiB");
		snprintf(detail, sizeof(detail), "free: 0x%" PRIx64 "-0x%" PRIx64, found.bases[i],
			 found.bases[i] + length - 1);
		lsp_offer(completion, text, LSP_KIND_VALUE, NULL, detail, NULL);
	}
}

/* The kind of bus the device is on, by what stands at `at`. */
static const char *bus_kind_of(const struct lsp_completion *completion)
{
	const struct lsp_outline *outlines[] = { completion->context->outline,
						 &completion->cursor->document->outline };
	char bus[80];

	for (size_t i = 0; i < 2; i++) {
		uint32_t devices = lsp_outline_child(outlines[i], LSP_NO_ITEM, "devices");
		uint32_t device = devices == LSP_NO_ITEM
					  ? devices
					  : lsp_outline_child(outlines[i], devices, completion->id);
		uint32_t at = device == LSP_NO_ITEM ? device
						    : lsp_outline_child(outlines[i], device, "at");

		if (at == LSP_NO_ITEM || !outlines[i]->items[at].scalar)
			continue;
		lsp_outline_value(outlines[i], at, bus, sizeof(bus));
		bus[strcspn(bus, ":")] = '\0';
		const struct mw_draft_node *node = lsp_node(completion->cursor->document, bus);

		return node && node->type && node->type->provides ? node->type->provides : "sys";
	}
	const struct mw_draft_node *self = lsp_node(completion->cursor->document, completion->id);

	return self && self->bus_kind ? self->bus_kind : "sys";
}

static void offer_lines(struct lsp_completion *completion)
{
	const struct lsp_context *context = completion->context;
	const char *colon = strchr(context->word, ':');
	const char *domain = mw_bus_kind(bus_kind_of(completion))->domain;
	char named[80] = "", text[120];
	uint32_t lines[24];

	if (colon && (size_t)(colon - context->word) < sizeof(named) - 1) {
		memcpy(named, context->word, (size_t)(colon - context->word));
		domain = named;
	}
	size_t count = domain ? lsp_free_lines(completion->cursor->document, domain, completion->id,
					       lines, 24)
			      : 0;

	for (size_t i = 0; i < count; i++) {
		char detail[120];

		snprintf(text, sizeof(text), "%s%s%" PRIu32, colon ? domain : "", colon ? ":" : "",
			 lines[i]);
		snprintf(detail, sizeof(detail), "free line of `%s`", domain);
		lsp_offer(completion, text, LSP_KIND_VALUE, NULL, detail, NULL);
	}
	if (!colon && count)
		lsp_offer(completion, "auto", LSP_KIND_KEYWORD, NULL, "the first free line", NULL);
}

static void offer_property(struct lsp_completion *completion)
{
	static const char *const bools[] = { "true", "false", NULL };
	const struct lsp_context *context = completion->context;
	char name[80], range[200];

	if (!completion->type)
		return;
	const struct mw_property *property =
		mw_type_property(completion->type, lsp_outline_key(context->outline, context->item,
								   name, sizeof(name)));

	if (property && property->members)
		lsp_offer_words(completion, property->members, LSP_KIND_ENUM_MEMBER);
	else if (property && property->kind == MW_BOOL)
		lsp_offer_words(completion, bools, LSP_KIND_KEYWORD);
	else if (property && !property->required) {
		mw_describe_default(property, name, sizeof(name));
		mw_describe_range(property, range, sizeof(range));
		if (*name)
			lsp_offer(completion, name, LSP_KIND_VALUE, NULL, "the default",
				  *range ? range : NULL);
	}
}

/* NODE.WIRE of every wire that could be at the other end. */
static void offer_wire_ends(struct lsp_completion *completion)
{
	const struct lsp_context *context = completion->context;
	const struct mw_study *study = study_of(completion);
	char name[80], text[200];
	const struct mw_wire *own =
		completion->type ? mw_type_wire(completion->type,
						lsp_outline_key(context->outline, context->item,
								name, sizeof(name)))
				 : NULL;

	for (size_t i = 0; study && own && i < study->draft.node_count; i++) {
		const struct mw_draft_node *node = study->draft.nodes[i];

		if (!node->type || node->host || strcmp(node->id, completion->id) == 0)
			continue;
		for (size_t w = 0; w < node->type->wires.count; w++) {
			const struct mw_wire *wire = &node->type->wires.items[w];

			if (wire->kind != own->kind ||
			    (wire->kind != MW_STREAM && wire->direction == own->direction))
				continue;
			snprintf(text, sizeof(text), "%s.%s", node->id, wire->name);
			lsp_offer(completion, text, LSP_KIND_REFERENCE, NULL, node->type->name,
				  wire->help);
		}
	}
}

static void offer_claims(struct lsp_completion *completion)
{
	const struct mw_study *study = study_of(completion);
	char text[200];

	for (size_t i = 0; study && i < study->draft.node_count; i++) {
		const struct mw_draft_node *node = study->draft.nodes[i];

		for (size_t c = 0; c < node->claim_count && strcmp(node->id, completion->id) != 0;
		     c++) {
			const struct mw_draft_claim *claim = &node->claims[c];

			if (claim->kind != MW_CLAIM_IO && claim->kind != MW_CLAIM_MMIO)
				continue;
			snprintf(text, sizeof(text), "%s.%s", node->id, claim->name);
			lsp_offer(completion, text, LSP_KIND_REFERENCE, NULL, NULL, NULL);
		}
	}
}

/* Nodes that something can lead to: with pins for lines, or with bytes behind a region. */
static void offer_nodes(struct lsp_completion *completion, bool sinks)
{
	const struct mw_study *study = study_of(completion);

	for (size_t i = 0; study && i < study->draft.node_count; i++) {
		const struct mw_draft_node *node = study->draft.nodes[i];
		const struct mw_wire *input = node->type ? mw_wire_input(node->type) : NULL;
		bool fits =
			sinks && input && input->count > 1; /* one line alone is no controller */

		for (size_t r = 0; node->type && !sinks && r < node->type->regions.count; r++)
			fits |= node->type->regions.items[r].backing != MW_BACKING_CALLS;
		if (fits && !node->host)
			lsp_offer(completion, node->id, LSP_KIND_REFERENCE, NULL, node->type->name,
				  node->type->summary);
	}
}

static void offer_backends(struct lsp_completion *completion)
{
	const struct mw_registry *registry = &completion->cursor->server->workshop->registry;
	const struct mw_device_type *type = completion->type;

	for (size_t i = 0; type && i < registry->count; i++) {
		const struct mw_device_type *backend = registry->types[i];

		for (size_t w = 0; backend->backend && w < type->wires.count; w++) {
			if (!mw_wire_has_host_side(&type->wires.items[w]) ||
			    mw_registry_backend(registry, backend->backend,
						type->wires.items[w].kind) != backend)
				continue;
			lsp_offer(completion, backend->backend, LSP_KIND_MODULE, NULL, NULL,
				  backend->summary);
			break;
		}
	}
}

static void offer_accelerators(struct lsp_completion *completion)
{
	lsp_offer(completion, "auto", LSP_KIND_KEYWORD, NULL, NULL, "Whichever is good here.");
	for (size_t i = 0; mw_accels[i]; i++)
		lsp_offer(completion, mw_accels[i]->name, LSP_KIND_MODULE, NULL, NULL,
			  mw_accels[i]->summary);
}

static void offer_models(struct lsp_completion *completion)
{
	lsp_offer(completion, "host", LSP_KIND_KEYWORD, NULL, NULL, "The CPU it runs on.");
	offer_files(completion, "cpu");
}

static void offer_shape(struct lsp_completion *completion)
{
	static const char *const bools[] = { "true", "false", NULL };
	const struct mw_shape *shape = completion->context->shape;

	if (shape && shape->accepts & MW_SHAPE_WORD)
		lsp_offer_words(completion, shape->words, LSP_KIND_ENUM_MEMBER);
	if (shape && shape->accepts & MW_SHAPE_BOOL)
		lsp_offer_words(completion, bools, LSP_KIND_KEYWORD);
}

static void offer_ports(struct lsp_completion *completion)
{
	offer_ranges(completion, MW_SPACE_PORT);
}

static void offer_memory(struct lsp_completion *completion)
{
	offer_ranges(completion, MW_SPACE_MEMORY);
}

static void offer_sinks(struct lsp_completion *completion)
{
	offer_nodes(completion, true);
}

static void offer_firmware(struct lsp_completion *completion)
{
	offer_nodes(completion, false);
}

static const char *const bools[] = { "true", "false", NULL };
static const char *const needs[] = { "true", "optional", NULL };
static const char *const triggers[] = { "edge", "level", NULL };
static const char *const polarities[] = { "high", "low", NULL };
static const char *const tables[] = { "acpi", "smbios", "mptable", "pir", NULL };

/* The first pattern that fits answers. */
static const struct provider {
	const char *pattern;
	void (*offer)(struct lsp_completion *completion);
	const char *const *words;
} providers[] = {
	{ "format", offer_formats, NULL },
	{ "extends", offer_bases, NULL },
	{ "extends/-", offer_bases, NULL },
	{ "devices/*/type", offer_types, NULL },
	{ "devices/*/at", offer_buses, NULL },
	{ "devices/*/io", offer_ports, NULL },
	{ "devices/*/io/*", offer_ports, NULL },
	{ "devices/*/mmio", offer_memory, NULL },
	{ "devices/*/mmio/*", offer_memory, NULL },
	{ "devices/*/irq/trigger", NULL, triggers },
	{ "devices/*/irq/*/trigger", NULL, triggers },
	{ "devices/*/irq/polarity", NULL, polarities },
	{ "devices/*/irq/*/polarity", NULL, polarities },
	{ "devices/*/irq/share", NULL, bools },
	{ "devices/*/irq/*/share", NULL, bools },
	{ "devices/*/irq", offer_lines, NULL },
	{ "devices/*/irq/*", offer_lines, NULL },
	{ "devices/*/irq/*/line", offer_lines, NULL },
	{ "devices/*/props/*", offer_property, NULL },
	{ "devices/*/wires/*", offer_wire_ends, NULL },
	{ "devices/*/overlays", offer_claims, NULL },
	{ "devices/*/backend", offer_backends, NULL },
	{ "accel/prefer/-", offer_accelerators, NULL },
	{ "accel/need/*", NULL, needs },
	{ "cpu/model", offer_models, NULL },
	{ "cpu/features/*", NULL, bools },
	{ "boot/firmware", offer_firmware, NULL },
	{ "boot/tables/-", NULL, tables },
	{ "irq/*/to", offer_sinks, NULL },
	{ "irq/*/to/-", offer_sinks, NULL },
	{ "irq/*/map/*", offer_sinks, NULL },
	{ "irq/*/map/*/-", offer_sinks, NULL },
};

void lsp_complete_value(struct lsp_completion *completion)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
		if (!lsp_completes(completion, providers[i].pattern))
			continue;
		if (providers[i].offer)
			providers[i].offer(completion);
		else
			lsp_offer_words(completion, providers[i].words, LSP_KIND_ENUM_MEMBER);
		return;
	}
	offer_shape(completion);
	/* block style: a map's first key is typed where a value could be */
	if (completion->context->item != LSP_NO_ITEM && !completion->context->in_list &&
	    completion->context->outline->items[completion->context->item].element)
		lsp_complete_key(completion);
}
