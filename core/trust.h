/** Hashes, later signatures; wraps mbedcrypto. */
// SPDX-License-Identifier: MIT
#ifndef CORE_TRUST_H
#define CORE_TRUST_H

#include <stddef.h>
#include <stdint.h>

void mw_sha256(const void *bytes, size_t count, uint8_t hash[32]);

#endif
