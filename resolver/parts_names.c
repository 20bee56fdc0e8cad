/* Parts: what their members' names mean, and findings about them. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "resolver/parts.h"

/* Is `name` (up to its first dot) an entry of the part, or one of those that a `count` makes? */
static bool is_member(const struct mw_part *part, const char *name)
{
	char text[MW_ID_WHOLE_MOST + 1];
	size_t length = strcspn(name, ".");

	if (length == 0 || length >= sizeof(text))
		return false;
	memcpy(text, name, length);
	text[length] = '\0';
	if (mw_tree_get(part->type->raw, text))
		return true;
	while (length > 1 && text[length - 1] >= '0' && text[length - 1] <= '9') {
		text[--length] = '\0';
		struct mw_tree *counted = mw_tree_get(part->type->raw, text);

		if (counted && mw_tree_get(counted, "count"))
			return true;
	}
	return false;
}

/* The use whose file a text stands in: that of the part itself, or of one around it that changes it. */
static struct mw_part *level_of(struct mw_document *document, struct mw_part *part,
				struct mw_span span)
{
	const struct mw_file *file = mw_files_of(&document->front->files, span);

	for (; part && file; part = part->outer) {
		const struct mw_file *own = part->type->file;

		if (own == file || own->newest == file || own->ancestors >> file->number & 1)
			return part;
	}
	return NULL;
}

const char *mw_part_name(struct mw_document *document, struct mw_part *part, struct mw_span span,
			 const char *name)
{
	if (!part)
		return name;
	for (part = level_of(document, part, span); part; part = part->outer) {
		if (is_member(part, name))
			return mw_arena_printf(document->arena, "%s.%s", part->tree.key, name);
	}
	return name;
}

/* A scalar whose first `length` bytes are a node's name. */
static struct mw_tree *renamed(struct mw_document *document, struct mw_part *part,
			       struct mw_tree *scalar, size_t length)
{
	struct mw_tree *copy = mw_tree_copy(document->arena, scalar);
	const char *name = mw_arena_strndup(document->arena, scalar->text, length);
	const char *id = mw_part_name(document, part, scalar->span, name);

	if (id != name)
		copy->text = mw_arena_printf(document->arena, "%s%s", id, scalar->text + length);
	return copy;
}

static bool is_plain(const struct mw_tree *tree)
{
	return tree->kind == MW_TREE_SCALAR && !tree->link && !tree->failed;
}

static size_t until_dot(const char *text)
{
	const char *dot = strrchr(text, '.');

	return dot ? (size_t)(dot - text) : strlen(text);
}

static struct mw_tree *rename_map(struct mw_document *document, struct mw_part *part,
				  struct mw_tree *map)
{
	struct mw_tree *copy = mw_tree_copy(document->arena, map);

	copy->first = copy->last = NULL;
	copy->count = 0;
	for (struct mw_tree *child = map->first; child; child = child->next)
		mw_tree_append(copy, is_plain(child) ? renamed(document, part, child,
							       until_dot(child->text))
						     : mw_tree_copy(document->arena, child));
	return copy;
}

static struct mw_tree *rename_key(struct mw_document *document, struct mw_part *part,
				  struct mw_tree *tree)
{
	if (strcmp(tree->key, "at") == 0 && is_plain(tree))
		return renamed(document, part, tree, strcspn(tree->text, ":"));
	if (strcmp(tree->key, "overlays") == 0 && is_plain(tree))
		return renamed(document, part, tree, until_dot(tree->text));
	if (strcmp(tree->key, "wires") == 0 && tree->kind == MW_TREE_MAP)
		return rename_map(document, part, tree);
	return mw_tree_copy(document->arena, tree);
}

void mw_part_place(struct mw_document *document, struct mw_part *part, struct mw_tree *body)
{
	struct mw_tree *child = body->first;
	bool placed = mw_tree_get(body, "at") != NULL;

	body->first = body->last = NULL;
	body->count = 0;
	body->index = NULL;
	for (; child; child = child->next)
		mw_tree_append(body, rename_key(document, part, child));
	if (!placed && part->at)
		mw_tree_append(body, mw_tree_copy(document->arena, part->at));
}

