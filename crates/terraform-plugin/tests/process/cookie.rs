use std::process::Command;

use crate::support::example;

#[test]
fn without_the_cookie_the_process_explains_itself_on_standard_error() {
    for cookie in [None, Some("let me in")] {
        let mut command = Command::new(example("floor"));
        command.env_remove("TF_PLUGIN_MAGIC_COOKIE");
        command.envs(cookie.map(|cookie| ("TF_PLUGIN_MAGIC_COOKIE", cookie)));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(
            text.contains("registry.terraform.io/nautes/floor"),
            "{text}"
        );
        assert!(text.contains("required_providers"), "{text}");
    }
}
