use terraform_plugin::function::Arguments;

#[derive(Arguments)]
struct SlugArguments(String);

fn main() {}
