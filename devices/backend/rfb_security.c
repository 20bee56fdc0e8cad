/* Who a client of RFB is: RFC 6143, sections 7.1 and 7.2, and VeNCrypt 0.2 (rfbproto, security type 19). */
// SPDX-License-Identifier: MIT
#include <mbedtls/des.h>
#include <mbedtls/platform_util.h>
#include <string.h>
#include <sys/random.h>

#include "devices/backend/rfb.h"

enum { SECURITY_NONE = 1, SECURITY_PASSWORD = 2, SECURITY_VENCRYPT = 19 };
enum { X509_NONE = 260, X509_PASSWORD = 261 };
enum { BLOCK = 8 };

static void expect(struct mw_rfb *rfb, enum mw_rfb_state state, size_t bytes)
{
	rfb->state = state;
	rfb->need = bytes;
}

static uint8_t security_type(const struct mw_rfb *rfb)
{
	if (rfb->screen->secured)
		return SECURITY_VENCRYPT;
	return rfb->screen->password ? SECURITY_PASSWORD : SECURITY_NONE;
}

static void tell_reason(struct mw_rfb *rfb, const char *why)
{
	size_t length = strlen(why);

	mw_rfb_put32(rfb, (uint32_t)length);
	memcpy(mw_rfb_put(rfb, length), why, length);
	rfb->leaving = true;
}

static void accept(struct mw_rfb *rfb, bool told)
{
	if (told)
		mw_rfb_put32(rfb, 0);
	expect(rfb, MW_RFB_INIT, 1);
}

static bool challenge(struct mw_rfb *rfb)
{
	if (getrandom(rfb->challenge, sizeof(rfb->challenge), 0) != sizeof(rfb->challenge))
		return mw_rfb_fail(rfb, "the host has no random numbers");
	memcpy(mw_rfb_put(rfb, MW_RFB_CHALLENGE), rfb->challenge, MW_RFB_CHALLENGE);
	expect(rfb, MW_RFB_RESPONSE, MW_RFB_CHALLENGE);
	return true;
}

/* Version 3.3 has one type, which the server says; nothing confirms that there is none. */
static bool tell_old_security(struct mw_rfb *rfb)
{
	if (rfb->screen->secured) {
		mw_rfb_put32(rfb, 0);
		tell_reason(rfb, "TLS is needed here, which takes RFB 3.7");
		return true;
	}
	mw_rfb_put32(rfb, security_type(rfb));
	if (rfb->screen->password)
		return challenge(rfb);
	accept(rfb, false);
	return true;
}

/* 7.1.1: what is no version of the standard's is 3.3, and what comes after 3.8 is 3.8. */
static bool take_version(struct mw_rfb *rfb)
{
	unsigned minor = 0;

	if (memcmp(rfb->in, "RFB 003.", 8) != 0 || rfb->in[11] != '\n')
		return mw_rfb_fail(rfb, "it does not speak RFB 3");
	for (size_t i = 8; i < 11; i++) {
		if (rfb->in[i] < '0' || rfb->in[i] > '9')
			return mw_rfb_fail(rfb, "it does not speak RFB 3");
		minor = minor * 10 + (rfb->in[i] - '0');
	}
	rfb->minor = minor >= 8 ? 8 : minor == 7 ? 7 : 3;
	if (rfb->minor == 3)
		return tell_old_security(rfb);
	mw_rfb_put8(rfb, 1);
	mw_rfb_put8(rfb, security_type(rfb));
	expect(rfb, MW_RFB_SECURITY, 1);
	return true;
}

static bool take_type(struct mw_rfb *rfb)
{
	if (rfb->in[0] != security_type(rfb))
		return mw_rfb_fail(rfb, "it chooses a security type that was not offered");
	switch (rfb->in[0]) {
	case SECURITY_PASSWORD: return challenge(rfb);
	case SECURITY_NONE: accept(rfb, rfb->minor == 8); return true;
	default:
		mw_rfb_put8(rfb, 0);
		mw_rfb_put8(rfb, 2);
		expect(rfb, MW_RFB_VENCRYPT_VERSION, 2);
		return true;
	}
}

