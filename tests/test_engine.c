#include "testing.h"

#include "base/error.h"
#include "testing_encoder.h"

#include <math.h>
#include <string.h>

#define TOKENS_TOLERANCE 2e-5
#define LATENT_TOLERANCE 1e-6
#define CLEAR_MARGIN 1e-5

/* ---- intermediates ---- */

/** What the probe was shown, one volume after the other. */
typedef struct
{
  GHashTable *floats; /* name → GArray of float */
  GArray *indices;    /* of gint64 */
} Shown;

static void
remember (const char *name, guint n_dims, const gint64 *shape, const void *data, gpointer user_data)
{
  Shown *shown = user_data;
  GArray *array;
  gsize n = 1;

  for (guint i = 0; i < n_dims; i++)
    n *= (gsize) shape[i];
  if (strcmp (name, "vq_indices") == 0)
    {
      g_array_append_vals (shown->indices, data, (guint) n);
      return;
    }
  array = g_hash_table_lookup (shown->floats, name);
  if (array == NULL)
    {
      array = g_array_new (FALSE, FALSE, sizeof (float));
      g_hash_table_insert (shown->floats, g_strdup (name), array);
    }
  g_array_append_vals (array, data, (guint) n);
}

static Shown
shown_new (void)
{
  return (Shown){ g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) g_array_unref),
                  g_array_new (FALSE, FALSE, sizeof (gint64)) };
}

static void
shown_clear (Shown *shown)
{
  g_hash_table_unref (shown->floats);
  g_array_unref (shown->indices);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Shown, shown_clear)

static NpyArray *
golden (const char *folder, const char *name)
{
  g_autofree char *relative = g_strdup_printf ("golden/%s/%s.npy", folder, name);

  return testing_npy (relative);
}

static void
assert_shown (const Shown *shown, const char *folder, const char *name, double tolerance)
{
  g_autoptr (NpyArray) expected = golden (folder, name);
  GArray *seen = g_hash_table_lookup (shown->floats, name);
  double difference;

  if (seen == NULL || seen->len < expected->n)
    fail_msg ("%s: %u of %" G_GSIZE_FORMAT " numbers shown", name, seen != NULL ? seen->len : 0,
              expected->n);
  difference = testing_max_difference ((float *) seen->data, expected->data, expected->n);
  print_message ("%s %s: largest difference %.3g\n", folder, name, difference);
  if (!(difference <= tolerance))
    fail_msg ("%s differs by %g, more than %g", name, difference, tolerance);
}

/** Indices of volume @i that differ; fails where one differs although the margin is clear. */
static guint
assert_indices (const Shown *shown, const char *folder, gsize i)
{
  g_autoptr (NpyArray) expected = golden (folder, "vq_indices");
  g_autoptr (NpyArray) margin = golden (folder, "vq_margin");
  const gsize tokens = expected->shape[1];
  guint flipped = 0;

  assert_int_equal (shown->indices->len, expected->n);
  for (gsize at = i * tokens; at < (i + 1) * tokens; at++)
    if (g_array_index (shown->indices, gint64, at) != ((gint64 *) expected->data)[at])
      {
        assert_true (((float *) margin->data)[at] <= CLEAR_MARGIN);
        flipped++;
      }
  return flipped;
}

/** What the reference gives in double precision is met as well. */
static void
assert_shown_in_double (const Shown *shown, const char *folder, const char *name, double tolerance)
{
  g_autofree char *file = g_strconcat ("f64_", name, NULL);
  g_autoptr (NpyArray) expected = golden (folder, file);
  GArray *seen = g_hash_table_lookup (shown->floats, name);
  double largest = 0;

  assert_int_equal (expected->type, NPY_FLOAT64);
  assert_true (seen != NULL && seen->len >= expected->n);
  for (gsize i = 0; i < expected->n; i++)
    largest = MAX (largest, fabs ((double) g_array_index (seen, float, i)
                                  - ((const double *) expected->data)[i]));
  print_message ("%s f64 %s: largest difference %.3g\n", folder, name, largest);
  if (!(largest <= tolerance))
    fail_msg ("%s differs from the double form by %g, more than %g", name, largest, tolerance);
}

