/* What is typed after ":", and the help that is made of the table of keys. */
#include "app_private.h"

#include "base/error.h"
#include "base/output_file.h"
#include "log.h"
#include "terminal.h"

#include <stdlib.h>
#include <string.h>

typedef struct
{
  const char *name, *arguments, *help;
  /** %FALSE with @error; @rest is "" where nothing followed. */
  gboolean (*run) (App *app, const char *rest, GError **error);
} LineCommand;

/* ---- the frame's own ---- */

static gboolean
quit (App *app, const char *rest, GError **error)
{
  app_quit (app);
  return TRUE;
}

static gboolean help (App *app, const char *rest, GError **error);

static gboolean
demo (App *app, const char *rest, GError **error)
{
  app_start_demo (app);
  return TRUE;
}

static gboolean
need (const char *rest, const char *what, GError **error)
{
  if (*rest != '\0')
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "%s is missing", what);
  return FALSE;
}

static gboolean
volumes (App *app, const char *rest, GError **error)
{
  g_autofree char *path = app_path (rest);

  if (!need (rest, "the folder that holds the scans", error))
    return FALSE;
  app_set_volumes_directory (app, path);
  app_message (app, "Looking for scans below %s", path);
  return TRUE;
}

static gboolean
workspace (App *app, const char *rest, GError **error)
{
  g_autofree char *path = app_path (rest);

  if (!need (rest, "the workspace's folder", error))
    return FALSE;
  if (app_job_running (app))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_BUSY,
                   "%s is still running here; wait for it or cancel it", app_job_title (app));
      return FALSE;
    }
  return app_open (app, path, FALSE, error);
}

gboolean
app_write_screen (gpointer screen, const char *path, gboolean replace, GError **error)
{
  g_autoptr (OutputFile) file = output_file_open (path, replace, error);

  return file != NULL && output_file_write (file, screen, strlen (screen), error)
         && output_file_commit (file, error);
}

static gboolean
dump_screen (App *app, const char *rest, GError **error)
{
  g_autofree char *path = app_path (rest);

  if (!need (rest, "the file to write", error))
    return FALSE;
  app_draw (app);
  app_write_to (app, path, app_write_screen, terminal_screen (), g_free);
  return TRUE;
}

static const LineCommand commands[] = {
  { "demo", "", "the whole path on a synthetic cohort", demo },
  { "dump-screen", "FILE", "write what is on the screen as text", dump_screen },
  { "help", "", "this", help },
  { "quit", "", "leave", quit },
  { "volumes", "DIR", "where the scans lie", volumes },
  { "workspace", "DIR", "open another workspace", workspace },
};

/** What screens take, for completion and help; they read the lines themselves. */
static const LineCommand of_screens[] = {
  { "filter", "QUERY", "Records: as \\ does", NULL },
  { "folder", "DIR", "Records: browse a folder of scans without tables", NULL },
  { "import", "DIR", "Records: import CT-RATE tables", NULL },
  { "load", "FILE", "Experiment: load a run file", NULL },
  { "open", "FILE", "Slices: any NIfTI file", NULL },
  { "png", "FILE", "Slices: write the slice", NULL },
  { "save", "FILE", "Experiment: save a run file", NULL },
  { "set", "NAME VALUE", "Experiment: a parameter", NULL },
  { "sort", "COLUMN", "Records: sort", NULL },
  { "window", "C W", "Slices: centre and width in HU, or a name", NULL },
};

const char *const *
app_command_words (void)
{
  static const char *words[G_N_ELEMENTS (commands) + G_N_ELEMENTS (of_screens) + 1];

  if (words[0] == NULL)
    {
      for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
        words[i] = commands[i].name;
      for (guint i = 0; i < G_N_ELEMENTS (of_screens); i++)
        words[G_N_ELEMENTS (commands) + i] = of_screens[i].name;
    }
  return words;
}

/** The screen in view first, then the others: ":open FILE" works everywhere. */
static gboolean
try_screens (App *app, const char *line, GError **error)
{
  for (guint i = 0; i < N_SCREENS; i++)
    {
      ScreenId id = (ScreenId) ((app->screen + i) % N_SCREENS);
      const ScreenClass *class = app_screen_class (id);
      GError *fault = NULL;

      /* A bare number means a place in the screen in view. */
      if (class->execute == NULL || (i > 0 && g_ascii_isdigit (*line)))
        continue;
      if (class->execute (app->screens[id], line, &fault))
        return TRUE;
      if (fault != NULL)
        {
          g_propagate_error (error, fault);
          return FALSE;
        }
    }
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "%s: no such command; :help lists them",
               line);
  return FALSE;
}

void
app_execute (App *app, const char *line)
{
  g_autofree char *text = g_strstrip (g_strdup (line));
  g_autofree char *word = g_strndup (text, strcspn (text, " "));
  const char *rest = text + strlen (word);
  g_autoptr (GError) error = NULL;

  while (*rest == ' ')
    rest++;
  if (*text == '\0')
    return;
  if (strcmp (word, "q") == 0)
    {
      app_quit (app);
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (commands[i].name, word) == 0)
      {
        if (!commands[i].run (app, rest, &error))
          app_error (app, "%s: %s", word, error->message);
        return;
      }
  if (!try_screens (app, text, &error))
    app_error (app, "%s", error->message);
}

/* ---- help ---- */

static void
append_commands (GString *text)
{
  g_string_append (text, "Commands after \":\":\n");
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    g_string_append_printf (text, "  %-12s %-10s  \t%s\n", commands[i].name, commands[i].arguments,
                            commands[i].help);
  for (guint i = 0; i < G_N_ELEMENTS (of_screens); i++)
    g_string_append_printf (text, "  %-12s %-10s  \t%s\n", of_screens[i].name,
                            of_screens[i].arguments, of_screens[i].help);
  g_string_append (text, "  NUMBER                   \ta row, or a slice\n");
}

void
app_show_help (App *app)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gpointer data;
  const ScreenClass *class = app_class (app, &data);
  const int *scopes = class->scopes (data);

  for (guint i = 0; scopes[i] >= 0; i++)
    key_append_text (text, (Scope) scopes[i]);
  key_append_text (text, SCOPE_INPUT);
  key_append_text (text, SCOPE_BOX);
  g_string_append_c (text, '\n');
  append_commands (text);
  app_page (app, class->title, text->str);
}

static gboolean
help (App *app, const char *rest, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  append_commands (text);
  g_string_append (text, "\n? shows the keys.\n");
  app_page (app, "Commands", text->str);
  return TRUE;
}
