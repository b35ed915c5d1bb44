/* Fields that name something of the workspace are chosen from what is there. */
#include "experiment_private.h"

#include "catalog/latents.h"

#include <string.h>

typedef enum
{
  NAMES_TRAIN_SAMPLES,
  NAMES_VALID_SAMPLES,
  NAMES_ENCODERS,
} Names;

/** What such a field is, by the parameter's name; @without: what it means to choose none. */
static const struct
{
  const char *parameter, *without, *none;
} kinds[] = {
  [NAMES_TRAIN_SAMPLES] = { "train-sample", "drawn by fraction and seed",
                            "No sample of train is kept: training draws and keeps one" },
  [NAMES_VALID_SAMPLES] = { "valid-sample", "drawn by fraction and seed",
                            "No sample of valid is kept: training draws and keeps one" },
  [NAMES_ENCODERS] = { "encoder-name", "the last used encoder",
                       "No scan is encoded yet: t encodes, and the encoder is listed here then" },
};

/** The kind of a row; -1: its value is no such name. */
static int
kind_of (const FormRow *row)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (row->kind == FORM_PARAMETER && strcmp (row->name, kinds[i].parameter) == 0)
      return (int) i;
  return -1;
}

gboolean
experiment_has_names (const FormRow *row)
{
  return kind_of (row) >= 0;
}

/* ---- on a worker ---- */

typedef struct
{
  Workspace *workspace;
  Names kind;
} Request;

static GPtrArray *
list_samples (CatalogStore *store, CatalogSplit split, GError **error)
{
  g_autoptr (GPtrArray) samples = catalog_samples_list (store, error);
  GPtrArray *names = samples != NULL ? g_ptr_array_new_with_free_func (g_free) : NULL;

  for (guint i = 0; samples != NULL && i < samples->len; i++)
    {
      const CatalogSample *sample = g_ptr_array_index (samples, i);

      if (sample->split == split)
        g_ptr_array_add (names, g_strdup (sample->name));
    }
  return names;
}

static GPtrArray *
list_encoders (CatalogStore *store, GError **error)
{
  g_autoptr (GPtrArray) encoders = catalog_encoders_list (store, error);
  GPtrArray *names = encoders != NULL ? g_ptr_array_new_with_free_func (g_free) : NULL;

  for (guint i = 0; encoders != NULL && i < encoders->len; i++)
    g_ptr_array_add (names, g_strdup (((CatalogEncoder *) g_ptr_array_index (encoders, i))->name));
  return names;
}

static gpointer
list_names (gpointer data, GCancellable *cancellable, GError **error)
{
  const Request *request = data;
  g_autoptr (CatalogStore) store = workspace_store (request->workspace, error);

  if (store == NULL)
    return NULL;
  if (request->kind == NAMES_ENCODERS)
    return list_encoders (store, error);
  return list_samples (
      store, request->kind == NAMES_TRAIN_SAMPLES ? CATALOG_SPLIT_TRAIN : CATALOG_SPLIT_VALID,
      error);
}

/* ---- choosing ---- */

static void
name_was_chosen (gpointer data, guint index)
{
  Experiment *self = data;

  experiment_set_or_say (self, self->editing,
                         index == 0 ? "" : g_ptr_array_index (self->names, index - 1));
}

static void
names_were_listed (gpointer owner, gpointer result, const GError *error)
{
  Experiment *self = owner;
  int kind = kind_of (self->editing);
  g_autofree char *value = experiment_value (self, self->editing);
  g_autoptr (GPtrArray) items = g_ptr_array_new ();
  guint selected = 0;

  self->listing = NULL;
  if (error != NULL)
    {
      app_error (self->app, "%s", error->message);
      return;
    }
  g_clear_pointer (&self->names, g_ptr_array_unref);
  self->names = result;
  if (self->names->len == 0)
    {
      app_message (self->app, "%s", kinds[kind].none);
      return;
    }
  g_ptr_array_add (items, (gpointer) kinds[kind].without);
  for (guint i = 0; i < self->names->len; i++)
    {
      char *name = g_ptr_array_index (self->names, i);

      g_ptr_array_add (items, name);
      if (strcmp (name, value) == 0)
        selected = i + 1;
    }
  g_ptr_array_add (items, NULL);
  app_choose (self->app, self->editing->name, (const char *const *) items->pdata, selected,
              name_was_chosen, self);
}

void
experiment_choose_name (Experiment *self, const FormRow *row)
{
  Request *request;

  work_cancel (&self->listing);
  if (self->workspace == NULL)
    {
      app_message (self->app, "No workspace is open yet");
      return;
    }
  request = g_new (Request, 1);
  *request = (Request){ self->workspace, (Names) kind_of (row) };
  self->listing = works_start (app_works (self->app), list_names, request, g_free,
                               (GDestroyNotify) g_ptr_array_unref, names_were_listed, self);
}

void
experiment_names_end (Experiment *self)
{
  work_cancel (&self->listing);
  g_clear_pointer (&self->names, g_ptr_array_unref);
}
