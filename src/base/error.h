/**
 * error.h: the one error domain.
 *
 * Every message names the thing, what is wrong with it and what to do:
 * `train_7_a_1.nii.gz: ends after 12.4 of 157.3 MB; the file is truncated, download it again`.
 * A cancelled operation returns G_IO_ERROR_CANCELLED, as GLib's own functions do.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define CTCLIP_ERROR (ctclip_error_quark ())

typedef enum
{
  CTCLIP_ERROR_FAILED,    /* anything that has no code of its own */
  CTCLIP_ERROR_USAGE,     /* the caller asked for something that makes no sense; exit code 2 */
  CTCLIP_ERROR_NOT_FOUND, /* a file, record, sample, encoder or run that is not there */
  CTCLIP_ERROR_CORRUPT,   /* a file that breaks its format's rules: truncated, wrong checksum, wrong
                             shapes */
  CTCLIP_ERROR_UNSUPPORTED, /* a valid file of a kind that we do not read */
  CTCLIP_ERROR_IO,          /* the operating system said no: full disk, permissions */
  CTCLIP_ERROR_MEMORY,      /* a large buffer was refused */
  CTCLIP_ERROR_BUSY,        /* another program holds the workspace */
} CtclipError;

GQuark ctclip_error_quark (void);

G_END_DECLS
