#include "testing.h"

#include "base/error.h"
#include "forged_files.h"
#include "model/checkpoint.h"

#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
expect_refused (const char *path, CtclipError code, const char *says)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = g_path_get_basename (path);

  if (checkpoint_open (path, &error) != NULL)
    fail_msg ("%s was accepted; it should be refused with '%s'", name, says);
  assert_true (g_error_matches (error, CTCLIP_ERROR, (int) code));
  assert_error_says (&error, name, says, NULL);
}

/** The only tensor of a file that is to be accepted. */
static float *
read_x (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Checkpoint) file = checkpoint_open (path, &error);
  float *numbers;

  assert_no_error (error);
  assert_int_equal (checkpoint_n_tensors (file), 1);
  numbers = checkpoint_read_float (file, checkpoint_find (file, "x"), &error);
  assert_no_error (error);
  return numbers;
}

/* ---- rare, but right ---- */

static const float twelve[12] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };

static void
test_zip64_is_read (void **state)
{
  const ForgedTensor x = { "FloatStorage", "0", 12, 0, 1, { 12 }, { 1 } };
  g_autoptr (GString) pickle = forged_state_dict (&x);
  const ForgedMember members[] = {
    { .name = "a/data.pkl", .data = pickle->str, .size = pickle->len },
    { .name = "a/byteorder", .data = "little", .size = 6 },
    { .name = "a/data/0", .data = twelve, .size = sizeof twelve },
  };
  const ForgedArchive zip64 = { .zip64 = TRUE };
  g_autofree char *path = forged_zip ("zip64.pt", members, 3, &zip64);
  g_autofree float *numbers = read_x (path);

  assert_memory_equal (numbers, twelve, sizeof twelve);
}

static void
test_views_are_read_through_their_offsets_and_strides (void **state)
{
  static const struct
  {
    ForgedTensor tensor;
    guint n;
    float expected[6];
  } views[] = {
    { { "FloatStorage", "0", 12, 6, 2, { 2, 3 }, { 3, 1 } }, 6, { 6, 7, 8, 9, 10, 11 } },
    { { "FloatStorage", "0", 12, 0, 2, { 3, 2 }, { 1, 3 } }, 6, { 0, 3, 1, 4, 2, 5 } },
    { { "FloatStorage", "0", 12, 1, 1, { 4 }, { 3 } }, 4, { 1, 4, 7, 10 } },
    { { "FloatStorage", "0", 12, 5, 2, { 2, 3 }, { 0, 1 } }, 6, { 5, 6, 7, 5, 6, 7 } },
    { { "FloatStorage", "0", 12, 0, 3, { 2, 1, 3 }, { 1, 99, 2 } }, 6, { 0, 2, 4, 1, 3, 5 } },
    { { "FloatStorage", "0", 12, 11, 0, { 0 }, { 0 } }, 1, { 11 } },
    { { "FloatStorage", "0", 12, 3, 1, { 1 }, { G_MAXINT64 } }, 1, { 3 } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (views); i++)
    {
      g_autofree char *path = forged_checkpoint ("view.pt", forged_state_dict (&views[i].tensor),
                                                 twelve, sizeof twelve);
      g_autofree float *numbers = read_x (path);

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
      g_autofree float *numbers = read_x (path);

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
  numbers = read_x (path);
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

      expect_refused (path, CTCLIP_ERROR_CORRUPT, "tensor x: it reaches outside its storage");
    }
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

  expect_refused (a, CTCLIP_ERROR_CORRUPT, "its numbers are missing");
  expect_refused (b, CTCLIP_ERROR_CORRUPT, "its numbers are missing");
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
  expect_refused (a, CTCLIP_ERROR_CORRUPT, "two tensors are called x");
  expect_refused (b, CTCLIP_ERROR_CORRUPT, "\\033[31mx");
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
      expect_refused (a, CTCLIP_ERROR_UNSUPPORTED, says);
      expect_refused (b, CTCLIP_ERROR_UNSUPPORTED, says);
    }
}

