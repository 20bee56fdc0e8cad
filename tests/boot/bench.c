/* A machine for one ROM, built from a plan written by hand. */
// SPDX-License-Identifier: MIT
#include "tests/boot/bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "devices/registry.h"

enum { NODE_ROM, NODE_DEVICE, NODE_IOAPIC, NODE_FILE, NODE_PICS, NODES };
enum { INTR_PORT = 0x511, LATER_PORT = 0x512, LATER_NS = 200000 };
enum { EXIT_PORT = 0xf4, RESET_PORT = 0x64, PORTS = 0x500, LINE_PORT = 0x510, LINE = 5 };
enum { PORT_BYTES = 16, MMIO_BYTES = 0x1000, ROM_BYTES = 0x10000 };
#define MMIO_BASE   0xfea00000u
#define ROM_BASE    0xffff0000u
#define IOAPIC_BASE 0xfec00000u

static enum mw_io note(struct bench_device *device, struct bench_access access)
{
	if (device->count < BENCH_ACCESSES)
		device->accesses[device->count] = access;
	device->count++;
	return MW_IO_OK;
}

static uint64_t answer(const struct bench_device *device, uint64_t offset, unsigned size)
{
	uint64_t value = device->answer, mask = size == 8 ? ~0ull : (1ull << 8 * size) - 1;

	for (unsigned i = 0; i < size && !device->answer; i++)
		value |= (0xa0 + ((offset + i) & 0xf)) << 8 * i;
	return value & mask;
}

static enum mw_io read_port(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	*value = answer(self, offset, size);
	return note(self, (struct bench_access){ false, false, offset, *value, size });
}

static enum mw_io write_port(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	return note(self, (struct bench_access){ false, true, offset, value, size });
}

static enum mw_io read_mmio(void *self, uint64_t offset, unsigned size, uint64_t *value)
{
	*value = answer(self, offset, size);
	return note(self, (struct bench_access){ true, false, offset, *value, size });
}

static enum mw_io write_mmio(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	return note(self, (struct bench_access){ true, true, offset, value, size });
}

static enum mw_io write_exit(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct bench_device *device = self;

	mw_power_request(device->power, MW_POWER_EXIT, (int)value);
	return MW_IO_OK;
}

static enum mw_io write_reset(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct bench_device *device = self;

	mw_power_request(device->power, MW_POWER_RESET, 0);
	return MW_IO_OK;
}

static enum mw_io write_line(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct bench_device *device = self;

	mw_line_set(device->irq, value & 1);
	return note(device, (struct bench_access){ false, true, LINE_PORT, value, size });
}

static enum mw_io write_intr(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct bench_device *device = self;

	device->vector = (uint8_t)value;
	device->asserted = true;
	mw_intr_set(device->intr, true);
	return MW_IO_OK;
}

static enum mw_io write_later(void *self, uint64_t offset, unsigned size, uint64_t value)
{
	struct bench_device *device = self;

	device->vector = (uint8_t)value;
	mw_timer_arm(device->later, mw_now_ns(self) + LATER_NS);
	return MW_IO_OK;
}

static void on_later(void *self)
{
	struct bench_device *device = self;

	write_intr(self, 0, 1, device->vector);
}

static int on_acknowledge(void *self)
{
	struct bench_device *device = self;

	device->acknowledged++;
	device->spurious += !device->asserted;
	device->asserted = false;
	mw_intr_set(device->intr, false);
	return device->vector;
}

enum { WIRE_POWER, WIRE_IRQ, WIRE_INTR };
static const struct mw_wire wires[] = {
	{ "power", "Exit and reset.", MW_FIELD(struct bench_device, power) },
	{ "irq", "What the guest sets it to.", MW_FIELD(struct bench_device, irq) },
	{ "intr", "The processor's pin.", MW_FIELD(struct bench_device, intr),
	  .on_acknowledge = on_acknowledge },
};
static const struct mw_region regions[] = {
	{ "ports", MW_SPACE_PORT, PORT_BYTES, MW_ACCESS(1, 4), read_port, write_port,
	  .unaligned = true },
	{ "mmio", MW_SPACE_MEMORY, MMIO_BYTES, MW_ACCESS(1, 8), read_mmio, write_mmio,
	  .unaligned = true, .collects = true },
	{ "exit", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), NULL, write_exit },
	{ "reset", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), NULL, write_reset },
	{ "line", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), NULL, write_line },
	{ "intr", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), NULL, write_intr },
	{ "later", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), NULL, write_later },
};
static const struct mw_timer_row timers[] = {
	{ "later", MW_FIELD(struct bench_device, later), .on_expire = on_later },
};
static const struct mw_device_type bench_type = {
	MW_DEVICE_TYPE,
	.name = "bench",
	.summary = "notes every access",
	.size = sizeof(struct bench_device),
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.timers = MW_TABLE(timers),
};

