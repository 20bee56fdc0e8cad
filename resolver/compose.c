/* Compose: vertical and horizontal merging of maps. Linear in the size of the files. */
// SPDX-License-Identifier: MIT
#include "resolver/compose.h"

#include <string.h>

#include "resolver/document.h"

/* How deep in the tree a map is: what `type`, `remove` and the like mean depends on it. */
enum level { LEVEL_ROOT, LEVEL_SECTION, LEVEL_ENTRY, LEVEL_VALUE };

struct merge {
	struct mw_files *files;
	struct mw_arena *arena;
	struct mw_diagnostics *diagnostics;
	bool typed;         /* inside `devices` or `params`: entries have a `type` */
	bool removable;     /* inside `devices`, `windows` or `irq` */
	bool laid;          /* the child is an overlay or a history's body: the base stays itself */
	bool keep_devices;  /* prune: leave `devices` as they are */
	uint32_t unbridled; /* the source whose own `final` does not hold: its older versions */
};

static struct mw_tree *merge_map(struct merge *merge, struct mw_tree *base, struct mw_tree *child,
				 enum level level);
static void check_fresh(struct merge *merge, struct mw_tree *tree, struct mw_tree *base,
			enum level level);

static struct mw_tree *copy_of(struct merge *merge, const struct mw_tree *tree)
{
	return mw_tree_copy(merge->arena, tree);
}

/* What a file says of itself and does not hand on. */
static bool is_own_key(const char *key)
{
	static const char *const own[] = { "format",  "name",    "version",    "summary",
					   "extends", "history", "deprecated", NULL };

	return mw_name_in(key, own);
}

static void enter_section(struct merge *merge, const char *key)
{
	static const char *const typed[] = { "devices", "params", NULL };
	static const char *const removable[] = { "devices", "windows", "irq", NULL };

	merge->typed = mw_name_in(key, typed);
	merge->removable = mw_name_in(key, removable);
}

static bool is_removal(const struct merge *merge, const struct mw_tree *tree, enum level level)
{
	return level == LEVEL_ENTRY && merge->removable && mw_tree_is_word(tree, "remove");
}

/* `sio.com1` changes a member of a part, which is not known before its parameters are. */
static bool is_of_part(const struct merge *merge, const struct mw_tree *tree, enum level level)
{
	return level == LEVEL_ENTRY && merge->typed && merge->removable && strchr(tree->key, '.');
}

static bool is_tombstone(const struct merge *merge, const struct mw_tree *tree, enum level level)
{
	return level != LEVEL_ROOT &&
	       (mw_tree_is_word(tree, "unset") || is_removal(merge, tree, level));
}

static bool same_value(const struct mw_tree *a, const struct mw_tree *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind || a->count != b->count)
		return false;
	if (a->kind == MW_TREE_SCALAR)
		return strcmp(a->text, b->text) == 0;
	const struct mw_tree *x = a->first, *y = b->first;

	for (; x && y; x = x->next, y = y->next) {
		if ((x->key && strcmp(x->key, y->key) != 0) || !same_value(x, y))
			return false;
	}
	return true;
}

/* S108 names the nearest id that is there. */
static void refuse_miss(struct merge *merge, struct mw_tree *entry, struct mw_tree *base,
			const char *message)
{
	struct mw_diag *diag = mw_diagnostics_add(merge->diagnostics, MW_SEVERITY_ERROR, "S108",
						  entry->key_span, message, entry->key);

	mw_suggest_key(merge->diagnostics, diag, entry->key, base);
	entry->failed = true;
}

