use retry_runtime::retryable;

#[retryable]
struct Service;

fn main() {
    let _ = Service;
}
