/**
 * bench_encoder_input.h: what an encoder takes, for the programs that measure it.
 */
#pragma once

#include <glib.h>

/** bench_encoder_input: a scan prepared as CT-CLIP's encoder wants it, or the end of the program.
 * Free with g_free. */
float *bench_encoder_input (const char *scan, guint threads);
