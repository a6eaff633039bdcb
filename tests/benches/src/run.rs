//! The command line of programs that make calls.

use std::env;

use crate::{
    form::{Form, Pace, runtime},
    hand, ours,
};

/// The forms of a program.
#[derive(Debug)]
pub struct Sets {
    /// For calls that succeed at once.
    pub first: Vec<Form>,
    /// For calls that fail.
    pub failing: Vec<Form>,
}

impl Sets {
    /// The loops written by hand and the forms of this toolkit.
    pub fn own() -> Self {
        Self {
            first: [hand::first(), ours::first()].concat(),
            failing: [hand::failing(), ours::failing()].concat(),
        }
    }

    /// Those and the peers, if they were compiled in.
    pub fn all() -> Self {
        #[cfg_attr(not(feature = "peers"), expect(unused_mut, reason = "peers add to it"))]
        let mut all = Self::own();
        #[cfg(feature = "peers")]
        {
            all.first.extend(crate::peers::first());
            all.failing.extend(crate::peers::failing());
        }
        all
    }
}

/// Makes the calls that the arguments ask for, or lists the forms.
///
/// # Panics
///
/// If the arguments are wrong.
pub fn main(sets: &Sets) {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["list"] => list(sets),
        [set, name, calls, failures] => {
            let forms = if set == "first" { &sets.first } else { &sets.failing };
            let form = forms.iter().find(|form| form.name == name);
            let form = form.unwrap_or_else(|| panic!("no form {name} in {set}"));
            let number = "the last arguments are numbers";
            (form.run)(&runtime(), calls.parse().expect(number), failures.parse().expect(number));
        }
        _ => panic!("usage: list | <first|failing> <form> <calls> <failures>"),
    }
}

fn list(sets: &Sets) {
    for (set, forms) in [("first", &sets.first), ("failing", &sets.failing)] {
        for form in forms {
            let pace = if form.pace == Pace::Timer { "timer" } else { "immediate" };
            println!("{set}\t{pace}\t{}", form.name);
        }
    }
}
