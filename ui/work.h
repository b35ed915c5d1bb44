/**
 * work.h: small pieces of work off the UI thread: queries, files, statistics of a draft.
 *
 * A piece runs on one of a few threads; its result comes back through one queue and one wake-up of
 * the main loop, on the UI thread. Long work that the user should see, pause or cancel is a Job.
 */
#pragma once

#include <gio/gio.h>

typedef struct _Works Works;
typedef struct _Work Work;

/** WorkFunc: on a worker thread; returns the result (nullable; with @error where it failed). */
typedef gpointer (*WorkFunc) (gpointer data, GCancellable *cancellable, GError **error);

/**
 * WorkDone: on the UI thread, unless the work was cancelled before. @result is owned by the callee,
 * @error is not.
 */
typedef void (*WorkDone) (gpointer owner, gpointer result, const GError *error);

/** works_new: @threads workers. The main context gets a source that delivers results. */
Works *works_new (guint threads);
/** works_free: cancels everything and waits for the workers. */
void works_free (Works *works);

/**
 * works_start: queue a piece of work.
 *
 * @data: for @func alone; freed by @free_data (nullable) when the work is over or dropped
 * @free_result: (nullable) for a result that nobody takes, as the work was cancelled
 * @owner: handed to @done; must outlive the work or cancel it
 */
Work *works_start (Works *works, WorkFunc func, gpointer data, GDestroyNotify free_data,
                   GDestroyNotify free_result, WorkDone done, gpointer owner);

/** work_cancel: @done will not be called; returns at once. Accepts %NULL; sets the pointer %NULL.
 * Never call it for work whose @done was called. */
void work_cancel (Work **work);

/** works_idle: nothing is queued, running or waiting to be delivered. */
gboolean works_idle (Works *works);
