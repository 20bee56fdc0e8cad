/** The formats that have a schema: those of the resolver and those of the tools. */
// SPDX-License-Identifier: MIT
#include <string.h>

#include "tools/abi/abi.h"
#include "tools/lint/baseline.h"
#include "tools/lint/config.h"
#include "tools/schema/schema_internal.h"

static const struct mw_format of_tools[] = {
	{ "abi", &mw_abi_shape, NULL },
	{ "baseline", &mw_baseline_shape, NULL },
	{ "config", &mw_config_shape, NULL },
	{ NULL, NULL, NULL },
};

bool mw_schema_has(const struct mw_format *format)
{
	return format->shape && format->shape != &mw_plan_shape;
}

bool mw_schema_is_plain(const struct mw_format *format)
{
	return mw_format_find(format->name) != format;
}

const struct mw_format *mw_schema_format(size_t at)
{
	const struct mw_format *format = mw_formats;

	for (; format->name; format++) {
		if (mw_schema_has(format) && !at--)
			return format;
	}
	for (format = of_tools; format->name; format++) {
		if (!at--)
			return format;
	}
	return NULL;
}

const struct mw_format *mw_schema_format_find(const char *name)
{
	const struct mw_format *format;

	for (size_t i = 0; (format = mw_schema_format(i)) != NULL; i++) {
		if (!strcmp(format->name, name))
			return format;
	}
	return NULL;
}

const char *mw_schema_suffix(const struct mw_format *format)
{
	return format->shape == &mw_config_shape ? "" : "/1";
}
