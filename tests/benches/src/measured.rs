//! One number for each form.

/// The numbers of forms, in the order in which they were measured.
#[derive(Debug, Default)]
pub struct Measured(Vec<(String, f64)>);

impl Measured {
    /// Adds the number of a form.
    pub fn push(&mut self, form: impl Into<String>, number: f64) {
        self.0.push((form.into(), number));
    }

    /// Goes through the forms and their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(form, number)| (form.as_str(), *number))
    }

    /// Returns the number of a form.
    ///
    /// # Panics
    ///
    /// If it was not measured.
    pub fn of(&self, form: &str) -> f64 {
        let found = self.iter().find(|(name, _)| *name == form);
        found.unwrap_or_else(|| panic!("{form} was not measured")).1
    }

    /// Returns the smallest number of a form that is not ours and not written by hand.
    pub fn best_peer(&self) -> f64 {
        let peers = self.iter().filter(|(form, _)| !is_own(form));
        peers.map(|(_, number)| number).fold(f64::INFINITY, f64::min)
    }
}

fn is_own(form: &str) -> bool {
    ["#[retryable]", "policy.retry", "hand-written", "bare call", "the operation"]
        .iter()
        .any(|own| form.starts_with(own))
}
