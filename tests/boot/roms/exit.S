/* The least a ROM can do: end with code 21 * 2 + 1. */
#include "rom.inc"
	.code16
start:
	movb $21, %al
	outb %al, $EXIT_PORT
	hlt
RESET_VECTOR start
