/* TCP as a byte stream's far end, plain and by TLS: strangers, liars, sleepers. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/peer.h"

extern const struct mw_device_type tcp_type;

enum { MUCH = 1 << 20, SETTINGS = 12 };

/* Made anew by make_certificates: two who sign, and certificates of theirs. */
static struct place *certificates;
static const char script[] =
	"set -e; cd \"$0\"; new() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; "
	"}\n"
	"for ca in ca stranger; do new $ca; openssl req -x509 -new -key $ca.key -out $ca.pem "
	"-days 30 -subj /CN=$ca; done\n"
	"sign() { new $1; openssl req -new -key $1.key -out $1.csr -subj /CN=$1; "
	"openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -out $1.pem -days "
	"$3; }\n"
	"sign server ca 30; sign client ca 30; sign alien stranger 30\n"
	"cat server.key server.pem > both.pem\n";

static int make_certificates(void **state)
{
	char command[sizeof(script) + 128];
	void *made = NULL;

	if (place_make(&made) < 0)
		return -1;
	certificates = made;
	/* A program, since what signs is no part of what is tested. */
	snprintf(command, sizeof(command), "sh -c '%s' %s 2>/dev/null", script,
		 certificates->folder);
	return system(command) == 0 ? 0 : -1;
}

static int remove_certificates(void **state)
{
	void *made = certificates;

	return place_remove(&made);
}

static const char *pem(const char *name)
{
	return name[0] ? place_path(certificates, name) : "";
}

/** A list of settings that grows. */
struct settings {
	struct rig_setting items[SETTINGS];
	size_t count;
};

static struct settings at(const char *address)
{
	return (struct settings){ .items = { { "address", 0, address }, { "retry_ms", 20, NULL } },
				  .count = 2 };
}

static void say(struct settings *settings, const char *name, uint64_t number, const char *text)
{
	assert_true(settings->count < SETTINGS - 1);
	settings->items[settings->count++] = (struct rig_setting){ name, number, text };
}

static struct settings tls_at(const char *address, const char *cert, const char *key,
			      const char *ca)
{
	struct settings settings = at(address);

	say(&settings, "tls", true, NULL);
	say(&settings, "cert", 0, pem(cert));
	say(&settings, "key", 0, pem(key));
	say(&settings, "ca", 0, pem(ca));
	return settings;
}

static struct rig *build(const struct settings *settings)
{
	return rig_create(&tcp_type, settings->items);
}

static struct rig *serve(struct settings settings, unsigned *port)
{
	static const char words[] = "listens at 127.0.0.1:";

	say(&settings, "server", true, NULL);
	struct rig *rig = build(&settings);
	const char *line = strstr(rig_log(rig), words);

	assert_non_null(line);
	*port = (unsigned)strtoul(line + sizeof(words) - 1, NULL, 10);
	return rig;
}

static const char *address_of(unsigned port)
{
	static char address[32];

	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	return address;
}

static struct mw_tls tls;

static struct mw_tls *secure(bool server, const char *cert, const char *key, const char *ca)
{
	const struct mw_tls_options options = { .server = server,
						.cert = pem(cert),
						.key = pem(key),
						.ca = pem(ca),
						.name = "server" };

	mw_tls_fini(&tls);
	memset(&tls, 0, sizeof(tls));
	assert_true(mw_tls_init(&tls, &options));
	return &tls;
}

/* Plain */

static void addresses_are_host_and_port(void **state)
{
	static const char *const wrong[] = { "",         "host",    ":80",   "host:",
					     "host:0",   "::1:80",  "[::1]", "host:65536",
					     "host:80x", "host:-1", "[]:80", "host:http" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct settings settings = at(wrong[i]);

		peer_expect_refusal(&tcp_type, settings.items, "is not HOST:PORT");
	}
}

static void server_and_peer_talk(void **state)
{
	unsigned port;
	struct rig *rig = serve(at("localhost:0"), &port);
	struct peer peer = { .fd = peer_connect_tcp(port) };

	peer_idle(rig);
	peer_send(rig, &peer, "from the peer");
	rig_send(rig, "port", "from the device", 15);
	peer_expect(rig, &peer, "from the device");
	struct peer second = { .fd = peer_connect_tcp(port) };

	peer_expect_end(rig, &second);
	peer_expect_log(rig, "a second peer is refused");
	peer_close(&peer);
	peer_idle(rig);
	peer.fd = peer_connect_tcp(port);
	peer_idle(rig);
	peer_send(rig, &peer, "the next peer");
	rig_destroy(rig);
	peer_close(&peer);
}

