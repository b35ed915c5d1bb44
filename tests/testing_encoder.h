/**
 * testing_encoder.h: the golden encoders and changed copies of their checkpoints.
 */
#pragma once

#include "model/checkpoint.h"
#include "model/engine.h"

#include <string.h>

/** TESTING_DEVICE: the form that a program tests: "cpu", or "torch" or "cuda:0" where it is
 * compiled with that. */
#ifndef TESTING_DEVICE
#define TESTING_DEVICE "cpu"
#endif
#define TESTING_OWN_LOOPS (strcmp (TESTING_DEVICE, "cpu") == 0)

/** testing_engine: one engine of that form for the whole program. Skips the running test where
 * there is no such device. */
Engine *testing_engine (void);

/** testing_description: of the encoder in golden/<folder>, from its meta.json. */
EncoderDescription *testing_description (const char *folder);

/** testing_encoder: opened, in whatever form @file is; fails the test on any error. */
EngineEncoder *testing_encoder (const char *folder, const char *file);

/** TestingChange: look at or change an item of a copy; %FALSE leaves it out. @data has room for its
 * numbers. */
typedef gboolean (*TestingChange) (CheckpointItem *item, float *data, gpointer user_data);

/** testing_changed_checkpoint: a safetensors copy of golden/<folder>/<file>'s floats. g_free the
 * path. */
char *testing_changed_checkpoint (const char *folder, const char *file, TestingChange change,
                                  gpointer user_data);
