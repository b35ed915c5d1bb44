#include "harm.h"

#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

guint
harm_moments (guint usual)
{
  const char *text = g_getenv ("CTCLIP_FAULTS");

  return text != NULL && *text != '\0' ? (guint) g_ascii_strtoull (text, NULL, 10) : usual;
}

/* ---- running ---- */

static char **
command_line (const char *const *arguments)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  g_strv_builder_add_many (builder, program_path (), "--batch", NULL);
  g_strv_builder_addv (builder, (const char **) arguments);
  return g_strv_builder_end (builder);
}

ProgramResult
harm_run (HarmSetup setup, gpointer data, int *ended_by, const char *const *arguments)
{
  g_auto (GStrv) command = command_line (arguments);
  ProgramResult result = { .code = -1 };
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (NULL, command, NULL, G_SPAWN_DEFAULT, setup, data, &result.out, &result.err,
                &status, &error);
  assert_no_error (error);
  if (WIFEXITED (status))
    result.code = WEXITSTATUS (status);
  if (ended_by != NULL)
    *ended_by = WIFSIGNALED (status) ? WTERMSIG (status) : 0;
  return result;
}

/** In an orphaned group, as below a build that no shell watches, SIGTSTP stops nothing. */
static void
lead_group (gpointer data)
{
  setpgid (0, 0);
}

GPid
harm_start (const char *const *arguments, int *out)
{
  g_auto (GStrv) command = command_line (arguments);
  GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL;
  g_autoptr (GError) error = NULL;
  GPid pid;

  if (out == NULL)
    flags |= G_SPAWN_STDOUT_TO_DEV_NULL;
  g_spawn_async_with_pipes (NULL, command, NULL, flags, lead_group, NULL, &pid, NULL, out, NULL,
                            &error);
  assert_no_error (error);
  return pid;
}

char *
harm_read (int fd)
{
  GString *text = g_string_new (NULL);
  char part[4096];
  gssize n;

  while ((n = read (fd, part, sizeof part)) > 0)
    g_string_append_len (text, part, n);
  close (fd);
  return g_string_free (text, FALSE);
}

guint
harm_count_lines (const char *text)
{
  guint n = 0;

  for (const char *c = text; *c != '\0'; c++)
    n += *c == '\n';
  return n;
}

int
harm_wait (GPid pid)
{
  int status;

  assert_int_equal (waitpid (pid, &status, 0), pid);
  return status;
}

gboolean
harm_kill_after (gulong delay_us, char **out, const char *const *arguments)
{
  int fd = -1;
  GPid pid = harm_start (arguments, out != NULL ? &fd : NULL);

  g_usleep (delay_us);
  kill (pid, SIGKILL);
  if (out != NULL)
    *out = harm_read (fd);
  return WIFSIGNALED (harm_wait (pid));
}

/* ---- files ---- */

static void
run_tool (const char *tool, const char *option, const char *first, const char *second)
{
  const char *const command[] = { tool, option, "--", first, second, NULL };
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (NULL, (char **) command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status,
                &error);
  assert_no_error (error);
  assert_int_equal (status, 0);
}

void
harm_copy (const char *from, const char *to)
{
  run_tool ("cp", "-a", from, to);
}

void
harm_remove (const char *path)
{
  run_tool ("rm", "-rf", path, NULL);
}

/* ---- setups ---- */

static void
limit (int resource, rlim_t most)
{
  struct rlimit limits = { .rlim_cur = most, .rlim_max = most };

  if (setrlimit (resource, &limits) != 0)
    _exit (99);
}

void
harm_address_space (gpointer bytes)
{
  limit (RLIMIT_AS, *(const gsize *) bytes);
}

void
harm_descriptors (gpointer n)
{
  limit (RLIMIT_NOFILE, *(const guint *) n);
}

#ifdef __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0
#endif

#define LOAD(member) BPF_STMT (BPF_LD | BPF_W | BPF_ABS, offsetof (struct seccomp_data, member))
#define SKIP_UNLESS(value, n) BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, value, 0, n)
#define SKIP_IF(value, n) BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, value, n, 0)
#define RETURN(action) BPF_STMT (BPF_RET | BPF_K, action)
#define ALLOW RETURN (SECCOMP_RET_ALLOW)

static gboolean
install (const struct sock_filter *filter, gsize n)
{
  struct sock_fprog program = { .len = (unsigned short) n,
                                .filter = (struct sock_filter *) filter };

  return prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
         && prctl (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#define INSTALL(...)                                                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    const struct sock_filter filter_[] = { __VA_ARGS__ };                                          \
                                                                                                   \
    if (!install (filter_, G_N_ELEMENTS (filter_)))                                                \
      _exit (99);                                                                                  \
  }                                                                                                \
  G_STMT_END

void
harm_no_threads (gpointer unused)
{
  INSTALL (LOAD (nr), SKIP_IF (__NR_clone, 2), SKIP_IF (__NR_clone3, 1), ALLOW,
           RETURN (SECCOMP_RET_ERRNO | EAGAIN));
}

void
harm_no_locks (gpointer unused)
{
  INSTALL (LOAD (nr), SKIP_UNLESS (__NR_fcntl, 8), LOAD (args[1]), SKIP_IF (F_GETLK, 5),
           SKIP_IF (F_OFD_GETLK, 4), SKIP_IF (F_SETLK, 3), SKIP_IF (F_SETLKW, 2),
           SKIP_IF (F_OFD_SETLK, 1), ALLOW, RETURN (SECCOMP_RET_ERRNO | ENOLCK), ALLOW);
}

void
harm_no_network (gpointer unused)
{
  INSTALL (LOAD (nr), SKIP_UNLESS (__NR_socket, 2), LOAD (args[0]), SKIP_UNLESS (AF_UNIX, 1), ALLOW,
           RETURN (SECCOMP_RET_KILL_PROCESS));
}

static void
try_filter (void)
{
  INSTALL (ALLOW);
  _exit (0);
}

void
harm_need_filter (void)
{
  pid_t child;
  int status = -1;

  if (ARCHITECTURE != 0 && (child = fork ()) >= 0)
    {
      if (child == 0)
        try_filter ();
      waitpid (child, &status, 0);
    }
  if (status == 0)
    return;
  print_message ("needs a kernel that filters system calls\n");
  skip ();
}
