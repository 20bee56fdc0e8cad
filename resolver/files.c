/* Finds and reads the files of a profile: search path, versions, cycles, depth. */
// SPDX-License-Identifier: MIT
#include "resolver/files.h"

#include <dirent.h>
#include <string.h>

#include "resolver/deprecated.h"
#include "resolver/document.h"
#include "resolver/files_internal.h"
#include "resolver/fixes.h"
#include "resolver/history.h"

/* What a reference such as `chipset/q35@1` or `./base.yaml` says. */
struct reference {
	const char *kind; /* NULL: a path */
	const char *name; /* or the path */
	bool pinned;
	uint64_t version;
};

static struct mw_file *load(struct mw_files *files, const char *path, const char *kind,
			    struct mw_span wanted);

static struct mw_diag *error(struct mw_files *files, const char *code, struct mw_span span,
			     const char *format, const char *text)
{
	return mw_diagnostics_add(files->diagnostics, MW_SEVERITY_ERROR, code, span, format, text);
}

const char *mw_files_code(struct mw_span wanted)
{
	return wanted.source ? "S113" : "";
}

struct mw_file *mw_files_of(const struct mw_files *files, struct mw_span span)
{
	for (size_t i = 0; i < files->count; i++) {
		if (files->items[i]->root && files->items[i]->root->span.source == span.source)
			return files->items[i];
	}
	return NULL;
}

static bool is_path(const char *text)
{
	size_t length = strlen(text);

	return text[0] == '/' || strncmp(text, "./", 2) == 0 || strncmp(text, "../", 3) == 0 ||
	       (length > 5 && strcmp(text + length - 5, ".yaml") == 0);
}

static bool is_name(const char *text)
{
	return *text && text[0] != '.' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       strlen(text);
}

/* `x/pc.yaml@2`: the path and the version; the text itself where it names none. */
static const char *given_version(struct mw_files *files, const char *text, uint64_t *version)
{
	const char *at = strrchr(text, '@');
	size_t length = at ? (size_t)(at - text) : 0;

	if (length < 6 || strncmp(at - 5, ".yaml", 5) != 0 || !mw_tree_int(at + 1, version))
		return text;
	return mw_arena_strndup(files->arena, text, length);
}

static bool parse_reference(struct mw_files *files, const char *text, const char *kind,
			    struct mw_span span, struct reference *reference)
{
	*reference = (struct reference){ .kind = kind, .name = text };
	if (strstr(text, "://")) {
		error(files, mw_files_code(span), span, "`%s` is a network path: files are local",
		      text);
		return false;
	}
	const char *path = given_version(files, text, &reference->version);

	if (is_path(path)) {
		reference->kind = NULL;
		reference->name = path;
		reference->pinned = path != text;
		return true;
	}
	const char *slash = strchr(text, '/');

	if (slash) {
		reference->kind = mw_arena_strndup(files->arena, text, (size_t)(slash - text));
		reference->name = slash + 1;
	}
	const char *at = strchr(reference->name, '@');

	if (at) {
		reference->pinned = true;
		reference->name = mw_arena_strndup(files->arena, reference->name,
						   (size_t)(at - reference->name));
	}
	const struct mw_format *format = mw_format_find(reference->kind);

	if ((at && !mw_tree_int(at + 1, &reference->version)) || !format || !format->folder ||
	    !is_name(reference->name)) {
		struct mw_diag *diag =
			error(files, mw_files_code(span), span, "`%s` names no file", text);

		mw_diag_help(files->diagnostics, diag,
			     "write chipset/NAME@VERSION, or a path such as ./base.yaml");
		return false;
	}
	return true;
}

static const char *join(struct mw_files *files, const char *folder, const char *rest)
{
	while (strncmp(rest, "./", 2) == 0)
		rest += 2;
	if (strcmp(folder, ".") == 0 || !*folder)
		return mw_arena_strdup(files->arena, rest);
	return mw_arena_printf(files->arena, "%s/%s", folder, rest);
}

