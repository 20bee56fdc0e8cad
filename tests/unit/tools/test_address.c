/** Addresses of sockets: spellings, and sockets that are made, taken over and connected to. */
// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/address.h"

static struct mw_address address;
static char why[300];
static char folder[] = "/tmp/mw-address-XXXXXX";
static char path[64];

static bool parse(const char *text)
{
	return mw_address_parse(&address, text, false, why, sizeof(why));
}

static void stdio_is_the_standard_streams(void **state)
{
	struct mw_endpoint end;

	assert_true(mw_address_parse(&address, "stdio", true, why, sizeof(why)));
	assert_true(address.is_stdio);
	assert_false(address.listens);
	assert_true(mw_address_open(&address, &end, why, sizeof(why)));
	assert_int_equal(end.in, 0);
	assert_int_equal(end.out, 1);
	assert_int_equal(end.listener, -1);
}

static void path_may_have_a_scheme(void **state)
{
	assert_true(parse("unix:/run/a.sock"));
	assert_string_equal(address.path, "/run/a.sock");
	assert_false(address.listens);
	assert_true(parse("a.sock"));
	assert_string_equal(address.path, "a.sock");
}

static void words_say_who_listens(void **state)
{
	assert_true(parse("a,server"));
	assert_string_equal(address.path, "a");
	assert_true(address.listens);
	assert_true(parse("a,server=on,wait=off"));
	assert_true(address.listens);
	assert_true(parse("a,nowait"));
	assert_false(address.listens);
	assert_true(mw_address_parse(&address, "a", true, why, sizeof(why)));
	assert_true(address.listens);
	assert_true(mw_address_parse(&address, "a,server=off", true, why, sizeof(why)));
	assert_false(address.listens);
}

static void what_is_no_address_is_refused(void **state)
{
	char text[MW_SOCKET_PATH + 1];

	assert_false(parse(""));
	assert_string_equal(why, ": an address is stdio or a socket's path");
	assert_false(parse("unix:"));
	assert_false(parse(",server"));
	assert_false(parse("a,sever"));
	assert_string_equal(why, "a,sever: only `,server` may follow the path");
	assert_false(parse("a,"));
	memset(text, 'x', MW_SOCKET_PATH);
	text[MW_SOCKET_PATH] = '\0';
	assert_false(parse(text));
	assert_non_null(strstr(why, "longer than a socket's can be"));
	text[MW_SOCKET_PATH - 1] = '\0';
	assert_true(parse(text));
}

static void socket_is_private_and_connected_to(void **state)
{
	struct mw_endpoint server, client;
	struct stat status;

	assert_true(mw_address_parse(&address, path, true, why, sizeof(why)));
	assert_true(mw_address_open(&address, &server, why, sizeof(why)));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0077, 0);
	address.listens = false;
	assert_true(mw_address_open(&address, &client, why, sizeof(why)));
	assert_int_equal(client.in, client.out);
	close(client.in);
	close(server.listener);
	address.listens = true;
	mw_address_remove(&address, &server);
	assert_int_equal(access(path, F_OK), -1);
}

static void socket_that_nobody_serves_is_taken_over(void **state)
{
	struct mw_endpoint first, second;

	assert_true(mw_address_parse(&address, path, true, why, sizeof(why)));
	assert_true(mw_address_open(&address, &first, why, sizeof(why)));
	assert_false(mw_address_open(&address, &second, why, sizeof(why)));
	assert_non_null(strstr(why, "Address already in use"));
	close(first.listener);
	assert_true(mw_address_open(&address, &second, why, sizeof(why)));
	close(second.listener);
	mw_address_remove(&address, &first); /* the name is the second's now */
	assert_int_equal(access(path, F_OK), 0);
	mw_address_remove(&address, &second);
	assert_int_equal(access(path, F_OK), -1);
}

static void file_that_is_no_socket_stays(void **state)
{
	struct mw_endpoint end;
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fclose(file);
	assert_true(mw_address_parse(&address, path, true, why, sizeof(why)));
	assert_false(mw_address_open(&address, &end, why, sizeof(why)));
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
}

static void nobody_there_is_said(void **state)
{
	struct mw_endpoint end;

	assert_true(parse("/nonexistent/a"));
	assert_false(mw_address_open(&address, &end, why, sizeof(why)));
	assert_string_equal(why, "/nonexistent/a: No such file or directory");
}

static int make_folder(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/s", folder);
	return 0;
}

static int remove_folder(void **state)
{
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stdio_is_the_standard_streams),
		cmocka_unit_test(path_may_have_a_scheme),
		cmocka_unit_test(words_say_who_listens),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(socket_is_private_and_connected_to),
		cmocka_unit_test(socket_that_nobody_serves_is_taken_over),
		cmocka_unit_test(file_that_is_no_socket_stays),
		cmocka_unit_test(nobody_there_is_said),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
