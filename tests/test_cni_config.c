// SPDX-License-Identifier: BSD-2-Clause
/*
 * Network configurations: what each key becomes, its defaults, the ends of each range,
 * and each error with its code and words.  JSON stands in single quotes here.
 */
#include <check.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cni/config.h"
#include "include/bpfstamp_vpc.h"
#include "tests/quoted.h"

Suite *suite_cni_config(void);

static struct cni_request request;
static struct cni_config config;
static struct bpfstamp_err err;

static void setup(void)
{
	request = (struct cni_request){
		.command = CNI_ADD, .container = "c1", .netns = "/run/netns/c1", .ifname = "eth0", .args = "",
		.path = "",
		.version = CNI_1_1_0,
	};
}

static void teardown(void)
{
	json_decref(request.config);
	request.config = NULL;
}

static int read_text(const char *text)
{
	json_decref(request.config);
	request.config = quoted_json(text);
	memset(&config, 0xaa, sizeof(config));
	return config_read(&config, &request, &err);
}

static int read_form(const char *form, ...) __attribute__((format(printf, 1, 2)));

static int read_form(const char *form, ...)
{
	char text[8192];
	va_list list;
	int len;

	va_start(list, form);
	len = vsnprintf(text, sizeof(text), form, list);
	va_end(list);
	ck_assert(len >= 0 && (size_t)len < sizeof(text));
	return read_text(text);
}

#define CHAINED "{'cniVersion': '1.1.0', 'name': 'net', 'type': 'bpfstamp-cni', 'prevResult': {}"

/* A chained network with these members, and one attachment with these members, of the pod or the node. */
static int read_chained(const char *members)
{
	return read_form(CHAINED "%s%s}", *members ? ", " : "", members);
}

static int read_attach(const char *members)
{
	return read_form(CHAINED ", 'object': '/x.o', 'attach': [{%s}]}", members);
}

static int read_node(const char *members)
{
	return read_form(CHAINED ", 'object': '/x.o', 'node': [{%s}]}", members);
}

static void refused(int ret, unsigned int code, const char *text)
{
	struct cni_config untouched;

	memset(&untouched, 0xaa, sizeof(untouched));
	ck_assert_msg(ret == -1, "accepted, without: %s", text);
	ck_assert_msg(cni_error_code(&err) == code, "code %u, not %u: %s", cni_error_code(&err), code, err.text);
	ck_assert_msg(strstr(err.text, text), "'%s' is not in: %s", text, err.text);
	ck_assert(!memcmp(&config, &untouched, sizeof(config)));
}

static void accepted(int ret)
{
	ck_assert_msg(!ret, "%s", err.text);
}

/* --------------------------------------------------------------- whole */