/* An entry that has nothing beneath it to change must say what it is. */
static void check_fresh_entry(struct merge *merge, struct mw_tree *entry, struct mw_tree *base,
			      enum level level)
{
	if (entry->failed || is_of_part(merge, entry, level))
		return;
	if (is_removal(merge, entry, level)) {
		refuse_miss(merge, entry, base, "there is no `%s` to remove");
		return;
	}
	if (mw_tree_is_word(entry, "unset")) {
		refuse_miss(merge, entry, base, "there is no `%s` to unset");
		return;
	}
	if (level == LEVEL_ENTRY && merge->typed && entry->kind == MW_TREE_MAP &&
	    !mw_tree_get(entry, "type")) {
		refuse_miss(merge, entry, base,
			    "there is no `%s` to change, and no `type` to create it");
		return;
	}
	if (entry->kind == MW_TREE_MAP)
		check_fresh(merge, entry, NULL, level);
}

/* Everything in `tree` stands on nothing inherited; `base` is for suggestions only. */
static void check_fresh(struct merge *merge, struct mw_tree *tree, struct mw_tree *base,
			enum level level)
{
	for (struct mw_tree *child = tree->first; child; child = child->next) {
		if (level == LEVEL_ROOT) {
			if (is_own_key(child->key) || child->kind != MW_TREE_MAP)
				continue;
			enter_section(merge, child->key);
			check_fresh(merge, child, NULL, LEVEL_SECTION);
		} else {
			check_fresh_entry(merge, child, base,
					  level == LEVEL_SECTION ? LEVEL_ENTRY : LEVEL_VALUE);
		}
		tree->failed |= child->failed;
	}
}

/* `final` lists keys of the root, of a section that is no collection, and of a device. */
static bool may_have_final(const struct merge *merge, enum level level)
{
	bool collection = merge->typed || merge->removable;

	return level == LEVEL_ROOT || (level == LEVEL_SECTION && !collection) ||
	       (level == LEVEL_ENTRY && merge->typed && merge->removable);
}

/* The final keys of `base` as a map, or NULL. */
static struct mw_tree *finals_of(struct merge *merge, struct mw_tree *base, enum level level)
{
	struct mw_tree *list = may_have_final(merge, level) ? mw_tree_get(base, "final") : NULL;

	if (!list || list->kind != MW_TREE_LIST)
		return NULL;
	struct mw_tree *map = mw_tree_new(merge->arena, MW_TREE_MAP, list->span);

	for (struct mw_tree *item = list->first; item; item = item->next) {
		struct mw_tree *copy = copy_of(merge, item);

		copy->key = item->text;
		if (item->kind == MW_TREE_SCALAR)
			mw_tree_append(map, copy);
	}
	return map;
}

/* `new` is what would take the place of `old`. */
static bool refuse_final(struct merge *merge, struct mw_tree *finals, struct mw_tree *old,
			 struct mw_tree *new)
{
	struct mw_tree *item = mw_tree_get(finals, old->key);

	if (!item || item->span.source == merge->unbridled || same_value(old, new))
		return false;
	struct mw_diag *diag =
		mw_diagnostics_add(merge->diagnostics, MW_SEVERITY_ERROR, "S112", new->key_span,
				   merge->laid ? "`%s` is final in what this changes"
					       : "`%s` is final in what this extends",
				   old->key);

	mw_diag_note(merge->diagnostics, diag, item->span, "made final here");
	mw_diag_note(merge->diagnostics, diag, old->key_span, "its value");
	return true;
}

static const char *place_key(struct merge *merge, const struct mw_tree *tree)
{
	return mw_arena_printf(merge->arena, "%u:%u", tree->span.source, tree->span.byte);
}

/* Two lists, one behind the other, for `checks` and `final`. A base that is reached on two ways
 * brings its items once. */
static struct mw_tree *concatenate(struct merge *merge, struct mw_tree *a, struct mw_tree *b)
{
	struct mw_tree *seen = mw_tree_new(merge->arena, MW_TREE_MAP, a->span);
	struct mw_tree *list = copy_of(merge, b);

	list->first = list->last = NULL;
	list->count = 0;
	list->failed = a->failed || b->failed;
	for (struct mw_tree *item = a->first; item; item = item->next) {
		struct mw_tree *mark = copy_of(merge, item);

		mark->key = place_key(merge, item);
		mw_tree_append(seen, mark);
		mw_tree_append(list, copy_of(merge, item));
	}
	for (struct mw_tree *item = b->first; item; item = item->next) {
		if (!mw_tree_get(seen, place_key(merge, item)))
			mw_tree_append(list, copy_of(merge, item));
	}
	return list;
}

