/* Opcodes: Python's pickletools; the forms are those of torch.save with protocols 2 to 5. */
#include "model/pickle_private.h"

#include "base/error.h"

#include <string.h>

#define MAX_STEPS 2000000 /* a state dict takes some 40 for each tensor */
#define MAX_NAME 1024

/* ---- values ---- */

static void
value_free (gpointer data)
{
  PickleValue *value = data;

  g_free (value->text);
  g_clear_pointer (&value->items, g_ptr_array_unref);
  g_clear_pointer (&value->tensor, pickle_tensor_free);
  g_free (value);
}

void
pickle_tensor_free (PickleTensor *tensor)
{
  g_free (tensor->name);
  g_free (tensor->storage);
  g_free (tensor);
}

PickleValue *
pickle_new_value (PickleMachine *machine, PickleValueKind kind)
{
  PickleValue *value = g_new0 (PickleValue, 1);

  value->kind = kind;
  g_ptr_array_add (machine->values, value);
  return value;
}

gboolean
pickle_corrupt (PickleMachine *machine, const char *fault, GError **error)
{
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT, "%s: %s; save it anew with torch.save",
               machine->what, fault);
  return FALSE;
}

gboolean
pickle_push (PickleMachine *machine, PickleValue *value)
{
  g_ptr_array_add (machine->stack, value);
  return TRUE;
}

static gboolean
push_integer (PickleMachine *machine, PickleValueKind kind, gint64 integer)
{
  PickleValue *value = pickle_new_value (machine, kind);

  value->integer = integer;
  return pickle_push (machine, value);
}

PickleValue *
pickle_pop (PickleMachine *machine, GError **error)
{
  if (machine->stack->len == 0)
    {
      pickle_corrupt (machine, "its pickle takes from an empty stack", error);
      return NULL;
    }
  return g_ptr_array_steal_index (machine->stack, machine->stack->len - 1);
}

static PickleValue *
top (PickleMachine *machine, PickleValueKind kind, GError **error)
{
  PickleValue *value =
      machine->stack->len > 0 ? g_ptr_array_index (machine->stack, machine->stack->len - 1) : NULL;

  if (value != NULL && value->kind == kind)
    return value;
  pickle_corrupt (machine, "its pickle does not build a dictionary of tensors", error);
  return NULL;
}

/** Values above the last mark; the mark goes too. */
static GPtrArray *
pop_to_mark (PickleMachine *machine, GError **error)
{
  for (guint i = machine->stack->len; i-- > 0;)
    if (((PickleValue *) g_ptr_array_index (machine->stack, i))->kind == VALUE_MARK)
      {
        GPtrArray *items = g_ptr_array_new ();

        for (guint k = i + 1; k < machine->stack->len; k++)
          g_ptr_array_add (items, g_ptr_array_index (machine->stack, k));
        g_ptr_array_set_size (machine->stack, (gint) i);
        return items;
      }
  pickle_corrupt (machine, "its pickle misses a mark", error);
  return NULL;
}

static gboolean
push_items (PickleMachine *machine, PickleValueKind kind,
            GPtrArray *items /* transfer full, nullable */)
{
  PickleValue *value;

  if (items == NULL)
    return FALSE;
  value = pickle_new_value (machine, kind);
  value->items = items;
  return pickle_push (machine, value);
}

gboolean
pickle_push_empty (PickleMachine *machine, PickleValueKind kind)
{
  return push_items (machine, kind, g_ptr_array_new ());
}

/** The last @n values as a tuple. */
static gboolean
push_tuple (PickleMachine *machine, guint n, GError **error)
{
  GPtrArray *items;

  if (machine->stack->len < n)
    return pickle_corrupt (machine, "its pickle takes from an empty stack", error);
  items = g_ptr_array_new ();
  for (guint i = machine->stack->len - n; i < machine->stack->len; i++)
    g_ptr_array_add (items, g_ptr_array_index (machine->stack, i));
  g_ptr_array_set_size (machine->stack, (gint) (machine->stack->len - n));
  return push_items (machine, VALUE_SEQUENCE, items);
}

