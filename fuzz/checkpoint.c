/* PyTorch's zip format, or safetensors by their content, and every number in them. */
#include "model/checkpoint.h"

#include "fuzz.h"

/* A tensor may repeat an element of its storage, so that a small file can ask for more; as a head
 * would, this one asks for no more than the file could hold without. */
#define MOST (1 << 20)

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Checkpoint) checkpoint = checkpoint_open (fuzz_file (data, size), &error);
  guint n = checkpoint != NULL ? checkpoint_n_tensors (checkpoint) : 0;

  fuzz_check (checkpoint != NULL, &error);
  for (guint i = 0; i < n; i++)
    {
      const CheckpointTensor *tensor = checkpoint_tensor (checkpoint, i);
      g_autofree float *numbers = NULL;

      if (tensor->n > MOST)
        continue;
      numbers = checkpoint_read_float (checkpoint, tensor, &error);
      fuzz_check (numbers != NULL, &error);
    }
  return 0;
}
