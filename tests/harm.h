/**
 * harm.h: the real program, run where something goes wrong on purpose.
 *
 * Whatever is random is drawn from one seed. $CTCLIP_FAULTS says how many random moments a test
 * takes (as many as it has room for in `make check` where it is unset).
 */
#pragma once

#include "program.h"

/** harm_moments: $CTCLIP_FAULTS, else @usual. */
guint harm_moments (guint usual);

/**
 * HarmSetup: what is done to the child before it becomes the program. It comes after a fork: no
 * memory is taken, no lock.
 */
typedef void (*HarmSetup) (gpointer data);

/** harm_run: `ctclip-tui --batch ...` in that state. A signal's number is in @signal, else 0. */
ProgramResult harm_run (HarmSetup setup, gpointer data, int *signal, const char *const *arguments);

/** harm_start: begin `ctclip-tui --batch ...`; @out: (nullable) (out) its standard output. */
GPid harm_start (const char *const *arguments, int *out);

/** harm_read: what comes from a descriptor until its end, which closes it. Free with g_free. */
char *harm_read (int fd);

/** harm_count_lines: how many line ends there are. */
guint harm_count_lines (const char *text);

/** harm_wait: the exit status of waitpid(). */
int harm_wait (GPid pid);

/**
 * harm_kill_after: run the command and kill -9 it after so long.
 *
 * @out: (nullable) (out) what it had said by then; free with g_free
 * Returns: FALSE where it had ended before
 */
gboolean harm_kill_after (gulong delay_us, char **out, const char *const *arguments);

/* ---- in the middle of it ---- */

typedef enum
{
  HARM_READ,
  HARM_WRITE,
  HARM_RENAME, /* the path is the new name */
} HarmCall;

/**
 * HarmBefore: what is done before a call is made, while the program waits for it.
 *
 * Returns: 0 where the call is to be made, or the errno that it fails with
 */
typedef int (*HarmBefore) (GPid pid, gpointer data);

/**
 * harm_before: run the command, and do something before one of its calls.
 *
 * @path: whose calls count: a file's path, or the folder of files that have no name yet
 * @nth:  the first that does, from 1; from then on all do until @before returns 0
 * @hit:  (out) whether there were so many
 *
 * Only where harm_need_notices() lets the test go on.
 */
ProgramResult harm_before (HarmCall call, const char *path, guint nth, HarmBefore before,
                           gpointer data, gboolean *hit, const char *const *arguments);

/** harm_need_notices: skips the test where this kernel does not tell of system calls. */
void harm_need_notices (void);

/* ---- files ---- */

/** harm_copy: a folder or file, as it is, to a place where nothing is. */
void harm_copy (const char *from, const char *to);

/** harm_remove: a folder or file that may be there. */
void harm_remove (const char *path);

/* ---- setups ---- */

/** HarmSetup: as little address space as (gsize *) says. */
void harm_address_space (gpointer bytes);

/** HarmSetup: no file may be longer than (guint64 *) says. */
void harm_file_size (gpointer bytes);

/** HarmSetup: as many open descriptors as (guint *) says. */
void harm_descriptors (gpointer n);

/** HarmSetup: no second thread is made. */
void harm_no_threads (gpointer unused);

/** HarmSetup: the file system knows no locks. */
void harm_no_locks (gpointer unused);

/** HarmSetup: a socket of another family than AF_UNIX, which libc asks for names, ends it with
 * SIGSYS. */
void harm_no_network (gpointer unused);

/** harm_can_filter: whether this kernel lets the last three do what they say; skips the test where
 * not. */
void harm_need_filter (void);
