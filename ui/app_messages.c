/* The last line, its prompt, and the boxes. */
#include "app_private.h"

#include "log.h"

#include <string.h>

static void
set_message (App *app, gboolean is_error, const char *format, va_list arguments)
{
  g_free (app->message);
  app->message = g_strdelimit (g_strdup_vprintf (format, arguments), "\n", ' ');
  app->message_is_error = is_error;
  app_redraw (app);
}

void
app_message (App *app, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  set_message (app, FALSE, format, arguments);
  va_end (arguments);
}

void
app_error (App *app, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  set_message (app, TRUE, format, arguments);
  va_end (arguments);
  log_add (app->message);
}

void
app_log (App *app, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  log_add (text);
}

static GPtrArray *
find_history (App *app, const char *name)
{
  GPtrArray *history;

  if (name == NULL)
    return NULL;
  history = g_hash_table_lookup (app->histories, name);
  if (history == NULL)
    {
      history = g_ptr_array_new_with_free_func (g_free);
      g_hash_table_insert (app->histories, g_strdup (name), history);
    }
  return history;
}

char *
app_path (const char *typed)
{
  return g_str_has_prefix (typed, "~/") ? g_build_filename (g_get_home_dir (), typed + 2, NULL)
                                        : g_strdup (typed);
}

void
app_open_prompt (App *app, const Prompt *prompt, const char *const *words)
{
  g_clear_pointer (&app->prompt, prompt_free);
  g_clear_pointer (&app->message, g_free);
  app->prompt = prompt_new (prompt, find_history (app, prompt->history), words);
  app_redraw (app);
}

void
app_prompt (App *app, const Prompt *prompt)
{
  app_open_prompt (app, prompt, NULL);
}

void
app_press_in_prompt (App *app, Key key)
{
  static const int scopes[] = { SCOPE_INPUT, -1 };
  PromptLine *line = app->prompt;
  PromptResult result = prompt_key (line, key_command (key, scopes), key);
  Prompt prompt = *prompt_get (line);
  g_autofree char *value = prompt_value (line);

  if (result == PROMPT_GOES_ON)
    return;
  app->prompt = NULL;
  if (result == PROMPT_ACCEPTED)
    {
      GPtrArray *history = find_history (app, prompt.history);

      if (history != NULL && *prompt_text (line) != '\0'
          && (history->len == 0
              || strcmp (g_ptr_array_index (history, history->len - 1), prompt_text (line)) != 0))
        g_ptr_array_add (history, g_strdup (prompt_text (line)));
      prompt.accept (prompt.data, value);
    }
  else if (prompt.changed != NULL)
    prompt.changed (prompt.data, NULL);
  prompt_free (line);
}

void
app_push_box (App *app, Box *box)
{
  g_queue_push_head (&app->boxes, box);
  app_redraw (app);
}

void
app_confirm (App *app, const char *question, void (*yes) (gpointer data), gpointer data)
{
  app_push_box (app, box_new_question (question, yes, data));
}

void
app_choose (App *app, const char *title, const char *const *items, guint selected,
            void (*chosen) (gpointer data, guint index), gpointer data)
{
  app_push_box (app, box_new_choice (title, items, selected, chosen, data));
}

void
app_page (App *app, const char *title, const char *text)
{
  app_push_box (app, box_new_page (title, text));
}

gboolean
app_overlay_open (App *app)
{
  return app->boxes.length > 0;
}

void
app_finish_box (App *app)
{
  Box *box = g_queue_pop_head (&app->boxes);

  box_act (box);
  box_free (box);
}
