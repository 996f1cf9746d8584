//! The parts of an XLSX file that are not cells: ECMA-376 part 2 (the package) and part 1, 18.2 (workbook), 18.3
//! (sheets), 18.8 (styles).

use crate::{Column, Kind};

use super::{Properties, encode::append_escaped};

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

pub(super) const PACKAGE_RELATIONS: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
    "\n",
    r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">"#,
    r#"<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/>"#,
    r#"<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/>"#,
    r#"<Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/extended-properties" Target="docProps/app.xml"/>"#,
    r"</Relationships>",
);

pub(super) const APP: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
    "\n",
    r#"<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">"#,
    r"<Application>ForgeOS Worker</Application></Properties>",
);

/// Cell styles in the order of the constants in `encode`: plain, header, moment.
pub(super) const STYLES: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
    "\n",
    r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">"#,
    r#"<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/></numFmts>"#,
    r#"<fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font>"#,
    r#"<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>"#,
    r#"<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>"#,
    r#"<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>"#,
    r#"<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>"#,
    r#"<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>"#,
    r#"<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>"#,
    r#"<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>"#,
    r#"<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>"#,
    r"</styleSheet>",
);

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

/// A name that Excel takes: at most 31 characters with the number of a continuation, none of `[ ] : * ? / \`, no
/// apostrophe at an end.
pub(super) fn sheet_name(wanted: &str) -> String {
    let name: String = wanted
        .chars()
        .map(|char| {
            if matches!(char, '[' | ']' | ':' | '*' | '?' | '/' | '\\' | '\'') || char.is_control() {
                '_'
            } else {
                char
            }
        })
        .scan(0, |units, char| {
            *units += char.len_utf16();
            (*units <= 24).then_some(char)
        })
        .collect();
    let name = name.trim();
    if name.is_empty() { "Data".to_owned() } else { name.to_owned() }
}

fn numbered(name: &str, index: usize) -> String {
    if index == 0 { name.to_owned() } else { format!("{name} {}", index + 1) }
}

pub(super) fn core(properties: &Properties) -> String {
    let time = properties.created_at.format("%Y-%m-%dT%H:%M:%SZ");
    format!(
        "{DECLARATION}<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:dcterms=\"http://purl.org/dc/terms/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><dc:title>{}</dc:title><dc:creator>ForgeOS Worker</dc:creator>\
         <dcterms:created xsi:type=\"dcterms:W3CDTF\">{time}</dcterms:created>\
         <dcterms:modified xsi:type=\"dcterms:W3CDTF\">{time}</dcterms:modified></cp:coreProperties>",
        escaped(&properties.title)
    )
}

/// `sheets`: rows of each.
pub(super) fn workbook(properties: &Properties, sheets: &[u32], last_column: &str) -> String {
    let mut xml = format!(
        "{DECLARATION}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><bookViews><workbookView/></bookViews><sheets>"
    );
    for index in 0..sheets.len() {
        let name = escaped(&numbered(&properties.sheet, index));
        xml += &format!("<sheet name=\"{name}\" sheetId=\"{0}\" r:id=\"rId{0}\"/>", index + 1);
    }
    xml += "</sheets><definedNames>";
    for (index, rows) in sheets.iter().enumerate() {
        let name = escaped(&numbered(&properties.sheet, index));
        xml += &format!(
            "<definedName name=\"_xlnm._FilterDatabase\" localSheetId=\"{index}\" hidden=\"1\">'{name}'!$A$1:${last_column}${rows}</definedName>"
        );
    }
    xml += "</definedNames></workbook>";
    xml
}

pub(super) fn workbook_relations(sheets: u32) -> String {
    let mut xml = format!(
        "{DECLARATION}<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
    );
    for index in 1..=sheets {
        xml += &format!(
            "<Relationship Id=\"rId{index}\" Type=\"{RELATIONS}/worksheet\" Target=\"worksheets/sheet{index}.xml\"/>"
        );
    }
    xml += &format!(
        "<Relationship Id=\"rId{}\" Type=\"{RELATIONS}/styles\" Target=\"styles.xml\"/></Relationships>",
        sheets + 1
    );
    xml
}

pub(super) fn content_types(sheets: u32) -> String {
    const OFFICE: &str = "application/vnd.openxmlformats-officedocument";
    let mut xml = format!(
        "{DECLARATION}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
         <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
         <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
         <Override PartName=\"/xl/workbook.xml\" ContentType=\"{OFFICE}.spreadsheetml.sheet.main+xml\"/>\
         <Override PartName=\"/xl/styles.xml\" ContentType=\"{OFFICE}.spreadsheetml.styles+xml\"/>\
         <Override PartName=\"/docProps/core.xml\" ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/>\
         <Override PartName=\"/docProps/app.xml\" ContentType=\"{OFFICE}.extended-properties+xml\"/>"
    );
    for index in 1..=sheets {
        xml += &format!(
            "<Override PartName=\"/xl/worksheets/sheet{index}.xml\" ContentType=\"{OFFICE}.spreadsheetml.worksheet+xml\"/>"
        );
    }
    xml += "</Types>";
    xml
}

/// Up to the first row: the header stays in sight, columns are as wide as their kind needs.
pub(super) fn append_sheet_start(out: &mut Vec<u8>, columns: &[Column], selected: bool) {
    let selected = if selected { " tabSelected=\"1\"" } else { "" };
    let mut xml = format!(
        "{DECLARATION}<worksheet xmlns=\"{MAIN}\"><sheetViews><sheetView{selected} workbookViewId=\"0\">\
         <pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/>\
         <selection pane=\"bottomLeft\"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight=\"15\"/><cols>"
    );
    for (index, column) in columns.iter().enumerate() {
        xml += &format!(
            "<col min=\"{0}\" max=\"{0}\" width=\"{1}\" customWidth=\"1\"/>",
            index + 1,
            width(column)
        );
    }
    xml += "</cols><sheetData>";
    out.extend_from_slice(xml.as_bytes());
}

/// From the last row on: a filter over all of them.
pub(super) fn sheet_end(last_column: &str, rows: u32) -> String {
    format!("</sheetData><autoFilter ref=\"A1:{last_column}{rows}\"/></worksheet>")
}

/// Width in characters: enough for the kind, and for the name beside the button of the filter.
fn width(column: &Column) -> usize {
    let kind = match column.kind {
        Kind::Text => 18,
        Kind::LongText => 48,
        Kind::Id => 38,
        Kind::Integer | Kind::Float => 12,
        Kind::Boolean => 9,
        Kind::Time => 20,
    };
    kind.max(column.name.chars().count().min(56) + 4)
}

/// For the content of an element and for an attribute in double quotes.
fn escaped(text: &str) -> String {
    let mut out = Vec::new();
    append_escaped(&mut out, text);
    String::from_utf8(out).unwrap_or_default().replace('"', "&quot;")
}