static void client_connects_again(void **state)
{
	unsigned port = 0;
	int listener = peer_listen_tcp(&port);

	close(listener);
	struct settings settings = at(address_of(port));
	struct rig *rig = build(&settings);

	peer_expect_log(rig, "cannot connect, trying again: Connection refused");
	listener = peer_listen_tcp(&port);
	for (unsigned i = 0; i < 3; i++) {
		struct peer peer = peer_accept(rig, listener);

		peer_send(rig, &peer, "from the peer");
		rig_send(rig, "port", "from the device", 15);
		peer_expect(rig, &peer, "from the device");
		peer_close(&peer);
	}
	rig_destroy(rig);
	close(listener);
}

static void localhost_is_tried_by_both_protocols(void **state)
{
	char address[32];
	unsigned port = 0;
	int listener = peer_listen_tcp(&port);

	snprintf(address, sizeof(address), "localhost:%u", port);
	struct settings settings = at(address);
	struct rig *rig = build(&settings);
	struct peer peer = peer_accept(rig, listener);

	peer_close(&peer); /* ::1 is next, where nobody is */
	peer = peer_accept(rig, listener);
	peer_send(rig, &peer, "again");
	rig_destroy(rig);
	peer_close(&peer);
	close(listener);
}

static void slow_ends_lose_nothing(void **state)
{
	unsigned port;
	struct rig *rig = serve(at("127.0.0.1:0"), &port);
	struct peer peer = { .fd = peer_connect_tcp(port) };

	peer_idle(rig);
	peer_send(rig, &peer, "!");
	peer_exchange(rig, &peer, MUCH);
	rig_destroy(rig);
	peer_close(&peer);
}

static void port_that_is_taken_is_an_error(void **state)
{
	unsigned port = 0;
	int listener = peer_listen_tcp(&port);
	struct settings settings = at(address_of(port));

	say(&settings, "server", true, NULL);
	peer_expect_refusal(&tcp_type, settings.items, "Address already in use");
	char address[32];

	snprintf(address, sizeof(address), "localhost:%u", port); /* ::1 is no way out */
	settings.items[0].text = address;
	peer_expect_refusal(&tcp_type, settings.items, "Address already in use");
	close(listener);
}

/* TLS */

static void secured_ends_talk(void **state)
{
	unsigned port;
	struct rig *rig = serve(tls_at("localhost:0", "server.pem", "server.key", ""), &port);

	for (unsigned i = 0; i < 3; i++) {
		struct peer peer = { .fd = peer_connect_tcp(port) };

		assert_int_equal(peer_secure(rig, &peer, secure(false, "", "", "ca.pem")),
				 MW_TLS_DONE);
		peer_send(rig, &peer, "from the peer");
		rig_send(rig, "port", "from the device", 15);
		peer_expect(rig, &peer, "from the device");
		peer_close(&peer);
		peer_idle(rig);
	}
	rig_destroy(rig);
}

static void slow_secured_ends_lose_nothing(void **state)
{
	unsigned port;
	struct rig *rig = serve(tls_at("localhost:0", "server.pem", "server.key", ""), &port);
	struct peer peer = { .fd = peer_connect_tcp(port) };

	assert_int_equal(peer_secure(rig, &peer, secure(false, "", "", "ca.pem")), MW_TLS_DONE);
	peer_send(rig, &peer, "!");
	peer_exchange(rig, &peer, MUCH);
	rig_destroy(rig);
	peer_close(&peer);
}

static void end_of_a_secured_connection_flushes(void **state)
{
	unsigned port;
	struct rig *rig = serve(tls_at("localhost:0", "server.pem", "server.key", ""), &port);
	struct peer peer = { .fd = peer_connect_tcp(port) };
	uint8_t got[16] = { 0 };

	assert_int_equal(peer_secure(rig, &peer, secure(false, "", "", "ca.pem")), MW_TLS_DONE);
	peer_send(rig, &peer, "!");
	rig_send(rig, "port", "goodbye", 7);
	rig_destroy(rig);
	assert_int_equal(mw_tls_read(peer.tls, got, sizeof(got)), 7);
	assert_memory_equal(got, "goodbye", 7);
	assert_int_equal(mw_tls_read(peer.tls, got, sizeof(got)), 0); /* close_notify */
	peer_close(&peer);
}