static void
check_all_intermediates (const char *folder)
{
  static const char *const stems[] = { "spatial", "temporal" };
  g_autoptr (NpyArray) input = golden (folder, "input");
  g_autoptr (NpyArray) expected = golden (folder, "latent");
  g_autoptr (EngineEncoder) encoder = testing_encoder (folder, "lipro.pt");
  const EngineEncoderInfo *info = engine_encoder_info (encoder);
  g_autofree float *latents = g_new (float, expected->n);
  g_autoptr (GError) error = NULL;
  g_auto (Shown) shown = shown_new ();
  guint all_flipped = 0;

  engine_encode (encoder, input->data, input->shape[0], latents, remember, &shown, NULL, &error);
  assert_no_error (error);

  assert_shown (&shown, folder, "patch_raw", 0);
  assert_shown (&shown, folder, "patch_tokens", TOKENS_TOLERANCE);
  assert_shown (&shown, folder, "spatial_attn_bias", 1e-6);
  for (guint i = 0; i < G_N_ELEMENTS (stems); i++)
    {
      g_autofree char *out = g_strconcat (stems[i], "_out", NULL);

      for (guint layer = 0; layer < (i == 0 ? info->spatial_layers : info->temporal_layers);
           layer++)
        {
          g_autofree char *peg = g_strdup_printf ("%s_%u_peg", stems[i], layer);
          g_autofree char *attention = g_strdup_printf ("%s_%u_attn", stems[i], layer);
          g_autofree char *feed_forward = g_strdup_printf ("%s_%u_ff", stems[i], layer);

          assert_shown (&shown, folder, peg, TOKENS_TOLERANCE);
          assert_shown (&shown, folder, attention, TOKENS_TOLERANCE);
          assert_shown (&shown, folder, feed_forward, TOKENS_TOLERANCE);
        }
      assert_shown (&shown, folder, out, TOKENS_TOLERANCE);
      assert_shown_in_double (&shown, folder, out, TOKENS_TOLERANCE);
    }
  assert_shown (&shown, folder, "vq_in", TOKENS_TOLERANCE);
  assert_shown_in_double (&shown, folder, "vq_in", TOKENS_TOLERANCE);
  for (gsize i = 0; i < input->shape[0]; i++)
    {
      const gsize width = info->latent_width;
      guint flipped = assert_indices (&shown, folder, i);

      print_message ("%s: %u indices of volume %" G_GSIZE_FORMAT " differ\n", folder, flipped, i);
      all_flipped += flipped;
      if (flipped == 0)
        assert_true (testing_max_difference (latents + i * width,
                                             (float *) expected->data + i * width, width)
                     <= LATENT_TOLERANCE);
    }
  if (all_flipped > 0)
    return; /* one of few tokens moves all that comes after it */
  assert_shown (&shown, folder, "vq_quantize", 0);
  assert_shown (&shown, folder, "pooled", 1e-7);
  assert_shown (&shown, folder, "latent_raw", LATENT_TOLERANCE);
  assert_shown (&shown, folder, "latent", LATENT_TOLERANCE);
  assert_shown_in_double (&shown, folder, "latent", LATENT_TOLERANCE);
}

static void
test_every_intermediate_matches_the_reference (void **state)
{
  check_all_intermediates ("tiny_a");
}

static void
test_every_intermediate_matches_where_codes_nearly_tie (void **state)
{
  check_all_intermediates ("tiny_c_neartie");
}

/* ---- forms of a checkpoint ---- */

