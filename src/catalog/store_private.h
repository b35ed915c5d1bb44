/**
 * store_private.h: SQLite as the files of this room use it; nobody outside includes this.
 *
 * The tables stand in schema.c. BLOBs of numbers are little endian, as they lie in memory.
 *
 * A writing function is one transaction:
 *
 *   return store_begin (store, error) && store_end (store, insert_all (store, ...), error);
 *
 * A reading loop:
 *
 *   while ((step = store_step (store, statement, error)) == SQLITE_ROW)
 *     ...
 *   return step == SQLITE_DONE;
 */
#pragma once

#include "catalog/store.h"

#include <sqlite3.h>

struct _CatalogStore
{
  sqlite3 *db;
  char *path;
  sqlite3_stmt *page, *stamp; /* (nullable) see store_prepare_kept() */
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (sqlite3_stmt, sqlite3_finalize)

G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);

/** STORE_NOW: SQL for the present moment, ISO 8601, UTC. */
#define STORE_NOW "strftime ('%Y-%m-%dT%H:%M:%SZ', 'now')"

/** store_fail: SQLite's last error as a GError that says what to do. Returns FALSE. */
gboolean store_fail (CatalogStore *store, GError **error);

/* ---- statements ---- */

/** store_prepare: compile one statement; use g_autoptr (sqlite3_stmt). */
sqlite3_stmt *store_prepare (CatalogStore *store, const char *sql, GError **error);

/**
 * store_prepare_kept: the statement of an earlier call, if it was of the same SQL, else a new one
 * in its place; the store owns it. Whoever steps it to a row resets it.
 */
sqlite3_stmt *store_prepare_kept (CatalogStore *store, sqlite3_stmt **kept, const char *sql,
                                  GError **error);

/** store_exec: run statements that take no parameters and whose rows nobody wants. */
gboolean store_exec (CatalogStore *store, const char *sql, GError **error);

/**
 * store_step: SQLITE_ROW or SQLITE_DONE, else @error is set. After SQLITE_DONE and on failure the
 * statement is ready to be stepped anew; its parameters stay bound.
 */
int store_step (CatalogStore *store, sqlite3_stmt *statement, GError **error);

/** store_run: step a statement that has no rows to its end. */
gboolean store_run (CatalogStore *store, sqlite3_stmt *statement, GError **error);

/** store_bind_text: a copy of @text; %NULL is SQL's NULL. Parameters count from 1. */
void store_bind_text (sqlite3_stmt *statement, int parameter, const char *text);

/** store_bind_blob: no copy is made; @data must live until the statement is reset or bound anew. */
void store_bind_blob (sqlite3_stmt *statement, int parameter, gconstpointer data, gsize size);

/** store_column_text: a copy; %NULL where SQL's NULL stands. Columns count from 0. */
char *store_column_text (sqlite3_stmt *statement, int column);

/** store_column_double: NaN where NULL stands (and binding a NaN writes NULL). */
double store_column_double (sqlite3_stmt *statement, int column);

/** store_column_int: @fallback where NULL stands. */
int store_column_int (sqlite3_stmt *statement, int column, int fallback);

/** store_names: the first column of the rows as "a, b, c", for messages; "" where there are none.
 */
char *store_names (CatalogStore *store, const char *sql);

/* ---- transactions ---- */

/** store_begin: begin to write; waits for another writer, then CTCLIP_ERROR_BUSY. */
gboolean store_begin (CatalogStore *store, GError **error);

/** store_commit: durable when it returns TRUE; rolled back where it returns FALSE. */
gboolean store_commit (CatalogStore *store, GError **error);

/** store_rollback: as it was before store_begin(); leaves the error at hand alone. */
void store_rollback (CatalogStore *store);

/** store_end: commit where @ok, else roll back and return FALSE. */
gboolean store_end (CatalogStore *store, gboolean ok, GError **error);

/**
 * store_leave_log: for a transaction that fills a store in which there is nothing to read yet: what
 * it adds goes straight into the file, where the log would be a second place to write it to. It is
 * as safe: what was there before stands in a rollback journal. Others wait for its end.
 *
 * Nothing changes while others have the store open. Outside a transaction, both.
 */
void store_leave_log (CatalogStore *store);
void store_return_to_log (CatalogStore *store);

/* ---- the schema ---- */

/** STORE_APPLICATION_ID: "CTCL" in the file's header tells our files from other SQLite files. */
#define STORE_APPLICATION_ID 0x4354434c

/** store_schema_steps: SQL that takes a file from version i to i + 1. */
extern const char *const store_schema_steps[];
extern const int store_schema_n_steps;

/**
 * store_migrate: bring the file to version @n_steps.
 *
 * A file that has content is first copied to `<path>.v<version>.backup`. All steps are one
 * transaction. A file of a later version is refused.
 */
gboolean store_migrate (CatalogStore *store, const char *const *steps, int n_steps, GError **error);

/** store_pragma_int: the number that `PRAGMA name` gives. */
gboolean store_pragma_int (CatalogStore *store, const char *name, int *value, GError **error);

/* ---- between the files of this room ---- */

/** store_add_probability: SQL's probability (logits, class), of a prediction's BLOB; NULL for a
 * class that it does not have. */
gboolean store_add_probability (CatalogStore *store, GError **error);

/** store_add_in_set: SQL's in_set (name, set), of a bound pointer to a set of names. */
gboolean store_add_in_set (CatalogStore *store, GError **error);

/** store_add_report_in: SQL's report_in (report_id, set), see report_set.h. */
gboolean store_add_report_in (CatalogStore *store, GError **error);

/** store_add_name_has: SQL's name_has (name, part), see listing_search.c. */
gboolean store_add_name_has (CatalogStore *store, GError **error);

/**
 * store_text_index_leave_out: within an import's transaction, before it changes a report: from then
 * on the full-text index lacks all reports from @first_id on, and earlier ones too where it had
 * some of those.
 */
gboolean store_text_index_leave_out (CatalogStore *store, gint64 first_id, GError **error);

/** store_sample_id: of the sample that has the name now; -1 with NOT_FOUND, which lists the names.
 */
gint64 store_sample_id (CatalogStore *store, const char *name, GError **error);

/** store_run_changed: TRUE where the last statement changed the run; NOT_FOUND with @fault if not.
 */
gboolean store_run_changed (CatalogStore *store, gint64 run_id, const char *fault, GError **error);

/** store_run_end: end a running run. @message: (nullable); @macro_auroc: NaN, @kept_epoch: -1
 * without one. */
gboolean store_run_end (CatalogStore *store, gint64 run_id, const char *status, const char *message,
                        double macro_auroc, int kept_epoch, GError **error);
