/* Descriptor tables and what looks into them: groups 6 and 7, LAR, LSL, VERR, VERW, ARPL. References: SDM
 * vol. 2; SDM vol. 3, 2.4 (table registers), 3.4.5 (descriptors), 5.10 (checking of access rights). */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "accel/soft/decode/decode.h"
#include "accel/soft/integer/flags.h"
#include "accel/soft/system/system.h"
#include "accel/soft/system/system_internal.h"

/* SGDT, SIDT, LGDT, LIDT: op->extra is ModRM.reg. */
enum table_form { SGDT, SIDT, LGDT, LIDT };

static bool store_table(struct soft_cpu *cpu, const struct soft_op *op)
{
	const struct mw_table_register *table = op->extra == SGDT ? &cpu->gdt : &cpu->idt;
	uint8_t bytes[10];

	/* All 32 bits of the base whatever the operand size, as processors do. */
	memcpy(bytes, &table->limit, 2);
	memcpy(bytes + 2, &table->base, 8);
	return soft_write_bytes(cpu, op, soft_address(cpu, op), bytes, soft_64bit(cpu) ? 10 : 6);
}
SOFT_GO_ON(store_table_op, store_table)

static bool load_table(struct soft_cpu *cpu, const struct soft_op *op)
{
	struct mw_table_register table = { .base = 0 };
	bool wide = soft_64bit(cpu);
	uint8_t bytes[10];

	if (!soft_need_supervisor(cpu) ||
	    !soft_read_bytes(cpu, op, soft_address(cpu, op), bytes, wide ? 10 : 6))
		return false;
	memcpy(&table.limit, bytes, 2);
	memcpy(&table.base, bytes + 2, wide ? 8 : 4);
	if (!wide && op->size == 2)
		table.base &= 0xffffff;
	if (!soft_canonical(table.base))
		return soft_raise_error(cpu, SOFT_GP, 0);
	*(op->extra == LGDT ? &cpu->gdt : &cpu->idt) = table;
	return true;
}
SOFT_GO_ON(load_table_op, load_table)

void soft_emit_table(struct soft_decoder *decoder)
{
	enum table_form form = decoder->insn.modrm >> 3 & 3;
	bool store = form == SGDT || form == SIDT;
	struct soft_op *op =
		soft_emit_memory(decoder, store ? store_table_op : load_table_op,
				 soft_64bit(decoder->cpu) ? 10 : 6, store ? SOFT_WRITE : SOFT_READ);

	if (!op)
		return;
	op->extra = (uint8_t)form;
	op->size = (uint8_t)decoder->insn.operand_size;
}

/* Group 6: SLDT, STR, LLDT, LTR, VERR, VERW by ModRM.reg, in op->extra. */
enum { SLDT, STR, LLDT, LTR, VERR, VERW };

static uint16_t selector_of(const struct soft_cpu *cpu, const struct soft_op *op)
{
	return cpu->segment[op->extra == SLDT ? MW_LDTR : MW_TR].selector;
}

static bool store_selector(struct soft_cpu *cpu, const struct soft_op *op)
{
	return soft_store16(cpu, op, soft_address(cpu, op), selector_of(cpu, op));
}
SOFT_GO_ON(store_selector_op, store_selector)

static bool move_selector(struct soft_cpu *cpu, const struct soft_op *op)
{
	soft_set_sized(cpu, op->rm, op->size, selector_of(cpu, op));
	return true;
}
SOFT_GO_ON(move_selector_op, move_selector)

static void set_zf(struct soft_cpu *cpu, bool zf)
{
	uint32_t flags = soft_flags_get(cpu) & ~(uint32_t)SOFT_ZF;

	soft_flags_set(cpu, flags | (zf ? SOFT_ZF : 0u));
}

/** What a selector leads to. */
struct lookup {
	bool found; /* not null, within its table */
	uint64_t low;
};

/* False: a page fault is raised; all else is an answer. */
static bool look_up(struct soft_cpu *cpu, uint16_t selector, struct lookup *lookup)
{
	const struct mw_segment *ldt = &cpu->segment[MW_LDTR];
	uint64_t base = cpu->gdt.base, offset = selector & 0xfff8u;
	uint32_t limit = cpu->gdt.limit;

	lookup->found = false;
	if (selector & 4) {
		if (!(ldt->attributes & SOFT_SEG_P) || !(ldt->selector & 0xfffc))
			return true;
		base = ldt->base;
		limit = ldt->limit;
	} else if (!offset) {
		return true;
	}
	if (offset + 7 > limit)
		return true;
	lookup->found = true;
	return soft_system_read(cpu, base + offset, 8, &lookup->low);
}

static unsigned attributes_of(const struct lookup *lookup)
{
	return (unsigned)(lookup->low >> 40) & 0xffff;
}

static bool is_conforming(unsigned attributes)
{
	return (attributes & SOFT_SEG_S) && (attributes & SOFT_SEG_CODE) &&
	       (attributes & SOFT_SEG_DOWN);
}

static bool is_privileged(const struct soft_cpu *cpu, uint16_t selector, unsigned attributes)
{
	unsigned dpl = attributes >> 5 & 3;

	return is_conforming(attributes) || (dpl >= cpu->cpl && dpl >= (selector & 3u));
}

static bool is_readable(unsigned attributes)
{
	return !(attributes & SOFT_SEG_CODE) || (attributes & SOFT_SEG_WRITABLE);
}

static bool is_writable(unsigned attributes)
{
	return !(attributes & SOFT_SEG_CODE) && (attributes & SOFT_SEG_WRITABLE);
}

