/** TLS over a descriptor that does not block. Private to this folder. */
// SPDX-License-Identifier: MIT
#ifndef DEVICES_BACKEND_TLS_H
#define DEVICES_BACKEND_TLS_H

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Paths of PEM files; "" for none. */
struct mw_tls_options {
	bool server;
	const char *cert, *key; /* ours; a server has them */
	const char
		*ca; /* who signs peers: a client has it; a server with it asks for certificates */
	const char *name; /* whose certificate a client expects */
};

enum mw_tls_step { MW_TLS_DONE, MW_TLS_WANTS_INPUT, MW_TLS_WANTS_OUTPUT, MW_TLS_FAILED };

/** One side of one connection at a time. TLS 1.2; no renegotiation, no resumption. */
struct mw_tls {
	bool ready;
	int fd;
	size_t unsent; /* of a write that is to be repeated as it was */
	char why[256];
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context random;
	mbedtls_x509_crt cert, ca;
	mbedtls_pk_context key;
	mbedtls_ssl_config config;
	mbedtls_ssl_context ssl;
};

/** False: mw_tls_why says why. Either way it is freed with mw_tls_fini. */
bool mw_tls_init(struct mw_tls *tls, const struct mw_tls_options *options);
/** Safe on zeroes. */
void mw_tls_fini(struct mw_tls *tls);

/** A new connection over `fd`, which stays the caller's. */
bool mw_tls_begin(struct mw_tls *tls, int fd);
enum mw_tls_step mw_tls_handshake(struct mw_tls *tls);
/** As read(2) and write(2): a failure is -1 with errno, EAGAIN for later and EPROTO for good. A write
 * that had to wait is repeated with the same bytes first. */
ssize_t mw_tls_read(struct mw_tls *tls, uint8_t *bytes, size_t count);
ssize_t mw_tls_write(struct mw_tls *tls, const uint8_t *bytes, size_t count);
/** Tells the peer, if that goes without waiting. */
void mw_tls_goodbye(struct mw_tls *tls);

/** The last failure, as one line. */
const char *mw_tls_why(const struct mw_tls *tls);

#endif
