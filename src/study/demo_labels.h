/**
 * demo_labels.h: which findings a synthetic patient has.
 */
#pragma once

#include "base/random.h"
#include "catalog/labels.h"

/**
 * demo_labels_draw: one patient's findings; bit i is label i.
 *
 * Each label is as common as among CT-RATE's 20,000 cleaned training scans. Findings come together
 * because of three unseen traits (worn vessels, fluid and infection, scarred airways): a Gaussian
 * copula, label i where loading_i · traits + own noise > Φ⁻¹(1 − prevalence_i).
 */
guint32 demo_labels_draw (Random *random);

/** demo_labels_prevalence: the share of patients that have a label. */
double demo_labels_prevalence (guint label);
