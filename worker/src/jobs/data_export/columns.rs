//! The words for a column that there is not. All names of a dataset with large JSON fields would not fit into one
//! message: of those fields the parts are named when the unknown name looks like one.

use forgeos_core::JobError;
use forgeos_exporting::{Audience, Dataset, SelectionError, SourceColumn};

/// What the job says of columns that are refused.
pub(super) fn refused(audience: Audience, error: &SelectionError) -> JobError {
    let SelectionError::Unknown { dataset, column, .. } = error else {
        return JobError::bad_params(format!("params.columns: {error}"));
    };
    JobError::bad_params(format!(
        "params.columns: `{}` has no column `{column}`; allowed: {}",
        dataset.as_str(),
        allowed(*dataset, audience, column)
    ))
}

fn allowed(dataset: Dataset, audience: Audience, column: &str) -> String {
    let visible =
        || dataset.columns().iter().filter(|source| audience == Audience::Service || !source.internal);
    let is_part_of = |source: &&SourceColumn| {
        !source.fields.is_empty()
            && column.strip_prefix(source.name).is_some_and(|rest| rest.starts_with('_'))
    };
    if let Some(source) = visible().find(is_part_of) {
        let prefix = format!("{}_", source.name);
        let parts: Vec<_> = source
            .fields
            .iter()
            .map(|field| field.name)
            .chain((!source.whole).then_some(source.other))
            .map(|name| name.strip_prefix(&prefix).unwrap_or(name))
            .collect();
        return format!("`{prefix}` and one of {}", parts.join(", "));
    }
    let names: Vec<_> = visible()
        .map(|source| match source.fields.first() {
            // A question that names the field is answered with its parts.
            Some(_) => format!("{} (parts: ask for `{0}_?`)", source.name),
            None => source.name.to_owned(),
        })
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use forgeos_exporting::Selection;

    use super::*;

    #[test]
    fn whatever_is_allowed_is_named_in_full() {
        for dataset in Dataset::ALL {
            for audience in [Audience::User, Audience::Service] {
                let mut wrong = vec!["x".repeat(100)];
                wrong.extend(
                    dataset.columns().iter().map(|source| format!("{}_{}", source.name, "x".repeat(100))),
                );
                for name in wrong {
                    let error = Selection::new(dataset, audience, Some(&[name])).expect_err("no such column");
                    let message = refused(audience, &error).message;
                    assert!(!message.ends_with('…'), "{message}");
                }
            }
        }
    }

    #[test]
    fn users_are_not_told_of_what_they_may_not_have() {
        let words = |audience| {
            let error = Selection::new(Dataset::Jobs, audience, Some(&["x".to_owned()])).expect_err("x");
            refused(audience, &error).message
        };
        assert!(words(Audience::Service).contains("locked_by"));
        assert!(!words(Audience::User).contains("locked_by"));
        assert!(words(Audience::User).contains("`jobs` has no column `x`; allowed: id, created_at"));
    }
}
