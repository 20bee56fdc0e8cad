/* Finds and reads the files of a profile: search path, versions, cycles, depth. */
// SPDX-License-Identifier: MIT
#include "resolver/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resolver/document.h"
#include "resolver/read.h"

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

/* A profile that the command line names has no place to point at, nor a rule. */
static const char *code_for(struct mw_span wanted)
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

static bool parse_reference(struct mw_files *files, const char *text, const char *kind,
			    struct mw_span span, struct reference *reference)
{
	*reference = (struct reference){ .kind = kind, .name = text };
	if (strstr(text, "://")) {
		error(files, code_for(span), span, "`%s` is a network path: files are local", text);
		return false;
	}
	if (is_path(text)) {
		reference->kind = NULL;
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
			error(files, code_for(span), span, "`%s` names no file", text);

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

		if (access(path, F_OK) == 0)
			return path;
	}
	struct mw_diag *diag =
		mw_diagnostics_add(files->diagnostics, MW_SEVERITY_ERROR, code_for(wanted), wanted,
				   "there is no %s `%s`", reference->kind, reference->name);

	for (size_t i = 0; i < files->options->search_count; i++)
		mw_diag_note(files->diagnostics, diag, (struct mw_span){ 0 }, "looked for %s",
			     join(files, files->options->search[i], rest));
	suggest_file(files, diag, reference, format->folder);
	return NULL;
}

static char *read_all(int handle, size_t size)
{
	char *text = mw_alloc(size + 1, 1);
	size_t done = 0;

	while (done < size) {
		ssize_t count = read(handle, text + done, size - done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0) {
			free(text);
			return NULL;
		}
		if (count == 0)
			break;
		done += (size_t)count;
	}
	memset(text + done, 0, size + 1 - done);
	return text;
}

/* A file too large is not read at all; mw_read says so from its size. Not blocking: a FIFO's name
 * must not hang the resolver before it is seen to be none of ours. */
static struct mw_tree *read_file(struct mw_files *files, struct mw_file *file,
				 struct mw_span wanted)
{
	int handle = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (handle < 0 || fstat(handle, &status) < 0 || !S_ISREG(status.st_mode)) {
		const char *why = handle < 0 ? strerror(errno) : "not a regular file";

		mw_diagnostics_add(files->diagnostics, MW_SEVERITY_ERROR, code_for(wanted), wanted,
				   "cannot read %s: %s", file->path, why);
		if (handle >= 0)
			close(handle);
		return NULL;
	}
	size_t size = (size_t)status.st_size;
	char *text = size > MW_READ_BYTES ? mw_strdup("") : read_all(handle, size);
	struct mw_tree *root = NULL;

	if (text)
		root = mw_read(files->arena, files->diagnostics, file->path, text, size);
	else
		mw_diagnostics_add(files->diagnostics, MW_SEVERITY_ERROR, code_for(wanted), wanted,
				   "cannot read %s: %s", file->path, strerror(errno));
	free(text);
	close(handle);
	return root;
}

static void refuse_cycle(struct mw_files *files, const struct mw_file *again, struct mw_span wanted)
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

/* The file with this path if it was met before; *circle when it is still being loaded. */
static struct mw_file *find_known(struct mw_files *files, const struct stat *status, bool *circle)
{
	*circle = false;
	for (size_t i = 0; i < files->count; i++) {
		struct mw_file *file = files->items[i];

		if (file->device != status->st_dev || file->inode != status->st_ino)
			continue;
		*circle = file->state == MW_FILE_LOADING;
		return file;
	}
	return NULL;
}

static bool base_fits(struct mw_files *files, const struct mw_file *file,
		      const struct mw_file *base, struct mw_span span)
{
	const char *name = base->format->name;

	if (strcmp(name, "chipset") == 0 ||
	    (strcmp(name, "machine") == 0 && strcmp(file->format->name, "machine") == 0))
		return true;
	mw_diagnostics_add(files->diagnostics, MW_SEVERITY_ERROR, "S113", span,
			   "a %s cannot extend a %s", file->format->name, name);
	return false;
}

