/* A PS/2 mouse with a wheel. References: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary
 * Device Controller", commands to the auxiliary device; Microsoft's knocks for the
 * wheel (IntelliMouse) and for five buttons (IntelliMouse Explorer). */
// SPDX-License-Identifier: MIT
#include "devices/legacy/i8042_internal.h"

enum {
	SCALING_1 = 0xe6,
	SCALING_2 = 0xe7,
	SET_RESOLUTION = 0xe8,
	STATUS = 0xe9,
	STREAM_MODE = 0xea,
	READ_DATA = 0xeb,
	LEAVE_WRAP = 0xec,
	WRAP_MODE = 0xee,
	REMOTE_MODE = 0xf0,
	READ_ID = 0xf2,
	SET_RATE = 0xf3,
	ENABLE = 0xf4,
	DISABLE = 0xf5,
	DEFAULTS = 0xf6,
	RESEND = 0xfe,
	RESET = 0xff
};
enum { ACK = 0xfa, PASSED = 0xaa, WRONG = 0xfe };
enum { DEFAULT_RATE = 100, DEFAULT_RESOLUTION = 2, WHEEL_ID = 3, FIVE_BUTTONS_ID = 4 };
enum { REPORT_ONE = 0x08, X_SIGN = 0x10, Y_SIGN = 0x20, WHEEL_MOST = 7, MOVE_MOST = 255 };
enum { BUTTONS = 5, FIRST_BUTTONS = 0x07, SIDE_BUTTONS = 0x18 };
/* How far a knock has come: 200; 200, 100; 200, 200. */
enum { NO_KNOCK, FIRST_KNOCK, WHEEL_KNOCK, FIVE_KNOCK };
/* What may gather: the count stays far from wrapping. */
enum { GATHERED_MOST = 1 << 20 };

static void answer(struct ps2_mouse *mouse, uint8_t byte)
{
	ps2_queue_put(&mouse->queue, byte);
}

static void forget_moves(struct ps2_mouse *mouse)
{
	mouse->x = mouse->y = mouse->wheel = 0;
}

static void set_defaults(struct ps2_mouse *mouse)
{
	mouse->rate = DEFAULT_RATE;
	mouse->resolution = DEFAULT_RESOLUTION;
	mouse->scaling = 0;
	mouse->reporting = mouse->remote = mouse->wrap = false;
	mouse->knock = 0;
	forget_moves(mouse);
}

void ps2_mouse_reset(struct ps2_mouse *mouse)
{
	mouse->queue = (struct ps2_queue){ 0 };
	mouse->command = 0;
	mouse->id = 0;
	set_defaults(mouse);
}

/* The rates 200, 100 and 80 in a row ask for the wheel, 200, 200 and 80 for two more buttons as well. */
static void listen_for_knock(struct ps2_mouse *mouse, uint8_t rate)
{
	uint8_t before = mouse->knock;

	mouse->knock = NO_KNOCK;
	if (rate == 200)
		mouse->knock =
			before == FIRST_KNOCK || before == FIVE_KNOCK ? FIVE_KNOCK : FIRST_KNOCK;
	else if (rate == 100 && before == FIRST_KNOCK)
		mouse->knock = WHEEL_KNOCK;
	else if (rate == 80 && before == WHEEL_KNOCK)
		mouse->id = WHEEL_ID;
	else if (rate == 80 && before == FIVE_KNOCK)
		mouse->id = FIVE_BUTTONS_ID;
}

static void argument(struct ps2_mouse *mouse, uint8_t byte)
{
	if (mouse->command == SET_RATE) {
		mouse->rate = byte;
		listen_for_knock(mouse, byte);
	} else {
		mouse->resolution = byte & 3;
	}
	mouse->command = 0;
	answer(mouse, ACK);
}

static void report_status(struct ps2_mouse *mouse)
{
	/* left, middle, right from bit 2 on */
	unsigned buttons = (mouse->buttons & 1u) << 2 | (mouse->buttons & 4u) >> 1 |
			   (mouse->buttons & 2u) >> 1;

	answer(mouse, ACK);
	answer(mouse, (uint8_t)((mouse->remote ? 0x40u : 0) | (mouse->reporting ? 0x20u : 0) |
				(mouse->scaling ? 0x10u : 0) | buttons));
	answer(mouse, mouse->resolution);
	answer(mouse, mouse->rate);
}

