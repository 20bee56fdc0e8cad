/* Hand-made plans. */
// SPDX-License-Identifier: MIT
#include "tests/unit/core/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/registry.h"

static const char *const no_names[] = { NULL };

uint32_t toy_node(struct toy *toy, const char *id, const struct mw_device_type *type)
{
	uint32_t index = (uint32_t)toy->plan.node_count++;

	toy->nodes[index] = (struct mw_plan_node){ .id = id,
						   .type = type,
						   .bus = "sys",
						   .bus_node = UINT32_MAX,
						   .claims = toy->claims[index] };
	return index;
}

static struct mw_plan_claim *new_claim(struct toy *toy, uint32_t node)
{
	return &toy->claims[node][toy->nodes[node].claim_count++];
}

void toy_claim(struct toy *toy, uint32_t node, const char *name, uint64_t base, uint64_t length)
{
	const struct mw_region *region = mw_type_region(toy->nodes[node].type, name);

	assert_non_null(region);
	*new_claim(toy, node) =
		(struct mw_plan_claim){ .kind = region->space == MW_SPACE_PORT ? MW_CLAIM_IO
									       : MW_CLAIM_MMIO,
					.name = name,
					.region = region,
					.base = base,
					.length = length };
}

uint32_t toy_wire(struct toy *toy, uint32_t from, const char *wire, uint32_t to,
		  const char *to_wire, uint32_t index)
{
	uint32_t net = (uint32_t)toy->plan.net_count++;

	toy->sinks[net][0] =
		(struct mw_plan_sink){ to, mw_type_wire(toy->nodes[to].type, to_wire), index };
	toy->nets[net] =
		(struct mw_plan_net){ .gsi = MW_NO_GSI, .sinks = toy->sinks[net], .sink_count = 1 };
	*new_claim(toy, from) =
		(struct mw_plan_claim){ .kind = MW_CLAIM_IRQ,
					.name = wire,
					.net = net,
					.wire = mw_type_wire(toy->nodes[from].type, wire) };
	return net;
}

void toy_link(struct toy *toy, uint32_t a, const char *wire_a, uint32_t b, const char *wire_b)
{
	toy->links[toy->plan.link_count++] =
		(struct mw_plan_link){ .node = { a, b },
				       .wire = { mw_type_wire(toy->nodes[a].type, wire_a),
						 mw_type_wire(toy->nodes[b].type, wire_b) } };
}

void toy_ram(struct toy *toy, uint64_t base, uint64_t length)
{
	toy->ram[toy->plan.ram_count++] = (struct mw_plan_range){ base, length };
	toy->plan.ram_bytes += length;
}

void toy_build(struct toy *toy)
{
	toy->plan.name = "toy";
	toy->plan.nodes = toy->nodes;
	toy->plan.nets = toy->nets;
	toy->plan.links = toy->links;
	toy->plan.ram = toy->ram;
	toy->plan.cpu.count = 1;
	toy->plan.accel.prefer = no_names;
	toy->plan.accel.manual_clock = true;
	bool built = mw_machine_build(&toy->machine, &toy->plan, &toy->diagnostics);

	if (!built)
		mw_diagnostics_print(&toy->diagnostics, stderr, MW_DIAG_CONCISE, false);
	assert_true(built);
	toy->log = open_memstream(&toy->log_text, &toy->log_bytes);
	mw_machine_set_log(toy->machine, toy->log);
	toy->cpu = mw_machine_add_actor(toy->machine, "cpu0");
	assert_true(mw_machine_reset(toy->machine, &toy->diagnostics));
}

void toy_fini(struct toy *toy)
{
	mw_machine_destroy(toy->machine);
	if (toy->log)
		fclose(toy->log);
	free(toy->log_text);
	mw_diagnostics_fini(&toy->diagnostics);
	memset(toy, 0, sizeof(*toy));
}

const char *toy_log(struct toy *toy)
{
	fflush(toy->log);
	return toy->log_text;
}

void *toy_device(struct toy *toy, uint32_t node)
{
	return mw_machine_device(toy->machine, node);
}

uint64_t toy_in(struct toy *toy, uint16_t port, unsigned size)
{
	uint64_t value;

	mw_port_read(toy->cpu, port, size, &value);
	return value;
}

void toy_out(struct toy *toy, uint16_t port, unsigned size, uint64_t value)
{
	mw_port_write(toy->cpu, port, size, value);
}

uint64_t toy_peek(struct toy *toy, uint64_t address, unsigned size)
{
	uint64_t value;

	mw_memory_read(toy->cpu, address, size, &value);
	return value;
}

void toy_poke(struct toy *toy, uint64_t address, unsigned size, uint64_t value)
{
	mw_memory_write(toy->cpu, address, size, value);
}

void toy_step(struct toy *toy, uint64_t when_ns)
{
	mw_clock_step(mw_machine_clock(toy->machine), when_ns);
	mw_machine_serve(toy->machine, 0);
}
