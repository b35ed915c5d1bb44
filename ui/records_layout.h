/**
 * records_layout.h: where things stand on the Records screen. Pure.
 */
#pragma once

#include "draw.h"

typedef struct
{
  Area status; /* what is shown, in words */
  Area funnel;
  Area table;  /* two rows of head, then the records */
  Area rule;   /* the record's name */
  Area labels; /* the record's findings; empty where they stand in the text instead */
  Area pane;   /* metadata and report */
} RecordsLayout;

#define RECORDS_FUNNEL_ROWS 9

/**
 * records_layout: areas without room are empty.
 *
 * @funnel: 1 shown, 0 hidden, -1 where the height allows it
 * @zoomed: the record has everything
 */
RecordsLayout records_layout (Area area, int funnel, gboolean zoomed);

typedef enum
{
  RECORDS_COLUMN_TAG,
  RECORDS_COLUMN_NAME,
  RECORDS_COLUMN_SEX,
  RECORDS_COLUMN_AGE,
  RECORDS_COLUMN_SCANNER,
  RECORDS_COLUMN_SPACING,
  RECORDS_COLUMN_SLICES,
  RECORDS_COLUMN_FINDINGS,
  RECORDS_COLUMN_ENCODED,
  RECORDS_COLUMN_PROBABILITY,
  RECORDS_COLUMN_REASON,
  RECORDS_N_COLUMNS,
} RecordsColumn;

/** records_columns: those that are there. @run, @dropped: with a run's predictions, with dropped
 * rows */
void records_columns (gboolean run, gboolean dropped, TableColumn columns[RECORDS_N_COLUMNS]);

/** records_finding_code: two letters for a finding, one above the other in the table's head. */
const char *records_finding_code (guint label);
