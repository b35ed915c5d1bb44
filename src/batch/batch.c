#include "batch/batch.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/version.h"
#include "catalog/labels.h"
#include "catalog/record.h"
#include "report/json.h"
#include "report/printable.h"

#include <stdio.h>
#include <string.h>

const BatchCommand batch_commands[] = {
  { "demo", "[DIR]", "the whole path on a synthetic cohort, in a minute", command_demo },
  { "import", "[DIR] | --split S --reports F --labels F", "read CT-RATE's CSV files and clean them",
    command_import },
  { "import-latents", "--npy L.npy --names N.txt --encoder-name X",
    "take latents that another program made", command_import_latents },
  { "records", "[--query Q]", "list, filter and count the records", command_records },
  { "sample", "--split S --fraction F", "draw a stratified sample", command_sample },
  { "prepare", "FILE --out T.npy", "make the encoder's input from a volume", command_prepare },
  { "slice", "FILE --out F.png", "write slices as pictures", command_slice },
  { "encode", "FILE... --out L.npy | --volumes DIR", "scans to latents", command_encode },
  { "train", "", "fit the head on the latents, judge it after every epoch", command_train },
  { "predict", "--run R FILE...", "18 probabilities for new scans", command_predict },
  { "runs", "[--show R | --compare A B | ...]", "the history of training runs", command_runs },
  { "export", "WHAT --out F",
    "records, sample, latents, metrics, predictions, head, checkpoint or plots", command_export },
  { "doctor", "", "versions, devices, speed, what is missing and how to get it", command_doctor },
  { NULL, NULL, NULL, NULL },
};

static int
list_commands (FILE *stream)
{
  fprintf (stream, "Usage: ctclip-tui [-w DIR] --batch COMMAND [options]\n\nCommands:\n");
  for (const BatchCommand *command = batch_commands; command->name != NULL; command++)
    fprintf (stream, "  %-15s %s\n", command->name, command->summary);
  fprintf (stream, "\n`%s --batch COMMAND --help` says more.\n", version_call ());
  return stream == stdout ? BATCH_DONE : BATCH_USAGE;
}

static int
run_command (Batch *batch, int argc, char **argv)
{
  if (argc == 0)
    return list_commands (stderr);
  if (strcmp (argv[0], "help") == 0 || strcmp (argv[0], "--help") == 0)
    return list_commands (stdout);
  for (const BatchCommand *command = batch_commands; command->name != NULL; command++)
    if (strcmp (command->name, argv[0]) == 0)
      {
        batch->name = command->name;
        return command->run (batch, argc, argv);
      }
  batch_say ("ctclip-tui: %s: no such command\n", argv[0]);
  return list_commands (stderr);
}

/** A result that got lost on its way is no success; a full disk behind stdout shows itself late. */
static int
check_output (int code)
{
  if (fflush (stdout) == 0 && !ferror (stdout))
    return code;
  fprintf (stderr, "ctclip-tui: the result cannot be written to standard output; look whether the "
                   "disk behind it is full\n");
  return code == BATCH_DONE || code == BATCH_SKIPPED ? BATCH_FAILED : code;
}

int
batch_main (const char *workspace, int argc, char **argv)
{
  Batch batch = { .workspace = g_strdup (workspace) };
  int code = check_output (run_command (&batch, argc, argv));

  g_free (batch.workspace);
  g_strfreev (batch.rest);
  return code;
}

static const BatchCommand *
find_command (const char *name)
{
  const BatchCommand *command = batch_commands;

  while (strcmp (command->name, name) != 0)
    command++;
  return command;
}

