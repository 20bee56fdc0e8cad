/* Commands as JSON: what a client may say, to whom it goes, and how the answer looks (QEMU 7.2,
 * docs/interop/qmp-spec.txt). Errors have the words of QEMU's. */
// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tools/control/control_internal.h"

struct parameter {
	const char *name;
	json_type type;
	bool optional;
};

static const struct parameter capabilities_parameters[] = { { "enable", JSON_ARRAY, true }, { 0 } };
static const struct parameter send_key_parameters[] = {
	{ "keys", JSON_ARRAY },
	{ "hold-time", JSON_INTEGER, true },
	{ 0 },
};
static const struct parameter input_parameters[] = {
	{ "device", JSON_STRING, true },
	{ "head", JSON_INTEGER, true },
	{ "events", JSON_ARRAY },
	{ 0 },
};
static const struct parameter type_parameters[] = {
	{ "text", JSON_STRING },
	{ "layout", JSON_STRING, true },
	{ 0 },
};
static const struct parameter screendump_parameters[] = {
	{ "filename", JSON_STRING },
	{ "device", JSON_STRING, true },
	{ "head", JSON_INTEGER, true },
	{ "format", JSON_STRING, true },
	{ 0 },
};
static const struct parameter screen_text_parameters[] = { { "node", JSON_STRING, true }, { 0 } };
static const struct parameter inspect_parameters[] = { { "node", JSON_STRING, true }, { 0 } };
static const struct parameter snapshot_parameters[] = { { "path", JSON_STRING }, { 0 } };
static const struct parameter change_medium_parameters[] = { { "id", JSON_STRING },
							     { "filename", JSON_STRING },
							     { 0 } };
static const struct parameter eject_parameters[] = { { "id", JSON_STRING }, { 0 } };
static const struct parameter no_parameters[] = { { 0 } };

static control_command query_commands, negotiate;

static const struct command {
	const char *name;
	const struct parameter *parameters; /* ended by a row without name */
	control_command *run;
} commands[] = {
	{ "qmp_capabilities", capabilities_parameters, negotiate },
	{ "query-status", no_parameters, control_query_status },
	{ "query-name", no_parameters, control_query_name },
	{ "query-version", no_parameters, control_query_version },
	{ "query-commands", no_parameters, query_commands },
	{ "query-cpus-fast", no_parameters, control_query_cpus },
	{ "stop", no_parameters, control_stop },
	{ "cont", no_parameters, control_cont },
	{ "system_reset", no_parameters, control_reset },
	{ "system_powerdown", no_parameters, control_powerdown },
	{ "quit", no_parameters, control_quit },
	{ "send-key", send_key_parameters, control_send_key },
	{ "input-send-event", input_parameters, control_input_send_event },
	{ "blockdev-change-medium", change_medium_parameters, control_change_medium },
	{ "eject", eject_parameters, control_eject },
	{ "screendump", screendump_parameters, control_screendump },
	{ "x-millwright-screen-text", screen_text_parameters, control_screen_text },
	{ "x-millwright-type", type_parameters, control_type },
	{ "x-millwright-inspect", inspect_parameters, control_inspect },
	{ "x-millwright-snapshot", snapshot_parameters, control_snapshot },
};

json_t *control_fail(struct control_error *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	return NULL;
}

json_t *control_greeting(void)
{
	return json_pack("{s:{s:o, s:[]}}", "QMP", "version",
			 control_query_version(NULL, NULL, NULL), "capabilities");
}

static json_t *query_commands(struct mw_control *control, const json_t *arguments,
			      struct control_error *error)
{
	json_t *names = json_array();

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		json_array_append_new(names, json_pack("{s:s}", "name", commands[i].name));
	return names;
}

static json_t *negotiate(struct mw_control *control, const json_t *arguments,
			 struct control_error *error)
{
	if (control->negotiated) {
		error->class = "CommandNotFound";
		return control_fail(error, "Capabilities negotiation is already complete, "
					   "command ignored");
	}
	if (json_array_size(json_object_get(arguments, "enable")))
		return control_fail(error, "no capability is offered");
	control->negotiated = true;
	return json_object();
}

static const char *type_name(json_type type)
{
	switch (type) {
	case JSON_ARRAY: return "array";
	case JSON_INTEGER: return "integer";
	case JSON_STRING: return "string";
	default: return "object";
	}
}