/* ---- reading the stream ---- */

static gboolean
take (PickleMachine *machine, gsize n, const guint8 **bytes, GError **error)
{
  if ((gsize) (machine->end - machine->at) < n)
    {
      pickle_corrupt (machine, "its pickle ends too early", error);
      return FALSE;
    }
  *bytes = machine->at;
  machine->at += n;
  return TRUE;
}

static gboolean
take_integer (PickleMachine *machine, guint n, guint64 *value, GError **error)
{
  const guint8 *bytes;

  if (!take (machine, n, &bytes, error))
    return FALSE;
  *value = 0;
  while (n-- > 0)
    *value = *value << 8 | bytes[n];
  return TRUE;
}

static gboolean
push_text (PickleMachine *machine, guint length_size, GError **error)
{
  const guint8 *bytes;
  guint64 length;
  PickleValue *value;

  if (!take_integer (machine, length_size, &length, error)
      || !take (machine, (gsize) length, &bytes, error))
    return FALSE;
  value = pickle_new_value (machine, VALUE_TEXT);
  value->text = g_strndup ((const char *) bytes, (gsize) length);
  return pickle_push (machine, value);
}

/** A little-endian two's complement number of 1 to 8 bytes. */
static gboolean
push_long (PickleMachine *machine, GError **error)
{
  const guint8 *bytes;
  guint64 length, value = 0;

  if (!take_integer (machine, 1, &length, error) || !take (machine, (gsize) length, &bytes, error))
    return FALSE;
  if (length > 8)
    return pickle_corrupt (machine, "its pickle holds an impossible number", error);
  if (length > 0 && (bytes[length - 1] & 0x80))
    value = G_MAXUINT64;
  for (guint64 i = length; i-- > 0;)
    value = value << 8 | bytes[i];
  return push_integer (machine, VALUE_INTEGER, (gint64) value);
}

static char *
take_line (PickleMachine *machine, GError **error)
{
  const guint8 *newline = memchr (machine->at, '\n', (gsize) (machine->end - machine->at));
  char *line;

  if (newline == NULL || newline - machine->at > MAX_NAME)
    {
      pickle_corrupt (machine, "its pickle holds an endless name", error);
      return NULL;
    }
  line = g_strndup ((const char *) machine->at, (gsize) (newline - machine->at));
  machine->at = newline + 1;
  return line;
}

static gboolean
read_global (PickleMachine *machine, GError **error)
{
  g_autofree char *module = take_line (machine, error);
  g_autofree char *name = module != NULL ? take_line (machine, error) : NULL;

  return name != NULL && pickle_push_global (machine, module, name, error);
}

static gboolean
read_stack_global (PickleMachine *machine, GError **error)
{
  const PickleValue *name = pickle_pop (machine, error);
  const PickleValue *module = name != NULL ? pickle_pop (machine, error) : NULL;

  if (module == NULL)
    return FALSE;
  if (name->kind != VALUE_TEXT || module->kind != VALUE_TEXT)
    return pickle_corrupt (machine, "its pickle names no global", error);
  return pickle_push_global (machine, module->text, name->text, error);
}

/* ---- the machine ---- */

static gboolean
memoize (PickleMachine *machine, guint64 key, GError **error)
{
  if (machine->stack->len == 0)
    return pickle_corrupt (machine, "its pickle takes from an empty stack", error);
  g_hash_table_insert (machine->memo, GUINT_TO_POINTER ((guint) key),
                       g_ptr_array_index (machine->stack, machine->stack->len - 1));
  return TRUE;
}

