/* A resolve run over an open document, with the texts of all that are open. */
// SPDX-License-Identifier: MIT
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "resolver/allow.h"
#include "resolver/front.h"
#include "tools/lint/select.h"
#include "tools/lsp/lsp_internal.h"

/* Absolute, so that what is found does not hang on where the server was started. */
static void add_folder(struct lsp_analysis *analysis, const char *folder)
{
	char *real = realpath(folder, NULL);

	for (size_t i = 0; real && i < analysis->search_count; i++) {
		if (strcmp(analysis->search[i], real) == 0) {
			free(real);
			return;
		}
	}
	if (real)
		analysis->search[analysis->search_count++] = real;
}

/* A file in `profiles` or `chipsets` belongs to the folder above. */
static void add_own_folder(struct lsp_analysis *analysis, const char *path)
{
	static const char *const names[] = { "/profiles/", "/chipsets/" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *found = strstr(path, names[i]), *next;

		while (found && (next = strstr(found + 1, names[i])))
			found = next;
		if (!found || found == path)
			continue;
		char *folder = mw_alloc((size_t)(found - path) + 1, 1);

		memcpy(folder, path, (size_t)(found - path));
		add_folder(analysis, folder);
		free(folder);
	}
}

static size_t count_names(const char *const *names)
{
	size_t count = 0;

	while (names && names[count])
		count++;
	return count;
}

static void fill_search(struct lsp_server *server, struct lsp_analysis *analysis,
			const struct lsp_document *document, const struct mw_config *config)
{
	const struct mw_search *search = &server->workshop->search;
	size_t own = count_names(config->profile_path);

	analysis->search = mw_alloc(server->folder_count + own + search->count + 2, sizeof(char *));
	for (size_t i = 0; i < server->folder_count; i++)
		add_folder(analysis, server->folders[i]);
	add_own_folder(analysis, document->path);
	for (size_t i = 0; i < own; i++)
		add_folder(analysis, config->profile_path[i]);
	for (size_t i = 0; i < search->count; i++)
		add_folder(analysis, search->folders[i]);
}

static bool is_format(const struct lsp_document *document, const char *name)
{
	return strcmp(lsp_format_of(&document->outline)->name, name) == 0;
}

/* The project's settings, as `lint` has them; one that is broken is as if it were not there. */
static void read_config(struct mw_config *config, const struct lsp_document *document)
{
	char *folder = mw_strdup(document->path), *slash = strrchr(folder, '/'), *path = NULL;

	*config = (struct mw_config){ 0 };
	if (slash && folder[0] == '/') {
		slash[slash == folder] = '\0';
		path = mw_config_find(folder);
	}
	if (path && !mw_config_read(config, path)) {
		mw_config_fini(config);
		*config = (struct mw_config){ 0 };
	}
	free(path);
	free(folder);
}

static struct mw_resolve_text *all_texts(const struct lsp_server *server,
					 const struct mw_resolve_text *around)
{
	struct mw_resolve_text *texts = mw_alloc(server->document_count + 1, sizeof(*texts));

	if (around)
		texts[server->document_count] = *around;

	for (size_t i = 0; i < server->document_count; i++)
		texts[i] = (struct mw_resolve_text){ server->documents[i]->path,
						     server->documents[i]->text,
						     server->documents[i]->length };
	return texts;
}

/* `around`: a machine made up around a chipset, so that what the chipset places can be known; NULL: the
 * document itself. */