/* "did you mean" from the names that the search path really has. */
static void suggest_file(struct mw_files *files, struct mw_diag *diag,
			 const struct reference *reference, const char *folder)
{
	const char *names[256];
	size_t count = 0;

	for (size_t i = 0; i < files->options->search_count; i++) {
		DIR *directory = opendir(join(files, files->options->search[i], folder));
		struct dirent *entry;

		while (directory && count < 255 && (entry = readdir(directory))) {
			size_t length = strlen(entry->d_name);

			if (length > 5 && strcmp(entry->d_name + length - 5, ".yaml") == 0)
				names[count++] =
					mw_arena_strndup(files->arena, entry->d_name, length - 5);
		}
		if (directory)
			closedir(directory);
	}
	names[count] = NULL;
	if (count)
		mw_suggest(files->diagnostics, diag, reference->name, names);
	else
		mw_diag_help(files->diagnostics, diag,
			     "MILLWRIGHT_PATH names the folder that holds %s/", folder);
}

static const char *search(struct mw_files *files, const struct reference *reference,
			  struct mw_span wanted)
{
	const struct mw_format *format = mw_format_find(reference->kind);
	const char *rest =
		mw_arena_printf(files->arena, "%s/%s.yaml", format->folder, reference->name);

	for (size_t i = 0; i < files->options->search_count; i++) {
		const char *path = join(files, files->options->search[i], rest);

		if (mw_files_exist(files, path))
			return path;
	}
	struct mw_diag *diag =
		mw_diagnostics_add(files->diagnostics, MW_SEVERITY_ERROR, mw_files_code(wanted),
				   wanted, "there is no %s `%s`", reference->kind, reference->name);

	for (size_t i = 0; i < files->options->search_count; i++)
		mw_diag_note(files->diagnostics, diag, (struct mw_span){ 0 }, "looked for %s",
			     join(files, files->options->search[i], rest));
	suggest_file(files, diag, reference, format->folder);
	return NULL;
}

void mw_files_circle(struct mw_files *files, const struct mw_file *again, struct mw_span wanted)
{
	struct mw_diag *diag =
		error(files, "S113", wanted, "`extends` runs in a circle back to %s", again->path);
	size_t from = 0;

	while (files->stack[from] != again)
		from++;
	for (size_t i = from + 1; i < files->depth; i++)
		mw_diag_note(files->diagnostics, diag, files->stack[i]->extended_at,
			     "%s is reached from here", files->stack[i]->path);
}

/* The file with this path if it was met before; one that only an editor has is told by its path. */
static struct mw_file *find_known(struct mw_files *files, const char *path,
				  const struct stat *status)
{
	for (size_t i = 0; i < files->count; i++) {
		struct mw_file *file = files->items[i];

		if (file->device == status->st_dev && file->inode == status->st_ino &&
		    (file->inode || strcmp(file->path, path) == 0))
			return file;
	}
	return NULL;
}

static bool base_fits(struct mw_files *files, const struct mw_file *file,
		      const struct mw_file *base, struct mw_span span)
{
	const char *name = base->format->name;

	if (strcmp(name, "chipset") == 0 ||
	    (strcmp(name, file->format->name) == 0 && strcmp(name, "overlay") != 0))
		return true;
	mw_diagnostics_add(files->diagnostics, MW_SEVERITY_ERROR, "S113", span,
			   "a %s cannot extend a %s", file->format->name, name);
	return false;
}

/* The file in the version that was asked for. */
static struct mw_file *pick_version(struct mw_files *files, const struct reference *reference,
				    struct mw_file *file, struct mw_span span)
{
	if (reference->pinned && reference->version != file->version)
		file = mw_history_pick(files, file, reference->version, span);
	if (file)
		mw_deprecated_check(files, file, span);
	return file;
}

