#include "study/export_checkpoint.h"

#include "model/checkpoint.h"
#include "model/weight_names.h"

#include <string.h>

/** Reads one tensor when its turn to be written comes. */
typedef struct
{
  Job *job;
  Checkpoint *file;
  const CheckpointTensor *tensor;
} Source;

static gboolean
copy_tensor (float *numbers, gsize n, gpointer user_data, GError **error)
{
  Source *source = user_data;
  g_autofree float *read = NULL;

  if (!job_checkpoint (source->job, error))
    return FALSE;
  read = checkpoint_read_float (source->file, source->tensor, error);
  if (read == NULL)
    return FALSE;
  memcpy (numbers, read, n * sizeof *numbers);
  job_count (source->job, FALSE);
  return TRUE;
}

static gboolean
is_wanted (const CheckpointTensor *tensor)
{
  gboolean floating = tensor->type == CHECKPOINT_FLOAT32 || tensor->type == CHECKPOINT_FLOAT64
                      || tensor->type == CHECKPOINT_FLOAT16 || tensor->type == CHECKPOINT_BFLOAT16;

  return floating && !g_str_has_prefix (weight_names_strip (tensor->name), "classifier.");
}

static void
add_item (GArray *items, GPtrArray *names, const char *prefix, const CheckpointItem *item)
{
  CheckpointItem named = *item;
  char *name = g_strconcat (prefix, item->name, NULL);

  g_ptr_array_add (names, name);
  named.name = name;
  g_array_append_val (items, named);
}

/** The head under "classifier.": its tensors, and the mean and scale of its input where it has
 * them. */
static void
add_head (GArray *items, GPtrArray *names, const Head *head)
{
  for (guint i = 0; i < head->n_tensors; i++)
    {
      CheckpointItem item = { .name = head->tensors[i].name,
                              .n_dims = head->tensors[i].n_dims,
                              .data = head->tensors[i].data };

      memcpy (item.shape, head->tensors[i].shape, sizeof head->tensors[i].shape);
      add_item (items, names, "classifier.", &item);
    }
  if (head->mean != NULL)
    {
      const CheckpointItem mean = {
        .name = "input.mean", .n_dims = 1, .shape = { head->width }, .data = head->mean
      };
      const CheckpointItem scale = {
        .name = "input.scale", .n_dims = 1, .shape = { head->width }, .data = head->scale
      };

      add_item (items, names, "classifier.", &mean);
      add_item (items, names, "classifier.", &scale);
    }
}

gboolean
study_export_checkpoint (Job *job, const char *encoder_path, const Head *head, const char *out_path,
                         gboolean replace, guint64 *written, GError **error)
{
  g_autoptr (Checkpoint) file = checkpoint_open (encoder_path, error);
  g_autoptr (GArray) items = g_array_new (FALSE, TRUE, sizeof (CheckpointItem));
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autofree Source *sources = NULL;

  if (file == NULL)
    return FALSE;
  sources = g_new0 (Source, checkpoint_n_tensors (file));
  for (guint i = 0; i < checkpoint_n_tensors (file); i++)
    {
      const CheckpointTensor *tensor = checkpoint_tensor (file, i);
      CheckpointItem item = { .name = tensor->name, .n_dims = tensor->n_dims, .fill = copy_tensor };

      if (!is_wanted (tensor))
        continue;
      sources[i] = (Source){ job, file, tensor };
      item.user_data = &sources[i];
      memcpy (item.shape, tensor->shape, sizeof tensor->shape);
      add_item (items, names, "", &item);
    }
  job_stage (job, "exporting", "tensors", items->len);
  add_head (items, names, head);
  *written = items->len;
  return checkpoint_write_zip (out_path, replace, (const CheckpointItem *) items->data, items->len,
                               error);
}
