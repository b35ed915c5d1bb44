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
  static const int all[] = { SCOPE_BOX, SCOPE_ANYWHERE, -1 };

  return all;
}

static void
draw (gpointer screen, Area area)
{
}

const ScreenClass welcome_screen
    = { .title = "Welcome", .create = create, .destroy = destroy, .scopes = scopes, .draw = draw };
