/* A loop of plain instructions, two of them with memory, ITER times, by the machine's first instructions. Ends by writing 0 to port 0xf4. */
/* SPDX-License-Identifier: MIT */
.code16
.globl _start
_start:
	movl $ITER, %ecx
	xorl %eax, %eax
1:	addl %ecx, %eax
	xorl %eax, %ebx
	movl %ebx, 0x8000
	addl 0x8004, %eax
	decl %ecx
	jnz 1b
	xorb %al, %al
	outb %al, $0xf4
	hlt
