#include "batch/batch.h"

#include "report/text_table.h"
#include "study/progress.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REDRAW_MS 200
#define NAMED_SKIPS 10 /* more are only counted in text; --json lists them all */

static volatile sig_atomic_t interrupted;

static void
on_interrupt (int number)
{
  interrupted = 1;
}

/** Ctrl-C and SIGTERM end the job in good order; a dropped line (SIGHUP) lets it go on. */
static void
catch_signals (void)
{
  /* A second one ends the program at once, should the job be stuck in a read. */
  struct sigaction interrupt = { .sa_handler = on_interrupt, .sa_flags = SA_RESETHAND };
  struct sigaction ignore = { .sa_handler = SIG_IGN };

  sigemptyset (&interrupt.sa_mask);
  sigemptyset (&ignore.sa_mask);
  sigaction (SIGINT, &interrupt, NULL);
  sigaction (SIGTERM, &interrupt, NULL);
  sigaction (SIGHUP, &ignore, NULL);
}

static void
print_progress (const JobSnapshot *now)
{
  g_autofree char *eta = report_duration (now->eta_s);
  g_autofree char *counts = report_counts (now->done, now->total, now->unit, now->rate_per_s);

  fprintf (stderr, "\r\033[K%s", now->stage);
  if (now->total > 0)
    fprintf (stderr, " %.0f %%, %s", 100.0 * (double) now->done / (double) now->total, counts);
  if (!isnan (now->eta_s))
    fprintf (stderr, ", %s left", eta);
  if (now->cached > 0)
    fprintf (stderr, ", %u from the store", now->cached);
  if (now->skips->len > 0)
    fprintf (stderr, ", %u skipped", now->skips->len);
  fflush (stderr);
}

/** Print what is new since the last look. */
typedef struct
{
  guint epochs, warnings, skips;
  gboolean terminal, line_open;
  gint64 drawn_us; /* when the progress line was last drawn */
} Seen;

static void
end_line (Seen *seen)
{
  if (seen->line_open)
    fputs ("\r\033[K", stderr);
  seen->line_open = FALSE;
}

static void
print_news (const JobSnapshot *now, Seen *seen, BatchWatch watch, gpointer watch_data)
{
  for (; seen->warnings < now->warnings->len; seen->warnings++)
    {
      end_line (seen);
      batch_say ("warning: %s\n", (const char *) g_ptr_array_index (now->warnings, seen->warnings));
    }
  for (; seen->skips < now->skips->len; seen->skips++)
    {
      const JobSkip *skip = g_ptr_array_index (now->skips, seen->skips);

      if (seen->skips >= NAMED_SKIPS)
        continue;
      end_line (seen);
      if (g_str_has_prefix (skip->reason, skip->name))
        batch_say ("skipped: %s\n", skip->reason);
      else
        batch_say ("skipped: %s: %s\n", skip->name, skip->reason);
    }
  for (; seen->epochs < now->epochs->len; seen->epochs++)
    {
      end_line (seen);
      if (watch != NULL)
        watch (g_ptr_array_index (now->epochs, seen->epochs), watch_data);
    }
  if (seen->terminal && now->state == JOB_RUNNING
      && g_get_monotonic_time () - seen->drawn_us >= REDRAW_MS * 1000)
    {
      print_progress (now);
      seen->line_open = TRUE;
      seen->drawn_us = g_get_monotonic_time ();
    }
}

static json_t *
skips_json (const GPtrArray *skips)
{
  json_t *array = json_array ();

  for (guint i = 0; i < skips->len; i++)
    {
      const JobSkip *skip = g_ptr_array_index (skips, i);
      json_t *object = json_object ();

      /* File names need not be UTF-8; JSON must. */
      g_autofree char *name = g_utf8_make_valid (skip->name, -1);
      g_autofree char *reason = g_utf8_make_valid (skip->reason, -1);

      json_object_set_new (object, "volume", json_string (name));
      json_object_set_new (object, "reason", json_string (reason));
      json_array_append_new (array, object);
    }
  return array;
}

void
batch_tell_of_the_dead (const Workspace *workspace)
{
  if (workspace_died (workspace) != NULL)
    batch_say ("note: the last program here did not end by itself (%s); what it finished is kept\n",
               workspace_died (workspace));
}

int
batch_run (const Batch *batch, const char *name, JobFunc func, gpointer data, Workspace *locks,
           BatchWatch watch, gpointer watch_data, json_t **skips)
{
  Seen seen = { .terminal = isatty (STDERR_FILENO) };
  guint64 version = 0;
  StudyProgressWriter *progress = NULL;
  GError *error = NULL;
  Job *job;
  gboolean cancelled = FALSE;
  int code = BATCH_DONE;

  if (skips != NULL)
    *skips = NULL;
  if (locks != NULL && !workspace_lock (locks, name, &error))
    return batch_fail (error);
  if (locks != NULL)
    batch_tell_of_the_dead (locks);
  catch_signals ();
  job = job_start (name, func, data);
  if (locks != NULL)
    progress = study_progress_publish (locks, job);
  for (;;)
    {
      g_auto (JobSnapshot) now = { 0 };

      job_snapshot (job, &now);
      print_news (&now, &seen, watch, watch_data);
      if (now.state != JOB_RUNNING)
        {
          end_line (&seen);
          if (now.skips->len > NAMED_SKIPS)
            fprintf (stderr, "skipped: %u in all%s\n", now.skips->len,
                     now.state == JOB_DONE ? "; --json names every one" : "");
          if (now.skips->len > 0)
            code = BATCH_SKIPPED;
          if (skips != NULL)
            *skips = skips_json (now.skips);
          break;
        }
      version = now.version;
      if (interrupted && !cancelled)
        job_cancel (job);
      cancelled = interrupted;
      job_wait_change (job, version, REDRAW_MS);
    }
  if (!job_wait (job, &error))
    {
      code = batch_fail (error);
      if (skips != NULL)
        g_clear_pointer (skips, json_decref);
    }
  g_clear_pointer (&progress, study_progress_end);
  job_free (job);
  if (locks != NULL)
    workspace_unlock (locks);
  return code;
}
