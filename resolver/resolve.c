/* The phases in their order. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "resolver/allocate.h"
#include "resolver/cpu.h"
#include "resolver/document.h"
#include "resolver/emit.h"
#include "resolver/link.h"
#include "resolver/machine.h"
#include "resolver/memory.h"
#include "resolver/resolver.h"
#include "resolver/typecheck.h"
#include "resolver/wire.h"

static void check_arch(struct mw_draft *draft)
{
	struct mw_document *document = draft->document;
	struct mw_tree *tree = mw_tree_get(document->root, "arch");

	if (!document->arch)
		document->arch = "x86_64";
	if (strcmp(document->arch, "x86_64") != 0)
		mw_draft_error(draft, "S110", tree ? tree->span : (struct mw_span){ 0 }, NULL,
			       "arch", "`arch: %s` is not implemented yet", document->arch);
}

static void run_phases(struct mw_draft *draft, size_t errors)
{
	check_arch(draft);
	mw_ram_read(draft);
	mw_windows_read(draft);
	mw_typecheck(draft);
	mw_wire(draft);
	mw_allocate(draft);
	mw_link(draft);
	mw_backends_exclusive(draft);
	mw_machine_keys_read(draft);
	mw_cpu_read(draft);
	mw_boot_read(draft);
	/* Rules about the whole want a whole: what an error took out is not missing. */
	if (draft->diagnostics->errors == errors)
		mw_machine_rules(draft);
}

bool mw_resolve(struct mw_plan **out, const struct mw_resolve_options *options,
		struct mw_diagnostics *diagnostics)
{
	struct mw_arena arena = { 0 };
	struct mw_document document = { 0 };
	struct mw_plan *plan = mw_alloc(1, sizeof(*plan));
	struct mw_draft draft = { .document = &document,
				  .diagnostics = diagnostics,
				  .registry = options->registry,
				  .arena = &arena,
				  .plan = plan };
	size_t errors = diagnostics->errors;
	bool good = mw_document_load(&document, options, &arena, diagnostics);

	if (good)
		run_phases(&draft, errors);
	good = good && diagnostics->errors == errors;
	if (good)
		mw_emit(&draft);
	mw_arena_fini(&arena);
	if (!good) {
		mw_plan_destroy(plan);
		plan = NULL;
	}
	*out = plan;
	return good;
}
