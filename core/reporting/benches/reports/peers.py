"""Sets the documents of the bench of reports with other programs, as their users would.

    peers.py reportlab|weasyprint FOLDER LIST COUNT DOCUMENTS pictures|plain OUT

Reads the first COUNT analyses of FOLDER/LIST, sets them DOCUMENTS times one after the other and prints one line of
JSON: milliseconds of each (the first with the imports), processor time, pages, bytes, highest resident memory.
The document has what the product's `standard` template has, more plainly: a summary, then for each analysis pictures
side by side, indices with bars, defects, capture quality and recommendations; several analyses open with statistics
and contents. It is neither tagged nor localised. Pictures are embedded as they are.
"""

import time

BEGIN = time.perf_counter()

import json
import sys
from html import escape
from pathlib import Path

FONTS = Path(__file__).parents[2] / "assets" / "fonts"
INDICES = [
    ("cqi", "Coating quality", 1, "Coverage and defects in one figure: 1 is a coat without a fault."),
    ("cvi", "Visual evenness", 1, "How even colour and gloss look: 1 is perfectly even."),
    ("coverage_percent", "Coverage", 100, "Share of the judged area that is covered."),
    ("edge_coverage_ratio", "Edge coverage", 1, "Coverage along the margin over that of the interior."),
    ("confidence", "Confidence", 1, "How far the figures may be trusted."),
]
CAPTURE = [
    ("glare_percent", "Glare", 100, "Share of the panel hidden by reflections."),
    ("clipped_percent", "Clipped", 100, "Share that is black or white to the limit."),
    ("sharpness", "Sharpness", 1, "0 is blurred, 1 is sharp."),
    ("lighting_evenness", "Even lighting", 1, "1 is light without a ramp."),
]
HEADER = ["No.", "Class", "Size", "Area %", "Colour distance", "Place"]


