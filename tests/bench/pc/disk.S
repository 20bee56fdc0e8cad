/* ITER times SECTORS sectors between the first IDE disk and memory, by the machine's first instructions: no BIOS has
 * run. DIR: 8 reads, 0 writes; CMD: the ATA command, with 48-bit addresses. By bus-master DMA and an interrupt, or
 * with PIO by the data port, polled. Ends by writing to port 0xf4: 0, or the status that was bad. References: ATA/ATAPI-7, volume 2; SFF-8038i; Intel 82371SB data sheet. */
/* SPDX-License-Identifier: MIT */
#define BUS_MASTER 0xc000
#define TABLE 0x20000
#define BUFFER 0x200000
#define PIECES 32
#define FIRST_SECTOR 2048
#define LAST_SECTOR 120000
#define VECTOR 0x70	/* of the second 8259 */

.macro write port, value
	movb $\value, %al
	movw $\port, %dx
	outb %al, %dx
.endm
.macro config register, value
	movl $(0x80000900 | \register), %eax	/* 00:01.1 */
	movw $0xcf8, %dx
	outl %eax, %dx
	movl $\value, %eax
	movw $0xcfc, %dx
	outl %eax, %dx
.endm

.code16
.globl _start
_start:
	cli
	cld
	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %ss
	movw $0x7c00, %sp
	config 0x20, BUS_MASTER
	config 0x04, 5			/* ports, bus master */
	config 0x40, 0x80008000		/* the controller decodes the drives' ports */
	call descriptors
	call interrupts
	movl $ITER, %esi
	movl $FIRST_SECTOR, %ebp
next:	call command
#ifdef PIO
	call data
#else
	write BUS_MASTER, (DIR | 1)
	call wait
#endif
	addl $SECTORS, %ebp
	cmpl $LAST_SECTOR, %ebp
	jb 1f
	movl $FIRST_SECTOR, %ebp
1:	decl %esi
	jnz next
	xorb %al, %al
exit:	outb %al, $0xf4
	hlt

/* Pages with gaps between them, as a guest's memory is. */
descriptors:
	movw $(TABLE >> 4), %ax
	movw %ax, %es
	xorw %di, %di
	movl $BUFFER, %ebx
	movw $PIECES, %cx
1:	movl %ebx, %eax
	stosl
	movl $0x1000, %eax
	cmpw $1, %cx
	jne 2f
	orl $0x80000000, %eax
2:	stosl
	addl $0x2000, %ebx
	loop 1b
	ret

/* Only the disk's comes through: by the second 8259, the first, and LINT0 of the local APIC. */
interrupts:
	lgdtl gdt
	movl %cr0, %eax
	incw %ax
	movl %eax, %cr0
	movw $8, %bx
	movw %bx, %fs			/* all of memory, even after protected mode */
	decw %ax
	movl %eax, %cr0
	movl $0xfee00000, %ebx
	movl $0x1ff, %fs:0xf0(%ebx)
	movl $0x700, %fs:0x350(%ebx)
	movw $on_disk, (4 * (VECTOR + 6))
	movw $0, (4 * (VECTOR + 6) + 2)
	write 0x20, 0x11
	write 0x21, 0x08
	write 0x21, 0x04
	write 0x21, 0x01
	write 0xa0, 0x11
	write 0xa1, VECTOR
	write 0xa1, 0x02
	write 0xa1, 0x01
	write 0x21, 0xfb
	write 0xa1, 0xbf
	ret

command:
	movb $0, done
#ifndef PIO
	write BUS_MASTER, DIR
	movl $TABLE, %eax
	movw $(BUS_MASTER + 4), %dx
	outl %eax, %dx
#endif
	write 0x1f2, (SECTORS >> 8)	/* the upper half of count and address */
	movl %ebp, %eax
	shrl $24, %eax
	incw %dx
	outb %al, %dx
	xorb %al, %al
	incw %dx
	outb %al, %dx
	incw %dx
	outb %al, %dx
	write 0x1f2, (SECTORS & 255)
	movl %ebp, %eax
	incw %dx
	outb %al, %dx
	shrl $8, %eax
	incw %dx
	outb %al, %dx
	shrl $8, %eax
	incw %dx
	outb %al, %dx
	write 0x1f6, 0xe0
	write 0x1f7, CMD
	ret

#ifdef PIO
data:	movw $SECTORS, %bx
	movw $(TABLE >> 4), %ax
	movw %ax, %es
1:	movw $0x3f6, %dx
2:	inb %dx, %al
	testb $0x80, %al
	jnz 2b
	testb $8, %al
	jz exit
	movw $0x1f0, %dx
	xorw %di, %di
	movw $128, %cx
	rep insl
	decw %bx
	jnz 1b
	ret
#else
wait:	cli
	cmpb $0, done
	jne 1f
	sti
	hlt
	jmp wait
1:	ret
#endif

complete:
	write BUS_MASTER, 0
	movw $0x1f7, %dx
	inb %dx, %al
	testb $1, %al
	jnz exit
	write (BUS_MASTER + 2), 4
	movb $1, done
	ret

on_disk:
	pushaw
	movw $(BUS_MASTER + 2), %dx
	inb %dx, %al
	testb $4, %al
	jz 1f
	call complete
1:	write 0xa0, 0x20
	write 0x20, 0x20
	popaw
	iretw
done:	.byte 0
	.balign 8
gdt:	.word 15
	.long gdt
	.word 0
	.quad 0x00cf92000000ffff
