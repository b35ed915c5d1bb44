/**
 * team.h: threads that do one loop after the other together.
 */
#pragma once

#include <gio/gio.h>

typedef struct _Team Team;

/** team_new: @threads in all, the caller's among them; the others wait for work, asleep if it does
 * not come soon. */
Team *team_new (guint threads);
void team_free (Team *team);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Team, team_free)

/** team_size: @team: (nullable) */
guint team_size (const Team *team);

/** TeamWork: do item @i of a loop on thread @thread, 0 ≤ @thread < team_size(). */
typedef void (*TeamWork) (gsize i, guint thread, gpointer user_data);

/**
 * team_run: @work for every i < @n, in any order, shared by all threads; waits for the last.
 *
 * One loop at a time.
 *
 * @team: (nullable) %NULL: the caller alone
 * Returns: %FALSE where @cancellable was cancelled and items may be left out
 */
gboolean team_run (Team *team, gsize n, TeamWork work, gpointer user_data,
                   GCancellable *cancellable);
