/**
 * box.h: boxes over a screen: a question, a list to choose from, a text to read. Private to the
 * frame.
 */
#pragma once

#include "app.h"
#include "list.h"

typedef struct _Box Box;

Box *box_new_question (const char *question, void (*yes) (gpointer data), gpointer data);
Box *box_new_choice (const char *title, const char *const *items, guint selected,
                     void (*chosen) (gpointer data, guint index), gpointer data);
Box *box_new_page (const char *title, const char *text);
void box_free (Box *box);

/** box_command: TRUE where the box is done with: the owner takes it away, then calls box_act(). */
gboolean box_command (Box *box, Command command);
/** box_useful: as a screen's useful(); of a page nothing can be chosen, and what is shown whole has
 * no next page. */
gboolean box_useful (gpointer box, Command command);
/** box_key: y and n answer a question. As box_command(). */
gboolean box_key (Box *box, Key key);
gboolean box_mouse (Box *box, MouseAction action, int y, int x);

/** box_act: do what was chosen, if anything was. */
void box_act (Box *box);

void box_draw (Box *box, Area screen);
