/* Counts in memory of a device, 600 times; then in RAM at 0x5000 that all of it is written, and goes on for ever. */
#include "rom.inc"
ENTER_PROTECTED
start:
	movl $MMIO, %ebx
	movl $1, %eax
1:	movl %eax, (%ebx)
	incl %eax
	cmpl $600, %eax
	jbe 1b
2:	incl 0x5000
	jmp 2b
RESET_VECTOR entry
