/* Control and debug registers. References: SDM vol. 3, 2.5 (CR), 2.4.1 (LMSW), 4.1 and 4.4.1 (paging modes,
 * PDPTEs), 4.10.4 (invalidation), 9.8.5 (long mode), 18.2 (DR). */
// SPDX-License-Identifier: MIT
#include "accel/soft/decode/decode.h"
#include "accel/soft/system/model.h"
#include "accel/soft/system/system.h"
#include "accel/soft/system/system_internal.h"
#include "accel/soft/vm.h"

#define CR0_CACHES UINT64_C(0x60000000)

static bool protection_fault(struct soft_cpu *cpu)
{
	return soft_raise_error(cpu, SOFT_GP, 0);
}

static bool uses_pdptes(uint64_t cr0, uint64_t cr4, uint64_t efer)
{
	return (cr0 & SOFT_CR0_PG) && (cr4 & SOFT_CR4_PAE) && !(efer & SOFT_EFER_LMA);
}

/* 9.8.5: a 16-bit TSS does not go with long mode. */
static bool has_16bit_task(const struct soft_cpu *cpu)
{
	unsigned type = cpu->segment[MW_TR].attributes & SOFT_SEG_TYPE;

	return type == 1 || type == 3;
}

/* Paging goes on or off; *efer gets LMA accordingly. */
static bool check_paging_switch(const struct soft_cpu *cpu, bool on, uint64_t *efer)
{
	bool code_64 = cpu->segment[MW_CS].attributes & SOFT_SEG_L;

	if (!(*efer & SOFT_EFER_LME))
		return true;
	if (on) {
		if (!(cpu->cr4 & SOFT_CR4_PAE) || code_64 || has_16bit_task(cpu))
			return false;
		*efer |= SOFT_EFER_LMA;
	} else {
		if (soft_long_mode(cpu) && code_64)
			return false;
		*efer &= ~(uint64_t)SOFT_EFER_LMA;
	}
	return true;
}

static bool set_cr0(struct soft_cpu *cpu, uint64_t value)
{
	uint64_t old = cpu->cr0, efer = cpu->efer, changed;

	if (value > UINT32_MAX)
		return protection_fault(cpu);
	value = (value & SOFT_CR0_DEFINED) | SOFT_CR0_ET;
	changed = value ^ old;
	if (((value & SOFT_CR0_PG) && !(value & SOFT_CR0_PE)) ||
	    ((value & SOFT_CR0_NW) && !(value & SOFT_CR0_CD)))
		return protection_fault(cpu);
	if ((changed & SOFT_CR0_PG) && !check_paging_switch(cpu, value & SOFT_CR0_PG, &efer))
		return protection_fault(cpu);
	if (uses_pdptes(value, cpu->cr4, efer) && (changed & (SOFT_CR0_PG | CR0_CACHES)) &&
	    !soft_load_pdptes(cpu, cpu->cr3))
		return false;
	cpu->cr0 = value;
	cpu->efer = efer;
	/* Without paging there is nothing that PE or WP could change; jumps are kept by mode. */
	if (changed & SOFT_CR0_PG || (changed & SOFT_CR0_WP && value & SOFT_CR0_PG))
		soft_tlb_flush(cpu);
	soft_mode_update(cpu);
	return true;
}

static bool set_cr3(struct soft_cpu *cpu, uint64_t value)
{
	if (soft_long_mode(cpu) && (value & SOFT_PHYSICAL_RESERVED))
		return protection_fault(cpu);
	if (uses_pdptes(cpu->cr0, cpu->cr4, cpu->efer) && !soft_load_pdptes(cpu, value))
		return false;
	cpu->cr3 = value;
	soft_tlb_flush_nonglobal(cpu);
	return true;
}

/* A bit of CR4 exists with its feature. */
uint64_t soft_cr4_defined(const struct soft_cpu *cpu)
{
	static const struct {
		enum soft_feature feature;
		uint32_t bits;
	} rows[] = {
		{ SOFT_HAS_ALWAYS, SOFT_CR4_PCE },
		{ SOFT_HAS_VME, SOFT_CR4_VME | SOFT_CR4_PVI },
		{ SOFT_HAS_TSC, SOFT_CR4_TSD },
		{ SOFT_HAS_DE, SOFT_CR4_DE },
		{ SOFT_HAS_PSE, SOFT_CR4_PSE },
		{ SOFT_HAS_PAE, SOFT_CR4_PAE },
		{ SOFT_HAS_MCE, SOFT_CR4_MCE },
		{ SOFT_HAS_PGE, SOFT_CR4_PGE },
		{ SOFT_HAS_FXSR, SOFT_CR4_OSFXSR },
		{ SOFT_HAS_SSE, SOFT_CR4_OSXMMEXCPT },
		{ SOFT_HAS_FSGSBASE, SOFT_CR4_FSGSBASE },
	};
	uint64_t bits = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (soft_has(cpu, rows[i].feature))
			bits |= rows[i].bits;
	return bits;
}