static float *
encode_input (EngineEncoder *encoder, const char *folder, gsize *n)
{
  g_autoptr (NpyArray) input = golden (folder, "input");
  guint width = engine_encoder_info (encoder)->latent_width;
  g_autofree float *latents = g_new (float, input->shape[0] * width);
  g_autoptr (GError) error = NULL;

  engine_encode (encoder, input->data, input->shape[0], latents, NULL, NULL, NULL, &error);
  assert_no_error (error);
  *n = input->shape[0] * width;
  return g_steal_pointer (&latents);
}

static void
test_every_form_of_a_checkpoint_is_the_same_encoder (void **state)
{
  static const char *const folders[] = { "tiny_a", "tiny_c_neartie" };
  static const char *const forms[] = { "lipro.safetensors", "lipro_module_prefix.pt",
                                       "lipro_nested.pt", "ctclip.pt", "ctclip_views.pt" };

  for (guint f = 0; f < G_N_ELEMENTS (folders); f++)
    {
      g_autoptr (EngineEncoder) first = testing_encoder (folders[f], "lipro.pt");
      const EngineEncoderInfo *info = engine_encoder_info (first);
      gsize n;
      g_autofree float *expected = encode_input (first, folders[f], &n);

      for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
        {
          g_autoptr (EngineEncoder) encoder = testing_encoder (folders[f], forms[i]);
          g_autofree float *latents = encode_input (encoder, folders[f], &n);

          assert_string_equal (engine_encoder_info (encoder)->weights_hash, info->weights_hash);
          assert_memory_equal (latents, expected, n * sizeof *latents);
        }
    }
}

static void
assert_half_indices (EngineEncoder *encoder, const char *folder)
{
  g_autoptr (NpyArray) input = golden (folder, "input");
  g_autoptr (NpyArray) expected = golden (folder, "half_vq_indices");
  guint width = engine_encoder_info (encoder)->latent_width;
  g_autofree float *latents = g_new (float, input->shape[0] * width);
  g_autoptr (GError) error = NULL;
  g_auto (Shown) shown = shown_new ();

  engine_encode (encoder, input->data, input->shape[0], latents, remember, &shown, NULL, &error);
  assert_no_error (error);
  assert_int_equal (shown.indices->len, expected->n);
  assert_memory_equal (shown.indices->data, expected->data, expected->n * sizeof (gint64));
}

static void
test_half_checkpoint_matches_the_reference_on_half_weights (void **state)
{
  static const char *const folders[] = { "tiny_a", "tiny_c_neartie" };

  for (guint f = 0; f < G_N_ELEMENTS (folders); f++)
    {
      g_autoptr (EngineEncoder) encoder = testing_encoder (folders[f], "lipro_half.pt");
      g_autoptr (NpyArray) expected = golden (folders[f], "half_latent");
      gsize n;
      g_autofree float *latents = encode_input (encoder, folders[f], &n);

      assert_int_equal (n, expected->n);
      assert_true (testing_max_difference (latents, expected->data, n) <= LATENT_TOLERANCE);
      assert_half_indices (encoder, folders[f]);
    }
}

/** To the nearest number with 8 bits of fraction, ties to even. */
static gboolean
round_to_bfloat16 (CheckpointItem *item, float *data, gpointer user_data)
{
  gsize n = 1;

  for (guint d = 0; d < item->n_dims; d++)
    n *= (gsize) item->shape[d];
  for (gsize i = 0; i < n; i++)
    {
      guint32 bits;

      memcpy (&bits, &data[i], sizeof bits);
      bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
      memcpy (&data[i], &bits, sizeof bits);
    }
  return TRUE;
}

