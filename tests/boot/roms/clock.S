/* Writes when its timers interrupt it, as numbers in hexadecimal on COM1: the time stamp and how far a loop
 * has come. A periodic local APIC timer 40 times, one-shots during HLT, the UART's receive timeout. */
#include "rom.inc"
#define TIMER 0x40
#define SERIAL 0x41
#define EOI 0xfee000b0
#define SPURIOUS 0xfee000f0
#define LVT_TIMER 0xfee00320
#define INITIAL_COUNT 0xfee00380
#define DIVIDE 0xfee003e0
#define IOREGSEL 0xfec00000
#define IOWIN 0xfec00010
#define COM1 0x3f8
#define RESULTS 0x10000
ENTER_PROTECTED
start:
	movl $ROM + (timer - rom), %eax
	movl $0x1000 + TIMER * 8, %edi
	call set_gate
	movl $ROM + (serial - rom), %eax
	movl $0x1000 + SERIAL * 8, %edi
	call set_gate
	lidt ROM + (idt_pointer - rom)
	movl $0x1ff, SPURIOUS
	movl $0x11 + 2 * 4, IOREGSEL
	movl $0, IOWIN
	movl $0x10 + 2 * 4, IOREGSEL
	movl $SERIAL, IOWIN
	movl $0xb, DIVIDE
	movl $RESULTS, %edi
	xorl %ecx, %ecx
	xorl %ebx, %ebx
	sti

	/* Every 50,000 ns amid work. */
	movl $0x20000 | TIMER, LVT_TIMER
	movl $50000, INITIAL_COUNT
1:	incl %ecx
	imull $31, %ecx, %esi
	xorl %esi, 0x5000
	cmpl $RESULTS + 40 * 8, %edi
	jb 1b
	movl $0, INITIAL_COUNT

	/* One-shots, slept through. */
	movl $TIMER, LVT_TIMER
	movl $1000, %ebp
2:	cli
	movl %edi, %ebx
	movl %ebp, INITIAL_COUNT
3:	sti
	hlt
	cli
	cmpl %ebx, %edi
	je 3b
	imull $7, %ebp, %ebp
	cmpl $RESULTS + 45 * 8, %edi
	jb 2b

	/* A byte received in loopback and not taken: the FIFO's timeout, a device's timer. */
	movw $COM1 + 3, %dx
	movb $0x83, %al
	outb %al, %dx
	movw $COM1, %dx
	movb $1, %al
	outb %al, %dx
	incw %dx
	movb $0, %al
	outb %al, %dx
	movw $COM1 + 3, %dx
	movb $3, %al
	outb %al, %dx
	decw %dx
	movb $0xc7, %al
	outb %al, %dx
	decw %dx
	movb $1, %al
	outb %al, %dx
4:	movl %edi, %ebx
	movw $COM1 + 4, %dx
	movb $0x18, %al
	outb %al, %dx
	movw $COM1, %dx
	movb $0x55, %al
	outb %al, %dx
	movw $COM1 + 4, %dx
	movb $8, %al
	outb %al, %dx
	sti
5:	incl %ecx
	cmpl %ebx, %edi
	je 5b
	cli
	cmpl $RESULTS + 50 * 8, %edi
	jb 4b

	/* Tell. */
	movw $COM1 + 1, %dx
	movb $0, %al
	outb %al, %dx
	movl $RESULTS, %esi
6:	movl (%esi), %ebx
	movl $8, %ecx
7:	roll $4, %ebx
	movb %bl, %al
	andb $15, %al
	addb $48, %al /* '0' */
	cmpb $57, %al
	jbe 8f
	addb $39, %al /* to 'a' */
8:	movw $COM1, %dx
	outb %al, %dx
	loop 7b
	movb $10, %al
	outb %al, %dx
	addl $4, %esi
	cmpl %edi, %esi
	jb 6b
	EXIT 20

/* %eax: the handler, %edi: the gate. */
set_gate:
	movw %ax, (%edi)
	movw $8, 2(%edi)
	movw $0x8e00, 4(%edi)
	shrl $16, %eax
	movw %ax, 6(%edi)
	ret

serial:
	pushl %edx
	pushl %eax
	movw $COM1, %dx
	inb %dx, %al
	jmp 9f
timer:
	pushl %edx
	pushl %eax
9:	rdtsc
	stosl
	movl %ecx, %eax
	stosl
	movl $0, EOI
	popl %eax
	popl %edx
	iretl

idt_pointer:
	.word 0x1000
	.long 0x1000
RESET_VECTOR entry
