"""Reads files back with readers that others made, and compares formats of one content with each other.

Called by .ci/readers. Says one line a file; ends with status 1 and the reasons when something does not hold. It knows
no column by name: what the files say of themselves must agree among them.
"""

import csv
import datetime as dt
import gzip
import io
import json
import math
import sys
import uuid
from collections import defaultdict
from pathlib import Path

import duckdb
import openpyxl
import pandas
import pyarrow
import pyarrow.parquet as parquet
import pypdf

csv.field_size_limit(1 << 30)
faults = []
# What a spreadsheet would run as a formula.
FORCE = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def expect(holds, path, why):
    if not holds:
        faults.append(f"{path}: {why}")


def unpacked(path):
    data = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(data)
    if path.suffix == ".zst":
        return pyarrow.input_stream(io.BytesIO(data), compression="zstd").read()
    return data


def kind(path):
    """csv, jsonl, xlsx, parquet or pdf: packed or not."""
    return [part for part in path.name.split(".")[1:] if part not in ("gz", "zst")][-1]


def is_number(text):
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def read_csv(path):
    rows = list(csv.reader(io.StringIO(unpacked(path).decode("utf-8-sig"), newline=""), strict=True))
    expect(rows, path, "there is no header")
    expect(len({len(row) for row in rows}) == 1, path, "rows differ in their number of cells")
    for row in rows:
        for cell in row:
            expect(not cell.lstrip().startswith(FORCE) or is_number(cell), path, f"a cell may run: {cell[:40]!r}")
    table = pandas.read_csv(io.BytesIO(unpacked(path)))
    expect(len(table) == len(rows) - 1 and len(table.columns) == len(rows[0]), path, "pandas sees another table")
    return [dict(zip(rows[0], row)) for row in rows[1:]]


def read_jsonl(path):
    lines = unpacked(path).decode("utf-8").split("\n")
    expect(lines.pop() == "", path, "its last line does not end")
    return [flattened(json.loads(line)) for line in lines]


def flattened(row):
    """With `metrics_cvi` beside `metrics`, as the flat formats have it."""
    flat = dict(row)
    for name, value in row.items():
        for key, inner in value.items() if isinstance(value, dict) else ():
            flat.setdefault(f"{name}_{key}", inner)
            for last, innermost in inner.items() if isinstance(inner, dict) else ():
                flat.setdefault(f"{name}_{key}_{last}", innermost)
    return flat


def read_parquet(path):
    table = parquet.read_table(path)
    seen = duckdb.execute("select count(*) from read_parquet(?)", [str(path)]).fetchone()[0]
    expect(seen == table.num_rows, path, f"DuckDB sees {seen} rows, pyarrow {table.num_rows}")
    expect(len(pandas.read_parquet(path)) == table.num_rows, path, "pandas sees another number of rows")
    for field in table.schema:
        name, type_ = field.name, str(field.type)
        if name == "id" or name.endswith("_id"):
            expect("uuid" in type_ or type_ == "fixed_size_binary[16]", path, f"`{name}` is {type_}, not a UUID")
        if name.endswith("_at"):
            expect(type_.startswith("timestamp") and "UTC" in type_, path, f"`{name}` is {type_}, not a UTC time")
    expect_statistics(path, table)
    expect_duckdb_types(path, table)
    return table.to_pylist()


def expect_statistics(path, table):
    """Every number and time has a smallest and a largest value for readers that skip row groups."""
    metadata = parquet.read_metadata(path)
    for group in range(metadata.num_row_groups):
        for column in map(metadata.row_group(group).column, range(metadata.num_columns)):
            statistics = column.statistics
            if column.physical_type in ("INT64", "DOUBLE") and not (statistics and statistics.null_count == column.num_values):
                expect(statistics and statistics.has_min_max, path, f"`{column.path_in_schema}` has no statistics")
    for field in table.schema:
        if pyarrow.types.is_floating(field.type) and metadata.num_row_groups == 1:
            place = metadata.schema.names.index(field.name)
            seen = [value for value in table[field.name].to_pylist() if value is not None]
            statistics = metadata.row_group(0).column(place).statistics
            if seen:
                expect((statistics.min, statistics.max) == (min(seen), max(seen)), path, f"`{field.name}` has other statistics")


def expect_duckdb_types(path, table):
    """Ids, times, lists and JSON are that for DuckDB, too."""
    described = duckdb.execute("select column_name, column_type from (describe select * from read_parquet(?))", [str(path)])
    seen = dict(described.fetchall())
    for field in table.schema:
        wanted = {"extension<arrow.uuid>": "UUID", "extension<arrow.json>": "JSON", "double": "DOUBLE", "int64": "BIGINT"}.get(str(field.type))
        if pyarrow.types.is_list(field.type):
            wanted = "VARCHAR[]"
        if pyarrow.types.is_timestamp(field.type):
            wanted = "TIMESTAMP WITH TIME ZONE"
        expect(wanted is None or seen[field.name] == wanted, path, f"`{field.name}` is {seen[field.name]} for DuckDB, not {wanted}")


def read_xlsx(path):
    """The rows of every table with filters."""
    book = openpyxl.load_workbook(path)
    tables = []
    for sheet in book.worksheets:
        rows = list(sheet.iter_rows())
        for row in rows:
            for cell in row:
                expect(cell.data_type != "f", path, f"{sheet.title}!{cell.coordinate} is a formula")
        if sheet.auto_filter.ref and rows:
            expect(sheet.freeze_panes, path, f"the header of `{sheet.title}` is not frozen")
            # A table may begin below a title.
            top = openpyxl.utils.cell.range_boundaries(sheet.auto_filter.ref)[1]
            values = [[cell.value for cell in row] for row in rows[top - 1 :]]
            tables.append([dict(zip(values[0], row)) for row in values[1:]])
    expect(tables, path, "no sheet has a table with filters")
    return tables