static void
test_a_forbidden_name_cannot_write_to_the_terminal (void **state)
{
  g_autofree char *path = forged_checkpoint ("escape.pt",
                                             g_string_new ("\x80\x02"
                                                           "cos\nsys\033[2Jtem\n."),
                                             NULL, 0);

  expect_refused (path, CTCLIP_ERROR_UNSUPPORTED, "os.sys\\033[2Jtem");
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

  expect_refused (path, CTCLIP_ERROR_CORRUPT, "form that is not known");
}

/** Values within values, without end, refer to each other; nothing here walks into them. */
static void
test_bombs_do_not_go_off (void **state)
{
  GString *deep = g_string_new ("\x80\x02"), *wide = g_string_new ("\x80\x02)q"),
          *self = g_string_new ("\x80\x02}q"), *long_one = g_string_new ("\x80\x02");
  g_autofree char *path = NULL;

  for (guint i = 0; i < 1000000; i++)
    g_string_append_c (deep, ']');
  for (guint i = 1; i < 1000000; i++)
    g_string_append_c (deep, 'a');
  g_string_append_c (deep, '.');
  path = forged_checkpoint ("deep.pt", deep, NULL, 0);
  expect_refused (path, CTCLIP_ERROR_UNSUPPORTED, "no state dict");
  g_free (path);

  /* Each tuple holds the one before it twice: 2^10000 values to one who copies. */
  g_string_append_len (wide, "\0", 1);
  for (guint i = 0; i < 10000; i++)
    g_string_append_len (wide, "h\0\x86q\0", 5);
  g_string_append_c (wide, '.');
  path = forged_checkpoint ("wide.pt", wide, NULL, 0);
  expect_refused (path, CTCLIP_ERROR_UNSUPPORTED, "no state dict");
  g_free (path);

  /* A dictionary that is its own `state_dict`. */
  g_string_append_len (self, "\0", 1);
  forged_text (self, "state_dict");
  g_string_append_len (self, "h\0s.", 4);
  path = forged_checkpoint ("self.pt", self, NULL, 0);
  expect_refused (path, CTCLIP_ERROR_UNSUPPORTED, "no state dict");
  g_free (path);

  for (guint i = 0; i < 5000000; i++)
    g_string_append_c (long_one, 'N');
  path = forged_checkpoint ("long.pt", long_one, NULL, 0);
  expect_refused (path, CTCLIP_ERROR_CORRUPT, "longer than any state dict's");
}

/* ---- archives ---- */

static void
test_archives_that_lie_are_refused (void **state)
{
  static const struct
  {
    const char *says;
    CtclipError code;
    ForgedArchive archive;
    ForgedMember storage;
  } lies[] = {
    { "archive/data/0 is compressed or encrypted", CTCLIP_ERROR_UNSUPPORTED, .storage.method = 8 },
    { "archive/data/0 is compressed or encrypted", CTCLIP_ERROR_UNSUPPORTED, .storage.flags = 1 },
    { "archive/data/0 reaches past the end", CTCLIP_ERROR_CORRUPT,
      .storage.claimed_size = 0xfffffff0 },
    { "archive/data/0 and the table of contents overlap", CTCLIP_ERROR_CORRUPT,
      .storage.claimed_size = sizeof twelve + 1 },
    { "overlap", CTCLIP_ERROR_CORRUPT, .storage.points_to = "archive/data.pkl" },
    { "archive/data/0 is not where", CTCLIP_ERROR_CORRUPT, .storage.header_shift = 1 },
    { "ends too early", CTCLIP_ERROR_CORRUPT, .storage.header_shift = 1 << 30 },
    { "table of contents cannot be read", CTCLIP_ERROR_CORRUPT, .archive.directory_shift = 1 },
    { "ends too early", CTCLIP_ERROR_CORRUPT, .archive.directory_shift = 1 << 30 },
    { "impossible size", CTCLIP_ERROR_CORRUPT, .archive.claimed_members = 60000 },
    { "its table of contents", CTCLIP_ERROR_CORRUPT, .archive.claimed_members = 1 },
    { "its numbers are missing", CTCLIP_ERROR_CORRUPT, .archive.claimed_members = -1 },
    { "two members are called archive/data.pkl", CTCLIP_ERROR_CORRUPT,
      .storage.name = "archive/data.pkl" },
    { "impossible name", CTCLIP_ERROR_CORRUPT, .storage.name = "archive/\033]0;data" },
    { "impossible name", CTCLIP_ERROR_CORRUPT, .storage.name = "archive/\xff\xfe" },
    { "big-endian", CTCLIP_ERROR_UNSUPPORTED, .storage.name = "archive/byteorder" },
  };
  const ForgedTensor x = { "FloatStorage", "0", 12, 0, 1, { 12 }, { 1 } };
  g_autoptr (GString) pickle = forged_state_dict (&x);

  for (guint zip64 = 0; zip64 < 2; zip64++)
    for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
      {
        ForgedArchive archive = lies[i].archive;
        ForgedMember members[] = {
          { .name = "archive/data.pkl", .data = pickle->str, .size = pickle->len },
          lies[i].storage,
        };
        g_autofree char *path = NULL;

        archive.zip64 = zip64;
        members[1].data = twelve;
        members[1].size = sizeof twelve;
        if (members[1].name == NULL)
          members[1].name = "archive/data/0";
        path = forged_zip ("lie.pt", members, 2, &archive);
        expect_refused (path, lies[i].code, lies[i].says);
      }
}

