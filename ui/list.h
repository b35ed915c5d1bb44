/**
 * list.h: which row of a long list is under the cursor, and which are in view.
 */
#pragma once

#include "keys.h"

typedef struct
{
  guint64 n;      /* rows */
  guint64 cursor; /* < n, or 0 */
  guint64 top;    /* first row in view */
  guint page;     /* rows in view; set while drawing */
} List;

/** list_fit: after n, page or cursor changed: the cursor is a row, and it is in view. */
void list_fit (List *list, guint page);

/** list_command: a command of SCOPE_LIST (or SCOPE_BOX); %FALSE for any other. */
gboolean list_command (List *list, Command command);

/** list_wheel: @rows down, or up where negative; the cursor stays in view. */
void list_wheel (List *list, int rows);
