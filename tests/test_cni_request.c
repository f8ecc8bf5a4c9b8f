// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a runtime asks for: each command in each version, what it needs, and every way
 * to get a variable wrong, with the specification's code and the name of the
 * variable.  Errors as they go out are JSON whatever stands in them.
 */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cni.h"

Suite *suite_cni_request(void);

static const char *command, *container, *netns, *ifname, *args, *path;
static struct bpfstamp_err err;
static struct cni_request request;

static char *fake_env(const char *name)
{
	const struct {
		const char *name, *value;
	} variables[] = {
		{ "CNI_COMMAND", command }, { "CNI_CONTAINERID", container }, { "CNI_NETNS", netns },
		{ "CNI_IFNAME", ifname }, { "CNI_ARGS", args }, { "CNI_PATH", path },
	};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		if (!strcmp(name, variables[i].name))
			return (char *)(uintptr_t)variables[i].value;
	ck_abort_msg("asked for %s", name);
	return NULL;
}

static void setup(void)
{
	command = "ADD";
	container = "c0ffee_1.2-3";
	netns = "/run/netns/pod";
	ifname = "eth0";
	args = "IgnoreUnknown=1;K8S_POD_NAME=web";
	path = "/opt/cni/bin";
}

static int read_config(const char *text)
{
	json_t *config = json_loads(text, JSON_DECODE_ANY, NULL);
	int ret;

	ck_assert_ptr_nonnull(config);
	memset(&request, 0, sizeof(request));
	memset(&err, 0, sizeof(err));
	ret = request_read(&request, fake_env, config, &err);
	json_decref(config);
	return ret;
}

static int read_version(const char *version)
{
	char text[128];

	snprintf(text, sizeof(text), "{\"cniVersion\": \"%s\"}", version);
	return read_config(text);
}

static void refused(int ret, unsigned int code, const char *text)
{
	ck_assert_int_eq(ret, -1);
	ck_assert_msg(cni_error_code(&err) == code, "code %u, not %u: %s", cni_error_code(&err), code, err.text);
	ck_assert_msg(strstr(err.text, text), "'%s' is not in: %s", text, err.text);
}

START_TEST(reads_all)
{
	ck_assert_int_eq(read_version("1.0.0"), 0);
	ck_assert_int_eq(request.command, CNI_ADD);
	ck_assert_int_eq(request.version, CNI_1_0_0);
	ck_assert_str_eq(request.container, container);
	ck_assert_str_eq(request.netns, netns);
	ck_assert_str_eq(request.ifname, ifname);
	ck_assert_str_eq(request.args, args);
	ck_assert_str_eq(request.path, path);
}
END_TEST

START_TEST(absent_is_empty)
{
	args = path = NULL;
	ck_assert_int_eq(read_version("1.0.0"), 0);
	ck_assert_str_eq(request.args, "");
	ck_assert_str_eq(request.path, "");
}
END_TEST

/* Which command came with which version. */
static const struct {
	const char *name;
	enum cni_command command;
	bool has[4];
} known[] = {
	{ "ADD", CNI_ADD, { true, true, true, true } }, { "DEL", CNI_DEL, { true, true, true, true } },
	{ "CHECK", CNI_CHECK, { false, true, true, true } }, { "STATUS", CNI_STATUS, { false, false, false, true } },
	{ "GC", CNI_GC, { false, false, false, true } }, { "VERSION", CNI_VERSION, { true, true, true, true } },
};

START_TEST(commands_and_versions)
{
	static const char *const versions[] = { "0.3.1", "0.4.0", "1.0.0", "1.1.0" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		for (size_t v = 0; v < 4; v++) {
			int ret;

			command = known[i].name;
			ret = read_version(versions[v]);
			ck_assert_msg(!ret == known[i].has[v], "%s in %s: %s", command, versions[v], err.text);
			ck_assert_uint_eq(request.version, known[i].command == CNI_VERSION ? 0 : CNI_0_3_1 + v);
			if (!ret)
				ck_assert_int_eq(request.command, known[i].command);
			else
				refused(ret, CNI_VERSION_MISMATCH, versions[v]);
		}
	}
}
END_TEST

START_TEST(no_attachment_needs_no_environment)
{
	container = netns = ifname = args = path = NULL;
	command = "STATUS";
	ck_assert_int_eq(read_version("1.1.0"), 0);
	command = "GC";
	ck_assert_int_eq(read_version("1.1.0"), 0);
	ck_assert_str_eq(request.container, "");
	ck_assert_str_eq(request.ifname, "");
	command = "VERSION";
	ck_assert_int_eq(read_version("1.1.0"), 0);
}
END_TEST

START_TEST(wrong_command)
{
	command = NULL;
	refused(read_version("1.0.0"), CNI_ENVIRONMENT, "CNI_COMMAND is not set");
	command = "CHEK";
	refused(read_version("1.0.0"), CNI_ENVIRONMENT, "did you mean 'CHECK'?");
	command = "add";
	refused(read_version("1.0.0"), CNI_ENVIRONMENT, "CNI_COMMAND: 'add' is no command");
}
END_TEST

