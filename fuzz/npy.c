/* A NumPy array, as latents come in. */
#include "base/npy.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (NpyArray) array = npy_read (fuzz_file (data, size), &error);

  if (array != NULL)
    g_assert (array->n <= size);
  fuzz_check (array != NULL, &error);
  return 0;
}
