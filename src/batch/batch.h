/**
 * batch.h: the headless front end: one command, its result on stdout, an exit code.
 */
#pragma once

#include "study/job.h"
#include "study/workspace.h"
#include <glib.h>
#include <jansson.h>

typedef enum
{
  BATCH_DONE = 0,
  BATCH_FAILED = 1,
  BATCH_USAGE = 2,
  BATCH_SKIPPED = 3, /* done, but some inputs (not all) were left out; each is named */
  BATCH_INTERRUPTED = 130,
} BatchExit;

/**
 * batch_main: run `COMMAND [options]`.
 *
 * @workspace: (nullable) the -w that stood before the command
 * Returns: the exit code
 */
int batch_main (const char *workspace, int argc, char **argv);

/* ---- for the commands ---- */

/** What every command knows. */
typedef struct
{
  const char *name;
  char *workspace; /* (nullable) */
  gint threads;    /* 0: chosen by the program */
  gboolean json;
  gboolean force;
  char **rest; /* %NULL-terminated positional arguments */
} Batch;

/** A command parses its own options with batch_parse() and returns an exit code. */
typedef struct
{
  const char *name;
  const char *arguments; /* "FILE --out T.npy" */
  const char *summary;
  int (*run) (Batch *batch, int argc, char **argv);
} BatchCommand;

extern const BatchCommand batch_commands[]; /* ends with a %NULL name */

/**
 * batch_parse: read options; `--help` is answered here.
 *
 * @entries: the command's own options
 * @description: (nullable) what stands below the options in --help
 * @code: (out) exit code where FALSE is returned
 */
gboolean batch_parse (Batch *batch, int argc, char **argv, const GOptionEntry *entries,
                      const char *description, int *code);

/**
 * batch_print, batch_say: printf to stdout and to stderr, for texts that come from files and names:
 * what a terminal would obey in them does not reach it.
 */
void batch_print (const char *format, ...) G_GNUC_PRINTF (1, 2);
void batch_say (const char *format, ...) G_GNUC_PRINTF (1, 2);

/** batch_usage: say what is wrong with the command line; returns BATCH_USAGE. */
int batch_usage (const Batch *batch, const char *format, ...) G_GNUC_PRINTF (2, 3);

/** batch_fail: say the error on stderr; returns the exit code that goes with it. Frees @error. */
int batch_fail (GError *error /* transfer full */);

/** batch_tell_of_the_dead: of the program that held the workspace's lock before us, if it was
 * killed.
 */
void batch_tell_of_the_dead (const Workspace *workspace);

/** BatchWatch: called with every new epoch while a job runs. */
typedef void (*BatchWatch) (const JobEpoch *epoch, gpointer user_data);

/**
 * batch_run: run a job to its end, with progress on stderr when that is a terminal, warnings and
 * skipped inputs on stderr, Ctrl-C and SIGTERM as cancellation, SIGHUP ignored.
 *
 * @locks: the job writes to this workspace (nullable)
 * @skips: (out, nullable) JSON array of {volume, reason}, to json_decref
 * Returns: an exit code; BATCH_DONE and BATCH_SKIPPED mean that the job came to its end
 */
int batch_run (const Batch *batch, const char *name, JobFunc func, gpointer data, Workspace *locks,
               BatchWatch watch, gpointer watch_data, json_t **skips);

/** batch_open: the command's workspace; prints the error and sets @code on failure. */
Workspace *batch_open (const Batch *batch, gboolean create, int *code);

/** batch_print_json: one line on stdout. Frees @document. */
void batch_print_json (json_t *document);

/** batch_label_names: the 18 names, %NULL-terminated, static. */
const char *const *batch_label_names (void);

/** batch_parse_triple: "a,b,c" into three numbers. */
gboolean batch_parse_triple (const char *text, double numbers[3]);

/* ---- the commands' entry points ---- */

int command_demo (Batch *batch, int argc, char **argv);
int command_import (Batch *batch, int argc, char **argv);
int command_import_latents (Batch *batch, int argc, char **argv);
int command_records (Batch *batch, int argc, char **argv);
int command_sample (Batch *batch, int argc, char **argv);
int command_prepare (Batch *batch, int argc, char **argv);
int command_slice (Batch *batch, int argc, char **argv);
int command_encode (Batch *batch, int argc, char **argv);
int command_train (Batch *batch, int argc, char **argv);
int command_predict (Batch *batch, int argc, char **argv);
int command_runs (Batch *batch, int argc, char **argv);
int command_export (Batch *batch, int argc, char **argv);
int command_doctor (Batch *batch, int argc, char **argv);
