/** The parts of the language server. jansson is included in this folder and in control/ only. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_LSP_LSP_INTERNAL_H
#define TOOLS_LSP_LSP_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "resolver/shape.h"
#include "resolver/study.h"
#include "tools/lsp/outline.h"
#include "tools/profile.h"

enum {
	LSP_MOST_BYTES = 16 << 20,    /* of one message */
	LSP_MOST_HEADER = 8192,       /* of its header */
	LSP_MOST_DOCUMENTS = 256,     /* open at once */
	LSP_MOST_TEXT = 64 << 20,     /* of all open documents */
	LSP_MOST_EDIT_WORK = 1 << 30, /* bytes looked at for one didChange */
	LSP_MOST_FOLDERS = 32,        /* of a workspace */
	LSP_MOST_DIAGNOSTICS = 1000,  /* of one file */
	LSP_MOST_COMPLETIONS = 500,
	LSP_REQUEST_FAILED = -32803,
};

/** A growing run of bytes, freed with free(bytes). */
struct lsp_bytes {
	char *bytes;
	size_t count, capacity;
};
void lsp_append(struct lsp_bytes *bytes, const void *more, size_t count);

/* frame.c */

/** Splits a stream into messages by their Content-Length. Zeroed; freed with lsp_frame_fini. */
struct lsp_frame {
	struct lsp_bytes waiting;
	size_t begin; /* of what was not handed out yet */
	size_t skip;  /* bytes of a message that is too long */
};
enum lsp_found { LSP_NOTHING, LSP_MESSAGE, LSP_BAD_HEADER, LSP_TOO_LONG, LSP_HOPELESS };
void lsp_frame_feed(struct lsp_frame *frame, const char *bytes, size_t count);
/** The next message, borrowed until the next feed. After HOPELESS nothing can be found any more. */
enum lsp_found lsp_frame_next(struct lsp_frame *frame, const char **text, size_t *length);
void lsp_frame_fini(struct lsp_frame *frame);

/* text.c */

/** Where the lines of a text begin, and how many UTF-16 units stand before every 256th byte. */
struct lsp_lines {
	const char *text; /* borrowed */
	size_t length;
	uint32_t *starts, *units;
	size_t count;
	bool utf8; /* the client counts columns in bytes */
};
void lsp_lines_init(struct lsp_lines *lines, const char *text, size_t length, bool utf8);
void lsp_lines_fini(struct lsp_lines *lines);
json_t *lsp_position(const struct lsp_lines *lines, size_t offset);
json_t *lsp_range(const struct lsp_lines *lines, size_t offset, size_t length);
/** Clamped to the line, and the line to the text; false when it is no position at all. */
bool lsp_offset(const struct lsp_lines *lines, const json_t *position, size_t *offset);

/** A string whatever the bytes are: what is no UTF-8 becomes `?`. Never NULL. */
json_t *lsp_text(const char *text, size_t length);
json_t *lsp_string(const char *text);
json_t *lsp_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** The path of a file: URI, or NULL; free() it. */
char *lsp_path_of(const char *uri);
/** The URI of an absolute path; free() it. */
char *lsp_uri_of(const char *path);

/* documents.c, analysis.c */

/** One resolve run over one document, and everything it found. */
struct lsp_analysis {
	struct mw_diagnostics diagnostics;
	struct mw_resolve_options options;
	struct mw_study *study;
	char *profile;
	char **search;
	size_t search_count;
	uint32_t source;          /* the document's own number, 0 when it was not read */
	struct lsp_lines **lines; /* of the sources, made when first asked for */
	char **paths;             /* likewise: what realpath gives */
};

struct lsp_document {
	char *uri, *path;
	char *text;
	size_t length;
	bool ours;  /* a file of the language, not any YAML */
	bool dirty; /* changed since `now` */
	struct lsp_lines lines;
	struct lsp_outline outline;
	struct lsp_analysis *now; /* NULL: not analysed, or not ours */
	/** What knows more than `now`: the latest that got through, or the run of a machine made up
	 * around a chipset. NULL: `now` is as good. */
	struct lsp_analysis *good;
	bool good_is_new; /* it is of the present text */
};

