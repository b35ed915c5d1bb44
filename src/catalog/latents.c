#include "catalog/latents.h"

#include "base/error.h"
#include "catalog/store_private.h"

#include <string.h>

/* ---- saving ---- */

/** What saving takes, compiled once for many; the encoder is parameter 1 of each. */
typedef struct
{
  CatalogStore *store;
  sqlite3_stmt *insert, *find, *request, *point, *forget;
} LatentWriter;

static void
latent_writer_clear (LatentWriter *writer)
{
  sqlite3_finalize (writer->insert);
  sqlite3_finalize (writer->find);
  sqlite3_finalize (writer->request);
  sqlite3_finalize (writer->point);
  sqlite3_finalize (writer->forget);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LatentWriter, latent_writer_clear)

static gboolean
prepare_for (CatalogStore *store, gint64 encoder_id, const char *sql, sqlite3_stmt **statement,
             GError **error)
{
  *statement = store_prepare (store, sql, error);
  return *statement != NULL
         && (sqlite3_bind_int64 (*statement, 1, encoder_id) == SQLITE_OK
             || store_fail (store, error));
}

static gboolean
latent_writer_init (LatentWriter *writer, CatalogStore *store, gint64 encoder_id, GError **error)
{
  writer->store = store;
  return prepare_for (store, encoder_id,
                      "INSERT INTO latent"
                      " (encoder_id, key, content_hash, preparation, numbers, created)"
                      " VALUES (?, ?, ?, ?, ?, " STORE_NOW ")"
                      " ON CONFLICT (encoder_id, key) DO UPDATE SET numbers = excluded.numbers,"
                      " content_hash = excluded.content_hash, preparation = excluded.preparation,"
                      " created = excluded.created",
                      &writer->insert, error)
         && prepare_for (store, encoder_id,
                         "SELECT id FROM latent WHERE encoder_id = ? AND key = ?", &writer->find,
                         error)
         && prepare_for (store, encoder_id,
                         "INSERT OR REPLACE INTO latent_request (encoder_id, key, latent_id)"
                         " VALUES (?, ?, ?)",
                         &writer->request, error)
         && prepare_for (store, encoder_id,
                         "INSERT OR REPLACE INTO volume_latent (encoder_id, volume, latent_id)"
                         " VALUES (?, ?, ?)",
                         &writer->point, error)
         && prepare_for (store, encoder_id,
                         "DELETE FROM failure WHERE encoder_id = ? AND volume = ?", &writer->forget,
                         error);
}

/** The latent of that very key; -1 with NOT_FOUND. */
static gint64
find_latent (LatentWriter *writer, const char *key, GError **error)
{
  gint64 id = -1;
  int step;

  store_bind_text (writer->find, 2, key);
  step = store_step (writer->store, writer->find, error);
  if (step == SQLITE_ROW)
    id = sqlite3_column_int64 (writer->find, 0);
  else if (step == SQLITE_DONE)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                 "%s: the latent %s is not there (any more); encode its scan again",
                 writer->store->path, key);
  sqlite3_reset (writer->find);
  return id;
}

static gboolean
add_request (LatentWriter *writer, const char *request_key, gint64 latent_id, GError **error)
{
  store_bind_text (writer->request, 2, request_key);
  sqlite3_bind_int64 (writer->request, 3, latent_id);
  return store_run (writer->store, writer->request, error);
}

/** Have @volume show the latent, and forget that it could not be encoded. */
static gboolean
point_at (LatentWriter *writer, const char *volume, gint64 latent_id, GError **error)
{
  store_bind_text (writer->point, 2, volume);
  sqlite3_bind_int64 (writer->point, 3, latent_id);
  store_bind_text (writer->forget, 2, volume);
  return store_run (writer->store, writer->point, error)
         && store_run (writer->store, writer->forget, error);
}

static gboolean
save_latent (LatentWriter *writer, const CatalogLatent *latent, gsize size, GError **error)
{
  gint64 id;

  store_bind_text (writer->insert, 2, latent->key);
  store_bind_text (writer->insert, 3, latent->content_hash);
  store_bind_text (writer->insert, 4, latent->preparation);
  store_bind_blob (writer->insert, 5, latent->values, size);
  if (!store_run (writer->store, writer->insert, error))
    return FALSE;
  id = find_latent (writer, latent->key, error);
  return id >= 0
         && (latent->request_key == NULL || add_request (writer, latent->request_key, id, error))
         && point_at (writer, latent->volume, id, error);
}

