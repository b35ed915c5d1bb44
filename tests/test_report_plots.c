/* Plots as PNG files: what is on them, and that no file is lost. */
#include "testing.h"

#include "report/plots.h"

#include <math.h>
#include <png.h>
#include <string.h>

#define N 40
#define BLUE 0x0072b2
#define VERMILION 0xd55e00

typedef struct
{
  guint width, height;
  guint8 *rgb;
} Picture;

static void
picture_clear (Picture *picture)
{
  g_free (picture->rgb);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Picture, picture_clear)

static Picture
read_picture (const char *path)
{
  png_image image = { .version = PNG_IMAGE_VERSION };
  Picture picture = { 0 };

  assert_int_not_equal (png_image_begin_read_from_file (&image, path), 0);
  image.format = PNG_FORMAT_RGB;
  picture.width = image.width;
  picture.height = image.height;
  picture.rgb = g_malloc (PNG_IMAGE_SIZE (image));
  assert_int_not_equal (png_image_finish_read (&image, NULL, picture.rgb, 0, NULL), 0);
  return picture;
}

/** Whether a pixel has exactly this colour. */
static gboolean
is_colour (const Picture *picture, gsize i, guint32 colour)
{
  const guint8 *p = &picture->rgb[3 * i];

  return ((guint32) p[0] << 16 | (guint32) p[1] << 8 | p[2]) == colour;
}

static guint
count_colour (const Picture *picture, guint32 colour)
{
  guint count = 0;

  for (gsize i = 0; i < (gsize) picture->width * picture->height; i++)
    count += is_colour (picture, i, colour);
  return count;
}

static double
mean_row (const Picture *picture, guint32 colour)
{
  double rows = 0;

  for (gsize i = 0; i < (gsize) picture->width * picture->height; i++)
    rows += is_colour (picture, i, colour) ? i / picture->width : 0;
  return rows / count_colour (picture, colour);
}

/** Scores that tell the kinds apart well, but not perfectly. */
static ReportScores
make_scores (double *logits, guint8 *labels, double threshold)
{
  for (gsize i = 0; i < N; i++)
    {
      labels[i] = i % 2;
      logits[i] = (i % 2 ? 1.0 : -1.0) + 3 * sin ((double) i);
    }
  return (ReportScores){ "Emphysema", logits, labels, N, threshold };
}

static void
test_roc_shows_the_curve_and_marks_the_threshold (void **state)
{
  double logits[N];
  guint8 labels[N];
  ReportScores scores = make_scores (logits, labels, 0.5);
  g_autofree char *with = testing_path ("with.png"), *without = testing_path ("without.png");
  g_autoptr (GError) error = NULL;

  assert_true (report_plot_roc (&scores, "run a", with, FALSE, &error));
  scores.threshold = NAN;
  assert_true (report_plot_roc (&scores, NULL, without, FALSE, &error));
  {
    g_auto (Picture) marked = read_picture (with);
    g_auto (Picture) unmarked = read_picture (without);

    assert_int_equal (marked.width, 1200);
    assert_int_equal (marked.height, 900);
    assert_true (count_colour (&marked, BLUE) > 500);
    assert_true (count_colour (&marked, VERMILION) > 10);
    assert_int_equal (count_colour (&unmarked, VERMILION), 0);
  }
}

static void
test_roc_of_one_kind_is_a_picture_without_a_curve (void **state)
{
  double logits[N];
  guint8 labels[N];
  ReportScores scores = make_scores (logits, labels, 0.5);
  g_autofree char *path = testing_path ("undefined.png");
  g_autoptr (GError) error = NULL;

  memset (labels, 0, sizeof labels);
  assert_true (report_plot_roc (&scores, NULL, path, FALSE, &error));
  {
    g_auto (Picture) picture = read_picture (path);

    assert_int_equal (count_colour (&picture, BLUE), 0);
    assert_true (count_colour (&picture, 0xffffff) < 1200 * 900);
  }
}

static void
test_histogram_bars_rise_and_hang (void **state)
{
  double logits[N];
  guint8 labels[N];
  ReportScores scores = make_scores (logits, labels, 0.5);
  g_autofree char *path = testing_path ("histogram.png");
  g_autoptr (GError) error = NULL;

  assert_true (report_plot_histogram (&scores, NULL, path, FALSE, &error));
  {
    g_auto (Picture) picture = read_picture (path);

    assert_true (count_colour (&picture, VERMILION) > 10000);
    assert_true (count_colour (&picture, BLUE) > 10000);
    assert_true (mean_row (&picture, BLUE) + 100 < mean_row (&picture, VERMILION));
  }
}

