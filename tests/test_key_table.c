/* The table of keys: names, scopes, help. */
#include "testing.h"

#include "draw.h"
#include "keys.h"

#include <string.h>

static void
every_key_has_a_name_and_one_meaning_in_its_scope (void **state)
{
  guint n;
  const KeyRow *rows = key_rows (&n);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  assert_true (n > 0);
  for (guint i = 0; i < n; i++)
    {
      g_auto (GStrv) keys = g_strsplit (rows[i].keys, " ", -1);

      assert_non_null (keys[0]);
      for (guint k = 0; keys[k] != NULL; k++)
        {
          const int scopes[] = { (int) rows[i].scope, -1 };
          Key key = key_parse (keys[k]);

          if (key == 0)
            fail_msg ("%s: no such key", keys[k]);
          if (!g_hash_table_add (seen, g_strdup_printf ("%d %x", (int) rows[i].scope, key)))
            fail_msg ("%s stands twice in %s", keys[k], scope_title (rows[i].scope));
          assert_int_equal (key_command (key, scopes), rows[i].command);
        }
    }
}

/** Scopes that are looked up before LIST and ANYWHERE; here a key may mean another thing. */
static void
a_screens_own_keys_hide_only_those_that_are_meant_to_be_hidden (void **state)
{
  /* Slices and a finding have no list: the same keys step through slices and findings. */
  static const struct
  {
    Scope scope;
    const char *keys;
  } meant[] = {
    { SCOPE_SLICES, " j Down k Up PgDn C-f PgUp C-b g Home G End " },
    { SCOPE_FINDING, " j Down k Up " },
  };
  static const int common[] = { SCOPE_LIST, SCOPE_ANYWHERE, -1 };
  guint n;
  const KeyRow *rows = key_rows (&n);

  for (guint i = 0; i < n; i++)
    {
      g_auto (GStrv) keys = g_strsplit (rows[i].keys, " ", -1);

      if (rows[i].scope < SCOPE_RECORDS || rows[i].scope > SCOPE_RUNS)
        continue;
      for (guint k = 0; keys[k] != NULL; k++)
        {
          g_autofree char *word = g_strdup_printf (" %s ", keys[k]);
          gboolean allowed = FALSE;

          for (guint m = 0; m < G_N_ELEMENTS (meant); m++)
            allowed |= meant[m].scope == rows[i].scope && strstr (meant[m].keys, word) != NULL;
          if (!allowed && key_command (key_parse (keys[k]), common) != COMMAND_NONE)
            fail_msg ("%s of %s hides a key that works everywhere", keys[k],
                      scope_title (rows[i].scope));
        }
    }
}

static void
an_earlier_scope_comes_first (void **state)
{
  static const int slices[] = { SCOPE_SLICES, SCOPE_LIST, SCOPE_ANYWHERE, -1 };
  static const int lists[] = { SCOPE_LIST, SCOPE_ANYWHERE, -1 };
  static const int nowhere[] = { -1 };

  assert_int_equal (key_command ('j', slices), COMMAND_SLICES_NEXT);
  assert_int_equal (key_command ('j', lists), COMMAND_DOWN);
  assert_int_equal (key_command ('?', slices), COMMAND_HELP);
  assert_int_equal (key_command ('j', nowhere), COMMAND_NONE);
  assert_int_equal (key_command (0x1f600, slices), COMMAND_NONE);
}

static void
help_texts_are_short_and_have_no_full_stop (void **state)
{
  guint n;
  const KeyRow *rows = key_rows (&n);

  for (guint i = 0; i < n; i++)
    {
      gsize length = strlen (rows[i].help);

      assert_true (length > 0);
      if (rows[i].help[length - 1] == '.' || g_ascii_isspace (rows[i].help[length - 1]))
        fail_msg ("%s: ends in a full stop or a blank", rows[i].help);
      /* Two lines of the help page at 80 columns. */
      if (text_width (rows[i].help) > 2 * 55)
        fail_msg ("%s: too long", rows[i].help);
      assert_true (text_width (rows[i].footer) <= 12);
      /* The manual and the help page give keys 15 columns. */
      if (text_width (rows[i].keys) > 15)
        fail_msg ("%s: too many keys for their column", rows[i].keys);
    }
}

static void
names_of_keys_are_parsed (void **state)
{
  assert_int_equal (key_parse ("j"), 'j');
  assert_int_equal (key_parse ("é"), 0xe9);
  assert_int_equal (key_parse ("C-l"), 12);
  assert_int_equal (key_parse ("Space"), ' ');
  assert_true (key_parse ("PgUp") & KEY_IS_FUNCTION);
  assert_int_equal (key_parse (""), 0);
  assert_int_equal (key_parse ("C-"), 0);
  assert_int_equal (key_parse ("C-1"), 0);
  assert_int_equal (key_parse ("Nonsense"), 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (every_key_has_a_name_and_one_meaning_in_its_scope),
    cmocka_unit_test (a_screens_own_keys_hide_only_those_that_are_meant_to_be_hidden),
    cmocka_unit_test (an_earlier_scope_comes_first),
    cmocka_unit_test (help_texts_are_short_and_have_no_full_stop),
    cmocka_unit_test (names_of_keys_are_parsed),
  };

  return cmocka_run_group_tests_name ("keys", tests, NULL, NULL);
}
