/**
 * cleaning.h: what the cells of CT-RATE's tables mean.
 */
#pragma once

#include <glib.h>

#define CLEANING_SUFFIX ".nii.gz"

/**
 * cleaning_parse_name: take "split_patient_scan_reconstruction.nii.gz" apart.
 *
 * The parts are letters, digits and hyphens, the reconstruction is digits; so a name never leads
 * out of a folder.
 *
 * @patient_length:       (out) the patient is the first so many bytes: "train_1"
 * @first_reconstruction: (out) the name ends in _1.nii.gz
 *
 * Returns: FALSE where it is no such name
 */
gboolean cleaning_parse_name (const char *name, gsize *patient_length,
                              gboolean *first_reconstruction);

/**
 * cleaning_one_line: what a list can show of a cell that may be anything: without control
 * characters and spaces around it, shortened to a few hundred bytes. g_free it.
 */
char *cleaning_one_line (const char *cell);

/** cleaning_is_one_line: the cell is such a line already, as nearly all are. */
gboolean cleaning_is_one_line (const char *cell);

/** cleaning_is_missing: blank, NaN or "Not given.", which is how CT-RATE says "nothing written". */
gboolean cleaning_is_missing (const char *cell);

/** cleaning_flag: 0 or 1 (0.0 and 1.0 too); -1 for anything else. */
int cleaning_flag (const char *cell);

/** cleaning_age_years: DICOM's "036Y", "018M", "010W", "005D", or a number of years; -1 otherwise.
 */
int cleaning_age_years (const char *cell);

/** cleaning_count: a positive whole number ("512", "512.0"); -1 otherwise. */
int cleaning_count (const char *cell);

/** cleaning_number: a finite number; NaN otherwise. */
double cleaning_number (const char *cell);

/** cleaning_spacing_mm: "0.75", or the first number of "[0.75, 0.75]"; NaN where it is not > 0. */
double cleaning_spacing_mm (const char *cell);
