/* The keys of every kind of file, row by row. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "resolver/shape.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define KEYS(...)  ((const struct mw_shape_key[]){ __VA_ARGS__, { NULL, NULL, 0 } })

static const struct mw_shape anything = { .accepts = MW_SHAPE_ANY };
static const struct mw_shape text = { .accepts = MW_SHAPE_TEXT };
static const struct mw_shape literal = { .accepts = MW_SHAPE_TEXT, .literal = true };
static const struct mw_shape number = { .accepts = MW_SHAPE_INT };
static const struct mw_shape literal_number = { .accepts = MW_SHAPE_INT, .literal = true };
static const struct mw_shape literal_bool = { .accepts = MW_SHAPE_BOOL, .literal = true };
static const struct mw_shape truth = { .accepts = MW_SHAPE_BOOL };
static const struct mw_shape size = { .accepts = MW_SHAPE_SIZE };
static const struct mw_shape range = { .accepts = MW_SHAPE_RANGE };
static const struct mw_shape condition = { .accepts = MW_SHAPE_CONDITION };
static const struct mw_shape texts = { .accepts = MW_SHAPE_LIST, .items = &text };
static const struct mw_shape literals = { .accepts = MW_SHAPE_LIST,
					  .literal = true,
					  .items = &literal };
static const struct mw_shape ranges = { .accepts = MW_SHAPE_LIST, .items = &range };
static const struct mw_shape text_or_texts = { .accepts = MW_SHAPE_TEXT | MW_SHAPE_LIST,
					       .items = &text };
static const struct mw_shape literal_or_literals = { .accepts = MW_SHAPE_TEXT | MW_SHAPE_LIST,
						     .literal = true,
						     .items = &literal };
static const struct mw_shape free_map = { .accepts = MW_SHAPE_MAP, .values = &anything };

/* `deprecated` of a file, and of what an older version says of itself */
static const struct mw_shape deprecation = {
	.accepts = MW_SHAPE_MAP,
	.short_for = "why",
	.keys = KEYS({ "since", &literal, 0 }, { "remove", &literal, 0 }, { "use", &literal, 0 },
		     { "why", &literal, 0 }),
};

/* params */
static const struct mw_shape parameter_type = {
	.accepts = MW_SHAPE_WORD,
	.literal = true,
	.words = WORDS("bool", "int", "size", "freq", "duration", "string", "enum", "path", "mac",
		       "uuid", "range", "secret", "list"),
};
static const struct mw_shape parameter_scope = { .accepts = MW_SHAPE_WORD,
						 .literal = true,
						 .words = WORDS("guest", "host") };
static const struct mw_shape parameter = {
	.accepts = MW_SHAPE_MAP,
	.short_for = "default",
	.keys = KEYS({ "type", &parameter_type, MW_KEY_KEPT }, { "default", &anything, 0 },
		     { "optional", &literal_bool, 0 }, { "min", &literal, 0 },
		     { "max", &literal, 0 }, { "multiple", &literal, 0 },
		     { "of", &literal_or_literals, 0 }, { "help", &literal, 0 },
		     { "scope", &parameter_scope, 0 }, { "match", &literal, 0 },
		     { "deprecated", &literal, 0 }),
};
static const struct mw_shape parameters = { .accepts = MW_SHAPE_MAP,
					    .values = &parameter,
					    .ids = MW_IDS_PARAMS };

/* checks */
static const struct mw_shape check = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "that", &condition, MW_KEY_REQUIRED }, { "say", &text, MW_KEY_REQUIRED }),
};
static const struct mw_shape checks = { .accepts = MW_SHAPE_LIST,
					.literal = true,
					.items = &check };

/* sections */
static const struct mw_shape power_action = { .accepts = MW_SHAPE_WORD,
					      .words = WORDS("exit", "reset", "stop") };
static const struct mw_shape power = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "off", &power_action, 0 }, { "reset", &power_action, 0 },
		     { "panic", &power_action, 0 }, { "triple_fault", &power_action, 0 },
		     { "final", &literals, 0 }),
};
static const struct mw_shape topology = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "sockets", &number, 0 }, { "cores", &number, 0 }, { "threads", &number, 0 }),
};
static const struct mw_shape hypervisor = { .accepts = MW_SHAPE_WORD,
					    .words = WORDS("none", "kvm", "hyperv") };
static const struct mw_shape tsc = { .accepts = MW_SHAPE_INT | MW_SHAPE_WORD,
				     .words = WORDS("from-host") };
