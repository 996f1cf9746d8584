"""What a user would write instead of an export: the query into a data frame, metrics flattened, the frame into a file.

Arguments: database URL, query, format, file. Prints seconds and the peak of the resident memory in MB.
"""
import resource
import sys
import time

import pandas as pd
import psycopg

url, query, kind, target = sys.argv[1:]
began = time.perf_counter()
with psycopg.connect(url) as connection:
    cursor = connection.execute(query)
    frame = pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])
for name in ("id", "user_id", "job_id"):
    frame[name] = frame[name].map(lambda value: None if value is None else str(value))
if kind == "jsonl":
    frame.to_json(target, orient="records", lines=True, date_format="iso", date_unit="us")
else:
    metrics = pd.json_normalize(frame.pop("metrics").tolist()).add_prefix("metrics_")
    frame = pd.concat([frame, metrics], axis=1)
    if kind == "csv":
        frame.to_csv(target, index=False)
    else:
        frame.to_parquet(target, engine="pyarrow", compression="zstd", index=False)
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
