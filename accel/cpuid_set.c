/* Sets of CPUID leaves, as every accelerator treats them. Reference: SDM vol. 2, CPUID. */
// SPDX-License-Identifier: MIT
#include "accel/cpuid_set.h"

#include <string.h>

uint32_t *mw_cpuid_word(struct mw_cpuid_leaf *leaves, size_t count,
			const struct mw_cpu_feature *feature)
{
	for (size_t i = 0; i < count; i++) {
		struct mw_cpuid_leaf *leaf = &leaves[i];
		uint32_t *words[] = { &leaf->eax, &leaf->ebx, &leaf->ecx, &leaf->edx };

		if (leaf->leaf == feature->leaf && leaf->subleaf == feature->subleaf)
			return words[feature->where];
	}
	return NULL;
}

bool mw_cpuid_switch(struct mw_cpuid_leaf *leaves, size_t count, const struct mw_plan_cpu *cpu,
		     const char *const *names, bool on, struct mw_diagnostics *diagnostics)
{
	bool fine = true;

	for (; names && *names; names++) {
		const struct mw_cpu_feature *feature = mw_cpu_feature_find(*names);
		uint32_t *word = feature ? mw_cpuid_word(leaves, count, feature) : NULL;

		if (!feature) {
			mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "S105", cpu->span,
					   "no CPU feature is called `%s`", *names);
			fine = false;
		} else if (word) {
			*word = (*word & ~(1u << feature->bit)) | (uint32_t)on << feature->bit;
		} else if (on) {
			mw_diagnostics_add(diagnostics, MW_SEVERITY_ERROR, "A501", cpu->span,
					   "this CPU has no CPUID leaf for `%s`", *names);
			fine = false;
		}
	}
	return fine;
}

void mw_name_list_add(struct mw_name_list *list, const char *name)
{
	size_t length = strlen(name);

	if (list->used + length + 2 >= sizeof(list->text))
		return;
	if (list->used)
		list->text[list->used++] = ' ';
	memcpy(list->text + list->used, name, length + 1);
	list->used += length;
}
