#include "replay.h"

#include "app_private.h"
#include "base/error.h"
#include "log.h"
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MS 2
#define DEFAULT_TIMEOUT_S 60

typedef enum
{
  STEP_SIZE,
  STEP_KEY,
  STEP_WAIT,
  STEP_WAIT_GONE,
  STEP_TIMEOUT,
  STEP_DUMP,
  STEP_CLOCK,
} StepKind;

typedef struct
{
  StepKind kind;
  guint line;
  Key key;
  int width, height; /* or seconds */
  char *text;
} Step;

struct _Replay
{
  char *path;
  GArray *steps; /* (element-type Step) */
  guint next;
  gboolean real_time;
  int timeout_s;
  gint64 waiting_since_us; /* 0: not waiting */
  App *app;
  guint source;
};

static void
step_clear (gpointer step)
{
  g_free (((Step *) step)->text);
}

void
replay_free (Replay *replay)
{
  if (replay->source != 0)
    g_source_remove (replay->source);
  g_array_unref (replay->steps);
  g_free (replay->path);
  g_free (replay);
}

/* ---- reading ---- */

static gboolean
parse_keys (Replay *replay, guint line, const char *text)
{
  g_auto (GStrv) names = g_strsplit (text, " ", -1);

  for (guint i = 0; names[i] != NULL; i++)
    {
      Step step = { .kind = STEP_KEY, .line = line, .key = key_parse (names[i]) };

      if (*names[i] == '\0')
        continue;
      if (step.key == 0)
        return FALSE;
      g_array_append_val (replay->steps, step);
    }
  return TRUE;
}

static void
parse_typing (Replay *replay, guint line, const char *text)
{
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      Step step = { .kind = STEP_KEY, .line = line, .key = g_utf8_get_char (text) };

      g_array_append_val (replay->steps, step);
    }
}

static gboolean
parse_line (Replay *replay, guint line, const char *text)
{
  static const struct
  {
    const char *word;
    StepKind kind;
  } words[] = { { "wait", STEP_WAIT }, { "wait-gone", STEP_WAIT_GONE }, { "dump", STEP_DUMP } };
  const char *blank = strchr (text, ' ');
  g_autofree char *word =
      blank != NULL ? g_strndup (text, (gsize) (blank - text)) : g_strdup (text);
  const char *rest = blank != NULL ? blank + 1 : "";
  Step step = { .line = line };

  if (*text == '\0' || *text == '#')
    return TRUE;
  if (strcmp (word, "key") == 0)
    return parse_keys (replay, line, rest);
  if (strcmp (word, "type") == 0)
    {
      parse_typing (replay, line, rest);
      return g_utf8_validate (rest, -1, NULL);
    }
  if (strcmp (word, "size") == 0)
    {
      step.kind = STEP_SIZE;
      if (sscanf (rest, "%dx%d", &step.width, &step.height) != 2 || step.width < 1
          || step.height < 1 || step.width > 1000 || step.height > 1000)
        return FALSE;
      g_array_append_val (replay->steps, step);
      return TRUE;
    }
  if (strcmp (word, "timeout") == 0)
    {
      step.kind = STEP_TIMEOUT;
      step.width = atoi (rest);
      g_array_append_val (replay->steps, step);
      return step.width > 0;
    }
  if (strcmp (word, "clock") == 0)
    {
      step.kind = STEP_CLOCK;
      g_array_append_val (replay->steps, step);
      return strcmp (rest, "real") == 0;
    }
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (strcmp (word, words[i].word) == 0 && *rest != '\0')
      {
        step.kind = words[i].kind;
        step.text = g_strdup (rest);
        g_array_append_val (replay->steps, step);
        return TRUE;
      }
  return FALSE;
}

Replay *
replay_load (const char *path, GError **error)
{
  g_autoptr (Replay) replay = g_new0 (Replay, 1);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  replay->path = g_strdup (path);
  replay->steps = g_array_new (FALSE, FALSE, sizeof (Step));
  g_array_set_clear_func (replay->steps, step_clear);
  replay->timeout_s = DEFAULT_TIMEOUT_S;
  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (!parse_line (replay, i + 1, lines[i]))
      {
        g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                     "%s: line %u: \"%s\" is no step of a replay; the manual lists them", path,
                     i + 1, lines[i]);
        return NULL;
      }
  for (guint i = 0; i < replay->steps->len; i++)
    replay->real_time |= g_array_index (replay->steps, Step, i).kind == STEP_CLOCK;
  return g_steal_pointer (&replay);
}

gboolean
replay_size (const Replay *replay, int *width, int *height)
{
  const Step *first = replay->steps->len > 0 ? &g_array_index (replay->steps, Step, 0) : NULL;

  if (first == NULL || first->kind != STEP_SIZE)
    return FALSE;
  *width = first->width;
  *height = first->height;
  return TRUE;
}

gboolean
replay_pins_time (const Replay *replay)
{
  return replay != NULL && !replay->real_time;
}

/* ---- running ---- */

static void
fail (Replay *replay, const Step *step)
{
  g_autofree char *screen = terminal_screen ();

  terminal_stop ();
  log_release ();
  app_leave (replay->app, 1);
  g_printerr ("%s: line %u: waited %d s in vain for \"%s\"; the screen is:\n%s", replay->path,
              step->line, replay->timeout_s, step->text, screen);
}

/** Whether a wait is over. */
static gboolean
wait_is_over (Replay *replay, const Step *step)
{
  g_autofree char *screen = terminal_screen ();
  gboolean there = strstr (screen, step->text) != NULL;
  gint64 now_us = g_get_monotonic_time ();

  if (there == (step->kind == STEP_WAIT))
    {
      replay->waiting_since_us = 0;
      return TRUE;
    }
  if (replay->waiting_since_us == 0)
    replay->waiting_since_us = now_us;
  if (now_us - replay->waiting_since_us > replay->timeout_s * G_USEC_PER_SEC)
    fail (replay, step);
  return FALSE;
}

static void
dump (App *app, const char *path)
{
  g_autofree char *line = g_strconcat ("dump-screen ", path, NULL);

  app_execute (app, line);
}

static gboolean
run_step (gpointer data)
{
  Replay *replay = data;
  App *app = replay->app;
  const Step *step;

  if (!works_idle (app->works))
    return G_SOURCE_CONTINUE;
  app_draw (app);
  if (replay->next == replay->steps->len)
    {
      replay->source = 0;
      app_leave (app, 0);
      return G_SOURCE_REMOVE;
    }
  step = &g_array_index (replay->steps, Step, replay->next);
  if ((step->kind == STEP_WAIT || step->kind == STEP_WAIT_GONE) && !wait_is_over (replay, step))
    return G_SOURCE_CONTINUE;
  replay->next++;
  switch (step->kind)
    {
    case STEP_SIZE:
      terminal_resize (step->width, step->height);
      break;
    case STEP_KEY:
      app_press (app, step->key);
      break;
    case STEP_TIMEOUT:
      replay->timeout_s = step->width;
      break;
    case STEP_DUMP:
      dump (app, step->text);
      break;
    default:
      break;
    }
  return G_SOURCE_CONTINUE;
}

void
replay_start (Replay *replay, App *app)
{
  replay->app = app;
  replay->source = g_timeout_add (STEP_MS, run_step, replay);
}