/* `level` is that of the map which holds both. */
static bool adds_up(const struct merge *merge, const struct mw_tree *a, const struct mw_tree *b,
		    enum level level)
{
	return a->kind == MW_TREE_LIST && b->kind == MW_TREE_LIST &&
	       ((strcmp(b->key, "final") == 0 && may_have_final(merge, level)) ||
		(level == LEVEL_ROOT && strcmp(b->key, "checks") == 0));
}

static bool changes_type(const struct merge *merge, struct mw_tree *a, struct mw_tree *b,
			 enum level level)
{
	struct mw_tree *old = mw_tree_get(a, "type"), *new = mw_tree_get(b, "type");

	return level == LEVEL_ENTRY && merge->typed && old && new &&
	       old->kind == MW_TREE_SCALAR &&new->kind ==
		       MW_TREE_SCALAR &&strcmp(old->text, new->text) != 0;
}

/* What an inherited entry keeps under a new type */
static const char *const under_any_type[] = { "at", "when", "final", NULL };

static struct mw_tree *change_type(struct merge *merge, struct mw_tree *base, struct mw_tree *child)
{
	static const char *const silent[] = { "type", "notes", "help", NULL };
	struct mw_tree *left = copy_of(merge, base);
	const char *dropped = NULL;

	left->first = left->last = NULL;
	left->count = 0;
	for (struct mw_tree *old = base->first; old; old = old->next) {
		if (mw_name_in(old->key, under_any_type))
			mw_tree_append(left, copy_of(merge, old));
		else if (!mw_name_in(old->key, silent) && !mw_tree_get(child, old->key))
			dropped = mw_arena_printf(merge->arena, "%s%s`%s`", dropped ? dropped : "",
						  dropped ? ", " : "", old->key);
	}
	if (dropped) {
		struct mw_tree *type = mw_tree_get(child, "type");
		struct mw_diag *diag = mw_diagnostics_add(
			merge->diagnostics, MW_SEVERITY_HINT, "S116", type->span,
			"the new type of `%s` drops what it inherited: %s", child->key, dropped);

		mw_diag_note(merge->diagnostics, diag, mw_tree_get(base, "type")->span,
			     "the type it had");
	}
	return left;
}

/* A new type would drop what is final, or say it anew. */
static bool refuse_type(struct merge *merge, struct mw_tree *base, struct mw_tree *child)
{
	struct mw_tree *finals = finals_of(merge, base, LEVEL_ENTRY);

	for (struct mw_tree *old = base->first; finals && old; old = old->next) {
		struct mw_tree *new = mw_tree_get(child, old->key);

		if (mw_name_in(old->key, under_any_type))
			continue;
		if (refuse_final(merge, finals, old, new ? new : mw_tree_get(child, "type")))
			return true;
	}
	return false;
}

/* The value of a key that both have. */
static struct mw_tree *merge_entry(struct merge *merge, struct mw_tree *base, struct mw_tree *child,
				   enum level level)
{
	struct mw_tree *copy, *old = base;

	if (base->kind == MW_TREE_MAP && child->kind == MW_TREE_MAP) {
		bool retyped = level == LEVEL_ENTRY && !child->failed &&
			       changes_type(merge, base, child, level);

		if (retyped && refuse_type(merge, base, child)) {
			copy = copy_of(merge, base);
			copy->failed = true;
			return copy;
		}
		copy = merge_map(merge, retyped ? change_type(merge, base, child) : base, child,
				 level);
		if (retyped)
			mw_tree_get(copy, "type")->over = mw_tree_get(old, "type");
	} else {
		if (is_removal(merge, base, level) && is_of_part(merge, child, level))
			refuse_miss(merge, child, NULL, "`%s` was removed");
		else if (is_tombstone(merge, base, level))
			check_fresh_entry(merge, child, NULL, level);
		else if (child->kind == MW_TREE_MAP && !child->failed)
			check_fresh(merge, child, NULL, level);
		copy = copy_of(merge, child);
	}
	copy->over = old;
	return copy;
}

