/* The codes of findings and their names, one line a rule. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "core/diagnostics.h"

static const struct mw_rule rules[] = {
	{ "Y001", "duplicate-key", MW_SEVERITY_ERROR },
	{ "Y002", "anchor-or-alias", MW_SEVERITY_ERROR },
	{ "Y003", "yaml-tag", MW_SEVERITY_ERROR },
	{ "Y004", "reserved-start", MW_SEVERITY_ERROR },
	{ "Y005", "truthy-word", MW_SEVERITY_ERROR },
	{ "Y006", "leading-zero", MW_SEVERITY_ERROR },
	{ "Y007", "comma-split", MW_SEVERITY_ERROR },
	{ "Y008", "syntax", MW_SEVERITY_ERROR },
	{ "Y009", "encoding", MW_SEVERITY_ERROR },
	{ "Y010", "too-large", MW_SEVERITY_ERROR },
	{ "S101", "unknown-key", MW_SEVERITY_ERROR },
	{ "S102", "wrong-type", MW_SEVERITY_ERROR },
	{ "S103", "out-of-range", MW_SEVERITY_ERROR },
	{ "S104", "unused-param", MW_SEVERITY_WARNING },
	{ "S105", "undefined-name", MW_SEVERITY_ERROR },
	{ "S106", "constant-condition", MW_SEVERITY_WARNING },
	{ "S107", "bare-size", MW_SEVERITY_WARNING },
	{ "S108", "override-misses", MW_SEVERITY_ERROR },
	{ "S109", "bare-suppression", MW_SEVERITY_WARNING },
	{ "S110", "not-implemented", MW_SEVERITY_ERROR },
	{ "S111", "base-clash", MW_SEVERITY_ERROR },
	{ "S112", "final-override", MW_SEVERITY_ERROR },
	{ "S113", "bad-base", MW_SEVERITY_ERROR },
	{ "S114", "bad-expression", MW_SEVERITY_ERROR },
	{ "S115", "check-failed", MW_SEVERITY_ERROR },
	{ "S116", "type-changed", MW_SEVERITY_HINT },
	{ "S117", "missing-value", MW_SEVERITY_ERROR },
	{ "S118", "bad-id", MW_SEVERITY_ERROR },
	{ "G201", "no-such-bus", MW_SEVERITY_ERROR },
	{ "G202", "wrong-bus-kind", MW_SEVERITY_ERROR },
	{ "G203", "bus-address-taken", MW_SEVERITY_ERROR },
	{ "G204", "bad-bus-address", MW_SEVERITY_ERROR },
	{ "G205", "unreachable-node", MW_SEVERITY_WARNING },
	{ "G206", "absent-reference", MW_SEVERITY_ERROR },
	{ "G207", "no-hotplug-port", MW_SEVERITY_WARNING },
	{ "R301", "io-overlap", MW_SEVERITY_ERROR },
	{ "R302", "mmio-overlap", MW_SEVERITY_ERROR },
	{ "R303", "bad-overlay", MW_SEVERITY_WARNING },
	{ "R304", "shared-irq", MW_SEVERITY_WARNING },
	{ "R305", "unroutable-irq", MW_SEVERITY_ERROR },
	{ "R306", "dma-taken", MW_SEVERITY_ERROR },
	{ "R307", "window-full", MW_SEVERITY_ERROR },
	{ "R308", "misaligned", MW_SEVERITY_ERROR },
	{ "R309", "lock-drift", MW_SEVERITY_ERROR },
	{ "F401", "no-boot-path", MW_SEVERITY_ERROR },
	{ "F402", "reset-vector-hole", MW_SEVERITY_ERROR },
	{ "F403", "undescribed-claim", MW_SEVERITY_WARNING },
	{ "F404", "no-clock-source", MW_SEVERITY_ERROR },
	{ "F405", "tpm-address", MW_SEVERITY_ERROR },
	{ "F406", "ide-no-busmaster", MW_SEVERITY_WARNING },
	{ "F407", "secure-boot-hole", MW_SEVERITY_ERROR },
	{ "A501", "missing-capability", MW_SEVERITY_ERROR },
	{ "A502", "accel-private-page", MW_SEVERITY_ERROR },
	{ "A503", "irqchip-split", MW_SEVERITY_WARNING },
	{ "A504", "not-portable-cpu", MW_SEVERITY_WARNING },
	{ "X601", "loose-disk-mode", MW_SEVERITY_ERROR },
	{ "X602", "plain-secret", MW_SEVERITY_ERROR },
	{ "X603", "secret-in-snapshot", MW_SEVERITY_ERROR },
	{ "X604", "unsigned-module", MW_SEVERITY_ERROR },
	{ "X605", "ffi-inline", MW_SEVERITY_WARNING },
	{ "X606", "double-writer", MW_SEVERITY_ERROR },
	{ "X607", "sealed-leak", MW_SEVERITY_ERROR },
	{ "C701", "deprecated", MW_SEVERITY_WARNING },
	{ "C702", "abi-change", MW_SEVERITY_ERROR },
	{ "C703", "unpinned-base", MW_SEVERITY_HINT },
	{ "C704", "arch-only", MW_SEVERITY_WARNING },
	{ "C705", "state-gap", MW_SEVERITY_ERROR },
	{ "C706", "bad-plan", MW_SEVERITY_ERROR },
	{ "P801", "emulated-hot-device", MW_SEVERITY_HINT },
	{ "P802", "huge-page-misfit", MW_SEVERITY_HINT },
};

const char *mw_rule_name(const char *code)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(rules[i].code, code) == 0)
			return rules[i].name;
	}
	return NULL;
}

bool mw_rule_begins(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; length && i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strncmp(rules[i].code, text, length) == 0)
			return true;
	}
	return false;
}

const struct mw_rule *mw_rule_next(const struct mw_rule *rule)
{
	rule = rule ? rule + 1 : rules;
	return rule < rules + sizeof(rules) / sizeof(rules[0]) ? rule : NULL;
}