static const struct parameter *find_parameter(const struct command *command, const char *name)
{
	for (const struct parameter *row = command->parameters; row->name; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

static bool check_arguments(const struct command *command, json_t *arguments,
			    struct control_error *error)
{
	const char *name;
	json_t *value;

	json_object_foreach(arguments, name, value)
	{
		const struct parameter *parameter = find_parameter(command, name);

		if (!parameter)
			return control_fail(error, "Parameter '%.60s' is unexpected", name);
		if (json_typeof(value) != parameter->type)
			return control_fail(error, "Invalid parameter type for '%s', expected: %s",
					    name, type_name(parameter->type));
	}
	for (const struct parameter *row = command->parameters; row->name; row++)
		if (!row->optional && !json_object_get(arguments, row->name))
			return control_fail(error, "Parameter '%s' is missing", row->name);
	return true;
}

static bool check_request(json_t *request, struct control_error *error)
{
	const char *name;
	json_t *value;

	if (!json_is_object(request))
		return control_fail(error, "QMP input must be a JSON object");
	json_object_foreach(request, name, value)
	{
		if (strcmp(name, "execute") == 0 && !json_is_string(value))
			return control_fail(error, "QMP input member 'execute' must be a string");
		if (strcmp(name, "arguments") == 0 && !json_is_object(value))
			return control_fail(error,
					    "QMP input member 'arguments' must be an object");
		if (strcmp(name, "execute") != 0 && strcmp(name, "arguments") != 0 &&
		    strcmp(name, "id") != 0)
			return control_fail(error, "QMP input member '%.60s' is unexpected", name);
	}
	return json_object_get(request, "execute") ||
	       control_fail(error, "QMP input lacks member 'execute'");
}

static const struct command *find_command(struct mw_control *control, const char *name,
					  struct control_error *error)
{
	error->class = "CommandNotFound";
	if (!control->negotiated && strcmp(name, "qmp_capabilities") != 0) {
		control_fail(error, "Expecting capabilities negotiation with 'qmp_capabilities'");
		return NULL;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0) {
			error->class = "GenericError";
			return &commands[i];
		}
	}
	control_fail(error, "The command %.60s has not been found", name);
	return NULL;
}

static json_t *execute(struct mw_control *control, json_t *request, struct control_error *error)
{
	const struct command *command;
	json_t *arguments, *result = NULL;

	if (!check_request(request, error))
		return NULL;
	command = find_command(control, json_string_value(json_object_get(request, "execute")),
			       error);
	if (!command)
		return NULL;
	arguments = json_incref(json_object_get(request, "arguments"));
	if (!arguments)
		arguments = json_object();
	if (check_arguments(command, arguments, error))
		result = command->run(control, arguments, error);
	json_decref(arguments);
	return result;
}

static void answer_error(struct mw_control *control, const struct control_error *error,
			 json_t *answer)
{
	/* NULL where what the client has sent was cut inside a character. */
	json_t *text = json_string(error->text);

	json_object_set_new(answer, "error",
			    json_pack("{s:s, s:o}", "class", error->class, "desc",
				      text ? text : json_string("the request is refused")));
	control_send(control, answer);
}

static void answer_to(struct mw_control *control, json_t *request)
{
	struct control_error error = { .class = "GenericError" };
	json_t *result = execute(control, request, &error);
	json_t *id = json_is_object(request) ? json_object_get(request, "id") : NULL;
	json_t *answer = json_object();

	if (result)
		json_object_set_new(answer, "return", result);
	if (id)
		json_object_set(answer, "id", id);
	if (result)
		control_send(control, answer);
	else
		answer_error(control, &error, answer);
}

static void refuse(struct mw_control *control, const char *why)
{
	struct control_error error = { .class = "GenericError" };

	control_fail(&error, "JSON parse error, %s", why);
	answer_error(control, &error, json_object());
}

static void take_value(struct mw_control *control, const char *text, size_t length)
{
	json_error_t why;
	json_t *request = json_loadb(text, length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &why);

	if (request)
		answer_to(control, request);
	else
		refuse(control, why.text);
	json_decref(request);
}

void control_take(struct mw_control *control, const char *bytes, size_t count)
{
	const char *text;
	size_t length;

	control_frame_feed(&control->frame, bytes, count);
	while (!control->leaving) {
		switch (control_frame_next(&control->frame, &text, &length)) {
		case CONTROL_NOTHING: return;
		case CONTROL_VALUE: take_value(control, text, length); break;
		case CONTROL_BROKEN: refuse(control, "brackets or quotes do not match"); break;
		case CONTROL_TOO_MUCH:
			refuse(control, "a request is too long or too deep");
			control->leaving = true;
			break;
		}
	}
}
