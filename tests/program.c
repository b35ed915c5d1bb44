#include "program.h"

#include <string.h>
#include <sys/wait.h>

void
program_result_clear (ProgramResult *result)
{
  g_clear_pointer (&result->out, g_free);
  g_clear_pointer (&result->err, g_free);
  g_clear_pointer (&result->json, json_decref);
}

const char *
program_path (void)
{
  static char *path;

  if (path == NULL)
    {
      g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
      g_autofree char *directory = g_path_get_dirname (self);

      /* Tests lie in <build>/tests, the program in <build>. */
      path = g_build_filename (directory, "..", "ctclip-tui", NULL);
      if (!g_file_test (path, G_FILE_TEST_IS_EXECUTABLE))
        fail_msg ("%s was not built", path);
    }
  return path;
}

/** The last line of the output as JSON, or %NULL. */
static json_t *
last_document (const char *out)
{
  g_autofree char *text = g_strchomp (g_strdup (out));
  const char *line = strrchr (text, '\n');

  return json_loads (line != NULL ? line + 1 : text, 0, NULL);
}

static ProgramResult
run (const char *first, va_list rest)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  ProgramResult result = { .code = -1 };
  g_autoptr (GError) error = NULL;
  int status;

  g_ptr_array_add (arguments, (gpointer) program_path ());
  g_ptr_array_add (arguments, (gpointer) "--batch");
  for (const char *argument = first; argument != NULL; argument = va_arg (rest, const char *))
    g_ptr_array_add (arguments, (gpointer) argument);
  g_ptr_array_add (arguments, NULL);
  g_spawn_sync (NULL, (char **) arguments->pdata, NULL, G_SPAWN_DEFAULT, NULL, NULL, &result.out,
                &result.err, &status, &error);
  assert_no_error (error);
  if (WIFEXITED (status))
    result.code = WEXITSTATUS (status);
  result.json = last_document (result.out);
  return result;
}

ProgramResult
program_run (const char *first, ...)
{
  va_list rest;
  ProgramResult result;

  va_start (rest, first);
  result = run (first, rest);
  va_end (rest);
  return result;
}

ProgramResult
program_expect (int code, const char *first, ...)
{
  va_list rest;
  ProgramResult result;

  va_start (rest, first);
  result = run (first, rest);
  va_end (rest);
  if (result.code != code)
    fail_msg ("`%s` ended with %d, not %d; it said:\n%s%s", first, result.code, code, result.out,
              result.err);
  return result;
}

json_t *
json_at (json_t *document, const char *path)
{
  g_auto (GStrv) steps = g_strsplit (path, ".", -1);
  json_t *value = document;

  for (guint i = 0; steps[i] != NULL; i++)
    {
      value = json_is_array (value)
                  ? json_array_get (value, (size_t) g_ascii_strtoull (steps[i], NULL, 10))
                  : json_object_get (value, steps[i]);
      if (value == NULL)
        fail_msg ("the document has no %s (at %s)", path, steps[i]);
    }
  return value;
}

double
json_number_at (json_t *document, const char *path)
{
  json_t *value = json_at (document, path);

  if (!json_is_number (value))
    fail_msg ("%s is not a number", path);
  return json_number_value (value);
}
