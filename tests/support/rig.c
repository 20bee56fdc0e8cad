/* The test bench: a plan in memory with one real device, and the machine built from it. */
// SPDX-License-Identifier: MIT
#include "tests/support/rig.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/machine_internal.h"
#include "core/registry.h"
#include "tests/support/channels.h"
#include "tests/support/rig_plan.h"

struct rig {
	struct rig_plan plan;
	struct mw_machine *machine;
	struct mw_actor *actor;
	struct {
		uint64_t address;
		uint32_t data;
	} messages[FAKE_MESSAGES];
	size_t message_head, message_count;
	struct rig_route routes[FAKE_ROUTES];
	bool intr;
	unsigned seen_rises[FAKE_LINES];
	uint8_t *saved;
	FILE *log;
	char *log_text;
	size_t log_bytes;
};

static void misuse(const struct rig *rig, const char *what, const char *name)
{
	fprintf(stderr, "rig: %s has no %s `%s`\n", rig->plan.dut->type->name, what, name);
	abort();
}

static enum mw_status exec_map(void *self, uint64_t base, uint64_t length, void *host,
			       bool readonly)
{
	return MW_STATUS_OK;
}

static enum mw_status exec_unmap(void *self, uint64_t base, uint64_t length)
{
	return MW_STATUS_OK;
}

static enum mw_status exec_nothing(void *self)
{
	return MW_STATUS_OK;
}

static enum mw_status exec_set_cpu(void *self, unsigned cpu, const struct mw_cpu_state *state)
{
	return MW_STATUS_OK;
}

static void exec_stop(void *self)
{
}

static void exec_msi(void *self, uint64_t address, uint32_t data)
{
	struct rig *rig = self;
	size_t slot = (rig->message_head + rig->message_count) % FAKE_MESSAGES;

	if (rig->message_count == FAKE_MESSAGES)
		return;
	rig->messages[slot].address = address;
	rig->messages[slot].data = data;
	rig->message_count++;
}

static void exec_route(void *self, unsigned index, uint64_t address, uint32_t data, bool valid)
{
	if (index < FAKE_ROUTES)
		((struct rig *)self)->routes[index] = (struct rig_route){ address, data, valid };
}

static void exec_intr(void *self, bool level)
{
	((struct rig *)self)->intr = level;
}

static const struct mw_executor_ops executor_ops = {
	.map = exec_map,
	.unmap = exec_unmap,
	.reset = exec_nothing,
	.set_cpu = exec_set_cpu,
	.start = exec_nothing,
	.stop = exec_stop,
	.msi = exec_msi,
	.intr = exec_intr,
	.route = exec_route,
};

bool rig_try(struct rig **out, const struct mw_device_type *type, const struct rig_options *options,
	     struct mw_diagnostics *diagnostics)
{
	struct rig *rig = mw_alloc(1, sizeof(*rig));

	*out = NULL;
	rig_plan_init(&rig->plan, type, options);
	if (!mw_machine_build(&rig->machine, &rig->plan.plan, diagnostics)) {
		rig_destroy(rig);
		return false;
	}
	rig->log = open_memstream(&rig->log_text, &rig->log_bytes);
	mw_machine_set_log(rig->machine, rig->log);
	rig->actor = mw_machine_add_actor(rig->machine, "rig");
	mw_machine_set_executor(rig->machine, (struct mw_executor){ &executor_ops, rig });
	if (!mw_machine_reset(rig->machine, diagnostics)) {
		rig_destroy(rig);
		return false;
	}
	if (!options->unstarted)
		mw_machine_start(rig->machine);
	*out = rig;
	return true;
}

struct rig *rig_create(const struct mw_device_type *type, const struct rig_setting *settings)
{
	struct mw_diagnostics diagnostics = { 0 };
	struct rig *rig;

	if (!rig_try(&rig, type, &(struct rig_options){ .settings = settings }, &diagnostics)) {
		mw_diagnostics_print(&diagnostics, stderr, MW_DIAG_CONCISE, false);
		abort();
	}
	mw_diagnostics_fini(&diagnostics);
	return rig;
}

