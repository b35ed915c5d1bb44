#include "catalog/runs.h"

#include "base/error.h"
#include "catalog/latents.h"
#include "catalog/store_private.h"

#include <math.h>
#include <string.h>

/** How many runs an error names. */
#define LAST_FEW "5"

void
catalog_run_free (CatalogRun *run)
{
  g_free (run->name);
  g_free (run->status);
  g_free (run->message);
  g_free (run->started);
  g_free (run->finished);
  g_free (run->parameters);
  g_free (run->encoder);
  g_free (run->train_sample);
  g_free (run->valid_sample);
  g_free (run->code_version);
  g_free (run->note);
  g_free (run);
}

static const char *
or_empty (const char *text)
{
  return text != NULL ? text : "";
}

gboolean
store_run_changed (CatalogStore *store, gint64 run_id, const char *fault, GError **error)
{
  if (sqlite3_changes (store->db) > 0)
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND, "run-%" G_GINT64_FORMAT ": %s", run_id,
               fault);
  return FALSE;
}

/* ---- names ---- */

/** The number in "7" or "run-7"; 0 where @name is of another kind. */
static gint64
number_in_name (const char *name)
{
  const char *digits = g_str_has_prefix (name, "run-") ? name + strlen ("run-") : name;
  guint64 number;

  return g_ascii_string_to_unsigned (digits, 10, 1, G_MAXINT64, &number, NULL) ? (gint64) number
                                                                               : 0;
}

/** Numbers and "latest" are ways to ask for a run, so no name may look like them. */
static gboolean
check_name (CatalogStore *store, const char *name, gint64 own_id, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = NULL;
  gint64 number = number_in_name (name);
  int step;

  if (*name == '\0' || strcmp (name, "latest") == 0 || (number > 0 && number != own_id))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "run name '%s': numbers, 'run-N' and 'latest' stand for runs already; choose "
                   "another name",
                   name);
      return FALSE;
    }
  statement = store_prepare (store, "SELECT 1 FROM run WHERE name = ? AND id <> ?", error);
  if (statement == NULL)
    return FALSE;
  store_bind_text (statement, 1, name);
  sqlite3_bind_int64 (statement, 2, own_id);
  step = store_step (store, statement, error);
  if (step == SQLITE_ROW)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                 "run name '%s': another run has it; choose another name, or rename or delete that "
                 "run",
                 name);
  return step == SQLITE_DONE;
}

/* ---- a run's life ---- */

static gboolean
insert_run (CatalogStore *store, const CatalogRun *run, GError **error)
{
  gint64 train_sample_id = store_sample_id (store, run->train_sample, error);
  gint64 valid_sample_id =
      train_sample_id >= 0 ? store_sample_id (store, run->valid_sample, error) : -1;
  g_autoptr (CatalogEncoder) encoder =
      valid_sample_id >= 0 ? catalog_encoder_find (store, run->encoder, error) : NULL;
  g_autoptr (sqlite3_stmt) statement = NULL;

  if (encoder == NULL)
    return FALSE;
  statement = store_prepare (
      store,
      "INSERT INTO run (name, status, started, encoder_id, train_sample_id, valid_sample_id,"
      " code_version, note, parameters)"
      " VALUES (coalesce (?, 'run-' || (SELECT coalesce (max (seq), 0) + 1 FROM sqlite_sequence"
      " WHERE name = 'run')), 'running', " STORE_NOW ", ?, ?, ?, ?, ?, ?)",
      error);
  if (statement == NULL)
    return FALSE;
  store_bind_text (statement, 1, *or_empty (run->name) != '\0' ? run->name : NULL);
  sqlite3_bind_int64 (statement, 2, encoder->id);
  sqlite3_bind_int64 (statement, 3, train_sample_id);
  sqlite3_bind_int64 (statement, 4, valid_sample_id);
  store_bind_text (statement, 5, or_empty (run->code_version));
  store_bind_text (statement, 6, or_empty (run->note));
  store_bind_text (statement, 7, or_empty (run->parameters));
  return store_run (store, statement, error);
}

