#include "testing.h"

#include "base/error.h"
#include "model/checkpoint.h"
#include "model/description.h"
#include "model/weight_names.h"

#include <math.h>
#include <string.h>

/* ---- golden files ---- */

/** SHA-256 of a float32 tensor's bytes. */
static char *
sha256 (Checkpoint *file, const CheckpointTensor *tensor)
{
  g_autoptr (GError) error = NULL;
  g_autofree float *numbers = checkpoint_read_float (file, tensor, &error);

  assert_no_error (error);
  return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) numbers,
                                      (gsize) tensor->n * sizeof *numbers);
}

/** Every key of the list is in the file with its shape and its very bytes. */
static void
check_against_keys (const char *path, const char *keys_path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Checkpoint) file = checkpoint_open (testing_data (path), &error);
  json_t *keys = testing_json (keys_path);
  const char *name;
  json_t *golden;
  guint compared = 0;

  assert_no_error (error);
  assert_int_equal (checkpoint_n_tensors (file), json_object_size (keys));
  json_object_foreach (keys, name, golden)
  {
    const CheckpointTensor *tensor = checkpoint_find (file, name);
    const json_t *shape = json_object_get (golden, "shape");
    g_autofree char *hash = NULL;

    if (tensor == NULL)
      fail_msg ("%s is missing", name);
    assert_int_equal (tensor->n_dims, json_array_size (shape));
    for (guint i = 0; i < tensor->n_dims; i++)
      assert_int_equal (tensor->shape[i], json_integer_value (json_array_get (shape, i)));
    if (tensor->type != CHECKPOINT_FLOAT32)
      continue;
    hash = sha256 (file, tensor);
    assert_string_equal (hash, json_string_value (json_object_get (golden, "sha256")));
    compared++;
  }
  assert_true (compared > 100);
  json_decref (keys);
}

static void
test_every_tensor_of_the_golden_checkpoints_has_its_bytes (void **state)
{
  static const char *const folders[] = { "golden/tiny_a", "golden/tiny_c_neartie" };

  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *ctclip = g_build_filename (folders[i], "ctclip.pt", NULL);
      g_autofree char *ctclip_keys = g_build_filename (folders[i], "ctclip_keys.json", NULL);
      g_autofree char *lipro = g_build_filename (folders[i], "lipro.pt", NULL);
      g_autofree char *lipro_keys = g_build_filename (folders[i], "lipro_keys.json", NULL);
      g_autofree char *nested = g_build_filename (folders[i], "lipro_nested.pt", NULL);

      check_against_keys (ctclip, ctclip_keys);
      check_against_keys (lipro, lipro_keys);
      check_against_keys (nested, lipro_keys);
    }
}

/** Two forms of one checkpoint hold the same numbers under the same stripped names. */
static void
check_same (const char *path, const char *reference, double tolerance)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Checkpoint) file = checkpoint_open (testing_data (path), &error);
  g_autoptr (Checkpoint) golden = NULL;
  guint compared = 0;

  assert_no_error (error);
  golden = checkpoint_open (testing_data (reference), &error);
  assert_no_error (error);
  for (guint i = 0; i < checkpoint_n_tensors (golden); i++)
    {
      const CheckpointTensor *expected = checkpoint_tensor (golden, i);
      const CheckpointTensor *tensor =
          weight_names_find (file, weight_names_strip (expected->name));
      g_autofree float *a = NULL, *b = NULL;

      if (tensor == NULL || expected->type != CHECKPOINT_FLOAT32)
        continue;
      assert_int_equal (tensor->n, expected->n);
      a = checkpoint_read_float (file, tensor, &error);
      assert_no_error (error);
      b = checkpoint_read_float (golden, expected, &error);
      for (gint64 k = 0; k < tensor->n; k++)
        if (!(fabs ((double) a[k] - b[k]) <= tolerance * MAX (1, fabs ((double) b[k]))))
          fail_msg ("%s: %s[%d] is %g, not %g", path, tensor->name, (int) k, (double) a[k],
                    (double) b[k]);
      compared++;
    }
  assert_true (compared > 90);
}

