//! The log level from the environment.

use tracing::Level;

/// Returns the log level of the provider called `provider`, or `None` if logging is off.
///
/// `variable` reads an environment variable. The most specific one that is set applies: `TF_LOG_PROVIDER_<NAME>`,
/// `TF_LOG_PROVIDER`, `TF_LOG`. `JSON` is a format of Terraform's own log and means the finest level, as does an unknown
/// word, as in Terraform itself.
pub fn level_for(provider: &str, variable: impl Fn(&str) -> Option<String>) -> Option<Level> {
    let own = format!(
        "TF_LOG_PROVIDER_{}",
        provider.to_uppercase().replace('-', "_")
    );
    let asked = [own.as_str(), "TF_LOG_PROVIDER", "TF_LOG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))?;
    match asked.to_uppercase().as_str() {
        "OFF" => None,
        "ERROR" => Some(Level::ERROR),
        "WARN" => Some(Level::WARN),
        "INFO" => Some(Level::INFO),
        "DEBUG" => Some(Level::DEBUG),
        _ => Some(Level::TRACE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(variables: &[(&str, &str)]) -> Option<Level> {
        level_for("my-cloud", |name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn logging_is_off_by_default() {
        assert_eq!(level(&[]), None);
        assert_eq!(level(&[("TF_LOG", "")]), None);
        assert_eq!(level(&[("TF_LOG", "off")]), None);
    }

    #[test]
    fn the_most_specific_variable_takes_precedence() {
        let all = [
            ("TF_LOG_PROVIDER_MY_CLOUD", "error"),
            ("TF_LOG_PROVIDER", "INFO"),
            ("TF_LOG", "TRACE"),
        ];
        assert_eq!(level(&all), Some(Level::ERROR));
        assert_eq!(level(&all[1..]), Some(Level::INFO));
        assert_eq!(level(&all[2..]), Some(Level::TRACE));
        assert_eq!(
            level(&[("TF_LOG_PROVIDER", "off"), ("TF_LOG", "TRACE")]),
            None
        );
    }

    #[test]
    fn json_and_unknown_words_mean_the_finest_level() {
        assert_eq!(level(&[("TF_LOG", "JSON")]), Some(Level::TRACE));
        assert_eq!(level(&[("TF_LOG", "loud")]), Some(Level::TRACE));
    }
}
