/* The phases in their order. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "resolver/allocate.h"
#include "resolver/cpu.h"
#include "resolver/document.h"
#include "resolver/emit.h"
#include "resolver/front.h"
#include "resolver/link.h"
#include "resolver/machine.h"
#include "resolver/memory.h"
#include "resolver/resolver.h"
#include "resolver/study.h"
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

struct mw_study *mw_study_open(const struct mw_resolve_options *options,
			       struct mw_diagnostics *diagnostics)
{
	struct mw_study *study = mw_alloc(1, sizeof(*study));
	struct mw_draft *draft = &study->draft;
	size_t errors = diagnostics->errors;

	*draft = (struct mw_draft){ .document = &study->document,
				    .diagnostics = diagnostics,
				    .registry = options->registry,
				    .arena = &study->arena,
				    .plan = mw_alloc(1, sizeof(*draft->plan)) };
	study->loaded = mw_document_load(&study->document, options, &study->arena, diagnostics);
	study->merged = study->document.front->merged;
	if (study->loaded)
		run_phases(draft, errors);
	if (study->loaded && diagnostics->errors == errors) {
		mw_emit(draft);
		study->plan = draft->plan;
	}
	return study;
}

struct mw_plan *mw_study_take(struct mw_study *study)
{
	struct mw_plan *plan = study->plan;

	study->plan = NULL;
	if (plan)
		study->draft.plan = NULL;
	return plan;
}

void mw_study_close(struct mw_study *study)
{
	mw_plan_destroy(study->draft.plan);
	mw_arena_fini(&study->arena);
	free(study);
}

bool mw_resolve(struct mw_plan **out, const struct mw_resolve_options *options,
		struct mw_diagnostics *diagnostics)
{
	struct mw_study *study = mw_study_open(options, diagnostics);

	*out = mw_study_take(study);
	mw_study_close(study);
	return *out != NULL;
}
