//! The journal records calls without their secrets.

use gitlab_emulator::{Emulator, JournalEntry};

#[tokio::test]
async fn calls_are_counted_by_route_without_secrets() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let emulator = Emulator::builder().start().await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for query in ["simple=true", "search=x&private_token=glpat-secret"] {
        http.get(format!("{}/api/v4/projects?{query}", emulator.url))
            .send()
            .await
            .unwrap();
    }
    http.get(format!("{}/api/v4/projects/a%2Fb/hooks/7", emulator.url))
        .send()
        .await
        .unwrap();
    http.get(format!(
        "{}/a/b.git/info/refs?service=git-upload-pack",
        emulator.url
    ))
    .send()
    .await
    .unwrap();
    let journal = emulator.journal();
    let calls: Vec<String> = journal.iter().map(JournalEntry::call).collect();
    assert_eq!(
        calls,
        [
            "GET /projects",
            "GET /projects",
            "GET /projects/{id}/hooks/{hook_id}",
            "GET info/refs",
        ]
    );
    let statuses: Vec<_> = journal.iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [Some(200), Some(401), Some(401), Some(401)]);
    assert_eq!(journal[1].query, "search=x");
    assert_eq!(journal[2].path, "/api/v4/projects/a%2Fb/hooks/7");
    assert_eq!(emulator.journal_since(journal[2].number).len(), 1);
    emulator.clear_journal();
    assert!(emulator.journal().is_empty());
}