/* Connects a client to a server of the test's and returns how the server's handshake ended. */
static enum mw_tls_step call_on(struct settings settings, struct mw_tls *own, struct rig **rig,
				struct peer *peer)
{
	unsigned port = 0;
	int listener = peer_listen_tcp(&port);
	char address[32];

	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	settings.items[0].text = address;
	*rig = build(&settings);
	*peer = peer_accept(*rig, listener);
	close(listener);
	return peer_secure(*rig, peer, own);
}

static void client_knows_its_server(void **state)
{
	struct settings settings = tls_at("", "", "", "ca.pem");
	struct rig *rig;
	struct peer peer;

	say(&settings, "name", 0, "server");
	assert_int_equal(
		call_on(settings, secure(true, "server.pem", "server.key", ""), &rig, &peer),
		MW_TLS_DONE);
	peer_send(rig, &peer, "from the peer");
	rig_send(rig, "port", "from the device", 15);
	peer_expect(rig, &peer, "from the device");
	peer_exchange(rig, &peer, MUCH / 4);
	rig_destroy(rig);
	peer_close(&peer);
}

static void expect_wrong_server(struct settings settings, const char *cert, const char *key,
				const char *why)
{
	struct rig *rig;
	struct peer peer;

	call_on(settings, secure(true, cert, key, ""), &rig, &peer);
	peer_expect_log(rig,
			"cannot connect, trying again: the peer's certificate is not accepted");
	peer_expect_log(rig, why);
	rig_send(rig, "port", "secret", 6);
	peer_expect_end(rig, &peer);
	rig_destroy(rig);
}

static void server_with_a_strange_certificate_is_left(void **state)
{
	struct settings settings = tls_at("", "", "", "ca.pem");

	say(&settings, "name", 0, "alien");
	expect_wrong_server(settings, "alien.pem", "alien.key", "not correctly signed");
}

static void server_with_another_name_is_left(void **state)
{
	struct settings settings = tls_at("", "", "", "ca.pem");

	say(&settings, "name", 0, "server");
	expect_wrong_server(settings, "client.pem", "client.key", "does not match");
	/* Without a name it is the address's. */
	expect_wrong_server(tls_at("", "", "", "ca.pem"), "server.pem", "server.key",
			    "does not match");
}

static void server_with_a_ca_wants_certificates(void **state)
{
	unsigned port;
	struct rig *rig = serve(tls_at("localhost:0", "server.pem", "server.key", "ca.pem"), &port);
	struct peer peer = { .fd = peer_connect_tcp(port) };

	peer_secure(rig, &peer, secure(false, "", "", "ca.pem"));
	peer_expect_log(rig, "a peer is dropped: TLS: ");
	peer_expect_end(rig, &peer);
	peer.fd = peer_connect_tcp(port);
	peer_secure(rig, &peer, secure(false, "alien.pem", "alien.key", "ca.pem"));
	peer_expect_log(rig, "a peer is dropped: the peer's certificate is not accepted");
	peer_expect_end(rig, &peer);
	peer.fd = peer_connect_tcp(port);
	assert_int_equal(
		peer_secure(rig, &peer, secure(false, "client.pem", "client.key", "ca.pem")),
		MW_TLS_DONE);
	peer_send(rig, &peer, "a friend");
	rig_destroy(rig);
	peer_close(&peer);
}

static void client_shows_its_certificate(void **state)
{
	struct settings settings = tls_at("", "client.pem", "client.key", "ca.pem");
	struct rig *rig;
	struct peer peer;

	say(&settings, "name", 0, "server");
	assert_int_equal(
		call_on(settings, secure(true, "server.pem", "server.key", "ca.pem"), &rig, &peer),
		MW_TLS_DONE);
	peer_send(rig, &peer, "a friend");
	rig_destroy(rig);
	peer_close(&peer);
}

