/* Header, body, footer, and when they are drawn. */
#include "app_private.h"

#include "terminal.h"

#include <string.h>

#define FRAME_US (G_USEC_PER_SEC / 30)
#define HELP_AND_QUIT 16 /* columns: "  ? help  q quit" */
#define MANY 1000000     /* from there on a percentage says more than the numbers */

ScreenLayout
screen_layout (int height, int width)
{
  Area all = { 0, 0, height, width };

  if (height < APP_LEAST_HEIGHT || width < APP_LEAST_WIDTH)
    return (ScreenLayout){ .body = all, .too_small = TRUE };
  return (ScreenLayout){ .header = area_rows (all, 0, 1),
                         .body = area_rows (all, 1, height - 2),
                         .footer = area_rows (all, height - 1, 1) };
}

/** What runs, in a few words: "encoding 45/196", or "importing 23 %" of a number too large to read
 * or where @percent is wanted. Free with g_free. */
static char *
job_words (App *app, gboolean percent)
{
  const char *stage = app->has_snapshot ? app->snapshot.stage : NULL;
  guint64 done = app->snapshot.done, total = app->snapshot.total;
  gboolean paused = app->snapshot.paused;

  if (app->job == NULL && !app->is_watched)
    return g_strdup ("");
  if (app->job == NULL)
    {
      stage = app->watched.stage;
      done = app->watched.done;
      total = app->watched.total;
      paused = app->watched.paused;
    }
  if (stage == NULL || *stage == '\0')
    stage = app->job != NULL ? app->job_title : app->watched.name;
  if (total > MANY || (percent && total > 0))
    return g_strdup_printf ("%s%s %.0f %%%s", app->job == NULL ? "watching: " : "", stage,
                            100.0 * (double) done / (double) total, paused ? " (paused)" : "");
  if (total > 0)
    return g_strdup_printf ("%s%s %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT "%s",
                            app->job == NULL ? "watching: " : "", stage, done, total,
                            paused ? " (paused)" : "");
  return g_strdup_printf ("%s%s%s", app->job == NULL ? "watching: " : "", stage,
                          paused ? " (paused)" : "");
}

/** Where we work and, where there is room for it, on what: "~/ct  cuda:0 NVIDIA H100". Free with
 * g_free. */
static char *
place_words (App *app, int room)
{
  const char *home = g_get_home_dir ();
  gsize length = strlen (home);
  gboolean at_home = g_str_has_prefix (app->directory, home)
                     && (app->directory[length] == '/' || app->directory[length] == '\0');
  const char *device = app->device != NULL ? app->device : app->parameters->device;
  g_autofree char *place = NULL, *both = NULL;

  if (app->workspace == NULL)
    return g_strdup ("no workspace");
  place = at_home ? g_strconcat ("~", app->directory + length, NULL) : g_strdup (app->directory);
  both = g_strdup_printf ("%s  %s%s", place, strcmp (device, "auto") == 0 ? "device " : "", device);
  return g_strdup (text_width (both) <= room ? both : place);
}

static void
draw_header (App *app, Area area)
{
  g_autofree char *job = job_words (app, FALSE);
  g_autofree char *place = NULL;
  int column = 0, room;

  draw_role (area, 0, 0, area.width, ROLE_BAR);
  for (ScreenId i = 0; i < N_SCREENS; i++)
    {
      gboolean here = i == app->screen;

      /* The brackets say where we are without colours; narrow headers have numbers only. */
      column += draw_printf (area, 0, column, here ? ROLE_BAR_HERE : ROLE_BAR,
                             area.width < 64 && !here ? " %d "
                             : here                   ? "[%d %s]"
                                                      : " %d %s ",
                             (int) i + 1, app_screen_class (i)->title);
    }
  room = area.width - column - 2;
  if (text_width (job) > room)
    {
      g_free (job);
      job = job_words (app, TRUE);
    }
  if (*job != '\0')
    {
      int width = MIN (text_width (job), room);

      draw_text_in (area, 0, area.width - width - 1, width, 'r', ROLE_BAR_HERE, job);
      room -= width + 2;
    }
  place = place_words (app, room);
  if (room > 8)
    draw_text_in (area, 0, column + 1, room, 'r', ROLE_BAR, place);
}

/** A key in the footer: its row of the table, and where it stands. */
typedef struct
{
  const KeyRow *row;
  char *name;
  int column, width;
} FooterKey;

static void
footer_key_clear (gpointer data)
{
  g_free (((FooterKey *) data)->name);
}

