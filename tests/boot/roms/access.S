/* Ports and MMIO in every size, string instructions both ways, an access across 8 bytes. */
#include "rom.inc"
ENTER_PROTECTED
start:
	movl $0x44332211, %eax
	movw $PORTS, %dx
	outb %al, %dx
	outw %ax, %dx
	outl %eax, %dx

	inb %dx, %al
	movb %al, 0x5000
	inw %dx, %ax
	movw %ax, 0x5002
	inl %dx, %eax
	movl %eax, 0x5004

	/* Seven bytes out of RAM, then five words into it. */
	cld
	movl $0x5000, %esi
	movl $7, %ecx
	addw $4, %dx
	rep outsb
	movl $0x5010, %edi
	movl $5, %ecx
	rep insw

	movl $0x88776655, %eax
	movl $MMIO, %ebx
	movb %al, (%ebx)
	movw %ax, 2(%ebx)
	movl %eax, 4(%ebx)
	movb 8(%ebx), %al
	movb %al, 0x5020
	movw 10(%ebx), %ax
	movw %ax, 0x5022
	movl 12(%ebx), %eax
	movl %eax, 0x5024
	EXIT 1
RESET_VECTOR entry
