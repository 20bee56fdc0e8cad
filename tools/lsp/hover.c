/* Hover: what a key is for, what a name stands for, and what became of a value. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "resolver/front.h"
#include "tools/describe.h"
#include "tools/lsp/lsp_internal.h"

/* The text of one hover on its way. */
struct hover {
	struct lsp_cursor *cursor;
	uint32_t item;
	bool on_key;
	char *text;
	size_t length;
	FILE *out;
};

static const char *source_name(struct lsp_analysis *analysis, uint32_t source)
{
	const char *path = lsp_source_path(analysis, source), *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void say_place(struct hover *hover, const char *what, struct mw_span span)
{
	struct lsp_analysis *analysis = lsp_best(hover->cursor->document);
	unsigned line, column;

	if (!span.source)
		return;
	mw_source_position(&analysis->diagnostics.sources[span.source - 1], span.byte, &line,
			   &column);
	fprintf(hover->out, "\n\n%s %s:%u", what, source_name(analysis, span.source), line);
}

static void say_sinks(struct hover *hover, const struct mw_draft_net *net)
{
	if (net->domain)
		fprintf(hover->out, "`%s:%" PRIu32 "`", net->domain, net->line);
	else
		fputs("a wire", hover->out);
	if (net->gsi != MW_NO_GSI)
		fprintf(hover->out, ", GSI %" PRIu32, net->gsi);
	for (size_t i = 0; i < net->sink_count && i < 8; i++)
		fprintf(hover->out, "%s `%s.%s:%" PRIu32 "`", i ? "," : ", to",
			net->sink_nodes[i]->id, net->sinks[i].wire->name, net->sinks[i].index);
	for (size_t i = 0; i < net->user_count && i < 8 && net->user_count > 1; i++)
		fprintf(hover->out, "%s `%s`", i ? "," : "; driven by", net->users[i]->node->id);
}

static const char *kind_name(const struct mw_draft_claim *claim)
{
	switch (claim->kind) {
	case MW_CLAIM_IO: return "io";
	case MW_CLAIM_MMIO: return "mmio";
	case MW_CLAIM_IRQ: return claim->pin ? "intx" : "irq";
	case MW_CLAIM_DMA: return "dma";
	case MW_CLAIM_MSI: return "msi";
	default: return "claim";
	}
}

static void say_range(struct hover *hover, const struct mw_draft_claim *claim)
{
	char size[32];

	if (!claim->placed || !claim->length) {
		fputs("is not placed", hover->out);
		return;
	}
	mw_describe_size(claim->length, size, sizeof(size));
	fprintf(hover->out, "0x%" PRIx64 "-0x%" PRIx64 " (%s)", claim->base,
		claim->base + (claim->length - 1), size);
}

static void say_claim(struct hover *hover, const struct mw_draft_claim *claim)
{
	fprintf(hover->out, "`%s.%s` ", kind_name(claim), claim->name);
	if (claim->kind == MW_CLAIM_DMA)
		fprintf(hover->out, "channel %" PRIu64, claim->line);
	else if (claim->kind == MW_CLAIM_MSI)
		fprintf(hover->out, "%" PRIu64 " vectors", claim->line);
	else if (claim->kind != MW_CLAIM_IRQ)
		say_range(hover, claim);
	else if (claim->net)
		say_sinks(hover, claim->net);
	else
		fputs("leads nowhere", hover->out);
	if (claim->automatic)
		fputs(claim->locked ? ", from the lock file" : ", placed by the allocator",
		      hover->out);
}

static bool covers(struct mw_span span, uint32_t source, size_t offset)
{
	return span.source == source && offset >= span.byte && offset <= span.byte + span.length;
}

/* Every claim that the value at the cursor asks for: several where a `count` made several. */
static bool hover_claims(struct hover *hover)
{
	const struct mw_study *study = lsp_study(hover->cursor->document);
	struct lsp_analysis *analysis = lsp_best(hover->cursor->document);
	const struct lsp_item *item = &hover->cursor->document->outline.items[hover->item];
	size_t found = 0;

	for (size_t i = 0; study && i < study->draft.node_count && found < 16; i++) {
		const struct mw_draft_node *node = study->draft.nodes[i];

		for (size_t c = 0; c < node->claim_count; c++) {
			const struct mw_draft_claim *claim = &node->claims[c];
			struct mw_span span;

			if (!claim->tree)
				continue;
			span = claim->tree->span;
			if (span.source != analysis->source ||
			    span.byte + span.length > item->end || span.byte < item->key)
				continue;
			fprintf(hover->out, "%s**%s** ", found++ ? "\n\n" : "", node->id);
			say_claim(hover, claim);
			if (claim->tree->written)
				fprintf(hover->out, ", from `%s`", claim->tree->written->text);
			if (claim->tree->over)
				say_place(hover, "replaces what is in", claim->tree->over->span);
		}
	}
	return found > 0;
}

static void say_type(struct hover *hover, const struct mw_device_type *type)
{
	fputs("```\n", hover->out);
	mw_describe_text(type, hover->out);
	fputs("```", hover->out);
}

static bool hover_node(struct hover *hover, const char *id)
{
	const struct mw_draft_node *node = lsp_node(hover->cursor->document, id);

	if (!node || !node->type)
		return false;
	fprintf(hover->out, "**%s**: `%s`, %s", id, node->type->name, node->type->summary);
	if (node->bus_id)
		fprintf(hover->out, "\n\non `%s`%s%s", node->bus_id, node->address ? ":" : "",
			node->address ? node->address : "");
	for (size_t i = 0; i < node->claim_count; i++) {
		fputs(i ? "\n- " : "\n\n- ", hover->out);
		say_claim(hover, &node->claims[i]);
	}
	return true;
}

/* A node, or the entry with a `count` that nodes were made from. */
static bool hover_device(struct hover *hover, const char *id)
{
	struct mw_tree *entry =
		mw_tree_get(mw_tree_get(lsp_merged(hover->cursor->document), "devices"), id);
	char first[96];

	if (hover_node(hover, id)) {
		if (entry && entry->over)
			say_place(hover, "changes", entry->over->key_span);
		else if (entry)
			say_place(hover, "declared in", entry->key_span);
		return true;
	}
	snprintf(first, sizeof(first), "%s0", id);
	return entry && mw_tree_get(entry, "count") && hover_node(hover, first);
}

static void say_value(struct hover *hover, const struct mw_tree *tree)
{
	const char *between = "";

	if (tree->kind == MW_TREE_SCALAR) {
		fprintf(hover->out, "`%s`", tree->text);
		return;
	}
	for (const struct mw_tree *item = tree->first; item; item = item->next) {
		if (item->kind == MW_TREE_SCALAR)
			fprintf(hover->out, "%s`%s`", between, item->text);
		between = ", ";
	}
}

static void say_current(struct hover *hover, const char *name)
{
	const struct mw_study *study = lsp_study(hover->cursor->document);
	const struct mw_scope *scope = study && study->document.front->params
					       ? mw_params_scope(study->document.front->params)
					       : NULL;
	struct mw_parameter *parameter = scope ? scope->find(scope->context, name) : NULL;
	struct mw_arena arena = { 0 };

	if (!parameter)
		return;
	struct mw_value value = scope->value(scope->context, parameter);
	const char *text = value.state == MW_VALUE_SET ? mw_value_text(&arena, &value) : NULL;

	if (text)
		fprintf(hover->out, "\n\nnow `%s`", text);
	else if (value.state == MW_VALUE_UNSET)
		fputs("\n\nnow without a value", hover->out);
	mw_arena_fini(&arena);
}

static bool hover_parameter(struct hover *hover, const char *name)
{
	static const char *const keys[] = { "default", "min", "max", "multiple", "of", "scope" };
	struct mw_tree *tree =
		mw_tree_get(mw_tree_get(lsp_merged(hover->cursor->document), "params"), name);
	struct mw_tree *type = mw_tree_get(tree, "type"), *help = mw_tree_get(tree, "help");

	if (!tree || tree->kind != MW_TREE_MAP)
		return false;
	fprintf(hover->out, "**%s**", name);
	if (type) {
		fputs(": ", hover->out);
		say_value(hover, type);
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct mw_tree *value = mw_tree_get(tree, keys[i]);

		if (!value)
			continue;
		fprintf(hover->out, ", %s ", keys[i]);
		say_value(hover, value);
	}
	if (help && help->kind == MW_TREE_SCALAR)
		fprintf(hover->out, "\n\n%s", help->text);
	say_current(hover, name);
	say_place(hover, "declared in", tree->key_span);
	return true;
}

/* The evaluated scalar at the cursor. Depth is bounded by the reader. */
static const struct mw_tree *evaluated_at(const struct mw_tree *tree, uint32_t source,
					  size_t offset)
{
	if (tree->kind == MW_TREE_SCALAR)
		return tree->written && covers(tree->span, source, offset) ? tree : NULL;
	for (const struct mw_tree *child = tree->first; child; child = child->next) {
		const struct mw_tree *found = evaluated_at(child, source, offset);

		if (found)
			return found;
	}
	return NULL;
}

static bool hover_expression(struct hover *hover)
{
	const struct mw_study *study = lsp_study(hover->cursor->document);
	struct lsp_analysis *analysis = lsp_best(hover->cursor->document);
	const struct mw_tree *tree = study && study->document.root
					     ? evaluated_at(study->document.root, analysis->source,
							    hover->cursor->offset)
					     : NULL;

	if (!tree)
		return false;
	if (ftell(hover->out) > 0)
		fputs("\n\n", hover->out);
	fprintf(hover->out, "`%s` is `%s`", tree->written->text, tree->text);
	return true;
}

static bool hover_site(struct hover *hover)
{
	struct lsp_document *document = hover->cursor->document;
	struct lsp_site site;
	char name[80];

	if (!lsp_site_at(document, hover->cursor->offset, &site) || site.length >= sizeof(name))
		return false;
	/* of instances the one that is named, not the entry they came from */
	if (site.kind == LSP_NAME_NODE && !site.declares) {
		while (document->text[site.offset + site.length] >= '0' &&
		       document->text[site.offset + site.length] <= '9' &&
		       site.length < sizeof(name) - 1)
			site.length++;
	}
	memcpy(name, document->text + site.offset, site.length);
	name[site.length] = '\0';
	if (site.kind == LSP_NAME_NODE)
		return hover_device(hover, name);
	if (!hover_parameter(hover, name))
		return false;
	if (!site.declares)
		hover_expression(hover);
	return true;
}

static bool hover_type(struct hover *hover)
{
	const struct lsp_outline *outline = &hover->cursor->document->outline;
	const struct mw_device_type *type =
		lsp_type_of(hover->cursor->server, hover->cursor->document, outline,
			    lsp_device_of(outline, hover->item));

	if (!type)
		return false;
	say_type(hover, type);
	return true;
}

static bool hover_property(struct hover *hover)
{
	const struct lsp_outline *outline = &hover->cursor->document->outline;
	const struct mw_device_type *type =
		lsp_type_of(hover->cursor->server, hover->cursor->document, outline,
			    lsp_device_of(outline, hover->item));
	char name[80], fallback[120], range[200];
	const struct mw_property *property =
		type ? mw_type_property(type,
					lsp_outline_key(outline, hover->item, name, sizeof(name)))
		     : NULL;

	if (!property)
		return false;
	mw_describe_default(property, fallback, sizeof(fallback));
	mw_describe_range(property, range, sizeof(range));
	fprintf(hover->out, "**%s** of `%s`%s%s%s%s\n\n%s", property->name, type->name,
		*range ? ", " : "", range, *fallback ? ", default " : ", required", fallback,
		property->help ? property->help : "");
	return true;
}

static bool hover_base(struct hover *hover)
{
	struct lsp_analysis *analysis = hover->cursor->document->now;
	char name[256];
	const struct mw_file *file =
		analysis
			? lsp_file_of(analysis, lsp_outline_value(&hover->cursor->document->outline,
								  hover->item, name, sizeof(name)))
			: NULL;
	struct mw_tree *summary = file && file->root ? mw_tree_get(file->root, "summary") : NULL;

	if (!file || !file->root)
		return false;
	fprintf(hover->out, "**%s**", file->label ? file->label : name);
	if (summary && summary->kind == MW_TREE_SCALAR)
		fprintf(hover->out, ": %s", summary->text);
	say_place(hover, "is", (struct mw_span){ file->root->span.source, 0, 0 });
	return true;
}

static bool is_claim(const struct lsp_outline *outline, uint32_t item)
{
	static const char *const patterns[] = {
		"devices/*/io",    "devices/*/io/*",  "devices/*/mmio",    "devices/*/mmio/*",
		"devices/*/irq",   "devices/*/irq/*", "devices/*/irq/*/*", "devices/*/dma",
		"devices/*/dma/*", "devices/*/intx",  "devices/*/intx/*",  "devices/*/msi",
	};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (lsp_outline_is(outline, item, patterns[i]))
			return true;
	}
	return false;
}

