/**
 * json.h: results as JSON. Numbers are raw, keys carry units, what is undefined is null.
 */
#pragma once

#include "metrics/metrics.h"
#include <jansson.h>

/** report_json_number: a real, or null where @number is NaN. */
json_t *report_json_number (double number);

/** report_json_string: a name or path; bytes that are no UTF-8 are replaced, as JSON must be UTF-8.
 */
json_t *report_json_string (const char *text);

/** report_json_epoch: {epoch, train_loss, validation{...}}; @class_names: the table's n_classes
 * names. */
json_t *report_json_epoch (guint epoch, double train_loss, const MetricsTable *table,
                           const char *const *class_names);

/**
 * report_json_parse_epoch: the way back; the table's counts of true and false calls are not in the
 * document and stay 0. %NULL where @text is not such a document.
 */
MetricsTable *report_json_parse_epoch (const char *text, guint *epoch, double *train_loss);

/** report_json_text: one line without a newline. Frees @document. Free the result with g_free. */
char *report_json_text (json_t *document /* transfer full */);