def defect_rows(analysis):
    metrics = analysis["metrics"]
    down, across = ["upper", "middle", "lower"], ["left", "centre", "right"]
    for number, d in enumerate(metrics["defects"], 1):
        row = min(2, 3 * (d["y"] + d["height"] // 2) // metrics["height"])
        column = min(2, 3 * (d["x"] + d["width"] // 2) // metrics["width"])
        yield [str(number), d["class"], f"{d['width']} × {d['height']} px", f"{d['area_percent']:.3f}",
               f"{d['delta_e']:.1f}", f"{down[row]} {across[column]}"]


def statistics(analyses):
    bins = [0] * 10
    severities, classes = {}, {}
    for a in analyses:
        bins[min(9, int(a["metrics"]["cqi"] * 10))] += 1
        severities[a["metrics"]["severity"]] = severities.get(a["metrics"]["severity"], 0) + 1
        for d in a["metrics"]["defects"]:
            classes[d["class"]] = classes.get(d["class"], 0) + 1
    values = sorted(a["metrics"]["cqi"] for a in analyses)
    worst = sorted(analyses, key=lambda a: a["metrics"]["cqi"])[:10]
    figures = [("Analyses", len(analyses)), ("Mean quality", f"{sum(values) / len(values):.2f}"),
               ("Median quality", f"{values[len(values) // 2]:.2f}"), ("Lowest", f"{values[0]:.2f}")]
    return figures, [
        ("Quality", [(f"{i / 10:.1f}", n) for i, n in enumerate(bins)]),
        ("Severity", sorted(severities.items())),
        ("Defects by class", sorted(classes.items())),
    ], worst


def reportlab(folder, pictures):
    from reportlab import rl_config
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import (BaseDocTemplate, Flowable, Frame, Image, KeepTogether, PageBreak, PageTemplate,
                                    Paragraph, Spacer, Table)
    from reportlab.platypus.tableofcontents import TableOfContents

    rl_config.useA85 = 0  # Else pictures grow by a quarter.
    pdfmetrics.registerFont(TTFont("Body", FONTS / "DejaVuSans.ttf"))
    pdfmetrics.registerFont(TTFont("Bold", FONTS / "DejaVuSans-Bold.ttf"))
    body = ParagraphStyle("body", fontName="Body", fontSize=9, leading=12)
    small = ParagraphStyle("small", parent=body, fontSize=7.5, leading=10, textColor="#666666")
    title = ParagraphStyle("title", parent=body, fontName="Bold", fontSize=17, leading=22)
    section = ParagraphStyle("section", parent=title, fontSize=13, leading=18)
    part = ParagraphStyle("part", parent=title, fontSize=10.5, leading=16, spaceBefore=6)
    wide = A4[0] - 40 * mm
    ruled = [("FONT", (0, 0), (-1, -1), "Body", 8), ("FONT", (0, 0), (-1, 0), "Bold", 7.5),
             ("LINEBELOW", (0, 0), (-1, -1), 0.4, "#cccccc")]

    class Bar(Flowable):
        def __init__(self, share, width=wide):
            super().__init__()
            self.share, self.width, self.height = share, width, 7

        def wrap(self, *_):
            return self.width, self.height

        def draw(self):
            self.canv.setFillColor("#dddddd")
            self.canv.roundRect(0, 1, self.width, 4, 2, stroke=0, fill=1)
            self.canv.setFillColor("#1f5f8b")
            self.canv.roundRect(0, 1, max(2, self.width * self.share), 4, 2, stroke=0, fill=1)

    class Numbered(Canvas):
        """Page x of y needs all pages before any is written."""

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.kept = []

        def showPage(self):
            self.kept.append(dict(self.__dict__))
            self._startPage()

        def save(self):
            for number, state in enumerate(self.kept, 1):
                self.__dict__.update(state)
                self.setFont("Body", 7.5)
                self.drawString(20 * mm, 12 * mm, "Job 0192f3a4-1111-7000-8000-000000000000")
                self.drawRightString(A4[0] - 20 * mm, 12 * mm, f"Page {number} of {len(self.kept)}")
                super().showPage()
            super().save()

    class Document(BaseDocTemplate):
        def afterFlowable(self, flowable):
            if getattr(flowable, "contents", None):
                name, key = flowable.contents
                self.canv.bookmarkPage(key)
                self.canv.addOutlineEntry(name, key, 0)
                self.notify("TOCEntry", (0, name, self.page, key))

    def shown(name, width, height):
        path = str(folder / name)
        w, h = ImageReader(path).getSize()
        scale = min(width / w, height / h)
        return Image(path, w * scale, h * scale)

    def figures(pairs):
        return Table([[Paragraph(f"{escape(str(v))}", section) for _, v in pairs], [Paragraph(n, small) for n, _ in pairs]],
                     colWidths=[wide / len(pairs)] * len(pairs))

    def bars(keys, values):
        for key, name, full, meaning in keys:
            yield KeepTogether([Paragraph(f"{name}: {values[key]:.2f}", body), Bar(values[key] / full),
                                Paragraph(meaning, small)])

    def key_figures(a):
        return figures([(name, f"{a['metrics'][key]:.2f}") for key, name, _, _ in INDICES])

    def about(a, index):
        heading = Paragraph(escape(a["filename"]), section)
        heading.contents = (a["filename"], f"a{index}")
        yield heading
        yield Paragraph(f"{a['created_at']} · {a['id']}", small)
        yield Paragraph(f"Severity: {a['metrics']['severity']}", body)
        if pictures:
            half = wide / 2 - 3 * mm
            yield Table([[shown(a["photograph"], half, 80 * mm), shown(a["overlay"], half, 80 * mm)],
                         [Paragraph("Photograph", small), Paragraph("Findings", small)]], colWidths=[wide / 2] * 2)
        yield Paragraph("Indices", part)
        yield from bars(INDICES, a["metrics"])
        yield Paragraph("Defects", part)
        yield Table([HEADER, *defect_rows(a)], repeatRows=1, colWidths=[wide / 6] * 6, style=ruled)
        yield Paragraph("Capture quality", part)
        yield from bars(CAPTURE, a["metrics"]["capture"])
        yield Paragraph("Recommendations", part)
        for text in a["recommendations"]:
            yield Paragraph("→ " + escape(text), body)

    def story(analyses):
        yield Paragraph("Coating report", title)
        if len(analyses) == 1:
            a = analyses[0]
            yield Paragraph(f"Severity: {a['metrics']['severity']}", section)
            yield key_figures(a)
            for key, _, full, _ in INDICES:
                yield Bar(a["metrics"][key] / full)
            if pictures:
                yield shown(a["overlay"], wide, 120 * mm)
            for text in a["recommendations"]:
                yield Paragraph("→ " + escape(text), body)
        else:
            pairs, charts, worst = statistics(analyses)
            yield figures(pairs)
            for name, counts in charts:
                yield Paragraph(name, part)
                most = max(n for _, n in counts)
                yield Table([[label, Bar(n / most, wide / 2), str(n)] for label, n in counts], style=ruled[:1])
            yield Paragraph("Worst", part)
            yield Table([["File", "Quality", "Defects"], *([a["filename"], f"{a['metrics']['cqi']:.2f}",
                                                          str(a["metrics"]["defects_detected"])] for a in worst)],
                        style=ruled)
            yield PageBreak()
            yield Paragraph("Contents", section)
            contents = TableOfContents()
            contents.levelStyles = [body]
            yield contents
        for index, a in enumerate(analyses):
            yield PageBreak()
            yield from about(a, index)

    def document(analyses, out):
        doc = Document(str(out), pagesize=A4, title="Coating report", author="Bench", lang="en")
        doc.addPageTemplates(PageTemplate(frames=Frame(20 * mm, 20 * mm, wide, A4[1] - 40 * mm, 0, 0, 0, 0)))
        parts = list(story(analyses))
        if len(analyses) == 1:
            doc.build(parts, canvasmaker=Numbered)
        else:
            doc.multiBuild(parts, canvasmaker=Numbered)
        return doc.page

    return document


def weasyprint(folder, pictures):
    from weasyprint import HTML
    from weasyprint.text.fonts import FontConfiguration

    fonts = FontConfiguration()
    style = f"""<style>
    @font-face {{ font-family: Body; src: url({(FONTS / 'DejaVuSans.ttf').as_uri()}) }}
    @font-face {{ font-family: Body; font-weight: bold; src: url({(FONTS / 'DejaVuSans-Bold.ttf').as_uri()}) }}
    @page {{ size: A4; margin: 20mm;
      @bottom-left {{ content: "Job 0192f3a4-1111-7000-8000-000000000000"; font: 7.5pt Body }}
      @bottom-right {{ content: "Page " counter(page) " of " counter(pages); font: 7.5pt Body }} }}
    body {{ font: 9pt Body; margin: 0 }}
    h1 {{ font-size: 17pt }} h2 {{ font-size: 13pt; break-before: page }} h3 {{ font-size: 10.5pt; break-after: avoid;
      bookmark-level: none }}
    small {{ font-size: 7.5pt; color: #666; display: block }}
    .tiles {{ display: flex }} .tiles div {{ flex: 1 }} .tiles b {{ font-size: 13pt }}
    .bar {{ background: #ddd; height: 4pt; border-radius: 2pt }}
    .bar div {{ background: #1f5f8b; height: 4pt; border-radius: 2pt }}
    .one {{ break-inside: avoid; margin-bottom: 2mm }}
    .pair {{ display: flex }} .pair img {{ width: 83mm; margin-right: 2mm }}
    .large {{ width: 170mm; height: 120mm; object-fit: contain }}
    table {{ width: 100%; border-collapse: collapse; font-size: 8pt }} td, th {{ text-align: left;
      border-bottom: 0.4pt solid #ccc; padding: 1.4mm }}
    .toc a::after {{ content: target-counter(attr(href), page); float: right }} .toc a {{ display: block }}
    </style>"""

    def bar(share):
        return f'<div class="bar"><div style="width: {100 * share:.2f}%"></div></div>'

    def bars(keys, values):
        return "".join(f'<div class="one"><b>{name}: {values[key]:.2f}</b>{bar(values[key] / full)}'
                       f"<small>{meaning}</small></div>" for key, name, full, meaning in keys)

    def tiles(pairs):
        return '<div class="tiles">' + "".join(f"<div><b>{v}</b><small>{n}</small></div>" for n, v in pairs) + "</div>"

    def table(header, rows):
        cells = lambda tag, row: "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in row) + "</tr>"
        return f"<table><thead>{cells('th', header)}</thead>{''.join(cells('td', r) for r in rows)}</table>"

    def advice(a):
        return "".join(f"<p>→ {escape(text)}</p>" for text in a["recommendations"])

    def about(a, index):
        shown = f'<div class="pair"><img src="{a["photograph"]}" alt="Photograph"><img src="{a["overlay"]}" alt="Findings"></div>'
        return (f'<h2 id="a{index}">{escape(a["filename"])}</h2><small>{a["created_at"]} · {a["id"]}</small>'
                f"<p>Severity: {a['metrics']['severity']}</p>{shown if pictures else ''}"
                f"<h3>Indices</h3>{bars(INDICES, a['metrics'])}"
                f"<h3>Defects</h3>{table(HEADER, defect_rows(a))}"
                f"<h3>Capture quality</h3>{bars(CAPTURE, a['metrics']['capture'])}<h3>Recommendations</h3>{advice(a)}")

    def opening(analyses):
        if len(analyses) == 1:
            a = analyses[0]
            large = f'<img class="large" src="{a["overlay"]}" alt="Findings">' if pictures else ""
            return (f"<b>Severity: {a['metrics']['severity']}</b>"
                    + tiles([(name, f"{a['metrics'][key]:.2f}") for key, name, _, _ in INDICES])
                    + "".join(bar(a["metrics"][key] / full) for key, _, full, _ in INDICES) + large + advice(a))
        pairs, charts, worst = statistics(analyses)
        text = tiles(pairs)
        for name, counts in charts:
            most = max(n for _, n in counts)
            text += f"<h3>{name}</h3><table>" + "".join(
                f"<tr><td>{label}</td><td>{bar(n / most)}</td><td>{n}</td></tr>" for label, n in counts) + "</table>"
        text += "<h3>Worst</h3>" + table(["File", "Quality", "Defects"], (
            [a["filename"], f"{a['metrics']['cqi']:.2f}", str(a["metrics"]["defects_detected"])] for a in worst))
        return text + '<h2>Contents</h2><div class="toc">' + "".join(
            f'<a href="#a{i}">{escape(a["filename"])}</a>' for i, a in enumerate(analyses)) + "</div>"

    def document(analyses, out):
        text = (f'<html lang="en"><head><title>Coating report</title>{style}</head><body><h1>Coating report</h1>'
                + opening(analyses) + "".join(about(a, i) for i, a in enumerate(analyses)) + "</body></html>")
        rendered = HTML(string=text, base_url=folder.as_uri() + "/").render(font_config=fonts)
        rendered.write_pdf(str(out))
        return len(rendered.pages)

    return document


def peak_kib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def main():
    library, folder, name, count, documents, pictures, out = sys.argv[1:]
    folder, out = Path(folder).resolve(), Path(out)
    analyses = json.loads((folder / name).read_text())[: int(count)]
    setter = {"reportlab": reportlab, "weasyprint": weasyprint}[library](folder, pictures == "pictures")
    times, processor, begin, used = [], [], BEGIN, 0.0
    for _ in range(int(documents)):
        pages = setter(analyses, out)
        now, now_used = time.perf_counter(), time.process_time()
        times.append(1000 * (now - begin))
        processor.append(1000 * (now_used - used))
        begin, used = now, now_used
    print(json.dumps({"times_ms": times, "processor_ms": processor, "pages": pages, "size_bytes": out.stat().st_size,
                      "peak_kib": peak_kib()}))


main()
