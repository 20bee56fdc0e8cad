/** The built-in x86-64 processor as an accelerator. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_SOFT_H
#define ACCEL_SOFT_SOFT_H

#include "accel/accel.h"

extern const struct mw_accel_ops mw_accel_soft;

#endif
