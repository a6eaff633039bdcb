//! Commands sent word by word.

use std::net::IpAddr;

use ::fred::{
    bytes_utils::Str,
    types::{ClusterHash, CustomCommand, Map, MultipleStrings, Value},
};

/// Returns the command of a line of the table, and the words that follow it: `CONFIG` `GET` of `SENTINEL CONFIG GET`.
pub(super) fn split(command: &'static str) -> (CustomCommand, Vec<Value>) {
    let mut words = command.split(' ');
    let name = words.next().unwrap_or(command);
    // The first argument is hashed, as fred does without a custom command.
    let command = CustomCommand::new_static(name, ClusterHash::FirstKey, false);
    (command, words.map(Value::from).collect())
}

/// An argument that is one word or several.
pub(super) trait Words {
    /// Adds them to those before.
    fn after(self, words: Vec<Value>) -> Vec<Value>;
}

macro_rules! words {
    ($($argument:ident: $ty:ty => $words:expr;)*) => {$(
        impl Words for $ty {
            fn after(self, mut words: Vec<Value>) -> Vec<Value> {
                let $argument = self;
                words.extend($words);
                words
            }
        }
    )*};
}

words! {
    word: Str => [Value::from(word)];
    word: Value => [word];
    number: u16 => [Value::from(number)];
    number: u32 => [Value::from(number)];
    address: IpAddr => [Value::from(address.to_string())];
    words: MultipleStrings => words.into_values();
    pairs: Map => pairs.inner().into_iter().flat_map(|(name, value)| [name.into(), value]);
}
