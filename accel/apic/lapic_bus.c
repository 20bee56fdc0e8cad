/* Messages between local APICs and from devices. Reference: Intel SDM vol. 3, 11.6.2 (destinations)
 * and 11.11 (message-signalled interrupts). */
// SPDX-License-Identifier: MIT
#include "accel/apic/lapic_internal.h"

#include <stdlib.h>

#include "core/alloc.h"

enum { BROADCAST = 0xff, MODEL_FLAT = 0xf, MODEL_CLUSTER = 0x0 };

void mw_lapic_bus_init(struct mw_lapic_bus *bus, const struct mw_lapic_ops *ops, void *context)
{
	*bus = (struct mw_lapic_bus){ .ops = ops, .context = context };
}

void mw_lapic_bus_fini(struct mw_lapic_bus *bus)
{
	free(bus->lapics);
	*bus = (struct mw_lapic_bus){ 0 };
}

void mw_lapic_init(struct mw_lapic *lapic, struct mw_lapic_bus *bus, uint32_t apic_id)
{
	*lapic = (struct mw_lapic){ .bus = bus, .cpu = bus->count, .apic_id = apic_id };
	bus->lapics = mw_grow(bus->lapics, bus->count + 1, sizeof(struct mw_lapic *));
	bus->lapics[bus->count++] = lapic;
	mw_lapic_reset(lapic);
}

/* 11.6.2.2: each receiver compares by its own model; other models are reserved. */
static bool matches_logical(const struct mw_lapic *lapic, uint8_t destination)
{
	uint32_t own = lapic->registers[LAPIC_LDR] >> 24;

	switch (lapic->registers[LAPIC_DFR] >> 28) {
	case MODEL_FLAT: return own & destination;
	case MODEL_CLUSTER: return own >> 4 == destination >> 4 && (own & destination & 0xf);
	default: return false;
	}
}

static bool receives(const struct mw_lapic *lapic, const struct mw_lapic_packet *packet)
{
	/* 11.4.3: without its APIC a CPU hears of no message. */
	if (!lapic->enabled)
		return false;
	switch (packet->shorthand) {
	case LAPIC_SELF: return lapic == packet->sender;
	case LAPIC_ALL: return true;
	case LAPIC_ALL_BUT_SELF: return lapic != packet->sender;
	default: break;
	}
	if (packet->destination == BROADCAST)
		return true;
	return packet->logical ? matches_logical(lapic, packet->destination)
			       : lapic->apic_id == packet->destination;
}

/* 11.6.2.4; among equals it is the first, so that a run can be repeated. */
static void send_to_least_busy(struct mw_lapic_bus *bus, const struct mw_lapic_packet *packet)
{
	struct mw_lapic *best = NULL;

	for (unsigned i = 0; i < bus->count; i++) {
		struct mw_lapic *lapic = bus->lapics[i];

		if (!receives(lapic, packet) || !mw_lapic_software_enabled(lapic))
			continue;
		if (!best ||
		    mw_lapic_arbitration_priority(lapic) < mw_lapic_arbitration_priority(best))
			best = lapic;
	}
	if (best)
		mw_lapic_deliver(best, LAPIC_FIXED, packet->vector, packet->level_triggered);
}

void mw_lapic_send(struct mw_lapic_bus *bus, const struct mw_lapic_packet *packet)
{
	if (packet->one_receiver) {
		send_to_least_busy(bus, packet);
		return;
	}
	for (unsigned i = 0; i < bus->count; i++)
		if (receives(bus->lapics[i], packet))
			mw_lapic_deliver(bus->lapics[i], packet->delivery, packet->vector,
					 packet->level_triggered);
}

/* The end of a level is no interrupt; NMI, SMI and ExtINT are edges whatever the message says. */
static bool is_deassertion(enum lapic_delivery delivery, uint32_t data)
{
	return (data & LAPIC_LEVEL_TRIGGERED) && !(data & LAPIC_ASSERT) &&
	       (delivery == LAPIC_FIXED || delivery == LAPIC_LOWEST_PRIORITY ||
		delivery == LAPIC_INIT);
}

void mw_lapic_message(struct mw_lapic_bus *bus, uint64_t address, uint32_t data)
{
	bool redirected = address >> 3 & 1;
	struct mw_lapic_packet packet = {
		.delivery = (data & LAPIC_DELIVERY_MODE) >> LAPIC_DELIVERY_SHIFT,
		.destination = (uint8_t)(address >> 12),
		.vector = (uint8_t)data,
		.logical = address >> 2 & 1,
		.level_triggered = data & LAPIC_LEVEL_TRIGGERED,
	};

	if (address >> 20 != 0xfee || is_deassertion(packet.delivery, data))
		return;
	packet.one_receiver = packet.delivery == LAPIC_LOWEST_PRIORITY ||
			      (packet.delivery == LAPIC_FIXED && redirected);
	mw_lapic_send(bus, &packet);
}
