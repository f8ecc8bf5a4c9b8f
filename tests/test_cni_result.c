// SPDX-License-Identifier: BSD-2-Clause
/*
 * Results of each version: what is read of them, whose addresses are the pod's,
 * what is refused; and what is written in each version, as text.
 */
#include <arpa/inet.h>
#include <check.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/result.h"
#include "tests/quoted.h"

Suite *suite_cni_result(void);

static struct cni_result result;
static struct bpfstamp_err err;
static json_t *json;

static void teardown(void)
{
	json_decref(json);
	json = NULL;
}

/* In the notation of tests/quoted.h. */
static int read_text(const char *text)
{
	json_decref(json);
	json = quoted_json(text);
	memset(&result, 0xaa, sizeof(result));
	return result_read(&result, json, "eth0", &err);
}

static void refused(const char *text, unsigned int code, const char *expected)
{
	struct cni_result untouched;
	int ret = read_text(text);

	memset(&untouched, 0xaa, sizeof(untouched));
	ck_assert_msg(ret == -1, "accepted: %s", text);
	ck_assert_msg(cni_error_code(&err) == code, "code %u, not %u: %s", cni_error_code(&err), code, err.text);
	ck_assert_msg(strstr(err.text, expected), "'%s' is not in: %s", expected, err.text);
	ck_assert(!memcmp(&result, &untouched, sizeof(result)));
}

static void accepted(const char *text)
{
	ck_assert_msg(!read_text(text), "%s", err.text);
}

static void expect_address(const char *expected, bool ipv6, const uint8_t *address)
{
	char text[64];

	inet_ntop(ipv6 ? AF_INET6 : AF_INET, address, text, sizeof(text));
	ck_assert_str_eq(text, expected);
}

/* What a bridge says, with an address of each interface. */
#define INTERFACES "'interfaces': [{'name': 'cni0', 'mac': '00:11:22:33:44:55'}, {'name': 'veth1', 'sandbox': ''}," \
	"{'name': 'eth0', 'sandbox': '/run/netns/a'}, {'name': 'eth1', 'sandbox': '/run/netns/a'}, {'name': 'eth0'}]"

START_TEST(reads_all)
{
	accepted("{'cniVersion': '1.0.0', " INTERFACES ", 'ips': ["
		 "{'address': '10.1.0.5/16', 'gateway': '10.1.0.1', 'interface': 2},"
		 "{'address': '2001:db8::5/64', 'interface': 2}],"
		 "'routes': [{'dst': '0.0.0.0/0'}, {'dst': '2001:db8:1::/48', 'gw': 'fe80::1', 'mtu': 1400}], "
		 "'dns': {}}");
	ck_assert_uint_eq(result.ip_count, 2);
	ck_assert(!result.ips[0].ipv6);
	expect_address("10.1.0.5", false, result.ips[0].address);
	ck_assert_uint_eq(result.ips[0].prefix, 16);
	ck_assert(result.ips[0].has_gateway);
	expect_address("10.1.0.1", false, result.ips[0].gateway);
	ck_assert(result.ips[1].ipv6);
	expect_address("2001:db8::5", true, result.ips[1].address);
	ck_assert_uint_eq(result.ips[1].prefix, 64);
	ck_assert(!result.ips[1].has_gateway);
	ck_assert_uint_eq(result.route_count, 2);
	expect_address("0.0.0.0", false, result.routes[0].dst);
	ck_assert_uint_eq(result.routes[0].prefix, 0);
	ck_assert(!result.routes[0].has_gateway);
	ck_assert_ptr_null(result.routes[0].more);
	ck_assert(result.routes[1].ipv6);
	expect_address("2001:db8:1::", true, result.routes[1].dst);
	ck_assert_uint_eq(result.routes[1].prefix, 48);
	ck_assert(result.routes[1].has_gateway);
	expect_address("fe80::1", true, result.routes[1].gateway);
	ck_assert_str_eq(result.routes[1].more, "mtu");
	ck_assert_ptr_eq(result.json, json);
}
END_TEST

START_TEST(more_of_a_route)
{
	static const char *const keys[] = { "mtu", "advmss", "priority", "table", "scope" };
	char text[128];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(text, sizeof(text), "{'routes': [{'dst': '::/0', '%s': 0}]}", keys[i]);
		accepted(text);
		ck_assert_str_eq(result.routes[0].more, keys[i]);
		snprintf(text, sizeof(text), "{'routes': [{'dst': '::/0', '%s': null}]}", keys[i]);
		accepted(text);
		ck_assert_ptr_null(result.routes[0].more);
	}
}
END_TEST

