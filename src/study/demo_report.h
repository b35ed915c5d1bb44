/**
 * demo_report.h: short report texts for synthetic patients, in the manner of CT-RATE's translated
 * reports.
 */
#pragma once

#include "base/random.h"
#include "catalog/labels.h"

typedef struct
{
  char *clinical, *technique, *findings, *impression;
} DemoReport;

/**
 * demo_report_write: a report that names every finding in @labels and, now and then, the absence of
 * another.
 *
 * Cells may hold quotes, bullets, curly quotes and newlines, and "Not given." where nothing was
 * written; findings or impression are always there.
 */
DemoReport *demo_report_write (guint32 labels, Random *random);

/** demo_report_empty: a report in which nothing was written, said in one of the ways that CT-RATE
 * has. */
DemoReport *demo_report_empty (Random *random);
void demo_report_free (DemoReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DemoReport, demo_report_free)
