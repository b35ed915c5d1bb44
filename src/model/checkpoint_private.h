/**
 * checkpoint_private.h: what the two file forms fill in.
 */
#pragma once

#include "model/bytes_source.h"
#include "model/checkpoint.h"

typedef struct
{
  CheckpointTensor tensor; /* its name is owned here */
  guint64 position;        /* byte of the file where element 0 lies */
  gint64 strides[CHECKPOINT_MAX_DIMS];
} CheckpointEntry;

struct _Checkpoint
{
  BytesSource *source;
  GArray *entries;      /* of CheckpointEntry */
  GHashTable *by_name;  /* name to index + 1 */
  GHashTable *metadata; /* (nullable) of safetensors */
};

gsize checkpoint_type_size (CheckpointType type);

/** checkpoint_read_zip_contents, checkpoint_read_safetensors_contents: fill `entries` (and
 * `metadata`). */
gboolean checkpoint_read_zip_contents (Checkpoint *checkpoint, GError **error);
gboolean checkpoint_read_safetensors_contents (Checkpoint *checkpoint, GError **error);
