use ::parquet::{
    basic::{ColumnOrder, ConvertedType, LogicalType, Repetition},
    file::reader::{FileReader, SerializedFileReader},
    record::{Field, List, Row},
};
use bytes::Bytes;
use forgeos_exporting::{Cell, Dataset, Format};
use proptest::prelude::*;

use crate::rows::{CREATED_MICROS, HOSTILE, METRICS, all_columns, analysis, columns, file, nulls};

fn open(bytes: Vec<u8>) -> SerializedFileReader<Bytes> {
    SerializedFileReader::new(Bytes::from(bytes)).unwrap()
}

fn rows(bytes: Vec<u8>) -> Vec<Row> {
    open(bytes).get_row_iter(None).unwrap().map(Result::unwrap).collect()
}

fn field(row: &Row, column: &str) -> Field {
    row.get_column_iter().find(|(name, _)| *name == column).unwrap().1.clone()
}

#[test]
fn a_row_reads_back_with_typed_values() {
    let bytes = file(&all_columns(Dataset::Analyses), Format::Parquet, &[analysis(1, "panel.jpg", METRICS)]);
    let rows = rows(bytes);
    assert_eq!(rows.len(), 1);
    let text = |text: &str| Field::Str(text.to_owned());
    for (column, expected) in [
        ("created_at", Field::TimestampMicros(CREATED_MICROS)),
        ("filename", text("panel.jpg")),
        ("output_filename", Field::Null),
        ("metrics_cvi", Field::Double(0.87)),
        ("metrics_defects_detected", Field::Long(1)),
        ("metrics_severity", text("low")),
        ("metrics_probability", Field::Null),
        ("metrics_other", text(r#"{"added_later": {"a": [1, null]}}"#)),
        ("job_id", Field::Null),
    ] {
        assert_eq!(field(&rows[0], column), expected, "{column}");
    }
    let Field::Bytes(id) = field(&rows[0], "id") else { panic!("no id") };
    assert_eq!(id.data(), uuid::Uuid::from_u128(1).as_bytes());
}

#[test]
fn columns_say_what_they_are() {
    let reader = open(file(&all_columns(Dataset::TrainingSessions), Format::Parquet, &[]));
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let of = |name: &str| {
        let column = schema.columns().iter().find(|column| column.path().string() == name).unwrap();
        (column.logical_type_ref().cloned(), column.converted_type())
    };
    assert_eq!(of("id").0, Some(LogicalType::Uuid));
    assert_eq!(of("created_at").1, ConvertedType::TIMESTAMP_MICROS);
    assert!(matches!(of("created_at").0, Some(LogicalType::Timestamp(time)) if time.is_adjusted_to_u_t_c));
    assert_eq!(of("notes").0, Some(LogicalType::String));
    assert_eq!(of("data_annotations").0, Some(LogicalType::Json));
    assert_eq!(of("accuracy_metrics_accuracy").0, None);
    assert_eq!(of("data_labels.list.element").0, Some(LogicalType::String));
    let fields = schema.root_schema().get_fields();
    assert!(fields.iter().all(|field| field.get_basic_info().repetition() == Repetition::OPTIONAL));
}

#[test]
fn the_file_says_what_it_is_and_has_statistics() {
    let rows: Vec<_> = (0..10).map(|id| analysis(id, "panel.jpg", METRICS)).collect();
    let reader = open(file(&all_columns(Dataset::Analyses), Format::Parquet, &rows));
    let metadata = reader.metadata().file_metadata();
    assert!(metadata.created_by().unwrap().starts_with("forgeos-exporting version "));
    let entries = metadata.key_value_metadata().unwrap();
    let entry = |key: &str| entries.iter().find(|entry| entry.key == key).unwrap().value.clone().unwrap();
    assert_eq!(entry("forgeos.dataset"), "analyses");
    assert_eq!(entry("forgeos.schema_version"), "1");
    assert_eq!(entry("forgeos.created_at"), "2026-02-01T00:00:00.000000Z");

    let group = reader.metadata().row_group(0);
    for column in group.columns() {
        let has_statistics = column.statistics().is_some();
        let is_json = column.column_descr().logical_type_ref() == Some(&LogicalType::Json);
        assert_eq!(has_statistics, !is_json, "{}", column.column_path());
    }
}

#[test]
fn numbers_are_ordered_in_the_way_that_every_reader_knows() {
    for dataset in Dataset::ALL {
        let reader = open(file(&all_columns(dataset), Format::Parquet, &[]));
        let metadata = reader.metadata().file_metadata();
        for (place, column) in metadata.schema_descr().columns().iter().enumerate() {
            let order = metadata.column_order(place);
            assert!(matches!(order, ColumnOrder::TYPE_DEFINED_ORDER(_)), "{}: {order:?}", column.path());
        }
    }
}

#[test]
fn lists_are_lists() {
    let selection = columns(Dataset::TrainingSessions, &["data"]);
    let texts = [
        r#"{"labels": ["good", "de\"fect", "æ"], "images": []}"#,
        "null",
        r#"{"labels": ["x"]}"#,
        r#"{"labels": ["x", 3]}"#,
    ];
    let rows = rows(file(&selection, Format::Parquet, &texts.map(|text| vec![Cell::Json(text)])));
    let strings = |field: Field| match field {
        Field::ListInternal(list) => Some(elements(&list)),
        Field::Null => None,
        other => panic!("{other}"),
    };
    let labels: Vec<_> = rows.iter().map(|row| strings(field(row, "data_labels"))).collect();
    let list = |texts: &[&str]| Some(texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
    assert_eq!(labels, [list(&["good", "de\"fect", "æ"]), None, list(&["x"]), None]);
    assert_eq!(strings(field(&rows[0], "data_images")), list(&[]));
    assert_eq!(field(&rows[3], "data_other"), Field::Str(r#"{"labels": ["x", 3]}"#.to_owned()));
}

fn elements(list: &List) -> Vec<String> {
    let text = |field: &Field| if let Field::Str(text) = field { text.clone() } else { panic!("{field}") };
    list.elements().iter().map(text).collect()
}

#[test]
fn hostile_text_is_kept() {
    let given: Vec<_> = HOSTILE.iter().map(|text| analysis(1, text, "{}")).collect();
    let read = rows(file(&all_columns(Dataset::Analyses), Format::Parquet, &given));
    for (text, row) in HOSTILE.iter().zip(read) {
        assert_eq!(field(&row, "filename"), Field::Str((*text).to_owned()));
    }
}

#[test]
fn no_rows_make_a_file_with_a_schema_and_nulls_are_null() {
    for dataset in Dataset::ALL {
        let selection = all_columns(dataset);
        let reader = open(file(&selection, Format::Parquet, &[]));
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
        assert_eq!(reader.num_row_groups(), 0);

        let rows = rows(file(&selection, Format::Parquet, &[nulls(&selection), nulls(&selection)]));
        assert_eq!(rows.len(), 2);
        assert!(rows[1].get_column_iter().all(|(_, field)| *field == Field::Null));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_rows_read_back(given in prop::collection::vec((any::<String>(), any::<Option<f64>>(), prop::collection::vec(any::<String>(), 0..4)), 0..20)) {
        let selection = columns(Dataset::TrainingSessions, &["notes", "data_labels", "accuracy_metrics_recall"]);
        let texts: Vec<_> = given
            .iter()
            .map(|(_, number, labels)| {
                (serde_json::json!({"labels": labels}).to_string(), serde_json::json!({"recall": number}).to_string())
            })
            .collect();
        let cells: Vec<_> = given
            .iter()
            .zip(&texts)
            .map(|((notes, ..), (data, metrics))| vec![Cell::Text(notes), Cell::Json(data), Cell::Json(metrics)])
            .collect();
        let read = rows(file(&selection, Format::Parquet, &cells));
        prop_assert_eq!(read.len(), given.len());
        for (row, (notes, number, labels)) in read.iter().zip(&given) {
            prop_assert_eq!(field(row, "notes"), Field::Str(notes.clone()));
            let finite = number.filter(|number| number.is_finite());
            prop_assert_eq!(field(row, "accuracy_metrics_recall"), finite.map_or(Field::Null, Field::Double));
            let Field::ListInternal(list) = field(row, "data_labels") else { panic!("no list") };
            prop_assert_eq!(&elements(&list), labels);
        }
    }
}