/* `to` and the values of `map`: "NODE", "NODE:PIN", or lists of them. */
static struct mw_tree *rename_pins(struct mw_document *document, struct mw_part *part,
				   struct mw_tree *tree)
{
	if (is_plain(tree))
		return renamed(document, part, tree, strcspn(tree->text, ":"));
	struct mw_tree *copy = mw_tree_copy(document->arena, tree);

	copy->first = copy->last = NULL;
	copy->count = 0;
	for (struct mw_tree *child = tree->first; child; child = child->next)
		mw_tree_append(copy, rename_pins(document, part, child));
	return copy;
}

static struct mw_tree *rename_domain(struct mw_document *document, struct mw_tree *domain)
{
	struct mw_tree *copy = mw_tree_copy(document->arena, domain);

	copy->first = copy->last = NULL;
	copy->count = 0;
	for (struct mw_tree *child = domain->first; child; child = child->next) {
		bool pins = strcmp(child->key, "to") == 0 || strcmp(child->key, "map") == 0;

		mw_tree_append(copy, pins ? rename_pins(document, domain->part, child)
					  : mw_tree_copy(document->arena, child));
	}
	return copy;
}

static void refuse_domain(struct mw_document *document, const struct mw_tree *domain,
			  const struct mw_tree *first)
{
	struct mw_diag *diag = mw_diagnostics_add(
		document->diagnostics, MW_SEVERITY_ERROR, "S111", domain->key_span,
		"the part `%s` describes the interrupts `%s` a second time", domain->part->tree.key,
		domain->key);

	diag->node = mw_arena_printf(&document->diagnostics->arena, "/devices/%s",
				     domain->part->tree.key);
	mw_diag_note(document->diagnostics, diag, first->key_span, "first here");
}

void mw_part_domains(struct mw_document *document)
{
	struct mw_tree *domains = document->front->domains;
	struct mw_tree *old = mw_tree_get(document->root, "irq");
	struct mw_tree *irq = mw_tree_new(document->arena, MW_TREE_MAP, domains->span);

	if (!domains->first)
		return;
	if (old && old->kind == MW_TREE_MAP) {
		*irq = *mw_tree_copy(document->arena, old);
		irq->first = irq->last = NULL;
		irq->count = 0;
	}
	irq->key = "irq";
	for (struct mw_tree *child = old ? old->first : NULL; child; child = child->next)
		mw_tree_append(irq, mw_tree_copy(document->arena, child));
	for (struct mw_tree *domain = domains->first; domain; domain = domain->next) {
		struct mw_tree *first = mw_tree_get(irq, domain->key);

		if (first)
			refuse_domain(document, domain, first);
		else
			mw_tree_append(irq, domain->kind == MW_TREE_MAP
						    ? rename_domain(document, domain)
						    : mw_tree_copy(document->arena, domain));
	}
	struct mw_tree *root = document->root, *child = root->first;

	root->first = root->last = NULL;
	root->count = 0;
	root->index = NULL;
	while (child) {
		struct mw_tree *next = child->next;

		if (child != old)
			mw_tree_append(root, child);
		child = next;
	}
	mw_tree_append(root, irq);
}

/* The use that is meant by what stands before the last dots of an id; NULL for none. */
static struct mw_part *find_part(struct mw_document *document, const char *id)
{
	char *name = mw_arena_strdup(document->arena, id);

	for (;;) {
		struct mw_tree *found = mw_tree_get(document->front->parts, name);
		char *dot = strrchr(name, '.');

		if (found || !dot)
			return (struct mw_part *)found;
		*dot = '\0';
	}
}

