#include "volume/inflate.h"

#include "config.h"

/* Both libraries count what is available in 32 bits. */
#define MAX_PIECE ((gsize) 1 << 30)

#ifdef HAVE_ISAL

#include <isa-l/igzip_lib.h>

#ifdef __x86_64__
/**
 * ISA-L's CRC returns with the upper halves of the vector registers in use, and then every SSE
 * instruction of the program waits for the one before it that wrote the same register, until
 * something clears them: on a Zen 5 all arithmetic on voxels took twice the time.
 */
__attribute__ ((target ("avx"))) static void
clear_upper_halves (void)
{
  __builtin_ia32_vzeroupper ();
}
#endif

struct _Inflater
{
  struct inflate_state state;
};

Inflater *
inflater_new (void)
{
  Inflater *inflater = g_new (Inflater, 1);

  isal_inflate_init (&inflater->state);
  inflater_restart (inflater);
  return inflater;
}

void
inflater_free (Inflater *inflater)
{
  g_free (inflater);
}

void
inflater_restart (Inflater *inflater)
{
  isal_inflate_reset (&inflater->state);
  inflater->state.crc_flag = ISAL_GZIP;
}

InflaterStatus
inflater_step (Inflater *inflater, InflaterBuffers *buffers)
{
  struct inflate_state *state = &inflater->state;
  gsize in_piece = MIN (buffers->in_n, MAX_PIECE), out_piece = MIN (buffers->out_n, MAX_PIECE),
        left;
  int code;

  state->next_in = (guint8 *) buffers->in;
  state->avail_in = (guint32) in_piece;
  state->next_out = buffers->out;
  state->avail_out = (guint32) out_piece;
  code = isal_inflate (state);
#ifdef __x86_64__
  if (__builtin_cpu_supports ("avx"))
    clear_upper_halves ();
#endif
  /* Damage may leave its count of the input below zero, that is, beyond what there was. */
  left = MIN (state->avail_in, in_piece);
  buffers->in += in_piece - left;
  buffers->in_n = buffers->in_n - in_piece + left;
  buffers->out += out_piece - state->avail_out;
  buffers->out_n -= out_piece - state->avail_out;
  if (code == ISAL_INCORRECT_CHECKSUM)
    return INFLATER_WRONG_CHECKSUM;
  if (code < 0)
    return INFLATER_DAMAGED;
  return state->block_state == ISAL_BLOCK_FINISH ? INFLATER_MEMBER_END : INFLATER_MORE;
}

#else

#include <string.h>
#include <zlib.h>

struct _Inflater
{
  z_stream state;
  gboolean ready;
};

Inflater *
inflater_new (void)
{
  Inflater *inflater = g_new0 (Inflater, 1);

  /* 15 bits of window; 16 more ask for the gzip wrapper alone. */
  inflater->ready = inflateInit2 (&inflater->state, 15 + 16) == Z_OK;
  return inflater;
}

void
inflater_free (Inflater *inflater)
{
  if (inflater->ready)
    inflateEnd (&inflater->state);
  g_free (inflater);
}

void
inflater_restart (Inflater *inflater)
{
  if (inflater->ready)
    inflateReset (&inflater->state);
}

InflaterStatus
inflater_step (Inflater *inflater, InflaterBuffers *buffers)
{
  z_stream *state = &inflater->state;
  gsize in_piece = MIN (buffers->in_n, MAX_PIECE), out_piece = MIN (buffers->out_n, MAX_PIECE);
  int code;

  if (!inflater->ready)
    return INFLATER_NO_MEMORY;
  state->next_in = (guint8 *) buffers->in;
  state->avail_in = (uInt) in_piece;
  state->next_out = buffers->out;
  state->avail_out = (uInt) out_piece;
  code = inflate (state, Z_NO_FLUSH);
  buffers->in += in_piece - state->avail_in;
  buffers->in_n -= in_piece - state->avail_in;
  buffers->out += out_piece - state->avail_out;
  buffers->out_n -= out_piece - state->avail_out;
  switch (code)
    {
    case Z_STREAM_END:
      return INFLATER_MEMBER_END;
    case Z_OK:
    case Z_BUF_ERROR:
      return INFLATER_MORE;
    case Z_MEM_ERROR:
      return INFLATER_NO_MEMORY;
    default:
      return state->msg != NULL
                     && (strstr (state->msg, "data check") || strstr (state->msg, "length check"))
                 ? INFLATER_WRONG_CHECKSUM
                 : INFLATER_DAMAGED;
    }
}

#endif
