#include "catalog/store_private.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* A step, once released, is never edited: what changes later is a step of its own. */
const char *const store_schema_steps[] = {
  /* 0 → 1 */
  "CREATE TABLE setting ("
  "  key TEXT PRIMARY KEY,"
  "  value TEXT NOT NULL"
  ") WITHOUT ROWID;"

  /* ---- records; written by the import ---- */

  "CREATE TABLE split ("
  "  name TEXT PRIMARY KEY," /* catalog_split_name */
  "  imported TEXT,"
  "  reports_path TEXT, labels_path TEXT, metadata_path TEXT, no_chest_path TEXT,"
  "  require_both INTEGER,"
  "  without_metadata INTEGER"
  ");"
  "CREATE TABLE volume ("
  "  id INTEGER PRIMARY KEY,"
  "  split INTEGER NOT NULL," /* CatalogSplit */
  "  position INTEGER NOT NULL,"
  "  name TEXT NOT NULL,"
  "  patient TEXT NOT NULL,"
  "  reason INTEGER NOT NULL," /* CatalogReason */
  "  reason_detail TEXT,"
  "  labels INTEGER," /* bit i is label i; NULL: none */
  "  sex TEXT, age INTEGER, manufacturer TEXT, model TEXT, study_date TEXT,"
  "  rows INTEGER, columns INTEGER, slices INTEGER,"
  "  spacing_xy REAL, spacing_z REAL, slope REAL, intercept REAL,"
  /* The report's volume_id, NULL without one: reconstructions of a scan share the first one's. */
  "  report_id INTEGER"
  ");"
  "CREATE INDEX volume_by_rank ON volume (split, reason, position);"
  "CREATE INDEX volume_by_name ON volume (name);"
  "CREATE INDEX volume_by_patient ON volume (patient);"
  "CREATE TABLE report ("
  "  volume_id INTEGER PRIMARY KEY REFERENCES volume (id) ON DELETE CASCADE,"
  "  clinical TEXT, technique TEXT, findings TEXT, impression TEXT"
  ");"
  /* Without triggers: whoever writes `report` keeps the index in step. */
  "CREATE VIRTUAL TABLE report_text USING fts5 ("
  "  clinical, technique, findings, impression,"
  "  content = 'report', content_rowid = 'volume_id',"
  "  tokenize = 'unicode61 remove_diacritics 2'"
  ");"

  /* ---- samples; members go by name, so that importing a split again leaves them ---- */

  "CREATE TABLE sample ("
  "  id INTEGER PRIMARY KEY,"
  "  name TEXT NOT NULL,"
  "  split INTEGER NOT NULL,"
  "  fraction REAL NOT NULL,"
  "  seed INTEGER NOT NULL," /* the bits of an unsigned number */
  "  available INTEGER NOT NULL,"
  "  drawn_from INTEGER NOT NULL,"
  "  created TEXT NOT NULL,"
  "  superseded TEXT" /* when another sample took the name; kept for the runs that used it */
  ");"
  "CREATE UNIQUE INDEX sample_by_name ON sample (name) WHERE superseded IS NULL;"
  "CREATE TABLE sample_member ("
  "  sample_id INTEGER NOT NULL REFERENCES sample (id) ON DELETE CASCADE,"
  "  volume TEXT NOT NULL,"
  "  PRIMARY KEY (sample_id, volume)"
  ") WITHOUT ROWID;"

  /* ---- latents ---- */

  "CREATE TABLE encoder ("
  "  id INTEGER PRIMARY KEY,"
  "  name TEXT NOT NULL UNIQUE,"
  "  weights_hash TEXT NOT NULL,"
  "  checkpoint_path TEXT NOT NULL,"
  "  description TEXT NOT NULL,"
  "  width INTEGER NOT NULL,"
  "  used INTEGER NOT NULL" /* a counter: the latest used has the largest */
  ");"
  "CREATE TABLE file_hash ("
  "  path TEXT PRIMARY KEY,"
  "  size INTEGER NOT NULL,"
  "  mtime_ns INTEGER NOT NULL,"
  "  hash TEXT NOT NULL"
  ") WITHOUT ROWID;"
  "CREATE TABLE latent ("
  "  id INTEGER PRIMARY KEY,"
  "  encoder_id INTEGER NOT NULL REFERENCES encoder (id) ON DELETE CASCADE,"
  "  key TEXT NOT NULL,"
  "  content_hash TEXT NOT NULL,"
  "  preparation TEXT NOT NULL,"
  "  created TEXT NOT NULL,"
  "  numbers BLOB NOT NULL," /* float32 × encoder.width */
  "  UNIQUE (encoder_id, key)"
  ");"
  /* A latent's key is known once its file was read; the request that led to it is known before. */
  "CREATE TABLE latent_request ("
  "  encoder_id INTEGER NOT NULL REFERENCES encoder (id) ON DELETE CASCADE,"
  "  key TEXT NOT NULL,"
  "  latent_id INTEGER NOT NULL REFERENCES latent (id) ON DELETE CASCADE,"
  "  PRIMARY KEY (encoder_id, key)"
  ") WITHOUT ROWID;"
  "CREATE INDEX latent_request_by_latent ON latent_request (latent_id);"
  "CREATE TABLE volume_latent ("
  "  volume TEXT,"
  "  encoder_id INTEGER REFERENCES encoder (id) ON DELETE CASCADE,"
  "  latent_id INTEGER NOT NULL REFERENCES latent (id) ON DELETE CASCADE,"
  "  PRIMARY KEY (encoder_id, volume)"
  ") WITHOUT ROWID;"
  "CREATE INDEX volume_latent_by_latent ON volume_latent (latent_id);"
  "CREATE TABLE failure ("
  "  encoder_id INTEGER NOT NULL REFERENCES encoder (id) ON DELETE CASCADE,"
  "  volume TEXT NOT NULL,"
  "  reason TEXT NOT NULL,"
  "  failed TEXT NOT NULL,"
  "  PRIMARY KEY (encoder_id, volume)"
  ") WITHOUT ROWID;"

  /* ---- runs ---- */

  /* AUTOINCREMENT: the number of a deleted run is not given out again. */
  "CREATE TABLE run ("
  "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
  "  name TEXT NOT NULL UNIQUE,"
  "  status TEXT NOT NULL,"
  "  message TEXT,"
  "  started TEXT NOT NULL,"
  "  finished TEXT,"
  "  encoder_id INTEGER NOT NULL REFERENCES encoder (id),"
  "  train_sample_id INTEGER NOT NULL REFERENCES sample (id),"
  "  valid_sample_id INTEGER NOT NULL REFERENCES sample (id),"
  "  code_version TEXT NOT NULL,"
  "  note TEXT NOT NULL,"
  "  macro_auroc REAL,"
  "  kept_epoch INTEGER,"
  "  parameters TEXT NOT NULL"
  ");"
  "CREATE INDEX run_by_train_sample ON run (train_sample_id);"
  "CREATE INDEX run_by_valid_sample ON run (valid_sample_id);"
  "CREATE TABLE epoch ("
  "  run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,"
  "  epoch INTEGER NOT NULL,"
  "  train_loss REAL,"
  "  json TEXT NOT NULL,"
  "  PRIMARY KEY (run_id, epoch)"
  ");"
  "CREATE TABLE epoch_class ("
  "  run_id INTEGER NOT NULL,"
  "  epoch INTEGER NOT NULL,"
  "  class INTEGER NOT NULL," /* -1: the macro row */
  "  auroc REAL, auroc_low REAL, auroc_high REAL,"
  "  sensitivity REAL, specificity REAL, accuracy REAL, threshold REAL,"
  "  positives INTEGER NOT NULL, negatives INTEGER NOT NULL,"
  "  PRIMARY KEY (run_id, epoch, class),"
  "  FOREIGN KEY (run_id, epoch) REFERENCES epoch (run_id, epoch) ON DELETE CASCADE"
  ") WITHOUT ROWID;"
  "CREATE TABLE run_result ("
  "  run_id INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,"
  "  thresholds BLOB NOT NULL," /* double × classes */
  "  head BLOB NOT NULL"        /* safetensors */
  ");"
  "CREATE TABLE prediction ("
  "  run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,"
  "  volume TEXT NOT NULL,"
  "  position INTEGER NOT NULL," /* in the run's order */
  "  labels INTEGER NOT NULL,"
  "  logits BLOB NOT NULL," /* double × classes */
  "  PRIMARY KEY (run_id, volume)"
  ") WITHOUT ROWID;",

  /* 1 → 2: what is typed first, one to three letters, has an index of its own. The text index is
   * made anew as after an import, by whoever comes first; so are indexes that nothing but the speed
   * of lists depends on, and that an import needs not wait for (row_indexes.h). */
  "DROP INDEX volume_by_rank;"
  "DROP INDEX volume_by_patient;"
  "DROP TABLE report_text;"
  "CREATE VIRTUAL TABLE report_text USING fts5 ("
  "  clinical, technique, findings, impression,"
  "  content = 'report', content_rowid = 'volume_id', prefix = '1 2 3',"
  "  tokenize = 'unicode61 remove_diacritics 2'"
  ");"
  "INSERT OR REPLACE INTO setting (key, value)"
  " SELECT 'report_text.up_to', '0' WHERE EXISTS (SELECT 1 FROM report);",
};

