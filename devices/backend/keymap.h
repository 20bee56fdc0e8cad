/** Keyboards by their layouts: which key, with which modifiers, gives what somebody has typed. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_KEYMAP_H
#define DEVICES_BACKEND_KEYMAP_H

#include <stdbool.h>
#include <stdint.h>

/** One layout; constant. */
struct mw_keymap;

/** The names, ended by NULL: "us", "gb", "de", "fr". An index is what mw_keymap takes. */
extern const char *const mw_keymap_names[];
/** The layout of an index; the first where there is none. */
const struct mw_keymap *mw_keymap(uint32_t index);

/** A key's place as its usage (USB HID usage tables, page 7), and what is held with it. */
struct mw_keymap_key {
	uint16_t usage;
	bool character; /* shift and altgr matter */
	bool shift, altgr;
	bool letter; /* Caps Lock is a Shift for it */
	bool dead;   /* the character comes with the next one; with a space, as it is */
};

/** The key of an X11 keysym, which for characters is their Latin-1 or Unicode number (X Window System Protocol,
 * appendix A). False: the layout has none. */
bool mw_keymap_find(const struct mw_keymap *map, uint32_t keysym, struct mw_keymap_key *key);
/** The usage of an XT scan code, with bit 7 for those behind an 0xe0; 0: there is none. */
uint16_t mw_keymap_scan_code(uint32_t code);

#endif
