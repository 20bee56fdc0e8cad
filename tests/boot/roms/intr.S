/* Takes vector 0x40 from an interrupt controller at INTR, ROUNDS times in each of four ways: at once, after
 * STI, asleep in HLT, after LINT0 was masked. Counts at 0x5000; leaves with 1, or with 2 where one came that
 * must not. */
#include "rom.inc"
#define INTR 0x511
#define LATER 0x512
#define VECTOR 0x40
#define ROUNDS 50
#define SPURIOUS 0xfee000f0
#define LINT0 0xfee00350
#define EXT_INT 0x700
#define MASKED 0x10000
ENTER_PROTECTED
start:
	movl $0, 0x5000
	movl $ROM + (handler - rom), %eax
	movw %ax, 0x1000 + VECTOR * 8
	movw $8, 0x1000 + VECTOR * 8 + 2
	movw $0x8e00, 0x1000 + VECTOR * 8 + 4
	shrl $16, %eax
	movw %ax, 0x1000 + VECTOR * 8 + 6
	lidt ROM + (idt_pointer - rom)
	movl $0x1ff, SPURIOUS
	movl $EXT_INT, LINT0
	movl $ROUNDS, %ebp
	movl $1, %ebx /* how many are to have come */
round:
	/* At once. */
	sti
	call raise
	call wait_for_it
	/* After STI. */
	cli
	call raise
	call see_that_none_comes
	sti
	call wait_for_it
	/* Asleep. */
	cli
	movw $LATER, %dx
	movb $VECTOR, %al
	outb %al, %dx
1:	sti
	hlt
	cli
	cmpl %ebx, 0x5000
	jb 1b
	incl %ebx
	/* After LINT0 was masked. */
	movl $MASKED | EXT_INT, LINT0
	sti
	call raise
	call see_that_none_comes
	movl $EXT_INT, LINT0
	call wait_for_it
	decl %ebp
	jnz round
	EXIT 1

raise:
	movw $INTR, %dx
	movb $VECTOR, %al
	outb %al, %dx
	ret

wait_for_it:
	pause
	cmpl %ebx, 0x5000
	jb wait_for_it
	incl %ebx
	ret

see_that_none_comes:
	movl $200, %ecx
2:	pause
	cmpl %ebx, 0x5000
	jae 3f
	loop 2b
	ret
3:	EXIT 2

/* Returns without IRET, which an emulating KVM does not know in this mode. */
handler:
	incl 0x5000
	popl %eax
	addl $8, %esp
	sti
	jmp *%eax

idt_pointer:
	.word 0x1000
	.long 0x1000
RESET_VECTOR entry
