/**
 * pickle.h: the tensors that a state dict's pickle speaks of. Private to the checkpoint reader.
 *
 * A small machine for the opcodes that torch.save writes. It builds plain values only; the globals
 * that tensors need have a meaning here, any other is refused by its full name. Nothing is ever
 * called.
 */
#pragma once

#include "model/checkpoint.h"

typedef struct
{
  char *name;
  CheckpointType type;
  char *storage;    /* key of the member "data/<key>" */
  gint64 storage_n; /* elements that the storage is said to have */
  gint64 offset;    /* elements */
  guint n_dims;
  gint64 shape[CHECKPOINT_MAX_DIMS];
  gint64 strides[CHECKPOINT_MAX_DIMS]; /* elements */
} PickleTensor;

/**
 * pickle_read_tensors: the state dict's tensors, in its order.
 *
 * @what: named in errors
 *
 * What the pickle says of them is not checked against anything: numbers may be negative or reach
 * outside the storage.
 * Returns: (element-type PickleTensor) at least one; free with g_ptr_array_unref.
 */
GPtrArray *pickle_read_tensors (const guint8 *bytes, gsize size, const char *what, GError **error);

void pickle_tensor_free (PickleTensor *tensor);
