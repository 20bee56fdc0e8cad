/* A boot sector that changes the screen again and again. It chooses a mode and says R on COM1, waits there for a byte
 * and goes on until the next, tells how many pictures that was, in four bytes, and switches off by PM1a_CNT at 0x604.
 * WAY: 0 writes all of a text screen, 1 scrolls it by a row, 2 writes all of mode 13h, 3 all of a linear frame buffer
 * of 1024x768 in 32 bits, 4 a rectangle of 64x16 in it. With PACE it makes so many pictures a second and halts between
 * them. */
/* SPDX-License-Identifier: MIT */
#define TEXT 0
#define SCROLL 1
#define MODE_13H 2
#define FRAME_BUFFER 3
#define RECTANGLE 4
#define COLUMNS 80
#define ROWS 25
#define WIDTH 1024
#define HEIGHT 768
#define STRIPE 48	/* pixels of one colour */
#define STEP 0x030507	/* from one colour to the next */

.macro vbe register, value
	movw $\register, %ax
	movw $0x1ce, %dx
	outw %ax, %dx
	movw $\value, %ax
	incw %dx
	outw %ax, %dx
.endm

.code16
.globl _start
_start:
	xorw %ax, %ax
	movw %ax, %ds
	movw %ax, %ss
	movw $0x7c00, %sp
	cld
	call mode
	cli
	movb $'R', %al
	call say
	call listen
#ifdef PACE
	call pace
#endif
	xorl %ebp, %ebp
next:
#ifdef PACE
	sti
	hlt
	cli
#endif
	call picture
	incl %ebp
	movw $0x3fd, %dx
	inb %dx, %al
	testb $1, %al
	jz next
	call listen
	movw $4, %cx
1:	movl %ebp, %eax
	call say
	shrl $8, %ebp
	loop 1b
	movw $0x604, %dx
	movw $0x2000, %ax
	outw %ax, %dx
2:	hlt
	jmp 2b

say:	movb %al, %bl
	movw $0x3fd, %dx
1:	inb %dx, %al
	testb $0x20, %al
	jz 1b
	movb %bl, %al
	movw $0x3f8, %dx
	outb %al, %dx
	ret
listen:	movw $0x3fd, %dx
1:	inb %dx, %al
	testb $1, %al
	jz 1b
	movw $0x3f8, %dx
	inb %dx, %al
	ret

#ifdef PACE
pace:	movw $tick, %cs:(4 * 8)
	movw $0, %cs:(4 * 8 + 2)
	movb $0x34, %al
	outb %al, $0x43
	movw $(1193182 / PACE), %ax
	outb %al, $0x40
	movb %ah, %al
	outb %al, $0x40
	ret
tick:	pushw %ax
	movb $0x20, %al
	outb %al, $0x20
	popw %ax
	iretw
#endif

#if WAY == TEXT || WAY == SCROLL
mode:	movw $0x0003, %ax
	int $0x10
	movw $0xb800, %ax
	movw %ax, %es
	movw %ax, %ds
	ret
row:	movw %bp, %ax
	addw %di, %ax
	movb $7, %ah
	movw $COLUMNS, %cx
1:	stosw
	incb %al
	loop 1b
	ret
#if WAY == TEXT
picture:
	xorw %di, %di
	movw $ROWS, %bx
2:	call row
	decw %bx
	jnz 2b
	ret
#else
picture:
	xorw %di, %di
	movw $(2 * COLUMNS), %si
	movw $(COLUMNS * (ROWS - 1)), %cx
	rep movsw
	call row
	ret
#endif
#endif

#if WAY == MODE_13H
mode:	movw $0x0013, %ax
	int $0x10
	movw $0xa000, %ax
	movw %ax, %es
	ret
picture:
	xorw %di, %di
	movl %ebp, %eax
	movw $200, %bx
1:	movw $80, %cx
	rep stosl
	addl $STEP, %eax
	decw %bx
	jnz 1b
	ret
#endif

#if WAY == FRAME_BUFFER || WAY == RECTANGLE
mode:	vbe 4, 0
	vbe 1, WIDTH
	vbe 2, HEIGHT
	vbe 3, 32
	vbe 4, 0x41			/* on, linear */
	movl $0x80001010, %eax		/* base address register 0 of 00:02.0 */
	movw $0xcf8, %dx
	outl %eax, %dx
	movw $0xcfc, %dx
	inl %dx, %eax
	andb $0xf0, %al
	movl %eax, base
	cli
	lgdtl gdt
	movl %cr0, %eax
	incw %ax
	movl %eax, %cr0
	movw $8, %bx
	movw %bx, %es			/* all of memory, even after protected mode */
	decw %ax
	movl %eax, %cr0
	ret
picture:
	movl base, %edi
	imull $0x010101, %ebp, %eax
#if WAY == FRAME_BUFFER
	movw $(WIDTH * HEIGHT / STRIPE), %bx
1:	movl $STRIPE, %ecx
	addr32 rep stosl
	addl $STEP, %eax
	decw %bx
	jnz 1b
#else
	addl $(4 * (100 * WIDTH + 100)), %edi
	movw $16, %bx
1:	movl $64, %ecx
	addr32 rep stosl
	addl $STEP, %eax
	addl $(4 * (WIDTH - 64)), %edi
	decw %bx
	jnz 1b
#endif
	ret
	.balign 8
gdt:	.word 15
	.long gdt
	.word 0
	.quad 0x00cf92000000ffff
base:	.long 0
#endif
	.org 510
	.word 0xaa55
