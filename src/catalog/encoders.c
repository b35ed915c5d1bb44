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

gboolean
catalog_encoder_is_imported (const CatalogEncoder *encoder)
{
  return *encoder->weights_hash == '\0';
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
  encoder->width = (guint) sqlite3_column_int64 (statement, 5);
  encoder->n_latents = (guint) sqlite3_column_int64 (statement, 6);
  return encoder;
}

/** Latents of different origin must not mix under one name. */
static gboolean
check_same (const CatalogEncoder *kept, const CatalogEncoder *wanted, GError **error)
{
  if (strcmp (kept->weights_hash, wanted->weights_hash) != 0)
    g_set_error (
        error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
        "encoder %s: this name is taken by other weights or another precision (%s); choose "
        "another with --encoder-name",
        kept->name, *kept->checkpoint_path != '\0' ? kept->checkpoint_path : "imported latents");
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
      g_ptr_array_new_with_free_func ((GDestroyNotify) catalog_encoder_free);
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
  sqlite3_bind_int64 (statement, 2, (gint64) size);
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
  sqlite3_bind_int64 (statement, 2, (gint64) size);
  sqlite3_bind_int64 (statement, 3, mtime_ns);
  store_bind_text (statement, 4, hash);
  return store_run (store, statement, error);
}