const int store_schema_n_steps = G_N_ELEMENTS (store_schema_steps);

/** Copy what is committed at @path into @copy, an empty file. */
static gboolean
copy_database (CatalogStore *store, const char *copy, GError **error)
{
  sqlite3 *source = NULL, *target = NULL;
  sqlite3_backup *backup = NULL;
  gboolean copied = FALSE;

  /* A connection that is writing can't be copied from, and ours holds off the other writers: so a
   * second one reads. */
  if (sqlite3_open_v2 (store->path, &source, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK
      && sqlite3_open_v2 (copy, &target, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
    backup = sqlite3_backup_init (target, "main", source, "main");
  if (backup != NULL)
    {
      int step = sqlite3_backup_step (backup, -1);

      copied = sqlite3_backup_finish (backup) == SQLITE_OK && step == SQLITE_DONE;
    }
  if (!copied)
    g_set_error (
        error, CTCLIP_ERROR, CTCLIP_ERROR_IO,
        "%s: cannot be copied to %s before its schema is migrated: %s; make room for a copy "
        "there and start again",
        store->path, copy, sqlite3_errmsg (target != NULL ? target : source));
  sqlite3_close (target);
  sqlite3_close (source);
  return copied;
}

/** The copy appears whole or not at all. */
static gboolean
back_up (CatalogStore *store, int version, GError **error)
{
  g_autofree char *backup = g_strdup_printf ("%s.v%d.backup", store->path, version);
  g_autofree char *temporary = g_strconcat (backup, ".XXXXXX", NULL);
  int fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0600);

  if (fd >= 0)
    {
      close (fd);
      if (!copy_database (store, temporary, error))
        {
          g_unlink (temporary);
          return FALSE;
        }
      if (g_rename (temporary, backup) == 0)
        return TRUE;
    }
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO,
               "%s: cannot be made before the schema is migrated: %s; make its folder writable",
               backup, g_strerror (errno));
  return FALSE;
}

/** Refuse what a later program wrote. */
static gboolean
check_version (CatalogStore *store, int version, int n_steps, GError **error)
{
  if (version >= 0 && version <= n_steps)
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
               "%s: has schema version %d, and this program knows versions up to %d; use a newer "
               "program, or another workspace",
               store->path, version, n_steps);
  return FALSE;
}

/** Within a transaction; another program may have migrated the file while we waited for it. */
static gboolean
migrate_locked (CatalogStore *store, const char *const *steps, int n_steps, GError **error)
{
  g_autofree char *stamp = g_strdup_printf ("PRAGMA application_id = %d; PRAGMA user_version = %d",
                                            STORE_APPLICATION_ID, n_steps);
  int version;

  if (!store_pragma_int (store, "user_version", &version, error)
      || !check_version (store, version, n_steps, error))
    return FALSE;
  if (version == n_steps)
    return TRUE;
  if (version > 0 && !back_up (store, version, error))
    return FALSE;
  for (int i = version; i < n_steps; i++)
    if (!store_exec (store, steps[i], error))
      return FALSE;
  return store_exec (store, stamp, error);
}

gboolean
store_migrate (CatalogStore *store, const char *const *steps, int n_steps, GError **error)
{
  int version;

  if (!store_pragma_int (store, "user_version", &version, error)
      || !check_version (store, version, n_steps, error))
    return FALSE;
  if (version == n_steps)
    return TRUE;
  return store_begin (store, error)
         && store_end (store, migrate_locked (store, steps, n_steps, error), error);
}
