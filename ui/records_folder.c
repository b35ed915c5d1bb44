/* Scans of a folder, without any table. */
#include "records_private.h"

#include "report/text_table.h"
#include "volume/volume.h"

#include <sys/stat.h>

#define HEADERS_AT_ONCE 64

static void
scan_clear (gpointer data)
{
  FolderScan *scan = data;

  g_free (scan->path);
  g_free (scan->fault);
}

/* ---- headers, read as rows come into view ---- */

typedef struct
{
  GArray *scans; /* (element-type FolderScan); a worker leaves the names alone */
  guint first;
} Headers;

static void
headers_free (gpointer data)
{
  Headers *headers = data;

  g_clear_pointer (&headers->scans, g_array_unref);
  g_free (headers);
}

static void
read_scan (FolderScan *scan)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VolumeHeader) header = volume_header_read (scan->path, &error);
  struct stat info;

  scan->known = TRUE;
  if (stat (scan->path, &info) == 0)
    scan->size_bytes = (guint64) info.st_size;
  if (header == NULL)
    {
      scan->fault = g_strdup (error->message);
      return;
    }
  for (guint i = 0; i < 3; i++)
    {
      scan->n[i] = header->n[i];
      scan->spacing_mm[i] = header->spacing_mm[i];
    }
}

static gpointer
read_headers (gpointer data, GCancellable *cancellable, GError **error)
{
  Headers *asked = data, *headers = g_new0 (Headers, 1);

  headers->first = asked->first;
  headers->scans = g_array_ref (asked->scans);
  for (guint i = 0; i < headers->scans->len; i++)
    if (!g_cancellable_is_cancelled (cancellable))
      read_scan (&g_array_index (headers->scans, FolderScan, i));
  return headers;
}

static void
headers_read (gpointer owner, gpointer result, const GError *error)
{
  Records *records = owner;
  Headers *headers = result;

  records->headers = NULL;
  for (guint i = 0; i < headers->scans->len; i++)
    {
      FolderScan *scan = &g_array_index (records->scans, FolderScan, headers->first + i);
      FolderScan *read = &g_array_index (headers->scans, FolderScan, i);

      FolderScan before = *scan;

      if (scan->known)
        continue;
      *scan = *read;
      *read = before; /* freed with the others */
    }
  headers_free (headers);
  app_redraw (records->app);
}

/** Ask for what the rows in view still lack. */
static void
want_headers (Records *records, guint first, guint n)
{
  Headers *headers;

  n = MIN (n, records->scans->len - MIN (first, records->scans->len));
  while (n > 0 && g_array_index (records->scans, FolderScan, first).known)
    {
      first++;
      n--;
    }
  n = MIN (n, HEADERS_AT_ONCE);
  if (n == 0 || records->headers != NULL)
    return;
  headers = g_new0 (Headers, 1);
  headers->first = first;
  headers->scans = g_array_new (FALSE, FALSE, sizeof (FolderScan));
  for (guint i = 0; i < n; i++)
    {
      FolderScan scan = g_array_index (records->scans, FolderScan, first + i);

      scan.path = g_strdup (scan.path);
      scan.fault = NULL;
      scan.known = FALSE;
      g_array_append_val (headers->scans, scan);
    }
  g_array_set_clear_func (headers->scans, scan_clear);
  records->headers = works_start (app_works (records->app), read_headers, headers, headers_free,
                                  headers_free, headers_read, records);
}

/* ---- the walk ---- */

static gpointer
walk (gpointer data, GCancellable *cancellable, GError **error)
{
  return catalog_volume_index_new (data, cancellable, error);
}

static void
walked (gpointer owner, gpointer result, const GError *error)
{
  Records *records = owner;
  g_autofree const char **names = NULL;

  records->walk = NULL;
  if (result == NULL)
    {
      app_error (records->app, "%s", error->message);
      records_end_browsing (records);
      return;
    }
  records->index = result;
  app_log_walk (records->app, records->index);
  names = catalog_volume_index_names (records->index);
  for (guint i = 0; names[i] != NULL; i++)
    {
      FolderScan scan = { .name = names[i],
                          .path = g_strdup (catalog_volume_index_path (records->index, names[i])) };

      g_array_append_val (records->scans, scan);
    }
  records->scan_list.n = records->scans->len;
  app_redraw (records->app);
}

