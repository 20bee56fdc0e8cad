/* Sleeps between interrupts of the local APIC's periodic timer and counts them at 0x5000; the other CPUs are
 * started and count at 0x5004 without end. */
#include "rom.inc"
#define VECTOR 0x40
#define EOI 0xfee000b0
#define SPURIOUS 0xfee000f0
#define ICR_LOW 0xfee00300
#define ICR_HIGH 0xfee00310
#define LVT_TIMER 0xfee00320
#define INITIAL_COUNT 0xfee00380
#define DIVIDE 0xfee003e0
#define PERIODIC 0x20000
ENTER_PROTECTED
start:
	movl $0, 0x5000
	movl $0, 0x5004
	movl $ROM + (handler - rom), %eax
	movw %ax, 0x1000 + VECTOR * 8
	movw $8, 0x1000 + VECTOR * 8 + 2
	movw $0x8e00, 0x1000 + VECTOR * 8 + 4
	shrl $16, %eax
	movw %ax, 0x1000 + VECTOR * 8 + 6
	lidt ROM + (idt_pointer - rom)
	movl $0x1ff, SPURIOUS
	/* The other CPUs start in real mode at page 8. */
	movl $ROM + (other - rom), %esi
	movl $0x8000, %edi
	movl $other_end - other, %ecx
	cld
	rep movsb
	movl $0, ICR_HIGH
	movl $0xc4500, ICR_LOW
	movl $0xc4608, ICR_LOW
	/* 100,000 of 1 GHz: some 10 kHz. */
	movl $0xb, DIVIDE
	movl $PERIODIC | VECTOR, LVT_TIMER
	movl $100000, INITIAL_COUNT
1:	sti
	hlt
	cli
	jmp 1b

/* Returns without IRET, which an emulating KVM does not know in this mode. */
handler:
	incl 0x5000
	movl $0, EOI
	popl %eax
	addl $8, %esp
	sti
	jmp *%eax

	.code16
other:
	xorw %ax, %ax
	movw %ax, %ds
2:	lock incl 0x5004
	pause
	jmp 2b
other_end:

idt_pointer:
	.word 0x1000
	.long 0x1000
RESET_VECTOR entry
