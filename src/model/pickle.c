/* Opcodes: Python's pickletools; the forms are those of torch.save (torch/serialization.py). */
#include "model/pickle.h"

#include "base/error.h"

#include <string.h>

#define MAX_VALUES 4000000 /* a checkpoint of 10,000 tensors makes some 300,000 */
#define MAX_NAME 1024

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
} ValueKind;

typedef struct
{
  ValueKind kind;
  gint64 integer;
  char *text;          /* of a text; "module.name" of a global; key of a storage */
  GPtrArray *items;    /* of a sequence or dict; values are owned by the machine */
  CheckpointType type; /* of a storage */
  PickleTensor *tensor;
} Value;

typedef struct
{
  const char *what;
  const guint8 *at, *end;
  GPtrArray *values; /* owns every value ever made */
  GPtrArray *stack;
  GHashTable *memo;
  guint next_memo;
} Machine;

/* ---- globals that have a meaning ---- */

static const struct
{
  const char *name;
  CheckpointType type;
} storages[] = {
  { "torch.FloatStorage", CHECKPOINT_FLOAT32 }, { "torch.DoubleStorage", CHECKPOINT_FLOAT64 },
  { "torch.HalfStorage", CHECKPOINT_FLOAT16 },  { "torch.BFloat16Storage", CHECKPOINT_BFLOAT16 },
  { "torch.LongStorage", CHECKPOINT_INT64 },    { "torch.IntStorage", CHECKPOINT_INT32 },
  { "torch.ShortStorage", CHECKPOINT_INT16 },   { "torch.CharStorage", CHECKPOINT_INT8 },
  { "torch.ByteStorage", CHECKPOINT_UINT8 },    { "torch.BoolStorage", CHECKPOINT_BOOL },
};

static const char *const callables[] = { "collections.OrderedDict",
                                         "torch._utils._rebuild_tensor_v2",
                                         "torch._utils._rebuild_parameter", "torch.Size", NULL };

static gboolean
find_storage (const char *name, CheckpointType *type)
{
  for (guint i = 0; i < G_N_ELEMENTS (storages); i++)
    if (strcmp (storages[i].name, name) == 0)
      {
        *type = storages[i].type;
        return TRUE;
      }
  return FALSE;
}

/* ---- values ---- */

static void
value_free (gpointer data)
{
  Value *value = data;

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

static Value *
new_value (Machine *machine, ValueKind kind)
{
  Value *value = g_new0 (Value, 1);

  value->kind = kind;
  g_ptr_array_add (machine->values, value);
  return value;
}

static gboolean
corrupt (Machine *machine, const char *fault, GError **error)
{
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT, "%s: %s; save it anew with torch.save",
               machine->what, fault);
  return FALSE;
}

static gboolean
push (Machine *machine, Value *value)
{
  g_ptr_array_add (machine->stack, value);
  return TRUE;
}

static gboolean
push_integer (Machine *machine, ValueKind kind, gint64 integer)
{
  Value *value = new_value (machine, kind);

  value->integer = integer;
  return push (machine, value);
}

static Value *
pop (Machine *machine, GError **error)
{
  if (machine->stack->len == 0)
    {
      corrupt (machine, "its pickle takes from an empty stack", error);
      return NULL;
    }
  return g_ptr_array_steal_index (machine->stack, machine->stack->len - 1);
}

static Value *
top (Machine *machine, ValueKind kind, GError **error)
{
  Value *value =
      machine->stack->len > 0 ? g_ptr_array_index (machine->stack, machine->stack->len - 1) : NULL;

  if (value != NULL && value->kind == kind)
    return value;
  corrupt (machine, "its pickle does not build a dictionary of tensors", error);
  return NULL;
}

/** Values above the last mark; the mark goes too. */
static GPtrArray *
pop_to_mark (Machine *machine, GError **error)
{
  for (guint i = machine->stack->len; i-- > 0;)
    if (((Value *) g_ptr_array_index (machine->stack, i))->kind == VALUE_MARK)
      {
        GPtrArray *items = g_ptr_array_new ();

        for (guint k = i + 1; k < machine->stack->len; k++)
          g_ptr_array_add (items, g_ptr_array_index (machine->stack, k));
        g_ptr_array_set_size (machine->stack, (gint) i);
        return items;
      }
  corrupt (machine, "its pickle misses a mark", error);
  return NULL;
}

static gboolean
push_items (Machine *machine, ValueKind kind, GPtrArray *items /* transfer full, nullable */)
{
  Value *value;

  if (items == NULL)
    return FALSE;
  value = new_value (machine, kind);
  value->items = items;
  return push (machine, value);
}

