/* A plan's text becomes the machine that a profile would have said, is resolved like one, and must
 * come out as the text says: what a resolved plan guarantees, a plan that was read has too. */
// SPDX-License-Identifier: MIT
#include "resolver/plan_read.h"

#include <inttypes.h>
#include <string.h>

#include "resolver/allocate.h"
#include "resolver/cpu.h"
#include "resolver/emit.h"
#include "resolver/front.h"
#include "resolver/machine.h"
#include "resolver/plan_read_internal.h"
#include "resolver/read.h"
#include "resolver/typecheck.h"
#include "resolver/wire.h"

struct mw_diag *mw_plan_refuse(struct mw_plan_reader *reader, struct mw_span span,
			       const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	const char *text = mw_arena_vprintf(&reader->diagnostics->arena, format, arguments);

	va_end(arguments);
	return mw_diagnostics_add(reader->diagnostics, MW_SEVERITY_ERROR, "C706", span, "%s", text);
}

bool mw_plan_number(struct mw_plan_reader *reader, const struct mw_tree *tree, uint64_t most,
		    uint64_t *value)
{
	if (mw_tree_int(tree->text, value) && *value <= most)
		return true;
	mw_plan_refuse(reader, tree->span, "expected a number up to %" PRIu64 ", found `%s`", most,
		       tree->text);
	return false;
}

struct mw_tree *mw_plan_scalar(struct mw_plan_reader *reader, const char *key, const char *text,
			       const struct mw_tree *at)
{
	struct mw_tree *tree = mw_tree_new(reader->arena, MW_TREE_SCALAR, at->span);

	tree->key = key;
	tree->key_span = at->key ? at->key_span : at->span;
	tree->text = text;
	tree->evaluated = true; /* it does not stand there verbatim */
	return tree;
}

struct mw_tree *mw_plan_block(struct mw_plan_reader *reader, enum mw_tree_kind kind,
			      const char *key, const struct mw_tree *at)
{
	struct mw_tree *tree = mw_tree_new(reader->arena, kind, at->span);

	tree->key = key;
	tree->key_span = at->key ? at->key_span : at->span;
	return tree;
}

void mw_plan_hand_on(struct mw_plan_reader *reader, struct mw_tree *map, const char *key,
		     const struct mw_tree *tree)
{
	if (!tree)
		return;
	struct mw_tree *copy = mw_tree_copy(reader->arena, tree);

	if (!copy->key)
		copy->key_span = copy->span;
	copy->key = key;
	mw_tree_append(map, copy);
}

bool mw_plan_is_host(struct mw_tree *node)
{
	struct mw_tree *host = mw_tree_get(node, "host");

	return host && !strcmp(host->text, "true");
}

/* Needs are kept as numbers; profiles write what they count. */
static const char *need_text(const struct mw_tree *need)
{
	static const char *const counted[] = { "gpa_bits", "max_vcpus", "memslots", "vtl", NULL };
	static const char *const isolations[] = { "none", "vbs", "snp", "tdx" };
	uint64_t value;

	if (mw_name_in(need->key, counted) || !mw_tree_int(need->text, &value))
		return need->text;
	if (!strcmp(need->key, "isolation"))
		return value < sizeof(isolations) / sizeof(isolations[0]) ? isolations[value]
									  : need->text;
	return value == 1 ? "true" : need->text;
}

static void make_accel(struct mw_plan_reader *reader, struct mw_tree *accel)
{
	if (!accel || accel->kind != MW_TREE_MAP) {
		mw_plan_hand_on(reader, reader->document->root, "accel", accel);
		return;
	}
	struct mw_tree *made = mw_plan_block(reader, MW_TREE_MAP, "accel", accel);

	mw_tree_append(reader->document->root, made);
	for (struct mw_tree *child = accel->first; child; child = child->next) {
		if (strcmp(child->key, "need") != 0 || child->kind != MW_TREE_MAP) {
			mw_plan_hand_on(reader, made, child->key, child);
			continue;
		}
		struct mw_tree *needs = mw_plan_block(reader, MW_TREE_MAP, "need", child);

		mw_tree_append(made, needs);
		for (struct mw_tree *need = child->first; need; need = need->next) {
			if (need->kind == MW_TREE_SCALAR)
				mw_tree_append(needs, mw_plan_scalar(reader, need->key,
								     need_text(need), need));
			else
				mw_plan_hand_on(reader, needs, need->key, need);
		}
	}
}

/* `loader` follows from the rest; which texts hold host-scoped parameters stands beside. */
static void make_boot(struct mw_plan_reader *reader, struct mw_tree *boot)
{
	if (!boot || boot->kind != MW_TREE_MAP) {
		mw_plan_hand_on(reader, reader->document->root, "boot", boot);
		return;
	}
	struct mw_tree *made = mw_plan_block(reader, MW_TREE_MAP, "boot", boot);
	struct mw_tree *host = mw_tree_get(reader->root, "boot_from_host");

	mw_tree_append(reader->document->root, made);
	for (struct mw_tree *child = boot->first; child; child = child->next) {
		if (strcmp(child->key, "loader") != 0)
			mw_plan_hand_on(reader, made, child->key, child);
	}
	for (struct mw_tree *name = host ? host->first : NULL; name; name = name->next) {
		struct mw_tree *text = mw_tree_get(made, name->text);

		if (text && !strcmp(name->text, "cmdline"))
			text->host = true;
		else
			mw_plan_refuse(reader, name->span, "`boot` has no text `%s`", name->text);
	}
}

