/* What a guest and the world may do to a device, from bytes. */
// SPDX-License-Identifier: MIT
#include "tests/support/accesses.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/channels.h"

enum { STEP_BYTES = 8, TAKE_BYTES = 4096 };
enum {
	DO_READ,
	DO_WRITE,
	DO_WRITE_LOW, /* small values: bits of control registers */
	DO_LINE,
	DO_SEND,
	DO_TIME,
	DO_EOI,
	DO_HOLD,
	DO_RESET,
	DO_ACKNOWLEDGE,
	DO_INPUT,
	DO_COUNT,
	DO_OTHER = DO_COUNT /* of what is a PCI function, or is at a channel of an 8237 */
};

/* Mostly inside the region, and now and then across its end. */
static uint64_t pick_offset(const struct mw_region *region, unsigned number)
{
	uint64_t length = region->size ? region->size : 16;

	return number % (length < 0x40 ? length + 2 : length);
}

static void access_region(struct rig *rig, const struct mw_device_type *type, unsigned what,
			  const uint8_t *step)
{
	if (!type->regions.count)
		return;
	const struct mw_region *region = &type->regions.items[step[1] % type->regions.count];
	unsigned size = 1u << (step[2] % (region->space == MW_SPACE_PORT ? 3 : 4));
	uint64_t value = step[4], offset = pick_offset(region, step[3] | (step[2] & 0xf0u) << 4);

	if (what == DO_WRITE)
		value |= (uint64_t)step[5] << 8 | (uint64_t)step[6] << 24 | (uint64_t)step[7] << 56;
	if (what == DO_READ)
		rig_read(rig, region->name, offset, size);
	else
		rig_write(rig, region->name, offset, size, value);
}

/* Kinds that come in both directions. */
static bool hears(enum mw_kind kind)
{
	return kind == MW_LINE || kind == MW_INPUT;
}

static const struct mw_wire *pick_wire(const struct mw_device_type *type, enum mw_kind kind,
				       unsigned number)
{
	for (size_t i = 0; i < type->wires.count; i++) {
		const struct mw_wire *wire = &type->wires.items[(number + i) % type->wires.count];

		if (wire->kind == kind && (!hears(kind) || wire->direction == MW_RECEIVES))
			return wire;
	}
	return NULL;
}

static void drive_line(struct rig *rig, const struct mw_device_type *type, const uint8_t *step)
{
	const struct mw_wire *wire = pick_wire(type, MW_LINE, step[1]);

	if (wire)
		rig_drive(rig, wire->name, step[2] % (wire->count ? (unsigned)wire->count : 1),
			  step[3] & 1);
}

static void use_stream(struct rig *rig, const struct mw_device_type *type, unsigned what,
		       const uint8_t *step)
{
	const struct mw_wire *wire = pick_wire(type, MW_STREAM, step[1]);
	uint8_t bytes[TAKE_BYTES];

	if (!wire)
		return;
	if (what == DO_HOLD) {
		rig_hold(rig, wire->name, step[2] & 1);
		return;
	}
	memset(bytes, step[3], sizeof(bytes));
	rig_send(rig, wire->name, bytes, step[2] % 32u);
	rig_take(rig, wire->name, bytes, sizeof(bytes));
}

static void send_input(struct rig *rig, const struct mw_device_type *type, const uint8_t *step)
{
	const struct mw_wire *wire = pick_wire(type, MW_INPUT, step[1]);
	struct mw_input_event event = { .kind = (enum mw_input_kind)(step[2] & 3),
					.code = step[3],
					.pressed = step[4] & 1,
					.x = (int8_t)step[5],
					.y = (int8_t)step[6] };

	/* Now and then what no keyboard and no hand does. */
	if (step[7] & 1) {
		event.code = (uint16_t)(step[3] | step[5] << 8);
		event.x = (int32_t)((uint32_t)step[5] << 24 | step[4]);
		event.y = (int32_t)((uint32_t)step[6] << 24 | step[4]);
	}
	if (wire && wire->takes >> event.kind & 1)
		rig_input(rig, wire->name, &event);
}

