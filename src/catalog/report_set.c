#include "catalog/report_set.h"

#define REPORT_SET "ctclip report set"
#define SMALL 1000

struct _ReportSet
{
  guint owners;
  sqlite3_stmt *statement;
  GArray *ids; /* (element-type gint64) ascending, those that were read */
  int step;    /* of the last one: SQLITE_ROW while there may be more */
};

ReportSet *
report_set_new (CatalogStore *store, const char *match, GError **error)
{
  sqlite3_stmt *statement = store_prepare (
      store, "SELECT rowid FROM report_text WHERE report_text MATCH ? ORDER BY rowid", error);
  ReportSet *set;

  if (statement == NULL)
    return NULL;
  store_bind_text (statement, 1, match);
  set = g_new0 (ReportSet, 1);
  set->owners = 1;
  set->statement = statement;
  set->ids = g_array_new (FALSE, FALSE, sizeof (gint64));
  set->step = SQLITE_ROW;
  return set;
}

void
report_set_unref (ReportSet *set)
{
  if (--set->owners > 0)
    return;
  sqlite3_finalize (set->statement);
  g_array_unref (set->ids);
  g_free (set);
}

/** Read one more; FALSE where there is none. */
static gboolean
read_on (ReportSet *set)
{
  gint64 id;

  if (set->step != SQLITE_ROW)
    return FALSE;
  set->step = sqlite3_step (set->statement);
  if (set->step != SQLITE_ROW)
    return FALSE;
  id = sqlite3_column_int64 (set->statement, 0);
  g_array_append_val (set->ids, id);
  return TRUE;
}

gboolean
report_set_is_small (ReportSet *set)
{
  while (set->ids->len <= SMALL && read_on (set))
    ;
  return set->ids->len <= SMALL;
}

static gint64
id_at (const ReportSet *set, guint i)
{
  return g_array_index (set->ids, gint64, i);
}

static gboolean
contains (ReportSet *set, gint64 id)
{
  guint low = 0, high;

  while ((set->ids->len == 0 || id_at (set, set->ids->len - 1) < id) && read_on (set))
    ;
  high = set->ids->len;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (id_at (set, middle) < id)
        low = middle + 1;
      else
        high = middle;
    }
  return low < set->ids->len && id_at (set, low) == id;
}

static void
sql_report_in (sqlite3_context *context, int n_arguments, sqlite3_value **arguments)
{
  ReportSet *set = sqlite3_value_pointer (arguments[1], REPORT_SET);
  gboolean has;

  if (set == NULL || sqlite3_value_type (arguments[0]) == SQLITE_NULL)
    return;
  has = contains (set, sqlite3_value_int64 (arguments[0]));
  if (set->step == SQLITE_ROW || set->step == SQLITE_DONE)
    sqlite3_result_int (context, has);
  else
    sqlite3_result_error_code (context, set->step);
}

void
report_set_bind (sqlite3_stmt *statement, int parameter, ReportSet *set)
{
  set->owners++;
  sqlite3_bind_pointer (statement, parameter, set, REPORT_SET,
                        (void (*) (void *)) report_set_unref);
}

gboolean
store_add_report_in (CatalogStore *store, GError **error)
{
  return sqlite3_create_function (store->db, "report_in", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL,
                                  sql_report_in, NULL, NULL)
             == SQLITE_OK
         || store_fail (store, error);
}
