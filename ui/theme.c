#include "theme.h"

#include <term.h>

/* Pairs of the roles come first, then the greys that pictures are made of. */
#define FIRST_ROLE_PAIR 1
#define FIRST_GREY_PAIR (FIRST_ROLE_PAIR + N_ROLES)
#define N_GREYS 30

/** A role's look: in 256 colours, in 8, and without. */
typedef struct
{
  short foreground_256, background_256, foreground_8, background_8; /* -1: the terminal's own */
  attr_t attributes, attributes_mono;
} Look;

static const Look looks[N_ROLES] = {
  [ROLE_NORMAL] = { -1, -1, -1, -1, A_NORMAL, A_NORMAL },
  [ROLE_DIM] = { 244, -1, -1, -1, A_NORMAL, A_NORMAL },
  [ROLE_STRONG] = { -1, -1, -1, -1, A_BOLD, A_BOLD },
  [ROLE_BAR] = { 253, 24, COLOR_WHITE, COLOR_BLUE, A_NORMAL, A_REVERSE },
  [ROLE_BAR_HERE] = { 231, 31, COLOR_BLACK, COLOR_CYAN, A_BOLD, A_BOLD },
  [ROLE_KEY] = { 31, -1, COLOR_CYAN, -1, A_BOLD, A_BOLD },
  [ROLE_BORDER] = { 244, -1, -1, -1, A_NORMAL, A_NORMAL },
  [ROLE_COLUMN] = { 31, -1, COLOR_CYAN, -1, A_BOLD, A_BOLD | A_UNDERLINE },
  [ROLE_SELECTED] = { 231, 24, COLOR_WHITE, COLOR_BLUE, A_BOLD, A_REVERSE },
  [ROLE_TAGGED] = { 172, -1, COLOR_MAGENTA, -1, A_BOLD, A_BOLD },
  [ROLE_MATCH] = { 16, 214, COLOR_BLACK, COLOR_YELLOW, A_NORMAL, A_BOLD | A_UNDERLINE },
  [ROLE_GOOD] = { 34, -1, COLOR_GREEN, -1, A_NORMAL, A_NORMAL },
  [ROLE_BAD] = { 160, -1, COLOR_RED, -1, A_BOLD, A_BOLD },
  [ROLE_WARNING] = { 172, -1, COLOR_MAGENTA, -1, A_BOLD, A_BOLD },
  [ROLE_ACCENT] = { 31, -1, COLOR_CYAN, -1, A_NORMAL, A_NORMAL },
  [ROLE_SERIES_1] = { 33, -1, COLOR_CYAN, -1, A_NORMAL, A_BOLD },
  [ROLE_SERIES_2] = { 166, -1, COLOR_RED, -1, A_NORMAL, A_NORMAL },
  [ROLE_SERIES_3] = { 35, -1, COLOR_GREEN, -1, A_NORMAL, A_NORMAL },
  [ROLE_SERIES_4] = { 133, -1, COLOR_MAGENTA, -1, A_NORMAL, A_NORMAL },
};

static int n_colours;
static gboolean ascii;

void
theme_start (int colours)
{
  n_colours = colours;
  if (colours < 8)
    return;
  for (short role = 0; role < N_ROLES; role++)
    {
      const Look *look = &looks[role];

      if (colours >= 256)
        init_pair ((short) (FIRST_ROLE_PAIR + role), look->foreground_256, look->background_256);
      else
        init_pair ((short) (FIRST_ROLE_PAIR + role), look->foreground_8, look->background_8);
    }
}

attr_t
theme_attributes (Role role, short *pair)
{
  *pair = n_colours >= 8 ? (short) (FIRST_ROLE_PAIR + role) : 0;
  return n_colours >= 8 ? looks[role].attributes : looks[role].attributes_mono;
}

