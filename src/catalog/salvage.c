#include "catalog/salvage.h"

#include "base/error.h"
#include "catalog/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* Every table that holds what cannot be made again, parents before their children. The key leads to
 * a row; where it begins with a parent's number, damage to one parent's rows leaves the others'. */
static const struct
{
  const char *name;
  const char *key;    /* the columns in whose order the rows lie */
  const char *number; /* (nullable) an integer that begins the key */
  gboolean unique;    /* the number alone is the key */
} tables[] = {
  { "setting", "key", NULL, FALSE },
  { "split", "rowid", "rowid", TRUE },
  { "volume", "id", "id", TRUE },
  { "report", "volume_id", "volume_id", TRUE },
  { "sample", "id", "id", TRUE },
  { "sample_member", "sample_id, volume", "sample_id", FALSE },
  { "encoder", "id", "id", TRUE },
  { "file_hash", "path", NULL, FALSE },
  { "latent", "id", "id", TRUE },
  { "latent_request", "encoder_id, key", "encoder_id", FALSE },
  { "volume_latent", "encoder_id, volume", "encoder_id", FALSE },
  { "failure", "encoder_id, volume", "encoder_id", FALSE },
  { "run", "id", "id", TRUE },
  { "epoch", "rowid", "rowid", TRUE },
  { "epoch_class", "run_id, epoch, class", "run_id", FALSE },
  { "run_result", "run_id", "run_id", TRUE },
  { "prediction", "run_id, volume", "run_id", FALSE },
};

typedef struct
{
  sqlite3 *damaged;
  CatalogStore *sound;
  CatalogSalvage *result;
  char *columns;        /* of the table in hand */
  sqlite3_stmt *insert; /* into the table in hand */
} Salvage;

void
catalog_salvage_clear (CatalogSalvage *salvage)
{
  g_clear_pointer (&salvage->damaged, g_ptr_array_unref);
  g_clear_pointer (&salvage->kept_path, g_free);
}

static void
salvage_clear (Salvage *salvage)
{
  sqlite3_finalize (salvage->insert);
  g_free (salvage->columns);
  g_clear_pointer (&salvage->sound, catalog_store_close);
  sqlite3_close (salvage->damaged);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Salvage, salvage_clear)

/* ---- rows ---- */

/** The row that @select stands on. One that the new file has already is taken once; one that breaks
 * its rules is damaged. */
static void
keep_row (Salvage *salvage, sqlite3_stmt *select)
{
  for (int i = 1; i < sqlite3_column_count (select); i++)
    sqlite3_bind_value (salvage->insert, i, sqlite3_column_value (select, i));
  if (sqlite3_step (salvage->insert) == SQLITE_DONE)
    salvage->result->rows += (guint64) sqlite3_changes (salvage->sound->db);
  sqlite3_reset (salvage->insert);
}

/** Keep rows until the end or a page that can't be read. @last: (out) the number of the last. */
static gboolean
read_on (Salvage *salvage, sqlite3_stmt *select, gint64 *last)
{
  int step;

  while ((step = sqlite3_step (select)) == SQLITE_ROW)
    {
      *last = sqlite3_column_int64 (select, 0);
      keep_row (salvage, select);
    }
  sqlite3_reset (select);
  return step == SQLITE_DONE;
}

static sqlite3_stmt *
select_rows (Salvage *salvage, guint table, const char *condition, const char *order)
{
  const char *number = tables[table].number != NULL ? tables[table].number : "0";
  g_autofree char *sql = g_strdup_printf ("SELECT %s, %s FROM %s %s ORDER BY %s", number,
                                          salvage->columns, tables[table].name, condition, order);
  sqlite3_stmt *statement = NULL;

  sqlite3_prepare_v2 (salvage->damaged, sql, -1, &statement, NULL);
  return statement;
}

/** Whether a row at or after @number can be reached; @found is its number, or G_MAXINT64 past the
 * end. */
