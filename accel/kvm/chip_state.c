/* The kernel's 8259 pair and I/O APIC between KVM's form and their nodes' state rows. References: api.rst,
 * 4.26-4.27 (IRQCHIP); the data sheets that devices/interrupt/ has. */
// SPDX-License-Identifier: MIT
#include "accel/kvm/kvm_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

enum { PICS = 2, ID_SHIFT = 24 };
#define LEVEL_TRIGGERED UINT64_C(0x8000)
#define ENTRY_ROW       UINT64_C(0xff0000000001efff) /* all but delivery status */

static const struct pic_row {
	const char *path;
	size_t offset;
} pic_rows[] = {
	{ "chip.irr", offsetof(struct kvm_pic_state, irr) },
	{ "chip.imr", offsetof(struct kvm_pic_state, imr) },
	{ "chip.isr", offsetof(struct kvm_pic_state, isr) },
	{ "chip.last_irr", offsetof(struct kvm_pic_state, last_irr) },
	{ "chip.elcr", offsetof(struct kvm_pic_state, elcr) },
	{ "chip.vector_base", offsetof(struct kvm_pic_state, irq_base) },
	{ "chip.init_state", offsetof(struct kvm_pic_state, init_state) },
	{ "chip.priority_add", offsetof(struct kvm_pic_state, priority_add) },
	{ "chip.read_isr", offsetof(struct kvm_pic_state, read_reg_select) },
	{ "chip.poll", offsetof(struct kvm_pic_state, poll) },
	{ "chip.special_mask", offsetof(struct kvm_pic_state, special_mask) },
	{ "chip.init4", offsetof(struct kvm_pic_state, init4) },
	{ "chip.auto_eoi", offsetof(struct kvm_pic_state, auto_eoi) },
	{ "chip.rotate_on_aeoi", offsetof(struct kvm_pic_state, rotate_on_auto_eoi) },
	{ "chip.sfnm", offsetof(struct kvm_pic_state, special_fully_nested_mode) },
};
enum { PIC_ROWS = sizeof(pic_rows) / sizeof(pic_rows[0]) };

static const uint8_t elcr_masks[PICS] = { 0xf8, 0xde };

/** A node's rows, and whether each that was asked for was there. */
struct rows {
	struct mw_machine *machine;
	uint32_t node;
	bool write, complete;
};

static void move(struct rows *rows, const char *path, size_t element, uint64_t *value)
{
	rows->complete &=
		mw_machine_row(rows->machine, rows->node, path, element, value, rows->write);
}

static void move_pic(struct rows *rows, size_t number, struct kvm_pic_state *pic)
{
	for (size_t i = 0; i < PIC_ROWS; i++) {
		uint8_t *field = (uint8_t *)pic + pic_rows[i].offset;
		uint64_t value = *field;

		move(rows, pic_rows[i].path, number, &value);
		*field = (uint8_t)value;
	}
	pic->elcr_mask = elcr_masks[number];
	pic->elcr &= pic->elcr_mask;
	pic->priority_add &= 7;
}

/* The kernel keeps the level of a pin as its request. */
static void move_ioapic(struct rows *rows, struct kvm_ioapic_state *ioapic)
{
	uint64_t select = ioapic->ioregsel, id = (uint64_t)ioapic->id << ID_SHIFT,
		 levels = ioapic->irr;

	move(rows, "select", 0, &select);
	move(rows, "id", 0, &id);
	move(rows, "levels", 0, &levels);
	ioapic->ioregsel = (uint32_t)select;
	ioapic->id = (uint32_t)id >> ID_SHIFT;
	ioapic->irr = (uint32_t)levels;
	for (size_t i = 0; i < KVM_IOAPIC_PINS; i++) {
		uint64_t entry = ioapic->redirtbl[i].bits & ENTRY_ROW;

		move(rows, "entry", i, &entry);
		ioapic->redirtbl[i].bits = entry & ENTRY_ROW;
		/* An edge that was sent is not to be sent again. */
		if (!rows->write && !(entry & LEVEL_TRIGGERED))
			ioapic->irr &= ~(1u << i);
	}
}

static int get_chip(const struct kvm_vm *vm, uint32_t number, struct kvm_irqchip *chip)
{
	*chip = (struct kvm_irqchip){ .chip_id = number };
	return ioctl(vm->fd, KVM_GET_IRQCHIP, chip);
}

/* `write`: into the rows. */
static enum mw_status move_pics(const struct kvm_vm *vm, struct rows *rows)
{
	for (uint32_t i = 0; i < PICS; i++) {
		struct kvm_irqchip chip;

		if (get_chip(vm, KVM_IRQCHIP_PIC_MASTER + i, &chip) < 0)
			return mw_status_from_errno(errno);
		move_pic(rows, i, &chip.chip.pic);
		if (!rows->write && ioctl(vm->fd, KVM_SET_IRQCHIP, &chip) < 0)
			return mw_status_from_errno(errno);
	}
	return MW_STATUS_OK;
}

static enum mw_status move_node(struct kvm_vm *vm, uint32_t node, bool write)
{
	struct rows rows = { vm->machine, node, write, true };
	struct kvm_irqchip chip;
	enum mw_status status;

	if (!kvm_runs_node(vm, node))
		return MW_STATUS_INVALID;
	if (kvm_chips_is_pic(vm->plan, node)) {
		status = move_pics(vm, &rows);
		return status || rows.complete ? status : MW_STATUS_UNSUPPORTED;
	}
	if (get_chip(vm, KVM_IRQCHIP_IOAPIC, &chip) < 0)
		return mw_status_from_errno(errno);
	move_ioapic(&rows, &chip.chip.ioapic);
	if (!write && ioctl(vm->fd, KVM_SET_IRQCHIP, &chip) < 0)
		return mw_status_from_errno(errno);
	return rows.complete ? MW_STATUS_OK : MW_STATUS_UNSUPPORTED;
}

enum mw_status kvm_get_node(void *self, uint32_t node)
{
	return move_node(self, node, true);
}

enum mw_status kvm_set_node(void *self, uint32_t node)
{
	struct kvm_vm *vm = self;

	vm->touched = true;
	return move_node(vm, node, false);
}
