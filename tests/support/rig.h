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
/** The same, with a say on what image wires read and how long regions of free length are (0: the
 * bench's choice); false with diagnostics when the device refuses. */
struct rig_options {
	const struct rig_setting *settings;
	const uint8_t *image;
	size_t image_bytes;
	uint64_t free_length;
	bool unstarted; /* built and reset, not started */
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

/** Takes the power request that is pending; false when there is none. */
bool rig_power(struct rig *rig, enum mw_power_event *event, int *code);

/** Reads through the device's image wire, for types that hold one out. */
bool rig_image_read(struct rig *rig, uint64_t offset, void *bytes, size_t count);
uint64_t rig_image_size(struct rig *rig);

/** The saved state, in a buffer that is valid until the next call. */
const uint8_t *rig_save(struct rig *rig, size_t *count);
bool rig_load(struct rig *rig, const uint8_t *bytes, size_t count);

/** All that was logged so far. */
const char *rig_log(struct rig *rig);

#endif
