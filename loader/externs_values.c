// SPDX-License-Identifier: BSD-2-Clause
/*
 * Externs: what they are in the kernel.
 *
 * The variables of .kconfig get their values from the kernel's configuration,
 * read once for all of them; a few have names of their own and are asked for
 * otherwise.  Where no configuration is to be had, even a weak variable is an
 * error: zero would say that an option is not set, and nobody knows that.
 *
 * A variable or function is looked for in vmlinux's BTF first, and modules are
 * only read where it is not there.  The first of its name counts.  A variable
 * must have the whole name; that of a function ends where its flavor begins.
 * Whether the kernel's type fits the object's is judged as CO-RE does, by
 * kinds: structs count as equal, and so do integers of any size.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/core_compat.h"
#include "loader/err.h"
#include "loader/externs.h"
#include "loader/kallsyms.h"
#include "loader/kconfig.h"

/* -------------------------------------------------------------- .kconfig */

static struct kconfig_type type_of(const struct bpfstamp_template *t, const struct external *ext)
{
	struct kconfig_type value;
	struct btf_type var;

	btf_type(&t->btf, ext->btf, &var);
	kconfig_type(&t->btf, var.type, &value);
	return value;
}

/* Store what no configuration has; *set tells. */
static int store_virtual(const struct bpfstamp_template *t, const struct external *ext, uint8_t *bytes, bool *set,
			 struct bpfstamp_err *err)
{
	struct kconfig_type type = type_of(t, ext);
	uint64_t number;

	if (kconfig_virtual(ext->name, set, &number, err) ||
	    (*set && kconfig_store_number(bytes + ext->offset, &type, t->elf.big, number, err)))
		return err_wrap(err, "%s: extern %s", t->name, ext->name);
	if (!*set && (strncmp(ext->name, "LINUX_", 6) != 0 || !ext->weak))
		return err_set(err, EINVAL, "%s: extern %s: no variable of .kconfig has this name: those begin with "
			       "CONFIG_, and there are LINUX_KERNEL_VERSION, LINUX_HAS_BPF_COOKIE and "
			       "LINUX_HAS_SYSCALL_WRAPPER", t->name, ext->name);
	return 0;
}

struct wanted {		/* a variable whose value is in the configuration */
	const struct external *ext;
	bool set;
};

static int by_extern_name(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return strcmp(x->ext->name, y->ext->name);
}

/* Store what the configuration says of these, which are sorted by name; what comes first, counts. */
static int store_configuration(const struct bpfstamp_template *t, struct wanted *wanted, uint32_t count,
			       struct kconfig *config, uint8_t *bytes, const struct bpfstamp_load *load,
			       struct bpfstamp_err *err)
{
	const char *name, *value;

	while (kconfig_next(config, &name, &value)) {
		const struct wanted key = { .ext = &(struct external){ .name = name } };
		struct wanted *w = bsearch(&key, wanted, count, sizeof(key), by_extern_name);
		struct kconfig_type type;
		int cut;

		if (!w || w->set)
			continue;
		type = type_of(t, w->ext);
		cut = kconfig_store(bytes + w->ext->offset, &type, t->elf.big, value, err);
		if (cut > 0)
			load_note(load, "extern %s: %s is longer than %u bytes, and was cut", name, value, type.size);
		if (cut < 0)
			return err_wrap(err, "%s: extern %s: in %s", t->name, name, config->path);
		w->set = true;
	}
	for (uint32_t i = 0; i < count; i++)
		if (!wanted[i].set && !wanted[i].ext->weak)
			return err_set(err, ENOENT, "%s: extern %s: %s does not set it, and it is not weak", t->name,
				       wanted[i].ext->name, config->path);
	return 0;
}

