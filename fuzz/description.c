/* An encoder's description: what is accepted is written as a file that says the same. */
#include "fuzz.h"
#include "model/description.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = fuzz_text (data, size), *written = NULL, *rewritten = NULL;
  g_autoptr (EncoderDescription) description = encoder_description_parse (text, "fuzz", &error);
  g_autoptr (EncoderDescription) again = NULL;

  fuzz_check (description != NULL, &error);
  if (description == NULL)
    return 0;
  written = encoder_description_text (description);
  again = encoder_description_parse (written, "written", &error);
  g_assert (again != NULL);
  rewritten = encoder_description_text (again);
  g_assert_cmpstr (written, ==, rewritten);
  return 0;
}