START_TEST(rest_of_an_address_is_zero)
{
	static const uint8_t none[12];

	accepted("{'ips': [{'address': '255.255.255.255/32', 'gateway': '255.255.255.254'}]}");
	ck_assert(!memcmp(result.ips[0].address + 4, none, sizeof(none)));
	ck_assert(!memcmp(result.ips[0].gateway + 4, none, sizeof(none)));
}
END_TEST

START_TEST(older_and_shorter)
{
	accepted("{'cniVersion': '0.3.1', 'ips': [{'version': '4', 'address': '10.0.0.2/24'},"
		 "{'version': '6', 'address': 'fd00::2/128'}]}");
	ck_assert_uint_eq(result.ip_count, 2);
	ck_assert(!result.ips[0].ipv6);
	ck_assert(result.ips[1].ipv6);
	accepted("{}");
	ck_assert_uint_eq(result.ip_count + result.route_count, 0);
	accepted("{'interfaces': null, 'ips': null, 'routes': null, 'dns': null}");
	accepted("{'ips': [{'address': '10.0.0.2/24', 'gateway': null, 'interface': null}]}");
	ck_assert_uint_eq(result.ip_count, 1);
	accepted("{'ips': [{'address': '10.0.0.2/24', 'gateway': ''}], 'routes': [{'dst': '::/0', 'gw': ''}]}");
	ck_assert(!result.ips[0].has_gateway && !result.routes[0].has_gateway);
}
END_TEST

/* cni0 and veth1 are the node's, eth1 is another of the pod, and the last eth0 is the node's. */
START_TEST(addresses_of_others)
{
	accepted("{" INTERFACES ", 'ips': ["
		 "{'address': '10.0.0.1/24', 'interface': 0}, {'address': '10.0.0.2/24', 'interface': 1},"
		 "{'address': '10.0.0.3/24', 'interface': 2}, {'address': '10.0.0.4/24', 'interface': 3},"
		 "{'address': '10.0.0.5/24', 'interface': 4}, {'address': '10.0.0.6/24'}]}");
	ck_assert_uint_eq(result.ip_count, 2);
	expect_address("10.0.0.3", false, result.ips[0].address);
	expect_address("10.0.0.6", false, result.ips[1].address);
}
END_TEST

START_TEST(interfaces_that_are_none)
{
	refused("{" INTERFACES ", 'ips': [{'address': '10.0.0.1/24', 'interface': 5}]}", CNI_DECODE,
		"result: ips[0].interface is 5, and there are 5 interfaces");
	refused("{'ips': [{'address': '10.0.0.1/24', 'interface': 0}]}", CNI_DECODE,
		"interface is 0, and there are 0");
	refused("{" INTERFACES ", 'ips': [{'address': '10.0.0.1/24', 'interface': -1}]}", CNI_DECODE,
		"interface is -1");
	refused("{" INTERFACES ", 'ips': [{'address': '10.0.0.1/24', 'interface': 9223372036854775807}]}", CNI_DECODE,
		"interface is 9223372036854775807");
	refused("{" INTERFACES ", 'ips': [{'address': '10.0.0.1/24', 'interface': '2'}]}", CNI_DECODE,
		"is no number");
	accepted("{'interfaces': [7, {'name': 7, 'sandbox': '/x'}, {'name': 'eth0', 'sandbox': 7}], 'ips': ["
		 "{'address': '10.0.0.1/24', 'interface': 0}, {'address': '10.0.0.1/24', 'interface': 1},"
		 "{'address': '10.0.0.1/24', 'interface': 2}]}");
	ck_assert_uint_eq(result.ip_count, 0);
}
END_TEST

START_TEST(no_addresses)
{
	static const char *const all[] = {
		"10.0.0.1", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/+1", "10.0.0.1/ 8", "10.0.0.1/8 ",
		"10.0.0.1/4294967304", "10.0.0.1/24/24", "10.0.0/24", "10.0.0.256/24", "/24", "x/24", "fd00::1/129",
		"fd00::1", "fd00:::1/64", "::ffff:10.0.0.1/128", "fd00::1%eth0/64",
		"1111111111111111111111111111111111111111111111111111111111111111111111111111/24",
	};
	char text[256];

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snprintf(text, sizeof(text), "{'ips': [{'address': '%s'}]}", all[i]);
		refused(text, CNI_DECODE, "is no address with the length of its prefix");
		snprintf(text, sizeof(text), "{'routes': [{'dst': '10.0.0.0/8'}, {'dst': '%s'}]}", all[i]);
		refused(text, CNI_DECODE, "routes[1].dst: '");
	}
	accepted("{'ips': [{'address': '10.0.0.1/0'}, {'address': '10.0.0.1/32'}, {'address': '::/0'}]}");
}
END_TEST

