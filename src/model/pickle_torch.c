/* What the globals and persistent ids of torch.save mean (torch/_utils.py, torch/serialization.py).
 */
#include "model/pickle_private.h"

#include "base/error.h"

#include <string.h>

#define ORDERED_DICT "collections.OrderedDict"
#define REBUILD_TENSOR "torch._utils._rebuild_tensor_v2"
#define REBUILD_PARAMETER "torch._utils._rebuild_parameter"
#define SIZE "torch.Size"

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

gboolean
pickle_push_global (PickleMachine *machine, const char *module, const char *name, GError **error)
{
  static const char *const callables[] = { ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER, SIZE,
                                           NULL };
  g_autofree char *full = g_strconcat (module, ".", name, NULL);
  CheckpointType type;
  PickleValue *value;

  if (!g_strv_contains (callables, full) && !find_storage (full, &type))
    {
      g_autofree char *printable = g_strescape (full, NULL);

      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                   "%s: refers to %s, which is not needed for tensors and is never run; save only "
                   "the state dict: torch.save(model.state_dict(), ...)",
                   machine->what, printable);
      return FALSE;
    }
  value = pickle_new_value (machine, VALUE_GLOBAL);
  value->text = g_steal_pointer (&full);
  return pickle_push (machine, value);
}

/** Item @i of a tuple where it has this kind, else %NULL. */
static const PickleValue *
item (const PickleValue *sequence, guint i, PickleValueKind kind)
{
  const PickleValue *value = sequence->kind == VALUE_SEQUENCE && i < sequence->items->len
                                 ? g_ptr_array_index (sequence->items, i)
                                 : NULL;

  return value != NULL && value->kind == kind ? value : NULL;
}

/** ('storage', torch.FloatStorage, '0', 'cpu', 4096) */
gboolean
pickle_read_persistent_id (PickleMachine *machine, GError **error)
{
  const PickleValue *id = pickle_pop (machine, error), *tag, *global, *key, *n;
  PickleValue *storage;
  CheckpointType type;

  if (id == NULL)
    return FALSE;
  tag = item (id, 0, VALUE_TEXT);
  global = item (id, 1, VALUE_GLOBAL);
  key = item (id, 2, VALUE_TEXT);
  n = item (id, 4, VALUE_INTEGER);
  if (tag == NULL || strcmp (tag->text, "storage") != 0 || global == NULL || key == NULL
      || n == NULL || !find_storage (global->text, &type))
    return pickle_corrupt (machine, "its pickle refers to something that is no storage", error);
  storage = pickle_new_value (machine, VALUE_STORAGE);
  storage->type = type;
  storage->text = g_strdup (key->text);
  storage->integer = n->integer;
  return pickle_push (machine, storage);
}

/** _rebuild_tensor_v2 (storage, offset, shape, strides, requires_grad, hooks) */
static gboolean
rebuild_tensor (PickleMachine *machine, const PickleValue *arguments, GError **error)
{
  static const char unknown_form[] = "its pickle describes a tensor in a form that is not known";
  const PickleValue *storage = item (arguments, 0, VALUE_STORAGE),
                    *offset = item (arguments, 1, VALUE_INTEGER),
                    *shape = item (arguments, 2, VALUE_SEQUENCE),
                    *strides = item (arguments, 3, VALUE_SEQUENCE);
  PickleValue *value;
  PickleTensor *tensor;

  if (storage == NULL || offset == NULL || shape == NULL || strides == NULL
      || shape->items->len > CHECKPOINT_MAX_DIMS || shape->items->len != strides->items->len)
    return pickle_corrupt (machine, unknown_form, error);
  value = pickle_new_value (machine, VALUE_TENSOR);
  value->tensor = tensor = g_new0 (PickleTensor, 1);
  tensor->type = storage->type;
  tensor->storage = g_strdup (storage->text);
  tensor->storage_n = storage->integer;
  tensor->offset = offset->integer;
  tensor->n_dims = shape->items->len;
  for (guint i = 0; i < tensor->n_dims; i++)
    {
      const PickleValue *size = item (shape, i, VALUE_INTEGER),
                        *stride = item (strides, i, VALUE_INTEGER);

      if (size == NULL || stride == NULL)
        return pickle_corrupt (machine, unknown_form, error);
      tensor->shape[i] = size->integer;
      tensor->strides[i] = stride->integer;
    }
  return pickle_push (machine, value);
}

gboolean
pickle_reduce (PickleMachine *machine, GError **error)
{
  const PickleValue *arguments = pickle_pop (machine, error);
  const PickleValue *global = arguments != NULL ? pickle_pop (machine, error) : NULL;

  if (global == NULL)
    return FALSE;
  if (global->kind != VALUE_GLOBAL || arguments->kind != VALUE_SEQUENCE)
    return pickle_corrupt (machine, "its pickle calls something that is no global", error);
  if (strcmp (global->text, REBUILD_TENSOR) == 0)
    return rebuild_tensor (machine, arguments, error);
  /* A parameter is its tensor, a size its tuple. */
  if (strcmp (global->text, REBUILD_PARAMETER) == 0 && item (arguments, 0, VALUE_TENSOR) != NULL)
    return pickle_push (machine, g_ptr_array_index (arguments->items, 0));
  if (strcmp (global->text, SIZE) == 0 && item (arguments, 0, VALUE_SEQUENCE) != NULL)
    return pickle_push (machine, g_ptr_array_index (arguments->items, 0));
  if (strcmp (global->text, ORDERED_DICT) == 0 && arguments->items->len == 0)
    return pickle_push_empty (machine, VALUE_DICT);
  return pickle_corrupt (machine, "its pickle makes an object in a form that is not known", error);
}

static const PickleValue *
look_up (const PickleValue *dict, const char *name)
{
  for (guint i = 0; i + 1 < dict->items->len; i += 2)
    {
      const PickleValue *key = g_ptr_array_index (dict->items, i);

      if (key->kind == VALUE_TEXT && strcmp (key->text, name) == 0)
        return g_ptr_array_index (dict->items, i + 1);
    }
  return NULL;
}

static guint
count_tensors (const PickleValue *dict)
{
  guint n = 0;

  for (guint i = 1; i < dict->items->len; i += 2)
    n += ((const PickleValue *) g_ptr_array_index (dict->items, i))->kind == VALUE_TENSOR;
  return n;
}

const PickleValue *
pickle_find_state_dict (const PickleValue *root)
{
  static const char *const nests[] = { "state_dict", "model", "model_state_dict" };
  const PickleValue *best = root;

  if (root->kind != VALUE_DICT)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (nests); i++)
    {
      const PickleValue *nested = look_up (root, nests[i]);

      if (nested != NULL && nested->kind == VALUE_DICT
          && count_tensors (nested) > count_tensors (best))
        best = nested;
    }
  return best;
}
