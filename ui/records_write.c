/* The list as a file. */
#include "records_private.h"

#include "study/export_job.h"

static gboolean
write_list (gpointer data, const char *path, gboolean replace, GError **error)
{
  const RecordsQuestion *question = data;
  StudyExport study = { .workspace = question->workspace,
                        .what = EXPORT_RECORDS,
                        .out_path = path,
                        .replace = replace,
                        .query = question->filter,
                        .list = question->options };
  g_autoptr (Job) job = job_start ("export", study_export, &study);

  return job_wait (job, error);
}

void
records_write (Records *records)
{
  if (records->list.n == 0)
    {
      app_error (records->app, "There is no record in the list to write");
      return;
    }
  app_write (records->app, records->only_tagged ? "tagged.csv" : "records.csv", write_list,
             records_question_new (records), records_question_free);
}