START_TEST(no_gateways)
{
	refused("{'ips': [{'address': '10.0.0.1/24', 'gateway': 'fd00::1'}]}", CNI_DECODE,
		"ips[0].gateway: 'fd00::1' is no IPv4 address");
	refused("{'ips': [{'address': 'fd00::1/64', 'gateway': '10.0.0.1'}]}", CNI_DECODE,
		"ips[0].gateway: '10.0.0.1' is no IPv6 address");
	refused("{'ips': [{'address': '10.0.0.1/24', 'gateway': '10.0.0.1/24'}]}", CNI_DECODE, "is no IPv4 address");
	refused("{'ips': [{'address': '10.0.0.1/24', 'gateway': 7}]}", CNI_DECODE, "ips[0].gateway is a number");
	refused("{'routes': [{'dst': '::/0', 'gw': '10.0.0.1'}]}", CNI_DECODE,
		"routes[0].gw: '10.0.0.1' is no IPv6 address");
}
END_TEST

START_TEST(types)
{
	static const char *const none[] = { "[]", "7", "'x'", "null", "true" };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		refused(none[i], CNI_DECODE, "the result is no JSON object");
	ck_assert_int_eq(result_read(&result, NULL, "eth0", &err), -1);
	refused("{'ips': {}}", CNI_DECODE, "result: ips is an object: expected an array");
	refused("{'interfaces': 'eth0'}", CNI_DECODE, "result: interfaces is a text");
	refused("{'routes': 7}", CNI_DECODE, "result: routes is a number");
	refused("{'ips': [7]}", CNI_DECODE, "ips[0].address is missing");
	refused("{'ips': [{}]}", CNI_DECODE, "ips[0].address is missing");
	refused("{'ips': [{'address': 7}]}", CNI_DECODE, "ips[0].address is a number");
	refused("{'routes': [{'gw': '10.0.0.1'}]}", CNI_DECODE, "routes[0].dst is missing");
}
END_TEST

static char *many(const char *key, const char *element, size_t count)
{
	char *text = calloc(1, 32 + count * (strlen(element) + 1));

	sprintf(text, "{'%s': [", key);
	for (size_t i = 0; i < count; i++)
		strcat(strcat(text, i ? "," : ""), element);
	return strcat(text, "]}");
}

START_TEST(as_many_as_we_hold)
{
	char *text = many("ips", "{'address': '10.0.0.1/8'}", CNI_IPS);

	accepted(text);
	ck_assert_uint_eq(result.ip_count, CNI_IPS);
	free(text);
	text = many("ips", "{'address': '10.0.0.1/8'}", CNI_IPS + 1);
	refused(text, CNI_CONFIG, "at most 16 addresses");
	free(text);
	text = many("routes", "{'dst': '10.0.0.0/8'}", CNI_ROUTES);
	accepted(text);
	ck_assert_uint_eq(result.route_count, CNI_ROUTES);
	free(text);
	text = many("routes", "{'dst': '10.0.0.0/8'}", CNI_ROUTES + 1);
	refused(text, CNI_CONFIG, "routes has 129 elements: at most 128 can be");
	free(text);
}
END_TEST

/* -------------------------------------------------------------- writing */

static const struct cni_made made = {
	.host = "bs0123456789abc", .pod = "eth0", .netns = "/run/netns/a", .host_mac = { 2, 0, 0, 0, 0, 0xfe },
	.pod_mac = { 2, 0, 0, 0, 0, 0x0a }, .mtu = 1450,
};

#define HOST "{\"name\":\"bs0123456789abc\",\"mac\":\"02:00:00:00:00:fe\"%s}"
#define POD "{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:0a\",\"sandbox\":\"/run/netns/a\"%s}"

static void expect_json(json_t *value, const char *form, ...) __attribute__((format(printf, 2, 3)));

static void expect_json(json_t *value, const char *form, ...)
{
	char *dump = json_dumps(value, JSON_COMPACT), expected[1024];
	va_list list;

	va_start(list, form);
	vsnprintf(expected, sizeof(expected), form, list);
	va_end(list);
	ck_assert_ptr_nonnull(dump);
	ck_assert_str_eq(dump, expected);
	free(dump);
	json_decref(value);
}

static const char ipam_text[] =
	"{'cniVersion': '0.4.0', 'ips': [{'version': '6', 'address': '10.0.0.2/24', 'gateway': '10.0.0.1'},"
	"{'address': 'fd00::2/64'}], 'routes': [{'dst': '0.0.0.0/0'}], 'dns': {'nameservers': ['10.0.0.1']}, 'x': 1}";