/** The last @n values as a tuple. */
static gboolean
push_tuple (Machine *machine, guint n, GError **error)
{
  GPtrArray *items;

  if (machine->stack->len < n)
    return corrupt (machine, "its pickle takes from an empty stack", error);
  items = g_ptr_array_new ();
  for (guint i = machine->stack->len - n; i < machine->stack->len; i++)
    g_ptr_array_add (items, g_ptr_array_index (machine->stack, i));
  g_ptr_array_set_size (machine->stack, (gint) (machine->stack->len - n));
  return push_items (machine, VALUE_SEQUENCE, items);
}

/* ---- reading the stream ---- */

static gboolean
take (Machine *machine, gsize n, const guint8 **bytes, GError **error)
{
  if ((gsize) (machine->end - machine->at) < n)
    return corrupt (machine, "its pickle ends too early", error);
  *bytes = machine->at;
  machine->at += n;
  return TRUE;
}

static gboolean
take_integer (Machine *machine, guint n, guint64 *value, GError **error)
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
push_text (Machine *machine, guint length_size, GError **error)
{
  const guint8 *bytes;
  guint64 length;
  Value *value;

  if (!take_integer (machine, length_size, &length, error)
      || !take (machine, (gsize) length, &bytes, error))
    return FALSE;
  value = new_value (machine, VALUE_TEXT);
  value->text = g_strndup ((const char *) bytes, (gsize) length);
  return push (machine, value);
}

/** A little-endian two's complement number of 1 to 8 bytes. */
static gboolean
push_long (Machine *machine, GError **error)
{
  const guint8 *bytes;
  guint64 length, value = 0;

  if (!take_integer (machine, 1, &length, error) || !take (machine, (gsize) length, &bytes, error))
    return FALSE;
  if (length > 8)
    return corrupt (machine, "its pickle holds an impossible number", error);
  if (length > 0 && (bytes[length - 1] & 0x80))
    value = G_MAXUINT64;
  for (guint64 i = length; i-- > 0;)
    value = value << 8 | bytes[i];
  return push_integer (machine, VALUE_INTEGER, (gint64) value);
}

/** A name that is not on the list ends the reading: it is what a forged file would run. */
static gboolean
push_global (Machine *machine, const char *module, const char *name, GError **error)
{
  g_autofree char *full = g_strconcat (module, ".", name, NULL);
  CheckpointType type;
  Value *value;

  if (!g_strv_contains (callables, full) && !find_storage (full, &type))
    {
      g_autofree char *printable = g_strescape (full, NULL);

      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: refers to %s, which is not needed for tensors and is never run; save only "
                   "the state dict "
                   "(torch.save (model.state_dict (), ...))",
                   machine->what, printable);
      return FALSE;
    }
  value = new_value (machine, VALUE_GLOBAL);
  value->text = g_steal_pointer (&full);
  return push (machine, value);
}

static char *
take_line (Machine *machine, GError **error)
{
  const guint8 *newline = memchr (machine->at, '\n', (gsize) (machine->end - machine->at));
  char *line;

  if (newline == NULL || newline - machine->at > MAX_NAME)
    {
      corrupt (machine, "its pickle holds an endless name", error);
      return NULL;
    }
  line = g_strndup ((const char *) machine->at, (gsize) (newline - machine->at));
  machine->at = newline + 1;
  return line;
}

static gboolean
read_global (Machine *machine, GError **error)
{
  g_autofree char *module = take_line (machine, error);
  g_autofree char *name = module != NULL ? take_line (machine, error) : NULL;

  return name != NULL && push_global (machine, module, name, error);
}

static gboolean
read_stack_global (Machine *machine, GError **error)
{
  const Value *name = pop (machine, error);
  const Value *module = name != NULL ? pop (machine, error) : NULL;

  if (module == NULL)
    return FALSE;
  if (name->kind != VALUE_TEXT || module->kind != VALUE_TEXT)
    return corrupt (machine, "its pickle names no global", error);
  return push_global (machine, module->text, name->text, error);
}

/* ---- tensors ---- */

static const Value *
item (const Value *sequence, guint i, ValueKind kind)
{
  const Value *value = sequence->kind == VALUE_SEQUENCE && i < sequence->items->len
                           ? g_ptr_array_index (sequence->items, i)
                           : NULL;

  return value != NULL && value->kind == kind ? value : NULL;
}

