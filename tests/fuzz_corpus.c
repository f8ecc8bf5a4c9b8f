// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writes seeds for the fuzz targets: `fuzz_corpus DIR` fills DIR/elf64, btf,
 * insn, netlink, object, record and value, each in the format that fuzz_NAME.c reads.
 *
 * Objects are made by hand in both byte orders and, where clang is found, as
 * realobj.h says, compiled of every *.bpf.c in bpf/ and tests/objects/; run it
 * from the project's folder.  A target that reads a part of an object gets that
 * part of each of them.
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <linux/netlink.h>

#include "bpfinsn/bpfinsn.h"
#include "include/bytes.h"
#include "loader/record.h"
#include "netlink/linkmake.h"
#include "netlink/tcmsg.h"
#include "tests/btfgen.h"
#include "tests/elfgen.h"
#include "tests/realobj.h"

static const char *top;

/* Write one seed of a target; its name is a running number. */
static void seed(const char *target, const void *head, size_t head_size, const void *bytes, size_t size)
{
	static unsigned int number;
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", top, target);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/seed-%03u", top, target, number++);
	file = fopen(path, "wb");
	if (!file || fwrite(head, 1, head_size, file) != head_size || fwrite(bytes, 1, size, file) != size ||
	    fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void seed_btf(const void *btf, size_t size, const void *ext, size_t ext_size)
{
	uint8_t *both = malloc(size + ext_size + 1), split[4];

	if (!both)
		abort();
	memcpy(both, btf, size);
	if (ext_size)
		memcpy(both + size, ext, ext_size);
	bytes_put32(split, (uint32_t)size, false);
	seed("btf", split, sizeof(split), both, size + ext_size);
	free(both);
}

/* A record of all values of an object, with one of its data maps and its BTF (tests/fuzz_record.c). */
static void seed_running(const struct bpfstamp_stamp *s, uint32_t datasec, uint32_t map_size, const uint8_t *btf,
			 size_t btf_bytes)
{
	struct bpfstamp_err err;
	uint8_t *record = NULL, *all, head[6];
	uint32_t room = 0, size;

	if (record_make(s, NULL, &record, &room, &size, &err) || size > UINT16_MAX || map_size > UINT16_MAX) {
		free(record);
		return;
	}
	bytes_put16(head, (uint16_t)size, false);
	bytes_put16(head + 2, (uint16_t)map_size, false);
	bytes_put16(head + 4, (uint16_t)datasec, false);
	all = calloc(1, size + map_size + btf_bytes);
	if (!all)
		abort();
	memcpy(all, record, size);
	memcpy(all + size + map_size, btf, btf_bytes);
	seed("record", head, sizeof(head), all, size + map_size + btf_bytes);
	free(all);
	free(record);
}

static void seed_maps(const uint8_t *bytes, size_t size, const uint8_t *btf, size_t btf_bytes)
{
	struct bpfstamp_template *t;
	struct bpfstamp_stamp *s;
	struct bpfstamp_err err;

	if (bpfstamp_open(&t, bytes, size, "seed.o", &err))
		return;
	if (!bpfstamp_inline(t, &err) && !bpfstamp_stamp_new(&s, t, &err)) {
		memset(s->touched, 1, t->injectable_count);
		for (uint32_t i = 0; i < t->data_count; i++)
			seed_running(s, btf_find(&t->btf, BTF_DATASEC, t->datas[i].name), t->datas[i].size, btf,
				     btf_bytes);
		bpfstamp_stamp_free(s);
	}
	bpfstamp_close(t);
}

/* An object, and its parts. */
static void seed_object(const uint8_t *bytes, size_t size)
{
	struct elf64_section btf = { 0 }, ext = { 0 }, section;
	struct elf64_fault fault;
	struct elf64 elf;

	seed("elf64", "", 0, bytes, size);
	seed("object", "", 0, bytes, size);
	seed("rewrite", "\x98\xba\xdc\xfe\x78\x56\x34\x12", 8, bytes, size);
	if (elf64_open(&elf, bytes, size, &fault))
		return;
	for (uint32_t i = 1; i < elf.section_count; i++) {
		elf64_section(&elf, i, &section);
		if (section.flags & ELF64_SHF_EXECINSTR && section.bytes && section.size)
			seed("insn", "", 0, section.bytes, section.size);
	}
	elf64_section(&elf, elf64_find(&elf, ".BTF"), &btf);
	elf64_section(&elf, elf64_find(&elf, ".BTF.ext"), &ext);
	if (btf.bytes) {
		seed_btf(btf.bytes, btf.size, ext.bytes, ext.bytes ? ext.size : 0);
		seed_btf(btf.bytes, btf.size, btf.bytes, btf.size);	/* as split BTF, it refers to base */
		seed_maps(bytes, size, btf.bytes, btf.size);
	}
}

/* -------------------------------------------------------------- by hand */

static void add_btf(struct elfgen *elf, bool big)
{
	struct btfgen *gen = btfgen_new(big);
	uint32_t u32 = btfgen_type(gen, "__u32", BTF_INT, 0, 4), var, proto, func;
	uint8_t *bytes, *ext;
	size_t size, ext_size;

	btfgen_word(gen, 32);
	var = btfgen_type(gen, "g", BTF_VAR, 0, u32);
	btfgen_word(gen, 1);
	btfgen_type(gen, ".data", BTF_DATASEC, 1, 0);
	btfgen_words(gen, var, 0, 4);
	btfgen_type(gen, "color", BTF_ENUM, 1 | BTFGEN_FLAG, 4);
	btfgen_word(gen, btfgen_string(gen, "RED"));
	btfgen_word(gen, 1);
	proto = btfgen_type(gen, "", BTF_FUNC_PROTO, 0, u32);
	func = btfgen_type(gen, "prog", BTF_FUNC, 1, proto);
	btfgen_ext_word(gen, BTF_EXT_FUNC, 8);
	btfgen_ext_word(gen, BTF_EXT_FUNC, btfgen_string(gen, "tc"));
	btfgen_ext_word(gen, BTF_EXT_FUNC, 1);
	btfgen_ext_word(gen, BTF_EXT_FUNC, 0);
	btfgen_ext_word(gen, BTF_EXT_FUNC, func);
	bytes = btfgen_finish(gen, &size, &ext, &ext_size);
	elfgen_section(elf, &(struct elf64_section){ .name = ".BTF", .type = ELF64_SHT_PROGBITS, .bytes = bytes,
						     .size = size });
	elfgen_section(elf, &(struct elf64_section){ .name = ".BTF.ext", .type = ELF64_SHT_PROGBITS, .bytes = ext,
						     .size = ext_size });
	free(bytes);
	free(ext);
}

/* A stamp site, a symbol, a global, one placeholder, a call into .text. */
static void by_hand(bool big, bool with_btf)
{
	static const struct bpfinsn code[] = {
		{ .code = 0x18, .dst = 1, .imm = 7 }, { 0 }, { .code = 0x18, .dst = 2 }, { 0 },
		{ .code = 0x18, .dst = 3 }, { 0 }, { .code = 0xb4, .dst = 4, .imm = (int32_t)0xFEDCBA98 },
		{ .code = 0x85, .src = 1, .imm = -1 }, { .code = 0x95 },
	};
	const struct elf64_section text = { .flags = ELF64_SHF_ALLOC | ELF64_SHF_EXECINSTR, .addralign = 8,
					    .type = ELF64_SHT_PROGBITS };
	uint8_t raw[sizeof(code) / sizeof(code[0]) * 8], record[24] = { [16] = 4, 0, 24, 1, 'v', 'n', 'i' };
	struct elf64_section section = text;
	struct elfgen *gen = elfgen_new(big);
	uint32_t tc, sub, data, records, tc_symbol;
	uint8_t *bytes;
	size_t size;

	for (size_t i = 0; i < sizeof(code) / sizeof(code[0]); i++)
		bpfinsn_encode(raw + 8 * i, big, &code[i]);
	section.name = "tc";
	section.bytes = raw;
	section.size = sizeof(raw);
	tc = elfgen_section(gen, &section);
	section.name = ".text";
	section.bytes = raw + sizeof(raw) - 8;
	section.size = 8;
	sub = elfgen_section(gen, &section);
	data = elfgen_section(gen, &(struct elf64_section){ .name = ".data", .type = ELF64_SHT_PROGBITS, .bytes = raw,
							    .flags = ELF64_SHF_ALLOC, .size = 4 });
	elfgen_section(gen, &(struct elf64_section){ .name = ".bss", .type = ELF64_SHT_NOBITS, .size = 8,
						     .flags = ELF64_SHF_ALLOC });
	records = elfgen_section(gen, &(struct elf64_section){ .name = ".bpfstamp", .type = ELF64_SHT_PROGBITS,
							       .bytes = record, .size = 24 });
	tc_symbol = elfgen_symbol(gen, &(struct elf64_symbol){ .type = ELF64_STT_SECTION, .section = tc });
	elfgen_rel(gen, records, &(struct elf64_reloc){ .type = 2, .symbol = tc_symbol });
	elfgen_rel(gen, tc, &(struct elf64_reloc){ .offset = 16, .type = 1, .symbol = elfgen_symbol(gen,
		&(struct elf64_symbol){ .name = "y", .bind = ELF64_STB_GLOBAL }) });
	elfgen_rel(gen, tc, &(struct elf64_reloc){ .offset = 32, .type = 1, .symbol = elfgen_symbol(gen,
		&(struct elf64_symbol){ .name = "g", .bind = ELF64_STB_GLOBAL, .type = ELF64_STT_OBJECT,
					.section = data, .size = 4 }) });
	elfgen_rel(gen, tc, &(struct elf64_reloc){ .offset = 56, .type = 10, .symbol = elfgen_symbol(gen,
		&(struct elf64_symbol){ .name = "sub", .bind = ELF64_STB_GLOBAL, .type = ELF64_STT_FUNC,
					.section = sub, .size = 8 }) });
	elfgen_rel(gen, tc, &(struct elf64_reloc){ .offset = sizeof(raw) - 1 });	/* R_BPF_NONE: anywhere */
	elfgen_symbol(gen, &(struct elf64_symbol){ .name = "prog", .bind = ELF64_STB_GLOBAL, .section = tc,
						   .type = ELF64_STT_FUNC, .size = sizeof(raw) });
	if (with_btf)
		add_btf(gen, big);
	bytes = elfgen_finish(gen, &size);
	seed_object(bytes, size);
	free(bytes);
}

/* ------------------------------------------------------------- compiled */

static void compile_all(const char *pattern)
{
	static const char flags[] =
		"-w -iquote . -iquote include -iquote bpf -isystem /usr/include/$(gcc -print-multiarch)";
	static const char *const targets[] = { "bpfel", "bpfeb" };
	glob_t found;
	char source[512];

	if (glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i < 2 * found.gl_pathc; i++) {
		uint8_t *bytes;
		size_t size;

		snprintf(source, sizeof(source), "#include \"%s\"\n", found.gl_pathv[i / 2]);
		bytes = realobj_compile(targets[i % 2], flags, source, &size);
		if (bytes)
			seed_object(bytes, size);
		free(bytes);
	}
	globfree(&found);
}

/* --------------------------------------------------------------- netlink */

/* Conversations in which the kernel says a message, and that this was all, in one datagram or in two. */
static void netlink_talks(const struct nlmsghdr *said)
{
	static const uint32_t done[] = { 20, 0x00020003, 0, 0, 0 };
	uint16_t length = (uint16_t)said->nlmsg_len, end = sizeof(done);
	uint8_t talk[TCMSG_BUFFER + 64];
	size_t size;

	for (uint8_t which = 0; which < 14; which++) {
		for (int split = 0; split < 2; split++) {
			uint16_t first = (uint16_t)(split ? length : length + end);

			talk[0] = which;
			memcpy(talk + 1, &first, 2);
			memcpy(talk + 3, said, length);
			size = 3u + length;
			if (split)
				memcpy(talk + size, &end, 2);
			size += split ? 2 : 0;
			memcpy(talk + size, done, sizeof(done));
			seed("netlink", "", 0, talk, size + sizeof(done));
		}
	}
}

/* Conversations in which the kernel says (NLMSG_ERROR, capped) that something is there, and then that it is this. */
static void netlink_exists(const uint32_t refusal[9], const struct nlmsghdr *said)
{
	static const uint32_t done[] = { 20, 0x00020003, 0, 0, 0 };
	uint16_t length = (uint16_t)(said->nlmsg_len + sizeof(done)), first = 36;
	uint8_t talk[TCMSG_BUFFER + 64];

	for (uint8_t which = 10; which < 14; which++) {
		talk[0] = which;
		memcpy(talk + 1, &first, 2);
		memcpy(talk + 3, refusal, first);
		memcpy(talk + 39, &length, 2);
		memcpy(talk + 41, said, said->nlmsg_len);
		memcpy(talk + 41 + said->nlmsg_len, done, sizeof(done));
		seed("netlink", "", 0, talk, 41u + length);
	}
}

static void netlink_made(void)
{
	static const uint32_t refusal[9] = { 36, 0x01000002, 0, 0, (uint32_t)-EEXIST };
	static const uint8_t address[16] = { 0x20, 1, 0x0d, 0xb8 };
	uint32_t buf[LINKMAKE_BUFFER / 4];

	netlink_exists(refusal, linkmake_new_vxlan(buf, "va", 4789, 1450));
	netlink_exists(refusal, linkmake_new_address(buf, 2, AF_INET6, address, 64));
	netlink_exists(refusal, linkmake_new_route(buf, 2, AF_INET6, address, 32, address));
}

static void netlink_messages(void)
{
	const struct tc_filter f = { .ifindex = 2, .parent = 0xfffffff3, .handle = 1, .prio = 1, .protocol = 3,
				     .kind = "bpf", .fd = 4, .direct_action = true, .name = "bpfstamp:prog" };
	uint32_t buf[TCMSG_BUFFER / 4] = { 0 };
	struct nlmsghdr *nlh = tcmsg_filter_new(buf, &f, true);
	/* NLMSG_ERROR, capped, with a text for the user. */
	static const uint32_t error[] = { 52, 0x03000002, 1, 0, 0xffffffef, 52, 0x0501002c, 1, 0,
					  0x0001000e, 0x6c637845, 0x76697375, 0x00000065 };

	seed("netlink", "", 0, buf, nlh->nlmsg_len);
	netlink_talks(nlh);
	nlh = tcmsg_clsact_new(buf, 2);
	seed("netlink", "", 0, buf, nlh->nlmsg_len);
	netlink_talks(nlh);
	nlh = linkmake_new_vxlan(buf, "va", 4789, 1450);
	seed("netlink", "", 0, buf, nlh->nlmsg_len);
	netlink_talks(nlh);
	nlh = tcmsg_filter_get(buf, &f);
	seed("netlink", "", 0, buf, nlh->nlmsg_len);
	seed("netlink", "", 0, error, sizeof(error));
}

static void value_texts(void)
{
	static const char *const texts[] = {
		"", "0", "7", "-1", "+5", "255", "256", "0xFEDCBA98", "0b1010", "0o17", "18446744073709551615",
		"18446744073709551616", "-9223372036854775808", "true", "false", "10.0.0.2", "::1", "2001:db8::1",
		"00:11:22:33:44:55", "be16:80", "be32:1", "be64:1", "le16:80", "le32:-1", "le64:1", "hex:00ff",
		"hex:0011223344556677", "hex:0", "RED", "eth0",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (uint8_t form = 0; form < 6; form++)
			seed("value", (uint8_t[]){ form, 2, 31, 0 }, 4, texts[i], strlen(texts[i]));
}

/* A request (tests/fuzz_cni.c): the command, the environment, and the configuration, with ' for ". */
static void cni_request(uint8_t command, const char *args, const char *config)
{
	static const char env[] = "c0ffee\0eth0\0/run/netns/a";
	char text[2048];
	size_t size;

	text[0] = (char)command;
	memcpy(text + 1, env, sizeof(env));
	size = 1 + sizeof(env);
	size += (size_t)snprintf(text + size, 128, "%s", args) + 1;
	for (; *config; config++)
		text[size++] = *config == '\'' ? '"' : *config;
	seed("cni", "", 0, text, size);
}

static void cni_requests(void)
{
	static const char *const versions[] = { "0.3.1", "0.4.0", "1.0.0", "1.1.0" };
	static const char chained[] = "{'cniVersion': '%s', 'name': 'net', 'type': 'bpfstamp-cni', 'object': '/x.o',"
		"'attach': [{'program': 'p', 'direction': 'ingress', 'set': {'vni': '${vpc.vni:-${args.VNI}}', "
		"'a': '${ip.0}',"
		"'m': '${mac.host}$$', 'i': '${ifindex.host}', 'c': '${cni.a.b}', 'r': '${runtime.x}', 'on': true, "
		"'n': 7,"
		"'w': '${ip4}${ip6}${ifname}${containerID}${netns}${network}${ifindex.v0x12}'}},"
		"{'dev': 'pod', 'hook': 'xdp', 'xdpMode': 'generic'}], 'node': [{'dev': 'v', 'hook': 'auto', "
		"'prio': 2,"
		"'handle': 3, 'inline': true}], 'vxlan': {'dev': 'v', 'port': 4789, 'mtu': 1450}, 'vpcs': '/t', "
		"'vpc': 'red',"
		"'pods': {'vni': '${args.VNI}'}, 'pinPath': '/b', 'args': {'cni': {'a': {'b': 1}}}, 'runtimeConfig':"
		"{'bpfstamp': {'x': 'y'}}, 'cni.dev/valid-attachments': [{'containerID': 'c', 'ifname': 'e'}], "
		"'prevResult':"
		"{'interfaces': [{'name': 'eth0', 'sandbox': '/run/netns/a'}], 'ips': [{'version': '4', "
		"'interface': 0,"
		"'address': '10.0.0.2/24', 'gateway': '10.0.0.1'}, {'address': 'fd00::2/64'}], "
		"'routes': [{'dst': '::/0',"
		"'gw': 'fd00::1'}], 'dns': {'nameservers': ['10.0.0.1']}}}";
	char config[1800];

	for (uint8_t command = 0; command < 6; command++) {
		for (size_t i = 0; i < 4; i++) {
			snprintf(config, sizeof(config), chained, versions[i]);
			cni_request(command, "IgnoreUnknown=1;VNI=100", config);
		}
	}
	cni_request(0, "", "{'cniVersion': '1.1.0', 'name': 'n', 'ipam': {'type': 'host-local'}, 'mtu': 1400,"
		    "'pods': {'vlan': 4094, 'ad': true}, 'dns': null, 'attach': null}");
	cni_request(0, "", "{'cniVersion': '0.4.0', 'name': 'n', 'prevResult': {'ips': [{'address': '10.0.0.2/24'},"
		    "{'address': 'fd00::2/64', 'gateway': 'fd00::1'}], 'routes': [{'dst': '0.0.0.0/0', "
		    "'gw': '10.0.0.1'}]}}");
	cni_request(0, "A", "{'cniVersion': '0.2.0'}");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: fuzz_corpus DIR\n");
		return 2;
	}
	top = argv[1];
	mkdir(top, 0777);
	for (int i = 0; i < 4; i++)
		by_hand(i & 1, i & 2);
	compile_all("bpf/*.bpf.c");
	compile_all("tests/objects/*.bpf.c");
	netlink_messages();
	netlink_made();
	value_texts();
	cni_requests();
	return 0;
}