START_TEST(makes_each_version)
{
	accepted(ipam_text);
	for (unsigned int v = CNI_0_3_1; v <= CNI_1_1_0; v++) {
		const char *mtu = v == CNI_1_1_0 ? ",\"mtu\":1450" : "";
		bool old = v <= CNI_0_4_0;

		expect_json(result_make((enum cni_version)v, &made, &result),
			    "{\"cniVersion\":\"%s\",\"interfaces\":[" HOST "," POD "],\"ips\":["
			    "{\"address\":\"10.0.0.2/24\",\"gateway\":\"10.0.0.1\",\"interface\":1%s},"
			    "{\"address\":\"fd00::2/64\",\"interface\":1%s}],\"routes\":[{\"dst\":\"0.0.0.0/0\"}],"
			    "\"dns\":{\"nameservers\":[\"10.0.0.1\"]}}", version_text((enum cni_version)v), mtu, mtu,
			    old ? ",\"version\":\"4\"" : "", old ? ",\"version\":\"6\"" : "");
	}
}
END_TEST

START_TEST(makes_without_changing)
{
	json_t *copy;

	accepted(ipam_text);
	copy = json_deep_copy(json);
	json_decref(result_make(CNI_0_3_1, &made, &result));
	ck_assert(json_equal(copy, json));
	json_decref(copy);
}
END_TEST

START_TEST(makes_of_nothing)
{
	struct cni_made plain = made;
	json_t *dns = json_pack("{s:s}", "domain", "a");

	plain.mtu = 0;
	accepted("{}");
	expect_json(result_make(CNI_1_1_0, &plain, &result), "{\"cniVersion\":\"1.1.0\",\"interfaces\":[" HOST "," POD
		    "],\"ips\":[]}", "", "");
	accepted("{'ips': null, 'routes': null, 'dns': null}");
	expect_json(result_make(CNI_1_1_0, &plain, &result), "{\"cniVersion\":\"1.1.0\",\"interfaces\":[" HOST "," POD
		    "],\"ips\":[]}", "", "");
	plain.dns = dns;
	accepted("{'dns': {'domain': 'b'}}");
	expect_json(result_make(CNI_1_0_0, &plain, &result), "{\"cniVersion\":\"1.0.0\",\"interfaces\":[" HOST "," POD
		    "],\"ips\":[],\"dns\":{\"domain\":\"a\"}}", "", "");
	json_decref(dns);
}
END_TEST

START_TEST(passes_on)
{
	json_t *copy;

	accepted("{'cniVersion': '0.4.0', 'ips': [{'address': '10.0.0.2/24'}], 'x': {'y': 1}}");
	copy = json_deep_copy(json);
	expect_json(result_pass(CNI_1_0_0, json),
		    "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.2/24\"}],\"x\":{\"y\":1}}");
	ck_assert(json_equal(copy, json));
	json_decref(copy);
	accepted("{}");
	expect_json(result_pass(CNI_0_3_1, json), "{\"cniVersion\":\"0.3.1\"}");
}
END_TEST

/* What was made reads back as the pod's. */
START_TEST(reads_what_it_made)
{
	json_t *own;

	accepted(ipam_text);
	own = result_make(CNI_0_4_0, &made, &result);
	ck_assert_int_eq(result_read(&result, own, "eth0", &err), 0);
	ck_assert_uint_eq(result.ip_count, 2);
	ck_assert_int_eq(result_read(&result, own, "eth1", &err), 0);
	ck_assert_uint_eq(result.ip_count, 0);
	json_decref(own);
}
END_TEST

Suite *suite_cni_result(void)
{
	Suite *suite = suite_create("cni_result");
	TCase *tests = tcase_create("result");

	tcase_add_checked_fixture(tests, NULL, teardown);
	tcase_add_test(tests, reads_all);
	tcase_add_test(tests, more_of_a_route);
	tcase_add_test(tests, rest_of_an_address_is_zero);
	tcase_add_test(tests, older_and_shorter);
	tcase_add_test(tests, addresses_of_others);
	tcase_add_test(tests, interfaces_that_are_none);
	tcase_add_test(tests, no_addresses);
	tcase_add_test(tests, no_gateways);
	tcase_add_test(tests, types);
	tcase_add_test(tests, as_many_as_we_hold);
	tcase_add_test(tests, makes_each_version);
	tcase_add_test(tests, makes_without_changing);
	tcase_add_test(tests, makes_of_nothing);
	tcase_add_test(tests, passes_on);
	tcase_add_test(tests, reads_what_it_made);
	suite_add_tcase(suite, tests);
	return suite;
}
