#include "testing.h"

#include "base/error.h"
#include "base/share.h"
#include "model/checkpoint_private.h"
#include "model/description.h"
#include "model/weight_names.h"

#include <math.h>
#include <string.h>
#include <zlib.h>

/* ---- golden files ---- */

static const char *const folders[] = { "golden/tiny_a", "golden/tiny_c_neartie" };

static char *
golden (const char *folder, const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static Checkpoint *
open_golden (const char *folder, const char *name)
{
  g_autofree char *relative = golden (folder, name);
  g_autoptr (GError) error = NULL;
  Checkpoint *file = checkpoint_open (testing_data (relative), &error);

  assert_no_error (error);
  return file;
}

static float *
read_floats (Checkpoint *file, const CheckpointTensor *tensor)
{
  g_autoptr (GError) error = NULL;
  float *numbers = checkpoint_read_float (file, tensor, &error);

  assert_no_error (error);
  return numbers;
}

/** SHA-256 of the bytes that the file holds: float32 as read, int64 made of the floats again. */
static char *
sha256 (const CheckpointTensor *tensor, const float *numbers)
{
  gsize n = (gsize) tensor->n;
  g_autofree gint64 *integers = g_new (gint64, n + 1);

  if (tensor->type == CHECKPOINT_FLOAT32)
    return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) numbers,
                                        n * sizeof *numbers);
  for (gsize i = 0; i < n; i++)
    integers[i] = (gint64) numbers[i];
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) integers,
                                      n * sizeof *integers);
}

/** One tensor against its golden entry: shape, type, strides, bytes and first values. */
static void
check_tensor (Checkpoint *file, const CheckpointTensor *tensor, const json_t *expected)
{
  const CheckpointEntry *entry = (const CheckpointEntry *) tensor;
  const json_t *shape = json_object_get (expected, "shape"),
               *strides = json_object_get (expected, "stride"),
               *first = json_object_get (expected, "first");
  g_autofree float *numbers = read_floats (file, tensor);
  g_autofree char *hash = sha256 (tensor, numbers);

  assert_string_equal (json_string_value (json_object_get (expected, "dtype")),
                       tensor->type == CHECKPOINT_INT64 ? "torch.int64" : "torch.float32");
  assert_int_equal (tensor->n_dims, json_array_size (shape));
  for (guint i = 0; i < tensor->n_dims; i++)
    {
      assert_int_equal (tensor->shape[i], json_integer_value (json_array_get (shape, i)));
      if (tensor->n > 0 && tensor->shape[i] > 1)
        assert_int_equal (entry->strides[i], json_integer_value (json_array_get (strides, i)));
    }
  assert_true (tensor->n >= (gint64) json_array_size (first));
  for (size_t i = 0; i < json_array_size (first); i++)
    assert_true (numbers[i] == (float) json_number_value (json_array_get (first, i)));
  assert_string_equal (hash, json_string_value (json_object_get (expected, "sha256")));
}

static void
check_against_keys (const char *folder, const char *name, const char *keys_name)
{
  g_autoptr (Checkpoint) file = open_golden (folder, name);
  g_autofree char *keys_path = golden (folder, keys_name);
  json_t *keys = testing_json (keys_path);
  const char *key;
  json_t *expected;

  assert_int_equal (checkpoint_n_tensors (file), json_object_size (keys));
  json_object_foreach (keys, key, expected)
  {
    const CheckpointTensor *tensor = checkpoint_find (file, key);

    if (tensor == NULL)
      fail_msg ("%s: %s is missing", name, key);
    check_tensor (file, tensor, expected);
  }
  json_decref (keys);
}

static void
test_every_tensor_of_the_golden_checkpoints_has_its_bytes (void **state)
{
  testing_data (folders[0]);
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      check_against_keys (folders[i], "ctclip.pt", "ctclip_keys.json");
      check_against_keys (folders[i], "lipro.pt", "lipro_keys.json");
      check_against_keys (folders[i], "lipro_nested.pt", "lipro_keys.json");
    }
}

