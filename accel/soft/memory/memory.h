/** Guest memory as the CPU sees it: linear accesses through the TLB, and what they fall back to. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_MEMORY_H
#define ACCEL_SOFT_MEMORY_H

#include <string.h>

#include "accel/soft/cpu.h"

#define SOFT_INLINE      static inline __attribute__((always_inline))
#define SOFT_LIKELY(x)   __builtin_expect(!!(x), 1)
#define SOFT_UNLIKELY(x) __builtin_expect(!!(x), 0)

enum soft_access { SOFT_READ, SOFT_WRITE, SOFT_FETCH };

/* paging.c. Sizes are 1 to 16 bytes; any alignment; a page crossing is all or nothing. */

/** What the TLB does not answer: walks the page tables, sets accessed and dirty bits, reads RAM, ROM, the
 * local APIC or a device. Raises #PF, or #GP(0)/#SS(0) for a non-canonical address (`op` says by its
 * segment which; NULL: the stack), and then returns 0 with cpu->fault.raised. `size` 1, 2, 4, 8. */
uint64_t soft_read_slow(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
			unsigned size);
bool soft_write_slow(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear, unsigned size,
		     uint64_t value);
/** Any size up to 4096 bytes (FXSAVE images, XMM, 80-bit reals). Raises and returns false; a write that
 * faults has written nothing. */
bool soft_read_bytes(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear, void *bytes,
		     unsigned count);
bool soft_write_bytes(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
		      const void *bytes, unsigned count);
/** Whether a write of `count` bytes would succeed; raises otherwise. For instructions that write twice,
 * and for read-modify-write before the read. */
bool soft_check_write(struct soft_cpu *cpu, const struct soft_op *op, uint64_t linear,
		      unsigned count);

/** The CPU's own accesses to descriptor tables, TSS and the stacks of gates: as supervisor whatever CPL is
 * (`user` false), or by a given privilege. Raise #PF; no segment checks. Sizes 1, 2, 4, 8. */
bool soft_system_read(struct soft_cpu *cpu, uint64_t linear, unsigned size, uint64_t *value);
bool soft_system_write(struct soft_cpu *cpu, uint64_t linear, unsigned size, uint64_t value);
bool soft_read_as(struct soft_cpu *cpu, bool user, uint64_t linear, unsigned size, uint64_t *value);
bool soft_write_as(struct soft_cpu *cpu, bool user, uint64_t linear, unsigned size, uint64_t value);

/** Host memory behind linear..linear+count-1 within one page, or NULL where it is no plain RAM or not in
 * the TLB yet even after a walk (never raises). For page-wise string operations. */
uint8_t *soft_host_range(struct soft_cpu *cpu, uint64_t linear, unsigned count,
			 enum soft_access access);

/** Forget translations: all; all but global ones (may forget all); one page. */
void soft_tlb_flush(struct soft_cpu *cpu);
void soft_tlb_flush_nonglobal(struct soft_cpu *cpu);
void soft_tlb_flush_page(struct soft_cpu *cpu, uint64_t linear);
/** Physical address by the page tables without raising or touching them; false: not mapped. */
bool soft_translate(struct soft_cpu *cpu, uint64_t linear, uint64_t *physical);
/** CR3, CR4 or CR0 bring PAE's four entries in (SDM vol. 3, 4.4.1). False: #GP(0) is raised. */
bool soft_load_pdptes(struct soft_cpu *cpu, uint64_t cr3);

/** Outside 64-bit mode linear addresses wrap at 4 GiB; the slow paths see to it themselves. */
SOFT_INLINE uint64_t soft_wrapped(const struct soft_cpu *cpu, uint64_t linear)
{
	return cpu->mode.code_bits == 64 ? linear : (uint32_t)linear;
}

/* A CPU counts as user at CPL 3 alone. */
SOFT_INLINE struct soft_tlb_entry *soft_tlb_entry(const struct soft_cpu *cpu, uint64_t linear)
{
	return &cpu->tlb[linear >> 12 & (SOFT_TLB_ENTRIES - 1)];
}
/* The last byte's page is compared, so an access that crosses a page misses: the entry that the first
 * byte picks cannot hold the next page. */
SOFT_INLINE uint64_t soft_tag(const struct soft_cpu *cpu, uint64_t linear, unsigned size)
{
	return ((linear + size - 1) & SOFT_PAGE_MASK) | cpu->generation;
}

#define SOFT_DEFINE_ACCESS(bits, bytes)                                                        \
	SOFT_INLINE bool soft_load##bits(struct soft_cpu *cpu, const struct soft_op *op,       \
					 uint64_t linear, uint##bits##_t *value)               \
	{                                                                                      \
		const struct soft_tlb_entry *entry = soft_tlb_entry(cpu, linear);              \
                                                                                               \
		if (SOFT_LIKELY(entry->read_tag == soft_tag(cpu, linear, bytes))) {            \
			memcpy(value, (const void *)(uintptr_t)(linear + entry->host), bytes); \
			return true;                                                           \
		}                                                                              \
		*value = (uint##bits##_t)soft_read_slow(cpu, op, linear, bytes);               \
		return !cpu->fault.raised;                                                     \
	}                                                                                      \
	SOFT_INLINE bool soft_store##bits(struct soft_cpu *cpu, const struct soft_op *op,      \
					  uint64_t linear, uint##bits##_t value)               \
	{                                                                                      \
		const struct soft_tlb_entry *entry = soft_tlb_entry(cpu, linear);              \
                                                                                               \
		if (SOFT_LIKELY(entry->write_tag == soft_tag(cpu, linear, bytes))) {           \
			memcpy((void *)(uintptr_t)(linear + entry->host), &value, bytes);      \
			return true;                                                           \
		}                                                                              \
		return soft_write_slow(cpu, op, linear, bytes, value);                         \
	}
SOFT_DEFINE_ACCESS(8, 1)
SOFT_DEFINE_ACCESS(16, 2)
SOFT_DEFINE_ACCESS(32, 4)
SOFT_DEFINE_ACCESS(64, 8)

/** For a read-modify-write: reads, having made sure that the write which follows cannot fault. */
#define SOFT_DEFINE_MODIFY(bits, bytes)                                                        \
	SOFT_INLINE bool soft_modify##bits(struct soft_cpu *cpu, const struct soft_op *op,     \
					   uint64_t linear, uint##bits##_t *value)             \
	{                                                                                      \
		const struct soft_tlb_entry *entry = soft_tlb_entry(cpu, linear);              \
                                                                                               \
		if (SOFT_LIKELY(entry->write_tag == soft_tag(cpu, linear, bytes))) {           \
			memcpy(value, (const void *)(uintptr_t)(linear + entry->host), bytes); \
			return true;                                                           \
		}                                                                              \
		if (!soft_check_write(cpu, op, linear, bytes))                                 \
			return false;                                                          \
		*value = (uint##bits##_t)soft_read_slow(cpu, op, linear, bytes);               \
		return !cpu->fault.raised;                                                     \
	}
SOFT_DEFINE_MODIFY(8, 1)
SOFT_DEFINE_MODIFY(16, 2)
SOFT_DEFINE_MODIFY(32, 4)
SOFT_DEFINE_MODIFY(64, 8)

#endif
