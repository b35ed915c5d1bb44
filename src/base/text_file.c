#include "base/text_file.h"

#include "base/error.h"

#include <string.h>

char *
text_file_read (const char *path, const char *what, GError **error)
{
  g_autoptr (GError) fault = NULL;
  char *text = NULL;
  const char *reason;

  if (g_file_get_contents (path, &text, NULL, &fault))
    return text;
  /* GLib says what it tried, with the path, and then why it did not go. */
  reason = g_strrstr (fault->message, ": ");
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
               "%s: the %s cannot be read: %s; look at the path", path, what,
               reason != NULL ? reason + strlen (": ") : fault->message);
  return NULL;
}
