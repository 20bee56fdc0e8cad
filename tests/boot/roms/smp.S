/* Wakes all other CPUs by INIT and SIPI; each adds one to 0x5000 and its APIC id's bit to 0x5004, and
 * tells the port. The first leaves when the number written to the port, which is how many there are,
 * is reached. */
#include "rom.inc"
#define APIC_ID 0xfee00020
#define ICR_LOW 0xfee00300
#define ICR_HIGH 0xfee00310
#define SPURIOUS 0xfee000f0
ENTER_PROTECTED
start:
	/* The other CPUs start in real mode at page 8. */
	movl $ROM + (trampoline - rom), %esi
	movl $0x8000, %edi
	movl $trampoline_end - trampoline, %ecx
	cld
	rep movsb
	movl $0, 0x5000
	movl $0, 0x5004
	movl $0x1ff, SPURIOUS
	movl $0, ICR_HIGH
	movl $0xc4500, ICR_LOW /* INIT, all but self */
	movl $0xc4608, ICR_LOW /* SIPI, all but self, page 8 */
	lock incl 0x5000
	call set_bit
	movw $PORTS, %dx
	inl %dx, %eax
	movl %eax, %ebx
1:	pause
	cmpl %ebx, 0x5000
	jb 1b
	EXIT 1

set_bit:
	movl APIC_ID, %ecx
	shrl $24, %ecx
	lock btsl %ecx, 0x5004
	ret

/* Runs at 0x8000: position independent but for the jump into the ROM. */
	.code16
trampoline:
	cli
	lgdtl %cs:trampoline_gdt - trampoline
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	.byte 0x66, 0xea
	.long ROM + (secondary - rom)
	.word 8
trampoline_gdt:
	.word 23
	.long ROM + (gdt - rom)
trampoline_end:

	.code32
secondary:
	movw $16, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl APIC_ID, %esp
	shrl $16, %esp
	addl $0x9000, %esp
	call set_bit
	movw $PORTS, %dx
	movl %ecx, %eax
	outb %al, %dx
	lock incl 0x5000
3:	cli
	hlt
	jmp 3b
RESET_VECTOR entry
