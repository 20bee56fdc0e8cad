/* Findings as SARIF 2.1.0: one run, with what is hidden as suppressed results. */
// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "core/diagnostics_internal.h"
#include "core/trust.h"

/* As many as code scanning services keep; the worst are written when there are more. */
enum { MOST_RESULTS = 5000 };

struct rule {
	const char *code;
	enum mw_severity severity; /* the worst seen */
};

struct report {
	struct mw_diagnostics *diagnostics;
	struct mw_diag_json json;
	struct rule *rules; /* by code */
	size_t rule_count;
	size_t most[3], left_out; /* how many of each severity are written */
};

static const char *level_of(enum mw_severity severity)
{
	static const char *const levels[] = { "error", "warning", "note" };

	return levels[severity];
}

void mw_diag_fingerprint(const struct mw_diag *diag, char text[MW_FINGERPRINT])
{
	const char *parts[] = { diag->code, diag->node ? diag->node : "", diag->message };
	struct mw_sha256 *sha = mw_sha256_begin();
	uint8_t hash[32];

	for (size_t i = 0; i < 3; i++)
		mw_sha256_add(sha, parts[i], strlen(parts[i]) + 1);
	mw_sha256_end(sha, hash);
	for (size_t i = 0; i < (MW_FINGERPRINT - 1) / 2; i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
}

static int by_code(const void *left, const void *right)
{
	const struct rule *a = left, *b = right;

	return strcmp(a->code, b->code);
}

static int rule_order(const void *left, const void *right)
{
	int order = by_code(left, right);
	const struct rule *a = left, *b = right;

	return order ? order : (int)a->severity - (int)b->severity;
}

static void collect_rules(struct report *report)
{
	const struct mw_diagnostics *diagnostics = report->diagnostics;
	size_t count = 0;

	report->rules = mw_alloc(diagnostics->count + 1, sizeof(*report->rules));
	for (size_t i = 0; i < diagnostics->count; i++) {
		if (diagnostics->items[i]->code[0])
			report->rules[count++] = (struct rule){ diagnostics->items[i]->code,
								diagnostics->items[i]->severity };
	}
	if (count)
		qsort(report->rules, count, sizeof(*report->rules), rule_order);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || strcmp(report->rules[i].code, report->rules[i - 1].code) != 0)
			report->rules[report->rule_count++] = report->rules[i];
	}
}

/* Shares the room among the severities, worst first. */
static void share_room(struct report *report)
{
	size_t count[3] = { 0 }, room = MOST_RESULTS;

	for (size_t i = 0; i < report->diagnostics->count; i++)
		count[report->diagnostics->items[i]->severity]++;
	for (size_t i = 0; i < 3; i++) {
		report->most[i] = count[i] < room ? count[i] : room;
		room -= report->most[i];
		report->left_out += count[i] - report->most[i];
	}
}

static const char *tag_of(const char *code)
{
	static const struct {
		char letter;
		const char *tag;
	} tags[] = { { 'Y', "yaml" },      { 'S', "schema" },        { 'G', "graph" },
		     { 'R', "resources" }, { 'F', "firmware" },      { 'A', "accelerator" },
		     { 'X', "security" },  { 'C', "compatibility" }, { 'P', "performance" } };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (tags[i].letter == code[0])
			return tags[i].tag;
	}
	return "machine";
}

static void put_text(struct mw_diag_json *json, const char *key, const char *text)
{
	mw_diag_json_open(json, key, '{');
	mw_diag_json_string(json, "text", text);
	mw_diag_json_close(json, '}');
}

static void put_rule(struct mw_diag_json *json, const struct rule *rule)
{
	const char *name = mw_rule_name(rule->code);
	char words[64] = "";

	for (size_t i = 0; name && name[i] && i + 1 < sizeof(words); i++)
		words[i] = name[i] == '-' ? ' ' : name[i];
	mw_diag_json_open(json, NULL, '{');
	mw_diag_json_string(json, "id", rule->code);
	mw_diag_json_string(json, "name", name ? name : rule->code);
	put_text(json, "shortDescription", name ? words : rule->code);
	mw_diag_json_open(json, "defaultConfiguration", '{');
	mw_diag_json_string(json, "level", level_of(rule->severity));
	mw_diag_json_close(json, '}');
	mw_diag_json_open(json, "properties", '{');
	mw_diag_json_open(json, "tags", '[');
	mw_diag_json_string(json, NULL, tag_of(rule->code));
	mw_diag_json_close(json, ']');
	mw_diag_json_close(json, '}');
	mw_diag_json_close(json, '}');
}

