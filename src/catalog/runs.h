/**
 * runs.h: training runs: what was asked, every metric of every epoch, every validation prediction,
 * the head.
 *
 * The store knows a run's metrics as text (one JSON document per epoch, the very one that is
 * streamed) and as rows for queries; it does not compute anything.
 */
#pragma once

#include "catalog/samples.h"
#include "catalog/store.h"

typedef struct
{
  gint64 id;
  char *name;               /* unique, "run-7" unless the user chose one */
  char *status;             /* "running", "done", "cancelled", "failed" */
  char *message;            /* (nullable) why it failed */
  char *started, *finished; /* ISO 8601, UTC; finished may be %NULL */
  char *parameters;         /* the run file's text: enough to run it again */
  char *encoder;            /* name */
  char *train_sample, *valid_sample;
  char *code_version;
  char *note;         /* "" */
  double macro_auroc; /* of the kept epoch; NaN while there is none */
  int kept_epoch;     /* -1 while there is none */
} CatalogRun;

void catalog_run_free (CatalogRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CatalogRun, catalog_run_free)

/**
 * catalog_run_begin: keep a new run, with status "running".
 *
 * @run: (inout) id, name (from "" or %NULL) and started are filled in
 *
 * Encoder and samples must be there. A name that another run has, or that stands for a run by
 * itself (a number, "run-N", "latest"), is CTCLIP_ERROR_USAGE.
 */
gboolean catalog_run_begin (CatalogStore *store, CatalogRun *run, GError **error);

/** One class (or the macro row, class -1) of one epoch. NaN where undefined. */
typedef struct
{
  int class_index;
  double auroc, auroc_low, auroc_high, sensitivity, specificity, accuracy, threshold;
  guint positives, negatives;
} CatalogEpochClass;

/** catalog_run_add_epoch: @json is the streamed epoch object. */
gboolean catalog_run_add_epoch (CatalogStore *store, gint64 run_id, guint epoch, double train_loss,
                                const char *json, const CatalogEpochClass *classes, guint n_classes,
                                GError **error);

/** Everything that a finished run leaves. */
typedef struct
{
  guint kept_epoch;
  double macro_auroc;
  GBytes *head;               /* safetensors */
  const double *thresholds;   /* n_classes */
  const char *const *volumes; /* validation members, n */
  const guint32 *labels;      /* n */
  const double *logits;       /* n × n_classes */
  gsize n;
  guint n_classes;
} CatalogRunResult;

/** catalog_run_finish: result, predictions and status "done" in one transaction. */
gboolean catalog_run_finish (CatalogStore *store, gint64 run_id, const CatalogRunResult *result,
                             GError **error);

/** catalog_run_end: end a running run as "cancelled" or "failed", with a message; epochs so far
 * stay. */
gboolean catalog_run_end (CatalogStore *store, gint64 run_id, const char *status,
                          const char *message, GError **error);

/**
 * catalog_runs_end_abandoned: runs whose program was killed still say "running"; call them failed.
 *
 * Only for one that knows that nobody else is training: it holds the workspace's lock.
 * @n: (out) how many there were
 */
gboolean catalog_runs_end_abandoned (CatalogStore *store, guint *n, GError **error);

/** catalog_runs_list: newest first. (element-type CatalogRun) */
GPtrArray *catalog_runs_list (CatalogStore *store, GError **error);

/** catalog_runs_count: -1 on error. */
gint64 catalog_runs_count (CatalogStore *store, GError **error);
/** catalog_runs_running: how many say "running", abandoned ones too; -1 on error. */
gint64 catalog_runs_running (CatalogStore *store, GError **error);

/**
 * catalog_run_find: by name, by number ("7", "run-7"), or "latest": the last one that is done.
 *
 * NOT_FOUND lists the last few.
 */
CatalogRun *catalog_run_find (CatalogStore *store, const char *name, GError **error);

/** catalog_run_epochs: the epochs' JSON texts in order, %NULL-terminated. */
char **catalog_run_epochs (CatalogStore *store, gint64 run_id, GError **error);

/** catalog_run_head: (transfer full) safetensors bytes; NOT_FOUND where the run did not finish. */
GBytes *catalog_run_head (CatalogStore *store, gint64 run_id, GError **error);

/** catalog_run_thresholds: (transfer full) n_classes doubles. */
double *catalog_run_thresholds (CatalogStore *store, gint64 run_id, guint *n_classes,
                                GError **error);

typedef struct
{
  gsize n;
  guint n_classes;
  char **volumes;  /* %NULL-terminated */
  char **patients; /* %NULL-terminated; where the record is no longer there, the volume's name */
  guint32 *labels; /* n */
  double *logits;  /* n × n_classes */
} CatalogPredictions;

void catalog_predictions_free (CatalogPredictions *predictions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CatalogPredictions, catalog_predictions_free)

CatalogPredictions *catalog_run_predictions (CatalogStore *store, gint64 run_id, GError **error);

/**
 * catalog_record_predictions: what the run predicted for one volume of its validation sample.
 *
 * @volume: record name
 * @probabilities: (out) CATALOG_N_LABELS; NaN where the run did not predict
 */
gboolean catalog_record_predictions (CatalogStore *store, gint64 run_id, const char *volume,
                                     double *probabilities, GError **error);

gboolean catalog_run_set_note (CatalogStore *store, gint64 run_id, const char *note,
                               GError **error);
gboolean catalog_run_rename (CatalogStore *store, gint64 run_id, const char *name, GError **error);
gboolean catalog_run_delete (CatalogStore *store, gint64 run_id, GError **error);
