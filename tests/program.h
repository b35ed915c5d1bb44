/**
 * program.h: running the real program and reading what it says.
 */
#pragma once

#include "testing.h"

typedef struct
{
  int code; /* exit code; -1 where a signal ended it */
  char *out, *err;
  json_t *json; /* of the last line of `out`, where that is JSON */
} ProgramResult;

void program_result_clear (ProgramResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ProgramResult, program_result_clear)

/** program_path: the program of this build tree. Owned by the library. */
const char *program_path (void);

/** program_run: `ctclip-tui --batch ...`, to its end. End the arguments with %NULL. */
ProgramResult program_run (const char *first, ...) G_GNUC_NULL_TERMINATED;

/** program_ok: the same; fails the test unless the exit code is @code. */
ProgramResult program_expect (int code, const char *first, ...) G_GNUC_NULL_TERMINATED;

/** json_at: a number, string or object by a path such as "epochs.4.validation.macro_auroc"; fails
 * if absent. */
json_t *json_at (json_t *document, const char *path);
double json_number_at (json_t *document, const char *path);
