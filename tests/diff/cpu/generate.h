/** Cases of the host test: bytes of an instruction, and registers that make it reach the data. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_DIFF_CPU_GENERATE_H
#define TESTS_DIFF_CPU_GENERATE_H

#include "tests/diff/cpu/forms.h"
#include "tests/diff/cpu/native.h"
#include "tests/diff/cpu/values.h"

/** Fills the data a batch begins with. */
void generate_pattern(struct random *random, uint8_t pattern[NATIVE_DATA_BYTES]);
/** Makes the case a form; false when nothing that is compared came out. `alignment`: some cases have AC. */
bool generate_case(struct random *random, enum native_mode mode, struct form form, bool alignment,
		   struct native_case *test, struct insn *insn);
/** Base of a segment by its selector. */
uint64_t generate_segment_base(uint16_t selector);

#endif
