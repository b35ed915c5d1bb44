#include "volume/foreign.h"

#include "base/error.h"

#include <stdio.h>
#include <string.h>

/* Part 10 of the DICOM standard: a preamble of 128 bytes, then this. */
#define DICOM_PREAMBLE 128
#define DICOM_MAGIC "DICM"

/* A directory of a series holds little else: the first files tell. */
#define FILES_LOOKED_AT 32

static gboolean
is_dicom (const guint8 *bytes, gsize n)
{
  return n >= DICOM_PREAMBLE + strlen (DICOM_MAGIC)
         && memcmp (bytes + DICOM_PREAMBLE, DICOM_MAGIC, strlen (DICOM_MAGIC)) == 0;
}

static gboolean
is_dicom_file (const char *path)
{
  guint8 bytes[DICOM_PREAMBLE + 4];
  FILE *file = g_file_test (path, G_FILE_TEST_IS_REGULAR) ? fopen (path, "rbe") : NULL;
  gsize n;

  if (file == NULL)
    return FALSE;
  n = fread (bytes, 1, sizeof bytes, file);
  fclose (file);
  return is_dicom (bytes, n);
}

static gboolean
holds_dicom (const char *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  if (directory == NULL)
    return FALSE;
  for (guint i = 0; i < FILES_LOOKED_AT && (name = g_dir_read_name (directory)) != NULL; i++)
    {
      g_autofree char *file = g_build_filename (path, name, NULL);

      if (is_dicom_file (file))
        return TRUE;
    }
  return FALSE;
}

static void
explain_dicom (const char *path, const char *directory, const char *what, GError **error)
{
  g_autofree char *quoted = g_shell_quote (directory);

  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
               "%s: %s; make it a NIfTI volume with dcm2niix first: dcm2niix -z y -o OUT %s", path,
               what, quoted);
}

void
foreign_explain_directory (const char *path, GError **error)
{
  if (holds_dicom (path))
    explain_dicom (path, path, "is a directory of DICOM files", error);
  else
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                 "%s: is a directory; name a .nii or .nii.gz volume", path);
}

static gboolean
is_text (const guint8 *bytes, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (bytes[i] == '\0' || (bytes[i] < ' ' && strchr ("\t\n\r\f", bytes[i]) == NULL))
      return FALSE;
  return TRUE;
}

void
foreign_explain_file (const char *path, const guint8 *bytes, gsize n, GError **error)
{
  if (is_dicom (bytes, n))
    {
      g_autofree char *directory = g_path_get_dirname (path);

      explain_dicom (path, directory, "is a DICOM file", error);
    }
  else if (n == 0)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT,
                 "%s: is empty; download or convert it again", path);
  else if (is_text (bytes, n))
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                 "%s: is text, not a NIfTI volume; a failed download leaves such a file, get it "
                 "again",
                 path);
  else
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED,
                 "%s: is not a NIfTI volume; name a .nii or .nii.gz file", path);
}