static gboolean
reaches (sqlite3_stmt *select, gint64 number, gint64 *found)
{
  int step;

  sqlite3_bind_int64 (select, 1, number);
  step = sqlite3_step (select);
  *found = step == SQLITE_ROW ? sqlite3_column_int64 (select, 0) : G_MAXINT64;
  sqlite3_reset (select);
  return step == SQLITE_ROW || step == SQLITE_DONE;
}

/** The first number after @bad from which reading goes on: in growing steps past the gap, then
 * halving back to its end. */
static gint64
past_the_gap (sqlite3_stmt *select, gint64 bad)
{
  gint64 step = 1, good, found;

  while (!reaches (select, good = bad + step, &found))
    {
      bad = good;
      if (step > G_MAXINT64 / 4 || bad > G_MAXINT64 / 2)
        return G_MAXINT64;
      step *= 2;
    }
  while (good - bad > 1)
    {
      gint64 middle = bad + (good - bad) / 2;

      *(reaches (select, middle, &found) ? &good : &bad) = middle;
    }
  return good;
}

/** Rows that lie in the order of a number of their own: on after every gap. FALSE where there was
 * one. */
static gboolean
copy_numbered (Salvage *salvage, guint table)
{
  g_autofree char *condition = g_strdup_printf ("WHERE %s >= ?1", tables[table].number);
  g_autoptr (sqlite3_stmt) select = select_rows (salvage, table, condition, tables[table].key);
  gint64 next = 0;
  gboolean whole = TRUE;

  while (select != NULL && next < G_MAXINT64)
    {
      gint64 last = next - 1;

      sqlite3_bind_int64 (select, 1, next);
      if (read_on (salvage, select, &last))
        return whole;
      whole = FALSE;
      next = past_the_gap (select, last);
    }
  return FALSE;
}

/** Rows that lie in another order: from both ends towards the damage. */
static gboolean
copy_from_both_ends (Salvage *salvage, guint table, const char *condition, gint64 number)
{
  g_auto (GStrv) columns = g_strsplit (tables[table].key, ", ", -1);
  g_autofree char *backwards = g_strjoinv (" DESC, ", columns);
  g_autofree char *order = g_strconcat (backwards, " DESC", NULL);
  g_autoptr (sqlite3_stmt) first = select_rows (salvage, table, condition, tables[table].key);
  g_autoptr (sqlite3_stmt) last = select_rows (salvage, table, condition, order);
  gint64 ignored;

  if (first == NULL || last == NULL)
    return FALSE;
  sqlite3_bind_int64 (first, 1, number);
  sqlite3_bind_int64 (last, 1, number);
  if (read_on (salvage, first, &ignored))
    return TRUE;
  read_on (salvage, last, &ignored);
  return FALSE;
}

/** Rows that belong to a parent with a number, one parent after the other. */
static gboolean
copy_by_parent (Salvage *salvage, guint table)
{
  g_autofree char *next = g_strdup_printf ("WHERE %s >= ?1", tables[table].number);
  g_autofree char *of_one = g_strdup_printf ("WHERE %s = ?1", tables[table].number);
  g_autoptr (sqlite3_stmt) select = select_rows (salvage, table, next, tables[table].key);
  gint64 number = 0, found;
  gboolean whole = TRUE;

  while (select != NULL && number < G_MAXINT64)
    {
      if (!reaches (select, number, &found))
        {
          whole = FALSE;
          found = number = past_the_gap (select, number);
          if (number == G_MAXINT64 || !reaches (select, number, &found))
            break;
        }
      if (found == G_MAXINT64)
        return whole;
      whole &= copy_from_both_ends (salvage, table, of_one, found);
      number = found + 1;
    }
  return whole && select != NULL;
}

