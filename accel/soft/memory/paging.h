/** Translations one level below memory.h: pages, not accesses. */
// SPDX-License-Identifier: MIT
#ifndef ACCEL_SOFT_PAGING_H
#define ACCEL_SOFT_PAGING_H

#include "accel/soft/memory/memory.h"
#include "accel/soft/vm.h"

/** Low bits of soft_tlb_entry.physical. WATCHED: writable, but the page holds decoded code. */
enum { SOFT_TLB_EXECUTE = 1 << 0, SOFT_TLB_WATCHED = 1 << 1 };

/** Physical address behind a linear one for such an access, through the TLB. False: #PF is raised. */
bool soft_page_find(struct soft_cpu *cpu, uint64_t linear, bool user, enum soft_access access,
		    uint64_t *physical);

/** Whether soft_page_find would succeed; raises otherwise. Marks no entry. */
bool soft_page_probe(struct soft_cpu *cpu, uint64_t linear, bool user, enum soft_access access);

/** The slot behind a page for this CPU: its local APIC's page has none. */
struct soft_slot *soft_slot_find_for(struct soft_cpu *cpu, uint64_t physical);

/** A page now holds code: stores to it leave the fast path on every CPU. */
void soft_tlb_watch(struct soft_vm *vm, uint64_t physical);
/** It holds none any more. */
void soft_tlb_unwatch(struct soft_vm *vm, uint64_t physical);

#endif
