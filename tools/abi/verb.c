/* `millwright abi`: freeze what guests see, and hold to it. */
// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "resolver/front.h"
#include "tools/abi/abi.h"
#include "tools/profile.h"
#include "tools/report.h"
#include "tools/texts.h"
#include "tools/verbs.h"

static const char *const formats[] = { "text", "json", NULL };

static const struct mw_option options[] = {
	MW_PROFILE_OPTIONS,
	{ .name = "with",
	  .value = "NAME=VALUE",
	  .repeats = true,
	  .help = "freeze: a further row at this parameter's value; NAME=VALUE,NAME=VALUE is one "
		  "row at several. Rows stay in the file." },
	{ .name = "text",
	  .help = "freeze: keep the guest's whole view beside its hash, so that a later change can "
		  "be named." },
	{ .name = "force",
	  .help = "freeze: take the changed view of a version that is frozen already. Nobody must "
		  "have run it." },
	{ .name = "format",
	  .value = "FORMAT",
	  .choices = formats,
	  .help = "text (the default) or json, of findings and of what differs." },
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright abi freeze my-machine.yaml", "Promise that this version stays as it is." },
	{ "millwright abi freeze my-machine.yaml --with cpus=4 --with ram=4GiB,cpus=2",
	  "At two further points." },
	{ "millwright abi check", "Check every frozen machine here and in profiles/." },
	{ "millwright abi diff linux-pc@1 my-machine.yaml", "See what a version changed." },
	{ 0 },
};

static void put_report(struct mw_diagnostics *diagnostics, const struct mw_arguments *arguments,
		       FILE *out)
{
	bool as_json = !strcmp(mw_arguments_value(arguments, "format", "text"), "json");

	mw_report(diagnostics, as_json ? "json" : NULL, out);
}

/* A view is taken of the file alone: options that change it have no place. */
static bool plain_options(const struct mw_arguments *arguments, const char *what)
{
	static const char *const others[] = { "set", "overlay", "lock", "no-lock" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (!mw_arguments_has(arguments, others[i]))
			continue;
		fprintf(stderr,
			"millwright abi: %s looks at the profile as it stands; --%s is for diff\n",
			what, others[i]);
		return false;
	}
	return true;
}

/* The first path of the study: the profile's file. */
static const struct mw_file *profile_file(const struct mw_study *study)
{
	return study->document.front ? study->document.front->profile : NULL;
}

