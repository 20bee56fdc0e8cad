/* 16550A, read like its data sheet (PC16550D, sections 8.1-8.12). */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig.h"

extern const struct mw_device_type uart16550_type;

enum { RBR, THR = RBR, DLL = RBR, IER, DLM = IER, IIR, FCR = IIR, LCR, MCR, LSR, MSR, SCR };
enum { RDA = 0x01, THRE = 0x02, STATUS = 0x04, MODEM = 0x08 };
enum { NONE = 0x01, ID_MODEM = 0x00, ID_THRE = 0x02, ID_DATA = 0x04, ID_STATUS = 0x06 };
enum { ID_TIMEOUT = 0x0c };
enum { DTR = 0x01, RTS = 0x02, OUT1 = 0x04, OUT2 = 0x08, LOOP = 0x10 };
enum { FIFO_ON = 0x01, CLEAR_RX = 0x02, CLEAR_TX = 0x04, LEVEL_4 = 0x40, LEVEL_8 = 0x80 };
enum { LEVEL_14 = 0xc0, LINK_BYTES = 65536 };
/* Four characters of ten bits at 115,200 baud. */
static const uint64_t four_characters_ns = UINT64_C(4) * 10 * 1000000000 / 115200;

static uint8_t in(struct rig *rig, unsigned reg)
{
	return (uint8_t)rig_read(rig, "bank", reg, 1);
}

static void out(struct rig *rig, unsigned reg, unsigned value)
{
	rig_write(rig, "bank", reg, 1, value);
}

static void set_divisor(struct rig *rig, unsigned divisor)
{
	out(rig, LCR, 0x83);
	out(rig, DLL, divisor & 0xff);
	out(rig, DLM, divisor >> 8);
	out(rig, LCR, 0x03);
}

/* 115,200 baud, 8N1, ready to receive, interrupts through OUT2 but none enabled. */
static int set_up(void **state)
{
	struct rig *rig = rig_create(&uart16550_type, NULL);

	set_divisor(rig, 1);
	out(rig, MCR, DTR | RTS | OUT2);
	*state = rig;
	return 0;
}

static int tear_down(void **state)
{
	rig_destroy(*state);
	return 0;
}

static bool irq(struct rig *rig)
{
	return rig_line(rig, "irq", 0);
}

static void reset_gives_the_values_of_table_1(void **state)
{
	struct rig *rig = *state;

	out(rig, IER, 0x0f);
	out(rig, FCR, FIFO_ON);
	rig_reset(rig);
	assert_int_equal(in(rig, IER), 0);
	assert_int_equal(in(rig, IIR), 0x01);
	assert_int_equal(in(rig, LCR), 0);
	assert_int_equal(in(rig, MCR), 0);
	assert_int_equal(in(rig, LSR), 0x60);
	assert_int_equal(in(rig, MSR) & 0x0f, 0);
	assert_false(irq(rig));
}

static void scratch_register_keeps_a_byte(void **state)
{
	out(*state, SCR, 0xa5);
	assert_int_equal(in(*state, SCR), 0xa5);
	assert_int_equal(in(*state, LSR), 0x60);
}

static void divisor_latch_hides_data_and_ier(void **state)
{
	out(*state, IER, RDA);
	out(*state, LCR, 0x80);
	out(*state, DLL, 0x34);
	out(*state, DLM, 0x12);
	assert_int_equal(in(*state, DLL), 0x34);
	assert_int_equal(in(*state, DLM), 0x12);
	out(*state, LCR, 0x00);
	assert_int_equal(in(*state, IER), RDA);
	out(*state, LCR, 0x80);
	assert_int_equal(in(*state, DLM), 0x12);
}

static void reserved_bits_of_ier_and_mcr_read_zero(void **state)
{
	out(*state, IER, 0xff);
	assert_int_equal(in(*state, IER), 0x0f);
	out(*state, MCR, 0xff);
	assert_int_equal(in(*state, MCR), 0x1f);
}

static void wide_accesses_reach_neighbours(void **state)
{
	struct rig *rig = *state;

	rig_write(rig, "bank", LCR, 1, 0x80);
	rig_write(rig, "bank", DLL, 2, 0x0102);
	assert_int_equal(rig_read(rig, "bank", DLL, 2), 0x0102);
}