static void hint_unpinned(struct mw_files *files, const struct mw_file *file,
			  const struct mw_tree *wanted)
{
	struct mw_diag *diag =
		mw_diagnostics_add(files->diagnostics, MW_SEVERITY_HINT, "C703", wanted->span,
				   "this base has no version, so it may change");
	const char *pinned = mw_arena_printf(files->arena, "%s@%llu", wanted->text,
					     (unsigned long long)file->version);

	mw_diag_help(files->diagnostics, diag, "write `%s`", pinned);
	mw_fix_word(files->diagnostics, diag, MW_FIX_SAFE, wanted->text, pinned);
}

static const char *folder_of(struct mw_files *files, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? mw_arena_strndup(files->arena, path, (size_t)(slash - path)) : ".";
}

/* A path in a file is relative to that file. */
static const char *locate(struct mw_files *files, const struct mw_file *from, const char *path)
{
	return path[0] == '/' || !from ? path : join(files, folder_of(files, from->path), path);
}

/* `must` is the kind that the file has to be; NULL for a base, whose kind only a name tells. */
static struct mw_file *open_reference(struct mw_files *files, const struct mw_file *from,
				      const char *text, const char *kind, const char *must,
				      struct mw_span span, bool *unpinned)
{
	struct reference reference;

	if (!parse_reference(files, text, kind, span, &reference))
		return NULL;
	*unpinned = reference.kind && !reference.pinned;
	const char *path = reference.kind ? search(files, &reference, span)
					  : locate(files, from, reference.name);
	struct mw_file *file = path ? load(files, path, must ? must : reference.kind, span) : NULL;

	return file ? pick_version(files, &reference, file, span) : NULL;
}

struct mw_file *mw_files_open(struct mw_files *files, const struct mw_file *from, const char *text,
			      const char *kind, struct mw_span span, bool *unpinned)
{
	return open_reference(files, from, text, kind, kind, span, unpinned);
}

static void load_base(struct mw_files *files, struct mw_file *file, struct mw_tree *wanted)
{
	struct mw_span span = wanted->span;
	bool unpinned = false;
	struct mw_file *base = wanted->failed
				       ? NULL
				       : open_reference(files, file, wanted->text,
							file->format->name, NULL, span, &unpinned);

	if (!base || !base_fits(files, file, base, span)) {
		files->broken = true;
		return;
	}
	if (unpinned)
		hint_unpinned(files, base, wanted);
	for (size_t i = 0; i < file->base_count; i++) {
		if (file->bases[i] == base)
			return;
	}
	file->bases[file->base_count++] = base;
	file->listed |= base->listed | 1ull << base->number;
	file->ancestors |= base->ancestors | 1ull << base->number;
	if (base->newest)
		file->ancestors |= 1ull << base->newest->number;
}

void mw_files_bases(struct mw_files *files, struct mw_file *file, struct mw_tree *extends)
{
	if (!extends)
		return;
	if (extends->kind == MW_TREE_SCALAR) {
		load_base(files, file, extends);
		return;
	}
	for (struct mw_tree *item = extends->first; item; item = item->next) {
		if (item->kind == MW_TREE_SCALAR && file->base_count < MW_FILES_MOST)
			load_base(files, file, item);
	}
}

static void name_file(struct mw_files *files, struct mw_file *file)
{
	struct mw_tree *name = mw_tree_get(file->root, "name");
	struct mw_tree *version = mw_tree_get(file->root, "version");

	file->version = 1;
	if (version && version->kind == MW_TREE_SCALAR && !version->failed)
		mw_tree_int(version->text, &file->version);
	file->label = mw_arena_printf(files->arena, "%s/%s@%llu", file->format->name,
				      name && name->kind == MW_TREE_SCALAR ? name->text : "",
				      (unsigned long long)file->version);
}

static bool fill_file(struct mw_files *files, struct mw_file *file, const char *kind,
		      struct mw_span wanted)
{
	file->root = mw_files_text(files, file, wanted);
	if (!file->root)
		return false;
	file->format = mw_shape_check(files->diagnostics, file->root, kind);
	if (!file->format)
		return false;
	name_file(files, file);
	mw_history_check(files, file);
	mw_deprecated_shape(files->diagnostics, file);
	mw_files_bases(files, file, mw_tree_get(file->root, "extends"));
	return true;
}