static void
test_bfloat16_checkpoint_is_the_rounded_float_one (void **state)
{
  g_autofree char *path =
      testing_changed_checkpoint ("tiny_a", "ctclip.pt", round_to_bfloat16, NULL);
  g_autoptr (EncoderDescription) description = testing_description ("tiny_a");
  g_autoptr (EngineEncoder) stored = testing_encoder ("tiny_a", "ctclip_bf16.pt");
  g_autoptr (EngineEncoder) unrounded = testing_encoder ("tiny_a", "ctclip.pt");
  g_autoptr (GError) error = NULL;
  g_autoptr (EngineEncoder) rounded =
      engine_encoder_open (testing_engine (), path, description, &error);

  assert_no_error (error);
  assert_string_equal (engine_encoder_info (rounded)->weights_hash,
                       engine_encoder_info (stored)->weights_hash);
  assert_string_not_equal (engine_encoder_info (rounded)->weights_hash,
                           engine_encoder_info (unrounded)->weights_hash);
}

/* ---- what an encoder says of itself ---- */

static void
test_sizes_come_from_the_checkpoint (void **state)
{
  g_autoptr (EngineEncoder) encoder = testing_encoder ("tiny_c_neartie", "lipro.pt");
  g_autoptr (EngineEncoder) bare = testing_encoder ("tiny_c_neartie", "ctclip.pt");
  const EngineEncoderInfo *info = engine_encoder_info (encoder);

  assert_int_equal (info->dim, 32);
  assert_int_equal (info->heads, 2);
  assert_int_equal (info->dim_head, 16);
  assert_int_equal (info->spatial_layers, 2);
  assert_int_equal (info->temporal_layers, 2);
  assert_int_equal (info->codebook_size, 64);
  assert_int_equal (info->latent_width, 24);
  assert_int_equal (info->frames, 15);
  assert_int_equal (info->height, 40);
  assert_int_equal (info->width, 60);
  assert_int_equal (info->tokens_t, 3);
  assert_int_equal (info->tokens_h, 4);
  assert_int_equal (info->tokens_w, 6);
  assert_true (info->has_classifier);
  assert_int_equal (info->classes, 18);
  assert_false (engine_encoder_info (bare)->has_classifier);
}

static void
test_hash_tells_encoders_of_other_sizes_apart (void **state)
{
  g_autoptr (EncoderDescription) description = testing_description ("tiny_a");
  g_autoptr (EngineEncoder) whole = testing_encoder ("tiny_a", "lipro.pt");
  g_autoptr (GError) error = NULL;
  g_autoptr (EngineEncoder) shorter = NULL;

  description->frames /= 2;
  shorter = engine_encoder_open (testing_engine (), testing_data ("golden/tiny_a/lipro.pt"),
                                 description, &error);
  assert_no_error (error);
  assert_string_not_equal (engine_encoder_info (whole)->weights_hash,
                           engine_encoder_info (shorter)->weights_hash);
}

/** From the golden latents, so that a flipped index does not matter. */
static void
check_own_head (const char *folder)
{
  g_autoptr (EngineEncoder) encoder = testing_encoder (folder, "lipro.pt");
  g_autoptr (NpyArray) latents = golden (folder, "latent");
  g_autoptr (NpyArray) logits = golden (folder, "logits");
  g_autoptr (NpyArray) expected = golden (folder, "probs");
  g_autofree double *probabilities = g_new (double, logits->n);
  g_autoptr (GError) error = NULL;

  engine_classify (encoder, latents->data, latents->shape[0], probabilities, &error);
  assert_no_error (error);
  assert_int_equal (expected->n, logits->n);
  for (gsize i = 0; i < logits->n; i++)
    {
      assert_true (
          fabs (log (probabilities[i] / (1 - probabilities[i])) - ((float *) logits->data)[i])
          <= 1e-6);
      assert_true (fabs (probabilities[i] - ((float *) expected->data)[i]) <= 1e-6);
    }
}

static void
test_own_head_gives_the_references_probabilities (void **state)
{
  check_own_head ("tiny_a");
  check_own_head ("tiny_c_neartie");
}

