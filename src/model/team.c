#include "model/team.h"

#include <pthread.h>

/* POSIX threads and not GLib's, whose locks ThreadSanitizer does not see through. */

struct _Team
{
  guint size;
  guint started;      /* threads beside the caller's; fewer where the system refused one */
  pthread_t *threads; /* `started` of them */

  pthread_mutex_t mutex; /* guards all that follows */
  pthread_cond_t called, done;
  guint64 call; /* how many loops there were */
  guint busy;   /* threads that have not finished this one */
  guint joined; /* threads that have a number */
  gboolean ended;

  /* the loop */
  gsize n, next;
  TeamWork work;
  gpointer user_data;
  GCancellable *cancellable;
  gboolean cancelled;
};

static gboolean
next_item (Team *team, gsize *i)
{
  gboolean there;

  pthread_mutex_lock (&team->mutex);
  team->cancelled |= g_cancellable_is_cancelled (team->cancellable);
  there = !team->cancelled && team->next < team->n;
  if (there)
    *i = team->next++;
  pthread_mutex_unlock (&team->mutex);
  return there;
}

static void
do_items (Team *team, guint thread)
{
  gsize i = 0;

  while (next_item (team, &i))
    team->work (i, thread, team->user_data);
}

static gpointer
serve (gpointer data)
{
  Team *team = data;
  guint64 seen = 0;
  guint thread;

  pthread_mutex_lock (&team->mutex);
  thread = ++team->joined;
  while (TRUE)
    {
      while (team->call == seen && !team->ended)
        pthread_cond_wait (&team->called, &team->mutex);
      if (team->ended)
        break;
      seen = team->call;
      pthread_mutex_unlock (&team->mutex);
      do_items (team, thread);
      pthread_mutex_lock (&team->mutex);
      if (--team->busy == 0)
        pthread_cond_signal (&team->done);
    }
  pthread_mutex_unlock (&team->mutex);
  return NULL;
}

Team *
team_new (guint threads)
{
  Team *team = g_new0 (Team, 1);

  team->size = MAX (threads, 1);
  team->threads = g_new (pthread_t, team->size);
  pthread_mutex_init (&team->mutex, NULL);
  pthread_cond_init (&team->called, NULL);
  pthread_cond_init (&team->done, NULL);
  while (team->started + 1 < team->size
         && pthread_create (&team->threads[team->started], NULL, serve, team) == 0)
    team->started++;
  return team;
}

void
team_free (Team *team)
{
  pthread_mutex_lock (&team->mutex);
  team->ended = TRUE;
  pthread_cond_broadcast (&team->called);
  pthread_mutex_unlock (&team->mutex);
  for (guint i = 0; i < team->started; i++)
    pthread_join (team->threads[i], NULL);
  pthread_mutex_destroy (&team->mutex);
  pthread_cond_destroy (&team->called);
  pthread_cond_destroy (&team->done);
  g_free (team->threads);
  g_free (team);
}

guint
team_size (const Team *team)
{
  return team->size;
}

gboolean
team_run (Team *team, gsize n, TeamWork work, gpointer user_data, GCancellable *cancellable)
{
  pthread_mutex_lock (&team->mutex);
  team->n = n;
  team->next = 0;
  team->work = work;
  team->user_data = user_data;
  team->cancellable = cancellable;
  team->cancelled = FALSE;
  team->busy = team->started;
  team->call++;
  pthread_cond_broadcast (&team->called);
  pthread_mutex_unlock (&team->mutex);

  do_items (team, 0);

  pthread_mutex_lock (&team->mutex);
  while (team->busy > 0)
    pthread_cond_wait (&team->done, &team->mutex);
  pthread_mutex_unlock (&team->mutex);
  return !team->cancelled;
}
