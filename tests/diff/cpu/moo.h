/** Reads the recorded cases of SingleStepTests (MOO, gzip), each one instruction before and after. */
// SPDX-License-Identifier: MIT
#ifndef TESTS_DIFF_CPU_MOO_H
#define TESTS_DIFF_CPU_MOO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** In the order of the format's masks. */
enum moo_register {
	MOO_AX,
	MOO_BX,
	MOO_CX,
	MOO_DX,
	MOO_CS,
	MOO_SS,
	MOO_DS,
	MOO_ES,
	MOO_SP,
	MOO_BP,
	MOO_SI,
	MOO_DI,
	MOO_IP,
	MOO_FLAGS,
	MOO_REGISTERS
};

/** Count, then address and byte, packed: the file's own bytes. */
struct moo_ram {
	const uint8_t *bytes;
	size_t count;
};
struct moo_state {
	uint16_t registers[MOO_REGISTERS];
	struct moo_ram ram;
};
/** Borrows the file's bytes. `after` has all registers: those not recorded are as before. */
struct moo_case {
	uint32_t number;
	const char *name; /* name_length bytes */
	const uint8_t *code;
	size_t name_length, code_length;
	struct moo_state before, after;
	bool excepts;
	uint8_t vector;
};
struct moo_file {
	uint8_t *bytes;
	size_t count, next;
};

/** False: errno or the format is wrong; says so on stderr. */
bool moo_open(struct moo_file *file, const char *path);
/** The next case; false at the end. */
bool moo_next(struct moo_file *file, struct moo_case *test);
void moo_close(struct moo_file *file);

uint32_t moo_ram_address(const struct moo_ram *ram, size_t index);
uint8_t moo_ram_byte(const struct moo_ram *ram, size_t index);

#endif