def read_pdf(path):
    reader = pypdf.PdfReader(path)
    root = reader.trailer["/Root"]
    text = [page.extract_text() for page in reader.pages]
    expect(all(part.strip() for part in text), path, "a page has no text")
    expect("\0" not in "".join(text), path, "its text holds NUL")
    expect((reader.metadata or {}).get("/Title"), path, "it has no title")
    expect(root.get("/Lang") in ("en", "no", "nb", "nb-NO", "en-GB", "en-US"), path, f"its language is {root.get('/Lang')}")
    expect(root.get("/MarkInfo", {}).get("/Marked"), path, "it is not tagged")
    expect(reader.outline, path, "it has no outline")
    job = path.parts[-3]
    expect(job[:8] in text[0] + text[-1], path, "the job's id stands on neither the first nor the last page")
    fonts = [font for page in reader.pages for font in fonts_of(page)]
    expect(fonts and all(fonts), path, "a font is not embedded")
    return len(reader.pages), sum(map(len, text))


def fonts_of(page):
    for font in page.get("/Resources", {}).get("/Font", {}).values():
        for part in font.get_object().get("/DescendantFonts", [font]):
            about = part.get_object().get("/FontDescriptor", {})
            yield any(key in about for key in ("/FontFile", "/FontFile2", "/FontFile3"))


READERS = {"csv": read_csv, "jsonl": read_jsonl, "parquet": read_parquet}


def plain(value):
    """One value as a format-free one: what two readers must agree on."""
    if value is None or value == "" or value == []:
        return None
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, (int, float)):
        return None if math.isnan(value) else float(f"{value:.12g}")
    if isinstance(value, bytes) and len(value) == 16:
        return str(uuid.UUID(bytes=value))
    if isinstance(value, dt.datetime):
        value = value if value.tzinfo else value.replace(tzinfo=dt.timezone.utc)
        # A spreadsheet keeps milliseconds.
        return round(value.timestamp() * 1000)
    if isinstance(value, (dict, list)):
        return json.dumps(value, sort_keys=True)
    text = str(value)
    # The mark that keeps a spreadsheet from running a text.
    if text[:1] == "'" and text[1:].lstrip().startswith(FORCE):
        text = text[1:]
    if text in ("true", "false", "TRUE", "FALSE"):
        return float(text.lower() == "true")
    if text[:1] in "[{":
        try:
            return plain(json.loads(text))
        except ValueError:
            return text
    if is_number(text) and not text[0].isspace():
        return float(f"{float(text):.12g}")
    if len(text) >= 20 and text[4:5] == "-" and text[10:11] == "T":
        try:
            return plain(dt.datetime.fromisoformat(text.replace("Z", "+00:00")))
        except ValueError:
            return text
    return text


def agree(one, other):
    if isinstance(one, int) and isinstance(other, (int, float)) and not isinstance(other, bool):
        return abs(one - other) <= 1
    return one == other


def compare(base_path, base, path, rows):
    expect(len(base) == len(rows), path, f"{len(rows)} rows, {base_path.name} has {len(base)}")
    if not base or not rows:
        return
    shared = [name for name in base[0] if name in rows[0]]
    expect(shared, path, f"no column in common with {base_path.name}")
    for number, (left, right) in enumerate(zip(base, rows), 1):
        for name in shared:
            a, b = plain(left[name]), plain(right.get(name))
            expect(agree(a, b) or agree(b, a), path, f"row {number}, `{name}`: {b!r}, {base_path.name} has {a!r}")


def read_group(bucket, paths):
    """Files of one name: the formats of one content."""
    tables, books = [], []
    for path in paths:
        try:
            if kind(path) == "pdf":
                pages, letters = read_pdf(path)
                print(f"readers: {path.name}: {pages} pages, {letters} letters")
            elif kind(path) == "xlsx":
                books.append((path, read_xlsx(path)))
                print(f"readers: {path.name}: tables of {[len(table) for table in books[-1][1]]} rows")
            elif kind(path) in READERS:
                tables.append((path, READERS[kind(path)](path)))
                print(f"readers: {path.name}: {len(tables[-1][1])} rows")
            else:
                expect(False, path, "nobody knows this kind of file")
        except Exception as error:  # Whatever a reader trips over is a fault of the file.
            expect(False, path, f"cannot be read: {type(error).__name__}: {error}")
    for path, book in books:
        if bucket == "exports":
            # An export goes on in further sheets where one is full.
            tables.append((path, [row for table in book for row in table]))
        elif tables:
            # A report's workbook is for people, with headers in their language.
            rows = len(tables[0][1])
            expect(rows in map(len, book), path, f"no table has the {rows} rows of {tables[0][0].name}")
    for path, rows in tables[1:]:
        compare(*tables[0], path, rows)


def main(folder):
    groups = defaultdict(list)
    for bucket in ("reports", "exports"):
        for path in sorted((folder / bucket).rglob("*")):
            if path.is_file():
                groups[bucket, path.parent, path.name.split(".")[0]].append(path)
    if not groups:
        print("readers: there is no report and no export")
    for (bucket, _, _), paths in groups.items():
        read_group(bucket, paths)


main(Path(sys.argv[1]))
for fault in faults[:30]:
    print(f"readers: {fault}", file=sys.stderr)
sys.exit(1 if faults else 0)