static const struct mw_device_type *type_named(const char *name)
{
	for (size_t i = 0; mw_device_types[i]; i++)
		if (strcmp(mw_device_types[i]->name, name) == 0)
			return mw_device_types[i];
	fail_msg("there is no device type %s", name);
	return NULL;
}

static const struct mw_plan_value *values_for(struct mw_arena *arena,
					      const struct mw_device_type *type, const char *path)
{
	struct mw_plan_value *values =
		mw_arena_alloc(arena, type->properties.count + 1, sizeof(*values));

	for (size_t i = 0; i < type->properties.count; i++) {
		values[i].property = &type->properties.items[i];
		values[i].number = type->properties.items[i].fallback;
		values[i].text = strcmp(values[i].property->name, "path") == 0 ? path : "";
	}
	return values;
}

/* The ioapic of the kernel tells this version. */
static void set_version(const struct mw_plan_node *ioapic, uint64_t version)
{
	((struct mw_plan_value *)mw_plan_value(ioapic, "version"))->number = version;
}

/* A length of 0 leaves the region unclaimed. */
static void place(struct mw_arena *arena, struct mw_plan_node *node, const uint64_t *bases,
		  const uint64_t *lengths)
{
	struct mw_plan_claim *claims =
		mw_arena_alloc(arena, node->type->regions.count + 1, sizeof(*claims));

	node->claims = claims;
	node->claim_count = 0;
	for (size_t i = 0; i < node->type->regions.count; i++) {
		const struct mw_region *region = &node->type->regions.items[i];
		struct mw_plan_claim *claim = &claims[node->claim_count];

		if (!lengths[i])
			continue;
		claim->kind = region->space == MW_SPACE_PORT ? MW_CLAIM_IO : MW_CLAIM_MMIO;
		claim->name = region->name;
		claim->region = region;
		claim->base = bases[i];
		claim->length = lengths[i];
		node->claim_count++;
	}
	if (node->type != &bench_type)
		return;
	claims[node->claim_count].kind = MW_CLAIM_IRQ;
	claims[node->claim_count].name = "irq";
	claims[node->claim_count++].wire = &wires[WIRE_IRQ];
}

static void make_net(struct mw_plan *plan, const struct mw_device_type *ioapic)
{
	struct mw_plan_net *net = mw_arena_alloc(&plan->arena, 1, sizeof(*net));
	struct mw_plan_sink *sink = mw_arena_alloc(&plan->arena, 1, sizeof(*sink));

	*sink = (struct mw_plan_sink){ NODE_IOAPIC, &ioapic->wires.items[0], LINE };
	*net = (struct mw_plan_net){ .domain = "gsi",
				     .line = LINE,
				     .gsi = LINE,
				     .trigger = MW_TRIGGER_LEVEL,
				     .sinks = sink,
				     .sink_count = 1 };
	plan->nets = net;
	plan->net_count = 1;
}

static void make_nodes(struct mw_plan *plan, const char *path, bool kernel_chips)
{
	static const uint64_t rom_base[] = { ROM_BASE, 0 }, rom_length[] = { ROM_BYTES, 0 };
	static const uint64_t bases[] = { PORTS,     MMIO_BASE, EXIT_PORT, RESET_PORT,
					  LINE_PORT, INTR_PORT, LATER_PORT };
	static const uint64_t lengths[] = { PORT_BYTES, MMIO_BYTES, 1, 1, 1, 1, 1 };
	static const uint64_t ioapic_base[] = { IOAPIC_BASE };
	static const uint64_t pic_bases[] = { 0x20, 0xa0, 0x4d0 }, pic_lengths[] = { 2, 2, 2 };
	static const char *const ids[NODES] = { "rom", "bench", "ioapic", "rom.file", "pics" };
	const struct mw_device_type *const types[NODES] = { type_named("rom"), &bench_type,
							    type_named("ioapic"),
							    type_named("image-file"),
							    type_named("i8259") };
	struct mw_plan_node *nodes = mw_arena_alloc(&plan->arena, NODES, sizeof(*nodes));
	struct mw_plan_link *link = mw_arena_alloc(&plan->arena, 1, sizeof(*link));

	for (size_t i = 0; i < NODES; i++) {
		nodes[i].type = types[i];
		nodes[i].id = ids[i];
		nodes[i].bus = "sys";
		nodes[i].bus_node = UINT32_MAX;
		nodes[i].host = i == NODE_FILE;
		nodes[i].values = values_for(&plan->arena, nodes[i].type, path);
		nodes[i].value_count = nodes[i].type->properties.count;
	}
	place(&plan->arena, &nodes[NODE_ROM], rom_base, rom_length);
	place(&plan->arena, &nodes[NODE_DEVICE], bases, lengths);
	place(&plan->arena, &nodes[NODE_IOAPIC], ioapic_base,
	      &nodes[NODE_IOAPIC].type->regions.items[0].size);
	if (kernel_chips)
		set_version(&nodes[NODE_IOAPIC], 0x11);
	make_net(plan, nodes[NODE_IOAPIC].type);
	place(&plan->arena, &nodes[NODE_PICS], pic_bases, pic_lengths);
	link->node[0] = NODE_ROM;
	link->node[1] = NODE_FILE;
	link->wire[0] = &nodes[NODE_ROM].type->wires.items[0];
	link->wire[1] = &nodes[NODE_FILE].type->wires.items[0];
	plan->nodes = nodes;
	plan->node_count = kernel_chips ? NODES : NODE_PICS;
	plan->links = link;
	plan->link_count = 1;
}