/* Transmitter */

static void written_byte_goes_out(void **state)
{
	uint8_t sent[4];

	out(*state, THR, 'A');
	assert_int_equal(rig_take(*state, "port", sent, sizeof(sent)), 1);
	assert_int_equal(sent[0], 'A');
	assert_int_equal(in(*state, LSR) & 0x60, 0x60);
}

static void thre_interrupt_comes_when_enabled_on_empty_transmitter(void **state)
{
	out(*state, IER, THRE);
	assert_true(irq(*state));
	assert_int_equal(in(*state, IIR), ID_THRE);
}

static void reading_iir_clears_thre_interrupt(void **state)
{
	out(*state, IER, THRE);
	assert_int_equal(in(*state, IIR), ID_THRE);
	assert_int_equal(in(*state, IIR), NONE);
	assert_false(irq(*state));
}

static void reading_iir_for_another_cause_keeps_thre_interrupt(void **state)
{
	out(*state, IER, THRE | RDA);
	rig_send(*state, "port", "x", 1);
	assert_int_equal(in(*state, IIR), ID_DATA);
	in(*state, RBR);
	assert_int_equal(in(*state, IIR), ID_THRE);
}

static void enabling_thre_again_raises_it_again(void **state)
{
	out(*state, IER, THRE);
	in(*state, IIR);
	out(*state, IER, THRE);
	assert_false(irq(*state));
	out(*state, IER, 0);
	out(*state, IER, THRE);
	assert_true(irq(*state));
}

static void each_byte_gives_a_new_edge(void **state)
{
	out(*state, IER, THRE);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
	out(*state, THR, 'a');
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
	out(*state, THR, 'b');
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
	assert_true(irq(*state));
}

/* Fills the way to the host: what the link holds and nothing more. */
static void fill_link(struct rig *rig)
{
	rig_hold(rig, "port", true);
	for (unsigned i = 0; i < LINK_BYTES; i++)
		out(rig, THR, i & 0xff);
	assert_int_equal(in(rig, LSR) & 0x60, 0x60);
}

static void full_link_holds_thre_back_and_loses_nothing(void **state)
{
	static uint8_t sent[LINK_BYTES + 8];

	fill_link(*state);
	out(*state, IER, THRE);
	in(*state, IIR);
	out(*state, THR, 'Z');
	assert_int_equal(in(*state, LSR) & 0x60, 0);
	assert_false(irq(*state));
	rig_hold(*state, "port", false);
	assert_int_equal(in(*state, LSR) & 0x60, 0x60);
	assert_true(irq(*state));
	assert_int_equal(in(*state, IIR), ID_THRE);
	assert_int_equal(rig_take(*state, "port", sent, sizeof(sent)), LINK_BYTES + 1);
	for (unsigned i = 0; i < LINK_BYTES; i++)
		assert_int_equal(sent[i], i & 0xff);
	assert_int_equal(sent[LINK_BYTES], 'Z');
}

static void transmitter_fifo_takes_sixteen(void **state)
{
	static uint8_t sent[LINK_BYTES + 32];

	out(*state, FCR, FIFO_ON);
	fill_link(*state);
	for (unsigned i = 0; i < 17; i++)
		out(*state, THR, 'a' + i);
	rig_hold(*state, "port", false);
	assert_int_equal(rig_take(*state, "port", sent, sizeof(sent)), LINK_BYTES + 16);
	assert_memory_equal(sent + LINK_BYTES, "abcdefghijklmnop", 16);
	assert_non_null(strstr(rig_log(*state), "full transmitter"));
}

static void clearing_the_transmitter_fifo_drops_what_waits(void **state)
{
	static uint8_t sent[LINK_BYTES + 32];

	out(*state, FCR, FIFO_ON);
	fill_link(*state);
	out(*state, THR, 'x');
	assert_int_equal(in(*state, LSR) & 0x60, 0);
	out(*state, IER, THRE);
	out(*state, FCR, FIFO_ON | CLEAR_TX);
	assert_int_equal(in(*state, LSR) & 0x60, 0x60);
	assert_int_equal(in(*state, IIR) & 0x0f, ID_THRE);
	rig_hold(*state, "port", false);
	assert_int_equal(rig_take(*state, "port", sent, sizeof(sent)), LINK_BYTES);
}

