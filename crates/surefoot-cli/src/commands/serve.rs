//! `surefoot serve`

use surefoot::Model;
use surefoot_serve::{Listener, Service, until_signal};

use crate::arguments;
use crate::output::{Ending, print_line};

pub fn run(arguments: &arguments::Serve) -> anyhow::Result<Ending> {
    let service = Service::new(Model::load(&arguments.model)?, arguments.strict)?;
    let listener = Listener::bind(&arguments.host, arguments.port)?;
    if listener.is_shared() {
        eprintln!("warning: other machines can reach this service, and nobody is asked who they are");
    }
    print_line(listener.url())?;
    service.serve(listener, until_signal())?;
    Ok(Ending::Success)
}
