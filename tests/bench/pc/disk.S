/* A boot sector that moves ITER pieces of 32 pages between the first IDE disk and memory by bus-master DMA, writes
 * `K` (or `B`: a bad status) to COM1 and switches off by PM1a_CNT at 0x604. DIR: 8 reads, 0 writes; CMD: the ATA
 * command, 0x25 or 0x35 (48-bit addresses), SECTORS of each piece. */
/* SPDX-License-Identifier: MIT */
.code16
.globl _start
_start:
	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %ss
	movw $0x7c00, %sp
	cld
	movw $0xcf8, %dx		/* base address register 4 of 00:01.1 */
	movl $0x80000920, %eax
	outl %eax, %dx
	movw $0xcfc, %dx
	inl %dx, %eax
	andw $0xfffc, %ax
	movw %ax, ports
	movw $0xcf8, %dx		/* its command register: ports, bus master */
	movl $0x80000904, %eax
	outl %eax, %dx
	movw $0xcfc, %dx
	movw $0x5, %ax
	outw %ax, %dx
	movw $0x2000, %ax		/* the descriptors: 32 pages, every other one from 2 MiB on */
	movw %ax, %es
	xorw %di, %di
	movl $0x200000, %ebx
	movw $32, %cx
1:	movl %ebx, %eax
	stosl
	movl $0x1000, %eax
	cmpw $1, %cx
	jne 2f
	orl $0x80000000, %eax
2:	stosl
	addl $0x2000, %ebx
	loop 1b
	sti
	movl $ITER, %esi
	movl $2048, %ebp
next:
	movw ports, %dx
	movb $DIR, %al
	outb %al, %dx
	addw $2, %dx
	movb $6, %al
	outb %al, %dx
	addw $2, %dx
	movl $0x20000, %eax
	outl %eax, %dx
	movw $0x1f2, %dx		/* the upper half of count and address, then the lower */
	movb $(SECTORS >> 8), %al
	outb %al, %dx
	incw %dx
	movl %ebp, %eax
	shrl $24, %eax
	outb %al, %dx
	incw %dx
	xorb %al, %al
	outb %al, %dx
	incw %dx
	outb %al, %dx
	movw $0x1f2, %dx
	movb $(SECTORS & 255), %al
	outb %al, %dx
	incw %dx
	movl %ebp, %eax
	outb %al, %dx
	incw %dx
	shrl $8, %eax
	outb %al, %dx
	incw %dx
	shrl $8, %eax
	outb %al, %dx
	incw %dx
	movb $0xe0, %al
	outb %al, %dx
	incw %dx
	movb $CMD, %al
	outb %al, %dx
	movw ports, %dx
	movb $(DIR | 1), %al
	outb %al, %dx
wait:	cli
	movw ports, %dx
	addw $2, %dx
	inb %dx, %al
	testb $4, %al
	jnz done
	sti
	hlt
	jmp wait
done:	sti
	movw $0x1f7, %dx
	inb %dx, %al
	testb $1, %al
	jnz bad
	movw ports, %dx
	movb $0, %al
	outb %al, %dx
	addl $SECTORS, %ebp
	cmpl $120000, %ebp
	jb 3f
	movl $2048, %ebp
3:	decl %esi
	jnz next
	movb $'K', %al
say:	movw $0x3f8, %dx
	outb %al, %dx
off:	movw $0x604, %dx
	movw $0x2000, %ax
	outw %ax, %dx
	hlt
	jmp off
bad:	movb $'B', %al
	jmp say
ports:	.word 0
	.org 510
	.word 0xaa55