static void garbage_is_dropped(void **state)
{
	static const char *const garbage[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"\x16\x03\x01\xff\xff",                 /* a record that is too long */
		"\x16\x03\x01\x01\x05\x01\xff\xff\xff", /* a message that is */
		"\x15\x03\x03\x01\x02\x02\x28",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	};
	unsigned port;
	struct rig *rig = serve(tls_at("localhost:0", "server.pem", "server.key", ""), &port);

	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		struct peer peer = { .fd = peer_connect_tcp(port) };

		assert_true(write(peer.fd, garbage[i], strlen(garbage[i])) > 0);
		shutdown(peer.fd, SHUT_WR);
		peer_expect_end(rig, &peer);
	}
	peer_expect_log(rig, "a peer is dropped: TLS: ");
	struct peer peer = { .fd = peer_connect_tcp(port) };

	assert_int_equal(peer_secure(rig, &peer, secure(false, "", "", "ca.pem")), MW_TLS_DONE);
	peer_send(rig, &peer, "hello");
	rig_destroy(rig);
	peer_close(&peer);
}

static void garbage_in_a_connection_ends_it(void **state)
{
	unsigned port;
	struct rig *rig = serve(tls_at("localhost:0", "server.pem", "server.key", ""), &port);
	struct peer peer = { .fd = peer_connect_tcp(port) };
	char got[64];

	assert_int_equal(peer_secure(rig, &peer, secure(false, "", "", "ca.pem")), MW_TLS_DONE);
	peer_send(rig, &peer, "hello");
	assert_true(write(peer.fd, "\x17\x03\x03\x00\x20 this is not what was agreed upon", 39) >
		    0);
	peer_expect_log(rig, "the connection is broken: TLS: ");
	peer_expect_end(rig, &peer);
	assert_int_equal(rig_take(rig, "port", got, sizeof(got)), 0);
	rig_destroy(rig);
}

static void sleeper_is_dropped(void **state)
{
	unsigned port;
	struct settings settings = tls_at("localhost:0", "server.pem", "server.key", "");

	say(&settings, "handshake_ms", 50, NULL);
	struct rig *rig = serve(settings, &port);
	struct peer peer = { .fd = peer_connect_tcp(port) };

	peer_expect_log(rig, "a peer is dropped: the peer took too long");
	peer_expect_end(rig, &peer);
	peer.fd = peer_connect_tcp(port); /* the next may sleep as well */
	peer_expect_end(rig, &peer);
	rig_destroy(rig);
}

static void sleeping_server_is_left(void **state)
{
	unsigned port = 0;
	int listener = peer_listen_tcp(&port);
	struct settings settings = tls_at(address_of(port), "", "", "ca.pem");

	say(&settings, "name", 0, "server");
	say(&settings, "handshake_ms", 50, NULL);
	struct rig *rig = build(&settings);
	struct peer peer = peer_accept(rig, listener);

	peer_expect_log(rig, "cannot connect, trying again: the peer took too long");
	peer_expect_end(rig, &peer);
	peer = peer_accept(rig, listener);
	rig_destroy(rig);
	peer_close(&peer);
	close(listener);
}

/* A handshake that was begun before a stop has its time anew afterwards. */
static void stop_in_the_handshake_does_no_harm(void **state)
{
	unsigned port;
	struct rig *rig = serve(tls_at("localhost:0", "server.pem", "server.key", ""), &port);
	struct peer peer = { .fd = peer_connect_tcp(port), .tls = secure(false, "", "", "ca.pem") };

	mw_tls_begin(peer.tls, peer.fd);
	mw_tls_handshake(peer.tls);
	peer_idle(rig);
	rig_stop(rig);
	mw_tls_handshake(peer.tls);
	peer_idle(rig);
	rig_start(rig);
	enum mw_tls_step step = MW_TLS_WANTS_INPUT;

	for (unsigned i = 0; i < PEER_TURNS && step != MW_TLS_DONE; i++) {
		step = mw_tls_handshake(peer.tls);
		rig_serve(rig, 1);
	}
	peer_send(rig, &peer, "on");
	rig_destroy(rig);
	peer_close(&peer);
}