START_TEST(wrong_version)
{
	refused(read_version("1.0.1"), CNI_VERSION_MISMATCH, "cniVersion 1.0.1: supported are");
	refused(read_version("0.2.0"), CNI_VERSION_MISMATCH, "0.3.1, 0.4.0, 1.0.0 and 1.1.0");
	refused(read_version(""), CNI_VERSION_MISMATCH, "supported");
	refused(read_version("v1.0.0"), CNI_VERSION_MISMATCH, "v1.0.0");
	refused(read_config("{}"), CNI_VERSION_MISMATCH, "no cniVersion, which means 0.1.0");
	refused(read_config("{\"cniVersion\": null}"), CNI_VERSION_MISMATCH, "no cniVersion");
	refused(read_config("{\"cniVersion\": 1}"), CNI_DECODE, "cniVersion");
	refused(read_config("[]"), CNI_DECODE, "no JSON object");
	refused(read_config("null"), CNI_DECODE, "no JSON object");
	ck_assert_int_eq(request.version, 0);
}
END_TEST

/* A runtime that is newer or older asks for versions, too. */
START_TEST(probe_of_any_version)
{
	command = "VERSION";
	ck_assert_int_eq(read_version("0.4.0"), 0);
	ck_assert_int_eq(read_version("7.0.0"), 0);
	ck_assert_int_eq(read_config("{}"), 0);
	ck_assert_int_eq(request.command, CNI_VERSION);
	refused(read_config("7"), CNI_DECODE, "no JSON object");
}
END_TEST

