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
#define MEAN "input.mean"
#define SCALE "input.scale"

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
        .name = MEAN, .n_dims = 1, .shape = { head->width }, .data = head->mean
      };
      items[n++] = (CheckpointItem){
        .name = SCALE, .n_dims = 1, .shape = { head->width }, .data = head->scale
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
wrong (Checkpoint *file, const char *thing, const char *fault, GError **error)
{
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
               "%s: %s %s; it is damaged or no head of ours, export it again from its run",
               checkpoint_path (file), thing, fault);
  return FALSE;
}

static gboolean
read_size (Checkpoint *file, const char *key, guint least, guint *size, GError **error)
{
  const char *text = checkpoint_metadata (file, key);
  guint64 value;

  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, least, MAX_WIDTH, &value, NULL))
    return wrong (file, key, "is not among its metadata, or is no size", error);
  *size = (guint) value;
  return TRUE;
}

/** Numbers of a tensor that has the wanted shape; %NULL on error. */
static float *
read_tensor (Checkpoint *file, const char *name, guint n_dims, const gint64 *shape, GError **error)
{
  const CheckpointTensor *tensor = checkpoint_find (file, name);
  g_autofree float *numbers = NULL;

  if (tensor == NULL || tensor->n_dims != n_dims
      || memcmp (tensor->shape, shape, n_dims * sizeof *shape) != 0)
    {
      wrong (file, name, "is missing or misshapen", error);
      return NULL;
    }
  numbers = checkpoint_read_float (file, tensor, error);
  if (numbers == NULL)
    return NULL;
  for (gint64 i = 0; i < tensor->n; i++)
    if (!isfinite (numbers[i]))
      {
        wrong (file, name, "holds a number that is not finite", error);
        return NULL;
      }
  return g_steal_pointer (&numbers);
}

static Head *
read_sizes (Checkpoint *file, GError **error)
{
  const char *kind_text = checkpoint_metadata (file, "kind");
  guint width, hidden, classes;
  HeadKind kind;

  if (g_strcmp0 (checkpoint_metadata (file, "format"), FORMAT) != 0 || kind_text == NULL)
    {
      wrong (file, "'format' " FORMAT, "and its kind are not among its metadata", error);
      return NULL;
    }
  if (!head_kind_parse (kind_text, &kind, NULL))
    {
      wrong (file, kind_text, "is no kind of head", error);
      return NULL;
    }
  if (!read_size (file, "width", 1, &width, error)
      || !read_size (file, "hidden", kind == HEAD_MLP ? 1 : 0, &hidden, error)
      || !read_size (file, "classes", 1, &classes, error))
    return NULL;
  return head_new_hollow (kind, width, hidden, classes);
}

static Head *
from_checkpoint (Checkpoint *file, GError **error)
{
  g_autoptr (Head) head = read_sizes (file, error);

  if (head == NULL)
    return NULL;
  /* Nothing is allocated by these sizes but what the file bears out. */
  for (guint i = 0; i < head->n_tensors; i++)
    {
      head->tensors[i].data = read_tensor (file, head->tensors[i].name, head->tensors[i].n_dims,
                                           head->tensors[i].shape, error);
      if (head->tensors[i].data == NULL)
        return NULL;
    }
  if (checkpoint_find (file, MEAN) != NULL || checkpoint_find (file, SCALE) != NULL)
    {
      const gint64 shape[] = { head->width };

      head->mean = read_tensor (file, MEAN, 1, shape, error);
      head->scale = head->mean != NULL ? read_tensor (file, SCALE, 1, shape, error) : NULL;
      if (head->scale == NULL)
        return NULL;
    }
  return g_steal_pointer (&head);
}

Head *
head_from_bytes (GBytes *bytes, GError **error)
{
  g_autoptr (Checkpoint) file = checkpoint_open_bytes (bytes, "the stored head", error);

  return file != NULL ? from_checkpoint (file, error) : NULL;
}
