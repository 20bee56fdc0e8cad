/* The codes of findings and their names, one line a rule. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/diagnostics.h"

static const struct {
	const char *code, *name;
} rules[] = {
	{ "Y001", "duplicate-key" },
	{ "Y002", "anchor-or-alias" },
	{ "Y003", "yaml-tag" },
	{ "Y004", "reserved-start" },
	{ "Y005", "truthy-word" },
	{ "Y006", "leading-zero" },
	{ "Y007", "comma-split" },
	{ "Y008", "syntax" },
	{ "Y009", "encoding" },
	{ "Y010", "too-large" },
	{ "S101", "unknown-key" },
	{ "S102", "wrong-type" },
	{ "S103", "out-of-range" },
	{ "S104", "unused-param" },
	{ "S105", "undefined-name" },
	{ "S106", "constant-condition" },
	{ "S107", "bare-size" },
	{ "S108", "override-misses" },
	{ "S109", "bare-suppression" },
	{ "S110", "not-implemented" },
	{ "S111", "base-clash" },
	{ "S112", "final-override" },
	{ "S113", "bad-base" },
	{ "S114", "bad-expression" },
	{ "S115", "check-failed" },
	{ "S116", "type-changed" },
	{ "S117", "missing-value" },
	{ "S118", "bad-id" },
	{ "G201", "no-such-bus" },
	{ "G202", "wrong-bus-kind" },
	{ "G203", "bus-address-taken" },
	{ "G204", "bad-bus-address" },
	{ "G205", "unreachable-node" },
	{ "G206", "absent-reference" },
	{ "G207", "no-hotplug-port" },
	{ "R301", "io-overlap" },
	{ "R302", "mmio-overlap" },
	{ "R303", "bad-overlay" },
	{ "R304", "shared-irq" },
	{ "R305", "unroutable-irq" },
	{ "R306", "dma-taken" },
	{ "R307", "window-full" },
	{ "R308", "misaligned" },
	{ "R309", "lock-drift" },
	{ "F401", "no-boot-path" },
	{ "F402", "reset-vector-hole" },
	{ "F403", "undescribed-claim" },
	{ "F404", "no-clock-source" },
	{ "F405", "tpm-address" },
	{ "F406", "ide-no-busmaster" },
	{ "F407", "secure-boot-hole" },
	{ "A501", "missing-capability" },
	{ "A502", "accel-private-page" },
	{ "A503", "irqchip-split" },
	{ "A504", "not-portable-cpu" },
	{ "X601", "loose-disk-mode" },
	{ "X602", "plain-secret" },
	{ "X603", "secret-in-snapshot" },
	{ "X604", "unsigned-module" },
	{ "X605", "ffi-inline" },
	{ "X606", "double-writer" },
	{ "X607", "sealed-leak" },
	{ "C701", "deprecated" },
	{ "C702", "abi-change" },
	{ "C703", "unpinned-base" },
	{ "C704", "arch-only" },
	{ "C705", "state-gap" },
	{ "C706", "bad-plan" },
	{ "P801", "emulated-hot-device" },
	{ "P802", "huge-page-misfit" },
};

const char *mw_rule_name(const char *code)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(rules[i].code, code) == 0)
			return rules[i].name;
	}
	return NULL;
}
