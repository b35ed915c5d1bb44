/* The Records screen as a whole: what is shown, the table, the funnel above and the record below.
 */
#include "records_private.h"

#include "report/text_table.h"

/** How many rows the list has without search and filter. */
static guint64
rows_in_all (const Records *records)
{
  guint64 n = 0;

  for (guint split = 0; split < 2; split++)
    if (records->imported[split])
      n += records->dropped ? records->funnels[split].rows
                            : records->funnels[split].count[CATALOG_KEPT];
  return n;
}

static void
draw_status (Records *records, Area area)
{
  const AppRun *run = app_chosen_run (records->app);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *n = report_count (records->list.n), *all = report_count (rows_in_all (records));
  guint tags = g_hash_table_size (records->tags);

  if (records->list.n >= rows_in_all (records)) /* more: the funnel is still being read */
    g_string_append_printf (text, "%s records", n);
  else
    g_string_append_printf (text, "%s of %s records", n, all);
  if (records->dropped)
    g_string_append (text, ", dropped too");
  if (records->query != NULL)
    g_string_append (text, symbol (SYMBOL_ELLIPSIS));
  if (tags > 0)
    g_string_append_printf (text, "  %s%u%s", symbol (SYMBOL_TAG), tags,
                            records->only_tagged ? " only" : "");
  if (records->search != NULL)
    g_string_append_printf (text, "  search: %s", records->search);
  if (records->filter != NULL)
    g_string_append_printf (text, "  filter: %s", records->filter);
  if ((records->search != NULL || records->filter != NULL) && app_indexing (records->app))
    g_string_append (text, "  reports are still being indexed");
  if (records->errors)
    g_string_append (text, "  most confident errors first");
  else if (records->sort != NULL)
    g_string_append_printf (text, "  by %s %s", records_sort_title (records->sort),
                            symbol (records->descending ? SYMBOL_DOWN : SYMBOL_UP));
  if (run->id != 0)
    g_string_append_printf (text, "  %s: %s", run->name, catalog_label_name (run->class_index));
  draw_text (area, 0, 0, ROLE_STRONG, text->str);
  if (records->fault != NULL)
    draw_text_in (area, 0, 0, area.width, 'r', ROLE_BAD, records->fault);
}

static void
draw_empty (const Records *records, Area area)
{
  gboolean any = rows_in_all (records) > 0;

  if (records->query != NULL)
    return;
  if (!any && app_job_running (records->app))
    {
      draw_printf (area, 1, 2, ROLE_NORMAL, "No records yet: %s is running, 4 shows how far it is.",
                   app_job_title (records->app));
      return;
    }
  draw_text (area, 1, 2, ROLE_NORMAL,
             any ? "No record matches. Esc takes the search and the filter back."
                 : "No records yet: I imports CT-RATE's tables, :demo makes a synthetic cohort,");
  if (!any)
    draw_text (area, 2, 2, ROLE_NORMAL, "F browses a folder of scans without any table.");
}

void
records_draw (gpointer screen, Area area)
{
  Records *records = screen;
  RecordsLayout layout = records_layout (area, records->funnel, records->zoomed);

  if (records->folder != NULL)
    {
      records_draw_folder (records, area);
      return;
    }
  records->funnel_drawn = layout.funnel.height > 0;
  draw_status (records, layout.status);
  records_draw_funnel (records, layout.funnel);
  if (records->list.n == 0)
    {
      draw_empty (records, layout.table);
      return;
    }
  if (layout.table.height > 0)
    records_draw_table (records, layout.table);
  if (layout.rule.height == 0)
    return;
  records_take_cursor (records);
  draw_rule (layout.rule, 0, records->record != NULL ? records->record->volume : NULL);
  records_draw_pane (records, layout.labels, layout.pane);
}