struct mw_file *mw_files_begin(struct mw_files *files, struct mw_span wanted)
{
	struct mw_file *file;

	if (files->depth > MW_FILES_DEPTH || files->count == MW_FILES_MOST) {
		bool told = files->full;

		files->full |= files->count == MW_FILES_MOST;
		if (told)
			return NULL;
		mw_diagnostics_add(files->diagnostics, MW_SEVERITY_ERROR, "S113", wanted,
				   files->depth > MW_FILES_DEPTH
					   ? "`extends` goes more than %d files deep"
					   : "a profile is made of at most %d files",
				   files->depth > MW_FILES_DEPTH ? MW_FILES_DEPTH : MW_FILES_MOST);
		return NULL;
	}
	file = mw_arena_alloc(files->arena, 1, sizeof(*file));
	file->number = (unsigned)files->count;
	file->extended_at = wanted;
	files->items[files->count++] = file;
	files->stack[files->depth++] = file;
	return file;
}

struct mw_file *mw_files_end(struct mw_files *files, struct mw_file *file, bool good)
{
	files->depth--;
	file->state = good ? MW_FILE_READY : MW_FILE_BROKEN;
	return good ? file : NULL;
}

static struct mw_file *load(struct mw_files *files, const char *path, const char *kind,
			    struct mw_span wanted)
{
	struct stat status = { 0 };
	struct mw_file *file = NULL;

	if (stat(path, &status) < 0)
		status = (struct stat){ 0 };
	file = find_known(files, path, &status);
	if (file && file->state == MW_FILE_LOADING) {
		mw_files_circle(files, file, wanted);
		return NULL;
	}
	if (file && file->state == MW_FILE_READY && kind && strcmp(file->format->name, kind) != 0) {
		mw_diagnostics_add(files->diagnostics, MW_SEVERITY_ERROR, "S102", wanted,
				   "expected %s %s here, and %s is %s %s", mw_article(kind), kind,
				   path, mw_article(file->format->name), file->format->name);
		return NULL;
	}
	if (file)
		return file->state == MW_FILE_READY ? file : NULL;
	file = mw_files_begin(files, wanted);
	if (!file)
		return NULL;
	file->path = path;
	file->device = status.st_dev;
	file->inode = status.st_ino;
	return mw_files_end(files, file, fill_file(files, file, kind, wanted));
}

/* On a command line any slash makes a path, as in a shell. */
struct mw_file *mw_files_given(struct mw_files *files, const char *text, const char *kind)
{
	struct mw_span nowhere = { 0 };
	uint64_t version;
	const char *path = given_version(files, text, &version);
	size_t length = strlen(path);
	bool unpinned;

	if (!strchr(text, '/') && !(length > 5 && strcmp(path + length - 5, ".yaml") == 0))
		return mw_files_open(files, NULL, text, kind, nowhere, &unpinned);
	struct mw_file *file = load(
		files, path,
		files->options->any_format && strcmp(kind, "machine") == 0 ? NULL : kind, nowhere);

	if (file && path != text && version != file->version)
		file = mw_history_pick(files, file, version, nowhere);
	if (file)
		mw_deprecated_check(files, file, nowhere);
	return file;
}

struct mw_file *mw_files_load(struct mw_files *files)
{
	struct mw_file *file = mw_files_given(files, files->options->profile, "machine");

	if (file && strcmp(file->format->name, "machine") == 0)
		mw_overlays_load(files, file);
	return file;
}

struct mw_tree *mw_files_read(struct mw_files *files, const char *kind, const char *name,
			      struct mw_span wanted)
{
	bool unpinned;
	struct mw_file *file =
		mw_files_open(files, mw_files_of(files, wanted), name, kind, wanted, &unpinned);

	return file ? file->root : NULL;
}
