/* TLS 1.2 (RFC 5246) by mbedTLS 2.28, on descriptors that do not block. */
// SPDX-License-Identifier: MIT
#include "devices/backend/tls.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { LARGEST_FILE = 4 << 20 };

const char *mw_tls_why(const struct mw_tls *tls)
{
	return tls->why;
}

static bool fail(struct mw_tls *tls, const char *what, const char *why)
{
	snprintf(tls->why, sizeof(tls->why), "%s: %s", what, why);
	return false;
}

/* True for success, which is 0 throughout. */
static bool check(struct mw_tls *tls, const char *what, int status)
{
	char text[128];

	if (!status)
		return true;
	mbedtls_strerror(status, text, sizeof(text));
	return fail(tls, what, text);
}

/* mbedTLS reads whole files into memory, and waits for the partner of a pipe. */
static bool is_small_file(struct mw_tls *tls, const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return fail(tls, path, strerror(errno));
	if (!S_ISREG(status.st_mode) || status.st_size > LARGEST_FILE)
		return fail(tls, path, "not a file of certificates or keys");
	return true;
}

/* A positive status counts the certificates in the file that are none. */
static bool load_certs(struct mw_tls *tls, mbedtls_x509_crt *certs, const char *path)
{
	if (!is_small_file(tls, path))
		return false;
	int status = mbedtls_x509_crt_parse_file(certs, path);

	return status > 0 ? fail(tls, path, "some of its certificates cannot be read")
			  : check(tls, path, status);
}

static bool load_own(struct mw_tls *tls, const char *cert, const char *key)
{
	if (!load_certs(tls, &tls->cert, cert) || !is_small_file(tls, key))
		return false;
	if (!check(tls, key, mbedtls_pk_parse_keyfile(&tls->key, key, NULL)))
		return false;
	if (mbedtls_pk_check_pair(&tls->cert.pk, &tls->key))
		return fail(tls, key, "not the key of the certificate");
	return check(tls, cert, mbedtls_ssl_conf_own_cert(&tls->config, &tls->cert, &tls->key));
}

static bool check_options(struct mw_tls *tls, const struct mw_tls_options *options)
{
	if (!options->cert[0] != !options->key[0])
		return fail(tls, "tls", "`cert` and `key` belong together");
	if (options->server && !options->cert[0])
		return fail(tls, "tls", "a server needs `cert` and `key`");
	if (!options->server && !options->ca[0])
		return fail(tls, "tls", "a client needs `ca`, to know its server by");
	return true;
}

static bool configure(struct mw_tls *tls, const struct mw_tls_options *options)
{
	mbedtls_ssl_config *config = &tls->config;
	int side = options->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT;

	if (!check(tls, "tls",
		   mbedtls_ctr_drbg_seed(&tls->random, mbedtls_entropy_func, &tls->entropy, NULL,
					 0)) ||
	    !check(tls, "tls",
		   mbedtls_ssl_config_defaults(config, side, MBEDTLS_SSL_TRANSPORT_STREAM,
					       MBEDTLS_SSL_PRESET_DEFAULT)))
		return false;
	mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &tls->random);
	mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3,
				     MBEDTLS_SSL_MINOR_VERSION_3);
	mbedtls_ssl_conf_authmode(config, options->ca[0] ? MBEDTLS_SSL_VERIFY_REQUIRED
							 : MBEDTLS_SSL_VERIFY_NONE);
	if (options->ca[0]) {
		if (!load_certs(tls, &tls->ca, options->ca))
			return false;
		mbedtls_ssl_conf_ca_chain(config, &tls->ca, NULL);
	}
	return !options->cert[0] || load_own(tls, options->cert, options->key);
}

bool mw_tls_init(struct mw_tls *tls, const struct mw_tls_options *options)
{
	mbedtls_entropy_init(&tls->entropy);
	mbedtls_ctr_drbg_init(&tls->random);
	mbedtls_x509_crt_init(&tls->cert);
	mbedtls_x509_crt_init(&tls->ca);
	mbedtls_pk_init(&tls->key);
	mbedtls_ssl_config_init(&tls->config);
	mbedtls_ssl_init(&tls->ssl);
	tls->ready = true;
	tls->fd = -1;
	if (!check_options(tls, options) || !configure(tls, options) ||
	    !check(tls, "tls", mbedtls_ssl_setup(&tls->ssl, &tls->config)))
		return false;
	return options->server ||
	       check(tls, "`name`", mbedtls_ssl_set_hostname(&tls->ssl, options->name));
}