static void break_control_is_kept_and_sends_nothing(void **state)
{
	uint8_t sent[4];

	out(*state, LCR, 0x43);
	assert_int_equal(in(*state, LCR), 0x43);
	assert_int_equal(rig_take(*state, "port", sent, sizeof(sent)), 0);
}

/* Receiver without FIFOs */

static void received_byte_sets_data_ready(void **state)
{
	rig_send(*state, "port", "A", 1);
	assert_int_equal(in(*state, LSR), 0x61);
	assert_int_equal(in(*state, RBR), 'A');
	assert_int_equal(in(*state, LSR), 0x60);
}

static void received_byte_raises_irq_when_enabled(void **state)
{
	rig_send(*state, "port", "A", 1);
	assert_false(irq(*state));
	out(*state, IER, RDA);
	assert_true(irq(*state));
	assert_int_equal(in(*state, IIR), ID_DATA);
	in(*state, RBR);
	assert_false(irq(*state));
	assert_int_equal(in(*state, IIR), NONE);
}

static void receiver_buffer_can_be_read_again(void **state)
{
	rig_send(*state, "port", "A", 1);
	assert_int_equal(in(*state, RBR), 'A');
	assert_int_equal(in(*state, RBR), 'A');
}

static void host_waits_for_each_byte_to_be_read(void **state)
{
	rig_send(*state, "port", "AB", 2);
	assert_int_equal(in(*state, RBR), 'A');
	assert_int_equal(in(*state, LSR) & 0x03, 0x01);
	assert_int_equal(in(*state, RBR), 'B');
	assert_int_equal(in(*state, LSR) & 0x03, 0x00);
}

static void host_waits_until_the_guest_raises_rts(void **state)
{
	out(*state, MCR, DTR | OUT2);
	rig_send(*state, "port", "A", 1);
	assert_int_equal(in(*state, LSR) & 0x01, 0);
	out(*state, MCR, DTR | RTS | OUT2);
	assert_int_equal(in(*state, LSR) & 0x01, 1);
	assert_int_equal(in(*state, RBR), 'A');
}

/* SeaBIOS's serial console and many a loader, made for a cable of three wires. */
static void host_sends_to_a_guest_that_polls_without_rts(void **state)
{
	out(*state, MCR, 0);
	rig_send(*state, "port", "AB", 2);
	for (unsigned i = 0; i < 32 && !(in(*state, LSR) & 0x01); i++)
		out(*state, SCR, i); /* whatever else it does */
	assert_int_equal(in(*state, RBR), 'A');
	out(*state, THR, 'a'); /* an echo changes nothing */
	assert_int_equal(in(*state, LSR) & 0x01, 1);
	assert_int_equal(in(*state, RBR), 'B');
}

/* A kernel that prints is not one that listens, nor is one that sets up the port. */
static void host_waits_while_a_guest_without_rts_only_sends(void **state)
{
	out(*state, MCR, 0);
	rig_send(*state, "port", "A", 1);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(in(*state, LSR) & 0x61, 0x60);
		out(*state, THR, 'x');
	}
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(in(*state, LSR) & 0x61, 0x60);
		assert_int_equal(in(*state, LSR) & 0x61, 0x60);
		out(*state, i & 1 ? LCR : FCR, 0x03);
	}
}

static void flow_none_never_waits(void **state)
{
	const struct rig_setting settings[] = { { "flow", 2, NULL }, { 0 } };
	struct rig *rig = rig_create(&uart16550_type, settings);

	rig_send(rig, "port", "A", 1);
	assert_int_equal(in(rig, RBR), 'A');
	rig_destroy(rig);
}

static void flow_dtr_waits_for_dtr(void **state)
{
	const struct rig_setting settings[] = { { "flow", 1, NULL }, { 0 } };
	struct rig *rig = rig_create(&uart16550_type, settings);

	rig_send(rig, "port", "A", 1);
	out(rig, MCR, RTS);
	assert_int_equal(in(rig, LSR) & 0x01, 0);
	out(rig, MCR, DTR);
	assert_int_equal(in(rig, RBR), 'A');
	rig_destroy(rig);
}

