//! Number formats and colours. Colours are pale, and never alone: the word or the number stands in the cell.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder};

use crate::model::Language;

/// Low, medium, high: apart for the colour-blind and in grey.
pub(super) const SEVERITY_COLOURS: [u32; 3] = [0x2A_9D_8F, 0xE9_A8_20, 0xC1_3C_37];
/// The same as backgrounds of text.
pub(super) const PALE_COLOURS: [u32; 3] = [0xD6_EF_EB, 0xFC_EC_C8, 0xF6_D3_D1];
/// Everything in charts that is no severity.
pub(super) const ACCENT: u32 = 0x1F_4E_79;

/// The formats of a workbook.
pub(super) struct Look {
    pub(super) title: Format,
    pub(super) heading: Format,
    pub(super) header: Format,
    pub(super) text: Format,
    pub(super) integer: Format,
    /// 0 to 1.
    pub(super) index: Format,
    /// 0 to 100, where hundredths matter.
    pub(super) percent: Format,
    /// 0 to 1, shown in percent.
    pub(super) share: Format,
    pub(super) decimal: Format,
    pub(super) time: Format,
}

impl Look {
    pub(super) fn new(language: Language) -> Self {
        let plain = || Format::new().set_align(FormatAlign::Top);
        let moments = match language {
            Language::En => "d mmm yyyy hh:mm",
            Language::No => "dd.mm.yyyy hh:mm",
        };
        Self {
            title: Format::new().set_bold().set_font_size(16),
            heading: Format::new().set_bold().set_font_size(12).set_font_color(Color::RGB(ACCENT)),
            header: Format::new()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Top)
                .set_background_color(Color::RGB(0xE8_EE_F4))
                .set_border_bottom(FormatBorder::Thin),
            // Away from the number in the cell before it.
            text: plain().set_align(FormatAlign::Left).set_indent(1),
            integer: plain().set_num_format("#,##0"),
            index: plain().set_num_format("0.000"),
            percent: plain().set_num_format("0.00"),
            share: plain().set_num_format("0.0%"),
            decimal: plain().set_num_format("0.0"),
            time: plain().set_num_format(moments).set_align(FormatAlign::Left),
        }
    }
}
