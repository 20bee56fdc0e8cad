/** millwright(5): the keys of every kind of file, from the shape tables. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/alloc.h"
#include "tools/manual/manual_internal.h"
#include "tools/schema/schema.h"

struct page {
	FILE *out;
	const struct mw_format *format;
	struct mw_arena arena;
};

/* "an int or a list", as short as a reader of a table wants it. */
static const char *kind_text(struct page *page, const struct mw_shape *shape)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
		{ MW_SHAPE_TEXT, "text" },   { MW_SHAPE_INT, "int" },
		{ MW_SHAPE_SIZE, "size" },   { MW_SHAPE_BOOL, "bool" },
		{ MW_SHAPE_RANGE, "range" }, { MW_SHAPE_CONDITION, "condition" },
		{ MW_SHAPE_MAP, "map" },     { MW_SHAPE_LIST, "list" },
	};
	const char *text = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (shape->accepts & names[i].bit)
			text = mw_arena_printf(&page->arena, "%s%s%s", text, *text ? " | " : "",
					       names[i].name);
	}
	for (const char *const *word = shape->words; word && *word; word++)
		text = mw_arena_printf(&page->arena, "%s%s%s", text, *text ? " | " : "", *word);
	return text;
}

static void write_keys(struct page *page, const struct mw_shape *shape, const char *path,
		       const char *shown);

/* `path` as facts are found by, `shown` as a reader sees it. */
static void write_key(struct page *page, const struct mw_shape_key *key, const char *path,
		      const char *shown)
{
	const char *kind = kind_text(page, key->shape);
	const char *help = mw_schema_help(page->format, path);

	fputs(".TP\n\\fB", page->out);
	mw_roff_literal(page->out, shown);
	fputs("\\fP", page->out);
	if (*kind) {
		fputs(" (", page->out);
		mw_roff_literal(page->out, kind);
		fputs(key->flags & MW_KEY_REQUIRED ? ", required)" : ")", page->out);
	}
	fputc('\n', page->out);
	mw_roff_words(page->out, help ? help : "No more is said of it.");
	fputc('\n', page->out);
	write_keys(page, key->shape, path, shown);
}

/* Sections that an older version holds again are not told twice. */
static void write_keys(struct page *page, const struct mw_shape *shape, const char *path,
		       const char *shown)
{
	const char *dot = *path ? "." : "";

	if (shape->values && !shape->keys)
		write_keys(page, shape->values, mw_arena_printf(&page->arena, "%s.*", path),
			   mw_arena_printf(&page->arena, "%s.ID", shown));
	if (shape->items)
		write_keys(page, shape->items, mw_arena_printf(&page->arena, "%s.*", path),
			   mw_arena_printf(&page->arena, "%s[]", shown));
	if (!strncmp(path, "history", strlen("history")))
		return;
	for (const struct mw_shape_key *key = shape->keys; key && key->name; key++) {
		if (!(key->flags & MW_KEY_PLANNED))
			write_key(page, key,
				  mw_arena_printf(&page->arena, "%s%s%s", path, dot, key->name),
				  mw_arena_printf(&page->arena, "%s%s%s", shown, dot, key->name));
	}
}

/* The names of a format's keys in one line: the same as a machine's. */
static void write_names(struct page *page)
{
	const char *separator = "";

	fputs("Its keys are those of a machine file by the same names: ", page->out);
	for (const struct mw_shape_key *key = page->format->shape->keys; key->name; key++) {
		if (key->flags & MW_KEY_PLANNED)
			continue;
		fprintf(page->out, "%s\\fB%s\\fP", separator, key->name);
		separator = ", ";
	}
	fputs(".\n", page->out);
}

static const struct {
	const char *format, *title, *text;
	bool whole;
} kinds[] = {
	{ "machine", "MACHINE FILES", "A machine that can be run.", true },
	{ "chipset", "CHIPSET FILES",
	  "What a board has; it cannot boot by itself, and machines extend it.", false },
	{ "part", "PART FILES",
	  "A device made of devices: its parameters are its properties, and `type: part/NAME` "
	  "makes one.",
	  false },
	{ "overlay", "OVERLAY FILES", "Changes to a machine, laid over it with -o.", false },
	{ "cpu", "CPU MODELS", "What CPUID answers; named by `cpu.model`.", true },
	{ "lock", "LOCK FILES", "Every automatic placement, as `millwright lock` found it.", true },
	{ "abi", "FROZEN VERSIONS",
	  "What guests of a machine see, version by version: NAME.abi.yaml, which `millwright abi "
	  "freeze` writes.",
	  true },
	{ "baseline", "BASELINES",
	  "Findings that are not told again, as `millwright lint --baseline-write` wrote them.",
	  true },
	{ "config", "PROJECT SETTINGS",
	  "The linter's settings for a folder and all below it: .millwright.yaml, which has no "
	  "first line of that kind.",
	  true },
};

static const char intro[] =
	"Files are YAML without anchors, aliases and tags. The first line says what kind of file "
	"it is, such as `format: machine/1`. Unknown keys are errors; keys that begin with x- are "
	"allowed everywhere and ignored.\n"
	"\n"
	"The key decides what its value is, never how the value looks. An int is decimal or begins "
	"with 0x; a leading zero is an error. A size is an int with KiB, MiB, GiB or TiB. A bool "
	"is true or false. A range is BASE+LENGTH. Ids are up to 32 of a-z 0-9 _ -, a letter "
	"first.\n"
	"\n"
	"`$(...)` puts the value of an expression into a scalar: parameters by name, integers, "
	"`+ - * / %`, `min`, `max`, `align`, comparisons, `and or not`, `A if C else B`, `has(p)`, "
	"`len(p)`, `log2(e)`. Where a condition is wanted, an expression stands without the "
	"brackets.\n"
	"\n"
	"A file over what it extends: maps are merged key by key, scalars and lists are replaced. "
	"`ID: remove` takes an entry away, `KEY: unset` returns a key to its default.";

void mw_manual_format(FILE *out)
{
	struct page page = { .out = out };

	mw_roff_head(out, "millwright", "5", "files that describe machines");
	mw_roff_section(out, "DESCRIPTION");
	mw_roff_text(out, intro);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		page.format = mw_schema_format_find(kinds[i].format);
		if (!page.format)
			continue;
		fprintf(out, ".SH %s\n", kinds[i].title);
		if (*mw_schema_suffix(page.format))
			fprintf(out, "\\fBformat: %s/1\\fP\n.PP\n", kinds[i].format);
		mw_roff_text(out, kinds[i].text);
		if (!kinds[i].whole)
			write_names(&page);
		else
			write_keys(&page, page.format->shape, "", "");
	}
	mw_roff_section(out, "SEE ALSO");
	fputs(".BR millwright (1),\n.BR millwright\\-lint (1),\n.BR millwright\\-devices (1)\n",
	      out);
	mw_arena_fini(&page.arena);
}