void rig_destroy(struct rig *rig)
{
	if (!rig)
		return;
	if (rig->machine)
		mw_machine_drop_executor(rig->machine);
	mw_machine_destroy(rig->machine);
	if (rig->log)
		fclose(rig->log);
	free(rig->log_text);
	free(rig->saved);
	rig_plan_fini(&rig->plan);
	free(rig);
}

void *rig_device(struct rig *rig)
{
	return mw_machine_device(rig->machine, RIG_DUT);
}

struct mw_machine *rig_machine(struct rig *rig)
{
	return rig->machine;
}

void rig_stop(struct rig *rig)
{
	mw_machine_stop(rig->machine);
}

void rig_start(struct rig *rig)
{
	mw_machine_start(rig->machine);
}

void rig_reset(struct rig *rig)
{
	struct mw_diagnostics diagnostics = { 0 };

	mw_machine_stop(rig->machine);
	if (!mw_machine_reset(rig->machine, &diagnostics))
		abort();
	mw_machine_start(rig->machine);
	mw_diagnostics_fini(&diagnostics);
}

void rig_serve(struct rig *rig, unsigned wait_ms)
{
	mw_machine_serve(rig->machine, wait_ms * UINT64_C(1000000));
}

static uint64_t address_of(const struct rig *rig, const char *region, uint64_t offset, bool *port)
{
	for (size_t i = 0; i < rig->plan.dut->claim_count; i++) {
		const struct mw_plan_claim *claim = &rig->plan.dut->claims[i];

		if (!claim->region || strcmp(claim->region->name, region) != 0)
			continue;
		*port = claim->kind == MW_CLAIM_IO;
		return claim->base + offset;
	}
	misuse(rig, "region", region);
	return 0;
}

uint64_t rig_read(struct rig *rig, const char *region, uint64_t offset, unsigned size)
{
	bool port;
	uint64_t value = 0, address = address_of(rig, region, offset, &port);

	if (port)
		mw_port_read(rig->actor, (uint16_t)address, size, &value);
	else
		mw_memory_read(rig->actor, address, size, &value);
	return value;
}

void rig_write(struct rig *rig, const char *region, uint64_t offset, unsigned size, uint64_t value)
{
	bool port;
	uint64_t address = address_of(rig, region, offset, &port);

	if (port)
		mw_port_write(rig->actor, (uint16_t)address, size, value);
	else
		mw_memory_write(rig->actor, address, size, value);
}

uint64_t rig_bus_read(struct rig *rig, enum mw_space space, uint64_t address, unsigned size)
{
	uint64_t value = 0;

	if (space == MW_SPACE_PORT)
		mw_port_read(rig->actor, (uint16_t)address, size, &value);
	else
		mw_memory_read(rig->actor, address, size, &value);
	return value;
}

void rig_bus_write(struct rig *rig, enum mw_space space, uint64_t address, unsigned size,
		   uint64_t value)
{
	if (space == MW_SPACE_PORT)
		mw_port_write(rig->actor, (uint16_t)address, size, value);
	else
		mw_memory_write(rig->actor, address, size, value);
}

static struct fake_lines *lines(struct rig *rig)
{
	return mw_machine_device(rig->machine, RIG_LINES);
}

static unsigned probe(const struct rig *rig, const char *wire, unsigned index)
{
	const struct mw_wire *row = mw_type_wire(rig->plan.dut->type, wire);
	long slot = row ? rig_plan_line(&rig->plan, row, index) : -1;

	if (slot < 0)
		misuse(rig, "line", wire);
	return (unsigned)slot;
}

bool rig_line(struct rig *rig, const char *wire, unsigned index)
{
	return lines(rig)->level[probe(rig, wire, index)];
}