static uint32_t subtype(const struct mw_rfb *rfb)
{
	return rfb->screen->password ? X509_PASSWORD : X509_NONE;
}

static bool take_vencrypt_version(struct mw_rfb *rfb)
{
	if (rfb->in[0] != 0 || rfb->in[1] != 2) {
		mw_rfb_put8(rfb, 0xff);
		rfb->leaving = true;
		return true;
	}
	mw_rfb_put8(rfb, 0);
	mw_rfb_put8(rfb, 1);
	mw_rfb_put32(rfb, subtype(rfb));
	expect(rfb, MW_RFB_VENCRYPT_TYPE, 4);
	return true;
}

static bool take_vencrypt_type(struct mw_rfb *rfb)
{
	bool good = mw_rfb_get32(rfb->in) == subtype(rfb);

	mw_rfb_put8(rfb, good);
	rfb->leaving = !good;
	expect(rfb, MW_RFB_TLS, 0);
	return true;
}

void mw_rfb_secured(struct mw_rfb *rfb)
{
	if (rfb->state != MW_RFB_TLS)
		return;
	if (!rfb->screen->password)
		accept(rfb, true);
	else if (!challenge(rfb))
		rfb->leaving = true;
}

/* 7.2.2: the key's bits are the password's, each byte's the wrong way round. */
static void make_key(const char *password, uint8_t key[MW_RFB_PASSWORD])
{
	size_t length = strnlen(password, MW_RFB_PASSWORD);

	memset(key, 0, MW_RFB_PASSWORD);
	for (size_t i = 0; i < length; i++)
		for (unsigned bit = 0; bit < 8; bit++)
			key[i] |= (uint8_t)(((uint8_t)password[i] >> bit & 1) << (7 - bit));
}

static bool is_right(const struct mw_rfb *rfb)
{
	uint8_t key[MW_RFB_PASSWORD], wanted[MW_RFB_CHALLENGE], differences = 0;
	mbedtls_des_context des;

	make_key(rfb->screen->password, key);
	mbedtls_des_init(&des);
	bool good = !mbedtls_des_setkey_enc(&des, key);

	for (size_t i = 0; i < MW_RFB_CHALLENGE; i += BLOCK)
		good = good && !mbedtls_des_crypt_ecb(&des, rfb->challenge + i, wanted + i);
	mbedtls_des_free(&des);
	mbedtls_platform_zeroize(key, sizeof(key));
	for (size_t i = 0; good && i < MW_RFB_CHALLENGE; i++)
		differences |= wanted[i] ^ rfb->in[i];
	return good && !differences;
}

static bool take_response(struct mw_rfb *rfb)
{
	if (is_right(rfb))
		accept(rfb, true);
	else
		expect(rfb, MW_RFB_REFUSED, 0);
	return true;
}

void mw_rfb_refuse(struct mw_rfb *rfb)
{
	if (rfb->state != MW_RFB_REFUSED)
		return;
	mw_rfb_put32(rfb, 1);
	rfb->leaving = true;
	if (rfb->minor == 8)
		tell_reason(rfb, "the password is wrong");
}

bool mw_rfb_take_security(struct mw_rfb *rfb)
{
	switch (rfb->state) {
	case MW_RFB_VERSION: return take_version(rfb);
	case MW_RFB_SECURITY: return take_type(rfb);
	case MW_RFB_VENCRYPT_VERSION: return take_vencrypt_version(rfb);
	case MW_RFB_VENCRYPT_TYPE: return take_vencrypt_type(rfb);
	case MW_RFB_RESPONSE: return take_response(rfb);
	default: return mw_rfb_fail(rfb, "it does not wait for its turn");
	}
}
