#include "testing.h"

#include "base/error.h"
#include "forged_files.h"
#include "model/checkpoint.h"

#include <math.h>
#include <string.h>

/* ---- rare, but right ---- */

static const float twelve[12] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };

static void
test_views_are_read_through_their_offsets_and_strides (void **state)
{
  static const struct
  {
    ForgedTensor tensor;
    guint n;
    float expected[12];
  } views[] = {
    { { "FloatStorage", "0", 12, 6, 2, { 2, 3 }, { 3, 1 } }, 6, { 6, 7, 8, 9, 10, 11 } },
    { { "FloatStorage", "0", 12, 0, 2, { 3, 2 }, { 1, 3 } }, 6, { 0, 3, 1, 4, 2, 5 } },
    { { "FloatStorage", "0", 12, 1, 1, { 4 }, { 3 } }, 4, { 1, 4, 7, 10 } },
    { { "FloatStorage", "0", 12, 5, 2, { 2, 3 }, { 0, 1 } }, 6, { 5, 6, 7, 5, 6, 7 } },
    { { "FloatStorage", "0", 12, 0, 3, { 2, 1, 3 }, { 1, 99, 2 } }, 6, { 0, 2, 4, 1, 3, 5 } },
    { { "FloatStorage", "0", 12, 0, 3, { 2, 2, 3 }, { 1, 6, 2 } },
      12,
      { 0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11 } },
    { { "FloatStorage", "0", 12, 0, 3, { 2, 1, 2 }, { 1, G_MAXINT64, 3 } }, 4, { 0, 3, 1, 4 } },
    { { "FloatStorage", "0", 12, 11, 0, { 0 }, { 0 } }, 1, { 11 } },
    { { "FloatStorage", "0", 12, 3, 1, { 1 }, { G_MAXINT64 } }, 1, { 3 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (views); i++)
    {
      g_autofree char *path = forged_checkpoint ("view.pt", forged_state_dict (&views[i].tensor),
                                                 twelve, sizeof twelve);
      g_autofree float *numbers = forged_read_x (path);

      assert_memory_equal (numbers, views[i].expected, views[i].n * sizeof *numbers);
    }
}

static void
test_every_type_becomes_float (void **state)
{
  static const struct
  {
    const char *storage_type;
    guint size;
    guint8 bytes[16];
    float expected[2];
  } types[] = {
    { "FloatStorage", 4, { 0, 0, 0xc0, 0x3f, 0, 0, 0, 0x80 }, { 1.5f, -0.0f } },
    { "DoubleStorage",
      8,
      { 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0 },
      { 1.5f, -2 } },
    { "HalfStorage", 2, { 0x00, 0x3e, 0x01, 0x80 }, { 1.5f, -0x1p-24f } },
    { "BFloat16Storage", 2, { 0xc0, 0x3f, 0x00, 0xc0 }, { 1.5f, -2 } },
    { "LongStorage",
      8,
      { 3, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
      { 0x1p32f + 3, -1 } },
    { "IntStorage", 4, { 0, 0, 1, 0, 0xfe, 0xff, 0xff, 0xff }, { 65536, -2 } },
    { "ShortStorage", 2, { 0, 1, 0xfd, 0xff }, { 256, -3 } },
    { "CharStorage", 1, { 127, 0x80 }, { 127, -128 } },
    { "ByteStorage", 1, { 127, 0x80 }, { 127, 128 } },
    { "BoolStorage", 1, { 1, 0 }, { 1, 0 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      const ForgedTensor x = { types[i].storage_type, "0", 2, 0, 1, { 2 }, { 1 } };
      g_autofree char *path =
          forged_checkpoint ("type.pt", forged_state_dict (&x), types[i].bytes, 2 * types[i].size);
      g_autofree float *numbers = forged_read_x (path);

      if (memcmp (numbers, types[i].expected, sizeof types[i].expected) != 0)
        fail_msg ("%s: %g %g", types[i].storage_type, (double) numbers[0], (double) numbers[1]);
    }
}

static void
test_every_half_is_what_ieee_754_says (void **state)
{
  const ForgedTensor x = { "HalfStorage", "0", 65536, 0, 1, { 65536 }, { 1 } };
  g_autofree guint16 *halves = g_new (guint16, 65536);
  g_autofree char *path = NULL;
  g_autofree float *numbers = NULL;

  for (guint i = 0; i < 65536; i++)
    halves[i] = GUINT16_TO_LE ((guint16) i);
  path = forged_checkpoint ("halves.pt", forged_state_dict (&x), halves, 2 * 65536);
  numbers = forged_read_x (path);
  for (guint i = 0; i < 65536; i++)
    {
      int exponent = i >> 10 & 31, fraction = i & 1023;
      double size = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
                    : exponent == 0 ? ldexp (fraction, -24)
                                    : ldexp (1024 + fraction, exponent - 25);

      assert_true (isnan (size) ? isnan (numbers[i]) : fabs ((double) numbers[i]) == size);
      assert_int_equal (signbit (numbers[i]) != 0, i >> 15);
    }
}

/* ---- tensors that lie ---- */

static void
test_tensors_outside_their_storage_are_refused_by_name (void **state)
{
  static const ForgedTensor tensors[] = {
    { "FloatStorage", "0", 12, -1, 1, { 2 }, { 1 } },
    { "FloatStorage", "0", 12, 1, 1, { 12 }, { 1 } },
    { "FloatStorage", "0", 12, 13, 1, { 0 }, { 1 } },
    { "FloatStorage", "0", 12, 12, 0, { 0 }, { 0 } },
    { "FloatStorage", "0", 12, 0, 1, { -2 }, { 1 } },
    { "FloatStorage", "0", 12, 0, 2, { 0, -2 }, { 1, 1 } },
    { "FloatStorage", "0", 12, 0, 2, { 0, 3 }, { 1, -5 } },
    { "FloatStorage", "0", 12, 0, 1, { 1 }, { -1 } },
    { "FloatStorage", "0", 12, 11, 1, { 2 }, { -1 } },
    { "FloatStorage", "0", 12, 0, 2, { 2, 2 }, { 11, 1 } },
    { "FloatStorage", "0", 12, 0, 2, { 3, 3 }, { G_MAXINT64, G_MAXINT64 } },
    { "FloatStorage", "0", 12, 0, 2, { 1ll << 62, 4 }, { 0, 0 } },
    { "FloatStorage", "0", 12, 0, 3, { 1ll << 40, 1ll << 40, 0 }, { 1, 1, 1 } },
    { "FloatStorage", "0", 12, G_MAXINT64, 1, { 1 }, { 1 } },
    { "FloatStorage", "0", 13, 0, 1, { 13 }, { 1 } }, /* more than its member holds */
    { "DoubleStorage", "0", 12, 0, 1, { 2 }, { 1 } },
    { "FloatStorage", "0", -1, 0, 1, { 1 }, { 1 } },
    { "FloatStorage", "0", G_MAXINT64, 0, 1, { 1 }, { 1 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (tensors); i++)
    {
      g_autofree char *path =
          forged_checkpoint ("outside.pt", forged_state_dict (&tensors[i]), twelve, sizeof twelve);

      forged_expect_refused (path, CTCLIP_ERROR_CORRUPT,
                             "tensor x: it reaches outside its storage");
    }
}

/** -1 is one byte, 0xff, in a pickle. */
static void
test_a_small_negative_offset_is_not_taken_for_a_positive_one (void **state)
{
  const ForgedTensor x = { "ByteStorage", "0", 300, -1, 1, { 1 }, { 1 } };
  const guint8 bytes[300] = { 0 };
  g_autofree char *path =
      forged_checkpoint ("negative.pt", forged_state_dict (&x), bytes, sizeof bytes);

  forged_expect_refused (path, CTCLIP_ERROR_CORRUPT, "outside its storage");
}

static void
test_storages_that_are_not_there_are_refused (void **state)
{
  const ForgedTensor other = { "FloatStorage", "7", 12, 0, 1, { 12 }, { 1 } };
  const ForgedTensor climbing = { "FloatStorage", "../data.pkl", 1, 0, 1, { 1 }, { 1 } };
  g_autofree char *a =
      forged_checkpoint ("other.pt", forged_state_dict (&other), twelve, sizeof twelve);
  g_autofree char *b =
      forged_checkpoint ("climbing.pt", forged_state_dict (&climbing), twelve, sizeof twelve);

  forged_expect_refused (a, CTCLIP_ERROR_CORRUPT, "its numbers are missing");
  forged_expect_refused (b, CTCLIP_ERROR_CORRUPT, "its numbers are missing");
}

static void
test_a_repeated_element_does_not_fill_the_memory (void **state)
{
  const ForgedTensor x = { "FloatStorage", "0", 12, 0, 2, { 1 << 20, 1 << 20 }, { 0, 0 } };
  g_autofree char *path =
      forged_checkpoint ("repeated.pt", forged_state_dict (&x), twelve, sizeof twelve);
  g_autoptr (GError) error = NULL;
  g_autoptr (Checkpoint) file = checkpoint_open (path, &error);

  assert_no_error (error);
  assert_null (checkpoint_read_float (file, checkpoint_find (file, "x"), &error));
  assert_error_says (&error, "repeated.pt", "tensor x", "contiguous", NULL);
}

static void
test_names_that_mislead_are_refused (void **state)
{
  const ForgedTensor x = { "FloatStorage", "0", 12, 0, 1, { 12 }, { 1 } };
  GString *twice = g_string_new ("\x80\x02}("), *coloured = g_string_new ("\x80\x02}");
  g_autofree char *a = NULL, *b = NULL;

  forged_text (twice, "x");
  forged_tensor (twice, &x);
  forged_text (twice, "x");
  forged_tensor (twice, &x);
  g_string_append (twice, "u.");
  forged_text (coloured, "\033[31mx");
  forged_tensor (coloured, &x);
  g_string_append (coloured, "s.");
  a = forged_checkpoint ("twice.pt", twice, twelve, sizeof twelve);
  b = forged_checkpoint ("coloured.pt", coloured, twelve, sizeof twelve);
  forged_expect_refused (a, CTCLIP_ERROR_CORRUPT, "two tensors are called x");
  forged_expect_refused (b, CTCLIP_ERROR_CORRUPT, "\\033[31mx");
}

/* ---- pickles ---- */

static void
test_pickles_that_would_run_code_are_refused_by_name (void **state)
{
  static const struct
  {
    const char *module, *name;
  } globals[] = {
    { "posix", "system" },
    { "os", "system" },
    { "builtins", "eval" },
    { "__builtin__", "apply" },
    { "torch.storage", "_load_from_bytes" },
    { "torch", "load" },
    { "torch._utils", "_rebuild_tensor" },
    { "torch", "FloatStorage.from_file" },
    { "numpy.core.multiarray", "_reconstruct" },
    { "runpy", "_run_code" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (globals); i++)
    {
      GString *line = g_string_new ("\x80\x02"), *stacked = g_string_new ("\x80\x04");
      g_autofree char *full = g_strconcat (globals[i].module, ".", globals[i].name, NULL);
      g_autofree char *says = g_strconcat ("refers to ", full, ", which", NULL);
      g_autofree char *a = NULL, *b = NULL;

      g_string_append_printf (line, "c%s\n%s\n", globals[i].module, globals[i].name);
      forged_text (line, "touch forged");
      g_string_append (line, "\x85R.");
      forged_text (stacked, globals[i].module);
      forged_text (stacked, globals[i].name);
      g_string_append (stacked, "\x93");
      forged_text (stacked, "touch forged");
      g_string_append (stacked, "\x85R.");
      a = forged_checkpoint ("line.pt", line, NULL, 0);
      b = forged_checkpoint ("stacked.pt", stacked, NULL, 0);
      forged_expect_refused (a, CTCLIP_ERROR_UNSUPPORTED, says);
      forged_expect_refused (b, CTCLIP_ERROR_UNSUPPORTED, says);
    }
}

static void
test_a_forbidden_name_cannot_write_to_the_terminal (void **state)
{
  g_autofree char *path = forged_checkpoint ("escape.pt",
                                             g_string_new ("\x80\x02"
                                                           "cos\nsys\033[2Jtem\n."),
                                             NULL, 0);

  forged_expect_refused (path, CTCLIP_ERROR_UNSUPPORTED, "os.sys\\033[2Jtem");
}

static void
test_malformed_pickles_are_errors_and_no_crash (void **state)
{
  static const struct
  {
    const char *bytes, *says;
  } pickles[] = {
    { "\x80\x02", "ends too early" },
    { "\x80\x02.", "empty stack" },
    { "\x80\x02}.", "no state dict" },
    { "\x80\x02]K\x01"
      "a.",
      "no state dict" },
    { "\x80\x02K\x01.", "no state dict" },
    { "\x80\x02t.", "mark" },
    { "\x80\x02(u.", "does not build" },
    { "\x80\x02}(K\x01u.", "without a value" },
    { "\x80\x02\x87.", "empty stack" },
    { "\x80\x02h\x07.", "never kept" },
    { "\x80\x02q\x07.", "empty stack" },
    { "\x80\x02X\xff\xff\xff\x7f"
      "abc.",
      "ends too early" },
    { "\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
      "abc.",
      "ends too early" },
    { "\x80\x02\x8a\x09"
      "123456789.",
      "impossible number" },
    { "\x80\x02K\x01Q.", "no storage" },
    { "\x80\x02(\x8c\x07storageK\x01K\x01K\x01K\x01tQ.", "no storage" },
    { "\x80\x02\xff.", "opcode 0xff" },
    { "\x80\x02"
      "K\x01K\x01R.",
      "no global" },
    { "\x80\x02"
      "ccollections\nOrderedDict\nK\x01R.",
      "no global" },
    { "\x80\x02"
      "ccollections\nOrderedDict\n(K\x01tR.",
      "form that is not known" },
    { "\x80\x02"
      "ctorch\nSize\n)R.",
      "form that is not known" },
    { "\x80\x02"
      "ctorch\nFloatStorage\n)R.",
      "form that is not known" },
    { "\x80\x02"
      "ctorch._utils\n_rebuild_tensor_v2\n)R.",
      "form that is not known" },
    { "\x80\x02"
      "ctorch._utils\n_rebuild_parameter\n)R.",
      "form that is not known" },
    { "\x80\x02K\x01K\x01"
      "b.",
      "does not build" },
    { "\x80\x02K\x01K\x01\x93.", "names no global" },
    { "\x80\x02"
      "ccollections",
      "endless name" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (pickles); i++)
    {
      g_autofree char *path =
          forged_checkpoint ("malformed.pt", g_string_new (pickles[i].bytes), NULL, 0);
      g_autoptr (GError) error = NULL;

      if (checkpoint_open (path, &error) != NULL)
        fail_msg ("pickle %u was accepted", i);
      assert_error_says (&error, "malformed.pt", pickles[i].says, NULL);
    }
}

static void
test_tensors_of_too_many_dimensions_are_refused (void **state)
{
  const ForgedTensor x = { "FloatStorage", "0", 12, 0, 9, { 1, 1, 1, 1, 1, 1, 1, 1, 1 }, { 1 } };
  g_autofree char *path =
      forged_checkpoint ("nine.pt", forged_state_dict (&x), twelve, sizeof twelve);

  forged_expect_refused (path, CTCLIP_ERROR_CORRUPT, "form that is not known");
}

/** Values within values, without end, refer to each other; nothing here walks into them. */
static void
test_bombs_do_not_go_off (void **state)
{
  GString *deep = g_string_new ("\x80\x02"), *wide = g_string_new ("\x80\x02)q"),
          *self = g_string_new ("\x80\x02}q"), *long_one = g_string_new ("\x80\x02");
  g_autofree char *path = NULL;

  for (guint i = 0; i < 500000; i++)
    g_string_append_c (deep, ']');
  for (guint i = 1; i < 500000; i++)
    g_string_append_c (deep, 'a');
  g_string_append_c (deep, '.');
  path = forged_checkpoint ("deep.pt", deep, NULL, 0);
  forged_expect_refused (path, CTCLIP_ERROR_UNSUPPORTED, "no state dict");
  g_free (path);

  /* Each tuple holds the one before it twice: 2^10000 values to one who copies. */
  g_string_append_len (wide, "\0", 1);
  for (guint i = 0; i < 10000; i++)
    g_string_append_len (wide, "h\0\x86q\0", 5);
  g_string_append_c (wide, '.');
  path = forged_checkpoint ("wide.pt", wide, NULL, 0);
  forged_expect_refused (path, CTCLIP_ERROR_UNSUPPORTED, "no state dict");
  g_free (path);

  /* A dictionary that is its own `state_dict`. */
  g_string_append_len (self, "\0", 1);
  forged_text (self, "state_dict");
  g_string_append_len (self, "h\0s.", 4);
  path = forged_checkpoint ("self.pt", self, NULL, 0);
  forged_expect_refused (path, CTCLIP_ERROR_UNSUPPORTED, "no state dict");
  g_free (path);

  for (guint i = 0; i < 5000000; i++)
    g_string_append_c (long_one, 'N');
  path = forged_checkpoint ("long.pt", long_one, NULL, 0);
  forged_expect_refused (path, CTCLIP_ERROR_CORRUPT, "longer than any state dict's");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_views_are_read_through_their_offsets_and_strides),
    cmocka_unit_test (test_every_type_becomes_float),
    cmocka_unit_test (test_every_half_is_what_ieee_754_says),
    cmocka_unit_test (test_tensors_outside_their_storage_are_refused_by_name),
    cmocka_unit_test (test_a_small_negative_offset_is_not_taken_for_a_positive_one),
    cmocka_unit_test (test_storages_that_are_not_there_are_refused),
    cmocka_unit_test (test_a_repeated_element_does_not_fill_the_memory),
    cmocka_unit_test (test_names_that_mislead_are_refused),
    cmocka_unit_test (test_pickles_that_would_run_code_are_refused_by_name),
    cmocka_unit_test (test_a_forbidden_name_cannot_write_to_the_terminal),
    cmocka_unit_test (test_malformed_pickles_are_errors_and_no_crash),
    cmocka_unit_test (test_tensors_of_too_many_dimensions_are_refused),
    cmocka_unit_test (test_bombs_do_not_go_off),
  };

  return cmocka_run_group_tests_name ("forged pickles", tests, NULL, NULL);
}
