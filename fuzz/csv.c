/* Rows of a CSV file. */
#include "catalog/csv_reader.h"
#include "fuzz.h"

static const CsvColumn columns[] = { { "first", TRUE }, { "second", TRUE }, { "third", FALSE } };

static gboolean
check_row (const CsvRow *row, gpointer user_data, GError **error)
{
  guint *last_line = user_data;

  g_assert (row->line > *last_line);
  *last_line = row->line;
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    g_assert (g_utf8_validate (row->cells[i], -1, NULL));
  return TRUE;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const CsvWatch nobody = { NULL };
  g_autoptr (GError) error = NULL;
  guint last_line = 0;
  gboolean done = csv_read (fuzz_file (data, size), columns, G_N_ELEMENTS (columns), check_row,
                            &last_line, &nobody, &error);

  fuzz_check (done, &error);
  return 0;
}