static void
test_archives_of_other_things_are_refused (void **state)
{
  const ForgedMember member = { .name = "readme.txt", .data = "text", .size = 4 };
  const ForgedArchive honest = { 0 };
  g_autofree char *other = forged_zip ("other.zip", &member, 1, &honest);

  expect_refused (other, CTCLIP_ERROR_UNSUPPORTED, "no PyTorch checkpoint");
}

/* ---- safetensors ---- */

static char *
forged_safetensors (guint64 length, const char *header, gsize data_size)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint64 length_le = GUINT64_TO_LE (length);

  g_byte_array_append (bytes, (const guint8 *) &length_le, 8);
  g_byte_array_append (bytes, (const guint8 *) header, (guint) strlen (header));
  g_byte_array_set_size (bytes, bytes->len + (guint) data_size);
  memset (bytes->data + bytes->len - data_size, 0, data_size);
  return testing_write ("forged.safetensors", bytes->data, bytes->len);
}

#define ENTRY(type, shape, offsets)                                                                \
  "{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void
test_safetensors_with_impossible_places_are_refused (void **state)
{
  static const char *const headers[] = {
    "{\"a\":" ENTRY ("F32", "[8]", "[0,32]") ",\"b\":" ENTRY ("F32", "[1]", "[28,32]") "}",
    "{\"a\":" ENTRY ("F32", "[1]", "[4,8]") ",\"b\":" ENTRY ("F32", "[8]", "[0,32]") "}",
    "{\"a\":" ENTRY ("F32", "[9]", "[0,36]") "}",
    "{\"a\":" ENTRY ("F32", "[4]", "[0,32]") "}",
    "{\"a\":" ENTRY ("F16", "[4]", "[0,16]") "}",
    "{\"a\":" ENTRY ("F32", "[4]", "[32,16]") "}",
    "{\"a\":" ENTRY ("F32", "[-1]", "[0,4]") "}",
    "{\"a\":" ENTRY ("F32", "[-1,-1]", "[0,4]") "}",
    "{\"a\":" ENTRY ("F32", "[1.5]", "[0,4]") "}",
    "{\"a\":" ENTRY ("F32", "1", "[0,4]") "}",
    "{\"a\":" ENTRY ("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}",
    "{\"a\":" ENTRY ("F32", "[4611686018427387904,4]", "[0,0]") "}",
    "{\"a\":" ENTRY ("F32", "[4611686018427387904]", "[0,0]") "}",
    "{\"a\":" ENTRY ("F32", "[18446744073709551617]", "[0,4]") "}",
    "{\"a\":" ENTRY ("F32", "[1]", "[-4,0]") "}",
    "{\"a\":" ENTRY ("F32", "[1]", "[0]") "}",
    "{\"a\":" ENTRY ("F32", "[1]", "[9223372036854775803,9223372036854775807]") "}",
    "{\"a\":" ENTRY ("F32", "[1]", "[0,4]") ",\"a\":" ENTRY ("F32", "[1]", "[4,8]") "}",
    "{\"\\u001b[2J\":" ENTRY ("F32", "[1]", "[0,4]") "}",
    "{\"a\":" ENTRY ("Q99", "[1]", "[0,4]") "}",
    "{\"a\":7}",
    "{\"a\":",
    "{",
  };

  for (guint i = 0; i < G_N_ELEMENTS (headers); i++)
    {
      g_autofree char *path = forged_safetensors (strlen (headers[i]), headers[i], 32);
      g_autoptr (GError) error = NULL;

      if (checkpoint_open (path, &error) != NULL)
        fail_msg ("%s was accepted", headers[i]);
      assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT));
      assert_error_says (&error, "forged.safetensors", NULL);
    }
}

