/* One instruction taken apart: prefixes, opcode, ModRM, SIB, displacement, immediates. Reference: SDM
 * vol. 2, chapter 2. */
// SPDX-License-Identifier: MIT
#include "accel/soft/decode/decode.h"

enum { LONGEST = 15 };

/** Bytes as they are consumed. */
struct reader {
	const uint8_t *bytes;
	unsigned at, available;
	bool short_of_bytes;
};

static uint8_t next_byte(struct reader *reader)
{
	if (reader->at >= reader->available) {
		reader->short_of_bytes = true;
		return 0;
	}
	return reader->bytes[reader->at++];
}

static uint64_t next_bytes(struct reader *reader, unsigned count)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < count; i++)
		value |= (uint64_t)next_byte(reader) << (8 * i);
	return value;
}

static int64_t next_signed(struct reader *reader, unsigned count)
{
	uint64_t value = next_bytes(reader, count);
	unsigned unused = 64 - 8 * count;

	return (int64_t)(value << unused) >> unused;
}

/* True while the byte is a prefix. REX counts only right before the opcode. */
static bool take_prefix(struct soft_insn *insn, bool in_64bit, uint8_t byte)
{
	if (in_64bit && (byte & 0xf0) == 0x40) {
		insn->rex = byte;
		return true;
	}
	switch (byte) {
	case 0x26: insn->segment_prefix = in_64bit ? insn->segment_prefix : MW_ES; break;
	case 0x2e: insn->segment_prefix = in_64bit ? insn->segment_prefix : MW_CS; break;
	case 0x36: insn->segment_prefix = in_64bit ? insn->segment_prefix : MW_SS; break;
	case 0x3e: insn->segment_prefix = in_64bit ? insn->segment_prefix : MW_DS; break;
	case 0x64: insn->segment_prefix = MW_FS; break;
	case 0x65: insn->segment_prefix = MW_GS; break;
	case 0x66: insn->operand_prefix = true; break;
	case 0x67: insn->address_prefix = true; break;
	case 0xf0: insn->lock = true; break;
	case 0xf2:
	case 0xf3: insn->repeat = byte; break;
	default: return false;
	}
	insn->rex = 0;
	return true;
}

static void take_opcode(struct soft_insn *insn, struct reader *reader, bool in_64bit)
{
	uint8_t byte = next_byte(reader);

	while (take_prefix(insn, in_64bit, byte) && !reader->short_of_bytes &&
	       reader->at <= LONGEST)
		byte = next_byte(reader);
	if (byte == 0x0f) {
		byte = next_byte(reader);
		insn->map = 1;
	}
	insn->opcode = byte;
	if (insn->map == 1 && (byte == 0x38 || byte == 0x3a)) {
		insn->map = byte == 0x38 ? 2 : 3;
		insn->opcode = next_byte(reader);
	}
}

static void take_sizes(struct soft_insn *insn, const struct soft_mode *mode, uint32_t format)
{
	bool wide = insn->rex & 8, small = insn->operand_prefix && !(format & SOFT_PREFIX66);

	switch (mode->code_bits) {
	case 64:
		insn->operand_size = wide ? 8 : small ? 2 : (format & SOFT_D64) ? 8 : 4;
		if (format & SOFT_F64)
			insn->operand_size = 8;
		insn->address_size = insn->address_prefix ? 4 : 8;
		break;
	case 32:
		insn->operand_size = small ? 2 : 4;
		insn->address_size = insn->address_prefix ? 2 : 4;
		break;
	default:
		insn->operand_size = small || (format & SOFT_PREFIX66) ? 4 : 2;
		insn->address_size = insn->address_prefix ? 4 : 2;
	}
	if (format & SOFT_BYTE)
		insn->operand_size = 1;
}

/* SDM vol. 2, table 2-1. */
static void take_address_16(struct soft_insn *insn, struct reader *reader, unsigned mod,
			    unsigned rm)
{
	static const uint8_t bases[] = { MW_RBX, MW_RBX, MW_RBP, MW_RBP,
					 MW_RSI, MW_RDI, MW_RBP, MW_RBX };
	static const uint8_t indices[] = { MW_RSI,    MW_RDI,    MW_RSI,    MW_RDI,
					   SOFT_ZERO, SOFT_ZERO, SOFT_ZERO, SOFT_ZERO };

	insn->base = bases[rm];
	insn->index = indices[rm];
	if (mod == 0 && rm == 6) {
		insn->base = SOFT_ZERO;
		insn->disp = (int32_t)next_signed(reader, 2);
	} else if (mod) {
		insn->disp = (int32_t)next_signed(reader, mod == 1 ? 1 : 2);
	}
	insn->segment = insn->base == MW_RBP ? MW_SS : MW_DS;
}