/** xterm's greys, dark to light: the ramp 232-255 (8 + 10 i) and those of the colour cube. */
static const struct
{
  guint8 grey, colour;
} greys[N_GREYS] = { { 0, 16 },    { 8, 232 },   { 18, 233 },  { 28, 234 },  { 38, 235 },
                     { 48, 236 },  { 58, 237 },  { 68, 238 },  { 78, 239 },  { 88, 240 },
                     { 95, 59 },   { 98, 241 },  { 108, 242 }, { 118, 243 }, { 128, 244 },
                     { 135, 102 }, { 138, 245 }, { 148, 246 }, { 158, 247 }, { 168, 248 },
                     { 175, 145 }, { 178, 249 }, { 188, 250 }, { 198, 251 }, { 208, 252 },
                     { 215, 188 }, { 218, 253 }, { 228, 254 }, { 238, 255 }, { 255, 231 } };

static int
nearest_grey (guint8 level)
{
  static guint8 nearest[256];

  if (nearest[255] == 0)
    for (int g = 0; g < 256; g++)
      for (guint8 i = 1; i < N_GREYS; i++)
        if (ABS (greys[i].grey - g) < ABS (greys[nearest[g]].grey - g))
          nearest[g] = i;
  return nearest[level];
}

int
theme_grey_colour (guint8 level, guint8 *shown)
{
  const int i = nearest_grey (level);

  *shown = greys[i].grey;
  return greys[i].colour;
}

int
theme_grey_pair (guint8 foreground, guint8 background)
{
  static gboolean made[N_GREYS * N_GREYS];
  const int front = nearest_grey (foreground), back = nearest_grey (background);
  const int index = front * N_GREYS + back;

  if (n_colours < 256 || COLOR_PAIRS < FIRST_GREY_PAIR + N_GREYS * N_GREYS)
    return -1;
  if (!made[index])
    made[index] =
        init_extended_pair (FIRST_GREY_PAIR + index, greys[front].colour, greys[back].colour) == OK;
  return made[index] ? FIRST_GREY_PAIR + index : -1;
}

gboolean
theme_is_xterm (void)
{
  const char *code = tigetstr ("setaf");

  return code != NULL && code != (const char *) -1
         && g_strcmp0 (tiparm (code, 100), "\033[38;5;100m") == 0;
}

const char *
symbol (Symbol which)
{
  static const char *const unicode[N_SYMBOLS] = {
    [SYMBOL_ELLIPSIS] = "…",     [SYMBOL_DASH] = "–",       [SYMBOL_YES] = "●",
    [SYMBOL_NO] = "·",           [SYMBOL_TAG] = "◆",        [SYMBOL_UP] = "▲",
    [SYMBOL_DOWN] = "▼",         [SYMBOL_HORIZONTAL] = "─", [SYMBOL_VERTICAL] = "│",
    [SYMBOL_TOP_LEFT] = "┌",     [SYMBOL_TOP_RIGHT] = "┐",  [SYMBOL_BOTTOM_LEFT] = "└",
    [SYMBOL_BOTTOM_RIGHT] = "┘", [SYMBOL_TEE_LEFT] = "┤",   [SYMBOL_TEE_RIGHT] = "├",
    [SYMBOL_FULL] = "█",         [SYMBOL_EMPTY] = "░",      [SYMBOL_KNOB] = "●",
    [SYMBOL_BULLET] = "•",
  };
  static const char *const plain[N_SYMBOLS] = {
    [SYMBOL_ELLIPSIS] = "~",     [SYMBOL_DASH] = "-",       [SYMBOL_YES] = "x",
    [SYMBOL_NO] = ".",           [SYMBOL_TAG] = "*",        [SYMBOL_UP] = "^",
    [SYMBOL_DOWN] = "v",         [SYMBOL_HORIZONTAL] = "-", [SYMBOL_VERTICAL] = "|",
    [SYMBOL_TOP_LEFT] = "+",     [SYMBOL_TOP_RIGHT] = "+",  [SYMBOL_BOTTOM_LEFT] = "+",
    [SYMBOL_BOTTOM_RIGHT] = "+", [SYMBOL_TEE_LEFT] = "|",   [SYMBOL_TEE_RIGHT] = "|",
    [SYMBOL_FULL] = "#",         [SYMBOL_EMPTY] = ".",      [SYMBOL_KNOB] = "O",
    [SYMBOL_BULLET] = "*",
  };

  return ascii ? plain[which] : unicode[which];
}

gboolean
theme_ascii (void)
{
  return ascii;
}

void
theme_set_ascii (gboolean only)
{
  ascii = only;
}
