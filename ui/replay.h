/**
 * replay.h: keys from a file, for tests, bug reports and the pictures in the manual.
 *
 *     # a comment
 *     size 80x24              the terminal's size, before the first key or later
 *     key j j Enter C-l       keys by their names in the manual
 *     type emphysema AND ...  characters, as they are
 *     wait TEXT               until the screen shows it
 *     wait-gone TEXT          until it does not
 *     timeout 60              seconds that a wait may take
 *     dump FILE               write the screen to a file, as :dump-screen does
 *     clock real              show times as they are; without this they stand still
 *
 * Before each line the screen is drawn and all small pieces of work are done, so that the same file
 * gives the same screens. The file's end leaves the program; a wait in vain does with exit code 1.
 */
#pragma once

#include "keys.h"

typedef struct _Replay Replay;
typedef struct _App App;

/** replay_load: read and check a file; an error names its line. */
Replay *replay_load (const char *path, GError **error);
void replay_free (Replay *replay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Replay, replay_free)

/** replay_size: the size that it begins with; FALSE where it says none. */
gboolean replay_size (const Replay *replay, int *width, int *height);

/** replay_pins_time: @replay: (nullable) */
gboolean replay_pins_time (const Replay *replay);

/** replay_start: from now on it runs on the main loop. */
void replay_start (Replay *replay, App *app);
