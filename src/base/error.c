#include "base/error.h"

GQuark
ctclip_error_quark (void)
{
  return g_quark_from_static_string ("ctclip-error");
}
