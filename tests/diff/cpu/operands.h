/** The operands of a case under construction: ModRM, SIB, displacement, and where they point. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_DIFF_CPU_OPERANDS_H
#define TESTS_DIFF_CPU_OPERANDS_H

#include "tests/diff/cpu/generate.h"

enum { AREA_SELECTORS = NATIVE_DATA + 0xc00, AREA_IMAGES = NATIVE_DATA + 0x1400 };
enum { SELECTOR_BYTES = 32, IMAGE_BYTES = 512, IMAGES = 3 };

struct builder {
	struct random *random;
	struct native_case *test;
	struct insn *insn;
	uint8_t bytes[24];
	unsigned length;
	/* The memory operand: registers or -1. */
	int base, index;
	unsigned scale, displacement_at, displacement_bytes;
	int64_t displacement;
	bool rip_relative, stack_segment;
};

/** A selector worth loading. */
uint16_t operand_selector(struct builder *builder);
unsigned operand_selectors(const uint16_t **list);
void operand_byte(struct builder *builder, uint64_t byte);
void operand_number(struct builder *builder, uint64_t value, unsigned bytes);
/** Appends ModRM and what belongs to it. */
void operand_modrm(struct builder *builder);
/** A linear address that fits the form: data, mostly. */
uint64_t operand_target(struct builder *builder);
/** Once the whole instruction is there: makes the memory operand point at `target`. */
void operand_aim(struct builder *builder, uint64_t target);
/** Makes a register that is an offset into a segment point at `target`, by the address size. */
void operand_point(struct builder *builder, int gpr, uint16_t selector, unsigned bytes,
		   uint64_t target);
uint16_t operand_data_selector(const struct builder *builder, uint16_t otherwise);

#endif
