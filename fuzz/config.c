/* A run file: what is accepted is written as a file that says the same. */
#include "fuzz.h"
#include "study/parameters.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (TrainParameters) parameters = train_parameters_new (), again = train_parameters_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *text = fuzz_text (data, size), *written = NULL, *rewritten = NULL;
  gboolean accepted = train_parameters_parse (parameters, text, "fuzz", &error);

  fuzz_check (accepted, &error);
  if (!accepted)
    return 0;
  written = train_parameters_text (parameters);
  accepted = train_parameters_parse (again, written, "written", &error);
  g_assert (accepted);
  rewritten = train_parameters_text (again);
  g_assert_cmpstr (written, ==, rewritten);
  return 0;
}
