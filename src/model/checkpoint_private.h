/**
 * checkpoint_private.h: what the files of the checkpoint reader and writer share.
 */
#pragma once

#include "model/bytes_source.h"
#include "model/checkpoint.h"

typedef struct
{
  CheckpointTensor tensor;             /* its name is owned here */
  guint64 position;                    /* byte of the file where element 0 lies */
  gint64 strides[CHECKPOINT_MAX_DIMS]; /* elements */
} CheckpointEntry;

struct _Checkpoint
{
  BytesSource *source;
  GArray *entries;      /* of CheckpointEntry */
  GHashTable *by_name;  /* name to index + 1 */
  GHashTable *metadata; /* (nullable) of safetensors */
};

gsize checkpoint_type_size (CheckpointType type);

/**
 * checkpoint_add: append @entry under a copy of @name.
 *
 * A name that is already there, or that a terminal could not show, is CTCLIP_ERROR_CORRUPT.
 */
gboolean checkpoint_add (Checkpoint *checkpoint, const char *name, const CheckpointEntry *entry,
                         GError **error);

/** checkpoint_read_zip_contents, checkpoint_read_safetensors_contents: add every tensor (and set
 * `metadata`). Entries lie inside the file. */
gboolean checkpoint_read_zip_contents (Checkpoint *checkpoint, GError **error);
gboolean checkpoint_read_safetensors_contents (Checkpoint *checkpoint, GError **error);

/** checkpoint_convert: @n stored elements, @step bytes apart and not necessarily aligned, as float.
 */
void checkpoint_convert (const guint8 *bytes, CheckpointType type, gsize step, gsize n,
                         float *numbers);

/** checkpoint_item_n: elements of a tensor that is to be written. */
gsize checkpoint_item_n (const CheckpointItem *item);

/** checkpoint_item_numbers: an item's numbers; those that `fill` made are put into @made, which is
 * to be freed. %NULL on error. */
const float *checkpoint_item_numbers (const CheckpointItem *item, float **made, GError **error);