static void check_version(struct mw_files *files, const struct reference *reference,
			  const struct mw_file *file, const char *wanted, struct mw_span span)
{
	struct mw_diag *diag;

	if (reference->pinned && reference->version != file->version) {
		diag = mw_diagnostics_add(files->diagnostics, MW_SEVERITY_ERROR, code_for(span),
					  span, "%s is version %llu, not %llu", file->path,
					  (unsigned long long)file->version,
					  (unsigned long long)reference->version);
		mw_diag_help(files->diagnostics, diag,
			     "older versions need `history`, which is not implemented yet");
	} else if (reference->kind && !reference->pinned && span.source) {
		diag = mw_diagnostics_add(files->diagnostics, MW_SEVERITY_HINT, "C703", span,
					  "this base has no version, so it may change");
		mw_diag_help(files->diagnostics, diag, "write `%s@%llu`", wanted,
			     (unsigned long long)file->version);
	}
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

static void load_base(struct mw_files *files, struct mw_file *file, struct mw_tree *wanted)
{
	struct mw_span span = wanted->span;
	struct reference reference;
	const char *path;

	if (wanted->failed ||
	    !parse_reference(files, wanted->text, file->format->name, span, &reference)) {
		files->broken = true;
		return;
	}
	path = reference.kind ? search(files, &reference, span)
			      : locate(files, file, reference.name);
	struct mw_file *base = path ? load(files, path, reference.kind, span) : NULL;

	if (!base || !base_fits(files, file, base, span)) {
		files->broken = true;
		return;
	}
	check_version(files, &reference, base, wanted->text, span);
	for (size_t i = 0; i < file->base_count; i++) {
		if (file->bases[i] == base)
			return;
	}
	file->bases[file->base_count++] = base;
	file->ancestors |= base->ancestors | 1ull << base->number;
}

static void load_bases(struct mw_files *files, struct mw_file *file)
{
	struct mw_tree *extends = mw_tree_get(file->root, "extends");

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
	file->root = read_file(files, file, wanted);
	if (!file->root)
		return false;
	file->format = mw_shape_check(files->diagnostics, file->root, kind);
	if (!file->format)
		return false;
	name_file(files, file);
	load_bases(files, file);
	return true;
}

static struct mw_file *load(struct mw_files *files, const char *path, const char *kind,
			    struct mw_span wanted)
{
	struct stat status = { 0 };
	bool circle;
	struct mw_file *file = NULL;

	if (stat(path, &status) == 0)
		file = find_known(files, &status, &circle);
	if (file && circle) {
		refuse_cycle(files, file, wanted);
		return NULL;
	}
	if (file && file->state == MW_FILE_READY && kind && strcmp(file->format->name, kind) != 0) {
		mw_diagnostics_add(files->diagnostics, MW_SEVERITY_ERROR, "S102", wanted,
				   "expected a %s here, and %s is a %s", kind, path,
				   file->format->name);
		return NULL;
	}
	if (file)
		return file->state == MW_FILE_READY ? file : NULL;
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
	file->path = path;
	file->device = status.st_dev;
	file->inode = status.st_ino;
	file->number = (unsigned)files->count;
	file->extended_at = wanted;
	files->items[files->count++] = file;
	files->stack[files->depth++] = file;
	file->state = fill_file(files, file, kind, wanted) ? MW_FILE_READY : MW_FILE_BROKEN;
	files->depth--;
	return file->state == MW_FILE_READY ? file : NULL;
}

struct mw_file *mw_files_load(struct mw_files *files)
{
	const char *text = files->options->profile;
	struct mw_span nowhere = { 0 };
	struct reference reference;
	const char *path = text;
	size_t length = strlen(text);

	/* on a command line any slash makes a path, as in a shell */
	if (strchr(text, '/') || (length > 5 && strcmp(text + length - 5, ".yaml") == 0)) {
		reference = (struct reference){ .name = text };
	} else {
		if (!parse_reference(files, text, "machine", nowhere, &reference))
			return NULL;
		path = search(files, &reference, nowhere);
	}
	struct mw_file *file = path ? load(files, path, "machine", nowhere) : NULL;

	if (file)
		check_version(files, &reference, file, text, nowhere);
	return file;
}

struct mw_tree *mw_files_read(struct mw_files *files, const char *kind, const char *name,
			      struct mw_span wanted)
{
	const struct mw_file *from = mw_files_of(files, wanted);
	struct reference reference;
	const char *path = NULL;

	if (parse_reference(files, name, kind, wanted, &reference))
		path = reference.kind ? search(files, &reference, wanted)
				      : locate(files, from, reference.name);
	struct mw_file *file = path ? load(files, path, kind, wanted) : NULL;

	if (file)
		check_version(files, &reference, file, name, (struct mw_span){ 0 });
	return file ? file->root : NULL;
}
