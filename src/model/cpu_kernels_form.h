/*
 * One form of the kernels: kernel_forms.h includes this file for each kind of processor, after it
 * has set what is explained there.
 */

typedef float FORM (Vector) __attribute__ ((vector_size (VECTOR_BYTES), may_alias));
typedef gint32 FORM (Mask) __attribute__ ((vector_size (VECTOR_BYTES), may_alias));
/** The same anywhere in memory. */
typedef float FORM (Loose) __attribute__ ((vector_size (VECTOR_BYTES), aligned (4), may_alias));
/** Words of 32 bits, and the two numbers of 16 bits in each. */
typedef guint32 FORM (Words) __attribute__ ((vector_size (VECTOR_BYTES), may_alias));
typedef gint16 FORM (Halves) __attribute__ ((vector_size (VECTOR_BYTES), may_alias));
#define Vector FORM (Vector)
#define Mask FORM (Mask)
#define Words FORM (Words)
#define Halves FORM (Halves)

#define VECTOR_LANES (VECTOR_BYTES / sizeof (float))
#define LANES (2 * VECTOR_LANES)

/* Rows of a rounded tile; as many vectors twice, four of a panel and four between them stay in
 * registers. */
#define ROUNDED_ROWS (2 * TILE_ROWS / 3)

/* A panel's sums are taken in parts of so many numbers: rounding grows with a part, not with all.
 */
#define PART 64

/* Depth that is summed before the next tile's turn: that much of a panel stays in the first cache.
 */
#define CHUNK 512

/** Vector @v of row @i of a panel, which starts at a multiple of a vector's size. */
#define AT(panel, i, v) (((Vector *) (panel))[2 * (i) + (v)])

/** The same of words. */
#define WORDS(panel, i, v) (((Words *) (panel))[2 * (i) + (v)])

/** Vector @v of numbers that start anywhere. */
#define LOOSE(numbers, v) (((FORM (Loose) *) (numbers))[v])

/** The vector of @a where @mask is set, of @b elsewhere. */
#define CHOOSE(mask, a, b) ((Vector) (((Mask) (a) & (mask)) | ((Mask) (b) & ~(mask))))

TARGET static inline void
FORM (tile) (const float *tile, gsize depth, const float *panel, const float *start, float *out)
{
  Vector sum[TILE_ROWS][2] = { 0 };

#pragma GCC unroll 4
  for (gsize p = 0; p < depth; p++)
    {
      const Vector first = AT (panel, p, 0), second = AT (panel, p, 1);

      for (gsize r = 0; r < TILE_ROWS; r++)
        {
          const float factor = tile[p * TILE_ROWS + r];

          sum[r][0] += factor * first;
          sum[r][1] += factor * second;
        }
    }
  for (gsize r = 0; r < TILE_ROWS; r++)
    for (gsize v = 0; v < 2; v++)
      {
        if (start != NULL)
          sum[r][v] += AT (start, r, v);
        AT (out, r, v) = sum[r][v];
      }
}

TARGET static void
FORM (multiply) (const float *tiles, gsize tile_step, gsize n_tiles, gsize depth,
                 const float *panel, const float *start, float *out)
{
  for (gsize p = 0; p < depth; p += CHUNK)
    {
      const float *from = p > 0 ? out : start;

      for (gsize t = 0; t < n_tiles; t++)
        FORM (tile)
      (tiles + t * tile_step + p * TILE_ROWS, MIN (CHUNK, depth - p), panel + p * LANES,
       from != NULL ? from + t * TILE_ROWS * LANES : NULL, out + t * TILE_ROWS * LANES);
    }
}

TARGET static void
FORM (round) (const float *panel, gsize n, gint32 *rounded)
{
  const float magic = 12582912; /* 1.5 · 2²³: a whole number lands in the last bits */
  const Vector zero = { 0 };

  for (gsize v = 0; v < 2; v++)
    {
      Vector largest = { 0 }, factor;
      Words *to = (Words *) rounded + 2 + v;

      for (gsize i = 0; i < n; i++)
        {
          const Vector x = AT (panel, i, v), size = CHOOSE (x < 0.0f, -x, x);

          largest = CHOOSE (size > largest, size, largest);
        }
      factor = CHOOSE (largest > 1e-30f, (float) CPU_ROUNDED_MOST / largest, zero);
      AT (rounded, 0, v) = largest / (float) CPU_ROUNDED_MOST;
      for (gsize part = 0; part < n; part += CPU_ROUNDED_PART)
        {
          Words *sum = to, products = { 0 };

          to += 2;
          for (gsize i = part; i < MIN (n, part + CPU_ROUNDED_PART); i += 4, to += 4)
            {
              Words bits[4];

              for (gsize k = 0; k < 4; k++)
                bits[k] = (Words) ((i + k < n ? AT (panel, i + k, v) : zero) * factor + magic);
              to[0] = (bits[0] & 0xffff) | (bits[2] << 16);
              to[2] = (bits[1] & 0xffff) | (bits[3] << 16);
              products = FORM (PAIRS) (products, to[0], to[2]);
            }
          *sum = products;
        }
    }
}

