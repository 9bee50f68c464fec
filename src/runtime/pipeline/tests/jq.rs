//! Runs jq programs.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::Val;
use serde_json::Value;

/// Returns the outputs of a program whose `$ENV` is an object; an error is its text.
pub(super) fn run(program: &str, env: &Value, input: &Value) -> Result<Vec<Value>, String> {
    let defs = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs());
    let funs = jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs());
    let arena = Arena::default();
    let file = File {
        code: program,
        path: (),
    };
    let modules = Loader::new(defs).load(&arena, file);
    let modules = modules.map_err(|errors| format!("{errors:?}"))?;
    let compiler = Compiler::default()
        .with_funs(funs)
        .with_global_vars(["$ENV"]);
    let filter = compiler.compile(modules);
    let filter = filter.map_err(|errors| format!("{errors:?}"))?;
    let env = Vars::new([value(env)]);
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, env);
    let outputs = filter.id.run((context, value(input))).map(unwrap_valr);
    outputs
        .map(|output| {
            let output = output.map_err(|error| error.to_string())?;
            serde_json::from_str(&output.to_string()).map_err(|error| error.to_string())
        })
        .collect()
}

fn value(json: &Value) -> Val {
    serde_json::from_value(json.clone()).unwrap()
}
