use std::{future::Future, io, pin::Pin};

use retry_runtime::retryable;

// What `#[async_trait]` makes of `async fn push(name: String) -> io::Result<()>`.
#[retryable]
fn push(name: String) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send>> {
    Box::pin(async move {
        if let Some(__ret) = None::<io::Result<()>> {
            return __ret;
        }
        let name = name;
        let __ret: io::Result<()> = { std::fs::write(&name, "") };
        __ret
    })
}

fn main() {
    let _ = push(String::new());
}
