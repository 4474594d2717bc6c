/* SPDX-License-Identifier: Apache-2.0 */
/* What libopenvswitch needs once per process. */
#ifndef OVS_LIBRARY_H
#define OVS_LIBRARY_H 1

/* Makes the library a good guest in this process: its log goes to standard error from level "err" up and never to syslog; writing
 * to a closed connection is an error instead of a signal. Every function of this folder that opens something calls it. */
void library_init(void);

#endif