static void
test_views_prefixes_nesting_and_safetensors_give_the_same_numbers (void **state)
{
  check_same ("golden/tiny_a/ctclip_views.pt", "golden/tiny_a/ctclip.pt", 0);
  check_same ("golden/tiny_a/lipro_module_prefix.pt", "golden/tiny_a/lipro.pt", 0);
  check_same ("golden/tiny_a/lipro_nested.pt", "golden/tiny_a/lipro.pt", 0);
  check_same ("golden/tiny_a/lipro.safetensors", "golden/tiny_a/lipro.pt", 0);
  check_same ("golden/tiny_a/ctclip.pt", "golden/tiny_a/lipro.pt", 0);
}

static void
test_half_and_bfloat16_are_rounded_and_no_more (void **state)
{
  check_same ("golden/tiny_a/lipro_half.pt", "golden/tiny_a/lipro.pt", 0x1p-11);
  check_same ("golden/tiny_a/ctclip_bf16.pt", "golden/tiny_a/ctclip.pt", 0x1p-8);
}

static void
test_legacy_pickles_are_refused_with_the_way_to_save_them_anew (void **state)
{
  g_autoptr (GError) error = NULL;

  assert_null (checkpoint_open (testing_data ("golden/tiny_a/lipro_legacy.pt"), &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_UNSUPPORTED));
  assert_error_says (&error, "lipro_legacy.pt", "legacy", "torch.save(torch.load('", NULL);
  assert_null (checkpoint_open (testing_data ("golden/tiny_a/ctclip_legacy.pt"), &error));
  assert_error_says (&error, "ctclip_legacy.pt", "torch.save", NULL);
}

/* ---- what we write ---- */

static gboolean
fill_with_index (float *numbers, gsize n, gpointer user_data, GError **error)
{
  for (gsize i = 0; i < n; i++)
    numbers[i] = (float) i;
  return TRUE;
}

static void
test_both_written_forms_read_back (void **state)
{
  const float matrix[6] = { 1, 2, 3, 4, 5, 6.5f };
  const CheckpointItem items[] = {
    { .name = "a.weight", .n_dims = 2, .shape = { 2, 3 }, .data = matrix },
    { .name = "empty", .n_dims = 3, .shape = { 2, 0, 3 }, .data = matrix },
    { .name = "scalar", .n_dims = 0, .data = matrix + 5 },
    { .name = "filled", .n_dims = 1, .shape = { 70000 }, .fill = fill_with_index },
  };
  const char *const metadata[] = { "format", "test", NULL };
  g_autofree char *zip = testing_path ("written.pt"),
                  *safetensors = testing_path ("written.safetensors");
  const char *paths[] = { zip, safetensors };
  g_autoptr (GError) error = NULL;

  checkpoint_write_zip (zip, FALSE, items, 4, &error);
  assert_no_error (error);
  checkpoint_write_safetensors (safetensors, FALSE, items, 3, metadata, &error);
  assert_no_error (error);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (Checkpoint) file = checkpoint_open (paths[i], &error);
      g_autofree float *a = NULL, *scalar = NULL, *filled = NULL;

      assert_no_error (error);
      a = checkpoint_read_float (file, checkpoint_find (file, "a.weight"), &error);
      scalar = checkpoint_read_float (file, checkpoint_find (file, "scalar"), &error);
      assert_no_error (error);
      assert_memory_equal (a, matrix, sizeof matrix);
      assert_true (scalar[0] == 6.5f);
      assert_int_equal (checkpoint_find (file, "empty")->n, 0);
      if (i == 1)
        assert_string_equal (checkpoint_metadata (file, "format"), "test");
      else
        {
          filled = checkpoint_read_float (file, checkpoint_find (file, "filled"), &error);
          assert_true (filled[69999] == 69999);
        }
    }
}

/* ---- hostile files ---- */

/** A zip of one stored member "archive/data.pkl" (and optionally a storage) around a pickle, by our
 * own writer. */
