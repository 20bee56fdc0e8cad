/* The bench's plan: claims and connections for any device type, worked out from its tables. */
// SPDX-License-Identifier: MIT
#include "tests/support/rig_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/registry.h"
#include "devices/registry.h"
#include "tests/support/channels.h"
#include "tests/support/screens.h"

enum { FIRST_PORT = 0x1000, FREE_PORTS = 16, FREE_BYTES = 0x10000 };
static const uint64_t first_address = 0x10000000;
static const uint64_t ram_bytes = 0x100000;

static const struct rig_setting *find_setting(const struct rig_setting *setting, const char *name)
{
	for (; setting && setting->name; setting++) {
		if (!strcmp(setting->name, name))
			return setting;
	}
	return NULL;
}

/* A file that is there, is not empty and may be written. */
static const char *temporary_file(struct rig_plan *rig)
{
	char *path = mw_strdup("/tmp/mw-rig-XXXXXX");
	int fd = mkstemp(path);
	uint8_t zeros[512] = { 0 };

	if (fd < 0 || write(fd, zeros, sizeof(zeros)) != sizeof(zeros) ||
	    rig->path_count == sizeof(rig->paths) / sizeof(rig->paths[0])) {
		perror(path);
		abort();
	}
	close(fd);
	rig->paths[rig->path_count++] = path;
	return path;
}

static struct mw_plan_value default_value(struct rig_plan *rig, const struct mw_property *row)
{
	struct mw_plan_value value = { .property = row, .number = row->fallback, .text = "" };

	if (row->fallback_text)
		value.text = row->fallback_text;
	if (row->fallback_text && !strcmp(row->fallback_text, "localhost:5900"))
		value.text = "localhost:0"; /* a server's; tests run at the same time */
	if (row->required && row->kind == MW_BOOL)
		value.number = true;
	if (row->required && row->kind == MW_STRING)
		value.text = row->is_path ? temporary_file(rig) : "rig";
	if (row->required && row->kind != MW_BOOL)
		value.number = row->min;
	return value;
}

static const struct mw_plan_value *make_values(struct rig_plan *rig,
					       const struct mw_device_type *type,
					       const struct rig_setting *settings)
{
	struct mw_plan_value *values =
		mw_arena_alloc(&rig->plan.arena, type->properties.count, sizeof(*values));

	for (size_t i = 0; i < type->properties.count; i++) {
		const struct mw_property *row = &type->properties.items[i];
		const struct rig_setting *setting = find_setting(settings, row->name);

		if (!setting) {
			values[i] = default_value(rig, row);
			continue;
		}
		values[i] = (struct mw_plan_value){ .property = row,
						    .number = setting->number,
						    .text = setting->text ? setting->text : "" };
	}
	return values;
}

/* Elements of a wire, as many as the property that counts them says. */
static unsigned wire_count(const struct mw_plan_node *node, const struct mw_wire *wire)
{
	const struct mw_plan_value *value =
		wire->count_property ? mw_plan_value(node, wire->count_property) : NULL;

	if (value)
		return (unsigned)value->number;
	return wire->count ? (unsigned)wire->count : 1;
}

static struct mw_plan_node *add_node(struct rig_plan *rig, const struct mw_device_type *type,
				     const char *id)
{
	struct mw_plan_node *node = &rig->nodes[rig->plan.node_count++];

	if (rig->plan.node_count > RIG_NODES)
		abort();
	*node = (struct mw_plan_node){ .id = id,
				       .type = type,
				       .bus = "sys",
				       .bus_node = UINT32_MAX,
				       .host = type->backend != NULL };
	node->claims = mw_arena_alloc(&rig->plan.arena, FAKE_LINES + type->regions.count,
				      sizeof(*node->claims));
	return node;
}

static struct mw_plan_claim *add_claim(struct mw_plan_node *node, const char *name,
				       enum mw_claim_kind kind)
{
	struct mw_plan_claim *claim =
		&((struct mw_plan_claim *)(uintptr_t)node->claims)[node->claim_count++];

	claim->name = name;
	claim->kind = kind;
	return claim;
}

static void claim_regions(struct rig_plan *rig, const struct rig_options *options)
{
	uint64_t port = FIRST_PORT, address = first_address;

	for (size_t i = 0; i < rig->dut->type->regions.count; i++) {
		const struct mw_region *region = &rig->dut->type->regions.items[i];
		bool io = region->space == MW_SPACE_PORT;
		uint64_t *next = io ? &port : &address;
		uint64_t free_length = options->free_length ? options->free_length
				       : io                 ? FREE_PORTS
							    : FREE_BYTES;
		struct mw_plan_claim *claim =
			add_claim(rig->dut, region->name, io ? MW_CLAIM_IO : MW_CLAIM_MMIO);
		uint64_t align = region->align ? region->align : io ? 16 : 4096;

		claim->region = region;
		claim->length = region->size ? region->size : free_length;
		if (region->bar && align < claim->length)
			align = claim->length;
		claim->base = (*next + align - 1) & ~(align - 1);
		*next = claim->base + claim->length;
	}
}

