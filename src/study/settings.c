#include "study/settings.h"

#include <math.h>

gboolean
study_setting_set_path (CatalogStore *store, const char *key, const char *path, GError **error)
{
  g_autofree char *absolute =
      path != NULL && *path != '\0' ? g_canonicalize_filename (path, NULL) : g_strdup ("");

  return catalog_store_set (store, key, absolute, error);
}

static char *
seconds_key (const char *encoder)
{
  return g_strconcat ("encode.seconds-per-scan ", encoder, NULL);
}

double
study_setting_seconds_per_scan (CatalogStore *store, const char *encoder)
{
  g_autofree char *key = seconds_key (encoder);
  g_autofree char *text = catalog_store_get (store, key);

  return text != NULL ? g_ascii_strtod (text, NULL) : NAN;
}

gboolean
study_setting_set_seconds_per_scan (CatalogStore *store, const char *encoder, double seconds,
                                    GError **error)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_autofree char *key = seconds_key (encoder);

  return catalog_store_set (store, key, g_ascii_dtostr (text, sizeof text, seconds), error);
}