static void
test_checkpoint_without_a_head_says_so (void **state)
{
  g_autoptr (EngineEncoder) encoder = testing_encoder ("tiny_a", "ctclip.pt");
  g_autoptr (NpyArray) latents = golden ("tiny_a", "latent");
  double probabilities[18];
  g_autoptr (GError) error = NULL;

  assert_false (engine_classify (encoder, latents->data, 1, probabilities, &error));
  assert_error_says (&error, "classifier.weight", NULL);
}

/* ---- checkpoints and descriptions that do not fit ---- */

static gboolean
damage (CheckpointItem *item, float *data, gpointer user_data)
{
  if (g_str_has_suffix (item->name, "enc_spatial_transformer.layers.1.1.to_q.weight"))
    return FALSE;
  if (g_str_has_suffix (item->name, "enc_temporal_transformer.norm_out.beta"))
    item->shape[0] /= 2;
  return TRUE;
}

static void
test_missing_and_misshapen_tensors_are_listed (void **state)
{
  g_autofree char *path = testing_changed_checkpoint ("tiny_a", "lipro.pt", damage, NULL);
  g_autoptr (EncoderDescription) description = testing_description ("tiny_a");
  g_autoptr (GError) error = NULL;

  assert_null (engine_encoder_open (testing_engine (), path, description, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT));
  assert_error_says (&error, path, "2 of the image encoder's tensors",
                     "enc_spatial_transformer.layers.1.1.to_q.weight is missing",
                     "enc_temporal_transformer.norm_out.beta is 16, not 32", NULL);
}

static gboolean
one_is_not_finite (CheckpointItem *item, float *data, gpointer user_data)
{
  const float *number = user_data;

  if (g_str_has_suffix (item->name, "enc_temporal_transformer.layers.0.1.to_out.weight"))
    data[7] = *number;
  return TRUE;
}

static void
test_a_weight_that_is_not_finite_is_refused_by_name (void **state)
{
  float numbers[] = { NAN, INFINITY, -INFINITY };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_autofree char *path =
          testing_changed_checkpoint ("tiny_a", "lipro.pt", one_is_not_finite, &numbers[i]);
      g_autoptr (EncoderDescription) description = testing_description ("tiny_a");
      g_autoptr (GError) error = NULL;

      assert_null (engine_encoder_open (testing_engine (), path, description, &error));
      assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_CORRUPT));
      assert_error_says (&error, path, "enc_temporal_transformer.layers.0.1.to_out.weight",
                         "not finite", NULL);
    }
}

static gboolean
only_text (CheckpointItem *item, float *data, gpointer user_data)
{
  return strstr (item->name, "text_transformer") != NULL;
}

static void
test_checkpoint_of_something_else_is_refused (void **state)
{
  g_autofree char *path = testing_changed_checkpoint ("tiny_a", "lipro.pt", only_text, NULL);
  g_autoptr (EncoderDescription) description = testing_description ("tiny_a");
  g_autoptr (GError) error = NULL;

  assert_null (engine_encoder_open (testing_engine (), path, description, &error));
  assert_error_says (&error, path, "visual_transformer", "CT-CLIP", NULL);
}

static gboolean
only_sizes_remain (CheckpointItem *item, float *data, gpointer user_data)
{
  return strstr (item->name, "enc_") == NULL || strstr (item->name, "layers.1.1.q_scale") != NULL;
}

static void
test_a_long_list_of_missing_tensors_is_cut (void **state)
{
  g_autofree char *path =
      testing_changed_checkpoint ("tiny_a", "lipro.pt", only_sizes_remain, NULL);
  g_autoptr (EncoderDescription) description = testing_description ("tiny_a");
  g_autoptr (GError) error = NULL;

  assert_null (engine_encoder_open (testing_engine (), path, description, &error));
  assert_error_says (&error, "layers.0.0.dsconv.weight is missing", "more", NULL);
}

