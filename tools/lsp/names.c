/* Nodes and parameters by name: where they are declared and read, and how they are renamed. */
// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tools/lsp/lsp_internal.h"

/* Values that begin with a node's id; what follows it is an address, a pin, a wire or a claim. */
static const char *const references[] = {
	"devices/*/at",   "devices/*/wires/*", "devices/*/overlays", "irq/*/to",
	"irq/*/to/-",     "irq/*/map/*",       "irq/*/map/*/-",      "irq/*/pins/*",
	"irq/*/pins/*/-", "boot/firmware",     "boot/order/-",
};

static size_t id_length(const char *text, size_t most)
{
	size_t length = 0;

	while (length < most &&
	       (islower((unsigned char)text[length]) || isdigit((unsigned char)text[length]) ||
		text[length] == '_' || text[length] == '-'))
		length++;
	return length;
}

struct walk {
	const struct lsp_outline *outline;
	lsp_on_site *on_site;
	void *context;
};

static void on_id(const struct walk *walk, size_t offset, size_t most, bool declares)
{
	struct lsp_site site = { .offset = offset,
				 .length = id_length(walk->outline->text + offset, most),
				 .kind = LSP_NAME_NODE,
				 .declares = declares };

	site.declares &= site.length == most;
	if (site.length)
		walk->on_site(walk->context, &site);
}

static void on_name(void *context, size_t offset, size_t length, bool device)
{
	const struct walk *walk = context;

	if (device)
		on_id(walk, offset, length, false);
	else
		walk->on_site(walk->context, &(struct lsp_site){ .offset = offset,
								 .length = length,
								 .kind = LSP_NAME_PARAMETER });
}

static void sites_of(struct walk *walk, uint32_t item)
{
	const struct lsp_item *entry = &walk->outline->items[item];
	/* in `history` things are changed, not declared */
	bool declares = entry->parent != LSP_NO_ITEM &&
			walk->outline->items[entry->parent].parent == LSP_NO_ITEM;

	if (lsp_outline_is(walk->outline, item, "devices/*"))
		on_id(walk, entry->key, entry->key_length, declares);
	if (lsp_outline_is(walk->outline, item, "params/*"))
		walk->on_site(walk->context, &(struct lsp_site){ .offset = entry->key,
								 .length = entry->key_length,
								 .kind = LSP_NAME_PARAMETER,
								 .declares = declares });
	if (!entry->scalar)
		return;
	for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++) {
		if (lsp_outline_is(walk->outline, item, references[i]) &&
		    !memchr(walk->outline->text + entry->value, '$', entry->value_length))
			on_id(walk, entry->value, entry->value_length, false);
	}
	lsp_expression_names(walk->outline, item, on_name, walk);
}

void lsp_sites(const struct lsp_outline *outline, lsp_on_site *on_site, void *context)
{
	struct walk walk = { outline, on_site, context };

	for (uint32_t i = 0; i < outline->count; i++)
		sites_of(&walk, i);
}

/* Finds a device entry by a name that is not ended. */
static bool is_device(const struct lsp_document *document, const char *text, size_t length,
		      bool counted)
{
	const struct lsp_outline *outline = &document->outline;
	uint32_t item = lsp_outline_child(outline, LSP_NO_ITEM, "devices");
	char id[80];

	if (!length || length >= sizeof(id))
		return false;
	memcpy(id, text, length);
	id[length] = '\0';
	struct mw_tree *tree = mw_tree_get(mw_tree_get(lsp_merged(document), "devices"), id);

	if (tree && (!counted || mw_tree_get(tree, "count")))
		return true;
	item = item == LSP_NO_ITEM ? item : lsp_outline_child(outline, item, id);
	return item != LSP_NO_ITEM &&
	       (!counted || lsp_outline_child(outline, item, "count") != LSP_NO_ITEM);
}

/* `rp0` of `rp: { count: 2 }` is named by its first letters. */
static size_t declared_length(const struct lsp_document *document, const char *text, size_t length)
{
	size_t stem = length;

	if (is_device(document, text, length, false))
		return length;
	while (stem && isdigit((unsigned char)text[stem - 1]))
		stem--;
	return stem < length && is_device(document, text, stem, true) ? stem : length;
}

static void settle(const struct lsp_document *document, const char *text, struct lsp_site *site)
{
	if (site->kind == LSP_NAME_NODE && !site->declares)
		site->length = declared_length(document, text + site->offset, site->length);
}

struct search {
	const struct lsp_document *document;
	size_t offset;
	struct lsp_site *found;
	bool hit;
};

static void on_search(void *context, const struct lsp_site *site)
{
	struct search *search = context;

	if (search->offset < site->offset || search->offset > site->offset + site->length ||
	    search->hit)
		return;
	*search->found = *site;
	settle(search->document, search->document->text, search->found);
	search->hit = true;
}

bool lsp_site_at(const struct lsp_document *document, size_t offset, struct lsp_site *site)
{
	struct search search = { .document = document, .offset = offset, .found = site };
	bool on_key;
	uint32_t item = lsp_outline_at(&document->outline, offset, &on_key);
	struct walk walk = { &document->outline, on_search, &search };

	if (item != LSP_NO_ITEM)
		sites_of(&walk, item);
	return search.hit;
}

