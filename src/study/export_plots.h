/**
 * export_plots.h: a run's results as pictures.
 */
#pragma once

#include "catalog/runs.h"

/** study_export_plots: roc.png, histograms.png, auroc.png and losses.png into @directory, which is
 * made where it is not there. @written: (out) files */
gboolean study_export_plots (CatalogStore *store, const char *run, const char *directory,
                             gboolean replace, guint64 *written, GError **error);

/** study_export_roc, study_export_histogram: of one class, by its name; @written: (out) scans. */
gboolean study_export_roc (CatalogStore *store, const char *run, const char *class_name,
                           const char *path, gboolean replace, guint64 *written, GError **error);
gboolean study_export_histogram (CatalogStore *store, const char *run, const char *class_name,
                                 const char *path, gboolean replace, guint64 *written,
                                 GError **error);
