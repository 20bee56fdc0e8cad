/* Base 64 (RFC 4648, section 4), padded and strict. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "accel/none/vm.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t none_base64_encode(const uint8_t *bytes, size_t count, char *text)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i += 3) {
		size_t left = count - i;
		uint32_t three = (uint32_t)bytes[i] << 16 |
				 (uint32_t)(left > 1 ? bytes[i + 1] : 0) << 8 |
				 (left > 2 ? bytes[i + 2] : 0);

		text[used++] = digits[three >> 18];
		text[used++] = digits[three >> 12 & 63];
		text[used++] = left > 1 ? digits[three >> 6 & 63] : '=';
		text[used++] = left > 2 ? digits[three & 63] : '=';
	}
	return used;
}

static int digit(char character)
{
	const char *found = character ? strchr(digits, character) : NULL;

	return found ? (int)(found - digits) : -1;
}

bool none_base64_decode(const char *text, size_t length, uint8_t *bytes, size_t *count)
{
	size_t padding = 0;

	*count = 0;
	if (length % 4)
		return false;
	while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < length; i += 4) {
		size_t held = i + 4 == length ? 4 - padding : 4;
		uint32_t three = 0;

		for (size_t c = 0; c < 4; c++) {
			int value = c < held ? digit(text[i + c]) : 0;

			if (value < 0)
				return false;
			three = three << 6 | (uint32_t)value;
		}
		for (size_t c = 0; c + 1 < held; c++)
			bytes[(*count)++] = (uint8_t)(three >> (16 - 8 * c));
	}
	return true;
}