START_TEST(everything)
{
	const struct cni_attachment *a;

	accepted(read_text("{'cniVersion': '1.1.0', 'name': 'net.1', 'type': 'bpfstamp-cni', 'object': '/all.o',"
		"'ipam': {'type': 'host-local', 'anything': 1}, 'mtu': 1400, 'pinPath': '/bpf', 'reuse': false, "
		"'dns': {'domain': 'a'},"
		"'attach': [{'program': 'from_pod', 'direction': 'ingress', 'set': {'vni': '${vpc.vni}', 'n': 1, "
		"'b': true}},"
		"           {'object': '/x.o', 'dev': 'pod', 'hook': 'xdp', 'xdpMode': 'native', 'inline': true}],"
		"'node': [{'dev': 'vxlan0', 'hook': 'auto', 'direction': 'ingress', 'prio': 65535, "
		"'handle': 4294967295}],"
		"'vxlan': {'dev': 'vxlan0', 'port': 8472, 'mtu': 1450}, 'vpcs': '/etc/vpcs', 'vpc': '${args.VPC}',"
		"'pods': {'vlan': '${vpc.vlan}', 'ad': true}, 'capabilities': {'bpfstamp': true}, 'ipMasq': false,"
		"'runtimeConfig': {'bpfstamp': {}}, 'args': {'cni': {}}, 'disableCheck': true, 'cni.dev/new': []}"));
	ck_assert_str_eq(config.name, "net.1");
	ck_assert_uint_eq(config.attach_count, 2);
	a = &config.attach[0];
	ck_assert_str_eq(a->program, "from_pod");
	ck_assert_str_eq(a->object, "/all.o");
	ck_assert_str_eq(a->dev, "host");
	ck_assert_int_eq(a->hook.type, BPFSTAMP_CLSACT);
	ck_assert_int_eq(a->hook.direction, BPFSTAMP_INGRESS);
	ck_assert_uint_eq(a->hook.prio, 1);
	ck_assert_uint_eq(a->hook.handle, 1);
	ck_assert_str_eq(a->hook.pin_path, "/bpf");
	ck_assert(!a->inlined);
	ck_assert_uint_eq(json_object_size(a->set), 3);
	a = &config.attach[1];
	ck_assert_ptr_null(a->program);
	ck_assert_str_eq(a->object, "/x.o");
	ck_assert_str_eq(a->dev, "pod");
	ck_assert_int_eq(a->hook.type, BPFSTAMP_XDP);
	ck_assert_int_eq(a->hook.direction, BPFSTAMP_INGRESS);
	ck_assert_int_eq(a->hook.xdp_mode, BPFSTAMP_XDP_NATIVE);
	ck_assert(a->inlined);
	ck_assert_ptr_null(a->set);
	ck_assert_uint_eq(config.node_count, 1);
	a = &config.node[0];
	ck_assert_str_eq(a->dev, "vxlan0");
	ck_assert_int_eq(a->hook.type, BPFSTAMP_AUTO);
	ck_assert_uint_eq(a->hook.prio, 65535);
	ck_assert_uint_eq(a->hook.handle, UINT32_MAX);
	ck_assert_str_eq(config.vxlan, "vxlan0");
	ck_assert_uint_eq(config.vxlan_port, 8472);
	ck_assert_uint_eq(config.vxlan_mtu, 1450);
	ck_assert_str_eq(config.vpcs, "/etc/vpcs");
	ck_assert_str_eq(json_string_value(config.vpc), "${args.VPC}");
	ck_assert_ptr_null(config.vni);
	ck_assert_str_eq(json_string_value(config.vlan), "${vpc.vlan}");
	ck_assert(config.vlan_ad);
	ck_assert_uint_eq(config.mtu, 1400);
	ck_assert(!config.reuse);
	ck_assert_uint_eq(json_object_size(config.ipam), 2);
	ck_assert_uint_eq(json_object_size(config.dns), 1);
	ck_assert_ptr_null(config.prev_result);
	ck_assert_ptr_null(config.valid);
}
END_TEST

/* What Go writes for what is not there is not there. */
static void expect_defaults(const char *members)
{
	accepted(read_chained(members));
	ck_assert_uint_eq(config.attach_count + config.node_count, 0);
	ck_assert_ptr_null(config.object);
	ck_assert_ptr_null(config.vxlan);
	ck_assert_ptr_null(config.vpcs);
	ck_assert_ptr_null(config.vpc);
	ck_assert_ptr_null(config.vni);
	ck_assert_ptr_null(config.vlan);
	ck_assert_ptr_null(config.ipam);
	ck_assert_ptr_null(config.dns);
	ck_assert_str_eq(config.pin_path, "/sys/fs/bpf");
	ck_assert_uint_eq(config.mtu, 0);
	ck_assert(config.reuse);
	ck_assert(json_is_object(config.prev_result));
}

START_TEST(defaults)
{
	expect_defaults("");
	expect_defaults("'ipam': {}");
	expect_defaults("'object': null, 'attach': null, 'node': null, 'vxlan': null, 'vpcs': null, 'vpc': null,"
			"'pods': null, 'ipam': null, 'dns': null, 'pinPath': null, 'mtu': null, "
			"'reuse': null");
	accepted(read_chained("'vxlan': {'dev': 'v'}"));
	ck_assert_uint_eq(config.vxlan_port, 4789);
	ck_assert_uint_eq(config.vxlan_mtu, 0);
}
END_TEST

