/* Moves words from a device to RAM without an end, many with each instruction. */
#include "rom.inc"
ENTER_PROTECTED
start:
	cld
1:	movl $MMIO, %esi
	movl $0x8000, %edi
	movl $0x200, %ecx
	incl 0x5000
	rep movsl
	jmp 1b
RESET_VECTOR entry
