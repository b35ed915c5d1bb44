#include "catalog/latents.h"

#include "base/error.h"
#include "catalog/store_private.h"

#include <string.h>

/* ---- encoders ---- */

void
catalog_encoder_free (CatalogEncoder *encoder)
{
  g_free (encoder->name);
  g_free (encoder->weights_hash);
  g_free (encoder->checkpoint_path);
  g_free (encoder->description);
  g_free (encoder);
}

#define SELECT_ENCODERS                                                                            \
  "SELECT id, name, weights_hash, checkpoint_path, description, width,"                            \
  " (SELECT count (*) FROM volume_latent WHERE encoder_id = encoder.id)"                           \
  " FROM encoder"

static CatalogEncoder *
read_encoder (sqlite3_stmt *statement)
{
  CatalogEncoder *encoder = g_new0 (CatalogEncoder, 1);

  encoder->id = sqlite3_column_int64 (statement, 0);
  encoder->name = store_column_text (statement, 1);
  encoder->weights_hash = store_column_text (statement, 2);
  encoder->checkpoint_path = store_column_text (statement, 3);
  encoder->description = store_column_text (statement, 4);
  encoder->width = (guint)sqlite3_column_int64 (statement, 5);
  encoder->n_latents = (guint)sqlite3_column_int64 (statement, 6);
  return encoder;
}

/** Latents of different origin must not mix under one name. */
static gboolean
check_same (const CatalogEncoder *kept, const CatalogEncoder *wanted, GError **error)
{
  if (strcmp (kept->weights_hash, wanted->weights_hash) != 0)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                 "encoder %s: this name is taken by other weights (%s); choose another with "
                 "--encoder-name",
                 kept->name,
                 *kept->checkpoint_path != '\0' ? kept->checkpoint_path : "imported latents");
  else if (kept->width != wanted->width)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                 "encoder %s: its latents hold %u numbers and these %u; choose another name with "
                 "--encoder-name",
                 kept->name, kept->width, wanted->width);
  else
    return TRUE;
  return FALSE;
}

/** Within a transaction. */
static gboolean
ensure_encoder (CatalogStore *store, CatalogEncoder *encoder, GError **error)
{
  g_autoptr (sqlite3_stmt) find = store_prepare (store, SELECT_ENCODERS " WHERE name = ?", error);
  g_autoptr (sqlite3_stmt) write = NULL;
  g_autoptr (CatalogEncoder) kept = NULL;
  int step;

  if (find == NULL)
    return FALSE;
  store_bind_text (find, 1, encoder->name);
  step = store_step (store, find, error);
  if (step == SQLITE_ROW)
    kept = read_encoder (find);
  if (step != SQLITE_ROW && step != SQLITE_DONE)
    return FALSE;
  if (kept != NULL && !check_same (kept, encoder, error))
    return FALSE;

  write =
      store_prepare (store,
                     "INSERT INTO encoder"
                     " (name, weights_hash, width, checkpoint_path, description, used)"
                     " VALUES (?, ?, ?, ?, ?, (SELECT coalesce (max (used), 0) + 1 FROM encoder))"
                     " ON CONFLICT (name) DO UPDATE SET checkpoint_path = excluded.checkpoint_path,"
                     " description = excluded.description, used = excluded.used",
                     error);
  if (write == NULL)
    return FALSE;
  store_bind_text (write, 1, encoder->name);
  store_bind_text (write, 2, encoder->weights_hash);
  sqlite3_bind_int64 (write, 3, encoder->width);
  store_bind_text (write, 4, encoder->checkpoint_path);
  store_bind_text (write, 5, encoder->description);
  if (!store_run (store, write, error))
    return FALSE;
  encoder->id = kept != NULL ? kept->id : sqlite3_last_insert_rowid (store->db);
  encoder->n_latents = kept != NULL ? kept->n_latents : 0;
  return TRUE;
}

gboolean
catalog_encoder_ensure (CatalogStore *store, CatalogEncoder *encoder, GError **error)
{
  return store_begin (store, error)
         && store_end (store, ensure_encoder (store, encoder, error), error);
}

