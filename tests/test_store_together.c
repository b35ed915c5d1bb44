/* Threads and processes that work on one store, and processes that die at it. */
#include "testing_store.h"

#include "base/random.h"
#include "catalog/latents.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREAD_ROWS 300

static gpointer
write_pairs (gpointer data)
{
  g_autoptr (CatalogStore) store = testing_store_open (data);
  g_autoptr (GError) error = NULL;

  for (guint i = 1; i <= THREAD_ROWS; i++)
    {
      g_autofree char *sql = g_strdup_printf ("INSERT OR REPLACE INTO setting VALUES"
                                              " ('left', '%u'), ('right', '%u')",
                                              i, i);

      if (!store_begin (store, &error)
          || !store_end (store, store_exec (store, sql, &error), &error))
        break;
    }
  return error != NULL ? g_strdup (error->message) : NULL;
}

static void
test_one_thread_writes_while_another_reads_whole_steps (void **state)
{
  g_autofree char *path = NULL, *fault = NULL;
  g_autoptr (CatalogStore) store = testing_store_new ("threads.sqlite", &path);
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("writer", write_pairs, path);
  g_autofree char *end = g_strdup_printf ("%u-%u", THREAD_ROWS, THREAD_ROWS);
  gboolean done = FALSE;

  while (!done)
    {
      g_autofree char *pair =
          store_names (store, "SELECT l.value || '-' || r.value FROM setting AS l, setting AS r"
                              " WHERE l.key = 'left' AND r.key = 'right'");
      char **halves = g_strsplit (pair, "-", 2);

      assert_true (*pair == '\0' || strcmp (halves[0], halves[1]) == 0);
      done = strcmp (pair, end) == 0;
      g_strfreev (halves);
      g_usleep (100);
    }
  fault = g_thread_join (thread);
  if (fault != NULL)
    fail_msg ("%s", fault);
}

#define PROCESSES 6
#define ROUNDS 15

/** Open, add one to the counter, close; ROUNDS times. The exit status says which part failed. */
static void
count_up (const char *path)
{
  for (guint round = 0; round < ROUNDS; round++)
    {
      g_autoptr (GError) error = NULL;
      CatalogStore *store = catalog_store_open (path, TRUE, &error);
      g_autofree char *before = NULL, *after = NULL;
      gboolean written;

      if (store == NULL || !store_begin (store, &error))
        {
          g_printerr ("%s\n", error->message);
          _exit (1);
        }
      before = catalog_store_get (store, "counter");
      after = g_strdup_printf ("%d", before != NULL ? atoi (before) + 1 : 1);
      written = catalog_store_set (store, "counter", after, &error);
      if (!store_end (store, written, &error))
        {
          g_printerr ("%s\n", error->message);
          _exit (2);
        }
      catalog_store_close (store);
    }
  _exit (0);
}

static void
test_processes_that_start_and_count_together_lose_nothing (void **state)
{
  g_autofree char *path = testing_path ("processes.sqlite");
  g_autofree char *expected = g_strdup_printf ("%d", PROCESSES * ROUNDS);
  g_autoptr (CatalogStore) store = NULL;
  pid_t children[PROCESSES];

  for (guint i = 0; i < PROCESSES; i++)
    {
      children[i] = fork ();
      assert_true (children[i] >= 0);
      if (children[i] == 0)
        count_up (path);
    }
  for (guint i = 0; i < PROCESSES; i++)
    {
      int status;

      assert_int_equal (waitpid (children[i], &status, 0), children[i]);
      assert_true (WIFEXITED (status));
      assert_int_equal (WEXITSTATUS (status), 0);
    }
  store = testing_store_open (path);
  assert_store_value (store, "SELECT value FROM setting WHERE key = 'counter'", expected);
}

#define STARTS 25

static void
test_a_killed_start_leaves_a_store_that_opens (void **state)
{
  g_autofree char *directory = testing_path ("starts");
  Random random;

  assert_int_equal (g_mkdir (directory, 0700), 0);
  random_init (&random, 10, 0);
  for (guint start = 0; start < STARTS; start++)
    {
      g_autofree char *name = g_strdup_printf ("%s/%u.sqlite", directory, start);
      g_autoptr (CatalogStore) store = NULL;
      g_autoptr (GError) error = NULL;
      pid_t child = fork ();

      assert_true (child >= 0);
      if (child == 0)
        {
          catalog_store_open (name, TRUE, NULL);
          pause ();
        }
      g_usleep (random_below (&random, 6000));
      kill (child, SIGKILL);
      assert_int_equal (waitpid (child, NULL, 0), child);
      store = testing_store_open (name);
      assert_int_equal (catalog_store_schema_version (store), store_schema_n_steps);
      catalog_store_check (store, &error);
      assert_no_error (error);
    }
}

