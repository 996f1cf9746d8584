//! Which columns of a dataset an export has, for whom, and which columns of the table must be read for them.
//!
//! A name in `columns` is one of the table (`status`), a JSON column as a whole (`metrics`) or a column that a flat
//! format makes of one (`metrics_cvi`). A JSON column as a whole is all its flat columns in the flat formats, and the
//! field as it is in JSON Lines. A flat column is the same column in every format, in JSON Lines a key of that name.
//! Which rows an export has is not decided here.

use crate::{
    Format,
    dataset::{Dataset, Kind, SourceColumn},
};

/// Who will read the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// A signed-in user: no column that is [internal](SourceColumn::internal).
    User,
    /// The operator.
    Service,
}

/// Why a list of columns is refused. The messages may be shown to whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// Not a column, or one that this audience may not see.
    #[error("`{dataset}` has no column `{column}`; allowed: {allowed}", dataset = .dataset.as_str())]
    Unknown {
        /// The dataset.
        dataset: Dataset,
        /// The name as it was given, at most 60 characters of it.
        column: String,
        /// All names that would do, with commas between them.
        allowed: String,
    },
    /// Named twice.
    #[error("the column `{column}` is asked for twice")]
    Twice {
        /// Its name.
        column: String,
    },
    /// Named as a part, and its field as a whole.
    #[error("`{part}` is a part of `{whole}`, which is asked for as a whole")]
    Part {
        /// The part.
        part: &'static str,
        /// The field.
        whole: &'static str,
    },
    /// An empty list.
    #[error("no column is asked for")]
    Empty,
}

/// The checked columns of one export.
#[derive(Debug, Clone)]
pub struct Selection {
    dataset: Dataset,
    audience: Audience,
    sources: Vec<&'static SourceColumn>,
    flat: Vec<Column>,
    keys: Vec<Column>,
}

/// A column of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name: in the header, or the key of a JSON line.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    pub(crate) source: usize,
    pub(crate) part: Part,
}

/// What of a source column a column of a file shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// The field of that number.
    Field(usize),
    /// What is left over.
    Other,
}

impl Selection {
    /// `columns` in the order asked for; `None`: all that the audience may see, in the dataset's order.
    pub fn new(
        dataset: Dataset,
        audience: Audience,
        columns: Option<&[String]>,
    ) -> Result<Self, SelectionError> {
        let visible = visible(dataset, audience);
        let mut chosen: Vec<(&'static SourceColumn, Option<Part>)> = Vec::new();
        match columns {
            None => chosen.extend(visible.iter().map(|source| (*source, None))),
            Some([]) => return Err(SelectionError::Empty),
            Some(names) => {
                for name in names {
                    let found = find(&visible, name).ok_or_else(|| unknown(dataset, &visible, name))?;
                    for other in chosen.iter().filter(|other| other.0.name == found.0.name) {
                        match (other.1, found.1) {
                            (one, two) if one == two => {
                                return Err(SelectionError::Twice { column: name.clone() });
                            }
                            (None, Some(part)) | (Some(part), None) => {
                                let (part, whole) = (self::name(found.0, part), found.0.name);
                                return Err(SelectionError::Part { part, whole });
                            }
                            _ => {}
                        }
                    }
                    chosen.push(found);
                }
            }
        }

        let is_read = |source: &SourceColumn| chosen.iter().any(|(chosen, _)| chosen.name == source.name);
        let sources: Vec<_> = visible.into_iter().filter(|source| is_read(source)).collect();
        let (mut flat, mut keys) = (Vec::new(), Vec::new());
        for (source, part) in chosen {
            // Always found: `sources` was made of the same list.
            let place = sources.iter().position(|read| read.name == source.name).unwrap_or_default();
            match part {
                Some(part) => {
                    let column = column(source, place, part);
                    flat.push(column);
                    keys.push(column);
                }
                None => {
                    flat.extend(parts(source).map(|part| column(source, place, part)));
                    keys.push(column(source, place, Part::Whole));
                }
            }
        }
        Ok(Self { dataset, audience, sources, flat, keys })
    }

    /// The dataset.
    #[must_use]
    pub fn dataset(&self) -> Dataset {
        self.dataset
    }

    /// Who will read the files.
    #[must_use]
    pub fn audience(&self) -> Audience {
        self.audience
    }

    /// The columns of the table that must be read, in the order in which a row has them.
    #[must_use]
    pub fn source_columns(&self) -> &[&'static SourceColumn] {
        &self.sources
    }

    /// The columns of a file of that format.
    #[must_use]
    pub fn columns(&self, format: Format) -> &[Column] {
        if format.is_flat() { &self.flat } else { &self.keys }
    }
}

/// Every name that may stand in a list of columns.
#[must_use]
pub fn allowed_columns(dataset: Dataset, audience: Audience) -> Vec<&'static str> {
    names(&visible(dataset, audience))
}

fn visible(dataset: Dataset, audience: Audience) -> Vec<&'static SourceColumn> {
    let may_see = |source: &&SourceColumn| audience == Audience::Service || !source.internal;
    dataset.columns().iter().filter(may_see).collect()
}

fn names(visible: &[&'static SourceColumn]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for source in visible {
        names.push(source.name);
        names.extend(parts(source).filter(|part| *part != Part::Whole).map(|part| name(source, part)));
    }
    names
}

/// The flat columns of a source column.
fn parts(source: &SourceColumn) -> impl Iterator<Item = Part> + use<> {
    let whole = source.whole.then_some(Part::Whole);
    let other = (!source.whole).then_some(Part::Other);
    whole.into_iter().chain((0..source.fields.len()).map(Part::Field)).chain(other)
}