static void
set_encoder_not_found (CatalogStore *store, const char *name, GError **error)
{
  g_autofree char *names = store_names (store, "SELECT name FROM encoder ORDER BY name");

  if (*names != '\0')
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                 "encoder %s: is not in this workspace; there are: %s", name, names);
  else
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                 "%s: holds no latents yet; encode scans or import latents first", store->path);
}

CatalogEncoder *
catalog_encoder_find (CatalogStore *store, const char *name, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store,
                     name != NULL ? SELECT_ENCODERS " WHERE name = ?"
                                  : SELECT_ENCODERS " ORDER BY used DESC LIMIT 1",
                     error);
  int step;

  if (statement == NULL)
    return NULL;
  if (name != NULL)
    store_bind_text (statement, 1, name);
  step = store_step (store, statement, error);
  if (step == SQLITE_ROW)
    return read_encoder (statement);
  if (step == SQLITE_DONE)
    set_encoder_not_found (store, name, error);
  return NULL;
}

GPtrArray *
catalog_encoders_list (CatalogStore *store, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, SELECT_ENCODERS " ORDER BY id", error);
  g_autoptr (GPtrArray) encoders =
      g_ptr_array_new_with_free_func ((GDestroyNotify)catalog_encoder_free);
  int step = SQLITE_ERROR;

  while (statement != NULL && (step = store_step (store, statement, error)) == SQLITE_ROW)
    g_ptr_array_add (encoders, read_encoder (statement));
  return step == SQLITE_DONE ? g_steal_pointer (&encoders) : NULL;
}

/* ---- content hashes ---- */

char *
catalog_file_hash_get (CatalogStore *store, const char *path, guint64 size, gint64 mtime_ns)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (
      store, "SELECT hash FROM file_hash WHERE path = ? AND size = ? AND mtime_ns = ?", NULL);

  if (statement == NULL)
    return NULL;
  store_bind_text (statement, 1, path);
  sqlite3_bind_int64 (statement, 2, (gint64)size);
  sqlite3_bind_int64 (statement, 3, mtime_ns);
  return store_step (store, statement, NULL) == SQLITE_ROW ? store_column_text (statement, 0)
                                                           : NULL;
}

gboolean
catalog_file_hash_set (CatalogStore *store, const char *path, guint64 size, gint64 mtime_ns,
                       const char *hash, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (
      store, "INSERT OR REPLACE INTO file_hash (path, size, mtime_ns, hash) VALUES (?, ?, ?, ?)",
      error);

  if (statement == NULL)
    return FALSE;
  store_bind_text (statement, 1, path);
  sqlite3_bind_int64 (statement, 2, (gint64)size);
  sqlite3_bind_int64 (statement, 3, mtime_ns);
  store_bind_text (statement, 4, hash);
  return store_run (store, statement, error);
}

/* ---- latents ---- */

/** What saving takes, compiled once for many; the encoder is parameter 1 of each. */
typedef struct
{
  sqlite3_stmt *insert, *point, *forget;
} LatentWriter;

static void
latent_writer_clear (LatentWriter *writer)
{
  sqlite3_finalize (writer->insert);
  sqlite3_finalize (writer->point);
  sqlite3_finalize (writer->forget);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LatentWriter, latent_writer_clear)

static gboolean
latent_writer_init (LatentWriter *writer, CatalogStore *store, gint64 encoder_id, GError **error)
{
  writer->insert =
      store_prepare (store,
                     "INSERT INTO latent"
                     " (encoder_id, key, content_hash, preparation, numbers, created)"
                     " VALUES (?, ?, ?, ?, ?, " STORE_NOW ")"
                     " ON CONFLICT (encoder_id, key) DO UPDATE SET numbers = excluded.numbers,"
                     " content_hash = excluded.content_hash, preparation = excluded.preparation,"
                     " created = excluded.created",
                     error);
  if (writer->insert == NULL)
    return FALSE;
  writer->point = store_prepare (
      store,
      "INSERT INTO volume_latent (encoder_id, volume, latent_id)"
      " SELECT encoder_id, ?2, id FROM latent WHERE encoder_id = ?1 AND key = ?3"
      " ON CONFLICT (encoder_id, volume) DO UPDATE SET latent_id = excluded.latent_id",
      error);
  if (writer->point == NULL)
    return FALSE;
  writer->forget =
      store_prepare (store, "DELETE FROM failure WHERE encoder_id = ? AND volume = ?", error);
  if (writer->forget == NULL)
    return FALSE;
  sqlite3_bind_int64 (writer->insert, 1, encoder_id);
  sqlite3_bind_int64 (writer->point, 1, encoder_id);
  sqlite3_bind_int64 (writer->forget, 1, encoder_id);
  return TRUE;
}