static enum level below(enum level level)
{
	return level == LEVEL_VALUE ? LEVEL_VALUE : (enum level)(level + 1);
}

static struct mw_tree *merge_child(struct merge *merge, struct mw_tree *finals, struct mw_tree *old,
				   struct mw_tree *child, enum level level)
{
	if (level == LEVEL_ROOT)
		enter_section(merge, old->key);
	if (child->failed && child->kind == MW_TREE_SCALAR) /* a section stays as it was */
		return copy_of(merge,
			       level == LEVEL_ROOT && old->kind == MW_TREE_MAP ? old : child);
	if (old->failed && old->kind == MW_TREE_SCALAR) { /* what was under it is not known */
		struct mw_tree *copy = copy_of(merge, child);

		copy->failed = true;
		return copy;
	}
	if (adds_up(merge, old, child, level))
		return concatenate(merge, old, child);
	if (finals && refuse_final(merge, finals, old, child)) {
		struct mw_tree *kept = copy_of(merge, old);

		kept->failed = true;
		return kept;
	}
	return merge_entry(merge, old, child, below(level));
}

/* Vertical: `child` over `base`, in the base's order, then what is new. */
static struct mw_tree *merge_map(struct merge *merge, struct mw_tree *base, struct mw_tree *child,
				 enum level level)
{
	struct mw_tree *finals = finals_of(merge, base, level);
	bool laid = merge->laid && level == LEVEL_ROOT;
	struct mw_tree *result = copy_of(merge, laid ? base : child);
	struct mw_tree *copy;

	result->first = result->last = NULL;
	result->count = 0;
	result->failed = base->failed || child->failed;
	for (struct mw_tree *old = base->first; old; old = old->next) {
		struct mw_tree *new = mw_tree_get(child, old->key);

		if (level == LEVEL_ROOT && is_own_key(old->key)) {
			if (laid)
				mw_tree_append(result, copy_of(merge, old));
			continue;
		}
		copy = new ? merge_child(merge, finals, old, new, level) : copy_of(merge, old);
		mw_tree_append(result, copy);
		result->failed |= copy->failed;
	}
	for (struct mw_tree *new = child->first; new; new = new->next) {
		bool own = level == LEVEL_ROOT && is_own_key(new->key);

		if (own ? laid : mw_tree_get(base, new->key) != NULL)
			continue;
		copy = copy_of(merge, new);
		mw_tree_append(result, copy);
		if (own)
			continue;
		if (level == LEVEL_ROOT) {
			enter_section(merge, new->key);
			check_fresh(merge, copy, NULL, LEVEL_SECTION);
		} else {
			check_fresh_entry(merge, copy, base, below(level));
		}
		result->failed |= copy->failed;
	}
	return result;
}

/* Does the file that `a` stands in extend the one of `b`? */
static bool extends(const struct merge *merge, const struct mw_tree *a, const struct mw_tree *b)
{
	const struct mw_file *from = mw_files_of(merge->files, a->span);
	const struct mw_file *to = mw_files_of(merge->files, b->span);

	return from && to && (from->ancestors >> to->number & 1);
}

static struct mw_tree *refuse_clash(struct merge *merge, struct mw_tree *a, struct mw_tree *b)
{
	struct mw_file *from = mw_files_of(merge->files, a->span);
	struct mw_file *to = mw_files_of(merge->files, b->span);
	struct mw_diag *diag = mw_diagnostics_add(
		merge->diagnostics, MW_SEVERITY_ERROR, "S111", b->span,
		"two bases give `%s` different values, and neither extends the other", b->key);
	struct mw_tree *copy = copy_of(merge, a);

