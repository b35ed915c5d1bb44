/* A file of keys to press: reading it, not pressing them. */
#include "ui/replay.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Replay) replay = replay_load (fuzz_file (data, size), &error);
  int width, height;

  if (replay != NULL && replay_size (replay, &width, &height))
    g_assert (width > 0 && height > 0);
  fuzz_check (replay != NULL, &error);
  return 0;
}
