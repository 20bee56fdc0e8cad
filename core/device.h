/** The contract between a device model and the machine that hosts it: all a device needs. */
// SPDX-License-Identifier: MIT
#ifndef CORE_DEVICE_H
#define CORE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A device type is a `const struct mw_device_type`: tables (properties, wires, regions, timers,
 * state) and few functions. Core allocates the device's struct from `.size`, zeroed, fills
 * properties and handles, and calls back. The rules a device may rely on:
 *
 *  1. While a callback runs, core holds exactly one device lock: this device's. Device code is
 *     single-threaded without saying so.
 *  2. Callbacks never nest. What a callback does to others (a line, a byte, a message, a timer, a
 *     power request) is recorded and delivered when it has returned and its lock is dropped, on
 *     the same thread, before that CPU executes its next instruction.
 *  3. A guest can cause every access, in any order, of any size the region declares. No assert,
 *     exit, allocation or unbounded loop may be reachable from one.
 *  4. A device never knows its base address, line number or slot.
 */

/** The contract's version. `struct mw_device_type` begins with it and every table carries its row
 * size, so that a module built against an older header keeps loading. */
#define MW_DEVICE_ABI 1u

struct mw_aml;
struct mw_diagnostics;
struct mw_dma;
struct mw_image;
struct mw_input;
struct mw_intr;
struct mw_line;
struct mw_memory;
struct mw_msi;
struct mw_plan;
struct mw_plan_node;
struct mw_power;
struct mw_stream;
struct mw_timer;

/** How a guest access ended. A guest can cause every one of these. Core chooses the value on the
 * bus (all ones) and writes the guest log. DEFERRED is reserved for answers that come later; core
 * takes it as an unanswered access until a device needs it. */
enum mw_io { MW_IO_OK, MW_IO_NO_REGISTER, MW_IO_BAD_SIZE, MW_IO_UNALIGNED, MW_IO_DEFERRED };

struct mw_mac {
	uint8_t bytes[6];
};
struct mw_uuid {
	uint8_t bytes[16];
};
/** Bytes owned by the plan; constant. */
struct mw_blob {
	const uint8_t *bytes;
	size_t size;
};

/** What a field of the device's struct is. Values first, then handles that core fills. */
enum mw_kind {
	MW_KIND_NONE,
	MW_U8,
	MW_U16,
	MW_U32,
	MW_U64,
	MW_BOOL,
	MW_STRING, /* const char *, owned by the plan; "" when empty, never NULL */
	MW_MAC,
	MW_UUID,
	MW_BLOB,
	MW_STRUCT_KIND, /* nested rows, state tables only */
	MW_LINE,        /* an interrupt or reset line: a level and its rising edges */
	MW_STREAM,      /* bytes both ways */
	MW_MSI,         /* message signalled interrupts to the CPUs */
	MW_INTR,        /* the processor's INTR pin and the acknowledge that follows */
	MW_INPUT,       /* keys and pointers */
	MW_POWER,       /* requests to the machine's life cycle */
	MW_DMA,         /* memory access as a bus master */
	MW_IMAGE,       /* a file's bytes: ROMs now, disks later */
	MW_MEMORY,      /* RAM or ROM that backs a region */
	MW_TIMER,
	MW_KIND_COUNT
};
#define MW_KIND_OF(lvalue) \
	_Generic((lvalue), uint8_t: MW_U8, uint16_t: MW_U16, uint32_t: MW_U32, uint64_t: MW_U64,   \
		bool: MW_BOOL, const char *: MW_STRING, struct mw_mac: MW_MAC,                     \
		struct mw_uuid: MW_UUID, struct mw_blob: MW_BLOB, struct mw_line *: MW_LINE,       \
		struct mw_stream *: MW_STREAM, struct mw_msi *: MW_MSI,                            \
		struct mw_intr *: MW_INTR, struct mw_input *: MW_INPUT,                            \
		struct mw_power *: MW_POWER, struct mw_dma *: MW_DMA, struct mw_image *: MW_IMAGE, \
		struct mw_memory *: MW_MEMORY, struct mw_timer *: MW_TIMER)