START_TEST(directions)
{
	static const struct {
		const char *members;
		enum bpfstamp_direction direction;
	} all[] = {
		{ "", BPFSTAMP_EGRESS }, { "'hook': 'tcx'", BPFSTAMP_EGRESS }, { "'hook': 'auto'", BPFSTAMP_EGRESS },
		{ "'hook': 'netkit'", BPFSTAMP_PRIMARY }, { "'hook': 'xdp'", BPFSTAMP_INGRESS },
		{ "'hook': 'netkit', 'direction': 'peer'", BPFSTAMP_PEER },
		{ "'hook': 'xdp', 'direction': 'ingress'", BPFSTAMP_INGRESS },
		{ "'hook': 'tcx', 'direction': 'ingress'", BPFSTAMP_INGRESS },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		accepted(read_attach(all[i].members));
		ck_assert_int_eq(config.attach[0].hook.direction, all[i].direction);
	}
	refused(read_attach("'hook': 'xdp', 'direction': 'egress'"), CNI_CONFIG,
		"attach[0].direction does not go with hook xdp");
	refused(read_attach("'direction': 'peer'"), CNI_CONFIG, "attach[0].direction does not go with hook clsact");
	refused(read_attach("'hook': 'netkit', 'direction': 'ingress'"), CNI_CONFIG, "does not go with hook netkit");
	refused(read_attach("'direction': 'ingres'"), CNI_CONFIG,
		"'ingres' is none of egress, ingress, primary, peer; did you mean 'ingress'?");
	refused(read_attach("'hook': 'tc'"), CNI_CONFIG,
		"attach[0].hook: 'tc' is none of clsact, tcx, netkit, xdp, auto");
}
END_TEST

START_TEST(standalone_or_chained)
{
	refused(read_text("{'name': 'n'}"), CNI_CONFIG, "prevResult is missing");
	refused(read_text("{'name': 'n', 'prevResult': null, 'ipam': {}}"), CNI_CONFIG, "prevResult is missing");
	refused(read_text("{'name': 'n', 'prevResult': []}"), CNI_DECODE, "prevResult is an array: expected");
	refused(read_chained("'ipam': {'type': 'host-local'}"), CNI_CONFIG, "prevResult and ipam");
	refused(read_chained("'mtu': 1400"), CNI_CONFIG, "mtu is that of the interface that is made where ipam is");
	accepted(read_text("{'name': 'n', 'ipam': {'type': 'host-local'}, 'mtu': 1400}"));
	request.command = CNI_CHECK;
	accepted(read_chained("'ipam': {'type': 'host-local'}"));
	refused(read_text("{'name': 'n', 'ipam': {'type': 'host-local'}}"), CNI_CONFIG, "prevResult is missing");
	request.command = CNI_STATUS;
	accepted(read_text("{'name': 'n'}"));
	accepted(read_text("{'name': 'n', 'ipam': {'type': 'host-local'}}"));
	refused(read_text("{'name': 'n', 'atach': 1}"), CNI_UNSUPPORTED, "atach");
}
END_TEST

START_TEST(ipam)
{
	refused(read_text("{'name': 'n', 'ipam': 'dhcp'}"), CNI_DECODE, "ipam is a text: expected an object");
	refused(read_text("{'name': 'n', 'ipam': {'subnet': ''}}"), CNI_CONFIG, "ipam.type is missing");
	refused(read_text("{'name': 'n', 'ipam': {'type': ''}}"), CNI_CONFIG, "ipam.type is empty");
	refused(read_text("{'name': 'n', 'ipam': {'type': 7}}"), CNI_DECODE, "ipam.type is a number");
	refused(read_text("{'name': 'n', 'ipam': {'type': '../evil'}}"), CNI_CONFIG, "'../evil' is no name of a");
	refused(read_text("{'name': 'n', 'ipam': {'type': '..'}}"), CNI_CONFIG, "'..' is no name of a plugin");
}
END_TEST

/* --------------------------------------------------------------- names */

static int read_named(const char *name)
{
	return read_form("{'name': '%s', 'prevResult': {}}", name);
}

