use retry_runtime::retryable;

#[retryable]
async fn push() {}

fn main() {
    let _ = push;
}
