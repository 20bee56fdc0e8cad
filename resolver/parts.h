/** Parts: composite device types. A device of type `part/NAME` becomes the part's nodes, its members,
 * whose ids are `ID.MEMBER`; its `props` are the part's parameters. */
// SPDX-License-Identifier: MIT
#ifndef RESOLVER_PARTS_H
#define RESOLVER_PARTS_H

#include "resolver/front.h"

enum {
	MW_PARTS_DEPTH = 8,   /* parts inside parts */
	MW_ID_WHOLE_MOST = 96 /* characters of `a.b.c` */
};

/** A part as its file describes it, read and parsed once for all its uses. */
struct mw_part_type {
	struct mw_tree tree; /* first: an entry of front->part_types, keyed by how it was written */
	struct mw_file *file;
	struct mw_tree *raw;     /* `devices` before `remove`, `unset` and `final` are applied */
	struct mw_tree *members; /* and after */
	struct mw_tree *checks, *irq;
	struct mw_params *params;
	bool busy, broken;
	bool told; /* that it holds itself */
};

/** One use of a part. */
struct mw_part {
	struct mw_tree tree; /* first: an entry of front->parts, keyed by the device's id */
	struct mw_part_type *type;
	struct mw_part *outer; /* the use it is a member of; NULL: it stands in the profile */
	struct mw_params *params;
	struct mw_tree
		*at; /* where the device sits: for members that say nothing else; may be NULL */
	struct mw_span span;
};

/** Whether the type of a device's body is a part. */
bool mw_part_is(struct mw_tree *body);

/** Reads the part that an entry of `devices` is of; the entry is marked failed without one. */
void mw_part_declare(struct mw_document *document, struct mw_tree *entry);

/** Makes the members of a device whose body is evaluated. False after a diagnostic, when nothing can
 * be known of them. */
bool mw_part_expand(struct mw_document *document, struct mw_tree *body, const char *id,
		    struct mw_part *outer);

/** The id that a name written at `span`, in the part or in a change of it, means: that of a member
 * before one outside. `part` may be NULL. */
const char *mw_part_name(struct mw_document *document, struct mw_part *part, struct mw_span span,
			 const char *name);

/** Finishes the body of a member: what it names becomes ids, and it sits where the part sits. */
void mw_part_place(struct mw_document *document, struct mw_part *part, struct mw_tree *body);

/** S108 for changes, in `devices`, of members that no part has. */
void mw_part_misses(struct mw_document *document, struct mw_tree *devices, struct mw_part *part);

/** Adds the interrupt domains that parts bring to the document's `irq`. */
void mw_part_domains(struct mw_document *document);

/** Notes, on findings inside the files of parts, which device they are about. */
void mw_parts_note(struct mw_document *document);

#endif