/* A net of one line: from the device to the probe, or from the fake to the device. */
static void add_net(struct rig_plan *rig, struct mw_plan_node *node, const struct mw_wire *wire,
		    unsigned index)
{
	bool drives = wire->direction == MW_DRIVES;
	const struct mw_device_type *fake = &fake_lines_type;
	uint32_t slot = (uint32_t)rig->slot_count++, number = (uint32_t)(node - rig->nodes);
	struct mw_plan_sink *sink = mw_arena_alloc(&rig->plan.arena, 1, sizeof(*sink));
	struct mw_plan_claim *claim = add_claim(drives ? node : &rig->nodes[RIG_LINES],
						drives ? wire->name : "out", MW_CLAIM_IRQ);

	if (slot >= FAKE_LINES)
		abort();
	rig->slots[slot] = (struct rig_line_slot){ number, wire, index };
	*sink = drives ? (struct mw_plan_sink){ RIG_LINES, mw_type_wire(fake, "in"), slot }
		       : (struct mw_plan_sink){ number, wire, index };
	claim->net = slot;
	claim->wire = drives ? wire : mw_type_wire(fake, "out");
	claim->wire_index = drives ? index : slot;
	rig->nets[slot] = (struct mw_plan_net){ .gsi = drives ? slot : MW_NO_GSI,
						.sinks = sink,
						.sink_count = 1 };
	rig->plan.net_count++;
}

static size_t add_link(struct rig_plan *rig, const struct mw_plan_node *from,
		       const struct mw_wire *wire, unsigned index,
		       const struct mw_device_type *fake)
{
	struct mw_plan_link *link = &rig->links[rig->plan.link_count++];
	char *id = mw_arena_printf(&rig->plan.arena, "far-%zu", rig->plan.node_count);
	struct mw_plan_node *node = add_node(rig, fake, id);
	size_t number = (size_t)(node - rig->nodes);

	node->host = from->type->backend == NULL;
	link->node[0] = (uint32_t)(from - rig->nodes);
	link->node[1] = (uint32_t)number;
	link->wire[0] = wire;
	link->wire[1] = &fake->wires.items[0];
	link->index[0] = index;
	return number;
}

static void connect_image(struct rig_plan *rig, size_t part, const struct mw_wire *wire,
			  const struct rig_child *child)
{
	static const uint8_t pattern[16384] = { 0x55, 0xaa }; /* a child's; its own is a sector */
	const struct mw_plan_node *from = &rig->nodes[rig->part[part]];
	struct mw_plan_value *values = mw_arena_alloc(&rig->plan.arena, 3, sizeof(*values));
	struct mw_plan_node *node;

	if (wire->direction == MW_RECEIVES) {
		rig->reader = add_link(rig, from, wire, 0, &fake_reader_type);
		return;
	}
	rig->image[part] = add_link(rig, from, wire, 0, &fake_image_type);
	node = &rig->nodes[rig->image[part]];
	values[0].property = &fake_image_type.properties.items[0];
	values[0].bytes = child->image ? (struct mw_blob){ child->image, child->image_bytes }
				       : (struct mw_blob){ pattern, part ? sizeof(pattern) : 512 };
	if (child->no_image)
		values[0].bytes.size = 0;
	values[1].property = &fake_image_type.properties.items[1];
	values[1].number = child->read_only;
	values[2].property = &fake_image_type.properties.items[2];
	values[2].text = child->no_image ? "" : "disk.img";
	node->values = values;
	node->value_count = 3;
}

static void add_channel(struct rig_plan *rig, struct mw_plan_node *node, const struct mw_wire *wire,
			unsigned channel)
{
	struct mw_plan_claim *claim = add_claim(node, wire->name, MW_CLAIM_DMA);

	claim->wire = wire;
	claim->channel = channel;
}

/* A device has a controller for its channel, a controller a device at each of its channels. */
static void connect_channels(struct rig_plan *rig, struct mw_plan_node *node,
			     const struct mw_wire *wire)
{
	if (wire->channel) {
		rig->channel[0] = rig->plan.node_count;
		add_node(rig, &fake_controller_type, "controller");
		add_channel(rig, node, wire, 0);
	}
	for (unsigned i = 0; wire->on_cycle && i < FAKE_CHANNELS; i++) {
		if (i == FAKE_CASCADE)
			continue;
		rig->channel[i] = rig->plan.node_count;
		add_channel(rig,
			    add_node(rig, &fake_channel_type,
				     mw_arena_printf(&rig->plan.arena, "channel-%u", i)),
			    &fake_channel_type.wires.items[0], i);
	}
}

