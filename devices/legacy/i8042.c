/* 8042 keyboard controller of a PS/2 and later PC, with keyboard and mouse. References: IBM PC/AT Technical
 * Reference (1984), "Keyboard Controller"; IBM PS/2 Hardware Interface Technical Reference, "Keyboard and
 * Auxiliary Device Controller"; Intel UPI-41/42 user's manual for the status register. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/plan.h"
#include "core/tables/aml.h"
#include "devices/legacy/i8042_internal.h"

enum {
	STATUS_FULL = 0x01,    /* the output buffer holds a byte */
	STATUS_SYSTEM = 0x04,  /* the self-test has passed */
	STATUS_COMMAND = 0x08, /* the last write was to the command port */
	STATUS_UNLOCKED = 0x10,
	STATUS_AUX = 0x20 /* the byte is the mouse's */
};
enum {
	MODE_KEYBOARD_IRQ = 0x01,
	MODE_AUX_IRQ = 0x02,
	MODE_SYSTEM = 0x04,
	MODE_KEYBOARD_OFF = 0x10,
	MODE_AUX_OFF = 0x20,
	MODE_TRANSLATE = 0x40
};
enum {
	READ_RAM = 0x20,
	WRITE_RAM = 0x60,
	AUX_DISABLE = 0xa7,
	AUX_ENABLE = 0xa8,
	AUX_TEST = 0xa9,
	SELF_TEST = 0xaa,
	KEYBOARD_TEST = 0xab,
	KEYBOARD_DISABLE = 0xad,
	KEYBOARD_ENABLE = 0xae,
	READ_INPUT_PORT = 0xc0,
	READ_OUTPUT_PORT = 0xd0,
	WRITE_OUTPUT_PORT = 0xd1,
	WRITE_KEYBOARD_BUFFER = 0xd2,
	WRITE_AUX_BUFFER = 0xd3,
	WRITE_AUX = 0xd4,
	READ_TEST_INPUTS = 0xe0,
	PULSE_OUTPUT = 0xf0 /* to 0xff */
};
enum { SELF_TEST_PASSED = 0x55, INTERFACE_GOOD = 0x00 };
/* Of the input port: the keyboard is not inhibited, the display is none of the two of old. */
enum { INPUT_PORT = 0x80 };
/* Reset is active low, wired to the CPUs' reset pin. */
enum {
	OUTPUT_RESET = 0x01,
	OUTPUT_A20 = 0x02,
	OUTPUT_KEYBOARD_IRQ = 0x10,
	OUTPUT_AUX_IRQ = 0x20,
	OUTPUT_KEPT = 0xcf
};
enum { RAM_BYTES = 32 };
/* Who a byte in the output buffer is from. */
enum source { FROM_CONTROLLER, FROM_KEYBOARD, FROM_AUX };

struct i8042 {
	bool reset_only;
	struct mw_power *power;
	struct mw_line *kbd, *aux, *a20;
	struct mw_timer *typematic;
	/* Guest-visible state. */
	uint8_t status, command;
	uint8_t mode, output_port, data;
	uint8_t ram[RAM_BYTES];
	bool broken;        /* the break prefix came, of a code to be translated */
	uint8_t waiting[2]; /* of the controller's own answers: the byte, and whether and whose */
	struct ps2_keyboard keyboard;
	struct ps2_mouse mouse;
};

/* Scan code set 2 to set 1 (IBM PC/AT Technical Reference, "Keyboard Controller", scan code
 * translation); what is not in it passes. */
uint8_t ps2_translate(uint8_t code)
{
	static const uint8_t set_1[] = {
		0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e,
		0x0f, 0x29, 0x59, 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71,
		0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b, 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04,
		0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d, 0x69, 0x31, 0x30, 0x23,
		0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f, 0x6b,
		0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19,
		0x0c, 0x61, 0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c,
		0x1b, 0x75, 0x2b, 0x63, 0x76, 0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b,
		0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, 0x52, 0x53, 0x50, 0x4c, 0x4d,
		0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54
	};

	if (code < sizeof(set_1))
		return set_1[code];
	return code == 0x83 ? 0x41 : code == 0x84 ? 0x54 : code;
}