	mw_diag_label(merge->diagnostics, diag, "%s", to ? to->label : "");
	mw_diag_note(merge->diagnostics, diag, a->span, "%s", from ? from->label : "");
	mw_diag_help(merge->diagnostics, diag, "state `%s` in the file that extends both", b->key);
	copy->failed = true;
	return copy;
}

static struct mw_tree *join_maps(struct merge *merge, struct mw_tree *a, struct mw_tree *b,
				 struct mw_tree *child, enum level level);

/* The value of a key that two bases give. `child` is what the file that extends both says of it. */
static struct mw_tree *join_entry(struct merge *merge, struct mw_tree *a, struct mw_tree *b,
				  struct mw_tree *child, enum level level)
{
	bool maps = a->kind == MW_TREE_MAP && b->kind == MW_TREE_MAP;

	if (maps && !changes_type(merge, a, b, level))
		return join_maps(merge, a, b, child, level);
	if (maps) {
		struct mw_tree *types[2] = { mw_tree_get(a, "type"), mw_tree_get(b, "type") };

		if (extends(merge, types[0], types[1]))
			return copy_of(merge, a);
		if (extends(merge, types[1], types[0]))
			return copy_of(merge, b);
		if (!child || (child->kind == MW_TREE_MAP && !mw_tree_get(child, "type")))
			refuse_clash(merge, types[0], types[1])->failed = a->failed = true;
		return copy_of(merge, a);
	}
	if (same_value(a, b) || extends(merge, a, b))
		return copy_of(merge, a);
	if (extends(merge, b, a))
		return copy_of(merge, b);
	if (!child && !a->failed && !b->failed)
		return refuse_clash(merge, a, b);
	struct mw_tree *copy = copy_of(merge, a->failed ? a : b);

	copy->over =
		a->failed ? b : a; /* the child decides over both, and over what they replaced */
	return copy;
}

/* Horizontal: two bases side by side. */
static struct mw_tree *join_maps(struct merge *merge, struct mw_tree *a, struct mw_tree *b,
				 struct mw_tree *child, enum level level)
{
	struct mw_tree *result = copy_of(merge, b);
	struct mw_tree *copy;

	result->first = result->last = NULL;
	result->count = 0;
	result->failed = a->failed || b->failed;
	for (struct mw_tree *old = a->first; old; old = old->next) {
		struct mw_tree *twin = mw_tree_get(b, old->key);

		if (level == LEVEL_ROOT && is_own_key(old->key))
			continue;
		if (level == LEVEL_ROOT)
			enter_section(merge, old->key);
		/* a child that states the whole value decides everything below it */
		struct mw_tree *stated =
			child && child->kind == MW_TREE_MAP ? mw_tree_get(child, old->key) : child;

		copy = twin ? join_entry(merge, old, twin, stated, below(level))
			    : copy_of(merge, old);
		mw_tree_append(result, copy);
		result->failed |= copy->failed;
	}
	for (struct mw_tree *new = b->first; new; new = new->next) {
		if (!(level == LEVEL_ROOT && is_own_key(new->key)) && !mw_tree_get(a, new->key))
			mw_tree_append(result, copy_of(merge, new));
	}
	return result;
}

/* An overlay, or what a version was, over what is there. */
static struct mw_tree *lay(struct merge *merge, struct mw_tree *base, struct mw_tree *changes,
			   uint32_t unbridled)
{
	merge->laid = true;
	merge->unbridled = unbridled;
	struct mw_tree *result = merge_map(merge, base, changes, LEVEL_ROOT);

	merge->laid = false;
	merge->unbridled = 0;
	return result;
}

static struct mw_tree *compose(struct merge *merge, struct mw_file *file)
{
	struct mw_tree *base = NULL;

	if (file->composed)
		return file->composed;
	if (file->newest && !file->rebased) {
		file->composed = compose(merge, file->newest);
	} else {
		for (size_t i = 0; i < file->base_count; i++) {
			struct mw_tree *next = compose(merge, file->bases[i]);

			base = base ? join_maps(merge, base, next, file->root, LEVEL_ROOT) : next;
		}
		if (!base)
			base = mw_tree_new(merge->arena, MW_TREE_MAP, file->root->span);
		file->composed = merge_map(merge, base, file->root, LEVEL_ROOT);
	}
	for (uint64_t i = 0; i < file->body_count; i++)
		file->composed =
			lay(merge, file->composed, file->bodies[i], file->root->span.source);
	return file->composed;
}

