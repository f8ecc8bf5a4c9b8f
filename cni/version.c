// SPDX-License-Identifier: BSD-2-Clause
/*
 * Versions of the protocol, of which one configuration speaks one.  They are
 * compared as whole texts: a version that is not listed may have anything in it,
 * though only its last number be another.
 */
#include <string.h>

#include "cni/cni.h"
#include "loader/err.h"

static const char *const texts[] = {
	[CNI_0_3_1] = "0.3.1", [CNI_0_4_0] = "0.4.0", [CNI_1_0_0] = "1.0.0", [CNI_1_1_0] = "1.1.0",
};

const char *version_text(enum cni_version version)
{
	return texts[version];
}

bool version_find(const char *text, enum cni_version *out)
{
	for (unsigned int version = CNI_0_3_1; version <= CNI_1_1_0; version++) {
		if (!strcmp(text, texts[version])) {
			*out = (enum cni_version)version;
			return true;
		}
	}
	return false;
}

json_t *version_answer(const json_t *config)
{
	const char *asked = json_string_value(json_object_get(config, "cniVersion"));

	return json_pack("{s:s, s:[s,s,s,s]}", "cniVersion", asked ? asked : texts[CNI_1_1_0], "supportedVersions",
			 texts[CNI_0_3_1], texts[CNI_0_4_0], texts[CNI_1_0_0], texts[CNI_1_1_0]);
}