/** ('storage', torch.FloatStorage, '0', 'cpu', 4096) */
static gboolean
read_persistent_id (Machine *machine, GError **error)
{
  const Value *id = pop (machine, error);
  const Value *tag, *global, *key, *n;
  Value *storage;

  if (id == NULL)
    return FALSE;
  tag = item (id, 0, VALUE_TEXT);
  global = item (id, 1, VALUE_GLOBAL);
  key = item (id, 2, VALUE_TEXT);
  n = item (id, 4, VALUE_INTEGER);
  if (tag == NULL || strcmp (tag->text, "storage") != 0 || global == NULL || key == NULL
      || n == NULL || n->integer < 0)
    return corrupt (machine, "its pickle refers to something that is no storage", error);
  storage = new_value (machine, VALUE_STORAGE);
  if (!find_storage (global->text, &storage->type))
    return corrupt (machine, "its pickle refers to something that is no storage", error);
  storage->text = g_strdup (key->text);
  storage->integer = n->integer;
  return push (machine, storage);
}

/** Shape and strides must keep every element inside the storage. */
static gboolean
fits_storage (const PickleTensor *tensor)
{
  guint64 last, n = 1;

  if (tensor->offset < 0 || tensor->offset > tensor->storage_n)
    return FALSE;
  last = (guint64) tensor->offset;
  for (guint i = 0; i < tensor->n_dims; i++)
    {
      guint64 reach;

      if (tensor->shape[i] < 0 || tensor->strides[i] < 0)
        return FALSE;
      if (!g_uint64_checked_mul (&n, n, (guint64) tensor->shape[i]) || n > G_MAXINT64 / 8)
        return FALSE;
      if (tensor->shape[i] == 0)
        continue;
      if (!g_uint64_checked_mul (&reach, (guint64) tensor->shape[i] - 1,
                                 (guint64) tensor->strides[i])
          || !g_uint64_checked_add (&last, last, reach))
        return FALSE;
    }
  return n == 0 || last < (guint64) tensor->storage_n;
}

/** _rebuild_tensor_v2 (storage, offset, shape, strides, requires_grad, hooks) */
static gboolean
rebuild_tensor (Machine *machine, const Value *arguments, GError **error)
{
  const Value *storage = item (arguments, 0, VALUE_STORAGE),
              *offset = item (arguments, 1, VALUE_INTEGER),
              *shape = item (arguments, 2, VALUE_SEQUENCE),
              *strides = item (arguments, 3, VALUE_SEQUENCE);
  Value *value;
  PickleTensor *tensor;

  if (storage == NULL || offset == NULL || shape == NULL || strides == NULL
      || shape->items->len > CHECKPOINT_MAX_DIMS || shape->items->len != strides->items->len)
    return corrupt (machine, "its pickle describes a tensor in a form that is not known", error);
  value = new_value (machine, VALUE_TENSOR);
  value->tensor = tensor = g_new0 (PickleTensor, 1);
  tensor->type = storage->type;
  tensor->storage = g_strdup (storage->text);
  tensor->storage_n = storage->integer;
  tensor->offset = offset->integer;
  tensor->n_dims = shape->items->len;
  for (guint i = 0; i < tensor->n_dims; i++)
    {
      const Value *size = item (shape, i, VALUE_INTEGER),
                  *stride = item (strides, i, VALUE_INTEGER);

      if (size == NULL || stride == NULL)
        return corrupt (machine, "its pickle describes a tensor in a form that is not known",
                        error);
      tensor->shape[i] = size->integer;
      tensor->strides[i] = stride->integer;
    }
  if (!fits_storage (tensor))
    return corrupt (machine, "a tensor reaches outside its storage", error);
  return push (machine, value);
}

static gboolean
reduce (Machine *machine, GError **error)
{
  const Value *arguments = pop (machine, error);
  const Value *global = arguments != NULL ? pop (machine, error) : NULL;

  if (global == NULL)
    return FALSE;
  if (global->kind != VALUE_GLOBAL || arguments->kind != VALUE_SEQUENCE)
    return corrupt (machine, "its pickle calls something that is no global", error);
  if (strcmp (global->text, "torch._utils._rebuild_tensor_v2") == 0)
    return rebuild_tensor (machine, arguments, error);
  if (strcmp (global->text, "torch._utils._rebuild_parameter") == 0
      && item (arguments, 0, VALUE_TENSOR) != NULL)
    return push (machine, g_ptr_array_index (arguments->items, 0));
  if (strcmp (global->text, "torch.Size") == 0 && item (arguments, 0, VALUE_SEQUENCE) != NULL)
    return push (machine, g_ptr_array_index (arguments->items, 0));
  if (strcmp (global->text, "collections.OrderedDict") == 0 && arguments->items->len == 0)
    return push_items (machine, VALUE_DICT, g_ptr_array_new ());
  return corrupt (machine, "its pickle makes an object in a form that is not known", error);
}