/* Takes at most `most` each way out of what has gathered. */
static int take(uint32_t *gathered, int most)
{
	int value = (int)*gathered, part = value > most ? most : value < -most ? -most : value;

	*gathered = (uint32_t)(value - part);
	return part;
}

/* "Set scaling 2:1": reports of the stream mode have more of what is moved fast. */
static int scale(int value)
{
	static const uint8_t slow[] = { 0, 1, 1, 3, 6, 9 };
	int size = value < 0 ? -value : value, scaled = size < 6 ? slow[size] : 2 * size;

	return value < 0 ? -scaled : scaled;
}

static void report_wheel(struct ps2_mouse *mouse)
{
	uint8_t steps = (uint8_t)-take(&mouse->wheel, WHEEL_MOST);

	if (mouse->id == FIVE_BUTTONS_ID)
		steps = (uint8_t)((steps & 0x0f) | (mouse->buttons & SIDE_BUTTONS) << 1);
	answer(mouse, steps);
}

static void report(struct ps2_mouse *mouse, bool scaled)
{
	int most = scaled ? MOVE_MOST / 2 : MOVE_MOST;
	int x = take(&mouse->x, most), y = -take(&mouse->y, most);

	if (scaled) {
		x = scale(x);
		y = scale(y);
	}
	answer(mouse, (uint8_t)(REPORT_ONE | (mouse->buttons & FIRST_BUTTONS) |
				(x < 0 ? X_SIGN : 0) | (y < 0 ? Y_SIGN : 0)));
	answer(mouse, (uint8_t)x);
	answer(mouse, (uint8_t)y);
	if (mouse->id)
		report_wheel(mouse);
	else
		mouse->wheel = 0;
	mouse->told_buttons = mouse->buttons;
}

static void reset_by_command(struct ps2_mouse *mouse)
{
	ps2_mouse_reset(mouse);
	answer(mouse, ACK);
	answer(mouse, PASSED);
	answer(mouse, 0);
}

static void set_mode(struct ps2_mouse *mouse, uint8_t byte)
{
	switch (byte) {
	case SCALING_1:
	case SCALING_2: mouse->scaling = byte == SCALING_2; break;
	case STREAM_MODE: mouse->remote = false; break;
	case REMOTE_MODE: mouse->remote = true; break;
	case WRAP_MODE: mouse->wrap = true; break;
	case ENABLE:
		mouse->reporting = true;
		forget_moves(mouse);
		break;
	case DISABLE: mouse->reporting = false; break;
	case DEFAULTS: set_defaults(mouse); break;
	case SET_RESOLUTION:
	case SET_RATE: mouse->command = byte; break;
	default: break;
	}
	answer(mouse, ACK);
}

static bool is_mode(uint8_t byte)
{
	return (byte >= SCALING_1 && byte <= DEFAULTS && byte != 0xed && byte != 0xef &&
		byte != 0xf1);
}

static void command(struct ps2_mouse *mouse, uint8_t byte)
{
	switch (byte) {
	case STATUS: report_status(mouse); break;
	case READ_DATA:
		answer(mouse, ACK);
		report(mouse, false);
		break;
	case READ_ID:
		answer(mouse, ACK);
		answer(mouse, mouse->id);
		break;
	case RESEND: answer(mouse, mouse->last); break;
	case RESET: reset_by_command(mouse); break;
	default:
		if (is_mode(byte))
			set_mode(mouse, byte);
		else
			answer(mouse, WRONG);
	}
}

/* In wrap mode all comes back but the two commands that end it. What is on its way when a command comes
 * is dropped, so that its answer is next. */