static void
test_legacy_checkpoint_is_refused_with_the_way_out (void **state)
{
  g_autoptr (EncoderDescription) description = testing_description ("tiny_a");
  const char *path = testing_data ("golden/tiny_a/lipro_legacy.pt");
  g_autoptr (GError) error = NULL;

  assert_null (engine_encoder_open (testing_engine (), path, description, &error));
  assert_error_says (&error, "lipro_legacy.pt", "torch.save", NULL);
}

static void
assert_contradicted (const EncoderDescription *description, const char *key)
{
  const char *path = testing_data ("golden/tiny_a/lipro.pt");
  g_autoptr (GError) error = NULL;

  assert_null (engine_encoder_open (testing_engine (), path, description, &error));
  assert_error_says (&error, "tiny_a.ini", key, path, NULL);
}

static void
test_a_description_that_disagrees_is_named_by_key (void **state)
{
  g_autoptr (EncoderDescription) heads = testing_description ("tiny_a");
  g_autoptr (EncoderDescription) patch = testing_description ("tiny_a");
  g_autoptr (EncoderDescription) image = testing_description ("tiny_a");

  heads->heads = 8;
  assert_contradicted (heads, "heads is 8, the checkpoint has 4");
  patch->patch_width = 20;
  assert_contradicted (patch, "patch_size");
  image->image_width = 80;
  assert_contradicted (image, "image_size");
}

/* ---- running ---- */

static void
test_a_batch_gives_what_its_volumes_give_alone (void **state)
{
  g_autoptr (EngineEncoder) encoder = testing_encoder ("tiny_c_neartie", "lipro.pt");
  g_autoptr (NpyArray) input = golden ("tiny_c_neartie", "input");
  gsize n, one = input->n / 2, width = engine_encoder_info (encoder)->latent_width;
  g_autofree float *together = encode_input (encoder, "tiny_c_neartie", &n);
  g_autofree float *alone = g_new (float, 2 * width);
  g_autoptr (GError) error = NULL;

  for (gsize i = 0; i < 2; i++)
    engine_encode (encoder, (float *) input->data + i * one, 1, alone + i * width, NULL, NULL, NULL,
                   &error);
  assert_no_error (error);
  assert_memory_equal (together, alone, n * sizeof (float));
}

static void
cancel_at_first_layer (const char *name, guint n_dims, const gint64 *shape, const void *data,
                       gpointer user_data)
{
  assert_string_not_equal (name, "spatial_0_attn");
  if (strcmp (name, "spatial_0_peg") == 0)
    g_cancellable_cancel (user_data);
}

