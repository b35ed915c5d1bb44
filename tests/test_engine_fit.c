#include "testing.h"

#include "base/error.h"
#include "base/random.h"
#include "testing_encoder.h"

#include <math.h>
#include <string.h>

/* ---- against the goldens ---- */

#define ROWS 3000
#define WIDTH 512
#define HIDDEN 256
#define CLASSES 18
#define BATCH 32
#define EPOCHS 5
#define STEPS 470

/** golden/train, with the numbers in the types that a fit takes. */
typedef struct
{
  NpyArray *latents, *keep;
  guint8 *labels;
  gint64 *order;
  double pos_weight[CLASSES];
} Golden;

static Golden
golden_read (void)
{
  g_autoptr (NpyArray) y = testing_npy ("golden/train/Y.npy");
  g_autoptr (NpyArray) order = testing_npy ("golden/train/order.npy");
  g_autoptr (NpyArray) weights = testing_npy ("golden/train/pos_weight.npy");
  Golden golden = { .latents = testing_npy ("golden/train/X.npy"),
                    .keep = testing_npy ("golden/train/dropout_keep_u8.npy"),
                    .labels = g_new (guint8, y->n),
                    .order = g_new (gint64, order->n) };

  for (gsize i = 0; i < y->n; i++)
    golden.labels[i] = ((const float *) y->data)[i] > 0.5f;
  for (gsize i = 0; i < order->n; i++)
    golden.order[i] = ((const gint32 *) order->data)[i];
  for (guint i = 0; i < CLASSES; i++)
    golden.pos_weight[i] = (double) ((const float *) weights->data)[i];
  return golden;
}

static void
golden_clear (Golden *golden)
{
  npy_array_free (golden->latents);
  npy_array_free (golden->keep);
  g_free (golden->labels);
  g_free (golden->order);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Golden, golden_clear)

static Head *
golden_start (void)
{
  Head *head = head_new (HEAD_MLP, WIDTH, HIDDEN, CLASSES, 0);

  for (guint i = 0; i < head->n_tensors; i++)
    {
      g_autofree char *name = g_strdup_printf ("golden/train/init_%s.npy", head->tensors[i].name);
      g_autoptr (NpyArray) array = testing_npy (name);

      memcpy (head->tensors[i].data, array->data, array->n * sizeof (float));
    }
  return head;
}

static HeadFitOptions
golden_options (const Golden *golden, gboolean drops, double *step_losses)
{
  return (HeadFitOptions){ .epochs = EPOCHS,
                           .batch = BATCH,
                           .learning_rate = 1e-3,
                           .weight_decay = 0.01,
                           .dropout = drops ? 0.3 : 0,
                           .loss = { .gamma = 2, .alpha = NAN, .pos_weight = golden->pos_weight },
                           .order = golden->order,
                           .keep = drops ? golden->keep->data : NULL,
                           .step_losses = step_losses };
}

static void
assert_tensors (const Head *head, const char *run, const char *when, double tolerance)
{
  for (guint i = 0; i < head->n_tensors; i++)
    {
      g_autofree char *name =
          g_strdup_printf ("golden/train/%s_%s_%s.npy", run, when, head->tensors[i].name);
      g_autoptr (NpyArray) expected = testing_npy (name);
      double difference =
          testing_max_difference (head->tensors[i].data, expected->data, expected->n);

      print_message ("%s: largest difference %.3g\n", name, difference);
      if (!(difference <= tolerance))
        fail_msg ("%s: off by %g", name, difference);
    }
}

/** Ten steps are an epoch of the first ten batches' rows in a row. */
static void
check_ten_steps (const Golden *golden, const char *run, gboolean drops)
{
  const gsize n = 10 * BATCH;
  g_autofree float *latents = g_new (float, n *WIDTH);
  g_autofree guint8 *labels = g_new (guint8, n * CLASSES);
  g_autofree gint64 *order = g_new (gint64, n);
  g_autoptr (Head) head = golden_start ();
  g_autoptr (GError) error = NULL;
  HeadFitOptions options = golden_options (golden, drops, NULL);

  for (gsize i = 0; i < n; i++)
    {
      const gint64 row = golden->order[i];

      memcpy (latents + i * WIDTH, (float *) golden->latents->data + row * WIDTH,
              WIDTH * sizeof (float));
      memcpy (labels + i * CLASSES, golden->labels + row * CLASSES, CLASSES);
      order[i] = (gint64) i;
    }
  options.epochs = 1;
  options.order = order;
  engine_head_fit (testing_engine (), head, latents, labels, n, &options, NULL, NULL, NULL, &error);
  assert_no_error (error);
  assert_tensors (head, run, "step10", 1e-5);
}