/* ---- the machine ---- */

static gboolean
memoize (Machine *machine, guint64 key, GError **error)
{
  if (machine->stack->len == 0)
    return corrupt (machine, "its pickle takes from an empty stack", error);
  g_hash_table_insert (machine->memo, GUINT_TO_POINTER ((guint) key),
                       g_ptr_array_index (machine->stack, machine->stack->len - 1));
  return TRUE;
}

static gboolean
recall (Machine *machine, guint key_size, GError **error)
{
  guint64 key;
  Value *value;

  if (!take_integer (machine, key_size, &key, error))
    return FALSE;
  value = g_hash_table_lookup (machine->memo, GUINT_TO_POINTER ((guint) key));
  return value != NULL ? push (machine, value)
                       : corrupt (machine, "its pickle recalls what it never kept", error);
}

/** Move the values above the mark into the list or dict below it. */
static gboolean
extend (Machine *machine, ValueKind kind, GError **error)
{
  g_autoptr (GPtrArray) items = pop_to_mark (machine, error);
  Value *into = items != NULL ? top (machine, kind, error) : NULL;

  if (into == NULL)
    return FALSE;
  if (kind == VALUE_DICT && items->len % 2 != 0)
    return corrupt (machine, "its pickle holds a key without a value", error);
  for (guint i = 0; i < items->len; i++)
    g_ptr_array_add (into->items, g_ptr_array_index (items, i));
  return TRUE;
}

static gboolean
add_one (Machine *machine, ValueKind kind, GError **error)
{
  Value *value = pop (machine, error);
  Value *key = value != NULL && kind == VALUE_DICT ? pop (machine, error) : NULL;
  Value *into =
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
step (Machine *machine, guint8 opcode, GError **error)
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
      return push (machine, new_value (machine, VALUE_MARK));
    case 'N': /* NONE */
      return push (machine, new_value (machine, VALUE_NONE));
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
      return take (machine, 8, &bytes, error) && push (machine, new_value (machine, VALUE_REAL));
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
      return push_items (machine, VALUE_SEQUENCE, g_ptr_array_new ());
    case '}': /* EMPTY_DICT */
      return push_items (machine, VALUE_DICT, g_ptr_array_new ());
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
      return reduce (machine, error);
    case 'Q': /* BINPERSID */
      return read_persistent_id (machine, error);
    case 'b': /* BUILD: the `_metadata` of a state dict, which says nothing of tensors */
      return pop (machine, error) != NULL && top (machine, VALUE_DICT, error) != NULL;
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

static const Value *
run (Machine *machine, GError **error)
{
  for (;;)
    {
      const guint8 *opcode;

      if (!take (machine, 1, &opcode, error))
        return NULL;
      if (*opcode == '.') /* STOP */
        return pop (machine, error);
      if (!step (machine, *opcode, error))
        return NULL;
      if (machine->values->len > MAX_VALUES)
        {
          corrupt (machine, "its pickle never ends", error);
          return NULL;
        }
    }
}

/** The dict that holds the tensors: one level down under a name in use, else the root. */
static const Value *
find_state_dict (const Value *root)
{
  static const char *const nests[] = { "state_dict", "model", "model_state_dict", NULL };

  if (root->kind != VALUE_DICT)
    return NULL;
  for (guint i = 0; i + 1 < root->items->len; i += 2)
    {
      const Value *key = g_ptr_array_index (root->items, i),
                  *value = g_ptr_array_index (root->items, i + 1);

      if (key->kind == VALUE_TEXT && g_strv_contains (nests, key->text)
          && value->kind == VALUE_DICT)
        return value;
    }
  return root;
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
  Machine machine = { .what = what, .at = bytes, .end = bytes + size };
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (value_free);
  g_autoptr (GPtrArray) stack = g_ptr_array_new ();
  g_autoptr (GHashTable) memo = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) tensors =
      g_ptr_array_new_with_free_func ((GDestroyNotify) pickle_tensor_free);
  const Value *root, *dict;

  machine.values = values;
  machine.stack = stack;
  machine.memo = memo;
  root = run (&machine, error);
  if (root == NULL)
    return NULL;
  dict = find_state_dict (root);
  for (guint i = 0; dict != NULL && i + 1 < dict->items->len; i += 2)
    {
      const Value *key = g_ptr_array_index (dict->items, i),
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
