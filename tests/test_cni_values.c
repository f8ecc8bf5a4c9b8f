// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values of a pod: each name, each way not to have it and what is said then,
 * defaults inside of defaults, lengths, and that nothing that is put in is
 * expanded again.  The table of VPCs is a real file.
 */
#include <arpa/inet.h>
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/values.h"
#include "include/bpfstamp_vpc.h"
#include "tests/quoted.h"

Suite *suite_cni_values(void);

static struct cni_request request;
static struct cni_config config;
static struct cni_result result;
static struct values values;
static struct bpfstamp_err err;
static char value[VALUE_SIZE], table[64];

static int fake_ifindex(void *arg, const char *dev)
{
	ck_assert_ptr_eq(arg, &values);
	return !strcmp(dev, "vxlan0") ? 42 : !strcmp(dev, "eth0.100") ? 43 : 0;
}

static void write_table(const char *text)
{
	FILE *file = fopen(table, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void setup(void)
{
	strcpy(table, "/tmp/bpfstamp-vpcs-XXXXXX");
	ck_assert_int_ge(close(mkstemp(table)), 0);
	request = (struct cni_request){
		.command = CNI_ADD, .container = "c1", .netns = "/run/netns/c1", .ifname = "eth0",
		.args = "IgnoreUnknown=1;VPC=red;EMPTY=;EVIL=${mac}$$;TWICE=1;TWICE=2", .path = "",
		.version = CNI_1_1_0,
		.config = quoted_json("{'args': {'cni': {'vni': 7, 'flag': true, 'off': false, 'text': 'te xt', "
				"'in': {'ner': 'x'},"
				"'list': [1], 'real': 1.5, 'none': null, 'neg': -9223372036854775808, "
				"'evil': '${mac}'}},"
				"'runtimeConfig': {'bpfstamp': {'vpc': 'blue', 'deep': {'er': {'est': 1}}}, "
				"'mac': 'no'}}"),
	};
	config = (struct cni_config){ .name = "net", .vpcs = "/etc/vpcs.json" };
	result = (struct cni_result){ .ip_count = 3, .ips = { { .prefix = 24 }, { .ipv6 = true }, { .prefix = 8 } } };
	inet_pton(AF_INET, "10.0.0.2", result.ips[0].address);
	inet_pton(AF_INET6, "fd00::2", result.ips[1].address);
	inet_pton(AF_INET, "10.9.9.9", result.ips[2].address);
	values = (struct values){
		.request = &request, .config = &config, .result = &result, .host_ifindex = 7, .pod_ifindex = 2,
		.host_mac = { 2, 0, 0, 0, 0, 0xfe }, .pod_mac = { 2, 0, 0, 0, 0, 0x0a }, .ifindex = fake_ifindex,
		.arg = &values,
	};
}

static void teardown(void)
{
	unlink(table);
	json_decref(request.config);
	json_decref(config.vpc);
	json_decref(values.row);
}

static int expand(const char *text)
{
	json_t *json = json_string(text);
	int ret;

	strcpy(value, "untouched");
	ret = values_expand(&values, json, "set.vni", value, &err);
	json_decref(json);
	return ret;
}

static void gives(const char *text, const char *expected)
{
	ck_assert_msg(!expand(text), "%s: %s", text, err.text);
	ck_assert_msg(!strcmp(value, expected), "%s gives '%s', not '%s'", text, value, expected);
}

static void refused(unsigned int code, const char *text)
{
	ck_assert_msg(cni_error_code(&err) == code, "code %u, not %u: %s", cni_error_code(&err), code, err.text);
	ck_assert_msg(strstr(err.text, text), "'%s' is not in: %s", text, err.text);
}

static void fails(const char *text, unsigned int code, const char *expected)
{
	ck_assert_msg(expand(text) == -1, "%s gives '%s'", text, value);
	refused(code, expected);
	ck_assert_int_eq(strncmp(err.text, "set.vni: ", 9), 0);
	ck_assert_str_eq(value, "untouched");
}

/* Missing: an error without a default, with who could have given it, and no error with one. */
static void is_missing(const char *name, unsigned int code, const char *expected)
{
	char text[256];

	snprintf(text, sizeof(text), "${%s}", name);
	fails(text, code, expected);
	snprintf(text, sizeof(text), "<${%s:-none}>", name);
	gives(text, "<none>");
}

/* Malformed: an error with a default, too. */
static void is_wrong(const char *name, unsigned int code, const char *expected)
{
	char text[256];

	snprintf(text, sizeof(text), "${%s}", name);
	fails(text, code, expected);
	snprintf(text, sizeof(text), "${%s:-none}", name);
	fails(text, code, expected);
}

/* ---------------------------------------------------------------- names */

START_TEST(facts_of_the_pod)
{
	gives("${ifindex.host}", "7");
	gives("${ifindex.pod}", "2");
	gives("${ifindex.vxlan0}", "42");
	gives("${ifindex.eth0.100}", "43");
	gives("${mac}", "02:00:00:00:00:0a");
	gives("${mac.host}", "02:00:00:00:00:fe");
	gives("${ip.0}", "10.0.0.2");
	gives("${ip.1}", "fd00::2");
	gives("${ip.2}", "10.9.9.9");
	gives("${ip4}", "10.0.0.2");
	gives("${ip6}", "fd00::2");
	gives("${containerID}", "c1");
	gives("${ifname}", "eth0");
	gives("${netns}", "/run/netns/c1");
	gives("${network}", "net");
}
END_TEST

START_TEST(what_the_runtime_gives)
{
	gives("${args.VPC}", "red");
	gives("${args.EMPTY}", "");
	gives("${cni.vni}", "7");
	gives("${cni.flag}${cni.off}", "truefalse");
	gives("${cni.text}", "te xt");
	gives("${cni.in.ner}", "x");
	gives("${cni.neg}", "-9223372036854775808");
	gives("${runtime.vpc}", "blue");
	gives("${runtime.deep.er.est}", "1");
	values.row = quoted_json("{'vni': 100, 'peer': {'ip': '192.0.2.1'}}");
	gives("${vpc.vni}", "100");
	gives("${vpc.peer.ip}", "192.0.2.1");
}
END_TEST

START_TEST(texts)
{
	gives("", "");
	gives("7", "7");
	gives("vni=${cni.vni}, $$${cni.vni}$$", "vni=7, $7$");
	gives("$$$$", "$$");
	gives("$${mac}", "${mac}");
	gives("}{", "}{");
	gives("${cni.vni}${cni.vni}", "77");
	gives("\xc3\xa4${cni.vni}", "\xc3\xa4" "7");
}
END_TEST

/* What comes from outside is text and nothing else. */
START_TEST(nothing_is_expanded_twice)
{
	gives("${args.EVIL}", "${mac}$$");
	gives("${cni.evil}", "${mac}");
	gives("${args.NO:-${cni.evil}}", "${mac}");
	values.row = quoted_json("{'x': '${args.VPC}'}");
	gives("${vpc.x}", "${args.VPC}");
}
END_TEST

START_TEST(defaults)
{
	gives("${args.VPC:-blue}", "red");
	gives("${args.NO:-blue}", "blue");
	gives("${args.NO:-}", "");
	gives("${args.EMPTY:-blue}", "blue");
	gives("${args.NO:-${cni.no:-${runtime.vpc}}}!", "blue!");
	gives("${args.NO:-${args.VPC}-${cni.vni}}", "red-7");
	gives("${args.NO:-a:-b}", "a:-b");
	gives("${args.NO:-$$}$$}", "$$}");
	gives("${args.NO:-{}}", "{}");
	gives("${args.VPC:-${nonsense}}", "red");
	fails("${args.NO:-${cni.no}}", CNI_CONFIG, "set.vni: ${cni.no}: args.cni");
	fails("${args.NO:-$}", CNI_CONFIG, "a '$' begins ${NAME} or is written $$");
}
END_TEST

/* -------------------------------------------------------------- missing */

START_TEST(missing_facts)
{
	is_missing("ifindex.eth9", CNI_CONFIG, "set.vni: ${ifindex.eth9}: there is no interface eth9");
	is_missing("ip.3", CNI_CONFIG, "${ip.3}: the pod has 3 addresses");
	result.ip_count = 1;
	is_missing("ip6", CNI_CONFIG, "${ip6}: the pod has no IPv6 address");
	is_missing("ip.1", CNI_CONFIG, "the pod has 1 address");
	values.result = NULL;
	is_missing("ip4", CNI_CONFIG, "${ip4}: the pod has no IPv4 address");
	is_missing("ip.0", CNI_CONFIG, "the pod has 0 addresses");
	values.host_ifindex = values.pod_ifindex = 0;
	values.ifindex = NULL;
	is_missing("ifindex.host", CNI_CONFIG, "there is no interface host");
	is_missing("ifindex.pod", CNI_CONFIG, "there is no interface pod");
	is_missing("ifindex.vxlan0", CNI_CONFIG, "there is no interface vxlan0");
	memset(values.host_mac, 0, 6);
	memset(values.pod_mac, 0, 6);
	is_missing("mac", CNI_CONFIG, "no MAC address");
	is_missing("mac.host", CNI_CONFIG, "no MAC address");
	request.netns = "";
	is_missing("netns", CNI_ENVIRONMENT, "the runtime gave no CNI_NETNS");
}
END_TEST

START_TEST(missing_from_the_runtime)
{
	is_missing("args.NO", CNI_ENVIRONMENT, "${args.NO}: the runtime gave no CNI_ARGS NO");
	is_missing("args.vpc", CNI_ENVIRONMENT, "the runtime gave no CNI_ARGS vpc");
	is_missing("cni.vnii", CNI_CONFIG,
		   "args.cni, of the runtime or the configuration: has no 'vnii'; did you mean 'vni'?");
	is_missing("cni.in.nerd", CNI_CONFIG, "has no 'nerd'; did you mean 'ner'?");
	is_missing("cni.none", CNI_CONFIG, "has no 'none'");
	is_missing("cni.none.x", CNI_CONFIG, "has no 'none'");
	is_missing("cni.vni.x", CNI_CONFIG, "has no 'x'");
	is_missing("runtime.no", CNI_CONFIG, "runtimeConfig.bpfstamp: has no 'no'");
	is_missing("vpc.vni", CNI_CONFIG, "${vpc.vni}: the configuration has no vpc and vpcs");
	config.vpc = json_string("x");
	is_missing("vpc.vni", CNI_CONFIG, "the VPC is not known before vpc is");
	values.row = quoted_json("{'vni': 1}");
	is_missing("vpc.vnu", CNI_CONFIG, "the row of the VPC in /etc/vpcs.json: has no 'vnu'; did you mean 'vni'?");
	json_decref(request.config);
	request.config = quoted_json("{'args': 7, 'runtimeConfig': {'bpfstamp': null}}");
	is_missing("cni.x", CNI_CONFIG, "args.cni");
	is_missing("runtime.x", CNI_CONFIG,
		   "the runtime gave no runtimeConfig.bpfstamp, which it does where capabilities");
}
END_TEST

/* ---------------------------------------------------------------- wrong */

START_TEST(wrong_names)
{
	is_wrong("", CNI_CONFIG, "there is no such value");
	is_wrong("Mac", CNI_CONFIG, "${Mac}: there is no such value; did you mean 'mac'?");
	is_wrong("arg.VPC", CNI_CONFIG, "${arg.VPC}: there is no such value; did you mean 'args'?");
	is_wrong("containerId", CNI_CONFIG, "did you mean 'containerID'?");
	is_wrong("network.x", CNI_CONFIG, "nothing can stand behind network");
	is_wrong("ip4.0", CNI_CONFIG, "nothing can stand behind ip4");
	is_wrong("ifindex", CNI_CONFIG, "has to be ifindex. and host, pod or an interface");
	is_wrong("ifindex.", CNI_CONFIG, "has to be ifindex. and");
	is_wrong("vpc", CNI_CONFIG, "has to be vpc. and a key of the table's rows");
	is_wrong("cni.", CNI_CONFIG, "has to be cni. and a key of args.cni");
	is_wrong("args", CNI_CONFIG, "has to be args. and a key of CNI_ARGS");
	is_wrong("ip", CNI_CONFIG, "has to be ip. and a number");
	is_wrong("ip.x", CNI_CONFIG, "${ip.x}: wants a number");
	is_wrong("ip.-1", CNI_CONFIG, "wants a number");
	is_wrong("ip.0x0", CNI_CONFIG, "wants a number");
	is_wrong("ip.18446744073709551616", CNI_CONFIG, "wants a number");
	is_wrong("mac.pod", CNI_CONFIG, "can only be mac or mac.host");
	is_wrong("args.TWICE", CNI_ENVIRONMENT, "CNI_ARGS: ");
	is_wrong("cni.list", CNI_CONFIG, "is no text, whole number or boolean");
	is_wrong("cni.in", CNI_CONFIG, "is no text, whole number or boolean");
	is_wrong("cni.real", CNI_CONFIG, "is no text, whole number or boolean");
	request.args = "VPC=red;BAD";
	is_wrong("args.VPC", CNI_ENVIRONMENT, "CNI_ARGS: 'BAD' is not KEY=VALUE");
}
END_TEST

START_TEST(wrong_texts)
{
	static const char *const all[] = { "$", "a$", "$a", "${", "${mac", "${args.NO:-${mac}", "$ {mac}", "$$$" };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		fails(all[i], CNI_CONFIG, "a '$' begins ${NAME} or is written $$");
	gives("${mac:-$}", "02:00:00:00:00:0a");
	fails("${cni.${mac}}", CNI_CONFIG, "has '$' or '{' in it");
	fails("${cni.{x}", CNI_CONFIG, "has '$' or '{' in it");
}
END_TEST

/* ------------------------------------------------------------- lengths */

START_TEST(lengths)
{
	char text[2 * VALUE_SIZE] = "";

	memset(text, 'x', VALUE_SIZE - 1);
	gives(text, text);
	strcat(text, "x");
	fails(text, CNI_CONFIG, "more than 1023 bytes");
	memset(text, 'x', VALUE_SIZE - 2);
	strcpy(text + VALUE_SIZE - 2, "${cni.vni}");
	ck_assert_int_eq(expand(text), 0);
	ck_assert_uint_eq(strlen(value), VALUE_SIZE - 1);
	strcat(text, "y");
	fails(text, CNI_CONFIG, "more than 1023 bytes");
	strcpy(text + VALUE_SIZE - 2, "$$");
	ck_assert_int_eq(expand(text), 0);
	strcat(text, "$$");
	fails(text, CNI_CONFIG, "more than 1023 bytes");
}
END_TEST

START_TEST(lengths_of_what_is_put_in)
{
	char text[2 * VALUE_SIZE];
	json_t *row;

	memset(text, 'x', sizeof(text));
	text[VALUE_SIZE - 1] = '\0';
	values.row = row = json_pack("{s:s}", "x", text);
	gives("${vpc.x}", text);
	text[VALUE_SIZE - 1] = 'x';
	text[VALUE_SIZE] = '\0';
	json_object_set_new(row, "x", json_string(text));
	fails("${vpc.x}", CNI_CONFIG, "has more than 1023 bytes");
	memcpy(text, "VPC=", 4);
	text[VALUE_SIZE] = 'x';
	text[VALUE_SIZE + 3] = '\0';
	request.args = text;
	gives("${args.VPC}", text + 4);
	text[VALUE_SIZE + 3] = 'x';
	text[VALUE_SIZE + 4] = '\0';
	fails("${args.VPC}", CNI_CONFIG, "has more than 1023 bytes");
}
END_TEST

START_TEST(lengths_of_names)
{
	char text[512] = "${args.";

	memset(text + 7, 'x', 248);
	strcpy(text + 7 + 248, "}");
	fails(text, CNI_ENVIRONMENT, "the runtime gave no CNI_ARGS xxx");
	ck_assert_uint_le(strlen(err.text), 250);
	strcpy(text + 7 + 248, "xxx}");
	fails(text, CNI_CONFIG, "too long");
}
END_TEST

START_TEST(depth)
{
	char text[VALUE_SIZE] = "";

	for (int i = 0; i < 8; i++)
		strcat(text, "${args.NO:-");
	strcat(text, "deep}}}}}}}}");
	gives(text, "deep");
	memmove(text + 11, text, strlen(text) + 1);
	memcpy(text, "${args.NO:-", 11);
	strcat(text, "}");
	fails(text, CNI_CONFIG, "stands in more than 8 others");
}
END_TEST

/* -------------------------------------------------- what is not a text */

static int expand_json(const char *text)
{
	json_t *json = quoted_json(text);
	int ret = values_expand(&values, json, "set.n", value, &err);

	json_decref(json);
	return ret;
}

START_TEST(numbers_and_booleans)
{
	ck_assert_int_eq(expand_json("9223372036854775807"), 0);
	ck_assert_str_eq(value, "9223372036854775807");
	ck_assert_int_eq(expand_json("-1"), 0);
	ck_assert_str_eq(value, "-1");
	ck_assert_int_eq(expand_json("true"), 0);
	ck_assert_str_eq(value, "true");
	ck_assert_int_eq(expand_json("false"), 0);
	ck_assert_str_eq(value, "false");
	ck_assert_int_eq(expand_json("1.5"), -1);
	refused(CNI_CONFIG, "set.n: is no text, whole number or boolean");
	ck_assert_int_eq(expand_json("{}"), -1);
	ck_assert_int_eq(expand_json("null"), -1);
}
END_TEST

static int number(const char *text, uint32_t low, uint32_t high, uint32_t *out)
{
	json_t *json = quoted_json(text);
	int ret = values_number(&values, json, "mtu", low, high, out, &err);

	json_decref(json);
	return ret;
}

START_TEST(numbers_in_a_range)
{
	static const char *const wrong[] = {
		"9", "21", "'9'", "'21'", "''", "'x'", "'0x'", "' 10'", "'10 '", "'+10'", "'-10'", "true",
		"'4294967306'",
		"'18446744073709551626'", "'1e1'", "'${network}'",
	};
	uint32_t out = 77;

	ck_assert_int_eq(number("10", 10, 20, &out), 0);
	ck_assert_uint_eq(out, 10);
	ck_assert_int_eq(number("'20'", 10, 20, &out), 0);
	ck_assert_uint_eq(out, 20);
	ck_assert_int_eq(number("'0x10'", 10, 20, &out), 0);
	ck_assert_uint_eq(out, 16);
	ck_assert_int_eq(number("'1${cni.vni}'", 10, 20, &out), 0);
	ck_assert_uint_eq(out, 17);
	ck_assert_int_eq(number("'4294967295'", 0, UINT32_MAX, &out), 0);
	ck_assert_uint_eq(out, UINT32_MAX);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_msg(number(wrong[i], 10, 20, &out), "%s", wrong[i]);
		refused(CNI_CONFIG, "is no number from 10 to 20");
	}
	ck_assert_int_eq(number("'${args.NO}'", 10, 20, &out), -1);
	refused(CNI_ENVIRONMENT, "mtu: ${args.NO}: the runtime gave no CNI_ARGS NO");
	ck_assert_uint_eq(out, UINT32_MAX);
}
END_TEST

START_TEST(networks)
{
	uint32_t network = 77;

	config.vni = json_string("${args.VNI}");
	request.args = "VNI=16777215";
	ck_assert_int_eq(values_network(&values, &network, &err), 0);
	ck_assert_uint_eq(network, 0xffffff);
	request.args = "VNI=16777216";
	ck_assert_int_eq(values_network(&values, &network, &err), -1);
	refused(CNI_CONFIG, "pods.vni: a VNI is 1 to 16777215, not 16777216");
	request.args = "VNI=red";
	ck_assert_int_eq(values_network(&values, &network, &err), -1);
	refused(CNI_CONFIG, "pods.vni: 'red' is no number");
	json_decref(config.vni);
	config.vni = NULL;
	config.vlan = json_string("${args.VLAN}");
	request.args = "VLAN=0";
	ck_assert_int_eq(values_network(&values, &network, &err), -1);
	refused(CNI_CONFIG, "pods.vlan: a VLAN id is 1 to 4094, not 0: 0 stands for no VLAN, and 4095 is reserved");
	request.args = "VLAN=4095";
	ck_assert_int_eq(values_network(&values, &network, &err), -1);
	refused(CNI_CONFIG, "not 4095");
	ck_assert_uint_eq(network, 0xffffff);
	request.args = "VLAN=4094";
	ck_assert_int_eq(values_network(&values, &network, &err), 0);
	ck_assert_uint_eq(network, BPFSTAMP_VPC_VLAN | 4094);
	json_decref(config.vlan);
}
END_TEST

/* ----------------------------------------------------------------- VPCs */

static int look_up(const char *vpc, json_t **row)
{
	json_decref(config.vpc);
	config.vpc = json_string(vpc);
	config.vpcs = table;
	*row = NULL;
	return values_row(&values, row, &err);
}

static void no_row(const char *vpc, unsigned int code, const char *expected)
{
	json_t *row;

	ck_assert_int_eq(look_up(vpc, &row), -1);
	refused(code, expected);
	if (code != CNI_ENVIRONMENT)
		ck_assert_ptr_nonnull(strstr(err.text, table));
	ck_assert_ptr_null(row);
}

START_TEST(rows)
{
	json_t *row = json_true();

	ck_assert_int_eq(values_row(&values, &row, &err), 0);
	ck_assert_ptr_null(row);
	write_table("{\"red\": {\"vni\": 100}, \"blue\": {\"vni\": 200}, \"bad\": 7, \"\": {\"vni\": 1}}");
	ck_assert_int_eq(look_up("${args.VPC}", &row), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(row, "vni")), 100);
	ck_assert_uint_eq(row->refcount, 1);
	json_decref(row);
	ck_assert_int_eq(look_up("${runtime.vpc}", &row), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(row, "vni")), 200);
	json_decref(row);
	no_row("rad", CNI_CONFIG, ": has no 'rad'; did you mean 'red'?");
	no_row("green", CNI_CONFIG, ": has no 'green'");
	no_row("bad", CNI_DECODE, ": bad is no object");
	no_row("${args.NO}", CNI_ENVIRONMENT, "vpc: ${args.NO}: the runtime gave no CNI_ARGS NO");
}
END_TEST

