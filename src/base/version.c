#include "base/version.h"

#include "commit.h"
#include "config.h"

#include <stdio.h>

const char *
version_text (void)
{
  return *CTCLIP_COMMIT != '\0' ? PACKAGE_VERSION " (" CTCLIP_COMMIT ")" : PACKAGE_VERSION;
}

void
version_print (void)
{
  printf ("ctclip-tui %s\n", version_text ());
  printf ("libraries: %s\n", CTCLIP_LIBRARIES);
  printf ("features: %s\n", CTCLIP_FEATURES);
}