static void make_plan(struct mw_plan *plan, const char *path, unsigned cpus, bool kernel_chips)
{
	static const struct mw_plan_range ram = { 0, BENCH_RAM_BYTES };
	static const char *const prefer[] = { "kvm", NULL };

	make_nodes(plan, path, kernel_chips);
	plan->accel.irqchip = kernel_chips ? MW_IRQCHIP_KERNEL : BENCH_IRQCHIP;
	plan->name = "bench";
	plan->summary = "a machine for one ROM";
	plan->arch = "x86_64";
	plan->ram = &ram;
	plan->ram_count = 1;
	plan->ram_bytes = BENCH_RAM_BYTES;
	plan->cpu = (struct mw_plan_cpu){ .model = "host",
					  .host_model = true,
					  .count = cpus,
					  .sockets = 1,
					  .cores = cpus,
					  .threads = 1,
					  .hypervisor = MW_HYPERVISOR_KVM };
	plan->accel.prefer = prefer;
	plan->power = (struct mw_plan_power){ MW_ACTION_EXIT, MW_ACTION_RESET, MW_ACTION_STOP,
					      MW_ACTION_RESET };
	plan->boot.cmdline = "";
	plan->boot.firmware = "rom";
}

static void fail_with(struct bench *bench, const char *what)
{
	mw_diagnostics_print(&bench->diagnostics, stderr, MW_DIAG_FULL, false);
	fail_msg("%s", what);
}

const struct mw_accel_ops *bench_accel(void)
{
	return mw_accel_find(BENCH_ACCEL);
}

const char *bench_obstacle(void)
{
	if (!bench_accel())
		return BENCH_ACCEL " is not built in";
	if (strcmp(BENCH_ACCEL, "kvm") == 0 && access("/dev/kvm", R_OK | W_OK) != 0)
		return "no usable /dev/kvm";
	return NULL;
}

static void create(struct bench *bench, const char *rom, unsigned cpus, bool kernel_chips)
{
	char path[512];

	memset(bench, 0, sizeof(*bench));
	snprintf(path, sizeof(path), "%s/%s.rom", MW_ROM_FOLDER, rom);
	make_plan(&bench->plan, mw_arena_strdup(&bench->plan.arena, path), cpus, kernel_chips);
	if (!mw_machine_build(&bench->machine, &bench->plan, &bench->diagnostics))
		fail_with(bench, "the machine is not built");
	if (!bench_accel()->create(&bench->accel, bench->machine, &bench->diagnostics))
		fail_with(bench, "no accelerator");
	bench->device = mw_machine_device(bench->machine, NODE_DEVICE);
	bench->ram = mw_machine_ram(bench->machine, 0, BENCH_RAM_BYTES);
	assert_non_null(bench->ram);
	if (!mw_machine_reset(bench->machine, &bench->diagnostics))
		fail_with(bench, "the machine is not reset");
}

void bench_create(struct bench *bench, const char *rom, unsigned cpus)
{
	create(bench, rom, cpus, false);
}

void bench_create_kernel_chips(struct bench *bench, const char *rom, unsigned cpus)
{
	create(bench, rom, cpus, true);
}

void bench_destroy(struct bench *bench)
{
	bench_accel()->destroy(bench->accel);
	mw_machine_destroy(bench->machine);
	mw_arena_fini(&bench->plan.arena);
	mw_diagnostics_fini(&bench->diagnostics);
}

int bench_run(struct bench *bench)
{
	int code = mw_machine_run(bench->machine, &bench->diagnostics);

	if (bench->diagnostics.errors)
		fail_with(bench, "the machine failed");
	return code;
}

/* Guest memory is the guest's: its CPUs write while we look. */
__attribute__((no_sanitize("thread"))) uint32_t bench_word(const struct bench *bench,
							   uint32_t address)
{
	return __atomic_load_n((const uint32_t *)(const void *)(bench->ram + address),
			       __ATOMIC_SEQ_CST);
}

void bench_wait(struct bench *bench, uint32_t address, uint32_t least)
{
	static const struct timespec nap = { .tv_nsec = 50000 };

	for (unsigned i = 0; bench_word(bench, address) < least; i++) {
		if (i > 400000)
			fail_msg("0x%x stays at %u", address, bench_word(bench, address));
		nanosleep(&nap, NULL);
	}
}

void bench_linger(unsigned turn)
{
	struct timespec until, now;
	long pause_ns = turn * 7919 % 200 * 1000;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += pause_ns;
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - until.tv_sec) * 1000000000 + now.tv_nsec < until.tv_nsec);
}