/** @size: (out) bytes of one latent */
static gboolean
latent_size (CatalogStore *store, gint64 encoder_id, gsize *size, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "SELECT width FROM encoder WHERE id = ?", error);
  int step;

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, encoder_id);
  step = store_step (store, statement, error);
  if (step == SQLITE_ROW)
    *size = (gsize) sqlite3_column_int64 (statement, 0) * sizeof (float);
  if (step == SQLITE_DONE)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                 "%s: encoder number %" G_GINT64_FORMAT " is not there (any more); start again",
                 store->path, encoder_id);
  return step == SQLITE_ROW;
}

/** Imported latents are no cache: one that no volume shows will never be asked for. */
static gboolean
drop_unused_imports (CatalogStore *store, gint64 encoder_id, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (
      store,
      "DELETE FROM latent"
      " WHERE encoder_id = (SELECT id FROM encoder WHERE id = ? AND weights_hash = '')"
      " AND NOT EXISTS (SELECT 1 FROM volume_latent WHERE latent_id = latent.id)",
      error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, encoder_id);
  return store_run (store, statement, error);
}

/** Within a transaction. */
static gboolean
save_latents (CatalogStore *store, gint64 encoder_id, const CatalogLatent *latents, gsize n,
              GError **error)
{
  gsize size;
  g_auto (LatentWriter) writer = { NULL };

  if (!latent_size (store, encoder_id, &size, error)
      || !latent_writer_init (&writer, store, encoder_id, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (!save_latent (&writer, &latents[i], size, error))
      return FALSE;
  return drop_unused_imports (store, encoder_id, error);
}

gboolean
catalog_latents_save (CatalogStore *store, gint64 encoder_id, const CatalogLatent *latents, gsize n,
                      GError **error)
{
  return store_begin (store, error)
         && store_end (store, save_latents (store, encoder_id, latents, n, error), error);
}

gboolean
catalog_latent_save (CatalogStore *store, gint64 encoder_id, const CatalogLatent *latent,
                     GError **error)
{
  return catalog_latents_save (store, encoder_id, latent, 1, error);
}

/* ---- asking ---- */

/** Within a transaction. */
static gboolean
resolve_request (CatalogStore *store, gint64 encoder_id, const char *key, const char *request_key,
                 GError **error)
{
  g_auto (LatentWriter) writer = { NULL };
  gint64 id;

  return latent_writer_init (&writer, store, encoder_id, error)
         && (id = find_latent (&writer, key, error)) >= 0
         && add_request (&writer, request_key, id, error);
}

gboolean
catalog_latent_add_request (CatalogStore *store, gint64 encoder_id, const char *key,
                            const char *request_key, GError **error)
{
  return store_begin (store, error)
         && store_end (store, resolve_request (store, encoder_id, key, request_key, error), error);
}

/** Within a transaction. */
static gboolean
show (CatalogStore *store, gint64 encoder_id, const char *volume, gint64 latent_id, GError **error)
{
  g_auto (LatentWriter) writer = { NULL };

  return latent_writer_init (&writer, store, encoder_id, error)
         && point_at (&writer, volume, latent_id, error);
}

gboolean
catalog_latent_hit (CatalogStore *store, gint64 encoder_id, const char *key, const char *volume,
                    gboolean *hit, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store,
                     "SELECT id,"
                     " EXISTS (SELECT 1 FROM volume_latent WHERE encoder_id = ?1 AND volume = ?3"
                     "  AND latent_id = latent.id)"
                     " AND NOT EXISTS (SELECT 1 FROM failure WHERE encoder_id = ?1 AND volume = ?3)"
                     " FROM latent WHERE id = coalesce ("
                     "  (SELECT id FROM latent WHERE encoder_id = ?1 AND key = ?2),"
                     "  (SELECT latent_id FROM latent_request WHERE encoder_id = ?1 AND key = ?2))",
                     error);
  gint64 latent_id;
  gboolean shown;
  int step;

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, encoder_id);
  store_bind_text (statement, 2, key);
  store_bind_text (statement, 3, volume);
  step = store_step (store, statement, error);
  *hit = step == SQLITE_ROW;
  if (step != SQLITE_ROW)
    return step == SQLITE_DONE;
  latent_id = sqlite3_column_int64 (statement, 0);
  shown = sqlite3_column_int (statement, 1);
  sqlite3_reset (statement);
  /* Most hits are of scans that were encoded under this very name: they cost no transaction. */
  return shown
         || (store_begin (store, error)
             && store_end (store, show (store, encoder_id, volume, latent_id, error), error));
}

