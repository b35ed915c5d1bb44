#include "base/condition.h"

void
condition_init (pthread_cond_t *condition)
{
  pthread_condattr_t attributes;

  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (condition, &attributes);
  pthread_condattr_destroy (&attributes);
}

struct timespec
condition_deadline (guint timeout_ms)
{
  const gint64 deadline_us = g_get_monotonic_time () + (gint64) timeout_ms * 1000;

  return (struct timespec){ .tv_sec = deadline_us / G_USEC_PER_SEC,
                            .tv_nsec = deadline_us % G_USEC_PER_SEC * 1000 };
}
