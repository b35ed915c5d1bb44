#include "base/version.h"

#include "commit.h"
#include "config.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

static char *called;

const char *
version_text (void)
{
  return *CTCLIP_COMMIT != '\0' ? PACKAGE_VERSION " (" CTCLIP_COMMIT ")" : PACKAGE_VERSION;
}

const char *
version_call (void)
{
  return called != NULL ? called : PACKAGE_NAME;
}

void
version_set_call (const char *call)
{
  static const char plain[] = G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "/._+-";

  g_free (called);
  if (call == NULL || *call == '\0')
    called = NULL;
  else
    called = call[strspn (call, plain)] == '\0' ? g_strdup (call) : g_shell_quote (call);
}

void
version_print (void)
{
  printf ("ctclip-tui %s\n", version_text ());
  printf ("libraries: %s\n", CTCLIP_LIBRARIES);
  printf ("features: %s\n", CTCLIP_FEATURES);
}
