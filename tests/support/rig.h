/** A test bench for one device: any registered type alone, with fakes at every wire. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_SUPPORT_RIG_H
#define TESTS_SUPPORT_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/device.h"
#include "core/diagnostics.h"

/** The bench: a machine of the device under test, on a clock that stands still until rig_advance.
 * Every region is claimed, every line leads to a probe, every stream and image to a fake; messages and
 * power requests are recorded. One thread. Wrong use (a name the type does not have) ends the test. */
struct rig;

/** A property's value where its default will not do; a list ends with a NULL name. Required ones that
 * are not listed get a value of the bench's: true, the smallest integer, a temporary file. */
struct rig_setting {
	const char *name;
	uint64_t number;  /* integers, bool, an enum's index */
	const char *text; /* strings */
};

/** Builds, resets and starts. `settings` may be NULL. */
struct rig *rig_create(const struct mw_device_type *type, const struct rig_setting *settings);
/** One on the device's private bus. A list of them ends with a NULL type. */
struct rig_child {
	const struct mw_device_type *type;
	const char *address;
	const struct rig_setting *settings;
	const uint8_t *image;
	size_t image_bytes;
	bool no_image, read_only;
};
/** The same, with a say on what image wires read and how long regions of free length are (0: the
 * bench's choice); false with diagnostics when the device refuses. */
struct rig_options {
	const struct rig_setting *settings;
	const uint8_t *image; /* the bench copies it */
	size_t image_bytes;
	uint64_t free_length;
	bool unstarted; /* built and reset, not started */
	bool no_image;  /* the drive is empty */
	bool read_only; /* the image's file is */
	bool threads; /* time is the host's, and images have their thread: rig_settle waits for it */
	/** NULL: who opens a private bus has one of each registered type that goes there. */
	const struct rig_child *children;
};
bool rig_try(struct rig **out, const struct mw_device_type *type, const struct rig_options *options,
	     struct mw_diagnostics *diagnostics);
/** NULL-safe. */
void rig_destroy(struct rig *rig);

void *rig_device(struct rig *rig);
struct mw_machine *rig_machine(struct rig *rig);
/** Stops, resets and starts the machine. */
void rig_reset(struct rig *rig);
void rig_stop(struct rig *rig);
void rig_start(struct rig *rig);
/** Lets the loop run once, waiting at most so long for host descriptors. */
void rig_serve(struct rig *rig, unsigned wait_ms);

/** Guest accesses at an offset of a region. */
uint64_t rig_read(struct rig *rig, const char *region, uint64_t offset, unsigned size);
void rig_write(struct rig *rig, const char *region, uint64_t offset, unsigned size, uint64_t value);

/** The same at an address of the machine, wherever regions have been moved to. */
uint64_t rig_bus_read(struct rig *rig, enum mw_space space, uint64_t address, unsigned size);
void rig_bus_write(struct rig *rig, enum mw_space space, uint64_t address, unsigned size,
		   uint64_t value);

/** What the device drives: the level now, and how often it has risen since the last call. */
bool rig_line(struct rig *rig, const char *wire, unsigned index);
unsigned rig_rises(struct rig *rig, const char *wire, unsigned index);
/** Drives a line that the device hears. */
void rig_drive(struct rig *rig, const char *wire, unsigned index, bool level);

/** Sends to a stream of the device; what does not fit its credit waits on the way. */
void rig_send(struct rig *rig, const char *wire, const void *bytes, size_t count);
/** Takes what the device has sent: at most `capacity` bytes; returns how many there were. */
size_t rig_take(struct rig *rig, const char *wire, void *bytes, size_t capacity);
/** While held, the fake takes nothing and the way to it fills up. */
void rig_hold(struct rig *rig, const char *wire, bool hold);
/** Forgets all bytes that are still on their way to the device. */
void rig_drop(struct rig *rig);

/** Moves time and lets timers expire. */
void rig_advance(struct rig *rig, uint64_t ns);
uint64_t rig_now(struct rig *rig);

/** Takes the oldest message; false when there is none. */
bool rig_message(struct rig *rig, uint64_t *address, uint32_t *data);
/** The newest route that was published for an input. */
struct rig_route {
	uint64_t address;
	uint32_t data;
	bool valid;
};
struct rig_route rig_route(struct rig *rig, unsigned index);
/** Tells the device that a CPU has ended a level interrupt. */
void rig_eoi(struct rig *rig, uint8_t vector);

/** The level of the processor's INTR pin. */
bool rig_intr(struct rig *rig);
/** The acknowledge cycle, also where INTR is low: the request may have gone away meanwhile. Returns the
 * vector, or -1 where the type has no such wire. */
int rig_acknowledge(struct rig *rig);
/** Hands an event to the device, of a kind that it takes; false where it had no room. */
bool rig_input(struct rig *rig, const char *wire, const struct mw_input_event *event);

/** DMA: what is at a channel of a controller (struct fake_channel), and the level of its DREQ; or the
 * controller of a device that has a channel (struct fake_controller), and what that grants from now on. */
void *rig_channel(struct rig *rig, unsigned channel);
void rig_dreq(struct rig *rig, unsigned channel, bool level);
void *rig_controller(struct rig *rig);
void rig_grant(struct rig *rig, const struct mw_dma_cycle *cycle);

/** Takes the power request that is pending; false when there is none. */
bool rig_power(struct rig *rig, enum mw_power_event *event, int *code);

/** Configuration space of a PCI function. place_bars is what a BIOS does: its regions answer where the
 * other calls look for them, and it may be a bus master. */
uint32_t rig_config_read(struct rig *rig, uint32_t offset, unsigned size);
void rig_config_write(struct rig *rig, uint32_t offset, unsigned size, uint32_t value);
void rig_place_bars(struct rig *rig);

/** The images of part 0, the device, and of its children, which count from 1: their bytes, which last until
 * the next change; what was done to them. */
struct rig_image {
	uint8_t *bytes;
	size_t count;
	unsigned reads, writes, flushes, discards;
};
struct rig_image rig_image(struct rig *rig, unsigned part);
/** From now on all that is asked of it fails. */
void rig_image_fail(struct rig *rig, unsigned part, bool fail);
/** With `threads`: while held, what is asked of it takes its time. */
void rig_image_hold(struct rig *rig, unsigned part, bool hold);
/** Another medium; NULL: none. */
void rig_image_change(struct rig *rig, unsigned part, const uint8_t *bytes, size_t count);
/** Waits until no image has anything left to do. */
void rig_settle(struct rig *rig);

/** A child's struct; part 0 is the device itself. */
void *rig_part(struct rig *rig, unsigned part);

/** Reads through the device's image wire, for types that hold one out. */
bool rig_image_read(struct rig *rig, uint64_t offset, void *bytes, size_t count);
uint64_t rig_image_size(struct rig *rig);

/** The saved state, that of its children behind its own, in a buffer that is valid until the next call. */
const uint8_t *rig_save(struct rig *rig, size_t *count);
bool rig_load(struct rig *rig, const uint8_t *bytes, size_t count);

/** The struct of the fake at the far end of a wire that is a link. */
void *rig_far(struct rig *rig, const char *wire);

/** All that was logged so far. */
const char *rig_log(struct rig *rig);

#endif