static const struct mw_shape cpu = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "model", &text, 0 }, { "count", &number, 0 }, { "topology", &topology, 0 },
		     { "features", &anything, 0 }, { "hypervisor", &hypervisor, 0 },
		     { "tsc_khz", &tsc, 0 }, { "x2apic", &truth, 0 }, { "final", &literals, 0 }),
};
static const struct mw_shape measure = { .accepts = MW_SHAPE_WORD,
					 .words = WORDS("none", "sha256", "sha384", "sha512") };
static const struct mw_shape boot = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "linux", &text, 0 }, { "elf", &text, 0 }, { "initrd", &text, 0 },
		     { "modules", &texts, 0 }, { "cmdline", &text, 0 }, { "firmware", &text, 0 },
		     { "tables", &texts, 0 }, { "igvm", &text, 0 }, { "order", &texts, 0 },
		     { "secure_boot", &truth, 0 }, { "measure", &measure, 0 },
		     { "final", &literals, 0 }),
};
static const struct mw_shape irqchip = { .accepts = MW_SHAPE_WORD,
					 .words = WORDS("auto", "kernel", "split", "user") };
static const struct mw_shape accel_clock = { .accepts = MW_SHAPE_WORD,
					     .words = WORDS("host", "instructions") };
static const struct mw_shape accel = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "prefer", &texts, 0 }, { "need", &free_map, 0 }, { "irqchip", &irqchip, 0 },
		     { "clock", &accel_clock, 0 }, { "final", &literals, 0 }),
};
static const struct mw_shape vtl2_place = { .accepts = MW_SHAPE_WORD, .words = WORDS("last") };
static const struct mw_shape vtl2 = {
	.accepts = MW_SHAPE_MAP,
	.short_for = "size",
	.keys = KEYS({ "size", &size, 0 }, { "place", &vtl2_place, 0 }, { "private", &truth, 0 }),
};
static const struct mw_shape memory = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "ram", &size, 0 }, { "holes", &ranges, 0 }, { "below_4g", &size, 0 },
		     { "vtl2", &vtl2, 0 }, { "final", &literals, 0 }),
};
static const struct mw_shape pack = { .accepts = MW_SHAPE_WORD, .words = WORDS("up", "down") };
static const struct mw_shape after = { .accepts = MW_SHAPE_WORD, .words = WORDS("ram") };
static const struct mw_shape window = {
	.accepts = MW_SHAPE_MAP,
	.removable = true,
	.keys = KEYS({ "range", &range, 0 }, { "pack", &pack, 0 }, { "after", &after, 0 },
		     { "align", &size, 0 }, { "size", &size, 0 }),
};
static const struct mw_shape windows = { .accepts = MW_SHAPE_MAP,
					 .values = &window,
					 .ids = MW_IDS_NODES };
static const struct mw_shape numbers = { .accepts = MW_SHAPE_LIST, .items = &number };
static const struct mw_shape domain = {
	.accepts = MW_SHAPE_MAP,
	.removable = true,
	.keys = KEYS({ "lines", &number, 0 }, { "to", &text_or_texts, 0 }, { "map", &free_map, 0 },
		     { "reserve", &numbers, 0 }, { "swizzle", &number, 0 },
		     { "pins", &numbers, 0 }),
};
static const struct mw_shape domains = { .accepts = MW_SHAPE_MAP,
					 .values = &domain,
					 .ids = MW_IDS_NODES };

/* Which systems the machine is meant for; the rules know their names. */
static const struct mw_shape guests = { .accepts = MW_SHAPE_LIST,
					.literal = true,
					.items = &literal };

/* devices */
static const struct mw_shape claim = { .accepts = MW_SHAPE_TEXT | MW_SHAPE_MAP, .values = &text };
static const struct mw_shape irq_claim = {
	.accepts = MW_SHAPE_TEXT | MW_SHAPE_MAP,
	.values = &anything, /* { line, trigger, polarity, share } or wires by name */
};
static const struct mw_shape backend = { .accepts = MW_SHAPE_TEXT | MW_SHAPE_MAP,
					 .values = &anything };
static const struct mw_shape wires = { .accepts = MW_SHAPE_MAP, .values = &text };
static const struct mw_shape placement = { .accepts = MW_SHAPE_WORD,
					   .words = WORDS("shared", "own", "cpu") };
static const struct mw_shape request = { .accepts = MW_SHAPE_TEXT | MW_SHAPE_MAP, .values = &text };
static const struct mw_shape messages = {
	.accepts = MW_SHAPE_MAP,
	.short_for = "vectors",
	.values = &anything, /* { vectors } or wires by name */
};
static const struct mw_shape on_error = { .accepts = MW_SHAPE_WORD,
					  .words = WORDS("report", "stop") };