static bool hover_item(struct hover *hover)
{
	const struct lsp_outline *outline = &hover->cursor->document->outline;

	if (lsp_outline_is(outline, hover->item, "devices/*/type") && !hover->on_key)
		return hover_type(hover);
	if (lsp_outline_is(outline, hover->item, "devices/*/props/*") && hover->on_key)
		return hover_property(hover);
	if (hover_site(hover))
		return true;
	if (lsp_outline_is(outline, hover->item, "devices/*/props/*"))
		return hover_expression(hover) || hover_property(hover);
	if (!hover->on_key && (lsp_outline_is(outline, hover->item, "extends") ||
			       lsp_outline_is(outline, hover->item, "extends/-")))
		return hover_base(hover);
	if (!hover->on_key && is_claim(outline, hover->item) && hover_claims(hover))
		return true;
	return !hover->on_key && hover_expression(hover);
}

/* The key's own help, for keys and for values that nothing else is known of. */
static void hover_key(struct hover *hover, bool alone)
{
	const struct lsp_outline *outline = &hover->cursor->document->outline;
	char key[80];
	const char *help = lsp_key_help(outline, outline->items[hover->item].parent,
					lsp_outline_key(outline, hover->item, key, sizeof(key)));

	if (!help)
		return;
	fprintf(hover->out, "**%s**: %s", key, help);
	if (alone && is_claim(outline, hover->item)) {
		fputs("\n\n", hover->out);
		hover_claims(hover);
	}
}