static void make_header(struct mw_plan_reader *reader)
{
	struct mw_document *document = reader->document;
	struct mw_tree *bases = mw_tree_get(reader->root, "bases");
	struct mw_tree *summary = mw_tree_get(reader->root, "summary");
	struct mw_tree *arch = mw_tree_get(reader->root, "arch");
	const char **names =
		mw_arena_alloc(reader->arena, bases ? bases->count + 1 : 1, sizeof(*names));
	uint64_t version = 0;
	size_t count = 0;

	for (struct mw_tree *base = bases ? bases->first : NULL; base; base = base->next)
		names[count++] = base->text;
	document->bases = names;
	document->name = mw_tree_get(reader->root, "name")->text;
	document->summary = summary ? summary->text : "";
	document->arch = arch->text;
	if (strcmp(arch->text, "x86_64") != 0)
		mw_plan_refuse(reader, arch->span, "`arch: %s` is not implemented", arch->text);
	if (mw_plan_number(reader, mw_tree_get(reader->root, "version"), UINT32_MAX, &version))
		document->version = (uint32_t)version;
}

/* The document of a machine without files: nothing is absent, nothing was rejected before. */
static void make_document(struct mw_plan_reader *reader)
{
	struct mw_document *document = reader->document;
	struct mw_front *front = mw_arena_alloc(reader->arena, 1, sizeof(*front));

	*document = (struct mw_document){ .arena = reader->arena,
					  .diagnostics = reader->diagnostics,
					  .folder = ".",
					  .front = front };
	document->root = mw_plan_block(reader, MW_TREE_MAP, NULL, reader->root);
	document->devices = mw_plan_block(reader, MW_TREE_MAP, "devices", reader->root);
	document->failed = mw_plan_block(reader, MW_TREE_MAP, NULL, reader->root);
	front->absent = mw_plan_block(reader, MW_TREE_MAP, NULL, reader->root);
	front->counted = mw_plan_block(reader, MW_TREE_MAP, NULL, reader->root);
	mw_tree_append(document->root, document->devices);
	mw_plan_hand_on(reader, document->root, "name", mw_tree_get(reader->root, "name"));
	mw_plan_hand_on(reader, document->root, "power", mw_tree_get(reader->root, "power"));
	make_header(reader);
	make_accel(reader, mw_tree_get(reader->root, "accel"));
	make_boot(reader, mw_tree_get(reader->root, "boot"));
	mw_plan_cpu_block(reader);
	mw_plan_nets(reader);
	mw_plan_devices(reader);
	mw_plan_links(reader);
}

static void run_phases(struct mw_plan_reader *reader, size_t errors)
{
	struct mw_draft *draft = reader->draft;

	mw_plan_ram(reader);
	mw_typecheck(draft);
	mw_plan_hosts(reader);
	mw_wire(draft);
	mw_allocate(draft);
	mw_backends_exclusive(draft);
	mw_machine_keys_read(draft);
	mw_cpu_read(draft);
	mw_plan_cpu_rest(reader);
	mw_boot_read(draft);
	mw_plan_marks(reader);
	if (draft->diagnostics->errors == errors)
		mw_machine_rules(draft);
}

static bool read_plan(struct mw_plan_reader *reader, const char *text, size_t length,
		      const char *name)
{
	static const struct mw_read_limits limits = { MW_PLAN_TEXT_BYTES, MW_PLAN_TEXT_VALUES };
	struct mw_diagnostics *diagnostics = reader->diagnostics;
	size_t errors = diagnostics->errors;

	reader->root = mw_read_within(reader->arena, diagnostics, name, text, length, &limits);
	if (!reader->root || diagnostics->errors > errors ||
	    !mw_shape_check(diagnostics, reader->root, "plan") || diagnostics->errors > errors)
		return false;
	reader->nodes = mw_tree_get(reader->root, "nodes");
	make_document(reader);
	if (diagnostics->errors > errors)
		return false;
	run_phases(reader, errors);
	if (diagnostics->errors > errors)
		return false;
	mw_emit(reader->draft);
	return mw_plan_same(reader, reader->draft->plan);
}

bool mw_plan_read(struct mw_plan **out, const char *text, size_t length, const char *name,
		  const struct mw_registry *registry, struct mw_diagnostics *diagnostics)
{
	struct mw_arena arena = { 0 };
	struct mw_document document = { 0 };
	struct mw_plan *plan = mw_alloc(1, sizeof(*plan));
	struct mw_draft draft = { .document = &document,
				  .diagnostics = diagnostics,
				  .registry = registry,
				  .arena = &arena,
				  .plan = plan,
				  .from_plan = true };
	struct mw_plan_reader reader = {
		.arena = &arena, .diagnostics = diagnostics, .document = &document, .draft = &draft
	};
	bool good = read_plan(&reader, text, length, name);

	mw_arena_fini(&arena);
	if (!good) {
		mw_plan_destroy(plan);
		plan = NULL;
	}
	*out = plan;
	return good;
}