static gboolean
copy_table (Salvage *salvage, guint table, GError **error)
{
  const char *name = tables[table].name;
  g_autofree char *columns_sql =
      g_strdup_printf ("SELECT name FROM pragma_table_info ('%s')", name);
  g_autofree char *sql = NULL, *places = NULL;
  guint n = 0;
  GString *list = g_string_new (NULL);
  gboolean whole;

  g_free (salvage->columns);
  salvage->columns = store_names (salvage->sound, columns_sql);
  for (const char *c = salvage->columns; c != NULL; c = strchr (c + 1, ','))
    g_string_append (list, n++ == 0 ? "?" : ", ?");
  places = g_string_free (list, FALSE);
  sql =
      g_strdup_printf ("INSERT OR IGNORE INTO %s (%s) VALUES (%s)", name, salvage->columns, places);
  g_clear_pointer (&salvage->insert, sqlite3_finalize);
  salvage->insert = store_prepare (salvage->sound, sql, error);
  if (salvage->insert == NULL)
    return FALSE;
  if (tables[table].number == NULL)
    whole = copy_from_both_ends (salvage, table, "WHERE ?1 IS NOT NULL", 0);
  else
    whole = tables[table].unique ? copy_numbered (salvage, table) : copy_by_parent (salvage, table);
  if (!whole)
    g_ptr_array_add (salvage->result->damaged, g_strdup (name));
  return TRUE;
}

/** Rows whose parent is lost say nothing any more; one that goes may be another's parent. */
static gboolean
drop_orphans (Salvage *salvage, GError **error)
{
  CatalogStore *sound = salvage->sound;

  for (;;)
    {
      g_autofree char *orphans = NULL;
      g_autoptr (sqlite3_stmt) check = store_prepare (
          sound, "SELECT DISTINCT \"table\", parent, fkid FROM pragma_foreign_key_check", error);
      guint before = (guint) sqlite3_total_changes (sound->db);
      GString *sql = g_string_new (NULL);

      while (check != NULL && sqlite3_step (check) == SQLITE_ROW)
        {
          const char *child = (const char *) sqlite3_column_text (check, 0);
          const char *parent = (const char *) sqlite3_column_text (check, 1);
          g_autofree char *from_sql = g_strdup_printf (
              "SELECT \"from\" FROM pragma_foreign_key_list ('%s') WHERE id = %d ORDER BY seq",
              child, sqlite3_column_int (check, 2));
          g_autofree char *to_sql = g_strdup_printf (
              "SELECT \"to\" FROM pragma_foreign_key_list ('%s') WHERE id = %d ORDER BY seq", child,
              sqlite3_column_int (check, 2));
          g_autofree char *from = store_names (sound, from_sql), *to = store_names (sound, to_sql);

          g_string_append_printf (sql, "DELETE FROM %s WHERE (%s) NOT IN (SELECT %s FROM %s);",
                                  child, from, to, parent);
        }
      orphans = g_string_free (sql, FALSE);
      if (*orphans == '\0')
        return TRUE;
      if (!store_exec (sound, orphans, error))
        return FALSE;
      if ((guint) sqlite3_total_changes (sound->db) == before)
        return TRUE;
      salvage->result->orphans += (guint) sqlite3_total_changes (sound->db) - before;
    }
}

/* ---- files ---- */

/** A link to the damaged file under a name that nothing has. */
static gboolean
keep_damaged (const char *path, char **kept_path, GError **error)
{
  for (guint n = 1; n < 1000; n++)
    {
      g_autofree char *name = g_strdup_printf ("%s.damaged.%u", path, n);

      if (link (path, name) == 0)
        {
          *kept_path = g_steal_pointer (&name);
          return TRUE;
        }
      if (errno != EEXIST)
        break;
    }
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO,
               "%s: the damaged file cannot be kept under another name: %s", path,
               g_strerror (errno));
  return FALSE;
}

static gboolean
open_damaged (Salvage *salvage, const char *path, GError **error)
{
  sqlite3_stmt *probe = NULL;
  gboolean can = sqlite3_open_v2 (path, &salvage->damaged, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK
                 && sqlite3_prepare_v2 (salvage->damaged, "SELECT count (*) FROM sqlite_master", -1,
                                        &probe, NULL)
                        == SQLITE_OK
                 && sqlite3_step (probe) == SQLITE_ROW;

  if (!can)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                 "%s: not even the list of its tables can be read (%s); go back to a copy", path,
                 sqlite3_errmsg (salvage->damaged));
  sqlite3_finalize (probe);
  return can;
}