/* SDM vol. 2, table 2-3. Returns the low bits of the base's number. */
static unsigned take_sib(struct soft_insn *insn, struct reader *reader)
{
	uint8_t sib = next_byte(reader);
	unsigned index = (sib >> 3 & 7u) | (insn->rex & 2u) << 2;

	insn->scale = sib >> 6;
	insn->index = index == MW_RSP ? SOFT_ZERO : (uint8_t)index;
	return sib & 7;
}

static void take_address_32(struct soft_insn *insn, struct reader *reader, unsigned mod,
			    unsigned rm, bool in_64bit)
{
	bool has_sib = rm == 4;
	unsigned base = has_sib ? take_sib(insn, reader) : rm;

	insn->base = (uint8_t)(base | (insn->rex & 1u) << 3);
	insn->segment = insn->base == MW_RSP || insn->base == MW_RBP ? MW_SS : MW_DS;
	if (mod == 0 && base == 5) {
		insn->base = SOFT_ZERO;
		insn->segment = MW_DS;
		insn->rip_relative = in_64bit && !has_sib;
		insn->disp = (int32_t)next_signed(reader, 4);
	} else if (mod) {
		insn->disp = (int32_t)next_signed(reader, mod == 1 ? 1 : 4);
	}
}

static void take_modrm(struct soft_insn *insn, struct reader *reader, bool in_64bit)
{
	unsigned mod, rm;

	insn->has_modrm = true;
	insn->modrm = next_byte(reader);
	mod = insn->modrm >> 6;
	rm = insn->modrm & 7;
	insn->reg = (insn->modrm >> 3 & 7) | (insn->rex & 4u) << 1;
	insn->rm = rm | (insn->rex & 1u) << 3;
	/* MOV to and from control and debug registers takes mod for 3 (SDM vol. 2, MOV). */
	insn->memory =
		mod != 3 && !(insn->map == 1 && insn->opcode >= 0x20 && insn->opcode <= 0x23);
	if (!insn->memory)
		return;
	if (insn->address_size == 2)
		take_address_16(insn, reader, mod, rm);
	else
		take_address_32(insn, reader, mod, rm, in_64bit);
}

static void take_immediates(struct soft_insn *insn, struct reader *reader, uint32_t format)
{
	unsigned z = insn->operand_size == 2 ? 2 : 4;

	if (format & SOFT_GROUP3 && (insn->modrm >> 3 & 7) < 2)
		format |= format & SOFT_BYTE ? SOFT_IMM8 : SOFT_IMMZ;
	if (format & SOFT_IMM8)
		insn->imm = (uint64_t)next_signed(reader, 1);
	if (format & SOFT_IMM16)
		insn->imm = next_bytes(reader, 2);
	if (format & SOFT_IMMZ)
		insn->imm = (uint64_t)next_signed(reader, z);
	if (format & SOFT_IMMV)
		insn->imm = next_bytes(reader, insn->operand_size);
	if (format & SOFT_MOFFS)
		insn->imm = next_bytes(reader, insn->address_size);
	if (format & SOFT_FAR) {
		insn->imm = next_bytes(reader, z);
		insn->imm2 = next_bytes(reader, 2);
	}
	if (format & SOFT_ENTER) {
		insn->imm = next_bytes(reader, 2);
		insn->imm2 = next_byte(reader);
	}
}

int soft_decode_insn(struct soft_insn *insn, const struct soft_mode *mode, const uint8_t *bytes,
		     unsigned available)
{
	struct reader reader = { bytes, 0, available, false };
	bool in_64bit = mode->code_bits == 64;
	uint32_t format = 0;

	*insn = (struct soft_insn){
		.segment_prefix = -1, .base = SOFT_ZERO, .index = SOFT_ZERO, .segment = MW_DS
	};
	take_opcode(insn, &reader, in_64bit);
	if (insn->map < 2)
		format = soft_opcodes[insn->map][insn->opcode].format;
	take_sizes(insn, mode, format);
	if (format & SOFT_MODRM)
		take_modrm(insn, &reader, in_64bit);
	else
		insn->rm = (insn->opcode & 7u) | (insn->rex & 1u) << 3;
	take_immediates(insn, &reader, format);
	if (insn->segment_prefix >= 0)
		insn->segment = (enum mw_segment_name)insn->segment_prefix;
	if (reader.at > LONGEST || (reader.short_of_bytes && available >= LONGEST))
		return -1;
	if (reader.short_of_bytes)
		return 0;
	insn->length = reader.at;
	memcpy(insn->bytes, bytes, reader.at);
	return (int)reader.at;
}
