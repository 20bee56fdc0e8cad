/** Runs single x87 instructions on the host's own unit (SDM vol. 1, chapter 8): results are exact
 * in 80 bits, flags, stack faults and answers to unmasked exceptions too. */
// SPDX-License-Identifier: MIT
#include "accel/soft/floating/x87_internal.h"

/* A table of instructions, 4 bytes each: those with registers by their number SOFT_X87_REGISTER,
 * then those with memory, at (%rdx). Only what the emit functions let through is ever called.
 *
 * An exception that is not masked waits in the unit for the next waiting instruction; FXSAVE and
 * FNINIT are none, so the host never sees it. FXRSTOR loads the host's own MXCSR; the XMM
 * registers are the caller's to save in this calling convention. */
__asm__(".pushsection .text\n"
	".balign 16\n"
	"soft_x87_code:\n"
	".set soft_x87_number, 0\n"
	".rept 512\n"
	"	.byte 0xd8 + (soft_x87_number >> 6), 0xc0 + (soft_x87_number & 63)\n"
	"	ret\n"
	"	nop\n"
	".set soft_x87_number, soft_x87_number + 1\n"
	".endr\n"
	".set soft_x87_number, 0\n"
	".rept 64\n"
	"	.byte 0xd8 + (soft_x87_number >> 3), (soft_x87_number & 7) * 8 + 2\n"
	"	ret\n"
	"	nop\n"
	".set soft_x87_number, soft_x87_number + 1\n"
	".endr\n"
	".globl soft_x87_host\n"
	".hidden soft_x87_host\n"
	".type soft_x87_host, @function\n"
	"soft_x87_host:\n"
	".cfi_startproc\n"
	"	stmxcsr 24(%rdi)\n"
	"	fxrstor64 (%rdi)\n"
	"	leaq soft_x87_code(%rip), %rax\n"
	"	movl %esi, %esi\n"
	"	leaq (%rax,%rsi,4), %rax\n"
	"	xorl %ecx, %ecx\n"
	"	call *%rax\n"
	"	pushfq\n"
	".cfi_adjust_cfa_offset 8\n"
	"	popq %rax\n"
	".cfi_adjust_cfa_offset -8\n"
	"	fxsave64 (%rdi)\n"
	"	fninit\n"
	"	ret\n"
	".cfi_endproc\n"
	".size soft_x87_host, . - soft_x87_host\n"
	".popsection\n");