static gboolean
recall (PickleMachine *machine, guint key_size, GError **error)
{
  guint64 key;
  PickleValue *value;

  if (!take_integer (machine, key_size, &key, error))
    return FALSE;
  value = g_hash_table_lookup (machine->memo, GUINT_TO_POINTER ((guint) key));
  return value != NULL ? pickle_push (machine, value)
                       : pickle_corrupt (machine, "its pickle recalls what it never kept", error);
}

/** Move the values above the mark into the list or dict below it. */
static gboolean
extend (PickleMachine *machine, PickleValueKind kind, GError **error)
{
  g_autoptr (GPtrArray) items = pop_to_mark (machine, error);
  PickleValue *into = items != NULL ? top (machine, kind, error) : NULL;

  if (into == NULL)
    return FALSE;
  if (kind == VALUE_DICT && items->len % 2 != 0)
    return pickle_corrupt (machine, "its pickle holds a key without a value", error);
  for (guint i = 0; i < items->len; i++)
    g_ptr_array_add (into->items, g_ptr_array_index (items, i));
  return TRUE;
}

static gboolean
add_one (PickleMachine *machine, PickleValueKind kind, GError **error)
{
  PickleValue *value = pickle_pop (machine, error);
  PickleValue *key = value != NULL && kind == VALUE_DICT ? pickle_pop (machine, error) : NULL;
  PickleValue *into =
      value != NULL && (kind != VALUE_DICT || key != NULL) ? top (machine, kind, error) : NULL;

  if (into == NULL)
    return FALSE;
  if (kind == VALUE_DICT)
    g_ptr_array_add (into->items, key);
  g_ptr_array_add (into->items, value);
  return TRUE;
}

/** One instruction. */
static gboolean
step (PickleMachine *machine, guint8 opcode, GError **error)
{
  const guint8 *bytes;
  guint64 number = 0;

  switch (opcode)
    {
    case 0x80: /* PROTO */
      return take (machine, 1, &bytes, error);
    case 0x95: /* FRAME */
      return take (machine, 8, &bytes, error);
    case '(': /* MARK */
      return pickle_push (machine, pickle_new_value (machine, VALUE_MARK));
    case 'N': /* NONE */
      return pickle_push (machine, pickle_new_value (machine, VALUE_NONE));
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
      return push_integer (machine, VALUE_BOOL, opcode == 0x88);
    case 'J': /* BININT */
      return take_integer (machine, 4, &number, error)
             && push_integer (machine, VALUE_INTEGER, (gint32) number);
    case 'K': /* BININT1 */
      return take_integer (machine, 1, &number, error)
             && push_integer (machine, VALUE_INTEGER, (gint64) number);
    case 'M': /* BININT2 */
      return take_integer (machine, 2, &number, error)
             && push_integer (machine, VALUE_INTEGER, (gint64) number);
    case 0x8a: /* LONG1 */
      return push_long (machine, error);
    case 'G': /* BINFLOAT */
      return take (machine, 8, &bytes, error)
             && pickle_push (machine, pickle_new_value (machine, VALUE_REAL));
    case 0x8c: /* SHORT_BINUNICODE */
    case 'U':  /* SHORT_BINSTRING */
    case 'C':  /* SHORT_BINBYTES */
      return push_text (machine, 1, error);
    case 'X': /* BINUNICODE */
    case 'T': /* BINSTRING */
    case 'B': /* BINBYTES */
      return push_text (machine, 4, error);
    case 0x8d: /* BINUNICODE8 */
      return push_text (machine, 8, error);
    case 'c': /* GLOBAL */
      return read_global (machine, error);
    case 0x93: /* STACK_GLOBAL */
      return read_stack_global (machine, error);
    case ')': /* EMPTY_TUPLE */
    case ']': /* EMPTY_LIST */
      return pickle_push_empty (machine, VALUE_SEQUENCE);
    case '}': /* EMPTY_DICT */
      return pickle_push_empty (machine, VALUE_DICT);
    case 't': /* TUPLE */
    case 'l': /* LIST */
      return push_items (machine, VALUE_SEQUENCE, pop_to_mark (machine, error));
    case 0x85: /* TUPLE1 */
    case 0x86: /* TUPLE2 */
    case 0x87: /* TUPLE3 */
      return push_tuple (machine, opcode - 0x84u, error);
    case 'a': /* APPEND */
      return add_one (machine, VALUE_SEQUENCE, error);
    case 'e': /* APPENDS */
      return extend (machine, VALUE_SEQUENCE, error);
    case 's': /* SETITEM */
      return add_one (machine, VALUE_DICT, error);
    case 'u': /* SETITEMS */
      return extend (machine, VALUE_DICT, error);
    case 'R': /* REDUCE */
      return pickle_reduce (machine, error);
    case 'Q': /* BINPERSID */
      return pickle_read_persistent_id (machine, error);
    case 'b': /* BUILD: the `_metadata` of a state dict, which says nothing of tensors */
      return pickle_pop (machine, error) != NULL && top (machine, VALUE_DICT, error) != NULL;
    case 'q': /* BINPUT */
      return take_integer (machine, 1, &number, error) && memoize (machine, number, error);
    case 'r': /* LONG_BINPUT */
      return take_integer (machine, 4, &number, error) && memoize (machine, number, error);
    case 0x94: /* MEMOIZE */
      return memoize (machine, machine->next_memo++, error);
    case 'h': /* BINGET */
      return recall (machine, 1, error);
    case 'j': /* LONG_BINGET */
      return recall (machine, 4, error);
    default:
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: its pickle uses opcode 0x%02x, which state dicts do not need; save only "
                   "the state dict",
                   machine->what, opcode);
      return FALSE;
    }
}