/**
 * Nobody else may have it open, or the log that they share would stay beside the file that takes
 * its place and be read into that. What the log holds goes home. Held until it is closed.
 */
static gboolean
take_alone (Salvage *salvage, const char *path, GError **error)
{
  const int code = sqlite3_exec (salvage->damaged,
                                 "PRAGMA journal_mode = DELETE; PRAGMA locking_mode = EXCLUSIVE;"
                                 " BEGIN EXCLUSIVE",
                                 NULL, NULL, NULL);

  /* Anything else may be the damage that is to be mended. */
  if (code != SQLITE_BUSY && code != SQLITE_LOCKED)
    return TRUE;
  g_set_error (
      error, CTCLIP_ERROR, CTCLIP_ERROR_BUSY,
      "%s: cannot be had alone (%s); leave every program that has this workspace open, the "
      "workbench too, and repair it again",
      path, sqlite3_errmsg (salvage->damaged));
  return FALSE;
}

static gboolean
fill (Salvage *salvage, GError **error)
{
  CatalogStore *sound = salvage->sound;

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    if (!copy_table (salvage, i, error))
      return FALSE;
  /* Names are indexed with the rest. */
  return drop_orphans (salvage, error) && store_exec (sound, "DROP INDEX volume_by_name", error)
         && store_text_index_leave_out (sound, 0, error);
}

/** What lay beside the damaged file would be read into the one that takes its place. */
static gboolean
check_nothing_beside (const char *path, GError **error)
{
  static const char *const endings[] = { "-wal", "-journal" };

  for (guint i = 0; i < G_N_ELEMENTS (endings); i++)
    {
      g_autofree char *beside = g_strconcat (path, endings[i], NULL);

      if (g_file_test (beside, G_FILE_TEST_EXISTS))
        {
          g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_BUSY,
                       "%s: could not be brought home; make the workspace's files writable for "
                       "you, leave every program that has it open, and repair it again",
                       beside);
          return FALSE;
        }
    }
  return TRUE;
}

gboolean
catalog_store_salvage (const char *path, CatalogSalvage *result, GError **error)
{
  g_autofree char *temporary = g_strconcat (path, ".XXXXXX", NULL);
  g_auto (Salvage) salvage = { .result = result };
  gboolean done;
  int fd;

  *result = (CatalogSalvage){ .damaged = g_ptr_array_new_with_free_func (g_free) };
  if (!open_damaged (&salvage, path, error) || !take_alone (&salvage, path, error))
    return FALSE;
  fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO, "%s: cannot be made: %s", temporary,
                   g_strerror (errno));
      return FALSE;
    }
  close (fd);
  salvage.sound = catalog_store_open (temporary, FALSE, error);
  done = salvage.sound != NULL && store_exec (salvage.sound, "PRAGMA foreign_keys = OFF", error)
         && store_begin (salvage.sound, error)
         && store_end (salvage.sound, fill (&salvage, error), error)
         && catalog_store_check (salvage.sound, error)
         /* One file, that can be renamed. */
         && store_exec (salvage.sound, "PRAGMA journal_mode = DELETE", error);
  g_clear_pointer (&salvage.insert, sqlite3_finalize);
  g_clear_pointer (&salvage.sound, catalog_store_close);
  /* The damaged file is given back when another has its place. */
  if (done
      && (done =
              check_nothing_beside (path, error) && keep_damaged (path, &result->kept_path, error))
      && g_rename (temporary, path) != 0)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO, "%s: cannot be put in place: %s", path,
                   g_strerror (errno));
      done = FALSE;
    }
  if (!done)
    g_unlink (temporary);
  return done;
}
