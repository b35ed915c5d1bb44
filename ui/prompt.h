/**
 * prompt.h: the line of input at the bottom: editing, history, completion. Private to the frame.
 */
#pragma once

#include "app.h"

typedef struct _PromptLine PromptLine;

/** prompt_new: @history: (nullable) earlier inputs, newest last; borrowed. */
PromptLine *prompt_new (const Prompt *prompt, GPtrArray *history,
                        const char *const *words /* (nullable) what a first word may be */);
void prompt_free (PromptLine *line);

typedef enum
{
  PROMPT_GOES_ON,
  PROMPT_ACCEPTED, /* the text was taken; the owner calls accept() */
  PROMPT_CANCELLED,
} PromptResult;

/** prompt_key: an editing command, or a character where @command is COMMAND_NONE. */
PromptResult prompt_key (PromptLine *line, Command command, Key key);

const Prompt *prompt_get (const PromptLine *line);
/** prompt_text: as it was typed. */
const char *prompt_text (const PromptLine *line);
/** prompt_value: what it stands for: a path's ~/ is the home. Free with g_free. */
char *prompt_value (const PromptLine *line);

/** prompt_draw: in the area's first row; puts the cursor there. */
void prompt_draw (const PromptLine *line, Area area);