/** What the pickle leaves on the stack. Each instruction makes one value at most, so a limit of
 * instructions is one of memory. */
static const PickleValue *
run (PickleMachine *machine, GError **error)
{
  for (guint i = 0; i < MAX_STEPS; i++)
    {
      const guint8 *opcode;

      if (!take (machine, 1, &opcode, error))
        return NULL;
      if (*opcode == '.') /* STOP */
        return pickle_pop (machine, error);
      if (!step (machine, *opcode, error))
        return NULL;
    }
  pickle_corrupt (machine, "its pickle is longer than any state dict's", error);
  return NULL;
}

static PickleTensor *
named_copy (const PickleTensor *tensor, const char *name)
{
  PickleTensor *copy = g_memdup2 (tensor, sizeof *tensor);

  copy->name = g_strdup (name);
  copy->storage = g_strdup (tensor->storage);
  return copy;
}

GPtrArray *
pickle_read_tensors (const guint8 *bytes, gsize size, const char *what, GError **error)
{
  PickleMachine machine = { .what = what, .at = bytes, .end = bytes + size };
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (value_free);
  g_autoptr (GPtrArray) stack = g_ptr_array_new ();
  g_autoptr (GHashTable) memo = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) tensors =
      g_ptr_array_new_with_free_func ((GDestroyNotify) pickle_tensor_free);
  const PickleValue *root, *dict;

  machine.values = values;
  machine.stack = stack;
  machine.memo = memo;
  root = run (&machine, error);
  if (root == NULL)
    return NULL;
  dict = pickle_find_state_dict (root);
  for (guint i = 0; dict != NULL && i + 1 < dict->items->len; i += 2)
    {
      const PickleValue *key = g_ptr_array_index (dict->items, i),
                        *value = g_ptr_array_index (dict->items, i + 1);

      if (key->kind == VALUE_TEXT && value->kind == VALUE_TENSOR)
        g_ptr_array_add (tensors, named_copy (value->tensor, key->text));
    }
  if (tensors->len == 0)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: holds no state dict, neither by itself nor under state_dict or model; save "
                   "model.state_dict ()",
                   what);
      return NULL;
    }
  return g_steal_pointer (&tensors);
}
