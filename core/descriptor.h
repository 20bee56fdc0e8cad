/** Writing to a client's descriptor without waiting for it: a socket, a pipe or a terminal. */
// SPDX-License-Identifier: MIT
#ifndef CORE_DESCRIPTOR_H
#define CORE_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** Whether some bytes go now. */
bool mw_descriptor_takes(int fd);
/** To one that takes some: returns how many went, or -1 and errno. */
ssize_t mw_descriptor_send(int fd, const char *bytes, size_t count);

#endif
