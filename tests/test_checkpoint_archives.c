#include "testing.h"

#include "base/error.h"
#include "forged_files.h"
#include "model/checkpoint.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const float twelve[12] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };

/* ---- archives ---- */

static const ForgedTensor x = { "FloatStorage", "0", 12, 0, 1, { 12 }, { 1 } };

static void
test_zip64_is_read (void **state)
{
  static const ForgedForm forms[] = { FORGED_ZIP64, FORGED_ZIP64_PLACES };
  g_autoptr (GString) pickle = forged_state_dict (&x);
  const ForgedMember members[] = {
    { .name = "a/data.pkl", .data = pickle->str, .size = pickle->len },
    { .name = "a/byteorder", .data = "little", .size = 6 },
    { .name = "a/data/0", .data = twelve, .size = sizeof twelve },
  };

  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      const ForgedArchive archive = { .form = forms[i] };
      g_autofree char *path = forged_zip ("zip64.pt", members, 3, &archive);
      g_autofree float *numbers = forged_read_x (path);

      assert_memory_equal (numbers, twelve, sizeof twelve);
    }
}

static void
test_archives_that_lie_are_refused (void **state)
{
  static const struct
  {
    const char *says;
    CtclipError code;
    ForgedMember storage;
    ForgedArchive archive;
  } lies[] = {
    { "archive/data/0 is compressed or encrypted", CTCLIP_ERROR_UNSUPPORTED, .storage.method = 8 },
    { "archive/data/0 is compressed or encrypted", CTCLIP_ERROR_UNSUPPORTED, .storage.flags = 1 },
    { "archive/data/0 reaches past the end", CTCLIP_ERROR_CORRUPT,
      .storage.claimed_size = 0xfffffff0 },
    { "archive/data/0 and archive/version overlap", CTCLIP_ERROR_CORRUPT,
      .storage.claimed_size = sizeof twelve + 1 },
    { "overlap", CTCLIP_ERROR_CORRUPT, .storage.claimed_size = sizeof twelve + 50 },
    { "overlap", CTCLIP_ERROR_CORRUPT, .storage.points_to = "archive/data.pkl" },
    { "archive/data/0 is not where", CTCLIP_ERROR_CORRUPT, .storage.header_shift = 1 },
    { "ends too early", CTCLIP_ERROR_CORRUPT, .storage.header_shift = 1 << 30 },
    { "table of contents cannot be read", CTCLIP_ERROR_CORRUPT, .archive.directory_shift = 1 },
    { "ends too early", CTCLIP_ERROR_CORRUPT, .archive.directory_shift = 1 << 30 },
    { "impossible size", CTCLIP_ERROR_CORRUPT, .archive.claimed_members = 60000 },
    { "its table of contents", CTCLIP_ERROR_CORRUPT, .archive.claimed_members = 1 },
    { "its numbers are missing", CTCLIP_ERROR_CORRUPT, .archive.claimed_members = -2 },
    { "two members are called archive/data.pkl", CTCLIP_ERROR_CORRUPT,
      .storage.name = "archive/data.pkl" },
    { "impossible name", CTCLIP_ERROR_CORRUPT, .storage.name = "archive/\033]0;data" },
    { "impossible name", CTCLIP_ERROR_CORRUPT, .storage.name = "archive/\xff\xfe" },
    { "big-endian", CTCLIP_ERROR_UNSUPPORTED, .storage.name = "archive/byteorder" },
  };
  g_autoptr (GString) pickle = forged_state_dict (&x);

  for (guint form = FORGED_ZIP32; form <= FORGED_ZIP64_PLACES; form++)
    for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
      {
        ForgedArchive archive = lies[i].archive;
        ForgedMember members[] = {
          { .name = "archive/data.pkl", .data = pickle->str, .size = pickle->len },
          lies[i].storage,
          { .name = "archive/version", .data = "3\n", .size = 2 },
        };
        g_autofree char *path = NULL;

        archive.form = form;
        members[1].data = twelve;
        members[1].size = sizeof twelve;
        if (members[1].name == NULL)
          members[1].name = "archive/data/0";
        path = forged_zip ("lie.pt", members, 3, &archive);
        forged_expect_refused (path, lies[i].code, lies[i].says);
      }
}

static void
test_the_directory_is_no_part_of_a_member (void **state)
{
  g_autoptr (GString) pickle = forged_state_dict (&x);
  const ForgedMember members[] = {
    { .name = "archive/data.pkl", .data = pickle->str, .size = pickle->len },
    { .name = "archive/data/0",
      .data = twelve,
      .size = sizeof twelve,
      .claimed_size = sizeof twelve + 1 },
  };
  const ForgedArchive honest = { 0 };
  g_autofree char *path = forged_zip ("directory.pt", members, 2, &honest);

  forged_expect_refused (path, CTCLIP_ERROR_CORRUPT,
                         "archive/data/0 and the table of contents overlap");
}