/** Have @volume show the latent of @key, and forget that it could not be encoded. */
static gboolean
point_at (CatalogStore *store, LatentWriter *writer, const char *volume, const char *key,
          GError **error)
{
  store_bind_text (writer->point, 2, volume);
  store_bind_text (writer->point, 3, key);
  store_bind_text (writer->forget, 2, volume);
  return store_run (store, writer->point, error) && store_run (store, writer->forget, error);
}

static gboolean
save_latent (CatalogStore *store, LatentWriter *writer, const CatalogLatent *latent, gsize size,
             GError **error)
{
  store_bind_text (writer->insert, 2, latent->key);
  store_bind_text (writer->insert, 3, latent->content_hash);
  store_bind_text (writer->insert, 4, latent->preparation);
  store_bind_blob (writer->insert, 5, latent->values, size);
  return store_run (store, writer->insert, error)
         && point_at (store, writer, latent->volume, latent->key, error);
}

/** Bytes of one latent; 0 on failure. */
static gsize
latent_size (CatalogStore *store, gint64 encoder_id, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "SELECT width FROM encoder WHERE id = ?", error);
  int step;

  if (statement == NULL)
    return 0;
  sqlite3_bind_int64 (statement, 1, encoder_id);
  step = store_step (store, statement, error);
  if (step == SQLITE_ROW)
    return (gsize)sqlite3_column_int64 (statement, 0) * sizeof (float);
  if (step == SQLITE_DONE)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                 "%s: encoder number %" G_GINT64_FORMAT " is not there (any more); start again",
                 store->path, encoder_id);
  return 0;
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
  gsize size = latent_size (store, encoder_id, error);
  g_auto (LatentWriter) writer = { NULL };

  if (size == 0 || !latent_writer_init (&writer, store, encoder_id, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (!save_latent (store, &writer, &latents[i], size, error))
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

/** Within a transaction. */
static gboolean
repoint (CatalogStore *store, gint64 encoder_id, const char *volume, const char *key,
         GError **error)
{
  g_auto (LatentWriter) writer = { NULL };

  return latent_writer_init (&writer, store, encoder_id, error)
         && point_at (store, &writer, volume, key, error);
}

gboolean
catalog_latent_hit (CatalogStore *store, gint64 encoder_id, const char *key, const char *volume,
                    gboolean *hit, GError **error)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store,
                     "SELECT EXISTS (SELECT 1 FROM volume_latent WHERE encoder_id = ?1"
                     "  AND volume = ?3 AND latent_id = latent.id)"
                     " AND NOT EXISTS (SELECT 1 FROM failure WHERE encoder_id = ?1 AND volume = ?3)"
                     " FROM latent WHERE encoder_id = ?1 AND key = ?2",
                     error);
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
  shown = sqlite3_column_int (statement, 0);
  sqlite3_reset (statement);
  /* Most hits are of scans that were encoded under this very name: they cost no transaction. */
  return shown
         || (store_begin (store, error)
             && store_end (store, repoint (store, encoder_id, volume, key, error), error));
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
      if ((gsize)sqlite3_column_bytes (statement, 0) != size)
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

char **
catalog_latent_volumes (CatalogStore *store, gint64 encoder_id, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (
      store, "SELECT volume FROM volume_latent WHERE encoder_id = ? ORDER BY volume", error);
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
  volumes = (char **)g_ptr_array_free (names, FALSE);
  return step == SQLITE_DONE ? g_steal_pointer (&volumes) : NULL;
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

char *
catalog_failure_get (CatalogStore *store, gint64 encoder_id, const char *volume)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "SELECT reason FROM failure WHERE encoder_id = ? AND volume = ?", NULL);

  if (statement == NULL)
    return NULL;
  sqlite3_bind_int64 (statement, 1, encoder_id);
  store_bind_text (statement, 2, volume);
  return store_step (store, statement, NULL) == SQLITE_ROW ? store_column_text (statement, 0)
                                                           : NULL;
}