static void put_tool(struct report *report)
{
	struct mw_diag_json *json = &report->json;

	mw_diag_json_open(json, "tool", '{');
	mw_diag_json_open(json, "driver", '{');
	mw_diag_json_string(json, "name", "millwright");
	mw_diag_json_open(json, "rules", '[');
	for (size_t i = 0; i < report->rule_count; i++)
		put_rule(json, &report->rules[i]);
	mw_diag_json_close(json, ']');
	mw_diag_json_close(json, '}');
	mw_diag_json_close(json, '}');
}

/* A file name as a URI: relative ones stay relative (RFC 3986). */
static void put_artifact(struct mw_diag_json *json, const char *file)
{
	static const char plain[] = "-._~/";
	size_t length = strlen(file), used = 0;
	char *uri = mw_alloc(3 * length + 16, 1);

	if (file[0] == '/')
		used = (size_t)snprintf(uri, 8, "file://");
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)file[i];
		bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
			      (byte >= '0' && byte <= '9');

		if (letter || strchr(plain, byte))
			uri[used++] = (char)byte;
		else
			used += (size_t)snprintf(uri + used, 4, "%%%02X", byte);
	}
	mw_diag_json_open(json, "artifactLocation", '{');
	mw_diag_json_string(json, "uri", uri);
	mw_diag_json_close(json, '}');
	free(uri);
}

static void put_region(struct report *report, const char *key, struct mw_span span)
{
	struct mw_diag_json *json = &report->json;
	struct mw_place start = mw_span_place(report->diagnostics, span, span.byte);
	struct mw_place end =
		mw_span_place(report->diagnostics, span, (size_t)span.byte + span.length);

	mw_diag_json_open(json, key, '{');
	mw_diag_json_number(json, "startLine", start.line);
	mw_diag_json_number(json, "startColumn", start.column);
	mw_diag_json_number(json, "endLine", end.line);
	mw_diag_json_number(json, "endColumn", end.column);
	mw_diag_json_number(json, "byteOffset", span.byte);
	mw_diag_json_number(json, "byteLength", span.length);
	mw_diag_json_close(json, '}');
}

static void put_physical(struct report *report, struct mw_span span)
{
	const char *file = mw_span_place(report->diagnostics, span, span.byte).file;

	if (!file)
		return;
	mw_diag_json_open(&report->json, "physicalLocation", '{');
	put_artifact(&report->json, file);
	put_region(report, "region", span);
	mw_diag_json_close(&report->json, '}');
}

static void put_locations(struct report *report, const struct mw_diag *diag)
{
	struct mw_diag_json *json = &report->json;

	mw_diag_json_open(json, "locations", '[');
	if (diag->node || diag->span.source) {
		mw_diag_json_open(json, NULL, '{');
		put_physical(report, diag->span);
		if (diag->node) {
			mw_diag_json_open(json, "logicalLocations", '[');
			mw_diag_json_open(json, NULL, '{');
			mw_diag_json_string(json, "fullyQualifiedName", diag->node);
			mw_diag_json_close(json, '}');
			mw_diag_json_close(json, ']');
		}
		mw_diag_json_close(json, '}');
	}
	mw_diag_json_close(json, ']');
}

static void put_related(struct report *report, const struct mw_diag *diag)
{
	struct mw_diag_json *json = &report->json;
	size_t id = 0;

	mw_diag_json_open(json, "relatedLocations", '[');
	for (const struct mw_diag_note *note = diag->notes; note; note = note->next) {
		if (!note->span.source)
			continue;
		mw_diag_json_open(json, NULL, '{');
		mw_diag_json_number(json, "id", ++id);
		put_text(json, "message", note->text);
		put_physical(report, note->span);
		mw_diag_json_close(json, '}');
	}
	mw_diag_json_close(json, ']');
}

static void put_replacement(struct report *report, const struct mw_fix_edit *edit)
{
	mw_diag_json_open(&report->json, NULL, '{');
	put_region(report, "deletedRegion", edit->span);
	put_text(&report->json, "insertedContent", edit->text);
	mw_diag_json_close(&report->json, '}');
}

/* A change a run of edits in one source. */
static void put_changes(struct report *report, const struct mw_fix_edit *edit)
{
	struct mw_diag_json *json = &report->json;
	uint32_t source = 0;

	for (; edit; edit = edit->next) {
		const char *file = mw_span_place(report->diagnostics, edit->span, 0).file;

		if (!file)
			continue;
		if (edit->span.source != source && source) {
			mw_diag_json_close(json, ']');
			mw_diag_json_close(json, '}');
		}
		if (edit->span.source != source) {
			mw_diag_json_open(json, NULL, '{');
			put_artifact(json, file);
			mw_diag_json_open(json, "replacements", '[');
			source = edit->span.source;
		}
		put_replacement(report, edit);
	}
	if (source) {
		mw_diag_json_close(json, ']');
		mw_diag_json_close(json, '}');
	}
}

