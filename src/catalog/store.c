#include "catalog/store_private.h"

#include "base/error.h"
#include "catalog/text_index.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/magic.h>
#include <math.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Longer than the longest transaction, which is an import. */
#define BUSY_TIMEOUT_MS 60000
#define BUSY_RETRY_MS 2

/* Measured: at the usual 4096 bytes, of which two latents of 512 numbers take more than one page,
 * loading latents takes 1.4 times as long, and at 8192 an import of CT-RATE takes 0.03 s longer;
 * lists are as quick at both, above 16384 little is gained and commits get larger. */
#define PAGE_SIZE "16384"

/** SQLite's own waiting looks ever more seldom, and whoever writes again and again, as an index
 * that is being filled, would pass by. */
static int
wait_for_writer (void *data, int tries)
{
  if (tries >= BUSY_TIMEOUT_MS / BUSY_RETRY_MS)
    return 0;
  g_usleep (BUSY_RETRY_MS * 1000);
  return 1;
}

/* ---- errors ---- */

/** The errno behind a failed system call; 0 for other faults, after which an earlier one's is still
 * there. */
static int
errno_of (sqlite3 *db, int result)
{
  return (result & 0xff) == SQLITE_IOERR || (result & 0xff) == SQLITE_CANTOPEN
             ? sqlite3_system_errno (db)
             : 0;
}

/** What is wrong and what to do, for SQLite's last error; %NULL where SQLite's text must do. */
static const char *
explain (sqlite3 *db, int result, int *code)
{
  int cause = errno_of (db, result);

  *code = CTCLIP_ERROR_IO;
  /* SQLite sees a full disk as such only where it writes. */
  if (result == SQLITE_FULL || cause == ENOSPC)
    return "the disk is full; free some space and run the same command again, what was finished is "
           "kept";
  if (cause == EDQUOT)
    return "your quota is used up; free some space and run the same command again, what was "
           "finished is kept";
  if (cause == EFBIG)
    return "may not grow beyond the limit on files (ulimit -f); raise it and run the same command "
           "again, what was finished is kept";
  switch (result)
    {
    case SQLITE_IOERR_LOCK:
    case SQLITE_IOERR_UNLOCK:
    case SQLITE_IOERR_RDLOCK:
    case SQLITE_IOERR_CHECKRESERVEDLOCK:
    case SQLITE_IOERR_SHMOPEN:
    case SQLITE_IOERR_SHMSIZE:
    case SQLITE_IOERR_SHMLOCK:
    case SQLITE_IOERR_SHMMAP:
    case SQLITE_PROTOCOL:
    case SQLITE_NOLFS:
      return "this file system cannot lock or share files; keep the workspace on a local disk "
             "(-w DIR)";
    }
  switch (result & 0xff)
    {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      *code = CTCLIP_ERROR_BUSY;
      return "another program is writing to it; wait for that one to finish and try again";
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "cannot be written; make the file and its folder writable for you, or choose another "
             "workspace (-w DIR)";
    case SQLITE_CANTOPEN:
      return "cannot be opened; make the file and its folder readable and writable for you, or "
             "choose another workspace (-w DIR)";
    case SQLITE_NOTADB:
      *code = CTCLIP_ERROR_CORRUPT;
      return "is not a SQLite file; move it away, or choose another workspace (-w DIR)";
    case SQLITE_CORRUPT:
      *code = CTCLIP_ERROR_CORRUPT;
      return "is damaged; go back to a copy, or keep all that can be read with `doctor --repair`";
    case SQLITE_NOMEM:
      *code = CTCLIP_ERROR_MEMORY;
      return "there is not enough memory";
    case SQLITE_IOERR:
      return "cannot be read or written; look into the disk's health and free space, your quota "
             "and the limit on files (ulimit -f)";
    }
  *code = CTCLIP_ERROR_FAILED;
  return NULL;
}

gboolean
store_fail (CatalogStore *store, GError **error)
{
  int result = sqlite3_extended_errcode (store->db);
  const char *detail = sqlite3_errmsg (store->db);
  const char *remedy;
  int code;

  if (result == SQLITE_INTERRUPT)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "Operation was cancelled");
      return FALSE;
    }
  remedy = explain (store->db, result, &code);
  if (remedy != NULL)
    g_set_error (error, CTCLIP_ERROR, code, "%s: %s (%s)", store->path, remedy, detail);
  else
    g_set_error (error, CTCLIP_ERROR, code, "%s: %s", store->path, detail);
  return FALSE;
}