/** float32 to the nearest of the type, ties to even, and back. */
static float
rounded (float number, CheckpointType type)
{
  guint32 bits;
  int exponent;

  if (type == CHECKPOINT_BFLOAT16)
    {
      memcpy (&bits, &number, sizeof bits);
      bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
      memcpy (&number, &bits, sizeof number);
    }
  else if (type == CHECKPOINT_FLOAT16)
    {
      /* 11 bits from the first one on, and none below 2^-24. */
      frexpf (number, &exponent);
      exponent = MAX (exponent - 11, -24);
      number = ldexpf (rintf (ldexpf (number, -exponent)), exponent);
    }
  return number;
}

/** Two forms of one checkpoint hold the same numbers, but for their type's rounding, under the same
 * stripped names. */
static void
check_same (const char *folder, const char *name, const char *reference_name)
{
  g_autoptr (Checkpoint) file = open_golden (folder, name);
  g_autoptr (Checkpoint) reference = open_golden (folder, reference_name);
  guint compared = 0;

  for (guint i = 0; i < checkpoint_n_tensors (reference); i++)
    {
      const CheckpointTensor *expected = checkpoint_tensor (reference, i);
      const CheckpointTensor *tensor =
          weight_names_find (file, weight_names_strip (expected->name));
      g_autofree float *a = NULL, *b = NULL;

      if (tensor == NULL)
        continue;
      assert_int_equal (tensor->n_dims, expected->n_dims);
      assert_memory_equal (tensor->shape, expected->shape, sizeof tensor->shape);
      a = read_floats (file, tensor);
      b = read_floats (reference, expected);
      for (gint64 k = 0; k < tensor->n; k++)
        if (a[k] != rounded (b[k], tensor->type))
          fail_msg ("%s: %s[%d] is %g, not %g", name, tensor->name, (int) k, (double) a[k],
                    (double) b[k]);
      compared++;
    }
  /* The forms of one family hold the same keys; CT-CLIP lacks CT-LiPro's classifier. */
  assert_int_equal (compared, MIN (checkpoint_n_tensors (file), checkpoint_n_tensors (reference)));
}

static void
test_every_form_gives_the_same_numbers (void **state)
{
  testing_data (folders[0]);
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      check_same (folders[i], "ctclip_views.pt", "ctclip.pt");
      check_same (folders[i], "ctclip_bf16.pt", "ctclip.pt");
      check_same (folders[i], "ctclip.pt", "lipro.pt");
      check_same (folders[i], "lipro_half.pt", "lipro.pt");
      check_same (folders[i], "lipro_module_prefix.pt", "lipro.pt");
      check_same (folders[i], "lipro_nested.pt", "lipro.pt");
      check_same (folders[i], "lipro.safetensors", "lipro.pt");
    }
}

static void
test_legacy_pickles_are_refused_with_the_way_to_save_them_anew (void **state)
{
  static const char *const names[] = { "lipro_legacy.pt", "ctclip_legacy.pt" };

  testing_data (folders[0]);
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    for (guint k = 0; k < G_N_ELEMENTS (names); k++)
      {
        g_autofree char *relative = golden (folders[i], names[k]);
        const char *path = testing_data (relative);
        g_autofree char *load = g_strdup_printf ("torch.save(torch.load('%s'", path);
        g_autoptr (GError) error = NULL;

        assert_null (checkpoint_open (path, &error));
        assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED));
        assert_error_says (&error, names[k], "legacy", "python3 -c", load, NULL);
      }
}

/* ---- names ---- */

static void
test_a_key_is_found_behind_every_accepted_prefix (void **state)
{
  static const char *const prefixes[] = { "", "trained_model.", "module.", "module.trained_model.",
                                          "trained_model.module." };
  const float number = 1;
  g_autofree char *path = testing_path ("prefixed.safetensors");

  for (guint i = 0; i < G_N_ELEMENTS (prefixes); i++)
    {
      g_autofree char *name = g_strconcat (prefixes[i], "to_visual_latent.weight", NULL);
      const CheckpointItem item = { .name = name, .n_dims = 0, .data = &number };
      g_autoptr (GError) error = NULL;
      g_autoptr (Checkpoint) file = NULL;

      checkpoint_write_safetensors (path, TRUE, &item, 1, NULL, &error);
      assert_no_error (error);
      file = checkpoint_open (path, &error);
      assert_no_error (error);
      assert_string_equal (weight_names_find (file, "to_visual_latent.weight")->name, name);
      assert_null (weight_names_find (file, "visual_latent.weight"));
      assert_string_equal (weight_names_strip (name), "to_visual_latent.weight");
    }
}

