/* The first screen where there is nothing to browse yet: what this program is, and ways to begin.
 */
#include "app.h"

#include "list.h"

typedef struct
{
  App *app;
  List list;
  Area rows; /* entries as drawn last, for the mouse ... */
  int step;  /* ... and rows that each takes */
} Welcome;

/** A way to begin. */
typedef struct
{
  const char *title, *help;
  void (*act) (App *app);
} Entry;

static void
open_directory (gpointer data, const char *text)
{
  App *app = data;
  g_autoptr (GError) error = NULL;

  if (!app_create_workspace (app, text, &error))
    app_error (app, "%s", error->message);
}

static gboolean
check_directory (gpointer data, const char *text, GError **error)
{
  if (g_file_test (text, G_FILE_TEST_EXISTS) && !g_file_test (text, G_FILE_TEST_IS_DIR))
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_DIRECTORY, "is a file, no directory");
  else if (*text == '\0')
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "type a directory");
  else
    return TRUE;
  return FALSE;
}

static void
open_another (App *app)
{
  app_prompt (app, &(Prompt){ .label = "workspace",
                              .initial = app_workspace_directory (app),
                              .history = "workspace",
                              .kind = PROMPT_PATH,
                              .check = check_directory,
                              .accept = open_directory,
                              .data = app });
}

/** What the same key does in Records. */
static void
in_records (App *app, Command command)
{
  if (records_screen.command != NULL)
    records_screen.command (app_screen_data (app, SCREEN_RECORDS), command);
}

static void
import_tables (App *app)
{
  in_records (app, COMMAND_RECORDS_IMPORT);
}

static void
browse_folder (App *app)
{
  in_records (app, COMMAND_RECORDS_FOLDER);
}

static const Entry entries[] = {
  { "Try the demo", "A synthetic cohort, from scans to a trained run; about a minute.",
    app_start_demo },
  { "Import CT-RATE tables", "Reports, labels and metadata, as CSV files in one folder.",
    import_tables },
  { "Browse a folder of scans", "Look at NIfTI files; no tables are needed.", browse_folder },
  { "Open another workspace", "One that is there already, or a new one.", open_another },
  { "Quit", "Nothing is left behind.", app_quit },
};

static gpointer
create (App *app)
{
  Welcome *self = g_new0 (Welcome, 1);

  self->app = app;
  self->list.n = G_N_ELEMENTS (entries);
  return self;
}

static const int *
scopes (gpointer screen)
{
  static const int all[] = { SCOPE_BOX, SCOPE_ANYWHERE, -1 };

  return all;
}

/* ---- drawing ---- */

#define MOST_WIDTH 78
#define LEAST_FRAME 12 /* rows: below, every row is needed for words */
#define ROWS_OF_ENTRY 3

/** What this is, and where things will be kept. Free with g_strfreev. */
static char **
introduction (Welcome *self, int width)
{
  g_autofree char *directory = g_canonicalize_filename (app_workspace_directory (self->app), NULL);
  g_autofree char *text = g_strdup_printf (
      "Browse chest CT scans and their reports, encode the scans with CT-CLIP's vision encoder, "
      "train classifiers of %d findings on it, and judge them. For research and teaching, not for "
      "diagnosis.\n\nWorkspace: \t%s%s",
      CATALOG_N_LABELS, directory,
      app_workspace (self->app) == NULL ? " (made when you begin)" : " (still empty)");

  return text_wrap (text, width);
}

/** Where there is room every entry has its help below it, else beside it. */
static void
draw_entries (Welcome *self, Area area)
{
  int title_width = 0;

  for (guint i = 0; i < G_N_ELEMENTS (entries); i++)
    title_width = MAX (title_width, text_width (entries[i].title));
  self->step = area.height >= ROWS_OF_ENTRY * (int) G_N_ELEMENTS (entries) - 1 ? ROWS_OF_ENTRY : 1;
  self->rows = area;
  list_fit (&self->list, (guint) ((area.height + self->step - 1) / self->step));
  for (guint i = 0; i < self->list.page && self->list.top + i < self->list.n; i++)
    {
      guint64 index = self->list.top + i;
      gboolean here = index == self->list.cursor;
      int row = (int) i * self->step;

      draw_text (area, row, 0, ROLE_STRONG, here ? ">" : " ");
      draw_text (area, row, 2, ROLE_STRONG, entries[index].title);
      if (self->step > 1)
        draw_text (area, row + 1, 2, ROLE_DIM, entries[index].help);
      else
        draw_text (area, row, title_width + 4, ROLE_DIM, entries[index].help);
      if (here)
        draw_role (area, row, 0, area.width, ROLE_SELECTED);
    }
}

static void
draw (gpointer screen, Area area)
{
  Welcome *self = screen;
  int width = MIN (area.width, MOST_WIDTH), spare, height, row = 0;
  gboolean framed = area.height >= LEAST_FRAME && width >= MOST_WIDTH / 2;
  g_auto (GStrv) words = introduction (self, framed ? width - 6 : width);
  int n_words = (int) g_strv_length (words);
  int entries_height = ROWS_OF_ENTRY * (int) G_N_ELEMENTS (entries) - 1;
  Area inside;

  /* A box of what is needed, in the upper middle. */
  height = MIN (area.height, n_words + 1 + entries_height + 4);
  spare = area.height - height;
  inside = area_columns (area_rows (area, spare / 3, height), (area.width - width) / 2, width);
  if (framed)
    {
      inside = draw_frame (inside, "ctclip-tui");
      inside = area_columns (inside, 2, inside.width - 4);
      if (inside.height >= n_words + 1 + entries_height + 2)
        inside = area_inset ((Area){ inside.y, inside.x - 1, inside.height, inside.width + 2 });
    }
  /* The ways to begin matter more than the words about them. */
  n_words = MIN (n_words, MAX (inside.height - 1 - (int) G_N_ELEMENTS (entries), 0));
  for (; row < n_words; row++)
    draw_text (inside, row, 0, ROLE_NORMAL, words[row]);
  row += n_words > 0;
  draw_entries (self, area_rows (inside, row, inside.height - row));
}

/* ---- commands ---- */

static gboolean
command (gpointer screen, Command command)
{
  Welcome *self = screen;

  switch (command)
    {
    case COMMAND_BOX_ACCEPT:
      entries[self->list.cursor].act (self->app);
      return TRUE;
    case COMMAND_BOX_CLOSE:
      app_quit (self->app);
      return TRUE;
    default:
      return list_command (&self->list, command);
    }
}

static gboolean
mouse (gpointer screen, MouseAction action, int y, int x)
{
  Welcome *self = screen;
  guint64 index;

  if (!area_contains (self->rows, y, x) || self->step == 0)
    return FALSE;
  index = self->list.top + (guint64) ((y - self->rows.y) / self->step);
  if ((action != MOUSE_CLICK && action != MOUSE_DOUBLE_CLICK) || index >= self->list.n)
    return FALSE;
  self->list.cursor = index;
  if (action == MOUSE_DOUBLE_CLICK)
    command (self, COMMAND_BOX_ACCEPT);
  app_redraw (self->app);
  return TRUE;
}

const ScreenClass welcome_screen = { .title = "Welcome",
                                     .create = create,
                                     .destroy = g_free,
                                     .scopes = scopes,
                                     .draw = draw,
                                     .command = command,
                                     .mouse = mouse };