static void
check_golden_run (const char *run, gboolean drops, double final_tolerance)
{
  g_auto (Golden) golden = golden_read ();
  json_t *meta = testing_json ("golden/train/meta.json");
  const json_t *losses =
      json_object_get (json_object_get (json_object_get (meta, "runs"), run), "step_losses");
  double step_losses[STEPS];
  HeadFitOptions options = golden_options (&golden, drops, step_losses);
  g_autoptr (Head) head = golden_start ();
  g_autoptr (GError) error = NULL;

  check_ten_steps (&golden, run, drops);
  engine_head_fit (testing_engine (), head, golden.latents->data, golden.labels, ROWS, &options,
                   NULL, NULL, NULL, &error);
  assert_no_error (error);
  for (guint i = 0; i < STEPS; i++)
    {
      double expected = json_number_value (json_array_get (losses, i));

      if (!(fabs (step_losses[i] - expected) <= (i < 10 ? 1e-5 : 1e-3)))
        fail_msg ("step %u: loss %.9g, golden %.9g", i, step_losses[i], expected);
    }
  assert_tensors (head, run, "final", final_tolerance);
  json_decref (meta);
}

static void
test_fit_without_dropout_follows_the_golden_run (void **state)
{
  /* The golden run itself ends 5.4e-3 from its own double form. */
  check_golden_run ("nodrop_f32", FALSE, 1.5e-2);
}

static void
test_fit_with_dropout_follows_the_golden_run (void **state)
{
  check_golden_run ("drop_f32", TRUE, 1e-3);
}

/* ---- against the plain form ---- */

#define TOY_ROWS 200
#define TOY_WIDTH 12
#define TOY_CLASSES 3

typedef struct
{
  float latents[TOY_ROWS * TOY_WIDTH];
  guint8 labels[TOY_ROWS * TOY_CLASSES];
} Toy;

static Toy *
toy_new (void)
{
  Toy *toy = g_new (Toy, 1);
  Random random;

  random_init (&random, 4, 0);
  for (guint i = 0; i < TOY_ROWS * TOY_CLASSES; i++)
    toy->labels[i] = random_uniform (&random) < 0.4;
  for (guint i = 0; i < TOY_ROWS * TOY_WIDTH; i++)
    toy->latents[i] = (float) random_normal (&random);
  return toy;
}

static HeadFitOptions
toy_options (const double *pos_weight)
{
  return (HeadFitOptions){ .epochs = 3,
                           .batch = 32,
                           .learning_rate = 1e-2,
                           .weight_decay = 0.01,
                           .cosine = TRUE,
                           .dropout = 0.2,
                           .loss = { .gamma = 1.5, .alpha = 0.3, .pos_weight = pos_weight },
                           .seed = 9 };
}

/** Standardising that moves every number. */
static void
give_scale (Head *head)
{
  head->mean = g_new (float, head->width);
  head->scale = g_new (float, head->width);
  for (guint i = 0; i < head->width; i++)
    {
      head->mean[i] = 0.1f * (float) i;
      head->scale[i] = 1.5f;
    }
}

static void
test_every_kind_of_head_ends_where_the_plain_form_ends (void **state)
{
  static const HeadKind kinds[] = { HEAD_MLP, HEAD_LINEAR, HEAD_NORM_LINEAR };
  static const double pos_weight[TOY_CLASSES] = { 1, 2.5, 4 };
  g_autofree Toy *toy = toy_new ();

  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    {
      HeadFitOptions options = toy_options (pos_weight);
      g_autoptr (Head) ours = head_new (kinds[k], TOY_WIDTH, 16, TOY_CLASSES, 5);
      g_autoptr (Head) plain = NULL;
      g_autoptr (GError) error = NULL;

      give_scale (ours);
      plain = head_copy (ours);
      head_fit (plain, toy->latents, toy->labels, TOY_ROWS, &options, NULL, NULL, NULL, &error);
      assert_no_error (error);
      engine_head_fit (testing_engine (), ours, toy->latents, toy->labels, TOY_ROWS, &options, NULL,
                       NULL, NULL, &error);
      assert_no_error (error);
      for (guint i = 0; i < ours->n_tensors; i++)
        {
          double difference = testing_max_difference (ours->tensors[i].data, plain->tensors[i].data,
                                                      ours->tensors[i].n);

          if (!(difference <= 1e-5))
            fail_msg ("%s %s: off by %g", head_kind_name (kinds[k]), ours->tensors[i].name,
                      difference);
        }
    }
}