/** A row's field: the kind follows from the member's C type, so a row cannot disagree with it. */
#define MW_FIELD(type, member) \
	.offset = offsetof(type, member), .kind = MW_KIND_OF(((type *)0)->member)
/** The same for an array member: one row for all elements. */
#define MW_ARRAY(type, member)                                                        \
	.offset = offsetof(type, member), .kind = MW_KIND_OF(((type *)0)->member[0]), \
	.count = sizeof(((type *)0)->member) / sizeof(((type *)0)->member[0]),        \
	.stride = sizeof(((type *)0)->member[0])
/** A nested struct, or with MW_STRUCTS an array of them, described by its own state rows. */
#define MW_STRUCT(type, member, nested)                                       \
	.offset = offsetof(type, member), .kind = MW_STRUCT_KIND, .count = 1, \
	.stride = sizeof(((type *)0)->member), .rows = (nested),              \
	.row_count = sizeof(nested) / sizeof((nested)[0])
#define MW_STRUCTS(type, member, nested)                                       \
	.offset = offsetof(type, member), .kind = MW_STRUCT_KIND,              \
	.count = sizeof(((type *)0)->member) / sizeof(((type *)0)->member[0]), \
	.stride = sizeof(((type *)0)->member[0]), .rows = (nested),            \
	.row_count = sizeof(nested) / sizeof((nested)[0])
#define MW_ACCESS(min, max) .min_access = (min), .max_access = (max)

#define MW_ROWS(row_type)              \
	struct {                       \
		const row_type *items; \
		size_t count;          \
		size_t row_bytes;      \
	}
#define MW_TABLE(array)                                                         \
	{                                                                       \
		(array), sizeof(array) / sizeof((array)[0]), sizeof((array)[0]) \
	}

/** A value a profile sets under `props:`. */
struct mw_property {
	const char *name, *help;
	size_t offset;
	enum mw_kind kind;
	uint64_t fallback;
	bool required;
	bool is_size;               /* an integer written with units: 64KiB */
	bool is_path;               /* a string that names a host file */
	uint64_t min, max;          /* integers; max 0 means what the field can hold */
	const char *const *members; /* enum: names ended by NULL; the u32 field holds the index */
	const char *fallback_text;  /* strings */
	bool is_written;            /* is_path: the file is written, so it has one user */
	bool is_secret;             /* is_path: the file holds a key, for its owner alone */
};

/** What a person does at a keyboard or a pointer. */
enum mw_input_kind {
	MW_INPUT_KEY,    /* `code`: usage of the keyboard page (USB HID usage tables, page 0x07) */
	MW_INPUT_BUTTON, /* `code`: 0 left, 1 right, 2 middle */
	MW_INPUT_MOVE,   /* `x` to the right, `y` down, relative */
	MW_INPUT_WHEEL   /* `y`: steps away from the person */
};
struct mw_input_event {
	enum mw_input_kind kind;
	uint16_t code;
	bool pressed; /* keys and buttons */
	int32_t x, y;
};

/** Who may speak first on a wire. Streams, MSI, INTR, power and DMA are always MW_DRIVES: the
 * device holds a handle; a stream answers through its handlers as well. */
enum mw_direction { MW_DRIVES, MW_RECEIVES };

/** A typed connection to another node. One handler per kind; the contract test rejects a row with
 * a handler of another kind. `count` elements share the row (`pin[24]`). */
