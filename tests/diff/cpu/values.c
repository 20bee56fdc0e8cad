/* Values that find mistakes: extremes, special floats, and plain noise. */
// SPDX-License-Identifier: MIT
#include "tests/diff/cpu/values.h"

#include <string.h>

struct random random_for(uint64_t seed, uint64_t number)
{
	return (struct random){ seed * 0x9e3779b97f4a7c15u + number * 0xd1342543de82ef95u + 1 };
}

/* splitmix64 (Steele, Lea, Flood, 2014). */
uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t random_below(struct random *random, uint32_t below)
{
	return (uint32_t)((random_next(random) >> 32) * below >> 32);
}

uint64_t random_integer(struct random *random)
{
	uint64_t value = random_next(random);
	unsigned width = 8u << random_below(random, 4);

	switch (random_below(random, 8)) {
	case 0: return value & 0x1f;
	case 1: return ~(value & 0x1f);
	case 2: return (uint64_t)1 << (width - 1);
	case 3: return ((uint64_t)1 << (width - 1)) - 1;
	case 4: return value & 0xffff;
	case 5: return (uint32_t)value;
	default: return value;
	}
}

static uint64_t random_double(struct random *random)
{
	uint64_t noise = random_next(random), sign = noise & (uint64_t)1 << 63;
	uint64_t fraction = noise & 0xfffffffffffff;

	switch (random_below(random, 12)) {
	case 0: return sign;
	case 1: return sign | 0x7ff0000000000000;
	case 2: return sign | 0x7ff8000000000000 | fraction;
	case 3: return sign | 0x7ff0000000000001 | (fraction & 0x7ffffffffffff);
	case 4: return sign | fraction; /* denormal */
	case 5: return sign | 0x7fe0000000000000 | fraction;
	case 6: return sign | 0x0010000000000000 | fraction;
	case 7: return sign | (0x3ff0000000000000 + ((noise >> 52 & 63) << 52)); /* 2^n */
	case 8: return sign | (0x41d0000000000000 + ((noise >> 52 & 31) << 52)) | fraction;
	default: return sign | (0x3f00000000000000 + ((noise >> 52 & 255) << 52)) | fraction;
	}
}

static uint32_t random_float(struct random *random)
{
	uint32_t noise = (uint32_t)random_next(random), sign = noise & 0x80000000;
	uint32_t fraction = noise & 0x7fffff;

	switch (random_below(random, 12)) {
	case 0: return sign;
	case 1: return sign | 0x7f800000;
	case 2: return sign | 0x7fc00000 | fraction;
	case 3: return sign | 0x7f800001 | (fraction & 0x3fffff);
	case 4: return sign | fraction;
	case 5: return sign | 0x7f000000 | fraction;
	case 6: return sign | 0x00800000 | fraction;
	case 7: return sign | (0x3f800000 + ((noise >> 23 & 31) << 23));
	case 8: return sign | (0x4e800000 + ((noise >> 23 & 3) << 23)) | fraction;
	default: return sign | (0x3c000000 + ((noise >> 23 & 15) << 23)) | fraction;
	}
}

void random_vector(struct random *random, uint8_t bytes[16])
{
	unsigned kind = random_below(random, 3);

	for (unsigned i = 0; i < 2; i++) {
		uint64_t value = random_integer(random);

		if (kind == 1)
			value = random_double(random);
		if (kind == 2)
			value = random_float(random) | (uint64_t)random_float(random) << 32;
		memcpy(bytes + 8 * i, &value, sizeof(value));
	}
}

void random_real(struct random *random, uint8_t bytes[10])
{
	uint64_t fraction = random_next(random);
	uint32_t noise = random_below(random, 0x10000), sign = noise & 0x8000;
	uint16_t exponent = (uint16_t)noise;
	const uint64_t integer = (uint64_t)1 << 63;

	switch (random_below(random, 16)) {
	case 0: fraction = 0, exponent = (uint16_t)sign; break;
	case 1: fraction = integer, exponent = (uint16_t)(sign | 0x7fff); break;
	case 2: fraction |= (uint64_t)3 << 62, exponent = (uint16_t)(sign | 0x7fff); break;
	case 3:
		fraction = (fraction & ~((uint64_t)1 << 62)) | integer | 1;
		exponent = (uint16_t)(sign | 0x7fff);
		break;
	case 4: fraction &= ~integer, exponent = (uint16_t)sign; break;
	case 5: fraction |= integer, exponent = (uint16_t)sign; break; /* pseudo-denormal */
	case 6: fraction &= ~integer; break;                           /* unnormal */
	case 7:
		fraction = integer;
		exponent = (uint16_t)(sign | (0x3fff + (noise & 63)));
		break;
	case 8:
		fraction |= integer;
		exponent = (uint16_t)(sign | (0x3ffc + (noise & 7)));
		break;
	case 9: fraction |= integer; break;
	default:
		fraction |= integer;
		exponent = (uint16_t)(sign | (0x3fff - 40 + (noise & 127)));
		break;
	}
	memcpy(bytes, &fraction, sizeof(fraction));
	memcpy(bytes + 8, &exponent, sizeof(exponent));
}

enum { EXCEPTIONS = 0x3f, ERROR_SUMMARY = 0x8080 };

void random_fxsave(struct random *random, uint8_t image[512], int calm)
{
	uint64_t noise = random_next(random);
	uint16_t control = (uint16_t)(0x40 | (noise & 0x0f00) | EXCEPTIONS);
	uint16_t status = (uint16_t)(noise >> 16 & 0x7f7f);
	uint32_t mxcsr = (uint32_t)(0x1f80 | (noise >> 32 & 0xe07f));

	if (!calm && random_below(random, 2))
		control &= (uint16_t)~random_below(random, 64);
	if (!calm && random_below(random, 2))
		mxcsr &= ~(random_below(random, 64) << 7);
	if (random_below(random, 2))
		status &= 0x7f00;
	if (status & ~control & EXCEPTIONS)
		status |= ERROR_SUMMARY;
	memset(image, 0, 512);
	memcpy(image, &control, 2);
	memcpy(image + 2, &status, 2);
	image[4] = (uint8_t)(random_below(random, 3) ? 0xff : noise >> 48);
	memcpy(image + 24, &mxcsr, 4);
	for (unsigned i = 0; i < 8; i++)
		random_real(random, image + 32 + 16 * i);
	for (unsigned i = 0; i < 16; i++)
		random_vector(random, image + 160 + 16 * i);
}
