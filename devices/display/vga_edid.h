/** What a monitor says of itself. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_DISPLAY_VGA_EDID_H
#define DEVICES_DISPLAY_VGA_EDID_H

#include <stdint.h>

enum { VGA_EDID_BYTES = 128 };
/** Fills the block of one that likes pictures of this size best: at most 4095 pixels each way. */
void vga_edid(uint8_t block[VGA_EDID_BYTES], unsigned width, unsigned height);

#endif
