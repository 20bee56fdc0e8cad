/** Small plans made by hand for tests of core, without resolver and devices. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_UNIT_CORE_TOY_H
#define TESTS_UNIT_CORE_TOY_H

#include "core/clock.h"
#include "core/diagnostics.h"
#include "core/machine.h"

/** A plan under construction and the machine made of it. Zero it, add nodes, then toy_build. */
struct toy {
	struct mw_plan plan;
	struct mw_plan_node nodes[16];
	struct mw_plan_claim claims[16][8];
	struct mw_plan_net nets[16];
	struct mw_plan_sink sinks[16][4];
	struct mw_plan_link links[8];
	struct mw_plan_range ram[2];
	struct mw_diagnostics diagnostics;
	struct mw_machine *machine;
	struct mw_actor *cpu;
	FILE *log;
	char *log_text;
	size_t log_bytes;
};

uint32_t toy_node(struct toy *toy, const char *id, const struct mw_device_type *type);
void toy_claim(struct toy *toy, uint32_t node, const char *region, uint64_t base, uint64_t length);
/** Wires line `wire` of `from` to line `to_wire`[index] of `to`; returns the net. */
uint32_t toy_wire(struct toy *toy, uint32_t from, const char *wire, uint32_t to,
		  const char *to_wire, uint32_t index);
void toy_link(struct toy *toy, uint32_t a, const char *wire_a, uint32_t b, const char *wire_b);
void toy_ram(struct toy *toy, uint64_t base, uint64_t length);
/** Builds and resets with a manual clock, or fails the test with the diagnostics. */
void toy_build(struct toy *toy);
void toy_fini(struct toy *toy);
/** Everything logged so far. */
const char *toy_log(struct toy *toy);
void *toy_device(struct toy *toy, uint32_t node);
uint64_t toy_in(struct toy *toy, uint16_t port, unsigned size);
void toy_out(struct toy *toy, uint16_t port, unsigned size, uint64_t value);
uint64_t toy_peek(struct toy *toy, uint64_t address, unsigned size);
void toy_poke(struct toy *toy, uint64_t address, unsigned size, uint64_t value);
/** Steps the clock and serves the timers that come due. */
void toy_step(struct toy *toy, uint64_t when_ns);

#endif
