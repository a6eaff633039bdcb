//! The macro that makes methods out of the lines of the table.

/// Makes the methods of one interface of fred, and its part of the table.
///
/// ```text
/// Input:  "LPUSH" [NotIdempotent] lpush<R, K, V>(key: K => Into<Key>, elements: V => TryInto<MultipleValues>) -> R;
///
/// Output: pub async fn lpush<R, K, V>(&self, key: K, elements: V) -> FredResult<R>
///         where R: FromValue, K: Into<Key> + Send, V: TryInto<MultipleValues> + Send, V::Error: Into<Error> + Send
///         {
///             let key: Key = key.into();
///             let elements: MultipleValues = elements.try_into().map_err(Into::into)?;
///             let command = Command { wait: BlockingTime::No, ..Command::new("lpush", NotIdempotent) };
///             let failed = match self.sender.first(command) {
///                 Some((client, flight)) => match client.lpush(key.clone(), elements.clone()).await {
///                     Ok(value) => return value.convert(),
///                     Err(error) => Some((error, flight)),
///                 },
///                 None => None,
///             };
///             let attempt = move |client| {
///                 let (key, elements) = (key.clone(), elements.clone());
///                 async move { client.lpush(key, elements).await }
///             };
///             convert(self.sender.send(command, failed, attempt).await)
///         }
/// ```
///
/// A second bracket tells how long a blocking command waits; `.inner` keeps what an argument that cannot be cloned
/// was made of, and `as same` makes another one of an argument without `Clone`.
/// `by words` sends the words themselves, where fred's method loses the options of the attempt or its `Send`.
///
/// The methods are those of every sender whose client has the interface; `+ NotSentinel` leaves out the sentinels,
/// and `of …` is for one kind of client only.
macro_rules! commands {
    ($interface:ident $(+ $bound:ident)?; $($lines:tt)*) => {
        $crate::fred::commands::commands! {
            @impl [
                impl<Via: $crate::fred::Sender $(+ $crate::fred::$bound)?> $crate::fred::Commands<Via>
                where
                    Via::Client: ::fred::interfaces::$interface,
            ]
            $interface; $($lines)*
        }
    };
    ($interface:ident of $client:ty; $($lines:tt)*) => {
        $crate::fred::commands::commands! {
            @impl [impl $crate::fred::Commands<$crate::fred::Direct<'_, $client>>]
            $interface; $($lines)*
        }
    };
    (@impl [$($header:tt)*] $interface:ident; $(
        $command:literal [$($replay:tt)*] $([$($wait:tt)*])?
        $method:ident <$($generic:ident),*> (
            $($arg:ident: $ty:ty $(as $same:ident)?
                $(=> Into<$into:ty> $(.$into_kept:ident)?)?
                $(=> TryInto<$try_into:ty> $(.$try_kept:ident)?)?
                $(=> Option<$option:ident: Into<$option_into:ty>>)?
                $(=> Vec<$vec:ident: Into<$vec_into:ty>>)?
                $(=> IntoIterator<Item = $item:ty> $(of Into<$item_into:ty>)?)?
            ),*
        ) $(-> $answer:ident)? $(by $words:ident)?;
    )*) => {
        #[allow(clippy::too_many_arguments, reason = "the methods have the arguments of fred's")]
        $($header)*
        {$(
            #[doc = concat!(
                "Sends `", $command, "`, as `", stringify!($method), "` of fred's [`", stringify!($interface),
                "`](::fred::interfaces::", stringify!($interface), ").\n\n# Errors\n\n",
                "Returns the error of the last attempt, or why the arguments or the reply do not convert."
            )]
            pub async fn $method<$($generic),*>(
                &self,
                $($arg: $ty),*
            ) -> ::fred::interfaces::FredResult<$crate::fred::commands::answer!($($answer)?)>
            where
                $($answer: ::fred::types::FromValue,)?
                $($($ty: Into<$into> + Send,)?)*
                $($(
                    $ty: TryInto<$try_into> + Send,
                    <$ty as TryInto<$try_into>>::Error: Into<::fred::error::Error>,
                )?)*
                $($($option: Into<$option_into> + Send,)?)*
                $($($vec: Into<$vec_into> + Send,)?)*
                $($(
                    $ty: IntoIterator<Item = $item> + Send,
                    $($item: Into<$item_into> + Send,)?
                )?)*
            {
                $($(let $arg = <$ty as Into<$into>>::into($arg)$(.$into_kept())?;)?)*
                $($(
                    let $arg = <$ty as TryInto<$try_into>>::try_into($arg).map_err(Into::into)?$(.$try_kept())?;
                )?)*
                $($(let $arg = $arg.map(<$option as Into<$option_into>>::into);)?)*
                $($(
                    let $arg = $arg.into_iter().map(<$vec as Into<$vec_into>>::into).collect::<Vec<_>>();
                )?)*
                $($(
                    let $arg = <$ty as IntoIterator>::into_iter($arg)
                        $(.map(<$item as Into<$item_into>>::into))?
                        .collect::<Vec<_>>();
                )?)*
                let command = $crate::fred::Command {
                    wait: $crate::fred::commands::wait!($($($wait)*)?),
                    ..$crate::fred::Command::new(stringify!($method), { $($replay)* })
                };
                // Asked only if a budget is to be found, see `Budgets`.
                let slot = || {
                    #[allow(unused_imports, reason = "some commands have no arguments")]
                    use $crate::fred::commands::slot::{ByKey as _, ByNothing as _, Probe};
                    None$(.or_else(|| (&Probe(&$arg)).slot()))*
                };
                let failed = match self.sender.first(command) {
                    Some((client, flight)) => {
                        let answer = $crate::fred::commands::call!(
                            client $command $method($($crate::fred::commands::again!($arg $($same)?)),*)
                            $($words)?
                        );
                        match $crate::fred::commands::value!(answer $($answer)?) {
                            Ok(value) => {
                                self.sender.succeeded(command, flight, slot);
                                return ::fred::types::Value::convert(value);
                            }
                            Err(error) => Some((error, flight)),
                        }
                    }
                    None => None,
                };
                let command = $crate::fred::Command { slot: self.sender.slot(slot), ..command };
                let reply = self
                    .sender
                    .send::<::fred::types::Value, _, _>(command, failed, move |client| {
                        $(let $arg = $crate::fred::commands::again!($arg $($same)?);)*
                        async move {
                            let answer = $crate::fred::commands::call!(
                                client $command $method($($arg),*) $($words)?
                            );
                            $crate::fred::commands::value!(answer $($answer)?)
                        }
                    })
                    .await;
                $crate::fred::nothing::convert(reply)
            }
        )*}

        pub(in crate::fred) const TABLE: &[$crate::fred::CommandInfo] = &[$(
            $crate::fred::CommandInfo {
                interface: stringify!($interface),
                method: stringify!($method),
                command: $command,
                replay: stringify!($($replay)*),
                signature: stringify!(
                    <$($generic),*>(
                        $($arg: $ty
                            $(=> Into<$into>)?
                            $(=> TryInto<$try_into>)?
                            $(=> Option<$option: Into<$option_into>>)?
                            $(=> Vec<$vec: Into<$vec_into>>)?
                            $(=> IntoIterator<Item = $item> $(of Into<$item_into>)?)?
                        ),*
                    ) $(-> $answer)?
                ),
            },
        )*];
    };
}

