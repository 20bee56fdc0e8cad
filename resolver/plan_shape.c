/* The keys of a plan's text. Values that a phase of the resolver knows are left to it. */
// SPDX-License-Identifier: MIT
#include "resolver/shape.h"

#define KEYS(...) ((const struct mw_shape_key[]){ __VA_ARGS__, { NULL, NULL, 0 } })

static const struct mw_shape anything = { .accepts = MW_SHAPE_ANY };
static const struct mw_shape text = { .accepts = MW_SHAPE_TEXT };
static const struct mw_shape number = { .accepts = MW_SHAPE_INT };
static const struct mw_shape truth = { .accepts = MW_SHAPE_BOOL };
static const struct mw_shape texts = { .accepts = MW_SHAPE_LIST, .items = &text };
static const struct mw_shape text_map = { .accepts = MW_SHAPE_MAP, .values = &text };
static const struct mw_shape number_map = { .accepts = MW_SHAPE_MAP,
					    .values = &number,
					    .ids = MW_IDS_NODES };
static const struct mw_shape numbers_by_name = { .accepts = MW_SHAPE_MAP, .values = &number };
static const struct mw_shape number_list = { .accepts = MW_SHAPE_LIST, .items = &number };
static const struct mw_shape free_map = { .accepts = MW_SHAPE_MAP, .values = &anything };

static const struct mw_shape cpu = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "model", &text, MW_KEY_REQUIRED }, { "count", &number, MW_KEY_REQUIRED },
		     { "sockets", &number, MW_KEY_REQUIRED }, { "cores", &number, MW_KEY_REQUIRED },
		     { "threads", &number, MW_KEY_REQUIRED }, { "hypervisor", &text, 0 },
		     { "tsc_khz", &text, 0 }, { "features", &free_map, 0 },
		     { "cpuid", &text_map, 0 }, { "msrs", &number_map, 0 }),
};
static const struct mw_shape memory = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "ram_bytes", &number, MW_KEY_REQUIRED }, { "ranges", &texts, 0 },
		     { "vtl2", &text, 0 }, { "vtl2_private", &truth, 0 }),
};
static const struct mw_shape node = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "type", &text, MW_KEY_REQUIRED }, { "host", &truth, 0 }, { "bus", &text, 0 },
		     { "address", &text, 0 }, { "placement", &text, 0 }, { "props", &free_map, 0 },
		     { "from_host", &texts, 0 }, { "io", &text_map, 0 }, { "mmio", &text_map, 0 },
		     { "irq", &text_map, 0 }, { "dma", &numbers_by_name, 0 },
		     { "intx", &text_map, 0 }, { "msi", &numbers_by_name, 0 },
		     { "address_auto", &truth, 0 }, { "vtl", &number, 0 }, { "on_error", &text, 0 },
		     { "overlays", &text_map, 0 }, { "auto", &texts, 0 }),
};
static const struct mw_shape swizzle = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "to", &text, MW_KEY_REQUIRED }, { "pins", &number_list, MW_KEY_REQUIRED }),
};
static const struct mw_shape swizzles = { .accepts = MW_SHAPE_MAP,
					  .values = &swizzle,
					  .ids = MW_IDS_NODES };
static const struct mw_shape nodes = { .accepts = MW_SHAPE_MAP, .values = &node };
static const struct mw_shape net = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "domain", &text, 0 }, { "line", &number, 0 }, { "gsi", &number, 0 },
		     { "trigger", &text, MW_KEY_REQUIRED }, { "polarity", &text, MW_KEY_REQUIRED },
		     { "shared", &truth, MW_KEY_REQUIRED }, { "sinks", &texts, MW_KEY_REQUIRED }),
};
static const struct mw_shape nets = { .accepts = MW_SHAPE_LIST, .items = &net };
static const struct mw_shape link_shape = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "from", &text, MW_KEY_REQUIRED }, { "to", &text, MW_KEY_REQUIRED }),
};
static const struct mw_shape links = { .accepts = MW_SHAPE_LIST, .items = &link_shape };

const struct mw_shape mw_plan_shape = {
	.accepts = MW_SHAPE_MAP,
	.keys = KEYS({ "format", &text, MW_KEY_REQUIRED }, { "name", &text, MW_KEY_REQUIRED },
		     { "version", &number, MW_KEY_REQUIRED }, { "summary", &text, 0 },
		     { "arch", &text, MW_KEY_REQUIRED }, { "bases", &texts, 0 },
		     { "cpu", &cpu, MW_KEY_REQUIRED }, { "memory", &memory, MW_KEY_REQUIRED },
		     { "accel", &anything, 0 }, { "power", &anything, 0 }, { "boot", &anything, 0 },
		     { "boot_from_host", &texts, 0 }, { "domains", &number_map, 0 },
		     { "swizzles", &swizzles, 0 }, { "nodes", &nodes, 0 }, { "nets", &nets, 0 },
		     { "links", &links, 0 }),
};
