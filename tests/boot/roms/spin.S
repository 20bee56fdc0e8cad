/* Counts in RAM at 0x5000, and every 256 times knocks at a port. */
#include "rom.inc"
ENTER_PROTECTED
start:
	xorl %ecx, %ecx
	movw $PORTS, %dx
1:	incl 0x5000
	incb %cl
	jnz 1b
	outb %al, %dx
	jmp 1b
RESET_VECTOR entry