/** Within a transaction. */
static gboolean
load_latents (CatalogStore *store, gint64 encoder_id, const char *const *volumes, gsize n,
              guint width, float *values, guint8 *present, GError **error)
{
  gsize size = width * sizeof *values;
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store,
                     "SELECT numbers FROM volume_latent AS shown"
                     " JOIN latent ON latent.id = shown.latent_id"
                     " WHERE shown.encoder_id = ? AND shown.volume = ?",
                     error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, encoder_id);
  for (gsize i = 0; i < n; i++)
    {
      int step;

      sqlite3_bind_text (statement, 2, volumes[i], -1, SQLITE_STATIC);
      step = store_step (store, statement, error);
      present[i] = step == SQLITE_ROW;
      if (step == SQLITE_DONE)
        continue;
      if (step != SQLITE_ROW)
        return FALSE;
      if ((gsize) sqlite3_column_bytes (statement, 0) != size)
        {
          g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                       "%s: the latent of %s holds %d bytes where %" G_GSIZE_FORMAT
                       " were expected; encode it again under another --encoder-name",
                       store->path, volumes[i], sqlite3_column_bytes (statement, 0), size);
          return FALSE;
        }
      memcpy (values + i * width, sqlite3_column_blob (statement, 0), size);
      sqlite3_reset (statement);
    }
  return TRUE;
}

gboolean
catalog_latents_load (CatalogStore *store, gint64 encoder_id, const char *const *volumes, gsize n,
                      guint width, float *values, guint8 *present, GError **error)
{
  /* One reading transaction: all rows are of one moment, and no row pays for a lock of its own. */
  return store_exec (store, "BEGIN", error)
         && store_end (store,
                       load_latents (store, encoder_id, volumes, n, width, values, present, error),
                       error);
}

/** The first column of a statement that takes the encoder. */
static char **
read_volumes (CatalogStore *store, const char *sql, gint64 encoder_id, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, sql, error);
  g_auto (GStrv) volumes = NULL;
  GPtrArray *names;
  int step;

  if (statement == NULL)
    return NULL;
  sqlite3_bind_int64 (statement, 1, encoder_id);
  names = g_ptr_array_new ();
  while ((step = store_step (store, statement, error)) == SQLITE_ROW)
    g_ptr_array_add (names, store_column_text (statement, 0));
  g_ptr_array_add (names, NULL);
  volumes = (char **) g_ptr_array_free (names, FALSE);
  return step == SQLITE_DONE ? g_steal_pointer (&volumes) : NULL;
}

char **
catalog_latent_requests (CatalogStore *store, gint64 encoder_id, const char *volume,
                         char **content_hash, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store,
                     "SELECT content_hash, request.key FROM volume_latent AS shown"
                     " JOIN latent ON latent.id = shown.latent_id"
                     " LEFT JOIN latent_request AS request ON request.latent_id = latent.id"
                     " WHERE shown.encoder_id = ? AND shown.volume = ?",
                     error);
  g_auto (GStrv) keys = NULL;
  GPtrArray *found;
  int step;

  *content_hash = NULL;
  if (statement == NULL)
    return NULL;
  sqlite3_bind_int64 (statement, 1, encoder_id);
  store_bind_text (statement, 2, volume);
  found = g_ptr_array_new ();
  while ((step = store_step (store, statement, error)) == SQLITE_ROW)
    {
      if (*content_hash == NULL)
        *content_hash = store_column_text (statement, 0);
      if (sqlite3_column_type (statement, 1) != SQLITE_NULL)
        g_ptr_array_add (found, store_column_text (statement, 1));
    }
  g_ptr_array_add (found, NULL);
  keys = (char **) g_ptr_array_free (found, FALSE);
  if (step == SQLITE_DONE)
    return g_steal_pointer (&keys);
  g_clear_pointer (content_hash, g_free);
  return NULL;
}

char **
catalog_latent_volumes (CatalogStore *store, gint64 encoder_id, GError **error)
{
  return read_volumes (store,
                       "SELECT volume FROM volume_latent WHERE encoder_id = ? ORDER BY volume",
                       encoder_id, error);
}

/* ---- failures ---- */

gboolean
catalog_failure_save (CatalogStore *store, gint64 encoder_id, const char *volume,
                      const char *reason, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store,
                     "INSERT OR REPLACE INTO failure (encoder_id, volume, reason, failed)"
                     " VALUES (?, ?, ?, " STORE_NOW ")",
                     error);

  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, encoder_id);
  store_bind_text (statement, 2, volume);
  store_bind_text (statement, 3, reason);
  return store_run (store, statement, error);
}

char **
catalog_failed_volumes (CatalogStore *store, gint64 encoder_id, GError **error)
{
  return read_volumes (store, "SELECT volume FROM failure WHERE encoder_id = ? ORDER BY volume",
                       encoder_id, error);
}