struct mw_wire {
	const char *name, *help;
	size_t offset; /* of the handle, or of the array of handles; unused by a receiving line */
	enum mw_kind kind;
	size_t count, stride; /* 0: one */
	enum mw_direction direction;
	bool optional;
	const char *count_property; /* name of the property that lowers `count`, or NULL */
	/** MW_LINE, receiving: the level now. A pulse that came and went arrives as high, then low. */
	void (*on_level)(void *self, unsigned index, bool level);
	/** MW_STREAM: bytes from the other end, one at a time or in runs; one of the two. */
	void (*on_byte)(void *self, uint8_t byte);
	void (*on_bytes)(void *self, const uint8_t *bytes, size_t count);
	/** MW_STREAM: a link that was full has room again. Who wants to hear of it sends until
	 * mw_stream_room is 0; one that is not full may empty without a word. */
	void (*on_room)(void *self);
	/** MW_MSI: a CPU ended the level interrupt with this vector. */
	void (*on_eoi)(void *self, uint8_t vector);
	/** MW_INTR: the CPU's acknowledge cycle. Returns the vector, 0 to 255; a controller whose
	 * request has gone away answers with its spurious one. */
	int (*on_acknowledge)(void *self);
	/** MW_INPUT, receiving: false when the device has no room for it now. */
	bool (*on_input)(void *self, const struct mw_input_event *event);
	unsigned takes;     /* MW_INPUT, receiving: a mask of 1u << enum mw_input_kind */
	const char *unless; /* MW_INPUT: a bool property; nodes that have it set take nothing */
	/** MW_IMAGE, receiving (the host side): all `count` bytes or false. Called on the thread of
	 * whoever holds the image, under the backend's lock. */
	uint64_t (*on_size)(void *self);
	bool (*on_read)(void *self, uint64_t offset, void *bytes, size_t count);
	/** MW_LINE, driving, one element: one of a PCI function's INTA# to INTD#. Profiles claim it with
	 * `intx: A` and the slot decides where it leads; `irq` does not take it. */
	bool intx;
	/** MW_MSI: the most vectors that a profile may give with `msi: { vectors: N }`; 0: the wire is
	 * not claimed, as an I/O APIC's. */
	unsigned vectors;
	/** MW_DMA: its accesses go through a channel of the machine's 8237s, which the profile gives with
	 * `dma: N`; false: it is a bus master of its own. */
	bool channel;
};
/** A receiving line of `n` elements needs no field. */
#define MW_SINK(n) .kind = MW_LINE, .count = (n), .direction = MW_RECEIVES

/** A part of the state: reset, saved and restored by core. Exists from the first version on.
 * Guest-visible integers, bools, arrays of them and nested structs. */
struct mw_state {
	const char *name;
	size_t offset;
	enum mw_kind kind;
	uint64_t reset;       /* every element's */
	unsigned since;       /* the type's state version that brought this row */
	size_t count, stride; /* 0: one */
	const struct mw_state *rows;
	size_t row_count;
	/** CMOS, flash: a reset leaves it, and nested rows with it; it has its reset value from
	 * power on. */
	bool survives_reset;
};

/** One register of a region. The simple form names a field (MW_FIELD), the bits a guest may write
 * and at most a function that runs after a write; anything else is `get` and `set`. Several rows
 * may share an address: the first that is `selected` answers. */
struct mw_register {
	const char *name;
	uint64_t at;   /* byte offset in the region */
	unsigned size; /* bytes; 0: one */
	size_t offset;
	enum mw_kind kind;
	uint64_t writable;
	void (*changed)(void *self);
	uint64_t (*get)(void *self);
	void (*set)(void *self, uint64_t value);
	bool (*selected)(const void *self);
	bool write_only; /* reads are MW_IO_NO_REGISTER */
};

enum mw_space { MW_SPACE_PORT, MW_SPACE_MEMORY };
enum mw_backing { MW_BACKING_CALLS, MW_BACKING_ROM, MW_BACKING_RAM };

/** A range of ports or memory, named by a claim of the profile (`io: { NAME: ... }`). Core splits an
 * access wider than max_access, little end first, and refuses one below min_access or unaligned
 * (to its own size) unless `unaligned`. */
struct mw_region {
	const char *name;
	enum mw_space space;
	uint64_t size; /* bytes; 0: the claim's own length */
	unsigned min_access, max_access;
	enum mw_io (*read)(void *self, uint64_t offset, unsigned size, uint64_t *value);
	enum mw_io (*write)(void *self, uint64_t offset, unsigned size, uint64_t value);
	MW_ROWS(struct mw_register) registers; /* instead of read and write */
	enum mw_backing backing;
	size_t memory_offset; /* of the `struct mw_memory *` of a backed region */
	uint64_t align;       /* power of two the base must meet; 0: one byte, backed: 4 KiB */
	bool optional;        /* the profile may leave it unclaimed */
	bool unaligned;
};

/** A timer of the device. `on_expire` is a callback like any other. Saved by core. */
struct mw_timer_row {
	const char *name, *help;
	size_t offset; /* of the `struct mw_timer *` */
	enum mw_kind kind;
	void (*on_expire)(void *self);
	unsigned since; /* 0: the first version */
};