/* The first record after the handshake often arrives with it: no descriptor tells of it again. */
static void bytes_beside_the_handshake_arrive(void **state)
{
	unsigned port;
	struct rig *rig = serve(tls_at("localhost:0", "server.pem", "server.key", ""), &port);
	char got[64] = { 0 };
	size_t count = 0;

	rig_hold(rig, "port", true);
	struct peer peer = { .fd = peer_connect_tcp(port) };

	assert_int_equal(peer_secure(rig, &peer, secure(false, "", "", "ca.pem")), MW_TLS_DONE);
	assert_int_equal(mw_tls_write(peer.tls, (const uint8_t *)"one", 3), 3);
	assert_int_equal(mw_tls_write(peer.tls, (const uint8_t *)"two", 3), 3);
	rig_hold(rig, "port", false);
	for (unsigned i = 0; i < PEER_TURNS && count < 6; i++) {
		rig_serve(rig, 1);
		count += rig_take(rig, "port", got + count, sizeof(got) - count);
	}
	assert_string_equal(got, "onetwo");
	rig_destroy(rig);
	peer_close(&peer);
}

static void expect_wrong(struct settings settings, bool server, const char *why)
{
	say(&settings, "server", server, NULL);
	peer_expect_refusal(&tcp_type, settings.items, why);
}

static void what_tls_needs_is_checked_at_once(void **state)
{
	struct settings plain = at("localhost:4555");

	expect_wrong(tls_at("localhost:0", "", "", ""), true, "a server needs `cert` and `key`");
	expect_wrong(tls_at("localhost:1", "", "", ""), false, "a client needs `ca`");
	expect_wrong(tls_at("localhost:0", "server.pem", "", ""), true, "belong together");
	expect_wrong(tls_at("localhost:0", "server.pem", "client.key", ""), true,
		     "not the key of the certificate");
	expect_wrong(tls_at("localhost:0", "none.pem", "server.key", ""), true,
		     "none.pem: No such file");
	expect_wrong(tls_at("localhost:0", "server.key", "server.key", ""), true, "server.key: ");
	expect_wrong(tls_at("localhost:0", "server.pem", "server.pem", ""), true, "server.pem: ");
	say(&plain, "ca", 0, pem("ca.pem"));
	expect_wrong(plain, false, "need `tls: true`");
}

static void one_file_may_hold_key_and_certificate(void **state)
{
	unsigned port;

	rig_destroy(serve(tls_at("localhost:0", "both.pem", "both.pem", ""), &port));
}

static void no_descriptor_is_left_behind(void **state)
{
	unsigned before = peer_descriptors(), port;

	for (unsigned i = 0; i < 2; i++) {
		struct rig *rig =
			serve(tls_at("localhost:0", "server.pem", "server.key", ""), &port);
		struct peer peer = { .fd = peer_connect_tcp(port) };

		peer_secure(rig, &peer, secure(false, "", "", "ca.pem"));
		peer_send(rig, &peer, "hello");
		rig_destroy(rig);
		peer_close(&peer);
		assert_int_equal(peer_descriptors(), before);
	}
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(addresses_are_host_and_port),
		cmocka_unit_test(server_and_peer_talk),
		cmocka_unit_test(client_connects_again),
		cmocka_unit_test(localhost_is_tried_by_both_protocols),
		cmocka_unit_test(slow_ends_lose_nothing),
		cmocka_unit_test(port_that_is_taken_is_an_error),
	};
	const struct CMUnitTest secured[] = {
		cmocka_unit_test(secured_ends_talk),
		cmocka_unit_test(slow_secured_ends_lose_nothing),
		cmocka_unit_test(end_of_a_secured_connection_flushes),
		cmocka_unit_test(client_knows_its_server),
		cmocka_unit_test(server_with_a_strange_certificate_is_left),
		cmocka_unit_test(server_with_another_name_is_left),
		cmocka_unit_test(server_with_a_ca_wants_certificates),
		cmocka_unit_test(client_shows_its_certificate),
		cmocka_unit_test(garbage_is_dropped),
		cmocka_unit_test(garbage_in_a_connection_ends_it),
		cmocka_unit_test(sleeper_is_dropped),
		cmocka_unit_test(sleeping_server_is_left),
		cmocka_unit_test(stop_in_the_handshake_does_no_harm),
		cmocka_unit_test(bytes_beside_the_handshake_arrive),
		cmocka_unit_test(what_tls_needs_is_checked_at_once),
		cmocka_unit_test(one_file_may_hold_key_and_certificate),
		cmocka_unit_test(no_descriptor_is_left_behind),
	};
	int failed = cmocka_run_group_tests(plain, NULL, NULL);

	failed += cmocka_run_group_tests(secured, make_certificates, remove_certificates);
	mw_tls_fini(&tls);
	return failed;
}