/**
 * One part of a product. With four numbers a, b, c, d of a token and A, B, C, D of a row,
 *
 *   (a + B)(b + A) + (c + D)(d + C) = (aA + bB + cC + dD) + (ab + cd) + (AB + CD)
 *
 * and the sums of the last two are known beforehand (Winograd 1968, A New Algorithm for Inner
 * Product, IEEE Transactions on Computers C-17). The sums may run over; their difference does not.
 */
TARGET static inline void
FORM (tile_rounded) (const gint32 *tile, const gint32 *row_scales, gsize fours, const gint32 *panel,
                     const gint32 *scales, gboolean add, float *out)
{
  const gint32 *factors = tile + ROUNDED_ROWS;
  Words sum[ROUNDED_ROWS][2] = { 0 };
  float scale[ROUNDED_ROWS];

  for (gsize i = 0; i < fours; i++)
    {
      const Words first[2] = { WORDS (panel, 1 + 2 * i, 0), WORDS (panel, 1 + 2 * i, 1) };
      const Words second[2] = { WORDS (panel, 2 + 2 * i, 0), WORDS (panel, 2 + 2 * i, 1) };

      for (gsize r = 0; r < ROUNDED_ROWS; r++)
        for (gsize v = 0; v < 2; v++)
          {
            const Words none = { 0 };
            const Words a = none + (guint32) factors[2 * i * ROUNDED_ROWS + r];
            const Words b = none + (guint32) factors[(2 * i + 1) * ROUNDED_ROWS + r];

            if (FORM (WINOGRAD))
              sum[r][v] = FORM (PAIRS) (sum[r][v], (Halves) first[v] + (Halves) b,
                                        (Halves) second[v] + (Halves) a);
            else
              sum[r][v] = FORM (PAIRS) (FORM (PAIRS) (sum[r][v], first[v], a), second[v], b);
          }
    }
  memcpy (scale, row_scales, sizeof scale);
  for (gsize r = 0; r < ROUNDED_ROWS; r++)
    for (gsize v = 0; v < 2; v++)
      {
        Vector product;

        if (FORM (WINOGRAD))
          sum[r][v] -= WORDS (panel, 0, v) + (guint32) tile[r];
        product = __builtin_convertvector((Mask) sum[r][v], Vector) * AT (scales, 0, v) * scale[r];
        if (add)
          product += AT (out, r, v);
        AT (out, r, v) = product;
      }
}

TARGET static void
FORM (multiply_rounded) (const gint32 *tiles, gsize n_tiles, gsize depth, const gint32 *panel,
                         float *out)
{
  const gsize step = cpu_rounded_words (depth, ROUNDED_ROWS);
  gsize at = 1; /* of the part, in words of each token or row */

  for (gsize p = 0; p < depth; p += CPU_ROUNDED_PART)
    {
      const gsize fours = (MIN (CPU_ROUNDED_PART, depth - p) + 3) / 4;

      for (gsize t = 0; t < n_tiles; t++)
        FORM (tile_rounded)
      (tiles + t * step + at * ROUNDED_ROWS, tiles + t * step, fours, panel + at * LANES, panel,
       p > 0, out + t * ROUNDED_ROWS * LANES);
      at += 1 + 2 * fours;
    }
}

/** Of each token, Σ (x − centre) and Σ (x − centre)². */
TARGET static void
FORM (sums) (const float *x, gsize n, const float *centre, float *sum, float *squares)
{
  for (gsize v = 0; v < 2; v++)
    {
      Vector all = { 0 }, all_squares = { 0 };

      for (gsize i = 0; i < n; i += PART)
        {
          Vector part = { 0 }, part_squares = { 0 };

          for (gsize k = i; k < MIN (n, i + PART); k++)
            {
              const Vector far = AT (x, k, v) - AT (centre, 0, v);

              part += far;
              part_squares += far * far;
            }
          all += part;
          all_squares += part_squares;
        }
      AT (sum, 0, v) = all;
      AT (squares, 0, v) = all_squares;
    }
}

