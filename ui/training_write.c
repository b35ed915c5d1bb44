/* An opened finding's plots as PNG. */
#include "training_private.h"

#include "catalog/labels.h"
#include "study/export_plots.h"

static const struct
{
  const char *label, *suffix;
  gboolean (*write) (CatalogStore *store, const char *run, const char *class_name, const char *path,
                     gboolean replace, guint64 *written, GError **error);
} plots[] = { { "ROC curve", "roc", study_export_roc },
              { "histogram of the scores", "histogram", study_export_histogram } };

typedef struct
{
  Workspace *workspace;
  char *run; /* its number */
  guint class_index, plot;
} Picture;

static void
picture_free (gpointer data)
{
  Picture *picture = data;

  g_free (picture->run);
  g_free (picture);
}

static gboolean
write_picture (gpointer data, const char *path, gboolean replace, GError **error)
{
  const Picture *picture = data;
  g_autoptr (CatalogStore) store = workspace_store (picture->workspace, error);
  guint64 scans;

  return store != NULL
         && plots[picture->plot].write (store, picture->run,
                                        catalog_label_name (picture->class_index), path, replace,
                                        &scans, error);
}

static void
plot_was_chosen (gpointer data, guint plot)
{
  Training *self = data;
  g_autofree char *name = NULL;
  Picture *picture;

  if (self->run == NULL)
    return;
  name = g_strdup_printf ("%s-%s-%s.png", self->run->name,
                          catalog_label_name (self->finding.class_index), plots[plot].suffix);
  g_strdelimit (name, "/ ", '_');
  picture = g_new (Picture, 1);
  *picture =
      (Picture){ app_workspace (self->app), g_strdup_printf ("%" G_GINT64_FORMAT, self->run->id),
                 self->finding.class_index, plot };
  app_write (self->app, name, write_picture, picture, picture_free);
}

void
training_write_finding (Training *self)
{
  const char *labels[G_N_ELEMENTS (plots) + 1] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (plots); i++)
    labels[i] = plots[i].label;
  app_choose (self->app, "Write as PNG", labels, 0, plot_was_chosen, self);
}
