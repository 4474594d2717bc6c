/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VNODE_WORKER_H
#define VNODE_WORKER_H 1

/* `distem-vnode worker`: answers the requests on standard input, one after the other, until its end. Returns the exit status. */
int worker_main(void);

#endif
