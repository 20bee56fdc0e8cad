/** Where clients of a shared screen come in, and what they have to show. Private to this folder. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_VNC_DOOR_H
#define DEVICES_BACKEND_VNC_DOOR_H

#include "core/device.h"
#include "devices/backend/inet.h"
#include "devices/backend/rfb.h"
#include "devices/backend/socket.h"
#include "devices/backend/tls.h"

struct mw_vnc_door {
	/* The backend's properties. */
	const char *address, *path, *password_file;
	bool encrypted;
	struct mw_tls_options options;
	/* Private. */
	char password[MW_RFB_PASSWORD + 1];
	struct mw_inet inet;
	struct mw_socket_file file;
	int listener; /* -1: none */
};

/** Opens it, and sets what `screen` asks of clients. False: diagnostics say what is wrong, and it is still to be
 * closed. */
bool mw_vnc_door_open(void *self, struct mw_vnc_door *door, struct mw_rfb_screen *screen,
		      struct mw_diagnostics *diagnostics);
void mw_vnc_door_close(struct mw_vnc_door *door);

#endif