/** As many keys as there is room for, of those that are of use. Free with g_array_unref. */
static GArray *
footer_keys (App *app, int room)
{
  static const int box[] = { SCOPE_BOX, -1 };
  gpointer data;
  const ScreenClass *class = app_class (app, &data);
  gboolean (*useful) (gpointer data, Command command) = class->useful;
  const int *scopes = class->scopes (data);
  GArray *keys = g_array_new (FALSE, FALSE, sizeof (FooterKey));
  guint n;
  const KeyRow *rows = key_rows (&n);
  int column = 0;

  g_array_set_clear_func (keys, footer_key_clear);
  if (app->boxes.length > 0)
    {
      scopes = box;
      useful = box_useful;
      data = app->boxes.head->data;
    }
  for (guint s = 0; scopes[s] >= 0; s++)
    for (guint i = 0; i < n; i++)
      {
        FooterKey key = { .row = &rows[i], .column = column };

        if ((int) rows[i].scope != scopes[s] || *rows[i].footer == '\0')
          continue;
        if (useful != NULL && !useful (data, rows[i].command))
          continue;
        key.name = g_strndup (rows[i].keys, strcspn (rows[i].keys, " "));
        key.width = text_width (key.name) + 1 + text_width (rows[i].footer);
        /* Help and quit always have their place at the right. */
        if (column + key.width > room - (rows[i].scope == SCOPE_ANYWHERE ? 0 : HELP_AND_QUIT))
          {
            g_free (key.name);
            continue;
          }
        g_array_append_val (keys, key);
        column += key.width + 2;
      }
  return keys;
}

Key
app_footer_key (App *app, int x)
{
  g_autoptr (GArray) keys = footer_keys (app, COLS);

  if (app->prompt != NULL || app->message != NULL)
    return 0;
  for (guint i = 0; i < keys->len; i++)
    {
      const FooterKey *key = &g_array_index (keys, FooterKey, i);

      if (x >= key->column && x < key->column + key->width)
        return key_parse (key->name);
    }
  return 0;
}

static void
draw_keys (App *app, Area area)
{
  g_autoptr (GArray) keys = footer_keys (app, area.width);

  for (guint i = 0; i < keys->len; i++)
    {
      const FooterKey *key = &g_array_index (keys, FooterKey, i);

      draw_text (area, 0, key->column, ROLE_KEY, key->name);
      draw_text (area, 0, key->column + text_width (key->name) + 1, ROLE_NORMAL, key->row->footer);
    }
}

static void
draw_footer (App *app, Area area)
{
  if (app->prompt != NULL)
    prompt_draw (app->prompt, area);
  else if (app->message != NULL)
    draw_upwards (area, app->message_is_error ? ROLE_BAD : ROLE_STRONG, app->message);
  else
    draw_keys (app, area);
}

static void
draw_everything (App *app)
{
  ScreenLayout layout = screen_layout (LINES, COLS);
  gpointer data;
  const ScreenClass *class = app_class (app, &data);

  erase ();
  if (layout.too_small)
    {
      g_autofree char *words = g_strdup_printf ("%dx%d is too small; %dx%d is the least", COLS,
                                                LINES, APP_LEAST_WIDTH, APP_LEAST_HEIGHT);
      g_auto (GStrv) lines = text_wrap (words, COLS);

      for (int row = 0; lines[row] != NULL; row++)
        draw_text (layout.body, row, 0, ROLE_NORMAL, lines[row]);
      return;
    }
  mvhline (0, 0, ' ', COLS);
  draw_header (app, layout.header);
  class->draw (data, layout.body);
  for (GList *box = app->boxes.tail; box != NULL; box = box->prev)
    box_draw (box->data, layout.body);
  draw_footer (app, layout.footer); /* last: a prompt leaves the cursor in place */
}

void
app_draw (App *app)
{
  gpointer data;
  const ScreenClass *class = app_class (app, &data);
  gboolean repaint = app->repaint;

  if (app->draw_source != 0)
    g_source_remove (app->draw_source);
  app->draw_source = 0;
  if (app->detached || !terminal_running ())
    return;
  draw_everything (app);
  if (repaint)
    clearok (curscr, TRUE);
  curs_set (app->prompt != NULL);
  wnoutrefresh (stdscr);
  doupdate ();
  app->repaint = FALSE;
  if (class->drawn != NULL)
    class->drawn (data, repaint);
}

static gboolean
draw_later (gpointer data)
{
  App *app = data;

  app->draw_source = 0;
  app_draw (app);
  /* Draws that answer a key do not count: what the key started must not wait for a frame. */
  if (app->hurried_draws > 0)
    app->hurried_draws--;
  else
    app->drawn_us = g_get_monotonic_time ();
  return G_SOURCE_REMOVE;
}

void
app_redraw (App *app)
{
  gint64 wait_us;

  if (app->draw_source != 0)
    return;
  wait_us = app->drawn_us + FRAME_US - g_get_monotonic_time ();
  app->draw_source = g_timeout_add ((guint) (CLAMP (wait_us, 0, FRAME_US) / 1000), draw_later, app);
}

guint
app_animate (App *app, guint interval_ms, GSourceFunc tick, gpointer data)
{
  return g_timeout_add (interval_ms, tick, data);
}

gint64
app_clock_us (App *app)
{
  return replay_pins_time (app->replay) ? 0 : g_get_real_time ();
}