int externs_kconfig(const struct bpfstamp_template *t, const char *file, uint8_t *bytes,
		    const struct bpfstamp_load *load, struct bpfstamp_err *err)
{
	struct wanted *wanted = malloc((t->extern_count + (size_t)1) * sizeof(*wanted));
	struct kconfig config;
	uint32_t count = 0;
	int ret = wanted ? 0 : object_no_memory(err);

	memset(bytes, 0, t->maps[t->kconfig].value_size);
	for (uint32_t i = 0; !ret && i < t->extern_count && t->externs[i].kind == EXTERN_KCONFIG; i++) {
		const struct external *ext = &t->externs[i];
		bool set;

		if (!strncmp(ext->name, "CONFIG_", 7))
			wanted[count++] = (struct wanted){ .ext = ext };
		else
			ret = store_virtual(t, ext, bytes, &set, err);
	}
	if (!ret && count) {
		qsort(wanted, count, sizeof(*wanted), by_extern_name);
		ret = kconfig_open(&config, file, err);
		if (ret)
			err_wrap(err, "%s: extern %s", t->name, wanted[0].ext->name);
		else
			ret = store_configuration(t, wanted, count, &config, bytes, load, err);
		kconfig_close(&config);
	}
	free(wanted);
	return ret;
}

/* ---------------------------------------------------------------- .ksyms */

static int find_type(struct kernel *k, const struct external *ext, struct extern_value *out, struct bpfstamp_err *err)
{
	enum btf_kind kind = ext->kind == EXTERN_FUNCTION ? BTF_FUNC : BTF_VAR;
	size_t len = kind == BTF_FUNC ? kernel_essential(ext->name) : strlen(ext->name);

	*out = (struct extern_value){ 0 };
	if (kernel_find_first(k, kind, ext->name, len, &out->btf, &out->btf_id, err))
		return -1;
	out->found = out->btf_id;
	return 0;
}

static int find_address(const struct external *ext, struct extern_value *out, struct bpfstamp_err *err)
{
	if (kallsyms_find(KALLSYMS_PATH, ext->name, &out->found, &out->address, err))
		return -1;
	if (!out->found && !ext->weak)
		return err_set(err, ENOENT, "this kernel has no symbol of that name (" KALLSYMS_PATH ")");
	return 0;
}

/* Whether the extern's type and that of what was found go together: 1 or 0, or -1 with *err. */
static int is_compatible(const struct bpfstamp_template *t, const struct external *ext, const struct kernel_btf *kb,
			 uint32_t btf_id, struct bpfstamp_err *err)
{
	struct core_work work = { .left = CORE_WORK, .err = err };
	struct btf_type here, there;

	btf_type(&t->btf, ext->btf, &here);
	btf_type(&kb->btf, btf_id, &there);
	return core_types_compat((struct core_type){ &t->btf, here.type }, (struct core_type){ &kb->btf, there.type },
				 &work);
}

static int find_typed(const struct bpfstamp_template *t, struct kernel *k, const struct external *ext,
		      struct extern_value *out, struct bpfstamp_err *err)
{
	bool is_func = ext->kind == EXTERN_FUNCTION;
	const struct kernel_btf *kb;
	int same;

	if (find_type(k, ext, out, err))
		return -1;
	if (out->found) {
		kb = kernel_btf_at(k, out->btf);
		same = is_compatible(t, ext, kb, out->btf_id, err);
		if (same < 0)
			return -1;
		if (!same && (!is_func || !ext->weak))
			return err_set(err, EINVAL, "the object declares it with another type than %s has it with",
				       kb->name);
		out->found = same;
	}
	if (!out->found && !ext->weak)
		return err_set(err, ENOENT, "it is not in this kernel's BTF, nor in that of a loaded module%s",
			       is_func ? "" : " (which have no variables but per-CPU ones)");
	return 0;
}

int externs_find(const struct bpfstamp_template *t, struct kernel *k, const struct external *ext,
		 struct extern_value *out, struct bpfstamp_err *err)
{
	struct extern_value value = { 0 };
	int ret;

	if (ext->kind == EXTERN_ADDRESS)
		ret = find_address(ext, &value, err);
	else
		ret = find_typed(t, k, ext, &value, err);
	if (ret)
		return err_wrap(err, "%s: %s %s", t->name, ext->kind == EXTERN_FUNCTION ? "kfunc" : "extern",
				ext->name);
	*out = value.found ? value : (struct extern_value){ 0 };
	return 0;
}