/* ---- what we write ---- */

static gboolean
fill_with_index (float *numbers, gsize n, gpointer user_data, GError **error)
{
  for (gsize i = 0; i < n; i++)
    numbers[i] = (float) i;
  return TRUE;
}

static gboolean
fill_with_nothing (float *numbers, gsize n, gpointer user_data, GError **error)
{
  g_set_error_literal (error, CTCLIP_ERROR, CTCLIP_ERROR_FAILED, "there is nothing to write");
  return FALSE;
}

static const float matrix[6] = { 1, 2, 3, 4, 5, 6.5f };
static const CheckpointItem written[] = {
  { .name = "a.weight", .n_dims = 2, .shape = { 2, 3 }, .data = matrix },
  { .name = "empty", .n_dims = 3, .shape = { 2, 0, 3 } },
  { .name = "scalar", .n_dims = 0, .data = matrix + 5 },
  { .name = "filled", .n_dims = 1, .shape = { 70000 }, .fill = fill_with_index },
};
static const char *const metadata[] = { "format", "test", "\"quoted\"", "ä\n", NULL };

static void
check_written (Checkpoint *file)
{
  g_autofree float *a = read_floats (file, checkpoint_find (file, "a.weight"));
  g_autofree float *scalar = read_floats (file, checkpoint_find (file, "scalar"));
  const CheckpointTensor *empty = checkpoint_find (file, "empty"),
                         *filled = checkpoint_find (file, "filled");
  g_autofree float *nothing = read_floats (file, empty);

  assert_memory_equal (a, matrix, sizeof matrix);
  assert_true (scalar[0] == 6.5f);
  assert_int_equal (empty->n, 0);
  assert_int_equal (empty->shape[2], 3);
  if (filled != NULL)
    {
      g_autofree float *numbers = read_floats (file, filled);

      assert_true (numbers[0] == 0 && numbers[69999] == 69999);
    }
}

static void
test_both_written_forms_read_back (void **state)
{
  g_autofree char *zip = testing_path ("written.pt"),
                  *safetensors = testing_path ("written.safetensors");
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = checkpoint_safetensors_bytes (written, 3, metadata);
  g_autoptr (Checkpoint) from_zip = NULL;
  g_autoptr (Checkpoint) from_safetensors = NULL;
  g_autoptr (Checkpoint) from_bytes = NULL;

  checkpoint_write_zip (zip, FALSE, written, 4, &error);
  assert_no_error (error);
  checkpoint_write_safetensors (safetensors, FALSE, written, 4, metadata, &error);
  assert_no_error (error);
  from_zip = checkpoint_open (zip, &error);
  assert_no_error (error);
  from_safetensors = checkpoint_open (safetensors, &error);
  assert_no_error (error);
  from_bytes = checkpoint_open_bytes (bytes, "in memory", &error);
  assert_no_error (error);

  check_written (from_zip);
  check_written (from_safetensors);
  check_written (from_bytes);
  assert_int_equal (checkpoint_n_tensors (from_zip), 4);
  assert_int_equal (checkpoint_n_tensors (from_safetensors), 4);
  assert_int_equal (checkpoint_n_tensors (from_bytes), 3);
  assert_string_equal (checkpoint_path (from_bytes), "in memory");
  assert_null (checkpoint_metadata (from_zip, "format"));
  for (guint i = 0; metadata[i] != NULL; i += 2)
    {
      assert_string_equal (checkpoint_metadata (from_safetensors, metadata[i]), metadata[i + 1]);
      assert_string_equal (checkpoint_metadata (from_bytes, metadata[i]), metadata[i + 1]);
    }
}

