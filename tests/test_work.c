/* Work off the UI thread. */
#include "testing.h"

#include "work.h"

#include <pthread.h>
#include <string.h>

/** A worker waits for the test at a gate; both sides use POSIX primitives. */
typedef struct
{
  pthread_mutex_t mutex; /* guards the three below */
  pthread_cond_t changed;
  gboolean begun, open;
  guint freed; /* data and results that were let go */
  GString *done;
} Gate;

typedef struct
{
  Gate *gate;
  int number;
  gboolean waits, fails;
} Piece;

static Gate *
gate_new (void)
{
  Gate *gate = g_new0 (Gate, 1);

  pthread_mutex_init (&gate->mutex, NULL);
  pthread_cond_init (&gate->changed, NULL);
  gate->done = g_string_new (NULL);
  return gate;
}

static void
gate_free (Gate *gate)
{
  pthread_mutex_destroy (&gate->mutex);
  pthread_cond_destroy (&gate->changed);
  g_string_free (gate->done, TRUE);
  g_free (gate);
}

static void
gate_open (Gate *gate)
{
  pthread_mutex_lock (&gate->mutex);
  gate->open = TRUE;
  pthread_cond_broadcast (&gate->changed);
  pthread_mutex_unlock (&gate->mutex);
}

static void
gate_await_begin (Gate *gate)
{
  pthread_mutex_lock (&gate->mutex);
  while (!gate->begun)
    pthread_cond_wait (&gate->changed, &gate->mutex);
  pthread_mutex_unlock (&gate->mutex);
}

static guint
gate_freed (Gate *gate)
{
  guint freed;

  pthread_mutex_lock (&gate->mutex);
  freed = gate->freed;
  pthread_mutex_unlock (&gate->mutex);
  return freed;
}

static void
piece_free (gpointer data)
{
  Piece *piece = data;

  pthread_mutex_lock (&piece->gate->mutex);
  piece->gate->freed++;
  pthread_mutex_unlock (&piece->gate->mutex);
  g_free (piece);
}

static Piece *
piece_new (Gate *gate, int number)
{
  Piece *piece = g_new0 (Piece, 1);

  piece->gate = gate;
  piece->number = number;
  return piece;
}

static gpointer
do_piece (gpointer data, GCancellable *cancellable, GError **error)
{
  Piece *piece = data;

  pthread_mutex_lock (&piece->gate->mutex);
  piece->gate->begun = TRUE;
  pthread_cond_broadcast (&piece->gate->changed);
  while (piece->waits && !piece->gate->open)
    pthread_cond_wait (&piece->gate->changed, &piece->gate->mutex);
  pthread_mutex_unlock (&piece->gate->mutex);
  if (piece->fails)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "no luck");
      return NULL;
    }
  return piece_new (piece->gate, piece->number);
}

static void
piece_done (gpointer owner, gpointer result, const GError *error)
{
  Gate *gate = owner;
  Piece *piece = result;

  assert_true ((result == NULL) == (error != NULL));
  g_string_append_printf (gate->done, "%d ", piece != NULL ? piece->number : -1);
  g_free (piece);
}

static Work *
start (Works *works, Gate *gate, int number, gboolean waits, gboolean fails)
{
  Piece *piece = piece_new (gate, number);

  piece->waits = waits;
  piece->fails = fails;
  return works_start (works, do_piece, piece, piece_free, piece_free, piece_done, gate);
}

static void
run_until_idle (Works *works)
{
  while (!works_idle (works))
    g_main_context_iteration (NULL, TRUE);
}

static void
one_worker_keeps_the_order (void **state)
{
  Gate *gate = gate_new ();
  Works *works = works_new (1);

  assert_true (works_idle (works));
  for (int i = 1; i <= 5; i++)
    start (works, gate, i, FALSE, i == 3);
  assert_false (works_idle (works));
  run_until_idle (works);
  assert_string_equal (gate->done->str, "1 2 -1 4 5 ");
  assert_int_equal (gate_freed (gate), 5); /* the data; results were taken */
  works_free (works);
  gate_free (gate);
}

static void
many_workers_do_everything_once (void **state)
{
  Gate *gate = gate_new ();
  Works *works = works_new (4);
  guint n = 0;

  for (int i = 0; i < 400; i++)
    start (works, gate, 7, FALSE, FALSE);
  run_until_idle (works);
  for (const char *at = gate->done->str; *at != '\0'; at++)
    n += *at == '7';
  assert_int_equal (n, 400);
  assert_int_equal (gate_freed (gate), 400);
  works_free (works);
  gate_free (gate);
}

static void
what_is_cancelled_before_it_begins_is_never_done (void **state)
{
  Gate *gate = gate_new ();
  Works *works = works_new (1);
  Work *second;

  start (works, gate, 1, TRUE, FALSE);
  second = start (works, gate, 2, FALSE, FALSE);
  gate_await_begin (gate);
  work_cancel (&second);
  assert_null (second);
  work_cancel (&second); /* twice is harmless */
  gate_open (gate);
  run_until_idle (works);
  assert_string_equal (gate->done->str, "1 ");
  assert_int_equal (gate_freed (gate), 2);
  works_free (works);
  gate_free (gate);
}

static void
what_is_cancelled_while_it_runs_is_dropped_with_its_result (void **state)
{
  Gate *gate = gate_new ();
  Works *works = works_new (1);
  Work *first = start (works, gate, 1, TRUE, FALSE);

  gate_await_begin (gate);
  work_cancel (&first);
  gate_open (gate);
  run_until_idle (works);
  assert_string_equal (gate->done->str, "");
  assert_int_equal (gate_freed (gate), 2); /* data and result */
  works_free (works);
  gate_free (gate);
}

static void
what_is_cancelled_after_its_end_is_not_delivered (void **state)
{
  Gate *gate = gate_new ();
  Works *works = works_new (1);
  Work *first = start (works, gate, 1, FALSE, FALSE);

  while (gate_freed (gate) == 0) /* the worker is done with it; nothing was delivered yet */
    g_usleep (1000);
  work_cancel (&first);
  run_until_idle (works);
  assert_string_equal (gate->done->str, "");
  assert_int_equal (gate_freed (gate), 2);
  works_free (works);
  gate_free (gate);
}

static void
closing_drops_what_waits_and_what_runs (void **state)
{
  Gate *gate = gate_new ();
  Works *works = works_new (2);

  start (works, gate, 1, TRUE, FALSE);
  for (int i = 2; i <= 9; i++)
    start (works, gate, i, TRUE, i == 4);
  gate_await_begin (gate);
  gate_open (gate);
  works_free (works);
  assert_string_equal (gate->done->str, "");
  assert_true (gate_freed (gate) >= 9); /* every piece of data, and results that came about */
  gate_free (gate);
}

static void
closing_without_any_work_ends_at_once (void **state)
{
  works_free (works_new (3));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (one_worker_keeps_the_order),
    cmocka_unit_test (many_workers_do_everything_once),
    cmocka_unit_test (what_is_cancelled_before_it_begins_is_never_done),
    cmocka_unit_test (what_is_cancelled_while_it_runs_is_dropped_with_its_result),
    cmocka_unit_test (what_is_cancelled_after_its_end_is_not_delivered),
    cmocka_unit_test (closing_drops_what_waits_and_what_runs),
    cmocka_unit_test (closing_without_any_work_ends_at_once),
  };

  return cmocka_run_group_tests_name ("work", tests, NULL, NULL);
}
