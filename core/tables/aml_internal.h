/** What the AML writer's files share. */
// SPDX-License-Identifier: MIT
#ifndef CORE_TABLES_AML_INTERNAL_H
#define CORE_TABLES_AML_INTERNAL_H

#include "core/tables/aml.h"

/** A number of `size` bytes without a prefix. */
void mw_aml_le(struct mw_aml *aml, unsigned size, uint64_t value);
/** Puts an integer's code before what was written since `at`. */
void mw_aml_insert_integer(struct mw_aml *aml, size_t at, uint64_t value);
/** Begins a package whose opcode has just been written; mw_aml_end puts its length here. */
void mw_aml_package_open(struct mw_aml *aml);

#endif
