/* A head as a safetensors file that PyTorch reads: tensors by nn.Sequential's names, the rest as
 * metadata. */
#include "model/head_private.h"

#include "base/error.h"
#include "base/output_file.h"
#include "model/checkpoint.h"

#include <math.h>
#include <string.h>

#define FORMAT "ctclip-head-1"
#define MAX_WIDTH (1 << 20)

/** The head's tensors as items; room for mean and scale. Returns how many. */
static guint
list_items (const Head *head, CheckpointItem *items)
{
  guint n = 0;

  for (guint i = 0; i < head->n_tensors; i++)
    {
      items[n].name = head->tensors[i].name;
      items[n].n_dims = head->tensors[i].n_dims;
      items[n].shape[0] = head->tensors[i].shape[0];
      items[n].shape[1] = head->tensors[i].shape[1];
      items[n++].data = head->tensors[i].data;
    }
  if (head->mean != NULL)
    {
      items[n++] = (CheckpointItem){
        .name = "input.mean", .n_dims = 1, .shape = { head->width }, .data = head->mean
      };
      items[n++] = (CheckpointItem){
        .name = "input.scale", .n_dims = 1, .shape = { head->width }, .data = head->scale
      };
    }
  return n;
}

static GBytes *
to_bytes (const Head *head, const char *parameters)
{
  CheckpointItem items[HEAD_MAX_TENSORS + 2] = { 0 };
  guint n = list_items (head, items);
  g_autofree char *width = g_strdup_printf ("%u", head->width);
  g_autofree char *hidden = g_strdup_printf ("%u", head->hidden);
  g_autofree char *classes = g_strdup_printf ("%u", head->classes);
  const char *const metadata[] = { "format",
                                   FORMAT,
                                   "kind",
                                   head_kind_name (head->kind),
                                   "width",
                                   width,
                                   "hidden",
                                   hidden,
                                   "classes",
                                   classes,
                                   parameters != NULL ? "parameters" : NULL,
                                   parameters,
                                   NULL };

  return checkpoint_safetensors_bytes (items, n, metadata);
}

GBytes *
head_to_bytes (const Head *head)
{
  return to_bytes (head, NULL);
}

gboolean
head_save (const Head *head, const char *path, gboolean replace, const char *parameters,
           GError **error)
{
  g_autoptr (GBytes) bytes = to_bytes (head, parameters);
  g_autoptr (OutputFile) file = output_file_open (path, replace, error);

  return file != NULL
         && output_file_write (file, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
                               error)
         && output_file_commit (file, error);
}

/* ---- the way back ---- */

static gboolean
wrong (Checkpoint *file, const char *what, GError **error)
{
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
               "%s: %s; this is not a head that was written here", checkpoint_path (file), what);
  return FALSE;
}

static gboolean
read_size (Checkpoint *file, const char *key, guint *size, GError **error)
{
  const char *text = checkpoint_metadata (file, key);
  guint64 value;

  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 0, MAX_WIDTH, &value, NULL))
    return wrong (file, "its sizes are missing", error);
  *size = (guint) value;
  return TRUE;
}

/** A tensor of the wanted number of elements into @into. */
static gboolean
read_tensor (Checkpoint *file, const char *name, gsize n, float *into, GError **error)
{
  const CheckpointTensor *tensor = checkpoint_find (file, name);
  g_autofree float *numbers = NULL;

  if (tensor == NULL || (gsize) tensor->n != n)
    return wrong (file, "a tensor is missing or misshapen", error);
  numbers = checkpoint_read_float (file, tensor, error);
  if (numbers == NULL)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (!isfinite (numbers[i]))
      return wrong (file, "a weight is not a finite number", error);
  memcpy (into, numbers, n * sizeof *into);
  return TRUE;
}

static Head *
from_checkpoint (Checkpoint *file, GError **error)
{
  const char *kind_text = checkpoint_metadata (file, "kind");
  g_autoptr (Head) head = NULL;
  guint width, hidden, classes;
  HeadKind kind;

  if (g_strcmp0 (checkpoint_metadata (file, "format"), FORMAT) != 0 || kind_text == NULL)
    {
      wrong (file, "its metadata is missing", error);
      return NULL;
    }
  if (!head_kind_parse (kind_text, &kind, error) || !read_size (file, "width", &width, error)
      || !read_size (file, "hidden", &hidden, error)
      || !read_size (file, "classes", &classes, error))
    return NULL;
  /* Sizes are believed only where a tensor of the file bears them out, before anything is allocated
   * by them. */
  if (width == 0 || classes == 0 || (kind == HEAD_MLP) != (hidden > 0)
      || checkpoint_find (file, "0.weight") == NULL
      || checkpoint_find (file, "0.weight")->n
             != (gint64) width
                    * (kind == HEAD_MLP      ? hidden
                       : kind == HEAD_LINEAR ? classes
                                             : 1))
    {
      wrong (file, "its sizes do not go with its tensors", error);
      return NULL;
    }
  head = head_new (kind, width, hidden, classes, 0);
  for (guint i = 0; i < head->n_tensors; i++)
    if (!read_tensor (file, head->tensors[i].name, head->tensors[i].n, head->tensors[i].data,
                      error))
      return NULL;
  if (checkpoint_find (file, "input.mean") != NULL)
    {
      head->mean = g_new (float, width);
      head->scale = g_new (float, width);
      if (!read_tensor (file, "input.mean", width, head->mean, error)
          || !read_tensor (file, "input.scale", width, head->scale, error))
        return NULL;
    }
  return g_steal_pointer (&head);
}

Head *
head_load (const char *path, GError **error)
{
  g_autoptr (Checkpoint) file = checkpoint_open (path, error);

  return file != NULL ? from_checkpoint (file, error) : NULL;
}

Head *
head_from_bytes (GBytes *bytes, GError **error)
{
  g_autoptr (Checkpoint) file = checkpoint_open_bytes (bytes, "the stored head", error);

  return file != NULL ? from_checkpoint (file, error) : NULL;
}
