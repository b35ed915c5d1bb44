/**
 * phantom_findings.h: CT-RATE's 18 abnormalities as shapes in a phantom.
 */
#pragma once

#include "study/phantom_anatomy.h"

/** phantom_finding_shape: what a finding changes in the patient before anything is painted (a
 * larger heart, a raised diaphragm); most change nothing. */
void phantom_finding_shape (guint label, PhantomAnatomy *anatomy, Random *random);

/** phantom_finding_paint: paint a finding over the patient. */
void phantom_finding_paint (guint label, PhantomGrid *grid, const PhantomAnatomy *anatomy,
                            Random *random);
