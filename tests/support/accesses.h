/** What a guest and the world around it may do to a device, driven by bytes: seeded ones for the
 * contract suite, a fuzzer's for tests/fuzz. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_SUPPORT_ACCESSES_H
#define TESTS_SUPPORT_ACCESSES_H

#include "tests/support/rig.h"

/** Does what `bytes` say, eight for each step: reads and writes of every size in every region (and
 * just beyond its end), lines up and down, bytes on streams, ends of interrupts, time, resets. */
void accesses_run(struct rig *rig, const struct mw_device_type *type, const uint8_t *bytes,
		  size_t count);

/** The same with `steps` steps of a generator's; one seed always gives the same. No resets. */
void accesses_random(struct rig *rig, const struct mw_device_type *type, unsigned seed,
		     unsigned steps);
/** Between the two, standard input is empty and standard output goes nowhere: for backends that use
 * them. */
void accesses_hush(void);
void accesses_speak(void);

/** The generator's next number, 16 bits. */
unsigned accesses_next(unsigned *state);

#endif
