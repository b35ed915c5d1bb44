#include "work.h"

#include <glib-unix.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct _Work
{
  Works *works;
  WorkFunc func;
  gpointer data;
  GDestroyNotify free_data, free_result;
  WorkDone done;
  gpointer owner;
  GCancellable *cancellable;
  gboolean cancelled; /* of the UI thread */
  gpointer result;
  GError *error;
};

/** The mutex guards the queues and the counter. POSIX primitives: ThreadSanitizer does not see
    GLib's. */
struct _Works
{
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  GQueue queued, finished;
  guint pending; /* queued, running, or not delivered */
  gboolean closing;

  GPtrArray *all; /* of the UI thread: what was started and not delivered */
  guint n_threads;
  GThread **threads;
  int event_fd;
  guint source;
};

static void
work_free (Work *work)
{
  g_object_unref (work->cancellable);
  g_clear_error (&work->error);
  g_free (work);
}

/** With the mutex held, which is given back meanwhile. */
static void
do_work (Works *works, Work *work)
{
  guint64 one = 1;

  pthread_mutex_unlock (&works->mutex);
  if (!g_cancellable_is_cancelled (work->cancellable))
    work->result = work->func (work->data, work->cancellable, &work->error);
  if (work->free_data != NULL)
    work->free_data (work->data);

  pthread_mutex_lock (&works->mutex);
  g_queue_push_tail (&works->finished, work);
  if (write (works->event_fd, &one, sizeof one) < 0)
    g_assert_not_reached ();
}

static gpointer
worker (gpointer data)
{
  Works *works = data;

  pthread_mutex_lock (&works->mutex);
  for (;;)
    {
      Work *work;

      while (works->queued.length == 0 && !works->closing)
        pthread_cond_wait (&works->changed, &works->mutex);
      work = g_queue_pop_head (&works->queued);
      if (work == NULL)
        break;
      do_work (works, work);
    }
  pthread_mutex_unlock (&works->mutex);
  return NULL;
}

static Work *
take_finished (Works *works)
{
  Work *work;

  pthread_mutex_lock (&works->mutex);
  work = g_queue_pop_head (&works->finished);
  if (work != NULL)
    works->pending--;
  pthread_mutex_unlock (&works->mutex);
  return work;
}

static gboolean
deliver (int fd, GIOCondition condition, gpointer data)
{
  Works *works = data;
  guint64 count;
  Work *work;

  if (read (fd, &count, sizeof count) < 0)
    return G_SOURCE_CONTINUE;
  while ((work = take_finished (works)) != NULL)
    {
      g_ptr_array_remove_fast (works->all, work);
      if (!work->cancelled)
        work->done (work->owner, work->result, work->error);
      else if (work->result != NULL && work->free_result != NULL)
        work->free_result (work->result);
      work_free (work);
    }
  return G_SOURCE_CONTINUE;
}

Works *
works_new (guint threads)
{
  Works *works = g_new0 (Works, 1);

  pthread_mutex_init (&works->mutex, NULL);
  pthread_cond_init (&works->changed, NULL);
  works->all = g_ptr_array_new ();
  works->event_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  works->source = g_unix_fd_add (works->event_fd, G_IO_IN, deliver, works);
  works->threads = g_new (GThread *, threads);
  while (works->n_threads < threads
         && (works->threads[works->n_threads] = g_thread_try_new ("work", worker, works, NULL))
                != NULL)
    works->n_threads++;
  return works;
}

void
works_free (Works *works)
{
  for (guint i = 0; i < works->all->len; i++)
    {
      Work *work = g_ptr_array_index (works->all, i);

      work->cancelled = TRUE;
      g_cancellable_cancel (work->cancellable);
    }
  pthread_mutex_lock (&works->mutex);
  works->closing = TRUE;
  pthread_cond_broadcast (&works->changed);
  pthread_mutex_unlock (&works->mutex);
  for (guint i = 0; i < works->n_threads; i++)
    g_thread_join (works->threads[i]);
  g_source_remove (works->source);
  deliver (works->event_fd, G_IO_IN, works);
  close (works->event_fd);
  pthread_mutex_destroy (&works->mutex);
  pthread_cond_destroy (&works->changed);
  g_ptr_array_unref (works->all);
  g_free (works->threads);
  g_free (works);
}

Work *
works_start (Works *works, WorkFunc func, gpointer data, GDestroyNotify free_data,
             GDestroyNotify free_result, WorkDone done, gpointer owner)
{
  Work *work = g_new0 (Work, 1);

  *work = (Work){ .works = works,
                  .func = func,
                  .data = data,
                  .free_data = free_data,
                  .free_result = free_result,
                  .done = done,
                  .owner = owner,
                  .cancellable = g_cancellable_new () };
  g_ptr_array_add (works->all, work);
  pthread_mutex_lock (&works->mutex);
  works->pending++;
  /* Where the system allows no threads the UI's own does it, and keys wait. */
  if (works->n_threads == 0)
    do_work (works, work);
  else
    g_queue_push_tail (&works->queued, work);
  pthread_cond_signal (&works->changed);
  pthread_mutex_unlock (&works->mutex);
  return work;
}

void
work_cancel (Work **work)
{
  if (*work == NULL)
    return;
  (*work)->cancelled = TRUE;
  g_cancellable_cancel ((*work)->cancellable);
  *work = NULL;
}

gboolean
works_idle (Works *works)
{
  guint pending;

  pthread_mutex_lock (&works->mutex);
  pending = works->pending;
  pthread_mutex_unlock (&works->mutex);
  return pending == 0;
}