static void update_lines(struct i8042 *i8042)
{
	bool full = i8042->status & STATUS_FULL, aux = i8042->status & STATUS_AUX;

	mw_line_set(i8042->kbd, full && !aux && (i8042->mode & MODE_KEYBOARD_IRQ));
	mw_line_set(i8042->aux, full && aux && (i8042->mode & MODE_AUX_IRQ));
}

/* Each byte is an edge of its own. */
static void fill(struct i8042 *i8042, uint8_t byte, bool aux)
{
	i8042->data = byte;
	i8042->status &= (uint8_t) ~(STATUS_FULL | STATUS_AUX);
	update_lines(i8042);
	i8042->status |= (uint8_t)(STATUS_FULL | (aux ? STATUS_AUX : 0));
	update_lines(i8042);
}

/* Translated, a break is one byte: the prefix goes and the code has bit 7. */
static bool translate(struct i8042 *i8042, uint8_t *byte)
{
	if (!(i8042->mode & MODE_TRANSLATE))
		return true;
	if (*byte == 0xf0) {
		i8042->broken = true;
		return false;
	}
	*byte = ps2_translate(*byte) | (i8042->broken ? 0x80 : 0);
	i8042->broken = false;
	return true;
}

static bool take_from_keyboard(struct i8042 *i8042)
{
	struct ps2_keyboard *keyboard = &i8042->keyboard;

	while (keyboard->queue.count && !(i8042->mode & MODE_KEYBOARD_OFF)) {
		uint8_t byte = ps2_queue_take(&keyboard->queue);

		keyboard->last = byte;
		if (translate(i8042, &byte)) {
			fill(i8042, byte, false);
			return true;
		}
	}
	return false;
}

static bool take_from_mouse(struct i8042 *i8042)
{
	struct ps2_mouse *mouse = &i8042->mouse;

	ps2_mouse_continue(mouse);
	if (!mouse->queue.count || (i8042->mode & MODE_AUX_OFF))
		return false;
	mouse->last = ps2_queue_take(&mouse->queue);
	fill(i8042, mouse->last, true);
	return true;
}

/* The next byte, when the buffer is empty: the controller's own first. */
static void go_on(struct i8042 *i8042)
{
	if (i8042->reset_only || (i8042->status & STATUS_FULL))
		return;
	if (i8042->waiting[1]) {
		bool aux = i8042->waiting[1] == 1 + FROM_AUX;

		i8042->waiting[1] = 0;
		fill(i8042, i8042->waiting[0], aux);
		return;
	}
	if (!take_from_keyboard(i8042))
		take_from_mouse(i8042);
}

static void answer(struct i8042 *i8042, uint8_t byte, enum source source)
{
	i8042->waiting[0] = byte;
	i8042->waiting[1] = (uint8_t)(1 + source);
	go_on(i8042);
}

static void drive_output(struct i8042 *i8042, uint8_t port)
{
	i8042->output_port = port;
	mw_line_set(i8042->a20, port & OUTPUT_A20);
	if (!(port & OUTPUT_RESET))
		mw_power_request(i8042->power, MW_POWER_RESET, 0);
}

static uint64_t read_status(void *self)
{
	return ((struct i8042 *)self)->status;
}

static uint64_t read_data(void *self)
{
	struct i8042 *i8042 = self;
	uint8_t byte = i8042->data;

	i8042->status &= (uint8_t) ~(STATUS_FULL | STATUS_AUX);
	update_lines(i8042);
	go_on(i8042);
	return byte;
}

static void set_mode(struct i8042 *i8042, uint8_t mode)
{
	i8042->mode = mode;
	i8042->status = (uint8_t)((i8042->status & ~STATUS_SYSTEM) |
				  (mode & MODE_SYSTEM ? STATUS_SYSTEM : 0));
	update_lines(i8042);
	go_on(i8042);
}

static uint8_t output_port(const struct i8042 *i8042)
{
	bool full = i8042->status & STATUS_FULL, aux = i8042->status & STATUS_AUX;

	return (uint8_t)((i8042->output_port & OUTPUT_KEPT) |
			 (full && !aux ? OUTPUT_KEYBOARD_IRQ : 0) |
			 (full && aux ? OUTPUT_AUX_IRQ : 0));
}

