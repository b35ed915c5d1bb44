/**
 * slices_private.h: the Slices screen's state, for the files that make it up.
 */
#pragma once

#include "app.h"
#include "catalog/record.h"
#include "picture.h"
#include "slices.h"
#include "volume/viewer_cache.h"

#define NOT_FOR_DIAGNOSIS "for exploration, not for diagnosis"

/** Where things are. Empty areas have no room. */
typedef struct
{
  Area head;    /* the record's name; in the pane where there is one */
  Area frame;   /* around the picture, with its texts in the border */
  Area picture; /* inside it */
  Area scale;   /* greys, and HU at their ends */
  Area status;  /* what else the pane would say */
  Area pane;    /* beside: all about the slice and the record */
} SlicesLayout;

/** slices_layout: for a body of this size, from (0, 0) on. Pure. */
SlicesLayout slices_layout (int height, int width);

typedef struct
{
  App *app;

  /* what is looked at */
  char *volume, *path;   /* (nullable) */
  CatalogRecord *record; /* (nullable) */
  double probabilities[CATALOG_N_LABELS];
  gboolean has_predictions, record_known; /* FALSE: to be looked up in the store */
  VolumeViewerCache *cache;
  VolumeViewer *viewer; /* (nullable) */
  VolumeViewerState state;
  int direction;         /* of the last step from record to record */
  gboolean looked_ahead; /* the neighbour that way is being read, or there is none */
  char *fault;           /* (nullable) why there is no viewer */

  /* how */
  VolumeAxis axis;
  gsize voxel[3];   /* where the three planes meet, and the cursor is */
  gboolean placed;  /* voxel holds; FALSE: the middle as soon as it is known */
  gboolean cursor;  /* shown */
  gboolean waiting; /* for the wanted slice to arrive; meanwhile the held one stays */
  gsize held;
  gboolean asked; /* before it was known how many slices there are */
  gint64 asked_for;
  VolumeWindow window;
  gboolean inverted;
  double zoom, pan_x_mm, pan_y_mm;
  guint play; /* source that steps; 0: none */

  /* a drag that changes the window */
  gboolean dragging;
  int grabbed_y, grabbed_x;
  VolumeWindow grabbed; /* as it was */

  /* the picture */
  GreyPicture *picture;  /* (nullable) made when first drawn */
  gboolean stale;        /* it shows something else by now */
  gboolean cursor_stale; /* only the cursor is elsewhere */
  VolumeSlice *slice;
  gsize shown; /* the slice's index: the wanted one, or the nearest that has arrived */
  VolumeView view;
  SlicesLayout layout; /* on the screen */

  char *folder; /* (nullable) where PNGs go; %NULL: the current one */
} Slices;

/** slices_through: the oriented axis that a slice is perpendicular to. */
guint slices_through (VolumeAxis axis);

gsize slices_count (const Slices *slices);

/** slices_changed: the picture has to be made anew. */
void slices_changed (Slices *slices);

/* slices_load.c */
/** slices_open: begin to read what is wanted, and look its record up, where that was not done. */
void slices_open (Slices *slices);
/** slices_read_on: take over what the reader has by now. */
void slices_read_on (Slices *slices);
void slices_close (Slices *slices);

/* slices_view.c */
/** slices_index_to_show: the wanted slice, or while it has not arrived the held one, or the nearest
 * one that has. */
gsize slices_index_to_show (const Slices *slices);
/** slices_render: extract and draw the slice into the picture where that is stale. */
void slices_render (Slices *slices);
void slices_step (Slices *slices, gint64 n);
void slices_go_to (Slices *slices, gint64 index);
void slices_zoom (Slices *slices, double factor);
void slices_pan (Slices *slices, int right,
                 int down); /* in eighths of the picture, or the cursor */
void slices_move_cursor (Slices *slices, int right, int down); /* in cells */
/** slices_point: put the cursor where a cell of the picture is. */
void slices_point (Slices *slices, int column, int row);
void slices_play (Slices *slices, gboolean on);

/* slices_text.c; free with g_free */
/** slices_name: the record or the file. */
char *slices_name (const Slices *slices);
/** slices_window_text: "lung C -600 W 1500", or without the name. */
char *slices_window_text (const Slices *slices, gboolean named);
/** slices_position: of the slice in the patient: "S 120.5 mm". */
char *slices_position (const Slices *slices);
/** slices_reading: what the cursor is on: "-734 HU", and its place in mm. */
char *slices_reading (const Slices *slices);
char *slices_place (const Slices *slices);
char *slices_spacing (const Slices *slices);
/** slices_progress: "63 % read", or what is wrong; "" when all is there. */
char *slices_progress (const Slices *slices, Role *role);

/* slices_draw.c, slices_pane.c */
void slices_draw (gpointer screen, Area area);
void slices_drawn (gpointer screen, gboolean repainted);
void slices_draw_pane (const Slices *slices, Area area);

/* slices_commands.c */
gboolean slices_command (gpointer screen, Command command);
gboolean slices_mouse (gpointer screen, MouseAction action, int y, int x);
void slices_drag (gpointer screen, gboolean begins, int y, int x);
gboolean slices_execute (gpointer screen, const char *line, GError **error);

/* slices_png.c */
/** slices_write_png: @path: (nullable) a file, or a folder that it is named in. */
void slices_write_png (Slices *slices, const char *path);
/** slices_png_name: "train_1_a_1_axial_120.png"; slices count from 1. Free with g_free. */
char *slices_png_name (const char *volume, VolumeAxis axis, gsize index);
