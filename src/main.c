/**
 * main.c: what stands before the command; chooses the front end.
 */
#include "batch/batch.h"
#include "base/version.h"
#include "model/engine.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

int
main (int argc, char **argv)
{
  gboolean batch = FALSE, version = FALSE;
  g_autofree char *workspace = NULL;
  const GOptionEntry entries[] = {
    { "batch", 0, 0, G_OPTION_ARG_NONE, &batch,
      "run one command without a screen; `--batch help` lists them", NULL },
    { "workspace", 'w', 0, G_OPTION_ARG_FILENAME, &workspace,
      "the workspace (default: $CTCLIP_WORKSPACE, else ./ctclip-workspace)", "DIR" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, "say commit, libraries and features", NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("--batch COMMAND [options]");
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  setlocale (LC_NUMERIC, "C");
  engine_prepare_process ();
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_set_strict_posix (context, TRUE);
  g_option_context_set_description (
      context, "Fine-tunes a frozen CT-CLIP image encoder to find 18 abnormalities in chest CT.\n"
               "`ctclip-tui --batch demo` shows the whole path in a minute.");
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "ctclip-tui: %s\nctclip-tui --help says how it is used\n", error->message);
      return BATCH_USAGE;
    }
  if (version)
    {
      version_print ();
      return BATCH_DONE;
    }
  /* A workspace may be named before or after --batch; the first word that is no option is the
   * command. */
  argc--;
  argv++;
  if (argc > 0 && strcmp (argv[0], "--") == 0)
    {
      argc--;
      argv++;
    }
  if (!batch)
    {
      fprintf (stderr, "ctclip-tui: give a command: ctclip-tui --batch COMMAND; `ctclip-tui "
                       "--batch help` lists them\n");
      return BATCH_USAGE;
    }
  return batch_main (workspace, argc, argv);
}
