/**
 * condition.h: waiting for another thread, for a while.
 *
 * POSIX conditions and not GLib's, which ThreadSanitizer cannot see; waits are measured on the
 * monotonic clock: whoever sets the other one back must not make them longer.
 */
#pragma once

#include <glib.h>
#include <pthread.h>
#include <time.h>

/** condition_init: pthread_cond_destroy() it. */
void condition_init (pthread_cond_t *condition);

/** condition_deadline: so long from now, for pthread_cond_timedwait(). */
struct timespec condition_deadline (guint timeout_ms);