static void access_config(struct rig *rig, const uint8_t *step)
{
	unsigned size = 1u << step[2] % 3;
	uint32_t offset = step[3] & ~(size - 1);

	if (step[1] < 0x20)
		rig_place_bars(rig);
	else if (step[1] & 1)
		rig_config_read(rig, offset, size);
	else
		rig_config_write(rig, offset, size,
				 step[4] | (uint32_t)step[5] << 8 | (uint32_t)step[6] << 24);
}

/* NULL: neither an 8237 nor at a channel of one. */
static const struct mw_wire *channel_of(const struct mw_device_type *type)
{
	const struct mw_wire *wire = pick_wire(type, MW_DMA, 0);

	return wire && (wire->channel || wire->on_cycle) ? wire : NULL;
}

static void use_channel(struct rig *rig, const struct mw_device_type *type, const uint8_t *step)
{
	unsigned channel = step[1] % FAKE_CHANNELS == FAKE_CASCADE ? 0 : step[1] % FAKE_CHANNELS;
	size_t count = step[2] | (size_t)step[3] << 8;

	if (channel_of(type)->channel) {
		rig_grant(rig, &(struct mw_dma_cycle){ .address = (uint64_t)step[4] << 12 | step[5],
						       .count = count,
						       .to_memory = step[1] & 1,
						       .verify = step[1] & 2,
						       .terminal = step[1] & 4,
						       .down = step[1] & 8 });
		return;
	}
	struct fake_channel *fake = rig_channel(rig, channel);

	fake->room = count;
	fake->moved = 0;
	rig_dreq(rig, channel, step[4] & 1);
}

static bool has_sleep(const struct mw_device_type *type)
{
	return pick_wire(type, MW_POWER, 0) != NULL;
}

static void do_step(struct rig *rig, const struct mw_device_type *type, const uint8_t *step,
		    bool resets)
{
	unsigned what = step[0] % (DO_COUNT + (type->config || channel_of(type) ? 1u : 0));
	enum mw_power_event event;
	int code;

	switch (what) {
	case DO_READ:
	case DO_WRITE:
	case DO_WRITE_LOW: access_region(rig, type, what, step); break;
	case DO_LINE: drive_line(rig, type, step); break;
	case DO_SEND:
	case DO_HOLD: use_stream(rig, type, what, step); break;
	case DO_TIME: rig_advance(rig, (uint64_t)step[1] << (step[2] % 32)); break;
	case DO_EOI: rig_eoi(rig, step[1]); break;
	case DO_ACKNOWLEDGE: rig_acknowledge(rig); break;
	case DO_INPUT: send_input(rig, type, step); break;
	case DO_OTHER:
		if (type->config)
			access_config(rig, step);
		else
			use_channel(rig, type, step);
		break;
	case DO_RESET:
		if (resets && step[1] < 16)
			rig_reset(rig);
		break;
	default: break;
	}
	if (has_sleep(type))
		rig_power(rig, &event, &code);
}

void accesses_run(struct rig *rig, const struct mw_device_type *type, const uint8_t *bytes,
		  size_t count)
{
	if (type->config)
		rig_place_bars(rig);
	for (; count >= STEP_BYTES; bytes += STEP_BYTES, count -= STEP_BYTES)
		do_step(rig, type, bytes, true);
}

/* The constants of the C standard's own example of rand. */
unsigned accesses_next(unsigned *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

void accesses_random(struct rig *rig, const struct mw_device_type *type, unsigned seed,
		     unsigned steps)
{
	unsigned state = seed;

	if (type->config)
		rig_place_bars(rig);
	for (unsigned i = 0; i < steps; i++) {
		uint8_t step[STEP_BYTES];

		for (unsigned b = 0; b < STEP_BYTES; b++)
			step[b] = (uint8_t)accesses_next(&state);
		do_step(rig, type, step, false);
	}
}

static int kept[2] = { -1, -1 };

void accesses_hush(void)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	fflush(stdout);
	if (nothing < 0)
		abort();
	for (int fd = 0; fd < 2; fd++) {
		kept[fd] = dup(fd);
		dup2(nothing, fd);
	}
	close(nothing);
}

void accesses_speak(void)
{
	for (int fd = 0; fd < 2; fd++) {
		if (kept[fd] < 0)
			continue;
		dup2(kept[fd], fd);
		close(kept[fd]);
		kept[fd] = -1;
	}
}
