/* Fields by offset and kind. */
// SPDX-License-Identifier: MIT
#include "core/field.h"

#include <string.h>

unsigned mw_field_bytes(enum mw_kind kind)
{
	switch (kind) {
	case MW_U8: return 1;
	case MW_U16: return 2;
	case MW_U32: return 4;
	case MW_U64: return 8;
	case MW_BOOL: return 1;
	default: return 0;
	}
}

uint64_t mw_field_load(const void *self, size_t offset, enum mw_kind kind)
{
	const unsigned char *field = (const unsigned char *)self + offset;

	switch (kind) {
	case MW_U8: return *field;
	case MW_U16: {
		uint16_t value;

		memcpy(&value, field, sizeof(value));
		return value;
	}
	case MW_U32: {
		uint32_t value;

		memcpy(&value, field, sizeof(value));
		return value;
	}
	case MW_U64: {
		uint64_t value;

		memcpy(&value, field, sizeof(value));
		return value;
	}
	case MW_BOOL: return *field != 0;
	default: return 0;
	}
}

void mw_field_store(void *self, size_t offset, enum mw_kind kind, uint64_t value)
{
	unsigned char *field = (unsigned char *)self + offset;

	switch (kind) {
	case MW_U8: *field = (uint8_t)value; break;
	case MW_U16: memcpy(field, &(uint16_t){ (uint16_t)value }, sizeof(uint16_t)); break;
	case MW_U32: memcpy(field, &(uint32_t){ (uint32_t)value }, sizeof(uint32_t)); break;
	case MW_U64: memcpy(field, &value, sizeof(value)); break;
	case MW_BOOL: memcpy(field, &(bool){ value != 0 }, sizeof(bool)); break;
	default: break;
	}
}