/* Receiver with FIFOs */

static void fcr_shows_in_iir(void **state)
{
	out(*state, FCR, FIFO_ON);
	assert_int_equal(in(*state, IIR), 0xc0 | NONE);
	out(*state, FCR, 0);
	assert_int_equal(in(*state, IIR), NONE);
}

static void fifo_holds_sixteen_in_order(void **state)
{
	out(*state, FCR, FIFO_ON);
	rig_send(*state, "port", "0123456789abcdefXYZ", 19);
	for (const char *c = "0123456789abcdefXYZ"; *c; c++)
		assert_int_equal(in(*state, RBR), *c);
	assert_int_equal(in(*state, LSR), 0x60);
}

static void check_trigger(struct rig *rig, unsigned fcr, unsigned level)
{
	out(rig, FCR, 0);
	out(rig, FCR, FIFO_ON | fcr);
	out(rig, IER, RDA);
	for (unsigned i = 1; i < level; i++) {
		rig_send(rig, "port", "x", 1);
		assert_false(irq(rig));
		assert_int_equal(in(rig, LSR) & 1, 1);
	}
	rig_send(rig, "port", "x", 1);
	assert_true(irq(rig));
	assert_int_equal(in(rig, IIR), 0xc0 | ID_DATA);
	in(rig, RBR);
	assert_false(irq(rig)); /* 8.11: cleared when the FIFO drops below the level */
}

static void data_interrupt_comes_at_the_trigger_level(void **state)
{
	check_trigger(*state, 0, 1);
	check_trigger(*state, LEVEL_4, 4);
	check_trigger(*state, LEVEL_8, 8);
	check_trigger(*state, LEVEL_14, 14);
}

static void timeout_comes_after_four_characters(void **state)
{
	out(*state, FCR, FIFO_ON | LEVEL_14);
	out(*state, IER, RDA);
	rig_send(*state, "port", "x", 1);
	rig_advance(*state, four_characters_ns - 1);
	assert_false(irq(*state));
	rig_advance(*state, 1);
	assert_true(irq(*state));
	assert_int_equal(in(*state, IIR), 0xc0 | ID_TIMEOUT);
	assert_int_equal(in(*state, RBR), 'x');
	assert_false(irq(*state));
	assert_int_equal(in(*state, IIR), 0xc0 | NONE);
}

static void timeout_restarts_with_each_byte_and_each_read(void **state)
{
	out(*state, FCR, FIFO_ON | LEVEL_14);
	out(*state, IER, RDA);
	rig_send(*state, "port", "abc", 3);
	rig_advance(*state, four_characters_ns - 1);
	rig_send(*state, "port", "d", 1);
	rig_advance(*state, four_characters_ns - 1);
	in(*state, RBR);
	rig_advance(*state, four_characters_ns - 1);
	assert_false(irq(*state));
	rig_advance(*state, 1);
	assert_true(irq(*state));
	in(*state, RBR);
	assert_false(irq(*state));
	rig_advance(*state, four_characters_ns); /* what is left times out again */
	assert_int_equal(in(*state, IIR), 0xc0 | ID_TIMEOUT);
}

/* 300 baud with a parity and two stop bits: twelve bits a character. */
static void timeout_counts_the_programmed_character(void **state)
{
	uint64_t wait = UINT64_C(4) * 12 * 16 * 384 * 1000000000 / 1843200;

	set_divisor(*state, 384);
	out(*state, LCR, 0x0f);
	out(*state, FCR, FIFO_ON | LEVEL_14);
	out(*state, IER, RDA);
	rig_send(*state, "port", "x", 1);
	rig_advance(*state, wait - 1);
	assert_false(irq(*state));
	rig_advance(*state, 1);
	assert_true(irq(*state));
}

static void there_is_no_timeout_without_fifos(void **state)
{
	out(*state, IER, RDA);
	rig_send(*state, "port", "x", 1);
	rig_advance(*state, 100 * four_characters_ns);
	assert_int_equal(in(*state, IIR), ID_DATA);
}

