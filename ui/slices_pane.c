/* The pane beside the picture: the slice in words, the record's findings and impression. */
#include "slices_private.h"

#include <math.h>
#include <string.h>

#define NAME_WIDTH 9 /* of "position" and a blank */
#define LEAST_REPORT 4
#define SURE 0.5

static int
draw_lines (Area area, int row, Role role, const char *text)
{
  g_auto (GStrv) lines = text_wrap (text, area.width);

  for (guint i = 0; lines[i] != NULL && row < area.height; i++, row++)
    {
      gboolean cut = row == area.height - 1 && lines[i + 1] != NULL;
      g_autofree char *line = cut ? g_strconcat (lines[i], symbol (SYMBOL_ELLIPSIS), NULL) : NULL;

      draw_text (area, row, 0, role, cut ? line : lines[i]);
    }
  return row;
}

/** A name and what is said of it; nothing where that is empty. */
static int
draw_pair (Area area, int row, const char *name, Role role, const char *text)
{
  if (*text == '\0' || row >= area.height)
    return row;
  draw_text (area, row, 0, ROLE_DIM, name);
  return draw_lines (area_columns (area, NAME_WIDTH, area.width), row, role, text);
}

/** "F, 49 y, Philips": what of it is known. */
static int
draw_person (const CatalogRecord *record, Area area, int row)
{
  g_autofree char *age =
      record->age_years >= 0 ? g_strdup_printf ("%d y", record->age_years) : g_strdup ("");
  const char *known[4] = { NULL };
  const char *const all[] = { record->sex, age, record->manufacturer };
  g_autofree char *text = NULL;
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    if (*all[i] != '\0')
      known[n++] = all[i];
  if (n == 0)
    return row;
  text = g_strjoinv (", ", (char **) known);
  draw_text (area, row, 0, ROLE_NORMAL, text);
  return row + 1;
}

static int
draw_slice (const Slices *slices, Area area)
{
  const VolumeViewerState *state = &slices->state;
  Role role;
  g_autofree char *name = slices_name (slices);
  g_autofree char *progress = slices_progress (slices, &role);
  g_autofree char *window = slices_window_text (slices, TRUE);
  g_autofree char *position = slices_position (slices);
  g_autofree char *spacing = slices_spacing (slices);
  int row = 0;

  draw_text (area, row++, 0, ROLE_STRONG, name);
  if (slices->record != NULL)
    row = draw_person (slices->record, area, row);
  if (*progress != '\0')
    row = draw_lines (area_rows (area, 0, row + (role == ROLE_BAD ? 4 : 1)), row, role, progress);
  if (!state->ready)
    return row;
  {
    g_autofree char *number =
        g_strdup_printf ("%s %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT,
                         volume_axis_name (slices->axis), slices->shown + 1, slices_count (slices));
    g_autofree char *size =
        g_strdup_printf ("%" G_GSIZE_FORMAT "×%" G_GSIZE_FORMAT "×%" G_GSIZE_FORMAT, state->n[0],
                         state->n[1], state->n[2]);

    row = draw_pair (area, row, "slice", ROLE_NORMAL, number);
    row = draw_pair (area, row, "position", ROLE_NORMAL, position);
    row = draw_pair (area, row, "window", ROLE_NORMAL, window);
    row = draw_pair (area, row, "voxels", ROLE_NORMAL, size);
    row = draw_pair (area, row, "spacing", ROLE_NORMAL, spacing);
  }
  if (!state->has_orientation)
    row = draw_pair (area, row, "axes", ROLE_WARNING, "not in the file; taken as L P S");
  if (slices->cursor)
    {
      g_autofree char *reading = slices_reading (slices);
      g_autofree char *place = slices_place (slices);

      row = draw_pair (area, row, "cursor", ROLE_STRONG, reading);
      if (row < area.height)
        draw_printf (area, row++, 0, ROLE_NORMAL, "%s mm", place);
    }
  return row;
}

static void
draw_finding (const Slices *slices, Area area, int row, guint label)
{
  const gboolean there = slices->record->labels >> label & 1;
  const double probability = slices->has_predictions ? slices->probabilities[label] : NAN;
  const int number = isnan (probability) ? 0 : 5;

  draw_text (area, row, 0, there ? ROLE_ACCENT : ROLE_DIM, symbol (there ? SYMBOL_YES : SYMBOL_NO));
  draw_text_in (area, row, 2, area.width - 2 - number, 'l', there ? ROLE_NORMAL : ROLE_DIM,
                catalog_label_name (label));
  if (number > 0)
    {
      g_autofree char *text = g_strdup_printf ("%.2f", probability);

      draw_text_in (area, row, area.width - 4, 4, 'r',
                    (probability >= SURE) != there ? ROLE_WARNING : ROLE_NORMAL, text);
    }
}

/** All findings where they have room beside the report, else those that are there or predicted. */
static int
draw_findings (const Slices *slices, Area area, int row)
{
  const int room = area.height - row - 1 - LEAST_REPORT;
  const gboolean all = room >= CATALOG_N_LABELS;
  guint shown[CATALOG_N_LABELS], n = 0;

  if (!slices->record->has_labels || room < 1)
    return row;
  for (guint i = 0; i < CATALOG_N_LABELS; i++)
    if (all || slices->record->labels >> i & 1
        || (slices->has_predictions && slices->probabilities[i] >= SURE))
      shown[n++] = i;
  draw_rule (area, row++, slices->has_predictions ? "Findings, predicted" : "Findings");
  if (n == 0)
    {
      draw_text (area, row++, 0, ROLE_DIM, "none of the 18");
      return row;
    }
  for (guint i = 0; i < n; i++)
    {
      if ((int) i == room - 1 && n > (guint) room)
        {
          draw_printf (area, row++, 0, ROLE_DIM, "%s and %u more", symbol (SYMBOL_ELLIPSIS), n - i);
          return row;
        }
      draw_finding (slices, area, row++, shown[i]);
    }
  return row;
}

void
slices_draw_pane (const Slices *slices, Area area)
{
  g_auto (GStrv) warning = text_wrap (NOT_FOR_DIAGNOSIS, area.width);
  const int warning_rows = (int) g_strv_length (warning);
  Area text = area_rows (area, 0, area.height - warning_rows);
  int row;

  if (area.width <= 0 || area.height <= 0)
    return;
  draw_lines (area, area.height - warning_rows, ROLE_DIM, NOT_FOR_DIAGNOSIS);
  if (slices->volume == NULL && slices->path == NULL)
    return;
  row = draw_slice (slices, text);
  if (slices->record == NULL)
    return;
  row = draw_findings (slices, text, row);
  if (slices->record->impression != NULL && *slices->record->impression != '\0'
      && row + 1 < text.height)
    {
      draw_rule (text, row++, "Impression");
      draw_lines (text, row, ROLE_NORMAL, slices->record->impression);
    }
}
