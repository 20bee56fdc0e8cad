/* Jumps to where no memory is: KVM would have to fetch from a device, and gives up. */
#include "rom.inc"
ENTER_PROTECTED
start:
	movl $0x12345678, %ebx
	movl $MMIO, %eax
	jmp *%eax
RESET_VECTOR entry