/** A file that lost its name takes what is written to it along when it is closed. */
static gboolean
check_in_place (CatalogStore *store, GError **error)
{
  int moved = FALSE;

  if (sqlite3_file_control (store->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK
      || !moved)
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO,
               "%s: was moved, replaced or removed while this program had it open; put it back, "
               "then run the same command again",
               store->path);
  return FALSE;
}

/* ---- statements ---- */

sqlite3_stmt *
store_prepare (CatalogStore *store, const char *sql, GError **error)
{
  sqlite3_stmt *statement = NULL;

  if (sqlite3_prepare_v2 (store->db, sql, -1, &statement, NULL) != SQLITE_OK)
    store_fail (store, error);
  return statement;
}

sqlite3_stmt *
store_prepare_kept (CatalogStore *store, sqlite3_stmt **kept, const char *sql, GError **error)
{
  if (*kept == NULL || strcmp (sqlite3_sql (*kept), sql) != 0)
    {
      sqlite3_finalize (*kept);
      *kept = store_prepare (store, sql, error);
    }
  return *kept;
}

gboolean
store_exec (CatalogStore *store, const char *sql, GError **error)
{
  return sqlite3_exec (store->db, sql, NULL, NULL, NULL) == SQLITE_OK || store_fail (store, error);
}

int
store_step (CatalogStore *store, sqlite3_stmt *statement, GError **error)
{
  int step = sqlite3_step (statement);

  if (step == SQLITE_ROW)
    return step;
  if (step != SQLITE_DONE)
    store_fail (store, error);
  sqlite3_reset (statement);
  return step;
}

gboolean
store_run (CatalogStore *store, sqlite3_stmt *statement, GError **error)
{
  /* On its own it is a transaction, which store_commit() does not see. */
  return (!sqlite3_get_autocommit (store->db) || check_in_place (store, error))
         && store_step (store, statement, error) == SQLITE_DONE;
}

void
store_bind_text (sqlite3_stmt *statement, int parameter, const char *text)
{
  sqlite3_bind_text (statement, parameter, text, -1, SQLITE_TRANSIENT);
}

void
store_bind_blob (sqlite3_stmt *statement, int parameter, gconstpointer data, gsize size)
{
  sqlite3_bind_blob64 (statement, parameter, data, size, SQLITE_STATIC);
}

char *
store_column_text (sqlite3_stmt *statement, int column)
{
  return g_strdup ((const char *) sqlite3_column_text (statement, column));
}

double
store_column_double (sqlite3_stmt *statement, int column)
{
  return sqlite3_column_type (statement, column) == SQLITE_NULL
             ? NAN
             : sqlite3_column_double (statement, column);
}

int
store_column_int (sqlite3_stmt *statement, int column, int fallback)
{
  return sqlite3_column_type (statement, column) == SQLITE_NULL
             ? fallback
             : sqlite3_column_int (statement, column);
}

gboolean
store_pragma_int (CatalogStore *store, const char *name, int *value, GError **error)
{
  g_autofree char *sql = g_strconcat ("PRAGMA ", name, NULL);
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, sql, error);

  int step;

  if (statement == NULL)
    return FALSE;
  step = store_step (store, statement, error);
  if (step == SQLITE_ROW)
    *value = sqlite3_column_int (statement, 0);
  else if (step == SQLITE_DONE)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                 "%s: this SQLite does not say %s; install version 3.31 or later", store->path,
                 name);
  return step == SQLITE_ROW;
}

char *
store_names (CatalogStore *store, const char *sql)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, sql, NULL);
  GString *names = g_string_new (NULL);

  while (statement != NULL && store_step (store, statement, NULL) == SQLITE_ROW)
    g_string_append_printf (names, "%s%s", names->len > 0 ? ", " : "",
                            (const char *) sqlite3_column_text (statement, 0));
  return g_string_free (names, FALSE);
}

/* ---- transactions ---- */

gboolean
store_begin (CatalogStore *store, GError **error)
{
  return store_exec (store, "BEGIN IMMEDIATE", error);
}

gboolean
store_commit (CatalogStore *store, GError **error)
{
  if (check_in_place (store, error) && store_exec (store, "COMMIT", error))
    return TRUE;
  store_rollback (store);
  return FALSE;
}

void
store_rollback (CatalogStore *store)
{
  /* A full disk and the like have rolled back already. */
  if (!sqlite3_get_autocommit (store->db))
    sqlite3_exec (store->db, "ROLLBACK", NULL, NULL, NULL);
}

gboolean
store_end (CatalogStore *store, gboolean ok, GError **error)
{
  if (ok)
    return store_commit (store, error);
  store_rollback (store);
  return FALSE;
}

/* ---- opening ---- */

