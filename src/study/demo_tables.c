#include "study/demo_tables.h"

#include "base/output_file.h"

#include <string.h>

static const char reports_header[] =
    "VolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN";

static const char *const metadata_columns[] = {
  "VolumeName",
  "Manufacturer",
  "SeriesDescription",
  "ManufacturerModelName",
  "PatientSex",
  "PatientAge",
  "ReconstructionDiameter",
  "DistanceSourceToDetector",
  "DistanceSourceToPatient",
  "GantryDetectorTilt",
  "TableHeight",
  "RotationDirection",
  "ExposureTime",
  "XRayTubeCurrent",
  "Exposure",
  "FilterType",
  "GeneratorPower",
  "FocalSpots",
  "ConvolutionKernel",
  "PatientPosition",
  "RevolutionTime",
  "SingleCollimationWidth",
  "TotalCollimationWidth",
  "TableSpeed",
  "TableFeedPerRotation",
  "SpiralPitchFactor",
  "DataCollectionCenterPatient",
  "ReconstructionTargetCenterPatient",
  "ExposureModulationType",
  "CTDIvol",
  "ImagePositionPatient",
  "ImageOrientationPatient",
  "SliceLocation",
  "SamplesPerPixel",
  "PhotometricInterpretation",
  "Rows",
  "Columns",
  "XYSpacing",
  "RescaleIntercept",
  "RescaleSlope",
  "RescaleType",
  "NumberofSlices",
  "ZSpacing",
  "StudyDate",
};

/** How lines end, and what stands around them. */
typedef struct
{
  const char *before; /* the first line */
  const char *newline;
  gboolean final_newline;
} TableStyle;

void
demo_row_free (DemoRow *row)
{
  if (row == NULL)
    return;
  g_free (row->volume);
  demo_report_free (row->report);
  g_free (row);
}

const char *
demo_table_name (CatalogSplit split, DemoTable table)
{
  static const char *const names[][DEMO_N_TABLES] = {
    { "train_reports.csv", "train_predicted_labels.csv", "train_metadata.csv",
      "no_chest_train.txt" },
    { "validation_reports.csv", "valid_predicted_labels.csv", "validation_metadata.csv",
      "no_chest_valid.txt" },
  };

  return names[split][table];
}

/* A cell, quoted where it must be; after a comma unless it is the line's first. */
static void
add_cell (GString *line, const char *cell)
{
  if (line->len > 0)
    g_string_append_c (line, ',');
  if (strpbrk (cell, ",\"\r\n") == NULL)
    {
      g_string_append (line, cell);
      return;
    }
  g_string_append_c (line, '"');
  for (; *cell != '\0'; cell++)
    {
      if (*cell == '"')
        g_string_append_c (line, '"');
      g_string_append_c (line, *cell);
    }
  g_string_append_c (line, '"');
}

static char *
report_line (const DemoRow *row)
{
  GString *line = g_string_new (NULL);

  add_cell (line, row->volume);
  add_cell (line, row->report->clinical);
  add_cell (line, row->report->technique);
  add_cell (line, row->report->findings);
  add_cell (line, row->report->impression);
  return g_string_free (line, FALSE);
}

static char *
labels_line (const DemoRow *row)
{
  GString *line = g_string_new (NULL);

  if (!row->labelled)
    return g_string_free (line, TRUE);
  add_cell (line, row->volume);
  for (guint label = 0; label < CATALOG_N_LABELS; label++)
    add_cell (line, row->labels >> label & 1 ? "1" : "0");
  return g_string_free (line, FALSE);
}

