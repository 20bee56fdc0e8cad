/** FLDENV, FSTENV, FRSTOR and FSAVE with their four images: 14 or 28 bytes, real or protected mode
 * (SDM vol. 1, 8.1.10). */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/x87.h"
#include "accel/soft/floating/x87_internal.h"

enum { ENVIRONMENT_16 = 14, ENVIRONMENT_32 = 28, REGISTERS = 8 * 10 };

static uint32_t get16(const uint8_t *bytes, unsigned index)
{
	uint16_t value;

	memcpy(&value, bytes + 2 * index, sizeof(value));
	return value;
}
static void put16(uint8_t *bytes, unsigned index, uint64_t value)
{
	uint16_t word = (uint16_t)value;

	memcpy(bytes + 2 * index, &word, sizeof(word));
}
static uint32_t get32(const uint8_t *bytes, unsigned index)
{
	uint32_t value;

	memcpy(&value, bytes + 4 * index, sizeof(value));
	return value;
}
static void put32(uint8_t *bytes, unsigned index, uint64_t value)
{
	uint32_t word = (uint32_t)value;

	memcpy(bytes + 4 * index, &word, sizeof(word));
}

static bool wide(const struct soft_op *op)
{
	return op->size != 2;
}
static unsigned environment_bytes(const struct soft_op *op)
{
	return wide(op) ? ENVIRONMENT_32 : ENVIRONMENT_16;
}
/* Images of real and virtual-8086 mode hold linear addresses. */
static uint32_t real_pointer(uint64_t pointer)
{
	return (uint32_t)pointer + ((uint32_t)(pointer >> 32 & 0xffff) << 4);
}
static uint64_t far_pointer(uint32_t offset, uint32_t selector)
{
	return offset | (uint64_t)(selector & 0xffff) << 32;
}

static void put_environment_16(const struct soft_cpu *cpu, uint8_t *bytes)
{
	const struct soft_fxsave *fx = &cpu->fx;

	put16(bytes, 0, fx->control);
	put16(bytes, 1, fx->status);
	put16(bytes, 2, soft_x87_full_tag(fx));
	if (soft_protected(cpu)) {
		put16(bytes, 3, fx->instruction);
		put16(bytes, 4, fx->instruction >> 32);
		put16(bytes, 5, fx->data);
		put16(bytes, 6, fx->data >> 32);
	} else {
		uint32_t instruction = real_pointer(fx->instruction);
		uint32_t data = real_pointer(fx->data);

		put16(bytes, 3, instruction);
		put16(bytes, 4, (instruction >> 16 & 15) << 12 | (fx->opcode & 0x7ff));
		put16(bytes, 5, data);
		put16(bytes, 6, (data >> 16 & 15) << 12);
	}
}

static void put_environment_32(const struct soft_cpu *cpu, uint8_t *bytes)
{
	const struct soft_fxsave *fx = &cpu->fx;
	const uint32_t ones = 0xffff0000;
	uint32_t opcode = fx->opcode & 0x7ff;

	put32(bytes, 0, fx->control | ones);
	put32(bytes, 1, fx->status | ones);
	put32(bytes, 2, soft_x87_full_tag(fx) | ones);
	if (soft_protected(cpu)) {
		put32(bytes, 3, fx->instruction);
		put32(bytes, 4, opcode << 16 | (fx->instruction >> 32 & 0xffff));
		put32(bytes, 5, fx->data);
		put32(bytes, 6, ones | (fx->data >> 32 & 0xffff));
	} else {
		uint32_t instruction = real_pointer(fx->instruction);
		uint32_t data = real_pointer(fx->data);

		put32(bytes, 3, ones | (instruction & 0xffff));
		put32(bytes, 4, instruction >> 16 << 12 | opcode);
		put32(bytes, 5, ones | (data & 0xffff));
		put32(bytes, 6, data >> 16 << 12);
	}
}