G_LOCK_DEFINE_STATIC (creating);

/** Make the file ourselves, because SQLite would let the umask say who may read it. */
static gboolean
create_file (const char *path, GError **error)
{
  int fd, saved_errno;

  /* Closing any descriptor of a file drops the process's locks on it: no other thread may have it
   * open by then, see open_file(). */
  G_LOCK (creating);
  fd = g_open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  saved_errno = errno;
  if (fd >= 0)
    close (fd);
  G_UNLOCK (creating);
  if (fd >= 0 || saved_errno == EEXIST)
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO,
               "%s: cannot be made: %s; choose another workspace (-w DIR)", path,
               g_strerror (saved_errno));
  return FALSE;
}

/** An empty file is as good as none; any other must carry our mark. */
static gboolean
check_owner (CatalogStore *store, GError **error)
{
  int page_count, application_id;

  /* In this order: another program may be making the store, and its first page comes marked. */
  if (!store_pragma_int (store, "page_count", &page_count, error))
    return FALSE;
  if (page_count == 0)
    return TRUE;
  if (!store_pragma_int (store, "application_id", &application_id, error))
    return FALSE;
  if (application_id == STORE_APPLICATION_ID)
    return TRUE;
  g_set_error (
      error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
      "%s: is a SQLite file of another program (application id %#x); move it away, or choose "
      "another workspace (-w DIR)",
      store->path, (guint) application_id);
  return FALSE;
}

/** The readers and writers of a WAL share memory, which those on two hosts can't. */
static gboolean
is_shared_between_hosts (const char *path)
{
  static const guint32 types[] = {
    NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC, AFS_SUPER_MAGIC,
    CEPH_SUPER_MAGIC, CODA_SUPER_MAGIC, V9FS_MAGIC, FUSE_SUPER_MAGIC /* sshfs */,
    /* not in the kernel's header */
    0x0bd00bd0 /* Lustre */, 0x47504653 /* GPFS */, 0x19830326 /* BeeGFS */, 0x01161970 /* GFS2 */
  };
  struct statfs info;

  if (statfs (path, &info) != 0)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if ((guint32) info.f_type == types[i])
      return TRUE;
  return FALSE;
}

/**
 * Where there is no shared memory SQLite stays with its rollback journal.
 *
 * It does not wait for others here, as it does everywhere else, so we do: two programs may both
 * have found a new file.
 */
static gboolean
set_journal (CatalogStore *store, GError **error)
{
  const char *sql = is_shared_between_hosts (store->path) ? "PRAGMA journal_mode = DELETE"
                                                          : "PRAGMA journal_mode = WAL";
  gint64 deadline_us = g_get_monotonic_time () + BUSY_TIMEOUT_MS * G_GINT64_CONSTANT (1000);

  while (sqlite3_exec (store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
    {
      if (sqlite3_errcode (store->db) != SQLITE_BUSY || g_get_monotonic_time () > deadline_us)
        return store_fail (store, error);
      g_usleep (BUSY_RETRY_MS * 1000);
    }
  return TRUE;
}

void
store_leave_log (CatalogStore *store)
{
  /* Refused where others have the file open: then all goes by the log. */
  sqlite3_exec (store->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
}

void
store_return_to_log (CatalogStore *store)
{
  /* If not now, whoever opens the file next does it. */
  set_journal (store, NULL);
}

/** On a file system that is read only SQLite cannot share its log with others, and need not where
 * all of it has gone into the file, and nothing is to be taken back from there. */
static gboolean
may_only_be_read (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path), *log = g_strconcat (path, "-wal", NULL),
                  *journal = g_strconcat (path, "-journal", NULL);

  return access (folder, W_OK) != 0 && errno == EROFS && access (log, F_OK) != 0
         && access (journal, F_OK) != 0;
}

static gboolean
open_file (CatalogStore *store, gboolean immutable)
{
  g_autofree char *escaped = g_uri_escape_string (store->path, "/", FALSE);
  g_autofree char *uri = g_strconcat ("file:", escaped, "?immutable=1", NULL);
  int flags = immutable ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE, result;

  G_LOCK (creating);
  result = sqlite3_open_v2 (immutable ? uri : store->path, &store->db, flags | SQLITE_OPEN_NOMUTEX,
                            NULL);
  G_UNLOCK (creating);
  return result == SQLITE_OK;
}

CatalogStore *
catalog_store_open (const char *path, gboolean create, GError **error)
{
  g_autoptr (CatalogStore) store = g_new0 (CatalogStore, 1);
  gboolean immutable;

  store->path = g_strdup (path);
  if (create && !create_file (path, error))
    return NULL;
  if (!create && !g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                   "%s: is not there; import records to make it, or name a workspace (-w DIR)",
                   path);
      return NULL;
    }
  immutable = !create && may_only_be_read (path);
  if (!open_file (store, immutable))
    {
      store_fail (store, error);
      return NULL;
    }
  sqlite3_extended_result_codes (store->db, TRUE);
  sqlite3_busy_handler (store->db, wait_for_writer, NULL);
  /* Nothing is written before the file is known to be ours, and the mark that makes it so comes
   * with the schema, in one transaction. EXTRA syncs every commit, under a rollback journal too.
   * Foreign keys come last: a migration may take a table away and put it back. */
  if (!check_owner (store, error)
      || !store_exec (store, "PRAGMA page_size = " PAGE_SIZE "; PRAGMA synchronous = EXTRA", error)
      || !store_migrate (store, store_schema_steps, store_schema_n_steps, error)
      || (!immutable && !set_journal (store, error))
      || !store_exec (store, "PRAGMA foreign_keys = ON", error)
      || !store_add_probability (store, error) || !store_add_in_set (store, error)
      || !store_add_name_has (store, error) || !store_add_report_in (store, error))
    return NULL;
  return g_steal_pointer (&store);
}

void
catalog_store_close (CatalogStore *store)
{
  sqlite3_finalize (store->page);
  sqlite3_finalize (store->stamp);
  sqlite3_close (store->db);
  g_free (store->path);
  g_free (store);
}

/* ---- health ---- */

/** Add what a check's rows say to @found, one line a row. */
static gboolean
collect (CatalogStore *store, const char *sql, GString *found, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, sql, error);
  int step = SQLITE_ERROR;

  while (statement != NULL && (step = store_step (store, statement, error)) == SQLITE_ROW)
    g_string_append_printf (found, "%s%s", found->len > 0 ? "; " : "",
                            (const char *) sqlite3_column_text (statement, 0));
  return step == SQLITE_DONE;
}