/* The cell of one metadata column; "" for those that are blank. Free with g_free. */
static char *
metadata_cell (const DemoRow *row, const char *column)
{
  const DemoScan *scan = &row->scan;
  double field_mm = scan->spacing_mm[0] * (double) scan->n[0];
  char number[G_ASCII_DTOSTR_BUF_SIZE], other[G_ASCII_DTOSTR_BUF_SIZE];
  const struct
  {
    const char *column, *text;
  } texts[] = {
    { "VolumeName", row->volume },
    { "Manufacturer", scan->scanner->manufacturer },
    { "SeriesDescription", scan->scanner->series },
    { "ManufacturerModelName", scan->scanner->model },
    { "PatientSex", row->sex },
    { "ConvolutionKernel", scan->scanner->kernel },
    { "GantryDetectorTilt", "0" },
    { "RotationDirection", "CW" },
    { "PatientPosition", "FFS" },
    { "ImageOrientationPatient", "[1, 0, 0, 0, 1, 0]" },
    { "SamplesPerPixel", "1" },
    { "PhotometricInterpretation", "MONOCHROME2" },
    { "RescaleSlope", "1" },
    { "StudyDate", row->study_date },
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (strcmp (column, texts[i].column) == 0)
      return g_strdup (texts[i].text);
  if (strcmp (column, "PatientAge") == 0)
    return row->age_years < 0 ? g_strdup ("") : g_strdup_printf ("%03dY", row->age_years);
  if (strcmp (column, "ReconstructionDiameter") == 0)
    return g_strdup_printf ("%.0f", field_mm);
  if (strcmp (column, "ImagePositionPatient") == 0)
    return g_strdup_printf ("[%.3f, %.3f, %.3f]", -field_mm / 2, -field_mm / 2,
                            -scan->spacing_mm[2] * (double) scan->n[2] / 2);
  if (strcmp (column, "Rows") == 0)
    return g_strdup_printf ("%" G_GSIZE_FORMAT, scan->n[1]);
  if (strcmp (column, "Columns") == 0)
    return g_strdup_printf ("%" G_GSIZE_FORMAT, scan->n[0]);
  if (strcmp (column, "NumberofSlices") == 0)
    return g_strdup_printf ("%" G_GSIZE_FORMAT, scan->n[2]);
  if (strcmp (column, "RescaleIntercept") == 0)
    return g_strdup_printf ("%d", scan->scanner->intercept);
  if (strcmp (column, "XYSpacing") == 0)
    return g_strdup_printf ("[%s, %s]",
                            g_ascii_formatd (number, sizeof number, "%.10g", scan->spacing_mm[0]),
                            g_ascii_formatd (other, sizeof other, "%.10g", scan->spacing_mm[1]));
  if (strcmp (column, "ZSpacing") == 0)
    return g_strdup (g_ascii_formatd (number, sizeof number, "%.10g", scan->spacing_mm[2]));
  return g_strdup ("");
}

static char *
metadata_line (const DemoRow *row)
{
  GString *line = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (metadata_columns); i++)
    {
      g_autofree char *cell = metadata_cell (row, metadata_columns[i]);

      add_cell (line, cell);
    }
  return g_string_free (line, FALSE);
}

static char *
no_chest_line (const DemoRow *row)
{
  return row->no_chest ? g_strdup (row->volume) : NULL;
}

static char *
header_line (DemoTable table)
{
  GString *line = g_string_new (NULL);

  if (table == DEMO_TABLE_REPORTS)
    g_string_append (line, reports_header);
  else if (table == DEMO_TABLE_LABELS)
    {
      add_cell (line, "VolumeName");
      for (guint label = 0; label < CATALOG_N_LABELS; label++)
        add_cell (line, catalog_label_name (label));
    }
  else if (table == DEMO_TABLE_METADATA)
    for (guint i = 0; i < G_N_ELEMENTS (metadata_columns); i++)
      add_cell (line, metadata_columns[i]);
  else
    return g_string_free (line, TRUE);
  return g_string_free (line, FALSE);
}

static TableStyle
table_style (CatalogSplit split, DemoTable table)
{
  if (split == CATALOG_SPLIT_TRAIN && table == DEMO_TABLE_REPORTS)
    return (TableStyle){ "\xef\xbb\xbf", "\n", TRUE };
  if (split == CATALOG_SPLIT_VALID && table == DEMO_TABLE_METADATA)
    return (TableStyle){ "", "\r\n", FALSE };
  return (TableStyle){ "", "\n", TRUE };
}

static gboolean
write_table (const char *directory, CatalogSplit split, DemoTable table, GPtrArray *rows,
             GError **error)
{
  static char *(*const lines[DEMO_N_TABLES]) (
      const DemoRow *row) = { report_line, labels_line, metadata_line, no_chest_line };
  g_autofree char *path = g_build_filename (directory, demo_table_name (split, table), NULL);
  g_autofree char *header = header_line (table);
  g_autoptr (OutputFile) file = output_file_open (path, TRUE, error);
  TableStyle style = table_style (split, table);
  g_autoptr (GString) text = g_string_new (style.before);

  if (file == NULL)
    return FALSE;
  if (header != NULL)
    g_string_append_printf (text, "%s%s", header, style.newline);
  for (guint i = 0; i < rows->len; i++)
    {
      g_autofree char *line = lines[table](g_ptr_array_index (rows, i));

      if (line != NULL)
        g_string_append_printf (text, "%s%s", line, style.newline);
    }
  if (!style.final_newline)
    g_string_truncate (text, text->len - strlen (style.newline));
  return output_file_write (file, text->str, text->len, error) && output_file_commit (file, error);
}

gboolean
demo_tables_write (const char *directory, CatalogSplit split, GPtrArray *rows, GError **error)
{
  for (guint table = 0; table < DEMO_N_TABLES; table++)
    if (!write_table (directory, split, table, rows, error))
      return FALSE;
  return TRUE;
}