static void self_test(struct i8042 *i8042)
{
	i8042->status |= STATUS_SYSTEM;
	i8042->mode |= MODE_SYSTEM;
	answer(i8042, SELF_TEST_PASSED, FROM_CONTROLLER);
}

/* PULSE_OUTPUT: the low four bits that are zero pull their output low for 6 us. */
static void pulse(struct i8042 *i8042, uint8_t command)
{
	if (!(command & OUTPUT_RESET))
		mw_power_request(i8042->power, MW_POWER_RESET, 0);
}

static void run_command(struct i8042 *i8042, uint8_t command)
{
	switch (command) {
	case AUX_DISABLE: set_mode(i8042, i8042->mode | MODE_AUX_OFF); break;
	case AUX_ENABLE: set_mode(i8042, (uint8_t)(i8042->mode & ~MODE_AUX_OFF)); break;
	case AUX_TEST:
	case KEYBOARD_TEST: answer(i8042, INTERFACE_GOOD, FROM_CONTROLLER); break;
	case SELF_TEST: self_test(i8042); break;
	case KEYBOARD_DISABLE: set_mode(i8042, i8042->mode | MODE_KEYBOARD_OFF); break;
	case KEYBOARD_ENABLE: set_mode(i8042, (uint8_t)(i8042->mode & ~MODE_KEYBOARD_OFF)); break;
	case READ_INPUT_PORT: answer(i8042, INPUT_PORT, FROM_CONTROLLER); break;
	case READ_OUTPUT_PORT: answer(i8042, output_port(i8042), FROM_CONTROLLER); break;
	case READ_TEST_INPUTS: answer(i8042, 0, FROM_CONTROLLER); break;
	case WRITE_OUTPUT_PORT:
	case WRITE_KEYBOARD_BUFFER:
	case WRITE_AUX_BUFFER:
	case WRITE_AUX: i8042->command = command; break;
	default:
		if (command >= PULSE_OUTPUT)
			pulse(i8042, command);
		else
			mw_guest_log(i8042, "command 0x%02x is not known", command);
	}
}

static void write_command(void *self, uint64_t value)
{
	struct i8042 *i8042 = self;
	uint8_t command = (uint8_t)value;

	i8042->status |= STATUS_COMMAND;
	i8042->command = 0;
	if (i8042->reset_only) {
		i8042->command = command;
		if (command >= PULSE_OUTPUT)
			pulse(i8042, command);
	} else if (command == READ_RAM) {
		answer(i8042, i8042->mode, FROM_CONTROLLER);
	} else if (command > READ_RAM && command < READ_RAM + RAM_BYTES) {
		answer(i8042, i8042->ram[command - READ_RAM], FROM_CONTROLLER);
	} else if (command >= WRITE_RAM && command < WRITE_RAM + RAM_BYTES) {
		i8042->command = command;
	} else {
		run_command(i8042, command);
	}
}

static void take_argument(struct i8042 *i8042, uint8_t command, uint8_t byte)
{
	switch (command) {
	case WRITE_RAM: set_mode(i8042, byte); break;
	case WRITE_OUTPUT_PORT: drive_output(i8042, byte); break;
	case WRITE_KEYBOARD_BUFFER: answer(i8042, byte, FROM_KEYBOARD); break;
	case WRITE_AUX_BUFFER: answer(i8042, byte, FROM_AUX); break;
	case WRITE_AUX:
		i8042->mode &= (uint8_t)~MODE_AUX_OFF;
		ps2_mouse_write(&i8042->mouse, byte);
		go_on(i8042);
		break;
	default: i8042->ram[command - WRITE_RAM] = byte;
	}
}

/* What is written to it enables the keyboard. */
static void write_keyboard(struct i8042 *i8042, uint8_t byte)
{
	i8042->mode &= (uint8_t)~MODE_KEYBOARD_OFF;
	i8042->broken = false;
	ps2_keyboard_write(&i8042->keyboard, byte);
	go_on(i8042);
}

static void write_data(void *self, uint64_t value)
{
	struct i8042 *i8042 = self;
	uint8_t command = i8042->command;

	i8042->status &= (uint8_t)~STATUS_COMMAND;
	i8042->command = 0;
	if (i8042->reset_only) {
		if (command == WRITE_OUTPUT_PORT)
			drive_output(i8042, (uint8_t)value);
	} else if (command) {
		take_argument(i8042, command, (uint8_t)value);
	} else {
		write_keyboard(i8042, (uint8_t)value);
	}
}

