/* What is in drives: which file, and whether it is still what the guest knows. */
// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/snapshot/snapshot_internal.h"

/* A section holds: whether the medium was exchanged (1 byte), its path then, size and time (8 bytes each). */
struct saved_medium {
	bool exchanged;
	const char *path;
	size_t length;
	struct mw_image_facts facts;
};

static bool is_image(const struct mw_plan_link *link)
{
	return link->wire[0]->kind == MW_IMAGE;
}

/* Who reads its image once, when it is made, has it in its memory. */
static bool is_disk(const struct mw_image *image)
{
	return image->own_wire->on_done;
}

static bool refuse_fleeting(const struct mw_image *image, const char *path,
			    struct mw_diagnostics *diagnostics)
{
	char name[200];

	mw_image_name(image, name, sizeof(name));
	mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "C705", (struct mw_span){ 0 },
			   "cannot write the snapshot `%s`: what `%s` has written over %s is in a "
			   "temporary file, which no snapshot keeps; give its overlay a `path`",
			   path, image->node->plan->id, name);
	return false;
}

bool snapshot_can_keep_media(struct mw_machine *machine, const char *path,
			     struct mw_diagnostics *diagnostics)
{
	bool good = true;

	for (size_t i = 0; i < machine->plan->link_count; i++) {
		struct mw_image_facts facts;

		if (!is_image(&machine->plan->links[i]))
			continue;
		struct mw_image *image = mw_image_of(machine, &machine->plan->links[i]);

		mw_image_find_facts(image, &facts);
		if (facts.fleeting)
			good = refuse_fleeting(image, path, diagnostics);
	}
	return good;
}

void snapshot_save_media(struct snapshot_writer *writer, struct mw_machine *machine)
{
	for (uint32_t i = 0; i < machine->plan->link_count; i++) {
		struct mw_image_facts facts;

		if (!is_image(&machine->plan->links[i]))
			continue;
		struct mw_image *image = mw_image_of(machine, &machine->plan->links[i]);
		const char *path = image->inserted ? image->inserted : "";

		mw_image_find_facts(image, &facts);
		snapshot_section(writer, SECTION_MEDIUM, i);
		snapshot_write_le(writer, 1, image->inserted != NULL);
		snapshot_write_counted(writer, path, strlen(path));
		snapshot_write_le(writer, 8, facts.size);
		snapshot_write_le(writer, 8, facts.modified_ns);
		snapshot_section_end(writer);
	}
}

/* False: there is no such section, or it has been said what is wrong with it (then *damaged). */
static bool read_medium(struct mw_snapshot *snapshot, uint32_t link, struct saved_medium *saved,
			bool *damaged)
{
	const struct snapshot_section *section = snapshot_find(snapshot, SECTION_MEDIUM, link);
	struct snapshot_reader reader;

	*damaged = false;
	*saved = (struct saved_medium){ 0 };
	if (!section)
		return false;
	reader = snapshot_read(section);
	saved->exchanged = snapshot_le(&reader, 1) & 1;
	saved->path = (const char *)snapshot_counted(&reader, &saved->length);
	saved->facts.size = snapshot_le(&reader, 8);
	saved->facts.modified_ns = snapshot_le(&reader, 8);
	*damaged = reader.bad || reader.left || saved->length >= PATH_MAX ||
		   memchr(saved->path, 0, saved->length);
	if (*damaged)
		snapshot_refuse(snapshot, "is damaged: what is in drive %u", link);
	return !*damaged;
}

static size_t path_index(const struct mw_plan_node *host)
{
	return (size_t)(mw_plan_value(host, host->type->main_property) - host->values);
}

/* The plan says another path from now on. Nodes may share their values, so this one gets its own. */
static void set_path(struct mw_plan *plan, const struct mw_plan_node *host, const char *text)
{
	struct mw_plan_node *node = (struct mw_plan_node *)(uintptr_t)host;
	size_t count = host->value_count, index = path_index(host);
	struct mw_plan_value *values = mw_arena_alloc(&plan->arena, count, sizeof(*values));

	memcpy(values, host->values, count * sizeof(*values));
	values[index].text = text;
	values[index].secret = NULL;
	values[index].is_default = false;
	node->values = values;
}

/* The host side of a link to a drive with a door, whose path the plan has; NULL: it is no such link. */
static const struct mw_plan_node *host_of(const struct mw_plan *plan,
					  const struct mw_plan_link *link)
{
	unsigned host = link->wire[0]->direction == MW_RECEIVES ? 0 : 1;

	const struct mw_plan_node *node = &plan->nodes[link->node[host]];

	return is_image(link) && mw_image_opens(link->wire[host ^ 1], link->wire[host]) &&
			       mw_image_planned(node)
		       ? node
		       : NULL;
}

bool snapshot_fit_media(struct mw_snapshot *snapshot, struct mw_plan *plan)
{
	for (uint32_t i = 0; i < plan->link_count; i++) {
		const struct mw_plan_node *host = host_of(plan, &plan->links[i]);
		struct saved_medium saved;
		bool damaged;

		if (!read_medium(snapshot, i, &saved, &damaged)) {
			if (damaged)
				return false;
			continue;
		}
		if (host && saved.exchanged)
			set_path(plan, host,
				 mw_arena_strndup(&plan->arena, saved.path, saved.length));
	}
	return true;
}