unsigned rig_rises(struct rig *rig, const char *wire, unsigned index)
{
	unsigned slot = probe(rig, wire, index);
	unsigned rises = lines(rig)->rises[slot] - rig->seen_rises[slot];

	rig->seen_rises[slot] += rises;
	return rises;
}

/* Brackets what a fake does of its own accord. */
static void enter(struct rig *rig, size_t node)
{
	mw_actor_begin(rig->actor);
	mw_node_enter(rig->machine->nodes[node], rig->actor);
}

static void leave(struct rig *rig, size_t node)
{
	mw_node_leave(rig->machine->nodes[node]);
	mw_actor_end(rig->actor);
}

void rig_drive(struct rig *rig, const char *wire, unsigned index, bool level)
{
	unsigned slot = probe(rig, wire, index);

	enter(rig, RIG_LINES);
	mw_line_set(lines(rig)->out[slot], level);
	leave(rig, RIG_LINES);
}

static size_t stream_node(const struct rig *rig, const char *wire)
{
	const struct mw_wire *row = mw_type_wire(rig->plan.dut->type, wire);
	long node = row ? rig_plan_stream(&rig->plan, row) : -1;

	if (node < 0)
		misuse(rig, "stream", wire);
	return (size_t)node;
}

void rig_send(struct rig *rig, const char *wire, const void *bytes, size_t count)
{
	size_t node = stream_node(rig, wire);
	struct fake_stream *fake = mw_machine_device(rig->machine, node);

	enter(rig, node);
	mw_stream_write(fake->port, bytes, count);
	leave(rig, node);
}

size_t rig_take(struct rig *rig, const char *wire, void *bytes, size_t capacity)
{
	struct fake_stream *fake = mw_machine_device(rig->machine, stream_node(rig, wire));
	size_t count = fake->count < capacity ? fake->count : capacity;

	memcpy(bytes, fake->bytes, count);
	memmove(fake->bytes, fake->bytes + count, fake->count - count);
	fake->count -= count;
	return count;
}

void rig_hold(struct rig *rig, const char *wire, bool hold)
{
	size_t node = stream_node(rig, wire);
	struct fake_stream *fake = mw_machine_device(rig->machine, node);

	enter(rig, node);
	mw_stream_credit(fake->port, hold ? 0 : SIZE_MAX);
	leave(rig, node);
}

void rig_drop(struct rig *rig)
{
	for (size_t i = 0; i < rig->plan.plan.link_count; i++)
		rig->machine->links[i].to[0].count = 0; /* side 0 is the device's in every link */
}

uint64_t rig_now(struct rig *rig)
{
	return mw_clock_now(mw_machine_clock(rig->machine));
}

void rig_advance(struct rig *rig, uint64_t ns)
{
	mw_clock_step(mw_machine_clock(rig->machine), rig_now(rig) + ns);
	mw_machine_serve(rig->machine, 0);
}

bool rig_message(struct rig *rig, uint64_t *address, uint32_t *data)
{
	if (!rig->message_count)
		return false;
	*address = rig->messages[rig->message_head].address;
	*data = rig->messages[rig->message_head].data;
	rig->message_head = (rig->message_head + 1) % FAKE_MESSAGES;
	rig->message_count--;
	return true;
}

struct rig_route rig_route(struct rig *rig, unsigned index)
{
	return rig->routes[index];
}

void rig_eoi(struct rig *rig, uint8_t vector)
{
	mw_machine_eoi(rig->actor, vector);
}

bool rig_intr(struct rig *rig)
{
	return rig->intr;
}

/* The row itself and not mw_machine_acknowledge, which finds nobody where INTR is low. */
int rig_acknowledge(struct rig *rig)
{
	const struct mw_device_type *type = rig->plan.dut->type;
	int vector = -1;

	for (size_t i = 0; i < type->wires.count && vector < 0; i++) {
		if (!type->wires.items[i].on_acknowledge)
			continue;
		enter(rig, RIG_DUT);
		vector = type->wires.items[i].on_acknowledge(rig_device(rig));
		leave(rig, RIG_DUT);
	}
	return vector;
}