static void
test_safetensors_headers_of_any_length_are_survived (void **state)
{
  static const guint64 lengths[] = { 3, 100, 1ull << 31, 1ull << 63, G_MAXUINT64, G_MAXUINT64 - 7 };
  g_autoptr (GString) deep = g_string_new ("{\"a\":");
  g_autofree char *deep_path = NULL, *huge = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      g_autofree char *path = forged_safetensors (lengths[i], "{}", 0);

      expect_refused (path, CTCLIP_ERROR_CORRUPT, "header");
    }
  for (guint i = 0; i < 1000000; i++)
    g_string_append_c (deep, '[');
  deep_path = forged_safetensors (deep->len, deep->str, 0);
  expect_refused (deep_path, CTCLIP_ERROR_CORRUPT, "not JSON");
  /* A file with a hole is as long as it likes. */
  huge = forged_safetensors (1ull << 33, "{", 0);
  assert_int_equal (truncate (huge, 1ll << 34), 0);
  expect_refused (huge, CTCLIP_ERROR_CORRUPT, "header");
}

static void
test_safetensors_without_elements_may_have_any_other_size (void **state)
{
  const char *header =
      "{\"x\":" ENTRY ("F32", "[0,4611686018427387904,4611686018427387904]", "[0,0]") "}";
  g_autofree char *path = forged_safetensors (strlen (header), header, 0);
  g_autofree float *numbers = read_x (path);

  assert_non_null (numbers);
}

/* ---- files ---- */

static void
test_what_is_no_checkpoint_is_refused (void **state)
{
  g_autofree char *empty = testing_write ("empty.pt", "", 0),
                  *text = testing_write ("text.pt", "not a checkpoint at all", 23),
                  *pipe = testing_path ("pipe");

  assert_int_equal (mkfifo (pipe, 0600), 0);
  expect_refused (empty, CTCLIP_ERROR_UNSUPPORTED, "it is empty");
  expect_refused (text, CTCLIP_ERROR_UNSUPPORTED, "neither");
  expect_refused (pipe, CTCLIP_ERROR_UNSUPPORTED, "not a file");
  expect_refused (testing_directory (), CTCLIP_ERROR_UNSUPPORTED, "not a file");
  expect_refused ("/nowhere/x.pt", CTCLIP_ERROR_NOT_FOUND, "No such file");
}

static const CheckpointItem two[] = {
  { .name = "x", .n_dims = 2, .shape = { 3, 4 }, .data = twelve },
  { .name = "y", .n_dims = 1, .shape = { 12 }, .data = twelve },
};

static char *
write_both (gboolean safetensors)
{
  char *path = testing_path (safetensors ? "two.safetensors" : "two.pt");
  g_autoptr (GError) error = NULL;

  if (safetensors)
    checkpoint_write_safetensors (path, TRUE, two, 2, NULL, &error);
  else
    checkpoint_write_zip (path, TRUE, two, 2, &error);
  assert_no_error (error);
  return path;
}

