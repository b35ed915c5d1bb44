#include "testing.h"

#include "testing_encoder.h"

#include "base/error.h"

Engine *
testing_engine (void)
{
  static Engine *engine;
  g_autoptr (GError) error = NULL;

  if (engine == NULL)
    {
      engine = engine_open (TESTING_DEVICE, 2, &error);
      if (g_str_has_prefix (TESTING_DEVICE, "cuda")
          && g_error_matches (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND))
        {
          print_message ("%s\n", error->message);
          skip ();
        }
      assert_no_error (error);
    }
  return engine;
}

static const char *
golden_path (const char *folder, const char *file)
{
  g_autofree char *relative = g_build_filename ("golden", folder, file, NULL);

  return testing_data (relative);
}

EncoderDescription *
testing_description (const char *folder)
{
  g_autofree char *relative = g_build_filename ("golden", folder, "meta.json", NULL);
  json_t *meta = testing_json (relative);
  json_t *config = json_object_get (meta, "config"),
         *image = json_object_get (config, "image_size");
  EncoderDescription *description = g_new0 (EncoderDescription, 1);

#define CONFIG(key) ((gsize) json_integer_value (json_object_get (config, key)))
  description->path = g_strconcat (folder, ".ini", NULL);
  description->image_height =
      (gsize) json_integer_value (json_is_array (image) ? json_array_get (image, 0) : image);
  description->image_width =
      (gsize) json_integer_value (json_is_array (image) ? json_array_get (image, 1) : image);
  description->patch_height = description->patch_width = CONFIG ("patch_size");
  description->frames = (gsize) json_integer_value (json_object_get (meta, "frames"));
  description->temporal_patch_size = CONFIG ("temporal_patch_size");
  description->heads = (guint) CONFIG ("heads");
#undef CONFIG
  json_decref (meta);
  return description;
}

EngineEncoder *
testing_encoder (const char *folder, const char *file)
{
  g_autoptr (EncoderDescription) description = testing_description (folder);
  g_autoptr (GError) error = NULL;
  EngineEncoder *encoder =
      engine_encoder_open (testing_engine (), golden_path (folder, file), description, &error);

  assert_no_error (error);
  return encoder;
}

char *
testing_changed_checkpoint (const char *folder, const char *file, TestingChange change,
                            gpointer user_data)
{
  static guint copies;
  g_autofree char *name = g_strdup_printf ("changed_%u.safetensors", copies++);
  char *path = testing_path (name);
  g_autoptr (GError) error = NULL;
  g_autoptr (Checkpoint) checkpoint = checkpoint_open (golden_path (folder, file), &error);
  g_autoptr (GArray) items = g_array_new (FALSE, FALSE, sizeof (CheckpointItem));
  g_autoptr (GPtrArray) numbers = g_ptr_array_new_with_free_func (g_free);

  assert_no_error (error);
  for (guint i = 0; i < checkpoint_n_tensors (checkpoint); i++)
    {
      const CheckpointTensor *tensor = checkpoint_tensor (checkpoint, i);
      CheckpointItem item = { .name = tensor->name, .n_dims = tensor->n_dims };
      float *data;

      if (tensor->type == CHECKPOINT_INT64)
        continue;
      data = checkpoint_read_float (checkpoint, tensor, &error);
      assert_no_error (error);
      g_ptr_array_add (numbers, data);
      for (guint d = 0; d < tensor->n_dims; d++)
        item.shape[d] = tensor->shape[d];
      item.data = data;
      if (change (&item, data, user_data))
        g_array_append_val (items, item);
    }
  checkpoint_write_safetensors (path, FALSE, (CheckpointItem *) items->data, items->len, NULL,
                                &error);
  assert_no_error (error);
  return path;
}