static void empty_fifo_does_not_time_out(void **state)
{
	out(*state, FCR, FIFO_ON);
	out(*state, IER, RDA);
	rig_send(*state, "port", "x", 1);
	in(*state, RBR);
	rig_advance(*state, 100 * four_characters_ns);
	assert_false(irq(*state));
}

static void clearing_the_receiver_fifo_ends_its_interrupts(void **state)
{
	out(*state, FCR, FIFO_ON | LEVEL_4);
	out(*state, IER, RDA);
	rig_send(*state, "port", "abcd", 4);
	rig_advance(*state, four_characters_ns);
	assert_true(irq(*state));
	out(*state, FCR, FIFO_ON | CLEAR_RX | LEVEL_4);
	assert_false(irq(*state));
	assert_int_equal(in(*state, LSR), 0x60);
	rig_send(*state, "port", "e", 1);
	assert_int_equal(in(*state, RBR), 'e');
}

static void switching_fifos_clears_them(void **state)
{
	out(*state, FCR, FIFO_ON);
	rig_send(*state, "port", "abc", 3);
	out(*state, FCR, 0);
	assert_int_equal(in(*state, LSR) & 1, 0);
}

/* 8.5: bit 0 must be 1 when the others are written, or they are not programmed. */
static void fcr_bits_without_enable_do_nothing(void **state)
{
	out(*state, FCR, CLEAR_RX | LEVEL_14);
	assert_int_equal(in(*state, IIR), NONE);
	rig_send(*state, "port", "a", 1);
	out(*state, FCR, CLEAR_RX | LEVEL_14);
	assert_int_equal(in(*state, RBR), 'a');
}

/* Loopback */

static void start_loopback(struct rig *rig, unsigned fcr)
{
	out(rig, FCR, fcr);
	out(rig, MCR, LOOP);
}

static void loopback_returns_what_is_sent(void **state)
{
	uint8_t sent[4];

	start_loopback(*state, 0);
	out(*state, THR, 0x5a);
	assert_int_equal(in(*state, LSR), 0x61);
	assert_int_equal(in(*state, RBR), 0x5a);
	assert_int_equal(rig_take(*state, "port", sent, sizeof(sent)), 0);
}

static void loopback_connects_modem_outputs_to_inputs(void **state)
{
	static const struct {
		uint8_t mcr, msr;
	} pairs[] = { { RTS, 0x10 }, { DTR, 0x20 }, { OUT1, 0x40 }, { OUT2, 0x80 } };

	for (unsigned i = 0; i < 4; i++) {
		out(*state, MCR, LOOP);
		in(*state, MSR);
		out(*state, MCR, LOOP | pairs[i].mcr);
		assert_int_equal(in(*state, MSR) & 0xf0, pairs[i].msr);
	}
}

static void modem_inputs_leave_deltas_until_read(void **state)
{
	out(*state, MCR, LOOP);
	in(*state, MSR);
	out(*state, MCR, LOOP | RTS | DTR | OUT2);
	assert_int_equal(in(*state, MSR), 0xbb);
	assert_int_equal(in(*state, MSR), 0xb0);
}

static void only_the_end_of_a_ring_counts(void **state)
{
	out(*state, MCR, LOOP);
	in(*state, MSR);
	out(*state, MCR, LOOP | OUT1);
	assert_int_equal(in(*state, MSR), 0x40);
	out(*state, MCR, LOOP);
	assert_int_equal(in(*state, MSR), 0x04);
}

static void loopback_keeps_the_host_waiting(void **state)
{
	start_loopback(*state, FIFO_ON);
	rig_send(*state, "port", "h", 1);
	assert_int_equal(in(*state, LSR) & 1, 0);
	out(*state, MCR, RTS);
	assert_int_equal(in(*state, RBR), 'h');
}

static void loopback_takes_outputs_and_interrupt_from_their_pins(void **state)
{
	assert_true(rig_line(*state, "rts", 0));
	assert_true(rig_line(*state, "dtr", 0));
	out(*state, IER, THRE);
	assert_true(irq(*state));
	out(*state, MCR, LOOP | RTS | DTR | OUT2);
	assert_false(rig_line(*state, "rts", 0));
	assert_false(rig_line(*state, "dtr", 0));
	assert_false(irq(*state));
	assert_int_equal(in(*state, IIR), ID_THRE); /* pending all the same */
}