START_TEST(names)
{
	static const char *const bad[] = { ".n", "-n", "_n", "a/b", "a b", "../x", "a:b", "\xc3\xa4", "a\\n" };

	accepted(read_named("a-._0"));
	accepted(read_named("0"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(read_named(bad[i]), CNI_CONFIG, "name: '");
	refused(read_named(""), CNI_CONFIG, "name is empty");
	refused(read_text("{'prevResult': {}}"), CNI_CONFIG, "name is missing");
	refused(read_text("{'name': ['n']}"), CNI_DECODE, "name is an array");
}
END_TEST

START_TEST(lengths_of_names)
{
	char name[256], container[256];

	memset(name, 'n', sizeof(name));
	name[200 - strlen("c1") - strlen("eth0")] = '\0';
	accepted(read_named(name));
	strcat(name, "n");
	refused(read_named(name), CNI_CONFIG, "more than 200 bytes together");
	memset(container, 'c', sizeof(container));
	container[195] = '\0';
	request.container = container;
	accepted(read_named("n"));
	refused(read_named("nn"), CNI_CONFIG, "CNI_CONTAINERID");
	request.command = CNI_GC;
	request.container = request.ifname = "";
	memset(name, 'n', 201);
	name[201] = '\0';
	refused(read_named(name), CNI_CONFIG, "more than 200 bytes together");
}
END_TEST

/* -------------------------------------------------------------- ranges */

/* The members with a number put into them. */
static int read_number(int (*read)(const char *members), const char *members, const char *number)
{
	char text[1024];

	snprintf(text, sizeof(text), members, number);
	return read(text);
}

static int read_standalone(const char *members)
{
	return read_form("{'name': 'n', 'ipam': {'type': 'i'}, %s}", members);
}

START_TEST(ranges)
{
	static const struct {
		int (*read)(const char *members);
		const char *members, *low, *high, *below, *above, *error;
	} all[] = {
		{ read_standalone, "'mtu': %s", "68", "65535", "67", "65536", "mtu is 65536: it can be 68 to 65535" },
		{ read_chained, "'vxlan': {'dev': 'v', 'mtu': %s}", "68", "65535", "67", "65536", "mtu is 65536" },
		{ read_chained, "'vxlan': {'dev': 'v', 'port': %s}", "1", "65535", "0", "65536", "port is 65536" },
		{ read_attach, "'prio': %s", "1", "65535", "0", "65536", "attach[0].prio is 65536: it can be 1" },
		{ read_attach, "'handle': %s", "1", "4294967295", "0", "4294967296", "handle is 4294967296" },
		{ read_node, "'dev': 'v', 'prio': %s", "1", "65535", "-1", "65536", "node[0].prio is 65536" },
		{ read_chained, "'pods': {'vni': %s}", "1", "16777215", "0", "16777216",
		  "a VNI is 1 to 16777215, not 16777216: "
		  "it has 24 bits, and 0 stands for no network" },
		{ read_chained, "'pods': {'vlan': %s}", "1", "4094", "0", "4095",
		  "a VLAN id is 1 to 4094, not 4095: 0 stands for "
		  "no VLAN, and 4095 is reserved" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		accepted(read_number(all[i].read, all[i].members, all[i].low));
		accepted(read_number(all[i].read, all[i].members, all[i].high));
		refused(read_number(all[i].read, all[i].members, all[i].below), CNI_CONFIG, all[i].below);
		refused(read_number(all[i].read, all[i].members, "-9223372036854775808"), CNI_CONFIG,
			"-9223372036854775808");
		refused(read_number(all[i].read, all[i].members, "9223372036854775807"), CNI_CONFIG,
			"9223372036854775807");
		refused(read_number(all[i].read, all[i].members, all[i].above), CNI_CONFIG, all[i].error);
		refused(read_number(all[i].read, all[i].members, "1.0"), CNI_DECODE, "is a fraction");
	}
}
END_TEST

START_TEST(networks)
{
	uint32_t network = 77;

	accepted(read_chained("'pods': {'vni': '${vpc.vni}'}"));
	accepted(config_network(&config, 0xffffff, &network, &err));
	ck_assert_uint_eq(network, 0xffffff);
	ck_assert_int_eq(config_network(&config, 0x1000000, &network, &err), -1);
	accepted(read_chained("'pods': {'vlan': '100'}"));
	accepted(config_network(&config, 100, &network, &err));
	ck_assert_uint_eq(network, BPFSTAMP_VPC_VLAN | 100);
	accepted(read_chained("'pods': {'vlan': '100', 'ad': true}"));
	accepted(config_network(&config, 4094, &network, &err));
	ck_assert_uint_eq(network, BPFSTAMP_VPC_VLAN_AD | 4094);
	ck_assert_int_eq(config_network(&config, 4095, &network, &err), -1);
	ck_assert_int_eq(config_network(&config, -1, &network, &err), -1);
	ck_assert_uint_eq(network, BPFSTAMP_VPC_VLAN_AD | 4094);
	refused(read_chained("'pods': {}"), CNI_CONFIG, "pods has neither vni nor vlan");
	refused(read_chained("'pods': {'vni': 1, 'vlan': 1}"), CNI_CONFIG, "pods has both vni and vlan");
	refused(read_chained("'pods': {'vni': 1, 'ad': true}"), CNI_CONFIG, "pods.ad does not go with vni");
	refused(read_chained("'pods': {'vni': [1]}"), CNI_DECODE, "pods.vni is an array");
	refused(read_chained("'pods': {'vlan': 1, 'ad': 1}"), CNI_DECODE, "pods.ad is a number: expected a boolean");
	refused(read_chained("'pods': [1]"), CNI_DECODE, "pods is an array: expected an object");
}
END_TEST

/* -------------------------------------------------------- unknown, types */

START_TEST(unknown_keys)
{
	refused(read_chained("'atach': []"), CNI_UNSUPPORTED, "unknown key atach ([]); did you mean 'attach'?");
	refused(read_chained("'bridge': 'cni0'"), CNI_UNSUPPORTED, "unknown key bridge (\"cni0\")");
	refused(read_chained("'cni.de/x': 1"), CNI_UNSUPPORTED, "cni.de/x");
	refused(read_chained("'': 1"), CNI_UNSUPPORTED, "unknown key  (1)");
	refused(read_chained("'a\\nb': '\\u00e4\\u0001'"), CNI_UNSUPPORTED, "unknown key a?b (\"\\u00E4\\u0001\")");
	refused(read_attach("'prog': 'p'"), CNI_UNSUPPORTED,
		"unknown key attach[0].prog (\"p\"); did you mean 'prio'?");
	refused(read_attach("'xdpmode': 'any'"), CNI_UNSUPPORTED, "did you mean 'xdpMode'?");
	refused(read_node("'dev': 'v', 'force': true"), CNI_UNSUPPORTED, "unknown key node[0].force (true)");
	refused(read_chained("'vxlan': {'dev': 'v', 'vni': 7}"), CNI_UNSUPPORTED, "unknown key vxlan.vni (7)");
	refused(read_chained("'pods': {'vnis': 7}"), CNI_UNSUPPORTED,
		"unknown key pods.vnis (7); did you mean 'vni'");
	accepted(read_chained("'cni.dev/anything': 1"));
}
END_TEST

START_TEST(long_unknown_values)
{
	char members[4096] = "'x': [1";

	for (int i = 0; i < 1000; i++)
		strcat(members, ",2");
	strcat(members, "]");
	refused(read_chained(members), CNI_UNSUPPORTED, "...)");
	ck_assert_uint_lt(strlen(err.text), 200);
}
END_TEST

START_TEST(types)
{
	refused(read_chained("'object': 7"), CNI_DECODE, "object is a number: expected a text");
	refused(read_chained("'attach': {}"), CNI_DECODE, "attach is an object: expected an array");
	refused(read_chained("'attach': [7]"), CNI_DECODE, "attach[0] is no object");
	refused(read_chained("'node': 'v'"), CNI_DECODE, "node is a text");
	refused(read_chained("'vxlan': 'v'"), CNI_DECODE, "vxlan is a text");
	refused(read_chained("'vxlan': {'dev': true}"), CNI_DECODE, "vxlan.dev is a boolean");
	refused(read_chained("'vpc': {}, 'vpcs': '/x'"), CNI_DECODE, "vpc is an object");
	refused(read_chained("'dns': []"), CNI_DECODE, "dns is an array");
	refused(read_attach("'program': false"), CNI_DECODE, "attach[0].program is a boolean");
	refused(read_attach("'inline': 'true'"), CNI_DECODE, "attach[0].inline is a text");
	refused(read_attach("'set': ['a=1']"), CNI_DECODE, "attach[0].set is an array");
	refused(read_attach("'set': {'a': null}"), CNI_DECODE, "attach[0].set.a is null: expected a text,");
	refused(read_attach("'set': {'a': 1.5}"), CNI_DECODE, "attach[0].set.a is a fraction");
	refused(read_attach("'set': {'a': {'b': 1}}"), CNI_DECODE, "attach[0].set.a is an object");
	refused(read_attach("'hook': 0"), CNI_DECODE, "attach[0].hook is a number");
	refused(read_attach("'prio': '1'"), CNI_DECODE, "attach[0].prio is a text");
}
END_TEST

START_TEST(missing_and_empty)
{
	refused(read_chained("'attach': [{}]"), CNI_CONFIG, "attach[0].object is missing");
	refused(read_chained("'attach': [{'object': '/a.o'}, {}]"), CNI_CONFIG, "attach[1].object is missing");
	refused(read_chained("'object': ''"), CNI_CONFIG, "object is empty");
	refused(read_chained("'object': 'vpc.o'"), CNI_CONFIG, "object: 'vpc.o' is no absolute path");
	refused(read_attach("'object': './vpc.o'"), CNI_CONFIG, "attach[0].object: './vpc.o' is no absolute path");
	refused(read_chained("'pinPath': 'bpf'"), CNI_CONFIG, "pinPath: 'bpf' is no absolute path");
	refused(read_chained("'vxlan': {}"), CNI_CONFIG, "vxlan.dev is missing");
	refused(read_chained("'vxlan': {'dev': 'a/b'}"), CNI_CONFIG, "vxlan.dev: 'a/b' is no name of an interface");
	refused(read_chained("'vpc': 'red'"), CNI_CONFIG, "vpcs is missing");
	refused(read_chained("'vpcs': '/x'"), CNI_CONFIG, "vpc is missing");
	refused(read_chained("'vpcs': 'x', 'vpc': 'red'"), CNI_CONFIG, "vpcs: 'x' is no absolute path");
	refused(read_attach("'program': ''"), CNI_CONFIG, "attach[0].program is empty");
	refused(read_attach("'set': {'': 1}"), CNI_CONFIG, "attach[0].set has an empty name");
	refused(read_attach("'dev': 'eth0'"), CNI_CONFIG, "attach[0].dev: 'eth0' is neither host nor pod");
	refused(read_node(""), CNI_CONFIG, "node[0].dev is missing");
	refused(read_node("'dev': 'a b'"), CNI_CONFIG, "node[0].dev: 'a b' is no name of an interface");
}
END_TEST

START_TEST(long_paths)
{
	char path[1100], members[1200];

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[1024] = '\0';
	snprintf(members, sizeof(members), "'object': '%s'", path);
	accepted(read_chained(members));
	ck_assert_uint_eq(strlen(config.object), 1024);
	path[1024] = 'x';
	path[1025] = '\0';
	snprintf(members, sizeof(members), "'object': '%s'", path);
	refused(read_chained(members), CNI_CONFIG, "is longer than 1024 bytes");
}
END_TEST

/* -------------------------------------------------------------- places */

START_TEST(what_goes_with_a_hook)
{
	refused(read_attach("'hook': 'tcx', 'prio': 1"), CNI_CONFIG, "attach[0].prio does not go with hook tcx");
	refused(read_attach("'hook': 'xdp', 'handle': 1"), CNI_CONFIG, "attach[0].handle does not go with hook xdp");
	refused(read_attach("'xdpMode': 'generic'"), CNI_CONFIG, "attach[0].xdpMode does not go with hook clsact");
	accepted(read_attach("'hook': 'auto', 'prio': 2, 'handle': 3"));
	accepted(read_attach("'hook': 'xdp', 'xdpMode': 'generic'"));
}
END_TEST

static int read_two(const char *first, const char *second)
{
	return read_form(CHAINED ", 'object': '/x.o', 'attach': [{%s}, {%s}]}", first, second);
}

START_TEST(places)
{
	refused(read_two("", ""), CNI_CONFIG, "attach[1] has the place of attach[0]: give it another prio or handle");
	refused(read_two("'hook': 'auto'", ""), CNI_CONFIG, "attach[1] has the place of attach[0]");
	refused(read_two("'prio': 7", "'prio': 7, 'dev': 'host'"), CNI_CONFIG, "has the place");
	refused(read_two("'hook': 'xdp'", "'hook': 'xdp', 'xdpMode': 'generic'"), CNI_CONFIG,
		"has the place of attach[0]");
	accepted(read_two("", "'prio': 2"));
	accepted(read_two("", "'handle': 2"));
	accepted(read_two("", "'direction': 'ingress'"));
	accepted(read_two("", "'dev': 'pod'"));
	accepted(read_two("'hook': 'tcx'", "'hook': 'tcx'"));
	accepted(read_two("'hook': 'tcx'", ""));
	accepted(read_two("'hook': 'xdp'", "'direction': 'ingress'"));
}
END_TEST

START_TEST(count_of_attachments)
{
	char members[4096] = "'object': '/x.o', 'node': [{'dev': 'd0'}";

	for (int i = 1; i < CNI_ATTACHMENTS; i++)
		sprintf(members + strlen(members), ", {'dev': 'd%d'}", i);
	strcat(members, "]");
	accepted(read_chained(members));
	ck_assert_uint_eq(config.node_count, CNI_ATTACHMENTS);
	strcpy(strrchr(members, ']'), ", {'dev': 'last'}]");
	refused(read_chained(members), CNI_CONFIG, "node has 17 elements: at most 16 can be");
}
END_TEST

/* --------------------------------------------------------- DEL and GC */

/* A configuration that was spoilt after ADD does not keep its pods. */
START_TEST(deletes_whatever_else_is_wrong)
{
	static const char spoilt[] = "{'name': 'n', 'pinPath': '/b', 'atach': 1, 'attach': 7, 'vxlan': {},"
		"'pods': {'vlan': 0}, 'ipam': {'type': 'host-local'}, 'prevResult': 7, 'vpc': 'x', 'mtu': 1,"
		"'cni.dev/valid-attachments': []}";

	request.command = CNI_DEL;
	accepted(read_text(spoilt));
	ck_assert_str_eq(config.name, "n");
	ck_assert_str_eq(config.pin_path, "/b");
	ck_assert_ptr_nonnull(config.ipam);
	ck_assert_ptr_null(config.vpc);
	ck_assert_ptr_null(config.vlan);
	request.command = CNI_GC;
	accepted(read_text(spoilt));
	ck_assert(json_is_array(config.valid));
	request.command = CNI_DEL;
	refused(read_text("{'pinPath': '/b'}"), CNI_CONFIG, "name is missing");
	refused(read_text("{'name': 'n', 'pinPath': 'b'}"), CNI_CONFIG, "pinPath");
	accepted(read_text("{'name': 'n'}"));
}
END_TEST

static int read_valid(const char *valid)
{
	return read_form("{'name': 'n', 'cni.dev/valid-attachments': %s}", valid);
}

START_TEST(valid_attachments)
{
	request.command = CNI_GC;
	accepted(read_valid("[{'containerID': 'c', 'ifname': 'eth0'}, {'containerID': '', 'ifname': 'x', "
			    "'more': 1}]"));
	ck_assert_uint_eq(json_array_size(config.valid), 2);
	accepted(read_valid("[]"));
	accepted(read_valid("null"));
	ck_assert_uint_eq(json_array_size(config.valid), 0);
	refused(read_text("{'name': 'n'}"), CNI_CONFIG, "cni.dev/valid-attachments is missing");
	refused(read_valid("{}"), CNI_DECODE, "cni.dev/valid-attachments is no array");
	refused(read_valid("[{'containerID': 'c', 'ifname': 'e'}, 'c']"), CNI_DECODE,
		"cni.dev/valid-attachments[1] has no containerID and ifname");
	refused(read_valid("[{'containerID': 'c'}]"), CNI_DECODE, "has no containerID and ifname");
	refused(read_valid("[{'containerID': 7, 'ifname': 'eth0'}]"), CNI_DECODE, "has no containerID and ifname");
	request.command = CNI_ADD;
	accepted(read_chained("'cni.dev/valid-attachments': 7"));
	ck_assert_ptr_null(config.valid);
}
END_TEST

Suite *suite_cni_config(void)
{
	Suite *suite = suite_create("cni_config");
	TCase *tests = tcase_create("config");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, everything);
	tcase_add_test(tests, defaults);
	tcase_add_test(tests, directions);
	tcase_add_test(tests, standalone_or_chained);
	tcase_add_test(tests, ipam);
	tcase_add_test(tests, names);
	tcase_add_test(tests, lengths_of_names);
	tcase_add_test(tests, ranges);
	tcase_add_test(tests, networks);
	tcase_add_test(tests, unknown_keys);
	tcase_add_test(tests, long_unknown_values);
	tcase_add_test(tests, types);
	tcase_add_test(tests, missing_and_empty);
	tcase_add_test(tests, long_paths);
	tcase_add_test(tests, what_goes_with_a_hook);
	tcase_add_test(tests, places);
	tcase_add_test(tests, count_of_attachments);
	tcase_add_test(tests, deletes_whatever_else_is_wrong);
	tcase_add_test(tests, valid_attachments);
	suite_add_tcase(suite, tests);
	return suite;
}