static char *
forge (const char *name, const char *pickle, gsize size)
{
  const float numbers[64] = { 0 };
  const CheckpointItem item = { .name = "x", .n_dims = 1, .shape = { 64 }, .data = numbers };
  g_autofree char *path = testing_path ("base.pt");
  g_autofree char *bytes = NULL;
  g_autoptr (GError) error = NULL;
  gsize length, start, room;
  const char *found;

  checkpoint_write_zip (path, TRUE, &item, 1, &error);
  assert_no_error (error);
  g_file_get_contents (path, &bytes, &length, &error);
  assert_no_error (error);
  /* The pickle begins with PROTO 2 and ends before the next member; what is left of it is filled
   * with stops. */
  found = memmem (bytes, length, "\x80\x02", 2);
  start = (gsize) (found - bytes);
  room = (gsize) ((const char *) memmem (found, length - start, "PK\x03\x04", 4) - found);
  assert_true (size <= room);
  memset (bytes + start, '.', room);
  memcpy (bytes + start, pickle, size);
  return testing_write (name, bytes, length);
}

static void
test_pickles_that_would_run_code_are_refused_by_name (void **state)
{
  static const char system_call[] = "\x80\x02"
                                    "cposix\nsystem\nX\x04\x00\x00\x00"
                                    "true"
                                    "\x85R.";
  static const char eval_call[] = "\x80\x04\x8c\x08"
                                  "builtins"
                                  "\x8c\x04"
                                  "eval"
                                  "\x93)R.";
  g_autofree char *a = forge ("system.pt", system_call, sizeof system_call - 1);
  g_autofree char *b = forge ("eval.pt", eval_call, sizeof eval_call - 1);
  g_autoptr (GError) error = NULL;

  assert_null (checkpoint_open (a, &error));
  assert_error_says (&error, "system.pt", "posix.system", "never run", NULL);
  assert_null (checkpoint_open (b, &error));
  assert_error_says (&error, "eval.pt", "builtins.eval", NULL);
}

static void
test_malformed_pickles_are_errors_and_no_crash (void **state)
{
  static const struct
  {
    const char *bytes;
    gsize size;
  } pickles[] = {
#define PICKLE(text) { text, sizeof text - 1 }
    PICKLE ("\x80\x02."),         /* nothing on the stack */
    PICKLE ("\x80\x02}."),        /* an empty dictionary */
    PICKLE ("\x80\x02t."),        /* a tuple without a mark */
    PICKLE ("\x80\x02}(K\x01u."), /* a key without a value */
    PICKLE ("\x80\x02h\x07."),    /* recalls what was never kept */
    PICKLE ("\x80\x02X\xff\xff\xff\x7f"
            "abc"),             /* a text longer than the file */
    PICKLE ("\x80\x02K\x01Q."), /* a persistent id that is no tuple */
    PICKLE ("\x80\x02\xff."),   /* an unknown opcode */
    PICKLE ("\x80\x02"
            "ccollections\nOrderedDict\nK\x01R."),
    PICKLE ("\x80\x02"
            "ctorch._utils\n_rebuild_tensor_v2\n)R."),
#undef PICKLE
  };

  for (guint i = 0; i < G_N_ELEMENTS (pickles); i++)
    {
      g_autofree char *path = forge ("malformed.pt", pickles[i].bytes, pickles[i].size);
      g_autoptr (GError) error = NULL;

      assert_null (checkpoint_open (path, &error));
      assert_error_says (&error, "malformed.pt", NULL);
    }
}

static void
test_truncated_and_foreign_files_are_refused (void **state)
{
  const float numbers[4096] = { 1 };
  const CheckpointItem item = { .name = "x", .n_dims = 1, .shape = { 4096 }, .data = numbers };
  g_autofree char *path = testing_path ("whole.pt"), *empty = testing_write ("empty.pt", "", 0);
  g_autofree char *text = testing_write ("text.pt", "not a checkpoint at all", 23), *bytes = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  checkpoint_write_zip (path, TRUE, &item, 1, &error);
  g_file_get_contents (path, &bytes, &length, &error);
  assert_no_error (error);
  for (gsize cut = 0; cut < length; cut += length / 50)
    {
      g_autofree char *truncated = testing_write ("cut.pt", bytes, cut);

      assert_null (checkpoint_open (truncated, &error));
      assert_error_says (&error, "cut.pt", NULL);
    }
  assert_null (checkpoint_open (empty, &error));
  assert_error_says (&error, "empty", NULL);
  assert_null (checkpoint_open (text, &error));
  assert_error_says (&error, "text.pt", "neither", NULL);
  assert_null (checkpoint_open (testing_directory (), &error));
  assert_error_says (&error, "not a file", NULL);
  assert_null (checkpoint_open ("/nowhere/x.pt", &error));
  assert_error_says (&error, "/nowhere/x.pt", NULL);
}

