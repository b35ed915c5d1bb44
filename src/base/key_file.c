#include "base/key_file.h"

#include "base/error.h"

#include <string.h>

/** What GLib's escapes begin with, in a list too. */
static gboolean
escapes_are_right (const char *value)
{
  while ((value = strchr (value, '\\')) != NULL)
    {
      if (value[1] == '\0' || strchr ("sntr\\;", value[1]) == NULL)
        return FALSE;
      value += 2;
    }
  return TRUE;
}

static gboolean
check_values (GKeyFile *file, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);

  for (guint i = 0; groups[i] != NULL; i++)
    {
      g_auto (GStrv) keys = g_key_file_get_keys (file, groups[i], NULL, NULL);

      for (guint k = 0; keys != NULL && keys[k] != NULL; k++)
        {
          g_autofree char *value = g_key_file_get_value (file, groups[i], keys[k], NULL);

          if (value != NULL && !escapes_are_right (value))
            {
              g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                           "[%s] %s: a backslash stands only before s, n, t, r, ; or another one",
                           groups[i], keys[k]);
              return FALSE;
            }
        }
    }
  return TRUE;
}

GKeyFile *
key_file_parse (const char *text, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  if (!g_utf8_validate (text, -1, NULL))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "is not text in UTF-8");
      return NULL;
    }
  if (!g_key_file_load_from_data (file, text, (gsize) -1, G_KEY_FILE_NONE, error)
      || !check_values (file, error))
    return NULL;
  return g_steal_pointer (&file);
}
