#include "training.h"

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
  static const int all[] = { SCOPE_TRAINING, SCOPE_LIST, SCOPE_ANYWHERE, -1 };

  return all;
}

static void
draw (gpointer screen, Area area)
{
}

const ScreenClass training_screen
    = { .title = "Training", .create = create, .destroy = destroy, .scopes = scopes, .draw = draw };

void
training_show_run (gpointer screen, gint64 run_id)
{
}
