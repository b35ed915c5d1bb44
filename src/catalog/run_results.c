#include "catalog/runs.h"

#include "base/error.h"
#include "catalog/store_private.h"

#include <math.h>
#include <string.h>

/* ---- epochs ---- */

static gboolean
insert_classes (CatalogStore *store, gint64 run_id, guint epoch, const CatalogEpochClass *classes,
                guint n_classes, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store,
                     "INSERT INTO epoch_class (run_id, epoch, class, auroc, auroc_low, auroc_high,"
                     " sensitivity, specificity, accuracy, threshold, positives, negatives)"
                     " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, run_id);
  sqlite3_bind_int64 (statement, 2, epoch);
  for (guint i = 0; i < n_classes; i++)
    {
      const CatalogEpochClass *row = &classes[i];

      sqlite3_bind_int (statement, 3, row->class_index);
      sqlite3_bind_double (statement, 4, row->auroc);
      sqlite3_bind_double (statement, 5, row->auroc_low);
      sqlite3_bind_double (statement, 6, row->auroc_high);
      sqlite3_bind_double (statement, 7, row->sensitivity);
      sqlite3_bind_double (statement, 8, row->specificity);
      sqlite3_bind_double (statement, 9, row->accuracy);
      sqlite3_bind_double (statement, 10, row->threshold);
      sqlite3_bind_int64 (statement, 11, row->positives);
      sqlite3_bind_int64 (statement, 12, row->negatives);
      if (!store_run (store, statement, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
insert_epoch (CatalogStore *store, gint64 run_id, guint epoch, double train_loss, const char *json,
              GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store,
                     "INSERT INTO epoch (run_id, epoch, train_loss, json)"
                     " SELECT id, ?2, ?3, ?4 FROM run WHERE id = ?1 AND status = 'running'",
                     error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, run_id);
  sqlite3_bind_int64 (statement, 2, epoch);
  sqlite3_bind_double (statement, 3, train_loss);
  store_bind_text (statement, 4, json);
  return store_run (store, statement, error)
         && store_run_changed (store, run_id, "was deleted or ended elsewhere; start it again",
                               error);
}

gboolean
catalog_run_add_epoch (CatalogStore *store, gint64 run_id, guint epoch, double train_loss,
                       const char *json, const CatalogEpochClass *classes, guint n_classes,
                       GError **error)
{
  return store_begin (store, error)
         && store_end (store,
                       insert_epoch (store, run_id, epoch, train_loss, json, error)
                           && insert_classes (store, run_id, epoch, classes, n_classes, error),
                       error);
}

char **
catalog_run_epochs (CatalogStore *store, gint64 run_id, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "SELECT json FROM epoch WHERE run_id = ? ORDER BY epoch", error);
  g_auto (GStrv) epochs = NULL;
  GPtrArray *texts;
  int step;

  if (statement == NULL)
    return NULL;
  sqlite3_bind_int64 (statement, 1, run_id);
  texts = g_ptr_array_new ();
  while ((step = store_step (store, statement, error)) == SQLITE_ROW)
    g_ptr_array_add (texts, store_column_text (statement, 0));
  g_ptr_array_add (texts, NULL);
  epochs = (char **) g_ptr_array_free (texts, FALSE);
  return step == SQLITE_DONE ? g_steal_pointer (&epochs) : NULL;
}

/* ---- the result ---- */

static gboolean
insert_result (CatalogStore *store, gint64 run_id, const CatalogRunResult *result, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (
      store, "INSERT INTO run_result (run_id, thresholds, head) VALUES (?, ?, ?)", error);
  gsize head_size;
  gconstpointer head = g_bytes_get_data (result->head, &head_size);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, run_id);
  store_bind_blob (statement, 2, result->thresholds,
                   result->n_classes * sizeof *result->thresholds);
  store_bind_blob (statement, 3, head, head_size);
  return store_run (store, statement, error);
}

static gboolean
insert_predictions (CatalogStore *store, gint64 run_id, const CatalogRunResult *result,
                    GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store,
                     "INSERT INTO prediction (run_id, volume, position, labels, logits)"
                     " VALUES (?, ?, ?, ?, ?)",
                     error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, run_id);
  for (gsize i = 0; i < result->n; i++)
    {
      store_bind_text (statement, 2, result->volumes[i]);
      sqlite3_bind_int64 (statement, 3, (gint64) i);
      sqlite3_bind_int64 (statement, 4, result->labels[i]);
      store_bind_blob (statement, 5, result->logits + i * result->n_classes,
                       result->n_classes * sizeof *result->logits);
      if (!store_run (store, statement, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
catalog_run_finish (CatalogStore *store, gint64 run_id, const CatalogRunResult *result,
                    GError **error)
{
  return store_begin (store, error)
         && store_end (store,
                       store_run_end (store, run_id, "done", NULL, result->macro_auroc,
                                      (int) result->kept_epoch, error)
                           && insert_result (store, run_id, result, error)
                           && insert_predictions (store, run_id, result, error),
                       error);
}

/** One BLOB of the run's result; NOT_FOUND where the run did not finish. */
static GBytes *
result_blob (CatalogStore *store, gint64 run_id, const char *sql, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, sql, error);
  int step;

  if (statement == NULL)
    return NULL;
  sqlite3_bind_int64 (statement, 1, run_id);
  step = store_step (store, statement, error);
  if (step == SQLITE_ROW)
    return g_bytes_new (sqlite3_column_blob (statement, 0),
                        (gsize) sqlite3_column_bytes (statement, 0));
  if (step == SQLITE_DONE)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                 "run-%" G_GINT64_FORMAT ": did not finish and left no head; choose a run that is "
                 "done",
                 run_id);
  return NULL;
}

GBytes *
catalog_run_head (CatalogStore *store, gint64 run_id, GError **error)
{
  return result_blob (store, run_id, "SELECT head FROM run_result WHERE run_id = ?", error);
}

double *
catalog_run_thresholds (CatalogStore *store, gint64 run_id, guint *n_classes, GError **error)
{
  g_autoptr (GBytes) blob =
      result_blob (store, run_id, "SELECT thresholds FROM run_result WHERE run_id = ?", error);
  double *thresholds;

  if (blob == NULL)
    return NULL;
  *n_classes = (guint) (g_bytes_get_size (blob) / sizeof *thresholds);
  /* One more than there are, so that none is no failure. */
  thresholds = g_new0 (double, *n_classes + 1);
  if (*n_classes > 0)
    memcpy (thresholds, g_bytes_get_data (blob, NULL), *n_classes * sizeof *thresholds);
  return thresholds;
}

/* ---- predictions ---- */

void
catalog_predictions_free (CatalogPredictions *predictions)
{
  g_strfreev (predictions->volumes);
  g_strfreev (predictions->patients);
  g_free (predictions->labels);
  g_free (predictions->logits);
  g_free (predictions);
}

CatalogPredictions *
catalog_run_predictions (CatalogStore *store, gint64 run_id, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (
      store,
      /* Rows of one name are of one patient. So written it goes over the volumes once where names
       * have no index yet, not once for each prediction. */
      "SELECT p.volume, p.labels, p.logits, COALESCE (v.patient, p.volume)"
      " FROM prediction AS p LEFT JOIN (SELECT name, max (patient) AS patient FROM volume"
      " WHERE name IN (SELECT volume FROM prediction WHERE run_id = ?1) GROUP BY name) AS v"
      " ON v.name = p.volume WHERE p.run_id = ?1 ORDER BY p.position",
      error);
  g_autoptr (CatalogPredictions) predictions = g_new0 (CatalogPredictions, 1);
  GPtrArray *volumes, *patients;
  GArray *labels;
  GByteArray *logits;
  int step;

  if (statement == NULL)
    return NULL;
  sqlite3_bind_int64 (statement, 1, run_id);
  volumes = g_ptr_array_new ();
  patients = g_ptr_array_new ();
  labels = g_array_new (FALSE, FALSE, sizeof (guint32));
  logits = g_byte_array_new ();
  while ((step = store_step (store, statement, error)) == SQLITE_ROW)
    {
      guint32 bits = (guint32) sqlite3_column_int64 (statement, 1);

      g_ptr_array_add (volumes, store_column_text (statement, 0));
      g_array_append_val (labels, bits);
      g_byte_array_append (logits, sqlite3_column_blob (statement, 2),
                           (guint) sqlite3_column_bytes (statement, 2));
      g_ptr_array_add (patients, store_column_text (statement, 3));
    }
  predictions->n = labels->len;
  if (predictions->n > 0)
    predictions->n_classes = (guint) (logits->len / sizeof (double) / predictions->n);
  g_ptr_array_add (volumes, NULL);
  predictions->volumes = (char **) g_ptr_array_free (volumes, FALSE);
  g_ptr_array_add (patients, NULL);
  predictions->patients = (char **) g_ptr_array_free (patients, FALSE);
  predictions->labels = (guint32 *) (gpointer) g_array_free (labels, FALSE);
  predictions->logits = (double *) (gpointer) g_byte_array_free (logits, FALSE);
  return step == SQLITE_DONE ? g_steal_pointer (&predictions) : NULL;
}

static double
sigmoid (double logit)
{
  return 1 / (1 + exp (-logit));
}

static void
sql_probability (sqlite3_context *context, int n_arguments, sqlite3_value **arguments)
{
  const char *logits = sqlite3_value_blob (arguments[0]); /* SQLite's memory may be unaligned */
  double logit;
  int n_classes = sqlite3_value_bytes (arguments[0]) / (int) sizeof logit;
  int class_index = sqlite3_value_int (arguments[1]);

  if (class_index < 0 || class_index >= n_classes)
    return;
  memcpy (&logit, logits + (gsize) class_index * sizeof logit, sizeof logit);
  sqlite3_result_double (context, sigmoid (logit));
}

gboolean
store_add_probability (CatalogStore *store, GError **error)
{
  return sqlite3_create_function (store->db, "probability", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
                                  NULL, sql_probability, NULL, NULL)
             == SQLITE_OK
         || store_fail (store, error);
}

gboolean
catalog_record_predictions (CatalogStore *store, gint64 run_id, const char *volume,
                            double *probabilities, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "SELECT logits FROM prediction WHERE run_id = ? AND volume = ?", error);
  double logits[CATALOG_N_LABELS];
  gsize size;
  int step;

  for (guint i = 0; i < CATALOG_N_LABELS; i++)
    probabilities[i] = NAN;
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, run_id);
  store_bind_text (statement, 2, volume);
  step = store_step (store, statement, error);
  if (step != SQLITE_ROW)
    return step == SQLITE_DONE;
  size = MIN (sizeof logits, (gsize) sqlite3_column_bytes (statement, 0));
  if (size > 0) /* of nothing SQLite has no pointer */
    memcpy (logits, sqlite3_column_blob (statement, 0), size);
  for (guint i = 0; i < size / sizeof *logits; i++)
    probabilities[i] = sigmoid (logits[i]);
  return TRUE;
}
