/** Host failures at run time: negative codes, one list, one text each. */
// SPDX-License-Identifier: MIT
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

#define MW_STATUS_LIST(X)                                        \
	X(NO_MEMORY, 1, "the host is out of memory")             \
	X(IO, 2, "a host file or device failed")                 \
	X(UNSUPPORTED, 3, "the host does not offer this")        \
	X(DENIED, 4, "the host denies access")                   \
	X(BUSY, 5, "in use by another process")                  \
	X(NOT_FOUND, 6, "no such file or object")                \
	X(INVALID, 7, "an argument does not fit")                \
	X(STATE, 8, "not possible in this state of the machine") \
	X(GUEST, 9, "the guest did something that cannot be carried on")

enum mw_status {
	MW_STATUS_OK = 0,
#define MW_STATUS_ENUM(name, number, text) MW_STATUS_##name = -(number),
	MW_STATUS_LIST(MW_STATUS_ENUM)
#undef MW_STATUS_ENUM
};

/** Returns a borrowed, constant text, also for numbers that are no status. */
const char *mw_status_text(enum mw_status status);

/** The status that fits an errno value best; 0 gives MW_STATUS_OK. */
enum mw_status mw_status_from_errno(int error);

#endif