START_TEST(tables_that_are_none)
{
	write_table("{\n\"red\": {\n");
	no_row("red", CNI_DECODE, ": line 3: ");
	write_table("{\"red\": {}, \"red\": {}}");
	no_row("red", CNI_DECODE, "duplicate");
	write_table("[]");
	no_row("red", CNI_DECODE, "is no JSON object of rows");
	write_table("");
	no_row("red", CNI_DECODE, ": line 1: ");
	unlink(table);
	no_row("red", CNI_IO, "No such file or directory");
	ck_assert_int_eq(mkdir(table, 0700), 0);
	no_row("red", CNI_IO, "is no plain file");
	ck_assert_int_eq(rmdir(table), 0);
	ck_assert_int_eq(mkfifo(table, 0600), 0);
	no_row("red", CNI_IO, "is no plain file");
}
END_TEST

START_TEST(tables_that_are_large)
{
	write_table("{\"red\": {}}");
	ck_assert_int_eq(truncate(table, (16 << 20) + 1), 0);
	no_row("red", CNI_IO, "at most 16 MiB");
}
END_TEST

Suite *suite_cni_values(void)
{
	Suite *suite = suite_create("cni_values");
	TCase *tests = tcase_create("values");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, facts_of_the_pod);
	tcase_add_test(tests, what_the_runtime_gives);
	tcase_add_test(tests, texts);
	tcase_add_test(tests, nothing_is_expanded_twice);
	tcase_add_test(tests, defaults);
	tcase_add_test(tests, missing_facts);
	tcase_add_test(tests, missing_from_the_runtime);
	tcase_add_test(tests, wrong_names);
	tcase_add_test(tests, wrong_texts);
	tcase_add_test(tests, lengths);
	tcase_add_test(tests, lengths_of_what_is_put_in);
	tcase_add_test(tests, lengths_of_names);
	tcase_add_test(tests, depth);
	tcase_add_test(tests, numbers_and_booleans);
	tcase_add_test(tests, numbers_in_a_range);
	tcase_add_test(tests, networks);
	tcase_add_test(tests, rows);
	tcase_add_test(tests, tables_that_are_none);
	tcase_add_test(tests, tables_that_are_large);
	suite_add_tcase(suite, tests);
	return suite;
}