static void
test_cancelling_stops_in_the_middle (void **state)
{
  g_autoptr (EngineEncoder) encoder = testing_encoder ("tiny_a", "lipro.pt");
  g_autoptr (NpyArray) input = golden ("tiny_a", "input");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  float latent[24];

  assert_false (engine_encode (encoder, input->data, 1, latent, cancel_at_first_layer, cancellable,
                               cancellable, &error));
  assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

typedef struct
{
  EngineEncoder *encoder;
  const float *input;
  float latent[24];
} OtherThread;

static gpointer
encode_on_thread (gpointer data)
{
  OtherThread *other = data;

  engine_encode (other->encoder, other->input, 1, other->latent, NULL, NULL, NULL, NULL);
  return NULL;
}

static void
test_any_thread_may_encode (void **state)
{
  g_autoptr (EngineEncoder) encoder = testing_encoder ("tiny_a", "lipro.pt");
  g_autoptr (NpyArray) input = golden ("tiny_a", "input");
  gsize n;
  g_autofree float *here = encode_input (encoder, "tiny_a", &n);
  OtherThread other = { encoder, input->data, { 0 } };

  g_thread_join (g_thread_new ("encode", encode_on_thread, &other));
  assert_memory_equal (here, other.latent, sizeof other.latent);
}

static void
test_engine_says_what_it_runs_on (void **state)
{
  EngineInfo info;

  engine_info (testing_engine (), &info);
  print_message ("%s on %s (%s), %u threads, BLAS %s, oneDNN %d, CUDA kernels %d\n", info.form,
                 info.device, info.device_name, info.threads, info.blas, info.onednn,
                 info.cuda_kernels);
  assert_string_equal (info.device,
                       g_str_has_prefix (TESTING_DEVICE, "cuda") ? TESTING_DEVICE : "cpu");
  assert_int_equal (info.threads, 2);
  assert_true (strlen (info.device_name) > 0);
  if (!TESTING_OWN_LOOPS)
    {
      assert_true (g_str_has_prefix (info.form, "libtorch "));
      assert_true (strlen (info.torch_version) >= 5 && strlen (info.blas) > 0);
    }
  else
    assert_true (g_str_has_prefix (info.form, "own loops, ") && *info.torch_version == '\0');
#ifdef ALL_FORMS
  assert_string_equal (info.form, "own loops, avx512vnni");
#endif
}

#ifndef ALL_FORMS /* they are slow */
static void
test_engine_measures_its_speed (void **state)
{
  g_autoptr (GError) error = NULL;
  const double gflops = engine_gflops (testing_engine (), &error);

  assert_no_error (error);
  print_message ("%.0f GFLOP/s\n", gflops);
  assert_true (gflops > 0.1);
}
#endif

#ifndef __SANITIZE_THREAD__ /* misreads libtorch */
static void
test_devices_that_are_not_there_are_refused (void **state)
{
  g_autoptr (GError) error = NULL;

  assert_null (engine_open ("cuda:99", 1, &error));
  assert_error_says (&error, "cuda:99", NULL);
  assert_null (engine_open ("cuda:one", 1, &error));
  assert_error_says (&error, "cuda:one", "number", NULL);
}
#endif

static void
test_what_is_no_device_is_refused (void **state)
{
  g_autoptr (GError) error = NULL;

  assert_null (engine_open ("gpu", 1, &error));
  assert_true (g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE));
  assert_error_says (&error, "gpu", "auto, cpu or cuda:N", NULL);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_every_intermediate_matches_the_reference),
    cmocka_unit_test (test_every_intermediate_matches_where_codes_nearly_tie),
    cmocka_unit_test (test_every_form_of_a_checkpoint_is_the_same_encoder),
    cmocka_unit_test (test_half_checkpoint_matches_the_reference_on_half_weights),
    cmocka_unit_test (test_bfloat16_checkpoint_is_the_rounded_float_one),
    cmocka_unit_test (test_sizes_come_from_the_checkpoint),
    cmocka_unit_test (test_hash_tells_encoders_of_other_sizes_apart),
    cmocka_unit_test (test_own_head_gives_the_references_probabilities),
    cmocka_unit_test (test_checkpoint_without_a_head_says_so),
    cmocka_unit_test (test_missing_and_misshapen_tensors_are_listed),
    cmocka_unit_test (test_a_weight_that_is_not_finite_is_refused_by_name),
    cmocka_unit_test (test_checkpoint_of_something_else_is_refused),
    cmocka_unit_test (test_a_long_list_of_missing_tensors_is_cut),
    cmocka_unit_test (test_legacy_checkpoint_is_refused_with_the_way_out),
    cmocka_unit_test (test_a_description_that_disagrees_is_named_by_key),
    cmocka_unit_test (test_a_batch_gives_what_its_volumes_give_alone),
    cmocka_unit_test (test_cancelling_stops_in_the_middle),
    cmocka_unit_test (test_any_thread_may_encode),
    cmocka_unit_test (test_engine_says_what_it_runs_on),
#ifndef ALL_FORMS
    cmocka_unit_test (test_engine_measures_its_speed),
#endif
#ifndef __SANITIZE_THREAD__
    cmocka_unit_test (test_devices_that_are_not_there_are_refused),
#endif
    cmocka_unit_test (test_what_is_no_device_is_refused),
  };

  return cmocka_run_group_tests_name ("engine", tests, NULL, NULL);
}
