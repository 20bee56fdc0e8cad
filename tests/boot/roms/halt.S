/* Halts for ever; 0x5000 says that it got there. */
#include "rom.inc"
ENTER_PROTECTED
start:
	incl 0x5000
1:	hlt
	incl 0x5004
	jmp 1b
RESET_VECTOR entry