/* Takes out tombstones, `final`, and what an earlier phase rejected outside `devices` and `params`,
 * whose failed entries the next phases want to know. */
static void prune(struct merge *merge, struct mw_tree *tree, enum level level)
{
	struct mw_tree *last = NULL;
	uint32_t count = 0;

	for (struct mw_tree **link = &tree->first; *link;) {
		struct mw_tree *child = *link;
		enum level child_level = below(level);

		if (level == LEVEL_ROOT)
			enter_section(merge, child->key);
		bool rejected = child->failed && child->kind == MW_TREE_SCALAR &&
				!(child_level == LEVEL_ENTRY && merge->typed);
		bool final = may_have_final(merge, level) && strcmp(child->key, "final") == 0;
		bool left = (level == LEVEL_ROOT && merge->keep_devices &&
			     strcmp(child->key, "devices") == 0) ||
			    is_of_part(merge, child, child_level);

		if (left)
			rejected = final = false;
		if (rejected || final || (!left && is_tombstone(merge, child, child_level))) {
			*link = child->next;
			tree->index = NULL;
			continue;
		}
		if (child->kind == MW_TREE_MAP && !left)
			prune(merge, child, child_level);
		last = child;
		count++;
		link = &child->next;
	}
	tree->last = last;
	tree->count = count;
}

static struct merge start(struct mw_files *files)
{
	return (struct merge){ .files = files,
			       .arena = files->arena,
			       .diagnostics = files->diagnostics };
}

/* The depth is the reader's, 32 at most. */
static struct mw_tree *copy_whole(struct merge *merge, struct mw_tree *tree)
{
	struct mw_tree *copy = copy_of(merge, tree);

	if (tree->kind == MW_TREE_SCALAR)
		return copy;
	copy->first = copy->last = NULL;
	copy->count = 0;
	for (struct mw_tree *child = tree->first; child; child = child->next)
		mw_tree_append(copy, copy_whole(merge, child));
	return copy;
}

struct mw_tree *mw_compose(struct mw_files *files, struct mw_file *profile)
{
	struct merge merge = start(files);
	struct mw_tree *root = compose(&merge, profile);

	for (size_t i = 0; i < files->overlay_count; i++)
		root = lay(&merge, root, files->overlays[i]->root, 0);
	prune(&merge, root, LEVEL_ROOT);
	return root;
}

struct mw_tree *mw_compose_part(struct mw_files *files, struct mw_file *part)
{
	struct merge merge = start(files);
	struct mw_tree *root = compose(&merge, part);

	merge.keep_devices = true;
	prune(&merge, root, LEVEL_ROOT);
	return root;
}

struct mw_tree *mw_compose_members(struct mw_files *files, struct mw_tree *devices)
{
	struct merge merge = start(files);
	struct mw_tree *copy = copy_whole(&merge, devices);

	enter_section(&merge, "devices");
	prune(&merge, copy, LEVEL_SECTION);
	return copy;
}

struct mw_tree *mw_compose_change(struct mw_files *files, struct mw_tree *member,
				  struct mw_tree *change)
{
	struct merge merge = start(files);

	merge.laid = true;
	enter_section(&merge, "devices");
	return merge_entry(&merge, member, change, LEVEL_ENTRY);
}

struct mw_tree *mw_compose_changed(struct mw_files *files, struct mw_tree *member)
{
	struct merge merge = start(files);

	enter_section(&merge, "devices");
	if (member->kind != MW_TREE_MAP)
		return NULL;
	struct mw_tree *copy = copy_whole(&merge, member);

	prune(&merge, copy, LEVEL_ENTRY);
	return copy;
}