#define KILL_ROUNDS 6
#define KILL_WIDTH 512

static void
fill_latent (float *values, guint round, guint i)
{
  for (guint j = 0; j < KILL_WIDTH; j++)
    values[j] = (float) (round * 1000000 + i) + (float) j / KILL_WIDTH;
}

static char *
latent_name (guint round, guint i)
{
  return g_strdup_printf ("train_%u_%u_1.nii.gz", round, i);
}

/** Save latents until killed; the number of each goes down the pipe once it was saved. */
static void
save_and_announce (const char *path, gint64 encoder_id, guint round, int pipe_fd)
{
  g_autoptr (GError) error = NULL;
  CatalogStore *store = catalog_store_open (path, FALSE, &error);
  float values[KILL_WIDTH];

  for (guint32 i = 0; store != NULL; i++)
    {
      g_autofree char *name = latent_name (round, i);
      CatalogLatent latent = {
        .key = name, .volume = name, .content_hash = "", .preparation = "", .values = values
      };

      fill_latent (values, round, i);
      if (!catalog_latent_save (store, encoder_id, &latent, &error)
          || write (pipe_fd, &i, sizeof i) != sizeof i)
        break;
    }
  _exit (1);
}

static guint
announced_before_kill (const char *path, gint64 encoder_id, guint round, gulong delay_us)
{
  guint announced = 0;
  guint32 i;
  int fds[2], status;
  pid_t child;

  assert_int_equal (pipe (fds), 0);
  child = fork ();
  assert_true (child >= 0);
  if (child == 0)
    {
      close (fds[0]);
      save_and_announce (path, encoder_id, round, fds[1]);
    }
  close (fds[1]);
  /* The first announcement says that it is at work; from there on the moment is a random one. */
  assert_int_equal (read (fds[0], &i, sizeof i), sizeof i);
  announced++;
  g_usleep (delay_us);
  kill (child, SIGKILL);
  assert_int_equal (waitpid (child, &status, 0), child);
  assert_true (WIFSIGNALED (status));
  while (read (fds[0], &i, sizeof i) == sizeof i)
    announced++;
  close (fds[0]);
  return announced;
}

static void
test_what_was_announced_survives_kill_9 (void **state)
{
  g_autofree char *path = NULL;
  CatalogStore *store = testing_store_new ("killed.sqlite", &path);
  CatalogEncoder encoder = { .name = (char *) "e",
                             .weights_hash = (char *) "w",
                             .checkpoint_path = (char *) "",
                             .description = (char *) "",
                             .width = KILL_WIDTH };
  g_autoptr (GError) error = NULL;
  Random random;

  assert_true (catalog_encoder_ensure (store, &encoder, &error));
  catalog_store_close (store); /* no connection may cross a fork */
  random_init (&random, 20, 0);
  for (guint round = 0; round < KILL_ROUNDS; round++)
    {
      guint n = announced_before_kill (path, encoder.id, round, random_below (&random, 60000));
      g_autoptr (CatalogStore) reopened = testing_store_open (path);

      for (guint i = 0; i < n; i++)
        {
          g_autofree char *name = latent_name (round, i);
          const char *volumes[] = { name };
          float expected[KILL_WIDTH], values[KILL_WIDTH];
          guint8 present;

          catalog_latents_load (reopened, encoder.id, volumes, 1, KILL_WIDTH, values, &present,
                                &error);
          assert_no_error (error);
          assert_true (present);
          fill_latent (expected, round, i);
          assert_memory_equal (values, expected, sizeof values);
        }
      catalog_store_check (reopened, &error);
      assert_no_error (error);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_one_thread_writes_while_another_reads_whole_steps),
    cmocka_unit_test (test_processes_that_start_and_count_together_lose_nothing),
    cmocka_unit_test (test_a_killed_start_leaves_a_store_that_opens),
    cmocka_unit_test (test_what_was_announced_survives_kill_9),
  };

  return cmocka_run_group_tests_name ("store, together", tests, NULL, NULL);
}
