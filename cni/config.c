// SPDX-License-Identifier: BSD-2-Clause
/*
 * The network configuration.  It is the administrator's, but runtimes put
 * their own into it and anybody may have typed it, so nothing of it is taken on
 * trust: each key has a type and a range, a key that nobody knows is an
 * error rather than a setting that does nothing, and names go into paths only
 * after their characters and lengths are known.
 *
 * What can only be known for a pod, because it has ${…} in it, is checked when it is expanded
 * (values.c); but a VNI or VLAN id that stands here as a number is checked here.
 */
#include <string.h>

#include "cni/config.h"
#include "cni/field.h"
#include "include/bpfstamp_vpc.h"
#include "loader/err.h"

enum { NAMES_LENGTH = 200, MTU_MIN = 68, MTU_MAX = 65535, VLAN_MAX = 4094, VNI_MAX = 0xffffff };

static const char default_pin_path[] = "/sys/fs/bpf";

/* The specification's own first; of these, cniVersions and the rest of its line belong to lists of plugins. */
static const char *const keys[] = {
	"cniVersion", "name", "type", "args", "capabilities", "runtimeConfig", "prevResult", "dns", "ipam", "ipMasq",
	"cniVersions", "disableCheck", "disableGC", "loadOnlyInlinedPlugins",
	"object", "attach", "node", "vxlan", "vpcs", "vpc", "pods", "pinPath", "mtu", "reuse", NULL
};

static int missing(const char *key, const char *why, struct bpfstamp_err *err)
{
	return err_set(err, CNI_ERROR + CNI_CONFIG, "%s is missing: %s", key, why);
}

/* ---------------------------------------------------------- any command */

static int read_name(struct cni_config *c, const struct cni_request *r, struct bpfstamp_err *err)
{
	char shown[FIELD_SHOWN];

	if (field_text(&c->name, r->config, "", "name", err))
		return -1;
	if (!c->name)
		return missing("name", "every network has one", err);
	if (!request_is_name(c->name))
		return err_set(err, CNI_ERROR + CNI_CONFIG, "name: '%s' has other characters than A-Z a-z 0-9 _ . -, "
			       "or begins with one of the last three", field_shown(shown, c->name));
	if (r->command == CNI_DEL)
		return 0;		/* of what was not added for its length there is nothing */
	if (strlen(c->name) > NAMES_LENGTH || strlen(r->container) > NAMES_LENGTH ||
	    strlen(c->name) + strlen(r->container) + strlen(r->ifname) > NAMES_LENGTH)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "the name of the network, CNI_CONTAINERID and "
			       "CNI_IFNAME, which go into names of files, have more than %d bytes together",
			       NAMES_LENGTH);
	return 0;
}

static int read_ipam(struct cni_config *c, const struct cni_request *r, struct bpfstamp_err *err)
{
	const char *type = NULL;
	char shown[FIELD_SHOWN];

	if (field_object(&c->ipam, r->config, "", "ipam", err))
		return -1;
	if (!json_object_size(c->ipam)) {
		c->ipam = NULL;
		return 0;
	}
	if (field_text(&type, c->ipam, "ipam.", "type", err))
		return -1;
	if (!type)
		return missing("ipam.type", "the plugin that gives the pod its addresses", err);
	if (strchr(type, '/') || !strcmp(type, ".") || !strcmp(type, ".."))
		return err_set(err, CNI_ERROR + CNI_CONFIG, "ipam.type: '%s' is no name of a plugin",
			       field_shown(shown, type));
	return 0;
}

static int read_valid(struct cni_config *c, const struct cni_request *r, struct bpfstamp_err *err)
{
	static const char key[] = "cni.dev/valid-attachments";
	json_t *pod;
	size_t i;

	c->valid = json_object_get(r->config, key);
	if (!c->valid)
		return missing(key, "without it, GC would remove every pod", err);
	if (!json_is_array(c->valid) && !json_is_null(c->valid))
		return err_set(err, CNI_ERROR + CNI_DECODE, "%s is no array", key);
	json_array_foreach(c->valid, i, pod)
		if (!json_is_string(json_object_get(pod, "containerID")) ||
		    !json_is_string(json_object_get(pod, "ifname")))
			return err_set(err, CNI_ERROR + CNI_DECODE, "%s[%zu] has no containerID and ifname", key, i);
	return 0;
}

/* ------------------------------------------------- ADD, CHECK and STATUS */

static int read_vxlan(struct cni_config *c, const struct cni_request *r, struct bpfstamp_err *err)
{
	static const char *const inner[] = { "dev", "port", "mtu", NULL };
	json_t *vxlan = NULL;
	uint32_t port = 4789;
	char shown[FIELD_SHOWN];

	if (field_object(&vxlan, r->config, "", "vxlan", err))
		return -1;
	if (!vxlan)
		return 0;
	if (field_known(vxlan, "vxlan.", inner, NULL, err) || field_text(&c->vxlan, vxlan, "vxlan.", "dev", err) ||
	    field_number(&port, vxlan, "vxlan.", "port", 1, UINT16_MAX, err) ||
	    field_number(&c->vxlan_mtu, vxlan, "vxlan.", "mtu", MTU_MIN, MTU_MAX, err))
		return -1;
	c->vxlan_port = (uint16_t)port;
	if (!c->vxlan)
		return missing("vxlan.dev", "the name of the VXLAN device", err);
	if (!request_is_ifname(c->vxlan))
		return err_set(err, CNI_ERROR + CNI_CONFIG, "vxlan.dev: '%s' is no name of an interface",
			       field_shown(shown, c->vxlan));
	return 0;
}

