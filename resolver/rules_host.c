/* Rules about secrets, and about the host's files that a machine names. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "resolver/fixes.h"
#include "resolver/front.h"
#include "resolver/rules.h"

/* X602 in `params`: a default that is written out is known to whoever reads the file. */
static void check_default(struct mw_draft *draft, const struct mw_tree *param)
{
	struct mw_tree *map = (struct mw_tree *)param;
	const struct mw_tree *type = mw_tree_get(map, "type");
	const struct mw_tree *value = mw_tree_get(map, "default");

	if (!type || type->kind != MW_TREE_SCALAR || strcmp(type->text, "secret") != 0 || !value ||
	    value->kind != MW_TREE_SCALAR || !*value->text || strstr(value->text, "$("))
		return;
	struct mw_diag *diag =
		mw_draft_report(draft, MW_SEVERITY_ERROR, "X602", value->span, NULL, NULL,
				"the secret `%s` stands in the file", param->key);

	diag->node = mw_arena_printf(&draft->diagnostics->arena, "/params/%s/default", param->key);
	mw_diag_help(draft->diagnostics, diag, "leave `default` out and give it with --set %s=...",
		     param->key);
	mw_fix_remove(draft->diagnostics, diag, MW_FIX_PLACEHOLDER, value);
}

/* A file that the machine names, and what for. */
struct named {
	const char *path;
	struct mw_span span;
	struct mw_draft_node *node; /* NULL: of `boot` */
	bool secret;
};

struct host {
	struct mw_draft *draft;
	struct mw_lookup written; /* device and inode to a struct named */
};

static void tell_mode(struct mw_draft *draft, const struct named *file, unsigned mode)
{
	bool open = mode & S_IWOTH;
	struct mw_diag *diag = mw_draft_report(draft, MW_SEVERITY_ERROR, "X601", file->span,
					       file->node, file->node ? "backend" : "boot",
					       "everybody may %s `%s`: its mode is 0%03o",
					       open ? "write" : "read", file->path, mode & 0777u);

	mw_diag_help(draft->diagnostics, diag, "chmod 0%03o %s",
		     mode & (file->secret ? 0700u : 0775u), file->path);
}

/* Devices and sockets have modes of their own making. */
static void check_mode(struct mw_draft *draft, const struct named *file)
{
	struct stat status;

	if (stat(file->path, &status) != 0 || !S_ISREG(status.st_mode))
		return;
	if (status.st_mode & S_IWOTH || (file->secret && status.st_mode & S_IROTH))
		tell_mode(draft, file, (unsigned)status.st_mode);
}

/* X606: one file that two names lead to. Equal names have been told where backends are checked. */
static void check_writers(struct host *host, const struct named *file)
{
	struct mw_draft *draft = host->draft;
	struct stat status;

	if (stat(file->path, &status) != 0 || !S_ISREG(status.st_mode))
		return;
	struct named *here = mw_arena_alloc(draft->arena, 1, sizeof(*here));
	struct named *first =
		mw_lookup_add(&host->written, draft->arena,
			      mw_arena_printf(draft->arena, "%" PRIuMAX ":%" PRIuMAX,
					      (uintmax_t)status.st_dev, (uintmax_t)status.st_ino),
			      here);

	*here = *file;
	if (!first || strcmp(first->path, file->path) == 0)
		return;
	bool blame_first = mw_span_to_blame(first->span, file->span);
	const struct named *late = blame_first ? first : file, *early = blame_first ? file : first;
	struct mw_diag *diag =
		mw_draft_error(draft, "X606", late->span, late->node, "backend",
			       "`%s` and `%s` both write one file, which is `%s` "
			       "and `%s`",
			       early->node->id, late->node->id, early->path, late->path);

	mw_diag_note(draft->diagnostics, diag, early->span, "`%s` has it", early->node->id);
}

static void check_backend(struct host *host, struct mw_draft_node *node)
{
	for (size_t i = 0; node->values && i < node->type->properties.count; i++) {
		const struct mw_property *property = &node->type->properties.items[i];
		const struct mw_plan_value *value = &node->values[i];
		struct named file = { value->text, value->span, node->owner, property->is_secret };

		if (!property->is_path || !value->text || !*value->text || value->is_default)
			continue;
		check_mode(host->draft, &file);
		if (property->is_written)
			check_writers(host, &file);
	}
}

static void check_boot_files(struct mw_draft *draft)
{
	const struct mw_plan_boot *boot = &draft->plan->boot;
	const struct named files[] = {
		{ .path = boot->linux_path, .span = boot->linux_span },
		{ .path = boot->elf_path, .span = boot->elf_span },
		{ .path = boot->initrd_path, .span = boot->initrd_span },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (files[i].path)
			check_mode(draft, &files[i]);
	}
	for (size_t i = 0; i < boot->module_count; i++) {
		const char *text = boot->modules[i].text;
		struct named file = { .path = mw_arena_strndup(draft->arena, text,
							       strcspn(text, " ")),
				      .span = boot->modules[i].span };

		check_mode(draft, &file);
	}
}

void mw_rules_host(struct mw_draft *draft)
{
	struct host host = { .draft = draft };
	struct mw_tree *params = mw_tree_get(draft->document->front->merged, "params");

	for (struct mw_tree *param = params ? params->first : NULL; param; param = param->next)
		check_default(draft, param);
	if (!draft->document->options->lint)
		return;
	check_boot_files(draft);
	for (size_t i = 0; i < draft->node_count; i++) {
		struct mw_draft_node *node = draft->nodes[i];

		if (node->host && node->owner && node->type && !node->failed &&
		    !node->owner->failed && !node->owner->dropped)
			check_backend(&host, node);
	}
}
