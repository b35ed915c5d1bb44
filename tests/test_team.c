#include "testing.h"

#include "base/team.h"

#define ITEMS 23
#define LOOPS 3000
#define MAX_THREADS 5

/** One loop: how often each item was done. */
typedef struct
{
  guint size;
  gint done[ITEMS];
  gint over;
  gint wrong; /* items done past the loop's end, or that are none */
  GCancellable *cancellable;
} Loop;

static void
count_item (gsize i, guint thread, gpointer data)
{
  Loop *loop = data;

  if (i >= ITEMS || thread >= loop->size || g_atomic_int_get (&loop->over))
    g_atomic_int_inc (&loop->wrong);
  else
    g_atomic_int_inc (&loop->done[i]);
}

static void
test_every_item_of_every_loop_is_done_once_before_the_next (void **state)
{
  for (guint threads = 0; threads <= MAX_THREADS; threads++)
    {
      g_autoptr (Team) team = team_new (threads);
      g_autofree Loop *loops = g_new0 (Loop, LOOPS);

      for (guint l = 0; l < LOOPS; l++)
        {
          const gsize n = l % (ITEMS + 1);

          loops[l].size = team_size (team);
          assert_true (team_run (team, n, count_item, &loops[l], NULL));
          g_atomic_int_set (&loops[l].over, 1);
          for (gsize i = 0; i < ITEMS; i++)
            assert_int_equal (g_atomic_int_get (&loops[l].done[i]), i < n);
        }
      for (guint l = 0; l < LOOPS; l++)
        assert_int_equal (g_atomic_int_get (&loops[l].wrong), 0);
    }
}

static void
wait_for_all (gsize i, guint thread, gpointer data)
{
  Loop *loop = data;

  g_atomic_int_inc (&loop->done[0]);
  while (g_atomic_int_get (&loop->done[0]) < (gint) loop->size)
    g_thread_yield ();
}

/** Each item ends only when there is one in every thread's hands. */
static void
test_threads_work_at_the_same_time_after_a_pause_too (void **state)
{
  g_autoptr (Team) team = team_new (3);

  for (guint l = 0; l < 20; l++)
    {
      Loop loop = { .size = 3 };
      const gint64 end_us = g_get_monotonic_time () + 1000; /* by then the others sleep */

      assert_true (team_run (team, 3, wait_for_all, &loop, NULL));
      while (l % 2 == 0 && g_get_monotonic_time () < end_us)
        ;
    }
}

static void
cancel_at_once (gsize i, guint thread, gpointer data)
{
  Loop *loop = data;

  g_atomic_int_inc (&loop->done[0]);
  g_cancellable_cancel (loop->cancellable);
}

static void
test_cancelled_loop_leaves_the_rest_out_and_the_next_is_whole (void **state)
{
  for (guint threads = 1; threads <= MAX_THREADS; threads++)
    {
      g_autoptr (Team) team = team_new (threads);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      Loop loop = { .size = threads, .cancellable = cancellable }, next = { .size = threads };

      assert_false (team_run (team, 100000, cancel_at_once, &loop, cancellable));
      assert_in_range (loop.done[0], 1, threads);
      assert_true (team_run (team, ITEMS, count_item, &next, NULL));
      for (gsize i = 0; i < ITEMS; i++)
        assert_int_equal (next.done[i], 1);
    }
}

static void
test_without_a_team_the_caller_does_all_until_cancelled (void **state)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Loop loop = { .size = team_size (NULL), .cancellable = cancellable }, cancelled = loop;

  assert_true (team_run (NULL, ITEMS, count_item, &loop, cancellable));
  for (gsize i = 0; i < ITEMS; i++)
    assert_int_equal (loop.done[i], 1);
  assert_false (team_run (NULL, ITEMS, cancel_at_once, &cancelled, cancellable));
  assert_int_equal (cancelled.done[0], 1);
  assert_int_equal (loop.wrong, 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_every_item_of_every_loop_is_done_once_before_the_next),
    cmocka_unit_test (test_threads_work_at_the_same_time_after_a_pause_too),
    cmocka_unit_test (test_cancelled_loop_leaves_the_rest_out_and_the_next_is_whole),
    cmocka_unit_test (test_without_a_team_the_caller_does_all_until_cancelled),
  };

  return cmocka_run_group_tests_name ("team", tests, NULL, NULL);
}
