/**
 * workspace.h: one directory that keeps everything a user did.
 */
#pragma once

#include "catalog/salvage.h"
#include "catalog/store.h"
#include <glib.h>

typedef struct _Workspace Workspace;

/**
 * workspace_open: open or make a workspace.
 *
 * @directory: (nullable) %NULL: $CTCLIP_WORKSPACE, else ./ctclip-workspace
 * @create: make it (mode 0700) where it is not there; else CTCLIP_ERROR_NOT_FOUND says how to start
 * one
 *
 * Nothing is locked; see workspace_lock().
 */
Workspace *workspace_open (const char *directory, gboolean create, GError **error);
void workspace_free (Workspace *workspace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Workspace, workspace_free)

const char *workspace_directory (const Workspace *workspace);

/**
 * workspace_repair: put all rows that can be read of a damaged store into a sound one; see
 * catalog_store_salvage(). Nobody may work in the workspace meanwhile: CTCLIP_ERROR_BUSY.
 */
gboolean workspace_repair (const char *directory, CatalogSalvage *salvage, GError **error);

/** workspace_store: a new connection for the calling thread, which closes it. */
CatalogStore *workspace_store (Workspace *workspace, GError **error);

/**
 * workspace_lock: claim the workspace for a job of this process.
 *
 * @what: what the job does, told to whoever comes second
 *
 * The lock is the kernel's and falls with the process, so none is ever stale. CTCLIP_ERROR_BUSY
 * names the process that holds it.
 */
gboolean workspace_lock (Workspace *workspace, const char *what, GError **error);
void workspace_unlock (Workspace *workspace);

/**
 * workspace_died: who held the lock before us and was killed or crashed, "process 12: encode".
 *
 * Known from workspace_lock() on; %NULL where the last holder ended in good order.
 */
const char *workspace_died (const Workspace *workspace);

/**
 * workspace_end_abandoned_runs: runs that say "running" where nobody works have failed; say so.
 *
 * Claims the workspace for a moment; from then on workspace_died() is known. Where it is at work or
 * can only be looked at, nothing is done.
 */
void workspace_end_abandoned_runs (Workspace *workspace, CatalogStore *store);

/**
 * workspace_holder: who works in the workspace now, this process included.
 *
 * @pid: (out) @what: (out) as told to workspace_lock(); free with g_free
 * Returns: FALSE where it is not locked
 */
gboolean workspace_holder (Workspace *workspace, int *pid, char **what);