/* Line status */

static void overrun_without_fifos_destroys_the_old_byte(void **state)
{
	start_loopback(*state, 0);
	out(*state, THR, 'a');
	out(*state, THR, 'b');
	assert_int_equal(in(*state, LSR), 0x63);
	assert_int_equal(in(*state, LSR), 0x61); /* reading clears it */
	assert_int_equal(in(*state, RBR), 'b');
}

static void overrun_with_fifos_destroys_the_new_byte(void **state)
{
	start_loopback(*state, FIFO_ON);
	for (unsigned i = 0; i < 17; i++)
		out(*state, THR, 'a' + i);
	assert_int_equal(in(*state, LSR), 0x63);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(in(*state, RBR), 'a' + i);
	assert_int_equal(in(*state, LSR), 0x60);
}

static void line_status_interrupt_has_the_highest_priority(void **state)
{
	const struct rig_setting settings[] = { { "out2_gates", 0, NULL }, { 0 } };
	struct rig *rig = rig_create(&uart16550_type, settings);

	out(rig, MCR, LOOP);
	in(rig, MSR);
	out(rig, IER, RDA | THRE | STATUS | MODEM);
	out(rig, THR, 'a');
	out(rig, THR, 'b');
	out(rig, MCR, LOOP | RTS);
	assert_true(irq(rig));
	assert_int_equal(in(rig, IIR), ID_STATUS);
	in(rig, LSR);
	assert_int_equal(in(rig, IIR), ID_DATA);
	in(rig, RBR);
	assert_int_equal(in(rig, IIR), ID_THRE);
	assert_int_equal(in(rig, IIR), ID_MODEM);
	assert_true(irq(rig));
	in(rig, MSR);
	assert_int_equal(in(rig, IIR), NONE);
	assert_false(irq(rig));
	rig_destroy(rig);
}

/* 8.4: bits 2-4 belong to the byte at the top; bit 7 tells of any in the FIFO. The note on factory
 * tests says how software makes one: by a write to the LSR in loopback. */
static void errors_travel_with_their_byte(void **state)
{
	start_loopback(*state, FIFO_ON);
	out(*state, THR, 'a');
	out(*state, LSR, 0x10);
	out(*state, THR, 'b');
	assert_int_equal(in(*state, LSR), 0xf1);
	assert_int_equal(in(*state, LSR), 0x61);
	out(*state, LSR, 0x0c);
	out(*state, IER, STATUS);
	assert_int_equal(in(*state, IIR), 0xc0 | ID_STATUS);
	assert_int_equal(in(*state, RBR), 'a');
	assert_int_equal(in(*state, IIR), 0xc0 | NONE);
	assert_int_equal(in(*state, LSR), 0x61);
}

static void fifo_error_bit_is_zero_without_fifos(void **state)
{
	start_loopback(*state, 0);
	out(*state, THR, 'a');
	out(*state, LSR, 0x10);
	assert_int_equal(in(*state, LSR), 0x71);
}

/* Modem */

static void ready_modem_is_the_default(void **state)
{
	assert_int_equal(in(*state, MSR), 0xb0);
}

static void modem_wires_show_in_msr(void **state)
{
	const struct rig_setting settings[] = { { "modem", 1, NULL }, { 0 } };
	struct rig *rig = rig_create(&uart16550_type, settings);

	out(rig, MCR, OUT2);
	out(rig, IER, MODEM);
	assert_int_equal(in(rig, MSR), 0x00);
	rig_drive(rig, "cts", 0, true);
	assert_true(irq(rig));
	assert_int_equal(in(rig, IIR), ID_MODEM);
	assert_int_equal(in(rig, MSR), 0x11);
	rig_drive(rig, "dsr", 0, true);
	assert_int_equal(in(rig, MSR), 0x32);
	rig_drive(rig, "dcd", 0, true);
	assert_int_equal(in(rig, MSR), 0xb8);
	rig_drive(rig, "ri", 0, true);
	assert_int_equal(in(rig, MSR), 0xf0);
	rig_drive(rig, "ri", 0, false);
	assert_int_equal(in(rig, MSR), 0xb4);
	assert_false(irq(rig));
	rig_destroy(rig);
}

