"""bench_import.py DIR: read, join and filter the training tables as a script would; prints seconds."""

import sys
import time

import pandas

start = time.perf_counter()
reports, labels, metadata = (
    pandas.read_csv(f"{sys.argv[1]}/train_{name}.csv") for name in ("reports", "predicted_labels", "metadata")
)
rows = reports.merge(labels, on="VolumeName").merge(metadata, on="VolumeName", how="left")
rows = rows[rows.Findings_EN.notna() | rows.Impressions_EN.notna()]
rows = rows[rows.VolumeName.str.endswith("_1.nii.gz")]
rows = rows[~rows.VolumeName.str.rsplit("_", n=2).str[0].duplicated()]
print(time.perf_counter() - start, len(rows))
