/** Set, clear and copy bits of a register word. */
// SPDX-License-Identifier: MIT
#ifndef CORE_BITS_H
#define CORE_BITS_H

#include <stdint.h>

static inline void set_bits(uint32_t *word, uint32_t mask)
{
	*word |= mask;
}

static inline void clear_bits(uint32_t *word, uint32_t mask)
{
	*word &= ~mask;
}

static inline void copy_bits(uint32_t *word, uint32_t mask, uint64_t from)
{
	*word = (*word & ~mask) | ((uint32_t)from & mask);
}

#endif