/** What PyTorch asks of the zip: aligned storages, and check sums, which it compares. */
static void
test_written_zip_is_aligned_and_has_its_check_sums (void **state)
{
  g_autofree char *path = testing_path ("aligned.pt"), *bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (Checkpoint) file = NULL;
  gsize length;

  checkpoint_write_zip (path, FALSE, written, 4, &error);
  assert_no_error (error);
  file = checkpoint_open (path, &error);
  assert_no_error (error);
  g_file_get_contents (path, &bytes, &length, &error);
  assert_no_error (error);
  for (guint i = 0; i < checkpoint_n_tensors (file); i++)
    {
      const CheckpointEntry *entry = (const CheckpointEntry *) checkpoint_tensor (file, i);
      guint32 crc = (guint32) crc32 (0, (const Bytef *) bytes + entry->position,
                                     (uInt) ((gsize) entry->tensor.n * sizeof (float)));
      g_autofree char *name = g_strdup_printf ("archive/data/%u", i);
      const char *local = memmem (bytes, length, name, strlen (name)) - 30;
      const char *central =
          memmem (local + 31, length - (gsize) (local + 31 - bytes), name, strlen (name)) - 46;

      assert_int_equal (entry->position % 64, 0);
      assert_memory_equal (local, "PK\x03\x04", 4);
      assert_memory_equal (central, "PK\x01\x02", 4);
      assert_memory_equal (local + 14, &crc, 4);
      assert_memory_equal (central + 16, &crc, 4);
    }
}

static void
test_written_safetensors_are_aligned (void **state)
{
  for (guint extra = 0; extra < 8; extra++)
    {
      g_autofree char *value = g_strnfill (extra, 'x');
      const char *const pair[] = { "k", value, NULL };
      g_autoptr (GBytes) bytes = checkpoint_safetensors_bytes (written, 1, pair);
      g_autoptr (GError) error = NULL;
      g_autoptr (Checkpoint) file = checkpoint_open_bytes (bytes, "aligned", &error);

      assert_no_error (error);
      assert_int_equal (((const CheckpointEntry *) checkpoint_tensor (file, 0))->position % 8, 0);
    }
}

static void
test_a_failed_writing_leaves_what_was_there (void **state)
{
  const CheckpointItem items[] = { written[0],
                                   { .name = "x", .n_dims = 0, .fill = fill_with_nothing } };
  g_autofree char *path = testing_write ("kept.pt", "kept", 4), *text = NULL;
  g_autoptr (GError) error = NULL;

  assert_false (checkpoint_write_zip (path, TRUE, items, 2, &error));
  assert_error_says (&error, "nothing to write", NULL);
  assert_false (checkpoint_write_safetensors (path, TRUE, items, 2, NULL, &error));
  assert_error_says (&error, "nothing to write", NULL);
  assert_false (checkpoint_write_zip (path, FALSE, written, 4, &error));
  assert_error_says (&error, "kept.pt", "--force", NULL);
  g_file_get_contents (path, &text, NULL, &error);
  assert_no_error (error);
  assert_string_equal (text, "kept");
}

/* ---- descriptions ---- */

#define DESCRIPTION                                                                                \
  "[encoder]\narchitecture=ctvit\nimage_size=40;20\npatch_size=10\nframes=20\ntemporal_patch_"     \
  "size=5\n"                                                                                       \
  "heads=4\n[preparation]\nspacing_mm=1.5;0.75;0.75\nshape=20;40;20\nhu_min=-1000\nhu_max=1000\n"  \
  "hu_scale=1000\npad=-1\n"

static void
test_description_round_trips (void **state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EncoderDescription) a = encoder_description_parse (DESCRIPTION, "a.ini", &error);
  g_autoptr (EncoderDescription) b = NULL;
  g_autofree char *text = NULL, *again = NULL;

  assert_no_error (error);
  assert_int_equal (a->image_height, 40);
  assert_int_equal (a->image_width, 20);
  assert_int_equal (a->patch_width, 10);
  assert_true (a->spacing_mm[1] == 0.75);
  text = encoder_description_text (a);
  b = encoder_description_parse (text, "b.ini", &error);
  assert_no_error (error);
  again = encoder_description_text (b);
  assert_string_equal (text, again);
  assert_null (strstr (text, "precision")); /* float32 goes without saying */
}

static void
test_description_keeps_the_precision (void **state)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EncoderDescription) a = encoder_description_parse (DESCRIPTION, "a.ini", &error);
  g_autoptr (EncoderDescription) b = NULL;
  g_autofree char *text = NULL;

  assert_no_error (error);
  assert_int_equal (a->precision, ENCODER_FLOAT32);
  a->precision = ENCODER_INT16;
  text = encoder_description_text (a);
  b = encoder_description_parse (text, "b.ini", &error);
  assert_no_error (error);
  assert_int_equal (b->precision, ENCODER_INT16);
}