fn name(source: &SourceColumn, part: Part) -> &'static str {
    match part {
        Part::Whole => source.name,
        Part::Field(place) => source.fields[place].name,
        Part::Other => source.other,
    }
}

fn column(source: &SourceColumn, place: usize, part: Part) -> Column {
    let kind = match part {
        Part::Whole => source.kind,
        Part::Field(field) => source.fields[field].kind,
        Part::Other => Kind::Json,
    };
    Column { name: name(source, part), kind, source: place, part }
}

/// `None` as the part: the name of the source column itself.
fn find(visible: &[&'static SourceColumn], wanted: &str) -> Option<(&'static SourceColumn, Option<Part>)> {
    visible.iter().find_map(|source| {
        if source.name == wanted {
            return Some((*source, None));
        }
        let part = parts(source).find(|part| *part != Part::Whole && name(source, *part) == wanted)?;
        Some((*source, Some(part)))
    })
}

fn unknown(dataset: Dataset, visible: &[&'static SourceColumn], column: &str) -> SelectionError {
    let shown = column.chars().map(|c| if c.is_control() { ' ' } else { c }).take(60).collect();
    SelectionError::Unknown { dataset, column: shown, allowed: names(visible).join(", ") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn select(dataset: Dataset, audience: Audience, columns: &[&str]) -> Result<Selection, SelectionError> {
        let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
        Selection::new(dataset, audience, Some(&columns))
    }

    fn names_of(selection: &Selection, format: Format) -> Vec<&'static str> {
        selection.columns(format).iter().map(|column| column.name).collect()
    }

    #[test]
    fn a_json_column_is_taken_apart_in_flat_formats_only() {
        let selection = select(Dataset::Jobs, Audience::User, &["progress", "id"]).unwrap();
        let flat =
            ["progress_phase", "progress_done", "progress_total", "progress_percent", "progress_other", "id"];
        for format in [Format::Csv, Format::Xlsx, Format::Parquet] {
            assert_eq!(names_of(&selection, format), flat);
        }
        assert_eq!(names_of(&selection, Format::Jsonl), ["progress", "id"]);
    }

    #[test]
    fn a_flat_column_is_the_same_in_every_format() {
        let selection =
            select(Dataset::Analyses, Audience::User, &["metrics_cvi", "metrics_other", "id"]).unwrap();
        for format in Format::ALL {
            assert_eq!(names_of(&selection, format), ["metrics_cvi", "metrics_other", "id"]);
        }
    }

    #[test]
    fn only_what_is_needed_is_read_in_the_order_of_the_dataset() {
        let selection = select(Dataset::Analyses, Audience::User, &["status", "metrics_cvi", "id"]).unwrap();
        let read: Vec<_> = selection.source_columns().iter().map(|source| source.name).collect();
        assert_eq!(read, ["id", "metrics", "status"]);
    }

    #[test]
    fn an_unknown_column_is_named_with_what_is_allowed() {
        let error = select(Dataset::Reports, Audience::User, &["id", "colour"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`reports` has no column `colour`; allowed: id, created_at, analysis_id, url, metadata, metadata_pages, \
             metadata_size_bytes, metadata_format, metadata_generated_at, metadata_includes_images, \
             metadata_language, metadata_rows, metadata_sha256, metadata_dataset, metadata_compression, \
             metadata_other, template, user_id"
        );
    }

    #[test]
    fn internals_do_not_exist_for_users() {
        for column in ["locked_by", "locked_until", "attempts_forgiven", "crashes", "traceparent"] {
            let error = select(Dataset::Jobs, Audience::User, &[column]).unwrap_err();
            let SelectionError::Unknown { allowed, .. } = error else { panic!("{error}") };
            assert!(!allowed.split(", ").any(|name| name == column));
            assert!(select(Dataset::Jobs, Audience::Service, &[column]).is_ok());
        }
        let all = Selection::new(Dataset::Jobs, Audience::User, None).unwrap();
        assert!(all.source_columns().iter().all(|source| !source.internal));
    }

    #[test]
    fn nothing_is_written_twice() {
        for columns in [["id", "id"], ["metrics_cvi", "metrics_cvi"], ["metrics", "metrics"]] {
            let error = select(Dataset::Analyses, Audience::User, &columns).unwrap_err();
            assert_eq!(error, SelectionError::Twice { column: columns[1].to_owned() });
        }
        for columns in [["metrics", "metrics_cvi"], ["metrics_cvi", "metrics"]] {
            let error = select(Dataset::Analyses, Audience::User, &columns).unwrap_err();
            assert_eq!(error, SelectionError::Part { part: "metrics_cvi", whole: "metrics" });
        }
        assert!(select(Dataset::Analyses, Audience::User, &["metrics_cvi", "metrics_cqi"]).is_ok());
        assert_eq!(select(Dataset::Analyses, Audience::User, &[]).unwrap_err(), SelectionError::Empty);
    }

    #[test]
    fn names_are_built_from_the_keys_and_never_meet() {
        for dataset in Dataset::ALL {
            let mut names = allowed_columns(dataset, Audience::Service);
            for source in dataset.columns() {
                for field in source.fields {
                    assert_eq!(field.name, format!("{}_{}", source.name, field.path.join("_")));
                    assert!((1..=2).contains(&field.path.len()));
                }
            }
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{dataset:?}");
        }
    }
}