/* Where the next NAME= begins behind a comma, or the end. */
static const char *end_of_set(const char *text)
{
	for (const char *comma = strchr(text, ','); comma; comma = strchr(comma + 1, ',')) {
		size_t name = strspn(comma + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");

		if (name && comma[1 + name] == '=')
			return comma;
	}
	return text + strlen(text);
}

static bool add_row(struct mw_abi *abi, struct mw_abi_version *version, const char *with)
{
	const char *sets[MW_ABI_SETS];
	size_t count = 0;

	for (const char *end; *with && count < MW_ABI_SETS; with = *end ? end + 1 : end) {
		const char *equals = strchr(with, '=');

		end = end_of_set(with);
		if (!equals || equals > end || equals == with) {
			fprintf(stderr, "millwright abi: expected NAME=VALUE, found `%s`\n", with);
			return false;
		}
		sets[count++] = mw_arena_strndup(&abi->arena, with, (size_t)(end - with));
	}
	if (mw_abi_row(abi, version, sets, count, true))
		return true;
	fputs("millwright abi: a version has at most 256 rows of 64 parameters\n", stderr);
	return false;
}

/* The rows of the version to freeze: those it has, or those of the one before, and the new ones. */
static struct mw_abi_version *make_rows(struct mw_abi *abi, uint64_t number,
					const struct mw_arguments *arguments)
{
	const char **with = mw_alloc(arguments->given_count + 1, sizeof(*with));
	size_t count = mw_arguments_values(arguments, "with", with);
	struct mw_abi_version *newest =
		abi->version_count ? abi->versions[abi->version_count - 1] : NULL;
	struct mw_abi_version *version = mw_abi_version(abi, number, true);
	bool good = version != NULL;

	if (good)
		mw_abi_row(abi, version, NULL, 0, true);
	for (size_t i = 0; good && newest && i < newest->row_count; i++)
		mw_abi_row(abi, version, newest->rows[i]->sets, newest->rows[i]->set_count, true);
	for (size_t i = 0; good && i < count; i++)
		good = add_row(abi, version, with[i]);
	free(with);
	return good ? version : NULL;
}

/* Takes the view of each row. False after findings. */
static bool fill_rows(struct mw_workshop *workshop, struct mw_abi *abi,
		      struct mw_abi_version *version, const char *path, bool keep_text)
{
	bool good = true;

	for (size_t i = 0; good && i < version->row_count; i++) {
		struct mw_abi_row *row = version->rows[i];
		struct mw_diagnostics found = { 0 };
		size_t length;
		char *text = mw_abi_view(&workshop->options, path, 0, row, &length, &found);

		good = text != NULL;
		if (good)
			mw_abi_hash(text, length, row->sha256);
		else
			mw_report(&found, NULL, stderr);
		if (good && (keep_text || row->text))
			row->text = mw_arena_strdup(&abi->arena, text);
		free(text);
		mw_diagnostics_fini(&found);
	}
	return good;
}

static enum mw_exit write_file(const struct mw_abi *abi, const char *path)
{
	char *text = NULL;
	size_t length = 0;
	const char *why;
	FILE *out = open_memstream(&text, &length);
	bool good;

	if (!out)
		abort(); /* only for want of memory */
	mw_abi_write(abi, out);
	fclose(out);
	good = mw_text_write(path, text, length, &why);
	free(text);
	if (good)
		printf("%s: %zu version%s\n", path, abi->version_count,
		       abi->version_count == 1 ? " frozen" : "s frozen");
	else
		fprintf(stderr, "millwright abi: cannot write `%s`: %s\n", path, why);
	return good ? MW_EXIT_OK : MW_EXIT_USAGE;
}

static enum mw_exit freeze_study(struct mw_workshop *workshop, struct mw_study *study,
				 const struct mw_arguments *arguments)
{
	const struct mw_file *file = profile_file(study);
	struct mw_abi abi = { 0 };
	const char *path = mw_abi_path(&abi.arena, file->path);
	bool unusable, force = mw_arguments_has(arguments, "force");
	struct mw_abi_version *version;
	enum mw_exit code = MW_EXIT_FAILED;

	mw_abi_read(&abi, path, &workshop->diagnostics, &unusable);
	if (!unusable) {
		abi.name = study->document.name;
		version = make_rows(&abi, file->version, arguments);
		if (!version)
			code = MW_EXIT_USAGE;
		else if ((force || mw_abi_check_version(&workshop->options, study, version,
							&workshop->diagnostics)) &&
			 fill_rows(workshop, &abi, version, file->path,
				   mw_arguments_has(arguments, "text")))
			code = write_file(&abi, path);
	}
	mw_abi_fini(&abi);
	return code;
}

static int freeze(const struct mw_arguments *arguments)
{
	struct mw_workshop workshop;
	enum mw_exit code = MW_EXIT_USAGE;

	if (arguments->operand_count != 2 || !plain_options(arguments, "freeze")) {
		if (arguments->operand_count != 2)
			fputs("millwright abi: freeze takes one profile\n", stderr);
		return MW_EXIT_USAGE;
	}
	if (mw_workshop_init(&workshop)) {
		struct mw_study *study = mw_workshop_study(&workshop, arguments->operands[1],
							   arguments, true, false, &code);

		if (study->plan && profile_file(study)->newest) {
			fputs("millwright abi: only the version that the file itself is can be "
			      "frozen\n",
			      stderr);
			code = MW_EXIT_USAGE;
		} else if (study->plan && mw_workshop_is_foreign(&workshop, study, "abi")) {
			code = MW_EXIT_USAGE;
		} else if (study->plan) {
			code = freeze_study(&workshop, study, arguments);
		}
		put_report(&workshop.diagnostics, arguments, stderr);
		mw_study_close(study);
	}
	mw_workshop_fini(&workshop);
	return (int)code;
}

static enum mw_exit check_one(struct mw_workshop *workshop, const char *profile,
			      const struct mw_arguments *arguments)
{
	enum mw_exit code = MW_EXIT_USAGE;
	size_t errors = workshop->diagnostics.errors;
	struct mw_study *study =
		mw_workshop_study(workshop, profile, arguments, true, false, &code);

	mw_abi_check(&workshop->options, study, &workshop->diagnostics);
	if (code == MW_EXIT_OK && workshop->diagnostics.errors > errors)
		code = MW_EXIT_FAILED;
	mw_study_close(study);
	return code;
}

/* NAME.abi.yaml */
static int is_frozen(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 9 && !strcmp(entry->d_name + length - 9, ".abi.yaml");
}

static enum mw_exit check_folder(struct mw_workshop *workshop, const char *folder,
				 const struct mw_arguments *arguments)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_frozen, alphasort);
	enum mw_exit worst = MW_EXIT_OK;
	struct mw_arena arena = { 0 };

	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		enum mw_exit code = check_one(workshop,
					      mw_arena_printf(&arena, "%s/%.*s.yaml", folder,
							      (int)(strlen(name) - 9), name),
					      arguments);

		worst = code > worst ? code : worst;
		free(entries[i]);
	}
	free(entries);
	mw_arena_fini(&arena);
	return worst;
}

