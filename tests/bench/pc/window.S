/* ITER words written to the VGA's window by the machine's first instructions: no BIOS has run. With CHAINED as in mode
 * 13h, else as in text modes. Ends by writing 0 to port 0xf4. References: IBM PS/2 Hardware Interface Technical
 * Reference, "Video Subsystem". */
/* SPDX-License-Identifier: MIT */
.macro put port, register, value
	movw $(\value << 8 | \register), %ax
	movw $\port, %dx
	outw %ax, %dx
.endm

.code16
.globl _start
_start:
	cld
	movl $0x80001004, %eax		/* 00:02.0 decodes ports and memory */
	movw $0xcf8, %dx
	outl %eax, %dx
	movw $3, %ax
	movw $0xcfc, %dx
	outw %ax, %dx
	movb $0x63, %al			/* the CPU reaches the memory */
	movw $0x3c2, %dx
	outb %al, %dx
	put 0x3ce, 5, 0
	put 0x3ce, 8, 0xff
#ifdef CHAINED
	put 0x3c4, 2, 15
	put 0x3c4, 4, 0x0e
	put 0x3ce, 6, 5
	movw $0xa000, %ax
#else
	put 0x3c4, 2, 3
	put 0x3c4, 4, 0x02
	put 0x3ce, 6, 0x0e
	movw $0xb800, %ax
#endif
	movw %ax, %es
	movl $ITER, %ebx
1:	xorw %di, %di
	movw $1000, %cx
	rep stosw
	subl $1000, %ebx
	ja 1b
	xorb %al, %al
	outb %al, $0xf4
	hlt
