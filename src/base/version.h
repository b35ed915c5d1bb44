/**
 * version.h: which program this is.
 */
#pragma once

/** version_text: "0.1.0 (1a2b3c4)"; the commit is left out where it is not known. */
const char *version_text (void);

/** version_print: version, libraries and features on stdout. */
void version_print (void);