/** What the first pass rounds off the mean, the second finds; for nearly constant patches it
 * counts.
 */
TARGET static void
FORM (layer_norm) (const float *x, gsize n, const float *gamma, const float *beta, float *y)
{
  float mean[LANES] __attribute__ ((aligned (64))) = { 0 };
  float rest[LANES] __attribute__ ((aligned (64)));
  float scale[LANES] __attribute__ ((aligned (64)));

  FORM (sums) (x, n, mean, rest, scale);
  for (gsize l = 0; l < LANES; l++)
    mean[l] = rest[l] / (float) n;
  FORM (sums) (x, n, mean, rest, scale);
  for (gsize l = 0; l < LANES; l++)
    {
      rest[l] /= (float) n;
      scale[l] = 1 / sqrtf (scale[l] / (float) n - rest[l] * rest[l] + 1e-5f);
    }
  for (gsize i = 0; i < n; i++)
    for (gsize v = 0; v < 2; v++)
      AT (y, i, v) =
          (AT (x, i, v) - AT (mean, 0, v) - AT (rest, 0, v)) * AT (scale, 0, v) * gamma[i]
          + beta[i];
}

TARGET static void
FORM (unit) (float *x, gsize n, const float *scale, float factor)
{
  const float zero[LANES] __attribute__ ((aligned (64))) = { 0 };
  float sum[LANES] __attribute__ ((aligned (64)));
  float size[LANES] __attribute__ ((aligned (64)));

  FORM (sums) (x, n, zero, sum, size);
  for (gsize l = 0; l < LANES; l++)
    size[l] = factor / MAX (sqrtf (size[l]), 1e-12f);
  for (gsize i = 0; i < n; i++)
    for (gsize v = 0; v < 2; v++)
      AT (x, i, v) *= AT (size, 0, v) * (scale != NULL ? scale[i] : 1);
}

/**
 * exp(x) for x ≤ 0: 2ⁿ exp(r), x = n·log 2 + r, |r| ≤ log(2) / 2, and exp(r) by its series up to r⁷
 * / 7!, which is exact to a float's last digit. Below −87 it stays at exp(−87), which adds nothing
 * to 1.
 */
#define EXP(x, result)                                                                             \
  do                                                                                               \
    {                                                                                              \
      const float magic = 12582912; /* 1.5 · 2²³: n lands in the last bits of the fraction */   \
      const Vector least = { 0 };                                                                  \
      const Vector bounded = CHOOSE ((x) > -87.0f, (x), least - 87.0f);                            \
      const Vector shifted = bounded * 1.44269504f + magic, whole = shifted - magic;               \
      const Vector r = (bounded - whole * 0.693145752f) - whole * 1.42860677e-6f;                  \
      Vector series = r * (1 / 5040.0f) + 1 / 720.0f;                                              \
      series = series * r + 1 / 120.0f;                                                            \
      series = series * r + 1 / 24.0f;                                                             \
      series = series * r + 1 / 6.0f;                                                              \
      series = series * r + 0.5f;                                                                  \
      series = series * r + 1.0f;                                                                  \
      series = series * r + 1.0f;                                                                  \
      (result) = (Vector) ((Mask) series + ((Mask) shifted << 23));                                \
    }                                                                                              \
  while (0)

TARGET static void
FORM (soften) (float *x, gsize n, float *sum)
{
  Vector largest[2] = { AT (x, 0, 0), AT (x, 0, 1) }, total[2] = { 0 };

  for (gsize i = 1; i < n; i++)
    for (gsize v = 0; v < 2; v++)
      largest[v] = CHOOSE (AT (x, i, v) > largest[v], AT (x, i, v), largest[v]);
  for (gsize i = 0; i < n; i++)
    for (gsize v = 0; v < 2; v++)
      {
        const Vector below = AT (x, i, v) - largest[v];
        Vector weight;

        EXP (below, weight);
        AT (x, i, v) = weight;
        total[v] += weight;
      }
  for (gsize v = 0; v < 2; v++)
    AT (sum, 0, v) = total[v];
}