static void follow_repeat(struct i8042 *i8042, uint16_t before)
{
	const struct ps2_keyboard *keyboard = &i8042->keyboard;

	if (!keyboard->repeating)
		mw_timer_cancel(i8042->typematic);
	else if (keyboard->repeating != before)
		mw_timer_arm(i8042->typematic, mw_now_ns(i8042) + ps2_keyboard_delay_ns(keyboard));
}

static bool on_key(void *self, const struct mw_input_event *event)
{
	struct i8042 *i8042 = self;
	uint16_t before = i8042->keyboard.repeating;
	bool taken = i8042->reset_only ||
		     ps2_keyboard_key(&i8042->keyboard, event->code, event->pressed);

	follow_repeat(i8042, before);
	go_on(i8042);
	return taken;
}

/* A command may have ended it meanwhile. */
static void on_typematic(void *self)
{
	struct i8042 *i8042 = self;

	if (!i8042->keyboard.repeating)
		return;
	ps2_keyboard_repeat(&i8042->keyboard);
	mw_timer_arm(i8042->typematic, mw_now_ns(i8042) + ps2_keyboard_period_ns(&i8042->keyboard));
	go_on(i8042);
}

static bool on_pointer(void *self, const struct mw_input_event *event)
{
	struct i8042 *i8042 = self;
	bool taken = i8042->reset_only || ps2_mouse_event(&i8042->mouse, event);

	go_on(i8042);
	return taken;
}

static void after_reset(void *self)
{
	struct i8042 *i8042 = self;

	ps2_keyboard_reset(&i8042->keyboard);
	ps2_mouse_reset(&i8042->mouse);
	mw_line_set(i8042->a20, i8042->output_port & OUTPUT_A20);
	update_lines(i8042);
}

static void mend(struct ps2_queue *queue)
{
	queue->head %= PS2_QUEUE;
	if (queue->count > PS2_QUEUE)
		queue->count = 0;
}

/* Commands that wait for an argument index what they write. */
static void after_load(void *self)
{
	struct i8042 *i8042 = self;
	uint8_t command = i8042->command;

	mend(&i8042->keyboard.queue);
	mend(&i8042->mouse.queue);
	i8042->mouse.knock %= 4;
	i8042->mouse.buttons &= 0x1f;
	if (i8042->mouse.id != 3 && i8042->mouse.id != 4)
		i8042->mouse.id = 0;
	if (i8042->keyboard.set < 1 || i8042->keyboard.set > 3)
		i8042->keyboard.set = 2;
	if (!i8042->reset_only && (command < WRITE_RAM || command >= WRITE_RAM + RAM_BYTES) &&
	    (command < WRITE_OUTPUT_PORT || command > WRITE_AUX))
		i8042->command = 0;
	if (i8042->waiting[1] > 1 + FROM_AUX)
		i8042->waiting[1] = 0;
	mw_line_set(i8042->a20, i8042->output_port & OUTPUT_A20);
	update_lines(i8042);
	go_on(i8042);
}

/* The mouse is a device of its own with the other interrupt; the ports are the keyboard's. */
static void emit_mouse(struct mw_aml *aml, const struct mw_plan *plan,
		       const struct mw_plan_node *node)
{
	const struct mw_plan_claim *aux = mw_plan_claim(node, MW_CLAIM_IRQ, "aux");
	const struct mw_plan_net *net = aux ? &plan->nets[aux->net] : NULL;

	if (!net || !mw_aml_can_name_line(net))
		return;
	mw_aml_device_begin(aml, "MOU_");
	mw_aml_name(aml, "_HID");
	mw_aml_hid(aml, "PNP0F13");
	mw_aml_name(aml, "_CRS");
	mw_aml_resources_begin(aml);
	mw_aml_resource_line(aml, net);
	mw_aml_resources_end(aml);
	mw_aml_end(aml);
}