gboolean
batch_parse (Batch *batch, int argc, char **argv, const GOptionEntry *entries,
             const char *description, int *code)
{
  const BatchCommand *command = find_command (batch->name);
  gboolean redact = FALSE;
  gint max_memory = -1;
  const GOptionEntry common[] = {
    { "workspace", 'w', 0, G_OPTION_ARG_FILENAME, &batch->workspace,
      "the workspace (default: $CTCLIP_WORKSPACE, else ./ctclip-workspace)", "DIR" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &batch->threads,
      "threads to work with (default: all cores)", "N" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &batch->json, "the result as JSON", NULL },
    { "redact", 0, 0, G_OPTION_ARG_NONE, &redact, "hide patient, sex, age, date and reports",
      NULL },
    { "max-memory", 0, 0, G_OPTION_ARG_INT, &max_memory, "megabytes of data that it may hold",
      "MB" },
    { "force", 0, 0, G_OPTION_ARG_NONE, &batch->force, "replace files that exist", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &batch->rest, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autofree char *synopsis = g_strdup_printf (
      "%s%s- %s", command->arguments, *command->arguments != '\0' ? " " : "", command->summary);
  g_autofree char *program = g_strdup_printf ("ctclip-tui --batch %s", batch->name);
  g_autoptr (GOptionContext) context = g_option_context_new (synopsis);
  g_autoptr (GError) error = NULL;
  gboolean help = FALSE;

  for (int i = 1; i < argc && strcmp (argv[i], "--") != 0; i++)
    help = help || strcmp (argv[i], "--help") == 0 || strcmp (argv[i], "-h") == 0;
  g_set_prgname (program);
  g_option_context_set_help_enabled (context, FALSE);
  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_main_entries (context, common, NULL);
  if (description != NULL)
    g_option_context_set_description (context, description);
  if (help)
    {
      g_autofree char *text = g_option_context_get_help (context, TRUE, NULL);

      fputs (text, stdout);
      *code = BATCH_DONE;
      return FALSE;
    }
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      *code = batch_usage (batch, "%s", error->message);
      return FALSE;
    }
  if (batch->threads < 0 || batch->threads > 1024)
    {
      *code = batch_usage (batch, "--threads: give a number from 1 to 1024");
      return FALSE;
    }
  if (max_memory == 0 || max_memory < -1)
    {
      *code = batch_usage (batch, "--max-memory: give a number of megabytes");
      return FALSE;
    }
  if (max_memory > 0 && !memory_limit ((guint64) max_memory * 1000000, &error))
    {
      *code = batch_fail (g_steal_pointer (&error));
      return FALSE;
    }
  if (redact)
    catalog_redact ();
  if (batch->rest == NULL)
    batch->rest = g_new0 (char *, 1);
  return TRUE;
}

static void
print_clean (FILE *stream, const char *format, va_list arguments)
{
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  g_autofree char *clean = report_printable (text);

  fputs (clean, stream);
}

void
batch_print (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  print_clean (stdout, format, arguments);
  va_end (arguments);
}

void
batch_say (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  print_clean (stderr, format, arguments);
  va_end (arguments);
}

int
batch_usage (const Batch *batch, const char *format, ...)
{
  va_list arguments;

  fprintf (stderr, "ctclip-tui: %s: ", batch->name);
  va_start (arguments, format);
  print_clean (stderr, format, arguments);
  va_end (arguments);
  fprintf (stderr, "\n%s --batch %s --help says how it is used\n", version_call (), batch->name);
  return BATCH_USAGE;
}

int
batch_fail (GError *error)
{
  int code = BATCH_FAILED;

  if (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE))
    code = BATCH_USAGE;
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    code = BATCH_INTERRUPTED;
  batch_say ("ctclip-tui: %s\n", code == BATCH_INTERRUPTED ? "interrupted" : error->message);
  g_error_free (error);
  return code;
}

Workspace *
batch_open (const Batch *batch, gboolean create, int *code)
{
  GError *error = NULL;
  Workspace *workspace = workspace_open (batch->workspace, create, &error);

  if (workspace == NULL)
    *code = batch_fail (error);
  return workspace;
}

void
batch_print_json (json_t *document)
{
  g_autofree char *text = report_json_text (document);

  puts (text);
  fflush (stdout);
}

const char *const *
batch_label_names (void)
{
  static const char *names[CATALOG_N_LABELS + 1];

  for (guint i = 0; names[CATALOG_N_LABELS - 1] == NULL && i < CATALOG_N_LABELS; i++)
    names[i] = catalog_label_name (i);
  return names;
}

gboolean
batch_parse_triple (const char *text, double numbers[3])
{
  g_auto (GStrv) parts = g_strsplit (text, ",", -1);

  if (g_strv_length (parts) != 3)
    return FALSE;
  for (guint i = 0; i < 3; i++)
    {
      char *end;

      numbers[i] = g_ascii_strtod (g_strstrip (parts[i]), &end);
      if (end == parts[i] || *end != '\0')
        return FALSE;
    }
  return TRUE;
}
