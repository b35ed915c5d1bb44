/**
 * theme.h: what things look like, by what they mean. A role is never told by colour alone: each has
 * an attribute, a mark or a place too.
 *
 * The terminal's own foreground and background stay; the colours are of middle lightness, so that
 * they read on light and dark.
 */
#pragma once

#include <curses.h>
#include <glib.h>

typedef enum
{
  ROLE_NORMAL,
  ROLE_DIM,      /* units, hints, what is absent */
  ROLE_STRONG,   /* headings, the number that matters */
  ROLE_BAR,      /* header line: reverse */
  ROLE_BAR_HERE, /* the tab in view */
  ROLE_KEY,      /* a key in the footer */
  ROLE_BORDER,
  ROLE_COLUMN,   /* a table's head */
  ROLE_SELECTED, /* the row under the cursor */
  ROLE_TAGGED,
  ROLE_MATCH, /* what a search found */
  ROLE_GOOD,
  ROLE_BAD,
  ROLE_WARNING,
  ROLE_ACCENT,
  ROLE_SERIES_1, /* curves and bars: positives, training, run A */
  ROLE_SERIES_2, /* negatives, validation, run B, loss */
  ROLE_SERIES_3,
  ROLE_SERIES_4,
  N_ROLES,
} Role;

/** theme_start: once curses runs. @colours: 0 or 1: none; else 8, 16, 256 or more */
void theme_start (int colours);

/** theme_attributes: of a role, for attr_set(); @pair: (out) */
attr_t theme_attributes (Role role, short *pair);

/** theme_grey_colour: of 256 colours the one nearest to a grey. @shown: (out) how light that is */
int theme_grey_colour (guint8 level, guint8 *shown);

/** theme_grey_pair: a colour pair for a cell of a grey picture, 0-255 each; -1 where there are
 * fewer than 256 colours. */
int theme_grey_pair (guint8 foreground, guint8 background);

/** theme_is_xterm: the terminal takes colours by number as xterm does. */
gboolean theme_is_xterm (void);

typedef enum
{
  SYMBOL_ELLIPSIS,
  SYMBOL_DASH, /* undefined */
  SYMBOL_YES,  /* a finding that is there */
  SYMBOL_NO,
  SYMBOL_TAG,
  SYMBOL_UP, /* sorted ascending */
  SYMBOL_DOWN,
  SYMBOL_HORIZONTAL,
  SYMBOL_VERTICAL,
  SYMBOL_TOP_LEFT,
  SYMBOL_TOP_RIGHT,
  SYMBOL_BOTTOM_LEFT,
  SYMBOL_BOTTOM_RIGHT,
  SYMBOL_TEE_LEFT,
  SYMBOL_TEE_RIGHT,
  SYMBOL_FULL, /* a bar's block */
  SYMBOL_EMPTY,
  SYMBOL_KNOB, /* a slider's */
  SYMBOL_BULLET,
  N_SYMBOLS,
} Symbol;

/** symbol: as UTF-8, or ASCII under --ascii; one cell wide each. */
const char *symbol (Symbol symbol);

/** theme_ascii: whether only ASCII may be drawn. */
gboolean theme_ascii (void);
void theme_set_ascii (gboolean ascii);
