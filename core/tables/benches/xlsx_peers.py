"""Writes the table of `tables.rs` with a Python library: xlsx_peers.py openpyxl|xlsxwriter ROWS FILE."""

import datetime
import os
import resource
import sys
import time

COLUMNS = ["id", "created_at", "filename", "cvi", "cqi", "coverage_percent", "defects_detected", "severity",
           "processing_time_ms", "verified", "width", "note"]
START = datetime.datetime(2026, 1, 1)


def rows(count):
    for n in range(count):
        share = n * 7919 % 10007 / 10007
        yield [
            f"018f0000-0000-7000-8000-{n:012x}",
            START + datetime.timedelta(milliseconds=n * 1234),
            f"018f0000-0000-7000-8000-00000000beef/panel {n} æøå.jpg",
            share, 1 - share, 80 + 20 * share,
            n % 23,
            ("low", "medium", "high")[n % 3],
            n * 31 % 2000,
            n % 2 == 0,
            4032,
            '=looked at & found "good"' if n % 4 == 0 else None,
        ]


def with_openpyxl(count, file):
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Data")
    sheet.freeze_panes = "A2"
    sheet.append(COLUMNS)
    for row in rows(count):
        if row[11] is not None:
            # Without this it would be a formula.
            cell = WriteOnlyCell(sheet, value="")
            cell.value = row[11]
            cell.data_type = "s"
            row[11] = cell
        sheet.append(row)
    book.save(file)


def with_xlsxwriter(count, file):
    import xlsxwriter

    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("Data")
    date = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, COLUMNS)
    for at, row in enumerate(rows(count), 1):
        sheet.write_string(at, 0, row[0])
        sheet.write_datetime(at, 1, row[1], date)
        sheet.write_string(at, 2, row[2])
        for column in (3, 4, 5, 6, 8, 10):
            sheet.write_number(at, column, row[column])
        sheet.write_string(at, 7, row[7])
        sheet.write_boolean(at, 9, row[9])
        if row[11] is not None:
            sheet.write_string(at, 11, row[11])
    book.close()


def main():
    library, count, file = sys.argv[1], int(sys.argv[2]), sys.argv[3] + ".xlsx"
    begin = time.perf_counter()
    (with_openpyxl if library == "openpyxl" else with_xlsxwriter)(count, file)
    seconds = time.perf_counter() - begin
    size = os.path.getsize(file) / 1e6
    os.remove(file)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
    name = {"openpyxl": "openpyxl write_only", "xlsxwriter": "xlsxwriter constant_memory"}[library]
    print(f"  {name:<34} {seconds:>7.2f} s  {count / seconds:>9.0f} rows/s  {size:>6.1f} MB  peak {peak:>4} MB")


if __name__ == "__main__":
    main()
