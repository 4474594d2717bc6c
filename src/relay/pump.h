/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RELAY_PUMP_H
#define RELAY_PUMP_H 1

#include <stdbool.h>
#include <stddef.h>

#define RELAY_EARLY_MAX 65536

/* Carries what comes from the socket 'near' to the socket 'far' and back, starting with the 'size' <= RELAY_EARLY_MAX bytes at
 * 'early' that 'far' has sent already. Ends when 'far' has sent all that it will, or 'near' is gone. That 'near' sends no more is
 * passed on; with 'hangs_up' it means that it is gone. */
void relay_pump(int near, int far, bool hangs_up, const void *early, size_t size);

#endif
