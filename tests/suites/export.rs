use rooms_layer::export::{self, BigIntegers};
use rooms_tests::demo::App;
#[test]
fn t() {
    println!("{:?}", export::typescript::<App>());
    let o = export::Options::default().big_integers(BigIntegers::Number);
    println!("{}", o.typescript::<App>().unwrap());
    println!("{:#}", o.asyncapi::<App>("Demo", "1").unwrap());
}