/* Gathers the places of one name in one text. */
struct gather {
	const struct lsp_document *document;
	const struct lsp_outline *outline;
	const struct lsp_site *wanted; /* in the document's text */
	bool declarations;
	void (*on_place)(void *context, const struct lsp_site *site);
	void *context;
};

static void on_gather(void *context, const struct lsp_site *site)
{
	struct gather *gather = context;
	struct lsp_site settled = *site;

	if (site->kind != gather->wanted->kind || (site->declares && !gather->declarations))
		return;
	/* cheap first: settling looks names up */
	if (site->length < gather->wanted->length ||
	    memcmp(gather->outline->text + site->offset,
		   gather->document->text + gather->wanted->offset, gather->wanted->length) != 0)
		return;
	if (site->length > gather->wanted->length)
		settle(gather->document, gather->outline->text, &settled);
	if (settled.length == gather->wanted->length)
		gather->on_place(gather->context, &settled);
}

static void gather_document(struct gather *gather)
{
	gather->outline = &gather->document->outline;
	lsp_sites(gather->outline, on_gather, gather);
}

/* The entry of the composed profile that declares a site's name. */
static struct mw_tree *declaration(const struct lsp_document *document, const struct lsp_site *site)
{
	char name[80];

	if (site->length >= sizeof(name))
		return NULL;
	memcpy(name, document->text + site->offset, site->length);
	name[site->length] = '\0';
	return mw_tree_get(mw_tree_get(lsp_merged(document),
				       site->kind == LSP_NAME_NODE ? "devices" : "params"),
			   name);
}

/* The value of the composed profile whose key stands at the cursor: its path, from the root down. */
static struct mw_tree *merged_at(const struct lsp_document *document, uint32_t item)
{
	const struct lsp_outline *outline = &document->outline;
	uint32_t path[LSP_OUTLINE_DEPTH + 1];
	struct mw_tree *tree = lsp_merged(document);
	size_t depth = 0;
	char key[80];

	for (; item != LSP_NO_ITEM && depth <= LSP_OUTLINE_DEPTH;
	     item = outline->items[item].parent)
		path[depth++] = item;
	while (tree && depth) {
		item = path[--depth];
		if (outline->items[item].element)
			return NULL;
		tree = mw_tree_get(tree, lsp_outline_key(outline, item, key, sizeof(key)));
	}
	return tree;
}

static json_t *link_to_file(struct lsp_cursor *cursor, uint32_t item)
{
	struct lsp_analysis *analysis = cursor->document->now;
	char name[256];
	const struct mw_file *file;

	if (!analysis)
		return NULL;
	lsp_outline_value(&cursor->document->outline, item, name, sizeof(name));
	file = lsp_file_of(analysis, name);
	return file && file->root ? lsp_location(cursor->server, analysis,
						 (struct mw_span){ file->root->span.source, 0, 0 })
				  : NULL;
}

static json_t *own_location(struct lsp_cursor *cursor, const struct lsp_site *site)
{
	return json_pack("{s:s,s:o}", "uri", cursor->document->uri, "range",
			 lsp_range(&cursor->document->lines, site->offset, site->length));
}

struct first {
	struct lsp_site site;
	bool found;
};

static void on_declaration(void *context, const struct lsp_site *site)
{
	struct first *first = context;

	if (site->declares && !first->found) {
		first->site = *site;
		first->found = true;
	}
}

/* An overridden key leads to what it overrides; a name to where it is declared. */
json_t *lsp_definition(struct lsp_cursor *cursor)
{
	struct lsp_document *document = cursor->document;
	struct lsp_site site;
	bool on_key;
	uint32_t item = lsp_outline_at(&document->outline, cursor->offset, &on_key);

	if (item == LSP_NO_ITEM)
		return NULL;
	if (lsp_outline_is(&document->outline, item, "extends") ||
	    lsp_outline_is(&document->outline, item, "extends/-") ||
	    (lsp_outline_is(&document->outline, item, "devices/*/type") && !on_key))
		return link_to_file(cursor, item);
	struct mw_tree *tree = on_key ? merged_at(document, item) : NULL;

	if (tree && tree->over)
		return lsp_location(cursor->server, lsp_best(document),
				    tree->over->key_span.source ? tree->over->key_span
								: tree->over->span);
	if (!lsp_site_at(document, cursor->offset, &site))
		return NULL;
	struct first first = { .found = false };
	struct gather gather = { .document = document,
				 .wanted = &site,
				 .declarations = true,
				 .on_place = on_declaration,
				 .context = &first };

	gather_document(&gather);
	if (first.found)
		return own_location(cursor, &first.site);
	tree = declaration(document, &site);
	return tree ? lsp_location(cursor->server, lsp_best(document), tree->key_span) : NULL;
}

struct listing {
	struct lsp_cursor *cursor;
	json_t *list;
	const char *uri;
	const struct lsp_lines *lines;
};