static void
test_every_truncation_is_refused (void **state)
{
  for (guint form = 0; form < 2; form++)
    {
      g_autofree char *path = write_both (form), *bytes = NULL;
      gsize length;

      g_file_get_contents (path, &bytes, &length, NULL);
      for (gsize cut = 0; cut < length; cut++)
        {
          g_autoptr (GBytes) truncated = g_bytes_new (bytes, cut);
          g_autoptr (GError) error = NULL;

          if (checkpoint_open_bytes (truncated, "cut.pt", &error) != NULL)
            fail_msg ("%" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes were accepted", cut,
                      length);
          assert_error_says (&error, "cut.pt", NULL);
        }
    }
}

static void
test_a_file_that_shrinks_while_open_is_an_error_and_no_signal (void **state)
{
  g_autofree char *path = write_both (TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (Checkpoint) file = checkpoint_open (path, &error);

  assert_no_error (error);
  assert_int_equal (truncate (path, 100), 0);
  assert_null (checkpoint_read_float (file, checkpoint_find (file, "y"), &error));
  assert_error_says (&error, "two.safetensors", "truncated", NULL);
}

/** Under AddressSanitizer a read outside would end the program. */
static void
test_damage_anywhere_never_reads_outside (void **state)
{
  static const guint8 masks[] = { 0xff, 0x80, 0x01, 0x10 };

  for (guint form = 0; form < 2; form++)
    {
      g_autofree char *path = write_both (form), *bytes = NULL;
      gsize length;

      g_file_get_contents (path, &bytes, &length, NULL);
      for (gsize i = 0; i < length * sizeof masks; i++)
        {
          char *byte = &bytes[i / sizeof masks], saved = *byte;
          g_autoptr (GBytes) copy = NULL;
          g_autoptr (Checkpoint) file = NULL;

          *byte = (char) (saved ^ masks[i % sizeof masks]);
          copy = g_bytes_new (bytes, length);
          *byte = saved;
          file = checkpoint_open_bytes (copy, "damage", NULL);
          for (guint t = 0; file != NULL && t < checkpoint_n_tensors (file); t++)
            g_free (checkpoint_read_float (file, checkpoint_tensor (file, t), NULL));
        }
    }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_zip64_is_read),
    cmocka_unit_test (test_views_are_read_through_their_offsets_and_strides),
    cmocka_unit_test (test_every_type_becomes_float),
    cmocka_unit_test (test_every_half_is_what_ieee_754_says),
    cmocka_unit_test (test_tensors_outside_their_storage_are_refused_by_name),
    cmocka_unit_test (test_storages_that_are_not_there_are_refused),
    cmocka_unit_test (test_a_repeated_element_does_not_fill_the_memory),
    cmocka_unit_test (test_names_that_mislead_are_refused),
    cmocka_unit_test (test_pickles_that_would_run_code_are_refused_by_name),
    cmocka_unit_test (test_a_forbidden_name_cannot_write_to_the_terminal),
    cmocka_unit_test (test_malformed_pickles_are_errors_and_no_crash),
    cmocka_unit_test (test_tensors_of_too_many_dimensions_are_refused),
    cmocka_unit_test (test_bombs_do_not_go_off),
    cmocka_unit_test (test_archives_that_lie_are_refused),
    cmocka_unit_test (test_archives_of_other_things_are_refused),
    cmocka_unit_test (test_safetensors_with_impossible_places_are_refused),
    cmocka_unit_test (test_safetensors_headers_of_any_length_are_survived),
    cmocka_unit_test (test_safetensors_without_elements_may_have_any_other_size),
    cmocka_unit_test (test_what_is_no_checkpoint_is_refused),
    cmocka_unit_test (test_every_truncation_is_refused),
    cmocka_unit_test (test_a_file_that_shrinks_while_open_is_an_error_and_no_signal),
    cmocka_unit_test (test_damage_anywhere_never_reads_outside),
  };

  return cmocka_run_group_tests_name ("forged checkpoints", tests, NULL, NULL);
}
