/* `millwright graph`: a picture of the machine. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/draw/subject.h"
#include "tools/graph/graph.h"
#include "tools/report.h"
#include "tools/verbs.h"

static const char *const formats[] = { "svg", "dot", "mermaid", "json", NULL };
static const char *const layouts[] = { "own", "graphviz", NULL };

static const struct mw_option options[] = {
	MW_PROFILE_OPTIONS,
	{ .name = "format",
	  .value = "FORMAT",
	  .choices = formats,
	  .help = "svg (the default), dot for graphviz, mermaid for documents, or json." },
	{ .name = "layout",
	  .value = "WHO",
	  .choices = layouts,
	  .help = "Who places things in the SVG: own (the default), or graphviz, which must be "
		  "installed." },
	MW_DIAGNOSTICS_OPTION,
	{ 0 },
};

static const struct mw_example examples[] = {
	{ "millwright graph linux-pc > linux-pc.svg", "Draw a machine." },
	{ "millwright graph linux-pc --format mermaid", "For a document that renders Mermaid." },
	{ "millwright graph linux-pc --format dot", "For graphviz and its relatives." },
	{ "millwright graph linux-pc --format json | jq '.nodes[].id'", "Let a program read it." },
	{ 0 },
};

static int draw(const struct mw_plan *plan, const struct mw_arguments *arguments)
{
	const char *format = mw_arguments_value(arguments, "format", "svg");
	bool own = !strcmp(mw_arguments_value(arguments, "layout", "own"), "own");
	const char *why = NULL;
	struct mw_graph graph;

	mw_graph_make(&graph, plan);
	if (!strcmp(format, "dot")) {
		mw_graph_dot(&graph, stdout);
	} else if (!strcmp(format, "mermaid")) {
		mw_graph_mermaid(&graph, stdout);
	} else if (!strcmp(format, "json")) {
		mw_graph_json(&graph, stdout);
	} else if (own) {
		mw_graph_layout(&graph);
		mw_graph_svg(&graph, stdout);
	} else if (!mw_graph_graphviz(&graph, stdout, &why)) {
		fprintf(stderr, "millwright graph: %s\n", why);
	}
	mw_graph_fini(&graph);
	return why ? MW_EXIT_USAGE : MW_EXIT_OK;
}

static int graph_of(const struct mw_arguments *arguments)
{
	struct mw_workshop workshop;
	int code = MW_EXIT_FAILED;

	if (mw_workshop_init(&workshop)) {
		struct mw_subject subject;

		code = (int)mw_subject_open(&subject, &workshop, arguments->operands[0], arguments,
					    NULL);
		if (subject.plan)
			code = draw(subject.plan, arguments);
		mw_report(&workshop.diagnostics, mw_arguments_value(arguments, "diagnostics", NULL),
			  stderr);
		mw_subject_close(&subject);
	}
	mw_workshop_fini(&workshop);
	return code;
}

const struct mw_verb mw_verb_graph = {
	.name = "graph",
	.summary = "Draw the machine as a graph.",
	.operands = "PROFILE",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.details = MW_SUBJECT_HELP
	"\n\nThe picture shows buses as bars with their devices under them, where interrupt lines "
	"lead, wires between devices, and as the foot of a device what it leads to on the host. "
	"It follows a reader's light or dark scheme, its text can be selected, and the pointer "
	"shows more.",
	.examples = examples,
	.exits = "0; 1 when the profile has errors; 2 for usage, for files that cannot be read and "
		 "when graphviz is not there or fails.",
	.run = graph_of,
};