/// An argument once more, for another attempt.
macro_rules! again {
    ($argument:ident) => {
        $argument.clone()
    };
    ($argument:ident $same:ident) => {
        $same($argument.as_ref())
    };
}

/// An attempt: fred's method, or a custom command of the same words.
macro_rules! call {
    ($client:ident $command:literal $method:ident($($argument:expr),*)) => {
        $client.$method($($argument),*).await
    };
    ($client:ident $command:literal $method:ident($($argument:expr),*) words) => {{
        let (command, words) = $crate::fred::commands::words::split($command);
        $(let words = $crate::fred::commands::words::Words::after($argument, words);)*
        ::fred::interfaces::ClientLike::custom(&$client, command, words).await
    }};
}

/// What a method answers.
macro_rules! answer {
    () => {
        ()
    };
    ($answer:ident) => {
        $answer
    };
}

/// How long a command may block.
macro_rules! wait {
    () => { $crate::fred::BlockingTime::No };
    ($($wait:tt)+) => { $($wait)+ };
}

/// The answer of fred as a value, which is converted when all attempts are over.
macro_rules! value {
    ($result:ident) => {
        $result.map(|()| ::fred::types::Value::Null)
    };
    ($result:ident $answer:ident) => {
        $result
    };
}

pub(super) use {again, answer, call, commands, value, wait};
