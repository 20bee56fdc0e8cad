/* The accelerators built in, in the order `auto` prefers them. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "accel/accel.h"
#ifdef MW_ACCEL_KVM
#include "accel/kvm/kvm.h"
#endif
#include "accel/none/none.h"
#ifdef MW_ACCEL_SOFT
#include "accel/soft/soft.h"
#endif

const struct mw_accel_ops *const mw_accels[] = {
#ifdef MW_ACCEL_KVM
	&mw_accel_kvm,
#endif
#ifdef MW_ACCEL_SOFT
	&mw_accel_soft,
#endif
	&mw_accel_none,
	NULL,
};

const struct mw_accel_ops *mw_accel_find(const char *name)
{
	for (const struct mw_accel_ops *const *accel = mw_accels; *accel; accel++)
		if (strcmp((*accel)->name, name) == 0)
			return *accel;
	return NULL;
}
