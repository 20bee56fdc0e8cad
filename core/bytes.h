/** Little-endian numbers in byte buffers of any alignment. */
// SPDX-License-Identifier: MIT
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include <stdint.h>

static inline void mw_put_le(uint8_t *at, unsigned size, uint64_t value)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t mw_get_le(const uint8_t *at, unsigned size)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

#endif
