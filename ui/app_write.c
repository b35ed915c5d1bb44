/* Files that the user asks for: where to, over what, and the writing off the UI thread. */
#include "app_private.h"

/** A file that is asked for; the question, then the request to a worker. */
struct _AppWriting
{
  AppWriteFunc write;
  gpointer data;
  GDestroyNotify free_data;
  char *path; /* (nullable) until it was typed */
  gboolean replace;
};

void
app_writing_free (gpointer data)
{
  AppWriting *writing = data;

  if (writing == NULL)
    return;
  if (writing->free_data != NULL)
    writing->free_data (writing->data);
  g_free (writing->path);
  g_free (writing);
}

/* ---- writing ---- */

/** Returns: the path, where all went well. */
static gpointer
write_file (gpointer data, GCancellable *cancellable, GError **error)
{
  AppWriting *writing = data;

  return writing->write (writing->data, writing->path, writing->replace, error)
             ? g_strdup (writing->path)
             : NULL;
}

static void
was_written (gpointer owner, gpointer result, const GError *error)
{
  g_autofree char *path = result;

  if (error != NULL)
    app_error (owner, "%s", error->message);
  else
    app_message (owner, "Written: %s", path);
}

static void
start_writing (App *app, gboolean replace)
{
  AppWriting *writing = g_steal_pointer (&app->writing);

  writing->replace = replace;
  works_start (app->works, write_file, writing, app_writing_free, g_free, was_written, app);
}

/* ---- what is there already ---- */

static void
replace_it (gpointer app)
{
  start_writing (app, TRUE);
}

typedef enum
{
  NOTHING_THERE = 1,
  FILE_THERE,
  FOLDER_THERE,
} Found;

static gpointer
look (gpointer data, GCancellable *cancellable, GError **error)
{
  const char *path = data;
  Found found = g_file_test (path, G_FILE_TEST_IS_DIR)   ? FOLDER_THERE
                : g_file_test (path, G_FILE_TEST_EXISTS) ? FILE_THERE
                                                         : NOTHING_THERE;

  return GINT_TO_POINTER (found);
}

static void
looked (gpointer owner, gpointer result, const GError *error)
{
  App *app = owner;
  Found found = GPOINTER_TO_INT (result);
  g_autofree char *question = NULL;

  app->looking = NULL;
  if (found == NOTHING_THERE)
    {
      start_writing (app, FALSE);
      return;
    }
  question = g_strdup_printf (found == FOLDER_THERE
                                  ? "The folder %s is there. Write into it, over what has the same "
                                    "names?"
                                  : "%s is there already. Replace it?",
                              app->writing->path);
  app_confirm (app, question, replace_it, app);
}

/* ---- asking ---- */

static gboolean
check_path (gpointer app, const char *text, GError **error)
{
  if (*text != '\0')
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "type a file name");
  return FALSE;
}

static void
path_typed (gpointer data, const char *text)
{
  App *app = data;

  g_free (app->writing->path);
  app->writing->path = g_canonicalize_filename (text, NULL);
  app->looking =
      works_start (app->works, look, g_strdup (app->writing->path), g_free, NULL, looked, app);
}

static void
begin (App *app, AppWriteFunc write, gpointer data, GDestroyNotify free_data)
{
  work_cancel (&app->looking);
  app_writing_free (app->writing);
  app->writing = g_new0 (AppWriting, 1);
  app->writing->write = write;
  app->writing->data = data;
  app->writing->free_data = free_data;
}

void
app_write_to (App *app, const char *path, AppWriteFunc write, gpointer data,
              GDestroyNotify free_data)
{
  begin (app, write, data, free_data);
  path_typed (app, path);
}

void
app_write (App *app, const char *initial, AppWriteFunc write, gpointer data,
           GDestroyNotify free_data)
{
  begin (app, write, data, free_data);
  app_prompt (app, &(Prompt){ .label = "write to",
                              .initial = initial,
                              .history = "path",
                              .kind = PROMPT_PATH,
                              .check = check_path,
                              .accept = path_typed,
                              .data = app });
}