static char *
write_safetensors (const char *header)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint64 length = GUINT64_TO_LE ((guint64) strlen (header));
  guint8 data[32] = { 0 };

  g_byte_array_append (bytes, (const guint8 *) &length, 8);
  g_byte_array_append (bytes, (const guint8 *) header, (guint) strlen (header));
  g_byte_array_append (bytes, data, sizeof data);
  return testing_write ("forged.safetensors", bytes->data, bytes->len);
}

static void
test_safetensors_with_impossible_places_are_refused (void **state)
{
  static const char *const headers[] = {
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[8],\"data_offsets\":[0,32]},\"b\":{\"dtype\":\"F32\","
    "\"shape\":[1],\"data_offsets\":[28,32]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[0,36]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,32]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}",
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}",
    "{\"a\":{\"dtype\":\"Q99\",\"shape\":[1],\"data_offsets\":[0,4]}}",
    "{\"a\":7}",
    "{\"a\":",
  };

  for (guint i = 0; i < G_N_ELEMENTS (headers); i++)
    {
      g_autofree char *path = write_safetensors (headers[i]);
      g_autoptr (GError) error = NULL;

      if (checkpoint_open (path, &error) != NULL)
        fail_msg ("%s was accepted", headers[i]);
      assert_error_says (&error, "forged.safetensors", NULL);
    }
}

static void
test_damage_anywhere_never_reads_outside (void **state)
{
  gsize length;
  g_autofree char *bytes = NULL;
  g_autoptr (GError) error = NULL;
  const float numbers[64] = { 1 };
  const CheckpointItem items[] = { { .name = "x", .n_dims = 2, .shape = { 8, 8 }, .data = numbers },
                                   { .name = "y", .n_dims = 1, .shape = { 64 }, .data = numbers } };
  g_autofree char *path = testing_path ("damage.pt");

  checkpoint_write_zip (path, TRUE, items, 2, &error);
  g_file_get_contents (path, &bytes, &length, &error);
  assert_no_error (error);
  /* Under ASan a read outside would end the program. */
  for (gsize i = 0; i < length; i++)
    {
      char saved = bytes[i];
      g_autoptr (GBytes) copy = NULL;
      g_autoptr (Checkpoint) file = NULL;

      bytes[i] = (char) ~saved;
      copy = g_bytes_new_static (bytes, length);
      file = checkpoint_open_bytes (copy, "damage", NULL);
      for (guint t = 0; file != NULL && t < checkpoint_n_tensors (file); t++)
        g_free (checkpoint_read_float (file, checkpoint_tensor (file, t), NULL));
      bytes[i] = saved;
    }
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
    { "[preparation]", "[other]", "preparation" },
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
    cmocka_unit_test (test_views_prefixes_nesting_and_safetensors_give_the_same_numbers),
    cmocka_unit_test (test_half_and_bfloat16_are_rounded_and_no_more),
    cmocka_unit_test (test_legacy_pickles_are_refused_with_the_way_to_save_them_anew),
    cmocka_unit_test (test_both_written_forms_read_back),
    cmocka_unit_test (test_pickles_that_would_run_code_are_refused_by_name),
    cmocka_unit_test (test_malformed_pickles_are_errors_and_no_crash),
    cmocka_unit_test (test_truncated_and_foreign_files_are_refused),
    cmocka_unit_test (test_safetensors_with_impossible_places_are_refused),
    cmocka_unit_test (test_damage_anywhere_never_reads_outside),
    cmocka_unit_test (test_description_round_trips),
    cmocka_unit_test (test_wrong_descriptions_name_the_key),
  };

  return cmocka_run_group_tests_name ("checkpoint", tests, NULL, NULL);
}