static const struct mw_property properties[] = {
	{ "reset_only", "Only the reset line exists: no keyboard, no mouse, no A20 gate.",
	  MW_FIELD(struct i8042, reset_only) },
};
enum { POINTER = 1u << MW_INPUT_BUTTON | 1u << MW_INPUT_MOVE | 1u << MW_INPUT_WHEEL };
static const struct mw_wire wires[] = {
	{ "kbd", "The keyboard's interrupt: high while one of its bytes waits.",
	  MW_FIELD(struct i8042, kbd), .optional = true },
	{ "aux", "The mouse's interrupt.", MW_FIELD(struct i8042, aux), .optional = true },
	{ "power", "Reset requests.", MW_FIELD(struct i8042, power) },
	{ "a20", "High while the guest reaches the odd megabytes.", MW_FIELD(struct i8042, a20),
	  .optional = true },
	{ "keyboard", "Keys that are pressed and released.", .kind = MW_INPUT,
	  .direction = MW_RECEIVES, .optional = true, .takes = 1u << MW_INPUT_KEY,
	  .unless = "reset_only", .on_input = on_key },
	{ "mouse", "What the mouse does.", .kind = MW_INPUT, .direction = MW_RECEIVES,
	  .optional = true, .takes = POINTER, .unless = "reset_only", .on_input = on_pointer },
};
static const struct mw_timer_row timers[] = {
	{ "typematic", "The key that is held repeats.", MW_FIELD(struct i8042, typematic),
	  .on_expire = on_typematic, .since = 3 },
};
static const struct mw_register data[] = {
	{ "DATA", 0, .get = read_data, .set = write_data },
};
static const struct mw_register command[] = {
	{ "STATUS/COMMAND", 0, .get = read_status, .set = write_command },
};
static const struct mw_region regions[] = {
	{ "data", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .registers = MW_TABLE(data) },
	{ "cmd", MW_SPACE_PORT, 1, MW_ACCESS(1, 1), .registers = MW_TABLE(command) },
};
/* The status and the mode are what a BIOS leaves behind: tested, the keyboard on and translated. */
static const struct mw_state state[] = {
	{ "status", MW_FIELD(struct i8042, status), .reset = STATUS_SYSTEM | STATUS_UNLOCKED,
	  .since = 1 },
	{ "command", MW_FIELD(struct i8042, command), .since = 1 },
	{ "mode", MW_FIELD(struct i8042, mode),
	  .reset = MODE_KEYBOARD_IRQ | MODE_SYSTEM | MODE_AUX_OFF | MODE_TRANSLATE, .since = 2 },
	{ "output_port", MW_FIELD(struct i8042, output_port), .reset = 0xcf, .since = 2 },
	{ "data", MW_FIELD(struct i8042, data), .since = 2 },
	{ "ram", MW_ARRAY(struct i8042, ram), .since = 2 },
	{ "broken", MW_FIELD(struct i8042, broken), .since = 2 },
	{ "waiting", MW_ARRAY(struct i8042, waiting), .since = 2 },
	{ "keyboard", MW_STRUCT(struct i8042, keyboard, ps2_keyboard_rows), .since = 2 },
	{ "mouse", MW_STRUCT(struct i8042, mouse, ps2_mouse_rows), .since = 2 },
};
static const struct mw_role_row roles[] = {
	{ MW_ROLE_8042, "cmd" },
	{ MW_ROLE_RESET, "cmd", 0, 1, PULSE_OUTPUT | 0x0e },
};
static const char *const buses[] = { "sys", "isa", NULL };
static const char *const aml_claims[] = { "aux", NULL };

const struct mw_device_type i8042_type = {
	MW_DEVICE_TYPE,
	.name = "i8042",
	.summary = "8042 keyboard controller with keyboard and mouse, or its reset line alone",
	.size = sizeof(struct i8042),
	.state_version = 3,
	.buses = buses,
	.properties = MW_TABLE(properties),
	.wires = MW_TABLE(wires),
	.regions = MW_TABLE(regions),
	.timers = MW_TABLE(timers),
	.state = MW_TABLE(state),
	.ops = { .after_reset = after_reset, .after_load = after_load },
	.firmware = { .acpi_hid = "PNP0303",
		      .aml = emit_mouse,
		      .aml_claims = aml_claims,
		      .roles = MW_TABLE(roles),
		      .unless = "reset_only" },
};
