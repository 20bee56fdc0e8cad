/** From bytes to ops: one table row per opcode says how long the instruction is and which function emits its
 * ops. References: SDM vol. 2, chapter 2 and appendix A. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_DECODE_H
#define ACCEL_SOFT_DECODE_H

#include "accel/soft/decode/op.h"

/** What follows the opcode, and what else the decoder has to know. */
enum soft_format {
	SOFT_MODRM = 1 << 0,
	SOFT_IMM8 = 1 << 1,  /* sign-extended into imm */
	SOFT_IMM16 = 1 << 2, /* zero-extended */
	SOFT_IMMZ = 1 << 3,  /* 2 bytes at operand size 16, else 4; sign-extended */
	SOFT_IMMV = 1 << 4,  /* 2, 4 or 8 bytes by operand size (MOV r,imm) */
	SOFT_MOFFS = 1 << 5, /* an address of the address size, in imm */
	SOFT_FAR = 1 << 6,   /* offset of operand size in imm, selector in imm2 */
	SOFT_ENTER = 1 << 7, /* imm16 in imm, imm8 in imm2 */
	SOFT_BYTE = 1 << 8,  /* operands are bytes */
	SOFT_D64 =
		1
		<< 9, /* operand size is 64 by default in 64-bit mode (PUSH, near branches: F64 too) */
	SOFT_I64 = 1 << 10, /* invalid in 64-bit mode */
	SOFT_O64 = 1 << 11, /* valid in 64-bit mode only */
	SOFT_LOCKABLE =
		1 << 12,     /* LOCK is legal with a memory destination; emit checks finer points */
	SOFT_ENDS = 1 << 13, /* the block ends after it */
	SOFT_GROUP3 =
		1 << 14, /* F6, F7: an immediate with /0 and /1 only (SOFT_IMM8 or SOFT_IMMZ) */
	SOFT_PREFIX66 = 1 << 15, /* 66 is a mandatory prefix, not an operand size (SSE) */
	SOFT_F64 = 1 << 16 /* operand size is 64 whatever 66 says (near branches in 64-bit mode) */
};

/** One instruction, taken apart. */
struct soft_insn {
	uint8_t bytes[16];
	unsigned length;
	unsigned map; /* 0: one byte, 1: 0F, 2: 0F 38, 3: 0F 3A */
	uint8_t opcode;
	bool lock, operand_prefix, address_prefix;
	uint8_t repeat;         /* 0, 0xf2 or 0xf3: the last one given */
	uint8_t rex;            /* 0: none */
	int segment_prefix;     /* enum mw_segment_name or -1 */
	unsigned operand_size;  /* bytes: 1, 2, 4, 8 */
	unsigned address_size;  /* bytes: 2, 4, 8 */
	bool has_modrm, memory; /* memory: mod != 3 */
	uint8_t modrm;
	unsigned reg, rm; /* with REX.R, REX.B; plain opcodes with a register in bits 0-2: rm */
	/* memory operand */
	uint8_t base, index, scale; /* slots; SOFT_ZERO for none */
	bool rip_relative;
	int32_t disp;
	enum mw_segment_name segment; /* effective */
	uint64_t imm;
	uint64_t imm2;
};

enum { SOFT_BLOCK_INSTRUCTIONS = 48, SOFT_BLOCK_OPS = 160 };

/** Where a block's ops grow; lives on the decoder's stack. */
struct soft_decoder {
	struct soft_cpu *cpu; /* mode only; and the log */
	struct soft_insn insn;
	struct soft_op ops[SOFT_BLOCK_OPS];
	unsigned op_count, instruction; /* the number of the one being decoded */
	unsigned offset;                /* in the page, of its first byte */
	bool ends;
};

/** An op without memory operand; fields are filled from the instruction: reg, rm (registers; for
 * SOFT_BYTE rows already as byte offsets), imm, size, length, number, next. Returned for more. */
struct soft_op *soft_emit(struct soft_decoder *decoder, soft_handler *run);
/** An op with the instruction's memory operand, `bytes` long and accessed so: besides the above base,
 * index, scale, disp, segment for soft_address. Where the short form does not do (16- and 32-bit
 * addresses, segment bases or limits, FS and GS with an index), an op that works out SOFT_EA and checks
 * the segment comes before it. */
struct soft_op *soft_emit_memory(struct soft_decoder *decoder, soft_handler *run, unsigned bytes,
				 enum soft_access access);
/** By ModRM: `on_register` when mod is 3, else `on_memory`. NULL: undefined. */
struct soft_op *soft_emit_modrm(struct soft_decoder *decoder, soft_handler *on_register,
				soft_handler *on_memory, unsigned bytes, enum soft_access access);