static void suggest_member(struct mw_document *document, struct mw_diag *diag,
			   const struct mw_part *part, const char *key)
{
	enum { MOST = 64 };
	const char *names[MOST + 1], *member = strrchr(key, '.') + 1;
	size_t count = 0;

	for (struct mw_tree *raw = part->type->raw->first; raw && count < MOST; raw = raw->next)
		names[count++] = raw->key;
	names[count] = NULL;
	mw_suggest(document->diagnostics, diag, member, names);
	if (!diag->help && count)
		mw_diag_help(document->diagnostics, diag, "its members are %s",
			     mw_list_names(&document->diagnostics->arena, names));
}

static void refuse_change(struct mw_document *document, struct mw_tree *change, const char *id)
{
	const char *holder = mw_arena_strndup(document->arena, id, until_dot(id));
	struct mw_part *part = (struct mw_part *)mw_tree_get(document->front->parts, holder);

	if (!part && (mw_document_failed(document, holder) || mw_document_absent(document, holder)))
		return;
	struct mw_diag *diag = mw_diagnostics_add(
		document->diagnostics, MW_SEVERITY_ERROR, "S108", change->key_span,
		change->kind == MW_TREE_SCALAR ? "there is no `%s` to remove"
					       : "there is no `%s` to change",
		change->key);

	diag->node = mw_arena_printf(&document->diagnostics->arena, "/devices/%s", id);
	change->failed = true;
	if (part) {
		mw_diag_note(document->diagnostics, diag, part->span, "`%s` is %s", holder,
			     part->type->file ? part->type->file->label : "a part");
		suggest_member(document, diag, part, id);
	} else if (mw_tree_get(document->devices, holder)) {
		mw_diag_help(document->diagnostics, diag,
			     "`%s` is a device with no members: only those of a part have a dot",
			     holder);
	} else {
		mw_suggest_key(document->diagnostics, diag, holder, document->front->parts);
	}
}

bool mw_document_part(struct mw_document *document, struct mw_diag *diag, const char *id)
{
	struct mw_part *part = (struct mw_part *)mw_tree_get(document->front->parts, id);
	const char *member = NULL;

	if (!part)
		return false;
	for (struct mw_tree *raw = part->type->raw->first; raw && !member; raw = raw->next)
		member = mw_arena_printf(&document->diagnostics->arena, "%s.%s", id, raw->key);
	mw_diag_help(document->diagnostics, diag,
		     member ? "`%s` is a part: name one of its members, such as `%s`"
			    : "`%s` is a part%s",
		     id, member ? member : " without members");
	return true;
}

void mw_part_misses(struct mw_document *document, struct mw_tree *devices, struct mw_part *part)
{
	for (struct mw_tree *entry = devices->first; entry; entry = entry->next) {
		if (!strchr(entry->key, '.') || entry->failed || entry->instance_of)
			continue;
		refuse_change(
			document, entry,
			part ? mw_arena_printf(document->arena, "%s.%s", part->tree.key, entry->key)
			     : entry->key);
	}
}

/* "/devices/sio.com1/irq" is about sio.com1. */
static struct mw_part *part_of(struct mw_document *document, const struct mw_diag *diag)
{
	static const char devices[] = "/devices/";

	if (!diag->node || strncmp(diag->node, devices, strlen(devices)) != 0)
		return NULL;
	const char *id = diag->node + strlen(devices);

	return find_part(document, mw_arena_strndup(document->arena, id, strcspn(id, "/")));
}

static void note(struct mw_document *document, struct mw_diag *diag)
{
	const struct mw_file *file = mw_files_of(&document->front->files, diag->span);

	if (!file || !file->format || strcmp(file->format->name, "part") != 0 ||
	    file == document->front->profile)
		return;
	struct mw_part *part = part_of(document, diag);

	if (!part && file->extended_at.source)
		mw_diag_note(document->diagnostics, diag, file->extended_at,
			     "the part is used here");
	for (; part; part = part->outer)
		mw_diag_note(document->diagnostics, diag, part->span, "in the part `%s`",
			     part->tree.key);
}

void mw_parts_note(struct mw_document *document)
{
	struct mw_front *front = document->front;

	for (; front->noted < document->diagnostics->count; front->noted++)
		note(document, document->diagnostics->items[front->noted]);
}