/* A code in `# lint: allow CODE -- reason` or below the key `lint`. */
static bool hover_code(struct hover *hover)
{
	const struct lsp_document *document = hover->cursor->document;
	size_t start = hover->cursor->offset, end = start, line;
	char code[8];

	while (start && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", document->text[start - 1]))
		start--;
	while (end < document->length && document->text[end] &&
	       strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", document->text[end]))
		end++;
	for (line = start; line && document->text[line - 1] != '\n';)
		line--;
	bool key = hover->item != LSP_NO_ITEM &&
		   lsp_outline_is(&document->outline, hover->item, "lint/allow/*");

	if (end - start != 4 || (!key && !memmem(document->text + line, start - line, "lint:", 5)))
		return false;
	memcpy(code, document->text + start, 4);
	code[4] = '\0';
	const char *name = mw_rule_name(code);

	if (name)
		fprintf(hover->out, "**%s**: %s", code, name);
	return name != NULL;
}

static json_t *range_of(const struct hover *hover)
{
	const struct lsp_document *document = hover->cursor->document;

	if (hover->item == LSP_NO_ITEM)
		return NULL;
	const struct lsp_item *item = &document->outline.items[hover->item];

	return hover->on_key ? lsp_range(&document->lines, item->key, item->key_length)
			     : lsp_range(&document->lines, item->value, item->value_length);
}

json_t *lsp_hover(struct lsp_cursor *cursor)
{
	struct hover hover = { .cursor = cursor };

	if (!cursor->document->ours)
		return NULL;
	hover.out = open_memstream(&hover.text, &hover.length);
	if (!hover.out)
		return NULL;
	hover.item = lsp_outline_at(&cursor->document->outline, cursor->offset, &hover.on_key);
	if (!hover_code(&hover) && hover.item != LSP_NO_ITEM && !hover_item(&hover))
		hover_key(&hover, hover.on_key);
	fclose(hover.out);
	json_t *answer = NULL;

	if (hover.length) {
		json_t *range = range_of(&hover);

		answer = json_pack("{s:{s:s,s:o}}", "contents", "kind", "markdown", "value",
				   lsp_text(hover.text, hover.length));
		if (range)
			json_object_set_new(answer, "range", range);
	}
	free(hover.text);
	return answer;
}