typedef struct
{
  guint epochs;
  GCancellable *cancel_at_2; /* (nullable) NULL: the second epoch fails instead */
} Watch;

static gboolean
watch_epoch (guint epoch, const Head *head, double train_loss, gpointer user_data, GError **error)
{
  Watch *watch = user_data;

  assert_int_equal (epoch, ++watch->epochs);
  assert_true (isfinite (train_loss) && train_loss > 0);
  if (epoch < 2)
    return TRUE;
  if (watch->cancel_at_2 != NULL)
    {
      g_cancellable_cancel (watch->cancel_at_2);
      return TRUE;
    }
  g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_IO, "the disk is full");
  return FALSE;
}

static void
test_an_epoch_that_cannot_be_kept_ends_the_fit (void **state)
{
  g_autofree Toy *toy = toy_new ();
  g_autoptr (Head) head = head_new (HEAD_MLP, TOY_WIDTH, 16, TOY_CLASSES, 5);
  HeadFitOptions options = toy_options (NULL);
  g_autoptr (GError) error = NULL;
  Watch watch = { 0 };

  assert_false (engine_head_fit (testing_engine (), head, toy->latents, toy->labels, TOY_ROWS,
                                 &options, watch_epoch, &watch, NULL, &error));
  assert_error_says (&error, "the disk is full", NULL);
  assert_int_equal (watch.epochs, 2);
}

static gboolean
end_at_a_step (guint step, guint steps, gpointer user_data, GError **error)
{
  assert_true (step < steps);
  g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_FAILED, "seen enough steps");
  return FALSE;
}

static void
test_a_step_can_end_the_fit (void **state)
{
  g_autofree Toy *toy = toy_new ();
  g_autoptr (Head) head = head_new (HEAD_MLP, TOY_WIDTH, 16, TOY_CLASSES, 5);
  HeadFitOptions options = toy_options (NULL);
  g_autoptr (GError) error = NULL;
  Watch watch = { 0 };

  options.on_step = end_at_a_step;
  assert_false (engine_head_fit (testing_engine (), head, toy->latents, toy->labels, TOY_ROWS,
                                 &options, watch_epoch, &watch, NULL, &error));
  assert_error_says (&error, "seen enough steps", NULL);
  assert_int_equal (watch.epochs, 0);
}

static void
test_a_fit_can_be_cancelled (void **state)
{
  g_autofree Toy *toy = toy_new ();
  g_autoptr (Head) head = head_new (HEAD_MLP, TOY_WIDTH, 16, TOY_CLASSES, 5);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  HeadFitOptions options = toy_options (NULL);
  g_autoptr (GError) error = NULL;
  Watch watch = { .cancel_at_2 = cancellable };

  assert_false (engine_head_fit (testing_engine (), head, toy->latents, toy->labels, TOY_ROWS,
                                 &options, watch_epoch, &watch, cancellable, &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  assert_int_equal (watch.epochs, 2);
}

static void
test_the_same_seed_gives_the_same_bits (void **state)
{
  g_autofree Toy *toy = toy_new ();
  g_autoptr (Head) first = head_new (HEAD_MLP, TOY_WIDTH, 16, TOY_CLASSES, 5);
  g_autoptr (Head) second = head_copy (first);
  HeadFitOptions options = toy_options (NULL);
  g_autoptr (GError) error = NULL;

  engine_head_fit (testing_engine (), first, toy->latents, toy->labels, TOY_ROWS, &options, NULL,
                   NULL, NULL, &error);
  assert_no_error (error);
  engine_head_fit (testing_engine (), second, toy->latents, toy->labels, TOY_ROWS, &options, NULL,
                   NULL, NULL, &error);
  assert_no_error (error);
  for (guint i = 0; i < first->n_tensors; i++)
    assert_memory_equal (first->tensors[i].data, second->tensors[i].data,
                         first->tensors[i].n * sizeof (float));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_fit_without_dropout_follows_the_golden_run),
    cmocka_unit_test (test_fit_with_dropout_follows_the_golden_run),
    cmocka_unit_test (test_every_kind_of_head_ends_where_the_plain_form_ends),
    cmocka_unit_test (test_an_epoch_that_cannot_be_kept_ends_the_fit),
    cmocka_unit_test (test_a_step_can_end_the_fit),
    cmocka_unit_test (test_a_fit_can_be_cancelled),
    cmocka_unit_test (test_the_same_seed_gives_the_same_bits),
  };

  return cmocka_run_group_tests_name ("engine_fit", tests, NULL, NULL);
}
