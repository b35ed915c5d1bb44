"""bench_sample.py FILE: 15 % of the 20,000 x 18 labels in FILE (bytes) by iterative-stratification; prints seconds."""

import sys
import time

import numpy
from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit

labels = numpy.fromfile(sys.argv[1], dtype=numpy.uint8).reshape(-1, 18)
split = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=0.15, random_state=0)
start = time.perf_counter()
next(split.split(numpy.zeros(len(labels)), labels))
print(time.perf_counter() - start)
