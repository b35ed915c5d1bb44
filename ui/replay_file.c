#include "replay_private.h"

#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIMEOUT_S 60

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
      return TRUE;
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
  if (!g_utf8_validate (text, -1, NULL))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "%s: is not text in UTF-8", path);
      return NULL;
    }
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