static bool set_cr4(struct soft_cpu *cpu, uint64_t value)
{
	const uint64_t translation = SOFT_CR4_PAE | SOFT_CR4_PGE | SOFT_CR4_PSE;
	uint64_t changed = value ^ cpu->cr4;

	if ((value & ~soft_cr4_defined(cpu)) || (soft_long_mode(cpu) && !(value & SOFT_CR4_PAE)))
		return protection_fault(cpu);
	if (uses_pdptes(cpu->cr0, value, cpu->efer) && (changed & translation) &&
	    !soft_load_pdptes(cpu, cpu->cr3))
		return false;
	cpu->cr4 = value;
	if (changed & translation)
		soft_tlb_flush(cpu);
	soft_mode_update(cpu);
	return true;
}

static bool set_cr8(struct soft_cpu *cpu, uint64_t value)
{
	if (value > 15)
		return protection_fault(cpu);
	mw_lapic_set_tpr(&cpu->lapic, (uint8_t)(value << 4));
	soft_look(cpu);
	return true;
}

/* MOV to CR2 and from any: the block goes on. op->size is that of the register operand. */
static bool read_control(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t value;

	if (!soft_need_supervisor(cpu))
		return false;
	switch (op->reg) {
	case 0: value = cpu->cr0; break;
	case 2: value = cpu->cr2; break;
	case 3: value = cpu->cr3; break;
	case 4: value = cpu->cr4; break;
	default: value = mw_lapic_tpr(&cpu->lapic) >> 4; break;
	}
	soft_set_sized(cpu, op->rm, op->size, value);
	return true;
}
SOFT_GO_ON(mov_r_cr, read_control)

static bool write_control(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t value = soft_get_sized(cpu, op->rm, op->size);

	if (!soft_need_supervisor(cpu))
		return false;
	switch (op->reg) {
	case 0: return set_cr0(cpu, value);
	case 2: cpu->cr2 = value; return true;
	case 3: return set_cr3(cpu, value);
	case 4: return set_cr4(cpu, value);
	default: return set_cr8(cpu, value);
	}
}
SOFT_GO_OUT(mov_cr_r, write_control)

/* Both operands are registers whatever mod says, and of the mode's width whatever the prefixes say. */
static void emit_register_move(struct soft_decoder *decoder, soft_handler *run)
{
	const struct soft_insn *insn = &decoder->insn;
	struct soft_op *op = soft_emit(decoder, run);

	op->reg = (uint8_t)((insn->modrm >> 3 & 7) | (insn->rex & 4) << 1);
	op->rm = (uint8_t)((insn->modrm & 7) | (insn->rex & 1) << 3);
	op->size = soft_64bit(decoder->cpu) ? 8 : 4;
}

void soft_emit_mov_control(struct soft_decoder *decoder)
{
	unsigned number = (decoder->insn.modrm >> 3 & 7) | (decoder->insn.rex & 4u) << 1;
	bool load = decoder->insn.opcode == 0x22;

	if (number == 1 || (number > 4 && number != 8)) {
		soft_emit_undefined(decoder);
		return;
	}
	emit_register_move(decoder, load ? mov_cr_r : mov_r_cr);
	if (load)
		decoder->ends = true;
}

/* DR4 and DR5 are DR6 and DR7, unless CR4.DE is set. */
static bool check_debug(struct soft_cpu *cpu, unsigned number)
{
	if ((number & 6) == 4 && (cpu->cr4 & SOFT_CR4_DE))
		return soft_raise(cpu, SOFT_UD);
	if (!soft_need_supervisor(cpu))
		return false;
	if (!(cpu->dr7 & SOFT_DR7_GD))
		return true;
	soft_raise(cpu, SOFT_DB);
	cpu->fault.debug = SOFT_DR6_BD;
	return false;
}

