/* The form, and the help of the field under the cursor. */
#include "experiment_private.h"

#include <math.h>
#include <string.h>

#define NAME_COLUMN 2
#define NAME_WIDTH 15
#define VALUE_COLUMN (NAME_COLUMN + NAME_WIDTH)
#define NUMBER_WIDTH 8
#define SLIDER_COLUMN (VALUE_COLUMN + NUMBER_WIDTH + 1)
#define LEAST_SLIDER 5
#define MOST_SLIDER 24

Area
experiment_slider (const Experiment *self, Area rows, guint row)
{
  guint n;
  const FormRow *fields = form_rows (&n);
  int width = MIN (rows.width - SLIDER_COLUMN - 2, MOST_SLIDER);
  int y = (int) row - (int) self->list.top;

  if (fields[row].slider == SLIDER_NONE || width < LEAST_SLIDER)
    return (Area){ 0 };
  return area_columns (area_rows (rows, y, 1), SLIDER_COLUMN, width);
}

static void
draw_slider (Area area, const FormRow *row, const char *value)
{
  int last = area.width - 1;
  int knob = (int) lround (form_position (row, value) * last);
  int mark = (int) lround (form_position (row, form_spec (row)->fallback) * last);

  for (int column = 0; column <= last; column++)
    draw_text (area, 0, column, column < knob ? ROLE_ACCENT : ROLE_BORDER,
               symbol (SYMBOL_HORIZONTAL));
  if (mark != knob)
    draw_text (area, 0, mark, ROLE_DIM, symbol (SYMBOL_VERTICAL));
  draw_text (area, 0, knob, ROLE_STRONG, symbol (SYMBOL_KNOB));
}

/** What an empty text stands for, after "empty: " in its help. */
static const char *
meaning_of_empty (const FormRow *row)
{
  const ParameterSpec *spec = form_spec (row);
  const char *words = spec != NULL ? strstr (spec->help, "empty: ") : NULL;

  if (words != NULL)
    return words + strlen ("empty: ");
  return row->kind == FORM_DESCRIPTION ? "as the checkpoint has it" : "not set";
}

/** Long paths show their end. */
static void
draw_path (Area area, int row, const char *path)
{
  int room = area.width - VALUE_COLUMN - 1;
  const char *shown = path;

  while (text_width (shown) > room - 1 && *shown != '\0')
    shown = g_utf8_next_char (shown);
  if (shown != path)
    draw_printf (area, row, VALUE_COLUMN, ROLE_NORMAL, "%s%s", symbol (SYMBOL_ELLIPSIS), shown);
  else
    draw_text (area, row, VALUE_COLUMN, ROLE_NORMAL, path);
}

static void
draw_value (Experiment *self, Area area, int y, guint index, Role role)
{
  guint n;
  const FormRow *row = &form_rows (&n)[index];
  const ParameterSpec *spec = form_spec (row);
  g_autofree char *value = experiment_value (self, row);
  int room = area.width - VALUE_COLUMN - 1;

  if (*value == '\0')
    draw_text_in (area, y, VALUE_COLUMN, room, 'l', ROLE_DIM, meaning_of_empty (row));
  else if (spec == NULL)
    draw_path (area, y, value);
  else if (spec->kind == PARAMETER_SWITCH)
    {
      g_autofree char *words =
          g_strdup_printf ("[%s] %s", strcmp (value, "yes") == 0 ? "x" : " ", value);

      draw_text_in (area, y, VALUE_COLUMN, room, 'l', role, words);
    }
  else if (spec->kind == PARAMETER_CHOICE || row->step == STEP_NONE)
    draw_text_in (area, y, VALUE_COLUMN, room, 'l', role, value);
  else
    {
      Area slider = experiment_slider (self, area, index);

      draw_text_in (area, y, VALUE_COLUMN, MIN (room, MAX (NUMBER_WIDTH, text_width (value))), 'r',
                    role, value);
      if (slider.width > 0 && slider.height > 0)
        draw_slider (slider, row, value);
    }
}

static void
draw_row (Experiment *self, Area area, int y, guint index)
{
  guint n;
  const FormRow *row = &form_rows (&n)[index];
  gboolean here = index == self->list.cursor;
  gboolean changed = form_is_changed (row, app_parameters (self->app));
  Role role = changed ? ROLE_STRONG : ROLE_NORMAL;

  if (row->kind == FORM_HEADING)
    {
      draw_text (area, y, 0, ROLE_COLUMN, row->name);
      return;
    }
  draw_text_in (area, y, NAME_COLUMN, NAME_WIDTH - 1, 'l', role, row->name);
  draw_value (self, area, y, index, role);
  if (changed)
    draw_text (area, y, 1, ROLE_WARNING, "*");
  if (here)
    {
      draw_text (area, y, 0, ROLE_NORMAL, ">");
      draw_role (area, y, 0, VALUE_COLUMN + NUMBER_WIDTH, ROLE_SELECTED);
    }
}

static void
draw_rows (Experiment *self, Area area)
{
  guint n;
  const FormRow *rows = form_rows (&n);

  list_fit (&self->list, (guint) area.height);
  /* The heading of the first field comes into view with it. */
  if (self->list.top > 0 && self->list.top == self->list.cursor && area.height > 1
      && rows[self->list.top - 1].kind == FORM_HEADING)
    self->list.top--;
  for (int y = 0; y < area.height && self->list.top + (guint64) y < n; y++)
    draw_row (self, area, y, (guint) self->list.top + (guint) y);
  draw_scrollbar (area, self->list.top, (guint64) area.height, n);
}

static void
draw_help (Experiment *self, Area area)
{
  guint n;
  const FormRow *row = &form_rows (&n)[self->list.cursor];
  g_autofree char *accepted = form_accepted (row);
  g_auto (GStrv) first = text_wrap (accepted, area.width - 1);
  g_auto (GStrv) then = text_wrap (form_help (row), area.width - 1);
  int n_first = (int) g_strv_length (first), n_lines = n_first + (int) g_strv_length (then);
  int room = area.height - 1;

  draw_rule (area, 0, row->name);
  for (int i = 0; i < MIN (n_lines, room); i++)
    {
      const char *line = i < n_first ? first[i] : then[i - n_first];
      /* What does not fit is told by an ellipsis. */
      g_autofree char *text = i == room - 1 && n_lines > room
                                  ? g_strconcat (line, symbol (SYMBOL_ELLIPSIS), NULL)
                                  : g_strdup (line);

      draw_text_in (area, i + 1, 0, area.width, 'l', i < n_first ? ROLE_NORMAL : ROLE_DIM, text);
    }
}

void
experiment_draw (gpointer screen, Area area)
{
  Experiment *self = screen;
  ExperimentLayout layout = experiment_layout (area, self->first);

  self->area = area;
  draw_rows (self, layout.rows);
  draw_help (self, layout.help);
  for (int row = 0; row < layout.divider.height; row++)
    draw_text (layout.divider, row, 0, ROLE_BORDER, symbol (SYMBOL_VERTICAL));
  experiment_draw_views (self, &layout);
}
