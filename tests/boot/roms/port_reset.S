/* Puts registers in disorder and resets itself through a port, twenty times, and then leaves. */
#include "rom.inc"
ENTER_PROTECTED
start:
	incl 0x5000
	movl $0x12345678, %ebx
	movl %ebx, %edi
	movl %ebx, %dr0
	fninit
	movl $0xc0000081, %ecx /* STAR */
	movl %ebx, %eax
	movl %ebx, %edx
	wrmsr
	movl %ebx, %esi
	movl $0xfee00080, %ebp /* the task priority of the local APIC */
	movl $0x20, (%ebp)
	cmpl $20, 0x5000
	ja 2f
	movb $0xfe, %al
	outb %al, $RESET_PORT
3:	hlt
	jmp 3b
2:	EXIT 1
RESET_VECTOR entry