/** What firmware tables say about a node (ACPI 6.5; `core/tables/`). A role names the register that
 * plays it; numbers come from the plan's claim of `region`. */
enum mw_role {
	MW_ROLE_NONE,
	MW_ROLE_IOAPIC,        /* MADT I/O APIC; region: its registers */
	MW_ROLE_PIC,           /* MADT PCAT_COMPAT */
	MW_ROLE_LEGACY,        /* IAPC_BOOT_ARCH bit 0: user-visible devices on an LPC or ISA bus */
	MW_ROLE_8042,          /* IAPC_BOOT_ARCH bit 1: a keyboard controller with its devices */
	MW_ROLE_RTC,           /* a CMOS clock, `value` is the index of its century; without one
				* IAPC_BOOT_ARCH bit 5 is set */
	MW_ROLE_VGA,           /* without one IAPC_BOOT_ARCH bit 2 is set */
	MW_ROLE_SLEEP_CONTROL, /* FADT.SLEEP_CONTROL_REG, `value` is SLP_TYP of S5 (off) */
	MW_ROLE_SLEEP_STATUS,  /* FADT.SLEEP_STATUS_REG */
	MW_ROLE_RESET,         /* FADT.RESET_REG, `value` is RESET_VALUE */
	MW_ROLE_DEBUG_EXIT,
	/** Fixed ACPI hardware, so the machine is not hardware-reduced: PM1a_EVT_BLK. The line of
	 * the node's wire `sci` is SCI_INT. */
	MW_ROLE_PM1,
	MW_ROLE_PM1_CONTROL, /* PM1a_CNT_BLK, `value` is SLP_TYP of S5 (off) */
	MW_ROLE_PM_TIMER,    /* PM_TMR_BLK */
	MW_ROLE_TIMER /* a clock of known rate that an OS calibrates by: PIT, HPET, PM timer */
};
struct mw_role_row {
	enum mw_role role;
	const char *region;
	uint64_t offset;
	unsigned size; /* bytes */
	uint64_t value;
};
struct mw_firmware_hints {
	const char *acpi_hid, *acpi_cid; /* NULL: no Device object; claims then go to PNP0C02 */
	bool acpi_only_irqs; /* _CRS holds interrupts alone, as a GED's must; the rest: PNP0C02 */
	/** Extra AML inside the node's Device(), after _HID, _UID and _CRS. */
	void (*aml)(struct mw_aml *aml, const struct mw_plan *plan,
		    const struct mw_plan_node *node);
	MW_ROWS(struct mw_role_row) roles;
	const char *fdt_compatible;
	/** A bool property: nodes that have it set say nothing of all this. NULL: none. */
	const char *unless;
	/** Claims, by name and ended by NULL, that `aml` describes; they stay out of _CRS. */
	const char *const *aml_claims;
	/** CMOS memory: stores a byte that follows from the plan, as a BIOS does at power-on. The
	 * node is held. */
	void (*cmos)(void *self, unsigned index, uint8_t value);
};

/** All optional: most devices have none. init: after properties and handles are filled; on false it
 * has said why and fini is still called. after_reset: when every node has its reset values; may
 * drive lines. start/stop: the machine begins or ceases to run. after_load: after a restore.
 * fini: frees what init took; NULL-safe. */
struct mw_device_ops {
	bool (*init)(void *self, struct mw_diagnostics *diagnostics);
	void (*after_reset)(void *self);
	void (*start)(void *self);
	void (*stop)(void *self);
	void (*after_load)(void *self);
	void (*fini)(void *self);
};

