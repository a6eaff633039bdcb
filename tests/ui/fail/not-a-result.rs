use retry_runtime::retryable;

#[retryable]
async fn push() -> u32 {
    7
}

fn main() {
    let _ = push;
}
