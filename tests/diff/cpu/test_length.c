/** test_length [CASES]: lengths of random instructions by our decoder and by Zydis, in 16, 32 and 64 bits. Only
 * what Zydis takes for valid, and what the model's opcode maps hold. */
// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include "accel/soft/decode/decode.h"
#include "tests/diff/cpu/values.h"

enum { DEFAULT_CASES = 600000, SHOWN = 40, MODES = 3, BYTES = 15 };

/* VMREAD, VMWRITE, POPCNT and VIA's are not offered; the model's map has nothing there. */
static bool not_offered(const ZydisDecodedInstruction *theirs)
{
	return theirs->opcode_map == ZYDIS_OPCODE_MAP_0F &&
	       (theirs->opcode == 0x78 || theirs->opcode == 0x79 || theirs->opcode == 0xa6 ||
		theirs->opcode == 0xa7 || theirs->opcode == 0xb8);
}

/* Left out: other maps and encodings, and what vendors read differently. */
static bool left_out(const ZydisDecodedInstruction *theirs, unsigned mode)
{
	bool near_branch = theirs->meta.branch_type == ZYDIS_BRANCH_TYPE_NEAR;

	if (theirs->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY || not_offered(theirs))
		return true;
	/* With 66 before a near branch in 64-bit mode Intel keeps 32 bits, AMD reads 16. */
	if (mode == 2 && near_branch && theirs->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE)
		return true;
	return theirs->opcode_map != ZYDIS_OPCODE_MAP_DEFAULT &&
	       theirs->opcode_map != ZYDIS_OPCODE_MAP_0F;
}

static void random_bytes(struct random *random, uint8_t *bytes)
{
	static const uint8_t prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0x2e, 0x64, 0xf0, 0x48, 0x41 };
	unsigned at = 0;

	for (unsigned i = 0; i < BYTES; i++)
		bytes[i] = (uint8_t)random_next(random);
	while (at < 4 && random_below(random, 3) == 0)
		bytes[at++] = prefixes[random_below(random, sizeof(prefixes))];
	if (random_below(random, 2))
		bytes[at] = 0x0f;
}

static void show(unsigned mode, const uint8_t *bytes, int ours, unsigned theirs)
{
	static const unsigned bits[MODES] = { 16, 32, 64 };

	printf("  %u bits, ours %d, Zydis %u:", bits[mode], ours, theirs);
	for (unsigned i = 0; i < BYTES; i++)
		printf(" %02x", bytes[i]);
	puts("");
}

static bool is_right(ZydisDecoder *decoder, unsigned mode, const uint8_t *bytes, bool tell)
{
	static const unsigned bits[MODES] = { 16, 32, 64 };
	struct soft_mode state = { .code_bits = bits[mode], .stack_32 = mode > 0, .flat = true };
	ZydisDecodedInstruction theirs;
	struct soft_insn insn;

	if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(decoder, NULL, bytes, BYTES, &theirs)) ||
	    left_out(&theirs, mode))
		return true;
	int ours = soft_decode_insn(&insn, &state, bytes, BYTES);

	if (ours == (int)theirs.length)
		return true;
	if (tell)
		show(mode, bytes, ours, theirs.length);
	return false;
}

int main(int count, char **arguments)
{
	static const ZydisMachineMode modes[MODES] = { ZYDIS_MACHINE_MODE_LEGACY_16,
						       ZYDIS_MACHINE_MODE_LEGACY_32,
						       ZYDIS_MACHINE_MODE_LONG_64 };
	static const ZydisStackWidth widths[MODES] = { ZYDIS_STACK_WIDTH_16, ZYDIS_STACK_WIDTH_32,
						       ZYDIS_STACK_WIDTH_64 };
	unsigned long cases = count > 1 ? strtoul(arguments[1], NULL, 0) : DEFAULT_CASES;
	struct random random = random_for(1, 1);
	ZydisDecoder decoders[MODES];
	unsigned wrong = 0;

	for (unsigned i = 0; i < MODES; i++)
		ZydisDecoderInit(&decoders[i], modes[i], widths[i]);
	for (unsigned long i = 0; i < cases; i++) {
		unsigned mode = (unsigned)(i % MODES);
		uint8_t bytes[BYTES];

		random_bytes(&random, bytes);
		if (!is_right(&decoders[mode], mode, bytes, wrong < SHOWN))
			wrong++;
	}
	printf("%lu cases, %u differ\n", cases, wrong);
	return wrong ? 1 : 0;
}