/** Fill in what the store gave the new run. */
static gboolean
read_begun (CatalogStore *store, CatalogRun *run, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "SELECT id, name, status, started FROM run WHERE id = ?", error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, sqlite3_last_insert_rowid (store->db));
  if (store_step (store, statement, error) != SQLITE_ROW)
    return FALSE;
  g_free (run->name);
  g_free (run->status);
  g_free (run->started);
  run->id = sqlite3_column_int64 (statement, 0);
  run->name = store_column_text (statement, 1);
  run->status = store_column_text (statement, 2);
  run->started = store_column_text (statement, 3);
  run->macro_auroc = NAN;
  run->kept_epoch = -1;
  return TRUE;
}

gboolean
catalog_run_begin (CatalogStore *store, CatalogRun *run, GError **error)
{
  return store_begin (store, error)
         && store_end (store,
                       (*or_empty (run->name) == '\0' || check_name (store, run->name, 0, error))
                           && insert_run (store, run, error) && read_begun (store, run, error),
                       error);
}

gboolean
store_run_end (CatalogStore *store, gint64 run_id, const char *status, const char *message,
               double macro_auroc, int kept_epoch, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (
      store,
      "UPDATE run SET status = ?, message = ?, macro_auroc = ?,"
      " kept_epoch = nullif (?, -1), finished = " STORE_NOW " WHERE id = ? AND status = 'running'",
      error);

  if (statement == NULL)
    return FALSE;
  store_bind_text (statement, 1, status);
  store_bind_text (statement, 2, message);
  sqlite3_bind_double (statement, 3, macro_auroc);
  sqlite3_bind_int (statement, 4, kept_epoch);
  sqlite3_bind_int64 (statement, 5, run_id);
  return store_run (store, statement, error)
         && store_run_changed (store, run_id, "was deleted or ended elsewhere; start it again",
                               error);
}

gboolean
catalog_run_end (CatalogStore *store, gint64 run_id, const char *status, const char *message,
                 GError **error)
{
  return store_run_end (store, run_id, status, message, NAN, -1, error);
}

gboolean
catalog_runs_end_abandoned (CatalogStore *store, guint *n, GError **error)
{
  if (!store_exec (store,
                   "UPDATE run SET status = 'failed', finished = " STORE_NOW ","
                   " message = 'the program ended before the run did' WHERE status = 'running'",
                   error))
    return FALSE;
  *n = (guint) sqlite3_changes (store->db);
  return TRUE;
}

/* ---- finding ---- */

#define SELECT_RUNS                                                                                \
  "SELECT run.id, run.name, status, message, started, finished, parameters, encoder.name,"         \
  " train.name, valid.name, code_version, note, macro_auroc, kept_epoch"                           \
  " FROM run JOIN encoder ON encoder.id = encoder_id"                                              \
  " JOIN sample AS train ON train.id = train_sample_id"                                            \
  " JOIN sample AS valid ON valid.id = valid_sample_id"

static CatalogRun *
read_run (sqlite3_stmt *statement)
{
  CatalogRun *run = g_new0 (CatalogRun, 1);

  run->id = sqlite3_column_int64 (statement, 0);
  run->name = store_column_text (statement, 1);
  run->status = store_column_text (statement, 2);
  run->message = store_column_text (statement, 3);
  run->started = store_column_text (statement, 4);
  run->finished = store_column_text (statement, 5);
  run->parameters = store_column_text (statement, 6);
  run->encoder = store_column_text (statement, 7);
  run->train_sample = store_column_text (statement, 8);
  run->valid_sample = store_column_text (statement, 9);
  run->code_version = store_column_text (statement, 10);
  run->note = store_column_text (statement, 11);
  run->macro_auroc = store_column_double (statement, 12);
  run->kept_epoch = store_column_int (statement, 13, -1);
  return run;
}