START_TEST(containers)
{
	static const char *const good[] = { "a", "Z", "0", "a.b", "a..", "a-_.9", "0000000000000000000000000000000" };
	static const char *const bad[] = { ".a", "-a", "_a", "a/b", "a b", "a:b", "a\n", "\xc3\xa4", "a\xff",
						   "../x" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		container = good[i];
		ck_assert_msg(!read_version("1.0.0"), "%s", err.text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		container = bad[i];
		refused(read_version("1.0.0"), CNI_ENVIRONMENT, "CNI_CONTAINERID: '");
	}
	container = "";
	refused(read_version("1.0.0"), CNI_ENVIRONMENT, "CNI_CONTAINERID is not set, or empty");
	container = NULL;
	command = "DEL";
	refused(read_version("1.0.0"), CNI_ENVIRONMENT, "CNI_CONTAINERID is not set");
}
END_TEST

START_TEST(interfaces)
{
	static const char *const good[] = { "e", "eth0.100", "a-b_c@d", "123456789012345", "...", "..a" };
	static const char *const bad[] = {
		".", "..", "1234567890123456", "a/b", "a:b", "a b", "a\tb", "eth%d", "\x7f", "a\xc3\xa4", "a\x01",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ifname = good[i];
		ck_assert_msg(!read_version("1.0.0"), "%s", err.text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ifname = bad[i];
		refused(read_version("1.0.0"), CNI_ENVIRONMENT, "CNI_IFNAME: '");
		command = i % 2 ? "DEL" : "ADD";
	}
	ifname = NULL;
	refused(read_version("1.0.0"), CNI_ENVIRONMENT, "CNI_IFNAME is not set");
}
END_TEST

START_TEST(namespaces)
{
	netns = NULL;
	refused(read_version("1.0.0"), CNI_ENVIRONMENT, "CNI_NETNS is not set");
	command = "CHECK";
	refused(read_version("1.0.0"), CNI_ENVIRONMENT, "CNI_NETNS is not set");
	command = "DEL";
	ck_assert_int_eq(read_version("1.0.0"), 0);
	ck_assert_str_eq(request.netns, "");
	netns = "1";
	refused(read_version("1.0.0"), CNI_ENVIRONMENT, "CNI_NETNS: '1' is no absolute path");
	command = "ADD";
	refused(read_version("1.0.0"), CNI_ENVIRONMENT, "CNI_NETNS: '1' is no absolute path");
	netns = "/run/\xff";
	refused(read_version("1.0.0"), CNI_ENVIRONMENT, "CNI_NETNS: '/run/?'");
}
END_TEST

START_TEST(arguments)
{
	static const char *const good[] = { "", "A=", "A=1;", ";A=1;;B=2", "A=b=c", "A=1;B=2;A=3" };
	static const char *const bad[] = { "A", "A=1;B", "=1", "A=1;=", "B;A=1", "A=\xff" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		args = good[i];
		ck_assert_msg(!read_version("1.0.0"), "%s", err.text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		args = bad[i];
		refused(read_version("1.0.0"), CNI_ENVIRONMENT, "CNI_ARGS: '");
	}
	command = "DEL";
	ck_assert_int_eq(read_version("1.0.0"), 0);
}
END_TEST

static void expect_arg(const char *key, const char *expected)
{
	const char *value = "untouched";
	size_t len = 77;

	ck_assert_int_eq(request_arg(&request, key, &value, &len, &err), 0);
	if (!expected) {
		ck_assert_ptr_null(value);
		return;
	}
	ck_assert_uint_eq(len, strlen(expected));
	ck_assert_int_eq(memcmp(value, expected, len), 0);
}

START_TEST(one_argument)
{
	const char *value;
	size_t len;

	request.args = "VPC=red;VPCX=blue;E=;EQ=a=b;D=1;D=1;LAST=x";
	expect_arg("VPC", "red");
	expect_arg("VPCX", "blue");
	expect_arg("VP", NULL);
	expect_arg("", NULL);
	expect_arg("E", "");
	expect_arg("EQ", "a=b");
	expect_arg("LAST", "x");
	expect_arg("red", NULL);
	refused(request_arg(&request, "D", &value, &len, &err), CNI_ENVIRONMENT, "has a key twice");
	request.args = "";
	expect_arg("VPC", NULL);
}
END_TEST

START_TEST(codes)
{
	static const struct {
		int code;
		unsigned int expected;
	} all[] = {
		{ CNI_ERROR + CNI_VERSION_MISMATCH, 1 }, { CNI_ERROR + CNI_TAKEN, 101 }, { CNI_ERROR + 999, 999 },
		{ ENOENT, 100 }, { EPERM, 100 }, { EAGAIN, 11 }, { 0, 100 }, { CNI_ERROR, 100 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		err.code = all[i].code;
		ck_assert_uint_eq(cni_error_code(&err), all[i].expected);
	}
}
END_TEST

static void goes_out(enum cni_version version, const char *text, const char *expected)
{
	json_t *json;
	char *dump;

	err.code = CNI_ERROR + CNI_CONFIG;
	snprintf(err.text, sizeof(err.text), "%s", text);
	json = cni_error(version, &err);
	dump = json_dumps(json, JSON_COMPACT);
	ck_assert_str_eq(dump, expected);
	free(dump);
	json_decref(json);
}

START_TEST(errors_are_json)
{
	goes_out(CNI_0_4_0, "it's \"bad\"", "{\"cniVersion\":\"0.4.0\",\"code\":7,\"msg\":\"it's \\\"bad\\\"\"}");
	goes_out(0, "\xc3\xa4", "{\"cniVersion\":\"1.1.0\",\"code\":7,\"msg\":\"\xc3\xa4\"}");
	goes_out(CNI_1_1_0, "a\xff\xc3", "{\"cniVersion\":\"1.1.0\",\"code\":7,\"msg\":\"a??\"}");
}
END_TEST

/* A text that is cut inside of a character is an error all the same. */
START_TEST(errors_that_were_cut)
{
	json_t *json;

	memset(err.text, 'a', sizeof(err.text));
	bpfstamp_err_set(&err, EPERM, "%*s\xc3\xa4", (int)sizeof(err.text) - 2, "");
	json = cni_error(CNI_1_0_0, &err);
	ck_assert_ptr_nonnull(json);
	ck_assert_uint_eq(json_string_length(json_object_get(json, "msg")), sizeof(err.text) - 1);
	json_decref(json);
}
END_TEST

static void answers(const char *config, const char *version)
{
	json_t *asked = json_loads(config, 0, NULL), *json = version_answer(asked);
	char *dump = json_dumps(json, JSON_COMPACT), expected[128];

	snprintf(expected, sizeof(expected), "{\"cniVersion\":\"%s\","
		 "\"supportedVersions\":[\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}", version);
	ck_assert_str_eq(dump, expected);
	free(dump);
	json_decref(json);
	json_decref(asked);
}

START_TEST(answers_with_versions)
{
	answers("{\"cniVersion\": \"0.3.1\"}", "0.3.1");
	answers("{\"cniVersion\": \"7.0.0\"}", "7.0.0");
	answers("{\"cniVersion\": \"\\\"\"}", "\\\"");
	answers("{\"cniVersion\": 7}", "1.1.0");
	answers("{}", "1.1.0");
}
END_TEST

Suite *suite_cni_request(void)
{
	Suite *suite = suite_create("cni_request");
	TCase *tests = tcase_create("request");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, reads_all);
	tcase_add_test(tests, absent_is_empty);
	tcase_add_test(tests, commands_and_versions);
	tcase_add_test(tests, no_attachment_needs_no_environment);
	tcase_add_test(tests, wrong_command);
	tcase_add_test(tests, wrong_version);
	tcase_add_test(tests, probe_of_any_version);
	tcase_add_test(tests, containers);
	tcase_add_test(tests, interfaces);
	tcase_add_test(tests, namespaces);
	tcase_add_test(tests, arguments);
	tcase_add_test(tests, one_argument);
	tcase_add_test(tests, codes);
	tcase_add_test(tests, errors_are_json);
	tcase_add_test(tests, errors_that_were_cut);
	tcase_add_test(tests, answers_with_versions);
	suite_add_tcase(suite, tests);
	return suite;
}
