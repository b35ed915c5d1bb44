/* Run files, read and written beside the UI thread. */
#include "experiment_private.h"

#include "base/output_file.h"
#include "base/version.h"

#include <string.h>

typedef struct
{
  char *path, *text;
} RunFile;

static void
run_file_free (gpointer data)
{
  RunFile *file = data;

  g_free (file->path);
  g_free (file->text);
  g_free (file);
}

static RunFile *
run_file_new (const char *path, char *text /* transfer full, nullable */)
{
  RunFile *file = g_new0 (RunFile, 1);

  file->path = app_path (path);
  file->text = text;
  return file;
}

/* ---- loading ---- */

static gpointer
read_file (gpointer data, GCancellable *cancellable, GError **error)
{
  /* Over the defaults, as the command line reads it. */
  g_autoptr (TrainParameters) parameters = train_parameters_new ();

  return train_parameters_load (parameters, ((RunFile *) data)->path, error)
             ? g_steal_pointer (&parameters)
             : NULL;
}

static void
was_read (gpointer owner, gpointer result, const GError *error)
{
  Experiment *self = owner;
  g_autoptr (TrainParameters) parameters = result;
  g_autofree char *text = NULL;

  self->reading = NULL;
  if (parameters == NULL)
    {
      app_error (self->app, "%s", error->message);
      return;
    }
  text = train_parameters_text (parameters);
  train_parameters_parse (app_parameters (self->app), text, "", NULL);
  app_message (self->app, "Loaded %s", self->path);
  experiment_changed (self);
}

static void
remember_path (Experiment *self, const char *path)
{
  char *copy = g_strdup (path);

  g_free (self->path);
  self->path = copy;
}

void
experiment_load_file (Experiment *self, const char *path)
{
  RunFile *file = run_file_new (path, NULL);

  work_cancel (&self->reading);
  remember_path (self, file->path);
  self->reading = works_start (app_works (self->app), read_file, file, run_file_free,
                               (GDestroyNotify) train_parameters_free, was_read, self);
}

/* ---- saving ---- */

static gpointer
write_file (gpointer data, GCancellable *cancellable, GError **error)
{
  RunFile *file = data;
  g_autoptr (OutputFile) output = output_file_open (file->path, TRUE, error);

  if (output != NULL && output_file_write (output, file->text, strlen (file->text), error))
    output_file_commit (output, error);
  return NULL;
}

static void
was_written (gpointer owner, gpointer result, const GError *error)
{
  Experiment *self = owner;

  self->writing = NULL;
  if (error != NULL)
    app_error (self->app, "%s", error->message);
  else
    app_message (self->app, "Saved; the same run from a shell: %s --batch train --config %s",
                 version_call (), self->path);
}

static void
write_now (gpointer data)
{
  Experiment *self = data;
  RunFile *file = run_file_new (self->path, train_parameters_text (app_parameters (self->app)));

  work_cancel (&self->writing);
  self->writing =
      works_start (app_works (self->app), write_file, file, run_file_free, NULL, was_written, self);
}

/** Not %NULL: a file is there that can be replaced. */
static gpointer
look_for_file (gpointer data, GCancellable *cancellable, GError **error)
{
  const char *path = ((RunFile *) data)->path;

  return GINT_TO_POINTER (output_file_check (path, TRUE, error)
                          && g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
was_looked_for (gpointer owner, gpointer result, const GError *error)
{
  Experiment *self = owner;

  self->writing = NULL;
  if (result != NULL)
    {
      g_autofree char *question = g_strdup_printf ("%s is there already. Replace it?", self->path);

      app_confirm (self->app, question, write_now, self);
    }
  else if (error != NULL)
    app_error (self->app, "%s", error->message);
  else
    write_now (self);
}

void
experiment_save_file (Experiment *self, const char *path)
{
  RunFile *file = run_file_new (path, NULL);

  work_cancel (&self->writing);
  remember_path (self, file->path);
  self->writing = works_start (app_works (self->app), look_for_file, file, run_file_free, NULL,
                               was_looked_for, self);
}

void
experiment_file_end (Experiment *self)
{
  work_cancel (&self->reading);
  work_cancel (&self->writing);
  g_clear_pointer (&self->path, g_free);
}
