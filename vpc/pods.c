// SPDX-License-Identifier: BSD-2-Clause
#include "include/bpfstamp_vpc.h"
