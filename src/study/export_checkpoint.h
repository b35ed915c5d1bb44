/**
 * export_checkpoint.h: an encoder's tensors and a new head as one PyTorch checkpoint.
 */
#pragma once

#include "model/head.h"
#include "study/job.h"

/**
 * study_export_checkpoint: every floating tensor of @encoder_path under its own name, but for its
 * old classifier, then the head's as "classifier.0.weight" and so on; float32.
 *
 * @written: (out) tensors
 */
gboolean study_export_checkpoint (Job *job, const char *encoder_path, const Head *head,
                                  const char *out_path, gboolean replace, guint64 *written,
                                  GError **error);
