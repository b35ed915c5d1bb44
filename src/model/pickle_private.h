/**
 * pickle_private.h: the machine that reads a pickle, and what the names in it mean.
 */
#pragma once

#include "model/pickle.h"

typedef enum
{
  VALUE_MARK,
  VALUE_NONE,
  VALUE_BOOL,
  VALUE_INTEGER,
  VALUE_REAL,
  VALUE_TEXT,
  VALUE_SEQUENCE, /* tuple, list or torch.Size */
  VALUE_DICT,     /* keys and values in turn */
  VALUE_GLOBAL,
  VALUE_STORAGE,
  VALUE_TENSOR,
} PickleValueKind;

typedef struct
{
  PickleValueKind kind;
  gint64 integer;       /* of an integer; elements of a storage */
  char *text;           /* of a text; "module.name" of a global; key of a storage */
  GPtrArray *items;     /* of a sequence or dict; the values are owned by the machine */
  CheckpointType type;  /* of a storage */
  PickleTensor *tensor; /* without its name */
} PickleValue;

typedef struct
{
  const char *what; /* named in errors */
  const guint8 *at, *end;
  GPtrArray *values; /* owns every value ever made */
  GPtrArray *stack;
  GHashTable *memo;
  guint next_memo;
} PickleMachine;

PickleValue *pickle_new_value (PickleMachine *machine, PickleValueKind kind);
gboolean pickle_push (PickleMachine *machine, PickleValue *value);
gboolean pickle_push_empty (PickleMachine *machine, PickleValueKind kind);
PickleValue *pickle_pop (PickleMachine *machine, GError **error);

/** pickle_corrupt: set "@fault; save it anew" and return %FALSE. */
gboolean pickle_corrupt (PickleMachine *machine, const char *fault, GError **error);

/* ---- pickle_torch.c ---- */

/** pickle_push_global: a name that is not on the list ends the reading: it is what a forged file
 * would run. */
gboolean pickle_push_global (PickleMachine *machine, const char *module, const char *name,
                             GError **error);

/** pickle_read_persistent_id: make a storage of the tuple on the stack. */
gboolean pickle_read_persistent_id (PickleMachine *machine, GError **error);

/** pickle_reduce: what "calling" a known global with the tuple above it gives. */
gboolean pickle_reduce (PickleMachine *machine, GError **error);

/** pickle_find_state_dict: the dict that holds the tensors: the root, or one level down under a
 * name in use. %NULL where there is no dict. */
const PickleValue *pickle_find_state_dict (const PickleValue *root);