GPtrArray *
catalog_runs_list (CatalogStore *store, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, SELECT_RUNS " ORDER BY run.id DESC", error);
  g_autoptr (GPtrArray) runs = g_ptr_array_new_with_free_func ((GDestroyNotify) catalog_run_free);
  int step = SQLITE_ERROR;

  while (statement != NULL && (step = store_step (store, statement, error)) == SQLITE_ROW)
    g_ptr_array_add (runs, read_run (statement));
  return step == SQLITE_DONE ? g_steal_pointer (&runs) : NULL;
}

static gint64
count_runs (CatalogStore *store, const char *sql, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, sql, error);

  if (statement == NULL || store_step (store, statement, error) != SQLITE_ROW)
    return -1;
  return sqlite3_column_int64 (statement, 0);
}

gint64
catalog_runs_count (CatalogStore *store, GError **error)
{
  return count_runs (store, "SELECT count (*) FROM run", error);
}

gint64
catalog_runs_running (CatalogStore *store, GError **error)
{
  return count_runs (store, "SELECT count (*) FROM run WHERE status = 'running'", error);
}

static void
set_run_not_found (CatalogStore *store, const char *name, GError **error)
{
  g_autofree char *names =
      store_names (store, "SELECT name FROM run ORDER BY id DESC LIMIT " LAST_FEW);

  if (*names != '\0' && strcmp (name, "latest") == 0)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                 "latest: no run in this workspace is done; the last ones are: %s", names);
  else if (*names != '\0')
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                 "%s: no run of this workspace is called so; the last ones are: %s", name, names);
  else
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                 "%s: this workspace has no runs yet; train first", name);
}

CatalogRun *
catalog_run_find (CatalogStore *store, const char *name, GError **error)
{
  gboolean latest = strcmp (name, "latest") == 0;
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store,
                     latest ? SELECT_RUNS " WHERE status = 'done' ORDER BY run.id DESC LIMIT 1"
                            : SELECT_RUNS " WHERE run.name = ? OR run.id = ?",
                     error);
  int step;

  if (statement == NULL)
    return NULL;
  if (!latest)
    {
      store_bind_text (statement, 1, name);
      sqlite3_bind_int64 (statement, 2, number_in_name (name));
    }
  step = store_step (store, statement, error);
  if (step == SQLITE_ROW)
    return read_run (statement);
  if (step == SQLITE_DONE)
    set_run_not_found (store, name, error);
  return NULL;
}

/* ---- tidying ---- */

static gboolean
update_text (CatalogStore *store, const char *sql, gint64 run_id, const char *text, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, sql, error);

  if (statement == NULL)
    return FALSE;
  store_bind_text (statement, 1, text);
  sqlite3_bind_int64 (statement, 2, run_id);
  return store_run (store, statement, error)
         && store_run_changed (store, run_id, "is not in this workspace", error);
}

gboolean
catalog_run_set_note (CatalogStore *store, gint64 run_id, const char *note, GError **error)
{
  return update_text (store, "UPDATE run SET note = ? WHERE id = ?", run_id, note, error);
}

gboolean
catalog_run_rename (CatalogStore *store, gint64 run_id, const char *name, GError **error)
{
  return store_begin (store, error)
         && store_end (store,
                       check_name (store, name, run_id, error)
                           && update_text (store, "UPDATE run SET name = ? WHERE id = ?", run_id,
                                           name, error),
                       error);
}

static gboolean
delete_run (CatalogStore *store, gint64 run_id, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, "DELETE FROM run WHERE id = ?", error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, run_id);
  return store_run (store, statement, error)
         && store_run_changed (store, run_id, "is not in this workspace", error);
}

gboolean
catalog_run_delete (CatalogStore *store, gint64 run_id, GError **error)
{
  return store_begin (store, error)
         && store_end (
             store,
             delete_run (store, run_id, error)
                 /* Samples that lost their name were kept for the runs that used them. */
                 && store_exec (
                     store,
                     "DELETE FROM sample WHERE superseded IS NOT NULL"
                     " AND NOT EXISTS (SELECT 1 FROM run WHERE train_sample_id = sample.id)"
                     " AND NOT EXISTS (SELECT 1 FROM run WHERE valid_sample_id = sample.id)",
                     error),
             error);
}