int config_network(const struct cni_config *c, int64_t id, uint32_t *out, struct bpfstamp_err *err)
{
	if (c->vlan && (id < 1 || id > VLAN_MAX))
		return err_set(err, CNI_ERROR + CNI_CONFIG, "pods.vlan: a VLAN id is 1 to %d, not %lld: 0 stands for "
			       "no VLAN, and 4095 is reserved", VLAN_MAX, (long long)id);
	if (!c->vlan && (id < 1 || id > VNI_MAX))
		return err_set(err, CNI_ERROR + CNI_CONFIG, "pods.vni: a VNI is 1 to %d, not %lld: it has 24 bits, "
			       "and 0 stands for no network", VNI_MAX, (long long)id);
	*out = (uint32_t)id;
	if (c->vlan)
		*out |= c->vlan_ad ? BPFSTAMP_VPC_VLAN_AD : BPFSTAMP_VPC_VLAN;
	return 0;
}

static int read_pods(struct cni_config *c, const struct cni_request *r, struct bpfstamp_err *err)
{
	static const char *const inner[] = { "vni", "vlan", "ad", NULL };
	json_t *pods = NULL, *id;
	uint32_t network;

	if (field_object(&pods, r->config, "", "pods", err))
		return -1;
	if (!pods)
		return 0;
	if (field_known(pods, "pods.", inner, NULL, err) || field_scalar(&c->vni, pods, "pods.", "vni", err) ||
	    field_scalar(&c->vlan, pods, "pods.", "vlan", err) || field_flag(&c->vlan_ad, pods, "pods.", "ad", err))
		return -1;
	if (!c->vni == !c->vlan)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "pods has %s: it takes one of them",
			       c->vni ? "both vni and vlan" : "neither vni nor vlan");
	if (c->vni && field_get(pods, "ad"))
		return err_set(err, CNI_ERROR + CNI_CONFIG, "pods.ad does not go with vni: 802.1ad is a kind "
			       "of VLAN");
	id = c->vni ? c->vni : c->vlan;
	return json_is_integer(id) ? config_network(c, json_integer_value(id), &network, err) : 0;
}

static int read_vpc(struct cni_config *c, const struct cni_request *r, struct bpfstamp_err *err)
{
	if (field_path(&c->vpcs, r->config, "", "vpcs", err) || field_scalar(&c->vpc, r->config, "", "vpc", err))
		return -1;
	if (c->vpcs && !c->vpc)
		return missing("vpc", "the name of the pod's row in the table of vpcs", err);
	if (c->vpc && !c->vpcs)
		return missing("vpcs", "the path of the table that vpc is looked up in", err);
	return 0;
}

static int read_arrays(struct cni_config *c, const struct cni_request *r, struct bpfstamp_err *err)
{
	json_t *attach = NULL, *node = NULL;

	if (field_array(&attach, r->config, "", "attach", err) || field_array(&node, r->config, "", "node", err))
		return -1;
	return config_attachments(c, attach, false, err) || config_attachments(c, node, true, err) ? -1 : 0;
}

/* What is ours in it, and that nothing else is in it. */
static int read_all(struct cni_config *c, const struct cni_request *r, struct bpfstamp_err *err)
{
	if (field_known(r->config, "", keys, "cni.dev/", err) ||
	    field_path(&c->object, r->config, "", "object", err) ||
	    field_number(&c->mtu, r->config, "", "mtu", MTU_MIN, MTU_MAX, err) ||
	    field_object(&c->dns, r->config, "", "dns", err) ||
	    field_flag(&c->reuse, r->config, "", "reuse", err) ||
	    read_arrays(c, r, err) || read_vxlan(c, r, err) || read_vpc(c, r, err) || read_pods(c, r, err))
		return -1;
	if (c->mtu && !c->ipam)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "mtu is that of the interface that is made where ipam is "
			       "given; without ipam the plugin before makes it");
	return 0;
}

static int read_prev_result(struct cni_config *c, const struct cni_request *r, struct bpfstamp_err *err)
{
	if (field_object(&c->prev_result, r->config, "", "prevResult", err))
		return -1;
	if (r->command == CNI_ADD && !c->prev_result && !c->ipam)
		return missing("prevResult", "put this plugin behind the one that makes the pod's interface, or give "
			       "it ipam", err);
	if (r->command == CNI_ADD && c->prev_result && c->ipam)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "prevResult and ipam: a plugin before has made the pod's "
			       "interface; leave ipam to it, or put this plugin first");
	if (r->command == CNI_CHECK && !c->prev_result)
		return missing("prevResult", "CHECK compares with the result of ADD", err);
	return 0;
}

int config_read(struct cni_config *out, const struct cni_request *r, struct bpfstamp_err *err)
{
	struct cni_config c = { .pin_path = default_pin_path, .reuse = true };

	if (read_name(&c, r, err) || field_path(&c.pin_path, r->config, "", "pinPath", err) || read_ipam(&c, r, err))
		return -1;
	if (r->command == CNI_GC && read_valid(&c, r, err))
		return -1;
	if (r->command != CNI_GC && r->command != CNI_DEL && (read_prev_result(&c, r, err) || read_all(&c, r, err)))
		return -1;
	*out = c;
	return 0;
}
