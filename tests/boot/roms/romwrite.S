/* A write to the ROM changes nothing, and the CPU goes on. */
#include "rom.inc"
ENTER_PROTECTED
start:
	movl ROM, %eax
	notl %eax
	movl %eax, ROM
	cmpl %eax, ROM
	je 2f
	EXIT 1
2:	EXIT 2
RESET_VECTOR entry
