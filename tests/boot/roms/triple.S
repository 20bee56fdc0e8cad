/* Without a descriptor table an exception ends in a triple fault; 0x5000 counts how often we began,
 * since RAM outlives a reset. */
#include "rom.inc"
ENTER_PROTECTED
start:
	incl 0x5000
	cmpl $3, 0x5000
	jae 2f
	lidt ROM + (no_idt - rom)
	ud2
2:	EXIT 1
no_idt:
	.word 0
	.long 0
RESET_VECTOR entry