static struct lsp_analysis *run(struct lsp_server *server, const struct lsp_document *document,
				const struct mw_resolve_text *around)
{
	struct lsp_analysis *analysis = mw_alloc(1, sizeof(*analysis));
	struct mw_resolve_text *texts = all_texts(server, around);
	struct mw_selection selection = { 0 };
	struct mw_config config;

	read_config(&config, document);
	fill_search(server, analysis, document, &config);
	analysis->profile = mw_strdup(around ? around->path : document->path);
	analysis->options = (struct mw_resolve_options){
		.profile = analysis->profile,
		.search = (const char *const *)analysis->search,
		.search_count = analysis->search_count,
		.registry = &server->workshop->registry,
		.texts = texts,
		.text_count = server->document_count + (around != NULL),
		.stand_ins = true,
		.any_format = !around && !is_format(document, "machine"),
		.lint = true,
	};
	analysis->study = mw_study_open(&analysis->options, &analysis->diagnostics);
	analysis->options.texts = NULL;
	analysis->options.text_count = 0;
	free(texts);
	mw_allow_apply(&analysis->diagnostics, analysis->study, MW_ALLOW_ALL);
	mw_selection_apply(&selection, &config, &analysis->diagnostics);
	mw_config_fini(&config);
	mw_diagnostics_sort(&analysis->diagnostics);
	for (size_t i = 1; i <= analysis->diagnostics.source_count && !analysis->source; i++) {
		if (strcmp(lsp_source_path(analysis, (uint32_t)i), document->path) == 0)
			analysis->source = (uint32_t)i;
	}
	return analysis;
}

/* The least that a chipset needs to be one; NULL where it does not get through. */
static struct lsp_analysis *run_around(struct lsp_server *server,
				       const struct lsp_document *document)
{
	static const char format[] =
		"format: machine/1\nname: around\nversion: 1\nextends: \"./%s\"\n"
		"cpu: { model: host }\nmemory: { ram: 16MiB }\n"
		"boot: { linux: none }\n";
	const char *slash = strrchr(document->path, '/');
	struct mw_arena arena = { 0 };
	struct lsp_analysis *analysis = NULL;

	if (slash && document->path[0] == '/' && !strpbrk(slash, "\"\\$") &&
	    is_format(document, "chipset")) {
		const char *text = mw_arena_printf(&arena, format, slash + 1);
		const char *path =
			mw_arena_printf(&arena, "%.*s/.around-%s", (int)(slash - document->path),
					document->path, slash + 1);

		analysis = run(server, document,
			       &(struct mw_resolve_text){ path, text, strlen(text) });
	}
	mw_arena_fini(&arena);
	if (analysis && analysis->study->loaded)
		return analysis;
	lsp_analysis_free(analysis);
	return NULL;
}

/* Keeps the latest run that later requests can learn from. */
static void keep(struct lsp_document *document, struct lsp_analysis *before,
		 struct lsp_analysis *around)
{
	bool loaded = document->now && document->now->study->loaded;

	document->good_is_new = around != NULL;
	if (around || (loaded && !is_format(document, "chipset")) || !document->now) {
		lsp_analysis_free(document->good);
		document->good = around;
	} else if (before && before->study->loaded && !document->good) {
		document->good = before;
		return;
	}
	lsp_analysis_free(before);
}

void lsp_analyse(struct lsp_server *server, struct lsp_document *document)
{
	if (!document->dirty)
		return;
	document->dirty = false;
	struct lsp_analysis *before = document->now;

	document->now = document->ours ? run(server, document, NULL) : NULL;
	keep(document, before, document->ours ? run_around(server, document) : NULL);
}

void lsp_analysis_free(struct lsp_analysis *analysis)
{
	if (!analysis)
		return;
	mw_study_close(analysis->study);
	for (size_t i = 0; analysis->lines && i < analysis->diagnostics.source_count; i++) {
		if (analysis->lines[i])
			lsp_lines_fini(analysis->lines[i]);
		free(analysis->lines[i]);
	}
	for (size_t i = 0; analysis->paths && i < analysis->diagnostics.source_count; i++)
		free(analysis->paths[i]);
	free(analysis->lines);
	free(analysis->paths);
	for (size_t i = 0; i < analysis->search_count; i++)
		free(analysis->search[i]);
	free(analysis->search);
	free(analysis->profile);
	mw_diagnostics_fini(&analysis->diagnostics);
	free(analysis);
}

