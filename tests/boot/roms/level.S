/* Takes a level-triggered interrupt three times from a line that falls in the third, and counts at
 * 0x5000; the ioapic's input 5 is set to vector 0x40. */
#include "rom.inc"
#define LINE 0x510
#define VECTOR 0x40
#define SPURIOUS 0xfee000f0
#define EOI 0xfee000b0
#define IOREGSEL 0xfec00000
#define IOWIN 0xfec00010
#define INPUT 5
#define LEVEL 0x8000
ENTER_PROTECTED
start:
	movl $0, 0x5000
	/* A gate at vector 0x40 of a table at 0x1000. */
	movl $ROM + (handler - rom), %eax
	movw %ax, 0x1000 + VECTOR * 8
	movw $8, 0x1000 + VECTOR * 8 + 2
	movw $0x8e00, 0x1000 + VECTOR * 8 + 4
	shrl $16, %eax
	movw %ax, 0x1000 + VECTOR * 8 + 6
	lidt ROM + (idt_pointer - rom)
	movl $0x1ff, SPURIOUS
	movl $0x11 + 2 * INPUT, IOREGSEL
	movl $0, IOWIN
	movl $0x10 + 2 * INPUT, IOREGSEL
	movl $LEVEL | VECTOR, IOWIN
	sti
	movw $LINE, %dx
	movb $1, %al
	outb %al, %dx
1:	pause
	cmpl $3, 0x5000
	jb 1b
	/* Nothing may follow. */
	movl $1000, %ecx
2:	pause
	loop 2b
	EXIT 1

/* Returns without IRET, which an emulating KVM does not know in this mode. */
handler:
	incl 0x5000
	cmpl $3, 0x5000
	jb 3f
	xorl %eax, %eax
	movw $LINE, %dx
	outb %al, %dx
3:	movl $0, EOI
	popl %eax
	addl $8, %esp
	sti
	jmp *%eax

idt_pointer:
	.word 0x1000
	.long 0x1000
RESET_VECTOR entry