void mw_tls_fini(struct mw_tls *tls)
{
	if (!tls->ready)
		return;
	mbedtls_ssl_free(&tls->ssl);
	mbedtls_ssl_config_free(&tls->config);
	mbedtls_pk_free(&tls->key);
	mbedtls_x509_crt_free(&tls->ca);
	mbedtls_x509_crt_free(&tls->cert);
	mbedtls_ctr_drbg_free(&tls->random);
	mbedtls_entropy_free(&tls->entropy);
	tls->ready = false;
}

static int send_some(void *context, const unsigned char *bytes, size_t count)
{
	ssize_t sent = send(((struct mw_tls *)context)->fd, bytes, count, MSG_NOSIGNAL);

	if (sent >= 0)
		return (int)sent;
	return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE
						 : MBEDTLS_ERR_NET_SEND_FAILED;
}

static int receive_some(void *context, unsigned char *bytes, size_t count)
{
	ssize_t got = recv(((struct mw_tls *)context)->fd, bytes, count, 0);

	if (got >= 0)
		return (int)got;
	return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ
						 : MBEDTLS_ERR_NET_RECV_FAILED;
}

bool mw_tls_begin(struct mw_tls *tls, int fd)
{
	tls->fd = fd;
	tls->unsent = 0;
	tls->why[0] = '\0';
	mbedtls_ssl_set_bio(&tls->ssl, tls, send_some, receive_some, NULL);
	return check(tls, "tls", mbedtls_ssl_session_reset(&tls->ssl));
}

/* What is wrong with the peer's certificate is said in mbedTLS's words, the first line of them. */
static void tell_certificate(struct mw_tls *tls)
{
	char text[200];
	int length = mbedtls_x509_crt_verify_info(text, sizeof(text), "",
						  mbedtls_ssl_get_verify_result(&tls->ssl));

	if (length > 0)
		text[strcspn(text, "\n")] = '\0';
	fail(tls, "the peer's certificate is not accepted", length > 0 ? text : "no reason");
}

enum mw_tls_step mw_tls_handshake(struct mw_tls *tls)
{
	int status = mbedtls_ssl_handshake(&tls->ssl);

	switch (status) {
	case 0: return MW_TLS_DONE;
	case MBEDTLS_ERR_SSL_WANT_READ: return MW_TLS_WANTS_INPUT;
	case MBEDTLS_ERR_SSL_WANT_WRITE: return MW_TLS_WANTS_OUTPUT;
	case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED: tell_certificate(tls); break;
	default: check(tls, "TLS", status);
	}
	return MW_TLS_FAILED;
}

static ssize_t result(struct mw_tls *tls, int status)
{
	if (status >= 0)
		return status;
	if (status == MBEDTLS_ERR_SSL_WANT_READ || status == MBEDTLS_ERR_SSL_WANT_WRITE) {
		errno = EAGAIN;
		return -1;
	}
	check(tls, "TLS", status);
	errno = EPROTO;
	return -1;
}

ssize_t mw_tls_read(struct mw_tls *tls, uint8_t *bytes, size_t count)
{
	int status = mbedtls_ssl_read(&tls->ssl, bytes, count);

	return status == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ? 0 : result(tls, status);
}

ssize_t mw_tls_write(struct mw_tls *tls, const uint8_t *bytes, size_t count)
{
	if (tls->unsent && tls->unsent < count)
		count = tls->unsent;
	int status = mbedtls_ssl_write(&tls->ssl, bytes, count);

	tls->unsent = status < 0 ? count : 0;
	return result(tls, status);
}

void mw_tls_goodbye(struct mw_tls *tls)
{
	mbedtls_ssl_close_notify(&tls->ssl);
}