/* What leads to a file besides its own path keeps that: it cannot be empty. */
static bool has_other_file(const struct mw_plan_node *host)
{
	for (size_t i = 0; i < host->value_count; i++) {
		const struct mw_plan_value *value = &host->values[i];

		if (i != path_index(host) && value->property->is_path && value->text &&
		    value->text[0])
			return true;
	}
	return false;
}

static void warn(const struct mw_snapshot *snapshot, const struct mw_image *image, const char *what)
{
	mw_diagnostics_add(snapshot->diagnostics, MW_SEVERITY_WARNING, "C705",
			   (struct mw_span){ 0 }, "snapshot `%s`: `%s`: %s", snapshot->path,
			   image->node->plan->id, what);
}

/* Into a drive that mw_snapshot_take_out has left empty. */
static bool put_in(struct mw_snapshot *snapshot, struct mw_image *image, const char *path)
{
	struct mw_diagnostics why = { 0 };
	char text[400];
	bool good = mw_image_put(image, path, &why);

	if (!good) {
		snprintf(text, sizeof(text), "its drive is empty now: %s",
			 why.count ? why.items[0]->message : path);
		warn(snapshot, image, text);
	}
	mw_diagnostics_fini(&why);
	return good;
}

/* Says how the file differs from what it was; false: it does not. */
static bool has_changed(const struct mw_image *image, const struct mw_image_facts *then, char *text,
			size_t capacity)
{
	struct mw_image_facts now;
	char name[200];

	mw_image_find_facts(image, &now);
	mw_image_name(image, name, sizeof(name));
	if (now.size != then->size)
		snprintf(text, capacity, "%s had %" PRIu64 " bytes and has %" PRIu64, name,
			 then->size, now.size);
	else if (now.modified_ns != then->modified_ns)
		snprintf(text, capacity, "%s was written to since", name);
	else
		return false;
	return true;
}

/* A guest can be told that a disk in a drive is another one; nothing in its memory fits a hard disk that is. */
static bool check_file(struct mw_snapshot *snapshot, const struct mw_image *image,
		       const struct mw_image_facts *then, bool *told)
{
	char text[300];

	if (!is_disk(image) || *told || !has_changed(image, then, text, sizeof(text)))
		return true;
	*told = mw_image_opens(image->own_wire, image->wire);
	if (!*told && !snapshot->changes_accepted)
		return snapshot_refuse(snapshot,
				       "`%s`: %s; put the file of then in its place, its time "
				       "too (`cp -p`), or see `millwright help restore`",
				       image->node->plan->id, text);
	if (*told)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "; the guest is told that it is another");
	warn(snapshot, image, text);
	return true;
}

static bool load_medium(struct mw_snapshot *snapshot, struct mw_machine *machine, uint32_t link)
{
	struct mw_image *image = mw_image_of(machine, &machine->plan->links[link]);
	struct snapshot_medium *medium = &snapshot->media[link];
	struct saved_medium saved;
	bool damaged;

	if (medium->path && medium->path[0])
		medium->told = !put_in(snapshot, image, medium->path);
	if (!read_medium(snapshot, link, &saved, &damaged))
		return !damaged;
	return check_file(snapshot, image, &saved.facts, &medium->told);
}

static void need_media(struct mw_snapshot *snapshot, const struct mw_plan *plan)
{
	if (!snapshot->media)
		snapshot->media = mw_alloc(plan->link_count, sizeof(*snapshot->media));
}

bool snapshot_load_media(struct mw_snapshot *snapshot, struct mw_machine *machine)
{
	bool good = true;

	need_media(snapshot, machine->plan);
	for (uint32_t i = 0; i < machine->plan->link_count; i++)
		if (is_image(&machine->plan->links[i]))
			good &= load_medium(snapshot, machine, i);
	return good;
}

void snapshot_tell_media(struct mw_snapshot *snapshot, struct mw_machine *machine)
{
	for (size_t i = 0; i < machine->plan->link_count; i++)
		if (is_image(&machine->plan->links[i]))
			mw_image_know(mw_image_of(machine, &machine->plan->links[i]),
				      snapshot->media[i].told);
}

void mw_snapshot_take_out(struct mw_snapshot *snapshot, struct mw_plan *plan)
{
	need_media(snapshot, plan);
	for (size_t i = 0; i < plan->link_count; i++) {
		const struct mw_plan_node *host = host_of(plan, &plan->links[i]);

		if (!host || has_other_file(host))
			continue;
		const struct mw_plan_value *path = &host->values[path_index(host)];

		snapshot->media[i].path = path->secret ? path->secret : path->text;
		set_path(plan, host, "");
	}
}

void mw_snapshot_accept_changes(struct mw_snapshot *snapshot)
{
	snapshot->changes_accepted = true;
}
