#include "harm.h"

#include <fcntl.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
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
harm_file_size (gpointer bytes)
{
  limit (RLIMIT_FSIZE, *(const guint64 *) bytes);
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

/** Skip where a child that tries it does not end with 0. */
static void
need (void (*try_it) (void), const char *what)
{
  pid_t child;
  int status = -1;

  if (ARCHITECTURE != 0 && (child = fork ()) >= 0)
    {
      if (child == 0)
        try_it ();
      waitpid (child, &status, 0);
    }
  if (status == 0)
    return;
  print_message ("needs a kernel that %s system calls\n", what);
  skip ();
}

void
harm_need_filter (void)
{
  need (try_filter, "filters");
}

/* ---- notices of system calls ---- */

static const int calls_of[][4] = {
  [HARM_READ] = { __NR_read, __NR_pread64, __NR_readv, __NR_preadv },
  [HARM_WRITE] = { __NR_write, __NR_pwrite64, __NR_writev, __NR_pwritev },
  [HARM_RENAME] = {
#ifdef __NR_rename
    __NR_rename,
#else
    __NR_renameat,
#endif
    __NR_renameat, __NR_renameat2, __NR_renameat2 },
};

typedef struct
{
  HarmCall call;
  int sockets[2]; /* ours, and the child's, which sends the listener over it */
} Notices;

/** The filter tells a listener of these calls; nothing else is changed. Returns it, or -1. */
static int
listen_to (HarmCall call)
{
  const int *numbers = calls_of[call];
  const struct sock_filter filter[] = { LOAD (nr),
                                        SKIP_IF ((guint) numbers[0], 4),
                                        SKIP_IF ((guint) numbers[1], 3),
                                        SKIP_IF ((guint) numbers[2], 2),
                                        SKIP_IF ((guint) numbers[3], 1),
                                        ALLOW,
                                        RETURN (SECCOMP_RET_USER_NOTIF) };
  const struct sock_fprog program = { .len = G_N_ELEMENTS (filter),
                                      .filter = (struct sock_filter *) filter };

  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return -1;
  return (int) syscall (__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &program);
}

/** HarmSetup: (Notices *): hand the listener to the parent. */
static void
give_listener (gpointer data)
{
  const Notices *notices = data;
  union
  {
    struct cmsghdr header;
    char room[CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  char byte = 0;
  struct iovec part = { .iov_base = &byte, .iov_len = 1 };
  struct msghdr message = {
    .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };
  struct cmsghdr *header = CMSG_FIRSTHDR (&message);
  int fd = listen_to (notices->call);

  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN (sizeof fd);
  memcpy (CMSG_DATA (header), &fd, sizeof fd);
  if (fd < 0 || sendmsg (notices->sockets[1], &message, 0) != 1)
    _exit (99);
}

/** -1 where the child had none to give. */
static int
take_listener (int socket)
{
  union
  {
    struct cmsghdr header;
    char room[CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  char byte;
  struct iovec part = { .iov_base = &byte, .iov_len = 1 };
  struct msghdr message = {
    .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };
  int fd = -1;

  if (recvmsg (socket, &message, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR (&message) != NULL)
    memcpy (&fd, CMSG_DATA (CMSG_FIRSTHDR (&message)), sizeof fd);
  return fd;
}

/** Does the call of a process that waits for it concern @path? */
static gboolean
concerns (const struct seccomp_notif *notice, HarmCall call, const char *path)
{
  char found[4096] = "";
  g_autofree char *link = NULL;
  gsize length = strlen (path);
  gssize n;

  if (call == HARM_RENAME)
    {
      g_autofree char *memory = g_strdup_printf ("/proc/%u/mem", notice->pid);
      guint which =
          notice->data.nr == calls_of[call][0] && calls_of[call][0] != __NR_renameat ? 1 : 3;
      int fd = open (memory, O_RDONLY | O_CLOEXEC);

      n = pread (fd, found, sizeof found - 1, (off_t) notice->data.args[which]);
      close (fd);
    }
  else
    {
      link = g_strdup_printf ("/proc/%u/fd/%d", notice->pid, (int) notice->data.args[0]);
      n = readlink (link, found, sizeof found - 1);
    }
  return n > 0 && strncmp (found, path, length) == 0
         && (found[length] == '\0' || found[length] == '/');
}

/** Until nobody is left who could make a call. */
static void
answer_notices (int listener, GPid pid, HarmCall call, const char *path, guint nth,
                HarmBefore before, gpointer data, gboolean *hit)
{
  int process = (int) syscall (__NR_pidfd_open, pid, 0);
  guint n = 0;

  *hit = FALSE;
  for (;;)
    {
      struct pollfd fds[] = { { listener, POLLIN, 0 }, { process, POLLIN, 0 } };
      struct seccomp_notif notice = { 0 };
      struct seccomp_notif_resp answer = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
      int fault = 0;

      poll (fds, G_N_ELEMENTS (fds), -1);
      if ((fds[0].revents & POLLIN) == 0)
        break;
      if (ioctl (listener, SECCOMP_IOCTL_NOTIF_RECV, &notice) != 0)
        continue; /* it was killed meanwhile */
      if (concerns (&notice, call, path) && ++n >= nth && before != NULL)
        {
          *hit = TRUE;
          fault = before (pid, data);
          before = fault == 0 ? NULL : before;
        }
      answer.id = notice.id;
      if (fault != 0)
        {
          answer.flags = 0;
          answer.error = -fault;
        }
      ioctl (listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
  close (process);
}

ProgramResult
harm_before (HarmCall call, const char *path, guint nth, HarmBefore before, gpointer data,
             gboolean *hit, const char *const *arguments)
{
  g_auto (GStrv) command = command_line (arguments);
  Notices notices = { .call = call };
  ProgramResult result = { .code = -1 };
  g_autoptr (GError) error = NULL;
  int listener, out, err, status;
  GPid pid;

  assert_int_equal (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, notices.sockets), 0);
  g_spawn_async_with_pipes (NULL, command, NULL, G_SPAWN_DO_NOT_REAP_CHILD, give_listener, &notices,
                            &pid, NULL, &out, &err, &error);
  assert_no_error (error);
  close (notices.sockets[1]);
  listener = take_listener (notices.sockets[0]);
  close (notices.sockets[0]);
  assert_true (listener >= 0);
  answer_notices (listener, pid, call, path, nth, before, data, hit);
  close (listener);
  result.out = harm_read (out);
  result.err = harm_read (err);
  status = harm_wait (pid);
  if (WIFEXITED (status))
    result.code = WEXITSTATUS (status);
  return result;
}

static void
try_notices (void)
{
  int listener = listen_to (HARM_RENAME);

  _exit (listener >= 0 && syscall (__NR_pidfd_open, getpid (), 0) >= 0 ? 0 : 99);
}

void
harm_need_notices (void)
{
  need (try_notices, "tells of");
}