static void connect(struct rig_plan *rig, size_t part, const struct rig_child *child)
{
	struct mw_plan_node *node = &rig->nodes[rig->part[part]];

	for (size_t w = 0; w < child->type->wires.count; w++) {
		const struct mw_wire *wire = &child->type->wires.items[w];
		unsigned count = wire_count(node, wire);

		if (wire->kind == MW_DMA)
			connect_channels(rig, node, wire);
		for (unsigned i = 0; i < count; i++) {
			if (wire->kind == MW_LINE)
				add_net(rig, node, wire, i);
			else if (wire->kind == MW_STREAM)
				add_link(rig, node, wire, i, &fake_stream_type);
			else if (wire->kind == MW_IMAGE)
				connect_image(rig, part, wire, child);
			else if (wire->kind == MW_DISPLAY && wire->on_frame)
				add_link(rig, node, wire, i, &fake_display_type);
			else if (wire->kind == MW_INPUT && wire->direction == MW_DRIVES)
				add_link(rig, node, wire, i, &fake_input_type);
		}
	}
}

static void add_part(struct rig_plan *rig, const struct rig_child *child, const char *id)
{
	struct mw_plan_node *node = add_node(rig, child->type, id);

	if (rig->part_count == RIG_PARTS)
		abort();
	rig->part[rig->part_count++] = (unsigned)(node - rig->nodes);
	node->values = make_values(rig, child->type, child->settings);
	node->value_count = child->type->properties.count;
	if (node == rig->dut)
		return;
	node->bus = rig->dut->id;
	node->bus_node = RIG_DUT;
	node->address = child->address;
}

static bool goes_on(const struct mw_device_type *type, const char *kind)
{
	for (const char *const *bus = type->buses; bus && *bus; bus++) {
		if (!strcmp(*bus, kind))
			return true;
	}
	return false;
}

/* Each registered type that goes on the device's private bus, at the first addresses. */
static const struct rig_child *all_children(struct rig_plan *rig, const struct mw_device_type *type)
{
	static const char *const addresses[] = { "0.0", "0.1", "1.0", "1.1" };
	struct rig_child *children = mw_arena_alloc(&rig->plan.arena, RIG_PARTS, sizeof(*children));
	size_t count = 0;

	for (size_t i = 0; type->private_bus && mw_device_types[i]; i++) {
		if (!goes_on(mw_device_types[i], type->provides) || count == RIG_PARTS - 1)
			continue;
		children[count].type = mw_device_types[i];
		children[count].address = addresses[count];
		count++;
	}
	return children;
}

/* The parts are joined once all of them are there. */
static void add_parts(struct rig_plan *rig, const struct rig_options *options,
		      const struct rig_child *self)
{
	const struct rig_child *children =
		options->children ? options->children : all_children(rig, self->type);

	for (size_t i = 0; children[i].type; i++)
		add_part(rig, &children[i], mw_arena_printf(&rig->plan.arena, "child-%zu", i + 1));
	connect(rig, 0, self);
	for (size_t i = 0; children[i].type; i++)
		connect(rig, i + 1, &children[i]);
}

void rig_plan_init(struct rig_plan *rig, const struct mw_device_type *type,
		   const struct rig_options *options)
{
	static const char *const prefer[] = { NULL };
	const struct rig_child self = { .type = type,
					.settings = options->settings,
					.image = options->image,
					.image_bytes = options->image_bytes,
					.no_image = options->no_image,
					.read_only = options->read_only };
	struct mw_plan *plan = &rig->plan;

	rig->nets = mw_arena_alloc(&plan->arena, FAKE_LINES, sizeof(*rig->nets));
	rig->links = mw_arena_alloc(&plan->arena, RIG_NODES, sizeof(*rig->links));
	rig->ram = (struct mw_plan_range){ 0, ram_bytes };
	plan->name = plan->summary = "rig";
	plan->arch = "x86_64";
	plan->ram = &rig->ram;
	plan->ram_count = 1;
	plan->ram_bytes = ram_bytes;
	plan->nodes = rig->nodes;
	plan->nets = rig->nets;
	plan->links = rig->links;
	plan->cpu.count = 1;
	plan->accel.prefer = prefer;
	plan->accel.manual_clock = !options->threads;
	plan->boot.cmdline = "";
	rig->dut = rig->nodes;
	add_part(rig, &self, "dut");
	add_node(rig, &fake_lines_type, "lines");
	claim_regions(rig, options);
	add_parts(rig, options, &self);
}

void rig_plan_fini(struct rig_plan *rig)
{
	for (size_t i = 0; i < rig->path_count; i++) {
		unlink(rig->paths[i]);
		free(rig->paths[i]);
	}
	mw_arena_fini(&rig->plan.arena);
}

long rig_plan_line(const struct rig_plan *rig, const struct mw_wire *wire, unsigned index)
{
	for (size_t i = 0; i < rig->slot_count; i++) {
		const struct rig_line_slot *slot = &rig->slots[i];

		if (slot->node == RIG_DUT && slot->wire == wire && slot->index == index)
			return (long)i;
	}
	return -1;
}

long rig_plan_stream(const struct rig_plan *rig, const struct mw_wire *wire)
{
	for (size_t i = 0; i < rig->plan.link_count; i++) {
		if (rig->links[i].node[0] == RIG_DUT && rig->links[i].wire[0] == wire &&
		    wire->kind == MW_STREAM)
			return (long)rig->links[i].node[1];
	}
	return -1;
}
