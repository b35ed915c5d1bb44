/**
 * latents.h: what encoders made of scans.
 *
 * A latent's key says what it was made from (content of the file, weights, precision, resolved
 * preparation), so that an unchanged scan is never encoded twice, wherever its file lies.
 */
#pragma once

#include "catalog/store.h"

typedef struct
{
  gint64 id;
  char *name;         /* unique: the checkpoint's base name, or the user's --encoder-name */
  char *weights_hash; /* "" for imported latents */
  char *checkpoint_path;
  char *description; /* the description file's text; "" for imported latents */
  guint width;       /* numbers in a latent */
  guint n_latents;   /* volumes that have one */
} CatalogEncoder;

void catalog_encoder_free (CatalogEncoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CatalogEncoder, catalog_encoder_free)

/** catalog_encoder_is_imported: its latents come from another program, and no checkpoint makes more
 * of them. */
gboolean catalog_encoder_is_imported (const CatalogEncoder *encoder);

/**
 * catalog_encoder_ensure: the encoder of that name, made where there is none. The same name with
 * another hash or width is CTCLIP_ERROR_USAGE that says to choose another --encoder-name.
 * @encoder: (inout) id and n_latents are filled in
 */
gboolean catalog_encoder_ensure (CatalogStore *store, CatalogEncoder *encoder, GError **error);

/** catalog_encoder_find: @name %NULL means the only or the latest used one; NOT_FOUND lists those
 * that exist or says to encode. */
CatalogEncoder *catalog_encoder_find (CatalogStore *store, const char *name, GError **error);

/** catalog_encoders_list: (element-type CatalogEncoder) */
GPtrArray *catalog_encoders_list (CatalogStore *store, GError **error);

/* ---- content hashes, remembered by size and time of modification ---- */

/** catalog_file_hash_get: the remembered hash of a file that has not changed; %NULL if unknown. */
char *catalog_file_hash_get (CatalogStore *store, const char *path, guint64 size, gint64 mtime_ns);
gboolean catalog_file_hash_set (CatalogStore *store, const char *path, guint64 size,
                                gint64 mtime_ns, const char *hash, GError **error);

/* ---- latents ---- */

typedef struct
{
  const char *key;         /* hash over all that it was made from */
  const char *request_key; /* (nullable) hash over what was asked, known before the file is read */
  const char *volume;      /* record name */
  const char *content_hash;
  const char *preparation; /* volume_prepared_text */
  const float *values;     /* encoder's width numbers */
} CatalogLatent;

/** catalog_latent_save: store (or re-point) a volume's latent and clear its failure. */
gboolean catalog_latent_save (CatalogStore *store, gint64 encoder_id, const CatalogLatent *latent,
                              GError **error);

/** catalog_latents_save: many in one transaction; for imports. */
gboolean catalog_latents_save (CatalogStore *store, gint64 encoder_id, const CatalogLatent *latents,
                               gsize n, GError **error);

/**
 * catalog_latent_hit: TRUE where a latent of that key exists; the volume then points at it.
 *
 * @key: a latent's key, or a request key that was saved with one
 */
gboolean catalog_latent_hit (CatalogStore *store, gint64 encoder_id, const char *key,
                             const char *volume, gboolean *hit, GError **error);

/**
 * catalog_latent_add_request: what was asked turned out to give the latent of @key; from now on the
 * request alone hits it.
 */
gboolean catalog_latent_add_request (CatalogStore *store, gint64 encoder_id, const char *key,
                                     const char *request_key, GError **error);

/**
 * catalog_latents_load: latents of volumes, in their order.
 *
 * @values:  (out) n × width floats; rows without a latent are left as they are
 * @present: (out) n bytes
 */
gboolean catalog_latents_load (CatalogStore *store, gint64 encoder_id, const char *const *volumes,
                               gsize n, guint width, float *values, guint8 *present,
                               GError **error);

/**
 * catalog_latent_requests: what was asked when the latent was made that @volume shows.
 *
 * @content_hash: (out) of the file; %NULL where there is no latent; free with g_free
 * Returns: (transfer full) its request keys, %NULL-terminated; none where it was imported
 */
char **catalog_latent_requests (CatalogStore *store, gint64 encoder_id, const char *volume,
                                char **content_hash, GError **error);

/** catalog_latent_volumes: (transfer full) names that have a latent, %NULL-terminated, sorted. */
char **catalog_latent_volumes (CatalogStore *store, gint64 encoder_id, GError **error);

/** catalog_failure_save: remember why a scan could not be encoded. */
gboolean catalog_failure_save (CatalogStore *store, gint64 encoder_id, const char *volume,
                               const char *reason, GError **error);

/** catalog_failed_volumes: (transfer full) names that could not be encoded, %NULL-terminated. */
char **catalog_failed_volumes (CatalogStore *store, gint64 encoder_id, GError **error);
