/**
 * keys.h: the keys, and what they do where. The table is keys.def.
 */
#pragma once

#include <glib.h>

/** Where keys are looked up. A screen's own scope comes before LIST and ANYWHERE. */
typedef enum
{
  SCOPE_ANYWHERE,
  SCOPE_LIST,
  SCOPE_RECORDS,
  SCOPE_SLICES,
  SCOPE_EXPERIMENT,
  SCOPE_TRAINING,
  SCOPE_FINDING,
  SCOPE_RUNS,
  SCOPE_COMPARISON,
  SCOPE_INPUT,
  SCOPE_BOX,
  N_SCOPES,
} Scope;

const char *scope_title (Scope scope); /* "Records", "In every screen", ... */

typedef enum
{
  COMMAND_NONE,
#define KEY(scope, command, keys, footer, help) COMMAND_##command,
#include "keys.def"
#undef KEY
  N_COMMANDS,
} Command;

/** A key as curses gives it: a character, or a KEY_ number with this bit set. */
typedef guint32 Key;
#define KEY_IS_FUNCTION 0x80000000u

/** key_parse: a name ("j", "Down", "C-l", "Space", "PgUp", "F1", "é"); 0 if there is none such. */
Key key_parse (const char *name);

typedef struct
{
  Scope scope;
  Command command;
  const char *keys, *footer, *help;
} KeyRow;

/** key_rows: the whole table; @n: (out) */
const KeyRow *key_rows (guint *n);

/** key_command: what @key does in the first of the scopes (ended by -1) that knows it. */
Command key_command (Key key, const int *scopes);

/** key_append_text: a scope's keys, a heading and a line each; a tab stands before what a key does,
 * see text_wrap(). */
void key_append_text (GString *text, Scope scope);
