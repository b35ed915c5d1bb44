#include "prompt.h"

#include <curses.h>
#include <glib/gstdio.h>
#include <string.h>

struct _PromptLine
{
  Prompt prompt;
  char *label;
  GString *text;
  gsize cursor; /* bytes */
  GPtrArray *history;
  guint place; /* in the history; its length: the line being typed */
  char *draft; /* what was typed before the history was looked into */
  const char *const *words;
  char *fault; /* (nullable) what check() says */
  char *hint;  /* (nullable) what completion found */
};

static void
changed (PromptLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *value = prompt_value (line);

  g_clear_pointer (&line->fault, g_free);
  g_clear_pointer (&line->hint, g_free);
  if (line->prompt.check != NULL && !line->prompt.check (line->prompt.data, value, &error))
    line->fault = g_strdup (error != NULL ? error->message : "not this");
  if (line->prompt.changed != NULL)
    line->prompt.changed (line->prompt.data, value);
}

/** Every character of the line is one: names of files may be any bytes. */
static GString *
text_line (const char *initial)
{
  g_autofree char *valid = g_utf8_make_valid (initial != NULL ? initial : "", -1);

  return g_string_new (valid);
}

PromptLine *
prompt_new (const Prompt *prompt, GPtrArray *history, const char *const *words)
{
  PromptLine *line = g_new0 (PromptLine, 1);

  line->prompt = *prompt;
  line->label = g_strdup (prompt->label);
  line->text = text_line (prompt->initial);
  line->cursor = line->text->len;
  line->history = history;
  line->place = history != NULL ? history->len : 0;
  line->words = words;
  return line;
}

void
prompt_free (PromptLine *line)
{
  g_string_free (line->text, TRUE);
  g_free (line->label);
  g_free (line->draft);
  g_free (line->fault);
  g_free (line->hint);
  g_free (line);
}

const Prompt *
prompt_get (const PromptLine *line)
{
  return &line->prompt;
}

char *
prompt_value (const PromptLine *line)
{
  return line->prompt.kind == PROMPT_PATH ? app_path (line->text->str) : g_strdup (line->text->str);
}

const char *
prompt_text (const PromptLine *line)
{
  return line->text->str;
}

/* ---- editing ---- */

static gsize
before (const PromptLine *line)
{
  const char *at = line->text->str + line->cursor;

  return line->cursor > 0 ? (gsize) (g_utf8_prev_char (at) - line->text->str) : 0;
}

static gsize
after (const PromptLine *line)
{
  const char *at = line->text->str + line->cursor;

  return *at != '\0' ? (gsize) (g_utf8_next_char (at) - line->text->str) : line->cursor;
}

static void
erase_bytes (PromptLine *line, gsize from, gsize to)
{
  g_string_erase (line->text, (gssize) from, (gssize) (to - from));
  line->cursor = from;
  changed (line);
}

static void
set_text (PromptLine *line, const char *text)
{
  g_string_assign (line->text, text);
  line->cursor = line->text->len;
  changed (line);
}

static void
delete_word (PromptLine *line)
{
  gsize from = line->cursor;

  while (from > 0 && line->text->str[from - 1] == ' ')
    from--;
  while (from > 0 && line->text->str[from - 1] != ' ' && line->text->str[from - 1] != '/')
    from--;
  if (from == line->cursor && from > 0)
    from--; /* a slash */
  erase_bytes (line, from, line->cursor);
}

static void
recall (PromptLine *line, int step)
{
  guint n = line->history != NULL ? line->history->len : 0;
  guint place = step < 0 ? MAX (line->place, 1) - 1 : MIN (line->place + 1, n);

  if (place == line->place || n == 0)
    return;
  if (line->place == n)
    {
      g_free (line->draft);
      line->draft = g_strdup (line->text->str);
    }
  line->place = place;
  set_text (line, place == n ? line->draft : g_ptr_array_index (line->history, place));
}

/* ---- completion ---- */

/** Narrow @common to what it shares with @candidate. */
static void
take_candidate (char **common, GString *all, const char *candidate)
{
  gsize shared = 0;

  g_string_append_printf (all, "%s%s", all->len > 0 ? "  " : "", candidate);
  if (*common == NULL)
    {
      *common = g_strdup (candidate);
      return;
    }
  while ((*common)[shared] != '\0' && (*common)[shared] == candidate[shared])
    shared++;
  while (((*common)[shared] & 0xc0) == 0x80) /* not between the bytes of a character */
    shared--;
  (*common)[shared] = '\0';
}

static void
insert_completion (PromptLine *line, gsize start, const char *common, GString *all, gboolean single,
                   char end)
{
  gsize typed = line->cursor - start;

  if (common == NULL)
    return;
  if (strlen (common) > typed)
    {
      g_string_insert (line->text, (gssize) line->cursor, common + typed);
      line->cursor += strlen (common) - typed;
    }
  if (single && end != '\0' && line->text->str[line->cursor] == '\0')
    {
      g_string_insert_c (line->text, (gssize) line->cursor, end);
      line->cursor++;
    }
  changed (line);
  if (!single)
    line->hint = g_strdup (all->str);
}

static void
complete_word (PromptLine *line)
{
  g_autofree char *common = NULL;
  g_autoptr (GString) all = g_string_new (NULL);
  guint n = 0;

  for (guint i = 0; line->words[i] != NULL; i++)
    if (strncmp (line->words[i], line->text->str, line->cursor) == 0)
      {
        take_candidate (&common, all, line->words[i]);
        n++;
      }
  insert_completion (line, 0, common, all, n == 1, ' ');
}