static const struct mw_shape device = {
	.accepts = MW_SHAPE_MAP,
	.short_for = "type",
	.removable = true,
	.keys = KEYS({ "type", &literal, MW_KEY_KEPT }, { "at", &text, 0 }, { "io", &claim, 0 },
		     { "mmio", &claim, 0 }, { "irq", &irq_claim, 0 }, { "props", &free_map, 0 },
		     { "wires", &wires, 0 }, { "backend", &backend, 0 },
		     { "placement", &placement, 0 }, { "when", &condition, 0 },
		     { "count", &number, 0 }, { "overlays", &text, 0 }, { "notes", &anything, 0 },
		     { "final", &literals, 0 }, { "dma", &request, 0 }, { "msi", &messages, 0 },
		     { "intx", &request, 0 }, { "on_error", &on_error, 0 }, { "vtl", &number, 0 }),
};
static const struct mw_shape devices = { .accepts = MW_SHAPE_MAP,
					 .values = &device,
					 .ids = MW_IDS_DEVICES };

/* lint */
static const struct mw_shape allow = { .accepts = MW_SHAPE_MAP, .values = &literal };
static const struct mw_shape lint = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "allow", &allow, 0 }),
};

#define LINT                     \
	{                        \
		"lint", &lint, 0 \
	}
#define HEADER                                                                          \
	{ "format", &literal, MW_KEY_REQUIRED }, { "name", &literal, MW_KEY_REQUIRED }, \
		{ "version", &literal_number, 0 }, { "summary", &literal, 0 },          \
	{                                                                               \
		"deprecated", &deprecation, 0                                           \
	}
#define FRAGMENT                                                                              \
	{ "params", &parameters, 0 }, { "checks", &checks, 0 }, { "windows", &windows, 0 },   \
		{ "irq", &domains, 0 }, { "devices", &devices, 0 }, { "memory", &memory, 0 }, \
		{ "accel", &accel, 0 }, { "power", &power, 0 },                               \
	{                                                                                     \
		"final", &literals, 0                                                         \
	}
#define BASES                                      \
	{                                          \
		"extends", &literal_or_literals, 0 \
	}

/* What an overlay says, without a header: an older version is the newer one under these. */
static const struct mw_shape version = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "deprecated", &deprecation, 0 }, BASES, FRAGMENT, { "cpu", &cpu, 0 },
		     { "boot", &boot, 0 }, { "guests", &guests, 0 }),
};
static const struct mw_shape history = { .accepts = MW_SHAPE_MAP,
					 .values = &version,
					 .ids = MW_IDS_VERSIONS };

static const struct mw_shape machine = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS(HEADER, BASES, FRAGMENT, { "cpu", &cpu, 0 }, { "boot", &boot, 0 },
		     { "arch", &literal_or_literals, 0 }, { "history", &history, 0 },
		     { "guests", &guests, 0 }, LINT),
};
static const struct mw_shape chipset = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS(HEADER, BASES, FRAGMENT, { "history", &history, 0 }, LINT),
};
static const struct mw_shape overlay = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS(HEADER, FRAGMENT, { "cpu", &cpu, 0 }, { "boot", &boot, 0 },
		     { "guests", &guests, 0 }, LINT),
};
static const struct mw_shape part = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS(HEADER, BASES, { "params", &parameters, 0 }, { "checks", &checks, 0 },
		     { "irq", &domains, 0 }, { "devices", &devices, 0 }, { "history", &history, 0 },
		     { "final", &literals, 0 }, LINT),
};
static const struct mw_shape cpu_model = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS(HEADER, { "vendor", &literal, 0 }, { "family", &literal_number, 0 },
		     { "model", &literal_number, 0 }, { "stepping", &literal_number, 0 },
		     { "brand", &literal, 0 }, { "features", &literals, 0 },
		     { "leaves", &anything, 0 }, { "msrs", &anything, 0 }),
};

const struct mw_format mw_formats[] = {
	{ "machine", &machine, "profiles" },
	{ "chipset", &chipset, "chipsets" },
	{ "overlay", &overlay, "profiles" },
	{ "cpu", &cpu_model, "chipsets/cpu" },
	{ "plan", &mw_plan_shape, NULL },
	{ "part", &part, "chipsets/parts" },
	{ "device", NULL, NULL },
	{ "regmap", NULL, NULL },
	{ "lock", &mw_lock_shape, NULL },
	{ NULL, NULL, NULL },
};

const struct mw_format *mw_format_find(const char *name)
{
	for (const struct mw_format *format = mw_formats; format->name; format++) {
		if (strcmp(format->name, name) == 0)
			return format;
	}
	return NULL;
}
