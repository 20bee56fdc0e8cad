/** A writer of AML, the byte code of ACPI (ACPI 6.5, chapter 20), for core and for device hints. */
// SPDX-License-Identifier: MIT
#ifndef CORE_TABLES_AML_H
#define CORE_TABLES_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_plan_net;

/** Grows by itself; packages nest by begin and end, at most 16 deep. Created with zeroes by the
 * table writer, passed to devices' hints, freed by mw_aml_fini. */
struct mw_aml {
	uint8_t *bytes;
	size_t length, capacity;
	size_t open[16]; /* starts of the packages not ended yet */
	unsigned depth;
};
void mw_aml_fini(struct mw_aml *aml);

void mw_aml_byte(struct mw_aml *aml, uint8_t byte);
/** The shortest of Zero, One, BytePrefix, WordPrefix, DWordPrefix and QWordPrefix. */
void mw_aml_integer(struct mw_aml *aml, uint64_t value);
void mw_aml_string(struct mw_aml *aml, const char *text);
/** A path such as "\\_SB_.GED_" or "COM1": segments are padded with '_' to four characters. */
void mw_aml_name_string(struct mw_aml *aml, const char *path);
/** "PNP0501" as an EISA id integer, any other form as a string. */
void mw_aml_hid(struct mw_aml *aml, const char *id);

/** Name (path, object): the object is what is written next. */
void mw_aml_name(struct mw_aml *aml, const char *path);
void mw_aml_scope_begin(struct mw_aml *aml, const char *path);
void mw_aml_device_begin(struct mw_aml *aml, const char *path);
void mw_aml_method_begin(struct mw_aml *aml, const char *path, unsigned arguments, bool serialized);
void mw_aml_package_begin(struct mw_aml *aml, unsigned elements);
void mw_aml_if_begin(struct mw_aml *aml); /* the predicate is what is written next */
/** A term whose operands are what is written next (20.2.5), the target last. */
enum mw_aml_operator {
	MW_AML_NO_TARGET = 0x00,
	MW_AML_ARG0 = 0x68,
	MW_AML_STORE = 0x70,
	MW_AML_AND = 0x7b,
	MW_AML_OR = 0x7d,
	MW_AML_CREATE_DWORD_FIELD = 0x8a,
	MW_AML_RETURN = 0xa4
};
void mw_aml_op(struct mw_aml *aml, enum mw_aml_operator op);
/** Ends the innermost scope, device, method, package, if or buffer. */
void mw_aml_end(struct mw_aml *aml);

/** OperationRegion (path, SystemMemory or SystemIO, base, length). */
void mw_aml_operation_region(struct mw_aml *aml, const char *path, bool memory, uint64_t base,
			     uint64_t length);
/** The same in the space of that number (table 5.194's: 2 is the PCI function's configuration space). */
enum { MW_AML_PCI_CONFIG = 2 };
void mw_aml_operation_region_in(struct mw_aml *aml, const char *path, unsigned space, uint64_t base,
				uint64_t length);
/** Field (region, access, NoLock, Preserve) with one named field of `bits` at bit 0 each, in order. */
void mw_aml_field(struct mw_aml *aml, const char *region, unsigned access_bytes,
		  const char *const *names, const unsigned *bits, size_t count);

/* A resource template: begin, descriptors, end (ACPI 6.5, 6.4). */
void mw_aml_resources_begin(struct mw_aml *aml);
void mw_aml_resource_io(struct mw_aml *aml, uint16_t base, uint16_t length);
void mw_aml_resource_memory(struct mw_aml *aml, uint64_t base, uint64_t length, bool writable);
/** A line of the ISA bus by its number there, 0 to 15: edge and active high, or level and active low. */
void mw_aml_resource_irq(struct mw_aml *aml, unsigned line, bool level, bool shared);
void mw_aml_resource_interrupt(struct mw_aml *aml, uint32_t gsi, bool level, bool active_low,
			       bool shared);
/** Interrupts to choose from; with one, that one. */
void mw_aml_resource_interrupts(struct mw_aml *aml, const uint32_t *gsis, size_t count, bool level,
				bool active_low, bool shared);
/** What a bridge passes on: below 64 Ki buses or ports, or memory below 4 GiB. */
enum mw_aml_space { MW_AML_MEMORY, MW_AML_PORTS, MW_AML_BUSES };
void mw_aml_resource_window(struct mw_aml *aml, enum mw_aml_space space, uint64_t base,
			    uint64_t length);
/** A line of the plan as systems know it: by its number on the ISA bus, which is right with and without I/O
 * APICs, or else by its GSI. Nothing where it has neither. */
bool mw_aml_can_name_line(const struct mw_plan_net *net);
void mw_aml_resource_line(struct mw_aml *aml, const struct mw_plan_net *net);
void mw_aml_resources_end(struct mw_aml *aml);

#endif