/** Only one folder is read, and only when Tab is pressed. A name that is not UTF-8 can't be on the
 * line. */
static void
complete_path (PromptLine *line, gsize start)
{
  g_autofree char *typed = g_strndup (line->text->str + start, (gsize) (line->cursor - start));
  const char *slash = strrchr (typed, '/');
  const char *name = slash != NULL ? slash + 1 : typed;
  g_autofree char *folder = slash != NULL ? g_strndup (typed, (gsize) (slash + 1 - typed)) : NULL;
  g_autofree char *real = app_path (folder != NULL ? folder : ".");
  g_autoptr (GDir) dir = g_dir_open (real, 0, NULL);
  g_autofree char *common = NULL;
  g_autoptr (GString) all = g_string_new (NULL);
  guint n = 0;
  const char *entry;
  char end = '\0';

  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (entry, name) && (*name != '\0' || *entry != '.')
        && g_utf8_validate (entry, -1, NULL))
      {
        g_autofree char *path = g_build_filename (real, entry, NULL);

        end = g_file_test (path, G_FILE_TEST_IS_DIR) ? '/' : '\0';
        take_candidate (&common, all, entry);
        n++;
      }
  insert_completion (line, start + (gsize) (name - typed), common, all, n == 1, end);
}

static void
complete (PromptLine *line)
{
  const char *blank = memchr (line->text->str, ' ', line->cursor);

  if (line->words != NULL && blank == NULL)
    complete_word (line);
  else if (line->words != NULL)
    complete_path (line, (gsize) (blank + 1 - line->text->str));
  else if (line->prompt.kind == PROMPT_PATH)
    complete_path (line, 0);
}

PromptResult
prompt_key (PromptLine *line, Command command, Key key)
{
  switch (command)
    {
    case COMMAND_INPUT_ACCEPT:
      changed (line);
      return line->fault == NULL ? PROMPT_ACCEPTED : PROMPT_GOES_ON;
    case COMMAND_INPUT_CANCEL:
      return PROMPT_CANCELLED;
    case COMMAND_INPUT_COMPLETE:
      complete (line);
      break;
    case COMMAND_INPUT_LEFT:
      line->cursor = before (line);
      break;
    case COMMAND_INPUT_RIGHT:
      line->cursor = after (line);
      break;
    case COMMAND_INPUT_HOME:
      line->cursor = 0;
      break;
    case COMMAND_INPUT_END:
      line->cursor = line->text->len;
      break;
    case COMMAND_INPUT_BACKSPACE:
      erase_bytes (line, before (line), line->cursor);
      break;
    case COMMAND_INPUT_DELETE:
      erase_bytes (line, line->cursor, after (line));
      break;
    case COMMAND_INPUT_DELETE_WORD:
      delete_word (line);
      break;
    case COMMAND_INPUT_DELETE_ALL:
      erase_bytes (line, 0, line->cursor);
      break;
    case COMMAND_INPUT_DELETE_REST:
      erase_bytes (line, line->cursor, line->text->len);
      break;
    case COMMAND_INPUT_EARLIER:
      recall (line, -1);
      break;
    case COMMAND_INPUT_LATER:
      recall (line, 1);
      break;
    default:
      if (!(key & KEY_IS_FUNCTION) && key >= ' ' && key != 127 && g_unichar_validate (key))
        {
          char bytes[7] = { 0 };

          g_unichar_to_utf8 (key, bytes);
          g_string_insert (line->text, (gssize) line->cursor, bytes);
          line->cursor += strlen (bytes);
          changed (line);
        }
    }
  return PROMPT_GOES_ON;
}

/* ---- drawing ---- */

/** What is to be said of the line: behind it from column @start on, or above it where it has no
 * room there. */
static void
draw_remark (const PromptLine *line, Area area, int start)
{
  Role role = line->fault != NULL ? ROLE_BAD : ROLE_DIM;
  /* A query's caret has no place here. */
  g_autofree char *flat =
      g_strdelimit (g_strdup (line->fault != NULL ? line->fault : line->hint), "\n", ' ');
  Area above = { area.y - 1, area.x, 1, area.width };

  if (start + text_width (flat) <= area.width)
    draw_text (area, 0, start, role, flat);
  else
    draw_upwards (above, role, flat);
}

void
prompt_draw (const PromptLine *line, Area area)
{
  g_autofree char *head = g_strndup (line->text->str, line->cursor);
  int column, room, before_cursor = text_width (head), skipped = 0;
  const char *shown = line->text->str;

  column = draw_printf (area, 0, 0, ROLE_KEY, "%s ", line->label);
  room = area.width - column;
  /* A long text moves to the left, so that the cursor stays in view. */
  while (before_cursor - skipped >= room - 1 && *shown != '\0')
    {
      const char *next = g_utf8_next_char (shown);
      g_autofree char *character = g_strndup (shown, (gsize) (next - shown));

      skipped += text_width (character);
      shown = next;
    }
  draw_text (area, 0, column, ROLE_NORMAL, shown);
  if (line->fault != NULL || line->hint != NULL)
    draw_remark (line, area, column + text_width (shown) + 2);
  if (area.height > 0 && room > 0)
    move (area.y, area.x + MIN (column + before_cursor - skipped, area.width - 1));
}
