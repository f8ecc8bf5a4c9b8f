// SPDX-License-Identifier: BSD-2-Clause
/*
 * Runs every suite: each tests/test_NAME.c has one, suite_NAME, and suites.h is
 * made from their file names by the Makefile, so that none can be forgotten.
 * Names as arguments run only those.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SUITE(name) Suite *suite_##name(void);
#include "suites.h"
#undef SUITE

#define SUITE(name) { #name, suite_##name },
static const struct {
	const char *name;
	Suite *(*make)(void);
} suites[] = {
#include "suites.h"
};

static int wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return 1;
	return argc == 1;
}

int main(int argc, char **argv)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (wanted(suites[i].name, argc, argv))
			srunner_add_suite(runner, suites[i].make());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner) || !srunner_ntests_run(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
