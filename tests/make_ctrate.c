/* make_ctrate DIR [PATIENTS]: both splits of a cohort shaped like CT-RATE, of its real size or with
 * so many patients kept in training. */
#include "ctrate_files.h"

#include <stdio.h>
#include <stdlib.h>

#define SEED 2024

int
main (int argc, char **argv)
{
  CtrateShape train = ctrate_shape (CATALOG_SPLIT_TRAIN, argc > 2 ? (guint) atoi (argv[2]) : 0);
  CtrateShape whole = ctrate_shape (CATALOG_SPLIT_TRAIN, 0);
  CtrateShape valid = ctrate_shape (CATALOG_SPLIT_VALID, 0);
  g_autoptr (GError) error = NULL;

  if (argc < 2)
    {
      fprintf (stderr, "usage: make_ctrate DIR [PATIENTS]\n");
      return 2;
    }
  valid =
      ctrate_shape (CATALOG_SPLIT_VALID,
                    MAX (1, (guint) ((guint64) valid.patients * train.patients / whole.patients)));
  if (ctrate_files_write (argv[1], &train, SEED, &error)
      && ctrate_files_write (argv[1], &valid, SEED, &error))
    return 0;
  fprintf (stderr, "make_ctrate: %s\n", error->message);
  return 1;
}
