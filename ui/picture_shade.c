/* Cells of a picture without greys: the glyph whose ink comes nearest to the cell's quarters. */
#include "picture.h"

#define SIDE_PX 8
#define N_QUARTERS 4 /* top left, top right, bottom left, bottom right */

/** A glyph and how much of each half is ink, in percent of the fullest. */
typedef struct
{
  char glyph;
  guint8 top, bottom;
} Ink;

/* Means of DejaVu Sans Mono and Noto Sans Mono. Letters that would be read as words are left out.
 */
static const Ink inks[] = {
  { ' ', 0, 0 },   { '.', 0, 15 },   { '-', 0, 20 },   { '\'', 21, 0 }, { ',', 0, 29 },
  { ':', 16, 15 }, { '"', 42, 0 },   { '_', 0, 44 },   { '~', 10, 29 }, { ';', 16, 29 },
  { '^', 47, 9 },  { '*', 62, 5 },   { '=', 36, 36 },  { '+', 17, 51 }, { 'x', 35, 67 },
  { 'Y', 66, 37 }, { 'o', 43, 76 },  { 'X', 64, 67 },  { 'P', 85, 52 }, { '%', 73, 75 },
  { '#', 81, 83 }, { 'M', 100, 83 }, { '@', 90, 100 },
};

/** The quarters of a block element that are ink; bit i is quarter i. */
static const gunichar blocks[1 << N_QUARTERS] = {
  ' ',    0x2598, 0x259d, 0x2580, 0x2596, 0x258c, 0x259e, 0x259b,
  0x2597, 0x259a, 0x2590, 0x259c, 0x2584, 0x2599, 0x259f, 0x2588,
};
static const gunichar shades[] = { ' ', 0x2591, 0x2592, 0x2593, 0x2588 };

static double
square (double x)
{
  return x * x;
}

static gunichar
nearest_ink (const double quarters[N_QUARTERS])
{
  const double top = (quarters[0] + quarters[1]) / 2, bottom = (quarters[2] + quarters[3]) / 2;
  double least = G_MAXDOUBLE;
  guint best = 0;

  for (guint i = 0; i < G_N_ELEMENTS (inks); i++)
    {
      const double top_ink = inks[i].top / 100.0, bottom_ink = inks[i].bottom / 100.0;
      /* How light the cell is counts for as much as where in it the light is. */
      const double error = square (top_ink - top) + square (bottom_ink - bottom)
                           + square (top_ink + bottom_ink - top - bottom);

      if (error < least)
        {
          least = error;
          best = i;
        }
    }
  return (gunichar) inks[best].glyph;
}

static gunichar
nearest_block (const double quarters[N_QUARTERS])
{
  double least = G_MAXDOUBLE;
  gunichar best = ' ';

  for (guint i = 0; i < G_N_ELEMENTS (shades); i++)
    {
      const double ink = (double) i / (G_N_ELEMENTS (shades) - 1);
      double error = 0;

      for (guint k = 0; k < N_QUARTERS; k++)
        error += square (quarters[k] - ink);
      if (error < least)
        {
          least = error;
          best = shades[i];
        }
    }
  for (guint i = 1; i + 1 < G_N_ELEMENTS (blocks); i++)
    {
      double error = 0;

      for (guint k = 0; k < N_QUARTERS; k++)
        error += square (quarters[k] - (i >> k & 1));
      if (error < least)
        {
          least = error;
          best = blocks[i];
        }
    }
  return best;
}

gunichar
grey_picture_shade (const guint8 *grey, gsize stride, gboolean ascii)
{
  double quarters[N_QUARTERS] = { 0 };

  for (gsize y = 0; y < SIDE_PX; y++)
    for (gsize x = 0; x < SIDE_PX; x++)
      quarters[2 * y / SIDE_PX * 2 + 2 * x / SIDE_PX] += grey[y * stride + x];
  for (guint k = 0; k < N_QUARTERS; k++)
    quarters[k] /= 255.0 * SIDE_PX * SIDE_PX / N_QUARTERS;
  return ascii ? nearest_ink (quarters) : nearest_block (quarters);
}