static bool verify(struct soft_cpu *cpu, const struct soft_op *op, uint16_t selector)
{
	struct lookup lookup;
	unsigned attributes;

	if (!look_up(cpu, selector, &lookup))
		return false;
	attributes = lookup.found ? attributes_of(&lookup) : 0;
	set_zf(cpu, (attributes & SOFT_SEG_S) && is_privileged(cpu, selector, attributes) &&
			    (op->extra == VERR ? is_readable : is_writable)(attributes));
	return true;
}

static bool use_selector(struct soft_cpu *cpu, const struct soft_op *op, uint16_t selector)
{
	switch (op->extra) {
	case LLDT: return soft_ldtr_load(cpu, selector);
	case LTR: return soft_tr_load(cpu, selector);
	default: return verify(cpu, op, selector);
	}
}

static bool check_group6(struct soft_cpu *cpu, const struct soft_op *op)
{
	return op->extra >= VERR || soft_need_supervisor(cpu);
}

static bool group6_memory(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint16_t selector;

	return check_group6(cpu, op) && soft_load16(cpu, op, soft_address(cpu, op), &selector) &&
	       use_selector(cpu, op, selector);
}
SOFT_GO_ON(group6_m, group6_memory)

static bool group6_register(struct soft_cpu *cpu, const struct soft_op *op)
{
	return check_group6(cpu, op) && use_selector(cpu, op, soft_get16(cpu, op->rm));
}
SOFT_GO_ON(group6_r, group6_register)

/* Selectors mean something in protected mode only. That is part of a block's key. */
void soft_emit_group6(struct soft_decoder *decoder)
{
	unsigned form = decoder->insn.modrm >> 3 & 7;
	bool store = form <= STR;
	struct soft_op *op;

	if (decoder->cpu->mode.real || form > VERW) {
		soft_emit_undefined(decoder);
		return;
	}
	op = soft_emit_modrm(decoder, store ? move_selector_op : group6_r,
			     store ? store_selector_op : group6_m, 2,
			     store ? SOFT_WRITE : SOFT_READ);
	if (op)
		op->extra = (uint8_t)form;
}

/* LAR and LSL: a bit for each system type they take: in long mode LDT and 64-bit TSS, and for LAR the call
 * gate. */
static bool is_visible(const struct soft_cpu *cpu, unsigned attributes, bool for_limit)
{
	const unsigned segments = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 9 | 1 << 11;
	const unsigned gates = 1 << 4 | 1 << 5 | 1 << 12;
	unsigned types = for_limit ? segments : segments | gates;

	if (soft_long_mode(cpu))
		types &= 1 << 2 | 1 << 9 | 1 << 11 | 1 << 12;
	return (attributes & SOFT_SEG_S) || (types >> (attributes & SOFT_SEG_TYPE) & 1);
}

/* op->extra: LSL. */
static bool look_into(struct soft_cpu *cpu, const struct soft_op *op, uint16_t selector)
{
	struct soft_descriptor descriptor = { .low = 0 };
	struct lookup lookup;
	bool limit = op->extra, visible;
	unsigned attributes;

	if (!look_up(cpu, selector, &lookup))
		return false;
	attributes = lookup.found ? attributes_of(&lookup) : 0;
	visible = lookup.found && is_visible(cpu, attributes, limit) &&
		  is_privileged(cpu, selector, attributes);
	set_zf(cpu, visible);
	if (!visible)
		return true;
	descriptor.low = lookup.low;
	soft_set_sized(cpu, op->reg, op->size,
		       limit ? soft_descriptor_limit(&descriptor)
			     : (lookup.low >> 32 & 0x00ffff00));
	return true;
}

static bool look_memory(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint16_t selector;

	return soft_load16(cpu, op, soft_address(cpu, op), &selector) &&
	       look_into(cpu, op, selector);
}
SOFT_GO_ON(lar_lsl_m, look_memory)

static bool look_register(struct soft_cpu *cpu, const struct soft_op *op)
{
	return look_into(cpu, op, soft_get16(cpu, op->rm));
}
SOFT_GO_ON(lar_lsl_r, look_register)

void soft_emit_lar_lsl(struct soft_decoder *decoder)
{
	struct soft_op *op;

	if (decoder->cpu->mode.real) {
		soft_emit_undefined(decoder);
		return;
	}
	op = soft_emit_modrm(decoder, lar_lsl_r, lar_lsl_m, 2, SOFT_READ);
	if (op)
		op->extra = decoder->insn.opcode == 0x03;
}

/* Raises the RPL of one selector to that of another. */
static bool adjust_memory(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t linear = soft_address(cpu, op);
	uint16_t value, source = soft_get16(cpu, op->reg);
	bool raise;

	if (!soft_modify16(cpu, op, linear, &value))
		return false;
	raise = (value & 3) < (source & 3);
	if (raise && !soft_store16(cpu, op, linear, (uint16_t)((value & ~3) | (source & 3))))
		return false;
	set_zf(cpu, raise);
	return true;
}
SOFT_GO_ON(arpl_m, adjust_memory)

static bool adjust_register(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint16_t value = soft_get16(cpu, op->rm), source = soft_get16(cpu, op->reg);
	bool raise = (value & 3) < (source & 3);

	if (raise)
		soft_set16(cpu, op->rm, (uint16_t)((value & ~3) | (source & 3)));
	set_zf(cpu, raise);
	return true;
}
SOFT_GO_ON(arpl_r, adjust_register)

void soft_emit_arpl(struct soft_decoder *decoder)
{
	if (decoder->cpu->mode.real || soft_64bit(decoder->cpu))
		soft_emit_undefined(decoder);
	else
		soft_emit_modrm(decoder, arpl_r, arpl_m, 2, SOFT_WRITE);
}
