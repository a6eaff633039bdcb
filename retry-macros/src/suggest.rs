use proc_macro2::Ident;
use syn::Error;

/// Makes the error for a name that is not among `known`, with the nearest one if it looks like a slip.
pub(crate) fn unknown(kind: &str, found: &Ident, known: &[&str]) -> Error {
    let name = found.to_string();
    let message = match nearest(&name, known) {
        Some(nearest) => format!("unknown {kind} `{name}`; did you mean `{nearest}`?"),
        None => format!("unknown {kind} `{name}`; expected one of: {}", list(known)),
    };
    Error::new(found.span(), message)
}

fn list(known: &[&str]) -> String {
    known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Returns the known name within two edits (a third of its length for short ones).
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let (distance, nearest) = known.iter().map(|known| (distance(name, known), *known)).min()?;
    (distance <= 2.min(nearest.len().div_ceil(3))).then_some(nearest)
}

/// Returns the Levenshtein distance.
fn distance(left: &str, right: &str) -> usize {
    let mut row = (0..=right.len()).collect::<Vec<_>>();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    const NAMES: &[&str] = &["policy", "on", "on_ok", "before"];

    #[test]
    fn suggests_the_name_that_was_meant() {
        assert_eq!(nearest("polcy", NAMES), Some("policy"));
        assert_eq!(nearest("onok", NAMES), Some("on_ok"));
    }

    #[test]
    fn suggests_nothing_for_another_word() {
        assert_eq!(nearest("timeout", NAMES), None);
    }
}