bool rig_input(struct rig *rig, const char *wire, const struct mw_input_event *event)
{
	const struct mw_wire *row = mw_type_wire(rig->plan.dut->type, wire);

	if (!row || !row->on_input || !(row->takes >> event->kind & 1))
		misuse(rig, "input of this kind", wire);
	enter(rig, RIG_DUT);
	bool taken = row->on_input(rig_device(rig), event);

	leave(rig, RIG_DUT);
	return taken;
}

void *rig_channel(struct rig *rig, unsigned channel)
{
	if (!rig->plan.channel[channel])
		misuse(rig, "DMA channel of that number", "dma");
	return mw_machine_device(rig->machine, rig->plan.channel[channel]);
}

void rig_dreq(struct rig *rig, unsigned channel, bool level)
{
	struct fake_channel *fake = rig_channel(rig, channel);

	enter(rig, rig->plan.channel[channel]);
	mw_dma_dreq(fake->dma, level);
	leave(rig, rig->plan.channel[channel]);
}

void *rig_controller(struct rig *rig)
{
	return rig_channel(rig, 0);
}

void rig_grant(struct rig *rig, const struct mw_dma_cycle *cycle)
{
	struct fake_controller *fake = rig_controller(rig);

	enter(rig, rig->plan.channel[0]);
	fake->cycle = *cycle;
	mw_dma_poll(fake);
	leave(rig, rig->plan.channel[0]);
}

bool rig_power(struct rig *rig, enum mw_power_event *event, int *code)
{
	struct mw_machine *machine = rig->machine;
	bool pending = machine->power_pending;

	*event = machine->power_event;
	*code = machine->power_code;
	machine->power_pending = false;
	atomic_store(&machine->stopping, false);
	return pending;
}

static struct mw_image *image(struct rig *rig)
{
	if (!rig->plan.reader)
		misuse(rig, "image to read", "image");
	return ((struct fake_reader *)mw_machine_device(rig->machine, rig->plan.reader))->image;
}

bool rig_image_read(struct rig *rig, uint64_t offset, void *bytes, size_t count)
{
	return mw_image_read(image(rig), offset, bytes, count);
}

uint64_t rig_image_size(struct rig *rig)
{
	return mw_image_size(image(rig));
}

const uint8_t *rig_save(struct rig *rig, size_t *count)
{
	*count = 0;
	for (size_t i = 0; i < rig->plan.part_count; i++) {
		size_t more = mw_node_save(rig->machine, rig->plan.part[i], NULL, 0);

		rig->saved = mw_grow(rig->saved, *count + more + 1, 1);
		mw_node_save(rig->machine, rig->plan.part[i], rig->saved + *count, more);
		*count += more;
	}
	return rig->saved;
}

bool rig_load(struct rig *rig, const uint8_t *bytes, size_t count)
{
	struct mw_diagnostics diagnostics = { 0 };
	size_t parts = rig->plan.part_count;
	bool good = true;

	for (size_t i = 0; i < parts && good; i++) {
		unsigned node = rig->plan.part[i];
		size_t own = mw_node_save(rig->machine, node, NULL, 0);

		if (i + 1 == parts || own > count)
			own = count;
		good = mw_node_load(rig->machine, node, bytes, own, &diagnostics);
		bytes += own;
		count -= own;
	}
	mw_diagnostics_fini(&diagnostics);
	return good;
}

static const struct mw_config_ops *config_ops(const struct rig *rig)
{
	const struct mw_config_ops *ops = rig->plan.dut->type->config;

	if (!ops)
		misuse(rig, "configuration space", "config");
	return ops;
}

static void *config_of(struct rig *rig)
{
	return (uint8_t *)rig_device(rig) + config_ops(rig)->offset;
}

uint32_t rig_config_read(struct rig *rig, uint32_t offset, unsigned size)
{
	uint32_t value = 0;

	enter(rig, RIG_DUT);
	if (config_ops(rig)->read(config_of(rig), offset, size, &value) != MW_IO_OK)
		value = UINT32_MAX >> (32 - 8 * size);
	leave(rig, RIG_DUT);
	return value;
}

