#include "keys.h"

#include <curses.h>
#include <string.h>

static const KeyRow rows[] = {
#define KEY(scope, command, keys, footer, help)                                                    \
  { SCOPE_##scope, COMMAND_##command, keys, footer, help },
#include "keys.def"
#undef KEY
};

static const struct
{
  const char *name;
  Key key;
} names[] = {
  { "Space", ' ' },
  { "Enter", '\r' },
  { "Esc", 27 },
  { "Tab", '\t' },
  { "S-Tab", KEY_IS_FUNCTION | KEY_BTAB },
  { "Backspace", KEY_IS_FUNCTION | KEY_BACKSPACE },
  { "Del", KEY_IS_FUNCTION | KEY_DC },
  { "Up", KEY_IS_FUNCTION | KEY_UP },
  { "Down", KEY_IS_FUNCTION | KEY_DOWN },
  { "Left", KEY_IS_FUNCTION | KEY_LEFT },
  { "Right", KEY_IS_FUNCTION | KEY_RIGHT },
  { "PgUp", KEY_IS_FUNCTION | KEY_PPAGE },
  { "PgDn", KEY_IS_FUNCTION | KEY_NPAGE },
  { "Home", KEY_IS_FUNCTION | KEY_HOME },
  { "End", KEY_IS_FUNCTION | KEY_END },
  { "F1", KEY_IS_FUNCTION | KEY_F (1) },
};

const char *
scope_title (Scope scope)
{
  static const char *const titles[N_SCOPES] = {
    [SCOPE_ANYWHERE] = "In every screen",
    [SCOPE_LIST] = "In lists",
    [SCOPE_RECORDS] = "Records",
    [SCOPE_SLICES] = "Slices",
    [SCOPE_EXPERIMENT] = "Experiment",
    [SCOPE_TRAINING] = "Training",
    [SCOPE_FINDING] = "A finding opened in Training",
    [SCOPE_RUNS] = "Runs",
    [SCOPE_COMPARISON] = "Runs beside each other",
    [SCOPE_INPUT] = "A line of input",
    [SCOPE_BOX] = "A box that asks or lists",
  };

  return titles[scope];
}

const KeyRow *
key_rows (guint *n)
{
  *n = G_N_ELEMENTS (rows);
  return rows;
}

Key
key_parse (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (name, names[i].name) == 0)
      return names[i].key;
  if (g_str_has_prefix (name, "C-") && g_ascii_isalpha (name[2]) && name[3] == '\0')
    return (Key) g_ascii_tolower (name[2]) - 'a' + 1;
  return g_utf8_strlen (name, -1) == 1 ? g_utf8_get_char (name) : 0;
}

/** Parsed once: every key of every row, in the table's order. */
typedef struct
{
  Key key;
  const KeyRow *row;
} Binding;

static GArray *
bindings_new (void)
{
  GArray *bindings = g_array_new (FALSE, FALSE, sizeof (Binding));

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_auto (GStrv) keys = g_strsplit (rows[i].keys, " ", -1);

      for (guint k = 0; keys[k] != NULL; k++)
        {
          Binding binding = { key_parse (keys[k]), &rows[i] };

          g_assert (binding.key != 0);
          g_array_append_val (bindings, binding);
        }
    }
  return bindings;
}

Command
key_command (Key key, const int *scopes)
{
  static GArray *bindings;

  if (bindings == NULL)
    bindings = bindings_new ();
  for (guint s = 0; scopes[s] >= 0; s++)
    for (guint i = 0; i < bindings->len; i++)
      {
        const Binding *binding = &g_array_index (bindings, Binding, i);

        if (binding->key == key && (int) binding->row->scope == scopes[s])
          return binding->row->command;
      }
  return COMMAND_NONE;
}

void
key_append_text (GString *text, Scope scope)
{
  g_string_append_printf (text, "%s%s:\n", text->len > 0 ? "\n" : "", scope_title (scope));
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].scope == scope)
      g_string_append_printf (text, "  %-15s \t%s\n", rows[i].keys, rows[i].help);
}
