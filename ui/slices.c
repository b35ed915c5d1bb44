#include "slices.h"

#include "app.h"

static gpointer
create (App *app)
{
  return app;
}

static void
destroy (gpointer screen)
{
}

static const int *
scopes (gpointer screen)
{
  static const int all[] = { SCOPE_SLICES, SCOPE_ANYWHERE, -1 };

  return all;
}

static void
draw (gpointer screen, Area area)
{
}

const ScreenClass slices_screen
    = { .title = "Slices", .create = create, .destroy = destroy, .scopes = scopes, .draw = draw };

void
slices_look_at (gpointer screen, const char *volume, const char *path)
{
}
