#include "base/last_words.h"

#include "config.h"

#include <signal.h>
#include <unistd.h>

#define STACK_BYTES 16384 /* of the handler, which needs a fraction */

#ifndef CTCLIP_SANITIZED
/** Only what is allowed in a signal handler. */
static void
on_crash (int number)
{
  static const char words[] =
      "ctclip-tui: crashed. What was finished is kept, and the same command goes on from there. If "
      "memory is limited (ulimit -v), allow more; if not, please report this.\n";
  gssize ignored = write (STDERR_FILENO, words, sizeof words - 1);

  (void) ignored;
  signal (number, SIG_DFL);
  raise (number);
}
#endif

void
last_words_install (void)
{
#ifndef CTCLIP_SANITIZED
  static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP };
  struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER };

  sigemptyset (&action.sa_mask);
  for (guint i = 0; i < G_N_ELEMENTS (deadly); i++)
    sigaction (deadly[i], &action, NULL);
  last_words_thread ();
#endif
}

void
last_words_thread (void)
{
#ifndef CTCLIP_SANITIZED
  static __thread char stack[STACK_BYTES];
  const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };

  sigaltstack (&alternate, NULL);
#endif
}
