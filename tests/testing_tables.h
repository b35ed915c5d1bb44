/**
 * testing_tables.h: small tables in CT-RATE's formats, and their import.
 */
#pragma once

#include "testing_store.h"

#include "catalog/import.h"
#include "catalog/labels.h"

#define REPORTS_HEADER "VolumeName,ClinicalInformation_EN,Technique_EN,Findings_EN,Impressions_EN\n"
#define METADATA_HEADER                                                                            \
  "VolumeName,Manufacturer,ManufacturerModelName,PatientSex,PatientAge,Rows,Columns,XYSpacing,"    \
  "RescaleIntercept,RescaleSlope,NumberofSlices,ZSpacing,StudyDate\n"

/** A report row that cleaning has nothing to say against. */
#define GOOD_REPORT(name) name ",Cough,CT,Trachea is open.,Normal.\n"

typedef struct
{
  const char *reports, *labels;    /* the files' text */
  const char *metadata, *no_chest; /* (nullable) */
  gboolean require_both, index_later;
} TestingTables;

/** testing_label_table: header and a row for each name and bit set; end with %NULL. g_free it. */
char *testing_label_table (const char *name, ...) G_GNUC_NULL_TERMINATED;

/** testing_tables_import: write the files and import them. @funnel: (out) */
gboolean testing_tables_import (CatalogStore *store, CatalogSplit split,
                                const TestingTables *tables, CatalogFunnel *funnel, GError **error);

/** testing_tables_must_import: the same; fails the test on any error. */
CatalogFunnel testing_tables_must_import (CatalogStore *store, CatalogSplit split,
                                          const TestingTables *tables);