static void outputs_follow_mcr(void **state)
{
	out(*state, MCR, RTS);
	assert_true(rig_line(*state, "rts", 0));
	assert_false(rig_line(*state, "dtr", 0));
	out(*state, MCR, DTR);
	assert_false(rig_line(*state, "rts", 0));
	assert_true(rig_line(*state, "dtr", 0));
}

static void out2_gates_the_interrupt(void **state)
{
	out(*state, MCR, RTS);
	out(*state, IER, THRE);
	assert_false(irq(*state));
	out(*state, MCR, RTS | OUT2);
	assert_true(irq(*state));
}

/* The state of a busy port goes on where it was, its timer too. */
static void saved_port_goes_on_in_another_machine(void **state)
{
	struct rig *other = rig_create(&uart16550_type, NULL);
	size_t count;

	out(*state, FCR, FIFO_ON | LEVEL_14);
	out(*state, IER, RDA);
	rig_send(*state, "port", "abc", 3);
	in(*state, RBR);
	const uint8_t *saved = rig_save(*state, &count);

	assert_true(rig_load(other, saved, count));
	assert_true(rig_line(other, "rts", 0));
	assert_true(rig_line(other, "dtr", 0));
	rig_advance(other, rig_now(*state) + four_characters_ns);
	assert_true(irq(other));
	assert_int_equal(in(other, IIR), 0xc0 | ID_TIMEOUT);
	assert_int_equal(in(other, RBR), 'b');
	assert_int_equal(in(other, RBR), 'c');
	rig_send(other, "port", "d", 1); /* credit was restored as well */
	assert_int_equal(in(other, RBR), 'd');
	rig_destroy(other);
}

/* Reads what a handler of interrupts would in one go. */
static unsigned read_all(struct rig *rig, unsigned limit)
{
	unsigned count = 0;

	for (; count < limit && (in(rig, LSR) & 1); count++)
		in(rig, RBR);
	return count;
}

/* A host that always has more would keep a handler for ever, and the line high without an edge. */
static void burst_is_followed_by_a_pause(void **state)
{
	static const uint8_t bytes[600];
	static const uint64_t sixteen_characters_ns = UINT64_C(16) * 10 * 1000000000 / 115200;

	out(*state, FCR, FIFO_ON | LEVEL_8);
	out(*state, IER, RDA);
	rig_rises(*state, "irq", 0);
	rig_send(*state, "port", bytes, sizeof(bytes));
	assert_int_equal(read_all(*state, sizeof(bytes)), 256);
	assert_false(irq(*state));
	rig_rises(*state, "irq", 0);
	rig_advance(*state, sixteen_characters_ns / 2);
	assert_false(in(*state, LSR) & 1);
	rig_advance(*state, sixteen_characters_ns);
	assert_int_equal(rig_rises(*state, "irq", 0), 1);
	assert_int_equal(read_all(*state, sizeof(bytes)), 256);
	rig_advance(*state, 2 * sixteen_characters_ns);
	assert_int_equal(read_all(*state, sizeof(bytes)), sizeof(bytes) - 512);
}

static void burst_that_is_not_read_out_waits(void **state)
{
	static const uint8_t bytes[600];

	out(*state, FCR, FIFO_ON | LEVEL_8);
	out(*state, IER, RDA);
	rig_send(*state, "port", bytes, sizeof(bytes));
	assert_int_equal(read_all(*state, 255), 255);
	rig_advance(*state, 1000000000);
	assert_int_equal(read_all(*state, sizeof(bytes)), 1);
	rig_advance(*state, 1000000000);
	assert_int_equal(read_all(*state, sizeof(bytes)), 256);
}

static void who_polls_needs_no_pause(void **state)
{
	static const uint8_t bytes[1000];

	out(*state, FCR, FIFO_ON);
	rig_send(*state, "port", bytes, sizeof(bytes));
	assert_int_equal(read_all(*state, sizeof(bytes)), sizeof(bytes));
	/* Nor one who stops to hear interrupts in a pause. */
	out(*state, IER, RDA);
	rig_send(*state, "port", bytes, sizeof(bytes));
	assert_int_equal(read_all(*state, sizeof(bytes)), 256);
	out(*state, IER, 0);
	assert_int_equal(read_all(*state, sizeof(bytes)), sizeof(bytes) - 256);
}