gboolean
catalog_store_check (CatalogStore *store, GError **error)
{
  g_autoptr (GString) found = g_string_new (NULL);

  if (!collect (
          store,
          "SELECT integrity_check FROM pragma_integrity_check (10) WHERE integrity_check <> 'ok'",
          found, error)
      || !collect (
          store,
          "SELECT 'a row of ' || \"table\" || ' names one of ' || parent || ' that is not there'"
          " FROM pragma_foreign_key_check LIMIT 10",
          found, error))
    return FALSE;
  if (found->len > 0)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                   "%s: is damaged: %s; go back to a copy, or keep all that can be read with "
                   "`doctor --repair`",
                   store->path, found->str);
      return FALSE;
    }
  /* Compares the full-text index with the reports, where it has them all. */
  return !catalog_text_index_is_finished (store)
         || store_exec (store,
                        "INSERT INTO report_text (report_text, rank) VALUES ('integrity-check', 1)",
                        error);
}

/* ---- small values ---- */

int
catalog_store_schema_version (CatalogStore *store)
{
  int version = 0;

  store_pragma_int (store, "user_version", &version, NULL);
  return version;
}

char *
catalog_store_get (CatalogStore *store, const char *key)
{
  g_autoptr (sqlite3_stmt) statement =
      store_prepare (store, "SELECT value FROM setting WHERE key = ?", NULL);

  if (statement == NULL)
    return NULL;
  store_bind_text (statement, 1, key);
  return store_step (store, statement, NULL) == SQLITE_ROW ? store_column_text (statement, 0)
                                                           : NULL;
}

gboolean
catalog_store_set (CatalogStore *store, const char *key, const char *value, GError **error)
{
  const char *sql = value != NULL ? "INSERT INTO setting (key, value) VALUES (?1, ?2)"
                                    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
                                  : "DELETE FROM setting WHERE key = ?1";
  g_autoptr (sqlite3_stmt) statement = store_prepare (store, sql, error);

  if (statement == NULL)
    return FALSE;
  store_bind_text (statement, 1, key);
  if (value != NULL)
    store_bind_text (statement, 2, value);
  return store_run (store, statement, error);
}

guint64
catalog_stamp (CatalogStore *store)
{
  sqlite3_stmt *statement = store_prepare_kept (store, &store->stamp, "PRAGMA data_version", NULL);
  guint64 others = 0, own = (guint) sqlite3_total_changes (store->db);

  if (statement != NULL && store_step (store, statement, NULL) == SQLITE_ROW)
    {
      others = (guint64) sqlite3_column_int64 (statement, 0);
      sqlite3_reset (statement);
    }
  return others << 32 | own;
}