/** For opcodes whose destination is ModRM.reg: the register handler is that of the other direction, so reg and
 * rm change places; the memory handler has its destination in reg. */
void soft_emit_r_rm(struct soft_decoder *decoder, soft_handler *on_register,
		    soft_handler *on_memory);
/** Whether the instruction's operands on the stack are 4 bytes and need no look at the segment. */
bool soft_flat_stack(const struct soft_decoder *decoder);
/** Raises #UD when executed; counted and named in the log. */
void soft_emit_undefined(struct soft_decoder *decoder);
/** Byte offset in gpr of an 8-bit register: AH to BH without REX. */
uint8_t soft_byte_register(const struct soft_insn *insn, unsigned number);

typedef void soft_emitter(struct soft_decoder *decoder);
struct soft_opcode {
	soft_emitter *emit; /* NULL: undefined */
	uint32_t format;
};
/** opcodes.c: the two maps. */
extern const struct soft_opcode soft_opcodes[2][256];

/** decode_insn.c: takes one instruction apart. `available` bytes are at `bytes` (up to 15). Returns its
 * length; 0 when more bytes are needed; -1 when it is longer than 15 (#GP). Undefined opcodes have a length
 * too (as far as the table knows). */
int soft_decode_insn(struct soft_insn *insn, const struct soft_mode *mode, const uint8_t *bytes,
		     unsigned available);

/* The families; each in the file named. */
/* alu.c */
soft_emitter soft_emit_alu_rm_r, soft_emit_alu_r_rm, soft_emit_alu_a_imm, soft_emit_group1,
	soft_emit_test_rm_r, soft_emit_test_a_imm, soft_emit_test_rm_imm, soft_emit_inc_dec,
	soft_emit_group4_5;
/* move.c */
soft_emitter soft_emit_mov_rm_r, soft_emit_mov_r_rm, soft_emit_mov_r_imm, soft_emit_mov_rm_imm,
	soft_emit_mov_moffs, soft_emit_lea, soft_emit_movzx, soft_emit_movsx, soft_emit_movsxd,
	soft_emit_cmov, soft_emit_setcc, soft_emit_xchg, soft_emit_xchg_a, soft_emit_cbw,
	soft_emit_cwd, soft_emit_nop;
/* stack.c */
soft_emitter soft_emit_push_r, soft_emit_pop_r, soft_emit_push_imm, soft_emit_pop_rm,
	soft_emit_pusha, soft_emit_popa, soft_emit_pushf, soft_emit_popf, soft_emit_enter,
	soft_emit_frame_leave, soft_emit_push_segment, soft_emit_pop_segment,
	soft_emit_push_rm /* FF /6 */;
/* branch.c: near ones */
soft_emitter soft_emit_jcc, soft_emit_jmp, soft_emit_call, soft_emit_ret, soft_emit_loop;
/* shift.c */
soft_emitter soft_emit_group2, soft_emit_shld, soft_emit_shrd;
/* multiply.c */
soft_emitter soft_emit_group3, soft_emit_imul;
/* bits.c */
soft_emitter soft_emit_bt, soft_emit_bit_scan, soft_emit_bswap, soft_emit_cmpxchg, soft_emit_xadd,
	soft_emit_group9, soft_emit_xlat, soft_emit_bound, soft_emit_flag, soft_emit_lahf_sahf,
	soft_emit_prefetch;
/* bcd.c */
soft_emitter soft_emit_bcd;
/* string.c: MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS; io.c: IN, OUT */
soft_emitter soft_emit_string, soft_emit_io;
/* far.c: far JMP, CALL, RET; INT, INT3, INTO, IRET; MOV Sreg, LxS */
soft_emitter soft_emit_far_direct, soft_emit_far_ret, soft_emit_int, soft_emit_iret,
	soft_emit_mov_segment, soft_emit_load_far_pointer;
/** FF /3 and /5, called by soft_emit_group4_5. */
soft_emitter soft_emit_far_indirect;
/* system.c: groups 6 and 7, MOV CR and DR, CLTS, HLT, INVD, WBINVD, LAR, LSL, ARPL, CPUID, RDTSC, RDPMC,
 * RDMSR, WRMSR, SYSCALL, SYSRET, SYSENTER, SYSEXIT, CLI and STI */
soft_emitter soft_emit_system;
/* x87.c: D8 to DF, 9B; fxsave.c: group 15 (0F AE) */
soft_emitter soft_emit_x87, soft_emit_wait, soft_emit_group15;
/* sse.c: every MMX, SSE and SSE2 opcode of map 1, EMMS and MOVNTI among them */
soft_emitter soft_emit_sse;

#endif
