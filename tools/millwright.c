/** The millwright command: sets the process up and calls a verb. */
// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/report.h"
#include "tools/verbs.h"

/** A descriptor that is closed now would later be some file, and messages would land in it. Standard
 * output is opened for reading, so that writing to it still fails and is noticed. */
static void open_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) != -1)
			continue;
		if (open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) != fd)
			_exit(MW_EXIT_USAGE);
	}
}

/* Large tables come from the kernel, zeroed page by page as they are touched; else the C library takes and clears
 * what was freed before, and all of it is resident. */
enum { LARGE_BYTES = 64 << 10 };

int main(int argc, char **argv)
{
	open_standard_descriptors();
	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	/* A reader that went away is a write error like any other. */
	signal(SIGPIPE, SIG_IGN);
	return mw_report_finish(mw_command(argc, argv));
}
