#include "terminal.h"

#include "base/error.h"
#include "base/version.h"
#include "log.h"

#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE_DELAY_MS 25 /* how long after Esc the rest of a key's sequence may come */

static struct
{
  SCREEN *screen;
  FILE *in, *out; /* of an off-screen terminal */
  gboolean running, offscreen, mouse;
  struct termios modes; /* as they were */
  char restore[512];    /* what gives the screen back; written by a signal handler */
  gsize restore_n;
  char farewell[512];
} terminal;

/* ---- the way out after a crash ---- */

static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP };

/** Only what is allowed in a signal handler. */
static void
on_crash (int number)
{
  gssize ignored;

  if (terminal.running && !terminal.offscreen)
    {
      ignored = write (STDOUT_FILENO, terminal.restore, terminal.restore_n);
      tcsetattr (STDIN_FILENO, TCSAFLUSH, &terminal.modes);
      log_spill ();
      ignored = write (STDOUT_FILENO, terminal.farewell, strlen (terminal.farewell));
      (void) ignored;
    }
  signal (number, SIG_DFL);
  raise (number);
}

static void
append_capability (const char *name)
{
  const char *code = tigetstr (name);
  gsize n;

  if (code == NULL || code == (char *) -1)
    return;
  n = strlen (code);
  if (terminal.restore_n + n >= sizeof terminal.restore)
    return;
  memcpy (terminal.restore + terminal.restore_n, code, n);
  terminal.restore_n += n;
}

static void
prepare_for_crashes (void)
{
  static const char mouse_off[] = "\033[?1006l\033[?1002l\033[?1000l";
  struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER };
  static char stack[16384];
  const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };

  terminal.restore_n = 0;
  if (tigetstr ("kmous") != NULL && tigetstr ("kmous") != (char *) -1)
    {
      memcpy (terminal.restore, mouse_off, sizeof mouse_off - 1);
      terminal.restore_n = sizeof mouse_off - 1;
    }
  append_capability ("sgr0");
  append_capability ("rmkx");
  append_capability ("cnorm");
  append_capability ("rmcup");
  g_snprintf (terminal.farewell, sizeof terminal.farewell,
              "\r\nctclip-tui crashed; what was finished is in the workspace. The log is %s\r\n",
              log_path ());
  sigaltstack (&alternate, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (deadly); i++)
    sigaction (deadly[i], &action, NULL);
}

/* ---- start and stop ---- */

static void
take_over (void)
{
  raw ();
  noecho ();
  nonl ();
  keypad (stdscr, TRUE);
  nodelay (stdscr, TRUE);
  meta (stdscr, TRUE);
  leaveok (stdscr, FALSE);
  curs_set (0);
}

static int
choose_colours (int wanted)
{
  const char *no_color = g_getenv ("NO_COLOR");

  if (wanted == 0 || (wanted < 0 && no_color != NULL && *no_color != '\0') || !has_colors ())
    return 0;
  start_color ();
  use_default_colors ();
  return wanted > 0 ? MIN (wanted, COLORS) : COLORS;
}

gboolean
terminal_start (const TerminalOptions *options, GError **error)
{
  const char *name = g_getenv ("TERM");

  terminal.offscreen = options->offscreen;
  if (!options->offscreen && (!isatty (STDIN_FILENO) || !isatty (STDOUT_FILENO)))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "the workbench needs a terminal; `%s --batch help` lists what can be "
                   "done without",
                   version_call ());
      return FALSE;
    }
  if (options->offscreen)
    {
      g_autofree char *height = g_strdup_printf ("%d", options->height);
      g_autofree char *width = g_strdup_printf ("%d", options->width);

      g_setenv ("LINES", height, TRUE);
      g_setenv ("COLUMNS", width, TRUE);
      terminal.in = fopen ("/dev/null", "re");
      terminal.out = fopen ("/dev/null", "we");
    }
  else
    tcgetattr (STDIN_FILENO, &terminal.modes);
  terminal.screen = newterm (NULL, options->offscreen ? terminal.out : stdout,
                             options->offscreen ? terminal.in : stdin);
  if (terminal.screen == NULL || tigetstr ("cup") == NULL)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE, "TERM=%s: %s; try TERM=xterm-256color",
                   name != NULL ? name : "",
                   terminal.screen == NULL ? "no such terminal is known here"
                                           : "such a terminal can't place its cursor");
      terminal_stop ();
      return FALSE;
    }
  terminal.running = TRUE;
  set_escdelay (ESCAPE_DELAY_MS);
  take_over ();
  theme_set_ascii (options->ascii || strcmp (nl_langinfo (CODESET), "UTF-8") != 0);
  theme_start (choose_colours (options->colours));
  terminal_set_mouse (options->mouse);
  prepare_for_crashes ();
  if (options->offscreen)
    resizeterm (options->height, options->width);
  return TRUE;
}

void
terminal_stop (void)
{
  if (terminal.screen == NULL)
    return;
  terminal.running = FALSE;
  terminal_set_mouse (FALSE);
  endwin ();
  g_clear_pointer (&terminal.screen, delscreen);
  g_clear_pointer (&terminal.in, fclose);
  g_clear_pointer (&terminal.out, fclose);
  for (guint i = 0; i < G_N_ELEMENTS (deadly); i++)
    signal (deadly[i], SIG_DFL);
}

gboolean
terminal_running (void)
{
  return terminal.running;
}