struct mw_device_type {
	uint32_t abi;        /* MW_DEVICE_ABI */
	uint32_t type_bytes; /* sizeof(struct mw_device_type) */
	const char *name, *summary;
	size_t size; /* of the device's struct; 0: no state at all */
	unsigned state_version;
	const char *const
		*buses; /* bus kinds it plugs into, ended by NULL; NULL: any memory or port bus */
	const char *provides; /* bus kind it opens for children, or NULL */
	const char *
		backend; /* host side of a wire: the short key in `backend:`; NULL: guest hardware */
	const char *main_property; /* of a backend: what `{ KEY: value }` sets; NULL: none */
	MW_ROWS(struct mw_property) properties;
	MW_ROWS(struct mw_wire) wires;
	MW_ROWS(struct mw_region) regions;
	MW_ROWS(struct mw_timer_row) timers;
	MW_ROWS(struct mw_state) state;
	struct mw_device_ops ops;
	struct mw_firmware_hints firmware;
	bool exclusive; /* a backend that a machine can have once: there is one terminal */
};
/** Opens every definition: `const struct mw_device_type x_type = { MW_DEVICE_TYPE, .name = ...`. */
#define MW_DEVICE_TYPE .abi = MW_DEVICE_ABI, .type_bytes = sizeof(struct mw_device_type)

/* What a callback may call. `self` is the device's own struct. All of it is cheap and cannot fail.
 * An unconnected optional wire is a handle that goes nowhere, never NULL. */

void mw_line_set(struct mw_line *line, bool level);
bool mw_line_level(const struct mw_line *line);

/** Bytes towards the other end; beyond mw_stream_room they are dropped and logged. */
void mw_stream_put(struct mw_stream *stream, uint8_t byte);
void mw_stream_write(struct mw_stream *stream, const uint8_t *bytes, size_t count);
/** How many bytes the link takes now. */
size_t mw_stream_room(const struct mw_stream *stream);
/** From now on at most `bytes` more are handed to on_byte or on_bytes, until the next call. A device
 * that never calls it is given everything. */
void mw_stream_credit(struct mw_stream *stream, size_t bytes);

/** Guest time in ns: starts at 0, stands still while the machine does. */
uint64_t mw_now_ns(void *self);
/** Arms for an absolute guest time; one that has passed expires at once (never within the call). */
void mw_timer_arm(struct mw_timer *timer, uint64_t when_ns);
void mw_timer_cancel(struct mw_timer *timer);
bool mw_timer_armed(const struct mw_timer *timer, uint64_t *when_ns);

/** Sends a message; the address and data have the form of SDM vol. 3, 11.11. */
void mw_msi_send(struct mw_msi *msi, uint64_t address, uint32_t data);
/** Publishes what input `index` would send, so that the accelerator reports the end of its level
 * interrupts (on_eoi); a masked input publishes `valid` false. */
void mw_msi_route(struct mw_msi *msi, unsigned index, uint64_t address, uint32_t data, bool valid);

/** The level of the processor's INTR pin. While it is high the CPU comes with on_acknowledge. */
void mw_intr_set(struct mw_intr *intr, bool level);

/** Sends an event to whoever is at the other end. */
void mw_input_send(struct mw_input *input, const struct mw_input_event *event);

enum mw_power_event {
	MW_POWER_OFF,
	MW_POWER_RESET,
	MW_POWER_PANIC,
	MW_POWER_TRIPLE_FAULT,
	MW_POWER_EXIT /* leave with `code`, whatever the profile's power actions say */
};
void mw_power_request(struct mw_power *power, enum mw_power_event event, int code);

/** RAM and ROM only; false where any byte is elsewhere: then a read gives ones and a write is
 * dropped, and the guest log has a line. Marks written pages dirty. Never enters a device. */
bool mw_dma_read(struct mw_dma *dma, uint64_t address, void *bytes, size_t count);
bool mw_dma_write(struct mw_dma *dma, uint64_t address, const void *bytes, size_t count);
/** Borrows the host memory behind a range that is RAM throughout, else NULL. Valid until the
 * callback returns. */
void *mw_dma_map(struct mw_dma *dma, uint64_t address, size_t count, bool writing);

/** The bytes behind a MW_BACKING region; constant for the machine's life. */
uint8_t *mw_memory_bytes(struct mw_memory *memory, uint64_t *size);

uint64_t mw_image_size(const struct mw_image *image);
/** Reads all `count` bytes at `offset`, or returns false. */
bool mw_image_read(struct mw_image *image, uint64_t offset, void *bytes, size_t count);

/** One line in the guest log: the guest did something odd. Rate-limited per node. */
void mw_guest_log(void *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The node's id in the profile, for messages. */
const char *mw_device_id(const void *self);

#endif
