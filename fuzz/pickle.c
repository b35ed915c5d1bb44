/* A state dict's pickle, without the archive around it. */
#include "model/pickle.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  GPtrArray *tensors = pickle_read_tensors (data, size, "fuzz", &error);

  fuzz_check (tensors != NULL, &error);
  g_clear_pointer (&tensors, g_ptr_array_unref);
  return 0;
}
