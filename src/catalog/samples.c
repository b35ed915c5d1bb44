#include "catalog/samples.h"

#include "base/error.h"
#include "catalog/store_private.h"

/* ---- members ---- */

void
catalog_members_free (CatalogMembers *members)
{
  g_strfreev (members->volumes);
  g_strfreev (members->patients);
  g_free (members->labels);
  g_free (members);
}

/** The rows of a statement that gives name, patient and labels. */
static CatalogMembers *
read_members (CatalogStore *store, sqlite3_stmt *statement, GError **error)
{
  g_autoptr (CatalogMembers) members = g_new0 (CatalogMembers, 1);
  GPtrArray *volumes = g_ptr_array_new (), *patients = g_ptr_array_new ();
  GArray *labels = g_array_new (FALSE, FALSE, sizeof (guint32));
  int step;

  while ((step = store_step (store, statement, error)) == SQLITE_ROW)
    {
      guint32 bits = (guint32) sqlite3_column_int64 (statement, 2);

      g_ptr_array_add (volumes, store_column_text (statement, 0));
      g_ptr_array_add (patients, store_column_text (statement, 1));
      g_array_append_val (labels, bits);
    }
  members->n = labels->len;
  g_ptr_array_add (volumes, NULL);
  g_ptr_array_add (patients, NULL);
  members->volumes = (char **) g_ptr_array_free (volumes, FALSE);
  members->patients = (char **) g_ptr_array_free (patients, FALSE);
  members->labels = (guint32 *) (gpointer) g_array_free (labels, FALSE);
  return step == SQLITE_DONE ? g_steal_pointer (&members) : NULL;
}

static gboolean
check_imported (CatalogStore *store, CatalogSplit split, GError **error)
{
  const char *name = catalog_split_name (split);
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "SELECT 1 FROM split WHERE name = ?", error);
  int step;

  if (statement == NULL)
    return FALSE;
  store_bind_text (statement, 1, name);
  step = store_step (store, statement, error);
  if (step == SQLITE_DONE)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                 "%s: split %s has not been imported; import its reports and labels first",
                 store->path, name);
  return step == SQLITE_ROW;
}

CatalogMembers *
catalog_split_members (CatalogStore *store, CatalogSplit split, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = NULL;

  if (!check_imported (store, split, error))
    return NULL;
  statement = store_prepare (store,
                             "SELECT name, patient, labels FROM volume"
                             " WHERE split = ? AND reason = ? ORDER BY position",
                             error);
  if (statement == NULL)
    return NULL;
  sqlite3_bind_int (statement, 1, split);
  sqlite3_bind_int (statement, 2, CATALOG_KEPT);
  return read_members (store, statement, error);
}

CatalogMembers *
catalog_sample_members (CatalogStore *store, const char *name, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = NULL;
  gint64 id = store_sample_id (store, name, error);

  if (id < 0)
    return NULL;
  statement =
      store_prepare (store,
                     "SELECT volume.name, volume.patient, volume.labels"
                     " FROM sample JOIN sample_member AS member ON member.sample_id = sample.id"
                     " JOIN volume ON volume.name = member.volume AND volume.split = sample.split"
                     " WHERE sample.id = ? AND volume.reason = ? ORDER BY volume.position",
                     error);
  if (statement == NULL)
    return NULL;
  sqlite3_bind_int64 (statement, 1, id);
  sqlite3_bind_int (statement, 2, CATALOG_KEPT);
  return read_members (store, statement, error);
}

/* ---- samples ---- */

void
catalog_sample_free (CatalogSample *sample)
{
  g_free (sample->name);
  g_free (sample->created);
  g_free (sample);
}

static gboolean
fail_not_found (CatalogStore *store, const char *name, GError **error)
{
  g_autofree char *names =
      store_names (store, "SELECT name FROM sample WHERE superseded IS NULL ORDER BY name");

  if (*names != '\0')
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                 "sample %s: is not in this workspace; there are: %s", name, names);
  else
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                 "sample %s: this workspace has no samples yet; draw one first", name);
  return FALSE;
}

gint64
store_sample_id (CatalogStore *store, const char *name, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "SELECT id FROM sample WHERE name = ? AND superseded IS NULL", error);
  int step;

  if (statement == NULL)
    return -1;
  store_bind_text (statement, 1, name);
  step = store_step (store, statement, error);
  if (step == SQLITE_ROW)
    return sqlite3_column_int64 (statement, 0);
  if (step == SQLITE_DONE)
    fail_not_found (store, name, error);
  return -1;
}

