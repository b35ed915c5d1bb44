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

/** The two vectors at @from, or as much of them as there are columns, and back. A whole vector is a
 * copy of known size, which is one instruction: anything else costs more than the sums of a tile.
 */
TARGET static inline void
MULTIPLY (load) (const Number *from, gsize columns, MULTIPLY (Vector) * first,
                 MULTIPLY (Vector) * second)
{
  if (columns == TILE_COLUMNS)
    {
      memcpy (first, from, sizeof *first);
      memcpy (second, from + LANES, sizeof *second);
    }
  else
    {
      MULTIPLY (Pair) part = { 0 };

      memcpy (part, from, columns * sizeof (Number));
      *first = part[0];
      *second = part[1];
    }
}

TARGET static inline void
MULTIPLY (store) (MULTIPLY (Vector) first, MULTIPLY (Vector) second, gsize columns, Number *to)
{
  if (columns == TILE_COLUMNS)
    {
      memcpy (to, &first, sizeof first);
      memcpy (to + LANES, &second, sizeof second);
    }
  else
    {
      MULTIPLY (Pair) part = { first, second };

      memcpy (to, part, columns * sizeof (Number));
    }
}

/** The first @depth rows of @b and @columns of its columns, filled up with zeros. */
TARGET static void
MULTIPLY (pack) (Matrix b, gsize columns, gsize depth, MULTIPLY (Pair) * panel)
{
  for (gsize p = 0; p < depth; p++)
    {
      const Number *row = b.numbers + p * b.row_step;

      if (b.column_step == 1)
        MULTIPLY (load) (row, columns, &panel[p][0], &panel[p][1]);
      else
        {
          panel[p][0] = panel[p][1] = (MULTIPLY (Vector)){ 0 };
          for (gsize j = 0; j < columns; j++)
            panel[p][j / LANES][j % LANES] = row[j * b.column_step];
        }
    }
}

/** @rows × @columns of c, with rows of @c_step: a · panel, added to what is there or in its place.
 */
TARGET static void
MULTIPLY (tile) (Matrix a, gsize rows, gsize depth, const MULTIPLY (Pair) * panel, gsize columns,
                 gboolean add, Number *c, gsize c_step)
{
  MULTIPLY (Vector) first[SUMMED_ROWS], second[SUMMED_ROWS];
  const Number *row[SUMMED_ROWS];

  /* Rows past the last repeat it: summed, but not stored. */
  for (gsize r = 0; r < SUMMED_ROWS; r++)
    {
      const gsize own = MIN (r, rows - 1);

      row[r] = a.numbers + own * a.row_step;
      first[r] = second[r] = (MULTIPLY (Vector)){ 0 };
      if (add)
        MULTIPLY (load) (c + own * c_step, columns, &first[r], &second[r]);
    }
  for (gsize p = 0; p < depth; p++)
    for (gsize r = 0; r < SUMMED_ROWS; r++)
      {
        Number factor = row[r][p * a.column_step];

        first[r] += factor * panel[p][0];
        second[r] += factor * panel[p][1];
      }
  for (gsize r = 0; r < SUMMED_ROWS; r++)
    if (r < rows)
      MULTIPLY (store) (first[r], second[r], columns, c + r * c_step);
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
