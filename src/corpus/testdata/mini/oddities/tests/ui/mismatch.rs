// The compiler must refuse this program.
fn main() {
    let count: u32 = "three"; //~ ERROR mismatched types
    println!("{count}");
}
