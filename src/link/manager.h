/* SPDX-License-Identifier: Apache-2.0 */
/* What a struct link_manager is, for the files that implement distem/link.h. */
#ifndef LINK_MANAGER_H
#define LINK_MANAGER_H 1

#include "distem/link.h"

#include "devices.h"
#include "features.h"
#include "matrix.h"
#include "offload.h"
#include "rtnl.h"

struct link_manager {
    char *folder;  /* Of namespaces. */
    char *merging; /* Folder of notes, see merging.c. */
    struct rtnl *host;
    struct devices *devices;
    struct offload *offload;
    struct link_matrix *matrix;
    int socket;       /* For ioctls on the host. */
    bool netem_known; /* Whether it was tried out what follows. */
    struct netem_features netem;
};

#endif