static bool read_debug(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t value;

	if (!check_debug(cpu, op->reg))
		return false;
	if (op->reg < 4)
		value = cpu->dr[op->reg];
	else
		value = op->reg & 1 ? cpu->dr7 : cpu->dr6;
	soft_set_sized(cpu, op->rm, op->size, value);
	return true;
}
SOFT_GO_ON(mov_r_dr, read_debug)

/* A page with a data breakpoint is not in the TLB. */
static bool write_debug(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint64_t value = soft_get_sized(cpu, op->rm, op->size);
	uint64_t old_dr7 = cpu->dr7;

	if (!check_debug(cpu, op->reg))
		return false;
	if (op->reg >= 4 && value > UINT32_MAX)
		return protection_fault(cpu);
	if (op->reg < 4)
		cpu->dr[op->reg] = value;
	else if (op->reg & 1)
		cpu->dr7 = (value & SOFT_DR7_WRITABLE) | SOFT_DR7_ONES;
	else
		cpu->dr6 = (value & SOFT_DR6_WRITABLE) | SOFT_DR6_ONES;
	if ((cpu->dr7 | old_dr7) & SOFT_DR7_ENABLES)
		soft_tlb_flush(cpu);
	soft_debug_update(cpu);
	return true;
}
SOFT_GO_OUT(mov_dr_r, write_debug)

void soft_emit_mov_debug(struct soft_decoder *decoder)
{
	bool load = decoder->insn.opcode == 0x23;

	if (decoder->insn.rex & 4) {
		soft_emit_undefined(decoder);
		return;
	}
	emit_register_move(decoder, load ? mov_dr_r : mov_r_dr);
	if (load)
		decoder->ends = true;
}

/* TS is looked at when an x87 or SSE instruction runs, but the mode may be part of a block's key. */
static bool clear_task_switched(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_need_supervisor(cpu))
		return false;
	cpu->cr0 &= ~(uint64_t)SOFT_CR0_TS;
	soft_mode_update(cpu);
	return true;
}
SOFT_GO_OUT(clts, clear_task_switched)

void soft_emit_clts(struct soft_decoder *decoder)
{
	soft_emit_last(decoder, clts);
}

static bool store_status_word(struct soft_cpu *cpu, const struct soft_op *op)
{
	return soft_store16(cpu, op, soft_address(cpu, op), (uint16_t)cpu->cr0);
}
SOFT_GO_ON(smsw_m, store_status_word)

static bool move_status_word(struct soft_cpu *cpu, const struct soft_op *op)
{
	soft_set_sized(cpu, op->rm, op->size, cpu->cr0);
	return true;
}
SOFT_GO_ON(smsw_r, move_status_word)

void soft_emit_smsw(struct soft_decoder *decoder)
{
	soft_emit_modrm(decoder, smsw_r, smsw_m, 2, SOFT_WRITE);
}

/* 2.5: PE can be set this way, not cleared. */
static bool set_status_word(struct soft_cpu *cpu, uint16_t value)
{
	const uint64_t bits = SOFT_CR0_PE | SOFT_CR0_MP | SOFT_CR0_EM | SOFT_CR0_TS;

	return set_cr0(cpu, (cpu->cr0 & ~(bits & ~(uint64_t)SOFT_CR0_PE)) | (value & bits));
}

static bool load_status_word(struct soft_cpu *cpu, const struct soft_op *op)
{
	uint16_t value;

	return soft_need_supervisor(cpu) && soft_load16(cpu, op, soft_address(cpu, op), &value) &&
	       set_status_word(cpu, value);
}
SOFT_GO_OUT(lmsw_m, load_status_word)

static bool take_status_word(struct soft_cpu *cpu, const struct soft_op *op)
{
	return soft_need_supervisor(cpu) && set_status_word(cpu, soft_get16(cpu, op->rm));
}
SOFT_GO_OUT(lmsw_r, take_status_word)

void soft_emit_lmsw(struct soft_decoder *decoder)
{
	soft_emit_modrm(decoder, lmsw_r, lmsw_m, 2, SOFT_READ);
	decoder->ends = true;
}

static bool invalidate_page(struct soft_cpu *cpu, const struct soft_op *op)
{
	if (!soft_need_supervisor(cpu))
		return false;
	soft_tlb_flush_page(cpu, soft_wrapped(cpu, soft_address(cpu, op)));
	return true;
}
SOFT_GO_OUT(invlpg, invalidate_page)

void soft_emit_invlpg(struct soft_decoder *decoder)
{
	soft_emit_memory(decoder, invlpg, 1, SOFT_READ);
	decoder->ends = true;
}
