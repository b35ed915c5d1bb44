#include "base/team.h"

#include <pthread.h>

/* POSIX threads and not GLib's, whose locks ThreadSanitizer does not see through. */

/* A loop may be over in microseconds, sooner than a thread wakes: who waits looks for this long
 * before it sleeps. */
#define LOOK_US 100

struct _Team
{
  guint size;
  guint started;      /* threads beside the caller's; fewer where the system refused one */
  pthread_t *threads; /* `started` of them */

  /* All that follows is atomic. */
  guint joined; /* threads that have a number */
  gboolean ended;
  guint64 ticket;   /* number of the loop × 2³² + its items that nobody took */
  guint unfinished; /* items of the loop */
  guint from_back;  /* those that were taken there */
  gboolean cancelled;
  /* the loop, which changes only while all items are finished */
  guint n;
  TeamWork work;
  gpointer user_data;
  GCancellable *cancellable;

  /* Who sleeps says so before it looks for the last time; who ends its sleep changes what it looks
   * at first. */
  pthread_mutex_t mutex;
  pthread_cond_t called, finished;
  guint sleepers;      /* threads that wait for `called` */
  gboolean is_waiting; /* the caller, for `finished` */
};

#define GET(member) __atomic_load_n (&team->member, __ATOMIC_SEQ_CST)
#define SET(member, value) __atomic_store_n (&team->member, value, __ATOMIC_SEQ_CST)
#define ADD(member, value) __atomic_add_fetch (&team->member, value, __ATOMIC_SEQ_CST)

static guint32
items_left (guint64 ticket)
{
  return (guint32) ticket;
}

static gboolean
is_called (Team *team)
{
  return items_left (GET (ticket)) > 0 || GET (ended);
}

static gboolean
is_finished (Team *team)
{
  return GET (unfinished) == 0;
}

/** Whether it happened soon. */
static gboolean
look (Team *team, gboolean (*happened) (Team *team))
{
  const gint64 end_us = g_get_monotonic_time () + LOOK_US;

  do
    if (happened (team))
      return TRUE;
  while (g_get_monotonic_time () < end_us);
  return FALSE;
}

/**
 * Take items until none is left. The caller takes them from the front and the others from the back:
 * loops over the same things find them where they were the last time, in the same processor's
 * cache.
 */
static void
do_items (Team *team, guint thread)
{
  guint64 ticket = GET (ticket);
  guint from_front = 0;

  while (items_left (ticket) > 0)
    {
      /* Of the ticket's loop, if nobody took one since. */
      const guint n = GET (n);
      const TeamWork work = GET (work);
      const gpointer user_data = GET (user_data);
      GCancellable *const cancellable = GET (cancellable);

      if (!__atomic_compare_exchange_n (&team->ticket, &ticket, ticket - 1, FALSE, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
        continue;
      if (g_cancellable_is_cancelled (cancellable))
        SET (cancelled, TRUE);
      if (!GET (cancelled))
        work (thread == 0 ? from_front++ : n - ADD (from_back, 1), thread, user_data);
      if (ADD (unfinished, -1) == 0 && GET (is_waiting))
        {
          pthread_mutex_lock (&team->mutex);
          pthread_cond_signal (&team->finished);
          pthread_mutex_unlock (&team->mutex);
        }
      ticket = GET (ticket);
    }
}

static gpointer
serve (gpointer data)
{
  Team *team = data;
  const guint thread = ADD (joined, 1);

  while (!GET (ended))
    {
      if (!look (team, is_called))
        {
          pthread_mutex_lock (&team->mutex);
          ADD (sleepers, 1);
          while (!is_called (team))
            pthread_cond_wait (&team->called, &team->mutex);
          ADD (sleepers, -1);
          pthread_mutex_unlock (&team->mutex);
        }
      do_items (team, thread);
    }
  return NULL;
}

/** Wake the threads that sleep. */
static void
call (Team *team)
{
  if (GET (sleepers) == 0)
    return;
  pthread_mutex_lock (&team->mutex);
  pthread_cond_broadcast (&team->called);
  pthread_mutex_unlock (&team->mutex);
}

Team *
team_new (guint threads)
{
  Team *team = g_new0 (Team, 1);

  team->size = MAX (threads, 1);
  team->threads = g_new (pthread_t, team->size);
  pthread_mutex_init (&team->mutex, NULL);
  pthread_cond_init (&team->called, NULL);
  pthread_cond_init (&team->finished, NULL);
  while (team->started + 1 < team->size
         && pthread_create (&team->threads[team->started], NULL, serve, team) == 0)
    team->started++;
  return team;
}

void
team_free (Team *team)
{
  SET (ended, TRUE);
  call (team);
  for (guint i = 0; i < team->started; i++)
    pthread_join (team->threads[i], NULL);
  pthread_mutex_destroy (&team->mutex);
  pthread_cond_destroy (&team->called);
  pthread_cond_destroy (&team->finished);
  g_free (team->threads);
  g_free (team);
}

guint
team_size (const Team *team)
{
  return team != NULL ? team->size : 1;
}

static gboolean
run_alone (gsize n, TeamWork work, gpointer user_data, GCancellable *cancellable)
{
  for (gsize i = 0; i < n; i++)
    {
      if (g_cancellable_is_cancelled (cancellable))
        return FALSE;
      work (i, 0, user_data);
    }
  return TRUE;
}

gboolean
team_run (Team *team, gsize n, TeamWork work, gpointer user_data, GCancellable *cancellable)
{
  guint64 loop;

  if (team == NULL)
    return run_alone (n, work, user_data, cancellable);
  loop = (GET (ticket) >> 32) + 1;
  SET (n, (guint) n);
  SET (work, work);
  SET (user_data, user_data);
  SET (cancellable, cancellable);
  SET (cancelled, FALSE);
  SET (from_back, 0);
  SET (unfinished, (guint) n);
  SET (ticket, loop << 32 | n);
  call (team);

  do_items (team, 0);
  if (!look (team, is_finished))
    {
      pthread_mutex_lock (&team->mutex);
      SET (is_waiting, TRUE);
      while (!is_finished (team))
        pthread_cond_wait (&team->finished, &team->mutex);
      SET (is_waiting, FALSE);
      pthread_mutex_unlock (&team->mutex);
    }
  return !GET (cancelled);
}
