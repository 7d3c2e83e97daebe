use rooms_layer::{export, prelude::*};

#[derive(Namespace)]
#[namespace(path = "/chat", open)]
struct Chat;

fn f() {
    export::typescript::<Chat>();
    export::asyncapi::<Main>("Main", "1.0.0");
}

fn main() {}