static void
test_the_shipped_description_is_ct_clip (void **state)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = share_find ("encoders/ct-clip.ini", &error);
  g_autoptr (EncoderDescription) d = NULL;

  assert_no_error (error);
  d = encoder_description_read (path, &error);
  assert_no_error (error);
  assert_string_equal (d->path, path);
  assert_int_equal (d->image_height / d->patch_height, 24);
  assert_int_equal (d->image_width / d->patch_width, 24);
  assert_int_equal (d->frames / d->temporal_patch_size, 24);
  assert_int_equal (d->heads, 8);
  assert_true (d->spacing_mm[0] == 1.5 && d->spacing_mm[2] == 0.75 && d->pad == -1);
  assert_null (encoder_description_read ("/nowhere/x.ini", &error));
  assert_error_says (&error, "/nowhere/x.ini", NULL);
}

static void
test_wrong_descriptions_name_the_key (void **state)
{
  static const struct
  {
    const char *from, *to, *says;
  } faults[] = {
    { "heads=4", "head=4", "head" },
    { "frames=20", "frames=21", "temporal_patch_size" },
    { "patch_size=10\n", "patch_size=9\n", "patch_size" },
    { "architecture=ctvit", "architecture=unet", "architecture" },
    { "hu_max=1000", "hu_max=-2000", "hu_max" },
    { "shape=20;40;20", "shape=20;40;40", "shape" },
    { "pad=-1", "pad=x", "pad" },
    { "[preparation]", "[other]", "[other]" },
    { "[preparation]\n", "", "spacing_mm" },
    { "[encoder]\n", "[preparation]\n", "[encoder] is missing" },
    { "heads=4\n", "", "heads" },
    { "heads=4", "heads=2.5", "heads" },
    { "heads=4", "heads=100000", "heads" },
    { "frames=20", "frames=0", "frames" },
    { "image_size=40;20", "image_size=40;20;20", "image_size" },
    { "hu_scale=1000", "hu_scale=0", "hu_scale" },
    { "image_size=40;20", "image_size=45;20", "patch_size" },
    { "image_size=40;20", "image_size=40;25", "patch_size" },
    { "pad=-1", "pad=nan", "pad" },
    { "shape=20;40;20", "shape=20;20;20", "shape" },
    { "shape=20;40;20", "shape=25;40;20", "shape" },
    { "spacing_mm=1.5;", "spacing_mm=nan;", "spacing_mm" },
    { "spacing_mm=1.5;", "spacing_mm=0;", "spacing_mm" },
    { "heads=4", "heads=4\nprecision=int61", "precision int61" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      g_autoptr (GString) text = g_string_new (DESCRIPTION);
      g_autoptr (GError) error = NULL;

      assert_int_equal (g_string_replace (text, faults[i].from, faults[i].to, 1), 1);
      assert_null (encoder_description_parse (text->str, "wrong.ini", &error));
      assert_error_says (&error, "wrong.ini", faults[i].says, NULL);
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_every_tensor_of_the_golden_checkpoints_has_its_bytes),
    cmocka_unit_test (test_every_form_gives_the_same_numbers),
    cmocka_unit_test (test_legacy_pickles_are_refused_with_the_way_to_save_them_anew),
    cmocka_unit_test (test_a_key_is_found_behind_every_accepted_prefix),
    cmocka_unit_test (test_both_written_forms_read_back),
    cmocka_unit_test (test_written_zip_is_aligned_and_has_its_check_sums),
    cmocka_unit_test (test_written_safetensors_are_aligned),
    cmocka_unit_test (test_a_failed_writing_leaves_what_was_there),
    cmocka_unit_test (test_description_round_trips),
    cmocka_unit_test (test_description_keeps_the_precision),
    cmocka_unit_test (test_the_shipped_description_is_ct_clip),
    cmocka_unit_test (test_wrong_descriptions_name_the_key),
  };

  return cmocka_run_group_tests_name ("checkpoint", tests, NULL, NULL);
}
