/* The Training screen's arithmetic: where its parts stand, how a threshold moves. */
#include "testing.h"

#include "training_private.h"

#include <math.h>

static void
test_threshold_moves_on_the_grid_and_stays_between_0_and_1 (void **state)
{
  assert_true (fabs (finding_step (0.413, FINDING_STEP) - 0.42) < 1e-12);
  assert_true (fabs (finding_step (0.413, -FINDING_BIG_STEP) - 0.31) < 1e-12);
  assert_true (fabs (finding_step (0.95, FINDING_BIG_STEP) - 1) < 1e-12);
  assert_true (fabs (finding_step (0, -FINDING_STEP) - 0) < 1e-12);
}

static gboolean
inside (Area part, Area whole)
{
  return part.height <= 0 || part.width <= 0
         || (part.y >= whole.y && part.x >= whole.x
             && part.y + part.height <= whole.y + whole.height
             && part.x + part.width <= whole.x + whole.width);
}

static void
test_parts_stay_inside_at_every_size (void **state)
{
  for (int height = 1; height <= 100; height++)
    for (int width = 1; width <= 300; width++)
      {
        Area area = { 1, 0, height, width };
        TrainingLayout layout = training_layout (area, TRUE);

        assert_true (inside (layout.head, area));
        assert_true (inside (layout.table, area));
        assert_true (inside (layout.curves, area));
        assert_true (layout.curves.width <= 0
                     || layout.curves.x >= layout.table.x + layout.table.width);
      }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_threshold_moves_on_the_grid_and_stays_between_0_and_1),
    cmocka_unit_test (test_parts_stay_inside_at_every_size),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