static int check(const struct mw_arguments *arguments)
{
	static const char *const folders[] = { ".", "profiles" };
	struct mw_workshop workshop;
	enum mw_exit worst = MW_EXIT_OK;
	size_t given = arguments->operand_count - 1;

	if (!plain_options(arguments, "check"))
		return MW_EXIT_USAGE;
	if (!mw_workshop_init(&workshop)) {
		mw_workshop_fini(&workshop);
		return MW_EXIT_USAGE;
	}
	for (size_t i = 0; i < (given ? given : 2); i++) {
		enum mw_exit code =
			given ? check_one(&workshop, arguments->operands[1 + i], arguments)
			      : check_folder(&workshop, folders[i], arguments);

		worst = code > worst ? code : worst;
	}
	put_report(&workshop.diagnostics, arguments, stdout); /* one, so that JSON is one text */
	mw_workshop_fini(&workshop);
	return (int)worst;
}

static int compare(const struct mw_arguments *arguments)
{
	struct mw_arguments own = *arguments;

	if (arguments->operand_count != 3) {
		fputs("millwright abi: diff takes two machines\n", stderr);
		return MW_EXIT_USAGE;
	}
	own.operands++;
	own.operand_count--;
	return mw_verb_diff.run(&own);
}

static int abi_verb(const struct mw_arguments *arguments)
{
	static const struct {
		const char *name;
		int (*run)(const struct mw_arguments *arguments);
	} rows[] = { { "freeze", freeze }, { "check", check }, { "diff", compare } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!strcmp(rows[i].name, arguments->operands[0]))
			return rows[i].run(arguments);
	}
	fprintf(stderr,
		"millwright abi: expected freeze, check or diff, found `%s`\n"
		"Try `millwright help abi`.\n",
		arguments->operands[0]);
	return MW_EXIT_USAGE;
}

const struct mw_verb mw_verb_abi = {
	.name = "abi",
	.summary = "Freeze what guests of a machine see, check it, compare versions.",
	.operands = "freeze|check|diff [PROFILE...]",
	.min_operands = 1,
	.max_operands = SIZE_MAX,
	.options = options,
	.details =
		"`freeze` writes NAME.abi.yaml beside the profile, to be kept with it: for the "
		"profile's `version` the SHA-256 of all that its guest sees, at the default "
		"parameters and at each --with. `check` (and `millwright lint`) then reports C702 "
		"when an edit of the profile or of what it extends changes that; the cure is to "
		"make "
		"it a new version, and to say in `history` what the old one looked like. Files and "
		"other values of the host never count.\n\n"
		"`diff` is `millwright diff`. Without a profile `check` looks at every *.abi.yaml "
		"here "
		"and in profiles/.",
	.examples = examples,
	.exits = "0; 1 when a frozen version changed, the profile has errors, or the machines of "
		 "`diff` differ; 2 for usage and for files that cannot be read or written.",
	.run = abi_verb,
};