/** As the terminal's own ^Z would: whatever was started with this program stops too, and nothing
 * does where no shell is there that could let it go on. */
static void
stop_with_group (void)
{
  const struct sigaction plainly = { .sa_handler = SIG_DFL };
  struct sigaction before; /* curses' own */

  sigaction (SIGTSTP, &plainly, &before);
  kill (0, SIGTSTP);
  sigaction (SIGTSTP, &before, NULL);
}

/** Movements while a button is held, which curses does not ask for. */
static void
ask_for_drags (gboolean on)
{
  const char *mouse = tigetstr ("kmous");

  if (terminal.offscreen || mouse == NULL || mouse == (char *) -1)
    return;
  putp (on ? "\033[?1002h" : "\033[?1002l");
  fflush (stdout);
}

void
terminal_suspend (void)
{
  if (terminal.offscreen)
    return;
  ask_for_drags (FALSE);
  def_prog_mode ();
  endwin ();
  log_release ();
  stop_with_group ();
  log_capture ();
  reset_prog_mode ();
  terminal_fit ();
  clearok (curscr, TRUE);
  doupdate (); /* curses asks for the mouse anew, and after it we do */
  ask_for_drags (terminal.mouse);
}

gboolean
terminal_fit (void)
{
  struct winsize size;

  if (terminal.offscreen || ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0
      || size.ws_col == 0 || (size.ws_row == LINES && size.ws_col == COLS))
    return FALSE;
  terminal_resize (size.ws_col, size.ws_row);
  return TRUE;
}

void
terminal_resize (int width, int height)
{
  resizeterm (height, width);
  clearok (curscr, TRUE);
}

/* ---- input ---- */

#define MOST_MOUSE_EVENTS 8 /* that curses keeps */
#define GRAB_EVENTS (BUTTON2_PRESSED | BUTTON3_PRESSED)
#define MOUSE_EVENTS                                                                               \
  (BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED | GRAB_EVENTS | BUTTON1_RELEASED            \
   | BUTTON2_RELEASED | BUTTON3_RELEASED | REPORT_MOUSE_POSITION)

void
terminal_set_mouse (gboolean on)
{
  mouseinterval (0);
  mousemask (on ? MOUSE_EVENTS : 0, NULL);
  terminal.mouse = on;
  ask_for_drags (on);
}

/** FALSE where it means nothing here. */
static gboolean
take_mouse (const MEVENT *mouse, TerminalEvent *event)
{
  static gboolean held; /* the middle or right button */

  *event = (TerminalEvent){ .y = mouse->y, .x = mouse->x };
  if (mouse->bstate & REPORT_MOUSE_POSITION)
    {
      event->drag = TRUE;
      return held;
    }
  held = (mouse->bstate & GRAB_EVENTS) != 0;
  event->grab = held;
  event->wheel = (mouse->bstate & (BUTTON4_PRESSED | BUTTON5_PRESSED)) != 0;
  event->rows = mouse->bstate & BUTTON4_PRESSED ? -1 : 1;
  return held || event->wheel || (mouse->bstate & BUTTON1_PRESSED) != 0;
}

/** What came in one go, a press and its release over a slow line, curses hands over as one key, the
 * newest first. The oldest that means something is taken. */
static gboolean
read_mouse (TerminalEvent *event)
{
  MEVENT events[MOST_MOUSE_EVENTS];
  TerminalEvent next;
  int n = 0;
  gboolean any = FALSE;

  while (n < MOST_MOUSE_EVENTS && getmouse (&events[n]) == OK)
    n++;
  while (n-- > 0)
    if (take_mouse (&events[n], &next) && !any)
      {
        *event = next;
        any = TRUE;
      }
  return any;
}

gboolean
terminal_read (TerminalEvent *event)
{
  wint_t character;

  for (;;)
    {
      int kind = get_wch (&character);

      if (kind == ERR)
        return FALSE;
      if (kind == KEY_CODE_YES && character == KEY_MOUSE)
        {
          if (read_mouse (event))
            return TRUE;
          continue;
        }
      if (kind == KEY_CODE_YES && character == KEY_RESIZE)
        continue;
      *event = (TerminalEvent){ .key = character };
      if (character == (kind == KEY_CODE_YES ? KEY_ENTER : '\n'))
        event->key = '\r';
      else if (kind == KEY_CODE_YES)
        event->key |= KEY_IS_FUNCTION;
      else if (character == 127 || character == 8)
        event->key = KEY_IS_FUNCTION | KEY_BACKSPACE;
      return TRUE;
    }
}

char *
terminal_screen (void)
{
  GString *text = g_string_new (NULL);

  for (int y = 0; y < LINES; y++)
    {
      for (int x = 0; x < COLS; x++)
        {
          cchar_t cell;
          wchar_t characters[CCHARW_MAX + 1] = { 0 };
          attr_t attributes;
          short pair;

          mvwin_wch (stdscr, y, x, &cell);
          if (getcchar (&cell, characters, &attributes, &pair, NULL) == OK)
            for (guint i = 0; i < CCHARW_MAX && characters[i] != 0; i++)
              g_string_append_unichar (text, (gunichar) characters[i]);
          if (g_unichar_iswide ((gunichar) characters[0]))
            x++;
        }
      while (text->len > 0 && text->str[text->len - 1] == ' ')
        g_string_truncate (text, text->len - 1);
      g_string_append_c (text, '\n');
    }
  return g_string_free (text, FALSE);
}