void rig_config_write(struct rig *rig, uint32_t offset, unsigned size, uint32_t value)
{
	enter(rig, RIG_DUT);
	config_ops(rig)->write(config_of(rig), offset, size, value);
	leave(rig, RIG_DUT);
}

void rig_place_bars(struct rig *rig)
{
	const struct mw_plan_node *dut = rig->plan.dut;
	enum { COMMAND = 0x04, ALL = 0x07, BASE = 0x10, ROM_BAR = 6, ROM_BASE = 0x30 };

	for (size_t i = 0; i < dut->claim_count; i++) {
		const struct mw_region *region = dut->claims[i].region;
		unsigned bar = region ? region->bar : 0;

		if (bar)
			rig_config_write(rig, bar - 1 == ROM_BAR ? ROM_BASE : BASE + 4 * (bar - 1),
					 4, (uint32_t)dut->claims[i].base | (bar - 1 == ROM_BAR));
	}
	rig_config_write(rig, COMMAND, 2, ALL);
}

static struct fake_image *fake_of(struct rig *rig, unsigned part)
{
	if (part >= rig->plan.part_count || !rig->plan.image[part])
		misuse(rig, "image of a part", "image");
	return mw_machine_device(rig->machine, rig->plan.image[part]);
}

struct rig_image rig_image(struct rig *rig, unsigned part)
{
	struct fake_image *fake = fake_of(rig, part);

	pthread_mutex_lock(&fake->mutex);
	struct rig_image image = { .bytes = fake->bytes,
				   .count = fake->count,
				   .reads = fake->reads,
				   .writes = fake->writes,
				   .flushes = fake->flushes,
				   .discards = fake->discards };

	pthread_mutex_unlock(&fake->mutex);
	return image;
}

void rig_image_fail(struct rig *rig, unsigned part, bool fail)
{
	struct fake_image *fake = fake_of(rig, part);

	pthread_mutex_lock(&fake->mutex);
	fake->fails = fail;
	pthread_mutex_unlock(&fake->mutex);
}

void rig_image_hold(struct rig *rig, unsigned part, bool hold)
{
	struct fake_image *fake = fake_of(rig, part);

	pthread_mutex_lock(&fake->mutex);
	fake->held = hold;
	pthread_cond_broadcast(&fake->changed);
	pthread_mutex_unlock(&fake->mutex);
}

void rig_image_change(struct rig *rig, unsigned part, const uint8_t *bytes, size_t count)
{
	struct mw_diagnostics diagnostics = { 0 };

	fake_of(rig, part)->next = (struct mw_blob){ bytes, bytes ? count : 0 };
	if (!mw_machine_change_medium(rig->machine, rig->plan.part[part], bytes ? "new" : NULL,
				      &diagnostics))
		abort();
	mw_diagnostics_fini(&diagnostics);
}

void rig_settle(struct rig *rig)
{
	mw_images_drain(rig->machine);
}

void *rig_part(struct rig *rig, unsigned part)
{
	if (part >= rig->plan.part_count)
		misuse(rig, "part of that number", "part");
	return mw_machine_device(rig->machine, rig->plan.part[part]);
}

void *rig_far(struct rig *rig, const char *wire)
{
	const struct mw_wire *row = mw_type_wire(rig->plan.dut->type, wire);
	const struct mw_plan *plan = &rig->plan.plan;

	for (size_t i = 0; row && i < plan->link_count; i++) {
		if (plan->links[i].node[0] == RIG_DUT && plan->links[i].wire[0] == row)
			return mw_machine_device(rig->machine, plan->links[i].node[1]);
	}
	misuse(rig, "link", wire);
	return NULL;
}

const char *rig_log(struct rig *rig)
{
	fflush(rig->log);
	return rig->log_text ? rig->log_text : "";
}
