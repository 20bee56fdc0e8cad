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
#include "resolver/lock.h"
#include "resolver/machine.h"
#include "resolver/memory.h"
#include "resolver/parts.h"
#include "resolver/resolver.h"
#include "resolver/rules.h"
#include "resolver/study.h"
#include "resolver/typecheck.h"
#include "resolver/wire.h"

static void run_phases(struct mw_draft *draft, size_t errors)
{
	mw_targets_read(draft);
	mw_lock_read(draft);
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
	mw_machine_rules(draft);
	/* Rules about the whole want a whole: what an error took out is not missing. */
	mw_rules(draft, draft->diagnostics->errors == errors);
}

/* Else a file that is only a piece of one: nothing asks whether it could run. */
static bool is_machine(const struct mw_document *document)
{
	return strcmp(document->front->profile->format->name, "machine") == 0;
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
	bool whole = study->loaded && is_machine(&study->document);

	if (whole)
		run_phases(draft, errors);
	mw_parts_note(&study->document);
	if (whole && diagnostics->errors == errors) {
		mw_emit(draft);
		study->plan = draft->plan;
		mw_lock_compare(draft);
	}
	mw_mend_renames(&study->document);
	mw_diagnostics_fold(diagnostics);
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
