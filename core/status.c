/* Texts of host failures. */
// SPDX-License-Identifier: MIT
#include "core/status.h"

#include <errno.h>

const char *mw_status_text(enum mw_status status)
{
	switch (status) {
	case MW_STATUS_OK: return "success";
#define STATUS_TEXT(name, number, text) \
	case MW_STATUS_##name: return text;
		MW_STATUS_LIST(STATUS_TEXT)
#undef STATUS_TEXT
	}
	return "unknown status";
}

enum mw_status mw_status_from_errno(int error)
{
	switch (error) {
	case 0: return MW_STATUS_OK;
	case ENOMEM: return MW_STATUS_NO_MEMORY;
	case ENOENT:
	case ENODEV:
	case ENXIO: return MW_STATUS_NOT_FOUND;
	case EACCES:
	case EPERM: return MW_STATUS_DENIED;
	case EBUSY: return MW_STATUS_BUSY;
	case EINVAL: return MW_STATUS_INVALID;
	case ENOSYS:
	case EOPNOTSUPP:
	case ENOTTY: return MW_STATUS_UNSUPPORTED;
	default: return MW_STATUS_IO;
	}
}
