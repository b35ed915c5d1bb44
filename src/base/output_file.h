/**
 * output_file.h: files that are there whole or not at all.
 *
 * Data goes to a temporary file in the same directory (as readable as the umask says,
 * unguessable name), which is flushed, synced and renamed over the target by output_file_commit().
 * Freeing an uncommitted OutputFile removes the temporary one.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

typedef struct _OutputFile OutputFile;

/**
 * output_file_check: TRUE where output_file_open() would not refuse @path; for those who work long
 * before they write.
 *
 * @replace: %FALSE refuses an existing file with CTCLIP_ERROR_USAGE and the advice to use --force
 *
 * Only regular files are ever replaced: no directory, no device, no pipe, no link to nothing.
 */
gboolean output_file_check (const char *path, gboolean replace, GError **error);

/** output_file_open: start writing @path; a symbolic link stays, and the file that it leads to is
 * replaced. The new one may be read by whom the old one could. */
OutputFile *output_file_open (const char *path, gboolean replace, GError **error);

/** output_file_stream: where to write; owned by @file. Write errors are caught at commit. */
FILE *output_file_stream (OutputFile *file);

/** output_file_write: fwrite with the error said (a full disk names the bytes that were needed). */
gboolean output_file_write (OutputFile *file, const void *data, gsize size, GError **error);

/** output_file_commit: flush, sync, rename, sync the name too. On failure the target is as it was.
 */
gboolean output_file_commit (OutputFile *file, GError **error);

/**
 * output_file_commit_pair: commit two files that are of use together only.
 *
 * An older @second is taken away first and the new one comes last: whoever is killed in between
 * leaves a @first alone, and never one beside a @second that is not its own.
 */
gboolean output_file_commit_pair (OutputFile *first, OutputFile *second, GError **error);

void output_file_free (OutputFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OutputFile, output_file_free)
