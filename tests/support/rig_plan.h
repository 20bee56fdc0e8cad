/** The bench's plan. For rig.c only. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_SUPPORT_RIG_PLAN_H
#define TESTS_SUPPORT_RIG_PLAN_H

#include "core/plan.h"
#include "tests/support/fakes.h"
#include "tests/support/rig.h"

enum { RIG_DUT, RIG_LINES, RIG_FIXED_NODES, RIG_NODES = 32, RIG_PARTS = 5 };

/** A plan of the device under test and its children, one node for all lines and one for each stream and
 * image. */
struct rig_plan {
	struct mw_plan plan;
	struct mw_plan_range ram;
	struct mw_plan_node nodes[RIG_NODES];
	struct mw_plan_node *dut;
	struct mw_plan_net *nets;
	struct mw_plan_link *links;
	unsigned part[RIG_PARTS]; /* node of the device and of each child */
	size_t part_count;
	size_t image[RIG_PARTS]; /* node, 0: none */
	struct rig_line_slot {
		size_t node;
		const struct mw_wire *wire;
		unsigned index;
	} slots[FAKE_LINES];
	size_t slot_count;
	size_t reader;     /* node, 0: none */
	size_t channel[8]; /* node at a DMA channel, 0: none; [0] is a device's controller */
	char *paths[8];
	size_t path_count;
};

void rig_plan_init(struct rig_plan *rig, const struct mw_device_type *type,
		   const struct rig_options *options);
void rig_plan_fini(struct rig_plan *rig);
/** The element of the fake lines' wires that stands at the device's, -1 for none. */
long rig_plan_line(const struct rig_plan *rig, const struct mw_wire *wire, unsigned index);
/** The node at the far end of the device's stream, -1 for none. */
long rig_plan_stream(const struct rig_plan *rig, const struct mw_wire *wire);

#endif