static void
test_zip64_records_that_lie_are_refused (void **state)
{
  static const struct
  {
    const char *says;
    ForgedArchive archive;
  } lies[] = {
    { "zip64 record is not where", { .form = FORGED_ZIP64, .record_shift = 1 } },
    { "ends too early", { .form = FORGED_ZIP64, .record_shift = 1 << 30 } },
    { "ends too early", { .form = FORGED_ZIP64, .record_shift = -(1 << 30) } },
    { "cannot be read", { .form = FORGED_ZIP64, .extra_shift = -8 } },
    { "cannot be read", { .form = FORGED_ZIP64, .extra_shift = -1 } },
    { "cannot be read", { .form = FORGED_ZIP64, .extra_shift = 1 } },
    { "cannot be read", { .form = FORGED_ZIP64_PLACES, .extra_shift = -8 } },
  };
  g_autoptr (GString) pickle = forged_state_dict (&x);
  const ForgedMember members[] = {
    { .name = "archive/data.pkl", .data = pickle->str, .size = pickle->len },
    { .name = "archive/data/0", .data = twelve, .size = sizeof twelve },
  };

  for (guint i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      g_autofree char *path = forged_zip ("record.pt", members, 2, &lies[i].archive);

      forged_expect_refused (path, CTCLIP_ERROR_CORRUPT, lies[i].says);
    }
}

/** Wherever a local header is said to be, up to the last byte and past it. */
static void
test_headers_at_the_end_of_the_file_are_not_read_past_it (void **state)
{
  g_autoptr (GString) pickle = forged_state_dict (&x);
  const ForgedArchive honest = { 0 };

  for (gint32 shift = 1; shift < 400; shift++)
    {
      const ForgedMember members[] = {
        { .name = "archive/data.pkl", .data = pickle->str, .size = pickle->len },
        { .name = "archive/data/0", .data = twelve, .size = sizeof twelve, .header_shift = shift },
      };
      g_autofree char *path = forged_zip ("end.pt", members, 2, &honest), *bytes = NULL;
      g_autoptr (GBytes) memory = NULL;
      g_autoptr (GError) error = NULL;
      gsize length;

      g_file_get_contents (path, &bytes, &length, NULL);
      memory = g_bytes_new_take (g_steal_pointer (&bytes), length);
      assert_null (checkpoint_open_bytes (memory, "end.pt", &error));
      assert_error_says (&error, "end.pt", NULL);
    }
}

static void
test_archives_of_other_things_are_refused (void **state)
{
  const ForgedMember member = { .name = "readme.txt", .data = "text", .size = 4 };
  const ForgedArchive honest = { 0 };
  g_autofree char *other = forged_zip ("other.zip", &member, 1, &honest);

  forged_expect_refused (other, CTCLIP_ERROR_UNSUPPORTED, "no PyTorch checkpoint");
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

      forged_expect_refused (path, CTCLIP_ERROR_CORRUPT, "header");
    }
  for (guint i = 0; i < 1000000; i++)
    g_string_append_c (deep, '[');
  deep_path = forged_safetensors (deep->len, deep->str, 0);
  forged_expect_refused (deep_path, CTCLIP_ERROR_CORRUPT, "not JSON");
  /* A file with a hole is as long as it likes. */
  huge = forged_safetensors (1ull << 33, "{", 0);
  assert_int_equal (truncate (huge, 1ll << 34), 0);
  forged_expect_refused (huge, CTCLIP_ERROR_CORRUPT, "longer than the file or than any header");
}

static void
test_safetensors_may_name_tensors_in_any_order (void **state)
{
  const char *header =
      "{\"b\":" ENTRY ("F32", "[2]", "[4,12]") ",\"a\":" ENTRY ("F32", "[1]", "[0,4]") "}";
  g_autofree char *path = forged_safetensors (strlen (header), header, 12);
  g_autoptr (GError) error = NULL;
  g_autoptr (Checkpoint) file = checkpoint_open (path, &error);

  assert_no_error (error);
  assert_int_equal (checkpoint_find (file, "b")->n, 2);
}

static void
test_safetensors_without_elements_may_have_any_other_size (void **state)
{
  const char *header =
      "{\"x\":" ENTRY ("F32", "[0,4611686018427387904,4611686018427387904]", "[0,0]") "}";
  g_autofree char *path = forged_safetensors (strlen (header), header, 0);
  g_autofree float *numbers = forged_read_x (path);

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
  forged_expect_refused (empty, CTCLIP_ERROR_UNSUPPORTED, "it is empty");
  forged_expect_refused (text, CTCLIP_ERROR_UNSUPPORTED, "neither");
  forged_expect_refused (pipe, CTCLIP_ERROR_UNSUPPORTED, "not a file");
  forged_expect_refused (testing_directory (), CTCLIP_ERROR_UNSUPPORTED, "not a file");
  forged_expect_refused ("/nowhere/x.pt", CTCLIP_ERROR_NOT_FOUND, "No such file");
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
    cmocka_unit_test (test_archives_that_lie_are_refused),
    cmocka_unit_test (test_the_directory_is_no_part_of_a_member),
    cmocka_unit_test (test_zip64_records_that_lie_are_refused),
    cmocka_unit_test (test_headers_at_the_end_of_the_file_are_not_read_past_it),
    cmocka_unit_test (test_archives_of_other_things_are_refused),
    cmocka_unit_test (test_safetensors_with_impossible_places_are_refused),
    cmocka_unit_test (test_safetensors_headers_of_any_length_are_survived),
    cmocka_unit_test (test_safetensors_may_name_tensors_in_any_order),
    cmocka_unit_test (test_safetensors_without_elements_may_have_any_other_size),
    cmocka_unit_test (test_what_is_no_checkpoint_is_refused),
    cmocka_unit_test (test_every_truncation_is_refused),
    cmocka_unit_test (test_a_file_that_shrinks_while_open_is_an_error_and_no_signal),
    cmocka_unit_test (test_damage_anywhere_never_reads_outside),
  };

  return cmocka_run_group_tests_name ("forged archives", tests, NULL, NULL);
}