/* A fix with a placeholder is for a person, not for a tool that applies it. */
static void put_fixes(struct report *report, const struct mw_diag *diag)
{
	struct mw_diag_json *json = &report->json;

	if (!diag->fix || diag->fix->safety == MW_FIX_PLACEHOLDER)
		return;
	mw_diag_json_open(json, "fixes", '[');
	mw_diag_json_open(json, NULL, '{');
	put_text(json, "description", diag->help ? diag->help : diag->message);
	mw_diag_json_open(json, "artifactChanges", '[');
	put_changes(report, diag->fix->edits);
	mw_diag_json_close(json, ']');
	mw_diag_json_open(json, "properties", '{');
	mw_diag_json_string(json, "applicability",
			    diag->fix->safety == MW_FIX_SAFE ? "safe" : "unsafe");
	mw_diag_json_close(json, '}');
	mw_diag_json_close(json, '}');
	mw_diag_json_close(json, ']');
}

static void put_suppression(struct mw_diag_json *json, const struct mw_diag *diag)
{
	mw_diag_json_open(json, "suppressions", '[');
	if (diag->hidden) {
		mw_diag_json_open(json, NULL, '{');
		mw_diag_json_string(json, "kind",
				    diag->hidden == MW_DIAG_ALLOWED ? "inSource" : "external");
		if (diag->reason)
			mw_diag_json_string(json, "justification", diag->reason);
		mw_diag_json_close(json, '}');
	}
	mw_diag_json_close(json, ']');
}

static void put_identity(struct report *report, const struct mw_diag *diag)
{
	struct mw_diag_json *json = &report->json;
	struct rule key = { .code = diag->code };
	const struct rule *rule =
		bsearch(&key, report->rules, report->rule_count, sizeof(*report->rules), by_code);
	char *story = mw_diag_story(diag);

	if (rule) {
		mw_diag_json_string(json, "ruleId", diag->code);
		mw_diag_json_number(json, "ruleIndex", (size_t)(rule - report->rules));
	}
	mw_diag_json_string(json, "level", level_of(diag->severity));
	put_text(json, "message", story);
	free(story);
}

static void put_result(struct report *report, const struct mw_diag *diag)
{
	struct mw_diag_json *json = &report->json;
	char fingerprint[MW_FINGERPRINT];

	mw_diag_fingerprint(diag, fingerprint);
	mw_diag_json_open(json, NULL, '{');
	put_identity(report, diag);
	put_locations(report, diag);
	put_related(report, diag);
	put_fixes(report, diag);
	put_suppression(json, diag);
	mw_diag_json_open(json, "partialFingerprints", '{');
	mw_diag_json_string(json, "nodePath/v1", fingerprint);
	mw_diag_json_close(json, '}');
	mw_diag_json_close(json, '}');
}

static void put_invocation(struct report *report)
{
	struct mw_diag_json *json = &report->json;
	char text[100];

	mw_diag_json_open(json, "invocations", '[');
	mw_diag_json_open(json, NULL, '{');
	mw_diag_json_bool(json, "executionSuccessful", true);
	if (report->left_out) {
		snprintf(text, sizeof(text),
			 "%zu further findings are left out; the worst %d are here",
			 report->left_out, MOST_RESULTS);
		mw_diag_json_open(json, "toolExecutionNotifications", '[');
		mw_diag_json_open(json, NULL, '{');
		mw_diag_json_string(json, "level", "warning");
		put_text(json, "message", text);
		mw_diag_json_close(json, '}');
		mw_diag_json_close(json, ']');
	}
	mw_diag_json_close(json, '}');
	mw_diag_json_close(json, ']');
}

static void put_results(struct report *report)
{
	size_t seen[3] = { 0 };

	mw_diag_json_open(&report->json, "results", '[');
	for (size_t i = 0; i < report->diagnostics->count; i++) {
		const struct mw_diag *diag = report->diagnostics->items[i];

		if (seen[diag->severity]++ >= report->most[diag->severity])
			continue;
		put_result(report, diag);
	}
	mw_diag_json_close(&report->json, ']');
}

void mw_diag_print_sarif(struct mw_diagnostics *diagnostics, FILE *out)
{
	struct report report = { .diagnostics = diagnostics, .json = { .out = out } };
	struct mw_diag_json *json = &report.json;

	collect_rules(&report);
	share_room(&report);
	mw_diag_json_open(json, NULL, '{');
	mw_diag_json_string(json, "version", "2.1.0");
	mw_diag_json_open(json, "runs", '[');
	mw_diag_json_open(json, NULL, '{');
	put_tool(&report);
	put_invocation(&report);
	mw_diag_json_string(json, "columnKind", "unicodeCodePoints");
	put_results(&report);
	mw_diag_json_close(json, '}');
	mw_diag_json_close(json, ']');
	mw_diag_json_close(json, '}');
	putc('\n', out);
	free(report.rules);
}
