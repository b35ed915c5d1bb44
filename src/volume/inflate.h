/**
 * inflate.h: gzip members to bytes, a piece at a time. ISA-L does the work where the build found
 * it, zlib otherwise. Private to the room.
 */
#pragma once

#include <glib.h>

typedef struct _Inflater Inflater;

typedef enum
{
  INFLATER_MORE,           /* wants more input or more room */
  INFLATER_MEMBER_END,     /* a member is complete and its CRC-32 and length are right */
  INFLATER_DAMAGED,        /* not a deflate stream */
  INFLATER_WRONG_CHECKSUM, /* CRC-32 or length differ */
  INFLATER_NO_MEMORY,
} InflaterStatus;

/** What is left of both sides; inflater_step() moves the pointers on. */
typedef struct
{
  const guint8 *in;
  gsize in_n;
  guint8 *out;
  gsize out_n;
} InflaterBuffers;

Inflater *inflater_new (void);
void inflater_free (Inflater *inflater);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Inflater, inflater_free)

/** inflater_restart: expect the head of a member next. */
void inflater_restart (Inflater *inflater);

/** inflater_step: inflate as much as input and room allow. */
InflaterStatus inflater_step (Inflater *inflater, InflaterBuffers *buffers);
