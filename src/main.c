/**
 * main.c: what stands before the command; chooses the front end.
 */
#include "batch/batch.h"
#include "base/last_words.h"
#include "base/memory.h"
#include "base/version.h"
#include "catalog/record.h"
#include "model/engine.h"
#include "ui/app.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static gboolean
parse_graphics (const char *option, const char *value, gpointer data, GError **error)
{
  static const char *const names[] = { "auto", "symbols", "sixel", "kitty" };
  Graphics *graphics = data;

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (value, names[i]) == 0)
      {
        *graphics = (Graphics) i;
        return TRUE;
      }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "--graphics: give auto, symbols, sixel or kitty, not \"%s\"", value);
  return FALSE;
}

static void
print_keys (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (Scope scope = 0; scope < N_SCOPES; scope++)
    key_append_text (text, scope);
  g_string_replace (text, "\t", "", 0);
  fputs (text->str, stdout);
}

int
main (int argc, char **argv)
{
  gboolean batch = FALSE, version = FALSE, keys = FALSE, no_mouse = FALSE, redact = FALSE;
  gint max_memory = -1;
  g_autofree char *workspace = NULL, *replay = NULL, *description = NULL;
  AppOptions options = { .colours = -1 };
  const GOptionEntry entries[] = {
    { "batch", 0, 0, G_OPTION_ARG_NONE, &batch,
      "run one command without a screen; `--batch help` lists them", NULL },
    { "workspace", 'w', 0, G_OPTION_ARG_FILENAME, &workspace,
      "the workspace (default: $CTCLIP_WORKSPACE, else ./ctclip-workspace)", "DIR" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &options.threads,
      "processor threads of jobs (default: all)", "N" },
    { "ascii", 0, 0, G_OPTION_ARG_NONE, &options.ascii,
      "draw with ASCII alone, for terminals without line drawing", NULL },
    { "colours", 0, 0, G_OPTION_ARG_INT, &options.colours,
      "0, 8, 16 or 256 (default: what the terminal says; NO_COLOR is honoured)", "N" },
    { "graphics", 0, G_OPTION_FLAG_IN_MAIN, G_OPTION_ARG_CALLBACK, parse_graphics,
      "how slices are drawn: auto, symbols, sixel or kitty", "HOW" },
    { "no-mouse", 0, 0, G_OPTION_ARG_NONE, &no_mouse, "leave the mouse to the terminal", NULL },
    { "redact", 0, 0, G_OPTION_ARG_NONE, &redact,
      "hide patient, sex, age, date of the study and reports", NULL },
    { "max-memory", 0, 0, G_OPTION_ARG_INT, &max_memory, "megabytes of data that it may hold",
      "MB" },
    { "replay", 0, 0, G_OPTION_ARG_FILENAME, &replay, "read keys from a file; see the manual",
      "FILE" },
    { "keys", 0, 0, G_OPTION_ARG_NONE, &keys, "list the workbench's keys", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, "say commit, libraries and features", NULL },
    G_OPTION_ENTRY_NULL,
  };
  GOptionGroup *group = g_option_group_new (NULL, NULL, NULL, &options.graphics, NULL);
  g_autoptr (GOptionContext) context = g_option_context_new ("[--batch COMMAND [options]]");
  g_autoptr (GError) error = NULL;

  /* A file that would pass `ulimit -f` is an error of that write, as one on a full disk is. */
  signal (SIGXFSZ, SIG_IGN);
  version_set_call (argv[0]);
  setlocale (LC_ALL, "");
  setlocale (LC_NUMERIC, "C");
  engine_prepare_process ();
  g_option_group_add_entries (group, entries);
  g_option_context_set_main_group (context, group);
  g_option_context_set_strict_posix (context, TRUE);
  description = g_strdup_printf (
      "Fine-tunes a frozen CT-CLIP image encoder to find 18 abnormalities in chest CT.\n"
      "Without --batch the workbench opens; ? there lists its keys.\n"
      "`%s --batch demo` shows the whole path in a minute.",
      version_call ());
  g_option_context_set_description (context, description);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "ctclip-tui: %s\n%s --help says how it is used\n", error->message,
               version_call ());
      return BATCH_USAGE;
    }
  if (version)
    {
      version_print ();
      return BATCH_DONE;
    }
  if (keys)
    {
      print_keys ();
      return BATCH_DONE;
    }
  if (max_memory == 0 || max_memory < -1
      || (max_memory > 0 && !memory_limit ((guint64) max_memory * 1000000, &error)))
    {
      fprintf (stderr, "ctclip-tui: --max-memory: %s\n",
               error != NULL ? error->message : "give a number of megabytes");
      return BATCH_USAGE;
    }
  if (options.colours != -1 && options.colours != 0 && options.colours != 8 && options.colours != 16
      && options.colours != 256)
    {
      fprintf (stderr, "ctclip-tui: --colours: give 0, 8, 16 or 256, not %d\n", options.colours);
      return BATCH_USAGE;
    }
  if (redact)
    catalog_redact ();
  /* A workspace may be named before or after --batch; the first word that is no option is the
   * command. */
  argc--;
  argv++;
  if (argc > 0 && strcmp (argv[0], "--") == 0)
    {
      argc--;
      argv++;
    }
  if (batch)
    {
      last_words_install ();
      return batch_main (workspace, argc, argv);
    }
  if (argc > 0)
    {
      fprintf (stderr, "ctclip-tui: %s: commands follow --batch; `%s --batch help` lists them\n",
               argv[0], version_call ());
      return BATCH_USAGE;
    }
  options.workspace = workspace;
  options.replay = replay;
  options.mouse = !no_mouse;
  return app_run (&options);
}
