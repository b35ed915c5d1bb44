/**
 * processor.h: what the processor is called.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** processor_name: "AMD EPYC 7B13", or "processor" where the system does not say. Free with g_free.
 */
char *processor_name (void);

G_END_DECLS
