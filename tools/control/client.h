/** The other side of the control socket, for verbs that speak to a machine that is running. */
// SPDX-License-Identifier: MIT
#ifndef TOOLS_CONTROL_CLIENT_H
#define TOOLS_CONTROL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** Opened and freed by the caller, who has one thread. */
struct mw_client;

/** Connects to the socket of `run --qmp` (PATH or unix:PATH) and makes acquaintance. Never NULL; where it
 * fails, so do the others. */
struct mw_client *mw_client_open(const char *address);
void mw_client_close(struct mw_client *client);

/* On false mw_client_error has the reason, in one line. */

bool mw_client_good(const struct mw_client *client);
/** Presses the keys that give this UTF-8 text on a keyboard of that layout ("us"). Where it says `<enter>`,
 * `<ctrl-c>` or another name that mw_client_press takes, it is that key, unless the text is `plain`. */
bool mw_client_type(struct mw_client *client, const char *text, const char *layout, bool plain);
/** Presses keys together: names with `-` between them, "ctrl-alt-delete". */
bool mw_client_press(struct mw_client *client, const char *keys);
/** Writes the nodes, or with `node` not NULL the state rows of that one; as JSON if wanted. */
bool mw_client_inspect(struct mw_client *client, const char *node, bool json, FILE *out);
/** Another file for a drive, or with NULL none; a path is relative to this program's folder. */
bool mw_client_medium(struct mw_client *client, const char *drive, const char *path);
/** The machine's program writes the file; a path is relative to this one's folder. */
bool mw_client_snapshot(struct mw_client *client, const char *path);

/** The machine's program writes a PNG of the display `node`, or of the first where that is NULL. */
bool mw_client_screenshot(struct mw_client *client, const char *path, const char *node);
/** Writes the text that is on the display. */
bool mw_client_screen_text(struct mw_client *client, const char *node, FILE *out);

const char *mw_client_error(const struct mw_client *client);

#endif