void
records_leave_folder (Records *records)
{
  work_cancel (&records->walk);
  work_cancel (&records->headers);
  g_clear_pointer (&records->scans, g_array_unref);
  g_clear_pointer (&records->index, catalog_volume_index_unref);
  g_clear_pointer (&records->folder, g_free);
  app_redraw (records->app);
}

void
records_end_browsing (Records *records)
{
  records_leave_folder (records);
  app_welcome_again (records->app);
}

void
records_browse (Records *records, const char *folder)
{
  if (records->folder != NULL)
    records_leave_folder (records);
  records->folder = g_canonicalize_filename (folder, NULL);
  records->scans = g_array_new (FALSE, FALSE, sizeof (FolderScan));
  g_array_set_clear_func (records->scans, scan_clear);
  records->scan_list = (List){ 0 };
  records->walk = works_start (app_works (records->app), walk, g_strdup (records->folder), g_free,
                               (GDestroyNotify) catalog_volume_index_unref, walked, records);
  app_end_welcome (records->app);
}

/* ---- drawing and keys ---- */

static void
draw_scan (Area area, int row, const FolderScan *scan, const int *x, const int *widths)
{
  g_autofree char *size = scan->known ? report_bytes (scan->size_bytes) : g_strdup ("");
  g_autofree char *voxels = NULL, *spacing = NULL;

  draw_text_in (area, row, x[0], widths[0], 'l', ROLE_NORMAL, scan->name);
  if (widths[1] > 0)
    draw_text_in (area, row, x[1], widths[1], 'r', ROLE_NORMAL, size);
  if (!scan->known)
    return;
  if (scan->fault != NULL)
    {
      draw_text (area_columns (area, 0, area.width - 1), row, x[2], ROLE_BAD, scan->fault);
      return;
    }
  voxels = g_strdup_printf ("%zu x %zu x %zu", scan->n[0], scan->n[1], scan->n[2]);
  spacing = g_strdup_printf ("%.2f x %.2f x %.2f", scan->spacing_mm[0], scan->spacing_mm[1],
                             scan->spacing_mm[2]);
  if (widths[2] > 0)
    draw_text_in (area, row, x[2], widths[2], 'r', ROLE_NORMAL, voxels);
  if (widths[3] > 0)
    draw_text_in (area, row, x[3], widths[3], 'r', ROLE_NORMAL, spacing);
}

void
records_draw_folder (Records *records, Area area)
{
  static const TableColumn columns[] = { { "scan", 16, 'l', TRUE, 0 },
                                         { "size", 9, 'r', FALSE, 2 },
                                         { "voxels", 16, 'r', FALSE, 1 },
                                         { "spacing mm", 18, 'r', FALSE, 3 } };
  int x[G_N_ELEMENTS (columns)], widths[G_N_ELEMENTS (columns)];
  Area rows = area_rows (area, 2, area.height - 2);
  List *list = &records->scan_list;

  draw_printf (area, 0, 0, ROLE_STRONG, "%u scans in %s%s", records->scans->len, records->folder,
               records->walk != NULL ? " (looking)" : "");
  if (records->scans->len == 0)
    {
      draw_text (area, 2, 2, ROLE_DIM,
                 records->walk != NULL ? "Looking for .nii and .nii.gz files"
                                       : "No .nii or .nii.gz file is in this folder or below it. "
                                         "F chooses another");
      return;
    }
  table_layout (columns, G_N_ELEMENTS (columns), MAX (area.width - 1, 0), x, widths);
  table_draw_head (area_rows (area, 1, 1), columns, G_N_ELEMENTS (columns), x, widths, -1, FALSE);
  records->table = rows;
  list_fit (list, (guint) MAX (rows.height, 0));
  want_headers (records, (guint) list->top, list->page);
  for (int row = 0; row < rows.height && list->top + (guint64) row < list->n; row++)
    {
      draw_scan (rows, row, &g_array_index (records->scans, FolderScan, list->top + (guint64) row),
                 x, widths);
      if (list->top + (guint64) row == list->cursor)
        draw_role (rows, row, 0, rows.width, ROLE_SELECTED);
    }
  draw_scrollbar (rows, list->top, list->page, list->n);
}

gboolean
records_folder_command (Records *records, Command command)
{
  if (list_command (&records->scan_list, command))
    return TRUE;
  if (command == COMMAND_RECORDS_OPEN && records->scan_list.cursor < records->scans->len)
    {
      app_look_at (records->app, NULL,
                   g_array_index (records->scans, FolderScan, records->scan_list.cursor).path);
      return TRUE;
    }
  return FALSE;
}
