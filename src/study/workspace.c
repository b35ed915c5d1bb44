#include "study/workspace.h"

#include "base/error.h"
#include "catalog/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STORE_NAME "workspace.sqlite"
#define LOCK_NAME "lock"
#define HOLDER_FORMAT "process %d: " /* and what it does */

struct _Workspace
{
  char *directory;
  int lock_fd; /* -1 while not locked by us */
  char *died;  /* (nullable) who held the lock before us and did not give it back */
};

static gboolean
make_directory (const char *directory, GError **error)
{
  if (g_mkdir_with_parents (directory, 0700) == 0)
    return TRUE;
  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO,
               "%s: the workspace cannot be made: %s; choose another place with -w", directory,
               g_strerror (errno));
  return FALSE;
}

static char *
choose_directory (const char *directory)
{
  const char *chosen = directory != NULL ? directory : g_getenv ("CTCLIP_WORKSPACE");

  return g_strdup (chosen != NULL && *chosen != '\0' ? chosen : "ctclip-workspace");
}

/** Where nothing can be locked, SQLite waits in vain for others to let go; so this is asked first.
 */
static gboolean
check_locks (const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, LOCK_NAME, NULL);
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  /* A folder that can't be written has other faults, which the store names. */
  gboolean can = fd < 0 || fcntl (fd, F_OFD_GETLK, &lock) == 0;

  if (!can)
    g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO,
                 "%s: this file system cannot lock files (%s); keep the workspace on a local disk "
                 "(-w DIR)",
                 directory, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return can;
}

Workspace *
workspace_open (const char *directory, gboolean create, GError **error)
{
  g_autoptr (Workspace) workspace = g_new0 (Workspace, 1);
  g_autofree char *store_path = NULL;
  g_autoptr (CatalogStore) store = NULL;

  workspace->lock_fd = -1;
  workspace->directory = choose_directory (directory);
  store_path = g_build_filename (workspace->directory, STORE_NAME, NULL);
  if (!create && !g_file_test (store_path, G_FILE_TEST_EXISTS))
    {
      g_set_error (
          error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
          "%s: no workspace is there; name one with -w, or make it with `import` or `demo`",
          workspace->directory);
      return NULL;
    }
  if ((create && !make_directory (workspace->directory, error))
      || !check_locks (workspace->directory, error))
    return NULL;
  /* Opening once makes or migrates the schema, so that later connections can be taken for granted.
   */
  store = catalog_store_open (store_path, create, error);
  if (store == NULL)
    return NULL;
  return g_steal_pointer (&workspace);
}

void
workspace_free (Workspace *workspace)
{
  workspace_unlock (workspace);
  g_free (workspace->died);
  g_free (workspace->directory);
  g_free (workspace);
}

const char *
workspace_directory (const Workspace *workspace)
{
  return workspace->directory;
}

CatalogStore *
workspace_store (Workspace *workspace, GError **error)
{
  g_autofree char *path = g_build_filename (workspace->directory, STORE_NAME, NULL);

  return catalog_store_open (path, FALSE, error);
}

/** What the holder of the lock wrote into the file; "" if that can't be read. Free with g_free. */
static char *
read_holder (int fd)
{
  char holder[256] = "";
  ssize_t n = pread (fd, holder, sizeof holder - 1, 0);

  holder[MAX (n, 0)] = '\0';
  return g_strdup (g_strstrip (holder));
}

static void
set_busy (const char *directory, int fd, GError **error)
{
  g_autofree char *holder = read_holder (fd);

  g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_BUSY,
               "%s: another program works in this workspace (%s); wait for it or stop it",
               directory, *holder != '\0' ? holder : "unknown");
}

gboolean
workspace_lock (Workspace *workspace, const char *what, GError **error)
{
  g_autofree char *path = g_build_filename (workspace->directory, LOCK_NAME, NULL);
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  g_autofree char *holder = NULL;
  int fd;

  g_return_val_if_fail (workspace->lock_fd < 0, FALSE);
  fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_IO, "%s: cannot be opened: %s%s", path,
                   g_strerror (errno),
                   errno == EACCES || errno == EROFS
                       ? "; this workspace can only be looked at, work in one of yours (-w DIR)"
                       : "");
      return FALSE;
    }
  /* Locks of the open file description: they hold between threads, and fall with the process. */
  if (fcntl (fd, F_OFD_SETLK, &lock) != 0)
    {
      if (errno == EACCES || errno == EAGAIN)
        set_busy (workspace->directory, fd, error);
      else
        g_set_error (
            error, CTCLIP_ERROR, CTCLIP_ERROR_IO,
            "%s: this file system cannot lock files (%s); keep the workspace on a local disk", path,
            g_strerror (errno));
      close (fd);
      return FALSE;
    }
  /* Whoever ends in good order leaves the file empty. */
  g_free (workspace->died);
  workspace->died = read_holder (fd);
  if (*workspace->died == '\0')
    g_clear_pointer (&workspace->died, g_free);
  holder = g_strdup_printf (HOLDER_FORMAT "%s\n", (int) getpid (), what);
  if (ftruncate (fd, 0) != 0 || pwrite (fd, holder, strlen (holder), 0) < 0)
    g_debug ("%s: the holder's name cannot be written", path);
  workspace->lock_fd = fd;
  return TRUE;
}

void
workspace_unlock (Workspace *workspace)
{
  if (workspace->lock_fd >= 0)
    {
      if (ftruncate (workspace->lock_fd, 0) != 0)
        g_debug ("%s: the holder's name stays in the lock", workspace->directory);
      close (workspace->lock_fd);
    }
  workspace->lock_fd = -1;
}

const char *
workspace_died (const Workspace *workspace)
{
  return workspace->died;
}

void
workspace_end_abandoned_runs (Workspace *workspace, CatalogStore *store)
{
  guint n;

  if (!workspace_lock (workspace, "looking for abandoned runs", NULL))
    return;
  catalog_runs_end_abandoned (store, &n, NULL);
  workspace_unlock (workspace);
}

gboolean
workspace_holder (Workspace *workspace, int *pid, char **what)
{
  g_autofree char *path = g_build_filename (workspace->directory, LOCK_NAME, NULL);
  g_autofree char *holder = NULL;
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  int fd = open (path, O_RDWR | O_CLOEXEC);
  int begin = 0;
  gboolean held;

  if (fd < 0)
    return FALSE;
  held = fcntl (fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  if (held)
    holder = read_holder (fd);
  close (fd);
  *pid = 0;
  if (!held)
    return FALSE;
  if (sscanf (holder, HOLDER_FORMAT "%n", pid, &begin) < 1)
    begin = 0;
  *what = g_strdup (holder + begin);
  return TRUE;
}

gboolean
workspace_repair (const char *directory, CatalogSalvage *salvage, GError **error)
{
  g_autoptr (Workspace) workspace = g_new0 (Workspace, 1);
  g_autofree char *path = NULL;

  workspace->lock_fd = -1;
  workspace->directory = choose_directory (directory);
  path = g_build_filename (workspace->directory, STORE_NAME, NULL);
  return workspace_lock (workspace, "repair", error)
         && catalog_store_salvage (path, salvage, error);
}
