/*
 * A matrix product, written once for every kind of processor and of number. head_kernels_form.h
 * includes this file after it has set
 *
 *   MULTIPLY (word)   a name for this kind of processor, as FORM (word), and of number
 *   Number, Matrix    float and FloatMatrix, or double and DoubleMatrix
 */

#define PANEL_DEPTH 256 /* rows of b that are packed at once: they stay in the first cache */

/* A batch of 32 comes out even. */
#define SUMMED_ROWS MIN (TILE_ROWS, 8)

typedef Number MULTIPLY (Vector) __attribute__ ((vector_size (VECTOR_BYTES)));
typedef MULTIPLY (Vector) MULTIPLY (Pair)[2];

#define LANES (VECTOR_BYTES / sizeof (Number))
#define TILE_COLUMNS (2 * LANES)

/** The first @depth rows of @b and @columns of its columns, filled up with zeros. */
TARGET static void
MULTIPLY (pack) (Matrix b, gsize columns, gsize depth, MULTIPLY (Pair) * panel)
{
  for (gsize p = 0; p < depth; p++)
    {
      Number row[TILE_COLUMNS] = { 0 };

      for (gsize j = 0; j < columns; j++)
        row[j] = b.numbers[p * b.row_step + j * b.column_step];
      memcpy (panel[p], row, sizeof row);
    }
}

/** @rows × @columns of c, with rows of @c_step: a · panel, added to what is there or in its place.
 */
TARGET static void
MULTIPLY (tile) (Matrix a, gsize rows, gsize depth, const MULTIPLY (Pair) * panel, gsize columns,
                 gboolean add, Number *c, gsize c_step)
{
  const gboolean whole = columns == TILE_COLUMNS;
  MULTIPLY (Pair) sum[SUMMED_ROWS] = { 0 };
  const Number *row[SUMMED_ROWS];

  /* Rows past the last repeat it: summed, but not stored. */
  for (gsize r = 0; r < SUMMED_ROWS; r++)
    {
      row[r] = a.numbers + MIN (r, rows - 1) * a.row_step;
      if (add)
        {
          MULTIPLY (Pair) before = { 0 };

          memcpy (before, c + MIN (r, rows - 1) * c_step,
                  whole ? sizeof before : columns * sizeof (Number));
          sum[r][0] = before[0];
          sum[r][1] = before[1];
        }
    }
  for (gsize p = 0; p < depth; p++)
    for (gsize r = 0; r < SUMMED_ROWS; r++)
      {
        Number factor = row[r][p * a.column_step];

        sum[r][0] += factor * panel[p][0];
        sum[r][1] += factor * panel[p][1];
      }
  for (gsize r = 0; r < SUMMED_ROWS; r++)
    {
      MULTIPLY (Pair) after = { sum[r][0], sum[r][1] };

      if (r < rows && whole)
        memcpy (c + r * c_step, after, sizeof after);
      else if (r < rows)
        memcpy (c + r * c_step, after, columns * sizeof (Number));
    }
}

TARGET static void
MULTIPLY (multiply) (Matrix a, Matrix b, gsize m, gsize n, gsize k, Number *c)
{
  MULTIPLY (Pair) panel[PANEL_DEPTH];

  for (gsize j = 0; j < n; j += TILE_COLUMNS)
    for (gsize p = 0; p < k; p += PANEL_DEPTH)
      {
        gsize columns = MIN (TILE_COLUMNS, n - j), depth = MIN (PANEL_DEPTH, k - p);
        Matrix part = b;

        part.numbers += p * b.row_step + j * b.column_step;
        MULTIPLY (pack) (part, columns, depth, panel);
        for (gsize i = 0; i < m; i += SUMMED_ROWS)
          {
            part = a;
            part.numbers += i * a.row_step + p * a.column_step;
            MULTIPLY (tile)
            (part, MIN (SUMMED_ROWS, m - i), depth, panel, columns, p > 0, c + i * n + j, n);
          }
      }
}

#undef PANEL_DEPTH
#undef SUMMED_ROWS
#undef LANES
#undef TILE_COLUMNS