static void pause_goes_on_in_another_machine(void **state)
{
	static const uint8_t bytes[300];
	struct rig *other = rig_create(&uart16550_type, NULL);
	size_t count;

	out(*state, FCR, FIFO_ON);
	out(*state, IER, RDA);
	rig_send(*state, "port", bytes, 256);
	assert_int_equal(read_all(*state, sizeof(bytes)), 256);
	const uint8_t *saved = rig_save(*state, &count);

	assert_true(rig_load(other, saved, count));
	rig_send(other, "port", bytes, sizeof(bytes));
	assert_int_equal(read_all(other, sizeof(bytes)), 0);
	rig_advance(other, rig_now(*state) + 2000000);
	assert_int_equal(read_all(other, sizeof(bytes)), 256);
	rig_destroy(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reset_gives_the_values_of_table_1),
		TEST(scratch_register_keeps_a_byte),
		TEST(divisor_latch_hides_data_and_ier),
		TEST(reserved_bits_of_ier_and_mcr_read_zero),
		TEST(wide_accesses_reach_neighbours),
		TEST(written_byte_goes_out),
		TEST(thre_interrupt_comes_when_enabled_on_empty_transmitter),
		TEST(reading_iir_clears_thre_interrupt),
		TEST(reading_iir_for_another_cause_keeps_thre_interrupt),
		TEST(enabling_thre_again_raises_it_again),
		TEST(each_byte_gives_a_new_edge),
		TEST(full_link_holds_thre_back_and_loses_nothing),
		TEST(transmitter_fifo_takes_sixteen),
		TEST(clearing_the_transmitter_fifo_drops_what_waits),
		TEST(break_control_is_kept_and_sends_nothing),
		TEST(received_byte_sets_data_ready),
		TEST(received_byte_raises_irq_when_enabled),
		TEST(receiver_buffer_can_be_read_again),
		TEST(host_waits_for_each_byte_to_be_read),
		TEST(host_waits_until_the_guest_raises_rts),
		TEST(host_sends_to_a_guest_that_polls_without_rts),
		TEST(host_waits_while_a_guest_without_rts_only_sends),
		TEST(flow_none_never_waits),
		TEST(flow_dtr_waits_for_dtr),
		TEST(fcr_shows_in_iir),
		TEST(fifo_holds_sixteen_in_order),
		TEST(data_interrupt_comes_at_the_trigger_level),
		TEST(timeout_comes_after_four_characters),
		TEST(timeout_restarts_with_each_byte_and_each_read),
		TEST(timeout_counts_the_programmed_character),
		TEST(there_is_no_timeout_without_fifos),
		TEST(empty_fifo_does_not_time_out),
		TEST(clearing_the_receiver_fifo_ends_its_interrupts),
		TEST(switching_fifos_clears_them),
		TEST(fcr_bits_without_enable_do_nothing),
		TEST(loopback_returns_what_is_sent),
		TEST(loopback_connects_modem_outputs_to_inputs),
		TEST(modem_inputs_leave_deltas_until_read),
		TEST(only_the_end_of_a_ring_counts),
		TEST(loopback_keeps_the_host_waiting),
		TEST(loopback_takes_outputs_and_interrupt_from_their_pins),
		TEST(overrun_without_fifos_destroys_the_old_byte),
		TEST(overrun_with_fifos_destroys_the_new_byte),
		TEST(line_status_interrupt_has_the_highest_priority),
		TEST(errors_travel_with_their_byte),
		TEST(fifo_error_bit_is_zero_without_fifos),
		TEST(ready_modem_is_the_default),
		TEST(modem_wires_show_in_msr),
		TEST(outputs_follow_mcr),
		TEST(out2_gates_the_interrupt),
		TEST(saved_port_goes_on_in_another_machine),
		TEST(burst_is_followed_by_a_pause),
		TEST(burst_that_is_not_read_out_waits),
		TEST(who_polls_needs_no_pause),
		TEST(pause_goes_on_in_another_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
