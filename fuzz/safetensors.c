/* Safetensors, and every number in them. */
#include "fuzz.h"
#include "model/checkpoint.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (Checkpoint) checkpoint = checkpoint_open_bytes (bytes, "fuzz", &error);
  guint n = checkpoint != NULL ? checkpoint_n_tensors (checkpoint) : 0;

  fuzz_check (checkpoint != NULL, &error);
  for (guint i = 0; i < n; i++)
    {
      const CheckpointTensor *tensor = checkpoint_tensor (checkpoint, i);
      g_autofree float *numbers = checkpoint_read_float (checkpoint, tensor, &error);

      g_assert (tensor->n <= (gint64) size);
      fuzz_check (numbers != NULL, &error);
    }
  return 0;
}
