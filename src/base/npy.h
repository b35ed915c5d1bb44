/**
 * npy.h: NumPy's .npy files (format 1.0-3.0, C order, little endian when written).
 */
#pragma once

#include "base/output_file.h"

#include <glib.h>

#define NPY_MAX_DIMS 8

typedef enum
{
  NPY_UINT8,
  NPY_INT8,
  NPY_INT16,
  NPY_INT32,
  NPY_INT64,
  NPY_FLOAT32,
  NPY_FLOAT64,
} NpyType;

typedef struct
{
  NpyType type;
  guint n_dims;
  gsize shape[NPY_MAX_DIMS];
  gsize n; /* product of shape */
  gpointer data;
} NpyArray;

/** npy_type_size: bytes of one element. */
gsize npy_type_size (NpyType type);

/**
 * npy_read: read a whole array; big-endian files are swapped, Fortran order is transposed to C
 * order, `bool` reads as NPY_UINT8. The size is checked against the file's before anything is
 * allocated.
 */
NpyArray *npy_read (const char *path, GError **error);

/** npy_array_new: an array of zeros; %NULL with CTCLIP_ERROR_MEMORY when it does not fit. */
NpyArray *npy_array_new (NpyType type, guint n_dims, const gsize *shape, GError **error);

void npy_array_free (NpyArray *array);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NpyArray, npy_array_free)

/**
 * npy_write: write an array of C order through an OutputFile.
 *
 * @replace: an existing file is replaced only when this is %TRUE
 */
gboolean npy_write (const char *path, gboolean replace, NpyType type, guint n_dims,
                    const gsize *shape, const void *data, GError **error);

/** npy_begin: the same, but that the caller commits it. */
OutputFile *npy_begin (const char *path, gboolean replace, NpyType type, guint n_dims,
                       const gsize *shape, const void *data, GError **error);
