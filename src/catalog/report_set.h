/**
 * report_set.h: the reports that hold some words, read from the full-text index only as far as
 * somebody asks: a page of what most reports hold needs no more than the first of them.
 */
#pragma once

#include "catalog/store_private.h"

typedef struct _ReportSet ReportSet;

/** report_set_new: of what FTS5 finds for @match, see query_match_string(). */
ReportSet *report_set_new (CatalogStore *store, const char *match, GError **error);
void report_set_unref (ReportSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReportSet, report_set_unref)

/** report_set_is_small: so few that their volumes are better looked up than met. */
gboolean report_set_is_small (ReportSet *set);

/** report_set_bind: as the second argument of SQL's report_in (report_id, set), which is NULL for a
 * volume without a report; the statement is of the same connection, and keeps the set alive. */
void report_set_bind (sqlite3_stmt *statement, int parameter, ReportSet *set);
