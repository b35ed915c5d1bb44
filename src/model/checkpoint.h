/**
 * checkpoint.h: named tensors in PyTorch's zip format or in safetensors.
 *
 * Never runs pickle code: a small interpreter accepts only the opcodes and globals that a state
 * dict of tensors needs and refuses anything else by name. Opening reads names, types, shapes and
 * places; the numbers are read when asked for. Every offset is checked against the file before use.
 */
#pragma once

#include <glib.h>

typedef enum
{
  CHECKPOINT_FLOAT32,
  CHECKPOINT_FLOAT64,
  CHECKPOINT_FLOAT16,
  CHECKPOINT_BFLOAT16,
  CHECKPOINT_INT64,
  CHECKPOINT_INT32,
  CHECKPOINT_INT16,
  CHECKPOINT_INT8,
  CHECKPOINT_UINT8,
  CHECKPOINT_BOOL,
} CheckpointType;

#define CHECKPOINT_MAX_DIMS 8

typedef struct
{
  const char *name; /* as in the file */
  CheckpointType type;
  guint n_dims;
  gint64 shape[CHECKPOINT_MAX_DIMS];
  gint64 n; /* elements; 1 for a scalar, 0 is possible */
} CheckpointTensor;

typedef struct _Checkpoint Checkpoint;

/**
 * checkpoint_open: read a checkpoint's table of contents.
 *
 * Accepts a state dict, or one level of nesting (`state_dict`, `model`). A legacy (non-zip) pickle
 * gives CTCLIP_ERROR_UNSUPPORTED with the Python line that saves it anew.
 */
Checkpoint *checkpoint_open (const char *path, GError **error);

/** checkpoint_open_bytes: safetensors in memory; @name is named in errors. */
Checkpoint *checkpoint_open_bytes (GBytes *bytes, const char *name, GError **error);
void checkpoint_free (Checkpoint *checkpoint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Checkpoint, checkpoint_free)

const char *checkpoint_path (const Checkpoint *checkpoint);
guint checkpoint_n_tensors (const Checkpoint *checkpoint);
const CheckpointTensor *checkpoint_tensor (const Checkpoint *checkpoint, guint i);

/** checkpoint_find: by exact name; %NULL if absent. */
const CheckpointTensor *checkpoint_find (const Checkpoint *checkpoint, const char *name);

/**
 * checkpoint_read_float: a tensor as contiguous float32, C order, converted where stored otherwise.
 *
 * Memory beyond the result: none where the elements lie in order, else what the tensor spans.
 * Returns: `n` floats, to be freed with g_free; %NULL on error.
 */
float *checkpoint_read_float (Checkpoint *checkpoint, const CheckpointTensor *tensor,
                              GError **error);

/** checkpoint_metadata: safetensors' `__metadata__` value; %NULL if absent or of the zip format. */
const char *checkpoint_metadata (const Checkpoint *checkpoint, const char *key);

/* ---- writing ---- */

/** CheckpointFill: put a tensor's @n numbers (C order) into @numbers. */
typedef gboolean (*CheckpointFill) (float *numbers, gsize n, gpointer user_data, GError **error);

typedef struct
{
  const char *name;
  guint n_dims;
  gint64 shape[CHECKPOINT_MAX_DIMS];
  const float *data;   /* C order; %NULL: `fill` makes it when its turn comes */
  CheckpointFill fill; /* so that one tensor is held at a time */
  gpointer user_data;
} CheckpointItem;

/** checkpoint_write_zip: what torch.load (weights_only=True) reads: an OrderedDict of float32
 * tensors. More than 4 GiB is CTCLIP_ERROR_UNSUPPORTED. */
gboolean checkpoint_write_zip (const char *path, gboolean replace, const CheckpointItem *items,
                               guint n, GError **error);

/** checkpoint_write_safetensors: @metadata: (nullable) %NULL-terminated key, value, key, value, ...
 */
gboolean checkpoint_write_safetensors (const char *path, gboolean replace,
                                       const CheckpointItem *items, guint n,
                                       const char *const *metadata, GError **error);

/** checkpoint_safetensors_bytes: the same file in memory, for a head rather than a network; items
 * must hold their data. */
GBytes *checkpoint_safetensors_bytes (const CheckpointItem *items, guint n,
                                      const char *const *metadata);