static void
test_pages_grow_with_their_classes (void **state)
{
  double logits[N];
  guint8 labels[N];
  ReportScores classes[31];
  const guint counts[] = { 1, 18, G_N_ELEMENTS (classes) };
  guint heights[G_N_ELEMENTS (counts)];

  for (guint i = 0; i < G_N_ELEMENTS (classes); i++)
    classes[i] = make_scores (logits, labels, 0.3);
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      g_autofree char *path = testing_path ("page.png");
      g_autoptr (GError) error = NULL;

      assert_true (report_plot_histogram_page (classes, counts[i], "a", path, TRUE, &error));
      assert_true (report_plot_roc_page (classes, counts[i], "a", path, TRUE, &error));
      assert_no_error (error);
      {
        g_auto (Picture) picture = read_picture (path);

        assert_true (count_colour (&picture, BLUE) > 100 * counts[i]);
        heights[i] = picture.height;
      }
    }
  assert_int_equal (heights[0], 900);
  assert_int_equal (heights[1], 900);
  assert_true (heights[2] > 900);
}

static void
test_epochs_are_drawn_from_none_to_many (void **state)
{
  ReportEpoch epochs[200];
  const guint counts[] = { 0, 1, 2, 200 };
  guint drawn[G_N_ELEMENTS (counts)];

  for (guint i = 0; i < G_N_ELEMENTS (epochs); i++)
    epochs[i] = (ReportEpoch){ i + 1, 1.0 / (i + 1), { 0.7, 0.6, i % 2 ? 0.8 : NAN } };
  epochs[50].train_loss = NAN;
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      g_autofree char *path = testing_path ("epochs.png");
      g_autoptr (GError) error = NULL;

      assert_true (report_plot_epochs (epochs, counts[i], 1, "a", path, TRUE, &error));
      assert_no_error (error);
      {
        g_auto (Picture) picture = read_picture (path);

        drawn[i] = count_colour (&picture, VERMILION);
      }
    }
  assert_int_equal (drawn[0], 0);
  assert_true (drawn[1] > 10);
  assert_true (drawn[2] > drawn[1]);
}

static void
test_auroc_and_comparison_skip_the_undefined (void **state)
{
  static const char *const names[] = { "Emphysema", "Hiatal hernia" };
  MetricsClass classes[] = { { .auroc = { 0.8, 0.7, 0.9 } }, { .auroc = { NAN, NAN, NAN } } };
  MetricsTable table = {
    .n_classes = 2, .classes = classes, .classes_in_macro = 1, .macro_auroc = { 0.8, NAN, NAN }
  };
  const ReportComparisonClass compared[] = {
    { "Emphysema", 0.8, 0.7, { 0.1, 0.02, 0.18 }, 0.01 },
    { "Hiatal hernia", NAN, NAN, { NAN, NAN, NAN }, NAN },
  };
  /* A name that is no UTF-8 does not spoil the rest. */
  const ReportComparison comparison = { "caf\xe9 with a name that goes on and on and on",
                                        "b",
                                        compared,
                                        2,
                                        { "macro", 0.8, 0.7, { 0.1, 0.03, 0.17 }, NAN },
                                        1,
                                        100,
                                        0,
                                        0 };
  g_autofree char *auroc = testing_path ("auroc.png"), *two = testing_path ("two.png");
  g_autoptr (GError) error = NULL;

  assert_true (report_plot_auroc (&table, names, NULL, auroc, FALSE, &error));
  assert_true (report_plot_comparison (&comparison, two, FALSE, &error));
  assert_no_error (error);
  {
    g_auto (Picture) one_run = read_picture (auroc);
    g_auto (Picture) two_runs = read_picture (two);

    assert_true (count_colour (&one_run, BLUE) > 50);
    assert_true (count_colour (&two_runs, BLUE) > 10);
    assert_true (count_colour (&two_runs, VERMILION) > 10);
  }
}

static void
test_a_file_is_replaced_only_when_asked (void **state)
{
  double logits[N];
  guint8 labels[N];
  ReportScores scores = make_scores (logits, labels, 0.5);
  g_autofree char *path = testing_write ("kept.png", "mine", 4);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  assert_false (report_plot_roc (&scores, NULL, path, FALSE, &error));
  assert_error_says (&error, "kept.png", "--force", NULL);
  assert_true (g_file_get_contents (path, &text, NULL, NULL));
  assert_string_equal (text, "mine");
  assert_true (report_plot_roc (&scores, NULL, path, TRUE, &error));
  assert_false (report_plot_roc (&scores, NULL, "/nowhere/at/all.png", FALSE, &error));
  assert_error_says (&error, "/nowhere/at/all.png", NULL);
  assert_false (report_plot_roc (&scores, NULL, "/dev/full", TRUE, &error));
  assert_error_says (&error, "/dev/full", NULL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_roc_shows_the_curve_and_marks_the_threshold),
    cmocka_unit_test (test_roc_of_one_kind_is_a_picture_without_a_curve),
    cmocka_unit_test (test_histogram_bars_rise_and_hang),
    cmocka_unit_test (test_pages_grow_with_their_classes),
    cmocka_unit_test (test_epochs_are_drawn_from_none_to_many),
    cmocka_unit_test (test_auroc_and_comparison_skip_the_undefined),
    cmocka_unit_test (test_a_file_is_replaced_only_when_asked),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