static void get_environment_16(struct soft_cpu *cpu, const uint8_t *bytes)
{
	struct soft_fxsave *fx = &cpu->fx;

	soft_x87_set_top(fx, get16(bytes, 1) >> SOFT_X87_TOP_SHIFT & 7);
	soft_x87_set_words(fx, (uint16_t)get16(bytes, 0), (uint16_t)get16(bytes, 1));
	fx->tag = soft_x87_abridged_tag((uint16_t)get16(bytes, 2));
	if (soft_protected(cpu)) {
		fx->instruction = far_pointer(get16(bytes, 3), get16(bytes, 4));
		fx->data = far_pointer(get16(bytes, 5), get16(bytes, 6));
		fx->opcode = 0;
	} else {
		fx->instruction = get16(bytes, 3) | get16(bytes, 4) >> 12 << 16;
		fx->data = get16(bytes, 5) | get16(bytes, 6) >> 12 << 16;
		fx->opcode = get16(bytes, 4) & 0x7ff;
	}
}

static void get_environment_32(struct soft_cpu *cpu, const uint8_t *bytes)
{
	struct soft_fxsave *fx = &cpu->fx;

	soft_x87_set_top(fx, get32(bytes, 1) >> SOFT_X87_TOP_SHIFT & 7);
	soft_x87_set_words(fx, (uint16_t)get32(bytes, 0), (uint16_t)get32(bytes, 1));
	fx->tag = soft_x87_abridged_tag((uint16_t)get32(bytes, 2));
	if (soft_protected(cpu)) {
		fx->instruction = far_pointer(get32(bytes, 3), get32(bytes, 4));
		fx->data = far_pointer(get32(bytes, 5), get32(bytes, 6));
		fx->opcode = get32(bytes, 4) >> 16 & 0x7ff;
	} else {
		fx->instruction = (get32(bytes, 3) & 0xffff) | (get32(bytes, 4) >> 12 << 16);
		fx->data = (get32(bytes, 5) & 0xffff) | (get32(bytes, 6) >> 12 << 16);
		fx->opcode = get32(bytes, 4) & 0x7ff;
	}
}

static __attribute__((noinline)) bool load(struct soft_cpu *cpu, const struct soft_op *op,
					   bool registers)
{
	unsigned environment = environment_bytes(op);
	unsigned count = environment + (registers ? REGISTERS : 0);
	uint8_t bytes[ENVIRONMENT_32 + REGISTERS];

	if (!soft_x87_ready(cpu) || !soft_read_bytes(cpu, op, soft_address(cpu, op), bytes, count))
		return false;
	if (wide(op))
		get_environment_32(cpu, bytes);
	else
		get_environment_16(cpu, bytes);
	for (unsigned i = 0; registers && i < 8; i++)
		memcpy(cpu->fx.st[i], bytes + environment + (size_t)i * 10, 10);
	return true;
}

static __attribute__((noinline)) bool store(struct soft_cpu *cpu, const struct soft_op *op,
					    bool registers)
{
	unsigned environment = environment_bytes(op);
	unsigned count = environment + (registers ? REGISTERS : 0);
	uint8_t bytes[ENVIRONMENT_32 + REGISTERS];

	if (!soft_x87_enabled(cpu))
		return false;
	if (wide(op))
		put_environment_32(cpu, bytes);
	else
		put_environment_16(cpu, bytes);
	for (unsigned i = 0; registers && i < 8; i++)
		memcpy(bytes + environment + (size_t)i * 10, cpu->fx.st[i], 10);
	if (!soft_write_bytes(cpu, op, soft_address(cpu, op), bytes, count))
		return false;
	if (registers)
		soft_x87_init(&cpu->fx);
	else
		soft_x87_set_words(&cpu->fx, cpu->fx.control | SOFT_X87_EXCEPTIONS, cpu->fx.status);
	return true;
}

#define DEFINE_HANDLER(name, how, registers)                                                  \
	const struct soft_op *soft_x87_##name(struct soft_cpu *cpu, const struct soft_op *op) \
	{                                                                                     \
		return how(cpu, op, registers) ? SOFT_NEXT(cpu, op) : soft_stop(cpu, op);     \
	}
DEFINE_HANDLER(fldenv, load, false)
DEFINE_HANDLER(frstor, load, true)
DEFINE_HANDLER(fnstenv, store, false)
DEFINE_HANDLER(fnsave, store, true)
