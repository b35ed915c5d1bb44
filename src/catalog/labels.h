/**
 * labels.h: CT-RATE's 18 abnormalities, in the order of its label tables.
 */
#pragma once

#include <glib.h>

#define CATALOG_N_LABELS 18

/** catalog_label_name: the column name in CT-RATE's label table ("Medical material", ...). */
const char *catalog_label_name (guint label);

/** catalog_label_find: index by name, any case, spaces or underscores or hyphens alike; -1 if there
 * is none. */
int catalog_label_find (const char *name);