void ps2_mouse_write(struct ps2_mouse *mouse, uint8_t byte)
{
	if (mouse->wrap && byte != LEAVE_WRAP && byte != RESET) {
		answer(mouse, byte);
		return;
	}
	mouse->queue = (struct ps2_queue){ 0 };
	if (mouse->command) {
		argument(mouse, byte);
		return;
	}
	if (byte == LEAVE_WRAP)
		mouse->wrap = false;
	command(mouse, byte);
}

static bool changed_buttons(const struct ps2_mouse *mouse)
{
	unsigned seen = mouse->id == FIVE_BUTTONS_ID ? FIRST_BUTTONS | SIDE_BUTTONS : FIRST_BUTTONS;

	return (mouse->buttons ^ mouse->told_buttons) & seen;
}

static bool has_news(const struct ps2_mouse *mouse)
{
	return mouse->x || mouse->y || (mouse->wheel && mouse->id) || changed_buttons(mouse);
}

void ps2_mouse_continue(struct ps2_mouse *mouse)
{
	if (mouse->reporting && !mouse->remote && !mouse->wrap && !mouse->command &&
	    !mouse->queue.count && has_news(mouse))
		report(mouse, mouse->scaling);
}

static void gather(uint32_t *gathered, int32_t value)
{
	int64_t sum = (int64_t)(int32_t)*gathered + value;

	if (sum > GATHERED_MOST)
		sum = GATHERED_MOST;
	if (sum < -GATHERED_MOST)
		sum = -GATHERED_MOST;
	*gathered = (uint32_t)sum;
}

/* A button that came and went before it could be told would never be seen: one change at a time. */
static bool press(struct ps2_mouse *mouse, unsigned button, bool pressed)
{
	uint8_t bit;

	if (button >= BUTTONS)
		return true;
	bit = (uint8_t)(1u << button);
	if (mouse->reporting && !mouse->remote && changed_buttons(mouse))
		return false;
	mouse->buttons = (uint8_t)((mouse->buttons & ~bit) | (pressed ? bit : 0));
	return true;
}

bool ps2_mouse_event(struct ps2_mouse *mouse, const struct mw_input_event *event)
{
	bool taken = true;

	switch (event->kind) {
	case MW_INPUT_BUTTON: taken = press(mouse, event->code, event->pressed); break;
	case MW_INPUT_MOVE:
		gather(&mouse->x, event->x);
		gather(&mouse->y, event->y);
		break;
	case MW_INPUT_WHEEL: gather(&mouse->wheel, event->y); break;
	case MW_INPUT_KEY: break;
	}
	return taken;
}

const struct mw_state ps2_mouse_rows[PS2_MOUSE_ROWS] = {
	{ "queue", MW_STRUCT(struct ps2_mouse, queue, ps2_queue_rows), .since = 2 },
	{ "command", MW_FIELD(struct ps2_mouse, command), .since = 2 },
	{ "last", MW_FIELD(struct ps2_mouse, last), .since = 2 },
	{ "resolution", MW_FIELD(struct ps2_mouse, resolution), .reset = DEFAULT_RESOLUTION,
	  .since = 2 },
	{ "rate", MW_FIELD(struct ps2_mouse, rate), .reset = DEFAULT_RATE, .since = 2 },
	{ "scaling", MW_FIELD(struct ps2_mouse, scaling), .since = 2 },
	{ "id", MW_FIELD(struct ps2_mouse, id), .since = 2 },
	{ "knock", MW_FIELD(struct ps2_mouse, knock), .since = 2 },
	{ "buttons", MW_FIELD(struct ps2_mouse, buttons), .since = 2 },
	{ "told_buttons", MW_FIELD(struct ps2_mouse, told_buttons), .since = 2 },
	{ "reporting", MW_FIELD(struct ps2_mouse, reporting), .since = 2 },
	{ "remote", MW_FIELD(struct ps2_mouse, remote), .since = 2 },
	{ "wrap", MW_FIELD(struct ps2_mouse, wrap), .since = 2 },
	{ "x", MW_FIELD(struct ps2_mouse, x), .since = 2 },
	{ "y", MW_FIELD(struct ps2_mouse, y), .since = 2 },
	{ "wheel", MW_FIELD(struct ps2_mouse, wheel), .since = 2 },
};