/** Free the name: a sample that a run used is kept without it, any other goes. */
static gboolean
supersede (CatalogStore *store, const char *name, GError **error)
{
  g_autoptr (sqlite3_stmt) remove =
      store_prepare (store,
                     "DELETE FROM sample WHERE name = ? AND superseded IS NULL"
                     " AND NOT EXISTS (SELECT 1 FROM run WHERE train_sample_id = sample.id)"
                     " AND NOT EXISTS (SELECT 1 FROM run WHERE valid_sample_id = sample.id)",
                     error);
  g_autoptr (sqlite3_stmt) keep = NULL;

  if (remove == NULL)
    return FALSE;
  store_bind_text (remove, 1, name);
  if (!store_run (store, remove, error))
    return FALSE;
  keep = store_prepare (
      store, "UPDATE sample SET superseded = " STORE_NOW " WHERE name = ? AND superseded IS NULL",
      error);
  if (keep == NULL)
    return FALSE;
  store_bind_text (keep, 1, name);
  return store_run (store, keep, error);
}

static gboolean
insert_members (CatalogStore *store, gint64 id, const char *const *volumes, guint n, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "INSERT INTO sample_member (sample_id, volume) VALUES (?, ?)", error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, id);
  for (guint i = 0; i < n; i++)
    {
      store_bind_text (statement, 2, volumes[i]);
      if (!store_run (store, statement, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
insert_sample (CatalogStore *store, const CatalogSample *sample, const char *const *volumes,
               GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (
      store,
      "INSERT INTO sample (name, split, fraction, seed, available, drawn_from, created)"
      " VALUES (?, ?, ?, ?, ?, ?, " STORE_NOW ")",
      error);

  if (statement == NULL)
    return FALSE;
  store_bind_text (statement, 1, sample->name);
  sqlite3_bind_int (statement, 2, sample->split);
  sqlite3_bind_double (statement, 3, sample->fraction);
  sqlite3_bind_int64 (statement, 4, (gint64) sample->seed);
  sqlite3_bind_int (statement, 5, sample->available);
  sqlite3_bind_int64 (statement, 6, sample->of);
  return store_run (store, statement, error)
         && insert_members (store, sqlite3_last_insert_rowid (store->db), volumes, sample->n,
                            error);
}

gboolean
catalog_sample_save (CatalogStore *store, const CatalogSample *sample, const char *const *volumes,
                     GError **error)
{
  return store_begin (store, error)
         && store_end (store,
                       supersede (store, sample->name, error)
                           && insert_sample (store, sample, volumes, error),
                       error);
}

#define SELECT_SAMPLES                                                                             \
  "SELECT name, split, fraction, seed, available, drawn_from, created,"                            \
  " (SELECT count (*) FROM sample_member WHERE sample_id = sample.id)"                             \
  " FROM sample WHERE superseded IS NULL"

static CatalogSample *
read_sample (sqlite3_stmt *statement)
{
  CatalogSample *sample = g_new0 (CatalogSample, 1);

  sample->name = store_column_text (statement, 0);
  sample->split = (CatalogSplit) sqlite3_column_int (statement, 1);
  sample->fraction = sqlite3_column_double (statement, 2);
  sample->seed = (guint64) sqlite3_column_int64 (statement, 3);
  sample->available = sqlite3_column_int (statement, 4);
  sample->of = (guint) sqlite3_column_int64 (statement, 5);
  sample->created = store_column_text (statement, 6);
  sample->n = (guint) sqlite3_column_int64 (statement, 7);
  return sample;
}

CatalogSample *
catalog_sample_find (CatalogStore *store, const char *name, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, SELECT_SAMPLES " AND name = ?", error);
  int step;

  if (statement == NULL)
    return NULL;
  store_bind_text (statement, 1, name);
  step = store_step (store, statement, error);
  if (step == SQLITE_ROW)
    return read_sample (statement);
  if (step == SQLITE_DONE)
    fail_not_found (store, name, error);
  return NULL;
}

GPtrArray *
catalog_samples_list (CatalogStore *store, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, SELECT_SAMPLES " ORDER BY id", error);
  g_autoptr (GPtrArray) samples =
      g_ptr_array_new_with_free_func ((GDestroyNotify) catalog_sample_free);
  int step = SQLITE_ERROR;

  while (statement != NULL && (step = store_step (store, statement, error)) == SQLITE_ROW)
    g_ptr_array_add (samples, read_sample (statement));
  return step == SQLITE_DONE ? g_steal_pointer (&samples) : NULL;
}