struct lsp_analysis *lsp_present(const struct lsp_document *document)
{
	struct lsp_analysis *analysis = document->good_is_new ? document->good : document->now;

	return analysis && analysis->source && analysis->study->loaded ? analysis : NULL;
}

struct lsp_analysis *lsp_best(const struct lsp_document *document)
{
	return document->good ? document->good : document->now;
}

struct mw_study *lsp_study(const struct lsp_document *document)
{
	struct lsp_analysis *analysis = lsp_best(document);

	return analysis && analysis->study->loaded ? analysis->study : NULL;
}

struct mw_tree *lsp_merged(const struct lsp_document *document)
{
	struct lsp_analysis *analysis = lsp_best(document);

	return analysis ? analysis->study->merged : NULL;
}

const struct lsp_lines *lsp_source_lines(struct lsp_server *server, struct lsp_analysis *analysis,
					 uint32_t source)
{
	const struct mw_source *text = &analysis->diagnostics.sources[source - 1];

	if (!analysis->lines)
		analysis->lines =
			mw_alloc(analysis->diagnostics.source_count, sizeof(struct lsp_lines *));
	if (!analysis->lines[source - 1]) {
		analysis->lines[source - 1] = mw_alloc(1, sizeof(struct lsp_lines));
		lsp_lines_init(analysis->lines[source - 1], text->text, text->length, server->utf8);
	}
	return analysis->lines[source - 1];
}

const char *lsp_source_path(struct lsp_analysis *analysis, uint32_t source)
{
	const char *name = analysis->diagnostics.sources[source - 1].name;

	if (!analysis->paths)
		analysis->paths = mw_alloc(analysis->diagnostics.source_count, sizeof(char *));
	if (!analysis->paths[source - 1]) {
		char *real = realpath(name, NULL);

		analysis->paths[source - 1] = real ? real : mw_strdup(name);
	}
	return analysis->paths[source - 1];
}

char *lsp_source_uri(struct lsp_server *server, struct lsp_analysis *analysis, uint32_t source)
{
	const char *path = lsp_source_path(analysis, source);
	const struct lsp_document *document = lsp_document_at(server, path);

	return document ? mw_strdup(document->uri) : lsp_uri_of(path);
}

/* Whether the text at the place where a file was asked for is this one. */
static bool is_asked_for(const struct lsp_analysis *analysis, const struct mw_file *file,
			 const char *reference)
{
	struct mw_span span = file->extended_at;
	size_t length = strlen(reference);

	if (!span.source)
		return false;
	const struct mw_source *source = &analysis->diagnostics.sources[span.source - 1];
	const char *text = source->text + span.byte;

	if (span.length && (*text == '"' || *text == '\''))
		return span.length == length + 2 && memcmp(text + 1, reference, length) == 0;
	return span.length == length && memcmp(text, reference, length) == 0;
}

const struct mw_file *lsp_file_of(struct lsp_analysis *analysis, const char *reference)
{
	const struct mw_files *files = &analysis->study->document.front->files;

	for (size_t i = 0; i < files->count; i++) {
		const struct mw_file *file = files->items[i];
		const char *name = file->label ? strchr(file->label, '/') : NULL;

		if (is_asked_for(analysis, file, reference) ||
		    (name &&
		     (strcmp(file->label, reference) == 0 || strcmp(name + 1, reference) == 0)))
			return file;
	}
	return NULL;
}

json_t *lsp_location(struct lsp_server *server, struct lsp_analysis *analysis, struct mw_span span)
{
	if (!span.source)
		return NULL;
	char *uri = lsp_source_uri(server, analysis, span.source);
	json_t *location = json_pack(
		"{s:o,s:o}", "uri", lsp_string(uri), "range",
		lsp_range(lsp_source_lines(server, analysis, span.source), span.byte, span.length));

	free(uri);
	return location;
}
