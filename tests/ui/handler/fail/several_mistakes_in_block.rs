use demo::*;
use rooms_layer::prelude::*;

struct Chat;

#[handler(App)]
impl Chat {
    #[on]
    fn not_async(&self, _: CursorMoved) {}
    #[on]
    async fn no_event(&self) {}
    #[on]
    async fn takes_no_self(_: JoinProject) -> Result<(), ApiError> {
        Ok(())
    }
    #[connect]
    async fn surplus(&self, _: Socket<App>, _: u32) {}
}

fn main() {}
