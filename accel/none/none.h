/** The accelerator without CPUs: a driver from outside makes the accesses and the time. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_NONE_NONE_H
#define ACCEL_NONE_NONE_H

#include "accel/accel.h"

extern const struct mw_accel_ops mw_accel_none;

#endif
