use rustix::process::Signal;

use crate::support::{Faulty, echo, floor, send, small_value};

#[tokio::test]
async fn signals_are_ignored_while_the_client_runs() {
    let mut process = floor().start().await.unwrap();
    let mut client = process.client().await.unwrap();
    for signal in [Signal::INT, Signal::TERM, Signal::INT] {
        send(process.pid(), signal);
        echo(&mut client, &small_value()).await.unwrap();
    }
    assert!(process.is_running());
    let (_, status) = process.shut_down().await.unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn an_interrupted_call_completes_after_stop_provider() {
    let faulty = Faulty::start().await;
    let call = faulty.apply("faulty_slow").await;
    send(faulty.process.pid(), Signal::INT);
    faulty.stop().await;
    call.await.unwrap().unwrap();
    assert_eq!(faulty.journal.text(), "started\nstopped\n");
}