static void on_reference(void *context, const struct lsp_site *site)
{
	struct listing *listing = context;

	json_array_append_new(listing->list,
			      json_pack("{s:s,s:o}", "uri", listing->uri, "range",
					lsp_range(listing->lines, site->offset, site->length)));
}

/* In the files the document extends, as they were read. */
static void list_bases(struct lsp_cursor *cursor, struct gather *gather, struct listing *listing)
{
	struct lsp_analysis *analysis = lsp_best(cursor->document);

	for (uint32_t i = 1; analysis && i <= analysis->diagnostics.source_count; i++) {
		const struct mw_source *source = &analysis->diagnostics.sources[i - 1];
		struct lsp_outline outline;
		char *uri;

		if (strcmp(lsp_source_path(analysis, i), cursor->document->path) == 0)
			continue;
		uri = lsp_source_uri(cursor->server, analysis, i);
		listing->uri = uri;
		listing->lines = lsp_source_lines(cursor->server, analysis, i);
		lsp_outline_parse(&outline, source->text, source->length);
		gather->outline = &outline;
		lsp_sites(&outline, on_gather, gather);
		gather->outline = NULL;
		lsp_outline_fini(&outline);
		free(uri);
	}
}

json_t *lsp_references(struct lsp_cursor *cursor)
{
	const json_t *context = json_object_get(cursor->params, "context");
	struct listing listing = { .cursor = cursor,
				   .list = json_array(),
				   .uri = cursor->document->uri,
				   .lines = &cursor->document->lines };
	struct lsp_site site;
	struct gather gather = { .document = cursor->document,
				 .wanted = &site,
				 .declarations = json_is_true(
					 json_object_get(context, "includeDeclaration")),
				 .on_place = on_reference,
				 .context = &listing };

	if (!lsp_site_at(cursor->document, cursor->offset, &site))
		return listing.list;
	gather_document(&gather);
	list_bases(cursor, &gather, &listing);
	return listing.list;
}

/* The site, when its name may be changed here; else a refusal. */
static bool may_rename(struct lsp_cursor *cursor, struct lsp_site *site)
{
	struct lsp_document *document = cursor->document;
	struct first first = { .found = false };
	struct gather gather = { .document = document,
				 .wanted = site,
				 .declarations = true,
				 .on_place = on_declaration,
				 .context = &first };

	if (!lsp_site_at(document, cursor->offset, site)) {
		lsp_fail(cursor->server, LSP_REQUEST_FAILED, "no node or parameter is named here");
		return false;
	}
	gather_document(&gather);
	const struct mw_tree *tree = declaration(document, site);
	struct lsp_analysis *analysis = lsp_best(document);
	bool here = tree && tree->key_span.source &&
		    strcmp(lsp_source_path(analysis, tree->key_span.source), document->path) == 0;

	if (first.found && (!tree || (here && !tree->over)))
		return true;
	lsp_fail(cursor->server, LSP_REQUEST_FAILED, "`%.*s` is declared in %s", (int)site->length,
		 document->text + site->offset, tree ? "a file that this one extends" : "no file");
	return false;
}

json_t *lsp_prepare_rename(struct lsp_cursor *cursor)
{
	struct lsp_site site;

	if (!may_rename(cursor, &site))
		return NULL;
	return json_pack(
		"{s:o,s:o}", "range", lsp_range(&cursor->document->lines, site.offset, site.length),
		"placeholder", lsp_text(cursor->document->text + site.offset, site.length));
}

static void on_rename(void *context, const struct lsp_site *site)
{
	struct listing *listing = context;

	json_array_append_new(listing->list,
			      json_pack("{s:o,s:s}", "range",
					lsp_range(listing->lines, site->offset, site->length),
					"newText", listing->uri));
}

static bool name_fits(struct lsp_cursor *cursor, const struct lsp_site *site, const char *name)
{
	bool node = site->kind == LSP_NAME_NODE;
	struct mw_tree *map =
		mw_tree_get(lsp_merged(cursor->document), node ? "devices" : "params");

	if (!mw_shape_is_id(name, node ? MW_IDS_NODES : MW_IDS_PARAMS)) {
		lsp_fail(cursor->server, LSP_REQUEST_FAILED, "`%.80s` is no name for a %s", name,
			 node ? "node" : "parameter");
		return false;
	}
	if (mw_tree_get(map, name) ||
	    (node && is_device(cursor->document, name, strlen(name), false))) {
		lsp_fail(cursor->server, LSP_REQUEST_FAILED, "there is a `%.80s` already", name);
		return false;
	}
	return true;
}

json_t *lsp_rename(struct lsp_cursor *cursor)
{
	const char *name = json_string_value(json_object_get(cursor->params, "newName"));
	struct listing listing = { .cursor = cursor,
				   .uri = name,
				   .lines = &cursor->document->lines };
	struct lsp_site site;
	struct gather gather = { .document = cursor->document,
				 .wanted = &site,
				 .declarations = true,
				 .on_place = on_rename,
				 .context = &listing };

	if (!may_rename(cursor, &site) || !name_fits(cursor, &site, name ? name : ""))
		return NULL;
	listing.list = json_array();
	gather_document(&gather);
	return json_pack("{s:{s:o}}", "changes", cursor->document->uri, listing.list);
}
