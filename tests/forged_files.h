/**
 * forged_files.h: checkpoints that no honest program would write, and honest ones of rare forms.
 */
#pragma once

#include "base/error.h"

#include <glib.h>

/* ---- pickles ---- */

/** forged_text, forged_number, forged_tuple: append the opcodes of one value. */
void forged_text (GString *pickle, const char *text);
void forged_number (GString *pickle, gint64 number);
void forged_tuple (GString *pickle, const gint64 *numbers, guint n);

typedef struct
{
  const char *storage_type; /* "FloatStorage" */
  const char *key;
  gint64 storage_n, offset;
  guint n_dims;
  gint64 shape[9], strides[9];
} ForgedTensor;

/** forged_tensor: append _rebuild_tensor_v2 (...). */
void forged_tensor (GString *pickle, const ForgedTensor *tensor);

/** forged_state_dict: the whole pickle of a dict with one tensor, "x". */
GString *forged_state_dict (const ForgedTensor *tensor);

/* ---- archives ---- */

typedef struct
{
  const char *name;
  const void *data;
  gsize size;
  guint16 method, flags;
  guint32 claimed_size;  /* in the directory; 0 for the truth */
  const char *points_to; /* (nullable) name of an earlier member whose place the directory gives */
  gint32 header_shift;   /* added to the place that the directory gives */
} ForgedMember;

typedef enum
{
  FORGED_ZIP32,
  FORGED_ZIP64,        /* sizes and places stand in extra fields, the directory's in a record */
  FORGED_ZIP64_PLACES, /* likewise, but sizes fit the short fields */
} ForgedForm;

typedef struct
{
  ForgedForm form;
  gint32 claimed_members; /* added to the number of members */
  gint32 directory_shift; /* added to the directory's place */
  gint32 record_shift;    /* added to the place of the zip64 record */
  gint32 extra_shift;     /* added to the length of the zip64 extra fields */
} ForgedArchive;

/** forged_zip: local headers without sizes, as PyTorch writes them. g_free the path. */
char *forged_zip (const char *file_name, const ForgedMember *members, guint n,
                  const ForgedArchive *archive);

/** forged_checkpoint: a zip of "forged/data.pkl" and, where @size > 0, "forged/data/0". Frees
 * @pickle. g_free the path. */
char *forged_checkpoint (const char *file_name, GString *pickle, const void *storage, gsize size);

/* ---- what comes of them ---- */

/** forged_expect_refused: opening the file fails with this code and names it and @says. */
void forged_expect_refused (const char *path, CtclipError code, const char *says);

/** forged_read_x: numbers of "x", the only tensor of a file that is accepted. g_free them. */
float *forged_read_x (const char *path);
