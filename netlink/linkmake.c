// SPDX-License-Identifier: BSD-2-Clause
#include "netlink/linkmake.h"
