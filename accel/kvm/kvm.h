/** The kvm accelerator. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_KVM_KVM_H
#define ACCEL_KVM_KVM_H

#include "accel/accel.h"

extern const struct mw_accel_ops mw_accel_kvm;

#endif
