/**
 * last_words.h: a program that crashes says so.
 */
#pragma once

#include <glib.h>

/**
 * last_words_install: from now on a crash ends with one line on stderr, and the signal as ever.
 * What little memory that takes is taken now. Not under a sanitizer, which has its own.
 */
void last_words_install (void);

/** last_words_thread: the calling thread can speak even when its stack has run out. */
void last_words_thread (void);