/** What was last published for a file. */
struct lsp_published {
	char *uri;
	json_t *items;
	bool seen; /* while the next round is gathered */
};

struct lsp_server {
	struct mw_workshop *workshop;
	struct lsp_frame frame;
	struct lsp_bytes answer; /* frames that wait to be written */
	enum { LSP_FRESH, LSP_RUNNING, LSP_DOWN, LSP_EXITED } state;
	int exit_code;
	bool utf8; /* position encoding */
	bool snippets;
	bool watches; /* the client tells of files that change, when asked to */
	struct lsp_document *documents[LSP_MOST_DOCUMENTS];
	size_t document_count, text_bytes;
	char *folders[LSP_MOST_FOLDERS];
	size_t folder_count;
	struct lsp_published *published;
	size_t published_count;
	bool unpublished; /* something changed since the last round */
	int error;        /* of the request at hand; 0: none */
	char error_text[200];
};

/** Bytes from the client, however cut; answers wait in `answer`. False: there is no more to come. */
bool lsp_take(struct lsp_server *server, const char *bytes, size_t count);
/** When no more bytes wait: looks at what changed and publishes what was found. */
void lsp_settle(struct lsp_server *server);
void lsp_server_fini(struct lsp_server *server);
/** Puts a message into `answer`; takes the reference. */
void lsp_send(struct lsp_server *server, json_t *message);
void lsp_notify(struct lsp_server *server, const char *method, json_t *params);
/** Fails the request at hand; returns NULL for handlers to return. */
json_t *lsp_fail(struct lsp_server *server, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** Where a request points. */
struct lsp_cursor {
	struct lsp_server *server;
	struct lsp_document *document;
	size_t offset; /* where the request has a position */
	const json_t *params;
};
typedef json_t *lsp_handler(struct lsp_cursor *cursor);

/** NULL where no document of this URI is open. */
struct lsp_document *lsp_document_find(struct lsp_server *server, const char *uri);
struct lsp_document *lsp_document_at(struct lsp_server *server, const char *path);
void lsp_document_open(struct lsp_server *server, const json_t *params);
void lsp_document_change(struct lsp_server *server, const json_t *params);
void lsp_document_close(struct lsp_server *server, const json_t *params);
void lsp_document_save(struct lsp_server *server, const json_t *params);
void lsp_documents_dirty(struct lsp_server *server);
void lsp_document_free(struct lsp_document *document);

/** Resolves the document when it changed since the last time. */
void lsp_analyse(struct lsp_server *server, struct lsp_document *document);
void lsp_analysis_free(struct lsp_analysis *analysis);
/** A run of the present text that got through, or NULL. */
struct lsp_analysis *lsp_present(const struct lsp_document *document);
/** The latest that got through, or the latest, or NULL. */
struct lsp_analysis *lsp_best(const struct lsp_document *document);
/** The study of lsp_best when the back half has run on it, else NULL. */
struct mw_study *lsp_study(const struct lsp_document *document);
/** The composed profile, or NULL. */
struct mw_tree *lsp_merged(const struct lsp_document *document);
const struct lsp_lines *lsp_source_lines(struct lsp_server *server, struct lsp_analysis *analysis,
					 uint32_t source);
/** The absolute path of a source; never NULL. */
const char *lsp_source_path(struct lsp_analysis *analysis, uint32_t source);
/** Its URI as the client spells it, where it has it open; free() it. */
char *lsp_source_uri(struct lsp_server *server, struct lsp_analysis *analysis, uint32_t source);
/** The file of the run that an `extends` names as it is written there, or NULL. */
const struct mw_file *lsp_file_of(struct lsp_analysis *analysis, const char *reference);
/** A Location, or NULL for no place. */
json_t *lsp_location(struct lsp_server *server, struct lsp_analysis *analysis, struct mw_span span);

/* publish.c */
void lsp_publish(struct lsp_server *server);
/** One finding as an LSP Diagnostic. */
json_t *lsp_diagnostic(struct lsp_server *server, struct lsp_analysis *analysis,
		       const struct mw_diag *diag);

/* context.c */

/** What stands, or would stand, at a place. */
struct lsp_context {
	const struct lsp_outline *outline;
	uint32_t item;  /* the value's item, or the map that a key would be in; LSP_NO_ITEM: root */
	bool value;     /* else a key */
	bool in_list;   /* an element of the list `item` */
	bool flow;      /* within brackets */
	size_t start;   /* where what is there begins */
	char word[128]; /* what is there up to the cursor, cut at that length */
	const struct mw_shape *shape; /* of the value, or of the map; NULL: not from the tables */
};
/** From the text before the cursor alone, whatever state it is in. The outline of that text is the
 * caller's to free. False in a comment and where nothing can follow. */
bool lsp_context_before(struct lsp_context *context, struct lsp_outline *outline,
			const struct lsp_document *document, size_t offset);
/** The shape of an item of the document by the tables; NULL where they say nothing. */
const struct mw_shape *lsp_shape_of(const struct lsp_outline *outline, uint32_t item);
/** Which file kind the document says it is, or a machine. */
const struct mw_format *lsp_format_of(const struct lsp_outline *outline);

/** The device entry an item lies in (an item of depth 2 below `devices`), or LSP_NO_ITEM. */
uint32_t lsp_device_of(const struct lsp_outline *outline, uint32_t item);
/** Its type: as written there, or as composed; NULL when nothing says. */
const struct mw_device_type *lsp_type_of(struct lsp_server *server,
					 const struct lsp_document *document,
					 const struct lsp_outline *outline, uint32_t device);
/** A node of the latest good run by id, instances too; NULL where there is none. */
struct mw_draft_node *lsp_node(const struct lsp_document *document, const char *id);

/* help.c */
/** What a key is for, or NULL. */
const char *lsp_key_help(const struct lsp_outline *outline, uint32_t parent, const char *key);

/* expression.c */

/** Whether the cursor is in an expression; *start is where its word begins. */
bool lsp_in_expression(const struct lsp_outline *outline, uint32_t item, size_t offset,
		       size_t *start);
/** Calls back for every name an expression of the item's value reads: parameters, and after `dev.`
 * the whole path. */
typedef void lsp_on_name(void *context, size_t offset, size_t length, bool device);
void lsp_expression_names(const struct lsp_outline *outline, uint32_t item, lsp_on_name *on_name,
			  void *context);

/* names.c */

enum lsp_name_kind { LSP_NAME_NODE, LSP_NAME_PARAMETER };
/** A place that names a node or a parameter. */
struct lsp_site {
	size_t offset, length; /* of the id alone */
	enum lsp_name_kind kind;
	bool declares;
};
typedef void lsp_on_site(void *context, const struct lsp_site *site);
/** Every such place of a text, in order within each item. */
void lsp_sites(const struct lsp_outline *outline, lsp_on_site *on_site, void *context);
/** The site at an offset; false where there is none. The id is resolved against the document's
 * nodes: `rp0` of a `rp` with a count is `rp`. */
bool lsp_site_at(const struct lsp_document *document, size_t offset, struct lsp_site *site);

/* free.c */

/** A place that a claim could take. */
struct lsp_free {
	uint64_t bases[5];
	size_t count;
	const char *window; /* name of the window, or NULL */
};
void lsp_free_ranges(const struct lsp_document *document, enum mw_claim_kind kind, const char *self,
		     uint64_t length, uint64_t align, struct lsp_free *found);
/** Free lines of a domain, at most `most`; *users may be NULL. */
size_t lsp_free_lines(const struct lsp_document *document, const char *domain, const char *self,
		      uint32_t *lines, size_t most);

/* The capabilities, a file each. */
lsp_handler lsp_complete, lsp_hover, lsp_definition, lsp_references, lsp_prepare_rename, lsp_rename,
	lsp_document_symbols, lsp_code_actions, lsp_inlay_hints, lsp_formatting;

#endif