/**
 * erf(z) = z P(z²) / Q(z²), fitted to |z| ≤ 3.92 with a relative error of 2e-8, which rounding
 * makes 4e-7; beyond, a float knows only ±1.
 */
TARGET static void
FORM (gate) (float *x, const float *gate, gsize n)
{
  const float edge = 3.92f;
  const Vector one = { 0 };

  for (gsize i = 0; i < n; i++)
    for (gsize v = 0; v < 2; v++)
      {
        const Vector g = AT (gate, i, v), z = g * 0.707106781f, u = z * z;
        Vector p = u * 2.05008223e-6f + 2.84883776e-4f, q = u * 3.80917190e-5f + 1.16254541e-3f;
        Vector erf;

        p = p * u + 3.76565685e-3f;
        p = p * u + 5.27488478e-2f;
        p = p * u + 1.90407366e-1f;
        p = p * u + 1.12837911f;
        q = q * u + 1.49692968e-2f;
        q = q * u + 1.14109486e-1f;
        q = q * u + 5.02076864e-1f;
        q = q * u + 1.0f;
        erf = CHOOSE (z > edge, one + 1.0f, CHOOSE (z < -edge, one - 1.0f, z * p / q));
        AT (x, i, v) *= 0.5f * g * (1.0f + erf);
      }
}

TARGET static void
FORM (best) (const float *x, gsize n, gint32 first, float *largest, gint32 *where)
{
  for (gsize v = 0; v < 2; v++)
    {
      Vector most = AT (largest, 0, v);
      Mask at = ((Mask *) where)[v];

      for (gsize i = 0; i < n; i++)
        {
          const Mask more = AT (x, i, v) > most;

          most = CHOOSE (more, AT (x, i, v), most);
          at = (more & (first + (gint32) i)) | (at & ~more);
        }
      AT (largest, 0, v) = most;
      ((Mask *) where)[v] = at;
    }
}

TARGET static void
FORM (weighted_sum) (const float *const *rows, const float *const *weights, gsize n_rows,
                     const float *start, gsize n, float *y)
{
  gsize i = 0;

  for (; i + LANES <= n; i += LANES)
    {
      Vector first = LOOSE (start + i, 0), second = LOOSE (start + i, 1);

      for (gsize k = 0; k < n_rows; k++)
        {
          first += LOOSE (rows[k] + i, 0) * LOOSE (weights[k] + i, 0);
          second += LOOSE (rows[k] + i, 1) * LOOSE (weights[k] + i, 1);
        }
      LOOSE (y + i, 0) = first;
      LOOSE (y + i, 1) = second;
    }
  for (; i < n; i++)
    {
      y[i] = start[i];
      for (gsize k = 0; k < n_rows; k++)
        y[i] += rows[k][i] * weights[k][i];
    }
}

TARGET static double
FORM (dot) (const float *a, const float *b, gsize n)
{
  double total = 0;
  gsize i = 0;

  while (i + LANES <= n)
    {
      const gsize end = MIN (n, i + PART * LANES);
      Vector first = { 0 }, second = { 0 };

      for (; i + LANES <= end; i += LANES)
        {
          first += LOOSE (a + i, 0) * LOOSE (b + i, 0);
          second += LOOSE (a + i, 1) * LOOSE (b + i, 1);
        }
      first += second;
      for (gsize l = 0; l < VECTOR_LANES; l++)
        total += first[l];
    }
  for (; i < n; i++)
    total += (double) a[i] * b[i];
  return total;
}

static const CpuKernels FORM (kernels) = {
  .name = FORM_NAME,
  .lanes = LANES,
  .tile_rows = TILE_ROWS,
  .rounded_rows = ROUNDED_ROWS,
  .whole_rows = 2 * TILE_ROWS,
  .multiply = FORM (multiply),
  .round = FORM (round),
  .multiply_rounded = FORM (multiply_rounded),
  .layer_norm = FORM (layer_norm),
  .unit = FORM (unit),
  .soften = FORM (soften),
  .gate = FORM (gate),
  .best = FORM (best),
  .weighted_sum = FORM (weighted_sum),
  .dot = FORM (dot),
};

#undef Vector
#undef Mask
#undef Words
#undef Halves
#undef VECTOR_LANES
#undef LANES
#undef ROUNDED_ROWS
#undef PART
#undef CHUNK
#undef AT
#undef WORDS
#undef LOOSE
#undef CHOOSE
#undef EXP
